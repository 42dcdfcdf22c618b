//! Owns loading: hands each declaration of a segment file to its room, inside the draft of the store.
//!
//! Nothing is kept unless the draft is. All problems of the file and of the tables that it names are collected.

mod fetch;
mod line;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::Spanned;

use crate::contact::import::{
    self, ContactColumn, ContactColumns, ContactImport, ImportError, ImportedContact, Problems, RowImport,
};
use crate::contact::language::Language;
use crate::contact::table::{Cell, TableSource};
use crate::contact::{ContactNo, did_you_mean};
use crate::interaction::RunNo;
use crate::merge::value::{Frame, Value};
use crate::run::Store;
use crate::run::named::place;
use crate::run::problem::Problem;
use crate::run::records::{Records, RecordsError, SegmentStanding};
use crate::run::template::template;
use crate::run::values::RowTable;
use crate::segment::file::{ContactsDeclaration, setting_text};
use crate::segment::{
    CriteriaAction, CriteriaKind, CriteriaOptions, InteractionValues, LineNo, LineValues, SegmentFile,
    SegmentHeader, SegmentLine, SegmentNo, ValueProblem,
};
use crate::setup::number_series::next_number;
use crate::setup::{Master, Setup};

pub(in crate::run) use fetch::FETCH_FAILED;
pub use fetch::{Asked, Tables, fetch};

/// What a user names as SEGMENT: a segment file, or the number of a segment in the store.
#[derive(Clone, Debug, PartialEq)]
pub enum SegmentRef {
    /// A segment file.
    File(PathBuf),
    /// A number.
    No(SegmentNo),
}

/// A segment that is in the draft.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Its number.
    pub segment: SegmentNo,
    /// Where a contact's line was written, for problems: file and line.
    pub places: BTreeMap<ContactNo, String>,
    /// What is wrong with single lines and values; the rest can be checked all the same.
    pub problems: Vec<Problem>,
    /// The table that its contacts came from just now; none where they were in the store.
    pub table: Option<ContactTable>,
}

/// The table of a segment file's contacts.
#[derive(Clone, Debug)]
pub struct ContactTable {
    /// Its file, for people.
    pub file: String,
    /// Its columns that hold one value.
    pub columns: Vec<ContactColumn>,
}

/// Why a segment is not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Something must be put right; all of it.
    #[error("{} problems", .0.len())]
    Problems(Vec<Problem>),
    /// The store has no segment of this number.
    #[error("there is no segment `{0}`")]
    Unknown(SegmentNo),
    /// The segment was logged.
    #[error("segment {segment} was logged by run {run}")]
    Logged {
        /// The segment.
        segment: SegmentNo,
        /// The run that logged it.
        run: RunNo,
    },
    /// A run over the segment was begun and not ended.
    #[error("run {run} of segment {segment} was interrupted")]
    Interrupted {
        /// The segment.
        segment: SegmentNo,
        /// The run.
        run: RunNo,
    },
    /// The store fails.
    #[error(transparent)]
    Records(#[from] RecordsError),
}

/// Loads what was asked for into the open draft.
///
/// # Errors
///
/// All problems of a segment file and its tables at once; a segment that is unknown, logged, or being run.
pub fn load(records: &mut dyn Store, setup: &Setup, asked: Asked) -> Result<Loaded, LoadError> {
    for campaign in &setup.campaigns {
        records.put_master(&Master::from(campaign))?;
    }
    match asked {
        Asked::No(segment) => match records.standing(&segment)? {
            SegmentStanding::Unknown => Err(LoadError::Unknown(segment)),
            SegmentStanding::Open => {
                Ok(Loaded { segment, places: BTreeMap::new(), problems: Vec::new(), table: None })
            }
            SegmentStanding::Interrupted(run) => Err(LoadError::Interrupted { segment, run }),
            SegmentStanding::Logged(run) => Err(LoadError::Logged { segment, run }),
        },
        Asked::File { file, tables } => {
            let mut loader = Loader {
                records,
                setup,
                file: &file,
                tables,
                problems: Vec::new(),
                places: BTreeMap::new(),
                written: BTreeMap::new(),
                table: None,
            };
            let segment = loader.load()?;
            let Loader { problems, places, table, .. } = loader;
            Ok(Loaded { segment, places, problems, table })
        }
    }
}

struct Loader<'a> {
    records: &'a mut dyn Store,
    setup: &'a Setup,
    file: &'a SegmentFile,
    tables: Tables,
    problems: Vec<Problem>,
    places: BTreeMap<ContactNo, String>,
    written: BTreeMap<(ContactNo, Option<LineNo>), String>,
    table: Option<ContactTable>,
}

