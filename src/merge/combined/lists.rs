//! Owns lists: each letter after the first gets numberings of its own, so that its lists begin anew.

use std::collections::{BTreeMap, BTreeSet};

use super::super::xml::{Document, Element};

/// The numberings of a document and the styles that use them (ECMA-376 Part 1 §17.9 Numbering).
#[derive(Debug, Default)]
pub(super) struct Numbering {
    nums: BTreeMap<String, Num>,
    lists: BTreeMap<String, List>,
    styles: BTreeMap<String, Style>,
    next: u32,
    prefix: String,
}

/// A `w:num`.
#[derive(Debug, Default)]
struct Num {
    list: String,
    /// By level: where it starts, and the whole override without that.
    overrides: BTreeMap<String, (Option<String>, String)>,
}

/// A `w:abstractNum`.
#[derive(Debug, Default)]
struct List {
    levels: BTreeMap<String, Level>,
    /// The style that has the levels instead.
    style_link: Option<String>,
}

#[derive(Debug, Default)]
struct Level {
    start: Option<String>,
    counts: bool,
    style: Option<String>,
}

#[derive(Debug, Default)]
struct Style {
    based_on: Option<String>,
    num: Option<String>,
    level: Option<String>,
    /// The attributes of `w:ind`.
    indent: Option<String>,
}

/// The numberings of one letter.
#[derive(Debug)]
pub(super) struct LetterLists<'n> {
    numbering: &'n mut Numbering,
    renewed: BTreeMap<String, String>,
    begun: BTreeSet<String>,
    /// The new `w:num` elements.
    pub(super) added: String,
}

impl Numbering {
    /// Reads the numbering and style parts.
    pub(super) fn read(numbering: Option<&Document>, styles: Option<&Document>) -> Numbering {
        let mut read = Numbering::default();
        if let Some(document) = numbering {
            read.read_lists(document);
        }
        if let Some(document) = styles {
            read.read_styles(document);
        }
        read
    }

    fn read_lists(&mut self, document: &Document) {
        let root = starts(document, 0, document.tokens().len()).next().unwrap_or(0);
        self.prefix = document.prefix(root).to_owned();
        for at in children(document, root) {
            match document.local(at) {
                "abstractNum" => {
                    let id = document.attribute(at, "abstractNumId").unwrap_or_default();
                    let mut list = List::default();
                    for child in children(document, at) {
                        match document.local(child) {
                            "numStyleLink" => list.style_link = document.attribute(child, "val"),
                            "lvl" => {
                                let level = document.attribute(child, "ilvl").unwrap_or_default();
                                list.levels.insert(level, read_level(document, child));
                            }
                            _ => {}
                        }
                    }
                    self.lists.insert(id, list);
                }
                "num" => {
                    let id = document.attribute(at, "numId").unwrap_or_default();
                    self.next = self.next.max(id.parse().unwrap_or(0) + 1);
                    let mut num = Num::default();
                    for child in children(document, at) {
                        match document.local(child) {
                            "abstractNumId" => {
                                num.list = document.attribute(child, "val").unwrap_or_default();
                            }
                            "lvlOverride" => {
                                let level = document.attribute(child, "ilvl").unwrap_or_default();
                                let mut over = (None, String::new());
                                for inner in children(document, child) {
                                    match document.local(inner) {
                                        "startOverride" => over.0 = document.attribute(inner, "val"),
                                        _ => {
                                            over.0 = over.0.or(read_level(document, inner).start);
                                            over.1.push_str(document.slice(document.subtree(inner)));
                                        }
                                    }
                                }
                                num.overrides.insert(level, over);
                            }
                            _ => {}
                        }
                    }
                    self.nums.insert(id, num);
                }
                _ => {}
            }
        }
    }

