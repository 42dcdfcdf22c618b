//! Owns how a document's text looks: styles with what they are based on, and the numbering of its lists.

use std::collections::HashMap;

use super::xml::{Element, Space};

/// How many styles deep one may be based on another.
const BASED_ON_LIMIT: usize = 32;

/// What a run looks like, as far as an e-mail shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::delivery) struct Look {
    pub(in crate::delivery) bold: bool,
    pub(in crate::delivery) italic: bool,
    pub(in crate::delivery) underline: bool,
    pub(in crate::delivery) strike: bool,
    pub(in crate::delivery) caps: bool,
    pub(in crate::delivery) hidden: bool,
    /// Six hexadecimal digits; `None` is the reader's own color.
    pub(in crate::delivery) color: Option<String>,
    pub(in crate::delivery) size_half_points: Option<u16>,
    pub(in crate::delivery) raised: Raised,
}

/// Where a run stands on its line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::delivery) enum Raised {
    #[default]
    No,
    Above,
    Below,
}

impl Look {
    /// Puts the run properties `w:rPr` over this look.
    pub(super) fn overlay(&mut self, properties: &Element) {
        let toggle = |name: &str, current: bool| properties.toggle(name).unwrap_or(current);
        self.bold = toggle("b", self.bold);
        self.italic = toggle("i", self.italic);
        self.strike = toggle("strike", self.strike) || toggle("dstrike", false);
        self.caps = toggle("caps", self.caps);
        self.hidden = toggle("vanish", self.hidden);
        if let Some(underline) = properties.value("u") {
            self.underline = underline != "none";
        }
        if let Some(color) = properties.value("color") {
            let is_color = color.len() == 6 && color.bytes().all(|byte| byte.is_ascii_hexdigit());
            self.color = (is_color && color != "000000").then(|| color.to_ascii_lowercase());
        }
        if let Some(size) = properties.value("sz").and_then(|size| size.parse().ok()) {
            self.size_half_points = Some(size);
        }
        match properties.value("vertAlign") {
            Some("superscript") => self.raised = Raised::Above,
            Some("subscript") => self.raised = Raised::Below,
            Some(_) => self.raised = Raised::No,
            None => {}
        }
    }
}

/// Where the lines of a paragraph stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::delivery) enum Alignment {
    Start,
    Center,
    End,
    Justify,
}

/// What a paragraph's style says.
#[derive(Clone, Debug, Default)]
pub(super) struct ParagraphStyle {
    pub(super) look: Look,
    pub(super) heading: Option<u8>,
    pub(super) alignment: Option<Alignment>,
    pub(super) number: Option<String>,
    pub(super) level: u8,
}

impl ParagraphStyle {
    /// Puts the paragraph properties `w:pPr` over this style.
    pub(super) fn overlay(&mut self, properties: &Element) {
        if let Some(level) = properties.value("outlineLvl").and_then(|level| level.parse::<u8>().ok()) {
            self.heading = (level < 9).then(|| (level + 1).min(6));
        }
        match properties.value("jc") {
            Some("center") => self.alignment = Some(Alignment::Center),
            Some("right" | "end") => self.alignment = Some(Alignment::End),
            Some("both" | "distribute") => self.alignment = Some(Alignment::Justify),
            Some(_) => self.alignment = Some(Alignment::Start),
            None => {}
        }
        if let Some(numbering) = properties.child(Space::W, "numPr") {
            if let Some(number) = numbering.value("numId") {
                self.number = (number != "0").then(|| number.to_owned());
            }
            if let Some(level) = numbering.value("ilvl").and_then(|level| level.parse::<u8>().ok()) {
                self.level = level.min(8);
            }
        }
    }
}

/// The styles of a document.
#[derive(Debug, Default)]
pub(super) struct Styles {
    by_id: HashMap<String, Element>,
    default_paragraph: Option<String>,
    defaults: Look,
}

impl Styles {
    /// Takes the root of the styles part.
    pub(super) fn read(root: Element) -> Styles {
        let mut styles = Styles::default();
        let defaults =
            root.child(Space::W, "docDefaults").and_then(|defaults| defaults.find(Space::W, "rPr"));
        if let Some(properties) = defaults {
            styles.defaults.overlay(properties);
        }
        for style in root.children {
            let Some(id) = style.attribute(Space::W, "styleId").map(str::to_owned) else { continue };
            let is_default = matches!(style.attribute(Space::W, "default"), Some("1" | "true" | "on"));
            if is_default && style.attribute(Space::W, "type") == Some("paragraph") {
                styles.default_paragraph = Some(id.clone());
            }
            styles.by_id.insert(id, style);
        }
        styles
    }

    /// Returns what text without any formatting of its own looks like.
    pub(super) fn plain(&self) -> Look {
        self.paragraph(None).look
    }

