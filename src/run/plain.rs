//! Owns plain mail merge: a Word template and a table become letters, without a segment and without a log.

mod record;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::contact::table::{Cell, Column, Record, Table, TableError};
use crate::delivery::combined::{CombinedFile, CombinedFileError};
use crate::delivery::folder::{Destination, Folder, FolderError};
use crate::delivery::name::{Names, safe_name};
use crate::delivery::pdf::{Converter, Letter, PdfError, Properties};
use crate::merge::odd_value::Told;
use crate::merge::problem::NAMES_HELP;
use crate::merge::value::{Frame, Value};
use crate::merge::{
    BoundTemplate, BoundText, Buffer, CombineError, Escape, FieldMap, FieldUse, Manner, Merged, Moment,
    Namespace, Need, RenderError, Template, Text,
};
use crate::run::album::Shelf;
use crate::run::answers::Answers;
use crate::run::buffers::Buffers;
use crate::run::problem::Problem;
use crate::run::stage::{Stage, Stages};
use crate::run::warning::of_document;
use crate::setup;

use record::{Due, Records, Waiting};

/// How many letters are made at a time; memory does not grow with the table.
const RECORDS_PER_BATCH: usize = 1_024;

/// So many columns are listed where a name fits none.
const COLUMNS_LISTED: usize = 12;

/// Why a merge does not begin, or stops.
#[derive(Debug, thiserror::Error)]
pub enum PlainError {
    /// Something must be put right; nothing was written.
    #[error("{} problems", .0.len())]
    Problems(Vec<Problem>),
    /// The output folder fails.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The combined document cannot be written.
    #[error("cannot write `{}`: {source}", .path.display())]
    Combined {
        /// The file.
        path: PathBuf,
        /// Why.
        source: CombineError,
    },
    /// No PDF can be made.
    #[error(transparent)]
    Pdf(#[from] PdfError),
    /// A letter could not be made.
    #[error("the letter of record {record} could not be made: {reason}")]
    Letter {
        /// The record, from 1.
        record: u64,
        /// Why.
        reason: String,
    },
}

impl From<TableError> for PlainError {
    fn from(error: TableError) -> PlainError {
        PlainError::Problems(vec![error.into()])
    }
}

impl From<CombinedFileError> for PlainError {
    fn from(error: CombinedFileError) -> PlainError {
        match error {
            CombinedFileError::Folder(error) => error.into(),
            CombinedFileError::Combine { path, source } => PlainError::Combined { path, source },
        }
    }
}

/// A template bound to the columns of a table, and the pattern of the files' names.
#[derive(Debug)]
pub struct PlainMerge {
    template: BoundTemplate,
    name: Option<BoundText>,
    is_in_turn: bool,
    shelf: Shelf,
    n_columns: usize,
    /// The answers, numbered behind the columns.
    answers: Vec<Value>,
    /// How letters become PDF; none where they are Word documents.
    pdf: Option<setup::Pdf>,
    /// The template's file.
    file: String,
    odd: Mutex<OddValues>,
}

/// What is odd about the values of records, once for each field of the template.
#[derive(Debug, Default)]
struct OddValues {
    told: Told,
    warnings: Vec<Problem>,
}

/// What a merge made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlainLetters {
    /// How many letters there are.
    pub n_letters: u64,
    /// The letters that could not become PDF, each with its file's name and the reason.
    pub failed: Vec<(String, String)>,
}

/// What the fields of a template may name: the columns of the table, and the questions that have answers.
#[derive(Clone, Copy, Debug)]
pub struct PlainNames<'a> {
    /// The columns.
    pub columns: &'a [Column],
    /// The answers to ASK and FILLIN.
    pub answers: &'a Answers,
}

