//! Owns what is said and decided of the log later, in the database: notes, cancel flags, evaluations, deletion of what
//! is cancelled.
//!
//! An entry's flag and that of its segment stand apart: an entry counts only where neither is set, and taking back one
//! leaves the other.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::{Database, reading, writing};
use crate::interaction::{EntryNo, Note, NoteKind, RunNo};
use crate::run::records::RecordsError;
use crate::segment::{Evaluation, SegmentNo};

/// Whether something counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancel {
    /// It does not count any more.
    Cancel,
    /// It counts again.
    Uncancel,
}

impl Cancel {
    /// Returns the kind of the note that tells it.
    pub fn note(self) -> NoteKind {
        match self {
            Cancel::Cancel => NoteKind::Cancelled,
            Cancel::Uncancel => NoteKind::Uncancelled,
        }
    }

    fn flag(self) -> bool {
        self == Cancel::Cancel
    }
}

/// Where an attachment can be used: each a condition on `digest` that holds where it is.
const USES: [&str; 6] = [
    "EXISTS (SELECT 1 FROM run_document WHERE attachment = digest OR instr(document, digest))",
    "EXISTS (SELECT 1 FROM interaction_template WHERE instr(declaration, digest))",
    "EXISTS (SELECT 1 FROM segment WHERE instr(header, digest))",
    "EXISTS (SELECT 1 FROM segment_line WHERE set_values IS NOT NULL AND instr(set_values, digest))",
    "EXISTS (SELECT 1 FROM removed_line WHERE set_values IS NOT NULL AND instr(set_values, digest))",
    "EXISTS (SELECT 1 FROM logged_segment WHERE instr(header, digest))",
];

/// Returns the condition that an attachment is used by nothing.
pub(super) fn is_unused() -> String {
    format!("NOT ({})", USES.join(" OR "))
}

