//! Owns the statistics command: what log entries come to, by campaign, template, group, salesperson or contact.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::civil::Date;

use super::DONE;
use super::options::Common;
use super::problem::Failure;
use super::terminal::{Terminal, table};
use crate::contact::table::{TableWriter, WriteError};
use crate::interaction::statistics::{Statistics, StatisticsBy, StatisticsFilter};
use crate::store::Database;

#[derive(Debug, Args)]
pub(super) struct Stats {
    /// By what
    by: By,
    /// This campaign, template, group, salesperson or contact only
    key: Option<String>,
    /// Entries dated on this day or later only
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// Entries dated on this day or earlier only
    #[arg(long, value_name = "DATE")]
    to: Option<Date>,
    /// Write a table (.csv, .xlsx)
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    Campaign,
    Template,
    Group,
    Salesperson,
    Contact,
}

/// What a table has, after the key.
const COLUMNS: [&str; 14] = [
    "entries",
    "targets",
    "responses",
    "response_rate",
    "cost",
    "duration",
    "accepted",
    "written",
    "log_only",
    "in_doubt",
    "rejected",
    "failed",
    "suppressed",
    "open",
];

pub(super) fn stats(common: &Common, stats: &Stats, terminal: &mut Terminal) -> Result<u8, Failure> {
    let by = match stats.by {
        By::Campaign => StatisticsBy::Campaign,
        By::Template => StatisticsBy::Template,
        By::Group => StatisticsBy::Group,
        By::Salesperson => StatisticsBy::Salesperson,
        By::Contact => StatisticsBy::Contact,
    };
    let filter = StatisticsFilter { from: stats.from, to: stats.to, key: stats.key.clone() };
    let database = Database::open_existing(&common.db)?;
    let mut data = terminal.data();
    let header: Vec<&str> = [by.as_str()].into_iter().chain(COLUMNS).collect();
    if let Some(path) = &stats.export {
        let mut table = TableWriter::create(path, &header)?;
        let mut written: Result<(), WriteError> = Ok(());
        each(&database, by, &filter, &mut |statistics| {
            if written.is_ok() {
                written = table.add(&cells(&statistics));
            }
        })?;
        written?;
        table.finish()?;
        return Ok(DONE);
    }
    let title = |name: &&str| {
        name.replace('_', " ").replace("response rate", "rate %").replace("duration", "minutes")
    };
    let mut rows = vec![header.iter().map(title).collect::<Vec<_>>()];
    each(&database, by, &filter, &mut |statistics| {
        if terminal.json {
            terminal.object(&mut data, &statistics);
        } else {
            rows.push(cells(&statistics));
            // Widths of pages of a table may differ; a million rows in memory may not be.
            if rows.len() == ROWS_PER_PAGE {
                table(&rows).iter().for_each(|line| data.line(line));
                rows.clear();
            }
        }
    })?;
    if !terminal.json {
        table(&rows).iter().for_each(|line| data.line(line));
    }
    Ok(DONE)
}

/// How many rows are laid out together.
const ROWS_PER_PAGE: usize = 10_000;

/// Hands the statistics of each key to `take`.
fn each(
    database: &Database,
    by: StatisticsBy,
    filter: &StatisticsFilter,
    take: &mut dyn FnMut(Statistics),
) -> Result<(), Failure> {
    let mut sum: Option<Statistics> = None;
    database.each_slice(by, filter, &mut |slice| {
        if let Some(done) = sum.take_if(|sum| sum.key != slice.key) {
            take(done);
        }
        sum.get_or_insert_with(|| Statistics::of(&slice.key)).add(slice);
    })?;
    if let Some(done) = sum {
        take(done);
    }
    Ok(())
}

fn cells(of: &Statistics) -> Vec<String> {
    let rate = of.response_rate.map(|rate| rate.to_string()).unwrap_or_default();
    let counts =
        [of.accepted, of.written, of.log_only, of.in_doubt, of.rejected, of.failed, of.suppressed, of.open];
    let mut cells = vec![of.key.clone()];
    cells.extend([of.entries, of.targets, of.responses].map(|n| n.to_string()));
    cells.extend([rate, of.cost.normalize().to_string(), of.duration.normalize().to_string()]);
    cells.extend(counts.map(|n| n.to_string()));
    cells
}
