//! Owns the keeping of the database: backup while runs go on, checks, and the end of what is old.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::backup::Backup;
use rusqlite::{Connection, params};
use serde::Serialize;

use super::seed::doubt_open_seeds;
use super::{APPLICATION_ID, Database, MIGRATIONS, note, reading, unopened, writing};
use crate::run::records::{Records, RecordsError};

/// How many pages a backup copies at a time: all, in one read transaction, so that no write makes it begin anew.
const ALL_PAGES: i32 = -1;

/// Something that a check found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Its stable id.
    pub id: &'static str,
    /// What is wrong.
    pub message: String,
}

/// What is taken out of the log for its age, and what that is, counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aged {
    /// What letters are made of: after that they cannot be made again.
    Letters,
    /// Names, addresses, salutations, comments, subjects: what is personal in entries.
    Values,
    /// Entries as a whole; the sums that statistics read stay.
    Entries,
}

/// How much is older than a day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AgedCount {
    /// How many logged segments.
    pub segments: u64,
    /// How many entries of them still have it.
    pub entries: u64,
}

impl Aged {
    /// All, in the order in which they are taken out.
    pub const ALL: [Aged; 3] = [Aged::Letters, Aged::Values, Aged::Entries];

    /// Returns its name, as in the set-up.
    pub fn as_str(self) -> &'static str {
        match self {
            Aged::Letters => "letters",
            Aged::Values => "values",
            Aged::Entries => "entries",
        }
    }

    /// The condition on an entry that it still has it.
    fn is_there(self) -> &'static str {
        match self {
            Aged::Letters => "letter IS NOT NULL",
            Aged::Values => "contact_name || address_block || email || comment || subject || file <> ''",
            Aged::Entries => "true",
        }
    }
}

/// The runs that may be thinned: logged before a day, and not open again.
const OLD_RUNS: &str = "SELECT l.run FROM logged_segment AS l JOIN run AS r ON r.no = l.run
     WHERE r.is_logged AND substr(l.logged_at, 1, 10) < ?1";

impl Database {
    /// Returns the schema version of the database in a file, without changing it, and the newest one.
    ///
    /// # Errors
    ///
    /// A file that is no mailrun database, or cannot be read.
    pub fn versions(file: &Path) -> Result<(i64, i64), RecordsError> {
        let connection = Connection::open(file).map_err(|error| unopened(file, &error))?;
        let pragma = |name: &str| {
            let sql = format!("PRAGMA {name}");
            connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map_err(|error| unopened(file, &error))
        };
        if pragma("application_id")? != APPLICATION_ID {
            return Err(RecordsError::Foreign { file: file.display().to_string() });
        }
        Ok((pragma("user_version")?, MIGRATIONS.len() as i64))
    }

    /// Copies the database as it stands into a new file, while others read and write it; returns its size in bytes.
    ///
    /// Messages of runs that go on are `in-doubt` in the copy: nobody who restores it can know what was sent after it was
    /// made, so that a resumed run sends none of them unless the user decides.
    ///
    /// # Errors
    ///
    /// A file that is there already or cannot be written.
    pub fn back_up(&self, file: &Path, now: Timestamp) -> Result<u64, RecordsError> {
        let failed = |reason: String| RecordsError::Surroundings { is_write: true, reason };
        if file.exists() {
            return Err(failed(format!("`{}` is there already", file.display())));
        }
        let mut name = file.to_owned().into_os_string();
        name.push(".mailrun-tmp");
        let temporary = PathBuf::from(name);
        let copied = self.copy_into(&temporary, now);
        let named = copied.and_then(|()| {
            File::open(&temporary)
                .and_then(|written| written.sync_all())
                .and_then(|()| fs::rename(&temporary, file))
                .and_then(|()| fs::metadata(file))
                .map_err(|error| failed(format!("`{}`: {error}", file.display())))
        });
        if named.is_err() {
            // What cannot be removed does no harm: it has another name than what was asked for.
            let _ = fs::remove_file(&temporary);
        }
        named.map(|metadata| metadata.len())
    }

