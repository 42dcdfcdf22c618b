//! Owns the commands for paper that holds addresses alone: labels, envelopes, cover sheets, address lists.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::change::counted;
use super::office::{Surroundings, segment_ref};
use super::options::Common;
use super::problem::{Failure, listed};
use super::terminal::Terminal;
use super::{DONE, SOME_LINES};
use crate::contact::address::{PostalAddress, address_block};
use crate::delivery::DeliveryError;
use crate::delivery::name::safe_name;
use crate::delivery::pdf::{Converter, Letter, PdfError, Properties};
use crate::delivery::sheet::cover_sheet::{self, CoverText, MOST_LINES};
use crate::delivery::sheet::envelope::Envelope;
use crate::delivery::sheet::label::LabelSheet;
use crate::delivery::sheet::{SheetError, address_list, remark, take_out_too_long};
use crate::run::addressee::{Addressees, addressees};
use crate::run::{Problem, RunError};
use crate::setup::Setup;
use crate::store::Database;

/// What all sheets understand.
#[derive(Debug, Args)]
pub(super) struct Sheet {
    /// A segment file, or the number of a segment, open or logged
    segment: String,
    /// As PDF too
    #[arg(long)]
    pdf: bool,
}

/// What sheets understand whose room is small.
#[derive(Debug, Args)]
struct Small {
    #[command(flatten)]
    sheet: Sheet,
    /// Leave out whose address does not fit, name them, and end with exit code 3
    #[arg(long)]
    leave_out: bool,
}

#[derive(Debug, Args)]
pub(super) struct Labels {
    #[command(flatten)]
    small: Small,
    /// The sheet that the labels come on: 37x70, L7160, 5160, … (docs/print.md); a wrong name lists all
    #[arg(long, value_name = "NAME", default_value = LabelSheet::DEFAULT)]
    format: String,
    /// So many labels of the first sheet are used up, row by row
    #[arg(long, value_name = "N", default_value_t = 0)]
    skip: usize,
}

#[derive(Debug, Args)]
pub(super) struct Envelopes {
    #[command(flatten)]
    small: Small,
    /// The envelope: DL, C6/5, C5 or US-10
    #[arg(long, value_name = "NAME", default_value = Envelope::DEFAULT)]
    format: String,
    /// Without the sender, for envelopes that have it
    #[arg(long)]
    no_sender: bool,
}

#[derive(Debug, Args)]
pub(super) struct CoverSheets {
    #[command(flatten)]
    small: Small,
    /// A remark to tick: information, attention, comments, approval, call or return; may be given more than once
    #[arg(long, value_name = "REMARK", value_parser = remark::NAMES)]
    remark: Vec<String>,
    /// A remark in words of your own
    #[arg(long, value_name = "TEXT", default_value = "")]
    own_remark: String,
    /// A line of text; up to five
    #[arg(long, value_name = "TEXT")]
    text: Vec<String>,
}

/// What is laid out.
struct Laid {
    /// The name of its file, without an ending.
    name: &'static str,
    /// The Word document.
    document: Vec<u8>,
    /// Who was left out, since the address does not fit.
    too_long: Vec<SheetError>,
}

pub(super) fn labels(common: &Common, labels: &Labels, terminal: &Terminal) -> Result<u8, Failure> {
    let format = LabelSheet::find(&labels.format).map_err(|error| refused(vec![error]))?;
    written(common, &labels.small.sheet, terminal, |found, _| {
        let too_long = labels.small.left_out(found, format.room())?;
        let document = format.document(&found.people, labels.skip).map_err(refused)?;
        Ok(Laid { name: "labels", document, too_long })
    })
}

pub(super) fn envelopes(common: &Common, envelopes: &Envelopes, terminal: &Terminal) -> Result<u8, Failure> {
    let format = Envelope::find(&envelopes.format).map_err(|error| refused(vec![error]))?;
    written(common, &envelopes.small.sheet, terminal, |found, surroundings| {
        let too_long = envelopes.small.left_out(found, format.room())?;
        let sender = if envelopes.no_sender { Vec::new() } else { sender(&surroundings.setup) };
        let document = format.document(&found.people, &sender).map_err(refused)?;
        Ok(Laid { name: "envelopes", document, too_long })
    })
}