impl PlainMerge {
    /// Binds a template and a pattern for names to the columns of a table and the answers to questions.
    ///
    /// # Errors
    ///
    /// Every field and tag without a column, every question without an answer.
    pub fn new(
        file: &str,
        template: &Template,
        names: PlainNames<'_>,
        name: Option<&str>,
    ) -> Result<PlainMerge, PlainError> {
        let namespace = namespace(names);
        let mut problems = Vec::new();
        let bound = template.bind(&namespace, &FieldMap::new()).map_err(|found| {
            let told = found.into_iter().map(|problem| of_document(file, problem));
            problems.extend(told.map(|problem| with_columns(problem, names.columns)));
        });
        let name = name.map(|pattern| bound_name(pattern, &namespace)).transpose();
        match (bound, name) {
            (Ok(bound), Ok(name)) => {
                // Where records are skipped or taken several at once, each letter begins where the last one ended.
                let skips = |field: &FieldUse| ["SKIPIF", "NEXTIF", "NEXT"].contains(&field.kind.as_str());
                let is_in_turn = bound.takes_several() || template.fields().iter().any(skips);
                let answers = names.answers.iter().map(|(_, answer)| answer.clone()).collect();
                let n_columns = names.columns.len();
                Ok(PlainMerge {
                    template: bound,
                    name,
                    is_in_turn,
                    n_columns,
                    answers,
                    shelf: Shelf::new(Path::new("")),
                    pdf: None,
                    file: file.to_owned(),
                    odd: Mutex::default(),
                })
            }
            (_, name) => {
                let of_name = name.err().into_iter().flatten();
                problems.extend(of_name.map(|problem| with_columns(problem, names.columns)));
                Err(PlainError::Problems(problems))
            }
        }
    }

    /// Lets the letters in a folder be PDF.
    pub fn as_pdf(self, set_up: setup::Pdf) -> PlainMerge {
        PlainMerge { pdf: Some(set_up), ..self }
    }

