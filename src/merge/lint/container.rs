//! Owns the faults of the package: parts that lead nowhere or that nothing leads to, and what kind of text each holds.

use std::collections::{BTreeMap, BTreeSet};

use super::super::package::{CONTENT_TYPES, Package, PackageError, relationships_name};
use super::super::xml::{Document, XmlError};
use super::part::{self, DrawingIds};
use super::{Finding, Flaw};

/// What a part is to the main part, as far as it matters for its faults.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It holds text that is merged: the main part, headers, footers, notes, comments.
    Story,
    /// It holds the settings of the document.
    Settings,
}

/// Finds the faults of a package and of its parts.
pub(super) fn lint(package: &Package<'_>) -> Result<Vec<Finding>, PackageError> {
    let mut findings = Vec::new();
    let types = package.read(CONTENT_TYPES)?.and_then(|content| Document::parse(content).ok());
    let roles = roles(package)?;
    let reached = reached(package)?;
    let mut drawing_ids = DrawingIds::default();
    for entry in package.entries() {
        let name = entry.name.as_str();
        if name == CONTENT_TYPES {
            continue;
        }
        let mut report =
            |part: &str, flaw| findings.push(Finding { part: part.to_owned(), paragraph: 0, flaw });
        if !reached.contains(&name.to_ascii_lowercase()) {
            report(name, Flaw::OrphanPart);
        }
        let content_type = types.as_ref().map(|types| type_of(types, name).unwrap_or_default());
        if content_type.as_deref() == Some("") {
            report(name, Flaw::NoContentType);
        }
        if name.ends_with(".rels") {
            continue;
        }
        let relationships = package.relationships(name)?;
        for relationship in relationships.iter().filter(|it| !it.is_external) {
            let target = &relationship.target;
            if !target.is_empty() && !target.contains('#') && package.entry(target).is_none() {
                report(&relationships_name(name), Flaw::MissingPart { target: target.clone() });
            }
        }
        if !content_type.is_some_and(|it| it.ends_with("+xml") || it.ends_with("/xml")) {
            continue;
        }
        let document = match Document::parse(package.read(name)?.unwrap_or_default()) {
            Ok(document) => document,
            // Data that an office attaches (`customXml`) may be in UTF-16, which is nothing to us.
            Err(XmlError::NotUtf8 { .. }) if !roles.contains_key(&name.to_ascii_lowercase()) => continue,
            Err(_) => {
                report(name, Flaw::BrokenXml);
                continue;
            }
        };
        let ids: BTreeSet<&str> = relationships.iter().map(|it| it.id.as_str()).collect();
        part::references(&document, name, &ids, &mut findings);
        match roles.get(&name.to_ascii_lowercase()) {
            Some(Role::Story) => part::story(&document, name, &mut drawing_ids, &mut findings),
            Some(Role::Settings) => part::settings(&document, name, &mut findings),
            None => {}
        }
    }
    Ok(findings)
}

/// The roles of parts by their names in lower case, found by the relationships of the main part.
fn roles(package: &Package<'_>) -> Result<BTreeMap<String, Role>, PackageError> {
    let mut roles = BTreeMap::new();
    for main in package.relationships("")?.iter().filter(|it| it.kind == "officeDocument") {
        roles.insert(main.target.to_ascii_lowercase(), Role::Story);
        for relationship in package.relationships(&main.target)? {
            let role = match relationship.kind.as_str() {
                "header" | "footer" | "footnotes" | "endnotes" | "comments" => Role::Story,
                "settings" => Role::Settings,
                _ => continue,
            };
            roles.insert(relationship.target.to_ascii_lowercase(), role);
        }
    }
    Ok(roles)
}

/// The names, in lower case, of all parts that relationships lead to from the package itself, and of theirs.
fn reached(package: &Package<'_>) -> Result<BTreeSet<String>, PackageError> {
    let mut reached = BTreeSet::from([relationships_name("").to_ascii_lowercase()]);
    let mut open = vec![String::new()];
    while let Some(part) = open.pop() {
        for relationship in package.relationships(&part)?.into_iter().filter(|it| !it.is_external) {
            let target = relationship.target.split('#').next().unwrap_or_default().to_ascii_lowercase();
            if package.entry(&target).is_some() && reached.insert(target.clone()) {
                reached.insert(relationships_name(&target));
                open.push(target);
            }
        }
    }
    Ok(reached)
}

/// The content type of a part by the package's table of types (ECMA-376 Part 2, `[Content_Types].xml`).
fn type_of(types: &Document, part: &str) -> Option<String> {
    let extension = part.rsplit('.').next().unwrap_or_default();
    let starts = || (0..types.tokens().len()).filter(|at| types.tokens()[*at].is_start());
    let is_override = |at: &usize| {
        types.local(*at) == "Override"
            && types
                .attribute(*at, "PartName")
                .is_some_and(|it| it.trim_start_matches('/').eq_ignore_ascii_case(part))
    };
    let is_default = |at: &usize| {
        types.local(*at) == "Default"
            && types.attribute(*at, "Extension").is_some_and(|it| it.eq_ignore_ascii_case(extension))
    };
    let found = starts().find(is_override).or_else(|| starts().find(is_default))?;
    types.attribute(found, "ContentType")
}
