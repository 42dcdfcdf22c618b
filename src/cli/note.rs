//! Owns the commands that say or decide something of log entries later: cancel, uncancel, delete, evaluate, comment.

use clap::Args;

use super::DONE;
use super::change::{change, counted, nothing};
use super::log::no_entry;
use super::office::now;
use super::options::Common;
use super::problem::Failure;
use super::terminal::Terminal;
use crate::interaction::{EntryNo, Note, NoteKind};
use crate::segment::{Evaluation, SegmentNo};
use crate::store::Database;
use crate::store::log::LogRow;
use crate::store::note::Cancel;

/// Who says something, and why; both are kept.
#[derive(Debug, Args)]
pub(super) struct Said {
    /// Why
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(super) why: String,
    #[command(flatten)]
    pub(super) by: By,
}

/// Who says something.
#[derive(Clone, Debug, Args)]
pub(super) struct By {
    /// Who says so
    #[arg(
        long = "by",
        value_name = "NAME",
        env = "USER",
        default_value = "",
        hide_default_value = true,
        hide_env_values = true
    )]
    pub(super) who: String,
}

#[derive(Debug, Args)]
pub(super) struct OfEntries {
    /// The numbers
    #[arg(required = true)]
    entries: Vec<i64>,
    #[command(flatten)]
    said: Said,
}

#[derive(Debug, Args)]
pub(super) struct Evaluate {
    /// The numbers, and at the end very-positive, positive, neutral, negative or very-negative
    #[arg(required = true, num_args = 2.., value_names = ["ENTRY", "VALUE"])]
    words: Vec<String>,
    #[command(flatten)]
    said: Said,
}

#[derive(Debug, Args)]
pub(super) struct Comment {
    /// The number
    entry: i64,
    /// The text
    text: String,
    #[command(flatten)]
    by: By,
}

pub(super) fn cancel(
    common: &Common,
    of: &OfEntries,
    cancel: Cancel,
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let changed = change(common, |database| {
        let rows = logged_rows(database, &of.entries)?;
        let entries: Vec<EntryNo> = rows.iter().map(|row| EntryNo(row.entry)).collect();
        let changed = database.cancel_entries(&entries, cancel)?;
        for row in rows.iter().filter(|row| changed.contains(&EntryNo(row.entry))) {
            write_note(
                common,
                database,
                &of.said,
                (&SegmentNo(row.segment.clone()), Some(row)),
                cancel.note(),
            )?;
        }
        Ok((changed.len(), rows.iter().any(|row| row.is_segment_cancelled)))
    })?;
    let (n_changed, is_segment_cancelled) = changed;
    let entries = counted(n_changed as u64, "entry", "entries");
    terminal.say(&match cancel {
        Cancel::Cancel => format!("{entries} cancelled"),
        Cancel::Uncancel if is_segment_cancelled => {
            format!("{entries} not cancelled any more; a segment of them still is: `mailrun logged uncancel`")
        }
        Cancel::Uncancel => format!("{entries} not cancelled any more"),
    });
    Ok(DONE)
}

pub(super) fn delete(common: &Common, of: &OfEntries, terminal: &Terminal) -> Result<u8, Failure> {
    let n_entries = change(common, |database| {
        let rows = logged_rows(database, &of.entries)?;
        if let Some(row) = rows.iter().find(|row| !row.is_cancelled && !row.is_segment_cancelled) {
            let help = format!("only what is cancelled can be deleted: `mailrun log cancel {}`", row.entry);
            return Err(nothing(format!("entry {} is not cancelled", row.entry), Some(help)));
        }
        let entries: Vec<EntryNo> = rows.iter().map(|row| EntryNo(row.entry)).collect();
        database.delete_entries(&entries)?;
        for row in &rows {
            let of_row = (&SegmentNo(row.segment.clone()), Some(row));
            write_note(common, database, &of.said, of_row, NoteKind::Deleted)?;
        }
        Ok(rows.len())
    })?;
    terminal.say(&format!("{} deleted", counted(n_entries as u64, "entry", "entries")));
    Ok(DONE)
}

