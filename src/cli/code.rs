//! Owns the commands for the code tables, and for which contacts have which codes.

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use serde_json::json;

use super::DONE;
use super::change::{change, counted, nothing};
use super::master;
use super::options::Common;
use super::problem::Failure;
use super::terminal::{Terminal, visible};
use crate::contact::ContactNo;
use crate::contact::table::TableWriter;
use crate::run::masters::{Masters, Member, add_members, import_members};
use crate::setup::MasterKind;
use crate::store::Database;

/// A code table.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum CodeTable {
    /// Who gets a mailing
    MailingGroup,
    /// Companies of one industry
    IndustryGroup,
    /// What a company is to the office
    BusinessRelation,
    /// What a person decides in a company
    JobResponsibility,
    /// Answers to the questions of a profile
    ProfileAnswer,
    /// Groups of interaction templates; contacts have none
    InteractionGroup,
}

impl CodeTable {
    fn kind(self) -> MasterKind {
        match self {
            CodeTable::MailingGroup => MasterKind::MailingGroup,
            CodeTable::IndustryGroup => MasterKind::IndustryGroup,
            CodeTable::BusinessRelation => MasterKind::BusinessRelation,
            CodeTable::JobResponsibility => MasterKind::JobResponsibility,
            CodeTable::ProfileAnswer => MasterKind::ProfileAnswer,
            CodeTable::InteractionGroup => MasterKind::InteractionGroup,
        }
    }

    /// The kind, if contacts have its codes.
    fn kind_of_contacts(self) -> Result<MasterKind, Failure> {
        let kind = self.kind();
        if MasterKind::OF_CONTACTS.contains(&kind) {
            return Ok(kind);
        }
        let message = format!("contacts have no {}s; interaction templates have them", kind.words());
        Err(nothing(message, Some("`mailrun template set CODE group=…` gives one".to_owned())))
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum CodeCommand {
    /// List the codes of a table
    #[command(after_help = "Example: mailrun code list mailing-group")]
    List {
        /// The code table
        table: CodeTable,
    },
    /// Show a code, and the contacts that have it
    #[command(after_help = "Example: mailrun code show mailing-group CHRISTMAS")]
    Show {
        /// The code table
        table: CodeTable,
        /// The code
        code: String,
    },
    /// Set fields of a code; what is not there yet is made
    #[command(after_help = "Example: mailrun code set mailing-group CHRISTMAS description='Christmas cards'")]
    Set {
        /// The code table
        table: CodeTable,
        /// The code
        code: String,
        /// A field and its text
        #[arg(value_name = "FIELD=VALUE")]
        values: Vec<String>,
    },
    /// Delete a code that nobody has
    #[command(after_help = "Example: mailrun code delete mailing-group CHRISTMAS")]
    Delete {
        /// The code table
        table: CodeTable,
        /// The code
        code: String,
    },
    /// Give contacts a code
    #[command(after_help = "Example: mailrun code add mailing-group CHRISTMAS CT000012 CT000013")]
    Add {
        /// The code table
        table: CodeTable,
        /// The code
        code: String,
        /// Numbers of contacts
        #[arg(required = true)]
        contacts: Vec<String>,
    },
    /// Take a code from contacts
    #[command(after_help = "Example: mailrun code remove mailing-group CHRISTMAS CT000012")]
    Remove {
        /// The code table
        table: CodeTable,
        /// The code
        code: String,
        /// Numbers of contacts
        #[arg(required = true)]
        contacts: Vec<String>,
    },
    /// Import codes from a table, or with --members which contacts have them (columns code, contact)
    #[command(after_help = "Example: mailrun code import mailing-group groups.csv --members")]
    Import {
        /// The code table
        table: CodeTable,
        /// The table: .csv, .tsv, .xlsx, .ods or .json
        file: PathBuf,
        /// Which contacts have the codes, instead of the codes
        #[arg(long)]
        members: bool,
    },
    /// Export codes to a table, or with --members which contacts have them
    #[command(after_help = "Example: mailrun code export industry-group industries.xlsx")]
    Export {
        /// The code table
        table: CodeTable,
        /// The table: .csv or .xlsx
        file: PathBuf,
        /// Which contacts have the codes, instead of the codes
        #[arg(long)]
        members: bool,
    },
}

pub(super) fn code(common: &Common, command: &CodeCommand, terminal: &mut Terminal) -> Result<u8, Failure> {
    match command {
        CodeCommand::List { table } => master::list(common, table.kind(), terminal),
        CodeCommand::Show { table, code } => show(common, table.kind(), code, terminal),
        CodeCommand::Set { table, code, values } => {
            master::set(common, table.kind(), (code, values), terminal)
        }
        CodeCommand::Delete { table, code } => master::delete(common, table.kind(), code, terminal),
        CodeCommand::Add { table, code, contacts } => {
            let kind = table.kind_of_contacts()?;
            let contacts: Vec<ContactNo> = contacts.iter().map(|no| ContactNo::from(no.as_str())).collect();
            let n_new = change(common, |database| Ok(add_members(database, kind, code, &contacts)?))?;
            terminal.say(&format!("{} {code}: {} added", kind.words(), contacts_in_words(n_new)));
            Ok(DONE)
        }
        CodeCommand::Remove { table, code, contacts } => {
            let kind = table.kind_of_contacts()?;
            let n_removed = change(common, |database| {
                master::found(database, kind, code)?;
                let mut n_removed = 0;
                for no in contacts {
                    let member = Member { code: code.clone(), contact: ContactNo::from(no.as_str()) };
                    n_removed += u64::from(database.delete_member(kind, &member)?);
                }
                Ok(n_removed)
            })?;
            terminal.say(&format!("{} {code}: {} removed", kind.words(), contacts_in_words(n_removed)));
            Ok(DONE)
        }
        CodeCommand::Import { table, file, members: true } => {
            let kind = table.kind_of_contacts()?;
            let n_new = change(common, |database| Ok(import_members(database, kind, file)?))?;
            terminal.say(&format!("{} imported", counted(n_new, "new member", "new members")));
            Ok(DONE)
        }
        CodeCommand::Import { table, file, members: false } => {
            master::import(common, table.kind(), file, terminal)
        }
        CodeCommand::Export { table, file, members: true } => {
            export_members(common, table.kind_of_contacts()?, file, terminal)
        }
        CodeCommand::Export { table, file, members: false } => {
            master::export(common, table.kind(), file, terminal)
        }
    }
}

fn show(common: &Common, kind: MasterKind, code: &str, terminal: &Terminal) -> Result<u8, Failure> {
    master::show(common, kind, code, terminal)?;
    let database = Database::open_existing(&common.db)?;
    let mut data = terminal.data();
    database.each_member(kind, Some(code), &mut |member| {
        if terminal.json {
            terminal.object(&mut data, &json!({ "code": member.code, "contact": member.contact }));
        } else {
            data.line(&format!("member  {}", visible(member.contact.as_str())));
        }
    })?;
    Ok(DONE)
}

fn export_members(
    common: &Common,
    kind: MasterKind,
    file: &Path,
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let database = Database::open_existing(&common.db)?;
    let mut writer = TableWriter::create(file, &["code", "contact"])?;
    let mut written = Ok(());
    database.each_member(kind, None, &mut |member| {
        if written.is_ok() {
            written = writer.add(&[member.code.as_str(), member.contact.as_str()]);
        }
    })?;
    written?;
    writer.finish()?;
    terminal.say(&format!("wrote {}", file.display()));
    Ok(DONE)
}

fn contacts_in_words(n: u64) -> String {
    counted(n, "contact", "contacts")
}
