//! Owns the segment header: the defaults of the interaction for all lines of a segment.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::contact::language::Language;
use crate::contact::parse_bool;
use crate::segment::document::Digest;
use crate::segment::values::{InteractionValues, ValueProblem};

/// The number of a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SegmentNo(pub String);

impl fmt::Display for SegmentNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The header of a segment: what holds for each line that has no value of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SegmentHeader {
    /// The number; unique over open and logged segments.
    pub no: SegmentNo,
    /// The values that were set.
    #[serde(flatten)]
    pub values: InteractionValues,
    /// Whether the header's correspondence type beats the contact's.
    pub ignore_contact_correspondence_type: bool,
    /// Whether the persons of a household get one letter together.
    #[serde(skip_serializing_if = "is_false")]
    pub household: bool,
    /// The segment's own documents by language; they beat the interaction template's.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub documents: BTreeMap<Language, Digest>,
    /// Whether a follow-up segment is made when this one is logged.
    #[serde(skip_serializing_if = "is_false")]
    pub follow_up: bool,
    /// The logged segment that this one follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follows: Option<SegmentNo>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(truth: &bool) -> bool {
    !truth
}

impl SegmentHeader {
    /// The names of the values that only a header has.
    pub const NAMES: [&'static str; 4] =
        ["no", "ignore_contact_correspondence_type", "household", "follow_up"];

    /// Sets the value called `name` from its text.
    ///
    /// # Errors
    ///
    /// As for [`InteractionValues::set`].
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), ValueProblem> {
        match name {
            "no" => self.no = SegmentNo(text.to_owned()),
            "ignore_contact_correspondence_type" | "household" | "follow_up" => {
                let truth = parse_bool(text).ok_or_else(|| ValueProblem::Unfit {
                    name: name.to_owned(),
                    text: text.to_owned(),
                    expected: "true or false",
                })?;
                match name {
                    "household" => self.household = truth,
                    "follow_up" => self.follow_up = truth,
                    _ => self.ignore_contact_correspondence_type = truth,
                }
            }
            _ => self.values.set(name, text)?,
        }
        Ok(())
    }

    /// Clears the value called `name`; tells whether there is one of this name that can be cleared.
    pub fn clear(&mut self, name: &str) -> bool {
        match name {
            "follow_up" => self.follow_up = false,
            "ignore_contact_correspondence_type" => self.ignore_contact_correspondence_type = false,
            "household" => self.household = false,
            "document" | "documents" => self.documents.clear(),
            name => return self.values.clear(name),
        }
        true
    }
}
