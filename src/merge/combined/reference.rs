//! Owns the codes of fields that mean one letter only: references to its bookmarks, the number of its pages, its
//! sequences.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::xml::{Document, Element, Kind, decode, escape_into};
use super::ids::Renewal;

/// What NUMPAGES becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pages {
    /// It stays.
    AsWritten,
    /// SECTIONPAGES.
    OfSection,
    /// The number of the page on which the bookmark of this name is.
    OfBookmark(String),
}

/// A change of a part: what stands at these bytes, and what shall.
pub(super) type Edit = (Range<usize>, String);

/// The keywords before names of bookmarks (ECMA-376 Part 1 §17.16.5 Field definitions).
const REFERENCES: [&str; 10] =
    ["REF", "PAGEREF", "NOTEREF", "FTNREF", "GOTOBUTTON", "TOC", "INDEX", "IF", "COMPARE", "TA"];

/// Keywords that a bookmark's name could be taken for, if nobody knew them.
const NO_BOOKMARKS: [&str; 14] = [
    "PAGE", "DATE", "TIME", "TITLE", "SUBJECT", "AUTHOR", "SECTION", "SYMBOL", "QUOTE", "SEQ", "SET", "INFO",
    "COMMENTS", "EQ",
];

/// Finds the changes that the codes of a part's fields need.
pub(super) fn edits(
    document: &Document,
    tokens: Range<usize>,
    renewal: &Renewal<'_>,
    pages: &Pages,
) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut sequences = BTreeSet::new();
    // Of each open field: the texts of its code, until its result begins.
    let mut open: Vec<Option<Vec<usize>>> = Vec::new();
    let mut code_of = |code: &str| changes(code, renewal, pages, &mut sequences);
    for at in tokens {
        let token = &document.tokens()[at];
        match (token.element, token.kind) {
            (Element::FieldChar, Kind::Open(_) | Kind::Empty) => {
                match document.attribute(at, "fldCharType").as_deref() {
                    Some("begin") => open.push(Some(Vec::new())),
                    Some("separate") => {
                        if let Some(texts) = open.last_mut().and_then(Option::take) {
                            edits.extend(in_texts(document, &texts, &mut code_of));
                        }
                    }
                    _ => {
                        if let Some(texts) = open.pop().flatten() {
                            edits.extend(in_texts(document, &texts, &mut code_of));
                        }
                    }
                }
            }
            (Element::InstructionText, Kind::Open(close)) => {
                if let Some(Some(texts)) = open.last_mut() {
                    texts.extend((at + 1..close).filter(|at| document.tokens()[*at].kind == Kind::Text));
                }
            }
            (Element::SimpleField, Kind::Open(_) | Kind::Empty) => {
                let tag = document.slice(token.span.clone());
                for (name, span) in super::ids::attributes(tag) {
                    if super::ids::local_name(name) != "instr" {
                        continue;
                    }
                    let code = decode(&tag[span.clone()]);
                    let changed = code_of(&code);
                    if !changed.is_empty() {
                        let start = token.span.start;
                        edits.push((start + span.start..start + span.end, escaped(&apply(&code, &changed))));
                    }
                }
            }
            _ => {}
        }
    }
    edits
}

/// Tells whether a part that all letters share would mean another thing in another letter.
pub(super) fn depends_on_letter(document: &Document, names: &Renewal<'_>, pages: &Pages) -> bool {
    let by_bookmark = matches!(pages, Pages::OfBookmark(_));
    (by_bookmark || names.renames())
        && !edits(
            document,
            0..document.tokens().len(),
            names,
            if by_bookmark { pages } else { &Pages::AsWritten },
        )
        .is_empty()
}

