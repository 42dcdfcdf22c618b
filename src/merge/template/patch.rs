//! Owns changes to the text of a part: elements taken out of it, an element put at its end.

use std::ops::Range;

use super::super::xml::Document;
use super::TemplateError;

/// Reads a part.
pub(super) fn parse(part: &str, content: Vec<u8>) -> Result<Document, TemplateError> {
    Document::parse(content).map_err(|source| TemplateError::Part { part: part.to_owned(), source })
}

/// The text of a document without some of its elements.
pub(super) fn without(document: &Document, spans: &[Range<usize>]) -> String {
    let mut text = String::new();
    let mut at = 0;
    for span in spans {
        text.push_str(document.slice(at..span.start));
        at = span.end;
    }
    text.push_str(document.slice(at..document.source().len()));
    text
}

/// The text of a document without some of its elements, before and after the end of its root.
pub(super) fn around_end_of_root(document: &Document, spans: &[Range<usize>]) -> (String, String) {
    const PLACE: &str = "\0";
    // What XML forbids stands in no document, so it marks the place.
    let marked = without(document, spans);
    let marked = match Document::parse(marked.into_bytes()) {
        Ok(rest) => append_to_root(&rest, PLACE),
        Err(_) => append_to_root(document, PLACE),
    };
    let (start, end) = marked.split_once(PLACE).unwrap_or((&marked, ""));
    (start.to_owned(), end.to_owned())
}

fn root(document: &Document) -> usize {
    document.tokens().iter().position(|token| token.is_start()).unwrap_or(0)
}

/// The prefix of a document's root, with its colon.
pub(super) fn root_prefix(document: &Document) -> String {
    document.prefix(root(document)).to_owned()
}

/// The text of a document with an element more at the end of its root.
pub(super) fn append_to_root(document: &Document, element: &str) -> String {
    let root = root(document);
    let end = document.end(root);
    let span = document.tokens()[end].span.clone();
    if end == root {
        let tag = document.slice(span.clone());
        let name = document.name(root);
        let opened = tag.trim_end_matches('>').trim_end_matches('/');
        return format!("{}{opened}>{element}</{name}>", document.slice(0..span.start));
    }
    format!(
        "{}{element}{}",
        document.slice(0..span.start),
        document.slice(span.start..document.source().len())
    )
}