pub(super) fn cover_sheets(common: &Common, cover: &CoverSheets, terminal: &Terminal) -> Result<u8, Failure> {
    if cover.text.len() > MOST_LINES {
        let message =
            format!("{} lines of text are too many, at most {MOST_LINES} find room", cover.text.len());
        return Err(Failure::problem("too-many-lines", message, "--text"));
    }
    written(common, &cover.small.sheet, terminal, |found, surroundings| {
        let too_long = cover.small.left_out(found, cover_sheet::ROOM)?;
        let text = CoverText {
            sender: sender(&surroundings.setup),
            date: surroundings.now.date(),
            subject: found.description.clone(),
            remarks: cover.remark.clone(),
            own_remark: cover.own_remark.clone(),
            lines: cover.text.clone(),
        };
        let document = cover_sheet::document(&found.people, &text).map_err(refused)?;
        Ok(Laid { name: "cover-sheets", document, too_long })
    })
}

impl Small {
    /// Takes those out whose address does not fit, if that is asked for. It is refused where nobody is left.
    fn left_out(&self, found: &mut Addressees, room: (f64, f64)) -> Result<Vec<SheetError>, Failure> {
        if !self.leave_out {
            return Ok(Vec::new());
        }
        let too_long = take_out_too_long(&mut found.people, room);
        if found.people.is_empty() { Err(refused(too_long)) } else { Ok(too_long) }
    }
}

pub(super) fn addresses(common: &Common, list: &Sheet, terminal: &Terminal) -> Result<u8, Failure> {
    written(common, list, terminal, |found, surroundings| {
        let folder = folder(surroundings, found)?;
        let file = folder.join("address-list.xlsx");
        address_list::write(&found.people, &file)?;
        say(&file, found.people.len(), terminal);
        let title = format!("Segment {} · {}", found.segment, found.description);
        let document = address_list::document(&found.people, &title).map_err(|error| refused(vec![error]))?;
        Ok(Laid { name: "address-list", document, too_long: Vec::new() })
    })
}

/// Finds whom the paper is for, lets it be laid out, and writes it; says who is left out.
fn written(
    common: &Common,
    sheet: &Sheet,
    terminal: &Terminal,
    lay_out: impl FnOnce(&mut Addressees, &Surroundings) -> Result<Laid, Failure>,
) -> Result<u8, Failure> {
    let asked = segment_ref(&sheet.segment);
    let surroundings = Surroundings::of(common, Some(&asked))?;
    if sheet.pdf && surroundings.setup.pdf.soffice.is_none() {
        let error = PdfError::NoProgram;
        let (id, message, help) = (error.id(), error.to_string(), error.help());
        return Err(Failure::problems(vec![Problem { id, message, place: "--pdf".to_owned(), help }]));
    }
    let mut database = Database::open_existing(&common.db)?;
    let mut office = surroundings.office(&mut database);
    let mut found = addressees(&mut office, &asked)?;
    let left_out: u64 = found.left_out.values().sum();
    if found.people.is_empty() {
        say_left_out(&found, terminal);
        let message = format!("segment {} has nobody whom a letter on paper goes to", found.segment);
        return Err(Failure::problem("no-addressees", message, sheet.segment.clone()));
    }
    let Laid { name, document, too_long } = lay_out(&mut found, &surroundings)?;
    let pdf = if sheet.pdf { Some(pdf(&document, &found, &surroundings)?) } else { None };
    let folder = folder(&surroundings, &found)?;
    let docx = folder.join(format!("{name}.docx"));
    publish(&docx, &document)?;
    say(&docx, found.people.len(), terminal);
    if let Some((pdf, n_pages)) = pdf {
        let path = folder.join(format!("{name}.pdf"));
        publish(&path, &pdf)?;
        terminal.say(&format!("{} written to {}", counted(n_pages as u64, "page", "pages"), path.display()));
    }
    say_left_out(&found, terminal);
    let too_long: Vec<Problem> = too_long.into_iter().map(problem).collect();
    if terminal.json {
        let object = json!({ "segment": found.segment, "file": docx, "addresses": found.people.len(),
                             "left_out": left_out, "reasons": found.left_out, "too_long": too_long });
        terminal.object(&mut terminal.data(), &object);
    }
    if too_long.is_empty() {
        return Ok(DONE);
    }
    terminal.complain(&listed(&too_long));
    let n = counted(too_long.len() as u64, "address is", "addresses are");
    terminal.complain(&format!("{n} left out, since there is no room."));
    Ok(SOME_LINES)
}

