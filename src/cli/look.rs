//! Owns the commands that look before anything happens: explain, preview.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::office::{Surroundings, program_folders, segment_ref};
use super::options::Common;
use super::post;
use super::problem::{Failure, listed, n_problems};
use super::terminal::{Terminal, table, visible};
use super::{DONE, INTERRUPTED, PROBLEMS, SOME_LINES};
use crate::contact::{ContactNo, CorrespondenceType};
use crate::delivery::mailbox::{AddressError, Mailbox};
use crate::delivery::message::Message;
use crate::delivery::name::safe_name;
use crate::delivery::pdf::picture::{self, PictureError};
use crate::delivery::smtp::connection::Connection;
use crate::interaction::{Entry, State};
use crate::run::enclosure::file_names;
use crate::run::preview::{Look, Outlook, look, look_at_pages, look_for};
use crate::run::{Counts, Problem, Question, RunError, way};
use crate::segment::LineNo;
use crate::setup::program;
use crate::store::Database;

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// A segment file, or the number of a segment
    pub(super) segment: String,
    /// The number of the contact
    #[arg(long, value_name = "NO")]
    pub(super) contact: String,
    /// Which line, where the contact has several; left out: the first
    #[arg(long, value_name = "LINE")]
    pub(super) line: Option<u64>,
}

#[derive(Debug, Args)]
pub(super) struct Preview {
    /// A segment file, or the number of a segment
    pub(super) segment: String,
    /// The number of a contact; may be given more than once
    #[arg(long, value_name = "NO")]
    pub(super) contact: Vec<String>,
    /// The first lines of the segment
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(super) first: usize,
    /// Send the messages to this address instead, each marked as a preview; without a mail server they are files
    #[arg(long, value_name = "ADDRESS")]
    pub(super) send_to: Option<String>,
    /// Make each letter PDF too, and a picture of each page
    #[arg(long, conflicts_with = "send_to")]
    pub(super) png: bool,
}

/// What is made of the lines besides what they have anyway.
#[derive(Clone, Copy)]
pub(super) enum Besides<'a> {
    Nothing,
    Copies(&'a Mailbox),
    Pages,
}

pub(super) fn explain(common: &Common, explain: &Explain, terminal: &mut Terminal) -> Result<u8, Failure> {
    let contact = ContactNo::from(explain.contact.as_str());
    let look = match explain.line {
        Some(line_no) => Look::Line(LineNo(line_no)),
        None => Look::Contacts(vec![contact.clone()]),
    };
    let outlooks = outlooks(common, &explain.segment, &look, Besides::Nothing)?;
    let outlook = outlooks.iter().find(|outlook| outlook.contact == contact);
    let Some(outlook) = outlook else { return Err(no_line(&explain.contact)) };
    let mut data = terminal.data();
    match &outlook.planned {
        Ok(planned) if terminal.json => {
            for (name, value, rule) in values(&planned.entry, outlook) {
                terminal.object(&mut data, &json!({ "name": name, "value": value, "rule": rule }));
            }
            Ok(DONE)
        }
        Ok(planned) => {
            let mut rows = vec![["value", "holds", "because it is"].map(str::to_owned).to_vec()];
            rows.extend(
                values(&planned.entry, outlook)
                    .into_iter()
                    .map(|(name, value, rule)| vec![name, value, rule]),
            );
            table(&rows).iter().for_each(|line| data.line(line));
            let entry = &planned.entry;
            let reason = if entry.reason.is_empty() { String::new() } else { format!(": {}", entry.reason) };
            data.line(&format!("the line is {}{reason}", entry.state));
            Ok(DONE)
        }
        Err(problems) => {
            terminal.complain(&listed(problems));
            terminal.complain(&format!("{} with this line.", n_problems(problems.len())));
            Ok(PROBLEMS)
        }
    }
}

