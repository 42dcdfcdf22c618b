//! The print file: all letters on paper in one PDF, and what a print shop needs beside it.
//!
//! `combined.pdf` appears complete or not at all, then the ticket; `READY` comes last and holds the digests of them and of
//! the manifest, so that whoever waits for it never takes half a job. Each letter is read back from the disk, and must be
//! the file that the journal knows.

mod joined;
mod marks;
pub mod ticket;

use std::fs;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use lopdf::{Dictionary, Document, Object};

use self::joined::Joined;
use self::marks::{Leaf, PlaceInJob, Side};
use self::ticket::Job;
use crate::delivery::folder::{Folder, FolderError};
use crate::delivery::outbox::sha256;
use crate::delivery::outcome::WrittenFile;
use crate::setup::{Print, PrintOrder, Sides};

/// The name of the print file.
pub const COMBINED: &str = "combined.pdf";

/// The name of the file that says that the job is complete.
pub const READY: &str = "READY";

/// A letter that is to be printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheaf {
    /// The number of its line.
    pub line_no: u64,
    /// The contact's number.
    pub contact: String,
    /// The contact's name.
    pub name: String,
    /// The address as on the envelope.
    pub address: String,
    /// The country of the address; empty for the sender's own.
    pub country: String,
    /// The postcode of the address.
    pub post_code: String,
    /// Its file, relative to the segment's folder.
    pub file: String,
    /// The SHA-256 of the file.
    pub sha256: String,
    /// The files of what goes with it, printed behind it.
    pub enclosures: Vec<WrittenFile>,
}

/// Where a letter is in the print file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Printed {
    /// The letter.
    pub sheaf: Sheaf,
    /// Its first page, from 1.
    pub first_page: usize,
    /// How many pages it has with its enclosures, without blank ones.
    pub n_pages: usize,
    /// How many sheets it takes.
    pub n_sheets: usize,
    /// How many of its pages are too small for the marks on them.
    pub n_too_small: usize,
}

