//! Owns the common shape of a problem: what is wrong, where, and what to do. Each room has its own typed errors;
//! here they come together, so that all problems of a segment are reported at once.

use std::error::Error;
use std::fmt;

use serde::Serialize;

/// Something that must be put right before a run can begin.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// The stable name of the kind of problem, in kebab case.
    pub id: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where: file and line, table cell, part and paragraph of a document, or contact and line.
    pub place: String,
    /// What to do, where that is sure.
    pub help: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Returns an error's message and those of its causes, on one line.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.ends_with(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}

/// Gives a room's typed error the common shape, by its `id`, `place` and `help`.
macro_rules! problem_from {
    ($($error:ty),* $(,)?) => {$(
        impl From<$error> for Problem {
            fn from(error: $error) -> Problem {
                Problem {
                    id: error.id(),
                    message: error.to_string(),
                    place: error.place(),
                    help: error.help(),
                }
            }
        }
    )*};
}

problem_from!(
    crate::setup::DeclarationProblem,
    crate::contact::import::ImportProblem,
    crate::contact::table::TableError,
    crate::delivery::suppression::ImportProblem,
    crate::delivery::evidence::EvidenceProblem,
);