    /// Returns the columns that neither the template nor the names of the files use, as they are written.
    pub fn unused_columns<'c>(&self, columns: &'c [Column]) -> Vec<&'c str> {
        let of_name = self.name.iter().flat_map(BoundText::needs);
        let used: BTreeSet<usize> = (self.template.needs().iter().chain(of_name))
            .map(|need| match need {
                Need::Value(column) | Need::Rows(column, _) => *column,
            })
            .collect();
        let unused = columns.iter().enumerate().filter(|(number, _)| !used.contains(number));
        unused.map(|(_, column)| column.name.as_str()).collect()
    }

    /// Takes the pictures of letters out of a folder, in place of the working folder.
    #[must_use]
    pub fn with_pictures(self, folder: &Path) -> PlainMerge {
        PlainMerge { shelf: Shelf::new(folder), ..self }
    }

    /// Tells whether letters may ask for pictures, or lead to addresses that values make: then
    /// [`PlainMerge::check`] can say what is at fault before anything is written.
    pub fn wants_more(&self) -> bool {
        self.template.wants_more()
    }

    /// Reads a table to its end, and looks for every picture that its letters show.
    ///
    /// # Errors
    ///
    /// All pictures that are missing or at fault, and all addresses that no letter may lead to.
    pub fn check(&self, table: &mut Table, moment: &Moment, stages: &Stages) -> Result<(), PlainError> {
        let mut problems = Vec::new();
        let mut records = Records { merge: self, table, moment, stages, n_read: 0 };
        loop {
            let due = records.read()?;
            if due.is_empty() {
                break;
            }
            for Due { record, frame, .. } in &due {
                let moment = Moment { record: *record, sequence: *record, ..moment.clone() };
                let frames = std::slice::from_ref(frame);
                let place = format!("record {record}");
                if let Err(faults) = self.shelf.pictures(&self.template, frames, &moment) {
                    problems.extend(faults.iter().map(|(fault, wanted)| fault.problem(&place, wanted)));
                }
                let wanted = self.template.wanted(frames, &moment);
                problems.extend(wanted.refused_links.iter().map(|address| refused_link(address, &place)));
                problems.extend(wanted.too_long.map(|text| Problem {
                    id: "barcode-too-long",
                    message: format!("a value of {} bytes is too long for its QR code", text.len()),
                    place,
                    help: Some("shorten the value, or lower the error correction with `\\q 0`".to_owned()),
                }));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(PlainError::Problems(problems)) }
    }

    /// Takes what is odd about the values of the records that were read so far, but stops nothing.
    pub fn take_warnings(&self) -> Vec<Problem> {
        let mut odd = self.odd.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut odd.warnings)
    }

    fn note_odd_values(&self, record: u64, frame: &Frame, locale: &str) {
        let mut odd = self.odd.lock().unwrap_or_else(PoisonError::into_inner);
        let OddValues { told, warnings } = &mut *odd;
        for found in self.template.odd_values(frame, locale, told) {
            let problem = of_document(&self.file, found);
            warnings.push(Problem { place: format!("record {record}, {}", problem.place), ..problem });
        }
    }

    /// The template with the pictures of the letter that is made next.
    fn template_for(&self, frames: &[Frame], moment: &Moment) -> Result<Cow<'_, BoundTemplate>, PlainError> {
        if !self.template.wants_more() {
            return Ok(Cow::Borrowed(&self.template));
        }
        match self.shelf.pictures(&self.template, frames, moment) {
            Ok(pictures) => Ok(Cow::Owned(self.template.with_pictures(pictures))),
            Err(faults) => {
                let reason = faults.first().map(|(fault, _)| fault.to_string()).unwrap_or_default();
                Err(PlainError::Letter { record: moment.record, reason })
            }
        }
    }

    /// Merges the records into letters in a folder.
    ///
    /// A letter takes one record, or as many as NEXT asks for; a record that SKIPIF leaves out makes none. While the
    /// letters of one batch are made, those of the batch before get their names, and the next records are read. A folder
    /// that is not there yet appears with all its letters, or not at all.
    ///
    /// # Errors
    ///
    /// A table that cannot be read to its end, a folder that cannot be written, a letter that cannot be made.
    pub fn into_folder(
        &self,
        table: &mut Table,
        folder: &Path,
        moment: &Moment,
        stages: &Stages,
    ) -> Result<PlainLetters, PlainError> {
        let converter = self.pdf.as_ref().map(|set_up| Converter::open(set_up, folder)).transpose()?;
        let press = Press {
            merge: self,
            folder: match converter {
                // What is converted lies in the folder meanwhile.
                Some(_) => Destination::Standing(Folder::open(folder)?),
                None => Destination::open(folder)?,
            },
            moment,
            stages,
            buffers: Buffers::default(),
            converter,
            waiting: Mutex::default(),
            failed: Mutex::default(),
        };
        let records = Records { merge: self, table, moment, stages, n_read: 0 };
        let n_made = if self.is_in_turn { press.in_turn(records) } else { press.in_batches(records) }?;
        stages.time(Stage::Write, || press.folder.finish())?;
        let failed = press.failed.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(PlainLetters { n_letters: n_made - failed.len() as u64, failed })
    }

    /// Merges the records into one document; returns how many letters are in it. Without a letter there is none.
    ///
    /// # Errors
    ///
    /// As [`PlainMerge::into_folder`], and what does not fit one document.
    pub fn into_combined(
        &self,
        table: &mut Table,
        path: &Path,
        moment: &Moment,
        stages: &Stages,
    ) -> Result<u64, PlainError> {
        let manner = Manner { joint: self.template.joint(), ..Manner::default() };
        let mut combined = CombinedFile::create(path, manner)?;
        let records = Records { merge: self, table, moment, stages, n_read: 0 };
        let mut waiting =
            Waiting { records, frames: Vec::new(), stems: Vec::new(), n_gone: 0, is_last: false };
        let (mut letter, mut n_letters, mut first) = (Vec::new(), 0, 0);
        loop {
            let rest = waiting.frames.get(first..).unwrap_or_default();
            // A letter may take records of which only some are read.
            if rest.is_empty() || self.is_in_turn && rest.len() < RECORDS_PER_BATCH && !waiting.is_last {
                if waiting.is_last {
                    break;
                }
                waiting.read_on(first)?;
                first = 0;
                continue;
            }
            let record = waiting.n_gone + first as u64 + 1;
            let moment = Moment { record, sequence: n_letters + 1, ..moment.clone() };
            let merged = stages
                .time(Stage::Merge, || self.template.letter_of(rest, &moment, &mut letter))
                .map_err(|error| PlainError::Letter { record, reason: error.to_string() })?;
            if !merged.is_skipped {
                stages.time(Stage::Write, || combined.add(&letter))?;
                n_letters += 1;
            }
            first += merged.n_records.max(1);
        }
        if n_letters > 0 {
            combined.publish()?;
        }
        Ok(n_letters)
    }

    fn frame(&self, record: &Record, needs: &[Need]) -> Frame {
        let answer = |entry: usize| entry.checked_sub(self.n_columns).and_then(|at| self.answers.get(at));
        let cell = |need: &Need| match need {
            Need::Value(entry) => answer(*entry).cloned().unwrap_or_else(|| value(record.cell(*entry))),
            Need::Rows(column, inner) => rows(record.cell(*column), inner),
        };
        Frame(needs.iter().map(cell).collect())
    }
}

