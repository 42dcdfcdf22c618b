//! Owns interaction templates: the preset of an interaction, with one document version per language.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::contact::language::Language;
use crate::contact::{CorrespondenceType, parse_bool};
use crate::segment::document::Digest;
use crate::segment::values::{InformationFlow, InitiatedBy, ValueProblem};

/// The preset of an interaction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InteractionTemplate {
    /// The code by which headers and lines name it.
    pub code: String,
    /// What it is for; the description of last resort.
    pub description: String,
    /// The interaction group, for statistics.
    pub group: String,
    /// The default correspondence type.
    pub correspondence_type: Option<CorrespondenceType>,
    /// Whether its correspondence type beats the contact's.
    pub ignore_contact_correspondence_type: bool,
    /// The language of last resort.
    pub default_language: Option<Language>,
    /// The versions by language.
    pub languages: BTreeMap<Language, TemplateLanguage>,
    /// How the letter goes out by e-mail.
    pub email: EmailForm,
    /// How a personal comment is put into the document.
    pub comment_as: CommentForm,
    /// Word field = name of the value it shows.
    pub map: BTreeMap<String, String>,
    /// Word field = text with tags that it shows.
    pub fields: BTreeMap<String, String>,
    /// Bookmark or question of ASK and FILLIN = answer, a text with tags.
    pub answers: BTreeMap<String, String>,
    /// The folder below which its pictures are.
    pub pictures: PathBuf,
    /// The campaign.
    pub campaign: Option<String>,
    /// The cost of one interaction.
    pub unit_cost: Option<Decimal>,
    /// The duration of one interaction, in minutes.
    pub unit_duration: Option<Decimal>,
    /// Which way the information flows.
    pub information_flow: Option<InformationFlow>,
    /// Who begins.
    pub initiated_by: Option<InitiatedBy>,
    /// Whether contacts count as targets of the campaign.
    pub campaign_target: Option<bool>,
    /// Whether interactions count as responses.
    pub campaign_response: Option<bool>,
}

/// One version of an interaction template.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TemplateLanguage {
    /// The Word document; none for a template that only logs.
    pub document: Option<Digest>,
    /// The subject; may hold tags.
    pub subject: Option<String>,
    /// Further Word documents, merged for every line as the document is, which go with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub enclosures: Vec<Digest>,
}

/// How a letter becomes a message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EmailForm {
    /// What the message says.
    pub body: EmailBody,
    /// A plain text with tags beside a body that is HTML; none: it is made of the HTML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Digest>,
    /// What is attached to it.
    pub attach: Vec<EmailAttachment>,
}

/// The body of a message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmailBody {
    /// The letter itself.
    #[default]
    Document,
    /// An HTML text with tags.
    Html(Digest),
    /// MJML with tags in its texts and attributes.
    Mjml(Digest),
    /// A plain text with tags.
    Text(Digest),
}

/// Something attached to a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmailAttachment {
    /// The letter as a Word document.
    Docx,
    /// The letter as PDF.
    Pdf,
    /// A file, the same for everybody.
    File(Digest),
}

/// How a personal comment is put into the document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommentForm {
    /// As text, where the document has a place for it.
    #[default]
    Text,
    /// As a Word comment by the salesperson.
    Annotation,
}

impl CommentForm {
    /// Reads a form from its name: `text` or `annotation`.
    pub fn parse(text: &str) -> Option<CommentForm> {
        match text {
            "text" => Some(CommentForm::Text),
            "annotation" => Some(CommentForm::Annotation),
            _ => None,
        }
    }
}

impl InteractionTemplate {
    /// Finds the version for a language: the exact one, or that of the base language.
    pub fn version(&self, language: &Language) -> Option<(&Language, &TemplateLanguage)> {
        self.languages.get_key_value(language).or_else(|| self.languages.get_key_value(&language.base()))
    }

    /// The names of the values that commands and tables set; documents and subjects go by language.
    pub const NAMES: [&'static str; 13] = [
        "description",
        "group",
        "correspondence_type",
        "ignore_contact_correspondence_type",
        "default_language",
        "comment_as",
        "campaign",
        "unit_cost",
        "unit_duration",
        "information_flow",
        "initiated_by",
        "campaign_target",
        "campaign_response",
    ];

    /// Sets the value called `name` from its text; the empty text clears it.
    ///
    /// # Errors
    ///
    /// An unknown name, or a text that does not fit the value; nothing is set then.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), ValueProblem> {
        let unfit = |expected| ValueProblem::Unfit { name: name.to_owned(), text: text.to_owned(), expected };
        match name {
            "description" => self.description = text.to_owned(),
            "group" => self.group = text.to_owned(),
            "campaign" => self.campaign = Some(text.to_owned()).filter(|code| !code.is_empty()),
            "correspondence_type" => {
                self.correspondence_type = optional(text, CorrespondenceType::parse)
                    .ok_or_else(|| unfit("hard-copy, email or fax"))?;
            }
            "ignore_contact_correspondence_type" => {
                self.ignore_contact_correspondence_type =
                    parse_bool(text).ok_or_else(|| unfit("true or false"))?;
            }
            "default_language" => {
                self.default_language = optional(text, |tag| tag.parse().ok())
                    .ok_or_else(|| unfit("a language tag such as fr-CH"))?;
            }
            "comment_as" => {
                self.comment_as = optional(text, CommentForm::parse)
                    .ok_or_else(|| unfit("text or annotation"))?
                    .unwrap_or_default();
            }
            "unit_cost" => {
                self.unit_cost = optional(text, amount).ok_or_else(|| unfit("a number, not negative"))?;
            }
            "unit_duration" => {
                self.unit_duration = optional(text, amount).ok_or_else(|| unfit("minutes, not negative"))?;
            }
            "information_flow" => {
                self.information_flow =
                    optional(text, InformationFlow::parse).ok_or_else(|| unfit("outbound or inbound"))?;
            }
            "initiated_by" => {
                self.initiated_by = optional(text, InitiatedBy::parse).ok_or_else(|| unfit("us or them"))?;
            }
            "campaign_target" => {
                self.campaign_target = optional(text, parse_bool).ok_or_else(|| unfit("true or false"))?;
            }
            "campaign_response" => {
                self.campaign_response = optional(text, parse_bool).ok_or_else(|| unfit("true or false"))?;
            }
            _ => return Err(ValueProblem::Unknown { name: name.to_owned() }),
        }
        Ok(())
    }

    /// Returns the value called `name` as the text that sets it; `None` where it is not set.
    pub fn text(&self, name: &str) -> Option<String> {
        let written = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        match name {
            "description" => written(&self.description),
            "group" => written(&self.group),
            "campaign" => self.campaign.clone(),
            "correspondence_type" => self.correspondence_type.map(|kind| kind.as_str().to_owned()),
            "ignore_contact_correspondence_type" => {
                self.ignore_contact_correspondence_type.then(|| "true".to_owned())
            }
            "default_language" => self.default_language.as_ref().map(ToString::to_string),
            "comment_as" => (self.comment_as == CommentForm::Annotation).then(|| "annotation".to_owned()),
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

/// Reads a text that may be empty: nothing then. `None` where it does not fit.
fn optional<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    if text.is_empty() { Some(None) } else { parse(text).map(Some) }
}

fn amount(text: &str) -> Option<Decimal> {
    text.parse().ok().filter(|amount: &Decimal| !amount.is_sign_negative())
}
