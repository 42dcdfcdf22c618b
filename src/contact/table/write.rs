//! Owns the writing of tables, as exports: `.csv` and `.xlsx`, in flat memory. A file appears under its name only
//! when it is complete. Fails on an ending that is neither, and on a full or broken disk.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use rust_xlsxwriter::{Workbook, XlsxError};
use thiserror::Error;

/// The rows of a sheet of Excel, its header among them.
const SHEET_ROWS: u32 = 1_048_576;

/// Why a table is not written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The ending says nothing that can be written.
    #[error("`{ending}` is no table that can be written, expected .csv or .xlsx")]
    UnknownEnding {
        /// The ending without the dot.
        ending: String,
    },
    /// A sheet has no more rows.
    #[error("a sheet holds {} rows, and there are more", SHEET_ROWS - 1)]
    TooManyRows,
    /// The file cannot be written.
    #[error("cannot write `{}`", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A table that is being written.
pub struct TableWriter {
    path: PathBuf,
    temporary: PathBuf,
    target: Target,
}

enum Target {
    Csv(Box<csv::Writer<BufWriter<File>>>),
    Xlsx { workbook: Box<Workbook>, n_rows: u32 },
}

impl TableWriter {
    /// Begins a table with its header; the ending of the name says what it is.
    ///
    /// # Errors
    ///
    /// An ending that cannot be written, a folder that cannot.
    pub fn create(path: &Path, header: &[&str]) -> Result<TableWriter, WriteError> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("").to_ascii_lowercase();
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".mailrun-tmp");
        let temporary = path.with_file_name(name);
        let target = match ending.as_str() {
            "csv" => {
                let file = File::create(&temporary)
                    .map_err(|source| WriteError::File { file: path.to_owned(), source })?;
                Target::Csv(Box::new(csv::Writer::from_writer(BufWriter::new(file))))
            }
            "xlsx" => {
                let mut workbook = Workbook::new();
                workbook.add_worksheet_with_constant_memory().map_err(|error| failed(path, error))?;
                Target::Xlsx { workbook: Box::new(workbook), n_rows: 0 }
            }
            _ => return Err(WriteError::UnknownEnding { ending }),
        };
        let mut writer = TableWriter { path: path.to_owned(), temporary, target };
        writer.add(header)?;
        Ok(writer)
    }

    /// Adds a row; every cell is text, so that post codes and numbers keep their zeros.
    ///
    /// # Errors
    ///
    /// A full or broken disk, a sheet that is full.
    pub fn add<T: AsRef<str>>(&mut self, row: &[T]) -> Result<(), WriteError> {
        let failed = |file: &Path, source| WriteError::File { file: file.to_owned(), source };
        match &mut self.target {
            Target::Csv(writer) => writer
                .write_record(row.iter().map(|cell| cell.as_ref().as_bytes()))
                .map_err(|error| failed(&self.path, error.into())),
            Target::Xlsx { n_rows, .. } if *n_rows == SHEET_ROWS => Err(WriteError::TooManyRows),
            Target::Xlsx { workbook, n_rows } => {
                let sheet =
                    workbook.worksheet_from_index(0).map_err(|error| self::failed(&self.path, error))?;
                for (column, cell) in (0..).zip(row) {
                    sheet
                        .write_string(*n_rows, column, cell.as_ref())
                        .map_err(|error| self::failed(&self.path, error))?;
                }
                *n_rows += 1;
                Ok(())
            }
        }
    }

    /// Ends the table and gives the file its name.
    ///
    /// # Errors
    ///
    /// A full or broken disk.
    pub fn finish(self) -> Result<(), WriteError> {
        let TableWriter { path, temporary, target } = self;
        let file = |source| WriteError::File { file: path.clone(), source };
        match target {
            Target::Csv(writer) => {
                let mut buffered = writer.into_inner().map_err(|error| file(error.into_error()))?;
                buffered.flush().map_err(file)?;
            }
            Target::Xlsx { mut workbook, .. } => {
                workbook.save(&temporary).map_err(|error| failed(&path, error))?;
            }
        }
        fs::rename(&temporary, &path).map_err(file)
    }
}

fn failed(file: &Path, error: XlsxError) -> WriteError {
    let source = match error {
        XlsxError::IoError(error) => error,
        error => io::Error::other(error),
    };
    WriteError::File { file: file.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::{TableWriter, WriteError};
    use crate::contact::table::{Record, Table};

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.csv", "a.xlsx"] {
            let path = folder.path().join(name);
            let mut writer = TableWriter::create(&path, &["no", "name"]).unwrap();
            writer.add(&["007", "Jörg \"J\" Müller;\nBern"]).unwrap();
            assert!(!path.exists(), "{name}: it has no name before it is complete");
            writer.finish().unwrap();
            let mut table = Table::open(&path).unwrap();
            let mut record = Record::default();
            assert!(table.read(&mut record).unwrap());
            assert_eq!(
                (record.text(0).as_ref(), record.text(1).as_ref()),
                ("007", "Jörg \"J\" Müller;\nBern")
            );
            assert!(!table.read(&mut record).unwrap());
        }
        let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(names.len(), 2, "nothing temporary is left");
    }

    #[test]
    fn another_ending_is_refused() {
        let refused = TableWriter::create("a.pdf".as_ref(), &["no"]).err();
        assert!(matches!(refused, Some(WriteError::UnknownEnding { ending }) if ending == "pdf"));
    }
}
