//! Owns the commands for segments: new, list, show, set, delete; selection and single lines have files of their own.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use clap::{Args, Subcommand};
use serde_json::{Map, Value as Json, json};

use super::DONE;
use super::change::{change, counted, nothing, pairs, read_document};
use super::line::{self, Line};
use super::office::{now, setup};
use super::options::Common;
use super::problem::Failure;
use super::selection::{self, Add, CriteriaCommand, MailingGroup, Reduce, Reuse};
use super::sheet::{self, CoverSheets, Envelopes, Labels, Sheet};
use super::terminal::{Data, Terminal, table};
use crate::run::Records;
use crate::run::export::{ExportError, Form, export};
use crate::run::load::{SegmentRef, fetch, load};
use crate::run::overview::{LineOverview, overview};
use crate::run::worksheet::{Edit, Reach, Worksheets, change_header, delete_segment, new_segment, open};
use crate::segment::{CriteriaKind, InteractionValues, LineNo, SegmentHeader, SegmentNo};
use crate::store::Database;

#[derive(Debug, Subcommand)]
pub(super) enum SegmentCommand {
    /// Make a segment, and print its number
    #[command(
        after_help = "Example: mailrun segment new description='Spring appeal' interaction_template=APPEAL"
    )]
    New {
        /// The number; left out: the next of the series
        #[arg(long)]
        no: Option<String>,
        #[command(flatten)]
        edit: HeaderEdit,
    },
    /// List open segments
    #[command(after_help = "Example: mailrun segment list")]
    List,
    /// Show a segment's header, and its lines by pages; what was set on a line is marked with *
    #[command(after_help = "Example: mailrun segment show SM00002 --limit 20 --after 200000")]
    Show(Show),
    /// Set values of the header; every line without a value of its own has them at once
    #[command(after_help = "Example: mailrun segment set SM00002 date=2026-03-01 subject='Spring is here'")]
    Set {
        /// The number
        segment: String,
        #[command(flatten)]
        edit: HeaderEdit,
        /// Clear what lines have of their own of these values, so that the header's hold for all
        #[arg(long)]
        apply_to_all: bool,
    },
    /// Set values on a contact's line, which is added where there is none
    #[command(
        after_help = "Examples: mailrun segment line SM00002 CT000012 comment='Thank you for calling'\n          \
                      mailrun segment line SM00002 CT000012 --premerge letter.docx   # edit it in Word, then\n          \
                      mailrun segment line SM00002 CT000012 --import letter.docx"
    )]
    Line(Line),
    /// Add the contacts that match a condition
    #[command(
        after_help = "Examples: mailrun segment add SM00002 \"country = 'CH' and language = 'fr'\"\n          \
                      mailrun segment add SM00002 --contact CT000012 --contact CT000013"
    )]
    Add(Add),
    /// Take away the lines whose contact matches a condition
    #[command(after_help = "Example: mailrun segment reduce SM00002 \"city = 'Bern'\" --entire-companies")]
    Reduce(Reduce),
    /// Keep the lines whose contact matches a condition, and take away all others
    #[command(after_help = "Example: mailrun segment refine SM00002 \"email <> ''\"")]
    Refine(Reduce),
    /// Undo the last selection action; lines come back as they were
    #[command(after_help = "Example: mailrun segment undo SM00002")]
    Undo {
        /// The number
        segment: String,
    },
    /// Selection actions: show, save, reuse
    #[command(subcommand)]
    Criteria(CriteriaCommand),
    /// Add the contacts of a logged segment
    #[command(after_help = "Example: mailrun segment reuse SM00002 SM00001")]
    Reuse(Reuse),
    /// Give all contacts of a segment a mailing group
    #[command(after_help = "Example: mailrun segment mailing-group SM00002 CHRISTMAS --replace")]
    MailingGroup(MailingGroup),
    /// Write a segment file that gives the same segment again, with lines and documents beside it
    #[command(after_help = "Example: mailrun segment export SM00002 spring.toml")]
    Export {
        /// The number
        segment: String,
        /// The segment file
        file: PathBuf,
        /// The selection actions, to be replayed at each load, instead of the lines
        #[arg(long)]
        criteria: bool,
    },
    /// Load a segment file as an open segment, and print its number
    #[command(after_help = "Example: mailrun segment load spring.toml")]
    Load {
        /// The segment file
        file: PathBuf,
    },
    /// Labels of the addresses, as a Word document; of an open or a logged segment, nothing is logged
    #[command(after_help = "Examples: mailrun segment labels SM00002 --format L7160 --skip 5\n          \
                      mailrun segment labels spring.toml --format 5160 --pdf")]
    Labels(Labels),
    /// Envelopes to print, with the sender of the set-up
    #[command(after_help = "Example: mailrun segment envelopes SM00002 --format C5 --pdf")]
    Envelopes(Envelopes),
    /// A cover sheet for each address, with remarks to tick
    #[command(
        after_help = "Example: mailrun segment cover-sheet SM00002 --remark information --text 'As we said on Monday'"
    )]
    CoverSheet(CoverSheets),
    /// A list of the addresses, as a Word document and a sheet of Excel
    #[command(after_help = "Example: mailrun segment address-list SM00002")]
    AddressList(Sheet),
    /// Delete an open segment
    #[command(after_help = "Example: mailrun segment delete SM00002")]
    Delete {
        /// The number
        segment: String,
    },
}

