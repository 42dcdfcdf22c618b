//! Owns what the set-up says about PDF: the program that makes it, how long it may take, how the work is shared out.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::setup::rate::Span;

/// The program's name where the set-up does not give one.
const PROGRAM: &str = "soffice";

/// `[pdf]` of the set-up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pdf {
    /// LibreOffice's program; left out: `soffice` on the PATH.
    pub soffice: Option<PathBuf>,
    /// How long one document may take, be it a letter or a chunk of letters.
    pub timeout: Span,
    /// How many LibreOffice processes work at the same time.
    pub workers: usize,
    /// How many letters of one template are laid out together.
    pub chunk: usize,
    /// The standard that the files keep to.
    pub standard: PdfStandard,
    /// The password that opens a file that is attached to an e-mail, with tags; empty for none.
    pub password: String,
}

/// A standard for PDF files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PdfStandard {
    /// PDF 1.7 (ISO 32000-1).
    #[default]
    #[serde(rename = "pdf")]
    Plain,
    /// PDF/A-1b (ISO 19005-1, level B).
    #[serde(rename = "pdf/a-1b")]
    A1b,
    /// PDF/A-2b (ISO 19005-2, level B).
    #[serde(rename = "pdf/a-2b")]
    A2b,
}

/// How letters on paper are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LetterFiles {
    /// As Word documents.
    #[default]
    Docx,
    /// As PDF.
    Pdf,
    /// As both, side by side.
    Both,
}

impl Default for Pdf {
    fn default() -> Pdf {
        Pdf {
            soffice: None,
            timeout: Span::from_milliseconds(60_000),
            workers: 2,
            chunk: 50,
            standard: PdfStandard::Plain,
            password: String::new(),
        }
    }
}

impl Pdf {
    /// Finds the program in the folders of `path`, as the PATH variable lists them, unless the set-up says where it is.
    ///
    /// Afterwards `soffice` is a file that exists, or none.
    pub fn locate(&mut self, path: &[PathBuf]) {
        let named = self.soffice.take().unwrap_or_else(|| PathBuf::from(PROGRAM));
        self.soffice = program(&named, path);
    }
}

/// Finds a program in folders, if it is named without one; none if it is no file.
pub fn program(named: &Path, folders: &[PathBuf]) -> Option<PathBuf> {
    let candidates = match named.components().count() {
        1 => folders.iter().map(|folder| folder.join(named)).collect(),
        _ => vec![named.to_owned()],
    };
    let found = candidates.into_iter().find(|candidate| candidate.is_file())?;
    // It may be started in another folder than this one.
    std::path::absolute(found).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_where_the_set_up_or_the_path_says() {
        let shell = |soffice: Option<&str>, path: &[&str]| {
            let mut pdf = Pdf { soffice: soffice.map(PathBuf::from), ..Pdf::default() };
            pdf.locate(&path.iter().map(PathBuf::from).collect::<Vec<_>>());
            pdf.soffice
        };
        assert_eq!(shell(Some("/bin/sh"), &[]), Some(PathBuf::from("/bin/sh")));
        assert_eq!(shell(Some("sh"), &["/nowhere", "/bin"]), Some(PathBuf::from("/bin/sh")));
        assert_eq!(shell(Some("/bin/no-such-program"), &["/bin"]), None);
        assert_eq!(shell(None, &["/nowhere"]), None);
    }
}
