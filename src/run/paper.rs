//! Owns which letters become PDF: those on paper where the set-up says so, and those that are attached as PDF.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;

use crate::contact::CorrespondenceType;
use crate::delivery::pdf::{Converter, Letter, Pdf, PdfError, Properties};
use crate::interaction::template::EmailAttachment;
use crate::run::album::Album;
use crate::run::buffers::Buffers;
use crate::run::journal::Pending;
use crate::run::plan::{Paper, RunDocument};
use crate::run::problem::Problem;
use crate::run::{Letters, Office};
use crate::segment::LineNo;
use crate::setup::{self, LetterFiles};

/// What a line has as PDF: nothing where it needs none, else the file, or why it cannot be made.
pub(in crate::run) type LinePdf = Option<Result<Pdf, String>>;

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
    pub(in crate::run) fn problem(&self, documents: &[RunDocument]) -> Option<Problem> {
        if self.pdf.soffice.is_some() || !self.may_need_pdf(documents) {
            return None;
        }
        let error = PdfError::NoProgram;
        let place = match self.letters {
            LetterFiles::Docx => "template.email.attach = [\"pdf\"]",
            LetterFiles::Pdf | LetterFiles::Both => "letters on paper as PDF",
        };
        Some(Problem {
            id: error.id(),
            message: error.to_string(),
            place: place.to_owned(),
            help: error.help(),
        })
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
    let merged: Vec<Option<Vec<u8>>> = pending
        .par_iter()
        .map(|line| {
            if line.suppressed.is_some() || !letters.needs_pdf(line) {
                return None;
            }
            let number = line.line_no.0 / LineNo::STEP;
            let merge = || {
                buffers.lend(|buffer| {
                    letters.merge(&line.letter, number, album, buffer).ok().map(|_| buffer.letter().to_vec())
                })
            };
            catch_unwind(AssertUnwindSafe(merge)).ok().flatten()
        })
        .collect();
    let wanted: Vec<Letter<'_>> = pending
        .iter()
        .zip(&merged)
        .filter_map(|(line, docx)| {
            let author = letters.paper().author.as_str();
            let properties = Properties { title: &line.subject, author };
            docx.as_ref().map(|docx| Letter { docx, template: line.letter.document, properties })
        })
        .collect();
    let mut made = converter.convert(&wanted)?.into_iter();
    Ok(merged.iter().map(|docx| docx.as_ref().and_then(|_| made.next())).collect())
}
