//! Owns tables as files hold them: a header, and records that stream by, each with its place in the file.
//!
//! `.csv` and `.tsv` stream in flat memory; `.xlsx`, `.ods` and `.json` are held in memory while they are read.
//! Fails with a [`TableError`], which says whether it spoils one record or the table.

use std::borrow::Cow;
use std::io;
use std::path::Path;

use jiff::civil::{Date, DateTime};
use rust_decimal::Decimal;

mod decode;
mod delimited;
mod error;
mod json;
mod sheet;
mod source;
mod write;

pub use error::{Place, Row, TableError, TableProblem};
pub use source::{TableFormat, TableSource};
pub use write::{TableWriter, WriteError};

/// A cell must be shorter than this, in bytes of UTF-8: 10 MB, a thousand times what a letter can show.
pub const CELL_LIMIT: usize = 10_000_000;

/// The most columns a table can have: as many as a sheet of Excel has.
pub const COLUMN_LIMIT: usize = 16_384;

/// One value of a table, with the type that the file gives it. Text files give text and blanks alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Cell {
    /// Nothing.
    #[default]
    Blank,
    /// Text as written; never empty.
    Text(String),
    /// A number, exact in decimal.
    Number(Decimal),
    /// A truth value.
    Bool(bool),
    /// A calendar date.
    Date(Date),
    /// A calendar date with the time of day.
    DateTime(DateTime),
    /// The rows of a nested array of JSON, each with a cell for every one of [`Column::rows`].
    Rows(Vec<Vec<Cell>>),
}

impl Cell {
    /// Returns a text, or a blank for the empty text.
    pub fn text(text: &str) -> Cell {
        if text.is_empty() { Cell::Blank } else { Cell::Text(text.to_owned()) }
    }

    /// Returns what the cell reads as: dates in ISO 8601, truth values as `true` and `false`; nothing for rows.
    pub fn as_text(&self) -> Cow<'_, str> {
        match self {
            Cell::Blank | Cell::Rows(_) => Cow::Borrowed(""),
            Cell::Text(text) => Cow::Borrowed(text),
            Cell::Number(number) => Cow::Owned(number.to_string()),
            Cell::Bool(true) => Cow::Borrowed("true"),
            Cell::Bool(false) => Cow::Borrowed("false"),
            Cell::Date(date) => Cow::Owned(date.to_string()),
            Cell::DateTime(moment) => Cow::Owned(moment.to_string()),
        }
    }
}

/// A column of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// The header, without the blanks around it. Empty: the column has no name, and no cell of it has a value.
    pub name: String,
    /// The columns of the rows within, if the cells are [`Cell::Rows`].
    pub rows: Option<Vec<Column>>,
}

impl Column {
    fn named(name: &str) -> Column {
        Column { name: name.to_owned(), rows: None }
    }
}

/// One record of a table; as many cells as the table has columns. Meant to be used again for the next one.
#[derive(Clone, Debug, Default)]
pub struct Record {
    row: u64,
    cells: Cells,
}

#[derive(Clone, Debug)]
enum Cells {
    Texts(Texts),
    Typed(Vec<Cell>),
}

impl Default for Cells {
    fn default() -> Cells {
        Cells::Texts(Texts::default())
    }
}

/// Texts one after the other in one buffer, so that a record costs no allocation per cell.
#[derive(Clone, Debug, Default)]
struct Texts {
    text: String,
    ends: Vec<usize>,
}

impl Texts {
    fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    fn end_cell(&mut self) {
        self.ends.push(self.text.len());
    }

    fn get(&self, column: usize) -> Option<&str> {
        let end = *self.ends.get(column)?;
        let start = column.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.text.get(start..end)
    }

    fn last_len(&self) -> usize {
        self.text.len() - self.ends.last().copied().unwrap_or(0)
    }
}

impl Record {
    /// Returns where the record starts: the line of a text file, the row of a sheet, the line of a JSON object.
    pub fn row(&self) -> u64 {
        self.row
    }

    /// Returns what the cell of a column reads as; empty for a blank and beyond the last column.
    pub fn text(&self, column: usize) -> Cow<'_, str> {
        match &self.cells {
            Cells::Texts(texts) => Cow::Borrowed(texts.get(column).unwrap_or_default()),
            Cells::Typed(cells) => cells.get(column).map_or(Cow::Borrowed(""), Cell::as_text),
        }
    }

    /// Returns the cell of a column; a blank beyond the last column.
    pub fn cell(&self, column: usize) -> Cell {
        match &self.cells {
            Cells::Texts(texts) => Cell::text(texts.get(column).unwrap_or_default()),
            Cells::Typed(cells) => cells.get(column).cloned().unwrap_or_default(),
        }
    }

    fn len(&self) -> usize {
        match &self.cells {
            Cells::Texts(texts) => texts.ends.len(),
            Cells::Typed(cells) => cells.len(),
        }
    }

    fn is_blank(&self) -> bool {
        match &self.cells {
            Cells::Texts(texts) => texts.text.trim().is_empty(),
            Cells::Typed(cells) => {
                cells.iter().all(|cell| cell.as_text().trim().is_empty() && !is_rows(cell))
            }
        }
    }
}

fn is_rows(cell: &Cell) -> bool {
    matches!(cell, Cell::Rows(rows) if !rows.is_empty())
}

/// A table that is being read.
pub struct Table {
    file: String,
    columns: Vec<Column>,
    source: Source,
}

enum Source {
    Delimited(Box<delimited::Delimited>),
    Held(sheet::Held),
}

