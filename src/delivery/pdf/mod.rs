//! Letters as PDF, by LibreOffice.
//!
//! Letters of one template are joined in chunks, laid out once and cut apart again: LibreOffice takes longer to begin a
//! document than to lay out a page. A letter looks as it does alone: what LibreOffice counts through a document is laid
//! out alone at once, and of each template two letters are laid out both ways and compared; where they differ, all of
//! its letters are laid out alone. Every file is checked: it is a PDF with pages, and holds its letter's words. What
//! fails is tried once more, alone.

mod chunk;
mod cut;
mod harmless;
mod lock;
mod look;
mod office;
pub mod picture;
mod words;
mod xmp;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use rayon::prelude::*;
use tempfile::TempDir;

use self::cut::Source;
pub use self::lock::locked;
use self::look::{Fonts, Look, text_of};
use self::office::{Call, Desk};
use crate::setup::{self, PdfStandard};

/// With fewer letters of a template than these, joining costs more than it saves.
const LEAST_TOGETHER: usize = 5;

/// So many calls in a row that leave nothing show that the next would not either.
const BARREN_CALLS: usize = 2;

/// Less room than this on the disk may be why a file is not there.
const LEAST_ROOM_BYTES: u64 = 4 << 20;

/// What the name of a folder for working files begins with.
const FOLDER_PREFIX: &str = ".mailrun-pdf-";

/// Why no PDF can be made at all; what is wrong with one letter is that letter's result.
#[derive(Debug, thiserror::Error)]
pub enum PdfError {
    /// LibreOffice is not there.
    #[error("PDF needs LibreOffice, and there is no program `soffice`")]
    NoProgram,
    /// LibreOffice cannot be started.
    #[error("cannot start `{}`", program.display())]
    Program {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The folder for working files fails.
    #[error("cannot work in folder `{}`", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl PdfError {
    /// Returns the error's stable id.
    pub fn id(&self) -> &'static str {
        match self {
            PdfError::NoProgram => "no-libreoffice",
            PdfError::Program { .. } => "libreoffice-does-not-start",
            PdfError::Folder { .. } => "pdf-folder",
        }
    }

    /// Returns what to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            PdfError::NoProgram | PdfError::Program { .. } => Some(
                "install it (Debian, Ubuntu: `apt install libreoffice-writer-nogui`), or name it in mailrun.toml: \
                 `[pdf] soffice = \"/path/to/soffice\"`"
                    .to_owned(),
            ),
            PdfError::Folder { .. } => Some("make room on the disk, and the folder writable".to_owned()),
        }
    }
}

/// A letter that is to become PDF.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// The Word document.
    pub docx: &'a [u8],
    /// The number of its template: letters of one template can be laid out together.
    pub template: usize,
    /// What the file says about itself.
    pub properties: Properties<'a>,
}

/// What a PDF file says about itself; empty for nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Properties<'a> {
    /// The subject of the letter.
    pub title: &'a str,
    /// Who writes.
    pub author: &'a str,
}

/// A letter as PDF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pdf {
    /// The file.
    pub bytes: Vec<u8>,
    /// How many pages it has.
    pub n_pages: usize,
}

/// Makes PDF of letters.
#[derive(Debug)]
pub struct Converter {
    program: PathBuf,
    set_up: setup::Pdf,
    desks: Vec<Mutex<Desk>>,
    /// Of each template that was tried: whether its letters look together as they do alone.
    proven: Mutex<BTreeMap<usize, bool>>,
    folder: TempDir,
}

/// A document for LibreOffice: letters joined, or one alone.
struct Job {
    docx: Vec<u8>,
    letters: Vec<usize>,
}

/// A letter's pages, and how they look; none where nobody compares it, or it cannot be told.
struct Made {
    pdf: Pdf,
    looks: Option<Vec<Look>>,
}

