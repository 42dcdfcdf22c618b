//! Owns sections: what the properties of a letter's sections become where another letter stands before it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::xml::Document;
use super::ids::{attributes, local_name};
use super::lists::children;
use super::reference;

/// The order of the properties (ECMA-376 Part 1 §17.6.17 sectPr); what is not listed comes last.
const ORDER: [&str; 12] = [
    "headerReference",
    "footerReference",
    "footnotePr",
    "endnotePr",
    "type",
    "pgSz",
    "pgMar",
    "paperSrc",
    "pgBorders",
    "lnNumType",
    "pgNumType",
    "cols",
];

/// A header or footer of a section: whether `headerReference` or `footerReference`, and its `w:type`.
pub(super) type Slot = (&'static str, String);

/// What a section has to become.
#[derive(Debug)]
pub(super) struct Change<'c> {
    /// The relationships of the letter that have another id in the combined document.
    pub(super) relationships: &'c BTreeMap<String, String>,
    /// Whether another letter stands before the section.
    pub(super) begins_letter: bool,
    /// Whether another section of the letter follows.
    pub(super) goes_on: bool,
    /// What the section would inherit from the letter before: each with the relationship to an empty one.
    pub(super) blanks: Vec<(Slot, String)>,
    pub(super) notes: &'c NoteSettings,
    pub(super) has_footnotes: bool,
    pub(super) has_endnotes: bool,
}

/// What the settings say about notes: the children of `w:footnotePr` and `w:endnotePr` that a section can have too.
#[derive(Debug, Default)]
pub(super) struct NoteSettings {
    footnotes: String,
    endnotes: String,
}

/// The properties of a section, child by child.
#[derive(Debug)]
struct Properties<'d> {
    prefix: &'d str,
    open: &'d str,
    children: Vec<(String, String)>,
}

impl NoteSettings {
    pub(super) fn read(settings: &Document) -> NoteSettings {
        let mut found = NoteSettings::default();
        for at in (0..settings.tokens().len()).filter(|at| settings.tokens()[*at].is_start()) {
            let into = match settings.local(at) {
                "footnotePr" => &mut found.footnotes,
                "endnotePr" => &mut found.endnotes,
                _ => continue,
            };
            for child in children(settings, at) {
                if matches!(settings.local(child), "pos" | "numFmt" | "numStart") {
                    into.push_str(settings.slice(settings.subtree(child)));
                }
            }
        }
        found
    }
}

/// Returns the headers and footers that a section has of its own.
pub(super) fn slots(document: &Document, section: usize) -> BTreeSet<Slot> {
    let slot = |child| {
        let kind = match document.local(child) {
            "headerReference" => "headerReference",
            "footerReference" => "footerReference",
            _ => return None,
        };
        Some((kind, document.attribute(child, "type").unwrap_or_else(|| "default".to_owned())))
    };
    children(document, section).filter_map(slot).collect()
}

/// Returns a section's properties as they have to be in the combined document.
pub(super) fn changed(document: &Document, section: usize, change: &Change<'_>) -> String {
    let mut properties = Properties::read(document, section);
    properties.relate(change.relationships);
    let w = properties.prefix.to_owned();
    if change.goes_on && change.has_endnotes && !properties.has("noEndnote") {
        // Endnotes are at the end of the letter, not of each of its sections.
        properties.insert_before_last("noEndnote", format!("<{w}noEndnote/>"));
    }
    if !change.begins_letter {
        return properties.text();
    }
    // A tracked change of the section would tell what was before in another document.
    properties.children.retain(|(local, _)| local != "sectPrChange");
    for ((kind, which), id) in &change.blanks {
        let r = "xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"";
        let r = match document.source().contains("http://purl.oclc.org/ooxml/officeDocument/relationships") {
            true => r.replace(
                "schemas.openxmlformats.org/officeDocument/2006",
                "purl.oclc.org/ooxml/officeDocument",
            ),
            false => r.to_owned(),
        };
        properties.insert(kind, format!("<{w}{kind} {r} {w}type=\"{which}\" r:id=\"{id}\"/>"));
    }
    for (kind, has, settings) in [
        ("footnotePr", change.has_footnotes, &change.notes.footnotes),
        ("endnotePr", change.has_endnotes, &change.notes.endnotes),
    ] {
        if has {
            properties.restart_notes(kind, settings);
        }
    }
    if matches!(properties.value("type").as_deref(), Some("continuous" | "nextColumn")) {
        properties.children.retain(|(local, _)| local != "type");
        properties.insert("type", format!("<{w}type {w}val=\"nextPage\"/>"));
    }
    properties.give("pgNumType", "start", "1");
    if properties.attribute("lnNumType", "restart").as_deref() == Some("continuous") {
        properties.set("lnNumType", "restart", "newSection");
    }
    properties.text()
}

