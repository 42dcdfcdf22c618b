//! Owns the values that a template is filled with: typed, by position.

use jiff::civil::{Date, DateTime};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// One value, as the data has it; how it looks is decided by the field that shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// Nothing: an empty cell, a missing part of a name.
    #[default]
    Blank,
    /// Text as it was written, line breaks included. `00123` stays `00123`.
    Text(String),
    /// A number, exact in decimal.
    Number(Decimal),
    /// A truth value.
    Bool(bool),
    /// A calendar date.
    Date(Date),
    /// A calendar date with the time of day, without a zone.
    DateTime(DateTime),
    /// The rows of a child table, in their order.
    Rows(Vec<Frame>),
}

impl Value {
    /// Returns a text value, or [`Value::Blank`] for the empty text.
    pub fn text(text: impl Into<String>) -> Value {
        let text = text.into();
        if text.is_empty() { Value::Blank } else { Value::Text(text) }
    }

    /// Tells whether nothing would be shown: no value, an empty text, or no rows.
    pub fn is_blank(&self) -> bool {
        match self {
            Value::Blank => true,
            Value::Text(text) => text.is_empty(),
            Value::Rows(rows) => rows.is_empty(),
            Value::Number(_) | Value::Bool(_) | Value::Date(_) | Value::DateTime(_) => false,
        }
    }

    /// Tells whether a condition holds: all values do but blanks, `false`, zero and a table without rows.
    pub(crate) fn is_true(&self) -> bool {
        match self {
            Value::Bool(truth) => *truth,
            Value::Number(number) => !number.is_zero(),
            Value::Blank | Value::Text(_) | Value::Date(_) | Value::DateTime(_) | Value::Rows(_) => {
                !self.is_blank()
            }
        }
    }
}

/// The values of one letter, or of one child row, by position: in the order of the bound template's needs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Frame(pub Vec<Value>);

impl Frame {
    /// Returns the value at `position`; a blank where the frame is shorter.
    pub fn get(&self, position: usize) -> &Value {
        const BLANK: &Value = &Value::Blank;
        self.0.get(position).unwrap_or(BLANK)
    }
}
