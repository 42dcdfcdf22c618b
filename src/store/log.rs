//! Owns questions to the log: interaction log entries, logged segments, and the letter of an entry.

use jiff::civil::Date;
use rusqlite::{OptionalExtension, Row, params_from_iter};
use serde::Serialize;
use serde_json::Value as Json;

use super::journal::NO_DIGEST_YET;
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
    /// Of this campaign.
    pub campaign: Option<String>,
    /// Made by this interaction template.
    pub template: Option<String>,
    /// In the name of this salesperson.
    pub salesperson: Option<String>,
    /// Dated on this day or later.
    pub from: Option<Date>,
    /// Dated on this day or earlier.
    pub to: Option<Date>,
    /// Cancelled, by itself or with its segment.
    pub cancelled_only: bool,
    /// After this entry.
    pub after: i64,
    /// So many at most.
    pub limit: Option<u64>,
}

/// An interaction log entry, as lists show it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
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
    pub evaluation: String,
    pub is_cancelled: bool,
    pub is_segment_cancelled: bool,
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
    pub follows: String,
    pub campaigns: Vec<String>,
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

const COLUMNS: &str = "e.entry, e.run, e.segment, e.line_no, e.contact, e.contact_name, e.correspondence_type, \
     e.state, e.reason, e.message_id, e.date, e.description, e.subject, e.language, e.template, e.salesperson, \
     e.campaign, e.email, e.file, e.file_sha256, e.reply_code, e.reply_status, e.reply_text, e.evaluation, \
     e.is_cancelled, ifnull((SELECT l.is_cancelled FROM logged_segment AS l WHERE l.run = e.run), 0)";

impl Database {
    /// Hands the entries of logged segments that pass the filter to `take`, in their order.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn each_entry(&self, filter: &LogFilter, take: &mut dyn FnMut(&LogRow)) -> Result<(), RecordsError> {
        let (sql, values) = query(filter);
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
        let sql = format!("SELECT {COLUMNS} FROM interaction_log_entry AS e WHERE entry = ?1");
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

    /// Hands the logged segments to `take`, in the order in which they were logged: all, or those with entries of a
    /// campaign.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn each_logged(
        &self,
        campaign: Option<&str>,
        take: &mut dyn FnMut(&LoggedRow),
    ) -> Result<(), RecordsError> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT segment, run, description, logged_at, is_cancelled,
                        (SELECT ifnull(sum(n_entries), 0) FROM log_sum AS s WHERE s.run = l.run),
                        ifnull(json_extract(header, '$.follows'), ''),
                        (SELECT json_group_array(campaign) FROM (SELECT DISTINCT campaign FROM log_sum AS s
                         WHERE s.run = l.run AND campaign <> '' ORDER BY campaign))
                 FROM logged_segment AS l
                 WHERE ?1 IS NULL OR run IN (SELECT run FROM log_sum WHERE campaign = ?1) ORDER BY run",
            )
            .map_err(|error| reading(&error))?;
        let mut rows = statement.query([campaign]).map_err(|error| reading(&error))?;
        while let Some(row) = rows.next().map_err(|error| reading(&error))? {
            let campaigns: String = row.get(7).map_err(|error| reading(&error))?;
            let row = logged_row(row, from_json(&campaigns)?).map_err(|error| reading(&error))?;
            take(&row);
        }
        Ok(())
    }

    /// Returns the header of a logged segment as it was, a JSON object.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn logged_header(&self, segment: &SegmentNo) -> Result<Option<Json>, RecordsError> {
        let header: Option<String> = self
            .connection
            .query_row("SELECT header FROM logged_segment WHERE segment = ?1", [&segment.0], |row| row.get(0))
            .optional()
            .map_err(|error| reading(&error))?;
        header.map(|header| from_json(&header)).transpose()
    }

    /// Lists the campaign entries of a run: each campaign that it has entries of, and how many.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn campaign_entries(&self, run: RunNo) -> Result<Vec<(String, u64)>, RecordsError> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT campaign, sum(n_entries) FROM log_sum WHERE run = ?1 AND campaign <> ''
                 GROUP BY campaign ORDER BY campaign",
            )
            .map_err(|error| reading(&error))?;
        let rows = statement
            .query_map([run.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(|error| reading(&error))?;
        rows.collect::<Result<_, _>>().map_err(|error| reading(&error))
    }

    /// Lists the open segments that follow a logged one.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn followers(&self, logged: &SegmentNo) -> Result<Vec<SegmentNo>, RecordsError> {
        let mut statement = self
            .connection
            .prepare("SELECT no FROM segment WHERE json_extract(header, '$.follows') = ?1 ORDER BY no")
            .map_err(|error| reading(&error))?;
        let rows = statement
            .query_map([&logged.0], |row| Ok(SegmentNo(row.get(0)?)))
            .map_err(|error| reading(&error))?;
        rows.collect::<Result<_, _>>().map_err(|error| reading(&error))
    }

    /// Lists the logged runs that have entries in doubt, oldest first.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn runs_in_doubt(&self) -> Result<Vec<(RunNo, SegmentNo)>, RecordsError> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT no, segment FROM run WHERE is_logged AND no IN
                   (SELECT run FROM log_sum WHERE state = 'in-doubt' AND n_entries > 0) ORDER BY no",
            )
            .map_err(|error| reading(&error))?;
        let runs = statement
            .query_map([], |row| Ok((RunNo(row.get(0)?), SegmentNo(row.get(1)?))))
            .map_err(|error| reading(&error))?;
        runs.collect::<Result<_, _>>().map_err(|error| reading(&error))
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

