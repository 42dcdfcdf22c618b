//! Owns the text of a Word document as a reader of ours sees it, independent of the merge: by part and paragraph.

use std::collections::BTreeMap;

use quick_xml::events::Event;
use quick_xml::reader::Reader;

use super::docx;

/// One paragraph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Paragraph {
    /// What is shown: text and the results of fields; breaks are `⏎`, tabs `→`.
    pub(crate) shown: String,
    /// The stretches of text that no field holds.
    pub(crate) outside: Vec<String>,
}

/// The paragraphs of each part that holds text, by the part's name: the body, headers, footers, notes, comments.
pub(crate) fn paragraphs(bytes: &[u8]) -> BTreeMap<String, Vec<Paragraph>> {
    let is_xml = |name: &String| name.ends_with(".xml") && !name.contains("glossary/");
    let parts = docx::names(bytes).into_iter().filter(is_xml);
    let text = |name: String| {
        // Data that is attached to a document may be in another encoding, and is no text of it.
        let xml = String::from_utf8(docx::read_bytes(bytes, &name)?).ok()?;
        let found = of_part(&xml, &name);
        found.map(|paragraphs| (name, paragraphs))
    };
    parts.filter_map(text).collect()
}

/// The shown texts of one part, blank paragraphs left out.
pub(crate) fn shown(bytes: &[u8], part: &str) -> Vec<String> {
    let parts = paragraphs(bytes);
    let (_, found) = parts
        .iter()
        .find(|(name, _)| name.rsplit('/').next().is_some_and(|file| file.trim_end_matches(".xml") == part))
        .unwrap_or_else(|| panic!("no part {part} among {:?}", parts.keys()));
    found.iter().map(|it| it.shown.clone()).filter(|text| !text.trim().is_empty()).collect()
}

/// Where in a field the reader is.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    Code,
    Result,
    Simple,
}

fn of_part(xml: &str, name: &str) -> Option<Vec<Paragraph>> {
    let mut reader = Reader::from_str(xml);
    let mut paragraphs: Vec<Paragraph> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    // Fields end within their text box, note or comment.
    let mut fields: Vec<Vec<Within>> = vec![Vec::new()];
    let mut is_story = false;
    let (mut in_text, mut in_run) = (false, false);
    loop {
        let event = reader.read_event().unwrap_or_else(|error| panic!("{name} is broken: {error}"));
        let is_empty = matches!(event, Event::Empty(_));
        match &event {
            Event::Start(tag) | Event::Empty(tag) => {
                let tag_name = tag.name();
                let local: &str = tag_name.local_name().into_inner();
                if !is_story {
                    if !matches!(local, "document" | "hdr" | "ftr" | "footnotes" | "endnotes" | "comments") {
                        return None;
                    }
                    is_story = true;
                }
                let mut show = |text: &str| {
                    let stack = fields.last().map(Vec::as_slice).unwrap_or_default();
                    if in_run && !stack.contains(&Within::Code) {
                        add(&mut paragraphs, &open, text, stack.is_empty());
                    }
                };
                match local {
                    "br" | "cr" => show("⏎"),
                    "tab" => show("→"),
                    "noBreakHyphen" => show("\u{2011}"),
                    "p" if is_wordprocessing(tag_name.prefix()) => {
                        paragraphs.push(Paragraph::default());
                        if !is_empty {
                            open.push(paragraphs.len() - 1);
                        }
                    }
                    "r" if !is_empty => in_run = true,
                    "t" if !is_empty => in_text = true,
                    "txbxContent" | "footnote" | "endnote" | "comment" if !is_empty => {
                        fields.push(Vec::new());
                        in_run = false;
                    }
                    "fldSimple" if !is_empty => {
                        divide(&mut paragraphs, &open);
                        fields.iter_mut().last().into_iter().for_each(|stack| stack.push(Within::Simple));
                    }
                    "fldChar" => {
                        let kind = tag.attributes().flatten().find(|it| {
                            let key: &str = it.key.local_name().into_inner();
                            key == "fldCharType"
                        });
                        let kind = kind.map(|it| it.value.to_string()).unwrap_or_default();
                        let stack = fields.last_mut().expect("a part has a text");
                        match kind.as_str() {
                            "begin" => {
                                stack.push(Within::Code);
                                divide(&mut paragraphs, &open);
                            }
                            "separate" => {
                                stack.iter_mut().last().into_iter().for_each(|it| *it = Within::Result);
                            }
                            _ => {
                                stack.pop();
                            }
                        }
                    }
                    _ => {}
                }
            }
            Event::End(tag) => {
                let tag_name = tag.name();
                let local: &str = tag_name.local_name().into_inner();
                match local {
                    "p" if is_wordprocessing(tag_name.prefix()) => {
                        open.pop();
                    }
                    "r" => in_run = false,
                    "t" => in_text = false,
                    "txbxContent" | "footnote" | "endnote" | "comment" => {
                        fields.pop();
                    }
                    "fldSimple" => {
                        fields.iter_mut().last().into_iter().for_each(|stack| {
                            stack.pop();
                        });
                    }
                    _ => {}
                }
            }
            Event::Text(text) if in_text => {
                let stack = fields.last().map(Vec::as_slice).unwrap_or_default();
                if !stack.contains(&Within::Code) {
                    let text: &str = text;
                    add(&mut paragraphs, &open, text, stack.is_empty());
                }
            }
            Event::GeneralRef(reference) if in_text => {
                let stack = fields.last().map(Vec::as_slice).unwrap_or_default();
                let name: &str = reference;
                let text =
                    quick_xml::escape::unescape(&format!("&{name};")).expect("a known entity").into_owned();
                if !stack.contains(&Within::Code) {
                    add(&mut paragraphs, &open, &text, stack.is_empty());
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    is_story.then_some(paragraphs)
}

fn is_wordprocessing(prefix: Option<quick_xml::name::Prefix<'_>>) -> bool {
    prefix.is_none_or(|prefix| {
        let prefix: &str = prefix.into_inner();
        !matches!(prefix, "a" | "m" | "v" | "o")
    })
}

fn add(paragraphs: &mut [Paragraph], open: &[usize], text: &str, is_outside: bool) {
    let Some(paragraph) = open.last().and_then(|at| paragraphs.get_mut(*at)) else { return };
    paragraph.shown.push_str(text);
    if is_outside {
        match paragraph.outside.last_mut() {
            Some(last) => last.push_str(text),
            None => paragraph.outside.push(text.to_owned()),
        }
    }
}

/// Begins another stretch of text: a field stands between it and the last one.
fn divide(paragraphs: &mut [Paragraph], open: &[usize]) {
    if let Some(paragraph) = open.last().and_then(|at| paragraphs.get_mut(*at)) {
        paragraph.outside.push(String::new());
    }
}
