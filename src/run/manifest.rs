//! Owns the manifest: one row for each line of a run, for whoever prints, counts or checks.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::contact::CorrespondenceType;
use crate::delivery::outcome::WrittenFile;
use crate::delivery::print::Printed;
use crate::interaction::State;
use crate::segment::LineNo;

/// One row of the manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct ManifestRow {
    /// The line.
    pub line_no: LineNo,
    /// The contact's number.
    pub contact: String,
    /// The contact's name.
    pub name: String,
    /// The address as on the envelope, one line each.
    pub address: String,
    /// The country that a letter for the print file goes to; empty for the sender's own, and for files that are no PDF.
    pub country: String,
    /// Its postcode.
    pub post_code: String,
    /// The file that was written, relative to the segment's folder; empty for none.
    pub file: String,
    /// The digest of the file's bytes; empty for none.
    pub sha256: String,
    /// The files that were written of its enclosures, relative to the segment's folder.
    pub enclosures: Vec<WrittenFile>,
    /// Where the line stands.
    pub state: State,
    /// Why, where the state leaves it open.
    pub reason: String,
    /// How the letter goes out; none for a line that is only logged.
    pub correspondence_type: Option<CorrespondenceType>,
    /// Whether the entry or its segment was cancelled.
    pub is_cancelled: bool,
    /// The language of the document; empty for none.
    pub language: String,
}

/// A manifest that is being written. It appears under its name only when it is complete.
#[derive(Debug)]
pub struct Manifest {
    path: PathBuf,
    temporary: PathBuf,
    writer: csv::Writer<BufWriter<File>>,
}

impl Manifest {
    /// The file's name.
    pub const FILE_NAME: &'static str = "manifest.csv";

    /// Begins the manifest of the segment whose folder this is.
    ///
    /// # Errors
    ///
    /// A folder that cannot be written.
    pub fn begin(folder: &Path) -> io::Result<Manifest> {
        let path = folder.join(Manifest::FILE_NAME);
        let temporary = folder.join(".manifest.csv.mailrun-tmp");
        let mut writer = csv::Writer::from_writer(BufWriter::new(File::create(&temporary)?));
        writer.write_record([
            "line_no",
            "contact_no",
            "name",
            "address",
            "pages",
            "sheets",
            "first_page",
            "file",
            "sha256",
            "state",
            "enclosures",
        ])?;
        Ok(Manifest { path, temporary, writer })
    }

    /// Adds a row. Pages, sheets and the first page in the print file are known of letters that are PDF.
    ///
    /// # Errors
    ///
    /// A full or broken disk.
    pub fn add(&mut self, row: &ManifestRow, printed: Option<&Printed>) -> io::Result<()> {
        let line_no = row.line_no.to_string();
        let state = row.state.as_str();
        let known = |number: Option<usize>| {
            number.filter(|number| *number > 0).map(|number| number.to_string()).unwrap_or_default()
        };
        let pages = known(printed.map(|it| it.n_pages));
        let (sheets, first_page) =
            (known(printed.map(|it| it.n_sheets)), known(printed.map(|it| it.first_page)));
        let (pages, sheets, first_page) = (pages.as_str(), sheets.as_str(), first_page.as_str());
        let ManifestRow { file, sha256, .. } = row;
        let [contact, name, address] = [&row.contact, &row.name, &row.address].map(|text| inert(text));
        let enclosures: Vec<String> =
            row.enclosures.iter().map(|file| format!("{}  {}", file.sha256, file.name)).collect();
        let enclosures = enclosures.join("\n");
        let of_line = [&line_no, &*contact, &*name, &*address, pages, sheets, first_page];
        let fields = of_line.into_iter().chain([file.as_str(), sha256, state, &enclosures]);
        Ok(self.writer.write_record(fields)?)
    }

    /// Puts the manifest under its name, durably.
    ///
    /// # Errors
    ///
    /// A full or broken disk.
    pub fn publish(self) -> io::Result<()> {
        let mut buffer = self.writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
        buffer.flush()?;
        buffer.get_ref().sync_all()?;
        fs::rename(&self.temporary, &self.path)
    }
}

/// Keeps a spreadsheet from computing what a contact brought along: a `'` goes before a cell that would be a formula.
///
/// Source: OWASP, CSV Injection.
fn inert(text: &str) -> Cow<'_, str> {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}