/// Where letters are made and written.
struct Press<'a> {
    merge: &'a PlainMerge,
    folder: Destination,
    moment: &'a Moment,
    stages: &'a Stages,
    buffers: Buffers,
    converter: Option<Converter>,
    /// Letters that become PDF when they get their names, by name.
    waiting: Mutex<BTreeMap<String, Vec<u8>>>,
    failed: Mutex<Vec<(String, String)>>,
}

impl Press<'_> {
    /// Merges many records at the same time, each into a letter.
    fn in_batches(&self, mut records: Records<'_>) -> Result<u64, PlainError> {
        let mut names = Names::default();
        let mut due = records.read()?;
        let mut written: Vec<String> = Vec::new();
        while !due.is_empty() || !written.is_empty() {
            let named: Vec<String> = due.iter().map(|due| names.unique(&self.name(&due.stem))).collect();
            let (made, next) = rayon::join(
                || due.par_iter().zip(&named).try_for_each(|(due, name)| self.one(due, name)),
                || self.publish(&written).and_then(|()| records.read()),
            );
            made?;
            due = next?;
            written = named;
        }
        Ok(records.n_read)
    }

    fn one(&self, due: &Due, name: &str) -> Result<(), PlainError> {
        self.buffers.lend(|buffer| {
            let merged = self.letter(std::slice::from_ref(&due.frame), due.record, due.record, buffer)?;
            if merged.is_skipped {
                let reason = RenderError::Skipped.to_string();
                return Err(PlainError::Letter { record: due.record, reason });
            }
            self.write(name, buffer)
        })
    }

    /// Merges letter after letter, each from the record behind the last one's.
    fn in_turn(&self, records: Records<'_>) -> Result<u64, PlainError> {
        let mut waiting =
            Waiting { records, frames: Vec::new(), stems: Vec::new(), n_gone: 0, is_last: false };
        let (mut names, mut written, mut buffer) = (Names::default(), Vec::new(), Buffer::new());
        let mut n_letters = 0;
        let mut first = 0;
        loop {
            let rest = waiting.frames.get(first..).unwrap_or_default();
            let record = waiting.n_gone + first as u64 + 1;
            let merged = match rest {
                [] => None,
                rest => Some(self.letter(rest, record, n_letters + 1, &mut buffer)?),
            };
            let n_taken = merged.map_or(0, |merged| merged.n_records.max(1));
            if n_taken >= rest.len() && !waiting.is_last {
                // The letter may take more records than were read: it is made again when there are more.
                waiting.read_on(first)?;
                first = 0;
                continue;
            }
            let (Some(merged), Some(stem)) = (merged, waiting.stems.get(first)) else { break };
            if !merged.is_skipped {
                let name = names.unique(&self.name(stem));
                self.write(&name, &buffer)?;
                written.push(name);
                n_letters += 1;
            }
            if written.len() == RECORDS_PER_BATCH {
                self.publish(&written)?;
                written.clear();
            }
            first += n_taken;
        }
        self.publish(&written)?;
        Ok(n_letters)
    }

    fn letter(
        &self,
        frames: &[Frame],
        record: u64,
        sequence: u64,
        buffer: &mut Buffer,
    ) -> Result<Merged, PlainError> {
        let moment = Moment { record, sequence, ..self.moment.clone() };
        let template = self.merge.template_for(frames, &moment)?;
        self.stages
            .time(Stage::Merge, || template.letter_in(frames, &moment, buffer))
            .map_err(|error| PlainError::Letter { record, reason: error.to_string() })
    }

    fn name(&self, stem: &str) -> String {
        safe_name(stem, if self.converter.is_some() { "pdf" } else { "docx" })
    }

    fn write(&self, name: &str, buffer: &Buffer) -> Result<(), PlainError> {
        if self.converter.is_some() {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.insert(name.to_owned(), buffer.letter().to_vec());
            return Ok(());
        }
        Ok(self.stages.time(Stage::Write, || self.folder.write(name, buffer.letter()))?)
    }

    /// Gives files their names; those that are to be PDF are converted first.
    fn publish(&self, names: &[String]) -> Result<(), PlainError> {
        let converted = match &self.converter {
            Some(converter) => Some(self.convert(converter, names)?),
            None => None,
        };
        let names = converted.as_deref().unwrap_or(names);
        Ok(self.stages.time(Stage::Write, || self.folder.publish(names))?)
    }
}

