//! Owns attempts as a run records them: begun before the first byte leaves, ended by what came of it.

use jiff::Timestamp;

use crate::delivery::outcome::Outcome;
use crate::interaction::EntryNo;
use crate::run::retry::Next;

/// Which server the attempts go to, and what its clock would say.
#[derive(Clone, Copy, Debug)]
pub struct Server<'a> {
    /// Host and port.
    pub name: &'a str,
    /// The moment.
    pub now: Timestamp,
}

/// A change of an attempt, to be recorded.
#[derive(Clone, Debug)]
pub struct AttemptStep<'a> {
    /// The entry.
    pub entry: EntryNo,
    /// The attempt's number, from 1.
    pub number: u32,
    /// What changed.
    pub change: AttemptChange<'a>,
}

/// What changed for an attempt.
#[derive(Clone, Debug)]
pub enum AttemptChange<'a> {
    /// It is about to begin.
    Begun {
        /// The recipient's domain.
        domain: &'a str,
    },
    /// It has ended.
    Ended {
        /// What came of it.
        outcome: &'a Outcome,
        /// What comes after it, if it was deferred.
        next: Option<Next>,
    },
}

/// What was tried of a message before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tries {
    /// How many attempts there were in all.
    pub n_attempts: u32,
    /// How many of them since it was last sent on purpose.
    pub n_tries: u32,
    /// When the first of those began.
    pub first_at: Option<Timestamp>,
}

/// An attempt of some time ago, which still counts for the pace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastAttempt {
    /// When its reply came, or when it began if none came.
    pub at: Timestamp,
    /// The recipient's domain.
    pub domain: String,
}
