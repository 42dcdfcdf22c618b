//! Owns the commands for contacts: import, export, list, show, set, delete; suppression has a file of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Map, Value as Json, json};

use super::change::{change, counted, pairs};
use super::office::setup;
use super::options::Common;
use super::problem::Failure;
use super::suppress::{self, Suppress, Suppressed};
use super::terminal::{Terminal, table, visible};
use super::{DONE, PROBLEMS};
use crate::contact::import::{ContactColumns, ContactImport, ImportError, Problems};
use crate::contact::table::TableWriter;
use crate::contact::{CONTACT_FIELDS, Contact, ContactNo, SETUP_FIELDS};
use crate::delivery::mailbox::Address;
use crate::delivery::suppression::AddressKey;
use crate::run::load::{put_columns, put_imported};
use crate::run::masters::{delete_contact, erase_contact, salesperson_codes, set_contact};
use crate::run::{Problem, Records, RecordsError};
use crate::setup::Setup;
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
    /// Export contacts to a table, every field and further column
    #[command(after_help = "Example: mailrun contact export contacts.xlsx")]
    Export {
        /// The table: .csv or .xlsx
        file: PathBuf,
    },
    /// List contacts in the order of their numbers
    #[command(after_help = "Example: mailrun contact list --limit 20 --after CT000100")]
    List {
        /// So many at most
        #[arg(long, value_name = "N")]
        limit: Option<u64>,
        /// Those after this number
        #[arg(long, value_name = "NO", default_value = "", hide_default_value = true)]
        after: String,
    },
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
    /// Set fields of a contact; what is not there yet is made
    #[command(after_help = "Example: mailrun contact set CT000012 email=jana@example.com language=de")]
    Set {
        /// The number
        no: String,
        /// A field, or a further column of an import, and its value
        #[arg(value_name = "FIELD=VALUE")]
        values: Vec<String>,
    },
    /// Remove a person's data everywhere; the log keeps what the accounting needs, under a random name
    #[command(after_help = "Example: mailrun contact erase CT000012 --yes")]
    Erase {
        /// The number
        no: String,
    },
    /// Delete a contact that nobody uses
    #[command(after_help = "Example: mailrun contact delete CT000012")]
    Delete {
        /// The number
        no: String,
    },
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
            let setup = setup(common, None)?;
            let (n_contacts, unknown) = change(common, |database| import_into(database, import, &setup))?;
            terminal.say(&format!("{n_contacts} contacts imported"));
            for (code, n_contacts) in unknown {
                let contacts = counted(n_contacts, "contact has", "contacts have");
                terminal.say(&format!(
                    "warning: {contacts} the salesperson `{code}`, who is not known\n  help: \
                     `mailrun salesperson set {code} name=…` makes one"
                ));
            }
            Ok(DONE)
        }
        ContactCommand::Suppress(command) => suppress::suppress(common, command, terminal),
        ContactCommand::Suppressed(command) => suppress::suppressed(common, command, terminal),
        ContactCommand::Export { file } => export(common, file, terminal),
        ContactCommand::Set { no, values } => {
            let values = pairs(values)?;
            let setup = setup(common, None)?;
            let no = ContactNo::from(no.as_str());
            let is_new = change(common, |database| {
                let salespersons = salesperson_codes(database, &setup)?;
                Ok(set_contact(database, &no, &values, &salespersons)?)
            })?;
            terminal.say(&format!("contact {no} {}", if is_new { "added" } else { "changed" }));
            Ok(DONE)
        }
        ContactCommand::Erase { no } => erase(common, &ContactNo::from(no.as_str()), terminal),
        ContactCommand::Delete { no } => {
            let no = ContactNo::from(no.as_str());
            change(common, |database| Ok(delete_contact(database, &no)?))?;
            terminal.say(&format!("contact {no} deleted"));
            Ok(DONE)
        }
        ContactCommand::List { limit, after } => {
            let database = Database::open_existing(&common.db)?;
            let mut data = terminal.data();
            if terminal.json {
                database.each_contact(after, *limit, &mut |contact| {
                    terminal.object(&mut data, &object(contact));
                })?;
            } else {
                database.each_contact(after, *limit, &mut |contact| {
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
            let mut object = object(&contact);
            for (kind, code) in database.codes_of(&contact.no)? {
                let codes = object.entry(kind.replace('-', "_")).or_insert_with(|| json!(""));
                let text = codes.as_str().unwrap_or_default();
                *codes = json!(if text.is_empty() { code } else { format!("{text} {code}") });
            }
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

/// Imports contacts; returns how many, and which codes of salespersons nobody knows.
fn import_into(
    database: &mut Database,
    import: ContactImport,
    setup: &Setup,
) -> Result<(u64, BTreeMap<String, u64>), Failure> {
    let known = salesperson_codes(database, setup)?;
    let mut unknown = BTreeMap::new();
    put_columns(database, &import)?;
    let absent = import.absent_fields();
    let n_contacts = import.read_all(|imported| {
        let code = &imported.contact.salesperson;
        if !code.is_empty() && !known.contains(code) {
            *unknown.entry(code.clone()).or_default() += 1;
        }
        put_imported(database, imported, &absent)
    })?;
    Ok((n_contacts, unknown))
}

fn erase(common: &Common, no: &ContactNo, terminal: &Terminal) -> Result<u8, Failure> {
    if !common.yes {
        let message = format!("erasing contact {no} cannot be undone");
        return Err(Failure::Stopped {
            code: PROBLEMS,
            message,
            help: Some("agree with `--yes`".to_owned()),
        });
    }
    let (email, is_suppressed) = {
        let mut database = Database::open_existing(&common.db)?;
        let email = database.contact(no)?.map(|contact| contact.email).unwrap_or_default();
        let key = email.parse().ok().map(|address: Address| AddressKey::of(&address));
        let is_suppressed = match key {
            Some(key) => database.suppressed(&[key])?.iter().any(Option::is_some),
            None => false,
        };
        (email, is_suppressed)
    };
    let erased = change(common, |database| {
        database.delete_securely()?;
        Ok(erase_contact(database, no)?)
    })?;
    Database::open(&common.db)?.compact()?;
    if terminal.json {
        let object = json!({ "erased": no, "name": erased.name, "entries": erased.n_entries, "lines": erased.n_lines,
                             "documents": erased.n_documents, "files": erased.files, "is_suppressed": is_suppressed });
        terminal.object(&mut terminal.data(), &object);
    }
    terminal.say(&format!("contact {no} erased: its record, codes, rows, addresses and letters"));
    terminal.say(&format!(
        "removed: {}, {}",
        counted(erased.n_lines, "line of open segments", "lines of open segments"),
        counted(erased.n_documents, "document of its own", "documents of its own")
    ));
    let entries = counted(erased.n_entries, "interaction log entry", "interaction log entries");
    terminal
        .say(&format!("kept: {entries} under the random name {}, without anything personal", erased.name));
    if is_suppressed {
        terminal.say(&format!("kept: `{email}` on the suppression list, so that nobody writes to it again"));
    }
    for file in &erased.files {
        terminal.say(&format!("not touched: {file}"));
    }
    if !erased.files.is_empty() {
        terminal.say("not touched: manifests and print files of these segments, and backups");
    }
    Ok(DONE)
}

fn export(common: &Common, file: &Path, terminal: &Terminal) -> Result<u8, Failure> {
    let mut database = Database::open_existing(&common.db)?;
    let further: Vec<String> = database
        .columns()?
        .into_iter()
        .filter(|column| column.field.is_empty())
        .map(|column| column.header)
        .collect();
    let mut header: Vec<&str> = CONTACT_FIELDS.iter().chain(SETUP_FIELDS).copied().collect();
    let n_fields = header.len();
    header.extend(further.iter().map(String::as_str));
    let mut writer = TableWriter::create(file, &header)?;
    let mut written = Ok(());
    database.each_contact("", None, &mut |contact| {
        let value = |(position, name): (usize, &&str)| {
            let value = if position < n_fields { contact.field(name) } else { contact.column(name) };
            value.unwrap_or_default().to_owned()
        };
        if written.is_ok() {
            written = writer.add(&header.iter().enumerate().map(value).collect::<Vec<String>>());
        }
    })?;
    written?;
    writer.finish()?;
    terminal.say(&format!("wrote {}", file.display()));
    Ok(DONE)
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
