//! Owns the commands for what was done: interaction log entries, letters out of the log.

use std::fs;
use std::io::{self, IsTerminal, Write};

use clap::{Args, Subcommand};
use jiff::civil::Date;
use serde_json::{Map, Value as Json, json};

use super::change::counted;
use super::export::{Export, export};
use super::note::{self, Comment, Evaluate, OfEntries, Said, note_cells};
use super::options::Common;
use super::problem::Failure;
use super::resend::{Asked, Exclusion, Resend, resend};
use super::terminal::{Terminal, table};
use super::{DONE, PROBLEMS};
use crate::delivery::name::safe_name;
use crate::interaction::{EntryNo, State};
use crate::merge::Buffer;
use crate::run::enclosure::file_names;
use crate::run::{Album, Journal, Letters};
use crate::segment::{LineNo, SegmentNo};
use crate::setup::rate::Span;
use crate::store::Database;
use crate::store::attempt::AttemptRow;
use crate::store::log::{LogFilter, LogRow};
use crate::store::note::Cancel;

/// Which entries are meant.
#[derive(Debug, Args)]
pub(super) struct Filter {
    /// In this state only: accepted, written, suppressed, log-only, failed, rejected, in-doubt
    #[arg(long)]
    state: Option<String>,
    /// Of this segment only
    #[arg(long)]
    segment: Option<String>,
    /// Of this contact only
    #[arg(long)]
    contact: Option<String>,
    /// Of this campaign only
    #[arg(long)]
    campaign: Option<String>,
    /// Made by this interaction template only
    #[arg(long)]
    template: Option<String>,
    /// In the name of this salesperson only
    #[arg(long)]
    salesperson: Option<String>,
    /// Dated on this day or later only
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// Dated on this day or earlier only
    #[arg(long, value_name = "DATE")]
    to: Option<Date>,
    /// Cancelled ones only
    #[arg(long)]
    cancelled: bool,
}

