//! Owns selection criteria: the recorded actions by which contacts came onto a segment or left it.

use serde::{Deserialize, Serialize};

use crate::contact::ContactNo;
use crate::segment::line::LineNo;

/// One selection action. The condition is an SQL condition over the documented views, such as `country = 'CH'`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CriteriaAction {
    /// What is done with the contacts that the condition selects.
    pub kind: CriteriaKind,
    /// The condition, as written.
    pub condition: String,
    /// How it is done.
    #[serde(default)]
    pub options: CriteriaOptions,
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

/// How a selection action is done. The first four are for adding, the fifth for reducing and refining.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CriteriaOptions {
    /// A contact that has a line already gets another one.
    #[serde(skip_serializing_if = "is_false")]
    pub allow_existing: bool,
    /// Everybody of the companies that are hit, even if a person was hit.
    #[serde(skip_serializing_if = "is_false")]
    pub expand_companies: bool,
    /// The company of each person, too.
    #[serde(skip_serializing_if = "is_false")]
    pub allow_related_companies: bool,
    /// Contacts that are excluded from segments are written to all the same; the line and the log say so.
    #[serde(skip_serializing_if = "is_false")]
    pub ignore_exclusion: bool,
    /// The condition stands for whole companies: one person that matches, and all of the company do.
    #[serde(skip_serializing_if = "is_false")]
    pub entire_companies: bool,
    /// A single contact was named, not a condition written.
    #[serde(skip_serializing_if = "is_false")]
    pub by_hand: bool,
    /// It is one with the action before it, and undone together with it.
    #[serde(skip_serializing_if = "is_false")]
    pub is_joined: bool,
    /// The one line that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<LineNo>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(truth: &bool) -> bool {
    !truth
}

impl CriteriaAction {
    /// Makes an action of a condition, without options.
    pub fn new(kind: CriteriaKind, condition: impl Into<String>) -> CriteriaAction {
        CriteriaAction { kind, condition: condition.into(), options: CriteriaOptions::default() }
    }

    /// Makes the action by which a user names one contact; its condition says the same, so that it can be replayed.
    pub fn by_hand(kind: CriteriaKind, contact: &ContactNo) -> CriteriaAction {
        let condition = format!("no = '{}'", contact.as_str().replace('\'', "''"));
        let options = CriteriaOptions { by_hand: true, ..CriteriaOptions::default() };
        CriteriaAction { kind, condition, options }
    }
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

    /// Reads a kind from its word.
    pub fn parse(text: &str) -> Option<CriteriaKind> {
        [CriteriaKind::Add, CriteriaKind::Reduce, CriteriaKind::Refine]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

impl CriteriaOptions {
    /// Returns the names of the options that are set, as in commands and files.
    pub fn words(&self) -> Vec<&'static str> {
        [
            (self.allow_existing, "allow existing"),
            (self.expand_companies, "expand companies"),
            (self.allow_related_companies, "allow related companies"),
            (self.ignore_exclusion, "ignore exclusion"),
            (self.entire_companies, "entire companies"),
            (self.by_hand, "by hand"),
        ]
        .into_iter()
        .filter_map(|(is_set, word)| is_set.then_some(word))
        .collect()
    }
}

/// Selection actions that were saved under a code, to be replayed on another segment.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedCriteria {
    /// The code.
    pub code: String,
    /// What they select.
    pub description: String,
    /// When they were saved.
    pub saved_at: String,
    /// The actions in their order.
    pub actions: Vec<CriteriaAction>,
}
