//! Owns seeds in the database: which addresses of a run have their copy of its message, and every attempt to deliver it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::attempt::{Ended, moment};
use super::journal::{pending_of, state_of};
use super::{Database, from_json, reading, writing};
use crate::delivery::mailbox::Mailbox;
use crate::interaction::{RunNo, State};
use crate::run::attempt::{AttemptChange, Server, Tries};
use crate::run::journal::{Pending, SeedLine};
use crate::run::plan::RunOptions;
use crate::run::records::RecordsError;
use crate::run::seed::{Seed, SeedStep};

/// An e-mail whose message can be made again.
const IS_EMAIL: &str = "run = ?1 AND correspondence_type = 'email' AND letter IS NOT NULL";

/// What went out, or may have.
const WENT_OUT: &str = "state IN ('accepted', 'written', 'in-doubt')";

/// Nothing of the message was written for its contact alone.
const IS_FOR_ALL: &str = "'line' NOT IN (ifnull(json_extract(r.rules, '$.comment'), ''),
     ifnull(json_extract(r.rules, '$.document'), ''), ifnull(json_extract(r.rules, '$.subject'), ''))";

/// What was written for its contact alone, and not for all by the header.
const OWN_COMMENT: &str = "CASE json_extract(r.rules, '$.comment') WHEN 'line' THEN comment ELSE '' END";

/// An attempt begins where the last one was put off, or where there was none.
const BEGIN: &str = "INSERT INTO seed_attempt (run, address, number, entry, began_at, server, domain, state)
     SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, 'sending' WHERE NOT EXISTS
       (SELECT 1 FROM seed_attempt WHERE run = ?1 AND address = ?2 AND (number >= ?3 OR state <> 'deferred'))";

const END: &str = "UPDATE seed_attempt SET ended_at = ?4, state = ?5, reason = ?6, due_at = ?7, reply_code = ?8,
     reply_status = ?9, reply_text = ?10 WHERE run = ?1 AND address = ?2 AND number = ?3 AND state = 'sending'";

impl Database {
    pub(super) fn seeds_of(&mut self, run: RunNo) -> Result<Vec<Seed>, RecordsError> {
        let options = self.run_options(run)?;
        seeds_in(&self.connection, run, &options)
    }

    pub(super) fn seed_line_of(&mut self, run: RunNo) -> Result<Option<SeedLine>, RecordsError> {
        for which in [IS_FOR_ALL, "true"] {
            let sql = format!(
                "SELECT entry, line_no, contact, contact_name, correspondence_type, email, subject, file, letter,
                        0, 0, NULL, {OWN_COMMENT}, description
                 FROM interaction_log_entry AS e JOIN rule_set AS r ON r.id = e.rule_set
                 WHERE {IS_EMAIL} AND {WENT_OUT} AND {which} ORDER BY entry LIMIT 1"
            );
            let found = self
                .connection
                .query_row(&sql, [run.0], |row| Ok((pending_of(row)?, row.get(12)?, row.get(13)?)))
                .optional()
                .map_err(|error| reading(&error))?;
            if let Some(((pending, letter), comment, description)) = found {
                let line = Pending { letter: from_json(&letter)?, ..pending };
                return Ok(Some(SeedLine { line, comment, description }));
            }
        }
        Ok(None)
    }

    pub(super) fn count_seeds(&mut self, run: RunNo) -> Result<u64, RecordsError> {
        let n_open = self.seeds_of(run)?.iter().filter(|seed| !seed.state.is_final()).count() as u64;
        if n_open == 0 {
            return Ok(0);
        }
        let sql = format!(
            "SELECT EXISTS (SELECT 1 FROM interaction_log_entry WHERE {IS_EMAIL}
               AND ({WENT_OUT} OR state IN ('planned', 'merged', 'sending', 'deferred')))"
        );
        let has_message: bool =
            self.connection.query_row(&sql, [run.0], |row| row.get(0)).map_err(|error| reading(&error))?;
        Ok(if has_message { n_open } else { 0 })
    }

    pub(super) fn record_seed_steps(
        &mut self,
        run: RunNo,
        server: &Server<'_>,
        steps: &[SeedStep<'_>],
    ) -> Result<(), RecordsError> {
        let transaction = self.connection.transaction().map_err(|error| writing(&error))?;
        let at = server.now.as_millisecond();
        for SeedStep { address, number, entry, change } in steps {
            let n_rows = match change {
                AttemptChange::Begun { domain } => transaction
                    .execute(BEGIN, params![run.0, address, number, entry.0, at, server.name, domain]),
                AttemptChange::Ended { outcome, next } => {
                    let ended = Ended::of(outcome);
                    let (state, reason, due_at) = ended.and_then(*next, *number);
                    let (code, status) = (ended.reply.map(|reply| reply.code), ended.status());
                    let (state, text) = (state.as_str(), ended.text());
                    let row = params![run.0, address, number, at, state, reason, due_at, code, status, text];
                    transaction.execute(END, row)
                }
            };
            if n_rows.map_err(|error| writing(&error))? != 1 {
                return Err(RecordsError::SeedStranger { address: (*address).to_owned() });
            }
        }
        transaction.commit().map_err(|error| writing(&error))
    }
}