impl Filter {
    /// Reads what was asked for.
    pub(super) fn read(&self) -> Result<LogFilter, Failure> {
        Ok(LogFilter {
            state: self.state.as_deref().map(state_of).transpose()?,
            segment: self.segment.clone().map(SegmentNo),
            contact: self.contact.clone(),
            campaign: self.campaign.clone(),
            template: self.template.clone(),
            salesperson: self.salesperson.clone(),
            from: self.from,
            to: self.to,
            cancelled_only: self.cancelled,
            after: 0,
            limit: None,
        })
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum LogCommand {
    /// List interaction log entries
    #[command(after_help = "Example: mailrun log list --state failed --json")]
    List {
        #[command(flatten)]
        filter: Filter,
        /// Entries after this one
        #[arg(long, value_name = "ENTRY", default_value_t = 0, hide_default_value = true)]
        after: i64,
        /// So many at most
        #[arg(long, value_name = "N")]
        limit: Option<u64>,
    },
    /// Write entries to a table or to JSON
    #[command(after_help = "Example: mailrun log export spring.xlsx --campaign SPRING26")]
    Export(Export),
    /// Take entries out of all statistics and follow-ups; what was done stays in the log
    #[command(after_help = "Example: mailrun log cancel 42 43 --why 'returned by the post'")]
    Cancel(OfEntries),
    /// Let entries count again
    #[command(after_help = "Example: mailrun log uncancel 42")]
    Uncancel(OfEntries),
    /// Delete entries that are cancelled
    #[command(after_help = "Example: mailrun log delete 42 --why 'the contact asked for it'")]
    Delete(OfEntries),
    /// Say how the contacts took it
    #[command(after_help = "Example: mailrun log evaluate 42 43 very-positive")]
    Evaluate(Evaluate),
    /// Write a comment on an entry; it is dated, and never changed
    #[command(after_help = "Example: mailrun log comment 42 'wants to be called in May'")]
    Comment(Comment),
    /// Show an entry with the rules that decided its values, its attempts, and what was said of it later
    #[command(after_help = "Example: mailrun log show 42")]
    Show {
        /// The number
        entry: i64,
    },
    /// Deliver entries once more, on purpose; what was tried before stays in the log
    #[command(after_help = "Example: mailrun log resend --failed --segment SM00001 --yes")]
    Resend {
        /// The numbers
        #[arg(required_unless_present = "failed")]
        entries: Vec<i64>,
        /// All that failed or were rejected
        #[arg(long, conflicts_with = "entries")]
        failed: bool,
        /// With --failed: of this segment only
        #[arg(long, requires = "failed")]
        segment: Option<String>,
        /// How long to wait for messages that the server puts off
        #[arg(long, value_name = "DURATION", default_value = "10m")]
        wait: Span,
        /// Also to contacts that are excluded from segments; the log says who decided that, and why
        #[arg(long)]
        ignore_exclusion: bool,
        #[command(flatten)]
        said: Said,
    },
    /// Make the letter of an entry again, byte for byte, and what goes with it; into --out, else to stdout
    #[command(after_help = "Examples: mailrun log document 42 > letter.docx\n          \
                      mailrun log document 42 --enclosure 1 > terms.docx")]
    Document {
        /// The number
        entry: i64,
        /// The enclosure of this place, from 1; left out: the letter, and with --out all of them
        #[arg(long, value_name = "PLACE")]
        enclosure: Option<usize>,
    },
}

pub(super) fn log(common: &Common, command: &LogCommand, terminal: &mut Terminal) -> Result<u8, Failure> {
    let mut database = Database::open_existing(&common.db)?;
    match command {
        LogCommand::List { filter, after, limit } => {
            let filter = LogFilter { after: *after, limit: *limit, ..filter.read()? };
            list(&database, &filter, terminal)
        }
        LogCommand::Export(export) => self::export(common, export, terminal),
        LogCommand::Cancel(of) => note::cancel(common, of, Cancel::Cancel, terminal),
        LogCommand::Uncancel(of) => note::cancel(common, of, Cancel::Uncancel, terminal),
        LogCommand::Delete(of) => note::delete(common, of, terminal),
        LogCommand::Evaluate(command) => note::evaluate(common, command, terminal),
        LogCommand::Comment(command) => note::comment(common, command, terminal),
        LogCommand::Show { entry } => show(&database, EntryNo(*entry), terminal),
        LogCommand::Resend { entries, failed, segment, wait, ignore_exclusion, said } => {
            let asked = match failed {
                true => Asked::Failed(segment.clone().map(SegmentNo)),
                false => Asked::Entries(entries.iter().copied().map(EntryNo).collect()),
            };
            let exclusion = if *ignore_exclusion { Exclusion::Ignored } else { Exclusion::Holds };
            resend(common, &mut database, &Resend { asked, exclusion, wait: *wait, said }, terminal)
        }
        LogCommand::Document { entry, enclosure } => {
            document(common, &mut database, (EntryNo(*entry), *enclosure), terminal)
        }
    }
}

fn state_of(text: &str) -> Result<State, Failure> {
    text.parse().map_err(|_| {
        let names: Vec<&str> = State::ALL.into_iter().map(State::as_str).collect();
        let message = format!("`{text}` is no state, expected one of {}", names.join(", "));
        Failure::problem("not-a-state", message, "--state")
    })
}

fn list(database: &Database, filter: &LogFilter, terminal: &Terminal) -> Result<u8, Failure> {
    let mut data = terminal.data();
    if !terminal.json {
        data.line("entry  segment  line  contact  state  by  subject");
    }
    database.each_entry(filter, &mut |row| {
        if terminal.json {
            terminal.object(&mut data, row);
            return;
        }
        let cells = [
            row.entry.to_string(),
            row.segment.clone(),
            row.line.to_string(),
            row.contact.clone(),
            state_in_words(row),
            row.correspondence_type.clone(),
            row.subject.clone(),
        ];
        table(&[cells.to_vec()]).iter().for_each(|line| data.line(line));
    })?;
    Ok(DONE)
}

/// "rejected (550 5.1.1 no such user), cancelled".
fn state_in_words(row: &LogRow) -> String {
    let mut words = row.state.clone();
    let code = row.reply_code.map(|code| code.to_string()).unwrap_or_default();
    let reply = [code.as_str(), &row.reply_status, &row.reply_text].map(|part| part.replace('\n', " "));
    let said = reply.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let is_taken = row.state == State::Accepted.as_str(); // what a server says to that tells nothing
    let why = [row.reason.clone(), if is_taken { String::new() } else { said }];
    let why = why.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
    if !why.is_empty() {
        words.push_str(&format!(" ({why})"));
    }
    if row.is_cancelled || row.is_segment_cancelled {
        words.push_str(", cancelled");
    }
    words
}

fn show(database: &Database, entry: EntryNo, terminal: &Terminal) -> Result<u8, Failure> {
    let Some(fields) = database.entry(entry)? else { return Err(no_entry(entry)) };
    let mut data = terminal.data();
    let attempts = database.attempts(entry)?;
    let bounces = database.bounces(entry)?;
    let notes = database.notes_on_entry(entry)?;
    if terminal.json {
        let mut object: Map<String, Json> = fields.into_iter().collect();
        object.insert("attempts".to_owned(), json!(attempts));
        object.insert("bounces".to_owned(), json!(bounces));
        object.insert("notes".to_owned(), json!(notes));
        terminal.object(&mut data, &object);
        return Ok(DONE);
    }
    let text = |value: &Json| match value {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        value => value.to_string(),
    };
    let rows: Vec<Vec<String>> = fields
        .iter()
        .map(|(name, value)| vec![name.clone(), text(value)])
        .filter(|row| row.iter().all(|cell| !cell.is_empty()))
        .collect();
    table(&rows).iter().for_each(|line| data.line(line));
    let rows: Vec<Vec<String>> = attempts.iter().map(attempt_cells).collect();
    table(&rows).iter().for_each(|line| data.line(line));
    let rows: Vec<Vec<String>> = bounces
        .into_iter()
        .map(|it| vec![format!("bounce: {}", it.kind), it.at, it.status, it.recipient, it.diagnostic])
        .collect();
    table(&rows).iter().for_each(|line| data.line(line));
    let rows: Vec<Vec<String>> = notes.iter().map(note_cells).collect();
    table(&rows).iter().for_each(|line| data.line(line));
    Ok(DONE)
}

fn attempt_cells(attempt: &AttemptRow) -> Vec<String> {
    let code = attempt.reply_code.map(|code| code.to_string()).unwrap_or_default();
    let reply = [code.as_str(), &attempt.reply_status, &attempt.reply_text, &attempt.reason];
    vec![
        format!("attempt {}", attempt.number),
        attempt.began_at.to_string(),
        attempt.server.clone(),
        attempt.state.clone(),
        reply.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" "),
    ]
}

/// Makes the letter of an entry and its enclosures again, from the documents and values that the log keeps.
fn document(
    common: &Common,
    database: &mut Database,
    (entry, enclosure): (EntryNo, Option<usize>),
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let Some(logged) = database.logged_letter(entry)? else { return Err(no_entry(entry)) };
    let Some(letter) = &logged.letter else {
        let message = format!("entry {entry} has no letter");
        return Err(Failure::Stopped { code: PROBLEMS, message, help: None });
    };
    let options = database.options(logged.run)?;
    let documents = database.documents(logged.run)?;
    let letters = Letters::compile(database, options, documents).map_err(crate::run::RunError::from)?;
    let (album, _) = Album::fetch(database, std::iter::once(letter), &Album::default())?;
    let mut buffer = Buffer::new();
    let number = logged.line_no.0 / LineNo::STEP;
    let enclosed = letters
        .merge(letter, number, &album, &mut buffer)
        .and_then(|_| letters.enclosed(letter, number, &album))
        .map_err(|reason| Failure::Stopped { code: PROBLEMS, message: reason, help: None })?;
    let stem = logged.file.rsplit_once('.').map_or(logged.file.as_str(), |(stem, _)| stem);
    let name = safe_name(stem, "docx");
    let names = file_names(&name, enclosed.iter().map(|it| it.name.as_str()));
    let mut files = vec![(name.clone(), buffer.letter())];
    files.extend(enclosed.iter().zip(names).map(|(it, (name, _))| (name, it.docx.as_slice())));
    let wanted = match (enclosure, &common.out) {
        (None, Some(_)) => &files[..],
        (None, None) => files.get(..1).unwrap_or_default(),
        (Some(place), _) => match files.get(place..=place).filter(|_| place > 0) {
            Some(file) => file,
            None => {
                let message = format!("entry {entry} has no enclosure {place}");
                let help = match enclosed.len() {
                    0 => "it has a letter and nothing that goes with it".to_owned(),
                    n => format!("it has {}", counted(n as u64, "enclosure", "enclosures")),
                };
                return Err(Failure::Stopped { code: PROBLEMS, message, help: Some(help) });
            }
        },
    };
    match &common.out {
        Some(folder) => {
            fs::create_dir_all(folder).map_err(Failure::output)?;
            for (name, bytes) in wanted {
                let path = folder.join(name);
                fs::write(&path, bytes).map_err(Failure::output)?;
                terminal.data().line(&path.display().to_string());
            }
        }
        None if io::stdout().is_terminal() => {
            let message = "a Word document is not for a terminal".to_owned();
            let help = Some("redirect stdout to a file, or name a folder with `--out`".to_owned());
            return Err(Failure::Stopped { code: PROBLEMS, message, help });
        }
        None => {
            for (_, bytes) in wanted {
                terminal.data().write_all(bytes).map_err(Failure::output)?;
            }
        }
    }
    Ok(DONE)
}

pub(super) fn no_entry(entry: EntryNo) -> Failure {
    Failure::Stopped {
        code: PROBLEMS,
        message: format!("there is no interaction log entry {entry}"),
        help: None,
    }
}
