//! Owns loading: hands each declaration of a segment file to its room, inside the draft of the store.
//!
//! Nothing is kept unless the draft is. All problems of the file and of the tables that it names are collected.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::Spanned;

use crate::contact::import::{
    self, ContactColumns, ContactImport, ImportError, ImportedContact, Problems, RowImport,
};
use crate::contact::table::{Cell, Record, Table};
use crate::contact::{ContactNo, did_you_mean};
use crate::interaction::RunNo;
use crate::merge::value::{Frame, Value};
use crate::run::Store;
use crate::run::named::{place, read_attachment};
use crate::run::problem::Problem;
use crate::run::records::{Records, RecordsError, SegmentStanding};
use crate::run::template::template;
use crate::run::values::RowTable;
use crate::segment::file::{ContactsDeclaration, Settings, setting_text};
use crate::segment::{
    CriteriaAction, CriteriaKind, InteractionValues, LineNo, LineValues, SegmentFile, SegmentHeader,
    SegmentLine, SegmentNo, ValueProblem,
};
use crate::setup::number_series::next_number;
use crate::setup::{Master, Setup};

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

/// Loads what SEGMENT names into the open draft.
///
/// # Errors
///
/// All problems of a segment file and its tables at once; a segment that is unknown, logged, or being run.
pub fn load(records: &mut dyn Store, setup: &Setup, asked: &SegmentRef) -> Result<Loaded, LoadError> {
    for campaign in &setup.campaigns {
        records.put_master(&Master::from(campaign))?;
    }
    match asked {
        SegmentRef::No(segment) => match records.standing(segment)? {
            SegmentStanding::Unknown => Err(LoadError::Unknown(segment.clone())),
            SegmentStanding::Open => {
                Ok(Loaded { segment: segment.clone(), places: BTreeMap::new(), problems: Vec::new() })
            }
            SegmentStanding::Interrupted(run) => {
                Err(LoadError::Interrupted { segment: segment.clone(), run })
            }
            SegmentStanding::Logged(run) => Err(LoadError::Logged { segment: segment.clone(), run }),
        },
        SegmentRef::File(path) => {
            let file = SegmentFile::read(path)
                .map_err(|problems| LoadError::Problems(problems.into_iter().map(Problem::from).collect()))?;
            let mut loader =
                Loader { records, setup, file: &file, problems: Vec::new(), places: BTreeMap::new() };
            let segment = loader.load()?;
            let Loader { problems, places, .. } = loader;
            Ok(Loaded { segment, places, problems })
        }
    }
}

