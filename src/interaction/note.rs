//! Owns notes on the log: what is said and decided of an entry or a logged segment after it was logged.
//!
//! An entry itself never changes but for its cancel flag, its evaluation and what its attempts come to; a note says who
//! did that, when and why, and is never changed or taken away while its entry is there.

use jiff::Timestamp;
use serde::Serialize;

use crate::interaction::EntryNo;
use crate::segment::SegmentNo;

/// A note on an entry, or on a logged segment as a whole.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Note {
    /// The segment.
    pub segment: SegmentNo,
    /// The entry; none for the segment as a whole.
    pub entry: Option<EntryNo>,
    /// When it was written.
    pub at: Timestamp,
    /// Who wrote it; empty where nobody said.
    pub who: String,
    /// What happened.
    pub kind: NoteKind,
    /// Why; of an evaluation its name, of a comment its text.
    pub text: String,
}

/// What a note tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoteKind {
    /// It does not count any more.
    Cancelled,
    /// It counts again.
    Uncancelled,
    /// How the contact took it.
    Evaluated,
    /// What somebody has to say.
    Comment,
    /// It was to be delivered once more, on purpose.
    Resent,
    /// It was not sent again, for want of consent.
    Refused,
    /// It was sent again although the contact is excluded from segments: somebody decided so.
    Allowed,
    /// It was deleted.
    Deleted,
}

impl NoteKind {
    const ALL: [NoteKind; 8] = [
        NoteKind::Cancelled,
        NoteKind::Uncancelled,
        NoteKind::Evaluated,
        NoteKind::Comment,
        NoteKind::Resent,
        NoteKind::Refused,
        NoteKind::Allowed,
        NoteKind::Deleted,
    ];

    /// Returns its name, in kebab case.
    pub fn as_str(self) -> &'static str {
        match self {
            NoteKind::Cancelled => "cancelled",
            NoteKind::Uncancelled => "uncancelled",
            NoteKind::Evaluated => "evaluated",
            NoteKind::Comment => "comment",
            NoteKind::Resent => "resent",
            NoteKind::Refused => "refused",
            NoteKind::Allowed => "allowed",
            NoteKind::Deleted => "deleted",
        }
    }

    /// Reads it from its name.
    pub fn parse(text: &str) -> Option<NoteKind> {
        NoteKind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}
