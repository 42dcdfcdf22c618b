//! Owns what came back of our messages in the database, and what settles a message in doubt.

use jiff::Timestamp;
use rusqlite::{Row, params};
use serde::Serialize;
use uuid::Uuid;

use super::{Database, reading, writing};
use crate::delivery::bounce::{Reported, message_key};
use crate::delivery::evidence::Evidence;
use crate::interaction::{EntryNo, State};
use crate::run::records::RecordsError;

/// An entry whose message is known by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentEntry {
    /// The entry.
    pub entry: EntryNo,
    /// The UUID of its Message-ID.
    pub message: Uuid,
    /// The address that it went to.
    pub email: String,
}

/// What came back of an entry's message, as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each field is the documented column of its name")]
pub struct BounceRow {
    pub kind: String,
    pub status: String,
    pub recipient: String,
    pub diagnostic: String,
    pub at: String,
    pub report: String,
}

impl Database {
    /// Hands the entries that have a message to `take`: all, or those in a state.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn each_sent(
        &self,
        state: Option<State>,
        take: &mut dyn FnMut(SentEntry),
    ) -> Result<(), RecordsError> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT entry, message_id, email FROM interaction_log_entry
                 WHERE message_id <> '' AND (?1 = '' OR state = ?1) ORDER BY entry",
            )
            .map_err(|error| reading(&error))?;
        let mut rows = statement.query([state.map_or("", State::as_str)]).map_err(|error| reading(&error))?;
        while let Some(row) = rows.next().map_err(|error| reading(&error))? {
            let sent = sent_entry(row).map_err(|error| reading(&error))?;
            if let Some(sent) = sent {
                take(sent);
            }
        }
        Ok(())
    }

    /// Records what a report says of an entry's message, and tells whether that was not known yet.
    ///
    /// # Errors
    ///
    /// A database that cannot be written.
    pub fn record_bounce(
        &mut self,
        entry: EntryNo,
        of: ReportedIn<'_>,
        reported: &Reported,
    ) -> Result<bool, RecordsError> {
        let n_rows = self
            .connection
            .execute(
                "INSERT INTO bounce VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
                params![
                    of.report,
                    i64::try_from(of.position).unwrap_or(i64::MAX),
                    entry.0,
                    reported.kind.as_str(),
                    reported.status.map(|status| status.to_string()).unwrap_or_default(),
                    reported.recipient,
                    reported.diagnostic,
                    of.at.to_string(),
                ],
            )
            .map_err(|error| writing(&error))?;
        Ok(n_rows == 1)
    }

    /// Lists what came back of an entry's message, the oldest first.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn bounces(&self, entry: EntryNo) -> Result<Vec<BounceRow>, RecordsError> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT kind, status, recipient, diagnostic, at, report FROM bounce
                 WHERE entry = ?1 ORDER BY at, report, position",
            )
            .map_err(|error| reading(&error))?;
        let rows = statement
            .query_map([entry.0], |row| {
                Ok(BounceRow {
                    kind: row.get(0)?,
                    status: row.get(1)?,
                    recipient: row.get(2)?,
                    diagnostic: row.get(3)?,
                    at: row.get(4)?,
                    report: row.get(5)?,
                })
            })
            .map_err(|error| reading(&error))?;
        rows.collect::<Result<_, _>>().map_err(|error| reading(&error))
    }

    /// Returns what SQLite finds wrong with the file; empty for a sound one.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn damage(&self) -> Result<Vec<String>, RecordsError> {
        let mut statement =
            self.connection.prepare("PRAGMA integrity_check(10)").map_err(|error| reading(&error))?;
        let rows = statement.query_map([], |row| row.get(0)).map_err(|error| reading(&error))?;
        let found: Vec<String> = rows.collect::<Result<_, _>>().map_err(|error| reading(&error))?;
        Ok(found.into_iter().filter(|line| line != "ok").collect())
    }

    /// Settles an entry in doubt by what a server wrote, as an attempt of its own, and tells whether it still was in
    /// doubt. The attempts before it stay as they are.
    ///
    /// # Errors
    ///
    /// A database that cannot be written.
    pub fn settle(&mut self, entry: EntryNo, word: &Evidence, now: Timestamp) -> Result<bool, RecordsError> {
        let state = if word.is_taken { State::Accepted } else { State::Rejected };
        let status = word.status.map(|status| status.to_string()).unwrap_or_default();
        let n_rows = self
            .connection
            .execute(
                "UPDATE interaction_log_entry SET state = ?2, reason = ?3, reply_code = ?4, reply_status = ?5,
                 reply_text = ?6, n_attempts = n_attempts + 1 WHERE entry = ?1 AND state = 'in-doubt'",
                params![entry.0, state.as_str(), word.source, word.code, status, word.text],
            )
            .map_err(|error| writing(&error))?;
        if n_rows != 1 {
            return Ok(false);
        }
        self.connection
            .execute(
                "INSERT INTO attempt (entry, number, began_at, ended_at, server, domain, state, reason, reply_code,
                 reply_status, reply_text)
                 SELECT entry, n_attempts, ?2, ?2, 'user', '', state, reason, reply_code, reply_status, reply_text
                 FROM interaction_log_entry WHERE entry = ?1",
                params![entry.0, now.as_millisecond()],
            )
            .map_err(|error| writing(&error))?;
        self.sum_runs_of(&[entry])?;
        Ok(true)
    }
}

/// Where something was reported.
#[derive(Clone, Copy, Debug)]
pub struct ReportedIn<'a> {
    /// The report's id.
    pub report: &'a str,
    /// The recipient's position within it, from 1.
    pub position: usize,
    /// When it was written.
    pub at: Timestamp,
}

fn sent_entry(row: &Row<'_>) -> rusqlite::Result<Option<SentEntry>> {
    let message: String = row.get(1)?;
    let Some(message) = message_key(&message) else { return Ok(None) };
    Ok(Some(SentEntry { entry: EntryNo(row.get(0)?), message, email: row.get(2)? }))
}