    fn copy_into(&self, temporary: &Path, now: Timestamp) -> Result<(), RecordsError> {
        let mut copy = Connection::open(temporary).map_err(|error| unopened(temporary, &error))?;
        let done = Backup::new(&self.connection, &mut copy).and_then(|backup| backup.step(ALL_PAGES));
        done.map_err(|error| writing(&error))?;
        // One file, without a journal beside it.
        let reason = format!("the database was restored from a backup of {now}, made while the run went on");
        copy.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;")
            .and_then(|()| {
                copy.execute(
                    "UPDATE interaction_log_entry SET state = 'in-doubt', due_at = NULL, reason = ?1
                     WHERE run IN (SELECT no FROM run WHERE NOT is_logged)
                       AND correspondence_type IN ('email', 'fax')
                       AND state IN ('planned', 'merged', 'sending', 'deferred')",
                    [&reason],
                )
            })
            .map_err(|error| writing(&error))?;
        doubt_open_seeds(&copy, (&reason, now))
    }

    /// Checks the database: its pages, its references, and that all that is counted twice is the same.
    ///
    /// # Errors
    ///
    /// A database that cannot be read at all.
    pub fn check(&self) -> Result<Vec<Finding>, RecordsError> {
        let mut findings = Vec::new();
        for row in self.texts("PRAGMA integrity_check")?.into_iter().filter(|row| row != "ok") {
            findings.push(Finding { id: "damaged", message: row });
        }
        for (id, message, sql) in CHECKS {
            for row in self.texts(sql)? {
                findings.push(Finding { id, message: format!("{message}: {row}") });
            }
        }
        Ok(findings)
    }

    /// Returns how many attachments nothing uses. They do no harm, and go with the next retention.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn n_unused_attachments(&self) -> Result<u64, RecordsError> {
        let sql = format!("SELECT count(*) FROM attachment WHERE {}", note::is_unused());
        self.connection.query_row(&sql, [], |row| row.get(0)).map_err(|error| reading(&error))
    }

    fn texts(&self, sql: &str) -> Result<Vec<String>, RecordsError> {
        let mut statement = self.connection.prepare(sql).map_err(|error| reading(&error))?;
        let rows = statement.query_map([], |row| row.get(0)).map_err(|error| reading(&error))?;
        rows.collect::<Result<_, _>>().map_err(|error| reading(&error))
    }

    /// Counts what was logged before a day and is still there.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn count_aged(&self, aged: Aged, before: Date) -> Result<AgedCount, RecordsError> {
        let sql = format!(
            "SELECT count(DISTINCT run), count(*) FROM interaction_log_entry
             WHERE run IN ({OLD_RUNS}) AND {}",
            aged.is_there()
        );
        self.connection
            .query_row(&sql, [before.to_string()], |row| {
                Ok(AgedCount { segments: row.get(0)?, entries: row.get(1)? })
            })
            .map_err(|error| reading(&error))
    }

    /// Takes out of the log what is older than a day, all of it or nothing. Open runs are not touched; what statistics
    /// read stays. The file is written anew, so that nothing of it is to be found there.
    ///
    /// # Errors
    ///
    /// A database that cannot be written, or whose disk has no room for a copy.
    pub fn retain(&mut self, before: &BTreeMap<&'static str, Date>) -> Result<(), RecordsError> {
        self.begin_draft()?;
        let done = Aged::ALL
            .into_iter()
            .filter_map(|aged| before.get(aged.as_str()).map(|date| (aged, *date)))
            .try_for_each(|(aged, date)| self.take_out(aged, date))
            .and_then(|()| {
                let sql = format!("DELETE FROM attachment WHERE {}", note::is_unused());
                self.connection.execute(&sql, []).map(|_| ()).map_err(|error| writing(&error))
            });
        match done {
            Ok(()) => self.keep_draft()?,
            Err(error) => {
                self.discard_draft()?;
                return Err(error);
            }
        }
        // Overwriting what is deleted now would leave what the file still has of rows that were moved or deleted before.
        self.compact()
    }

    fn take_out(&self, aged: Aged, before: Date) -> Result<(), RecordsError> {
        let run = |sql: &str| {
            self.connection
                .execute(&sql.replace("{old}", OLD_RUNS), params![before.to_string()])
                .map(|_| ())
                .map_err(|error| writing(&error))
        };
        match aged {
            Aged::Letters => {
                run(
                    "UPDATE interaction_log_entry SET letter = NULL WHERE run IN ({old}) AND letter IS NOT NULL",
                )?;
                run("DELETE FROM run_document WHERE run IN ({old})")
            }
            Aged::Values => {
                run("UPDATE interaction_log_entry SET letter = NULL, contact_name = '', address_block = '',
                     email = '', salutation_formal = '', salutation_informal = '', comment = '', subject = '',
                     file = '', enclosures = '', reply_text = '' WHERE run IN ({old})")?;
                run("UPDATE seed_attempt SET reply_text = '' WHERE run IN ({old})")?;
                let entries = "IN (SELECT entry FROM interaction_log_entry WHERE run IN ({old}))";
                run(&format!("UPDATE attempt SET domain = '', reply_text = '' WHERE entry {entries}"))?;
                run(&format!("UPDATE bounce SET recipient = '', diagnostic = '' WHERE entry {entries}"))
            }
            Aged::Entries => {
                run("UPDATE logged_segment SET is_thinned = 1 WHERE run IN ({old})")?;
                let entries = "IN (SELECT entry FROM interaction_log_entry WHERE run IN ({old}))";
                run(&format!("UPDATE suppression SET entry = NULL WHERE entry {entries}"))?;
                run("DELETE FROM seed_attempt WHERE run IN ({old})")?;
                for table in ["attempt", "bounce", "log_note", "interaction_log_entry"] {
                    run(&format!("DELETE FROM {table} WHERE entry {entries}"))?;
                }
                run("DELETE FROM run_document WHERE run IN ({old})")
            }
        }
    }
}