/// What the letters of a document must have, and what is to be known of them.
struct Reading<'s, 'r> {
    fonts: Fonts<'s>,
    /// The letters that are compared.
    compared: &'r BTreeSet<usize>,
}

impl Converter {
    /// Sets up where PDF is made, with working files in a folder of its own below `folder`, which is made where it is
    /// missing.
    ///
    /// # Errors
    ///
    /// [`PdfError::NoProgram`] without LibreOffice; [`PdfError::Folder`] if the folder cannot be written.
    pub fn open(set_up: &setup::Pdf, folder: &Path) -> Result<Converter, PdfError> {
        let program = set_up.soffice.clone().ok_or(PdfError::NoProgram)?;
        let failed = |source| PdfError::Folder { folder: folder.to_owned(), source };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let here = std::path::absolute(folder).map_err(failed)?;
        let working = tempfile::Builder::new().prefix(FOLDER_PREFIX).tempdir_in(here).map_err(failed)?;
        let desk = |number: usize| Desk::set_up(&working.path().join(number.to_string())).map(Mutex::new);
        let desks = (0..set_up.workers.max(1)).map(desk).collect::<Result<_, _>>()?;
        Ok(Converter { program, set_up: set_up.clone(), desks, proven: Mutex::default(), folder: working })
    }