impl Table {
    /// Opens a table and reads its header; the ending of the name says what it is: `.csv`, `.tsv`, `.xlsx`,
    /// `.ods` or `.json`.
    ///
    /// A text file is UTF-8, UTF-16 with a byte order mark, or one of the single-byte encodings of Windows, told
    /// apart by its bytes; `;`, `,` and tab part its cells, whichever its header shows. Of a workbook, the first
    /// visible sheet is read. JSON is an array of objects.
    ///
    /// # Errors
    ///
    /// A [`TableError`] if the file cannot be read, is not what its name says, or has a header that is empty,
    /// too wide, or names two columns alike.
    pub fn open(path: &Path) -> Result<Table, TableError> {
        Table::open_source(&TableSource::file(path))
    }

    /// Opens a table wherever it is, and reads its header; as [`Table::open`] does.
    ///
    /// # Errors
    ///
    /// As for [`Table::open`].
    pub fn open_source(from: &TableSource) -> Result<Table, TableError> {
        let file = from.name().to_owned();
        let at_file = |problem| TableError { place: Place::file(&file), problem };
        let unreadable = |error: io::Error| at_file(TableProblem::Unreadable { reason: error.to_string() });
        let open = || from.open().map_err(unreadable);
        let ending = from.ending();
        let (columns, source) = match ending {
            "csv" | "tsv" => {
                let delimited = delimited::Delimited::open(open()?, &file, ending == "tsv")?;
                let columns = delimited.header().iter().map(|name| Column::named(name)).collect();
                (columns, Source::Delimited(Box::new(delimited)))
            }
            "xlsx" | "xlsm" | "ods" => {
                let (header, held) = sheet::read(open()?, &file, ending)?;
                (header, Source::Held(held))
            }
            "json" => {
                let (header, held) = json::read(open()?, &file)?;
                (header, Source::Held(held))
            }
            _ => return Err(at_file(TableProblem::UnknownEnding { ending: ending.to_owned() })),
        };
        Ok(Table { file, columns, source })
    }

    /// Returns the name of the file, as it was opened.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Returns the columns in file order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Returns the position of the column with this header, exactly as written.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Reads the next record into `record`; false at the end. Records without any value are passed over.
    ///
    /// # Errors
    ///
    /// A [`TableError`]. If it spoils one record alone ([`TableProblem::ends_table`] is false), the next call goes
    /// on behind it.
    pub fn read(&mut self, record: &mut Record) -> Result<bool, TableError> {
        loop {
            let more = match &mut self.source {
                Source::Delimited(delimited) => delimited.read(record),
                Source::Held(held) => held.read(record),
            };
            match more {
                Ok(false) => return Ok(false),
                Ok(true) if record.is_blank() => {}
                Ok(true) => return self.check(record).map(|()| true),
                Err((row, column, problem)) => {
                    return Err(TableError { place: self.place(row, column), problem });
                }
            }
        }
    }

    /// Reads the next record that can be read into `record`, and hands the errors of those before it to `note`; false
    /// at the end, or where nothing behind can be read.
    pub fn read_next(&mut self, record: &mut Record, note: &mut dyn FnMut(TableError)) -> bool {
        loop {
            match self.read(record) {
                Ok(more) => return more,
                Err(error) => {
                    let ends_table = error.problem.ends_table();
                    note(error);
                    if ends_table {
                        return false;
                    }
                }
            }
        }
    }

    /// Returns the place of a cell in this file; of the whole record without a column.
    pub fn place(&self, row: u64, column: Option<usize>) -> Place {
        let row = match &self.source {
            Source::Delimited(_) => Row::Line(row),
            Source::Held(held) => held.row(row),
        };
        let column = column.map(|position| match self.columns.get(position) {
            Some(column) if !column.name.is_empty() => column.name.clone(),
            _ => format!("no. {}", position + 1),
        });
        Place { file: self.file.clone(), row: Some(row), column }
    }

    fn check(&self, record: &Record) -> Result<(), TableError> {
        let header = self.columns.len();
        if record.len() != header {
            let problem = TableProblem::Ragged { found: record.len(), header };
            return Err(TableError { place: self.place(record.row, None), problem });
        }
        for position in 0..header {
            if self.columns.get(position).is_some_and(|column| column.name.is_empty()) {
                let value = record.text(position);
                if !value.trim().is_empty() {
                    let problem = TableProblem::NoColumnName { value: error::shown(&value) };
                    return Err(TableError { place: self.place(record.row, Some(position)), problem });
                }
            }
        }
        Ok(())
    }
}

/// Checks a header: some name, no name twice, not too many. Blanks around the names are gone already.
fn check_header(file: &str, row: Option<Row>, names: &[&str]) -> Result<(), TableError> {
    let error = |column: Option<&str>, problem| TableError {
        place: Place { file: file.to_owned(), row: row.clone(), column: column.map(str::to_owned) },
        problem,
    };
    if names.len() > COLUMN_LIMIT {
        return Err(error(None, TableProblem::TooManyColumns { found: names.len() }));
    }
    if names.iter().all(|name| name.is_empty()) {
        return Err(error(None, TableProblem::NoHeader));
    }
    let mut seen = std::collections::HashMap::new();
    for (position, name) in names.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
        if let Some(first) = seen.insert(*name, position) {
            let problem = TableProblem::TwoColumns { first: first + 1, second: position + 1 };
            return Err(error(Some(name), problem));
        }
    }
    Ok(())
}
