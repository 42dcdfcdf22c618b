//! Owns the commands for what came back: bounces import.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Subcommand;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::DONE;
use super::office::now;
use super::options::Common;
use super::problem::{Failure, with_causes};
use super::terminal::{Terminal, visible};
use crate::delivery::bounce::{Kind, Report, each_message, read};
use crate::delivery::mailbox::Address;
use crate::delivery::suppression::{AddressKey, Suppression};
use crate::run::Records;
use crate::store::Database;
use crate::store::bounce::{ReportedIn, SentEntry};

#[derive(Debug, Subcommand)]
pub(super) enum BouncesCommand {
    /// Read delivery reports and complaints, note them in the log, suppress the addresses that are no good
    #[command(after_help = "Example: mailrun bounces import ~/Maildir")]
    Import {
        /// Maildirs, mboxes, folders of .eml files, or single messages
        #[arg(required = true)]
        path: Vec<PathBuf>,
    },
}

/// What became of the messages that were read.
#[derive(Debug, Default, Serialize)]
struct Imported {
    messages: usize,
    reports: usize,
    matched: usize,
    unmatched: usize,
    failed: usize,
    delayed: usize,
    delivered: usize,
    complaints: usize,
    known: usize,
    suppressed: usize,
}

pub(super) fn bounces(
    common: &Common,
    command: &BouncesCommand,
    terminal: &mut Terminal,
) -> Result<u8, Failure> {
    let BouncesCommand::Import { path } = command;
    let now = now(common)?.timestamp();
    let mut imported = Imported::default();
    let mut reports = Vec::new();
    for path in path {
        let n_messages = each_message(path, &mut |bytes| reports.extend(read(bytes)));
        imported.messages += n_messages.map_err(|error| {
            Failure::problem("unreadable", with_causes(&error), path.display().to_string())
        })?;
    }
    imported.reports = reports.len();
    let mut database = Database::open_existing(&common.db)?;
    let sent = sent(&database, &reports)?;
    database.begin_draft()?;
    match note(&mut database, &reports, &sent, now, &mut imported) {
        Ok(()) => database.keep_draft()?,
        Err(failure) => {
            database.discard_draft()?;
            return Err(failure);
        }
    }
    print(&reports, &sent, &imported, terminal);
    Ok(DONE)
}

/// Finds the entries that the reports may be about, in one pass over the log.
fn sent(database: &Database, reports: &[Report]) -> Result<BTreeMap<Uuid, SentEntry>, Failure> {
    let wanted: BTreeSet<Uuid> = reports.iter().flat_map(|report| &report.messages).copied().collect();
    let mut sent = BTreeMap::new();
    if !wanted.is_empty() {
        database.each_sent(None, &mut |entry| {
            if wanted.contains(&entry.message) {
                sent.insert(entry.message, entry);
            }
        })?;
    }
    Ok(sent)
}

fn of<'a>(report: &Report, sent: &'a BTreeMap<Uuid, SentEntry>) -> Option<&'a SentEntry> {
    report.messages.iter().find_map(|message| sent.get(message))
}

fn note(
    database: &mut Database,
    reports: &[Report],
    sent: &BTreeMap<Uuid, SentEntry>,
    now: Timestamp,
    imported: &mut Imported,
) -> Result<(), Failure> {
    for report in reports {
        let Some(SentEntry { entry, email, .. }) = of(report, sent) else {
            imported.unmatched += 1;
            continue;
        };
        imported.matched += 1;
        let at = report.at.unwrap_or(now);
        for (position, reported) in (1..).zip(&report.recipients) {
            if !database.record_bounce(*entry, ReportedIn { report: &report.id, position, at }, reported)? {
                imported.known += 1;
                continue;
            }
            match reported.kind {
                Kind::Failed => imported.failed += 1,
                Kind::Delayed => imported.delayed += 1,
                Kind::Delivered => imported.delivered += 1,
                Kind::Complaint | Kind::OptOut => imported.complaints += 1,
            }
            let (Some(reason), Ok(address)) = (reported.suppression(), email.parse::<Address>()) else {
                continue;
            };
            let address = AddressKey::of(&address);
            let suppression = Suppression { address, reason, since: at, entry: Some(*entry) };
            imported.suppressed += usize::from(database.suppress(&suppression)?);
        }
    }
    Ok(())
}

fn print(reports: &[Report], sent: &BTreeMap<Uuid, SentEntry>, imported: &Imported, terminal: &Terminal) {
    let mut data = terminal.data();
    for report in reports.iter().filter(|report| of(report, sent).is_none()) {
        let first = report.recipients.first();
        let recipient = first.map_or("", |reported| reported.recipient.as_str());
        if terminal.json {
            terminal.object(&mut data, &json!({ "unmatched": report.id, "recipient": recipient }));
        } else {
            data.line(&visible(&format!("unmatched: report {} about {recipient}", report.id)));
        }
    }
    if terminal.json {
        terminal.object(&mut data, imported);
        return;
    }
    let Imported { messages, reports, matched, unmatched, .. } = imported;
    terminal.say(&format!(
        "{messages} {} read, {reports} of them reports: {matched} matched, {unmatched} unmatched",
        if *messages == 1 { "message" } else { "messages" }
    ));
    let Imported { failed, delayed, delivered, complaints, known, suppressed, .. } = imported;
    terminal.say(&format!(
        "noted: {failed} failed, {delayed} delayed, {delivered} delivered, {complaints} complaints; {known} known already; \
         {suppressed} {} suppressed",
        if *suppressed == 1 { "address" } else { "addresses" }
    ));
}
