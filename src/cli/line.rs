//! Owns the command for one line of a segment: values set and cleared, its own document, another contact.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::DONE;
use super::change::{change, nothing, pairs, read_document};
use super::look::{Besides, outlooks};
use super::office::setup;
use super::options::Common;
use super::problem::Failure;
use super::terminal::Terminal;
use crate::contact::ContactNo;
use crate::interaction::Entry;
use crate::run::preview::Look;
use crate::run::worksheet::{Edit, Target, change_line, swap_contact};
use crate::segment::{LineNo, SegmentNo};

#[derive(Debug, Args)]
pub(super) struct Line {
    /// The number of the segment
    segment: String,
    /// The number of the contact
    contact: String,
    /// A value and its text: comment, subject, language, address, email, evaluation, …
    #[arg(value_name = "NAME=VALUE")]
    values: Vec<String>,
    /// Which line, where the contact has several
    #[arg(long, value_name = "LINE")]
    line: Option<u64>,
    /// A value to clear, so that the header's holds again; may be given more than once
    #[arg(long, value_name = "NAME")]
    clear: Vec<String>,
    /// The line's own Word template
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
    /// Write the merged letter to this file, to be edited in Word
    #[arg(long, value_name = "FILE", conflicts_with_all = ["values", "clear", "document", "import", "swap"])]
    premerge: Option<PathBuf>,
    /// Take a letter that was merged and edited as the line's own document
    #[arg(long, value_name = "FILE", conflicts_with = "document")]
    import: Option<PathBuf>,
    /// Put this contact on the line instead; what was set for the old one goes away
    #[arg(long, value_name = "NO", conflicts_with_all = ["values", "clear", "document", "import"])]
    swap: Option<String>,
}

pub(super) fn line(common: &Common, line: &Line, terminal: &Terminal) -> Result<u8, Failure> {
    let segment = SegmentNo(line.segment.clone());
    let target = Target { contact: ContactNo::from(line.contact.as_str()), line_no: line.line.map(LineNo) };
    if let Some(file) = &line.premerge {
        return premerge(common, (&segment, &target), file, terminal);
    }
    let line_no = match &line.swap {
        Some(contact) => {
            let contact = ContactNo::from(contact.as_str());
            change(common, |database| Ok(swap_contact(database, (&segment, &target), &contact)?))?
        }
        None => {
            let file = line.document.as_ref().or(line.import.as_ref());
            let documents = file
                .map(|file| Ok::<_, Failure>(vec![(String::new(), read_document(file)?)]))
                .transpose()?
                .unwrap_or_default();
            let edit = Edit {
                set: pairs(&line.values)?,
                clear: line.clear.clone(),
                documents,
                is_merged: line.import.is_some(),
            };
            let setup = setup(common, None)?;
            change(common, |database| Ok(change_line(database, &setup, (&segment, &target), &edit)?))?
        }
    };
    terminal.say(&format!("line {line_no} of segment {segment} set"));
    if terminal.json {
        let contact = line.swap.as_ref().unwrap_or(&line.contact);
        let object = json!({ "segment": segment, "line": line_no, "contact": contact });
        terminal.object(&mut terminal.data(), &object);
    }
    Ok(DONE)
}

fn premerge(
    common: &Common,
    (segment, target): (&SegmentNo, &Target),
    file: &PathBuf,
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let look = match target.line_no {
        Some(line_no) => Look::Line(line_no),
        None => Look::Contacts(vec![target.contact.clone()]),
    };
    let found = outlooks(common, &segment.0, &look, Besides::Nothing)?;
    let Some(outlook) = found.into_iter().find(|outlook| outlook.contact == target.contact) else {
        return Err(nothing(format!("contact {} has no line on segment {segment}", target.contact), None));
    };
    let planned = outlook.planned.map_err(Failure::problems)?;
    let Some(letter) = outlook.letter else {
        let Entry { state, reason, .. } = &planned.entry;
        let because = if reason.is_empty() { state.to_string() } else { format!("{state}: {reason}") };
        return Err(nothing(format!("line {} makes no letter: it is {because}", outlook.line_no), None));
    };
    fs::write(file, letter).map_err(Failure::output)?;
    terminal.say(&format!(
        "wrote {}; edit it, then: mailrun segment line {segment} {}{} --import {}",
        file.display(),
        target.contact,
        target.line_no.map(|line_no| format!(" --line {line_no}")).unwrap_or_default(),
        file.display()
    ));
    Ok(DONE)
}
