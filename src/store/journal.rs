//! Owns the journal in the database: runs, their plans, the state of every line, and the archive.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{Database, from_json, reading, to_json, writing};
use crate::contact::{ContactNo, CorrespondenceType};
use crate::delivery::outcome::{Deferral, Outcome, Reply, WrittenFile};
use crate::delivery::{Change, Step};
use crate::interaction::rule::Rule;
use crate::interaction::{EntryNo, RunNo, State};
use crate::run::attempt::Tries;
use crate::run::follow_up::{FollowUpOrder, follow_up};
use crate::run::journal::{Counts, Pending, Which};
use crate::run::manifest::ManifestRow;
use crate::run::masters::ChangeError;
use crate::run::plan::{PlannedLetter, PlannedLine, RunDocument, RunOptions};
use crate::run::records::{Records, RecordsError};
use crate::run::selection::Entries;
use crate::segment::{LineNo, SegmentNo};

/// Stands for the digest of a file that is still to be written. It is as long as one, so that the row keeps its length
/// when the line is done, and no other row has to move.
pub(super) const NO_DIGEST_YET: &str = "0000000000000000000000000000000000000000000000000000000000000000";

impl Database {
    pub(super) fn put_run_row(&mut self, options: &RunOptions) -> Result<RunNo, RecordsError> {
        let json = to_json(options)?;
        self.connection
            .execute("INSERT INTO run (segment, options) VALUES (?1, ?2)", [&options.segment.0, &json])
            .map_err(|error| writing(&error))?;
        Ok(RunNo(self.connection.last_insert_rowid()))
    }

    pub(super) fn run_options(&mut self, run: RunNo) -> Result<RunOptions, RecordsError> {
        let json: String = self
            .connection
            .query_row("SELECT options FROM run WHERE no = ?1", [run.0], |row| row.get(0))
            .map_err(|error| reading(&error))?;
        from_json(&json)
    }

    pub(super) fn put_document_rows(
        &mut self,
        run: RunNo,
        documents: &[RunDocument],
    ) -> Result<(), RecordsError> {
        for (number, document) in documents.iter().enumerate() {
            let json = to_json(document)?;
            self.connection
                .execute(
                    "INSERT INTO run_document VALUES (?1, ?2, ?3, ?4)",
                    params![run.0, number, document.document.as_str(), json],
                )
                .map_err(|error| writing(&error))?;
        }
        Ok(())
    }

    pub(super) fn document_rows(&mut self, run: RunNo) -> Result<Vec<RunDocument>, RecordsError> {
        let mut statement = self
            .connection
            .prepare("SELECT document FROM run_document WHERE run = ?1 ORDER BY number")
            .map_err(|error| reading(&error))?;
        let texts =
            statement.query_map([run.0], |row| row.get::<_, String>(0)).map_err(|error| reading(&error))?;
        let mut documents = Vec::new();
        for text in texts {
            documents.push(from_json(&text.map_err(|error| reading(&error))?)?);
        }
        Ok(documents)
    }

