//! Owns questions to the log: interaction log entries, logged segments, and the letter of an entry.

use rusqlite::{OptionalExtension, Row, params_from_iter};
use serde::Serialize;
use serde_json::Value as Json;

use super::{Database, from_json, reading};
use crate::interaction::{EntryNo, RunNo, State};
use crate::run::plan::PlannedLetter;
use crate::run::records::RecordsError;
use crate::segment::{LineNo, SegmentNo};

/// Which entries to list; `None` and an empty text are no condition.
#[derive(Clone, Debug, Default)]
pub struct LogFilter {
    /// In this state.
    pub state: Option<State>,
    /// Of this segment.
    pub segment: Option<SegmentNo>,
    /// Of this contact.
    pub contact: Option<String>,
}

/// An interaction log entry, as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each field is the documented column of its name")]
pub struct LogRow {
    pub entry: i64,
    pub run: i64,
    pub segment: String,
    pub line: i64,
    pub contact: String,
    pub contact_name: String,
    pub correspondence_type: String,
    pub state: String,
    pub reason: String,
    pub message_id: String,
    pub date: String,
    pub description: String,
    pub subject: String,
    pub language: String,
    pub template: String,
    pub salesperson: String,
    pub campaign: String,
    pub email: String,
    pub file: String,
    pub sha256: String,
    pub reply_code: Option<i64>,
    pub reply_status: String,
    pub reply_text: String,
}

/// A logged segment, as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each field is the documented column of its name")]
pub struct LoggedRow {
    pub segment: String,
    pub run: i64,
    pub description: String,
    pub logged_at: String,
    pub is_cancelled: bool,
    pub lines: i64,
}

/// An entry with what its letter is made of.
#[derive(Clone, Debug)]
pub struct LoggedLetter {
    /// The run.
    pub run: RunNo,
    /// The line.
    pub line_no: LineNo,
    /// The name of the file that was written.
    pub file: String,
    /// What the letter is made of; none where there was no letter.
    pub letter: Option<PlannedLetter>,
}

const COLUMNS: &str = "entry, run, segment, line_no, contact, contact_name, correspondence_type, state, reason, \
     message_id, date, description, subject, language, template, salesperson, campaign, email, file, file_sha256, \
     reply_code, reply_status, reply_text";