/// What must not be: the id of the finding, its words, and a query that names each case.
const CHECKS: [(&str, &str, &str); 8] = [
    (
        "foreign-key",
        "a row refers to one that is not there",
        "SELECT \"table\" || ' row ' || ifnull(rowid, '?') || ' to ' || parent FROM pragma_foreign_key_check",
    ),
    (
        "logged-without-run",
        "a run is logged and has no logged segment, or the other way round",
        "SELECT 'segment ' || segment FROM run WHERE is_logged AND no NOT IN (SELECT run FROM logged_segment)
           AND segment NOT IN (SELECT segment FROM log_note WHERE kind = 'deleted' AND entry IS NULL)",
    ),
    (
        "not-final",
        "a logged run has an entry that is not final",
        "SELECT 'entry ' || entry FROM interaction_log_entry WHERE run IN (SELECT no FROM run WHERE is_logged)
           AND state IN ('planned', 'merged', 'sending', 'deferred') LIMIT 10",
    ),
    (
        "sums",
        "the sums of a segment are not those of its entries",
        "SELECT l.segment || ', state ' || state FROM logged_segment AS l JOIN
           (SELECT run, state, sum(n) AS n FROM
              (SELECT run, state, n_entries AS n FROM log_sum
               UNION ALL SELECT run, state, -count(*) FROM interaction_log_entry GROUP BY run, state)
            GROUP BY run, state) AS s ON s.run = l.run
         WHERE n <> 0 AND NOT is_thinned AND l.run IN (SELECT no FROM run WHERE is_logged)",
    ),
    (
        "attempts",
        "an entry counts other attempts than it has",
        "SELECT 'entry ' || e.entry FROM interaction_log_entry AS e
         WHERE n_attempts <> (SELECT count(*) FROM attempt AS a WHERE a.entry = e.entry) LIMIT 10",
    ),
    (
        "seed-attempts",
        "a seed has other attempts than they count",
        "SELECT 'run ' || run || ', ' || address FROM seed_attempt GROUP BY run, address
         HAVING count(*) <> max(number) OR sum(state NOT IN ('deferred')) > 1 LIMIT 10",
    ),
    (
        "seed-not-final",
        "a logged run has a seed that waits for its copy",
        "SELECT 'run ' || run || ', ' || address FROM seed_attempt AS s
         WHERE run IN (SELECT no FROM run WHERE is_logged) AND state IN ('sending', 'deferred')
           AND number = (SELECT max(number) FROM seed_attempt WHERE run = s.run AND address = s.address) LIMIT 10",
    ),
    (
        "line-twice",
        "a line has two entries",
        "SELECT segment || ' line ' || line_no FROM interaction_log_entry GROUP BY run, line_no HAVING count(*) > 1 LIMIT 10",
    ),
];