    fn read_styles(&mut self, document: &Document) {
        for at in starts(document, 0, document.tokens().len()).filter(|at| document.local(*at) == "style") {
            let id = document.attribute(at, "styleId").unwrap_or_default();
            let mut style = Style::default();
            for inner in starts(document, at + 1, document.end(at)) {
                match document.local(inner) {
                    "basedOn" => style.based_on = document.attribute(inner, "val"),
                    "numId" => style.num = document.attribute(inner, "val"),
                    "ilvl" => style.level = document.attribute(inner, "val"),
                    "ind" => {
                        let tag = document.slice(document.tokens()[inner].span.clone());
                        style.indent = Some(tag.to_owned());
                    }
                    _ => {}
                }
            }
            self.styles.insert(id, style);
        }
    }

    /// The list with the levels: the list itself, or the one of the style that it links to.
    fn levels(&self, list: &str) -> Option<&List> {
        let found = self.lists.get(list)?;
        match &found.style_link {
            None => Some(found),
            Some(style) => {
                let num = self.styles.get(style)?.num.as_ref()?;
                self.lists.get(&self.nums.get(num)?.list)
            }
        }
    }
}

fn read_level(document: &Document, at: usize) -> Level {
    let mut level = Level { counts: true, ..Level::default() };
    for child in children(document, at) {
        let value = || document.attribute(child, "val");
        match document.local(child) {
            "start" => level.start = value(),
            "numFmt" => level.counts = !matches!(value().as_deref(), Some("bullet" | "none")),
            "pStyle" => level.style = value(),
            _ => {}
        }
    }
    level
}

