//! Owns the commands for the database as a whole: backup, migrate, check, retain.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Subcommand;
use jiff::civil::Date;
use serde_json::{Map, Value as Json, json};

use super::change::{counted, nothing};
use super::office::{now, setup};
use super::options::Common;
use super::problem::Failure;
use super::terminal::{Terminal, table};
use super::{DONE, PROBLEMS};
use crate::setup::Setup;
use crate::setup::retention::day_before;
use crate::store::Database;
use crate::store::keep::Aged;

#[derive(Debug, Subcommand)]
pub(super) enum DbCommand {
    /// Copy the database into a new file, also while a run goes on
    #[command(
        after_help = "Example: mailrun db backup mailrun-2026-03-01.db\n\nIn the copy, messages of a run that goes on are in \
                      doubt: nobody who restores it can know what was sent since."
    )]
    Backup {
        /// The new file
        file: PathBuf,
    },
    /// Bring a database of an older mailrun to the newest schema; every command does that, too
    #[command(after_help = "Example: mailrun db migrate --db old.db")]
    Migrate,
    /// Check the database: pages, references, counts
    #[command(after_help = "Example: mailrun db check")]
    Check,
    /// Take out of the log what is older than the set-up's retention keeps; without --yes it only counts
    #[command(after_help = "Example: mailrun db retain --letters '2 years' --yes")]
    Retain {
        /// How long letters can be made again [default: the set-up's]
        #[arg(long, value_name = "AGE")]
        letters: Option<String>,
        /// How long entries have names, addresses and other personal values [default: the set-up's]
        #[arg(long, value_name = "AGE")]
        values: Option<String>,
        /// How long there are entries; statistics stay [default: the set-up's]
        #[arg(long, value_name = "AGE")]
        entries: Option<String>,
    },
}

pub(super) fn db(common: &Common, command: &DbCommand, terminal: &mut Terminal) -> Result<u8, Failure> {
    if !common.db.exists() {
        let help = Some("name it with `--db`".to_owned());
        return Err(nothing(format!("there is no database `{}`", common.db.display()), help));
    }
    match command {
        DbCommand::Backup { file } => {
            if file.exists() {
                let help = Some("name another file, or remove it".to_owned());
                return Err(nothing(format!("`{}` is there already", file.display()), help));
            }
            let database = Database::open_existing(&common.db)?;
            let n_bytes = database.back_up(file, now(common)?.timestamp())?;
            terminal.say(&format!("{n_bytes} bytes written to {}", file.display()));
            Ok(DONE)
        }
        DbCommand::Migrate => {
            let (found, newest) = Database::versions(&common.db)?;
            Database::open_existing(&common.db)?;
            terminal.say(&match found == newest {
                true => format!("the database has the newest schema, version {newest}"),
                false => format!("the database went from schema version {found} to {newest}"),
            });
            Ok(DONE)
        }
        DbCommand::Check => check(common, terminal),
        DbCommand::Retain { letters, values, entries } => {
            let setup = setup(common, None)?;
            let asked = [letters, values, entries];
            let before = days(&setup, asked, now(common)?.date())?;
            retain(common, &before, terminal)
        }
    }
}

fn check(common: &Common, terminal: &Terminal) -> Result<u8, Failure> {
    let database = Database::open_existing(&common.db)?;
    let findings = database.check()?;
    let n_unused = database.n_unused_attachments()?;
    if terminal.json {
        let object = json!({ "findings": findings, "unused_attachments": n_unused });
        terminal.object(&mut terminal.data(), &object);
    }
    for finding in &findings {
        terminal.complain(&format!("error: {}", finding.message));
    }
    if n_unused > 0 {
        let attachments = counted(n_unused, "attachment is", "attachments are");
        terminal.say(&format!("{attachments} used by nothing; `mailrun db retain --yes` takes them out"));
    }
    if findings.is_empty() {
        terminal.say("the database is sound");
        return Ok(DONE);
    }
    Ok(PROBLEMS)
}

/// The first day that is kept, of each kind that has an age.
fn days(
    setup: &Setup,
    [letters, values, entries]: [&Option<String>; 3],
    today: Date,
) -> Result<BTreeMap<&'static str, Date>, Failure> {
    let kept = &setup.retention;
    let of = [
        (Aged::Letters, letters, &kept.letters),
        (Aged::Values, values, &kept.values),
        (Aged::Entries, entries, &kept.entries),
    ];
    let mut days = BTreeMap::new();
    for (aged, asked, set_up) in of {
        let age = asked.as_ref().unwrap_or(set_up);
        if age.is_empty() {
            continue;
        }
        let day = day_before(age, today).map_err(|error| {
            Failure::problem("not-an-age", error.to_string(), format!("retention.{}", aged.as_str()))
        })?;
        days.insert(aged.as_str(), day);
    }
    Ok(days)
}

fn retain(
    common: &Common,
    before: &BTreeMap<&'static str, Date>,
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let mut database = Database::open_existing(&common.db)?;
    let found = counts(&database, before)?;
    let has_done = common.yes;
    if has_done {
        database.retain(before)?;
    }
    let left = counts(&database, before)?;
    if terminal.json {
        let of = |counts: &[Count]| -> Map<String, Json> {
            counts.iter().map(|count| (count.name.to_owned(), json!(count.entries))).collect()
        };
        let object = json!({ "done": has_done, "before": of(&found), "after": of(&left) });
        terminal.object(&mut terminal.data(), &object);
    } else {
        let mut rows = vec![["", "logged before", "segments", "entries", "left"].map(str::to_owned).to_vec()];
        for (count, left) in found.iter().zip(&left) {
            let numbers = [count.segments, count.entries, left.entries].map(|n| n.to_string());
            rows.push([vec![count.name.to_owned(), count.day.to_string()], numbers.to_vec()].concat());
        }
        let mut data = terminal.data();
        table(&rows).iter().for_each(|line| data.line(line));
    }
    terminal.say(match (before.is_empty(), has_done) {
        (true, _) => "nothing has an age: set `[retention]` in mailrun.toml, or `--letters '2 years'`",
        (false, true) => "done; what statistics count stays",
        (false, false) => "nothing was taken out: say `--yes` to do it",
    });
    Ok(DONE)
}

struct Count {
    name: &'static str,
    day: Date,
    segments: u64,
    entries: u64,
}

fn counts(database: &Database, before: &BTreeMap<&'static str, Date>) -> Result<Vec<Count>, Failure> {
    let mut counts = Vec::new();
    for aged in Aged::ALL {
        let Some(day) = before.get(aged.as_str()) else { continue };
        let count = database.count_aged(aged, *day)?;
        counts.push(Count {
            name: aged.as_str(),
            day: *day,
            segments: count.segments,
            entries: count.entries,
        });
    }
    Ok(counts)
}
