//! Owns the values that a template is filled with: typed, by position.

use std::fmt;

use jiff::civil::{Date, DateTime};
use rust_decimal::Decimal;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One value, as the data has it; how it looks is decided by the field that shows it.
#[derive(Clone, Debug, Default, PartialEq)]
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

/// Written as what it is where JSON can tell: null, text, truth value, rows. A number, a date or a time, which JSON would
/// take for a text or round, is an object of one entry, which says what it is: `{"date":"2026-03-01"}`.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Blank => serializer.serialize_unit(),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Bool(truth) => serializer.serialize_bool(*truth),
            Value::Rows(rows) => rows.serialize(serializer),
            Value::Number(number) => serializer.collect_map([(NUMBER, number)]),
            Value::Date(date) => serializer.collect_map([(DATE, date)]),
            Value::DateTime(moment) => serializer.collect_map([(DATE_TIME, moment)]),
        }
    }
}

const NUMBER: &str = "number";
const DATE: &str = "date";
const DATE_TIME: &str = "date-time";

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Blank)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Value, A::Error> {
        let mut frames = Vec::new();
        while let Some(frame) = rows.next_element()? {
            frames.push(frame);
        }
        Ok(Value::Rows(frames))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let kind: Option<String> = map.next_key()?;
        match kind.as_deref() {
            Some(NUMBER) => map.next_value().map(Value::Number),
            Some(DATE) => map.next_value().map(Value::Date),
            Some(DATE_TIME) => map.next_value().map(Value::DateTime),
            kind => Err(Error::unknown_variant(kind.unwrap_or_default(), &[NUMBER, DATE, DATE_TIME])),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_from_json_as_they_were() {
        let row = Frame(vec![Value::Blank, Value::text("a \"b\" ü")]);
        let frame = Frame(vec![
            Value::Blank,
            Value::text("00123"),
            Value::Number("12.50".parse().expect("a number")),
            Value::Bool(true),
            Value::Date(jiff::civil::date(2026, 3, 1)),
            Value::DateTime(jiff::civil::date(2026, 3, 1).at(9, 0, 0, 0)),
            Value::Rows(vec![row, Frame::default()]),
        ]);
        let json = serde_json::to_string(&frame).expect("values are JSON");
        assert_eq!(
            json,
            r#"[null,"00123",{"number":"12.50"},true,{"date":"2026-03-01"},{"date-time":"2026-03-01T09:00:00"},[[null,"a \"b\" ü"],[]]]"#
        );
        assert_eq!(serde_json::from_str::<Frame>(&json).expect("it is ours"), frame);
    }
}
