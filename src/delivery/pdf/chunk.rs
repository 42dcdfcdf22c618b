//! Owns what is laid out together: letters of one template joined in one document, and which letters cannot be.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use crate::merge::{CombineError, Combined, Joint, Manner, Marks, PageCount};

/// What LibreOffice counts through a whole document, or does not know: a letter that has it is laid out alone.
///
/// LibreOffice 7.4 numbers notes from the first letter to the last, whatever `w:numRestart` says, and shows
/// SECTIONPAGES as it was written.
const COUNTED_THROUGH: [&[u8]; 3] = [b"footnoteReference", b"endnoteReference", b"SECTIONPAGES"];

/// Tells whether a letter can stand between others and look as it does alone, as far as its text tells.
pub(super) fn can_be_joined(letter: &[u8]) -> bool {
    let Ok(mut archive) = ZipArchive::new(Cursor::new(letter)) else { return false };
    let parts: Vec<String> = archive
        .file_names()
        .flatten()
        .filter(|name| name.ends_with(".xml") && name.starts_with("word/") && is_story(name))
        .map(|name| name.into_owned())
        .collect();
    parts.iter().all(|part| {
        let mut text = Vec::new();
        let read = archive.by_name(part).map(|mut entry| entry.read_to_end(&mut text));
        matches!(read, Ok(Ok(_)))
            && !COUNTED_THROUGH.iter().any(|it| memchr::memmem::find(&text, it).is_some())
    })
}

fn is_story(name: &str) -> bool {
    ["document", "header", "footer"].iter().any(|story| name["word/".len()..].starts_with(story))
}

/// Joins letters of one template in one document, each findable by its [bookmark](crate::merge::combined::letter_bookmark).
pub(super) fn joined(letters: &[&[u8]]) -> Result<Vec<u8>, CombineError> {
    let manner =
        Manner { joint: Joint::NewPage, page_count: PageCount::LetterByReference, marks: Marks::Bookmarks };
    let mut combined = Combined::new(Vec::new(), Cursor::new(Vec::new()), manner);
    for letter in letters {
        combined.add(letter)?;
    }
    combined.finish()
}
