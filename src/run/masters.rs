//! Owns changes of masters by command: codes are checked, tables are imported whole or not at all, and nothing that
//! is used goes away.

use std::path::Path;

use crate::contact::address::AlternativeAddress;
use crate::contact::import::ImportProblem;
use crate::contact::language::Language;
use crate::contact::table::{Record, Table};
use crate::contact::{Contact, ContactKind, ContactNo, all_fields, did_you_mean, fold_name};
use crate::run::load::LoadError;
use crate::run::problem::Problem;
use crate::run::records::{Records, RecordsError};
use crate::segment::SegmentNo;
use crate::setup::master::{FieldForm, Master, MasterKind};

/// How many codes are listed where one is not known.
const CODES_LISTED: usize = 8;

/// Who uses something: `3 contacts`, and one of them as an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// What they are: `contacts`, `lines of open segments`.
    pub who: &'static str,
    /// How many.
    pub count: u64,
    /// One of them.
    pub example: String,
}

impl Usage {
    /// Tells whether the log uses it, which nobody can change.
    fn is_of_log(&self) -> bool {
        self.who.starts_with("interaction log ")
    }
}

/// A contact that has a code of a code table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The code.
    pub code: String,
    /// The contact.
    pub contact: ContactNo,
}

/// What changing masters asks of the store, beside what a run does.
pub trait Masters: Records {
    /// Finds a master by its key.
    fn master(&mut self, kind: MasterKind, key: &str) -> Result<Option<Master>, RecordsError>;
    /// Forgets a master.
    fn delete_master(&mut self, master: &Master) -> Result<(), RecordsError>;
    /// Tells who uses a master.
    fn uses_of_master(&mut self, master: &Master) -> Result<Vec<Usage>, RecordsError>;
    /// Gives a contact a code, if it does not have it yet; tells whether it is new.
    fn put_member(&mut self, kind: MasterKind, member: &Member) -> Result<bool, RecordsError>;
    /// Takes a code from a contact; tells whether it had it.
    fn delete_member(&mut self, kind: MasterKind, member: &Member) -> Result<bool, RecordsError>;
    /// Takes a code from all contacts; tells how many had it.
    fn clear_members(&mut self, kind: MasterKind, code: &str) -> Result<u64, RecordsError>;
    /// Tells who uses an interaction template.
    fn uses_of_template(&mut self, code: &str) -> Result<Vec<Usage>, RecordsError>;
    /// Forgets an interaction template.
    fn delete_template(&mut self, code: &str) -> Result<(), RecordsError>;
    /// Tells who uses a contact.
    fn uses_of_contact(&mut self, no: &ContactNo) -> Result<Vec<Usage>, RecordsError>;
    /// Forgets a contact with its codes, rows and alternative addresses.
    fn delete_contact(&mut self, no: &ContactNo) -> Result<(), RecordsError>;
    /// Finds a segment whose run is not ended and has a line of the contact.
    fn unfinished_segment(&mut self, no: &ContactNo) -> Result<Option<SegmentNo>, RecordsError>;
    /// Removes a person's data everywhere; what the accounting needs stays under a random name.
    fn erase(&mut self, no: &ContactNo) -> Result<Erased, RecordsError>;
    /// Returns the alternative addresses of a contact.
    fn addresses(&mut self, no: &ContactNo) -> Result<Vec<AlternativeAddress>, RecordsError>;
    /// Replaces the alternative addresses of a contact.
    fn put_addresses(&mut self, no: &ContactNo, addresses: &[AlternativeAddress])
    -> Result<(), RecordsError>;
}

/// What erasing a contact removed, and what stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// The random name under which the accounting stays.
    pub name: String,
    /// How many interaction log entries stay, without anything personal.
    pub n_entries: u64,
    /// How many lines of open segments went away.
    pub n_lines: u64,
    /// How many documents went away, since nobody else used them.
    pub n_documents: u64,
    /// The files that runs wrote for the contact, which are not touched.
    pub files: Vec<String>,
}

