//! Owns the merge command: plain mail merge of a Word template and a table.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::change::counted;
use super::office;
use super::options::Common;
use super::problem::{Failure, warn};
use super::stages;
use super::template::print_fields;
use super::terminal::{Terminal, visible};
use super::{DONE, INTERRUPTED, SOME_LINES};
use crate::contact::table::Table;
use crate::delivery::pdf::PdfError;
use crate::merge::format::LocaleData;
use crate::merge::{FieldMap, Moment, Template};
use crate::run::Problem;
use crate::run::answers::Answers;
use crate::run::plain::{PlainError, PlainMerge, PlainNames, namespace};
use crate::run::warning::warnings;
use crate::setup;

#[derive(Debug, Args)]
pub(super) struct Merge {
    /// The Word template
    pub(super) template: PathBuf,
    /// The table: .csv, .tsv, .xlsx, .ods, or .json with an array of objects
    #[arg(required_unless_present = "fields")]
    pub(super) data: Option<PathBuf>,
    /// The names of the files, with tags; left out: the record's number, six digits
    #[arg(long, value_name = "PATTERN")]
    pub(super) name: Option<String>,
    /// Write all letters into one document
    #[arg(long, value_name = "FILE")]
    pub(super) combined: Option<PathBuf>,
    /// List what the template asks for
    #[arg(long)]
    pub(super) fields: bool,
    /// Answers to ASK and FILLIN fields: a JSON object, bookmark or question = answer
    #[arg(long, value_name = "FILE")]
    pub(super) answers: Option<PathBuf>,
    /// Whose customs hold for numbers and dates, such as de-CH
    #[arg(long, default_value = "en-US")]
    pub(super) locale: String,
    /// What becomes of a template with macros (.docm, .dotm), which letters cannot keep
    #[arg(long, value_enum, default_value = "refuse")]
    pub(super) macros: MacrosChoice,
    /// The folder below which pictures are [default: that of DATA]
    #[arg(long, value_name = "DIR")]
    pub(super) pictures: Option<PathBuf>,
    /// How many letters are made at the same time [default: one per core]
    #[arg(long, value_name = "N")]
    pub(super) jobs: Option<usize>,
    /// Write PDF files, by LibreOffice
    #[arg(long)]
    pub(super) pdf: bool,
    /// Write all letters into one archive (not yet)
    #[arg(long, value_name = "FILE")]
    pub(super) pack: Option<PathBuf>,
}

/// What becomes of a template with macros.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum MacrosChoice {
    /// The template is refused
    Refuse,
    /// The letters are made without them
    Drop,
}

