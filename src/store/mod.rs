//! SQLite beneath it all: implements what the rooms ask for. No other room knows SQL.
//!
//! One database file, in WAL mode with `synchronous = FULL`: what is committed survives a power loss.

mod lock;
mod mark;
mod contact;
mod master;
mod usage;
mod segment;
mod view;
mod criteria;
mod selection;
mod worksheet;
mod schedule;
mod household;
mod erase;
mod query;
pub mod duplicate;
pub mod suppression;
pub mod bounce;
mod journal;
pub mod attempt;
mod seed;
pub mod log;
pub mod note;
pub mod keep;
mod sum;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use crate::contact::address::AlternativeAddress;
use crate::contact::import::ContactColumn;
use crate::contact::{Contact, ContactNo};
use crate::delivery::suppression::{AddressKey, SuppressionReason};
use crate::interaction::{EntryNo, InteractionTemplate, RunNo};
use crate::merge::value::Frame;
use crate::run::attempt::{AttemptStep, PastAttempt, Server};
use crate::run::household::HouseholdRule;
use crate::run::journal::{Counts, InDoubt, Journal, Pending, SeedLine, Which};
use crate::run::manifest::ManifestRow;
use crate::run::plan::{PlannedLine, RunDocument, RunOptions};
use crate::run::records::{LineRecord, Queries, Query, QueryError, Records, RecordsError, SegmentStanding};
use crate::run::seed::{Seed, SeedStep};
use crate::run::values::RowTable;
use crate::run::{Lock, LockError, Store};
use crate::segment::{Attachment, CriteriaAction, Digest, LineNo, SegmentHeader, SegmentLine, SegmentNo};
use crate::setup::master::{Master, MasterKind};

use contact::Keeping;

/// The steps from an empty file to the newest schema that this program knows. `PRAGMA user_version` counts those
/// that a database has taken; a step that was released never changes.
const MIGRATIONS: [&str; 11] = [
    include_str!("schema/1_run.sql"),
    include_str!("schema/2_suppression.sql"),
    include_str!("schema/3_worksheet.sql"),
    include_str!("schema/4_attempt.sql"),
    include_str!("schema/5_bounce.sql"),
    include_str!("schema/6_log.sql"),
    include_str!("schema/7_schedule.sql"),
    include_str!("schema/8_unwell.sql"),
    include_str!("schema/9_hook.sql"),
    include_str!("schema/10_seed.sql"),
    include_str!("schema/11_enclosure.sql"),
];

/// Marks our databases: "MLRN".
const APPLICATION_ID: i64 = 0x4D4C_524E;

/// How long a write waits for another process's transaction; loading a large segment is one transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(600);

/// A mailrun database.
#[derive(Debug)]
pub struct Database {
    connection: Connection,
    file: Option<PathBuf>,
    is_fresh: bool,
    /// How many steps of SQLite's machine a condition may take.
    steps_limit: u64,
}

impl Database {
    /// Opens the database in a file, and makes it where there is none.
    ///
    /// # Errors
    ///
    /// A file that is no mailrun database, one of a newer program, or one that cannot be opened.
    pub fn open(file: &Path) -> Result<Database, RecordsError> {
        let connection = Connection::open(file).map_err(|error| unopened(file, &error))?;
        Database::prepare(connection, Some(file))
    }

    /// Opens the database in a file if there is one; otherwise one in memory, so that nothing is left behind.
    ///
    /// # Errors
    ///
    /// As for [`Database::open`].
    pub fn open_existing(file: &Path) -> Result<Database, RecordsError> {
        if !file.exists() {
            let connection = Connection::open_in_memory().map_err(|error| reading(&error))?;
            return Database::prepare(connection, None);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags).map_err(|error| unopened(file, &error))?;
        Database::prepare(connection, Some(file))
    }

    /// Tells whether the database is a file.
    pub fn is_file(&self) -> bool {
        self.file.is_some()
    }

