//! Owns the content types of a package, with the changes that letters need.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::package::{CONTENT_TYPES, Package, PackageError};
use super::super::xml::{Document, escape_into};
use super::TemplateError;
use super::patch::{parse, root_prefix, without};

/// The content types of a package (ECMA-376 Part 2, `[Content_Types].xml`), with the changes that letters need.
pub(super) struct ContentTypes {
    document: Document,
    defaults: BTreeMap<String, String>,
    /// By part name in lower case, with the leading slash.
    overrides: BTreeMap<String, (String, Range<usize>)>,
    removed: Vec<Range<usize>>,
    added: Vec<(String, String)>,
    added_defaults: Vec<(&'static str, &'static str)>,
}

impl ContentTypes {
    /// Reads them.
    pub(super) fn read(package: &Package<'_>) -> Result<ContentTypes, TemplateError> {
        let content = package.read(CONTENT_TYPES)?;
        let content = content.ok_or_else(|| PackageError::Missing { part: CONTENT_TYPES.to_owned() })?;
        let document = parse(CONTENT_TYPES, content)?;
        let (mut defaults, mut overrides) = (BTreeMap::new(), BTreeMap::new());
        for at in (0..document.tokens().len()).filter(|at| document.tokens()[*at].is_start()) {
            let attribute = |name| document.attribute(at, name).unwrap_or_default();
            match document.local(at) {
                "Default" => {
                    defaults.insert(attribute("Extension").to_ascii_lowercase(), attribute("ContentType"));
                }
                "Override" => {
                    let value = (attribute("ContentType"), document.subtree(at));
                    overrides.insert(attribute("PartName").to_ascii_lowercase(), value);
                }
                _ => {}
            }
        }
        Ok(ContentTypes {
            document,
            defaults,
            overrides,
            removed: Vec::new(),
            added: Vec::new(),
            added_defaults: Vec::new(),
        })
    }

    /// Returns the content type of a part.
    pub(super) fn of(&self, part: &str) -> Option<String> {
        let name = format!("/{}", part.to_ascii_lowercase());
        match self.overrides.get(&name) {
            Some((content_type, _)) => Some(content_type.clone()),
            None => self.defaults.get(name.rsplit('.').next().unwrap_or_default()).cloned(),
        }
    }

    /// Gives a part a content type.
    pub(super) fn set(&mut self, part: &str, content_type: &str) {
        if self.of(part).as_deref() != Some(content_type) {
            self.remove(part);
            self.added.push((part.to_owned(), content_type.to_owned()));
        }
    }

    /// Gives all files with an ending a content type, unless they have one.
    pub(super) fn set_default(&mut self, extension: &'static str, content_type: &'static str) {
        if !self.defaults.contains_key(extension) {
            self.added_defaults.push((extension, content_type));
        }
    }

    /// Forgets a part.
    pub(super) fn remove(&mut self, part: &str) {
        if let Some((_, span)) = self.overrides.remove(&format!("/{}", part.to_ascii_lowercase())) {
            self.removed.push(span);
        }
    }

    /// The new text, if anything changed.
    pub(super) fn text(mut self) -> Option<String> {
        if self.removed.is_empty() && self.added.is_empty() && self.added_defaults.is_empty() {
            return None;
        }
        self.removed.sort_by_key(|span| span.start);
        let prefix = root_prefix(&self.document);
        let mut text = without(&self.document, &self.removed);
        for (extension, content_type) in &self.added_defaults {
            let element =
                format!("<{prefix}Default Extension=\"{extension}\" ContentType=\"{content_type}\"/>");
            let at = text.rfind("</").unwrap_or(text.len());
            text.insert_str(at, &element);
        }
        for (part, content_type) in &self.added {
            let mut name = Vec::new();
            escape_into(part, &mut name);
            let name = String::from_utf8_lossy(&name).into_owned();
            let element = format!("<{prefix}Override PartName=\"/{name}\" ContentType=\"{content_type}\"/>");
            let at = text.rfind("</").unwrap_or(text.len());
            text.insert_str(at, &element);
        }
        Some(text)
    }
}
