//! Owns changes of interaction templates by command and by table.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::contact::did_you_mean;
use crate::contact::fold_name;
use crate::contact::language::Language;
use crate::contact::table::{Record, Table, TableWriter, WriteError};
use crate::delivery::name::safe_name;
use crate::interaction::{InteractionTemplate, TemplateLanguage};
use crate::run::masters::{ChangeError, Masters, unknown};
use crate::run::named::read_attachment;
use crate::run::problem::Problem;
use crate::segment::{Attachment, Digest, ValueProblem};
use crate::setup::{MasterKind, Setup};

/// What is to be set on an interaction template.
#[derive(Clone, Debug, Default)]
pub struct TemplateEdit {
    /// Names and texts of values.
    pub set: Vec<(String, String)>,
    /// Documents by language tag.
    pub documents: Vec<(String, Attachment)>,
    /// Enclosures by language tag: all of a language's, in their order; none for a language that is to have none.
    pub enclosures: Vec<(String, Option<Attachment>)>,
    /// Subjects by language tag.
    pub subjects: Vec<(String, String)>,
    /// Languages whose version goes away.
    pub without: Vec<String>,
}

/// The columns of a table of templates, after the code and the values: one row a language.
const OF_LANGUAGE: [&str; 4] = ["language", "document", "subject", "enclosures"];

/// What parts the files of a cell.
const BETWEEN_FILES: char = ';';

/// Sets values and versions of an interaction template, which is made where there is none; tells whether it is new.
///
/// # Errors
///
/// All values that do not fit, all codes that are not known.
pub fn set_template(
    masters: &mut dyn Masters,
    setup: &Setup,
    code: &str,
    edit: &TemplateEdit,
) -> Result<bool, ChangeError> {
    let found = masters.templates()?.into_iter().find(|template| template.code == code);
    let is_new = found.is_none();
    let mut template = found
        .unwrap_or_else(|| InteractionTemplate { code: code.to_owned(), ..InteractionTemplate::default() });
    let mut problems = Vec::new();
    for (name, text) in &edit.set {
        if let Err(wrong) = template.set(name, text) {
            problems.push(value_problem(&wrong, ""));
        }
    }
    for (tag, attachment) in &edit.documents {
        if let Some(version) = version(&mut template, tag, "", &mut problems) {
            masters.put_attachment(attachment)?;
            version.document = Some(attachment.digest.clone());
        }
    }
    let mut renewed = BTreeSet::new();
    for (tag, attachment) in &edit.enclosures {
        let Some(version) = version(&mut template, tag, "", &mut problems) else { continue };
        if renewed.insert(tag) {
            version.enclosures.clear();
        }
        if let Some(attachment) = attachment {
            masters.put_attachment(attachment)?;
            version.enclosures.push(attachment.digest.clone());
        }
    }
    for (tag, subject) in &edit.subjects {
        if let Some(version) = version(&mut template, tag, "", &mut problems) {
            version.subject = Some(subject.clone()).filter(|subject| !subject.is_empty());
        }
    }
    for tag in &edit.without {
        if tag.parse::<Language>().ok().and_then(|language| template.languages.remove(&language)).is_none() {
            let message = format!("template {code} has no version in `{tag}`");
            problems.push(Problem { id: "unknown-language", message, place: String::new(), help: None });
        }
    }
    problems.extend(unknown_codes(masters, setup, &template, "")?);
    if !problems.is_empty() {
        return Err(ChangeError::Problems(problems));
    }
    masters.put_template(&template)?;
    Ok(is_new)
}

