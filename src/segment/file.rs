//! Owns the segment file: its declarations as written, each value with the line it stands on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::contact::table::TableFormat;
use crate::segment::criteria::CriteriaOptions;
use crate::setup::Campaign;
use crate::setup::declaration::{self, DeclarationProblem};
use crate::setup::program::Program;
use crate::setup::rate::Span;

/// A segment file (TOML). Paths are as written; [`SegmentFile::path`] puts them below the file's folder.
#[derive(Debug, Default)]
pub struct SegmentFile {
    /// Where the file lies.
    pub file: PathBuf,
    /// What it declares.
    pub declarations: Declarations,
    text: String,
}

/// What a segment file declares.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Declarations {
    /// The header's values by name.
    pub segment: Settings,
    /// Where the contacts come from.
    pub contacts: Option<ContactsDeclaration>,
    /// Interaction templates.
    #[serde(rename = "template")]
    pub templates: Vec<TemplateDeclaration>,
    /// Campaigns that are not in the set-up.
    #[serde(rename = "campaign")]
    pub campaigns: Vec<Campaign>,
    /// Criteria; left out, every contact of the file becomes a line.
    pub select: Option<SelectDeclaration>,
    /// Values set on single contacts' lines.
    #[serde(rename = "line")]
    pub lines: Vec<Settings>,
    /// A table of values for many lines.
    #[serde(rename = "lines")]
    pub line_table: Option<LineTableDeclaration>,
}

/// Values by name, as written, each with its place.
pub type Settings = BTreeMap<String, Spanned<toml::Value>>;

/// `[contacts]`.
#[derive(Debug, Deserialize)]
pub struct ContactsDeclaration {
    /// The table of contacts: .csv, .tsv, .xlsx, .ods or .json.
    pub file: Option<PathBuf>,
    /// The program that prints the table, instead of a file.
    pub command: Option<Spanned<Program>>,
    /// What it prints.
    #[serde(default)]
    pub format: TableFormat,
    /// The SQLite file that is asked for the table, instead of a file.
    pub database: Option<PathBuf>,
    /// What it is asked: one SQL statement.
    pub query: Option<Spanned<String>>,
    /// How long the program or the query may take.
    #[serde(default = "fetch_timeout")]
    pub timeout: Span,
    /// The column that holds the contact number.
    #[serde(default = "no")]
    pub key: String,
    /// Column = contact field.
    #[serde(default)]
    pub map: BTreeMap<String, String>,
    /// Child tables of the contact.
    #[serde(default)]
    pub rows: Vec<RowsDeclaration>,
    /// A table of alternative addresses.
    pub addresses: Option<PathBuf>,
}

fn no() -> String {
    "no".to_owned()
}

/// `[[contacts.rows]]`: rows of the contact's own, for tables in letters.
#[derive(Debug, Deserialize)]
pub struct RowsDeclaration {
    /// The name of the rows in templates.
    pub name: String,
    /// The table.
    pub file: Option<PathBuf>,
    /// The program that prints the table, instead of a file.
    pub command: Option<Spanned<Program>>,
    /// What it prints.
    #[serde(default)]
    pub format: TableFormat,
    /// The SQLite file that is asked for the table, instead of a file.
    pub database: Option<PathBuf>,
    /// What it is asked: one SQL statement.
    pub query: Option<Spanned<String>>,
    /// How long the program or the query may take.
    #[serde(default = "fetch_timeout")]
    pub timeout: Span,
    /// The column that holds the contact number.
    pub contact: String,
}

/// Where a table of the segment file is, as it is declared.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each field is the declared one of its name")]
pub struct SourceDeclaration<'a> {
    /// The table of the segment file that declares it.
    pub table: &'static str,
    pub file: Option<&'a Path>,
    pub command: Option<&'a Spanned<Program>>,
    pub format: TableFormat,
    pub database: Option<&'a Path>,
    pub query: Option<&'a Spanned<String>>,
    pub timeout: Span,
}

impl ContactsDeclaration {
    /// Returns where the table of contacts is.
    pub fn source(&self) -> SourceDeclaration<'_> {
        SourceDeclaration {
            table: "contacts",
            file: self.file.as_deref(),
            command: self.command.as_ref(),
            format: self.format,
            database: self.database.as_deref(),
            query: self.query.as_ref(),
            timeout: self.timeout,
        }
    }
}

impl RowsDeclaration {
    /// Returns where the table of rows is.
    pub fn source(&self) -> SourceDeclaration<'_> {
        SourceDeclaration {
            table: "contacts.rows",
            file: self.file.as_deref(),
            command: self.command.as_ref(),
            format: self.format,
            database: self.database.as_deref(),
            query: self.query.as_ref(),
            timeout: self.timeout,
        }
    }
}

/// Ten minutes.
fn fetch_timeout() -> Span {
    Span::from_milliseconds(600_000)
}