    /// Removes the working files that a killed process left in a folder. Whoever calls it is alone there.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read, or something in it not removed.
    pub fn clean(folder: &Path) -> io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(FOLDER_PREFIX) {
                std::fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    /// Makes PDF of letters: one result for each, in their order; what is wrong with a letter is said in words.
    ///
    /// # Errors
    ///
    /// What hinders all of them: a program that does not start, a disk that is full.
    pub fn convert(&self, letters: &[Letter<'_>]) -> Result<Vec<Result<Pdf, String>>, PdfError> {
        let Plan { together, alone, trials } = self.plan(letters);
        let compared: BTreeSet<usize> = trials.values().flatten().copied().collect();
        let jobs: Vec<&Job> = together.iter().chain(&alone).collect();
        let mut files = self.call(&jobs)?;
        let of_alone = files.split_off(together.len());
        let cut = |(job, file): (&Job, Result<Vec<u8>, String>)| {
            file.and_then(|file| self.of_chunk(letters, (job, &compared), &file)).unwrap_or_default()
        };
        let cut: Vec<Vec<Option<Made>>> = together.par_iter().zip(files).map(cut).collect();
        let mut chunked: Vec<Option<Made>> = letters.iter().map(|_| None).collect();
        for (job, cut) in together.iter().zip(cut) {
            job.letters.iter().zip(cut).for_each(|(letter, cut)| chunked[*letter] = cut);
        }
        let mut made: Vec<Result<Made, String>> = letters.iter().map(|_| Err(String::new())).collect();
        for (letter, one) in self.of_each(letters, &alone, of_alone, &compared) {
            made[letter] = one;
        }
        self.judge(&trials, &chunked, &made);
        let proven = self.proven();
        for (letter, chunked) in chunked.into_iter().enumerate() {
            if made[letter].is_err() && proven.get(&letters[letter].template) == Some(&true) {
                made[letter] = chunked.ok_or_else(String::new);
            }
        }
        let again: Vec<Job> = (0..letters.len())
            .filter(|letter| made[*letter].is_err())
            .map(|it| Job::alone(letters, it))
            .collect();
        let files = self.call(&again.iter().collect::<Vec<_>>())?;
        for (letter, one) in self.of_each(letters, &again, files, &BTreeSet::new()) {
            made[letter] = one;
        }
        Ok(made.into_iter().map(|made| made.map(|made| made.pdf)).collect())
    }

    /// Decides which letters are laid out together, which alone, and which both ways as a trial of their template.
    fn plan(&self, letters: &[Letter<'_>]) -> Plan {
        let mut plan = Plan::default();
        let mut by_template: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let proven = self.proven();
        for (number, letter) in letters.iter().enumerate() {
            match proven.get(&letter.template) {
                Some(true) | None if chunk::can_be_joined(letter.docx) => {
                    by_template.entry(letter.template).or_default().push(number);
                }
                Some(_) | None => plan.alone.push(Job::alone(letters, number)),
            }
        }
        for (template, numbers) in by_template {
            for some in even_chunks(&numbers, self.set_up.chunk.max(1)) {
                let docx: Vec<&[u8]> = some.iter().map(|number| letters[*number].docx).collect();
                match chunk::joined(&docx) {
                    Ok(docx) if some.len() >= LEAST_TOGETHER => {
                        if !proven.contains_key(&template) && !plan.trials.contains_key(&template) {
                            // The last one has all the others before it, the first one has them behind it.
                            let trial = [some[0], some[some.len() - 1]];
                            plan.alone.extend(trial.map(|number| Job::alone(letters, number)));
                            plan.trials.insert(template, trial);
                        }
                        plan.together.push(Job { docx, letters: some.to_vec() });
                    }
                    Ok(_) | Err(_) => {
                        plan.alone.extend(some.iter().map(|number| Job::alone(letters, *number)));
                    }
                }
            }
        }
        plan
    }

    /// Compares letters that were laid out both ways.
    fn judge(
        &self,
        trials: &BTreeMap<usize, [usize; 2]>,
        chunked: &[Option<Made>],
        alone: &[Result<Made, String>],
    ) {
        let mut proven = self.proven();
        for (template, trial) in trials {
            // A letter that could not be laid out alone proves nothing; the next letters of its template may.
            let both = trial.map(|letter| match (&chunked[letter], &alone[letter]) {
                (Some(chunked), Ok(alone)) => Some(alike(chunked.looks.as_deref(), alone.looks.as_deref())),
                (None, Ok(_)) => Some(false),
                (_, Err(_)) => None,
            });
            if let [Some(first), Some(last)] = both {
                proven.insert(*template, first && last);
            }
        }
    }

    fn proven(&self) -> MutexGuard<'_, BTreeMap<usize, bool>> {
        self.proven.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cuts a chunk into its letters; none for a letter whose pages are not beyond doubt.
    fn of_chunk(
        &self,
        letters: &[Letter<'_>],
        (job, compared): (&Job, &BTreeSet<usize>),
        file: &[u8],
    ) -> Result<Vec<Option<Made>>, String> {
        let source = Source::read(file)?;
        let places = source.places(job.letters.len())?;
        let counts_pages = places.lasts.iter().any(Option::is_some);
        let expected = words::of_letters(job.letters.iter().map(|letter| letters[*letter].docx));
        let mut reading = Reading { fonts: Fonts::default(), compared };
        let made = places.firsts.iter().enumerate().map(|(at, first)| {
            let end = places.firsts.get(at + 1).copied().unwrap_or(source.pages.len());
            if counts_pages && places.lasts.get(at).copied().flatten() != Some(end - 1) {
                return None; // it says another number of pages than it has
            }
            let pages = source.pages.get(*first..end)?;
            let number = job.letters[at];
            self.made((&source, pages), (number, &letters[number]), &expected[at], &mut reading).ok()
        });
        Ok(made.collect())
    }

    /// Reads the files of letters that were laid out alone; each with its letter's number.
    fn of_each(
        &self,
        letters: &[Letter<'_>],
        jobs: &[Job],
        files: Vec<Result<Vec<u8>, String>>,
        compared: &BTreeSet<usize>,
    ) -> Vec<(usize, Result<Made, String>)> {
        let read = |(job, file): (&Job, Result<Vec<u8>, String>)| {
            let letter = job.letters[0];
            (letter, file.and_then(|file| self.of_one(letters, (letter, compared), &file)))
        };
        jobs.par_iter().zip(files).map(read).collect()
    }

    fn of_one(
        &self,
        letters: &[Letter<'_>],
        (number, compared): (usize, &BTreeSet<usize>),
        file: &[u8],
    ) -> Result<Made, String> {
        let source = Source::read(file)?;
        let letter = &letters[number];
        let expected = words::of_letters([letter.docx].into_iter());
        let words = expected.first().ok_or("the letter cannot be read")?;
        let mut reading = Reading { fonts: Fonts::default(), compared };
        self.made((&source, &source.pages), (number, letter), words, &mut reading)
    }

    fn made<'s>(
        &self,
        (source, pages): (&'s Source, &[lopdf::ObjectId]),
        (number, letter): (usize, &Letter<'_>),
        expected: &words::Expected,
        reading: &mut Reading<'s, '_>,
    ) -> Result<Made, String> {
        let document = &source.document;
        let mut text = String::new();
        for page in pages {
            text.push_str(&text_of(document, *page, &mut reading.fonts)?);
        }
        if !expected.are_in(&text) {
            return Err("the PDF does not have the words of the letter".to_owned());
        }
        let look = |page: &lopdf::ObjectId| Look::of(document, *page, &mut reading.fonts).ok();
        let looks = match reading.compared.contains(&number) {
            true => pages.iter().map(look).collect(),
            false => None,
        };
        let bytes = source.cut(pages, &letter.properties, self.set_up.standard)?;
        Ok(Made { pdf: Pdf { bytes, n_pages: pages.len() }, looks })
    }

    /// Lets LibreOffice convert documents, shared out over the processes; a file for each, or why there is none.
    fn call(&self, jobs: &[&Job]) -> Result<Vec<Result<Vec<u8>, String>>, PdfError> {
        let mut shares: Vec<(usize, Vec<usize>)> = self.desks.iter().map(|_| (0, Vec::new())).collect();
        for (number, job) in jobs.iter().enumerate() {
            if let Some((n_letters, share)) = shares.iter_mut().min_by_key(|(n_letters, _)| *n_letters) {
                share.push(number);
                *n_letters += job.letters.len().max(2); // a document of its own costs more than a letter of a chunk
            }
        }
        let work = |(desk, (_, share)): (&Mutex<Desk>, &(usize, Vec<usize>))| {
            let documents: Vec<&[u8]> = share.iter().map(|number| jobs[*number].docx.as_slice()).collect();
            let desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
            self.work(&desk, &documents)
        };
        let work = &work;
        let done = thread::scope(|scope| {
            let workers: Vec<_> =
                self.desks.iter().zip(&shares).map(|pair| scope.spawn(move || work(pair))).collect();
            let done = workers
                .into_iter()
                .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            done.collect::<Result<Vec<_>, PdfError>>()
        })?;
        let mut files: Vec<Result<Vec<u8>, String>> = jobs.iter().map(|_| Err(String::new())).collect();
        for ((_, share), done) in shares.iter().zip(done) {
            share.iter().zip(done).for_each(|(number, file)| files[*number] = file);
        }
        Ok(files)
    }

    /// Works through documents on one desk: where a call stops before its end, the next one goes on behind the document
    /// that stopped it.
    fn work(&self, desk: &Desk, documents: &[&[u8]]) -> Result<Vec<Result<Vec<u8>, String>>, PdfError> {
        let harmless: Vec<Result<Cow<'_, [u8]>, String>> = documents
            .iter()
            .map(|docx| Ok(harmless::harmless(docx)?.map_or(Cow::Borrowed(*docx), Cow::Owned)))
            .collect();
        let usable: Vec<&[u8]> = harmless.iter().flatten().map(AsRef::as_ref).collect();
        let filter = filter(self.set_up.standard);
        let patience = self.set_up.timeout.duration();
        let call = Call { program: &self.program, filter: &filter, patience };
        let (mut files, mut n_barren) = (Vec::new(), 0);
        while files.len() < usable.len() && n_barren < BARREN_CALLS {
            let left = desk.convert(&call, &usable[files.len()..])?;
            let n_through = left.files.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
            n_barren = if n_through == 0 { n_barren + 1 } else { 0 };
            if n_through < left.files.len() || left.files.contains(&None) {
                self.expect_room()?;
            }
            let reason = match left.is_timed_out {
                true => format!("LibreOffice did not end within {}", self.set_up.timeout),
                false => "LibreOffice made no PDF of it".to_owned(),
            };
            let through = left.files.into_iter().take(n_through + 1);
            files.extend(through.map(|file| file.ok_or_else(|| reason.clone())));
        }
        let none = || Err("LibreOffice made no PDF of any letter".to_owned());
        let mut files = files.into_iter();
        Ok(harmless.into_iter().map(|docx| docx.and_then(|_| files.next().unwrap_or_else(none))).collect())
    }

    /// A full disk is nobody's letter's fault.
    fn expect_room(&self) -> Result<(), PdfError> {
        let failed = |source| PdfError::Folder { folder: self.folder.path().to_owned(), source };
        let disk = rustix::fs::statvfs(self.folder.path()).map_err(|error| failed(error.into()))?;
        if disk.f_bavail.saturating_mul(disk.f_frsize) < LEAST_ROOM_BYTES {
            return Err(failed(io::ErrorKind::StorageFull.into()));
        }
        Ok(())
    }
}

/// What is laid out how.
#[derive(Default)]
struct Plan {
    together: Vec<Job>,
    alone: Vec<Job>,
    /// By template: letters that are laid out both ways.
    trials: BTreeMap<usize, [usize; 2]>,
}

impl Job {
    fn alone(letters: &[Letter<'_>], number: usize) -> Job {
        Job { docx: letters[number].docx.to_owned(), letters: vec![number] }
    }
}

/// Chunks of no more than a size, none much smaller than the others.
fn even_chunks(numbers: &[usize], size: usize) -> std::slice::Chunks<'_, usize> {
    let n_chunks = numbers.len().div_ceil(size).max(1);
    numbers.chunks(numbers.len().div_ceil(n_chunks).max(1))
}

fn alike(some: Option<&[Look]>, others: Option<&[Look]>) -> bool {
    let (Some(some), Some(others)) = (some, others) else { return false };
    some.len() == others.len() && some.iter().zip(others).all(|(a, b)| a.is_as(b))
}

/// What LibreOffice is asked for: names for the places where letters begin, no outline, no tags, the standard.
///
/// Source: LibreOffice help, "PDF Export Command Line Parameters".
fn filter(standard: PdfStandard) -> String {
    let version = match standard {
        PdfStandard::Plain => 0,
        PdfStandard::A1b => 1,
        PdfStandard::A2b => 2,
    };
    format!(
        "pdf:writer_pdf_Export:{{\
         \"SelectPdfVersion\":{{\"type\":\"long\",\"value\":\"{version}\"}},\
         \"ExportBookmarksToPDFDestination\":{{\"type\":\"boolean\",\"value\":\"true\"}},\
         \"ExportBookmarks\":{{\"type\":\"boolean\",\"value\":\"false\"}},\
         \"ExportFormFields\":{{\"type\":\"boolean\",\"value\":\"false\"}},\
         \"UseTaggedPDF\":{{\"type\":\"boolean\",\"value\":\"false\"}}}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_of_about_the_same_size() {
        let sizes = |n: usize, size: usize| -> Vec<usize> {
            even_chunks(&(0..n).collect::<Vec<_>>(), size).map(<[usize]>::len).collect()
        };
        assert_eq!(sizes(51, 50), [26, 25]);
        assert_eq!(sizes(100, 50), [50, 50]);
        assert_eq!(sizes(3, 50), [3]);
        assert_eq!(sizes(0, 50), [0; 0]);
    }
}