    pub(super) fn put_entries(&mut self, run: RunNo, lines: &[PlannedLine]) -> Result<(), RecordsError> {
        let mut rule_sets: Vec<(Vec<(&'static str, Rule)>, i64)> = Vec::new();
        for PlannedLine { entry, letter, .. } in lines {
            let known = rule_sets.iter().find(|(rules, _)| *rules == entry.rules).map(|(_, id)| *id);
            let rule_set = match known {
                Some(id) => id,
                None => {
                    let id = self.rule_set(&entry.rules)?;
                    rule_sets.push((entry.rules.clone(), id));
                    id
                }
            };
            let letter = letter.as_ref().map(to_json).transpose()?;
            let mut statement = self
                .connection
                .prepare_cached(
                    "INSERT INTO interaction_log_entry (run, segment, line_no, contact, contact_name, company_no,
                     state, reason, correspondence_type, template, interaction_group, description, date, language,
                     subject, salesperson, campaign, unit_cost, unit_duration, information_flow, initiated_by,
                     campaign_target, campaign_response, evaluation, address_block, email, salutation_formal,
                     salutation_informal, comment, rule_set, attachment, letter, file, message_id, file_sha256)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
                     ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35)",
                )
                .map_err(|error| writing(&error))?;
            statement
                .execute(params![
                    run.0,
                    entry.segment.0,
                    i64::try_from(entry.line_no.0).unwrap_or(i64::MAX),
                    entry.contact.as_str(),
                    entry.contact_name,
                    entry.company_no,
                    entry.state.as_str(),
                    entry.reason,
                    entry.correspondence_type.map_or("", CorrespondenceType::as_str),
                    entry.template,
                    entry.group,
                    entry.description,
                    entry.date.to_string(),
                    entry.language,
                    entry.subject,
                    entry.salesperson,
                    entry.campaign,
                    entry.unit_cost.map(|cost| cost.to_string()),
                    entry.unit_duration.map(|duration| duration.to_string()),
                    entry.information_flow.map_or("", |flow| flow.as_str()),
                    entry.initiated_by.map_or("", |by| by.as_str()),
                    entry.campaign_target,
                    entry.campaign_response,
                    entry.evaluation.map_or("", |evaluation| evaluation.as_str()),
                    entry.address_block,
                    entry.email,
                    entry.salutation_formal,
                    entry.salutation_informal,
                    entry.comment,
                    rule_set,
                    entry.document.as_ref().map(|document| document.as_str()),
                    letter,
                    entry.file,
                    entry.message_id,
                    if letter.is_some() { NO_DIGEST_YET } else { "" },
                ])
                .map_err(|error| writing(&error))?;
        }
        Ok(())
    }

