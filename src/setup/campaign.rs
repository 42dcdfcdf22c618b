//! Owns campaigns: what several segments work towards.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A campaign: `campaign.*` in templates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Campaign {
    /// The code by which segments and lines name the campaign.
    pub code: String,
    /// What it is about.
    pub description: String,
    /// The first day.
    #[serde(deserialize_with = "crate::setup::campaign::date", skip_serializing_if = "Option::is_none")]
    pub starting_date: Option<Date>,
    /// The last day.
    #[serde(deserialize_with = "crate::setup::campaign::date", skip_serializing_if = "Option::is_none")]
    pub ending_date: Option<Date>,
}

impl Campaign {
    /// The fields of a campaign.
    pub const FIELDS: [&'static str; 4] = ["code", "description", "starting_date", "ending_date"];
}

/// Reads a calendar date from a TOML date or from ISO text.
pub(crate) fn date<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    use serde::de::Error;
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Toml(toml::value::Datetime),
        Text(String),
    }
    let text = match Option::<Written>::deserialize(deserializer)? {
        None => return Ok(None),
        Some(Written::Toml(date)) => date.to_string(),
        Some(Written::Text(text)) => text,
    };
    text.parse().map(Some).map_err(|_| D::Error::custom(format!("`{text}` is no date, expected YYYY-MM-DD")))
}
