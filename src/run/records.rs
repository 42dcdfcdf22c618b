//! Owns what the run asks of the store: masters, worksheet, and the draft in which a plan is made.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::contact::address::AlternativeAddress;
use crate::contact::import::ContactColumn;
use crate::contact::inheritance::Inherited;
use crate::contact::{Contact, ContactNo, all_fields, did_you_mean};
use crate::delivery::suppression::{AddressKey, SuppressionReason};
use crate::interaction::{InteractionTemplate, RunNo};
use crate::merge::value::Frame;
use crate::run::household::{Household, HouseholdRule};
use crate::run::plan::{PlannedLine, RunDocument, RunOptions};
use crate::run::values::RowTable;
use crate::segment::{Attachment, CriteriaAction, Digest, LineNo, SegmentHeader, SegmentLine, SegmentNo};
use crate::setup::master::{Master, MasterKind};
use crate::setup::rate::Span;

/// Why the store cannot do what it is asked for.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// The database was made by a newer program.
    #[error("the database has schema version {found}, but this program knows only up to {known}")]
    Newer {
        /// The version of the database.
        found: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The file is no database of ours.
    #[error("`{file}` is not a mailrun database")]
    Foreign {
        /// The file.
        file: String,
    },
    /// A selection condition is wrong, or does more than select.
    #[error("the condition is refused: {reason}")]
    Condition {
        /// What the database says.
        reason: String,
    },
    /// A row was changed by another process.
    #[error("entry {entry} was changed by another process")]
    Stranger {
        /// The entry.
        entry: i64,
    },
    /// What is known of a seed was changed by another process.
    #[error("the copy for `{address}` was changed by another process")]
    SeedStranger {
        /// The seed's address.
        address: String,
    },
    /// The disk is full, broken or read-only, or the database is busy or damaged.
    #[error("the database cannot be {}: {reason}", if *.is_write { "written" } else { "read" })]
    Surroundings {
        /// Whether it was being written.
        is_write: bool,
        /// What the database says.
        reason: String,
    },
}

impl RecordsError {
    /// Returns the stable id of the error.
    pub fn id(&self) -> &'static str {
        match self {
            RecordsError::Newer { .. } => "newer-database",
            RecordsError::Foreign { .. } => "foreign-database",
            RecordsError::Condition { .. } => "condition",
            RecordsError::Stranger { .. } => "stranger",
            RecordsError::SeedStranger { .. } => "seed-stranger",
            RecordsError::Surroundings { .. } => "database",
        }
    }

    /// Returns what to do, where that is sure.
    pub fn help(&self) -> Option<String> {
        match self {
            RecordsError::Newer { .. } => {
                Some("use the newer program, or another database with `--db`".to_owned())
            }
            RecordsError::Foreign { .. } => Some("name another file with `--db`".to_owned()),
            RecordsError::Condition { reason } => Some(help_with_condition(reason)),
            RecordsError::Stranger { .. } | RecordsError::SeedStranger { .. } => {
                Some("see that only one process works on the segment".to_owned())
            }
            RecordsError::Surroundings { .. } => None,
        }
    }
}

/// Says what to do about a condition that SQLite refuses for this reason.
fn help_with_condition(reason: &str) -> String {
    let Some(column) = reason.strip_prefix("no such column: ") else {
        return "write an SQL condition over the columns of `contact`, such as `country = 'CH'`".to_owned();
    };
    did_you_mean(column, all_fields()).unwrap_or_else(|| {
        format!(
            "no column is called so; write a text in single quotes, `'{column}'`; docs/criteria.md has the columns"
        )
    })
}

