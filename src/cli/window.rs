//! Owns the look through the window of an envelope: the first pages of some letters, before anything is printed.

use std::path::Path;

use serde_json::json;

use super::look::{Besides, outlooks};
use super::office::program_folders;
use super::options::Common;
use super::problem::{Failure, listed, n_problems, with_causes};
use super::run::Check;
use super::terminal::Terminal;
use super::{DONE, INTERRUPTED, PROBLEMS};
use crate::contact::CorrespondenceType;
use crate::delivery::window::{PROGRAM, Window, WindowFault, first_page};
use crate::run::Problem;
use crate::run::preview::{Look, Outlook};
use crate::setup::program;

/// Looks at letters of a segment through a window; what it shows wrongly are problems.
pub(super) fn look_through(
    common: &Common,
    check: &Check,
    name: &str,
    terminal: &Terminal,
) -> Result<u8, Failure> {
    // The argument takes the names of windows alone.
    let Some(window) = Window::find(name) else {
        return Err(Failure::problem("unknown-window", format!("there is no window `{name}`"), "--window"));
    };
    let Some(reader) = program(Path::new(PROGRAM), &program_folders()) else {
        return Err(Failure::problems(vec![Problem {
            id: "no-pdftotext",
            message: format!("a look through a window needs `{PROGRAM}`, which is not there"),
            place: "--window".to_owned(),
            help: Some("install it (Debian, Ubuntu: `apt install poppler-utils`)".to_owned()),
        }]));
    };
    let outlooks = outlooks(common, &check.segment, &Look::Spread(check.window_lines), Besides::Pages)?;
    let (mut problems, mut n_letters) = (Vec::new(), 0_u64);
    for outlook in &outlooks {
        let found = faults(outlook, window, &reader)?;
        n_letters += u64::from(found.is_some());
        problems.extend(found.into_iter().flatten());
    }
    if terminal.json {
        let mut data = terminal.data();
        for problem in &problems {
            terminal.object(&mut data, &json!({ "problem": problem }));
        }
        terminal
            .object(&mut data, &json!({ "window": name, "letters": n_letters, "problems": problems.len() }));
    }
    let letters = if n_letters == 1 { "letter" } else { "letters" };
    if problems.is_empty() {
        terminal.say(&format!("window {name}: {n_letters} {letters} looked at, no problems"));
        return Ok(DONE);
    }
    terminal.complain(&listed(&problems));
    let n = n_problems(problems.len());
    terminal
        .complain(&format!("{n} in {n_letters} {letters} looked at through {name}. Nothing was printed."));
    Ok(PROBLEMS)
}

/// Returns what the window shows wrongly of a letter on paper; none for a line that has none.
fn faults(outlook: &Outlook, window: Window, reader: &Path) -> Result<Option<Vec<Problem>>, Failure> {
    let planned = match &outlook.planned {
        Ok(planned) => planned,
        Err(problems) => return Ok(Some(problems.clone())),
    };
    let entry = &planned.entry;
    let (Some(pdf), Some(CorrespondenceType::HardCopy)) = (&outlook.pdf, entry.correspondence_type) else {
        return Ok(None);
    };
    let words = first_page(reader, &pdf.bytes).map_err(|error| Failure::Stopped {
        code: INTERRUPTED,
        message: with_causes(&error),
        help: None,
    })?;
    let block: Vec<&str> = entry.address_block.lines().collect();
    let problem = |fault: WindowFault| Problem {
        id: fault.id(),
        message: fault.to_string(),
        place: format!("contact {}, line {}, first page", outlook.contact, outlook.line_no),
        help: None,
    };
    Ok(Some(window.faults(&block, &words).into_iter().map(problem).collect()))
}