/// The changes of a code that stands in several texts.
fn in_texts(document: &Document, texts: &[usize], code_of: &mut impl FnMut(&str) -> Vec<Edit>) -> Vec<Edit> {
    let pieces: Vec<_> =
        texts.iter().map(|at| (*at, decode(document.slice(document.tokens()[*at].span.clone())))).collect();
    let code: String = pieces.iter().map(|(_, text)| text.as_ref()).collect();
    let changed = code_of(&code);
    if changed.is_empty() {
        return Vec::new();
    }
    let mut edits = Vec::new();
    let mut start = 0;
    for (at, text) in &pieces {
        let end = start + text.len();
        // What is new stands in the text where the old begins; the other texts only lose their share.
        let local: Vec<Edit> = changed
            .iter()
            .filter(|(span, _)| span.start < end && span.end > start || span.is_empty() && span.start == end)
            .map(|(span, new)| {
                let begins_here = span.start >= start;
                let span = span.start.max(start) - start..span.end.min(end) - start;
                (span, if begins_here { new.clone() } else { String::new() })
            })
            .collect();
        if !local.is_empty() {
            edits.push((document.tokens()[*at].span.clone(), escaped(&apply(text, &local))));
        }
        start = end;
    }
    edits
}

/// The changes of one code, in its order.
fn changes(code: &str, renewal: &Renewal<'_>, pages: &Pages, sequences: &mut BTreeSet<String>) -> Vec<Edit> {
    let words = words(code);
    let Some((first, rest)) = words.split_first() else { return Vec::new() };
    let keyword = code[first.clone()].to_ascii_uppercase();
    let renamed = |word: &Range<usize>| Some((word.clone(), renewal.name(&code[word.clone()])?.to_owned()));
    match keyword.as_str() {
        "NUMPAGES" => match pages {
            Pages::AsWritten => Vec::new(),
            Pages::OfSection => vec![(first.clone(), "SECTIONPAGES".to_owned())],
            Pages::OfBookmark(name) => vec![(first.clone(), format!("PAGEREF {name}"))],
        },
        "SEQ" => {
            let Some(name) = rest.first().map(|word| code[word.clone()].to_lowercase()) else {
                return Vec::new();
            };
            let is_first = sequences.insert(name);
            let resets = rest.iter().any(|word| code[word.clone()].to_lowercase().starts_with("\\r"));
            match is_first && !resets && renewal.letter > 1 {
                true => vec![(code.trim_end().len()..code.trim_end().len(), " \\r 1".to_owned())],
                false => Vec::new(),
            }
        }
        "HYPERLINK" => {
            let place = rest.iter().position(|word| code[word.clone()].eq_ignore_ascii_case("\\l"));
            place.and_then(|place| rest.get(place + 1)).and_then(renamed).into_iter().collect()
        }
        keyword if keyword.starts_with('=') => formula_words(code).iter().filter_map(renamed).collect(),
        keyword if REFERENCES.contains(&keyword) => rest.iter().filter_map(renamed).collect(),
        keyword if NO_BOOKMARKS.contains(&keyword) => Vec::new(),
        // A bookmark's name alone is a reference to it.
        _ => renamed(first).into_iter().collect(),
    }
}

/// The words of a code, without their quotes.
fn words(code: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut characters = code.char_indices().peekable();
    while let Some((start, character)) = characters.next() {
        if character.is_whitespace() {
            continue;
        }
        let is_quoted = matches!(character, '"' | '“' | '”');
        let start = if is_quoted { start + character.len_utf8() } else { start };
        let ends = |it: char| if is_quoted { matches!(it, '"' | '“' | '”') } else { it.is_whitespace() };
        let mut end = code.len();
        while let Some((at, next)) = characters.peek().copied() {
            if ends(next) {
                end = at;
                characters.next();
                break;
            }
            characters.next();
        }
        words.push(start..end);
    }
    words
}

fn formula_words(code: &str) -> Vec<Range<usize>> {
    let is_word = |it: char| it.is_alphanumeric() || it == '_';
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(start) = code[at..].find(is_word).map(|start| at + start) {
        at = code[start..].find(|it| !is_word(it)).map_or(code.len(), |end| start + end);
        words.push(start..at);
    }
    words
}

/// Applies changes that do not overlap; of two at one place the earlier comes first.
pub(super) fn apply(text: &str, edits: &[Edit]) -> String {
    let mut new = String::with_capacity(text.len());
    let mut at = 0;
    for (span, replacement) in edits {
        new.push_str(text.get(at..span.start).unwrap_or_default());
        new.push_str(replacement);
        at = span.end.max(at);
    }
    new.push_str(text.get(at..).unwrap_or_default());
    new
}

fn escaped(text: &str) -> String {
    let mut bytes = Vec::new();
    escape_into(text, &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
