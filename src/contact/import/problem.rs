//! Owns what can be wrong with an import, all of it at once.

use jiff::civil::Date;
use thiserror::Error;

use super::super::did_you_mean;
use super::{ContactNo, FieldError, Place, TableError};
use crate::contact::table::{Row, TableProblem};

/// So many problems are kept; the rest are counted. Nobody mends more at one go.
const KEPT: usize = 1000;

/// All that is wrong with an import; at least one problem when it is an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Error)]
#[error("{total} {}", if *total == 1 { "problem" } else { "problems" })]
pub struct Problems {
    /// The first thousand, in the order of the file, then keys that stand twice.
    pub problems: Vec<ImportProblem>,
    /// How many there are, kept or not.
    pub total: u64,
}

impl Problems {
    pub(super) fn add(&mut self, place: Place, wrong: Wrong) {
        self.total += 1;
        if self.problems.len() < KEPT {
            self.problems.push(ImportProblem { place, wrong });
        }
    }

    pub(super) fn add_table(&mut self, error: TableError) {
        self.add(error.place, Wrong::Table(error.problem));
    }

    pub(super) fn none_or_all(&mut self) -> Result<(), Problems> {
        if self.total == 0 { Ok(()) } else { Err(std::mem::take(self)) }
    }
}

impl From<TableError> for Problems {
    fn from(error: TableError) -> Problems {
        let mut problems = Problems::default();
        problems.add_table(error);
        problems
    }
}

/// Why an import ended early.
#[derive(Debug, Error)]
pub enum ImportError<E> {
    /// The data is wrong.
    #[error(transparent)]
    Problems(#[from] Problems),
    /// Whoever takes the contacts failed.
    #[error("the imported data was not accepted")]
    Accept(#[source] E),
}

/// A problem of an import, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{wrong}")]
pub struct ImportProblem {
    /// Where.
    pub place: Place,
    /// What.
    pub wrong: Wrong,
}

/// What can be wrong with an import.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Wrong {
    /// The table itself.
    #[error(transparent)]
    Table(TableProblem),
    /// A field cannot take the value.
    #[error(transparent)]
    Field(FieldError),
    /// The column that holds the key is missing.
    #[error("the table has no column `{column}`, which is to hold the contact number")]
    NoKeyColumn {
        /// The column that was asked for.
        column: String,
        /// The nearest name, as help.
        help: Option<String>,
    },
    /// A column that was named is missing.
    #[error("the table has no column `{column}`")]
    MissingColumn {
        /// The column that was asked for.
        column: String,
        /// The nearest name, as help.
        help: Option<String>,
    },
    /// A column that nothing is known about.
    #[error("an alternative address has no field `{column}`")]
    UnknownColumn {
        /// The column.
        column: String,
        /// The nearest name, as help.
        help: Option<String>,
    },
    /// Two columns hold one field.
    #[error("the field `{field}` is held by the column `{first}` already")]
    TwoColumns {
        /// The field.
        field: &'static str,
        /// The earlier column.
        first: String,
    },
    /// A contact number stands twice.
    #[error("the contact number `{key}` stands twice, first on {}", row_text(.first.as_ref()))]
    DuplicateKey {
        /// The number.
        key: String,
        /// Where it stands first.
        first: Option<Row>,
    },
    /// A child row or address of a contact that is not there.
    #[error("there is no contact `{contact}`")]
    UnknownContact {
        /// The number.
        contact: ContactNo,
    },
    /// A text is no date.
    #[error("`{value}` is no date")]
    NotADate {
        /// The text.
        value: String,
    },
    /// A range ends before it starts.
    #[error("the address ends on {end}, before it starts on {start}")]
    EndsBeforeStart {
        /// The first day.
        start: Date,
        /// The last day.
        end: Date,
    },
    /// Two addresses of a contact start on one day, so that neither is the latest.
    #[error("contact `{contact}` has two addresses that start on {start}, the first on {}", row_text(.first.as_ref()))]
    SameStart {
        /// The contact.
        contact: ContactNo,
        /// The day.
        start: Date,
        /// Where the first one stands.
        first: Option<Row>,
    },
}

impl Wrong {
    /// Says what to do, where that is sure.
    pub fn help(&self) -> Option<String> {
        match self {
            Wrong::Table(problem) => problem.help(),
            Wrong::Field(error) => error.help(),
            Wrong::NoKeyColumn { help, .. } => {
                let asked = help.as_ref().map(|help| format!("{help} ")).unwrap_or_default();
                Some(format!("{asked}name the column with `key`, or `--key` on the command line"))
            }
            Wrong::MissingColumn { help, .. } | Wrong::UnknownColumn { help, .. } => help.clone(),
            Wrong::TwoColumns { .. } => Some("rename one of them".to_owned()),
            Wrong::DuplicateKey { .. } => Some("give every contact a number of its own".to_owned()),
            Wrong::UnknownContact { .. } => None,
            Wrong::NotADate { .. } => Some("write the date as `2026-03-01`".to_owned()),
            Wrong::EndsBeforeStart { .. } => None,
            Wrong::SameStart { .. } => Some("let one of them start on another day".to_owned()),
        }
    }

    /// Returns the stable name of the problem.
    pub fn id(&self) -> &'static str {
        match self {
            Wrong::Table(problem) => problem.id(),
            Wrong::Field(error) => error.id(),
            Wrong::NoKeyColumn { .. } => "no-key-column",
            Wrong::MissingColumn { .. } => "missing-column",
            Wrong::UnknownColumn { .. } => "unknown-column",
            Wrong::TwoColumns { .. } => "two-columns",
            Wrong::DuplicateKey { .. } => "duplicate-key",
            Wrong::UnknownContact { .. } => "unknown-contact",
            Wrong::NotADate { .. } => "not-a-date",
            Wrong::EndsBeforeStart { .. } => "ends-before-start",
            Wrong::SameStart { .. } => "same-start",
        }
    }

    pub(super) fn no_key<'a>(column: &str, names: impl Iterator<Item = &'a str>) -> Wrong {
        Wrong::NoKeyColumn { column: column.to_owned(), help: did_you_mean(column, names) }
    }

    pub(super) fn unknown_column<'a>(column: &str, names: impl Iterator<Item = &'a str>) -> Wrong {
        Wrong::MissingColumn { column: column.to_owned(), help: did_you_mean(column, names) }
    }
}

impl ImportProblem {
    /// Says where the problem is.
    pub fn place(&self) -> String {
        self.place.to_string()
    }

    /// Says what to do, where that is sure.
    pub fn help(&self) -> Option<String> {
        self.wrong.help()
    }

    /// Returns the stable name of the problem.
    pub fn id(&self) -> &'static str {
        self.wrong.id()
    }
}

fn row_text(row: Option<&Row>) -> String {
    match row {
        Some(Row::Line(line)) => format!("line {line}"),
        Some(Row::Sheet { row, .. }) => format!("row {row}"),
        None => "an earlier one".to_owned(),
    }
}
