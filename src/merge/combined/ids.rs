//! Owns what a document may have only once: numbers and names, which each letter after the first gets anew.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::super::xml::Document;

/// The most characters that Word allows in a bookmark's name.
const NAME_LIMIT: usize = 40;

/// Numbers that are unique among their kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Bookmarks and tracked changes (`w:id` of `CT_Markup`).
    Annotation,
    Permission,
    Comment,
    Footnote,
    Endnote,
    Drawing,
    ContentControl,
    /// `w14:paraId`, below 0x80000000 ([MS-DOCX] §2.2.4 Additional Attributes).
    Paragraph,
    /// `w16cid:durableId` of a comment, below 0x7FFFFFFF.
    Durable,
    /// The number in `_x0000_s1026`.
    Shape,
}

/// The numbers and names that a combined document has used.
#[derive(Debug, Default)]
pub(super) struct Ids {
    used: BTreeMap<Kind, BTreeSet<u32>>,
    next: BTreeMap<Kind, u32>,
    /// The bookmarks of the first letter, in lower case.
    names: BTreeSet<String>,
}

impl Ids {
    /// Notes what a part of the first letter uses.
    pub(super) fn note(&mut self, document: &Document) {
        for at in (0..document.tokens().len()).filter(|at| document.tokens()[*at].is_start()) {
            let local = document.local(at);
            let tag = document.slice(document.tokens()[at].span.clone());
            for (name, span) in attributes(tag) {
                let value = &tag[span];
                if let Some(kind) = kind_of(local, name) {
                    self.used.entry(kind).or_default().extend(number_of(kind, value));
                } else if local == "bookmarkStart" && local_name(name) == "name" {
                    self.names.insert(value.to_lowercase());
                }
            }
        }
    }

    /// Returns a number that was not there.
    pub(super) fn fresh(&mut self, kind: Kind) -> u32 {
        // Word counts shapes from 1025.
        let next = self.next.entry(kind).or_insert(if kind == Kind::Shape { 1025 } else { 1 });
        let used = self.used.entry(kind).or_default();
        while used.contains(next) {
            *next += 1;
        }
        *next += 1;
        *next - 1
    }
}

/// The numbers and names of one letter, old and new.
#[derive(Debug)]
pub(super) struct Renewal<'i> {
    ids: &'i mut Ids,
    /// The letter's number, from 1; the first keeps what it has.
    pub(super) letter: u64,
    numbers: BTreeMap<(Kind, String), String>,
    /// By the old name in lower case.
    names: BTreeMap<String, String>,
}

