//! Owns sheets of workbooks, XLSX and ODS, with the types of their cells.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::vec;

use calamine::{Data, Ods, Reader, SheetVisible, Xlsx};
use jiff::civil::{Date, DateTime, Time};
use quick_xml::events::Event;
use rust_decimal::Decimal;

use super::delimited::RecordProblem;
use super::error::{Place, Row, TableError, TableProblem};
use super::{CELL_LIMIT, COLUMN_LIMIT, Cell, Cells, Column, Record, check_header};

/// What a workbook may unpack to: many times what a sheet of a million rows has.
const UNPACKED_LIMIT: u64 = 2 << 30;

/// Records that are held in memory.
pub(super) struct Held {
    sheet: Option<String>,
    records: vec::IntoIter<Result<(u64, Vec<Cell>), RecordProblem>>,
}

impl Held {
    pub(super) fn new(sheet: Option<String>, records: Vec<Result<(u64, Vec<Cell>), RecordProblem>>) -> Held {
        Held { sheet, records: records.into_iter() }
    }

    /// Returns the place of a row in its file.
    pub(super) fn row(&self, row: u64) -> Row {
        match &self.sheet {
            Some(sheet) => Row::Sheet { sheet: sheet.clone(), row },
            None => Row::Line(row),
        }
    }

    /// Moves the next record out.
    pub(super) fn read(&mut self, record: &mut Record) -> Result<bool, RecordProblem> {
        match self.records.next() {
            None => Ok(false),
            Some(Err(problem)) => Err(problem),
            Some(Ok((row, cells))) => {
                *record = Record { row, cells: Cells::Typed(cells) };
                Ok(true)
            }
        }
    }
}

/// Reads the first visible sheet of a workbook; its first row that has a value is the header.
pub(super) fn read(mut file: File, name: &str, ending: &str) -> Result<(Vec<Column>, Held), TableError> {
    let at_file = |problem| TableError { place: Place::file(name), problem };
    check_package(&mut file, ending).map_err(at_file)?;
    let (sheet, rows) = if ending == "ods" { read_ods(file) } else { read_xlsx(file) }.map_err(at_file)?;
    let mut rows =
        rows.into_iter().filter(|(_, cells)| cells.iter().any(|cell| !matches!(cell, Ok(Cell::Blank))));
    let Some((row, header)) = rows.next() else { return Err(at_file(TableProblem::NoHeader)) };
    let rows: Vec<_> = rows.collect();
    let names: Vec<String> = header
        .iter()
        .map(|cell| cell.as_ref().map_or(String::new(), |cell| cell.as_text().trim().to_owned()))
        .collect();
    let used = |cells: &Vec<Result<Cell, TableProblem>>| {
        cells.iter().rposition(|cell| !matches!(cell, Ok(Cell::Blank))).map_or(0, |last| last + 1)
    };
    let width = rows.iter().map(|(_, cells)| used(cells)).chain([used(&header)]).max().unwrap_or(0);
    let mut columns: Vec<Column> = names.iter().map(|name| Column::named(name)).collect();
    columns.resize(width, Column::default());
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    check_header(name, Some(Row::Sheet { sheet: sheet.clone(), row }), &names)?;
    let records = rows.into_iter().map(|(row, cells)| record(row, cells, width)).collect();
    Ok((columns, Held::new(Some(sheet), records)))
}

type SheetRow = (u64, Vec<Result<Cell, TableProblem>>);

fn record(
    row: u64,
    cells: Vec<Result<Cell, TableProblem>>,
    width: usize,
) -> Result<(u64, Vec<Cell>), RecordProblem> {
    let mut record = Vec::with_capacity(width);
    for (column, cell) in cells.into_iter().take(width).enumerate() {
        match cell {
            Ok(Cell::Text(text)) if text.len() >= CELL_LIMIT => {
                return Err((row, Some(column), TableProblem::CellTooLong));
            }
            Ok(cell) => record.push(cell),
            Err(problem) => return Err((row, Some(column), problem)),
        }
    }
    record.resize(width, Cell::Blank);
    Ok((row, record))
}

/// Refuses what is no zip, and what unpacks to too much: the bytes are counted, the sizes it claims not trusted.
fn check_package(file: &mut File, ending: &str) -> Result<(), TableProblem> {
    let unreadable = |error: io::Error| TableProblem::Unreadable { reason: error.to_string() };
    let mut start = Vec::new();
    (&mut *file).take(4).read_to_end(&mut start).map_err(unreadable)?;
    if start != b"PK\x03\x04" {
        let expected = if ending == "ods" { "an ODS workbook" } else { "an XLSX workbook" };
        let found = match start.as_slice() {
            [] => "an empty file",
            b"\xD0\xCF\x11\xE0" => "an old Office file, or one with a password",
            _ => "no zip archive",
        };
        return Err(TableProblem::OtherKind { found, expected });
    }
    let damaged = |error: zip::result::ZipError| TableProblem::Damaged { reason: error.to_string() };
    let mut package = zip::ZipArchive::new(BufReader::new(&mut *file)).map_err(damaged)?;
    let mut rest = UNPACKED_LIMIT;
    for entry in 0..package.len() {
        let entry = package.by_index(entry).map_err(damaged)?;
        let n = io::copy(&mut entry.take(rest + 1), &mut io::sink())
            .map_err(|error| TableProblem::Damaged { reason: error.to_string() })?;
        rest = rest.checked_sub(n).ok_or(TableProblem::TooLarge { limit: UNPACKED_LIMIT })?;
    }
    file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    Ok(())
}

