//! Owns attempts in the database: each is a row, begun before its first byte leaves and ended by what came of it.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Statement, params};
use serde::Serialize;

use super::{Database, reading, writing};
use crate::delivery::outcome::{Deferral, Outcome, Reply};
use crate::interaction::{EntryNo, RunNo, State};
use crate::run::attempt::{AttemptChange, AttemptStep, PastAttempt, Server};
use crate::run::journal::InDoubt;
use crate::run::records::RecordsError;
use crate::run::retry::Next;

/// An attempt, as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each field is the documented column of its name")]
pub struct AttemptRow {
    pub number: i64,
    pub began_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub server: String,
    pub state: String,
    pub reason: String,
    pub reply_code: Option<i64>,
    pub reply_status: String,
    pub reply_text: String,
}

const BEGIN_ENTRY: &str = "UPDATE interaction_log_entry SET state = 'sending', reason = '', n_attempts = ?3, \
     n_tries = n_tries + 1, due_at = NULL, reply_code = NULL, reply_status = '', reply_text = '' \
     WHERE entry = ?1 AND run = ?2 AND (state = 'planned' OR state = 'merged' OR state = 'deferred') \
       AND n_attempts = ?3 - 1";

const BEGIN_ATTEMPT: &str = "INSERT INTO attempt (entry, number, began_at, server, domain, state) VALUES (?1, ?2, ?3, ?4, ?5, 'sending')";

const END_ENTRY: &str = "UPDATE interaction_log_entry SET state = ?4, reason = ?5, due_at = ?6, reply_code = ?7, \
     reply_status = ?8, reply_text = ?9 \
     WHERE entry = ?1 AND run = ?2 AND state = 'sending' AND n_attempts = ?3";

const END_ATTEMPT: &str = "UPDATE attempt SET ended_at = ?3, state = ?4, reason = ?5, reply_code = ?6, \
     reply_status = ?7, reply_text = ?8 WHERE entry = ?1 AND number = ?2 AND state = 'sending'";

