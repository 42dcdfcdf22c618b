//! Owns making a document harmless: whatever would let LibreOffice fetch something goes; links that a reader clicks stay.

use std::io::{Cursor, Read, Write};

use memchr::memmem;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// Returns the document without what is outside of it: relationships that lead out, but for hyperlinks; sources of pictures
/// in VML and SVG; fields that include; embedded web pages; nor where its author's cursor was. None if there is nothing of
/// the kind.
///
/// # Errors
///
/// A document that is no zip archive, or a part that cannot be read; in words.
pub(super) fn harmless(document: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let words = |error: &dyn std::fmt::Display| format!("the document cannot be read: {error}");
    let mut archive = ZipArchive::new(Cursor::new(document)).map_err(|error| words(&error))?;
    let mut changed: Vec<(usize, Vec<u8>)> = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| words(&error))?;
        let name = entry.name().map_err(|error| words(&error))?.to_ascii_lowercase();
        if ![".rels", ".xml", ".svg", ".htm", ".html", ".xhtml", ".mht", ".mhtml"]
            .iter()
            .any(|ending| name.ends_with(ending))
        {
            continue;
        }
        let mut text = Vec::new();
        entry.read_to_end(&mut text).map_err(|error| words(&error))?;
        let new = if name.ends_with(".rels") {
            without_outside(&text).map_err(|error| words(&error))?
        } else if name.ends_with(".xml") {
            let new = without_fetching(&text);
            without_cursor(new.as_deref().unwrap_or(&text)).or(new)
        } else if name.ends_with(".svg") {
            memmem::find(&text, b"://").and_then(|_| without_addresses(&text))
        } else {
            Some(Vec::new()) // a web page as a chunk of the text
        };
        if let Some(new) = new {
            changed.push((index, new));
        }
    }
    if changed.is_empty() {
        return Ok(None);
    }
    let mut writer = ZipWriter::new(Cursor::new(Vec::with_capacity(document.len())));
    let mut changed = changed.into_iter().peekable();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|error| words(&error))?;
        match changed.next_if(|(at, _)| *at == index) {
            Some((_, new)) => {
                let name = entry.name().map_err(|error| words(&error))?.into_owned();
                drop(entry);
                writer
                    .start_file(name, SimpleFileOptions::default())
                    .and_then(|()| Ok(writer.write_all(&new)?))
                    .map_err(|error| words(&error))?;
            }
            None => writer.raw_copy_file(entry).map_err(|error| words(&error))?,
        }
    }
    Ok(Some(writer.finish().map_err(|error| words(&error))?.into_inner()))
}

/// Drops relationships that lead out of the package (ECMA-376 Part 2 §6.5.3 Relationships), but for hyperlinks.
fn without_outside(text: &[u8]) -> Result<Option<Vec<u8>>, quick_xml::Error> {
    if memmem::find(text, b"External").is_none() {
        return Ok(None);
    }
    let is_outside = |element: &BytesStart<'_>| {
        let value = |name: &str| {
            let found = element.attributes().flatten().find(|it| it.key.as_ref() == name);
            found.map(|it| it.value.into_owned()).unwrap_or_default()
        };
        value("TargetMode") == "External" && !value("Type").ends_with("/hyperlink")
    };
    let Ok(source) = std::str::from_utf8(text) else { return Ok(Some(Vec::new())) };
    let mut reader = Reader::from_str(source);
    let mut kept = Vec::new();
    let mut start = 0;
    let mut skipping = false;
    loop {
        let event = reader.read_event()?;
        let end = usize::try_from(reader.buffer_position()).unwrap_or(text.len());
        let span = text.get(start..end).unwrap_or_default();
        start = end;
        match event {
            Event::Eof => break,
            Event::Empty(element) if is_outside(&element) => continue,
            Event::Start(element) if is_outside(&element) => {
                skipping = true;
                continue;
            }
            Event::End(_) if skipping => {
                skipping = false;
                continue;
            }
            _ => kept.extend_from_slice(span),
        }
    }
    Ok((kept.len() != text.len()).then_some(kept))
}

/// Words of fields that read something from elsewhere (ECMA-376 Part 1 §17.16.5), and what stands in their place: a field
/// that is not known, which shows its last result.
const FETCHING: [(&[u8], &[u8]); 7] = [
    (b"INCLUDEPICTURE", b"NOINCLUDEPICTU"),
    (b"INCLUDETEXT", b"NOINCLUDETX"),
    (b"DDEAUTO", b"NODDEAU"),
    (b" DDE ", b" NOD "),
    (b" LINK ", b" NOLK "),
    (b" IMPORT ", b" NOIMPO "),
    (b" DATABASE ", b" NODATABA "),
];

