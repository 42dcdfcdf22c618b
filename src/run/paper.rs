//! Owns which letters become PDF: those on paper where the set-up says so, and those that are attached as PDF.

use std::iter;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;

use crate::contact::CorrespondenceType;
use crate::delivery::pdf::{Converter, Letter, PdfError, Properties, locked};
use crate::interaction::template::EmailAttachment;
use crate::run::album::Album;
use crate::run::buffers::Buffers;
use crate::run::enclosure::stem;
use crate::run::journal::Pending;
use crate::run::plan::{Paper, RunDocument};
use crate::run::problem::Problem;
use crate::run::{Letters, Office};
use crate::segment::LineNo;
use crate::setup::{self, LetterFiles, PdfStandard, Setup};

/// What a line has as PDF: nothing where it needs none, else its letter and then its enclosures, or why one cannot be made.
pub(in crate::run) type LinePdf = Option<Result<Vec<Vec<u8>>, String>>;

impl Paper {
    /// Tells whether a document's lines of a correspondence type need PDF.
    pub(in crate::run) fn needs_pdf(&self, document: &RunDocument, kind: CorrespondenceType) -> bool {
        match kind {
            CorrespondenceType::HardCopy => self.letters != LetterFiles::Docx,
            CorrespondenceType::Email | CorrespondenceType::Fax => {
                document.email.attach.contains(&EmailAttachment::Pdf)
            }
        }
    }

    fn may_need_pdf(&self, documents: &[RunDocument]) -> bool {
        let kinds = [CorrespondenceType::HardCopy, CorrespondenceType::Email];
        documents.iter().any(|document| kinds.iter().any(|kind| self.needs_pdf(document, *kind)))
    }

    /// Returns what hinders making PDF before anything has happened.
    pub(in crate::run) fn problems(&self, documents: &[RunDocument]) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.pdf.soffice.is_none() && self.may_need_pdf(documents) {
            problems.push(no_program(match self.letters {
                LetterFiles::Docx => "template.email.attach = [\"pdf\"]",
                LetterFiles::Pdf | LetterFiles::Both => "letters on paper as PDF",
            }));
        }
        if !self.pdf.password.is_empty() && self.pdf.standard != PdfStandard::Plain {
            problems.push(Problem {
                id: "locked-archive",
                message: "a file for the archive (PDF/A) must not be locked".to_owned(),
                place: format!("{}: pdf.password", Setup::FILE_NAME),
                help: Some("take `password` or `standard` out of `[pdf]`".to_owned()),
            });
        }
        let faults = self.print.iter().flat_map(|print| print.marks.faults());
        problems.extend(faults.map(|fault| Problem {
            id: fault.id(),
            message: fault.to_string(),
            place: format!("{}: print.marks", Setup::FILE_NAME),
            help: None,
        }));
        problems
    }
}

/// The problem that LibreOffice is not there, for what needs it.
pub(in crate::run) fn no_program(place: &str) -> Problem {
    let error = PdfError::NoProgram;
    Problem { id: error.id(), message: error.to_string(), place: place.to_owned(), help: error.help() }
}

/// Returns the PDF of a line as it goes out: locked, where the line has a password.
pub(in crate::run) fn as_sent(line: &Pending, pdf: Vec<u8>) -> Result<Vec<u8>, String> {
    match line.letter.message.as_ref().map_or("", |message| message.password.as_str()) {
        "" => Ok(pdf),
        password => locked(&pdf, password),
    }
}

/// Opens what makes the PDF of a run; none where it needs none. The program is the one that is there now.
pub(in crate::run) fn converter(
    office: &Office<'_>,
    letters: &Letters,
    folder: &std::path::Path,
) -> Result<Option<Converter>, PdfError> {
    let Paper { pdf, .. } = letters.paper();
    if !letters.paper().may_need_pdf(&letters.documents()) {
        return Ok(None);
    }
    let soffice = office.setup.pdf.soffice.clone().or_else(|| pdf.soffice.clone());
    let set_up = setup::Pdf { soffice, ..pdf.clone() };
    Converter::clean(folder).map_err(|source| PdfError::Folder { folder: folder.to_owned(), source })?;
    Converter::open(&set_up, folder).map(Some)
}

/// Makes the PDF of those lines that need it.
///
/// # Errors
///
/// What hinders all of them. What is wrong with one line is its result; a letter that cannot even be merged has none, and
/// tells so when it is merged for its delivery.
pub(in crate::run) fn pdfs(
    converter: &Converter,
    (letters, album): (&Letters, &Album),
    buffers: &Buffers,
    pending: &[Pending],
) -> Result<Vec<LinePdf>, PdfError> {
    let merged: Vec<Option<Vec<Vec<u8>>>> = pending
        .par_iter()
        .map(|line| {
            if line.suppressed.is_some() || !letters.needs_pdf(line) {
                return None;
            }
            let number = line.line_no.0 / LineNo::STEP;
            let merge = || {
                buffers.lend(|buffer| {
                    let documents = line.letter.documents().map(|document| {
                        letters.merge(document, number, album, buffer).map(|_| buffer.letter().to_vec())
                    });
                    documents.collect::<Result<Vec<Vec<u8>>, String>>().ok()
                })
            };
            catch_unwind(AssertUnwindSafe(merge)).ok().flatten()
        })
        .collect();
    let wanted: Vec<Letter<'_>> = pending
        .iter()
        .zip(&merged)
        .flat_map(|(line, merged)| {
            let author = letters.paper().author.as_str();
            let titles = iter::once(line.subject.as_str())
                .chain(letters.document_names(&line.letter).skip(1).map(stem));
            let documents = merged.iter().flatten().zip(line.letter.documents());
            documents.zip(titles).map(move |((docx, document), title)| Letter {
                docx,
                template: document.document,
                properties: Properties { title, author },
            })
        })
        .collect();
    let mut made = converter.convert(&wanted)?.into_iter();
    let of_line = |(line, merged): (&Pending, &Option<Vec<Vec<u8>>>)| {
        let n_documents = merged.as_ref()?.len();
        let pdfs: Vec<_> = made.by_ref().take(n_documents).collect();
        let sent = pdfs.into_iter().map(|pdf| pdf.and_then(|pdf| as_sent(line, pdf.bytes)));
        // Of one document it is clear which.
        let named = |(name, sent): (&str, Result<Vec<u8>, String>)| match n_documents {
            1 => sent,
            _ => sent.map_err(|reason| format!("{name}: {reason}")),
        };
        Some(letters.document_names(&line.letter).zip(sent).map(named).collect())
    };
    Ok(pending.iter().zip(&merged).map(of_line).collect())
}
