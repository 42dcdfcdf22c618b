//! Owns what can be wrong with a table, and the places of it.

use std::fmt;

use thiserror::Error;

use super::{CELL_LIMIT, COLUMN_LIMIT};

/// A place in a table: file, record, column, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was opened.
    pub file: String,
    /// The record.
    pub row: Option<Row>,
    /// The header of the column; `no. 3` where it has none.
    pub column: Option<String>,
}

/// Where a record stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A line of a text file, from 1.
    Line(u64),
    /// A row of a sheet, from 1.
    Sheet {
        /// The name of the sheet.
        sheet: String,
        /// The row, from 1.
        row: u64,
    },
}

impl Place {
    pub(super) fn file(file: &str) -> Place {
        Place { file: file.to_owned(), row: None, column: None }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        match &self.row {
            Some(Row::Line(line)) => write!(f, ", line {line}")?,
            Some(Row::Sheet { sheet, row }) => write!(f, ", sheet `{sheet}`, row {row}")?,
            None => {}
        }
        match &self.column {
            Some(column) => write!(f, ", column `{column}`"),
            None => Ok(()),
        }
    }
}

/// A problem of a table, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{problem}")]
pub struct TableError {
    /// Where.
    pub place: Place,
    /// What.
    pub problem: TableProblem,
}

/// What can be wrong with a table.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TableProblem {
    /// The file cannot be opened or read.
    #[error("the file cannot be read: {reason}")]
    Unreadable {
        /// What the system says.
        reason: String,
    },
    /// The ending of the name says nothing.
    #[error("`.{ending}` is no kind of table")]
    UnknownEnding {
        /// The ending, without its dot.
        ending: String,
    },
    /// The file is of another kind than its name says.
    #[error("this is {found}, not {expected}")]
    OtherKind {
        /// What it is.
        found: &'static str,
        /// What its name says.
        expected: &'static str,
    },
    /// The workbook or JSON cannot be understood.
    #[error("the file is damaged: {reason}")]
    Damaged {
        /// What the reader says.
        reason: String,
    },
    /// The workbook is far larger than its file.
    #[error("the file unpacks to more than {} MiB", limit >> 20)]
    TooLarge {
        /// The most bytes it may have, unpacked.
        limit: u64,
    },
    /// There is nothing where the header should be.
    #[error("the table has no header")]
    NoHeader,
    /// The header has more columns than a table can have.
    #[error("{found} columns, but a table can have {COLUMN_LIMIT}")]
    TooManyColumns {
        /// How many it has.
        found: usize,
    },
    /// Two columns have one name.
    #[error("columns {first} and {second} have the same name")]
    TwoColumns {
        /// The first, counted from 1.
        first: usize,
        /// The second, counted from 1.
        second: usize,
    },
    /// The record has more or fewer fields than the header.
    #[error("{found} {}, but the header has {header}", if *found == 1 { "field" } else { "fields" })]
    Ragged {
        /// How many it has.
        found: usize,
        /// How many the header has.
        header: usize,
    },
    /// A value stands in a column that has no name.
    #[error("`{value}` stands in a column without a name")]
    NoColumnName {
        /// The value.
        value: String,
    },
    /// A cell is too long.
    #[error("the cell has 10 MB or more; it must be shorter than {CELL_LIMIT} bytes")]
    CellTooLong,
    /// A cell holds the character NUL.
    #[error("the cell holds the character NUL")]
    Nul,
    /// A quote is opened and never closed.
    #[error("the quote is never closed")]
    UnclosedQuote,
    /// Text stands between a closing quote and the next separator.
    #[error("`{text}` stands behind a closing quote")]
    TextBehindQuote {
        /// How it starts.
        text: String,
    },
    /// Most of the file is UTF-8, but not all.
    #[error("the byte 0x{byte:02X} is not UTF-8, though the rest of the file is")]
    BrokenUtf8 {
        /// The first byte that is not.
        byte: u8,
        /// Its offset in the file, in bytes from 0.
        offset_bytes: u64,
    },
    /// A formula of a workbook came to an error.
    #[error("the cell holds the error `{error}`")]
    CellError {
        /// The error as the workbook shows it.
        error: String,
    },
}

