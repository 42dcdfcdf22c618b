//! Owns plain mail merge: a Word template and a table become letters, without a segment and without a log.

use std::collections::BTreeSet;
use std::path::Path;

use rayon::prelude::*;

use crate::contact::table::{Cell, Column, Record, Table, TableError};
use crate::delivery::folder::{Folder, FolderError};
use crate::delivery::name::{Names, safe_name};
use crate::merge::value::{Frame, Value};
use crate::merge::{
    BoundTemplate, BoundText, Escape, FieldMap, FieldUse, Moment, Namespace, Need, Template, Text,
};
use crate::run::problem::Problem;
use crate::run::warning::of_document;

/// How many letters are made at a time; memory does not grow with the table.
const RECORDS_PER_BATCH: usize = 1_024;

/// Why a merge does not begin, or stops.
#[derive(Debug, thiserror::Error)]
pub enum PlainError {
    /// Something must be put right; nothing was written.
    #[error("{} problems", .0.len())]
    Problems(Vec<Problem>),
    /// The output folder fails.
    #[error(transparent)]
    Folder(#[from] FolderError),
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

/// A template bound to the columns of a table, and the pattern of the files' names.
#[derive(Debug)]
pub struct PlainMerge {
    template: BoundTemplate,
    name: Option<BoundText>,
    is_in_turn: bool,
}

impl PlainMerge {
    /// Binds a template and a pattern for names to the columns of a table.
    ///
    /// # Errors
    ///
    /// Every field and tag without a column.
    pub fn new(
        file: &str,
        template: &Template,
        columns: &[Column],
        name: Option<&str>,
    ) -> Result<PlainMerge, PlainError> {
        let namespace = namespace(columns);
        let mut problems = Vec::new();
        let bound = template.bind(&namespace, &FieldMap::new()).map_err(|found| {
            problems.extend(found.into_iter().map(|problem| of_document(file, problem)));
        });
        let name = name.map(|pattern| bound_name(pattern, &namespace)).transpose();
        match (bound, name) {
            (Ok(bound), Ok(name)) => {
                // Where records are skipped or taken several at once, each letter begins where the last one ended.
                let skips = |field: &FieldUse| ["SKIPIF", "NEXTIF", "NEXT"].contains(&field.kind.as_str());
                let is_in_turn = bound.takes_several() || template.fields().iter().any(skips);
                Ok(PlainMerge { template: bound, name, is_in_turn })
            }
            (_, name) => {
                problems.extend(name.err().into_iter().flatten());
                Err(PlainError::Problems(problems))
            }
        }
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

    /// Merges the records into letters in a folder; returns how many letters there are.
    ///
    /// A letter takes one record, or as many as NEXT asks for; a record that SKIPIF leaves out makes none.
    ///
    /// # Errors
    ///
    /// A table that cannot be read to its end, a folder that cannot be written, a letter that cannot be made.
    pub fn into_folder(&self, table: &mut Table, folder: &Path, moment: &Moment) -> Result<u64, PlainError> {
        let folder = Folder::open(folder)?;
        let mut names = Names::default();
        if self.is_in_turn {
            return self.in_turn(table, &folder, &mut names, moment);
        }
        let mut n_records = 0;
        loop {
            let frames = self.read(table, n_records, moment)?;
            if frames.is_empty() {
                return Ok(n_records);
            }
            let named: Vec<(u64, String, &Frame)> = frames
                .iter()
                .zip(n_records + 1..)
                .map(|((frame, stem), record)| (record, names.unique(&safe_name(stem, "docx")), frame))
                .collect();
            named.par_iter().try_for_each_init(Vec::new, |letter, (record, name, frame)| {
                let moment = Moment { record: *record, sequence: *record, ..moment.clone() };
                self.template
                    .letter(frame, &moment, letter)
                    .map_err(|error| PlainError::Letter { record: *record, reason: error.to_string() })?;
                folder.write(name, letter).map_err(PlainError::from)
            })?;
            let published: Vec<&str> = named.iter().map(|(_, name, _)| name.as_str()).collect();
            folder.publish(&published)?;
            n_records += named.len() as u64;
        }
    }

    /// Merges letter after letter, each from the record behind the last one's.
    fn in_turn(
        &self,
        table: &mut Table,
        folder: &Folder,
        names: &mut Names,
        moment: &Moment,
    ) -> Result<u64, PlainError> {
        let mut records = Vec::new();
        loop {
            let batch = self.read(table, records.len() as u64, moment)?;
            if batch.is_empty() {
                break;
            }
            records.extend(batch);
        }
        let (frames, stems): (Vec<Frame>, Vec<String>) = records.into_iter().unzip();
        let mut letter = Vec::new();
        let mut n_letters = 0;
        let mut first = 0;
        while let (Some(rest), Some(stem)) =
            (frames.get(first..).filter(|rest| !rest.is_empty()), stems.get(first))
        {
            let record = first as u64 + 1;
            let moment = Moment { record, sequence: n_letters + 1, ..moment.clone() };
            let merged = self
                .template
                .letter_of(rest, &moment, &mut letter)
                .map_err(|error| PlainError::Letter { record, reason: error.to_string() })?;
            if !merged.is_skipped {
                let name = names.unique(&safe_name(stem, "docx"));
                folder.write(&name, &letter)?;
                folder.publish(&[name])?;
                n_letters += 1;
            }
            first += merged.n_records.max(1);
        }
        Ok(n_letters)
    }

    /// Reads the frames of the next records, each with the stem of its file's name.
    fn read(
        &self,
        table: &mut Table,
        n_before: u64,
        moment: &Moment,
    ) -> Result<Vec<(Frame, String)>, PlainError> {
        let mut frames = Vec::new();
        let mut record = Record::default();
        while frames.len() < RECORDS_PER_BATCH && table.read(&mut record)? {
            let number = n_before + frames.len() as u64 + 1;
            let stem = match &self.name {
                Some(pattern) => pattern
                    .render(&frame(&record, pattern.needs()), moment)
                    .map_err(|error| PlainError::Letter { record: number, reason: error.to_string() })?,
                None => format!("{number:06}"),
            };
            frames.push((frame(&record, self.template.needs()), stem));
        }
        Ok(frames)
    }
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

/// Returns the names that the columns of a table give to a template.
pub fn namespace(columns: &[Column]) -> Namespace {
    let mut namespace = Namespace::new();
    for column in columns {
        match &column.rows {
            Some(rows) => namespace.rows(&column.name, self::namespace(rows)),
            None => namespace.column(&column.name, &column.name),
        };
    }
    namespace
}

fn frame(record: &Record, needs: &[Need]) -> Frame {
    let cell = |need: &Need| match need {
        Need::Value(column) => value(record.cell(*column)),
        Need::Rows(column, inner) => rows(record.cell(*column), inner),
    };
    Frame(needs.iter().map(cell).collect())
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
