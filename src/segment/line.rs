//! Owns the segment line: one contact on the segment, with the values that were set on the line and nothing else.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::contact::{ContactNo, parse_bool};
use crate::segment::document::Digest;
use crate::segment::values::{InteractionValues, ValueProblem};

/// The number of a line within its segment: 10000, 20000, …
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LineNo(pub u64);

impl LineNo {
    /// The distance between lines, so that one can be put between two others.
    pub const STEP: u64 = 10_000;
}

impl fmt::Display for LineNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One contact on a segment.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentLine {
    /// The number of the line.
    pub line_no: LineNo,
    /// The contact.
    pub contact: ContactNo,
    /// What was set on the line.
    pub values: LineValues,
}

/// What was set on a line; everything else comes from header, template and contact.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LineValues {
    /// The values that a header has, too.
    #[serde(flatten)]
    pub values: InteractionValues,
    /// The line's own document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<Digest>,
    /// The code of the alternative address to use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The e-mail address to use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// How the contact took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<Evaluation>,
    /// Whether the line's own document is merged already: it was edited as a letter.
    #[serde(skip_serializing_if = "is_false")]
    pub is_merged: bool,
    /// Whether the contact is written to although it is excluded from segments.
    #[serde(skip_serializing_if = "is_false")]
    pub ignore_exclusion: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(truth: &bool) -> bool {
    !truth
}

/// How the contact took an interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evaluation {
    /// Very positive.
    VeryPositive,
    /// Positive.
    Positive,
    /// Neutral.
    Neutral,
    /// Negative.
    Negative,
    /// Very negative.
    VeryNegative,
}

impl Evaluation {
    /// All evaluations, from best to worst.
    pub const ALL: [Evaluation; 5] = [
        Evaluation::VeryPositive,
        Evaluation::Positive,
        Evaluation::Neutral,
        Evaluation::Negative,
        Evaluation::VeryNegative,
    ];

    /// Returns the evaluation's name, in kebab case.
    pub fn as_str(self) -> &'static str {
        match self {
            Evaluation::VeryPositive => "very-positive",
            Evaluation::Positive => "positive",
            Evaluation::Neutral => "neutral",
            Evaluation::Negative => "negative",
            Evaluation::VeryNegative => "very-negative",
        }
    }

    /// Reads an evaluation from its name.
    pub fn parse(text: &str) -> Option<Evaluation> {
        Evaluation::ALL.into_iter().find(|evaluation| evaluation.as_str() == text)
    }
}

impl LineValues {
    /// The names of the values that only a line has; `document` is a file and is set by its digest.
    pub const NAMES: [&'static str; 6] =
        ["document", "address", "email", "evaluation", "is_merged", "ignore_exclusion"];

    /// Sets the value called `name` from its text.
    ///
    /// # Errors
    ///
    /// As for [`InteractionValues::set`].
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), ValueProblem> {
        match name {
            "address" => self.address = Some(text.to_owned()),
            "email" => self.email = Some(text.to_owned()),
            "evaluation" => {
                let evaluation = Evaluation::parse(text).ok_or_else(|| ValueProblem::Unfit {
                    name: name.to_owned(),
                    text: text.to_owned(),
                    expected: "very-positive, positive, neutral, negative or very-negative",
                })?;
                self.evaluation = Some(evaluation);
            }
            "is_merged" | "ignore_exclusion" => {
                let truth = parse_bool(text).ok_or_else(|| ValueProblem::Unfit {
                    name: name.to_owned(),
                    text: text.to_owned(),
                    expected: "true or false",
                })?;
                let value =
                    if name == "is_merged" { &mut self.is_merged } else { &mut self.ignore_exclusion };
                *value = truth;
            }
            _ => self.values.set(name, text)?,
        }
        Ok(())
    }

    /// Clears the value called `name`; tells whether there is one of this name.
    pub fn clear(&mut self, name: &str) -> bool {
        match name {
            "document" => (self.document, self.is_merged) = (None, false),
            "address" => self.address = None,
            "email" => self.email = None,
            "evaluation" => self.evaluation = None,
            "is_merged" => self.is_merged = false,
            "ignore_exclusion" => self.ignore_exclusion = false,
            name => return self.values.clear(name),
        }
        true
    }

    /// Returns the value called `name` as the text that sets it, a document as its digest; `None` where it is not set.
    pub fn text(&self, name: &str) -> Option<String> {
        match name {
            "document" => self.document.as_ref().map(ToString::to_string),
            "address" => self.address.clone(),
            "email" => self.email.clone(),
            "evaluation" => self.evaluation.map(|evaluation| evaluation.as_str().to_owned()),
            "is_merged" => self.is_merged.then(|| "true".to_owned()),
            "ignore_exclusion" => self.ignore_exclusion.then(|| "true".to_owned()),
            name => self.values.text(name),
        }
    }

    /// Returns the names of the values that are set, those that a header has first.
    pub fn names(&self) -> Vec<&'static str> {
        let all = InteractionValues::NAMES.into_iter().chain(LineValues::NAMES);
        all.filter(|name| self.text(name).is_some()).collect()
    }

    /// Tells whether nothing was set.
    pub fn is_empty(&self) -> bool {
        *self == LineValues::default()
    }
}