/// What is set on a header.
#[derive(Debug, Args)]
pub(super) struct HeaderEdit {
    /// A value and its text: description, date, subject, language, campaign, … (docs/formats.md)
    #[arg(value_name = "NAME=VALUE")]
    values: Vec<String>,
    /// A value to clear; may be given more than once
    #[arg(long, value_name = "NAME")]
    clear: Vec<String>,
    /// The segment's own document for a language; may be given more than once
    #[arg(long, value_name = "LANGUAGE=FILE")]
    document: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// The number
    segment: String,
    /// So many lines at most [default: 50 on a terminal, all with --json]
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Lines after this one
    #[arg(long, value_name = "LINE", default_value_t = 0)]
    after: u64,
    /// Lines that have contact, e-mail address or postal address in common, instead of all
    #[arg(long)]
    duplicates: bool,
}

/// How many lines are shown where no limit is given.
const LINES_SHOWN: u64 = 50;

pub(super) fn segment(
    common: &Common,
    command: &SegmentCommand,
    terminal: &mut Terminal,
) -> Result<u8, Failure> {
    match command {
        SegmentCommand::New { no, edit } => {
            let edit = edit.read()?;
            let setup = setup(common, None)?;
            let no = no.clone().map(SegmentNo);
            let no = change(common, |database| Ok(new_segment(database, &setup, no, &edit)?))?;
            let mut data = terminal.data();
            match terminal.json {
                true => terminal.object(&mut data, &json!({ "segment": no })),
                false => data.line(&no.0),
            }
            Ok(DONE)
        }
        SegmentCommand::List => list(common, terminal),
        SegmentCommand::Show(show) => self::show(common, show, terminal),
        SegmentCommand::Set { segment, edit, apply_to_all } => {
            let edit = edit.read()?;
            let setup = setup(common, None)?;
            let segment = SegmentNo(segment.clone());
            let reach = if *apply_to_all { Reach::AllLines } else { Reach::Inheriting };
            change(common, |database| Ok(change_header(database, &setup, (&segment, reach), &edit)?))?;
            terminal.say(&format!("segment {segment} changed"));
            Ok(DONE)
        }
        SegmentCommand::Line(line) => line::line(common, line, terminal),
        SegmentCommand::Add(add) => selection::add(common, add, terminal),
        SegmentCommand::Reduce(reduce) => selection::reduce(common, (CriteriaKind::Reduce, reduce), terminal),
        SegmentCommand::Refine(refine) => selection::reduce(common, (CriteriaKind::Refine, refine), terminal),
        SegmentCommand::Undo { segment } => selection::undo(common, segment, terminal),
        SegmentCommand::Criteria(command) => selection::criteria(common, command, terminal),
        SegmentCommand::Reuse(reuse) => selection::reuse(common, reuse, terminal),
        SegmentCommand::MailingGroup(group) => selection::mailing_group(common, group, terminal),
        SegmentCommand::Export { segment, file, criteria } => {
            let mut database = Database::open_existing(&common.db)?;
            let header = open(&mut database, &SegmentNo(segment.clone()))?;
            let form = if *criteria { Form::Criteria } else { Form::Lines };
            for file in export(&mut database, &header, (file, form))? {
                terminal.say(&format!("wrote {}", file.display()));
            }
            Ok(DONE)
        }
        SegmentCommand::Labels(labels) => sheet::labels(common, labels, terminal),
        SegmentCommand::Envelopes(envelopes) => sheet::envelopes(common, envelopes, terminal),
        SegmentCommand::CoverSheet(cover) => sheet::cover_sheets(common, cover, terminal),
        SegmentCommand::AddressList(list) => sheet::addresses(common, list, terminal),
        SegmentCommand::Load { file } => {
            let asked = SegmentRef::File(file.clone());
            let setup = setup(common, Some(&asked))?;
            let stop = AtomicBool::new(false);
            let fetched = fetch(&mut Database::open_existing(&common.db)?, &asked, &stop)?;
            let segment = change(common, |database| {
                let loaded = load(database, &setup, fetched)?;
                if loaded.problems.is_empty() {
                    Ok(loaded.segment)
                } else {
                    Err(Failure::problems(loaded.problems))
                }
            })?;
            let mut data = terminal.data();
            match terminal.json {
                true => terminal.object(&mut data, &json!({ "segment": segment })),
                false => data.line(&segment.0),
            }
            Ok(DONE)
        }
        SegmentCommand::Delete { segment } => {
            let segment = SegmentNo(segment.clone());
            change(common, |database| Ok(delete_segment(database, &segment)?))?;
            terminal.say(&format!("segment {segment} deleted"));
            Ok(DONE)
        }
    }
}

