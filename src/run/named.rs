//! Owns what a segment file names: the place of a value in it, and the files beside it.

use std::path::Path;

use toml::Spanned;

use crate::run::problem::Problem;
use crate::segment::{Attachment, SegmentFile};

/// Returns the file and line of something in a segment file.
pub(in crate::run) fn place<T>(file: &SegmentFile, spanned: &Spanned<T>) -> String {
    format!("{}, line {}", file.file.display(), file.line_of(spanned))
}

/// Reads a file as an attachment; `place` is where it is named.
pub(in crate::run) fn read_attachment(path: &Path, place: &str) -> Result<Attachment, Problem> {
    match std::fs::read(path) {
        Ok(bytes) => {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            Ok(Attachment::new(name, bytes))
        }
        Err(error) => Err(Problem {
            id: "unreadable",
            message: format!("cannot read `{}`: {error}", path.display()),
            place: place.to_owned(),
            help: Some("give the path of a file, relative to the segment file".to_owned()),
        }),
    }
}
