//! Owns the commands for alternative addresses of contacts.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value as Json, json};

use super::DONE;
use super::change::{change, counted, nothing, pairs};
use super::options::Common;
use super::problem::Failure;
use super::terminal::{Terminal, table};
use crate::contact::ContactNo;
use crate::contact::address::AlternativeAddress;
use crate::contact::import::{import_addresses, set_address_field, wrong_ranges};
use crate::contact::table::TableWriter;
use crate::run::masters::{ChangeError, Masters};
use crate::run::{Problem, Records};
use crate::store::Database;

#[derive(Debug, Subcommand)]
pub(super) enum AddressCommand {
    /// List alternative addresses, of one contact or of all
    #[command(after_help = "Example: mailrun address list CT000012")]
    List {
        /// The number of a contact
        contact: Option<String>,
    },
    /// Set fields of an address; what is not there yet is made
    #[command(
        after_help = "Example: mailrun address set CT000012 WINTER starting_date=2026-11-01 address='Via Nassa 5' city=Lugano"
    )]
    Set {
        /// The number of the contact
        contact: String,
        /// The code of the address
        code: String,
        /// A field and its text
        #[arg(value_name = "FIELD=VALUE")]
        values: Vec<String>,
        /// Another range of dates under the same code, instead of a change of the first
        #[arg(long)]
        new_range: bool,
    },
    /// Delete an address with all its ranges of dates
    #[command(after_help = "Example: mailrun address delete CT000012 WINTER")]
    Delete {
        /// The number of the contact
        contact: String,
        /// The code of the address
        code: String,
    },
    /// Import from a table; contacts in it have these addresses and no others
    #[command(after_help = "Example: mailrun address import addresses.csv")]
    Import {
        /// The table, with the columns contact, code, starting and ending date, and fields of an address
        file: PathBuf,
    },
    /// Export to a table
    #[command(after_help = "Example: mailrun address export addresses.xlsx")]
    Export {
        /// The table: .csv or .xlsx
        file: PathBuf,
    },
}

pub(super) fn address(
    common: &Common,
    command: &AddressCommand,
    terminal: &mut Terminal,
) -> Result<u8, Failure> {
    match command {
        AddressCommand::List { contact } => list(common, contact.as_deref(), terminal),
        AddressCommand::Set { contact, code, values, new_range } => {
            let values = pairs(values)?;
            let no = ContactNo::from(contact.as_str());
            change(common, |database| set(database, &no, (code, *new_range), &values))?;
            terminal.say(&format!("address {code} of contact {contact} set"));
            Ok(DONE)
        }
        AddressCommand::Delete { contact, code } => {
            let no = ContactNo::from(contact.as_str());
            change(common, |database| delete(database, &no, code))?;
            terminal.say(&format!("address {code} of contact {contact} deleted"));
            Ok(DONE)
        }
        AddressCommand::Import { file } => {
            let n_addresses = change(common, |database| import(database, file))?;
            terminal.say(&format!("{} imported", counted(n_addresses, "address", "addresses")));
            Ok(DONE)
        }
        AddressCommand::Export { file } => {
            let database = Database::open_existing(&common.db)?;
            let mut writer = TableWriter::create(file, AlternativeAddress::FIELDS)?;
            let mut written = Ok(());
            database.each_address(None, &mut |address| {
                let row: Vec<String> =
                    AlternativeAddress::FIELDS.iter().map(|name| address.field(name)).collect();
                if written.is_ok() {
                    written = writer.add(&row);
                }
            })?;
            written?;
            writer.finish()?;
            terminal.say(&format!("wrote {}", file.display()));
            Ok(DONE)
        }
    }
}

fn list(common: &Common, contact: Option<&str>, terminal: &Terminal) -> Result<u8, Failure> {
    const SHOWN: [&str; 8] =
        ["contact", "code", "starting_date", "ending_date", "address", "post_code", "city", "email"];
    let database = Database::open_existing(&common.db)?;
    let mut data = terminal.data();
    let mut rows = vec![SHOWN.map(str::to_owned).to_vec()];
    let contact = contact.map(ContactNo::from);
    database.each_address(contact.as_ref(), &mut |address| {
        if terminal.json {
            let object: serde_json::Map<String, Json> = AlternativeAddress::FIELDS
                .iter()
                .map(|name| ((*name).to_owned(), json!(address.field(name))))
                .collect();
            terminal.object(&mut data, &object);
        } else {
            rows.push(SHOWN.iter().map(|name| address.field(name)).collect());
        }
    })?;
    if !terminal.json {
        table(&rows).iter().for_each(|line| data.line(line));
    }
    Ok(DONE)
}

fn set(
    database: &mut Database,
    no: &ContactNo,
    (code, is_new_range): (&str, bool),
    values: &[(String, String)],
) -> Result<(), Failure> {
    if !database.has_contact(no)? {
        return Err(nothing(format!("there is no contact `{no}`"), None));
    }
    let mut addresses = database.addresses(no)?;
    let found = addresses.iter().position(|address| address.code == code).filter(|_| !is_new_range);
    let position = found.unwrap_or(addresses.len());
    if found.is_none() {
        let contact = no.clone();
        addresses.push(AlternativeAddress { contact, code: code.to_owned(), ..Default::default() });
    }
    let mut problems = Vec::new();
    if let Some(address) = addresses.get_mut(position) {
        for (name, text) in values {
            if let Err(wrong) = set_address_field(address, name, text) {
                problems.push(wrong);
            }
        }
    }
    problems.extend(wrong_ranges(&addresses));
    if problems.is_empty() {
        return Ok(database.put_addresses(no, &addresses)?);
    }
    let problem = |wrong: crate::contact::import::Wrong| {
        let (id, message, help) = (wrong.id(), wrong.to_string(), wrong.help());
        Problem { id, message, place: format!("contact {no}, address {code}"), help }
    };
    Err(ChangeError::Problems(problems.into_iter().map(problem).collect()).into())
}

fn delete(database: &mut Database, no: &ContactNo, code: &str) -> Result<(), Failure> {
    let mut addresses = database.addresses(no)?;
    let n_before = addresses.len();
    addresses.retain(|address| address.code != code);
    if addresses.len() == n_before {
        return Err(nothing(format!("contact {no} has no alternative address `{code}`"), None));
    }
    Ok(database.put_addresses(no, &addresses)?)
}

fn import(database: &mut Database, file: &Path) -> Result<u64, Failure> {
    let addresses = {
        let database = RefCell::new(&mut *database);
        let is_known = |no: &ContactNo| matches!(database.borrow_mut().has_contact(no), Ok(true));
        import_addresses(file, &is_known).map_err(|problems| ChangeError::from(problems.problems))?
    };
    let mut of_contact: BTreeMap<ContactNo, Vec<AlternativeAddress>> = BTreeMap::new();
    let n_addresses = addresses.len() as u64;
    for address in addresses {
        of_contact.entry(address.contact.clone()).or_default().push(address);
    }
    for (no, addresses) in &of_contact {
        database.put_addresses(no, addresses)?;
    }
    Ok(n_addresses)
}