/// A line together with all that is known of its contact.
#[derive(Clone, Debug)]
pub struct LineRecord {
    /// The line.
    pub line: SegmentLine,
    /// The contact, with what it has from its company.
    pub contact: Contact,
    /// What the contact has from its company.
    pub inherited: Inherited,
    /// The contact's alternative addresses.
    pub addresses: Vec<AlternativeAddress>,
    /// The alternative addresses of the company, where the contact has the company's address.
    pub company_addresses: Vec<AlternativeAddress>,
    /// How the line stands in its household.
    pub household: Household,
    /// The contact's child rows by table.
    pub rows: BTreeMap<String, Vec<Frame>>,
}

/// How a segment stands in the store.
#[derive(Clone, Debug, PartialEq)]
pub enum SegmentStanding {
    /// Nothing is known of it.
    Unknown,
    /// A worksheet.
    Open,
    /// A run over it was begun and not ended.
    Interrupted(RunNo),
    /// It was logged by this run.
    Logged(RunNo),
}

/// A question to a SQLite file that is not ours.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The file.
    pub database: &'a Path,
    /// One SQL statement that reads.
    pub sql: &'a str,
    /// How long it may take.
    pub limit: Span,
}

/// Who asks SQLite files that are not ours.
pub trait Queries {
    /// Copies the rows of a query as a table of text, parted by tabs.
    ///
    /// # Errors
    ///
    /// [`QueryError`] if there is no such file, or SQLite refuses the query.
    fn copy_query(&mut self, query: &Query<'_>, into: &mut File) -> Result<(), QueryError>;
}

/// Why a query gives no rows.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// There is no such file.
    #[error("there is no database `{}`", database.display())]
    Missing {
        /// The file.
        database: PathBuf,
    },
    /// SQLite refuses it.
    #[error("`{}` refuses the query: {reason}", database.display())]
    Refused {
        /// The file.
        database: PathBuf,
        /// Why.
        reason: String,
    },
    /// A value that no table of text can hold.
    #[error("column `{column}` of row {row} is no text and no number")]
    NoText {
        /// The name of the column.
        column: String,
        /// The row, from 1.
        row: u64,
    },
    /// There is no room for the rows.
    #[error("the rows cannot be kept")]
    Unwritten(#[source] io::Error),
}

/// Masters and worksheets, as far as a run loads and reads them.
///
/// Everything between [`Records::begin_draft`] and [`Records::keep_draft`] or [`Records::discard_draft`] is one
/// transaction: it is kept as a whole, or the store stays as it was.
pub trait Records: Send {
    /// Opens the draft.
    fn begin_draft(&mut self) -> Result<(), RecordsError>;
    /// Keeps everything since [`Records::begin_draft`], durably.
    fn keep_draft(&mut self) -> Result<(), RecordsError>;
    /// Forgets everything since [`Records::begin_draft`].
    fn discard_draft(&mut self) -> Result<(), RecordsError>;

