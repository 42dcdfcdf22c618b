//! Owns the plan of a run: what is frozen of each line before anything happens.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::ZonedDateTime;
use serde::{Deserialize, Serialize};

use crate::contact::import::ContactColumn;
use crate::interaction::Entry;
use crate::interaction::template::{CommentForm, EmailForm};
use crate::merge::PictureUse;
use crate::merge::value::Frame;
use crate::run::values::RowTable;
use crate::segment::{Digest, SegmentNo};
use crate::setup::{self, LetterFiles, Smtp};
use uuid::Uuid;

/// The circumstances of a run; a resumed run has those that it began with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunOptions {
    /// The segment.
    pub segment: SegmentNo,
    /// The segment file that it came from, absolute; none for a segment of the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<PathBuf>,
    /// Its description, for the logged segment.
    pub description: String,
    /// The clock when the run began.
    pub now: ZonedDateTime,
    /// The folder below which the segment's folder is made, absolute.
    pub out: PathBuf,
    /// Who writes: `Name <address>`, perhaps with tags; empty where no message goes out.
    pub from: String,
    /// The first number of the series that a follow-up segment gets its number from; none: no follow-up is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up: Option<String>,
    /// The name of the run in Message-IDs.
    pub uuid: Uuid,
    /// The mail server and how fast it takes messages, as the set-up had it; no secret is among it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smtp: Option<Smtp>,
    /// How letters become files.
    #[serde(default)]
    pub paper: Paper,
}

/// How letters become files, as the set-up had it when the run began.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Paper {
    /// What is written of a letter on paper.
    pub letters: LetterFiles,
    /// How PDF is made.
    pub pdf: setup::Pdf,
    /// Who writes, as PDF files say.
    pub author: String,
    /// How the print file is made; none where there is to be none.
    pub print: Option<setup::Print>,
}

/// A document of a run, with what makes a delivery of it. Numbered by position within its run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunDocument {
    /// The Word document.
    pub document: Digest,
    /// Its file name, for messages.
    pub name: String,
    /// How a comment is put into it.
    pub comment_as: CommentForm,
    /// How it becomes a message.
    pub email: EmailForm,
    /// What its names could mean when the run was planned.
    pub names: NameSources,
    /// Whether it was erased with the only contact that it was for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_erased: bool,
}

/// What the names of a document can mean: enough to understand the document again exactly as the plan did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NameSources {
    /// The columns of the imports of contacts.
    pub columns: Vec<ContactColumn>,
    /// The child tables of contacts.
    pub row_tables: Vec<RowTable>,
    /// Word field = name of the value it shows.
    pub map: BTreeMap<String, String>,
    /// Word field = text with tags that it shows.
    pub fields: BTreeMap<String, String>,
}

/// A line of the plan: its log entry to be, and what its letter is made of.
#[derive(Clone, Debug)]
pub struct PlannedLine {
    /// The entry, in state `planned`, `suppressed` or `log-only`.
    pub entry: Entry,
    /// What is merged; none for a line that makes no letter.
    pub letter: Option<PlannedLetter>,
    /// The pictures that the letter shows.
    pub wanted: Vec<PictureUse>,
}

/// What a letter is made of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlannedLetter {
    /// The number of the run's document.
    pub document: usize,
    /// The values of the document, in the order of its needs.
    pub values: Frame,
    /// The language and country whose customs hold.
    pub locale: String,
    /// The pictures that it shows, by the names that its values give them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pictures: BTreeMap<String, Digest>,
    /// What makes a message of it; none for a letter on paper.
    pub message: Option<PlannedMessage>,
    /// Where a letter on paper goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<Destination>,
    /// The documents that go with it, each as a letter without message, destination and enclosures of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enclosures: Vec<PlannedLetter>,
}

impl PlannedLetter {
    /// Returns the letter and its enclosures.
    pub fn documents(&self) -> impl Iterator<Item = &PlannedLetter> {
        std::iter::once(self).chain(&self.enclosures)
    }
}

/// Where a letter on paper goes, as far as letters are sorted by it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Destination {
    /// The country; empty for the sender's own.
    pub country: String,
    /// The postcode, as written.
    pub post_code: String,
}

/// What makes a message of a letter.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlannedMessage {
    /// The sender, `Name <address>`.
    pub from: String,
    /// The address for replies; empty for none.
    pub reply_to: String,
    /// The values of the body text, in the order of its needs; none where the letter is the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Frame>,
    /// The values of the plain text beside it, in the order of its needs; none where it is made of the HTML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Frame>,
    /// The `List-Unsubscribe` addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unsubscribe: Vec<String>,
    /// The password that opens the attached PDF; empty for none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub password: String,
}