impl<'n> LetterLists<'n> {
    pub(super) fn new(numbering: &'n mut Numbering) -> LetterLists<'n> {
        LetterLists { numbering, renewed: BTreeMap::new(), begun: BTreeSet::new(), added: String::new() }
    }

    /// Returns the number of the numbering that stands for `num` in this letter.
    pub(super) fn renewed(&mut self, num: &str) -> String {
        if let Some(new) = self.renewed.get(num) {
            return new.clone();
        }
        let new = self.renew(num).unwrap_or_else(|| num.to_owned());
        self.renewed.insert(num.to_owned(), new.clone());
        new
    }

    fn renew(&mut self, id: &str) -> Option<String> {
        let num = self.numbering.nums.get(id)?;
        let list = self.numbering.levels(&num.list)?;
        if !list.levels.values().any(|level| level.counts) {
            return None;
        }
        // All numberings of one list count together: the first of a letter begins it anew, the others go on, but for
        // those that begin anew by themselves.
        let is_first = self.begun.insert(num.list.clone());
        if !is_first && num.overrides.values().all(|(start, _)| start.is_none()) {
            return None;
        }
        let w = &self.numbering.prefix;
        let new = self.numbering.next;
        let mut xml = format!("<{w}num {w}numId=\"{new}\"><{w}abstractNumId {w}val=\"{}\"/>", num.list);
        let mut levels: BTreeSet<&String> = num.overrides.keys().collect();
        if is_first {
            levels.extend(list.levels.keys());
        }
        for level in levels {
            let (start, rest) = match num.overrides.get(level) {
                Some((start, rest)) => (start.clone(), rest.as_str()),
                None => (None, ""),
            };
            let start = start.or_else(|| {
                // Left out, a level starts at 0 (ECMA-376 Part 1 §17.9.25 start).
                let own = || list.levels.get(level).and_then(|level| level.start.clone());
                is_first.then(|| own().unwrap_or_else(|| "0".to_owned()))
            });
            let start = start.map(|start| format!("<{w}startOverride {w}val=\"{start}\"/>"));
            xml += &format!(
                "<{w}lvlOverride {w}ilvl=\"{level}\">{}{rest}</{w}lvlOverride>",
                start.unwrap_or_default()
            );
        }
        xml += &format!("</{w}num>");
        self.numbering.next += 1;
        self.added += &xml;
        Some(new.to_string())
    }

    /// Returns what a paragraph's properties need, so that the numbering of its style begins anew in this letter: where
    /// it goes, in bytes of the part, and the elements.
    pub(super) fn of_style(&mut self, document: &Document, properties: usize) -> Vec<(usize, String)> {
        let (mut style, mut has_indent, mut place) = (None, None, document.tokens()[properties].span.end);
        for child in children(document, properties) {
            match document.local(child) {
                "numPr" => return Vec::new(),
                "pStyle" => style = document.attribute(child, "val"),
                "ind" => has_indent = Some(child),
                _ => {}
            }
            let comes_before =
                ["pStyle", "keepNext", "keepLines", "pageBreakBefore", "framePr", "widowControl"];
            if comes_before.contains(&document.local(child)) {
                place = document.subtree(child).end;
            }
        }
        let Some((num, level, indent)) = style.and_then(|style| self.style(&style)) else {
            return Vec::new();
        };
        let new = self.renewed(&num);
        if new == num {
            return Vec::new();
        }
        let w = document.prefix(properties);
        let mut added = vec![(
            place,
            format!("<{w}numPr><{w}ilvl {w}val=\"{level}\"/><{w}numId {w}val=\"{new}\"/></{w}numPr>"),
        )];
        // A numbering of the paragraph brings its indents along; one of the style gives way to the style's.
        if let (None, Some(indent)) = (has_indent, indent) {
            let after = [
                "spacing",
                "tabs",
                "shd",
                "pBdr",
                "suppressLineNumbers",
                "suppressAutoHyphens",
                "kinsoku",
                "wordWrap",
                "overflowPunct",
                "topLinePunct",
                "autoSpaceDE",
                "autoSpaceDN",
                "bidi",
                "adjustRightInd",
                "snapToGrid",
            ];
            let behind = children(document, properties)
                .filter(|child| after.contains(&document.local(*child)))
                .last()
                .map_or(place, |child| document.subtree(child).end);
            added.push((behind, indent));
        }
        added
    }

    /// The numbering of a style or of those it is based on, with its level and the indents that win over it.
    fn style(&self, id: &str) -> Option<(String, String, Option<String>)> {
        let mut next = Some(id.to_owned());
        let (mut level, mut indent) = (None, None);
        // A style may not be based on itself, but a broken document may say so.
        for _ in 0..20 {
            let id = next?;
            let style = self.numbering.styles.get(&id)?;
            level = level.or_else(|| style.level.clone());
            indent = indent.or_else(|| style.indent.clone());
            if let Some(num) = &style.num {
                let list = self.numbering.nums.get(num).and_then(|num| self.numbering.levels(&num.list));
                let linked = list.and_then(|list| {
                    list.levels
                        .iter()
                        .find(|(_, level)| level.style.as_ref() == Some(&id))
                        .map(|(at, _)| at.clone())
                });
                let level = linked.or(level).unwrap_or_else(|| "0".to_owned());
                return Some((num.clone(), level, indent));
            }
            next = style.based_on.clone();
        }
        None
    }
}

/// Where the new `w:num` elements go: behind the last one.
pub(super) fn place_of_nums(document: &Document) -> usize {
    let last = starts(document, 0, document.tokens().len())
        .filter(|at| matches!(document.local(*at), "num" | "abstractNum" | "numPicBullet"))
        .filter(|at| document.tokens()[*at].element == Element::Other)
        .last();
    last.map_or(document.source().len(), |at| document.subtree(at).end)
}

/// The elements that begin between two tokens.
fn starts(document: &Document, from: usize, to: usize) -> impl Iterator<Item = usize> + '_ {
    (from..to).filter(|at| document.tokens()[*at].is_start())
}

/// The elements directly in another.
pub(super) fn children(document: &Document, parent: usize) -> impl Iterator<Item = usize> + '_ {
    let end = document.end(parent);
    let mut at = parent + 1;
    std::iter::from_fn(move || {
        while at < end {
            let child = at;
            at = document.end(child) + 1;
            if document.tokens()[child].is_start() {
                return Some(child);
            }
        }
        None
    })
}
