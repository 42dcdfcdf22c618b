//! Owns the commands for the suppression list: suppress, suppressed.

use std::path::PathBuf;

use clap::Args;

use super::office::now;
use super::options::Common;
use super::problem::Failure;
use super::terminal::{Terminal, visible};
use super::{DONE, PROBLEMS};
use crate::contact::ContactNo;
use crate::delivery::mailbox::Address;
use crate::delivery::suppression::{AddressKey, Suppression, SuppressionReason, read_table};
use crate::run::{Problem, Records};
use crate::store::Database;

#[derive(Debug, Args)]
pub(super) struct Suppress {
    /// The addresses
    #[arg(required_unless_present_any = ["contact", "import"])]
    address: Vec<String>,
    /// The e-mail address of this contact; may be given more than once
    #[arg(long, value_name = "NO")]
    contact: Vec<String>,
    /// The addresses of a table with the column `address` or `email`, and perhaps `reason` and `since`
    #[arg(long, value_name = "FILE")]
    import: Option<PathBuf>,
    /// Why: manual, unsubscribe, hard-bounce, complaint
    #[arg(long, default_value = "manual")]
    reason: String,
    /// Take the addresses off the list instead
    #[arg(long, conflicts_with = "import")]
    remove: bool,
}

#[derive(Debug, Args)]
pub(super) struct Suppressed {
    /// Write the list as a table (.csv) that `contact suppress --import` takes
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
}

/// Puts addresses on the list or takes them off, all or none.
pub(super) fn suppress(common: &Common, command: &Suppress, terminal: &mut Terminal) -> Result<u8, Failure> {
    let reason: SuppressionReason = command
        .reason
        .parse()
        .map_err(|error| Failure::problem("not-a-reason", format!("{error}"), "--reason"))?;
    let since = now(common)?.timestamp();
    let imported = match &command.import {
        Some(path) => read_table(path, reason, since)
            .map_err(|problems| Failure::problems(problems.into_iter().map(Problem::from).collect()))?,
        None => Vec::new(),
    };
    let mut database = match command.remove || !command.contact.is_empty() {
        true => Database::open_existing(&common.db)?,
        false => Database::open(&common.db)?,
    };
    let addresses = addresses(&mut database, command)?;
    database.begin_draft()?;
    let n_changed = match command.remove {
        true => addresses.iter().map(|address| database.unsuppress(address)).collect::<Result<Vec<_>, _>>(),
        false => addresses
            .iter()
            .map(|address| Suppression { address: address.clone(), reason, since, entry: None })
            .chain(imported.iter().cloned())
            .map(|suppression| database.suppress(&suppression))
            .collect(),
    };
    let changed = match n_changed {
        Ok(changed) => changed,
        Err(error) => {
            database.discard_draft()?;
            return Err(error.into());
        }
    };
    database.keep_draft()?;
    let n_changed = changed.iter().filter(|changed| **changed).count();
    let n_unchanged = changed.len() - n_changed;
    let (done, otherwise) = match command.remove {
        true => ("taken off the suppression list", "were not on it"),
        false => ("put on the suppression list", "were on it already"),
    };
    let also = if n_unchanged == 0 { String::new() } else { format!(", {n_unchanged} {otherwise}") };
    terminal.say(&format!("{} {done}{also}", n_addresses(n_changed)));
    Ok(DONE)
}

/// Returns the addresses that are named, and those of the contacts that are named.
fn addresses(database: &mut Database, command: &Suppress) -> Result<Vec<AddressKey>, Failure> {
    let mut keys = Vec::new();
    let mut problems = Vec::new();
    let mut add = |text: &str, place: String| match text.parse::<Address>() {
        Ok(address) => keys.push(AddressKey::of(&address)),
        Err(error) => {
            problems.push(Problem { id: error.id(), message: error.to_string(), place, help: None });
        }
    };
    for text in &command.address {
        add(text, "ADDRESS".to_owned());
    }
    for no in &command.contact {
        match database.contact(&ContactNo::from(no.as_str()))? {
            Some(contact) => add(&contact.email, format!("contact {no}")),
            None => {
                let message = format!("there is no contact `{no}`");
                return Err(Failure::Stopped { code: PROBLEMS, message, help: None });
            }
        }
    }
    if problems.is_empty() { Ok(keys) } else { Err(Failure::problems(problems)) }
}

/// Lists the addresses, or writes them as a table.
pub(super) fn suppressed(
    common: &Common,
    command: &Suppressed,
    terminal: &mut Terminal,
) -> Result<u8, Failure> {
    let database = Database::open_existing(&common.db)?;
    let mut data = terminal.data();
    let Some(path) = &command.export else {
        database.each_suppression(&mut |row| {
            if terminal.json {
                terminal.object(&mut data, row);
            } else {
                let entry = row.entry.map(|entry| format!("entry {entry}")).unwrap_or_default();
                let line =
                    [&row.address, &row.reason, &row.since, &entry].map(|cell| visible(cell)).join("  ");
                data.line(line.trim_end());
            }
        })?;
        return Ok(DONE);
    };
    let failed = |error: csv::Error| Failure::output(error.into());
    let mut table = csv::Writer::from_path(path).map_err(failed)?;
    let mut written = table.write_record(["address", "reason", "since"]);
    let mut n_rows = 0;
    database.each_suppression(&mut |row| {
        if written.is_ok() {
            written = table.write_record([&row.address, &row.reason, &row.since]);
            n_rows += 1;
        }
    })?;
    written.map_err(failed)?;
    table.flush().map_err(Failure::output)?;
    terminal.say(&format!("{} written to {}", n_addresses(n_rows), path.display()));
    Ok(DONE)
}

fn n_addresses(n: usize) -> String {
    format!("{n} {}", if n == 1 { "address" } else { "addresses" })
}
