//! Owns the commands for logged segments: list, show, cancel, uncancel, delete.

use clap::{Args, Subcommand};
use jiff::ZonedDateTime;
use serde_json::json;

use super::DONE;
use super::change::{change, counted, nothing};
use super::note::{Said, note_cells, write_note};
use super::office::setup;
use super::options::Common;
use super::problem::Failure;
use super::terminal::{Terminal, table, visible};
use crate::interaction::NoteKind;
use crate::run::Journal;
use crate::run::follow_up::{FollowUpOrder, follow_up};
use crate::run::selection::{Entries, reuse_logged};
use crate::segment::SegmentNo;
use crate::store::Database;
use crate::store::note::Cancel;

#[derive(Debug, Subcommand)]
pub(super) enum LoggedCommand {
    /// List logged segments
    #[command(after_help = "Example: mailrun logged list --campaign SPRING26")]
    List {
        /// Those with entries of this campaign only
        #[arg(long)]
        campaign: Option<String>,
    },
    /// Show a logged segment: its header as it was, its counts, its campaign entries, what was said of it later
    #[command(after_help = "Example: mailrun logged show SM00001")]
    Show {
        /// The number
        segment: String,
    },
    /// Take a logged segment out of all statistics and follow-ups; what was done stays in the log
    #[command(after_help = "Example: mailrun logged cancel SM00001 --why 'wrong letterhead'")]
    Cancel(OfSegment),
    /// Let a logged segment count again; entries that were cancelled singly stay cancelled
    #[command(after_help = "Example: mailrun logged uncancel SM00001")]
    Uncancel(OfSegment),
    /// Make a new segment with the people of a logged one, linked to it, and print its number
    #[command(
        after_help = "Example: mailrun logged follow-up SM00001\n\nLeft out, unless --all: whoever was not reached \
                      (suppressed, refused, failed), and cancelled entries."
    )]
    FollowUp(Follow),
    /// Add the people of a logged segment to an open one
    #[command(after_help = "Example: mailrun logged reuse SM00001 SM00007")]
    Reuse {
        /// The number of the logged segment
        logged: String,
        /// The number of the open segment
        segment: String,
        /// Also whoever was not reached, and cancelled entries
        #[arg(long)]
        all: bool,
    },
    /// Delete a logged segment that is cancelled, with the documents that nothing else uses; its number stays taken
    #[command(after_help = "Example: mailrun logged delete SM00001 --why 'a test' --yes")]
    Delete(OfSegment),
}

/// A follow-up.
#[derive(Debug, Args)]
pub(super) struct Follow {
    /// The number of the logged segment
    segment: String,
    /// The number of the new one; left out: the next of the series
    #[arg(long)]
    no: Option<String>,
    /// Also whoever was not reached, and cancelled entries
    #[arg(long)]
    all: bool,
}

/// What is decided of a logged segment.
#[derive(Debug, Args)]
pub(super) struct OfSegment {
    /// The number
    segment: String,
    #[command(flatten)]
    said: Said,
}

pub(super) fn logged(
    common: &Common,
    command: &LoggedCommand,
    terminal: &mut Terminal,
) -> Result<u8, Failure> {
    match command {
        LoggedCommand::List { campaign } => list(common, campaign.as_deref(), terminal),
        LoggedCommand::Show { segment } => show(common, &SegmentNo(segment.clone()), terminal),
        LoggedCommand::Cancel(of) => cancel(common, of, Cancel::Cancel, terminal),
        LoggedCommand::Uncancel(of) => cancel(common, of, Cancel::Uncancel, terminal),
        LoggedCommand::FollowUp(follow) => self::follow(common, follow, terminal),
        LoggedCommand::Reuse { logged, segment, all } => {
            let (segment, logged) = (SegmentNo(segment.clone()), SegmentNo(logged.clone()));
            let n_added =
                change(common, |database| Ok(reuse_logged(database, &segment, &logged, entries(*all))?))?;
            terminal.say(&format!("{} added to segment {segment}", counted(n_added as u64, "line", "lines")));
            Ok(DONE)
        }
        LoggedCommand::Delete(of) => delete(common, of, terminal),
    }
}

fn list(common: &Common, campaign: Option<&str>, terminal: &Terminal) -> Result<u8, Failure> {
    let database = Database::open_existing(&common.db)?;
    let mut data = terminal.data();
    let mut rows =
        vec![["segment", "run", "lines", "logged at", "", "description"].map(str::to_owned).to_vec()];
    database.each_logged(campaign, &mut |row| {
        if terminal.json {
            terminal.object(&mut data, row);
        } else {
            let mark = match (row.is_cancelled, row.follows.as_str()) {
                (true, _) => "cancelled".to_owned(),
                (false, "") => String::new(),
                (false, logged) => format!("follows {logged}"),
            };
            let (run, lines) = (row.run.to_string(), row.lines.to_string());
            let logged_at = row
                .logged_at
                .parse::<ZonedDateTime>()
                .map_or_else(|_| row.logged_at.clone(), |at| at.strftime("%Y-%m-%d %H:%M %Z").to_string());
            let cells = [&row.segment, &run, &lines, &logged_at, &mark, &row.description];
            rows.push(cells.map(String::clone).to_vec());
        }
    })?;
    if !terminal.json {
        table(&rows).iter().for_each(|line| data.line(line));
    }
    Ok(DONE)
}

