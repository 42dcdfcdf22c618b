//! Owns the commands for contacts: import, list, show; suppression has a file of its own.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Map, Value as Json, json};

use super::options::Common;
use super::problem::Failure;
use super::suppress::{self, Suppress, Suppressed};
use super::terminal::{Terminal, table, visible};
use super::{DONE, PROBLEMS};
use crate::contact::import::{ContactColumns, ContactImport, ImportError, Problems};
use crate::contact::{CONTACT_FIELDS, Contact, ContactNo, SETUP_FIELDS};
use crate::run::{Problem, Records, RecordsError};
use crate::store::Database;

#[derive(Debug, Subcommand)]
pub(super) enum ContactCommand {
    /// Import contacts from a table
    #[command(after_help = "Example: mailrun contact import contacts.csv --map 'E-Mail=email'")]
    Import {
        /// The table: .csv, .tsv, .xlsx, .ods or .json
        file: PathBuf,
        /// The column that holds the contact number
        #[arg(long, default_value = "no")]
        key: String,
        /// Which field a column fills; may be given more than once
        #[arg(long, value_name = "COLUMN=FIELD")]
        map: Vec<String>,
    },
    /// List contacts
    #[command(after_help = "Example: mailrun contact list --json")]
    List,
    /// Show a contact
    #[command(after_help = "Example: mailrun contact show CT000012")]
    Show {
        /// The number
        no: String,
    },
    /// Write to an address no more: put it on the suppression list
    #[command(
        after_help = "Examples: mailrun contact suppress anna@example.com --reason unsubscribe\n          \
                      mailrun contact suppress --import unsubscribed.csv"
    )]
    Suppress(Suppress),
    /// List the addresses that are written to no more
    #[command(after_help = "Example: mailrun contact suppressed --export suppressed.csv")]
    Suppressed(Suppressed),
}

pub(super) fn contact(
    common: &Common,
    command: &ContactCommand,
    terminal: &mut Terminal,
) -> Result<u8, Failure> {
    match command {
        ContactCommand::Import { file, key, map } => {
            let map = map.iter().map(|pair| column_and_field(pair)).collect::<Result<_, _>>()?;
            let import = ContactImport::open(file, &ContactColumns { key: key.clone(), map }).map_err(all)?;
            let mut database = Database::open(&common.db)?;
            database.begin_draft()?;
            match import_into(&mut database, import) {
                Ok(n_contacts) => {
                    database.keep_draft()?;
                    terminal.say(&format!("{n_contacts} contacts imported"));
                    Ok(DONE)
                }
                Err(failure) => {
                    database.discard_draft()?;
                    Err(failure)
                }
            }
        }
        ContactCommand::Suppress(command) => suppress::suppress(common, command, terminal),
        ContactCommand::Suppressed(command) => suppress::suppressed(common, command, terminal),
        ContactCommand::List => {
            let database = Database::open_existing(&common.db)?;
            let mut data = terminal.data();
            if terminal.json {
                database.each_contact(&mut |contact| terminal.object(&mut data, &object(contact)))?;
            } else {
                database.each_contact(&mut |contact| {
                    let line = [
                        contact.no.as_str(),
                        &contact.full_name(),
                        &contact.post_code,
                        &contact.city,
                        &contact.email,
                    ]
                    .map(visible)
                    .join("  ");
                    data.line(line.trim_end());
                })?;
            }
            Ok(DONE)
        }
        ContactCommand::Show { no } => {
            let mut database = Database::open_existing(&common.db)?;
            let Some(contact) = database.contact(&ContactNo::from(no.as_str()))? else {
                let message = format!("there is no contact `{no}`");
                return Err(Failure::Stopped { code: PROBLEMS, message, help: None });
            };
            let mut data = terminal.data();
            let object = object(&contact);
            if terminal.json {
                terminal.object(&mut data, &object);
            } else {
                let rows: Vec<Vec<String>> = object
                    .iter()
                    .filter_map(|(name, value)| Some((name, value.as_str()?)))
                    .filter(|(_, value)| !value.is_empty())
                    .map(|(name, value)| vec![name.clone(), value.to_owned()])
                    .collect();
                table(&rows).iter().for_each(|line| data.line(line));
            }
            Ok(DONE)
        }
    }
}

fn import_into(database: &mut Database, import: ContactImport) -> Result<u64, Failure> {
    database.put_columns(&import.columns())?;
    Ok(import.read_all(|imported| database.put_contact(&imported.contact))?)
}

fn column_and_field(pair: &str) -> Result<(String, String), Failure> {
    match pair.split_once('=') {
        Some((column, field)) => Ok((column.to_owned(), field.to_owned())),
        None => {
            Err(Failure::problem("not-a-map", format!("`{pair}` is no map, expected COLUMN=FIELD"), "--map"))
        }
    }
}

fn all(problems: Problems) -> Failure {
    Failure::problems(problems.problems.into_iter().map(Problem::from).collect())
}

/// Returns a contact by field, further columns included.
fn object(contact: &Contact) -> Map<String, Json> {
    let fields = CONTACT_FIELDS.iter().chain(SETUP_FIELDS);
    let mut object: Map<String, Json> =
        fields.map(|name| ((*name).to_owned(), json!(contact.field(name).unwrap_or_default()))).collect();
    object.extend(contact.columns.iter().map(|(name, value)| (name.clone(), json!(value))));
    object
}

impl From<ImportError<RecordsError>> for Failure {
    fn from(error: ImportError<RecordsError>) -> Failure {
        match error {
            ImportError::Problems(problems) => all(problems),
            ImportError::Accept(error) => error.into(),
        }
    }
}