    /// Returns a paragraph style with all that it is based on; the default style for `None`.
    pub(super) fn paragraph(&self, id: Option<&str>) -> ParagraphStyle {
        let mut resolved = ParagraphStyle { look: self.defaults.clone(), ..ParagraphStyle::default() };
        let Some(id) = id.or(self.default_paragraph.as_deref()) else {
            return resolved;
        };
        for style in self.chain(id) {
            if let Some(properties) = style.child(Space::W, "rPr") {
                resolved.look.overlay(properties);
            }
            if let Some(properties) = style.child(Space::W, "pPr") {
                resolved.overlay(properties);
            }
            let name = style.value("name").unwrap_or_default().to_ascii_lowercase();
            if name == "title" {
                resolved.heading = Some(1);
            } else if let Some(level) =
                name.strip_prefix("heading ").and_then(|level| level.parse::<u8>().ok())
            {
                resolved.heading = Some(level.clamp(1, 6));
            }
        }
        resolved
    }

    /// Puts a character style, with all that it is based on, over a look.
    pub(super) fn overlay_character(&self, id: &str, look: &mut Look) {
        for style in self.chain(id) {
            if let Some(properties) = style.child(Space::W, "rPr") {
                look.overlay(properties);
            }
        }
    }

    /// Tells whether a table style draws lines.
    pub(super) fn table_has_borders(&self, id: &str) -> bool {
        self.chain(id).iter().filter_map(|style| style.child(Space::W, "tblPr")).any(has_borders)
    }

    /// Returns a style after those that it is based on.
    fn chain(&self, id: &str) -> Vec<&Element> {
        let mut chain = Vec::new();
        let mut next = Some(id);
        while let Some(style) = next.and_then(|id| self.by_id.get(id)) {
            if chain.len() == BASED_ON_LIMIT {
                break;
            }
            chain.push(style);
            next = style.value("basedOn");
        }
        chain.reverse();
        chain
    }
}

/// Tells whether table properties draw lines.
pub(super) fn has_borders(properties: &Element) -> bool {
    properties.child(Space::W, "tblBorders").is_some_and(|borders| {
        let drawn = |side: &Element| !matches!(side.attribute(Space::W, "val"), None | Some("nil" | "none"));
        borders.children.iter().any(drawn)
    })
}

/// How the items of a list are marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::delivery) enum Marker {
    Bullet,
    Decimal,
    LowerLetter,
    UpperLetter,
    LowerRoman,
    UpperRoman,
}

/// The lists of a document.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    /// From `w:numId` to the marker and the first number of each level.
    levels: HashMap<String, [(Marker, u32); 9]>,
}

impl Numbering {
    /// Takes the root of the numbering part.
    pub(super) fn read(root: &Element) -> Numbering {
        let mut abstracts: HashMap<&str, [(Marker, u32); 9]> = HashMap::new();
        let mut numbering = Numbering::default();
        for child in &root.children {
            if child.is(Space::W, "abstractNum") {
                let mut levels = [(Marker::Decimal, 1); 9];
                read_levels(child, &mut levels);
                abstracts.insert(child.attribute(Space::W, "abstractNumId").unwrap_or_default(), levels);
            } else if child.is(Space::W, "num") {
                let Some(id) = child.attribute(Space::W, "numId") else { continue };
                let of = child.value("abstractNumId").unwrap_or_default();
                let mut levels = abstracts.get(of).copied().unwrap_or([(Marker::Decimal, 1); 9]);
                for change in child.children.iter().filter(|change| change.is(Space::W, "lvlOverride")) {
                    read_levels(change, &mut levels);
                    let level =
                        change.attribute(Space::W, "ilvl").and_then(|level| level.parse::<usize>().ok());
                    let start = change.value("startOverride").and_then(|start| start.parse().ok());
                    if let (Some(start), Some(entry)) = (start, level.and_then(|level| levels.get_mut(level)))
                    {
                        entry.1 = start;
                    }
                }
                numbering.levels.insert(id.to_owned(), levels);
            }
        }
        numbering
    }

    /// Returns the marker and the first number of a list's level; `None` if there is no such list.
    pub(super) fn level(&self, number: &str, level: u8) -> Option<(Marker, u32)> {
        self.levels.get(number)?.get(usize::from(level)).copied()
    }
}

fn read_levels(parent: &Element, levels: &mut [(Marker, u32); 9]) {
    for level in parent.children.iter().filter(|child| child.is(Space::W, "lvl")) {
        let index = level.attribute(Space::W, "ilvl").and_then(|index| index.parse::<usize>().ok());
        let Some(entry) = index.and_then(|index| levels.get_mut(index)) else { continue };
        let marker = match level.value("numFmt") {
            Some("bullet" | "none") => Marker::Bullet,
            Some("lowerLetter") => Marker::LowerLetter,
            Some("upperLetter") => Marker::UpperLetter,
            Some("lowerRoman") => Marker::LowerRoman,
            Some("upperRoman") => Marker::UpperRoman,
            _ => Marker::Decimal,
        };
        *entry = (marker, level.value("start").and_then(|start| start.parse().ok()).unwrap_or(1));
    }
}