fn first_sheet<R>(workbook: &impl Reader<R>) -> Result<String, TableProblem>
where
    R: Read + Seek,
{
    let sheets = workbook.sheets_metadata();
    let visible = sheets.iter().find(|sheet| sheet.visible == SheetVisible::Visible);
    visible.or(sheets.first()).map(|sheet| sheet.name.clone()).ok_or(TableProblem::NoHeader)
}

fn read_xlsx(file: File) -> Result<(String, Vec<SheetRow>), TableProblem> {
    let damaged = |error: calamine::XlsxError| TableProblem::Damaged { reason: error.to_string() };
    let mut workbook = Xlsx::new(BufReader::new(file)).map_err(damaged)?;
    let sheet = first_sheet(&workbook)?;
    // Cell by cell: a range would reserve room for every cell up to the last, and one cell at XFD1048576 makes
    // that seventeen thousand million.
    let mut cells = workbook.worksheet_cells_reader(&sheet).map_err(damaged)?;
    let mut rows: Vec<SheetRow> = Vec::new();
    while let Some(cell) = cells.next_cell().map_err(damaged)? {
        let (row, column) = cell.get_position();
        let (row, column) = (u64::from(row) + 1, column as usize);
        if column >= COLUMN_LIMIT {
            return Err(TableProblem::TooManyColumns { found: column + 1 });
        }
        let value = typed(Data::from(cell.get_value().clone()));
        if value == Ok(Cell::Blank) {
            continue;
        }
        if rows.last().is_none_or(|(last, _)| *last != row) {
            rows.push((row, Vec::new()));
        }
        if let Some((_, cells)) = rows.last_mut() {
            if cells.len() <= column {
                cells.resize(column + 1, Ok(Cell::Blank));
            }
            if let Some(place) = cells.get_mut(column) {
                *place = value;
            }
        }
    }
    Ok((sheet, rows))
}

/// Fails unless the content of an ODS workbook is well-formed: calamine never comes to the end of one that breaks off
/// within a table.
fn check_content(file: &mut File) -> Result<(), TableProblem> {
    const CONTENT: &str = "content.xml";
    let damaged = |reason: String| TableProblem::Damaged { reason };
    let mut package =
        zip::ZipArchive::new(BufReader::new(&mut *file)).map_err(|error| damaged(error.to_string()))?;
    let content = package.by_name(CONTENT).map_err(|error| damaged(format!("{CONTENT}: {error}")))?;
    let mut reader = quick_xml::Reader::from_reader(BufReader::new(content));
    let (mut buffer, mut n_open) = (Vec::new(), 0_usize);
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).map_err(|error| damaged(format!("{CONTENT}: {error}")))? {
            Event::Start(_) => n_open += 1,
            Event::End(_) => n_open = n_open.saturating_sub(1),
            Event::Eof if n_open > 0 => return Err(damaged(format!("{CONTENT} breaks off"))),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn read_ods(mut file: File) -> Result<(String, Vec<SheetRow>), TableProblem> {
    check_content(&mut file)?;
    file.seek(SeekFrom::Start(0)).map_err(|error| TableProblem::Unreadable { reason: error.to_string() })?;
    let damaged = |error: calamine::OdsError| TableProblem::Damaged { reason: error.to_string() };
    let mut workbook: Ods<_> = Ods::new(BufReader::new(file)).map_err(damaged)?;
    let sheet = first_sheet(&workbook)?;
    let range = workbook.worksheet_range(&sheet).map_err(damaged)?;
    let (first_row, first_column) = range.start().unwrap_or_default();
    let rows = range.rows().zip(u64::from(first_row) + 1..).map(|(cells, row)| {
        let indent = std::iter::repeat_n(Ok(Cell::Blank), first_column as usize);
        (row, indent.chain(cells.iter().map(|cell| typed(cell.clone()))).collect())
    });
    let rows = rows.collect();
    Ok((sheet, rows))
}

fn typed(value: Data) -> Result<Cell, TableProblem> {
    Ok(match value {
        Data::Empty => Cell::Blank,
        Data::Int(number) => Cell::Number(Decimal::from(number)),
        Data::Float(number) => self::number(number),
        Data::String(text) => Cell::text(&text),

        Data::Bool(value) => Cell::Bool(value),
        Data::DateTime(moment) if moment.is_duration() => number(moment.as_f64()),
        Data::DateTime(moment) => {
            let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
            let small = |n: u8| n as i8;
            let date = Date::new(year as i16, small(month), small(day));
            let time = Time::new(small(hour), small(minute), small(second), 0);
            match (date, time) {
                (Ok(date), Ok(time)) if time == Time::midnight() => Cell::Date(date),
                (Ok(date), Ok(time)) => Cell::DateTime(date.to_datetime(time)),
                _ => number(moment.as_f64()),
            }
        }
        Data::DateTimeIso(text) => iso(&text),
        Data::DurationIso(text) => Cell::text(&text),
        Data::Error(error) => return Err(TableProblem::CellError { error: error.to_string() }),
    })
}

fn iso(text: &str) -> Cell {
    if text.contains('T') {
        return text.parse::<DateTime>().map_or_else(|_| Cell::text(text), Cell::DateTime);
    }
    text.parse::<Date>().map_or_else(|_| Cell::text(text), Cell::Date)
}

/// Returns a number as the sheet shows it: whole numbers exactly, all others to fifteen digits, as many as Excel
/// computes with, so that 0.1 + 0.2 is 0.3.
fn number(value: f64) -> Cell {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let text = if value.fract() == 0.0 && value.abs() < EXACT {
        format!("{value:.0}")
    } else {
        format!("{value:.14e}")
    };
    let number = if text.contains('e') { Decimal::from_scientific(&text) } else { text.parse::<Decimal>() };
    number.map_or_else(|_| Cell::Text(value.to_string()), |number| Cell::Number(number.normalize()))
}
