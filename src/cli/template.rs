//! Owns the commands for interaction templates: list, show, set, delete, import, export, fields.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use super::change::{change, counted, pairs, read_document};
use super::office::setup;
use super::options::Common;
use super::problem::{Failure, listed, warn};
use super::terminal::{Terminal, table};
use super::{DONE, PROBLEMS};
use crate::interaction::InteractionTemplate;
use crate::merge::{FieldMap, Template};
use crate::run::masters::delete_template;
use crate::run::plain::{PlainError, PlainMerge, PlainNames, namespace};
use crate::run::preset::{
    ExportTemplatesError, TemplateEdit, export_templates, import_templates, set_template,
};
use crate::run::warning::{of_document, warnings};
use crate::run::{Problem, Records};
use crate::store::Database;

#[derive(Debug, Subcommand)]
pub(super) enum TemplateCommand {
    /// List interaction templates
    #[command(after_help = "Example: mailrun template list")]
    List,
    /// Show an interaction template
    #[command(after_help = "Example: mailrun template show APPEAL")]
    Show {
        /// The code
        code: String,
    },
    /// Set values, documents and subjects; what is not there yet is made
    #[command(
        after_help = "Example: mailrun template set APPEAL description='Appeal letter' default_language=en --document en=appeal.docx --subject 'en=Our appeal'"
    )]
    Set {
        /// The code
        code: String,
        /// A value and its text: description, group, campaign, … (docs/formats.md)
        #[arg(value_name = "NAME=VALUE")]
        values: Vec<String>,
        /// The Word document for a language; may be given more than once
        #[arg(long, value_name = "LANGUAGE=FILE")]
        document: Vec<String>,
        /// A Word document that goes with it for a language, instead of those of the language; may be given more than
        /// once, and without a file for none
        #[arg(long, value_name = "LANGUAGE=FILE")]
        enclosure: Vec<String>,
        /// The subject for a language; may be given more than once
        #[arg(long, value_name = "LANGUAGE=TEXT")]
        subject: Vec<String>,
        /// Remove the version for a language; may be given more than once
        #[arg(long, value_name = "LANGUAGE")]
        without: Vec<String>,
    },
    /// Delete a template that nobody uses
    #[command(after_help = "Example: mailrun template delete APPEAL")]
    Delete {
        /// The code
        code: String,
    },
    /// Import from a table with one row a language; documents are files beside it
    #[command(after_help = "Example: mailrun template import templates.xlsx")]
    Import {
        /// The table: .csv, .tsv, .xlsx, .ods or .json
        file: PathBuf,
    },
    /// Export to a table with one row a language, with the documents beside it
    #[command(after_help = "Example: mailrun template export templates.csv")]
    Export {
        /// The table: .csv or .xlsx
        file: PathBuf,
    },
    /// List the fields and tags of a template's documents, or of a Word file
    #[command(after_help = "Example: mailrun template fields letter.docx")]
    Fields {
        /// A code, or a Word file
        template: String,
    },
}

