//! Owns pictures of pages, drawn by poppler's pdftoppm.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The program's name.
pub const PROGRAM: &str = "pdftoppm";

/// How many dots an inch has: what a screen shows.
const DOTS_PER_INCH: &str = "96";

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The program is not there.
    #[error("pictures of pages need `{PROGRAM}`, which is not there")]
    NoProgram,
    /// The program cannot be started, or its files not be read.
    #[error("cannot draw pages with `{}`", program.display())]
    Call {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The program drew nothing.
    #[error("`{}` drew no page: {said}", program.display())]
    Nothing {
        /// The program.
        program: PathBuf,
        /// What it said.
        said: String,
    },
}

impl PictureError {
    /// Returns the error's stable id.
    pub fn id(&self) -> &'static str {
        match self {
            PictureError::NoProgram => "no-pdftoppm",
            PictureError::Call { .. } => "pdftoppm-fails",
            PictureError::Nothing { .. } => "pdftoppm-draws-nothing",
        }
    }

    /// Returns what to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            PictureError::NoProgram => {
                Some("install it (Debian, Ubuntu: `apt install poppler-utils`)".to_owned())
            }
            PictureError::Call { .. } | PictureError::Nothing { .. } => None,
        }
    }
}

/// Draws each page of a PDF file as a PNG picture, in their order.
///
/// # Errors
///
/// A program that does not start or draws nothing; a folder for temporary files that cannot be written.
pub fn pictures(program: &Path, pdf: &[u8]) -> Result<Vec<Vec<u8>>, PictureError> {
    let failed = |source| PictureError::Call { program: program.to_owned(), source };
    let folder = tempfile::tempdir().map_err(failed)?;
    let file = folder.path().join("letter.pdf");
    fs::write(&file, pdf).map_err(failed)?;
    let ended = Command::new(program)
        .args(["-png", "-r", DOTS_PER_INCH])
        .arg(&file)
        .arg(folder.path().join("page"))
        .stdin(Stdio::null())
        .output()
        .map_err(failed)?;
    let mut drawn = Vec::new();
    for entry in fs::read_dir(folder.path()).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|ending| ending == "png") {
            drawn.push(path);
        }
    }
    // Numbers in the names are as long as the longest one.
    drawn.sort();
    if drawn.is_empty() {
        let said = String::from_utf8_lossy(&ended.stderr).trim().to_owned();
        return Err(PictureError::Nothing { program: program.to_owned(), said });
    }
    drawn.iter().map(|path| fs::read(path).map_err(failed)).collect()
}