/// Breaks fields that include something, and addresses of pictures that stand in VML itself.
fn without_fetching(text: &[u8]) -> Option<Vec<u8>> {
    let mut new: Option<Vec<u8>> = None;
    for (word, instead) in FETCHING {
        let places: Vec<usize> = memmem::find_iter(text, word).collect();
        for place in places.into_iter().filter(|place| is_in_code(text, *place)) {
            let new = new.get_or_insert_with(|| text.to_owned());
            new[place..place + word.len()].copy_from_slice(instead);
        }
    }
    let sources: Vec<usize> = memmem::find_iter(text, b" src=").map(|place| place + 1).collect();
    for place in sources {
        let new = new.get_or_insert_with(|| text.to_owned());
        new[place..place + 3].copy_from_slice(b"alt");
    }
    new
}

/// The bookmark at which the author's cursor was when Word saved the document. LibreOffice breaks a line of text in two
/// there, but not at the end of a document, so that a letter would not look the same among others.
const CURSOR: &[u8] = b"\"_GoBack";

/// Takes out the author's cursor.
fn without_cursor(text: &[u8]) -> Option<Vec<u8>> {
    let mut new: Option<Vec<u8>> = None;
    for place in memmem::find_iter(text, CURSOR) {
        let start = memchr::memrchr(b'<', &text[..place]);
        let end = memchr::memchr(b'>', &text[place..]).map(|end| place + end + 1);
        let (Some(start), Some(end)) = (start, end) else { continue };
        let tag = &text[start..end];
        if memmem::find(tag, b"bookmarkStart ").is_some() && tag.ends_with(b"/>") {
            new.get_or_insert_with(|| text.to_owned())[start..end].fill(b' ');
        }
    }
    new
}

/// Tells whether a place is within a field's code: what stands before it opened `instrText` or `instr`, and text does not.
fn is_in_code(text: &[u8], place: usize) -> bool {
    let before = &text[place.saturating_sub(400)..place];
    let tag = memmem::rfind(before, b"<").map(|at| &before[at..]);
    tag.is_some_and(|tag| memmem::find(tag, b"instr").is_some())
}

/// Breaks every address in a picture of text; names of namespaces are addresses too, and stay.
fn without_addresses(text: &[u8]) -> Option<Vec<u8>> {
    let mut new = text.to_owned();
    let mut is_changed = false;
    for place in memmem::find_iter(text, b"href=") {
        let rest = &text[place + b"href=".len()..];
        if !matches!(rest.get(1), Some(b'#')) && !rest.get(1..).is_some_and(|it| it.starts_with(b"data:")) {
            new[place..place + 4].copy_from_slice(b"hxxx");
            is_changed = true;
        }
    }
    is_changed.then_some(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl Fn(&[u8]) -> Option<Vec<u8>>, text: &str, expected: Option<&str>) {
        let changed = change(text.as_bytes()).map(|new| String::from_utf8(new).expect("it stays text"));
        assert_eq!(changed.as_deref(), expected, "{text}");
    }

    #[test]
    fn only_hyperlinks_lead_out_of_a_document() {
        let rels = |text: &[u8]| without_outside(text).expect("it is XML");
        let relationship = |kind: &str, mode: &str| {
            format!("<Relationship Id=\"r\" Type=\"http://x/{kind}\" Target=\"http://y/\"{mode}/>")
        };
        let (link, image, inside) = (
            relationship("hyperlink", " TargetMode=\"External\""),
            relationship("image", " TargetMode=\"External\""),
            relationship("image", ""),
        );
        let all = |parts: &[&str]| format!("<Relationships>{}</Relationships>", parts.concat());
        check(rels, &all(&[&link, &image, &inside]), Some(&all(&[&link, &inside])));
        check(rels, &all(&[&link, &inside]), None);
        let open = image.replace("/>", "></Relationship>");
        check(rels, &all(&[&open, &link]), Some(&all(&[&link])));
    }

    #[test]
    fn the_authors_cursor_goes_and_other_bookmarks_stay() {
        let start = |name: &str| format!("<w:bookmarkStart w:id=\"0\" w:name=\"{name}\"/>");
        let blank = " ".repeat(start("_GoBack").len());
        check(
            without_cursor,
            &format!("<w:p>{}</w:p>", start("_GoBack")),
            Some(&format!("<w:p>{blank}</w:p>")),
        );
        check(without_cursor, &start("place"), None);
        check(without_cursor, "<w:p><w:t>\"_GoBack\"</w:t></w:p>", None);
    }

    #[test]
    fn fields_and_pictures_that_fetch_do_not() {
        check(without_fetching, "<w:t>INCLUDEPICTURE x</w:t>", None);
        check(
            without_fetching,
            "<w:instrText> INCLUDEPICTURE \"http://x\" </w:instrText>",
            Some("<w:instrText> NOINCLUDEPICTU \"http://x\" </w:instrText>"),
        );
        check(without_fetching, "<v:imagedata src=\"http://x\"/>", Some("<v:imagedata alt=\"http://x\"/>"));
        check(
            without_addresses,
            "<image xlink:href=\"http://x\"/>",
            Some("<image xlink:hxxx=\"http://x\"/>"),
        );
        check(without_addresses, "<use href=\"#a\"/>", None);
    }
}