fn logged_row(row: &Row<'_>, campaigns: Vec<String>) -> rusqlite::Result<LoggedRow> {
    Ok(LoggedRow {
        segment: row.get(0)?,
        run: row.get(1)?,
        description: row.get(2)?,
        logged_at: row.get(3)?,
        is_cancelled: row.get(4)?,
        lines: row.get(5)?,
        follows: row.get(6)?,
        campaigns,
    })
}

/// Returns the query for what passes a filter, and its values.
fn query(filter: &LogFilter) -> (String, Vec<String>) {
    // What is in doubt or put off is there to be acted on, before its run ends too.
    let of_logged = match filter.state {
        Some(State::InDoubt | State::Deferred | State::Sending) => "",
        Some(_) | None => " AND +e.run IN (SELECT run FROM logged_segment)", // tested, not looked up: the order is kept
    };
    let mut sql =
        format!("SELECT {COLUMNS} FROM interaction_log_entry AS e WHERE e.entry > {{floor}}{of_logged}");
    let mut values = vec![filter.after.to_string()];
    if let Some(state) = filter.state {
        sql.push_str(&format!(" AND e.state = '{state}'"));
    }
    let mut of_sums = Vec::new();
    let mut and = |condition: &str, value: String| {
        values.push(value);
        sql.push_str(&condition.replace("?1", &format!("?{}", values.len())));
        values.len()
    };
    if let Some(segment) = &filter.segment {
        and(" AND e.run = (SELECT no FROM run WHERE segment = ?1)", segment.0.clone());
    }
    if let Some(contact) = &filter.contact {
        and(" AND e.contact = ?1", contact.clone());
    }
    let of = [
        ("campaign", &filter.campaign),
        ("template", &filter.template),
        ("salesperson", &filter.salesperson),
    ];
    for (column, value) in of {
        if let Some(value) = value {
            let number = and(&format!(" AND e.{column} = ?1"), value.clone());
            of_sums.push(format!("{column} = ?{number}"));
        }
    }
    for (comparison, date) in [(">=", filter.from), ("<=", filter.to)] {
        if let Some(date) = date {
            let number = and(&format!(" AND e.date {comparison} ?1"), date.to_string());
            of_sums.push(format!("date {comparison} ?{number}"));
        }
    }
    // One bound, since SQLite begins to read at the first one only that it finds.
    let mut floors = vec!["0".to_owned(), "cast(?1 AS INTEGER)".to_owned()];
    // The sums tell which runs have entries of this kind at all; a run that is not logged has none yet.
    for condition in of_sums.iter().filter(|_| !of_logged.is_empty()) {
        sql.push_str(&of_runs(condition, filter));
        floors.push(before_first(condition));
    }
    if filter.cancelled_only {
        sql.push_str(" AND (e.is_cancelled OR e.run IN (SELECT run FROM logged_segment WHERE is_cancelled))");
    }
    sql.push_str(" ORDER BY e.entry");
    if let Some(limit) = filter.limit {
        sql.push_str(&format!(" LIMIT {limit}"));
    }
    (sql.replace("{floor}", &format!("max({})", floors.join(", "))), values)
}

/// Returns the condition that an entry is of a run of which the sums say that it has such entries at all.
///
/// A page is read in the order of the entries, so that runs are tested; a list without end finds them by their index.
fn of_runs(condition: &str, filter: &LogFilter) -> String {
    let tested = if filter.limit.is_some() { "+" } else { "" };
    format!(" AND {tested}e.run IN (SELECT run FROM log_sum WHERE {condition})")
}

/// Returns the entry before the first one of the first run that has such entries.
fn before_first(condition: &str) -> String {
    format!(
        "ifnull((SELECT min(entry) FROM interaction_log_entry WHERE run =
                 (SELECT min(run) FROM log_sum WHERE {condition})), 1) - 1"
    )
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
        sha256: digest_of(row.get(19)?),
        reply_code: row.get(20)?,
        reply_status: row.get(21)?,
        reply_text: row.get(22)?,
        evaluation: row.get(23)?,
        is_cancelled: row.get(24)?,
        is_segment_cancelled: row.get(25)?,
    })
}

/// Returns the digest of a file; empty where it is still to be written, or was sent.
fn digest_of(text: String) -> String {
    if text == NO_DIGEST_YET { String::new() } else { text }
}

fn json_of(row: &Row<'_>, position: usize) -> rusqlite::Result<Json> {
    use rusqlite::types::ValueRef;
    Ok(match row.get_ref(position)? {
        ValueRef::Null | ValueRef::Blob(_) => Json::Null,
        ValueRef::Integer(number) => Json::from(number),
        ValueRef::Real(number) => Json::from(number),
        ValueRef::Text(text) => Json::from(digest_of(String::from_utf8_lossy(text).into_owned())),
    })
}
