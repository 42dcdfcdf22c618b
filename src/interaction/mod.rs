//! What each line means: interaction templates, the effective interaction, the log entry.

pub mod template;
pub mod rule;
pub mod refusal;
pub mod resolve;
pub mod state;
pub mod entry;
pub mod note;
pub mod statistics;

pub use entry::{Entry, EntryNo, RunNo};
pub use note::{Note, NoteKind};
pub use refusal::Refusal;
pub use resolve::{EffectiveInteraction, Facts, Standing, resolve};
pub use rule::{Resolved, Rule};
pub use state::State;
pub use template::{InteractionTemplate, TemplateLanguage};