impl TableError {
    /// Says where the problem is.
    pub fn place(&self) -> String {
        self.place.to_string()
    }

    /// Says what to do, where that is sure.
    pub fn help(&self) -> Option<String> {
        self.problem.help()
    }

    /// Returns the stable name of the problem.
    pub fn id(&self) -> &'static str {
        self.problem.id()
    }
}

impl TableProblem {
    /// Tells whether nothing of the table can be read behind this.
    pub fn ends_table(&self) -> bool {
        match self {
            TableProblem::Ragged { .. }
            | TableProblem::NoColumnName { .. }
            | TableProblem::CellTooLong
            | TableProblem::Nul
            | TableProblem::TextBehindQuote { .. }
            | TableProblem::CellError { .. } => false,
            TableProblem::Unreadable { .. }
            | TableProblem::UnknownEnding { .. }
            | TableProblem::OtherKind { .. }
            | TableProblem::Damaged { .. }
            | TableProblem::TooLarge { .. }
            | TableProblem::NoHeader
            | TableProblem::TooManyColumns { .. }
            | TableProblem::TwoColumns { .. }
            | TableProblem::UnclosedQuote
            | TableProblem::BrokenUtf8 { .. } => true,
        }
    }

    /// Returns the stable name of the problem.
    pub fn id(&self) -> &'static str {
        match self {
            TableProblem::Unreadable { .. } => "unreadable",
            TableProblem::UnknownEnding { .. } => "unknown-ending",
            TableProblem::OtherKind { .. } => "other-kind",
            TableProblem::Damaged { .. } => "damaged",
            TableProblem::TooLarge { .. } => "too-large",
            TableProblem::NoHeader => "no-header",
            TableProblem::TooManyColumns { .. } => "too-many-columns",
            TableProblem::TwoColumns { .. } => "two-columns",
            TableProblem::Ragged { .. } => "ragged",
            TableProblem::NoColumnName { .. } => "no-column-name",
            TableProblem::CellTooLong => "cell-too-long",
            TableProblem::Nul => "nul",
            TableProblem::UnclosedQuote => "unclosed-quote",
            TableProblem::TextBehindQuote { .. } => "text-behind-quote",
            TableProblem::BrokenUtf8 { .. } => "broken-utf8",
            TableProblem::CellError { .. } => "cell-error",
        }
    }

    /// Says what to do, where that is sure.
    pub fn help(&self) -> Option<String> {
        let help = match self {
            TableProblem::UnknownEnding { .. } => "use a .csv, .tsv, .xlsx, .ods or .json file",
            TableProblem::OtherKind { .. } => {
                "give the file the ending of what it is, or save it as what it says"
            }
            TableProblem::NoHeader => "the first line names the columns",
            TableProblem::TwoColumns { .. } => "rename one of them",
            TableProblem::Ragged { found, header } if found > header => {
                "put quotes around a value that holds the separator or a line break"
            }
            TableProblem::NoColumnName { .. } => "give the column a name in the header",
            TableProblem::Nul => "save the file again as UTF-8 text",
            TableProblem::UnclosedQuote => "close it, or write a quote within quotes twice",
            TableProblem::TextBehindQuote { .. } => "write a quote within quotes twice",
            TableProblem::BrokenUtf8 { .. } => "save the file again as UTF-8",
            TableProblem::CellError { .. } => "mend the formula in the workbook",
            TableProblem::Unreadable { .. } => "give the path of a file that exists and may be read",
            TableProblem::Damaged { .. } | TableProblem::TooManyColumns { .. } => return None,
            TableProblem::TooLarge { .. } => "save the table as .csv",
            TableProblem::Ragged { .. } => {
                "write a separator for every column, so that what has no value is an empty field"
            }
            TableProblem::CellTooLong => "shorten the value; see whether a closing quote is missing",
        };
        Some(help.to_owned())
    }
}

/// Shortens a value for a message.
pub(crate) fn shown(value: &str) -> String {
    const LONGEST: usize = 60;
    match value.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or_default()),
        None => value.to_owned(),
    }
}
