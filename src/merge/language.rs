//! Owns the language of a run: its own, that of its styles, that of the document.

use std::collections::BTreeMap;

use super::story::{Story, What};
use super::xml::{Document, Element};

/// What a document says about the languages of its text, and which of them fields use.
#[derive(Debug)]
pub(crate) struct Languages {
    /// By the id of a style: its language and the style that it is based on.
    styles: BTreeMap<String, (Option<String>, Option<String>)>,
    /// The style of paragraphs that name none.
    default_style: Option<String>,
    /// `w:docDefaults`.
    defaults: Option<String>,
    /// `w:themeFontLang` of the settings.
    pub(crate) theme: Option<String>,
    used: Vec<String>,
}

impl Default for Languages {
    fn default() -> Languages {
        Languages {
            styles: BTreeMap::new(),
            default_style: None,
            defaults: None,
            theme: None,
            used: vec![String::new()],
        }
    }
}

impl Languages {
    /// Reads the styles part.
    pub(crate) fn read_styles(&mut self, styles: &Document) {
        let mut at = 0;
        while at < styles.tokens().len() {
            if !styles.tokens()[at].is_start() {
                at += 1;
                continue;
            }
            match styles.local(at) {
                "docDefaults" => {
                    self.defaults = language_in(styles, at);
                    at = styles.end(at);
                }
                "style" => {
                    let id = styles.attribute(at, "styleId").unwrap_or_default();
                    let is_default = matches!(styles.attribute(at, "default").as_deref(), Some("1" | "true"));
                    if is_default && styles.attribute(at, "type").as_deref() == Some("paragraph") {
                        self.default_style = Some(id.clone());
                    }
                    let base = value_of(styles, at, "basedOn");
                    self.styles.insert(id, (language_in(styles, at), base));
                    at = styles.end(at);
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// Returns the number of the language of a run, at an atom of its paragraph.
    pub(crate) fn of_run(&mut self, story: &Story, run: Option<usize>, atom: usize) -> usize {
        let properties = run.and_then(|run| story.runs.get(run)).map(|run| {
            let source = story.document.slice(run.properties.clone());
            (attribute_in(source, "lang"), attribute_in(source, "rStyle"))
        });
        let (own, style) = properties.unwrap_or_default();
        let language = own
            .or_else(|| self.of_style(style.as_deref()))
            .or_else(|| self.of_style(paragraph_style(story, atom).or(self.default_style.clone()).as_deref()))
            .or_else(|| self.defaults.clone())
            .or_else(|| self.theme.clone())
            .unwrap_or_default();
        if let Some(number) = self.used.iter().position(|used| *used == language) {
            return number;
        }
        self.used.push(language);
        self.used.len() - 1
    }

    /// Returns the languages that fields use, by their numbers.
    pub(crate) fn used(&self) -> &[String] {
        &self.used
    }

    fn of_style(&self, id: Option<&str>) -> Option<String> {
        let mut id = id?.to_owned();
        // Styles of a damaged document may be based on each other.
        for _ in 0..self.styles.len() {
            let (language, base) = self.styles.get(&id)?;
            if language.is_some() {
                return language.clone();
            }
            id = base.clone()?;
        }
        None
    }
}

fn language_in(document: &Document, position: usize) -> Option<String> {
    value_of(document, position, "lang")
}

fn value_of(document: &Document, position: usize, name: &str) -> Option<String> {
    (position..document.end(position))
        .filter(|at| document.tokens()[*at].is_start() && document.local(*at) == name)
        .find_map(|at| document.attribute(at, "val"))
}

fn paragraph_style(story: &Story, atom: usize) -> Option<String> {
    let paragraph = std::iter::successors(story.atoms[atom].parent, |it| story.atoms[*it].parent)
        .find(|it| matches!(story.opened(*it), Some((Element::Paragraph, _))))?;
    match &story.atoms.get(paragraph + 1)?.what {
        What::Raw { element: Element::ParagraphProperties, span, .. } => {
            attribute_in(story.document.slice(span.clone()), "pStyle")
        }
        _ => None,
    }
}

/// The `val` of the first element of this name in a short stretch of XML.
fn attribute_in(source: &str, name: &str) -> Option<String> {
    let at = source.find(&format!(":{name} "))?;
    let tag = &source[at..at + source[at..].find('>')?];
    let value = tag.find("val=").map(|at| &tag[at + 4..])?;
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    value[1..].split(quote).next().map(str::to_owned)
}