impl<'d> Properties<'d> {
    fn read(document: &'d Document, section: usize) -> Properties<'d> {
        let open = document.slice(document.tokens()[section].span.clone());
        let child = |at| (document.local(at).to_owned(), document.slice(document.subtree(at)).to_owned());
        Properties {
            prefix: document.prefix(section),
            open: open.trim_end_matches('>').trim_end_matches('/'),
            children: children(document, section).map(child).collect(),
        }
    }

    fn has(&self, local: &str) -> bool {
        self.children.iter().any(|(it, _)| it == local)
    }

    fn relate(&mut self, relationships: &BTreeMap<String, String>) {
        for (local, xml) in &mut self.children {
            if !matches!(local.as_str(), "headerReference" | "footerReference" | "printerSettings") {
                continue;
            }
            let id =
                attributes(xml).into_iter().find(|(name, _)| local_name(name) == "id").map(|(_, span)| span);
            if let Some(span) = id
                && let Some(new) = relationships.get(&xml[span.clone()])
            {
                xml.replace_range(span, new);
            }
        }
    }

    fn insert(&mut self, local: &str, xml: String) {
        let rank = |local: &str| match ORDER.iter().position(|it| *it == local) {
            // Headers and footers come in any order.
            Some(0 | 1) => 0,
            Some(rank) => rank,
            None => ORDER.len(),
        };
        let at =
            self.children.iter().position(|(it, _)| rank(it) > rank(local)).unwrap_or(self.children.len());
        self.children.insert(at, (local.to_owned(), xml));
    }

    /// `noEndnote` comes behind `vAlign` and before `titlePg` and what follows.
    fn insert_before_last(&mut self, local: &str, xml: String) {
        let after =
            ["titlePg", "textDirection", "bidi", "rtlGutter", "docGrid", "printerSettings", "sectPrChange"];
        let at = self.children.iter().position(|(it, _)| after.contains(&it.as_str()));
        self.children.insert(at.unwrap_or(self.children.len()), (local.to_owned(), xml));
    }

    fn value(&self, local: &str) -> Option<String> {
        self.attribute(local, "val")
    }

    fn attribute(&self, local: &str, name: &str) -> Option<String> {
        let (_, xml) = self.children.iter().find(|(it, _)| it == local)?;
        let (_, span) = attributes(first_tag(xml)).into_iter().find(|(it, _)| local_name(it) == name)?;
        Some(xml[span].to_owned())
    }

    /// Gives a property an attribute unless it has it.
    fn give(&mut self, local: &str, name: &str, value: &str) {
        if self.attribute(local, name).is_some() {
            return;
        }
        let w = self.prefix;
        match self.children.iter_mut().find(|(it, _)| it == local) {
            Some((_, xml)) => {
                let end = xml.find(['/', '>']).unwrap_or(xml.len());
                xml.insert_str(end, &format!(" {w}{name}=\"{value}\""));
            }
            None => self.insert(local, format!("<{w}{local} {w}{name}=\"{value}\"/>")),
        }
    }

    fn set(&mut self, local: &str, name: &str, value: &str) {
        if let Some((_, xml)) = self.children.iter_mut().find(|(it, _)| it == local)
            && let Some((_, span)) = attributes(xml).into_iter().find(|(it, _)| local_name(it) == name)
        {
            xml.replace_range(span, value);
        }
    }

    /// Lets notes count from their start again, unless the section says when they do.
    fn restart_notes(&mut self, local: &str, settings: &str) {
        let w = self.prefix;
        let restart = format!("<{w}numRestart {w}val=\"eachSect\"/>");
        match self.children.iter_mut().find(|(it, _)| it == local) {
            Some((_, xml)) if xml.contains("numRestart ") => {}
            Some((_, xml)) => {
                let name = format!("{w}{local}");
                *xml = match xml.rfind("</") {
                    Some(end) => format!("{}{restart}{}", &xml[..end], &xml[end..]),
                    None => format!("<{name}>{restart}</{name}>"),
                };
            }
            None => self.insert(local, format!("<{w}{local}>{settings}{restart}</{w}{local}>")),
        }
    }

    fn text(&self) -> String {
        let w = self.prefix;
        let content: String = self.children.iter().map(|(_, xml)| xml.as_str()).collect();
        format!("{}>{content}</{w}sectPr>", self.open)
    }
}

fn first_tag(xml: &str) -> &str {
    &xml[..xml.find('>').map_or(xml.len(), |end| end + 1)]
}

/// The settings, with endnotes at the end of sections: at the end of the document they would be those of all letters.
pub(super) fn with_endnotes_per_section(settings: &Document) -> String {
    let mut edits = Vec::new();
    for at in (0..settings.tokens().len()).filter(|at| settings.tokens()[*at].is_start()) {
        if settings.local(at) != "endnotePr" {
            continue;
        }
        let w = settings.prefix(at);
        let position = format!("<{w}pos {w}val=\"sectEnd\"/>");
        match children(settings, at).find(|child| settings.local(*child) == "pos") {
            Some(own) => edits.push((settings.subtree(own), position)),
            None if settings.end(at) > at => {
                let start = settings.tokens()[at].span.end;
                edits.push((start..start, position));
            }
            None => edits.push((settings.subtree(at), format!("<{w}endnotePr>{position}</{w}endnotePr>"))),
        }
    }
    reference::apply(settings.source(), &edits)
}