/// Reads the seeds of a run, in the order of its set-up, each with what its attempts came to.
pub(super) fn seeds_in(
    connection: &Connection,
    run: RunNo,
    options: &RunOptions,
) -> Result<Vec<Seed>, RecordsError> {
    let addresses = options.smtp.iter().flat_map(|smtp| &smtp.seeds);
    // Whoever has messages had them checked when the run was planned; without messages nobody asks for a wrong one.
    let mailboxes: Vec<Mailbox> = addresses.filter_map(|address| address.parse().ok()).collect();
    if mailboxes.is_empty() {
        return Ok(Vec::new());
    }
    let mut tried = attempts(connection, run)?;
    Ok(mailboxes
        .into_iter()
        .map(|mailbox| match tried.remove(mailbox.address().as_str()) {
            Some(seed) => Seed { mailbox, ..seed },
            None => Seed::planned(mailbox),
        })
        .collect())
}

/// Reads what the attempts for each address of a run came to; their mailboxes have no names yet.
fn attempts(connection: &Connection, run: RunNo) -> Result<BTreeMap<String, Seed>, RecordsError> {
    let mut statement = connection
        .prepare(
            "SELECT address, number, began_at, state, reason, due_at, reply_code, reply_status, reply_text
             FROM seed_attempt WHERE run = ?1 ORDER BY address, number",
        )
        .map_err(|error| reading(&error))?;
    let mut rows = statement.query([run.0]).map_err(|error| reading(&error))?;
    let mut seeds: BTreeMap<String, Seed> = BTreeMap::new();
    while let Some(row) = rows.next().map_err(|error| reading(&error))? {
        let (address, n_attempts, began_at, state, reason): (String, u32, i64, String, String) =
            (|| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))()
                .map_err(|error: rusqlite::Error| reading(&error))?;
        let (due_at, reply_code, reply_status, reply_text): (Option<i64>, _, _, _) =
            (|| Ok((row.get(5)?, row.get(6)?, row.get(7)?, row.get(8)?)))()
                .map_err(|error: rusqlite::Error| reading(&error))?;
        let Ok(mailbox) = address.parse::<Mailbox>() else { continue }; // it was one when it was written
        let first_at = seeds.get(&address).and_then(|seed| seed.tried.first_at).or(Some(moment(began_at)));
        let seed = Seed {
            mailbox,
            state: state_of(&state)?,
            reason,
            reply_code,
            reply_status,
            reply_text,
            due: due_at.map(moment),
            tried: Tries { n_attempts, n_tries: n_attempts, first_at },
        };
        seeds.insert(address, seed);
    }
    Ok(seeds)
}

/// Puts the copies of runs that go on in doubt, in a copy of the database: nobody who restores it can know whether they
/// were sent.
pub(super) fn doubt_open_seeds(
    connection: &Connection,
    (reason, now): (&str, Timestamp),
) -> Result<(), RecordsError> {
    let mut statement = connection
        .prepare("SELECT no, options FROM run WHERE NOT is_logged")
        .map_err(|error| reading(&error))?;
    let open: Vec<(i64, String)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .and_then(Iterator::collect)
        .map_err(|error| reading(&error))?;
    for (run, options) in open {
        for seed in seeds_in(connection, RunNo(run), &from_json(&options)?)? {
            if seed.state.is_final() {
                continue;
            }
            let number = match seed.state {
                State::Sending => seed.tried.n_attempts,
                _ => seed.tried.n_attempts + 1,
            };
            let (address, at) = (seed.mailbox.address(), now.as_millisecond());
            connection
                .execute(
                    "INSERT INTO seed_attempt (run, address, number, began_at, ended_at, server, domain, state, reason)
                     VALUES (?1, ?2, ?3, ?4, ?4, 'user', ?5, 'in-doubt', ?6)
                     ON CONFLICT DO UPDATE SET state = 'in-doubt', ended_at = ?4, reason = ?6",
                    params![run, address.as_str(), number, at, address.domain(), reason],
                )
                .map_err(|error| writing(&error))?;
        }
    }
    Ok(())
}