    /// Adds or replaces a contact; its further columns become names that templates can use.
    fn put_contact(&mut self, contact: &Contact) -> Result<(), RecordsError>;
    /// The same, but for `absent` fields and for further columns that are not given: a contact keeps what it has of them.
    fn put_contact_but(&mut self, contact: &Contact, absent: &[&'static str]) -> Result<(), RecordsError>;
    /// Tells whether there is a contact of this number.
    fn has_contact(&mut self, no: &ContactNo) -> Result<bool, RecordsError>;
    /// Finds a contact.
    fn contact(&mut self, no: &ContactNo) -> Result<Option<Contact>, RecordsError>;
    /// Makes the columns of an import known, in their order.
    fn put_columns(&mut self, columns: &[ContactColumn]) -> Result<(), RecordsError>;
    /// Lists the columns of all imports.
    fn columns(&mut self) -> Result<Vec<ContactColumn>, RecordsError>;
    /// Makes a child table known and forgets the rows that it had.
    fn put_row_table(&mut self, table: &RowTable) -> Result<(), RecordsError>;
    /// Lists the child tables.
    fn row_tables(&mut self) -> Result<Vec<RowTable>, RecordsError>;
    /// Adds a row to a contact's child table.
    fn put_row(&mut self, table: &str, contact: &ContactNo, row: &Frame) -> Result<(), RecordsError>;
    /// Forgets the alternative addresses of a contact.
    fn clear_addresses(&mut self, no: &ContactNo) -> Result<(), RecordsError>;
    /// Adds an alternative address.
    fn put_address(&mut self, address: &AlternativeAddress) -> Result<(), RecordsError>;
    /// Adds an attachment, if its digest is not known yet.
    fn put_attachment(&mut self, attachment: &Attachment) -> Result<(), RecordsError>;
    /// Finds an attachment.
    fn attachment(&mut self, digest: &Digest) -> Result<Option<Attachment>, RecordsError>;
    /// Adds or replaces an interaction template.
    fn put_template(&mut self, template: &InteractionTemplate) -> Result<(), RecordsError>;
    /// Lists the interaction templates in the order of their codes.
    fn templates(&mut self) -> Result<Vec<InteractionTemplate>, RecordsError>;
    /// Adds or replaces a master.
    fn put_master(&mut self, master: &Master) -> Result<(), RecordsError>;
    /// Lists the masters of a kind in the order of their keys.
    fn masters(&mut self, kind: MasterKind) -> Result<Vec<Master>, RecordsError>;

    /// Tells for each address whether it is on the suppression list, and why.
    fn suppressed(
        &mut self,
        addresses: &[AddressKey],
    ) -> Result<Vec<Option<SuppressionReason>>, RecordsError>;

    /// Tells how a segment stands.
    fn standing(&mut self, segment: &SegmentNo) -> Result<SegmentStanding, RecordsError>;
    /// Returns the greatest segment number that begins like a series, open or logged.
    fn last_segment_no(&mut self, first: &str) -> Result<Option<SegmentNo>, RecordsError>;
    /// Adds or replaces a segment's header, and forgets its lines and criteria.
    fn put_segment(&mut self, header: &SegmentHeader) -> Result<(), RecordsError>;
    /// Finds a segment's header.
    fn header(&mut self, segment: &SegmentNo) -> Result<Option<SegmentHeader>, RecordsError>;
    /// Adds a line, or replaces what was set on it.
    fn put_line(&mut self, segment: &SegmentNo, line: &SegmentLine) -> Result<(), RecordsError>;
    /// Finds the first line of a contact.
    fn line_of(
        &mut self,
        segment: &SegmentNo,
        contact: &ContactNo,
    ) -> Result<Option<SegmentLine>, RecordsError>;
    /// Adds a line for a contact that a user names, behind all others, and records that; returns its number.
    fn add_line(&mut self, segment: &SegmentNo, contact: &ContactNo) -> Result<LineNo, RecordsError>;
    /// Applies a selection action, records it, and tells how many lines it added or took away.
    fn select(&mut self, segment: &SegmentNo, action: &CriteriaAction) -> Result<usize, RecordsError>;
    /// Finds the households among the lines of a segment, so that [`Records::lines`] tells them; or forgets them.
    fn join_households(&mut self, segment: &SegmentNo, rule: HouseholdRule) -> Result<(), RecordsError>;
    /// Counts the lines of a segment.
    fn n_lines(&mut self, segment: &SegmentNo) -> Result<usize, RecordsError>;
    /// Returns up to `limit` lines after a line, in their order, with all that is known of their contacts.
    fn lines(
        &mut self,
        segment: &SegmentNo,
        after: LineNo,
        limit: usize,
    ) -> Result<Vec<LineRecord>, RecordsError>;

    /// Begins a run: its number and circumstances.
    fn put_run(&mut self, options: &RunOptions) -> Result<RunNo, RecordsError>;
    /// Makes the documents of a run known, in their order.
    fn put_documents(&mut self, run: RunNo, documents: &[RunDocument]) -> Result<(), RecordsError>;
    /// Adds lines to the plan of a run, in their order.
    fn put_plan(&mut self, run: RunNo, lines: &[PlannedLine]) -> Result<(), RecordsError>;
}
