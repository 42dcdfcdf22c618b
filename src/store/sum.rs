//! Owns the sums of the log: the entries of each run counted by what statistics ask for, and the statistics.
//!
//! Sums are made when a run is archived and made again when an entry of it changes, so that a question about millions
//! of entries reads a few rows for each run. They stay when entries are deleted for their age: the accounting stays.

use std::collections::BTreeMap;

use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension, Row, params};

use super::journal::state_of;
use super::{Database, reading, writing};
use crate::interaction::statistics::{Slice, StatisticsBy, StatisticsFilter};
use crate::interaction::{EntryNo, RunNo};
use crate::run::records::RecordsError;

/// What entries are counted by, in the order of the columns of `log_sum`.
const COUNTED_BY: &str = "campaign, template, interaction_group, salesperson, date, state, ifnull(unit_cost, ''), \
     ifnull(unit_duration, ''), campaign_target, campaign_response, is_cancelled";
/// How many of these are text; the others are numbers.
const N_TEXTS: usize = 8;
const N_COLUMNS: usize = 11;

impl Database {
    /// Counts the entries of a logged run anew. A run of which entries were deleted for their age keeps its sums.
    pub(super) fn sum_run(&mut self, run: RunNo) -> Result<(), RecordsError> {
        let is_whole: Option<bool> = self
            .connection
            .query_row("SELECT NOT is_thinned FROM logged_segment WHERE run = ?1", [run.0], |row| row.get(0))
            .optional()
            .map_err(|error| reading(&error))?;
        if is_whole != Some(true) {
            return Ok(());
        }
        let sums = self.counted(run)?;
        self.connection
            .execute("DELETE FROM log_sum WHERE run = ?1", [run.0])
            .map_err(|error| writing(&error))?;
        let mut statement = self
            .connection
            .prepare_cached(
                "INSERT INTO log_sum VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            )
            .map_err(|error| writing(&error))?;
        for ((texts, numbers), n_entries) in &sums {
            let [campaign, template, group, salesperson, date, state, cost, duration] = texts;
            let [target, response, cancelled] = numbers;
            statement
                .execute(params![
                    run.0,
                    campaign,
                    template,
                    group,
                    salesperson,
                    date,
                    state,
                    cost,
                    duration,
                    target,
                    response,
                    cancelled,
                    n_entries
                ])
                .map_err(|error| writing(&error))?;
        }
        Ok(())
    }

    /// Counts the entries of a run. It is done here since SQLite would sort them all.
    fn counted(&self, run: RunNo) -> Result<Vec<(Key, i64)>, RecordsError> {
        let sql = format!("SELECT {COUNTED_BY} FROM interaction_log_entry WHERE run = ?1");
        let mut statement = self.connection.prepare_cached(&sql).map_err(|error| reading(&error))?;
        let mut rows = statement.query([run.0]).map_err(|error| reading(&error))?;
        let mut sums: Vec<(Key, i64)> = Vec::new();
        let mut positions: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        let (mut packed, mut last, mut position) = (Vec::new(), Vec::new(), 0);
        while let Some(row) = rows.next().map_err(|error| reading(&error))? {
            packed.clear();
            for column in 0..N_COLUMNS {
                match row.get_ref(column).map_err(|error| reading(&error))? {
                    ValueRef::Text(text) => packed.extend_from_slice(text),
                    ValueRef::Integer(number) => packed.extend_from_slice(&number.to_le_bytes()),
                    ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => {}
                }
                packed.push(0);
            }
            if packed != last || sums.is_empty() {
                position = match positions.get(&packed) {
                    Some(position) => *position,
                    None => {
                        sums.push((key(row).map_err(|error| reading(&error))?, 0));
                        positions.insert(packed.clone(), sums.len() - 1);
                        sums.len() - 1
                    }
                };
                last.clone_from(&packed);
            }
            sums[position].1 += 1; // a position of `positions` is one of `sums`
        }
        Ok(sums)
    }

    pub(super) fn runs_of(&self, entries: &[EntryNo]) -> Result<Vec<RunNo>, RecordsError> {
        let mut runs = Vec::new();
        for entry in entries {
            let sql = "SELECT run FROM interaction_log_entry WHERE entry = ?1";
            let run = self
                .connection
                .query_row(sql, [entry.0], |row| Ok(RunNo(row.get(0)?)))
                .optional()
                .map_err(|error| reading(&error))?;
            runs.extend(run.filter(|run| !runs.contains(run)));
        }
        Ok(runs)
    }

    pub(super) fn sum_runs_of(&mut self, entries: &[EntryNo]) -> Result<(), RecordsError> {
        self.runs_of(entries)?.into_iter().try_for_each(|run| self.sum_run(run))
    }

    /// Hands what statistics are made of to `take`, in the order of the keys.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn each_slice(
        &self,
        by: StatisticsBy,
        filter: &StatisticsFilter,
        take: &mut dyn FnMut(&Slice),
    ) -> Result<(), RecordsError> {
        let key = match by {
            StatisticsBy::Campaign => "s.campaign",
            StatisticsBy::Template => "s.template",
            StatisticsBy::Group => "s.interaction_group",
            StatisticsBy::Salesperson => "s.salesperson",
            StatisticsBy::Contact => "s.contact",
        };
        // Contacts are not among the sums: there are as many as entries.
        let (counted, of) = match by {
            StatisticsBy::Contact => ("count(*)", "interaction_log_entry"),
            StatisticsBy::Campaign
            | StatisticsBy::Template
            | StatisticsBy::Group
            | StatisticsBy::Salesperson => ("sum(s.n_entries)", "log_sum"),
        };
        let sql = format!(
            "SELECT {key}, s.state, s.campaign_target, s.campaign_response, ifnull(s.unit_cost, ''),
                    ifnull(s.unit_duration, ''), {counted}
             FROM {of} AS s CROSS JOIN logged_segment AS l ON l.run = s.run
             WHERE NOT s.is_cancelled AND NOT l.is_cancelled AND {key} <> ''
               AND (?1 IS NULL OR s.date >= ?1) AND (?2 IS NULL OR s.date <= ?2) AND (?3 IS NULL OR {key} = ?3)
             GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1"
        );
        // One key is looked up by its index; a question of all keys has no condition on it.
        let sql = match &filter.key {
            Some(_) => sql.replace("(?3 IS NULL OR ", "(").replace("ORDER BY 1", ""),
            None => sql,
        };
        let mut statement = self.connection.prepare(&sql).map_err(|error| reading(&error))?;
        let (from, to) = (filter.from.map(|date| date.to_string()), filter.to.map(|date| date.to_string()));
        let mut rows = statement.query(params![from, to, filter.key]).map_err(|error| reading(&error))?;
        while let Some(row) = rows.next().map_err(|error| reading(&error))? {
            take(&slice(row)?);
        }
        Ok(())
    }
}

type Key = ([String; N_TEXTS], [i64; N_COLUMNS - N_TEXTS]);

fn key(row: &Row<'_>) -> rusqlite::Result<Key> {
    let mut texts: [String; N_TEXTS] = Default::default();
    let mut numbers = [0; N_COLUMNS - N_TEXTS];
    for (column, text) in texts.iter_mut().enumerate() {
        *text = row.get(column)?;
    }
    for (column, number) in (N_TEXTS..).zip(&mut numbers) {
        *number = row.get(column)?;
    }
    Ok((texts, numbers))
}

fn slice(row: &Row<'_>) -> Result<Slice, RecordsError> {
    let (key, state, is_target, is_response, cost, duration, n_entries): (
        String,
        String,
        bool,
        bool,
        String,
        String,
        u64,
    ) = row.try_into().map_err(|error| reading(&error))?;
    let amount = |text: &str| match text {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| RecordsError::Surroundings {
            is_write: false,
            reason: format!("it is damaged: `{text}` is no amount"),
        }),
    };
    Ok(Slice {
        state: state_of(&state)?,
        is_target,
        is_response,
        unit_cost: amount(&cost)?,
        unit_duration: amount(&duration)?,
        n_entries,
        key,
    })
}