/// Imports interaction templates from a table with one row a language; documents are files beside it. Returns how many
/// templates there are in it. What the table does not name stays as it was.
///
/// # Errors
///
/// All problems of the table; nothing is imported then.
pub fn import_templates(masters: &mut dyn Masters, setup: &Setup, path: &Path) -> Result<u64, ChangeError> {
    let mut problems: Vec<Problem> = Vec::new();
    let mut table = Table::open(path).map_err(|error| ChangeError::Problems(vec![error.into()]))?;
    let names: Vec<&str> =
        ["code"].into_iter().chain(InteractionTemplate::NAMES).chain(OF_LANGUAGE).collect();
    let mut columns = Vec::new();
    for (position, column) in table.columns().iter().enumerate() {
        match names.iter().find(|name| fold_name(name) == fold_name(&column.name)) {
            Some(name) => columns.push((position, *name)),
            None if column.name.is_empty() => {}
            None => problems.push(Problem {
                id: "unknown-column",
                message: format!("a template has no column `{}`", column.name),
                place: table.file().to_owned(),
                help: did_you_mean(&column.name, names.iter().copied()),
            }),
        }
    }
    if !columns.iter().any(|(_, name)| *name == "code") {
        problems.push(Problem {
            id: "missing-column",
            message: "the table has no column `code`".to_owned(),
            place: table.file().to_owned(),
            help: did_you_mean("code", table.columns().iter().map(|column| column.name.as_str())),
        });
    }
    if !problems.is_empty() {
        return Err(ChangeError::Problems(problems));
    }
    let mut known: BTreeMap<String, InteractionTemplate> =
        masters.templates()?.into_iter().map(|template| (template.code.clone(), template)).collect();
    let mut changed = BTreeSet::new();
    let mut record = Record::default();
    while table.read_next(&mut record, &mut |error| problems.push(error.into())) {
        let place = table.place(record.row(), None).to_string();
        let text = |wanted: &str| {
            let column = columns.iter().find(|(_, name)| *name == wanted);
            column.map(|(position, _)| record.text(*position).trim().to_owned()).unwrap_or_default()
        };
        let code = text("code");
        if code.is_empty() {
            let message = "a template has no code".to_owned();
            problems.push(Problem { id: "template-without-code", message, place, help: None });
            continue;
        }
        let template = known
            .entry(code.clone())
            .or_insert_with(|| InteractionTemplate { code: code.clone(), ..InteractionTemplate::default() });
        for (position, name) in &columns {
            if InteractionTemplate::NAMES.contains(name)
                && let Err(wrong) = template.set(name, record.text(*position).trim())
            {
                problems.push(value_problem(&wrong, &place));
            }
        }
        let (tag, document) = (text("language"), text("document"));
        if !tag.is_empty()
            && let Some(version) = version(template, &tag, &place, &mut problems)
        {
            version.subject = Some(text("subject")).filter(|subject| !subject.is_empty());
            if !document.is_empty() {
                match read_attachment(&path.with_file_name(&document), &place) {
                    Ok(attachment) => {
                        masters.put_attachment(&attachment)?;
                        version.document = Some(attachment.digest);
                    }
                    Err(problem) => problems.push(problem),
                }
            }
            if columns.iter().any(|(_, name)| *name == "enclosures") {
                version.enclosures.clear();
                let cell = text("enclosures");
                for file in cell.split(BETWEEN_FILES).map(str::trim).filter(|file| !file.is_empty()) {
                    match read_attachment(&path.with_file_name(file), &place) {
                        Ok(attachment) => {
                            masters.put_attachment(&attachment)?;
                            version.enclosures.push(attachment.digest);
                        }
                        Err(problem) => problems.push(problem),
                    }
                }
            }
        }
        let template = template.clone();
        problems.extend(unknown_codes(masters, setup, &template, &place)?);
        changed.insert(code);
    }
    if !problems.is_empty() {
        return Err(ChangeError::Problems(problems));
    }
    for code in &changed {
        if let Some(template) = known.get(code) {
            masters.put_template(template)?;
        }
    }
    Ok(changed.len() as u64)
}

