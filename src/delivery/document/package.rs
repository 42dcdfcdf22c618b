//! Owns the parts of a .docx that are shown, found by their relationships. Fails on an archive that is none, and on
//! parts beyond the limits.

use std::collections::HashMap;
use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::xml::{self, Element, Space, XmlError};

/// The largest part that is inflated, whatever the archive says about its size.
const PART_LIMIT_BYTES: u64 = 64 << 20;

/// Why a document cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The bytes are no zip archive.
    #[error("the document is no zip archive")]
    NotAnArchive(#[source] zip::result::ZipError),
    /// A part is missing or cannot be read.
    #[error("part `{part}` cannot be read")]
    Part {
        /// Its name in the archive.
        part: String,
        /// What is wrong.
        #[source]
        source: std::io::Error,
    },
    /// A part is larger than any letter.
    #[error("part `{part}` is larger than {} MiB", PART_LIMIT_BYTES >> 20)]
    TooLarge {
        /// Its name in the archive.
        part: String,
    },
    /// A part is no usable XML.
    #[error("part `{part}` is no usable XML")]
    Xml {
        /// Its name in the archive.
        part: String,
        /// What is wrong.
        #[source]
        source: XmlError,
    },
    /// No relationship leads to the document's text.
    #[error("the archive is no Word document: no relationship leads to its text")]
    NoDocument,
}

/// An open package.
pub(super) struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    /// The name of the main part.
    pub(super) document: String,
}

/// Where a part leads to.
#[derive(Clone, Debug)]
pub(super) struct Relationship {
    /// The last step of its type: `image`, `hyperlink`, `styles`, …
    pub(super) kind: String,
    /// A part's name in the archive, or an address outside.
    pub(super) target: String,
    pub(super) is_external: bool,
}

impl<'a> Package<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Package<'a>, DocumentError> {
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(DocumentError::NotAnArchive)?;
        let mut package = Package { archive, document: String::new() };
        let roots = package.relationships("")?;
        let mut targets =
            roots.into_values().filter(|root| root.kind == "officeDocument" && !root.is_external);
        package.document = targets.next().ok_or(DocumentError::NoDocument)?.target;
        Ok(package)
    }

    /// Returns a part's content.
    pub(super) fn bytes(&mut self, part: &str) -> Result<Vec<u8>, DocumentError> {
        let failed = |source| DocumentError::Part { part: part.to_owned(), source };
        let file = self.archive.by_name(part).map_err(|error| failed(error.into()))?;
        let mut bytes = Vec::new();
        file.take(PART_LIMIT_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > PART_LIMIT_BYTES {
            return Err(DocumentError::TooLarge { part: part.to_owned() });
        }
        Ok(bytes)
    }

    /// Returns a part's root element.
    pub(super) fn xml(&mut self, part: &str) -> Result<Element, DocumentError> {
        let bytes = self.bytes(part)?;
        xml::parse(&bytes).map_err(|source| DocumentError::Xml { part: part.to_owned(), source })
    }

    /// Returns where a part leads to, by relationship id; nothing if it has no relationships. `""` is the package.
    ///
    /// Source: ECMA-376 Part 2 (Open Packaging Conventions), Relationships.
    pub(super) fn relationships(
        &mut self,
        part: &str,
    ) -> Result<HashMap<String, Relationship>, DocumentError> {
        let (folder, name) = part.rsplit_once('/').unwrap_or(("", part));
        let separator = if folder.is_empty() { "" } else { "/" };
        let rels = format!("{folder}{separator}_rels/{name}.rels");
        if self.archive.index_for_name(&rels).is_none() {
            return Ok(HashMap::new());
        }
        let root = self.xml(&rels)?;
        let mut relationships = HashMap::new();
        for child in root.children.iter().filter(|child| child.is(Space::Rels, "Relationship")) {
            let attribute = |name| child.attribute(Space::None, name).unwrap_or_default();
            let is_external = attribute("TargetMode") == "External";
            let target = attribute("Target");
            let relationship = Relationship {
                kind: attribute("Type").rsplit('/').next().unwrap_or_default().to_owned(),
                target: if is_external { target.to_owned() } else { resolve(folder, target) },
                is_external,
            };
            relationships.insert(attribute("Id").to_owned(), relationship);
        }
        Ok(relationships)
    }
}

/// Resolves a target against the folder of the part that names it.
fn resolve(folder: &str, target: &str) -> String {
    let path = match target.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None => format!("{folder}/{target}"),
    };
    let mut steps = Vec::new();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            _ => steps.push(step),
        }
    }
    steps.join("/")
}