fn show(common: &Common, segment: &SegmentNo, terminal: &Terminal) -> Result<u8, Failure> {
    let mut database = Database::open_existing(&common.db)?;
    let (Some((run, is_cancelled)), Some(header)) =
        (database.logged_standing(segment)?, database.logged_header(segment)?)
    else {
        return Err(not_logged(segment));
    };
    let counts = database.counts(run)?;
    let campaigns = database.campaign_entries(run)?;
    let notes = database.notes_on_segment(segment)?;
    let mut data = terminal.data();
    if terminal.json {
        let campaigns: Vec<_> = campaigns
            .iter()
            .map(|(campaign, entries)| json!({ "campaign": campaign, "entries": entries }))
            .collect();
        let object = json!({ "segment": segment, "run": run, "header": header, "is_cancelled": is_cancelled,
                             "counts": counts, "campaign_entries": campaigns, "notes": notes });
        terminal.object(&mut data, &object);
        return Ok(DONE);
    }
    let mut rows =
        vec![vec!["segment".to_owned(), segment.to_string()], vec!["run".to_owned(), run.to_string()]];
    for (name, value) in header.as_object().into_iter().flatten().filter(|(name, _)| *name != "no") {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        rows.push(vec![name.replace('_', " "), text]);
    }
    rows.push(vec!["entries".to_owned(), counts.to_string()]);
    for (campaign, entries) in campaigns {
        rows.push(vec![
            "campaign entry".to_owned(),
            format!("{campaign}: {}", counted(entries, "entry", "entries")),
        ]);
    }
    if is_cancelled {
        rows.push(vec!["cancelled".to_owned(), "the segment as a whole".to_owned()]);
    }
    table(&rows).iter().for_each(|line| data.line(line));
    let rows: Vec<Vec<String>> = notes.iter().map(note_cells).collect();
    table(&rows).iter().for_each(|line| data.line(line));
    Ok(DONE)
}

fn cancel(common: &Common, of: &OfSegment, cancel: Cancel, terminal: &Terminal) -> Result<u8, Failure> {
    let segment = SegmentNo(of.segment.clone());
    let is_changed = change(common, |database| {
        if database.logged_standing(&segment)?.is_none() {
            return Err(not_logged(&segment));
        }
        let is_changed = database.cancel_segment(&segment, cancel)?;
        if is_changed {
            write_note(common, database, &of.said, (&segment, None), cancel.note())?;
        }
        Ok(is_changed)
    })?;
    let words = match (cancel, is_changed) {
        (Cancel::Cancel, true) => "is cancelled",
        (Cancel::Cancel, false) => "was cancelled already",
        (Cancel::Uncancel, true) => "counts again",
        (Cancel::Uncancel, false) => "was not cancelled",
    };
    terminal.say(&format!("segment {segment} {words}"));
    Ok(DONE)
}

fn follow(common: &Common, follow: &Follow, terminal: &Terminal) -> Result<u8, Failure> {
    let setup = setup(common, None)?;
    let logged = SegmentNo(follow.segment.clone());
    let order = FollowUpOrder {
        logged: &logged,
        no: follow.no.clone().map(SegmentNo),
        first_no: &setup.number_series.segment,
        entries: entries(follow.all),
    };
    let made = change(common, |database| Ok(follow_up(database, &order)?))?;
    let mut data = terminal.data();
    match terminal.json {
        true => terminal.object(&mut data, &json!({ "segment": made.segment, "lines": made.n_lines })),
        false => data.line(&made.segment.0),
    }
    drop(data);
    let lines = counted(made.n_lines as u64, "line", "lines");
    terminal.say(&format!("segment {} has {lines}", made.segment));
    if made.n_lines == 0 {
        terminal.say(
            "  help: whom the segment did not reach and what is cancelled are left out; `--all` takes all",
        );
    }
    Ok(DONE)
}

fn entries(all: bool) -> Entries {
    if all { Entries::All } else { Entries::Reached }
}

fn delete(common: &Common, of: &OfSegment, terminal: &Terminal) -> Result<u8, Failure> {
    let segment = SegmentNo(of.segment.clone());
    let n_entries = change(common, |database| {
        let Some((run, is_cancelled)) = database.logged_standing(&segment)? else {
            return Err(not_logged(&segment));
        };
        if !is_cancelled {
            let help = format!("only what is cancelled can be deleted: `mailrun logged cancel {segment}`");
            return Err(nothing(format!("segment {segment} is not cancelled"), Some(help)));
        }
        if database.interrupted()?.iter().any(|(open, _)| *open == run) {
            let help = format!("`mailrun resume {segment}` ends it");
            return Err(nothing(format!("run {run} of segment {segment} is open again"), Some(help)));
        }
        let n_entries = database.delete_logged(&segment, run)?;
        write_note(common, database, &of.said, (&segment, None), NoteKind::Deleted)?;
        Ok(n_entries)
    })?;
    let entries = counted(n_entries, "entry", "entries");
    terminal
        .say(&format!("segment {} deleted, with {entries}; its number stays taken", visible(&of.segment)));
    Ok(DONE)
}

pub(super) fn not_logged(segment: &SegmentNo) -> Failure {
    let help = Some("`mailrun logged list` shows the logged ones".to_owned());
    nothing(format!("there is no logged segment `{segment}`"), help)
}