impl Database {
    pub(super) fn record_attempt_steps(
        &mut self,
        run: RunNo,
        server: &Server<'_>,
        steps: &[AttemptStep<'_>],
    ) -> Result<(), RecordsError> {
        let transaction = self.connection.transaction().map_err(|error| writing(&error))?;
        {
            let prepare = |sql| transaction.prepare_cached(sql).map_err(|error| writing(&error));
            let (mut begin_entry, mut begin_attempt) = (prepare(BEGIN_ENTRY)?, prepare(BEGIN_ATTEMPT)?);
            let (mut end_entry, mut end_attempt) = (prepare(END_ENTRY)?, prepare(END_ATTEMPT)?);
            let at = server.now.as_millisecond();
            for AttemptStep { entry, number, change } in steps {
                match change {
                    AttemptChange::Begun { domain } => {
                        one(&mut begin_entry, *entry, params![entry.0, run.0, number])?;
                        let row = params![entry.0, number, at, server.name, domain];
                        one(&mut begin_attempt, *entry, row)?;
                    }
                    AttemptChange::Ended { outcome, next } => {
                        let ended = Ended::of(outcome);
                        let (state, reason, due_at) = ended.and_then(*next, *number);
                        let status = ended.status();
                        let (code, text) = (ended.reply.map(|reply| reply.code), ended.text());
                        let row = params![
                            entry.0,
                            run.0,
                            number,
                            state.as_str(),
                            reason,
                            due_at,
                            code,
                            status,
                            text
                        ];
                        one(&mut end_entry, *entry, row)?;
                        let state = ended.state.as_str();
                        let row = params![entry.0, number, at, state, ended.reason, code, status, text];
                        one(&mut end_attempt, *entry, row)?;
                    }
                }
            }
        }
        transaction.commit().map_err(|error| writing(&error))
    }

    pub(super) fn next_due_at(&mut self, run: RunNo) -> Result<Option<Timestamp>, RecordsError> {
        let due: Option<i64> = self
            .connection
            .query_row(
                "SELECT min(due_at) FROM interaction_log_entry WHERE run = ?1 AND state = 'deferred'",
                [run.0],
                |row| row.get(0),
            )
            .map_err(|error| reading(&error))?;
        Ok(due.map(moment))
    }

    pub(super) fn attempts_since(&mut self, since: Timestamp) -> Result<Vec<PastAttempt>, RecordsError> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT coalesce(ended_at, began_at), domain, began_at FROM attempt
                 WHERE began_at >= ?1 AND server <> 'user'
                 UNION ALL SELECT coalesce(ended_at, began_at), domain, began_at FROM seed_attempt
                 WHERE began_at >= ?1 AND server NOT IN ('', 'user')
                 ORDER BY 3",
            )
            .map_err(|error| reading(&error))?;
        let rows = statement
            .query_map([since.as_millisecond()], |row| {
                Ok(PastAttempt { at: moment(row.get(0)?), domain: row.get(1)? })
            })
            .map_err(|error| reading(&error))?;
        rows.collect::<Result<_, _>>().map_err(|error| reading(&error))
    }

    pub(super) fn count_messages(&mut self, run: RunNo) -> Result<u64, RecordsError> {
        self.connection
            .query_row(
                "SELECT count(*) FROM interaction_log_entry WHERE run = ?1 AND letter IS NOT NULL
                 AND state IN ('planned', 'merged', 'deferred') AND correspondence_type IN ('email', 'fax')",
                [run.0],
                |row| row.get(0),
            )
            .map_err(|error| reading(&error))
    }

    /// What was being sent is in doubt; then what is in doubt becomes what the user decided.
    pub(super) fn settle_in_doubt(
        &mut self,
        run: RunNo,
        in_doubt: InDoubt,
        now: Timestamp,
    ) -> Result<(), RecordsError> {
        let transaction = self.connection.transaction().map_err(|error| writing(&error))?;
        let settle = |sql: &str| transaction.execute(sql, params![run.0, now.as_millisecond()]);
        let interrupted = "'the run was interrupted while the message was being sent'";
        let settled = settle(&format!(
            "UPDATE attempt SET state = 'in-doubt', reason = {interrupted}, ended_at = ?2
             WHERE state = 'sending' AND entry IN
                   (SELECT entry FROM interaction_log_entry WHERE run = ?1 AND state = 'sending')"
        ))
        .and_then(|_| {
            settle(&format!(
                "UPDATE interaction_log_entry SET state = 'in-doubt', reason = {interrupted}
                 WHERE run = ?1 AND state = 'sending' AND ?2 IS NOT NULL"
            ))
        })
        .and_then(|_| {
            settle(&format!(
                "UPDATE seed_attempt SET state = 'in-doubt', reason = {interrupted}, ended_at = ?2
                 WHERE run = ?1 AND state = 'sending'"
            ))
        })
        .and_then(|_| match in_doubt {
            InDoubt::Hold => Ok(0),
            InDoubt::Resend => settle(
                "UPDATE interaction_log_entry SET state = 'planned', reason = '', n_tries = 0
                 WHERE run = ?1 AND state = 'in-doubt' AND ?2 IS NOT NULL",
            ),
            InDoubt::AssumeSent => settle(
                "INSERT INTO attempt (entry, number, began_at, ended_at, server, domain, state, reason)
                 SELECT entry, n_attempts + 1, ?2, ?2, 'user', '', 'accepted', 'assumed to have been sent'
                 FROM interaction_log_entry WHERE run = ?1 AND state = 'in-doubt'",
            )
            .and_then(|_| {
                settle(
                    "UPDATE interaction_log_entry SET state = 'accepted', reason = 'assumed to have been sent',
                     n_attempts = n_attempts + 1
                     WHERE run = ?1 AND state = 'in-doubt' AND ?2 IS NOT NULL",
                )
            }),
        })
        .and_then(|_| {
            settle(
                "UPDATE run SET is_logged = 0 WHERE no = ?1 AND ?2 IS NOT NULL AND EXISTS
                 (SELECT 1 FROM interaction_log_entry WHERE run = ?1 AND state = 'planned')",
            )
        });
        settled.and_then(|_| transaction.commit()).map_err(|error| writing(&error))
    }

    pub(super) fn plan_entry_again(&mut self, entry: EntryNo) -> Result<(), RecordsError> {
        let run: Option<i64> = self
            .connection
            .query_row(
                "UPDATE interaction_log_entry SET state = 'planned', reason = '', n_tries = 0, due_at = NULL
                 WHERE entry = ?1 AND letter IS NOT NULL
                   AND state IN ('accepted', 'rejected', 'failed', 'in-doubt', 'written', 'deferred')
                 RETURNING run",
                [entry.0],
                |row| row.get(0),
            )
            .optional()
            .map_err(|error| writing(&error))?;
        let Some(run) = run else { return Err(RecordsError::Stranger { entry: entry.0 }) };
        self.connection
            .execute("UPDATE run SET is_logged = 0 WHERE no = ?1", [run])
            .map(|_| ())
            .map_err(|error| writing(&error))
    }

    /// Lists the attempts of an entry, the oldest first.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn attempts(&self, entry: EntryNo) -> Result<Vec<AttemptRow>, RecordsError> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT number, began_at, ended_at, server, state, reason, reply_code, reply_status, reply_text
                 FROM attempt WHERE entry = ?1 ORDER BY number",
            )
            .map_err(|error| reading(&error))?;
        let rows = statement
            .query_map([entry.0], |row| {
                Ok(AttemptRow {
                    number: row.get(0)?,
                    began_at: moment(row.get(1)?),
                    ended_at: row.get::<_, Option<i64>>(2)?.map(moment),
                    server: row.get(3)?,
                    state: row.get(4)?,
                    reason: row.get(5)?,
                    reply_code: row.get(6)?,
                    reply_status: row.get(7)?,
                    reply_text: row.get(8)?,
                })
            })
            .map_err(|error| reading(&error))?;
        rows.collect::<Result<_, _>>().map_err(|error| reading(&error))
    }
}