impl<'i> Renewal<'i> {
    pub(super) fn new(ids: &'i mut Ids, letter: u64) -> Renewal<'i> {
        Renewal { ids, letter, numbers: BTreeMap::new(), names: BTreeMap::new() }
    }

    /// Returns a number that the combined document has not used.
    pub(super) fn fresh(&mut self, kind: Kind) -> u32 {
        self.ids.fresh(kind)
    }

    /// Gives the bookmarks of a part new names.
    pub(super) fn note_names(&mut self, document: &Document) {
        if self.letter == 1 {
            return;
        }
        for at in (0..document.tokens().len()).filter(|at| document.tokens()[*at].is_start()) {
            if document.local(at) == "bookmarkStart"
                && let Some(name) = document.attribute(at, "name")
                && !self.names.contains_key(&name.to_lowercase())
            {
                let new = self.new_name(&name);
                self.names.insert(name.to_lowercase(), new);
            }
        }
    }

    fn new_name(&self, name: &str) -> String {
        let is_free = |new: &String| {
            let key = new.to_lowercase();
            !self.ids.names.contains(&key) && !self.names.values().any(|other| other.to_lowercase() == key)
        };
        let named = |suffix: String| {
            let room = NAME_LIMIT.saturating_sub(suffix.len());
            name.chars().take(room).collect::<String>() + &suffix
        };
        let first = named(format!("_r{}", self.letter));
        std::iter::once(first)
            .chain((2..).map(|again| named(format!("_r{}_{again}", self.letter))))
            .find(is_free)
            .unwrap_or_default()
    }

    /// Returns the bookmark's new name, if this letter has the bookmark and renames it.
    pub(super) fn name(&self, old: &str) -> Option<&str> {
        self.names.get(&old.to_lowercase()).map(String::as_str)
    }

    /// Tells whether the letter has bookmarks that are renamed.
    pub(super) fn renames(&self) -> bool {
        !self.names.is_empty()
    }

    /// Returns the new form of an attribute's value that holds an id; nothing if it holds none, or keeps it.
    pub(super) fn attribute(&mut self, element: &str, attribute: &str, old: &str) -> Option<String> {
        if self.letter == 1 {
            return None;
        }
        let kind = kind_of(element, attribute)?;
        match kind {
            // Nothing refers to them.
            Kind::Drawing | Kind::ContentControl => Some(self.ids.fresh(kind).to_string()),
            // Separators have reserved numbers and are the same for all letters.
            Kind::Footnote | Kind::Endnote if number_of(kind, old).is_none() => None,
            _ => Some(self.number(kind, old)),
        }
    }

    /// Returns the new number that stands for an old one in this letter.
    pub(super) fn number(&mut self, kind: Kind, old: &str) -> String {
        let key = (kind, old.to_owned());
        if let Some(new) = self.numbers.get(&key) {
            return new.clone();
        }
        let new = match kind {
            Kind::Paragraph | Kind::Durable => format!("{:08X}", self.ids.fresh(kind)),
            Kind::Shape => match shape_prefix(old) {
                Some(prefix) => format!("{prefix}{}", self.ids.fresh(kind)),
                None => format!("{old}_r{}", self.letter),
            },
            _ => self.ids.fresh(kind).to_string(),
        };
        self.numbers.insert(key, new.clone());
        new
    }

    /// Tells whether the letter has something of this old number.
    pub(super) fn has(&self, kind: Kind, old: &str) -> bool {
        self.numbers.contains_key(&(kind, old.to_owned()))
    }

    /// Returns the old and new numbers of a kind, in the order of the new ones.
    pub(super) fn renewed(&self, kind: Kind) -> Vec<(String, String)> {
        let mut pairs: Vec<(String, String)> = self
            .numbers
            .iter()
            .filter(|((of, _), _)| *of == kind)
            .map(|((_, old), new)| (old.clone(), new.clone()))
            .collect();
        pairs.sort_by_key(|(_, new)| new.parse::<u32>().unwrap_or_default());
        pairs
    }
}

/// Tells what an attribute's value counts, by the name of its element without prefix and its own as written.
fn kind_of(element: &str, attribute: &str) -> Option<Kind> {
    let local = local_name(attribute);
    let kind = match (element, local) {
        (_, "paraId" | "paraIdParent") => Kind::Paragraph,
        (_, "durableId") => Kind::Durable,
        ("docPr", "id") => Kind::Drawing,
        ("id", "val") => Kind::ContentControl,
        ("permStart" | "permEnd", "id") => Kind::Permission,
        ("comment" | "commentReference" | "commentRangeStart" | "commentRangeEnd", "id") => Kind::Comment,
        ("footnote" | "footnoteReference", "id") => Kind::Footnote,
        ("endnote" | "endnoteReference", "id") => Kind::Endnote,
        ("bookmarkStart" | "bookmarkEnd" | "ins" | "del" | "moveFrom" | "moveTo", "id") => Kind::Annotation,
        ("cellIns" | "cellDel" | "cellMerge", "id") => Kind::Annotation,
        (element, "id")
            if element.ends_with("RangeStart")
                || element.ends_with("RangeEnd")
                || (element.ends_with("Change") && attribute != "id") =>
        {
            Kind::Annotation
        }
        (_, "spid" | "ShapeID" | "shapeid") => Kind::Shape,
        (
            "shape" | "rect" | "oval" | "line" | "polyline" | "roundrect" | "group" | "arc" | "curve"
            | "image",
            "id",
        ) if attribute == "id" => Kind::Shape,
        _ => return None,
    };
    Some(kind)
}

fn number_of(kind: Kind, value: &str) -> Option<u32> {
    match kind {
        Kind::Paragraph | Kind::Durable => u32::from_str_radix(value, 16).ok(),
        Kind::Shape => value.get(shape_prefix(value)?.len()..)?.parse().ok(),
        _ => value.parse().ok(),
    }
}

/// `_x0000_s` or `_x0000_i`, where a number follows it.
fn shape_prefix(value: &str) -> Option<&str> {
    let (prefix, number) = value.split_at_checked("_x0000_s".len())?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (prefix.starts_with("_x0000_") && is_number).then_some(prefix)
}

/// Returns the attributes of a tag: their names as written, and where their values stand in the tag.
pub(super) fn attributes(tag: &str) -> Vec<(&str, Range<usize>)> {
    let mut found = Vec::new();
    let mut at = tag.find(|it: char| it.is_ascii_whitespace()).unwrap_or(tag.len());
    while let Some(equals) = tag[at..].find('=').map(|equals| at + equals) {
        let name = tag[at..equals].trim();
        let Some(open) = tag[equals..].find(['"', '\'']).map(|open| equals + open) else { break };
        let quote = &tag[open..=open];
        let Some(end) = tag[open + 1..].find(quote).map(|end| open + 1 + end) else { break };
        found.push((name, open + 1..end));
        at = end + 1;
    }
    found
}

/// A name without its prefix.
pub(super) fn local_name(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}