fn refused_link(address: &str, place: &str) -> Problem {
    Problem {
        id: "refused-link",
        message: format!("the letter would lead to `{address}`"),
        place: place.to_owned(),
        help: Some("give an address that begins with https:, http:, mailto:, tel: or sms:".to_owned()),
    }
}

impl Press<'_> {
    /// Writes the PDF of letters under temporary names; returns the names of those that have one.
    fn convert(&self, converter: &Converter, names: &[String]) -> Result<Vec<String>, PlainError> {
        let documents: Vec<Vec<u8>> = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            names.iter().map(|name| waiting.remove(name).unwrap_or_default()).collect()
        };
        let properties = Properties::default();
        let letters: Vec<Letter<'_>> =
            documents.iter().map(|docx| Letter { docx, template: 0, properties }).collect();
        let mut written = Vec::new();
        for (name, made) in names.iter().zip(converter.convert(&letters)?) {
            match made {
                Ok(pdf) => {
                    self.folder.write(name, &pdf.bytes)?;
                    written.push(name.clone());
                }
                Err(reason) => {
                    let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
                    failed.push((name.clone(), reason));
                }
            }
        }
        Ok(written)
    }
}

/// Lists the columns in the help for a name that is like none of them.
fn with_columns(problem: Problem, columns: &[Column]) -> Problem {
    if problem.help.as_deref() != Some(NAMES_HELP) {
        return problem;
    }
    let shown: Vec<String> =
        columns.iter().take(COLUMNS_LISTED).map(|column| format!("`{}`", column.name)).collect();
    let more = match columns.len().saturating_sub(COLUMNS_LISTED) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let noun = if columns.len() == 1 { "column" } else { "columns" };
    Problem { help: Some(format!("the table has the {noun} {}{more}", shown.join(", "))), ..problem }
}

fn bound_name(pattern: &str, namespace: &Namespace) -> Result<BoundText, Vec<Problem>> {
    let problem = |id, message: String, place: String, help| Problem { id, message, place, help };
    let text = Text::compile(pattern, Escape::None).map_err(|error| {
        vec![problem(error.id(), error.to_string(), format!("--name, {}", error.place()), error.help())]
    })?;
    text.bind(namespace).map_err(|problems| {
        problems
            .into_iter()
            .map(|found| {
                problem(found.id(), found.to_string(), format!("--name, {}", found.place()), found.help())
            })
            .collect()
    })
}

/// Returns the names that the columns of a table and the answers to questions give to a template.
pub fn namespace(names: PlainNames<'_>) -> Namespace {
    let mut namespace = of_columns(names.columns);
    for (question, _) in names.answers.iter() {
        namespace.value(&format!("answers.{question}"));
    }
    namespace
}

fn of_columns(columns: &[Column]) -> Namespace {
    let mut namespace = Namespace::new();
    for column in columns {
        match &column.rows {
            Some(rows) => namespace.rows(&column.name, of_columns(rows)),
            None => namespace.column(&column.name, &column.name),
        };
    }
    namespace
}

fn rows(cell: Cell, needs: &[Need]) -> Value {
    let Cell::Rows(rows) = cell else { return Value::Rows(Vec::new()) };
    let of_row = |row: Vec<Cell>| {
        let cell = |column: usize| row.get(column).cloned().unwrap_or_default();
        let of_need = |need: &Need| match need {
            Need::Value(column) => value(cell(*column)),
            Need::Rows(column, inner) => self::rows(cell(*column), inner),
        };
        Frame(needs.iter().map(of_need).collect())
    };
    Value::Rows(rows.into_iter().map(of_row).collect())
}

fn value(cell: Cell) -> Value {
    match cell {
        Cell::Blank => Value::Blank,
        Cell::Text(text) => Value::Text(text),
        Cell::Number(number) => Value::Number(number),
        Cell::Bool(truth) => Value::Bool(truth),
        Cell::Date(date) => Value::Date(date),
        Cell::DateTime(moment) => Value::DateTime(moment),
        Cell::Rows(rows) => {
            Value::Rows(rows.into_iter().map(|row| Frame(row.into_iter().map(value).collect())).collect())
        }
    }
}
