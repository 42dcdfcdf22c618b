//! Owns text tables: cells parted by `;`, `,` or tab, in quotes where they hold these, streamed in flat memory.
//!
//! Reads what RFC 4180 describes, and the line ends CR and LF alone. Unlike most readers it does not pass over an
//! unclosed quote or text behind a closing one: both put values into the wrong cells.

use std::fs::File;
use std::io;

use super::decode::Decoded;
use super::error::{Place, Row, TableError, TableProblem, shown};
use super::{CELL_LIMIT, Cells, Record, Texts, check_header};

/// A problem of a record: its row, its column if it is of one cell, and what it is.
pub(super) type RecordProblem = (u64, Option<usize>, TableProblem);

/// A text table that is being read.
pub(super) struct Delimited {
    decoded: Decoded,
    separator: u8,
    text: String,
    at: usize,
    line: u64,
    header: Vec<String>,
}

/// What stands behind a cell.
enum Behind {
    Cell,
    End,
}

impl Delimited {
    /// Finds encoding and separator, and reads the header.
    pub(super) fn open(file: File, name: &str, is_tsv: bool) -> Result<Delimited, TableError> {
        let place = |row| Place { file: name.to_owned(), row, column: None };
        let decoded = Decoded::new(file)
            .map_err(|(line, problem)| TableError { place: place(line.map(Row::Line)), problem })?;
        let mut table =
            Delimited { decoded, separator: b'\t', text: String::new(), at: 0, line: 1, header: Vec::new() };
        let unreadable = |problem| TableError { place: place(None), problem };
        let is_whole = table.fill(SNIFF).map_err(|error| unreadable(failed(&error)))?;
        if !is_tsv {
            table.separator = match table.declared_separator() {
                Some(separator) => separator,
                None => separator(&table.text, is_whole),
            };
        }
        let mut record = Record::default();
        let found = table
            .read(&mut record)
            .map_err(|(line, _, problem)| TableError { place: place(Some(Row::Line(line))), problem })?;
        let names: Vec<String> =
            (0..record.len()).map(|column| record.text(column).trim().to_owned()).collect();
        let row = found.then_some(Row::Line(record.row));
        check_header(name, row, &names.iter().map(String::as_str).collect::<Vec<_>>())?;
        table.header = names;
        Ok(table)
    }

    /// Returns the names of the columns.
    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    /// Reads the next record that is not an empty line; false at the end.
    pub(super) fn read(&mut self, record: &mut Record) -> Result<bool, RecordProblem> {
        if let Cells::Typed(_) = record.cells {
            record.cells = Cells::default();
        }
        let Cells::Texts(texts) = &mut record.cells else { return Ok(false) };
        texts.clear();
        let start = self.line;
        let io_failed = |error: io::Error| (start, None, failed(&error));
        while let Some(b'\r' | b'\n') = self.peek().map_err(io_failed)? {
            self.end_line().map_err(io_failed)?;
        }
        if self.peek().map_err(io_failed)?.is_none() {
            return Ok(false);
        }
        record.row = self.line;
        let mut problem = None;
        while let Behind::Cell = self.cell(texts, &mut problem)? {}
        if problem.is_none()
            && let Some(place) = memchr::memchr(0, texts.text.as_bytes())
        {
            let column = texts.ends.partition_point(|end| *end <= place);
            problem = Some((Some(column), TableProblem::Nul));
        }
        match problem {
            None => Ok(true),
            Some((column, problem)) => Err((record.row, column, problem)),
        }
    }

