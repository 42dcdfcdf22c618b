//! Owns the commands that select the contacts of a segment: add, reduce, refine, undo, criteria, reuse, mailing group.

use clap::{Args, Subcommand};
use serde_json::json;

use super::DONE;
use super::change::{change, counted, nothing};
use super::office::now;
use super::options::Common;
use super::problem::Failure;
use super::terminal::{Terminal, table, visible};
use crate::contact::ContactNo;
use crate::run::Records;
use crate::run::selection::{
    self, Entries, OldMembers, apply_mailing_group, find_criteria, reuse_criteria, reuse_logged,
    save_criteria, select, select_by_hand,
};
use crate::run::worksheet::Worksheets;
use crate::segment::{CriteriaAction, CriteriaKind, CriteriaOptions, LineNo, SavedCriteria, SegmentNo};
use crate::store::Database;

#[derive(Debug, Args)]
pub(super) struct Add {
    /// The number
    segment: String,
    /// An SQL condition over the views of docs/criteria.md
    #[arg(required_unless_present = "contact")]
    condition: Option<String>,
    /// The number of a contact, instead of a condition; may be given more than once
    #[arg(long, value_name = "NO", conflicts_with = "condition")]
    contact: Vec<String>,
    /// Contacts that have a line already get another one
    #[arg(long)]
    allow_existing: bool,
    /// Add everybody of the companies that are hit, even if a person was hit
    #[arg(long)]
    expand_companies: bool,
    /// Add the company of each person, too
    #[arg(long)]
    allow_related_companies: bool,
    /// Write to contacts that are excluded from segments all the same; their lines and the log say so
    #[arg(long)]
    ignore_exclusion: bool,
}