/// Exports the interaction templates as such a table, with the documents in a folder beside it.
///
/// # Errors
///
/// A store that cannot be read, a folder that cannot be written.
pub fn export_templates(masters: &mut dyn Masters, path: &Path) -> Result<(), ExportTemplatesError> {
    let names: Vec<&str> =
        ["code"].into_iter().chain(InteractionTemplate::NAMES).chain(OF_LANGUAGE).collect();
    let mut writer = TableWriter::create(path, &names)?;
    let folder = path.with_extension("documents");
    let file = |source| WriteError::File { file: folder.clone(), source };
    for template in masters.templates()? {
        let values: Vec<String> =
            InteractionTemplate::NAMES.iter().map(|name| template.text(name).unwrap_or_default()).collect();
        let none = [(None, TemplateLanguage::default())];
        let versions: Vec<(Option<Language>, TemplateLanguage)> = match template.languages.is_empty() {
            true => none.to_vec(),
            false => {
                template.languages.iter().map(|(tag, version)| (Some(tag.clone()), version.clone())).collect()
            }
        };
        for (language, version) in versions {
            let mut export = |digest: &Digest| -> Result<String, ExportTemplatesError> {
                let Some(attachment) = masters.attachment(digest)? else { return Ok(String::new()) };
                let short: String = attachment.digest.as_str().chars().take(12).collect();
                let (stem, ending) = attachment.name.rsplit_once('.').unwrap_or((&attachment.name, ""));
                let name = safe_name(&format!("{short} {stem}").replace(BETWEEN_FILES, "_"), ending);
                fs::create_dir_all(&folder).map_err(file)?;
                fs::write(folder.join(&name), &attachment.bytes).map_err(file)?;
                let folder = folder.file_name().map(|name| name.to_string_lossy().into_owned());
                Ok(format!("{}/{name}", folder.unwrap_or_default()))
            };
            let document = version.document.as_ref().map(&mut export).transpose()?.unwrap_or_default();
            let enclosures = version.enclosures.iter().map(&mut export).collect::<Result<Vec<_>, _>>()?;
            let enclosures = enclosures.join(&format!("{BETWEEN_FILES} "));
            let language = language.map(|language| language.to_string()).unwrap_or_default();
            let mut row = vec![template.code.clone()];
            row.extend(values.iter().cloned());
            row.extend([language, document, version.subject.unwrap_or_default(), enclosures]);
            writer.add(&row)?;
        }
    }
    Ok(writer.finish()?)
}

/// Why templates are not exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportTemplatesError {
    /// The store fails.
    #[error(transparent)]
    Records(#[from] crate::run::records::RecordsError),
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

fn version<'a>(
    template: &'a mut InteractionTemplate,
    tag: &str,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Option<&'a mut TemplateLanguage> {
    match tag.parse::<Language>() {
        Ok(language) => Some(template.languages.entry(language).or_default()),
        Err(error) => {
            problems.push(Problem {
                id: "not-a-language",
                message: error.to_string(),
                place: place.to_owned(),
                help: Some("write a tag such as `fr` or `fr-CH`".to_owned()),
            });
            None
        }
    }
}

fn unknown_codes(
    masters: &mut dyn Masters,
    setup: &Setup,
    template: &InteractionTemplate,
    place: &str,
) -> Result<Vec<Problem>, ChangeError> {
    let mut codes = Vec::new();
    if !template.group.is_empty() {
        codes.push((MasterKind::InteractionGroup, &template.group));
    }
    codes.extend(template.campaign.as_ref().map(|code| (MasterKind::Campaign, code)));
    let mut problems = Vec::new();
    for (kind, code) in codes {
        let mut known: Vec<String> =
            masters.masters(kind)?.iter().map(|master| master.code().to_owned()).collect();
        if kind == MasterKind::Campaign {
            known.extend(setup.campaigns.iter().map(|campaign| campaign.code.clone()));
        }
        if !known.contains(code)
            && let ChangeError::Problems(found) = unknown(kind.words(), code, &known)
        {
            problems.extend(found.into_iter().map(|problem| Problem { place: place.to_owned(), ..problem }));
        }
    }
    Ok(problems)
}

fn value_problem(wrong: &ValueProblem, place: &str) -> Problem {
    let nearest = match wrong {
        ValueProblem::Unknown { name } => did_you_mean(name, InteractionTemplate::NAMES.into_iter()),
        ValueProblem::Unfit { .. } => None,
    };
    let help = nearest.or_else(|| wrong.help());
    Problem { id: wrong.id(), message: wrong.to_string(), place: place.to_owned(), help }
}
