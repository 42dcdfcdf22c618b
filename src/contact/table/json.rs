//! Owns tables in JSON: an array of objects, whose nested objects become columns and nested arrays rows.
//!
//! The reader is our own, for two things: numbers stay exact, and every record knows its line.
//! Source: RFC 8259.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;

use rust_decimal::Decimal;

use super::delimited::RecordProblem;
use super::error::{Place, Row, TableError, TableProblem};
use super::sheet::Held;
use super::{CELL_LIMIT, Cell, Column, check_header};

/// Deeper nesting is no data for letters, and would exhaust the stack.
const DEPTH: usize = 32;

/// A column of the header, for texts that stand alone in a nested array.
const VALUE: &str = "value";

enum Json {
    Leaf(Cell),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// Reads a table from an array of objects. Its columns are all their names, in the order in which they appear.
pub(super) fn read(mut file: File, name: &str) -> Result<(Vec<Column>, Held), TableError> {
    let at_line = |line: Option<u64>, problem| TableError {
        place: Place { file: name.to_owned(), row: line.map(Row::Line), column: None },
        problem,
    };
    let damaged = |line, reason: &str| at_line(line, TableProblem::Damaged { reason: reason.to_owned() });
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)
        .map_err(|error| at_line(None, TableProblem::Unreadable { reason: error.to_string() }))?;
    let (text, _, is_broken) = encoding_rs::UTF_8.decode(&bytes);
    if is_broken {
        return Err(damaged(None, "JSON is UTF-8, and this is not"));
    }
    let mut parser = Parser { text: &text, at: 0 };
    let records = parser.records().map_err(|reason| damaged(Some(parser.line()), reason))?;
    let mut tree = Tree::default();
    for (_, record) in &records {
        tree.add("", record);
    }
    let columns = tree.columns();
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    check_header(name, None, &names)?;
    let records = records.into_iter().map(|(line, record)| tree.record(line, record)).collect();
    Ok((columns, Held::new(None, records)))
}

/// The columns of objects, found by looking at all of them.
#[derive(Default)]
struct Tree {
    names: Vec<String>,
    positions: BTreeMap<String, usize>,
    rows: BTreeMap<usize, Tree>,
}

impl Tree {
    fn add(&mut self, path: &str, value: &Json) {
        match value {
            Json::Object(members) => {
                for (name, value) in members {
                    self.add(&joined(path, name), value);
                }
            }
            Json::Leaf(_) => {
                self.position(path);
            }
            Json::Array(values) => {
                let position = self.position(path);
                let rows = self.rows.entry(position).or_default();
                for value in values {
                    rows.add(if matches!(value, Json::Object(_)) { "" } else { VALUE }, value);
                }
            }
        }
    }

    fn position(&mut self, path: &str) -> usize {
        if let Some(position) = self.positions.get(path) {
            return *position;
        }
        let position = self.names.len();
        self.names.push(path.to_owned());
        self.positions.insert(path.to_owned(), position);
        position
    }

    fn columns(&self) -> Vec<Column> {
        let column = |(position, name): (usize, &String)| Column {
            name: name.clone(),
            rows: self.rows.get(&position).map(Tree::columns),
        };
        self.names.iter().enumerate().map(column).collect()
    }

    fn record(&self, line: u64, value: Json) -> Result<(u64, Vec<Cell>), RecordProblem> {
        let mut cells = vec![Cell::Blank; self.names.len()];
        self.fill("", value, &mut cells);
        let too_long = |cell: &Cell| matches!(cell, Cell::Text(text) if text.len() >= CELL_LIMIT);
        match cells.iter().position(too_long) {
            Some(column) => Err((line, Some(column), TableProblem::CellTooLong)),
            None => Ok((line, cells)),
        }
    }

    fn fill(&self, path: &str, value: Json, cells: &mut Vec<Cell>) {
        if let Json::Object(members) = value {
            for (name, value) in members {
                self.fill(&joined(path, &name), value, cells);
            }
            return;
        }
        let Some(position) = self.positions.get(path) else { return };
        let Some(cell) = cells.get_mut(*position) else { return };
        *cell = match value {
            Json::Leaf(leaf) => leaf,
            Json::Array(values) => Cell::Rows(match self.rows.get(position) {
                Some(rows) => values.into_iter().map(|value| rows.row(value)).collect(),
                None => Vec::new(),
            }),
            Json::Object(_) => Cell::Blank,
        };
    }

