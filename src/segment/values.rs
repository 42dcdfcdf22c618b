//! Owns what can be set of an interaction, on a segment header or on a line: the values, their names, their texts.

use std::str::FromStr;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::contact::language::Language;
use crate::contact::{CorrespondenceType, parse_bool};

/// What was set of an interaction, on a segment header or on a segment line. `None` is "not set here".
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InteractionValues {
    /// The code of the interaction template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interaction_template: Option<String>,
    /// What the log entry says; may hold tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The date of the interaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// The language of the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// The subject; may hold tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The correspondence type; set to blank it means log only.
    #[serde(with = "correspondence", skip_serializing_if = "Option::is_none")]
    pub correspondence_type: Option<Option<CorrespondenceType>>,
    /// The code of the salesperson.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub salesperson: Option<String>,
    /// The code of the campaign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// The personal comment; may hold tags and line breaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The cost of one interaction, in the currency of the office.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit_cost: Option<Decimal>,
    /// The duration of one interaction, in minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit_duration: Option<Decimal>,
    /// Which way the information flows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub information_flow: Option<InformationFlow>,
    /// Who began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiated_by: Option<InitiatedBy>,
    /// Whether the contact counts as a target of the campaign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign_target: Option<bool>,
    /// Whether the interaction counts as a response to the campaign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign_response: Option<bool>,
}

/// Which way the information flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InformationFlow {
    /// From the office to the contact.
    Outbound,
    /// From the contact to the office.
    Inbound,
}

impl InformationFlow {
    /// Returns its name, as in files.
    pub fn as_str(self) -> &'static str {
        match self {
            InformationFlow::Outbound => "outbound",
            InformationFlow::Inbound => "inbound",
        }
    }

    /// Reads it from its name.
    pub fn parse(text: &str) -> Option<InformationFlow> {
        [InformationFlow::Outbound, InformationFlow::Inbound].into_iter().find(|known| known.as_str() == text)
    }
}

/// Who began the interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InitiatedBy {
    /// The office.
    Us,
    /// The contact.
    Them,
}

impl InitiatedBy {
    /// Returns its name, as in files.
    pub fn as_str(self) -> &'static str {
        match self {
            InitiatedBy::Us => "us",
            InitiatedBy::Them => "them",
        }
    }

    /// Reads it from its name.
    pub fn parse(text: &str) -> Option<InitiatedBy> {
        [InitiatedBy::Us, InitiatedBy::Them].into_iter().find(|known| known.as_str() == text)
    }
}

/// Why a value cannot be set.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ValueProblem {
    /// No value has this name.
    #[error("unknown key `{name}`")]
    Unknown {
        /// The name as written.
        name: String,
    },
    /// The text does not fit the value.
    #[error("`{text}` is no {name}, expected {expected}")]
    Unfit {
        /// The name of the value.
        name: String,
        /// The text as written.
        text: String,
        /// What would fit.
        expected: &'static str,
    },
}

impl ValueProblem {
    /// Returns the stable id of the problem.
    pub fn id(&self) -> &'static str {
        match self {
            ValueProblem::Unknown { .. } => "unknown-key",
            ValueProblem::Unfit { .. } => "unfit",
        }
    }

    /// Returns what to do, where that is sure.
    pub fn help(&self) -> Option<String> {
        match self {
            ValueProblem::Unknown { .. } => Some("remove it, or correct its spelling".to_owned()),
            ValueProblem::Unfit { .. } => None,
        }
    }
}

impl InteractionValues {
    /// The names of all values, as in files and on the command line.
    pub const NAMES: [&'static str; 15] = [
        "interaction_template",
        "description",
        "date",
        "language",
        "subject",
        "correspondence_type",
        "salesperson",
        "campaign",
        "comment",
        "unit_cost",
        "unit_duration",
        "information_flow",
        "initiated_by",
        "campaign_target",
        "campaign_response",
    ];