#[derive(Debug, Args)]
pub(super) struct Reduce {
    /// The number
    segment: String,
    /// An SQL condition over the views of docs/criteria.md
    #[arg(required_unless_present = "contact")]
    condition: Option<String>,
    /// The number of a contact, instead of a condition; may be given more than once
    #[arg(long, value_name = "NO", conflicts_with = "condition")]
    contact: Vec<String>,
    /// This line of the contact alone
    #[arg(long, value_name = "LINE", requires = "contact")]
    line: Option<u64>,
    /// The condition stands for whole companies: one person that matches, and all of the company do
    #[arg(long)]
    entire_companies: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum CriteriaCommand {
    /// Show the selection actions of a segment, or those that were saved under a code
    #[command(after_help = "Example: mailrun segment criteria show SM00002")]
    Show {
        /// The number of a segment, or a code
        segment: String,
    },
    /// Save the selection actions of a segment under a code
    #[command(after_help = "Example: mailrun segment criteria save SM00002 SWISS-FR")]
    Save {
        /// The number of the segment
        segment: String,
        /// The code
        code: String,
        /// What they select
        #[arg(long, default_value = "", hide_default_value = true)]
        description: String,
    },
    /// List the saved criteria
    #[command(after_help = "Example: mailrun segment criteria list")]
    List,
    /// Replay saved criteria on a segment, against the data of today
    #[command(after_help = "Example: mailrun segment criteria reuse SM00003 SWISS-FR")]
    Reuse {
        /// The number of the segment
        segment: String,
        /// The code
        code: String,
    },
    /// Delete saved criteria
    #[command(after_help = "Example: mailrun segment criteria delete SWISS-FR")]
    Delete {
        /// The code
        code: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct Reuse {
    /// The number of the segment
    segment: String,
    /// The number of the logged segment
    logged: String,
    /// Those who were suppressed, refused or failed, too
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Args)]
pub(super) struct MailingGroup {
    /// The number of the segment
    segment: String,
    /// The code of the group
    code: String,
    /// Take the group from all others first
    #[arg(long)]
    replace: bool,
}

pub(super) fn add(common: &Common, add: &Add, terminal: &Terminal) -> Result<u8, Failure> {
    let options = CriteriaOptions {
        allow_existing: add.allow_existing,
        expand_companies: add.expand_companies,
        allow_related_companies: add.allow_related_companies,
        ignore_exclusion: add.ignore_exclusion,
        ..CriteriaOptions::default()
    };
    let condition = add.condition.clone().unwrap_or_default();
    let action = CriteriaAction { kind: CriteriaKind::Add, condition, options };
    act(common, (&add.segment, &add.contact), &action, terminal)
}

pub(super) fn reduce(
    common: &Common,
    (kind, reduce): (CriteriaKind, &Reduce),
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let options = CriteriaOptions {
        entire_companies: reduce.entire_companies,
        line: reduce.line.map(LineNo),
        ..CriteriaOptions::default()
    };
    let condition = match (kind, &reduce.contact[..]) {
        // Each contact by itself would refine all others away.
        (CriteriaKind::Refine, [_, ..]) => {
            let quoted: Vec<String> =
                reduce.contact.iter().map(|no| format!("'{}'", no.replace('\'', "''"))).collect();
            format!("no in ({})", quoted.join(", "))
        }
        _ => reduce.condition.clone().unwrap_or_default(),
    };
    let contacts = if kind == CriteriaKind::Refine { &[][..] } else { &reduce.contact[..] };
    act(common, (&reduce.segment, contacts), &CriteriaAction { kind, condition, options }, terminal)
}

fn act(
    common: &Common,
    (segment, contacts): (&str, &[String]),
    action: &CriteriaAction,
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let segment = SegmentNo(segment.to_owned());
    let contacts: Vec<ContactNo> = contacts.iter().map(|no| ContactNo::from(no.as_str())).collect();
    let (n_changed, n_lines) = change(common, |database| {
        let n_changed = match contacts.is_empty() {
            true => select(database, &segment, action)?,
            false => select_by_hand(database, &segment, &contacts, action)?,
        };
        Ok((n_changed, database.n_lines(&segment)?))
    })?;
    let is_add = action.kind == CriteriaKind::Add;
    let what = if is_add { "added" } else { "taken away" };
    terminal.say(&format!("{} {what}; segment {segment} has {}", lines(n_changed), lines(n_lines)));
    if is_add && n_changed == 0 && n_lines > 0 && !action.options.allow_existing {
        terminal.say("  help: who is on the segment already is added again with `--allow-existing` alone");
    }
    if terminal.json {
        let object = json!({ "segment": segment, "changed": n_changed, "lines": n_lines });
        terminal.object(&mut terminal.data(), &object);
    }
    Ok(DONE)
}

pub(super) fn undo(common: &Common, segment: &str, terminal: &Terminal) -> Result<u8, Failure> {
    let segment = SegmentNo(segment.to_owned());
    let undone = change(common, |database| Ok(selection::undo(database, &segment)?))?;
    let (away, back) = (lines(undone.n_removed), lines(undone.n_restored));
    terminal.say(&format!("undone: {}\n{away} gone, {back} back", words(&undone.action)));
    Ok(DONE)
}

pub(super) fn criteria(
    common: &Common,
    command: &CriteriaCommand,
    terminal: &Terminal,
) -> Result<u8, Failure> {
    match command {
        CriteriaCommand::Show { segment } => show(common, segment, terminal),
        CriteriaCommand::Save { segment, code, description } => {
            let segment = SegmentNo(segment.clone());
            let saved = SavedCriteria {
                code: code.clone(),
                description: description.clone(),
                saved_at: now(common)?.to_string(),
                actions: Vec::new(),
            };
            let n_actions = change(common, |database| Ok(save_criteria(database, &segment, saved)?))?;
            terminal.say(&format!("{} saved as {code}", counted(n_actions as u64, "action", "actions")));
            Ok(DONE)
        }
        CriteriaCommand::List => {
            let mut database = Database::open_existing(&common.db)?;
            let mut data = terminal.data();
            let mut rows = vec![["code", "actions", "saved at", "description"].map(str::to_owned).to_vec()];
            for saved in database.saved_criteria()? {
                let n_actions = saved.actions.len();
                if terminal.json {
                    let object = json!({ "code": saved.code, "description": saved.description,
                                         "saved_at": saved.saved_at, "actions": n_actions });
                    terminal.object(&mut data, &object);
                } else {
                    rows.push(vec![saved.code, n_actions.to_string(), saved.saved_at, saved.description]);
                }
            }
            if !terminal.json {
                table(&rows).iter().for_each(|line| data.line(line));
            }
            Ok(DONE)
        }
        CriteriaCommand::Reuse { segment, code } => {
            let segment = SegmentNo(segment.clone());
            let n_lines = change(common, |database| Ok(reuse_criteria(database, &segment, code)?))?;
            terminal.say(&format!("criteria {code} replayed; segment {segment} has {}", lines(n_lines)));
            Ok(DONE)
        }
        CriteriaCommand::Delete { code } => {
            change(common, |database| {
                find_criteria(database, code)?;
                Ok(database.forget_criteria(code)?)
            })?;
            terminal.say(&format!("criteria {code} deleted"));
            Ok(DONE)
        }
    }
}

fn show(common: &Common, name: &str, terminal: &Terminal) -> Result<u8, Failure> {
    let mut database = Database::open_existing(&common.db)?;
    let segment = SegmentNo(name.to_owned());
    let actions = match database.header(&segment)? {
        Some(_) => database.actions(&segment)?,
        None => match find_criteria(&mut database, name) {
            Ok(saved) => saved.actions,
            Err(_) => {
                let help = Some("`mailrun segment list` and `segment criteria list` show them".to_owned());
                return Err(nothing(format!("there is no open segment or saved criteria `{name}`"), help));
            }
        },
    };
    let mut data = terminal.data();
    for (number, action) in (1..).zip(&actions) {
        if terminal.json {
            let object = json!({ "action": number, "kind": action.kind, "condition": action.condition,
                                 "options": action.options });
            terminal.object(&mut data, &object);
        } else {
            data.line(&format!("{number:>4}  {}", visible(&words(action))));
        }
    }
    Ok(DONE)
}

pub(super) fn reuse(common: &Common, reuse: &Reuse, terminal: &Terminal) -> Result<u8, Failure> {
    let (segment, logged) = (SegmentNo(reuse.segment.clone()), SegmentNo(reuse.logged.clone()));
    let entries = if reuse.all { Entries::All } else { Entries::Reached };
    let n_added = change(common, |database| Ok(reuse_logged(database, &segment, &logged, entries)?))?;
    terminal.say(&format!("{} added to segment {segment}", lines(n_added)));
    Ok(DONE)
}

pub(super) fn mailing_group(
    common: &Common,
    group: &MailingGroup,
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let segment = SegmentNo(group.segment.clone());
    let members = if group.replace { OldMembers::Leave } else { OldMembers::Stay };
    let n_new =
        change(common, |database| Ok(apply_mailing_group(database, &segment, &group.code, members)?))?;
    terminal.say(&format!("mailing group {}: {} added", group.code, counted(n_new, "contact", "contacts")));
    Ok(DONE)
}

/// `add: country = 'CH' (expand companies)`.
fn words(action: &CriteriaAction) -> String {
    let options = action.options.words();
    let options = if options.is_empty() { String::new() } else { format!(" ({})", options.join(", ")) };
    let line = action.options.line.map(|line| format!(", line {line}")).unwrap_or_default();
    format!("{}: {}{line}{options}", action.kind.as_str(), action.condition)
}

fn lines(n: usize) -> String {
    counted(n as u64, "line", "lines")
}