/// `[[template]]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TemplateDeclaration {
    /// The code.
    pub code: String,
    /// The description.
    pub description: String,
    /// The interaction group.
    pub group: String,
    /// The default correspondence type; empty means none.
    pub correspondence_type: Option<Spanned<String>>,
    /// Whether the template's correspondence type beats the contact's.
    pub ignore_contact_correspondence_type: bool,
    /// The language of last resort.
    pub default_language: String,
    /// The versions by language.
    pub languages: BTreeMap<String, TemplateLanguageDeclaration>,
    /// How the letter goes out by e-mail.
    pub email: EmailDeclaration,
    /// `text` or `annotation`.
    pub comment_as: Option<Spanned<String>>,
    /// Word field = name of the value.
    pub map: BTreeMap<String, String>,
    /// Word field = text with tags.
    pub fields: BTreeMap<String, String>,
    /// Bookmark or question of ASK and FILLIN = answer, a text with tags.
    pub answers: BTreeMap<String, String>,
    /// The folder below which its pictures are; the file's own if empty.
    pub pictures: PathBuf,
    /// The campaign.
    pub campaign: String,
    /// The cost of one interaction.
    pub unit_cost: Option<Spanned<toml::Value>>,
    /// The duration of one interaction, in minutes.
    pub unit_duration: Option<Spanned<toml::Value>>,
    /// `outbound` or `inbound`.
    pub information_flow: Option<Spanned<String>>,
    /// `us` or `them`.
    pub initiated_by: Option<Spanned<String>>,
    /// Whether contacts count as targets of the campaign.
    pub campaign_target: Option<bool>,
    /// Whether interactions count as responses.
    pub campaign_response: Option<bool>,
}

/// One version of a template.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TemplateLanguageDeclaration {
    /// The Word document.
    pub document: Option<Spanned<String>>,
    /// Further Word documents that go with it.
    pub enclosures: Vec<Spanned<String>>,
    /// The subject.
    pub subject: String,
}

/// `[template.email]`.
#[derive(Debug, Deserialize)]
#[serde(default)]
pub struct EmailDeclaration {
    /// `document`, or a handlebars file `.html.hbs`, `.mjml.hbs` or `.txt.hbs`.
    pub body: Spanned<String>,
    /// A `.txt.hbs` file: what the message says as plain text, where the body is HTML.
    pub text: Option<Spanned<String>>,
    /// What is attached: `docx`, `pdf`, or files.
    pub attach: Vec<Spanned<String>>,
}

impl Default for EmailDeclaration {
    fn default() -> EmailDeclaration {
        EmailDeclaration { body: Spanned::new(0..0, "document".to_owned()), text: None, attach: Vec::new() }
    }
}

/// `[select]`: the criteria, applied in the order add, reduce, refine.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SelectDeclaration {
    /// Contacts that match get a line.
    pub add: Vec<Spanned<String>>,
    /// Lines whose contact matches go away.
    pub reduce: Vec<Spanned<String>>,
    /// Lines whose contact does not match go away.
    pub refine: Vec<Spanned<String>>,
    /// Selection actions with options, in their order, after those above.
    #[serde(rename = "step")]
    pub steps: Vec<StepDeclaration>,
    /// Whether the persons of a household get one letter together.
    pub household: bool,
}

/// `[[select.step]]`: one selection action; one of the first three is set.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct StepDeclaration {
    /// Contacts that match get a line.
    pub add: Option<Spanned<String>>,
    /// Lines whose contact matches go away.
    pub reduce: Option<Spanned<String>>,
    /// Lines whose contact does not match go away.
    pub refine: Option<Spanned<String>>,
    /// How it is done.
    pub options: CriteriaOptions,
}

/// `[lines]`.
#[derive(Debug, Deserialize)]
pub struct LineTableDeclaration {
    /// The table, with a column `contact` and columns named as the values of a line.
    pub file: PathBuf,
}

impl SegmentFile {
    /// Reads a segment file.
    ///
    /// # Errors
    ///
    /// All unknown keys of its tables at once, or the first syntax error or wrong type, each with its line.
    pub fn read(file: &Path) -> Result<SegmentFile, Vec<DeclarationProblem>> {
        let text = declaration::text(file)?;
        let declarations = declaration::parse(file, &text)?;
        Ok(SegmentFile { file: file.to_owned(), declarations, text })
    }

    /// Returns a path of the file, relative to the file's folder.
    pub fn path(&self, written: impl AsRef<Path>) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(written)
    }

    /// Returns the line on which something spanned stands, from 1.
    pub fn line_of<T>(&self, spanned: &Spanned<T>) -> usize {
        declaration::line_at(self.text.as_bytes(), spanned.span().start)
    }
}

/// Returns a declared value as the text that a table or the command line would give; `None` for tables and lists.
pub fn setting_text(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(truth) => Some(truth.to_string()),
        toml::Value::Datetime(date) => Some(date.to_string()),
        toml::Value::Array(_) | toml::Value::Table(_) => None,
    }
}