/// Changes one row; another number of rows means that somebody else was here.
fn one(
    statement: &mut Statement<'_>,
    entry: EntryNo,
    row: &[&dyn rusqlite::ToSql],
) -> Result<(), RecordsError> {
    match statement.execute(row).map_err(|error| writing(&error))? {
        1 => Ok(()),
        _ => Err(RecordsError::Stranger { entry: entry.0 }),
    }
}

pub(super) fn moment(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or_default()
}

/// An outcome as columns.
pub(super) struct Ended<'a> {
    pub(super) state: State,
    pub(super) reason: &'a str,
    pub(super) reply: Option<&'a Reply>,
}

impl<'a> Ended<'a> {
    pub(super) fn of(outcome: &'a Outcome) -> Ended<'a> {
        let (reason, reply) = match outcome {
            Outcome::Accepted { reply }
            | Outcome::Rejected { reply }
            | Outcome::Deferred { cause: Deferral::Reply(reply) } => ("", Some(reply)),
            Outcome::Deferred { cause: Deferral::Lost { observed } } | Outcome::InDoubt { observed } => {
                (observed.as_str(), None)
            }
            Outcome::Failed { reason } => (reason.as_str(), None),
            Outcome::Written { .. } => ("", None),
        };
        Ended { state: outcome.state(), reason, reply }
    }

    /// State and reason when it is known what comes next, and when that is due.
    pub(super) fn and_then(&self, next: Option<Next>, n_attempts: u32) -> (State, String, Option<i64>) {
        match next {
            Some(Next::Due(due)) => (self.state, self.reason.to_owned(), Some(due.as_millisecond())),
            Some(Next::GivenUp) => (self.given_up(), self.given_up_after(n_attempts), None),
            None => (self.state, self.reason.to_owned(), None),
        }
    }

    /// What a deferred message becomes when its retries are used up: the server's last word decides.
    fn given_up(&self) -> State {
        if self.reply.is_some() { State::Rejected } else { State::Failed }
    }

    fn given_up_after(&self, n_attempts: u32) -> String {
        let attempts = if n_attempts == 1 { "attempt" } else { "attempts" };
        match self.reason {
            "" => format!("given up after {n_attempts} {attempts}"),
            reason => format!("given up after {n_attempts} {attempts}: {reason}"),
        }
    }

    pub(super) fn status(&self) -> String {
        self.reply.and_then(|reply| reply.enhanced).map(|status| status.to_string()).unwrap_or_default()
    }

    pub(super) fn text(&self) -> &'a str {
        self.reply.map_or("", |reply| reply.text.as_str())
    }
}