impl Database {
    /// Adds a note.
    ///
    /// # Errors
    ///
    /// A database that cannot be written.
    pub fn put_note(&mut self, note: &Note) -> Result<(), RecordsError> {
        self.connection
            .execute(
                "INSERT INTO log_note (segment, entry, at, who, kind, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    note.segment.0,
                    note.entry.map(|entry| entry.0),
                    note.at.to_string(),
                    note.who,
                    note.kind.as_str(),
                    note.text
                ],
            )
            .map(|_| ())
            .map_err(|error| writing(&error))
    }

    /// Lists the notes on an entry in their order.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn notes_on_entry(&self, entry: EntryNo) -> Result<Vec<Note>, RecordsError> {
        self.notes("entry = ?1", &entry.0)
    }

    /// Lists the notes on a segment as a whole, and those on entries of it that were deleted.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn notes_on_segment(&self, segment: &SegmentNo) -> Result<Vec<Note>, RecordsError> {
        self.notes("segment = ?1 AND (entry IS NULL OR kind = 'deleted')", &segment.0)
    }

    fn notes(&self, condition: &str, key: &dyn rusqlite::ToSql) -> Result<Vec<Note>, RecordsError> {
        let sql = format!(
            "SELECT segment, entry, at, who, kind, text FROM log_note WHERE {condition} ORDER BY number"
        );
        let mut statement = self.connection.prepare(&sql).map_err(|error| reading(&error))?;
        let mut rows = statement.query([key]).map_err(|error| reading(&error))?;
        let mut notes = Vec::new();
        while let Some(row) = rows.next().map_err(|error| reading(&error))? {
            let (segment, entry, at, who, kind, text): (String, Option<i64>, String, String, String, String) =
                row.try_into().map_err(|error| reading(&error))?;
            let damaged = |what: &str| RecordsError::Surroundings {
                is_write: false,
                reason: format!("it is damaged: a note has the {what}"),
            };
            notes.push(Note {
                segment: SegmentNo(segment),
                entry: entry.map(EntryNo),
                at: at.parse::<Timestamp>().map_err(|_| damaged(&format!("time `{at}`")))?,
                who,
                kind: NoteKind::parse(&kind).ok_or_else(|| damaged(&format!("kind `{kind}`")))?,
                text,
            });
        }
        Ok(notes)
    }

    /// Finds the run of a logged segment, and tells whether the segment as a whole is cancelled.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn logged_standing(&self, segment: &SegmentNo) -> Result<Option<(RunNo, bool)>, RecordsError> {
        self.connection
            .query_row(
                "SELECT run, is_cancelled FROM logged_segment WHERE segment = ?1",
                [&segment.0],
                |row| Ok((RunNo(row.get(0)?), row.get(1)?)),
            )
            .optional()
            .map_err(|error| reading(&error))
    }

    /// Sets the cancel flag of a logged segment, and tells whether it was another one. Those of its entries stay.
    ///
    /// # Errors
    ///
    /// A database that cannot be written.
    pub fn cancel_segment(&mut self, segment: &SegmentNo, cancel: Cancel) -> Result<bool, RecordsError> {
        self.connection
            .execute(
                "UPDATE logged_segment SET is_cancelled = ?2 WHERE segment = ?1 AND is_cancelled <> ?2",
                params![segment.0, cancel.flag()],
            )
            .map(|n_rows| n_rows > 0)
            .map_err(|error| writing(&error))
    }

    /// Sets the cancel flags of entries, and returns those that had another one.
    ///
    /// # Errors
    ///
    /// A database that cannot be written.
    pub fn cancel_entries(
        &mut self,
        entries: &[EntryNo],
        cancel: Cancel,
    ) -> Result<Vec<EntryNo>, RecordsError> {
        let mut changed = Vec::new();
        for entry in entries {
            let n_rows = self
                .connection
                .execute(
                    "UPDATE interaction_log_entry SET is_cancelled = ?2 WHERE entry = ?1 AND is_cancelled <> ?2",
                    params![entry.0, cancel.flag()],
                )
                .map_err(|error| writing(&error))?;
            if n_rows > 0 {
                changed.push(*entry);
            }
        }
        self.sum_runs_of(&changed)?;
        Ok(changed)
    }

    /// Sets how a contact took an interaction.
    ///
    /// # Errors
    ///
    /// A database that cannot be written.
    pub fn evaluate(&mut self, entry: EntryNo, evaluation: Evaluation) -> Result<(), RecordsError> {
        self.connection
            .execute(
                "UPDATE interaction_log_entry SET evaluation = ?2 WHERE entry = ?1",
                params![entry.0, evaluation.as_str()],
            )
            .map(|_| ())
            .map_err(|error| writing(&error))
    }

    /// Deletes entries, with their attempts and notes. The caller has made sure that they are cancelled.
    ///
    /// # Errors
    ///
    /// A database that cannot be written.
    pub fn delete_entries(&mut self, entries: &[EntryNo]) -> Result<(), RecordsError> {
        let runs = self.runs_of(entries)?;
        for entry in entries {
            self.delete_where("= ?1", entry.0)?;
        }
        runs.iter().try_for_each(|run| self.sum_run(*run))
    }

    /// Deletes a logged segment: its entries, their attempts and notes, and the documents that nothing else uses. Its
    /// number stays taken. The caller has made sure that it is cancelled.
    ///
    /// # Errors
    ///
    /// A database that cannot be written.
    pub fn delete_logged(&mut self, segment: &SegmentNo, run: RunNo) -> Result<u64, RecordsError> {
        let delete =
            |sql: &str| self.connection.execute(sql, [run.0]).map(|_| ()).map_err(|error| writing(&error));
        let n_entries = self
            .connection
            .query_row("SELECT count(*) FROM interaction_log_entry WHERE run = ?1", [run.0], |row| row.get(0))
            .map_err(|error| reading(&error))?;
        delete(
            "CREATE TEMP TABLE IF NOT EXISTS document_of_run AS
             SELECT digest FROM attachment WHERE EXISTS (SELECT 1 FROM run_document
                 WHERE run = ?1 AND (attachment = digest OR instr(document, digest)))",
        )?;
        self.delete_where("IN (SELECT entry FROM interaction_log_entry WHERE run = ?1)", run.0)?;
        for table in ["log_sum", "run_document", "seed_attempt", "logged_segment"] {
            delete(&format!("DELETE FROM {table} WHERE run = ?1"))?;
        }
        // What the run was about is personal, too; what stays is that there was one of this number.
        delete("UPDATE run SET options = json_set(options, '$.description', '') WHERE no = ?1")?;
        self.connection
            .execute("DELETE FROM log_note WHERE segment = ?1", [&segment.0])
            .and_then(|_| {
                let sql = format!(
                    "DELETE FROM attachment WHERE digest IN (SELECT digest FROM temp.document_of_run) AND {}",
                    is_unused()
                );
                self.connection.execute(&sql, [])
            })
            .and_then(|_| self.connection.execute("DROP TABLE temp.document_of_run", []))
            .map(|_| n_entries)
            .map_err(|error| writing(&error))
    }

    /// Deletes the entries whose number is such, and all that hangs on them.
    pub(super) fn delete_where(&self, which: &str, key: i64) -> Result<usize, RecordsError> {
        let run = |sql: &str| {
            self.connection.execute(&sql.replace("{which}", which), [key]).map_err(|error| writing(&error))
        };
        run("UPDATE suppression SET entry = NULL WHERE entry {which}")?;
        run("UPDATE seed_attempt SET entry = NULL WHERE entry {which}")?;
        run("DELETE FROM attempt WHERE entry {which}")?;
        run("DELETE FROM bounce WHERE entry {which}")?;
        run("DELETE FROM log_note WHERE entry {which}")?;
        run("DELETE FROM interaction_log_entry WHERE entry {which}")
    }
}