impl Database {
    /// Hands the entries of logged segments that pass the filter to `take`, in their order.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn each_entry(&self, filter: &LogFilter, take: &mut dyn FnMut(&LogRow)) -> Result<(), RecordsError> {
        // What is in doubt or put off is there to be acted on, before its run ends too.
        let of_logged = match filter.state {
            Some(State::InDoubt | State::Deferred | State::Sending) => "true",
            Some(_) | None => "run IN (SELECT run FROM logged_segment)",
        };
        let mut sql = format!("SELECT {COLUMNS} FROM interaction_log_entry WHERE {of_logged}");
        let mut values: Vec<String> = Vec::new();
        if let Some(state) = filter.state {
            sql.push_str(" AND state = ?");
            values.push(state.as_str().to_owned());
        }
        if let Some(segment) = &filter.segment {
            sql.push_str(" AND run = (SELECT no FROM run WHERE segment = ?)");
            values.push(segment.0.clone());
        }
        if let Some(contact) = &filter.contact {
            sql.push_str(" AND contact = ?");
            values.push(contact.clone());
        }
        sql.push_str(" ORDER BY entry");
        let mut statement = self.connection.prepare(&sql).map_err(|error| reading(&error))?;
        let rows = statement.query_map(params_from_iter(values), log_row).map_err(|error| reading(&error))?;
        for row in rows {
            take(&row.map_err(|error| reading(&error))?);
        }
        Ok(())
    }

    /// Finds an entry, of a logged segment or of a run that goes on.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn log_row(&self, entry: EntryNo) -> Result<Option<LogRow>, RecordsError> {
        let sql = format!("SELECT {COLUMNS} FROM interaction_log_entry WHERE entry = ?1");
        self.connection.query_row(&sql, [entry.0], log_row).optional().map_err(|error| reading(&error))
    }

    /// Returns everything that an entry holds, by column, with the rules that decided its values.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn entry(&self, entry: EntryNo) -> Result<Option<Vec<(String, Json)>>, RecordsError> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT e.*, r.rules FROM interaction_log_entry AS e JOIN rule_set AS r ON r.id = e.rule_set
                 WHERE entry = ?1",
            )
            .map_err(|error| reading(&error))?;
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let fields = statement
            .query_row([entry.0], |row| {
                names
                    .iter()
                    .enumerate()
                    .map(|(position, name)| Ok((name.clone(), json_of(row, position)?)))
                    .collect()
            })
            .optional()
            .map_err(|error| reading(&error))?;
        Ok(fields)
    }

    /// Returns what the letter of an entry is made of.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn logged_letter(&self, entry: EntryNo) -> Result<Option<LoggedLetter>, RecordsError> {
        let found: Option<(i64, i64, String, Option<String>)> = self
            .connection
            .query_row(
                "SELECT run, line_no, file, letter FROM interaction_log_entry WHERE entry = ?1",
                [entry.0],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )
            .optional()
            .map_err(|error| reading(&error))?;
        let Some((run, line_no, file, letter)) = found else { return Ok(None) };
        let letter = letter.map(|letter| from_json(&letter)).transpose()?;
        Ok(Some(LoggedLetter { run: RunNo(run), line_no: LineNo(line_no.unsigned_abs()), file, letter }))
    }

    /// Lists the logged segments in the order in which they were logged.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn logged_segments(&self) -> Result<Vec<LoggedRow>, RecordsError> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT segment, run, description, logged_at, is_cancelled,
                        (SELECT count(*) FROM interaction_log_entry AS e WHERE e.run = l.run)
                 FROM logged_segment AS l ORDER BY run",
            )
            .map_err(|error| reading(&error))?;
        let rows = statement
            .query_map([], |row| {
                Ok(LoggedRow {
                    segment: row.get(0)?,
                    run: row.get(1)?,
                    description: row.get(2)?,
                    logged_at: row.get(3)?,
                    is_cancelled: row.get(4)?,
                    lines: row.get(5)?,
                })
            })
            .map_err(|error| reading(&error))?;
        rows.collect::<Result<_, _>>().map_err(|error| reading(&error))
    }

    /// Finds the run over a segment, logged or not.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn run_of(&self, segment: &SegmentNo) -> Result<Option<RunNo>, RecordsError> {
        self.connection
            .query_row("SELECT no FROM run WHERE segment = ?1", [&segment.0], |row| Ok(RunNo(row.get(0)?)))
            .optional()
            .map_err(|error| reading(&error))
    }
}

fn log_row(row: &Row<'_>) -> rusqlite::Result<LogRow> {
    Ok(LogRow {
        entry: row.get(0)?,
        run: row.get(1)?,
        segment: row.get(2)?,
        line: row.get(3)?,
        contact: row.get(4)?,
        contact_name: row.get(5)?,
        correspondence_type: row.get(6)?,
        state: row.get(7)?,
        reason: row.get(8)?,
        message_id: row.get(9)?,
        date: row.get(10)?,
        description: row.get(11)?,
        subject: row.get(12)?,
        language: row.get(13)?,
        template: row.get(14)?,
        salesperson: row.get(15)?,
        campaign: row.get(16)?,
        email: row.get(17)?,
        file: row.get(18)?,
        sha256: row.get(19)?,
        reply_code: row.get(20)?,
        reply_status: row.get(21)?,
        reply_text: row.get(22)?,
    })
}

fn json_of(row: &Row<'_>, position: usize) -> rusqlite::Result<Json> {
    use rusqlite::types::ValueRef;
    Ok(match row.get_ref(position)? {
        ValueRef::Null | ValueRef::Blob(_) => Json::Null,
        ValueRef::Integer(number) => Json::from(number),
        ValueRef::Real(number) => Json::from(number),
        ValueRef::Text(text) => Json::from(String::from_utf8_lossy(text).into_owned()),
    })
}