struct Loader<'a> {
    records: &'a mut dyn Store,
    setup: &'a Setup,
    file: &'a SegmentFile,
    problems: Vec<Problem>,
    places: BTreeMap<ContactNo, String>,
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
            if let Err(problem) = set_from(value, name, |text| header.set(name, text)) {
                self.settings_problem(value, &problem);
            }
        }
        if header.no.0.is_empty() {
            self.refuse_if_interrupted()?;
            header.no = next_segment_no(self.records, self.setup)?;
        }
        Ok(header)
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
        let import = match ContactImport::open(&self.file.path(&declaration.file), &columns) {
            Ok(import) => import,
            Err(problems) => {
                self.import_problems(problems);
                return Ok(());
            }
        };
        self.records.put_columns(&import.columns())?;
        for column in import.row_columns() {
            let columns = column.rows.iter().flatten().map(|column| column.name.clone()).collect();
            self.records.put_row_table(&RowTable { name: column.name.clone(), columns })?;
        }
        let mut line_no = LineNo(0);
        let records = &mut *self.records;
        let imported = import.read_all(|ImportedContact { contact, rows, .. }| {
            records.put_contact(contact)?;
            for (table, rows) in rows {
                for row in rows {
                    records.put_row(table, &contact.no, &frame(row))?;
                }
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
        for rows in &declaration.rows {
            self.rows(&rows.name, &self.file.path(&rows.file), &rows.contact)?;
        }
        if let Some(addresses) = &declaration.addresses {
            self.addresses(&self.file.path(addresses))?;
        }
        Ok(())
    }

    fn rows(&mut self, name: &str, path: &Path, contact: &str) -> Result<(), LoadError> {
        let import = match RowImport::open(path, contact) {
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
                self.records.clear_addresses()?;
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
        let actions = [
            (CriteriaKind::Add, &select.add),
            (CriteriaKind::Reduce, &select.reduce),
            (CriteriaKind::Refine, &select.refine),
        ];
        for (kind, conditions) in actions {
            for written in conditions {
                let action = CriteriaAction::new(kind, written.get_ref().as_str());
                match self.records.select(segment, &action) {
                    Ok(_) => {}
                    Err(error @ RecordsError::Condition { .. }) => self.problems.push(Problem {
                        id: error.id(),
                        message: error.to_string(),
                        place: format!("{}: {}", self.place(written), written.get_ref()),
                        help: error.help(),
                    }),
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    fn lines(&mut self, segment: &SegmentNo) -> Result<(), LoadError> {
        for settings in &self.file.declarations.lines {
            self.line(segment, settings)?;
        }
        match &self.file.declarations.line_table {
            Some(table) => self.line_table(segment, &self.file.path(&table.file)),
            None => Ok(()),
        }
    }

    fn line(&mut self, segment: &SegmentNo, settings: &Settings) -> Result<(), LoadError> {
        let mut contact = None;
        let mut values = LineValues::default();
        for (name, value) in settings {
            let problem = match name.as_str() {
                "contact" => set_from(value, "contact", |text| {
                    contact = Some((ContactNo::from(text), self.place(value)));
                    Ok(())
                }),
                "document" => match setting_text(value.get_ref()) {
                    Some(file) => {
                        values.document = self.document(&file, &self.place(value))?;
                        Ok(())
                    }
                    None => Err(not_one_value("document", value)),
                },
                name => set_from(value, name, |text| values.set(name, text)),
            };
            if let Err(problem) = problem {
                self.settings_problem(value, &problem);
            }
        }
        match contact {
            Some((contact, place)) => self.set_line(segment, contact, values, place),
            None => {
                let place = settings
                    .values()
                    .next()
                    .map_or_else(|| self.file.file.display().to_string(), |value| self.place(value));
                self.problems.push(Problem {
                    id: "line-without-contact",
                    message: "the line names no contact".to_owned(),
                    place,
                    help: Some("add `contact = \"…\"` with the number of a contact".to_owned()),
                });
                Ok(())
            }
        }
    }

    fn line_table(&mut self, segment: &SegmentNo, path: &Path) -> Result<(), LoadError> {
        let mut table = match Table::open(path) {
            Ok(table) => table,
            Err(error) => {
                self.problems.push(error.into());
                return Ok(());
            }
        };
        let Some(contact_column) = table.position("contact") else {
            self.problems.push(Problem {
                id: "unknown-column",
                message: "there is no column `contact`".to_owned(),
                place: table.file().to_owned(),
                help: Some("name the column that holds the contact number `contact`".to_owned()),
            });
            return Ok(());
        };
        let mut record = Record::default();
        loop {
            match table.read(&mut record) {
                Ok(false) => return Ok(()),
                Ok(true) => self.table_line(segment, &table, &record, contact_column)?,
                Err(error) => {
                    let ends = error.problem.ends_table();
                    self.problems.push(error.into());
                    if ends {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn table_line(
        &mut self,
        segment: &SegmentNo,
        table: &Table,
        record: &Record,
        contact_column: usize,
    ) -> Result<(), LoadError> {
        let mut values = LineValues::default();
        for (position, column) in table.columns().iter().enumerate() {
            let text = record.text(position);
            if position == contact_column || text.is_empty() {
                continue;
            }
            let place = table.place(record.row(), Some(position)).to_string();
            if column.name == "document" {
                values.document = self.document(&text, &place)?;
            } else if let Err(problem) = values.set(&column.name, &text) {
                self.problems.push(value_problem(&problem, place));
            }
        }
        let place = table.place(record.row(), None).to_string();
        self.set_line(segment, ContactNo::from(record.text(contact_column).trim()), values, place)
    }

    /// Sets values on the line of a contact, and adds the line where the selection has none.
    fn set_line(
        &mut self,
        segment: &SegmentNo,
        contact: ContactNo,
        values: LineValues,
        place: String,
    ) -> Result<(), LoadError> {
        if let Some(first) = self.places.get(&contact) {
            self.problems.push(Problem {
                id: "two-lines",
                message: format!("contact {contact} has two lines"),
                place: format!("{place}, and {first}"),
                help: Some("put all that is set for the contact on one line".to_owned()),
            });
            return Ok(());
        }
        if !self.records.has_contact(&contact)? {
            self.problems.push(Problem {
                id: "unknown-contact",
                message: format!("there is no contact `{contact}`"),
                place,
                help: Some("correct the number, or add the contact to the table of contacts".to_owned()),
            });
            return Ok(());
        }
        let line_no = match self.records.line_of(segment, &contact)? {
            Some(line) => line.line_no,
            None => self.records.add_line(segment, &contact)?,
        };
        self.records.put_line(segment, &SegmentLine { line_no, contact: contact.clone(), values })?;
        self.places.insert(contact, place);
        Ok(())
    }

    fn document(&mut self, file: &str, place: &str) -> Result<Option<crate::segment::Digest>, LoadError> {
        match read_attachment(&self.file.path(file), place) {
            Ok(attachment) => {
                self.records.put_attachment(&attachment)?;
                Ok(Some(attachment.digest))
            }
            Err(problem) => {
                self.problems.push(problem);
                Ok(None)
            }
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

/// Returns the next number of the series of segments.
///
/// # Errors
///
/// A store that cannot be read.
pub fn next_segment_no(store: &mut dyn Records, setup: &Setup) -> Result<SegmentNo, RecordsError> {
    let first = &setup.number_series.segment;
    let last = store.last_segment_no(first)?;
    Ok(SegmentNo(last.and_then(|last| next_number(&last.0)).unwrap_or_else(|| first.clone())))
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