impl Loader<'_> {
    fn load(&mut self) -> Result<SegmentNo, LoadError> {
        let declarations = &self.file.declarations;
        let header = self.header()?;
        match self.records.standing(&header.no)? {
            SegmentStanding::Unknown | SegmentStanding::Open => {}
            SegmentStanding::Interrupted(run) => {
                return Err(LoadError::Interrupted { segment: header.no, run });
            }
            SegmentStanding::Logged(run) => return Err(LoadError::Logged { segment: header.no, run }),
        }
        self.records.put_segment(&header)?;
        for campaign in &declarations.campaigns {
            self.records.put_master(&Master::from(campaign))?;
        }
        let n_of_header = self.problems.len();
        for declaration in &declarations.templates {
            match template(self.file, declaration) {
                Ok((template, attachments)) => {
                    for attachment in &attachments {
                        self.records.put_attachment(attachment)?;
                    }
                    self.records.put_template(&template)?;
                }
                Err(problems) => self.problems.extend(problems),
            }
        }
        if let Some(contacts) = &declarations.contacts {
            self.contacts(contacts, &header.no)?;
        }
        let has_all_masters = self.problems.len() == n_of_header;
        if has_all_masters {
            self.select(&header.no)?;
            self.lines(&header.no)?;
            return Ok(header.no);
        }
        // Without its contacts or templates every line would be a problem of its own, and tell nothing new.
        Err(LoadError::Problems(std::mem::take(&mut self.problems)))
    }

    fn header(&mut self) -> Result<SegmentHeader, LoadError> {
        let mut header = SegmentHeader::default();
        for (name, value) in &self.file.declarations.segment {
            if name == "documents" {
                self.header_documents(&mut header, value)?;
                continue;
            }
            if let Err(problem) = set_from(value, name, |text| header.set(name, text)) {
                self.settings_problem(value, &problem);
            }
        }
        header.household |= self.file.declarations.select.as_ref().is_some_and(|select| select.household);
        if header.no.0.is_empty() {
            self.refuse_if_interrupted()?;
            header.no = next_segment_no(self.records, self.setup)?;
        }
        Ok(header)
    }

    /// Reads the segment's own documents, by language.
    fn header_documents(
        &mut self,
        header: &mut SegmentHeader,
        value: &Spanned<toml::Value>,
    ) -> Result<(), LoadError> {
        let place = self.place(value);
        for (tag, file) in value.get_ref().as_table().into_iter().flatten() {
            let language = tag.parse::<Language>();
            match (language, file.as_str()) {
                (Ok(language), Some(file)) => {
                    if let Some(digest) = self.document(file, &place)? {
                        header.documents.insert(language, digest);
                    }
                }
                (Err(error), _) => self.problems.push(Problem {
                    id: "not-a-language",
                    message: error.to_string(),
                    place: place.clone(),
                    help: Some("write a tag such as `fr` or `fr-CH`".to_owned()),
                }),
                (Ok(_), None) => self.settings_problem(value, &not_one_value("documents", value)),
            }
        }
        if value.get_ref().as_table().is_none() {
            self.settings_problem(value, &not_one_value("documents", value));
        }
        Ok(())
    }

    /// A file without a number gets the next one at each run; what was interrupted must not begin anew under it.
    fn refuse_if_interrupted(&mut self) -> Result<(), LoadError> {
        let source = source(&self.file.file);
        for (run, segment) in self.records.interrupted()? {
            if self.records.options(run)?.source == source {
                return Err(LoadError::Interrupted { segment, run });
            }
        }
        Ok(())
    }

    fn contacts(&mut self, declaration: &ContactsDeclaration, segment: &SegmentNo) -> Result<(), LoadError> {
        let map = declaration.map.iter().map(|(column, field)| (column.clone(), field.clone())).collect();
        let columns = ContactColumns { key: declaration.key.clone(), map };
        let adds_lines = self.file.declarations.select.is_none();
        let Some(source) = self.tables.contacts.take() else { return Ok(()) };
        let import = match ContactImport::open_source(source, &columns) {
            Ok(import) => import,
            Err(problems) => {
                self.import_problems(problems);
                return Ok(());
            }
        };
        put_columns(self.records, &import)?;
        self.table = Some(ContactTable { file: import.file().to_owned(), columns: import.columns() });
        let absent = import.absent_fields();
        let has_addresses = declaration.addresses.is_some();
        let mut line_no = LineNo(0);
        let records = &mut *self.records;
        let imported = import.read_all(|imported| {
            put_imported(records, imported, &absent)?;
            let contact = &imported.contact;
            if has_addresses {
                records.clear_addresses(&contact.no)?;
            }
            if adds_lines {
                line_no.0 += LineNo::STEP;
                let line =
                    SegmentLine { line_no, contact: contact.no.clone(), values: LineValues::default() };
                records.put_line(segment, &line)?;
            }
            Ok(())
        });
        self.imported(imported)?;
        for (rows, source) in declaration.rows.iter().zip(std::mem::take(&mut self.tables.rows)) {
            self.rows(&rows.name, &source, &rows.contact)?;
        }
        if let Some(addresses) = &declaration.addresses {
            self.addresses(&self.file.path(addresses))?;
        }
        Ok(())
    }

    fn rows(&mut self, name: &str, source: &TableSource, contact: &str) -> Result<(), LoadError> {
        let import = match RowImport::open_source(source, contact) {
            Ok(import) => import,
            Err(problems) => {
                self.import_problems(problems);
                return Ok(());
            }
        };
        let columns = import.columns().iter().map(|column| column.name.clone()).collect();
        self.records.put_row_table(&RowTable { name: name.to_owned(), columns })?;
        // The importer asks for contacts and hands over rows in turns; both go to the same store.
        let records = RefCell::new(&mut *self.records);
        let is_known = |no: &ContactNo| matches!(records.borrow_mut().has_contact(no), Ok(true));
        let imported = import
            .read_all(&is_known, |row| records.borrow_mut().put_row(name, &row.contact, &frame(&row.cells)));
        self.imported(imported)
    }

    fn addresses(&mut self, path: &Path) -> Result<(), LoadError> {
        let records = RefCell::new(&mut *self.records);
        let is_known = |no: &ContactNo| matches!(records.borrow_mut().has_contact(no), Ok(true));
        match import::import_addresses(path, &is_known) {
            Ok(addresses) => {
                for address in &addresses {
                    self.records.clear_addresses(&address.contact)?;
                }
                for address in &addresses {
                    self.records.put_address(address)?;
                }
            }
            Err(problems) => self.import_problems(problems),
        }
        Ok(())
    }

    fn imported(&mut self, imported: Result<u64, ImportError<RecordsError>>) -> Result<(), LoadError> {
        match imported {
            Ok(_) => Ok(()),
            Err(ImportError::Accept(error)) => Err(error.into()),
            Err(ImportError::Problems(problems)) => {
                self.import_problems(problems);
                Ok(())
            }
        }
    }

    fn select(&mut self, segment: &SegmentNo) -> Result<(), LoadError> {
        let Some(select) = &self.file.declarations.select else { return Ok(()) };
        let lists = [
            (CriteriaKind::Add, &select.add),
            (CriteriaKind::Reduce, &select.reduce),
            (CriteriaKind::Refine, &select.refine),
        ];
        for (kind, conditions) in lists {
            for written in conditions {
                self.act(segment, (kind, written), &CriteriaOptions::default())?;
            }
        }
        for (number, step) in (1..).zip(&select.steps) {
            let of_kind = [
                (CriteriaKind::Add, &step.add),
                (CriteriaKind::Reduce, &step.reduce),
                (CriteriaKind::Refine, &step.refine),
            ];
            let written: Vec<_> =
                of_kind.into_iter().filter_map(|(kind, written)| Some((kind, written.as_ref()?))).collect();
            match written[..] {
                [action] => self.act(segment, action, &step.options)?,
                _ => self.problems.push(Problem {
                    id: "step-without-action",
                    message: format!(
                        "step {number} of `[select]` has {} actions, expected one",
                        written.len()
                    ),
                    place: self.file.file.display().to_string(),
                    help: Some("give each `[[select.step]]` one of `add`, `reduce`, `refine`".to_owned()),
                }),
            }
        }
        Ok(())
    }

    fn act(
        &mut self,
        segment: &SegmentNo,
        (kind, written): (CriteriaKind, &Spanned<String>),
        options: &CriteriaOptions,
    ) -> Result<(), LoadError> {
        let condition = written.get_ref().clone();
        match self.records.select(segment, &CriteriaAction { kind, condition, options: options.clone() }) {
            Ok(_) => Ok(()),
            Err(error @ RecordsError::Condition { .. }) => {
                self.problems.push(Problem {
                    id: error.id(),
                    message: error.to_string(),
                    place: format!("{}: {}", self.place(written), written.get_ref()),
                    help: error.help(),
                });
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn place<T>(&self, spanned: &Spanned<T>) -> String {
        place(self.file, spanned)
    }

    fn settings_problem(&mut self, value: &Spanned<toml::Value>, problem: &ValueProblem) {
        let place = self.place(value);
        self.problems.push(value_problem(problem, place));
    }

    fn import_problems(&mut self, problems: Problems) {
        let n_more = problems.total.saturating_sub(problems.problems.len() as u64);
        let place = problems.problems.first().map(|problem| problem.place.file.clone()).unwrap_or_default();
        self.problems.extend(problems.problems.into_iter().map(Problem::from));
        if n_more > 0 {
            self.problems.push(Problem {
                id: "more-problems",
                message: format!("{n_more} more problems are not listed"),
                place,
                help: None,
            });
        }
    }
}

/// Makes the columns of a table of contacts known, and the tables of rows that are nested in it, without their old rows.
///
/// # Errors
///
/// A store that cannot be written.
pub fn put_columns<S: Records + ?Sized>(records: &mut S, import: &ContactImport) -> Result<(), RecordsError> {
    records.put_columns(&import.columns())?;
    for column in import.row_columns() {
        let columns = column.rows.iter().flatten().map(|column| column.name.clone()).collect();
        records.put_row_table(&RowTable { name: column.name.clone(), columns })?;
    }
    Ok(())
}

/// Puts a contact of a table with the rows that are nested in it; it keeps what it has of fields that are `absent`.
///
/// # Errors
///
/// A store that cannot be written.
pub fn put_imported<S: Records + ?Sized>(
    records: &mut S,
    imported: &ImportedContact,
    absent: &[&'static str],
) -> Result<(), RecordsError> {
    let ImportedContact { contact, rows, .. } = imported;
    records.put_contact_but(contact, absent)?;
    for (table, rows) in rows {
        for row in rows {
            records.put_row(table, &contact.no, &frame(row))?;
        }
    }
    Ok(())
}

/// Returns the next number of the series of segments.
///
/// # Errors
///
/// A store that cannot be read.
pub fn next_segment_no(store: &mut dyn Records, setup: &Setup) -> Result<SegmentNo, RecordsError> {
    next_segment_no_after(store, &setup.number_series.segment)
}

/// Returns the number of the next segment in the series that begins with a number: after the last one, and never before
/// the first, so that a series can be set to go on behind numbers that the store has forgotten.
pub(in crate::run) fn next_segment_no_after<S: Records + ?Sized>(
    store: &mut S,
    first: &str,
) -> Result<SegmentNo, RecordsError> {
    let next = store.last_segment_no(first)?.and_then(|last| next_number(&last.0));
    let is_in_series = |next: &String| (next.len(), next.as_str()) >= (first.len(), first);
    Ok(SegmentNo(next.filter(is_in_series).unwrap_or_else(|| first.to_owned())))
}

/// Returns the path by which a segment file is known again.
pub(in crate::run) fn source(file: &Path) -> Option<PathBuf> {
    std::path::absolute(file).ok()
}

fn set_from(
    value: &Spanned<toml::Value>,
    name: &str,
    set: impl FnOnce(&str) -> Result<(), ValueProblem>,
) -> Result<(), ValueProblem> {
    match setting_text(value.get_ref()) {
        Some(text) => set(&text),
        None => Err(not_one_value(name, value)),
    }
}

fn not_one_value(name: &str, value: &Spanned<toml::Value>) -> ValueProblem {
    ValueProblem::Unfit {
        name: name.to_owned(),
        text: value.get_ref().type_str().to_owned(),
        expected: "one value",
    }
}

fn value_problem(problem: &ValueProblem, place: String) -> Problem {
    let nearest = match problem {
        ValueProblem::Unknown { name } => did_you_mean(name, all_names()),
        ValueProblem::Unfit { .. } => None,
    };
    Problem {
        id: problem.id(),
        message: problem.to_string(),
        place,
        help: nearest.or_else(|| problem.help()),
    }
}

/// The names that a header or a line can set.
pub(in crate::run) fn all_names() -> impl Iterator<Item = &'static str> {
    InteractionValues::NAMES.into_iter().chain(LineValues::NAMES).chain(SegmentHeader::NAMES)
}

fn frame(cells: &[Cell]) -> Frame {
    Frame(cells.iter().map(value).collect())
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Blank => Value::Blank,
        Cell::Text(text) => Value::text(text.as_str()),
        Cell::Number(number) => Value::Number(*number),
        Cell::Bool(truth) => Value::Bool(*truth),
        Cell::Date(date) => Value::Date(*date),
        Cell::DateTime(moment) => Value::DateTime(*moment),
        Cell::Rows(rows) => Value::Rows(rows.iter().map(|row| frame(row)).collect()),
    }
}
