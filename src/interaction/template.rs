//! Owns interaction templates: the preset of an interaction, with one document version per language.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::contact::CorrespondenceType;
use crate::contact::language::Language;
use crate::segment::document::Digest;
use crate::segment::values::{InformationFlow, InitiatedBy};

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
}

/// How a letter becomes a message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EmailForm {
    /// What the message says.
    pub body: EmailBody,
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
}