pub(super) fn preview(common: &Common, preview: &Preview, terminal: &mut Terminal) -> Result<u8, Failure> {
    let contacts: Vec<ContactNo> = preview.contact.iter().map(|no| ContactNo::from(no.as_str())).collect();
    let wanted = if contacts.is_empty() { Look::First(preview.first) } else { Look::Contacts(contacts) };
    if let Some(address) = &preview.send_to {
        return send_copies(common, preview, &wanted, address, terminal);
    }
    let (besides, painter) = match preview.png {
        true => (Besides::Pages, Some(painter()?)),
        false => (Besides::Nothing, None),
    };
    let outlooks = outlooks(common, &preview.segment, &wanted, besides)?;
    let surroundings = Surroundings::of(common, Some(&segment_ref(&preview.segment)))?;
    let problems: Vec<Problem> =
        outlooks.iter().filter_map(|outlook| outlook.planned.as_ref().err()).flatten().cloned().collect();
    if !problems.is_empty() {
        return Err(Failure::problems(problems));
    }
    let mut data = terminal.data();
    for outlook in &outlooks {
        let Ok(planned) = &outlook.planned else { continue };
        let entry = &planned.entry;
        let folder = surroundings.out.join(safe_name(&entry.segment.0, "")).join("preview");
        for (name, bytes) in files(outlook, entry, painter.as_deref())? {
            let path = folder.join(name);
            write(&path, bytes)?;
            if terminal.json {
                let object = json!({ "contact": entry.contact, "line": entry.line_no, "file": path });
                terminal.object(&mut data, &object);
            } else {
                data.line(&path.display().to_string());
            }
        }
        if outlook.letter.is_none() {
            terminal.say(&format!("contact {}: {} {}", entry.contact, entry.state, entry.reason));
        }
    }
    terminal.say("this is a preview: nothing was sent or logged");
    Ok(DONE)
}

/// Sends the messages to somebody who looks at them; nothing is logged.
fn send_copies(
    common: &Common,
    preview: &Preview,
    wanted: &Look,
    address: &str,
    terminal: &mut Terminal,
) -> Result<u8, Failure> {
    let to: Mailbox = address
        .parse()
        .map_err(|error: AddressError| Failure::problem(error.id(), error.to_string(), "--send-to"))?;
    let outlooks = outlooks(common, &preview.segment, wanted, Besides::Copies(&to))?;
    let surroundings = Surroundings::of(common, Some(&segment_ref(&preview.segment)))?;
    let problems: Vec<Problem> =
        outlooks.iter().filter_map(|outlook| outlook.planned.as_ref().err()).flatten().cloned().collect();
    if !problems.is_empty() {
        return Err(Failure::problems(problems));
    }
    let smtp = surroundings.setup.smtp.clone().filter(|smtp| !smtp.url.is_empty());
    let copies: Vec<(&Entry, &Message)> = outlooks
        .iter()
        .filter_map(|outlook| Some((&outlook.planned.as_ref().ok()?.entry, outlook.message.as_ref()?)))
        .collect();
    let mut connection = match (&smtp, copies.first()) {
        (Some(smtp), Some((entry, _))) => {
            let n_messages = copies.len() as u64;
            let segment = entry.segment.clone();
            let (url, counts) = (smtp.url.clone(), Counts::default());
            let question = Question { segment, url, n_messages, n_seeds: 0, counts };
            if !(surroundings.agree)(&question) {
                return Err(RunError::NotAgreed { n_messages, n_seeds: 0 }.into());
            }
            let unreached = |message: String| Failure::Stopped {
                code: INTERRUPTED,
                message,
                help: Some("`mailrun doctor` looks at the set-up and the server".to_owned()),
            };
            let way = way(smtp, &smtp.from, &post::password).map_err(|error| unreached(error.to_string()))?;
            let opened = Connection::open(&way);
            let opened = opened.map_err(|error| unreached(format!("{}: {error}", way.server)))?;
            Some(opened)
        }
        _ => None,
    };
    let mut code = DONE;
    let mut data = terminal.data();
    for (entry, message) in &copies {
        let outcome = match &mut connection {
            Some(connection) => {
                let ended = connection.send(message);
                connection.settle();
                if ended.outcome.state() != State::Accepted {
                    code = SOME_LINES;
                }
                format!("{} by the server", ended.outcome.state())
            }
            None => {
                let folder = surroundings.out.join(safe_name(&entry.segment.0, "")).join("preview");
                let path =
                    folder.join(safe_name(&format!("{} to {to}", entry.file, to = to.address()), "eml"));
                write(&path, message.bytes().to_vec())?;
                path.display().to_string()
            }
        };
        if terminal.json {
            let object =
                json!({ "contact": entry.contact, "line": entry.line_no, "to": address, "outcome": outcome });
            terminal.object(&mut data, &object);
        } else {
            data.line(&visible(&format!("contact {}: {outcome}", entry.contact)));
        }
    }
    if let Some(connection) = connection {
        connection.close();
    }
    let n_without = outlooks.len() - copies.len();
    if n_without > 0 {
        terminal.say(&format!("{n_without} of the lines have no message"));
    }
    terminal.say("this is a preview: nothing was sent to the contacts, nothing was logged");
    Ok(code)
}

pub(super) fn outlooks(
    common: &Common,
    segment: &str,
    wanted: &Look,
    besides: Besides<'_>,
) -> Result<Vec<Outlook>, Failure> {
    let asked = segment_ref(segment);
    let surroundings = Surroundings::of(common, Some(&asked))?;
    let mut database = Database::open_existing(&common.db)?;
    let mut office = surroundings.office(&mut database);
    match besides {
        Besides::Nothing => Ok(look(&mut office, &asked, wanted)?),
        Besides::Copies(to) => Ok(look_for(&mut office, &asked, wanted, to)?),
        Besides::Pages => Ok(look_at_pages(&mut office, &asked, wanted)?),
    }
}