    fn prepare(connection: Connection, file: Option<&Path>) -> Result<Database, RecordsError> {
        let named = file.unwrap_or(Path::new("")).to_owned();
        let read = |error: rusqlite::Error| unopened(&named, &error);
        connection.busy_timeout(BUSY_TIMEOUT).map_err(read)?;
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(read)?;
        let application: i64 =
            connection.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(read)?;
        let n_tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(read)?;
        if n_tables > 0 && application != APPLICATION_ID {
            return Err(RecordsError::Foreign { file: named.display().to_string() });
        }
        let known = MIGRATIONS.len() as i64;
        if version > known {
            return Err(RecordsError::Newer { found: version, known });
        }
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
                 PRAGMA cache_size = -16384; PRAGMA temp_store = FILE;",
            )
            .map_err(read)?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.execute_batch(household::TABLE).map_err(read)?;
        suppression::add_functions(&connection).map_err(read)?;
        let is_fresh = version < known && migrate(&connection).map_err(|error| writing(&error))?;
        let steps_limit = criteria::STEPS_LIMIT;
        Ok(Database { connection, file: file.map(Path::to_owned), is_fresh, steps_limit })
    }
}

impl Drop for Database {
    /// Leaves nothing behind where there was nothing and nothing was kept.
    fn drop(&mut self) {
        let Some(file) = self.file.as_ref().filter(|_| self.is_fresh) else { return };
        let is_ours_alone = self.connection.busy_timeout(Duration::ZERO).is_ok()
            && self.connection.execute_batch("BEGIN EXCLUSIVE").is_ok();
        let is_empty = |table: &str| {
            let sql = format!("SELECT NOT EXISTS (SELECT 1 FROM {table})");
            self.connection.query_row(&sql, [], |row| row.get(0)).unwrap_or(false)
        };
        if is_ours_alone && ["contact", "segment", "run", "suppression", "schedule"].into_iter().all(is_empty)
        {
            for ending in ["", "-wal", "-shm"] {
                let mut name = file.clone().into_os_string();
                name.push(ending);
                // An empty database that stays does no harm.
                let _ = std::fs::remove_file(name);
            }
        }
    }
}

/// Takes the steps that the database lacks, and tells whether it was empty: another process may be first.
fn migrate(connection: &Connection) -> rusqlite::Result<bool> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let version: usize = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    for migration in MIGRATIONS.iter().skip(version) {
        transaction.execute_batch(migration)?;
    }
    transaction.execute_batch(&format!(
        "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {};",
        MIGRATIONS.len()
    ))?;
    transaction.commit()?;
    Ok(version == 0)
}

fn unopened(file: &Path, error: &rusqlite::Error) -> RecordsError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => RecordsError::Foreign { file: file.display().to_string() },
        _ => {
            RecordsError::Surroundings { is_write: false, reason: format!("{error} (`{}`)", file.display()) }
        }
    }
}

fn reading(error: &rusqlite::Error) -> RecordsError {
    RecordsError::Surroundings { is_write: false, reason: error.to_string() }
}

fn writing(error: &rusqlite::Error) -> RecordsError {
    RecordsError::Surroundings { is_write: true, reason: error.to_string() }
}

/// Reads a JSON text of our own making.
fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, RecordsError> {
    serde_json::from_str(text).map_err(|error| RecordsError::Surroundings {
        is_write: false,
        reason: format!("it is damaged: {error}"),
    })
}

/// Writes JSON for the store. Our types have text keys and no numbers that JSON lacks, so this does not fail.
fn to_json<T: serde::Serialize>(value: &T) -> Result<String, RecordsError> {
    serde_json::to_string(value)
        .map_err(|error| RecordsError::Surroundings { is_write: true, reason: error.to_string() })
}

impl Store for Database {
    fn lock(&self, segment: &SegmentNo) -> Result<Box<dyn Lock>, LockError> {
        lock::lock(self.file.as_deref(), segment)
    }
}

impl Queries for Database {
    fn copy_query(&mut self, query: &Query<'_>, into: &mut File) -> Result<(), QueryError> {
        query::copy(query, into)
    }
}

