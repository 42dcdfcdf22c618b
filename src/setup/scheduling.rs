//! Owns the declarations of what goes with every scheduled run: hooks, and whom its report goes to.

use std::path::PathBuf;

use serde::Deserialize;

use super::program::Program;
use super::rate::Span;

/// `[schedule]`: what goes with every scheduled run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Scheduling {
    /// The program that is run before a due time; one of the schedule's own goes before it.
    pub before: Option<Program>,
    /// The program that is run after it.
    pub after: Option<Program>,
    /// How long either may take.
    pub timeout: Span,
    /// The operator's e-mail address, to which reports go; empty: nobody gets one.
    pub report_to: String,
    /// The sender of reports; empty: the sender of the other messages, if that has no tags.
    pub report_from: String,
    /// The folder of the set-up, in which the programs work.
    #[serde(skip)]
    pub folder: PathBuf,
}

impl Default for Scheduling {
    fn default() -> Scheduling {
        Scheduling {
            before: None,
            after: None,
            timeout: Span::from_milliseconds(600_000),
            report_to: String::new(),
            report_from: String::new(),
            folder: PathBuf::new(),
        }
    }
}