/// Finds the program that draws pages.
fn painter() -> Result<PathBuf, Failure> {
    program(Path::new(picture::PROGRAM), &program_folders()).ok_or_else(|| {
        let error = PictureError::NoProgram;
        Failure::problems(vec![Problem {
            id: error.id(),
            message: error.to_string(),
            place: "--png".to_owned(),
            help: error.help(),
        }])
    })
}

fn no_line(contact: &str) -> Failure {
    Failure::Stopped {
        code: PROBLEMS,
        message: format!("contact `{contact}` has no line on the segment"),
        help: Some("check the number, or the criteria of the segment".to_owned()),
    }
}

/// Returns the files of an outlook: letter and enclosures, as PDF and in pictures where they are, and the message where
/// there is one.
fn files(
    outlook: &Outlook,
    entry: &Entry,
    painter: Option<&Path>,
) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut files = Vec::new();
    let stem = Path::new(&entry.file).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let pdf = outlook.pdf.as_ref().map(|pdf| &pdf.bytes);
    let letter = outlook.letter.iter().map(|docx| (safe_name(&stem, "docx"), docx, pdf));
    let names = file_names(&safe_name(&stem, "docx"), outlook.enclosed.iter().map(|it| it.name.as_str()));
    let enclosed =
        outlook.enclosed.iter().zip(names).map(|(it, (name, _))| (name, &it.docx, it.pdf.as_ref()));
    for (name, docx, pdf) in letter.chain(enclosed) {
        let stem = Path::new(&name).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        files.push((name, docx.clone()));
        let Some(pdf) = pdf else { continue };
        files.push((safe_name(&stem, "pdf"), pdf.clone()));
        let drawn = painter.map(|painter| picture::pictures(painter, pdf)).transpose();
        let drawn = drawn.map_err(|error| Failure::Stopped {
            code: INTERRUPTED,
            message: error.to_string(),
            help: error.help(),
        })?;
        for (page, picture) in (1..).zip(drawn.unwrap_or_default()) {
            files.push((safe_name(&stem, &format!("{page}.png")), picture));
        }
    }
    if let Some(message) = &outlook.message {
        files.push((safe_name(&stem, "eml"), message.bytes().to_vec()));
    }
    Ok(files)
}

fn write(path: &Path, bytes: Vec<u8>) -> Result<(), Failure> {
    path.parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(path, bytes))
        .map_err(Failure::output)
}

fn values(entry: &Entry, outlook: &Outlook) -> Vec<(String, String, String)> {
    let value = |name: &str| match name {
        "interaction_template" => entry.template.clone(),
        "description" => entry.description.clone(),
        "date" => entry.date.to_string(),
        "language" => entry.language.clone(),
        "document" => {
            let digest = entry.document.as_ref().map_or("", |digest| digest.as_str());
            let short: String = digest.chars().take(12).collect();
            outlook.documents.first().map_or_else(|| short.clone(), |name| format!("{name} ({short})"))
        }
        "enclosures" => outlook.documents.get(1..).unwrap_or_default().join(", "),
        "subject" => entry.subject.clone(),
        "correspondence_type" => {
            entry.correspondence_type.map_or("log only", CorrespondenceType::as_str).to_owned()
        }
        "address" => entry.address_block.replace('\n', " / "),
        "email" => entry.email.clone(),
        "salesperson" => entry.salesperson.clone(),
        "campaign" => entry.campaign.clone(),
        "unit_cost" => entry.unit_cost.map(|cost| cost.to_string()).unwrap_or_default(),
        "unit_duration" => entry.unit_duration.map(|duration| duration.to_string()).unwrap_or_default(),
        "information_flow" => entry.information_flow.map_or("", |flow| flow.as_str()).to_owned(),
        "initiated_by" => entry.initiated_by.map_or("", |by| by.as_str()).to_owned(),
        "campaign_target" => entry.campaign_target.to_string(),
        "campaign_response" => entry.campaign_response.to_string(),
        "salutation" => entry.salutation_formal.clone(),
        "comment" => entry.comment.clone(),
        "exclusion" => "ignored".to_owned(),
        _ => entry.evaluation.map_or("", |evaluation| evaluation.as_str()).to_owned(),
    };
    let row = |(name, rule): &(&str, crate::interaction::Rule)| {
        ((*name).to_owned(), value(name), rule.words().to_owned())
    };
    outlook.rules.iter().map(row).collect()
}
