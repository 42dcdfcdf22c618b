//! Owns the states of a line in a run, and their names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a line of a run stands.
///
/// Its text, in the journal, in the manifest and in `--json`, is kebab-case: [`State::as_str`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// In the frozen plan; nothing was done.
    Planned,
    /// Its document is merged, and not yet on its way.
    Merged,
    /// A message that may be on the wire.
    Sending,
    /// Taken over by the server.
    Accepted,
    /// Put off; to be tried again.
    Deferred,
    /// Refused for good by the server.
    Rejected,
    /// Sent to its end without a reply.
    InDoubt,
    /// A file that stands complete under its name.
    Written,
    /// Not delivered, for want of consent, or because its document leaves the contact out.
    Suppressed,
    /// Logged only: the correspondence type is blank.
    LogOnly,
    /// Its data or document cannot be delivered.
    Failed,
}

impl State {
    /// All states, in the order of a line's life.
    pub const ALL: [State; 11] = [
        State::Planned,
        State::Merged,
        State::Sending,
        State::Accepted,
        State::Deferred,
        State::Rejected,
        State::InDoubt,
        State::Written,
        State::Suppressed,
        State::LogOnly,
        State::Failed,
    ];

    /// Returns the state's name, in kebab case.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Planned => "planned",
            State::Merged => "merged",
            State::Sending => "sending",
            State::Accepted => "accepted",
            State::Deferred => "deferred",
            State::Rejected => "rejected",
            State::InDoubt => "in-doubt",
            State::Written => "written",
            State::Suppressed => "suppressed",
            State::LogOnly => "log-only",
            State::Failed => "failed",
        }
    }

    /// Tells whether the run has nothing more to do for a line in this state. In doubt counts: it is held.
    pub fn is_final(self) -> bool {
        match self {
            State::Planned | State::Merged | State::Sending | State::Deferred => false,
            State::Accepted
            | State::Rejected
            | State::InDoubt
            | State::Written
            | State::Suppressed
            | State::LogOnly
            | State::Failed => true,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that names no state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no state")]
pub struct UnknownState {
    /// The text.
    pub found: String,
}

impl FromStr for State {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<State, UnknownState> {
        State::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| UnknownState { found: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_read_back_from_its_name() {
        for state in State::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
    }
}