pub(super) fn evaluate(common: &Common, command: &Evaluate, terminal: &Terminal) -> Result<u8, Failure> {
    let Some((value, entries)) = command.words.split_last() else { return Ok(DONE) };
    let Some(evaluation) = Evaluation::parse(value) else {
        let names: Vec<&str> = Evaluation::ALL.into_iter().map(Evaluation::as_str).collect();
        let message = format!("`{value}` is no evaluation, expected one of {}", names.join(", "));
        return Err(Failure::problem("not-an-evaluation", message, "VALUE"));
    };
    let entries: Vec<i64> = entries
        .iter()
        .map(|text| {
            text.parse().map_err(|_| {
                let message = format!("`{text}` is no number of an entry");
                Failure::problem("not-an-entry", message, "ENTRY")
            })
        })
        .collect::<Result<_, _>>()?;
    change(common, |database| {
        for row in logged_rows(database, &entries)? {
            database.evaluate(EntryNo(row.entry), evaluation)?;
            let said = Said {
                why: match command.said.why.as_str() {
                    "" => evaluation.as_str().to_owned(),
                    why => format!("{evaluation}: {why}", evaluation = evaluation.as_str()),
                },
                by: By { who: command.said.by.who.clone() },
            };
            let of_row = (&SegmentNo(row.segment.clone()), Some(&row));
            write_note(common, database, &said, of_row, NoteKind::Evaluated)?;
        }
        Ok(())
    })?;
    let entries = counted(entries.len() as u64, "entry is", "entries are");
    terminal.say(&format!("{entries} {}", evaluation.as_str()));
    Ok(DONE)
}

pub(super) fn comment(common: &Common, command: &Comment, terminal: &Terminal) -> Result<u8, Failure> {
    change(common, |database| {
        for row in logged_rows(database, &[command.entry])? {
            let said = Said { why: command.text.clone(), by: By { who: command.by.who.clone() } };
            let of_row = (&SegmentNo(row.segment.clone()), Some(&row));
            write_note(common, database, &said, of_row, NoteKind::Comment)?;
        }
        Ok(())
    })?;
    terminal.say(&format!("entry {} has a comment", command.entry));
    Ok(DONE)
}

/// Writes down who did what, when and why.
pub(super) fn write_note(
    common: &Common,
    database: &mut Database,
    said: &Said,
    (segment, row): (&SegmentNo, Option<&LogRow>),
    kind: NoteKind,
) -> Result<(), Failure> {
    let note = Note {
        segment: segment.clone(),
        entry: row.map(|row| EntryNo(row.entry)),
        at: now(common)?.timestamp(),
        who: said.by.who.clone(),
        kind,
        text: said.why.clone(),
    };
    Ok(database.put_note(&note)?)
}

/// A note as a row: when, what, by whom, why.
pub(super) fn note_cells(note: &Note) -> Vec<String> {
    let entry = note.entry.map(|entry| format!(" entry {entry}")).unwrap_or_default();
    let who = if note.who.is_empty() { String::new() } else { format!("by {}", note.who) };
    vec![note.at.to_string(), format!("{}{entry}", note.kind.as_str()), who, note.text.clone()]
}

/// Finds entries of logged segments; all of them must be there.
fn logged_rows(database: &Database, entries: &[i64]) -> Result<Vec<LogRow>, Failure> {
    let mut rows = Vec::new();
    for entry in entries {
        let Some(row) = database.log_row(EntryNo(*entry))? else { return Err(no_entry(EntryNo(*entry))) };
        let segment = SegmentNo(row.segment.clone());
        if database.logged_standing(&segment)?.is_none() {
            let help = Some(format!("`mailrun resume {segment}` ends the run first"));
            return Err(nothing(
                format!("entry {entry} is of segment {segment}, which is not logged yet"),
                help,
            ));
        }
        if !rows.iter().any(|known: &LogRow| known.entry == row.entry) {
            rows.push(row);
        }
    }
    Ok(rows)
}
