//! What was asked for, as written: the segment's header, its lines, the criteria that selected them.

pub mod document;
pub mod values;
pub mod header;
pub mod line;
pub mod criteria;
pub mod file;

pub use criteria::{CriteriaAction, CriteriaKind, CriteriaOptions, SavedCriteria};
pub use document::{Attachment, Digest};
pub use file::SegmentFile;
pub use header::{SegmentHeader, SegmentNo};
pub use line::{Evaluation, LineNo, LineValues, SegmentLine};
pub use values::{InteractionValues, ValueProblem};