impl Records for Database {
    fn begin_draft(&mut self) -> Result<(), RecordsError> {
        self.connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| writing(&error))?;
        // Another process may have taken back the empty database that it had just made.
        match &self.file {
            Some(file) if !file.exists() => {
                let reason = format!("`{}` was removed by another process", file.display());
                Err(RecordsError::Surroundings { is_write: true, reason })
            }
            _ => Ok(()),
        }
    }

    fn keep_draft(&mut self) -> Result<(), RecordsError> {
        self.connection.execute_batch("COMMIT").map_err(|error| writing(&error))?;
        self.is_fresh = false;
        Ok(())
    }

    fn discard_draft(&mut self) -> Result<(), RecordsError> {
        // SQLite has rolled back by itself after some errors, such as a full disk.
        if self.connection.is_autocommit() {
            return Ok(());
        }
        self.connection.execute_batch("ROLLBACK").map_err(|error| writing(&error))
    }

    fn put_contact(&mut self, contact: &Contact) -> Result<(), RecordsError> {
        self.put_contact_row(contact, &Keeping::Nothing)
    }

    fn put_contact_but(&mut self, contact: &Contact, absent: &[&'static str]) -> Result<(), RecordsError> {
        self.put_contact_row(contact, &Keeping::But { absent })
    }

    fn has_contact(&mut self, no: &ContactNo) -> Result<bool, RecordsError> {
        self.has_contact_row(no)
    }

    fn contact(&mut self, no: &ContactNo) -> Result<Option<Contact>, RecordsError> {
        self.contact_row(no)
    }

    fn put_columns(&mut self, columns: &[ContactColumn]) -> Result<(), RecordsError> {
        self.put_contact_columns(columns)
    }

    fn columns(&mut self) -> Result<Vec<ContactColumn>, RecordsError> {
        self.contact_columns()
    }

    fn put_row_table(&mut self, table: &RowTable) -> Result<(), RecordsError> {
        self.put_child_table(table)
    }

    fn row_tables(&mut self) -> Result<Vec<RowTable>, RecordsError> {
        self.child_tables()
    }

    fn put_row(&mut self, table: &str, contact: &ContactNo, row: &Frame) -> Result<(), RecordsError> {
        self.put_child_row(table, contact, row)
    }

    fn clear_addresses(&mut self, no: &ContactNo) -> Result<(), RecordsError> {
        self.clear_alternative_addresses(no)
    }

    fn put_address(&mut self, address: &AlternativeAddress) -> Result<(), RecordsError> {
        self.put_alternative_address(address)
    }

    fn put_attachment(&mut self, attachment: &Attachment) -> Result<(), RecordsError> {
        self.put_attachment_row(attachment)
    }

    fn attachment(&mut self, digest: &Digest) -> Result<Option<Attachment>, RecordsError> {
        self.attachment_row(digest)
    }

    fn put_template(&mut self, template: &InteractionTemplate) -> Result<(), RecordsError> {
        self.put_template_row(template)
    }

    fn templates(&mut self) -> Result<Vec<InteractionTemplate>, RecordsError> {
        self.template_rows()
    }

    fn put_master(&mut self, master: &Master) -> Result<(), RecordsError> {
        self.put_master_row(master)
    }

    fn masters(&mut self, kind: MasterKind) -> Result<Vec<Master>, RecordsError> {
        self.master_rows(kind)
    }

    fn suppressed(
        &mut self,
        addresses: &[AddressKey],
    ) -> Result<Vec<Option<SuppressionReason>>, RecordsError> {
        self.suppressed_rows(addresses)
    }

    fn standing(&mut self, segment: &SegmentNo) -> Result<SegmentStanding, RecordsError> {
        self.segment_standing(segment)
    }

    fn last_segment_no(&mut self, first: &str) -> Result<Option<SegmentNo>, RecordsError> {
        self.last_segment_no_like(first)
    }

    fn put_segment(&mut self, header: &SegmentHeader) -> Result<(), RecordsError> {
        self.put_segment_row(header)
    }

    fn header(&mut self, segment: &SegmentNo) -> Result<Option<SegmentHeader>, RecordsError> {
        self.segment_row(segment)
    }

    fn put_line(&mut self, segment: &SegmentNo, line: &SegmentLine) -> Result<(), RecordsError> {
        self.put_line_row(segment, line)
    }

    fn line_of(
        &mut self,
        segment: &SegmentNo,
        contact: &ContactNo,
    ) -> Result<Option<SegmentLine>, RecordsError> {
        self.line_row_of(segment, contact)
    }

    fn add_line(&mut self, segment: &SegmentNo, contact: &ContactNo) -> Result<LineNo, RecordsError> {
        self.add_line_by_hand(segment, contact)
    }

    fn select(&mut self, segment: &SegmentNo, action: &CriteriaAction) -> Result<usize, RecordsError> {
        self.apply_criteria(segment, action)
    }

    fn join_households(&mut self, segment: &SegmentNo, rule: HouseholdRule) -> Result<(), RecordsError> {
        match rule {
            HouseholdRule::OneLetterEach => self.forget_households(),
            HouseholdRule::OneLetterTogether => self.find_households(segment),
        }
    }

    fn n_lines(&mut self, segment: &SegmentNo) -> Result<usize, RecordsError> {
        self.count_lines(segment)
    }

    fn lines(
        &mut self,
        segment: &SegmentNo,
        after: LineNo,
        limit: usize,
    ) -> Result<Vec<LineRecord>, RecordsError> {
        self.line_records(segment, after, limit)
    }

    fn put_run(&mut self, options: &RunOptions) -> Result<RunNo, RecordsError> {
        self.put_run_row(options)
    }

    fn put_documents(&mut self, run: RunNo, documents: &[RunDocument]) -> Result<(), RecordsError> {
        self.put_document_rows(run, documents)
    }

    fn put_plan(&mut self, run: RunNo, lines: &[PlannedLine]) -> Result<(), RecordsError> {
        self.put_entries(run, lines)
    }
}