/// Why a change by command is not made; nothing is changed then.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// Something must be put right; all of it.
    #[error("{} problems", .0.len())]
    Problems(Vec<Problem>),
    /// The segment is not open.
    #[error(transparent)]
    Segment(#[from] LoadError),
    /// The store fails.
    #[error(transparent)]
    Records(#[from] RecordsError),
}

impl ChangeError {
    /// One problem.
    pub fn problem(id: &'static str, message: impl Into<String>, help: Option<String>) -> ChangeError {
        let place = String::new();
        ChangeError::Problems(vec![Problem { id, message: message.into(), place, help }])
    }
}

/// Sets fields of a master, which is made where there is none; tells whether it is new.
///
/// # Errors
///
/// All fields that there are not, and all texts that do not fit.
pub fn set_master(
    masters: &mut dyn Masters,
    kind: MasterKind,
    key: &str,
    values: &[(String, String)],
) -> Result<bool, ChangeError> {
    let found = masters.master(kind, key)?;
    let is_new = found.is_none();
    let mut master = found.unwrap_or_else(|| Master::new(kind, key));
    let mut problems = Vec::new();
    for (name, text) in values {
        set_field(&mut master, name, text, "", &mut problems);
    }
    if master.key() != key {
        let message = format!("the key of {} `{key}` cannot be changed to `{}`", kind.words(), master.key());
        problems.push(problem("key-changed", message, "", Some("make a new one".to_owned())));
    }
    check_code(&master, "", &mut problems);
    if !problems.is_empty() {
        return Err(ChangeError::Problems(problems));
    }
    masters.put_master(&master)?;
    Ok(is_new)
}

/// Imports masters from a table whose columns are their fields; returns how many. A field that the table does not
/// have stays as it was.
///
/// # Errors
///
/// All problems of the table; nothing is imported then.
pub fn import_masters(masters: &mut dyn Masters, kind: MasterKind, path: &Path) -> Result<u64, ChangeError> {
    let names: Vec<&'static str> = kind.fields().iter().map(|field| field.name).collect();
    let mut n_masters = 0;
    let problems = each_record(path, &names, &["code"], |table, record, columns, problems| {
        let mut key = Master::new(kind, "");
        let place = |position| table.place(record.row(), position).to_string();
        for (position, name) in columns {
            set_field(&mut key, name, record.text(*position).trim(), &place(Some(*position)), problems);
        }
        check_code(&key, &place(None), problems);
        if !problems.is_empty() {
            return Ok(());
        }
        let mut master = masters.master(kind, &key.key())?.unwrap_or_else(|| key.clone());
        columns.iter().for_each(|(_, name)| master.set(name, key.field(name)));
        n_masters += 1;
        masters.put_master(&master)
    })?;
    if problems.is_empty() { Ok(n_masters) } else { Err(ChangeError::Problems(problems)) }
}

/// Imports which contacts have which codes, from a table with the columns `code` and `contact`; returns how many are
/// new.
///
/// # Errors
///
/// All problems of the table, unknown codes and contacts among them; nothing is imported then.
pub fn import_members(masters: &mut dyn Masters, kind: MasterKind, path: &Path) -> Result<u64, ChangeError> {
    let mut n_new = 0;
    let codes = codes(masters, kind)?;
    let problems =
        each_record(path, &["code", "contact"], &["code", "contact"], |table, record, columns, problems| {
            let text = |wanted: &str| {
                let column = columns.iter().find(|(_, name)| *name == wanted);
                column.map(|(position, _)| record.text(*position).trim().to_owned()).unwrap_or_default()
            };
            let member = Member { code: text("code"), contact: ContactNo::new(text("contact")) };
            let found = problems_of_member(masters, kind, &codes, &member)?;
            if found.is_empty() {
                n_new += u64::from(masters.put_member(kind, &member)?);
            }
            let place = table.place(record.row(), None).to_string();
            problems.extend(found.into_iter().map(|problem| Problem { place: place.clone(), ..problem }));
            Ok(())
        })?;
    if problems.is_empty() { Ok(n_new) } else { Err(ChangeError::Problems(problems)) }
}

/// Gives contacts a code; returns how many did not have it.
///
/// # Errors
///
/// An unknown code, all unknown contacts.
pub fn add_members(
    masters: &mut dyn Masters,
    kind: MasterKind,
    code: &str,
    contacts: &[ContactNo],
) -> Result<u64, ChangeError> {
    let codes = codes(masters, kind)?;
    let mut problems = Vec::new();
    let mut n_new = 0;
    for contact in contacts {
        let member = Member { code: code.to_owned(), contact: contact.clone() };
        let found = problems_of_member(masters, kind, &codes, &member)?;
        if found.is_empty() {
            n_new += u64::from(masters.put_member(kind, &member)?);
        }
        problems.extend(found.into_iter().filter(|problem| !problems.contains(problem)).collect::<Vec<_>>());
    }
    if problems.is_empty() { Ok(n_new) } else { Err(ChangeError::Problems(problems)) }
}

/// Deletes a master that nobody uses.
///
/// # Errors
///
/// There is none of the key, or somebody uses it; who is named.
pub fn delete_master(masters: &mut dyn Masters, kind: MasterKind, key: &str) -> Result<(), ChangeError> {
    let Some(master) = masters.master(kind, key)? else {
        return Err(unknown(kind.words(), key, &keys(masters, kind)?));
    };
    refuse_if_used(kind.words(), key, masters.uses_of_master(&master)?)?;
    Ok(masters.delete_master(&master)?)
}

/// Deletes an interaction template that nobody uses.
///
/// # Errors
///
/// As for [`delete_master`].
pub fn delete_template(masters: &mut dyn Masters, code: &str) -> Result<(), ChangeError> {
    let codes: Vec<String> = masters.templates()?.into_iter().map(|template| template.code).collect();
    if !codes.iter().any(|known| known == code) {
        return Err(unknown("interaction template", code, &codes));
    }
    refuse_if_used("interaction template", code, masters.uses_of_template(code)?)?;
    Ok(masters.delete_template(code)?)
}

/// Deletes a contact that nobody uses, with its codes, rows and alternative addresses.
///
/// # Errors
///
/// As for [`delete_master`].
pub fn delete_contact(masters: &mut dyn Masters, no: &ContactNo) -> Result<(), ChangeError> {
    if !masters.has_contact(no)? {
        return Err(unknown_contact(no));
    }
    let uses = masters.uses_of_contact(no)?;
    refuse_if_used("contact", no.as_str(), uses).map_err(|error| match error {
        ChangeError::Problems(problems) => ChangeError::Problems(
            problems
                .into_iter()
                .map(|problem| Problem {
                    help: Some(format!("`mailrun contact erase {no}` removes the person and keeps the log")),
                    ..problem
                })
                .collect(),
        ),
        error => error,
    })?;
    Ok(masters.delete_contact(no)?)
}

/// Removes a person's data everywhere; what the accounting needs stays under a random name.
///
/// # Errors
///
/// There is no such contact, or a run that has a line of it is not ended.
pub fn erase_contact(masters: &mut dyn Masters, no: &ContactNo) -> Result<Erased, ChangeError> {
    if !masters.has_contact(no)? {
        return Err(unknown_contact(no));
    }
    if let Some(segment) = masters.unfinished_segment(no)? {
        let message =
            format!("contact `{no}` has a line in the run of segment {segment}, which is not ended");
        let help = Some(format!("`mailrun resume {segment}` ends it"));
        return Err(ChangeError::problem("run-not-ended", message, help));
    }
    Ok(masters.erase(no)?)
}

/// Sets fields of a contact, further columns among them; the contact is made where there is none. Tells whether it is
/// new, and what names a code that is not known.
///
/// # Errors
///
/// All fields that there are not, all values that do not fit, all codes that are not known.
pub fn set_contact(
    masters: &mut dyn Masters,
    no: &ContactNo,
    values: &[(String, String)],
    salespersons: &[String],
) -> Result<bool, ChangeError> {
    let found = masters.contact(no)?;
    let is_new = found.is_none();
    let mut contact = found.unwrap_or_else(|| Contact { no: no.clone(), ..Contact::default() });
    let columns = masters.columns()?;
    let mut problems = Vec::new();
    for (name, text) in values {
        let folded = fold_name(name);
        let field = all_fields().find(|field| fold_name(field) == folded);
        let column = columns.iter().find(|column| column.header == *name && column.field.is_empty());
        match (field, column) {
            (Some("no"), _) if text != no.as_str() => {
                problems.push(problem("key-changed", "the number of a contact stays", "", None));
            }
            (Some(field), _) => {
                if let Err(error) = contact.set_field(field, text.clone()) {
                    problems.push(problem(error.id(), error.to_string(), "", error.help()));
                }
            }
            (None, Some(column)) => match contact.columns.iter_mut().find(|(name, _)| *name == column.header)
            {
                Some((_, value)) => value.clone_from(text),
                None => contact.columns.push((column.header.clone(), text.clone())),
            },
            (None, None) => {
                let mut names: Vec<&str> = all_fields().collect();
                names.extend(columns.iter().map(|column| column.header.as_str()));
                let message = format!("a contact has no field `{name}`");
                problems.push(problem("unknown-field", message, "", did_you_mean(name, names.into_iter())));
            }
        }
    }
    let code = &contact.salesperson;
    if !code.is_empty() && !salespersons.contains(code) {
        let help = did_you_mean(code, salespersons.iter().map(String::as_str));
        problems.push(problem("unknown-salesperson", format!("there is no salesperson `{code}`"), "", help));
    }
    let company = &contact.company_no;
    if !company.is_empty() && !masters.has_contact(&ContactNo::from(company.as_str()))? {
        problems.push(problem("unknown-company", format!("there is no contact `{company}`"), "", None));
    }
    if !problems.is_empty() {
        return Err(ChangeError::Problems(problems));
    }
    masters.put_contact(&contact)?;
    Ok(is_new)
}

/// Returns the codes of the salespersons of the set-up and of the store.
///
/// # Errors
///
/// A store that cannot be read.
pub fn salesperson_codes(
    records: &mut dyn Records,
    setup: &crate::setup::Setup,
) -> Result<Vec<String>, RecordsError> {
    let mut codes: Vec<String> = setup.salespersons.iter().map(|known| known.code.clone()).collect();
    codes.extend(records.masters(MasterKind::Salesperson)?.iter().map(|master| master.code().to_owned()));
    Ok(codes)
}

/// Reads a table whose columns are among `names`, and returns what is wrong with it.
fn each_record(
    path: &Path,
    names: &[&'static str],
    needed: &[&'static str],
    mut take: impl FnMut(&Table, &Record, &[(usize, &'static str)], &mut Vec<Problem>) -> Result<(), RecordsError>,
) -> Result<Vec<Problem>, RecordsError> {
    let mut problems = Vec::new();
    let mut table = match Table::open(path) {
        Ok(table) => table,
        Err(error) => return Ok(vec![error.into()]),
    };
    let mut columns = Vec::new();
    for (position, column) in table.columns().iter().enumerate() {
        match names.iter().find(|name| fold_name(name) == fold_name(&column.name)) {
            Some(name) => columns.push((position, *name)),
            None if column.name.is_empty() => {}
            None => problems.push(problem(
                "unknown-column",
                format!("`{}` is no column here, expected {}", column.name, names.join(", ")),
                table.file(),
                did_you_mean(&column.name, names.iter().copied()),
            )),
        }
    }
    for name in needed.iter().filter(|name| !columns.iter().any(|(_, column)| column == *name)) {
        problems.push(problem(
            "missing-column",
            format!("the table has no column `{name}`"),
            table.file(),
            did_you_mean(name, table.columns().iter().map(|column| column.name.as_str())),
        ));
    }
    if !problems.is_empty() {
        return Ok(problems);
    }
    let mut record = Record::default();
    while table.read_next(&mut record, &mut |error| problems.push(error.into())) {
        take(&table, &record, &columns, &mut problems)?;
    }
    Ok(problems)
}

fn set_field(master: &mut Master, name: &str, text: &str, place: &str, problems: &mut Vec<Problem>) {
    let kind = master.kind();
    let Some(field) = kind.fields().iter().find(|field| fold_name(field.name) == fold_name(name)) else {
        let message = format!("a {} has no field `{name}`", kind.words());
        let help = did_you_mean(name, kind.fields().iter().map(|field| field.name));
        problems.push(problem("unknown-field", message, place, help));
        return;
    };
    let mut unfit = |what: &str, expected: &str| {
        problems.push(problem("unfit", format!("`{text}` is no {what}, expected {expected}"), place, None));
    };
    match field.form {
        FieldForm::Date if !text.is_empty() && text.parse::<jiff::civil::Date>().is_err() => {
            unfit("date", "YYYY-MM-DD");
        }
        FieldForm::Language if !text.is_empty() => match text.parse::<Language>() {
            Ok(language) => master.set(field.name, language.as_str()),
            Err(_) => unfit("language tag", "one such as fr or fr-CH"),
        },
        FieldForm::ContactType if !text.is_empty() => match ContactKind::parse(text) {
            Some(kind) => master.set(field.name, kind.as_str()),
            None => unfit("type", "person or company"),
        },
        FieldForm::Text | FieldForm::Date | FieldForm::Language | FieldForm::ContactType => {
            master.set(field.name, text);
        }
    }
}

/// A salutation formula without a code is for contacts without one; everything else has a code.
fn check_code(master: &Master, place: &str, problems: &mut Vec<Problem>) {
    if master.code().is_empty() && master.kind() != MasterKind::Salutation {
        problems.push(problem("empty-code", format!("a {} has no code", master.kind().words()), place, None));
    }
}

fn problems_of_member(
    masters: &mut dyn Masters,
    kind: MasterKind,
    codes: &[String],
    member: &Member,
) -> Result<Vec<Problem>, RecordsError> {
    let mut problems = Vec::new();
    if !codes.contains(&member.code) {
        let ChangeError::Problems(unknown) = unknown(kind.words(), &member.code, codes) else {
            return Ok(problems);
        };
        problems.extend(unknown);
    }
    match masters.contact(&member.contact)? {
        None => problems.push(problem(
            "unknown-contact",
            format!("there is no contact `{}`", member.contact),
            "",
            None,
        )),
        Some(contact) if kind == MasterKind::IndustryGroup && contact.kind == ContactKind::Person => {
            problems.push(problem(
                "not-a-company",
                format!("contact {} is a person, and industry groups are for companies", member.contact),
                "",
                Some("give the group to the company; its persons match with it".to_owned()),
            ));
        }
        Some(_) => {}
    }
    Ok(problems)
}

fn codes(masters: &mut dyn Masters, kind: MasterKind) -> Result<Vec<String>, RecordsError> {
    Ok(masters.masters(kind)?.iter().map(|master| master.code().to_owned()).collect())
}

fn keys(masters: &mut dyn Masters, kind: MasterKind) -> Result<Vec<String>, RecordsError> {
    Ok(masters.masters(kind)?.iter().map(Master::key).collect())
}

/// Nothing of this code is known; the nearest one is named, else those there are.
pub fn unknown(words: &str, code: &str, known: &[String]) -> ChangeError {
    let nearest = did_you_mean(code, known.iter().map(String::as_str));
    let help = nearest.unwrap_or_else(|| those_there_are(known));
    ChangeError::problem("unknown-code", format!("there is no {words} `{code}`"), Some(help))
}

fn those_there_are(known: &[String]) -> String {
    let quoted: Vec<String> = known.iter().take(CODES_LISTED).map(|code| format!("`{code}`")).collect();
    let listed = quoted.join(", ");
    match known.len() {
        0 => "none is there yet".to_owned(),
        1 => format!("there is {listed}"),
        n if n <= CODES_LISTED => format!("there are {listed}"),
        n => format!("there are {n}, such as {listed}"),
    }
}

fn unknown_contact(no: &ContactNo) -> ChangeError {
    let help = "`mailrun contact list` shows those there are".to_owned();
    ChangeError::problem("unknown-code", format!("there is no contact `{no}`"), Some(help))
}

/// Refuses to delete what is used, and names who uses it.
fn refuse_if_used(words: &str, key: &str, uses: Vec<Usage>) -> Result<(), ChangeError> {
    if uses.is_empty() {
        return Ok(());
    }
    let is_logged = uses.iter().any(Usage::is_of_log);
    let uses: Vec<String> = uses
        .iter()
        .map(|usage| format!("{} {}, such as {}", usage.count, usage.who, usage.example))
        .collect();
    let message = format!("{words} `{key}` is used by {}", uses.join("; "));
    let help = match is_logged {
        true => "it stays as long as the log has entries of it; nothing has to use it from now on",
        false => "take it away there first",
    };
    Err(ChangeError::problem("in-use", message, Some(help.to_owned())))
}

fn problem(
    id: &'static str,
    message: impl Into<String>,
    place: impl Into<String>,
    help: Option<String>,
) -> Problem {
    Problem { id, message: message.into(), place: place.into(), help }
}

impl From<Vec<ImportProblem>> for ChangeError {
    fn from(problems: Vec<ImportProblem>) -> ChangeError {
        ChangeError::Problems(problems.into_iter().map(Problem::from).collect())
    }
}