    fn row(&self, value: Json) -> Vec<Cell> {
        let mut cells = vec![Cell::Blank; self.names.len()];
        let path = if matches!(value, Json::Object(_)) { "" } else { VALUE };
        self.fill(path, value, &mut cells);
        cells
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn line(&self) -> u64 {
        let before = self.text.as_bytes().get(..self.at).unwrap_or(self.text.as_bytes());
        memchr::memchr_iter(b'\n', before).count() as u64 + 1
    }

    fn records(&mut self) -> Result<Vec<(u64, Json)>, &'static str> {
        if self.next() != Some(b'[') {
            return Err("an array of objects is expected: `[{…}, …]`");
        }
        self.at += 1;
        let (mut records, mut line, mut counted) = (Vec::new(), 1, 0);
        if self.next() != Some(b']') {
            loop {
                if self.next() != Some(b'{') {
                    return Err("an object `{…}` is expected");
                }
                let passed = self.text.as_bytes().get(counted..self.at).unwrap_or_default();
                line += memchr::memchr_iter(b'\n', passed).count() as u64;
                counted = self.at;
                records.push((line, self.value(0)?));
                match self.next() {
                    Some(b',') => self.at += 1,
                    Some(b']') => break,
                    _ => return Err("`,` or `]` is expected"),
                }
            }
        }
        self.at += 1;
        if self.next().is_some() { Err("nothing more is expected") } else { Ok(records) }
    }

    /// Passes over blanks and shows the next byte.
    fn next(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let n = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))?;
        self.at += n;
        rest.get(n).copied()
    }

    fn value(&mut self, depth: usize) -> Result<Json, &'static str> {
        if depth > DEPTH {
            return Err("it nests deeper than 32 levels");
        }
        match self.next() {
            Some(b'{') => {
                let mut members: Vec<(String, Json)> = Vec::new();
                self.list(b'}', |parser| {
                    if parser.next() != Some(b'"') {
                        return Err("a name in quotes is expected");
                    }
                    let name = parser.string()?;
                    if members.iter().any(|(known, _)| *known == name) {
                        return Err("an object has a name twice");
                    }
                    if parser.next() != Some(b':') {
                        return Err("`:` is expected");
                    }
                    parser.at += 1;
                    let value = parser.value(depth + 1)?;
                    members.push((name, value));
                    Ok(())
                })?;
                Ok(Json::Object(members))
            }
            Some(b'[') => {
                let mut values = Vec::new();
                self.list(b']', |parser| {
                    values.push(parser.value(depth + 1)?);
                    Ok(())
                })?;
                Ok(Json::Array(values))
            }
            Some(b'"') => Ok(Json::Leaf(Cell::text(&self.string()?))),
            _ => self.word().map(Json::Leaf),
        }
    }

    fn list(
        &mut self,
        end: u8,
        mut item: impl FnMut(&mut Self) -> Result<(), &'static str>,
    ) -> Result<(), &'static str> {
        self.at += 1;
        if self.next() == Some(end) {
            self.at += 1;
            return Ok(());
        }
        loop {
            item(self)?;
            let behind = self.next();
            self.at += 1;
            match behind {
                Some(b',') => {}
                Some(byte) if byte == end => return Ok(()),
                _ => return Err("`,` or the end of the list is expected"),
            }
        }
    }

    /// Reads a string; its escapes are serde's.
    fn string(&mut self) -> Result<String, &'static str> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let mut is_escaped = false;
        let end = rest.bytes().skip(1).position(|byte| {
            let is_end = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            is_end
        });
        let quoted = end.and_then(|end| rest.get(..end + 2)).ok_or("a string has no end")?;
        let string = serde_json::from_str(quoted)
            .map_err(|_| "a string has a character or escape that JSON forbids")?;
        self.at += quoted.len();
        Ok(string)
    }

    fn word(&mut self) -> Result<Cell, &'static str> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest
            .bytes()
            .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')))
            .unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        let cell = match word {
            "null" => Cell::Blank,
            "true" => Cell::Bool(true),
            "false" => Cell::Bool(false),
            _ if serde_json::from_str::<serde_json::Number>(word).is_err() => {
                return Err("a value is expected");
            }
            _ => {
                let number = if word.contains(['e', 'E']) {
                    Decimal::from_scientific(word)
                } else {
                    Decimal::from_str_exact(word)
                };
                // A number that is too long to be exact stays the text it was.
                number.map_or_else(|_| Cell::text(word), Cell::Number)
            }
        };
        self.at += word.len();
        Ok(cell)
    }
}
