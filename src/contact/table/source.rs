//! Owns where the bytes of a table are: in a file by its name, or in one that is open and has none.

use std::fs::File;
use std::io::{self, Seek};
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// What a table without a file name is written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TableFormat {
    /// Cells parted by `;`, `,` or tab.
    #[default]
    Csv,
    /// Cells parted by tabs.
    Tsv,
    /// An array of objects.
    Json,
}

/// Where a table is. It can be read more than once.
#[derive(Debug)]
pub struct TableSource {
    name: String,
    ending: String,
    bytes: Bytes,
}

#[derive(Debug)]
enum Bytes {
    At(PathBuf),
    Held(File),
}

impl TableSource {
    /// A file, whose ending says what it is.
    pub fn file(path: &Path) -> TableSource {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("").to_ascii_lowercase();
        TableSource { name: path.display().to_string(), ending, bytes: Bytes::At(path.to_owned()) }
    }

    /// A file that is open, from its beginning; `name` is what problems call it.
    pub fn held(file: File, name: String, format: TableFormat) -> TableSource {
        let ending = match format {
            TableFormat::Csv => "csv",
            TableFormat::Tsv => "tsv",
            TableFormat::Json => "json",
        };
        TableSource { name, ending: ending.to_owned(), bytes: Bytes::Held(file) }
    }

    /// Returns what problems call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn ending(&self) -> &str {
        &self.ending
    }

    /// Opens it at its beginning; one reading at a time.
    pub(super) fn open(&self) -> io::Result<File> {
        match &self.bytes {
            Bytes::At(path) => File::open(path),
            Bytes::Held(held) => {
                let mut file = held.try_clone()?;
                file.rewind()?;
                Ok(file)
            }
        }
    }
}