    fn rule_set(&self, rules: &[(&'static str, Rule)]) -> Result<i64, RecordsError> {
        let object: BTreeMap<_, _> = rules.iter().copied().collect();
        let json = to_json(&object)?;
        self.connection
            .query_row(
                "INSERT INTO rule_set (rules) VALUES (?1) ON CONFLICT (rules) DO UPDATE SET rules = rules RETURNING id",
                [json],
                |row| row.get(0),
            )
            .map_err(|error| writing(&error))
    }

    pub(super) fn open_runs(&mut self) -> Result<Vec<(RunNo, SegmentNo)>, RecordsError> {
        let mut statement = self
            .connection
            .prepare("SELECT no, segment FROM run WHERE NOT is_logged ORDER BY no")
            .map_err(|error| reading(&error))?;
        let runs = statement
            .query_map([], |row| Ok((RunNo(row.get(0)?), SegmentNo(row.get(1)?))))
            .map_err(|error| reading(&error))?;
        runs.collect::<Result<_, _>>().map_err(|error| reading(&error))
    }

    pub(super) fn pending_entries(
        &mut self,
        run: RunNo,
        which: Which,
        after: EntryNo,
        limit: usize,
    ) -> Result<Vec<Pending>, RecordsError> {
        // A run without a server has no deferred lines; one with a server asks for them when they are due.
        let (condition, now, latest) = match which {
            Which::All => ("state IN ('planned', 'merged', 'deferred')", None, None),
            Which::Letters => {
                ("state IN ('planned', 'merged') AND correspondence_type = 'hard-copy'", None, None)
            }
            Which::Messages => {
                ("state IN ('planned', 'merged') AND correspondence_type IN ('email', 'fax')", None, None)
            }
            Which::Due { now, latest } => (
                "state = 'deferred' AND (due_at <= ?4 OR due_at > ?5)",
                Some(now.as_millisecond()),
                Some(latest.as_millisecond()),
            ),
        };
        let sql = format!(
            "SELECT entry, line_no, contact, contact_name, correspondence_type, email, subject, file, letter,
                    n_attempts, n_tries, CASE WHEN n_tries > 0 THEN
                      (SELECT began_at FROM attempt WHERE attempt.entry = e.entry AND number = n_attempts - n_tries + 1)
                    END
             FROM interaction_log_entry AS e
             WHERE run = ?1 AND entry > ?2 AND {condition} AND letter IS NOT NULL AND (?4 IS NULL OR ?5 IS NOT NULL)
             ORDER BY entry LIMIT ?3"
        );
        let mut statement = self.connection.prepare_cached(&sql).map_err(|error| reading(&error))?;
        let mut rows = statement
            .query(params![run.0, after.0, i64::try_from(limit).unwrap_or(i64::MAX), now, latest])
            .map_err(|error| reading(&error))?;
        let mut pending = Vec::new();
        while let Some(row) = rows.next().map_err(|error| reading(&error))? {
            let (line, letter) = pending_of(row).map_err(|error| reading(&error))?;
            pending.push(Pending { letter: from_json(&letter)?, ..line });
        }
        self.mark_suppressed(&mut pending)?;
        Ok(pending)
    }

    pub(super) fn record_steps(&mut self, run: RunNo, steps: &[Step]) -> Result<(), RecordsError> {
        let transaction = self.connection.transaction().map_err(|error| writing(&error))?;
        {
            // Each state by itself: for a list in `IN`, SQLite makes a table for each line.
            let mut statement = transaction
                .prepare_cached(
                    "UPDATE interaction_log_entry SET state = ?3, reason = ?4, file_sha256 = ?5,
                     reply_code = ?6, reply_status = ?7, reply_text = ?8, enclosures = ?9
                     WHERE entry = ?1 AND run = ?2
                       AND (state = 'planned' OR state = 'merged' OR state = 'deferred' OR state = 'sending')",
                )
                .map_err(|error| writing(&error))?;
            for step in steps {
                let change = Recorded::of(&step.change);
                let entry = i64::try_from(step.line).unwrap_or(i64::MAX);
                let reply = change.reply;
                let n_rows = statement
                    .execute(params![
                        entry,
                        run.0,
                        change.state.as_str(),
                        change.reason,
                        change.sha256,
                        reply.map(|reply| reply.code),
                        reply
                            .and_then(|reply| reply.enhanced)
                            .map(|status| status.to_string())
                            .unwrap_or_default(),
                        reply.map_or("", |reply| reply.text.as_str()),
                        change.enclosures,
                    ])
                    .map_err(|error| writing(&error))?;
                if n_rows != 1 {
                    return Err(RecordsError::Stranger { entry });
                }
            }
        }
        transaction.commit().map_err(|error| writing(&error))
    }

    pub(super) fn count_states(&mut self, run: RunNo) -> Result<Counts, RecordsError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT state FROM interaction_log_entry WHERE run = ?1")
            .map_err(|error| reading(&error))?;
        let mut rows = statement.query([run.0]).map_err(|error| reading(&error))?;
        let mut counts = Counts::default();
        while let Some(row) = rows.next().map_err(|error| reading(&error))? {
            // Counted here, since SQLite would sort the lines by their state.
            let state = row.get_ref(0).map_err(|error| reading(&error))?;
            counts.add(state_of(state.as_str().unwrap_or_default())?, 1);
        }
        Ok(counts)
    }

    pub(super) fn manifest_rows(
        &mut self,
        run: RunNo,
        take: &mut dyn FnMut(&ManifestRow),
    ) -> Result<(), RecordsError> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT line_no, contact, contact_name, address_block, correspondence_type, file, file_sha256, state,
                        CASE WHEN file GLOB '*.pdf' THEN coalesce(json_extract(letter, '$.destination.country'), '')
                          ELSE '' END,
                        CASE WHEN file GLOB '*.pdf' THEN coalesce(json_extract(letter, '$.destination.post_code'), '')
                          ELSE '' END, reason,
                        is_cancelled OR EXISTS (SELECT 1 FROM logged_segment AS l WHERE l.run = ?1 AND l.is_cancelled),
                        language, enclosures
                 FROM interaction_log_entry WHERE run = ?1 ORDER BY entry", // the order of the lines, in which they were planned
            )
            .map_err(|error| reading(&error))?;
        let mut rows = statement.query([run.0]).map_err(|error| reading(&error))?;
        while let Some(row) = rows.next().map_err(|error| reading(&error))? {
            take(&manifest_row(row).map_err(|error| reading(&error))??);
        }
        Ok(())
    }

    pub(super) fn archive_run(&mut self, run: RunNo) -> Result<(), RecordsError> {
        let options = self.run_options(run)?;
        self.begin_draft()?;
        match self.archive_in_draft(run, &options) {
            Ok(()) => self.keep_draft(),
            Err(error) => {
                self.discard_draft()?;
                Err(error)
            }
        }
    }

    fn archive_in_draft(&mut self, run: RunNo, options: &RunOptions) -> Result<(), RecordsError> {
        let n_new = self
            .connection
            .execute(
                "INSERT INTO logged_segment (segment, run, description, logged_at, header)
                 SELECT no, ?1, ?2, ?3, header FROM segment WHERE no = ?4",
                params![run.0, options.description, options.now.to_string(), options.segment.0],
            )
            .map_err(|error| writing(&error))?;
        self.connection
            .execute("UPDATE run SET is_logged = 1 WHERE no = ?1", [run.0])
            .and_then(|_| delete_lines(&self.connection, &options.segment))
            .and_then(|_| self.connection.execute("DELETE FROM segment WHERE no = ?1", [&options.segment.0]))
            .map_err(|error| writing(&error))?;
        self.sum_run(run)?;
        match &options.follow_up {
            // A run that was opened again has its follow-up already.
            Some(first_no) if n_new > 0 => self.follow_logged(&options.segment, first_no),
            Some(_) | None => Ok(()),
        }
    }

    fn follow_logged(&mut self, logged: &SegmentNo, first_no: &str) -> Result<(), RecordsError> {
        let order = FollowUpOrder { logged, no: None, first_no, entries: Entries::Reached };
        match follow_up(self, &order) {
            Ok(_) => Ok(()),
            Err(ChangeError::Records(error)) => Err(error),
            // A segment that was just logged is there, and the next number is free.
            Err(error) => Err(RecordsError::Surroundings { is_write: true, reason: error.to_string() }),
        }
    }
}