impl HeaderEdit {
    fn read(&self) -> Result<Edit, Failure> {
        let mut documents = Vec::new();
        for (language, file) in pairs(&self.document)? {
            documents.push((language, read_document(&PathBuf::from(file))?));
        }
        Ok(Edit { set: pairs(&self.values)?, clear: self.clear.clone(), documents, is_merged: false })
    }
}

fn list(common: &Common, terminal: &Terminal) -> Result<u8, Failure> {
    let database = Database::open_existing(&common.db)?;
    let mut data = terminal.data();
    let mut rows = vec![["segment", "lines", "description"].map(str::to_owned).to_vec()];
    for (header, n_lines) in database.open_segments()? {
        let description = header.values.description.unwrap_or_default();
        if terminal.json {
            let object = json!({ "segment": header.no, "lines": n_lines, "description": description });
            terminal.object(&mut data, &object);
        } else {
            rows.push(vec![header.no.0, n_lines.to_string(), description]);
        }
    }
    if !terminal.json {
        table(&rows).iter().for_each(|line| data.line(line));
    }
    Ok(DONE)
}

fn show(common: &Common, show: &Show, terminal: &Terminal) -> Result<u8, Failure> {
    let mut database = Database::open_existing(&common.db)?;
    let segment = SegmentNo(show.segment.clone());
    let Some(header) = database.header(&segment)? else {
        let help = Some("`mailrun logged list` shows the logged ones".to_owned());
        return Err(nothing(format!("there is no open segment `{segment}`"), help));
    };
    let mut data = terminal.data();
    if show.duplicates {
        return duplicates(&database, &segment, (&mut data, terminal));
    }
    let n_lines = database.n_lines(&segment)? as u64;
    let n_actions = database.actions(&segment)?.len();
    print_header(&header, (n_lines, n_actions), &mut data, terminal);
    let limit = if terminal.json { show.limit } else { Some(show.limit.unwrap_or(LINES_SHOWN)) };
    let (setup, date) = (setup(common, None)?, now(common)?.date());
    let mut rows = vec![COLUMNS.iter().map(|(title, _)| (*title).to_owned()).collect::<Vec<_>>()];
    let mut last = None;
    overview(&mut database, (&setup, date), (&segment, LineNo(show.after), limit), &mut |line| {
        last = Some(line.line_no);
        if terminal.json {
            terminal.object(&mut data, &object(line));
        } else {
            rows.push(row(line));
        }
    })?;
    if !terminal.json {
        data.line("");
        table(&rows).iter().for_each(|line| data.line(line));
        if let Some(last) = last
            && rows.len() as u64 > limit.unwrap_or(u64::MAX)
            && !database.lines(&segment, last, 1)?.is_empty()
        {
            terminal.say(&format!("more lines: `mailrun segment show {segment} --after {last}`"));
        }
    }
    Ok(DONE)
}