pub(super) fn merge(common: &Common, merge: &Merge, terminal: &mut Terminal) -> Result<u8, Failure> {
    if merge.pack.is_some() {
        let message = "`--pack` is not supported yet".to_owned();
        return Err(Failure::Stopped { code: USAGE, message, help: None });
    }
    check_options(merge)?;
    let name = merge.template.display().to_string();
    let bytes = fs::read(&merge.template).map_err(|error| {
        Failure::problem("unreadable", format!("cannot read `{name}`: {error}"), name.as_str())
    })?;
    let answers = answers(merge.answers.as_deref())?;
    if merge.fields {
        let table = merge.data.as_ref().map(|data| Table::open(data)).transpose();
        let table = table.map_err(|error| Failure::from(PlainError::from(error)))?;
        let fill = table.as_ref().map(|table| PlainNames { columns: table.columns(), answers: &answers });
        print_fields(&name, &bytes, fill, terminal)?;
        return Ok(DONE);
    }
    let compiled = match merge.macros {
        MacrosChoice::Refuse => Template::compile(&bytes),
        MacrosChoice::Drop => Template::compile_without_macros(&bytes),
    };
    let template = compiled.map_err(|error| {
        let place =
            if error.place().is_empty() { name.clone() } else { format!("{name}, {}", error.place()) };
        Failure::problems(vec![Problem {
            id: error.id(),
            message: error.to_string(),
            place,
            help: error.help(),
        }])
    })?;
    let data = merge.data.as_ref().expect("the arguments ask for DATA unless --fields is given");
    let stages = stages::stages(common);
    let mut table = Table::open(data).map_err(|error| Failure::from(PlainError::from(error)))?;
    let names = PlainNames { columns: table.columns(), answers: &answers };
    let plain = PlainMerge::new(&name, &template, names, merge.name.as_deref())?;
    let plain = match merge.pdf {
        true => plain.as_pdf(pdf(common)?),
        false => plain,
    };
    let odd = warnings(&name, &bytes, &template, (&namespace(names), &FieldMap::new()));
    warn(&odd, &plain.unused_columns(table.columns()), terminal);
    let of_data = data.parent().unwrap_or(Path::new(""));
    let plain = plain.with_pictures(merge.pictures.as_deref().unwrap_or(of_data));
    let moment =
        Moment { now: office::now(common)?.datetime(), locale: merge.locale.clone(), record: 0, sequence: 0 };
    if plain.wants_more() {
        let mut ahead = Table::open(data).map_err(|error| Failure::from(PlainError::from(error)))?;
        plain.check(&mut ahead, &moment, &stages)?;
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(merge.jobs.unwrap_or(0))
        .build()
        .map_err(|error| Failure::Stopped { code: INTERRUPTED, message: error.to_string(), help: None })?;
    let mut code = DONE;
    if let Some(path) = &merge.combined {
        let is_input =
            |input: &Path| fs::canonicalize(input).is_ok_and(|it| Some(it) == fs::canonicalize(path).ok());
        if is_input(&merge.template) || is_input(data) {
            let message = format!("`{}` is what is merged, and would be overwritten", path.display());
            return Err(Failure::problem("overwrites-input", message, "--combined".to_owned()));
        }
        let n_letters = pool.install(|| plain.into_combined(&mut table, path, &moment, &stages))?;
        terminal.say(&match n_letters {
            0 => format!("0 letters, so there is no {}", path.display()),
            n => format!("{} in {}", counted(n, "letter", "letters"), path.display()),
        });
    }
    if common.out.is_some() || merge.combined.is_none() {
        let folder = common.out.clone().unwrap_or_else(|| "out".into());
        if merge.combined.is_some() {
            table = Table::open(data).map_err(|error| Failure::from(PlainError::from(error)))?;
        }
        let made = pool.install(|| plain.into_folder(&mut table, &folder, &moment, &stages))?;
        terminal.say(&format!("{} in {}", counted(made.n_letters, "letter", "letters"), folder.display()));
        for (file, reason) in &made.failed {
            terminal.complain(&format!("error: there is no `{}`: {}", visible(file), visible(reason)));
        }
        if !made.failed.is_empty() {
            code = SOME_LINES;
        }
    }
    warn(&plain.take_warnings(), &[] as &[&str], terminal);
    stages::say(common, &stages, terminal);
    Ok(code)
}

/// Finds options whose values mean nothing, before anything is read.
fn check_options(merge: &Merge) -> Result<(), Failure> {
    let mut problems = Vec::new();
    let mut add = |id, message, place: &str, help: &str| {
        problems.push(Problem { id, message, place: place.to_owned(), help: Some(help.to_owned()) });
    };
    if LocaleData::known(&merge.locale).is_none() {
        let message = format!("`{}` is no language, and no language of a country", merge.locale);
        add("unknown-locale", message, "--locale", "give one such as `de`, `de-CH` or `en-GB`");
    }
    let is_word = |path: &PathBuf| path.extension().is_some_and(|end| end.eq_ignore_ascii_case("docx"));
    if let Some(path) = merge.combined.as_ref().filter(|path| !is_word(path)) {
        let message =
            format!("the combined document is a Word document, but `{}` is no name of one", path.display());
        add("not-docx", message, "--combined", "let the name end with `.docx`");
    }
    if problems.is_empty() { Ok(()) } else { Err(Failure::problems(problems)) }
}

/// Returns how PDF is made, once it is sure that it can be.
fn pdf(common: &Common) -> Result<setup::Pdf, Failure> {
    let pdf = office::setup(common, None)?.pdf;
    if pdf.soffice.is_none() {
        return Err(PlainError::from(PdfError::NoProgram).into());
    }
    Ok(pdf)
}

/// Reads the answers to the questions of a template; none without a file.
fn answers(file: Option<&Path>) -> Result<Answers, Failure> {
    let Some(file) = file else { return Ok(Answers::default()) };
    let name = file.display().to_string();
    let text = fs::read(file).map_err(|error| {
        Failure::problem("unreadable", format!("cannot read `{name}`: {error}"), name.as_str())
    })?;
    Answers::read(&name, &text).map_err(Failure::problems)
}

/// The words of the command are off.
const USAGE: u8 = 2;

impl From<PlainError> for Failure {
    fn from(error: PlainError) -> Failure {
        let message = error.to_string();
        match error {
            PlainError::Problems(problems) => {
                Failure::Problems { problems, of: "the merge. Nothing was written.".to_owned() }
            }
            PlainError::Pdf(error @ PdfError::NoProgram) => Failure::problems(vec![Problem {
                id: error.id(),
                message,
                place: "--pdf".to_owned(),
                help: error.help(),
            }]),
            PlainError::Pdf(error) => Failure::Stopped { code: INTERRUPTED, message, help: error.help() },
            PlainError::Folder(error) => Failure::Stopped { code: INTERRUPTED, message, help: error.help() },
            PlainError::Combined { .. } | PlainError::Letter { .. } => {
                Failure::Stopped { code: INTERRUPTED, message, help: None }
            }
        }
    }
}