/// Why there is no print file.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    /// The folder fails.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A letter cannot be read, or is no longer what was written.
    #[error("the letter `{}` cannot be printed: {reason}", path.display())]
    Letter {
        /// Its file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Takes away what says that an earlier job in this folder is complete.
///
/// # Errors
///
/// If it is there and cannot be removed.
pub fn begin(folder: &Path) -> Result<(), PrintError> {
    let path = folder.join(READY);
    match fs::remove_file(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(PrintError::Write { path, source }),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Counts the pages of letters, in their order.
///
/// # Errors
///
/// A letter that is not what was written.
pub fn counted(folder: &Path, sheaves: Vec<Sheaf>, sides: Sides) -> Result<Vec<Printed>, PrintError> {
    let printed = |sheaf: Sheaf| {
        let (mut n_pages, mut n_sheets) = (0, 0);
        for document in documents(folder, &sheaf) {
            let n_of_document = document?.page_iter().count();
            n_pages += n_of_document;
            n_sheets += sides.n_sheets(n_of_document);
        }
        Ok(Printed { sheaf, first_page: 0, n_pages, n_sheets, n_too_small: 0 })
    };
    sheaves.into_iter().map(printed).collect()
}

/// Writes the print file; letters come out in the order in which they are printed, with their places.
///
/// # Errors
///
/// A letter that is not what was written; a folder that cannot be written.
pub fn combine(
    folder: &Path,
    mut printed: Vec<Printed>,
    form: &Print,
    job: &Job,
) -> Result<Vec<Printed>, PrintError> {
    match form.order {
        PrintOrder::Lines => {}
        PrintOrder::Presorted => printed.sort_by(|a, b| {
            let (a, b) = (&a.sheaf, &b.sheaf);
            (&a.country, &a.post_code).cmp(&(&b.country, &b.post_code))
        }),
        PrintOrder::Sheets => printed.sort_by_key(|it| it.n_sheets),
    }
    let into = Folder::open(folder)?;
    let failed = |source| PrintError::Write { path: folder.join(COMBINED), source };
    let file = BufWriter::new(into.begin(COMBINED)?);
    let mut joined = Joined::begin(file).map_err(failed)?;
    let mut n_sheets_before = 0;
    for (number, it) in printed.iter_mut().enumerate() {
        it.first_page = joined.n_pages() + 1;
        let mut before =
            Before { n_sets: number, n_sheets: n_sheets_before, n_pages_of_set: 0, n_sheets_of_set: 0 };
        for document in documents(folder, &it.sheaf) {
            let document = document?;
            let n_pages = document.page_iter().count();
            let marks = if form.marks.is_empty() {
                Vec::new()
            } else {
                let set = (it.n_pages, it.n_sheets);
                let drawn = marked(&document, form, &job.code, (&before, set)).map_err(failed)?;
                it.n_too_small += drawn.iter().filter(|drawn| !drawn.is_on_paper).count();
                drawn.into_iter().map(|drawn| drawn.content).collect()
            };
            before.n_pages_of_set += n_pages;
            before.n_sheets_of_set += form.sides.n_sheets(n_pages);
            joined.add(&document, &marks).map_err(failed)?;
            // Each document begins on a sheet of its own.
            if form.sides == Sides::Duplex && n_pages % 2 == 1 {
                joined.add_blank(&document).map_err(failed)?;
            }
        }
        n_sheets_before += it.n_sheets;
    }
    joined.finish(&job.description).map_err(failed)?;
    into.publish(&[COMBINED])?;
    Ok(printed)
}

/// What a print file has before a document: before the letter that it is of, and of the letter and its enclosures.
struct Before {
    n_sets: usize,
    n_sheets: usize,
    n_pages_of_set: usize,
    n_sheets_of_set: usize,
}

/// Draws the marks of a document's pages; pages and sheets are counted through the letter and its enclosures, of which
/// there are so many.
fn marked(
    document: &Document,
    form: &Print,
    job: &str,
    (before, (n_pages, n_sheets)): (&Before, (usize, usize)),
) -> io::Result<Vec<marks::Drawn>> {
    let drawn = |(number, page)| {
        let (sheet, side) = match form.sides {
            Sides::Simplex => (number + 1, Side::Front),
            Sides::Duplex => (number / 2 + 1, if number % 2 == 0 { Side::Front } else { Side::Back }),
        };
        let sheet = before.n_sheets_of_set + sheet;
        let at = PlaceInJob {
            set: before.n_sets + 1,
            page: before.n_pages_of_set + number + 1,
            n_pages,
            sheet,
            n_sheets,
            sheet_of_all: before.n_sheets + sheet,
            side,
        };
        let page = document.get_dictionary(page).map_err(io::Error::other)?;
        marks::drawn(&form.marks, job, at, leaf(document, page))
    };
    document.page_iter().enumerate().map(drawn).collect()
}

/// Returns the paper of a page: A4, where a page does not say.
fn leaf(document: &Document, page: &Dictionary) -> Leaf {
    let edges = page.get_deref(b"MediaBox", document).and_then(Object::as_array).ok().and_then(|edges| {
        let edges: Vec<f64> = edges.iter().filter_map(|edge| edge.as_float().ok()).map(f64::from).collect();
        let [x, y, other_x, other_y] = edges.try_into().ok()?;
        Some([x.min(other_x), y.min(other_y), x.max(other_x), y.max(other_y)])
    });
    let turned = page.get_deref(b"Rotate", document).and_then(Object::as_i64).unwrap_or_default();
    Leaf { edges: edges.unwrap_or([0.0, 0.0, 595.276, 841.89]), turned }
}

/// Says that the job is complete: the digests of its files, as `sha256sum -c` checks them.
///
/// # Errors
///
/// A file that cannot be read, or READY that cannot be written.
pub fn ready(folder: &Path, files: &[&str]) -> Result<(), PrintError> {
    let mut lines = String::new();
    for file in files {
        let path = folder.join(file);
        let digest = digest_of(&path).map_err(|source| PrintError::Write { path, source })?;
        lines.push_str(&format!("{digest}  {file}\n"));
    }
    let into = Folder::open(folder)?;
    into.write(READY, lines.as_bytes())?;
    Ok(into.publish(&[READY])?)
}

/// Reads the letter of a line, then its enclosures.
fn documents(folder: &Path, sheaf: &Sheaf) -> impl Iterator<Item = Result<Document, PrintError>> {
    let enclosures = sheaf.enclosures.iter().map(|file| (&file.name, &file.sha256));
    let files = std::iter::once((&sheaf.file, &sheaf.sha256)).chain(enclosures);
    files.map(|(file, sha256)| read(folder, file, sha256))
}

fn read(folder: &Path, file: &str, digest: &str) -> Result<Document, PrintError> {
    let path = folder.join(file);
    let failed = |reason: String| PrintError::Letter { path: path.clone(), reason };
    let bytes = fs::read(&path).map_err(|error| failed(error.to_string()))?;
    if sha256(&bytes) != digest {
        return Err(failed("it is not the file that was written".to_owned()));
    }
    Document::load_mem(&bytes).map_err(|error| failed(error.to_string()))
}

fn digest_of(path: &Path) -> io::Result<String> {
    use sha2::{Digest, Sha256};
    use std::io::Read;
    let mut file = fs::File::open(path)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let n_read = file.read(&mut buffer)?;
        if n_read == 0 {
            break;
        }
        digest.update(&buffer[..n_read]);
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