fn print_header(
    header: &SegmentHeader,
    (n_lines, n_actions): (u64, usize),
    data: &mut Data,
    terminal: &Terminal,
) {
    if terminal.json {
        let mut object = json!(header);
        if let Some(object) = object.as_object_mut() {
            object.insert("lines".to_owned(), json!(n_lines));
            object.insert("actions".to_owned(), json!(n_actions));
        }
        terminal.object(data, &object);
        return;
    }
    let mut rows = vec![vec!["segment".to_owned(), header.no.0.clone()]];
    for name in InteractionValues::NAMES {
        rows.extend(header.values.text(name).map(|text| vec![name.replace('_', " "), text]));
    }
    for (words, is_set) in [
        ("ignore contact correspondence type", header.ignore_contact_correspondence_type),
        ("one letter a household", header.household),
    ] {
        if is_set {
            rows.push(vec![words.to_owned(), "true".to_owned()]);
        }
    }
    for (language, digest) in &header.documents {
        let short: String = digest.as_str().chars().take(12).collect();
        rows.push(vec![format!("document {language}"), short]);
    }
    let actions = counted(n_actions as u64, "selection action", "selection actions");
    rows.push(vec!["lines".to_owned(), format!("{n_lines}, by {actions}")]);
    table(&rows).iter().for_each(|line| data.line(line));
}

/// What a page of lines shows: the title, and the value.
const COLUMNS: [(&str, &str); 11] = [
    ("line", ""),
    ("contact", ""),
    ("name", ""),
    ("by", "correspondence_type"),
    ("language", "language"),
    ("template", "interaction_template"),
    ("e-mail", "email"),
    ("address", "address"),
    ("subject", "subject"),
    ("comment", "comment"),
    ("standing", ""),
];

fn row(line: &LineOverview) -> Vec<String> {
    let set = line.set.names();
    let cell = |(title, name): &(&str, &str)| {
        let held = line.holds.iter().find(|(held, _)| held == name).map(|(_, text)| text.clone());
        let text = match *title {
            "line" => line.line_no.to_string(),
            "contact" => line.contact.to_string(),
            "name" => line.name.clone(),
            "standing" => with_own_document(line),
            _ => held.or_else(|| line.set.text(name)).unwrap_or_default(),
        };
        let text = shortened(&text);
        if set.contains(name) { format!("{text}*") } else { text }
    };
    COLUMNS.iter().map(cell).collect()
}

/// Long texts are cut where a table would lose its shape; `--json` has them whole.
fn shortened(text: &str) -> String {
    const WIDTH: usize = 32;
    let mut short: String = text.chars().take(WIDTH).collect();
    if text.chars().nth(WIDTH).is_some() {
        short.push('…');
    }
    short
}

fn with_own_document(line: &LineOverview) -> String {
    match line.set.document {
        Some(_) => format!("{}, own document*", line.standing),
        None => line.standing.clone(),
    }
}

fn object(line: &LineOverview) -> Json {
    let holds: Map<String, Json> =
        line.holds.iter().map(|(name, text)| ((*name).to_owned(), json!(text))).collect();
    json!({ "line": line.line_no, "contact": line.contact, "name": line.name, "set": line.set, "holds": holds,
            "standing": line.standing })
}

fn duplicates(
    database: &Database,
    segment: &SegmentNo,
    (data, terminal): (&mut Data, &Terminal),
) -> Result<u8, Failure> {
    let mut n_duplicates = 0;
    database.each_duplicate(segment, &mut |duplicate| {
        n_duplicates += 1;
        if terminal.json {
            let object = json!({ "by": duplicate.by, "what": duplicate.what, "lines": duplicate.lines });
            terminal.object(data, &object);
        } else {
            let lines: Vec<String> = duplicate.lines.iter().map(ToString::to_string).collect();
            let row = vec![duplicate.by.to_owned(), duplicate.what.clone(), lines.join(", ")];
            table(&[row]).iter().for_each(|line| data.line(line));
        }
    })?;
    terminal.say(&counted(n_duplicates, "duplicate", "duplicates"));
    Ok(DONE)
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Failure {
        match error {
            ExportError::Records(error) => error.into(),
            ExportError::Table(error) => error.into(),
            ExportError::File(error) => Failure::output(error),
        }
    }
}
