//! Owns selection criteria: the recorded actions by which contacts came onto a segment or left it.

use serde::{Deserialize, Serialize};

/// One selection action. The condition is an SQL condition over the documented views, such as `country = 'CH'`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CriteriaAction {
    /// What is done with the contacts that the condition selects.
    pub kind: CriteriaKind,
    /// The condition, as written.
    pub condition: String,
}

/// What a selection action does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CriteriaKind {
    /// Union: contacts that match and have no line yet get one.
    Add,
    /// Difference: lines whose contact matches go away.
    Reduce,
    /// Intersection: lines whose contact does not match go away.
    Refine,
}

impl CriteriaKind {
    /// Returns the word for the action, as in commands and files.
    pub fn as_str(self) -> &'static str {
        match self {
            CriteriaKind::Add => "add",
            CriteriaKind::Reduce => "reduce",
            CriteriaKind::Refine => "refine",
        }
    }
}