fn say(file: &Path, n_addresses: usize, terminal: &Terminal) {
    let addresses = counted(n_addresses as u64, "address", "addresses");
    terminal.say(&format!("{addresses} written to {}", file.display()));
}

fn say_left_out(found: &Addressees, terminal: &Terminal) {
    let n: u64 = found.left_out.values().sum();
    if n > 0 {
        let reasons: Vec<String> =
            found.left_out.iter().map(|(reason, n_lines)| format!("{n_lines} {reason}")).collect();
        terminal.say(&format!("{} left out: {}", counted(n, "line", "lines"), reasons.join(", ")));
    }
}

/// Returns the segment's own folder, which is made where it is missing.
fn folder(surroundings: &Surroundings, found: &Addressees) -> Result<PathBuf, Failure> {
    let folder = surroundings.out.join(safe_name(&found.segment.0, ""));
    fs::create_dir_all(&folder).map_err(Failure::output)?;
    Ok(folder)
}

fn pdf(
    document: &[u8],
    found: &Addressees,
    surroundings: &Surroundings,
) -> Result<(Vec<u8>, usize), Failure> {
    let folder = folder(surroundings, found)?;
    let failed = |error| Failure::from(RunError::from(DeliveryError::Pdf(error)));
    let converter = Converter::open(&surroundings.setup.pdf, &folder).map_err(failed)?;
    let author = surroundings.setup.company.field("name");
    let properties = Properties { title: &found.description, author };
    let made = converter.convert(&[Letter { docx: document, template: 0, properties }]).map_err(failed)?;
    match made.into_iter().next() {
        Some(Ok(pdf)) => Ok((pdf.bytes, pdf.n_pages)),
        Some(Err(reason)) => Err(Failure::problem("pdf", reason, "--pdf")),
        None => Err(Failure::problem("pdf", "LibreOffice made no PDF of it", "--pdf")),
    }
}

/// Writes a file under a temporary name, and gives it its own when it is complete.
fn publish(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut temporary = path.to_owned().into_os_string();
    temporary.push(".mailrun-tmp");
    fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path)).map_err(Failure::output)
}

/// Returns the lines of the sender's address, from the set-up; the country is left out, as on post within it.
fn sender(setup: &Setup) -> Vec<String> {
    let field = |name: &str| setup.company.field(name).to_owned();
    let address = PostalAddress {
        address: field("address"),
        address_2: field("address_2"),
        post_code: field("post_code"),
        city: field("city"),
        county: field("county"),
        country: field("country"),
    };
    address_block(&[field("name"), field("name_2")], &address, &field("country"))
}

fn refused(errors: Vec<SheetError>) -> Failure {
    let refusal = |error: SheetError| {
        let is_too_long = matches!(error, SheetError::TooLong { .. });
        let problem = problem(error);
        let help = problem.help.map(|help| match is_too_long {
            true => help + "; with `--leave-out` the others get theirs",
            false => help,
        });
        Problem { help, ..problem }
    };
    Failure::problems(errors.into_iter().map(refusal).collect())
}

fn problem(error: SheetError) -> Problem {
    let place = match &error {
        SheetError::UnknownFormat { .. } => "--format".to_owned(),
        SheetError::SkipsSheet { .. } => "--skip".to_owned(),
        SheetError::TooLong { contact, line_no, .. } => format!("contact {contact}, line {line_no}"),
        SheetError::Pack(_) => String::new(),
    };
    Problem { id: error.id(), message: error.to_string(), place, help: error.help() }
}
