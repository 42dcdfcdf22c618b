//! Owns the commands for salespersons, campaigns and salutation formulas, which are alike.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Map, Value as Json, json};

use super::DONE;
use super::change::{change, counted, nothing, pairs};
use super::options::Common;
use super::problem::Failure;
use super::terminal::{Terminal, table};
use crate::contact::did_you_mean;
use crate::contact::table::TableWriter;
use crate::run::Records;
use crate::run::masters::{Masters, delete_master, import_masters, set_master};
use crate::setup::{Master, MasterKind};
use crate::store::Database;

#[derive(Debug, Subcommand)]
pub(super) enum MasterCommand {
    /// List all of them
    #[command(after_help = "Example: mailrun campaign list")]
    List,
    /// Show one
    #[command(after_help = "Example: mailrun salutation show F/en")]
    Show {
        /// The code; of a salutation formula CODE, CODE/LANGUAGE or CODE/LANGUAGE/TYPE
        code: String,
    },
    /// Set fields; what is not there yet is made
    #[command(after_help = "Example: mailrun salutation set F/en formal='Dear Ms {{contact.surname}}'")]
    Set {
        /// The code; of a salutation formula CODE, CODE/LANGUAGE or CODE/LANGUAGE/TYPE
        code: String,
        /// A field and its text
        #[arg(value_name = "FIELD=VALUE")]
        values: Vec<String>,
    },
    /// Delete one that nobody uses
    #[command(after_help = "Example: mailrun salesperson delete JR")]
    Delete {
        /// The code
        code: String,
    },
    /// Import from a table whose columns are the fields
    #[command(after_help = "Example: mailrun salesperson import staff.xlsx")]
    Import {
        /// The table: .csv, .tsv, .xlsx, .ods or .json
        file: PathBuf,
    },
    /// Export to a table
    #[command(after_help = "Example: mailrun campaign export campaigns.csv")]
    Export {
        /// The table: .csv or .xlsx
        file: PathBuf,
    },
}

pub(super) fn master(
    common: &Common,
    kind: MasterKind,
    command: &MasterCommand,
    terminal: &mut Terminal,
) -> Result<u8, Failure> {
    match command {
        MasterCommand::List => list(common, kind, terminal),
        MasterCommand::Show { code } => show(common, kind, code, terminal),
        MasterCommand::Set { code, values } => set(common, kind, (code, values), terminal),
        MasterCommand::Delete { code } => delete(common, kind, code, terminal),
        MasterCommand::Import { file } => import(common, kind, file, terminal),
        MasterCommand::Export { file } => export(common, kind, file, terminal),
    }
}

pub(super) fn list(common: &Common, kind: MasterKind, terminal: &Terminal) -> Result<u8, Failure> {
    let mut database = Database::open_existing(&common.db)?;
    let mut data = terminal.data();
    let names: Vec<String> = kind.fields().iter().map(|field| field.name.to_owned()).collect();
    let mut rows = vec![names];
    for master in database.masters(kind)? {
        if terminal.json {
            terminal.object(&mut data, &object(&master));
        } else {
            rows.push(kind.fields().iter().map(|field| master.field(field.name).to_owned()).collect());
        }
    }
    if !terminal.json {
        table(&rows).iter().for_each(|line| data.line(line));
    }
    Ok(DONE)
}

pub(super) fn show(common: &Common, kind: MasterKind, key: &str, terminal: &Terminal) -> Result<u8, Failure> {
    let master = found(&mut Database::open_existing(&common.db)?, kind, key)?;
    let mut data = terminal.data();
    if terminal.json {
        terminal.object(&mut data, &object(&master));
    } else {
        let fields = kind
            .fields()
            .iter()
            .map(|field| vec![field.name.to_owned(), master.field(field.name).to_owned()]);
        table(&fields.collect::<Vec<_>>()).iter().for_each(|line| data.line(line));
    }
    Ok(DONE)
}

pub(super) fn set(
    common: &Common,
    kind: MasterKind,
    (key, values): (&str, &[String]),
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let values = pairs(values)?;
    let is_new = change(common, |database| Ok(set_master(database, kind, key, &values)?))?;
    terminal.say(&format!("{} {key} {}", kind.words(), if is_new { "added" } else { "changed" }));
    Ok(DONE)
}

pub(super) fn delete(
    common: &Common,
    kind: MasterKind,
    key: &str,
    terminal: &Terminal,
) -> Result<u8, Failure> {
    change(common, |database| Ok(delete_master(database, kind, key)?))?;
    terminal.say(&format!("{} {key} deleted", kind.words()));
    Ok(DONE)
}

pub(super) fn import(
    common: &Common,
    kind: MasterKind,
    file: &Path,
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let n_masters = change(common, |database| Ok(import_masters(database, kind, file)?))?;
    terminal.say(&format!("{} imported", counted(n_masters, kind.words(), &format!("{}s", kind.words()))));
    Ok(DONE)
}

pub(super) fn export(
    common: &Common,
    kind: MasterKind,
    file: &Path,
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let mut database = Database::open_existing(&common.db)?;
    let names: Vec<&str> = kind.fields().iter().map(|field| field.name).collect();
    let mut writer = TableWriter::create(file, &names)?;
    for master in database.masters(kind)? {
        let row: Vec<&str> = names.iter().map(|name| master.field(name)).collect();
        writer.add(&row)?;
    }
    writer.finish()?;
    terminal.say(&format!("wrote {}", file.display()));
    Ok(DONE)
}

/// Finds a master, or says which one was probably meant.
pub(super) fn found(database: &mut Database, kind: MasterKind, key: &str) -> Result<Master, Failure> {
    match database.master(kind, key)? {
        Some(master) => Ok(master),
        None => {
            let keys: Vec<String> = database.masters(kind)?.iter().map(Master::key).collect();
            let help = did_you_mean(key, keys.iter().map(String::as_str));
            Err(nothing(format!("there is no {} `{key}`", kind.words()), help))
        }
    }
}

fn object(master: &Master) -> Map<String, Json> {
    let fields = master.kind().fields();
    fields.iter().map(|field| (field.name.to_owned(), json!(master.field(field.name)))).collect()
}
