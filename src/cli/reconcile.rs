//! Owns the reconcile command: messages in doubt are settled by what the mail server wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::office::now;
use super::options::Common;
use super::problem::Failure;
use super::terminal::{Terminal, visible};
use super::{DONE, SOME_LINES};
use crate::delivery::evidence::{Evidence, postfix, table};
use crate::interaction::State;
use crate::run::{Problem, Records};
use crate::store::Database;
use crate::store::bounce::SentEntry;

#[derive(Debug, Args)]
pub(super) struct Reconcile {
    /// A log of Postfix; may be given more than once, the oldest first
    #[arg(long, value_name = "FILE", required_unless_present = "csv")]
    pub(super) postfix_log: Vec<PathBuf>,
    /// A table with the columns `message_id` and `state` (accepted or rejected), and perhaps `reply`
    #[arg(long, value_name = "FILE")]
    pub(super) csv: Vec<PathBuf>,
}

pub(super) fn reconcile(
    common: &Common,
    command: &Reconcile,
    terminal: &mut Terminal,
) -> Result<u8, Failure> {
    let now = now(common)?.timestamp();
    let mut database = Database::open_existing(&common.db)?;
    let mut in_doubt: BTreeMap<Uuid, SentEntry> = BTreeMap::new();
    database.each_sent(Some(State::InDoubt), &mut |entry| {
        in_doubt.insert(entry.message, entry);
    })?;
    let evidence = evidence(command, &in_doubt.keys().copied().collect())?;
    database.begin_draft()?;
    let settled = match settle(&mut database, &in_doubt, &evidence, now) {
        Ok(settled) => settled,
        Err(failure) => {
            database.discard_draft()?;
            return Err(failure);
        }
    };
    database.keep_draft()?;

    if in_doubt.is_empty() {
        terminal.say("no message is in doubt");
    }
    let mut data = terminal.data();
    for entry in in_doubt.values() {
        let word = evidence.get(&entry.message).filter(|_| settled.contains(&entry.message));
        let state = word.map_or(State::InDoubt, state_of);
        if terminal.json {
            let source = word.map_or("", |word| word.source.as_str());
            terminal.object(
                &mut data,
                &json!({ "entry": entry.entry, "email": entry.email, "state": state, "source": source }),
            );
        } else {
            let source = word.map(|word| format!(" ({})", word.source)).unwrap_or_default();
            data.line(&visible(&format!("entry {}  {}  {state}{source}", entry.entry, entry.email)));
        }
    }
    let words = settled.iter().filter_map(|message| evidence.get(message));
    let n_accepted = words.filter(|word| word.is_taken).count();
    let (n_rejected, n_left) = (settled.len() - n_accepted, in_doubt.len() - settled.len());
    if terminal.json {
        terminal.object(
            &mut data,
            &json!({ "accepted": n_accepted, "rejected": n_rejected, "in_doubt": n_left }),
        );
    } else {
        terminal.say(&format!("{n_accepted} accepted, {n_rejected} rejected, {n_left} still in doubt"));
    }
    Ok(if n_left == 0 { DONE } else { SOME_LINES })
}

/// Reads all sources; the word of a later one stands, but what was taken once was taken.
fn evidence(command: &Reconcile, wanted: &BTreeSet<Uuid>) -> Result<BTreeMap<Uuid, Evidence>, Failure> {
    let mut found: BTreeMap<Uuid, Evidence> = BTreeMap::new();
    let mut add = |word: Evidence| {
        if word.is_taken || found.get(&word.message).is_none_or(|known| !known.is_taken) {
            found.insert(word.message, word);
        }
    };
    for path in &command.postfix_log {
        let read = of_log(path, wanted);
        let failed = |error: io::Error| {
            Failure::problem(
                "unreadable",
                format!("the log cannot be read: {error}"),
                path.display().to_string(),
            )
        };
        read.map_err(failed)?.into_iter().for_each(&mut add);
    }
    for path in &command.csv {
        let read = table(path, wanted);
        let read =
            read.map_err(|problems| Failure::problems(problems.into_iter().map(Problem::from).collect()))?;
        read.into_iter().for_each(&mut add);
    }
    Ok(found)
}

fn of_log(path: &Path, wanted: &BTreeSet<Uuid>) -> io::Result<Vec<Evidence>> {
    postfix(&mut BufReader::new(File::open(path)?), &path.display().to_string(), wanted)
}

fn settle(
    database: &mut Database,
    in_doubt: &BTreeMap<Uuid, SentEntry>,
    evidence: &BTreeMap<Uuid, Evidence>,
    now: Timestamp,
) -> Result<BTreeSet<Uuid>, Failure> {
    let mut settled = BTreeSet::new();
    for (message, word) in evidence {
        let Some(entry) = in_doubt.get(message) else { continue };
        if database.settle(entry.entry, word, now)? {
            settled.insert(*message);
        }
    }
    Ok(settled)
}

fn state_of(word: &Evidence) -> State {
    if word.is_taken { State::Accepted } else { State::Rejected }
}
