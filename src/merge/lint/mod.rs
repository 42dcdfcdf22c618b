//! Owns the faults that a Word document can have beyond its schema: Word repairs such a file, or shows what it should not.

mod container;
mod part;
#[cfg(test)]
mod tests;

use super::package::{Package, PackageError};
use super::problem::{Fault, Place, Problem};

/// A fault of a document, with its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The part's name in the package.
    pub part: String,
    /// The paragraph's number in its part, from 1; 0 where it stands in none.
    pub paragraph: usize,
    /// What is wrong.
    pub flaw: Flaw,
}

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Flaw {
    /// A field begins or ends without its other end, or has two results.
    #[error("field characters do not pair up")]
    UnbalancedField,
    /// Code of a field stands outside a field's code.
    #[error("code of a field stands outside the code")]
    StrayInstruction,
    /// A cell, text box, header or note that does not end with a paragraph.
    #[error("`{element}` does not end with a paragraph")]
    NoLastParagraph {
        /// The element's name.
        element: String,
    },
    /// A table ends the body: Word needs a paragraph after it.
    #[error("a table ends the body")]
    TableEndsBody,
    /// The body does not end with its section properties, which hold page size and headers.
    #[error("body does not end with section properties")]
    NoSection,
    /// A relationship id that leads nowhere.
    #[error("relationship `{id}` does not exist")]
    DanglingRelationship {
        /// The id.
        id: String,
    },
    /// A relationship to a part that does not exist.
    #[error("part `{target}` does not exist")]
    MissingPart {
        /// The part's name.
        target: String,
    },
    /// A part without a content type.
    #[error("part has no content type")]
    NoContentType,
    /// A part that no relationship leads to.
    #[error("no relationship leads to the part")]
    OrphanPart,
    /// Two entries of the archive have one name; which of them is meant, nobody can tell.
    #[error("archive has the part twice")]
    DuplicatePart,
    /// An id that has to be unique is there twice.
    #[error("{kind} id `{id}` is used twice")]
    DuplicateId {
        /// What the id is of: `bookmark`, `drawing`, …
        kind: &'static str,
        /// The id.
        id: String,
    },
    /// Something is left over from the merge.
    #[error("`{text}` is left over")]
    Leftover {
        /// What is left.
        text: String,
    },
    /// A part is no XML.
    #[error("part is broken XML")]
    BrokenXml,
}

impl Finding {
    /// Returns the place in the document.
    pub fn place(&self) -> String {
        match self.paragraph {
            0 => self.part.clone(),
            paragraph => format!("{}, paragraph {paragraph}", self.part),
        }
    }
}

impl Flaw {
    /// Returns the stable name of the flaw: the variant in kebab case.
    pub fn id(&self) -> &'static str {
        match self {
            Flaw::UnbalancedField => "unbalanced-field",
            Flaw::StrayInstruction => "stray-instruction",
            Flaw::NoLastParagraph { .. } => "no-last-paragraph",
            Flaw::TableEndsBody => "table-ends-body",
            Flaw::NoSection => "no-section",
            Flaw::DanglingRelationship { .. } => "dangling-relationship",
            Flaw::MissingPart { .. } => "missing-part",
            Flaw::NoContentType => "no-content-type",
            Flaw::OrphanPart => "orphan-part",
            Flaw::DuplicatePart => "duplicate-part",
            Flaw::DuplicateId { .. } => "duplicate-id",
            Flaw::Leftover { .. } => "leftover",
            Flaw::BrokenXml => "broken-xml",
        }
    }
}

/// Finds the faults of a Word document that was made, in the order of its parts and text.
///
/// Parts are found by relationship and content type, whatever their names and folders; Strict documents are read too.
///
/// # Errors
///
/// When the file is no package that can be read, so that nothing can be said about its content.
pub fn lint(bytes: &[u8]) -> Result<Vec<Finding>, PackageError> {
    match Package::open(bytes) {
        Ok(package) => container::lint(&package),
        Err(PackageError::Duplicate { part }) => {
            Ok(vec![Finding { part, paragraph: 0, flaw: Flaw::DuplicatePart }])
        }
        Err(error) => Err(error),
    }
}

/// Finds the faults that a template has of its own, as warnings: fields and tags are no leftovers there.
///
/// A file that cannot be read has none; [`Template::compile`](super::Template::compile) says why it cannot.
pub fn lint_template(bytes: &[u8]) -> Vec<Problem> {
    let findings = lint(bytes).unwrap_or_default();
    let of_template = |finding: &Finding| !matches!(finding.flaw, Flaw::Leftover { .. });
    findings
        .into_iter()
        .filter(of_template)
        .map(|finding| {
            let place = Place { part: finding.part, paragraph: finding.paragraph, code: String::new() };
            Problem::new(Fault::Lint(finding.flaw), place)
        })
        .collect()
}