/// Deletes the lines of a segment: all at once where there are no others, which is much less work.
fn delete_lines(connection: &Connection, segment: &SegmentNo) -> rusqlite::Result<usize> {
    let has_others: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM segment_line WHERE segment < ?1)
             OR EXISTS (SELECT 1 FROM segment_line WHERE segment > ?1)",
        [&segment.0],
        |row| row.get(0),
    )?;
    match has_others {
        true => connection.execute("DELETE FROM segment_line WHERE segment = ?1", [&segment.0]),
        false => connection.execute("DELETE FROM segment_line", []),
    }
}

/// A change as the columns of an entry have it.
struct Recorded<'a> {
    state: State,
    reason: &'a str,
    sha256: &'a str,
    enclosures: String,
    reply: Option<&'a Reply>,
}

impl<'a> Recorded<'a> {
    fn of(change: &'a Change) -> Recorded<'a> {
        let (reason, sha256, reply) = match change {
            Change::Sending => ("", "", None),
            Change::Done(Outcome::Written { sha256, .. }) => ("", sha256.as_str(), None),
            Change::Done(Outcome::Accepted { reply } | Outcome::Rejected { reply }) => ("", "", Some(reply)),
            Change::Done(Outcome::Deferred { cause: Deferral::Reply(reply) }) => ("", "", Some(reply)),
            Change::Done(Outcome::Deferred { cause: Deferral::Lost { observed } }) => {
                (observed.as_str(), "", None)
            }
            Change::Done(Outcome::InDoubt { observed }) => (observed.as_str(), "", None),
            Change::Done(Outcome::Failed { reason }) => (reason.as_str(), "", None),
            Change::Suppressed(reason) => (reason.logged(), "", None),
        };
        let state = match change {
            Change::Sending => State::Sending,
            Change::Done(outcome) => outcome.state(),
            Change::Suppressed(_) => State::Suppressed,
        };
        let enclosures = match change {
            Change::Done(Outcome::Written { enclosures, .. }) => enclosure_lines(enclosures),
            Change::Done(_) | Change::Sending | Change::Suppressed(_) => String::new(),
        };
        Recorded { state, reason, sha256, enclosures, reply }
    }
}

/// Writes the files of enclosures one a line, as `sha256sum` does.
fn enclosure_lines(files: &[WrittenFile]) -> String {
    let lines: Vec<String> = files.iter().map(|file| format!("{}  {}", file.sha256, file.name)).collect();
    lines.join("\n")
}

/// Reads such lines; the files are in `folder`.
pub(super) fn enclosures_of(lines: &str, folder: &str) -> Vec<WrittenFile> {
    let file = |(sha256, name): (&str, &str)| WrittenFile {
        name: format!("{folder}/{name}"),
        sha256: sha256.to_owned(),
    };
    lines.lines().filter_map(|line| line.split_once("  ")).map(file).collect()
}

/// Reads a pending line, all but its letter, which is returned as it stands.
pub(super) fn pending_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<(Pending, String)> {
    let kind: String = row.get(4)?;
    let pending = Pending {
        entry: EntryNo(row.get(0)?),
        line_no: LineNo(row.get::<_, i64>(1)?.unsigned_abs()),
        contact: ContactNo::from(row.get::<_, String>(2)?),
        contact_name: row.get(3)?,
        correspondence_type: CorrespondenceType::parse(&kind).unwrap_or(CorrespondenceType::HardCopy),
        email: row.get(5)?,
        subject: row.get(6)?,
        file: row.get(7)?,
        letter: PlannedLetter::default(),
        suppressed: None,
        tried: Tries {
            n_attempts: row.get(9)?,
            n_tries: row.get(10)?,
            first_at: row.get::<_, Option<i64>>(11)?.and_then(|at| Timestamp::from_millisecond(at).ok()),
        },
    };
    Ok((pending, row.get(8)?))
}

fn manifest_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Result<ManifestRow, RecordsError>> {
    let kind: String = row.get(4)?;
    let sha256: String = row.get(6)?;
    let name: String = row.get(5)?;
    let folder = if kind == CorrespondenceType::HardCopy.as_str() { "letters" } else { "outbox" };
    let state: String = row.get(7)?;
    let state = match state_of(&state) {
        Ok(state) => state,
        Err(error) => return Ok(Err(error)),
    };
    Ok(Ok(ManifestRow {
        line_no: LineNo(row.get::<_, i64>(0)?.unsigned_abs()),
        contact: row.get(1)?,
        name: row.get(2)?,
        address: row.get(3)?,
        file: if state == State::Written { format!("{folder}/{name}") } else { String::new() },
        sha256,
        enclosures: enclosures_of(row.get_ref(13)?.as_str()?, folder),
        state,
        country: row.get(8)?,
        post_code: row.get(9)?,
        reason: row.get(10)?,
        correspondence_type: CorrespondenceType::parse(&kind),
        is_cancelled: row.get(11)?,
        language: row.get(12)?,
    }))
}

pub(super) fn state_of(text: &str) -> Result<State, RecordsError> {
    text.parse().map_err(|error| RecordsError::Surroundings {
        is_write: false,
        reason: format!("it is damaged: {error}"),
    })
}
