//! Owns how problems and failures are printed, and the exit code of each.

use std::fmt::Write;
use std::io;

use serde_json::json;

use super::terminal::{Terminal, visible};
use super::{HELD, INTERRUPTED, PROBLEMS, USAGE};
pub(super) use crate::run::problem::with_causes;
use crate::run::{ClaimError, LoadError, LockError, Problem, RecordsError, RunError};

/// Why a command ends without having done what it was asked for.
#[derive(Debug)]
pub(super) enum Failure {
    /// Problems of the input; nothing was done.
    Problems {
        /// All of them.
        problems: Vec<Problem>,
        /// What they are problems of, and what did not happen: "segment SM00001. Nothing was sent."
        of: String,
    },
    /// The surroundings fail, or somebody else is at work.
    Stopped {
        /// The exit code.
        code: u8,
        /// What is wrong, and what is behind it.
        message: String,
        /// What to do.
        help: Option<String>,
    },
}

impl Failure {
    /// One problem of the input.
    pub(super) fn problem(id: &'static str, message: impl Into<String>, place: impl Into<String>) -> Failure {
        let problem = Problem { id, message: message.into(), place: place.into(), help: None };
        Failure::Problems { problems: vec![problem], of: "the input. Nothing was done.".to_owned() }
    }

    /// Several problems of the input.
    pub(super) fn problems(problems: Vec<Problem>) -> Failure {
        Failure::Problems { problems, of: "the input. Nothing was done.".to_owned() }
    }

    /// A failure to write output.
    pub(super) fn output(error: io::Error) -> Failure {
        Failure::Stopped {
            code: INTERRUPTED,
            message: format!("cannot write the output: {error}"),
            help: None,
        }
    }

    /// Prints the failure and returns its exit code.
    pub(super) fn print(self, terminal: &mut Terminal) -> u8 {
        match self {
            Failure::Problems { problems, of } => {
                if terminal.json {
                    let mut data = terminal.data();
                    for problem in &problems {
                        terminal.object(&mut data, &json!({ "problem": problem }));
                    }
                }
                terminal.complain(&listed(&problems));
                terminal.complain(&format!("{} in {of}", n_problems(problems.len())));
                PROBLEMS
            }
            Failure::Stopped { code, message, help } => {
                terminal.complain(&format!("error: {}", visible(&message)));
                if let Some(help) = help {
                    terminal.complain(&format!("  help: {help}"));
                }
                code
            }
        }
    }
}

/// Prints what is odd but stops nothing, and the columns that nothing uses.
pub(super) fn warn(warnings: &[Problem], unused_columns: &[impl AsRef<str>], terminal: &Terminal) {
    if terminal.json {
        let mut data = terminal.data();
        for warning in warnings {
            terminal.object(&mut data, &json!({ "warning": warning }));
        }
    }
    if !warnings.is_empty() {
        terminal.say(&listed_as("warning", warnings));
    }
    if !unused_columns.is_empty() {
        let names: Vec<String> =
            unused_columns.iter().map(|name| format!("`{}`", visible(name.as_ref()))).collect();
        let columns = if names.len() == 1 { "column" } else { "columns" };
        terminal.say(&format!("no document uses the {columns} {}", names.join(", ")));
    }
}

/// Prints problems as people read them: what, where, what to do.
pub(super) fn listed(problems: &[Problem]) -> String {
    listed_as("error", problems)
}

fn listed_as(word: &str, problems: &[Problem]) -> String {
    let mut text = String::new();
    for problem in problems {
        let place = if problem.place.is_empty() {
            String::new()
        } else {
            format!("\n  --> {}", visible(&problem.place))
        };
        let help = problem.help.as_ref().map(|help| format!("\n  help: {help}")).unwrap_or_default();
        writeln!(text, "{word}: {}{place}{help}\n", visible(&problem.message))
            .expect("a string takes all text");
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// "1 problem", "2 problems".
pub(super) fn n_problems(n: usize) -> String {
    format!("{n} {}", if n == 1 { "problem" } else { "problems" })
}

impl From<RecordsError> for Failure {
    fn from(error: RecordsError) -> Failure {
        let code = match error {
            RecordsError::Newer { .. } | RecordsError::Foreign { .. } | RecordsError::Condition { .. } => {
                PROBLEMS
            }
            RecordsError::Stranger { .. } | RecordsError::SeedStranger { .. } => HELD,
            RecordsError::Surroundings { .. } => INTERRUPTED,
        };
        Failure::Stopped { code, help: error.help(), message: error.to_string() }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Failure {
        let message = with_causes(&error);
        let resume = Some("put it right, then `mailrun resume` continues".to_owned());
        match error {
            RunError::Load(error) => error.into(),
            RunError::Records(error) => error.into(),
            RunError::Problems { segment, problems } => {
                Failure::Problems { problems, of: format!("segment {segment}. Nothing was sent.") }
            }
            RunError::NotAgreed { .. } => Failure::Stopped {
                code: USAGE,
                message,
                help: Some("say `--yes`, or answer on a terminal, to let them leave".to_owned()),
            },
            RunError::Lock(LockError::Held(segment)) => Failure::Stopped {
                code: HELD,
                message,
                help: Some(format!("wait for it to end; `mailrun status {segment}` tells how it stands")),
            },
            RunError::Hook(_) => Failure::Stopped {
                code: INTERRUPTED,
                message,
                help: Some(
                    "put it right; the next `mailrun schedule due` tries again until the due time is too old"
                        .to_owned(),
                ),
            },
            RunError::Claim(ClaimError::Taken { .. }) => Failure::Stopped {
                code: INTERRUPTED,
                message,
                help: Some("move that folder away, then `mailrun resume` continues in a new one".to_owned()),
            },
            RunError::Lock(LockError::Surroundings { .. })
            | RunError::Claim(ClaimError::Io { .. })
            | RunError::Letter(_)
            | RunError::Delivery(_)
            | RunError::Server(_)
            | RunError::Lines { .. }
            | RunError::Print(_)
            | RunError::Manifest { .. } => Failure::Stopped { code: INTERRUPTED, message, help: resume },
        }
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Failure {
        let message = error.to_string();
        match error {
            LoadError::Problems(problems) => {
                Failure::Problems { problems, of: "the segment file. Nothing was sent.".to_owned() }
            }
            LoadError::Unknown(_) => Failure::Stopped {
                code: PROBLEMS,
                message,
                help: Some("name a segment file, or a number that `mailrun segment list` shows".to_owned()),
            },
            LoadError::Logged { segment, .. } => Failure::Stopped {
                code: PROBLEMS,
                message,
                help: Some(format!(
                    "give the segment another number for a second wave; `mailrun log list --segment {segment}` \
                     shows what was done"
                )),
            },
            LoadError::Interrupted { segment, .. } => Failure::Stopped {
                code: INTERRUPTED,
                message,
                help: Some(format!("`mailrun resume {segment}` continues it")),
            },
            LoadError::Records(error) => error.into(),
        }
    }
}