    /// Sets the value called `name` from its text, as files and the command line write it.
    ///
    /// # Errors
    ///
    /// An unknown name, or a text that does not fit the value; nothing is set then.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), ValueProblem> {
        let unfit = |expected| ValueProblem::Unfit { name: name.to_owned(), text: text.to_owned(), expected };
        let own = || Some(text.to_owned());
        match name {
            "interaction_template" => self.interaction_template = own(),
            "description" => self.description = own(),
            "date" => self.date = Some(Date::from_str(text).map_err(|_| unfit("YYYY-MM-DD"))?),
            "language" => {
                self.language =
                    Some(Language::from_str(text).map_err(|_| unfit("a language tag such as fr-CH"))?);
            }
            "subject" => self.subject = own(),
            "correspondence_type" => {
                self.correspondence_type = Some(match text {
                    "" => None,
                    _ => Some(
                        CorrespondenceType::parse(text).ok_or_else(|| unfit("hard-copy, email or fax"))?,
                    ),
                });
            }
            "salesperson" => self.salesperson = own(),
            "campaign" => self.campaign = own(),
            "comment" => self.comment = own(),
            "unit_cost" => {
                self.unit_cost = Some(amount(text).ok_or_else(|| unfit("a number that is not negative"))?);
            }
            "unit_duration" => {
                self.unit_duration = Some(amount(text).ok_or_else(|| unfit("minutes, not negative"))?);
            }
            "information_flow" => {
                self.information_flow =
                    Some(InformationFlow::parse(text).ok_or_else(|| unfit("outbound or inbound"))?);
            }
            "initiated_by" => {
                self.initiated_by = Some(InitiatedBy::parse(text).ok_or_else(|| unfit("us or them"))?);
            }
            "campaign_target" => {
                self.campaign_target = Some(parse_bool(text).ok_or_else(|| unfit("true or false"))?);
            }
            "campaign_response" => {
                self.campaign_response = Some(parse_bool(text).ok_or_else(|| unfit("true or false"))?);
            }
            _ => return Err(ValueProblem::Unknown { name: name.to_owned() }),
        }
        Ok(())
    }
}

impl InteractionValues {
    /// Clears the value called `name`; tells whether there is one of this name.
    pub fn clear(&mut self, name: &str) -> bool {
        match name {
            "interaction_template" => self.interaction_template = None,
            "description" => self.description = None,
            "date" => self.date = None,
            "language" => self.language = None,
            "subject" => self.subject = None,
            "correspondence_type" => self.correspondence_type = None,
            "salesperson" => self.salesperson = None,
            "campaign" => self.campaign = None,
            "comment" => self.comment = None,
            "unit_cost" => self.unit_cost = None,
            "unit_duration" => self.unit_duration = None,
            "information_flow" => self.information_flow = None,
            "initiated_by" => self.initiated_by = None,
            "campaign_target" => self.campaign_target = None,
            "campaign_response" => self.campaign_response = None,
            _ => return false,
        }
        true
    }

    /// Returns the value called `name` as the text that sets it; `None` where it is not set.
    pub fn text(&self, name: &str) -> Option<String> {
        match name {
            "interaction_template" => self.interaction_template.clone(),
            "description" => self.description.clone(),
            "date" => self.date.map(|date| date.to_string()),
            "language" => self.language.as_ref().map(ToString::to_string),
            "subject" => self.subject.clone(),
            "correspondence_type" => self
                .correspondence_type
                .map(|kind| kind.map_or(String::new(), |kind| kind.as_str().to_owned())),
            "salesperson" => self.salesperson.clone(),
            "campaign" => self.campaign.clone(),
            "comment" => self.comment.clone(),
            "unit_cost" => self.unit_cost.map(|cost| cost.to_string()),
            "unit_duration" => self.unit_duration.map(|duration| duration.to_string()),
            "information_flow" => self.information_flow.map(|flow| flow.as_str().to_owned()),
            "initiated_by" => self.initiated_by.map(|by| by.as_str().to_owned()),
            "campaign_target" => self.campaign_target.map(|truth| truth.to_string()),
            "campaign_response" => self.campaign_response.map(|truth| truth.to_string()),
            _ => None,
        }
    }
}

fn amount(text: &str) -> Option<Decimal> {
    text.parse().ok().filter(|amount: &Decimal| !amount.is_sign_negative())
}

/// A set correspondence type as text: its name, or empty for log only.
mod correspondence {
    use super::CorrespondenceType;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(
        set: &Option<Option<CorrespondenceType>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(set.flatten().map_or("", CorrespondenceType::as_str))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Option<CorrespondenceType>>, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "" => Ok(Some(None)),
            text => match CorrespondenceType::parse(text) {
                Some(kind) => Ok(Some(Some(kind))),
                None => Err(D::Error::custom("no correspondence type")),
            },
        }
    }
}