pub(super) fn template(
    common: &Common,
    command: &TemplateCommand,
    terminal: &mut Terminal,
) -> Result<u8, Failure> {
    match command {
        TemplateCommand::List => {
            let mut database = Database::open_existing(&common.db)?;
            let mut data = terminal.data();
            let mut rows = vec![["code", "description", "languages"].map(str::to_owned).to_vec()];
            for template in database.templates()? {
                if terminal.json {
                    terminal.object(&mut data, &template);
                } else {
                    let languages: Vec<&str> =
                        template.languages.keys().map(|language| language.as_str()).collect();
                    rows.push(vec![template.code.clone(), template.description.clone(), languages.join(" ")]);
                }
            }
            if !terminal.json {
                table(&rows).iter().for_each(|line| data.line(line));
            }
            Ok(DONE)
        }
        TemplateCommand::Show { code } => {
            let template = find(&mut Database::open_existing(&common.db)?, code)?;
            let mut data = terminal.data();
            if terminal.json {
                terminal.object(&mut data, &template);
            } else {
                let text = serde_json::to_string_pretty(&template).expect("a template has text keys");
                data.line(&text);
            }
            Ok(DONE)
        }
        TemplateCommand::Set { code, values, document, enclosure, subject, without } => {
            let mut documents = Vec::new();
            for (language, file) in pairs(document)? {
                documents.push((language, read_document(Path::new(&file))?));
            }
            let mut enclosures = Vec::new();
            for (language, file) in pairs(enclosure)? {
                let document = if file.is_empty() { None } else { Some(read_document(Path::new(&file))?) };
                enclosures.push((language, document));
            }
            let (set, subjects) = (pairs(values)?, pairs(subject)?);
            let edit = TemplateEdit { set, documents, enclosures, subjects, without: without.clone() };
            let setup = setup(common, None)?;
            let is_new = change(common, |database| Ok(set_template(database, &setup, code, &edit)?))?;
            terminal.say(&format!("template {code} {}", if is_new { "added" } else { "changed" }));
            Ok(DONE)
        }
        TemplateCommand::Delete { code } => {
            change(common, |database| Ok(delete_template(database, code)?))?;
            terminal.say(&format!("template {code} deleted"));
            Ok(DONE)
        }
        TemplateCommand::Import { file } => {
            let setup = setup(common, None)?;
            let n_templates = change(common, |database| Ok(import_templates(database, &setup, file)?))?;
            terminal.say(&format!("{} imported", counted(n_templates, "template", "templates")));
            Ok(DONE)
        }
        TemplateCommand::Export { file } => {
            let mut database = Database::open_existing(&common.db)?;
            export_templates(&mut database, file).map_err(|error| match error {
                ExportTemplatesError::Records(error) => Failure::from(error),
                ExportTemplatesError::Write(error) => Failure::from(error),
            })?;
            terminal.say(&format!("wrote {}", file.display()));
            Ok(DONE)
        }
        TemplateCommand::Fields { template } => {
            if Path::new(template).is_file() {
                let bytes = fs::read(template).map_err(Failure::output)?;
                print_fields(template, &bytes, None, terminal)?;
                return Ok(DONE);
            }
            let mut database = Database::open_existing(&common.db)?;
            for version in find(&mut database, template)?.languages.values() {
                for digest in version.document.iter().chain(&version.enclosures) {
                    if let Some(attachment) = database.attachment(digest)? {
                        print_fields(&attachment.name, &attachment.bytes, None, terminal)?;
                    }
                }
            }
            Ok(DONE)
        }
    }
}

fn find(database: &mut Database, code: &str) -> Result<InteractionTemplate, Failure> {
    database.templates()?.into_iter().find(|template| template.code == code).ok_or_else(|| Failure::Stopped {
        code: PROBLEMS,
        message: format!("there is no interaction template `{code}`, and no file of that name"),
        help: None,
    })
}

/// Prints every field and tag of a Word file, then what is wrong or odd with it. Which names mean nothing is known
/// where there are names to `fill` them.
pub(super) fn print_fields(
    name: &str,
    bytes: &[u8],
    fill: Option<PlainNames<'_>>,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let mut data = terminal.data();
    let within = |place: String| if place.is_empty() { name.to_owned() } else { format!("{name}, {place}") };
    let template = Template::compile(bytes).map_err(|error| {
        let (id, place) = (error.id(), within(error.place()));
        Failure::problems(vec![Problem { id, message: error.to_string(), place, help: error.help() }])
    })?;
    if terminal.json {
        for field in template.fields() {
            terminal.object(
                &mut data,
                &json!({ "file": name, "name": field.name, "kind": field.kind, "code": field.code,
                         "part": field.part, "paragraph": field.paragraph }),
            );
        }
    } else {
        let mut rows = vec![["name", "kind", "part", "paragraph", "code"].map(str::to_owned).to_vec()];
        rows.extend(template.fields().iter().map(|field| {
            let paragraph = field.paragraph.to_string();
            vec![field.name.clone(), field.kind.clone(), field.part.clone(), paragraph, field.code.clone()]
        }));
        table(&rows).iter().for_each(|line| data.line(line));
    }
    // What is listed comes before what is said about it, also where both go to one place.
    drop(data);
    let (map, names) = (FieldMap::new(), fill.map_or_else(|| template.names(), namespace));
    let odd = warnings(name, bytes, &template, (&names, &map));
    let merge = fill.map(|fill| PlainMerge::new(name, &template, fill, None));
    let (problems, unused) = match (&merge, fill) {
        (Some(Err(PlainError::Problems(problems))), _) => (problems.clone(), Vec::new()),
        (Some(Ok(merge)), Some(fill)) => (Vec::new(), merge.unused_columns(fill.columns)),
        _ => (template.problems().iter().map(|it| of_document(name, it.clone())).collect(), Vec::new()),
    };
    warn(&odd, &unused, terminal);
    if !problems.is_empty() {
        terminal.complain(&listed(&problems));
    }
    Ok(())
}
