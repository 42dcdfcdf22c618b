//! Owns the enclosures of a line: the documents that go with its letter, what their files are called, and what is made of
//! them. A line is delivered with all of them or not at all.

use sha2::{Digest, Sha256};

use crate::delivery::Enclosure;
use crate::delivery::name::{Names, safe_name, with_suffix};
use crate::setup::LetterFiles;

/// An enclosure that is merged.
#[derive(Clone, Debug)]
pub struct Enclosed {
    /// The file name of its document: `terms.docx`.
    pub name: String,
    /// The Word document.
    pub docx: Vec<u8>,
    /// The SHA-256 of the Word document.
    pub digest: [u8; 32],
    /// The PDF; none where it is not needed, or not known yet.
    pub pdf: Option<Vec<u8>>,
}

/// Returns the names of the files of a line's enclosures: what is written, and the Word document beside a PDF.
///
/// `file` is the name of the letter's file; of `000010 1001 Ada.pdf` and `terms.docx` come `000010 1001 Ada_2 terms.pdf`
/// and `000010 1001 Ada_2 terms.docx`.
pub fn file_names<'a>(file: &str, names: impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
    let docx = format!("{}.docx", stem(file));
    let names = (2..).zip(names).map(|(number, name)| {
        let suffix = format!("_{number} {}", stem(name));
        (with_suffix(file, &suffix), with_suffix(&docx, &suffix))
    });
    names.collect()
}

/// Gives enclosures their PDF, and returns that of the letter; `pdfs` has the letter's first, or is empty.
pub(in crate::run) fn hand_out<'p>(pdfs: &'p [Vec<u8>], enclosed: &mut [Enclosed]) -> Option<&'p [u8]> {
    let (letter, of_enclosures) = pdfs.split_first()?;
    for (it, pdf) in enclosed.iter_mut().zip(of_enclosures) {
        it.pdf = Some(pdf.clone());
    }
    Some(letter)
}

/// Returns the names that enclosures have as attachments of a message, as Word document and as PDF; `taken` are names of
/// others.
pub(in crate::run) fn attachment_names(enclosed: &[Enclosed], taken: [&str; 2]) -> Vec<(String, String)> {
    let mut unique = Names::default();
    for name in taken {
        unique.unique(name);
    }
    let mut name = |it: &Enclosed, ending| unique.unique(&safe_name(stem(&it.name), ending));
    enclosed.iter().map(|it| (name(it, "docx"), name(it, "pdf"))).collect()
}

/// Returns the enclosures as they are written beside a letter on paper; `names` are theirs.
pub(in crate::run) fn parcels<'a>(
    enclosed: &'a [Enclosed],
    names: &'a [(String, String)],
    files: LetterFiles,
) -> Vec<Enclosure<'a>> {
    let parcel = |(it, (name, docx_name)): (&'a Enclosed, &'a (String, String))| match &it.pdf {
        None => Enclosure { name, bytes: &it.docx, digest: it.digest, beside: None },
        Some(pdf) => {
            let both = files == LetterFiles::Both;
            let beside = both.then_some((docx_name.as_str(), it.docx.as_slice()));
            Enclosure { name, bytes: pdf, digest: Sha256::digest(pdf).into(), beside }
        }
    };
    enclosed.iter().zip(names).map(parcel).collect()
}

/// Returns a file name without its ending.
pub(in crate::run) fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}
