//! Owns references to the cells of a table: `A1`, `A1:B2`, `B:B`, `2:2`, `R1C2`, `ABOVE`.

use crate::merge::value::Value;

/// The table in which a formula stands. Rows and columns count from 0.
pub trait TableCells {
    /// Returns row and column of the formula's own cell.
    fn position(&self) -> (usize, usize);
    /// Returns how many rows the table has.
    fn n_rows(&self) -> usize;
    /// Returns how many cells a row has; 0 beyond the table.
    fn n_columns(&self, row: usize) -> usize;
    /// Returns a cell's value, mostly text; a blank beyond the table.
    fn value(&self, row: usize, column: usize) -> Value;
}

/// Some cells of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cells {
    /// The cells above the formula's, in its column.
    Above,
    /// The cells below it.
    Below,
    /// The cells left of it, in its row.
    Left,
    /// The cells right of it.
    Right,
    /// A rectangle; `None` at an end is the edge of the table.
    Rectangle {
        /// First row and column.
        first: (usize, usize),
        /// Last row and column.
        last: (Option<usize>, Option<usize>),
    },
}

/// One reference as written: a cell, a row or a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CellReference {
    pub(super) row: Option<usize>,
    pub(super) column: Option<usize>,
}

impl Cells {
    /// Returns the values of the cells, row by row.
    pub fn values(&self, table: &dyn TableCells) -> Vec<Value> {
        let (row, column) = table.position();
        let (first, last) = match self {
            Cells::Above => ((0, column), (row.checked_sub(1), Some(column))),
            Cells::Below => ((row + 1, column), (table.n_rows().checked_sub(1), Some(column))),
            Cells::Left => ((row, 0), (Some(row), column.checked_sub(1))),
            Cells::Right => ((row, column + 1), (Some(row), table.n_columns(row).checked_sub(1))),
            Cells::Rectangle { first, last } => {
                let last_row = last.0.unwrap_or(usize::MAX).min(table.n_rows().saturating_sub(1));
                (*first, (Some(last_row), Some(last.1.unwrap_or(usize::MAX))))
            }
        };
        let (Some(last_row), Some(last_column)) = last else { return Vec::new() };
        let mut values = Vec::new();
        for row in first.0..=last_row {
            let Some(edge) = table.n_columns(row).checked_sub(1) else { continue };
            for column in first.1..=last_column.min(edge) {
                values.push(table.value(row, column));
            }
        }
        values
    }

    /// Returns the cells that a name such as `ABOVE` means.
    pub(super) fn from_direction(name: &str) -> Option<Cells> {
        Some(match name.to_ascii_uppercase().as_str() {
            "ABOVE" => Cells::Above,
            "BELOW" => Cells::Below,
            "LEFT" => Cells::Left,
            "RIGHT" => Cells::Right,
            _ => return None,
        })
    }

    /// Returns the cells from one reference to another, in whatever order they stand.
    pub(super) fn between(one: CellReference, other: CellReference) -> Cells {
        let (first_row, last_row) = ends(one.row, other.row);
        let (first_column, last_column) = ends(one.column, other.column);
        Cells::Rectangle { first: (first_row, first_column), last: (last_row, last_column) }
    }
}

impl CellReference {
    /// Reads `B3` or `R3C2`; none if the name is no reference.
    pub(super) fn parse(name: &str) -> Option<CellReference> {
        let name = name.to_ascii_uppercase();
        CellReference::parse_row_column(&name).or_else(|| CellReference::parse_letters(&name))
    }

    /// Reads one end of a range, which may also be a column `B`.
    pub(super) fn parse_end(name: &str) -> Option<CellReference> {
        CellReference::parse(name).or_else(|| {
            let column = column_number(&name.to_ascii_uppercase())?;
            Some(CellReference { row: None, column: Some(column) })
        })
    }

    /// The row of a range such as `1:1`.
    pub(super) fn of_row(number: usize) -> Option<CellReference> {
        Some(CellReference { row: Some(number.checked_sub(1)?), column: None })
    }

    fn parse_row_column(name: &str) -> Option<CellReference> {
        let (row, column) = name.strip_prefix('R')?.split_once('C')?;
        Some(CellReference { row: Some(from_one(row)?), column: Some(from_one(column)?) })
    }

    fn parse_letters(name: &str) -> Option<CellReference> {
        let digits = name.find(|sign: char| sign.is_ascii_digit())?;
        let (letters, row) = name.split_at(digits);
        Some(CellReference { row: Some(from_one(row)?), column: Some(column_number(letters)?) })
    }
}

/// A column's number from its letters; Word has up to 63 columns.
fn column_number(letters: &str) -> Option<usize> {
    if letters.is_empty() || letters.len() > 2 || !letters.bytes().all(|letter| letter.is_ascii_uppercase()) {
        return None;
    }
    let number = letters.bytes().fold(0, |number, letter| number * 26 + usize::from(letter - b'A') + 1);
    number.checked_sub(1)
}

fn from_one(digits: &str) -> Option<usize> {
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    digits.parse::<usize>().ok()?.checked_sub(1)
}

fn ends(one: Option<usize>, other: Option<usize>) -> (usize, Option<usize>) {
    match (one, other) {
        (Some(one), Some(other)) => (one.min(other), Some(one.max(other))),
        (None, _) | (_, None) => (0, None),
    }
}