    /// Reads one cell with what ends it. A problem that spoils the record alone is kept, the first of them.
    fn cell(
        &mut self,
        texts: &mut Texts,
        problem: &mut Option<(Option<usize>, TableProblem)>,
    ) -> Result<Behind, RecordProblem> {
        let start = self.line;
        let column = texts.ends.len();
        let io_failed = |error: io::Error| (start, Some(column), failed(&error));
        let mut is_too_long = false;
        while self.peek().map_err(io_failed)? == Some(b' ') {
            self.take(1, texts, &mut is_too_long);
        }
        if self.peek().map_err(io_failed)? == Some(b'"') {
            texts.text.truncate(texts.text.len() - texts.last_len());
            self.quoted(texts, &mut is_too_long).map_err(|problem| (start, Some(column), problem))?;
            while self.peek().map_err(io_failed)? == Some(b' ') {
                self.at += 1;
            }
            let behind = self.peek().map_err(io_failed)?;
            if behind.is_some_and(|byte| byte != self.separator && byte != b'\r' && byte != b'\n') {
                let rest = self.text.get(self.at..).unwrap_or_default();
                let end = rest.find(['\r', '\n', char::from(self.separator)]).unwrap_or(rest.len());
                let text = shown(rest.get(..end).unwrap_or_default());
                problem.get_or_insert((Some(column), TableProblem::TextBehindQuote { text }));
            }
        }
        let behind = loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            if let Some(n) = memchr::memchr3(self.separator, b'\n', b'\r', rest) {
                let is_separator = rest.get(n) == Some(&self.separator);
                self.take(n, texts, &mut is_too_long);
                if is_separator {
                    self.at += 1;
                    break Behind::Cell;
                }
                self.end_line().map_err(io_failed)?;
                break Behind::End;
            }
            self.take(rest.len(), texts, &mut is_too_long);
            if self.peek().map_err(io_failed)?.is_none() {
                break Behind::End;
            }
        };
        if is_too_long {
            problem.get_or_insert((Some(column), TableProblem::CellTooLong));
        }
        texts.end_cell();
        Ok(behind)
    }

    /// Reads what stands in quotes, up to and with the closing one.
    fn quoted(&mut self, texts: &mut Texts, is_too_long: &mut bool) -> Result<(), TableProblem> {
        self.at += 1;
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            let (n, is_quote) = match memchr::memchr(b'"', rest) {
                Some(n) => (n, true),
                None => (rest.len(), false),
            };
            let inside = rest.get(..n).unwrap_or_default();
            self.line += memchr::memchr_iter(b'\n', inside).count() as u64;
            self.take(n, texts, is_too_long);
            if is_quote {
                self.at += 1;
                if self.peek().map_err(|error| failed(&error))? != Some(b'"') {
                    return Ok(());
                }
                self.take(1, texts, is_too_long);
            } else if self.peek().map_err(|error| failed(&error))?.is_none() {
                return Err(TableProblem::UnclosedQuote);
            }
        }
    }

    /// Moves the next `n` bytes into the cell, as long as it is short enough.
    fn take(&mut self, n: usize, texts: &mut Texts, is_too_long: &mut bool) {
        let end = self.at + n;
        if texts.last_len() + n >= CELL_LIMIT || texts.text.len() + n >= CELL_LIMIT * 8 {
            *is_too_long = true;
            texts.text.truncate(texts.text.len() - texts.last_len());
        } else if !*is_too_long {
            texts.text.push_str(self.text.get(self.at..end).unwrap_or_default());
        }
        self.at = end;
    }

    /// Passes over one line end: CR, LF, or CR LF.
    fn end_line(&mut self) -> io::Result<()> {
        let is_return = self.peek()? == Some(b'\r');
        self.at += 1;
        if is_return && self.peek()? == Some(b'\n') {
            self.at += 1;
        }
        self.line += 1;
        Ok(())
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        if self.at >= self.text.len() {
            self.text.clear();
            self.at = 0;
            self.fill(1)?;
        }
        Ok(self.text.as_bytes().get(self.at).copied())
    }

    /// Reads on until so many bytes are there; true if the file has no more.
    fn fill(&mut self, n_bytes: usize) -> io::Result<bool> {
        while self.text.len() < n_bytes {
            if !self.decoded.more(&mut self.text)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes the line `sep=;` that Excel understands at the start of a file.
    fn declared_separator(&mut self) -> Option<u8> {
        let line = self.text.lines().next()?;
        let [separator] = line.strip_prefix("sep=")?.as_bytes() else { return None };
        let separator = *separator;
        self.at = line.len();
        self.end_line().ok()?;
        Some(separator).filter(u8::is_ascii_punctuation).or(Some(b'\t'))
    }
}

fn failed(error: &io::Error) -> TableProblem {
    TableProblem::Unreadable { reason: error.to_string() }
}

/// So much of a file is looked at for its separator.
const SNIFF: usize = 32 * 1024;

/// Finds what parts the cells: that which the header has, and which the most of the next records have as often.
fn separator(text: &str, is_whole: bool) -> u8 {
    let mut best = (b',', (0, 0));
    for candidate in *b";,\t" {
        let counts = separators_by_record(text, candidate, is_whole);
        let Some((in_header, records)) = counts.split_first().filter(|(count, _)| **count > 0) else {
            continue;
        };
        let n_alike = records.iter().filter(|count| *count == in_header).count();
        let score = (n_alike + 1, *in_header);
        if score > best.1 {
            best = (candidate, score);
        }
    }
    best.0
}

fn separators_by_record(text: &str, separator: u8, is_whole: bool) -> Vec<usize> {
    const RECORDS: usize = 50;
    let mut counts = Vec::new();
    let (mut count, mut is_quoted, mut is_empty) = (0, false, true);
    for byte in text.bytes() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\r' | b'\n' if !is_quoted => {
                if !is_empty {
                    counts.push(count);
                }
                (count, is_empty) = (0, true);
                if counts.len() == RECORDS {
                    return counts;
                }
                continue;
            }
            _ if byte == separator && !is_quoted => count += 1,
            _ => {}
        }
        is_empty = false;
    }
    if !is_empty && (is_whole || counts.is_empty()) {
        counts.push(count);
    }
    counts
}