impl Journal for Database {
    fn options(&mut self, run: RunNo) -> Result<RunOptions, RecordsError> {
        self.run_options(run)
    }

    fn documents(&mut self, run: RunNo) -> Result<Vec<RunDocument>, RecordsError> {
        self.document_rows(run)
    }

    fn reopen(&mut self, run: RunNo, in_doubt: InDoubt, now: Timestamp) -> Result<(), RecordsError> {
        self.settle_in_doubt(run, in_doubt, now)
    }

    fn plan_again(&mut self, entry: EntryNo) -> Result<(), RecordsError> {
        self.plan_entry_again(entry)
    }

    fn interrupted(&mut self) -> Result<Vec<(RunNo, SegmentNo)>, RecordsError> {
        self.open_runs()
    }

    fn pending(
        &mut self,
        run: RunNo,
        which: Which,
        after: EntryNo,
        limit: usize,
    ) -> Result<Vec<Pending>, RecordsError> {
        self.pending_entries(run, which, after, limit)
    }

    fn n_messages(&mut self, run: RunNo) -> Result<u64, RecordsError> {
        self.count_messages(run)
    }

    fn next_due(&mut self, run: RunNo) -> Result<Option<Timestamp>, RecordsError> {
        self.next_due_at(run)
    }

    fn past_attempts(&mut self, since: Timestamp) -> Result<Vec<PastAttempt>, RecordsError> {
        self.attempts_since(since)
    }

    fn record_attempts(
        &mut self,
        run: RunNo,
        server: &Server<'_>,
        steps: &[AttemptStep<'_>],
    ) -> Result<(), RecordsError> {
        self.record_attempt_steps(run, server, steps)
    }

    fn record(&mut self, run: RunNo, steps: &[crate::delivery::Step]) -> Result<(), RecordsError> {
        self.record_steps(run, steps)
    }

    fn seeds(&mut self, run: RunNo) -> Result<Vec<Seed>, RecordsError> {
        self.seeds_of(run)
    }

    fn seed_line(&mut self, run: RunNo) -> Result<Option<SeedLine>, RecordsError> {
        self.seed_line_of(run)
    }

    fn n_seeds(&mut self, run: RunNo) -> Result<u64, RecordsError> {
        self.count_seeds(run)
    }

    fn record_seeds(
        &mut self,
        run: RunNo,
        server: &Server<'_>,
        steps: &[SeedStep<'_>],
    ) -> Result<(), RecordsError> {
        self.record_seed_steps(run, server, steps)
    }

    fn counts(&mut self, run: RunNo) -> Result<Counts, RecordsError> {
        self.count_states(run)
    }

    fn manifest(&mut self, run: RunNo, take: &mut dyn FnMut(&ManifestRow)) -> Result<(), RecordsError> {
        self.manifest_rows(run, take)
    }

    fn archive(&mut self, run: RunNo) -> Result<(), RecordsError> {
        self.archive_run(run)
    }
}
