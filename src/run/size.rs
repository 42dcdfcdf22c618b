//! Owns the size limits: where the set-up has one, every message is made and measured before anything is sent.

use rayon::prelude::*;

use crate::delivery::dkim::Signer;
use crate::interaction::{EntryNo, RunNo};
use crate::merge::Buffer;
use crate::run::album::Album;
use crate::run::journal::{Pending, Which};
use crate::run::letters::{LetterAs, Letters};
use crate::run::plan::RunOptions;
use crate::run::problem::Problem;
use crate::run::{RunError, Store};
use crate::segment::LineNo;
use crate::setup::mail::{ByteSize, Smtp};

const LINES_PER_BATCH: usize = 512;

/// So many problems are listed; the rest would say the same.
const PROBLEMS_LISTED: usize = 1_000;

/// Measures the messages of a plan; nothing to measure where no limit is set.
///
/// # Errors
///
/// A store that fails; documents that cannot be used.
pub(in crate::run) fn check(
    store: &mut dyn Store,
    run: RunNo,
    options: &RunOptions,
    signer: Option<Signer>,
) -> Result<Vec<Problem>, RunError> {
    let Some(smtp) = &options.smtp else { return Ok(Vec::new()) };
    if smtp.message_limit.is_none() && smtp.attachment_limit.is_none() {
        return Ok(Vec::new());
    }
    let documents = store.documents(run)?;
    let letters = Letters::compile(store, options.clone(), documents)?.signed_by(signer);
    let mut problems = Vec::new();
    let mut after = EntryNo(0);
    while problems.len() < PROBLEMS_LISTED {
        let mut pending = store.pending(run, Which::Messages, after, LINES_PER_BATCH)?;
        let (album, n_lines) =
            Album::fetch(store, pending.iter().map(|line| &line.letter), &Album::default())?;
        pending.truncate(n_lines);
        let Some(last) = pending.last() else { break };
        after = last.entry;
        let found: Vec<Vec<Problem>> = pending
            .par_iter()
            .map_init(Buffer::default, |buffer, line| measure((&letters, &album), smtp, line, buffer))
            .collect();
        problems.extend(found.into_iter().flatten());
    }
    problems.truncate(PROBLEMS_LISTED);
    Ok(problems)
}

fn measure(
    (letters, album): (&Letters, &Album),
    smtp: &Smtp,
    line: &Pending,
    buffer: &mut Buffer,
) -> Vec<Problem> {
    let place = || format!("contact {}, line {}", line.contact, line.line_no);
    let made = letters
        .merge(&line.letter, line.line_no.0 / LineNo::STEP, album, buffer)
        .and_then(|_| letters.message(line, LetterAs { docx: buffer.letter(), pdf: None }));
    let message = match made {
        Ok(message) => message,
        Err(reason) => return vec![Problem { id: "message", message: reason, place: place(), help: None }],
    };
    let mut problems = Vec::new();
    let mut hold = |what: String, size: usize, limit: Option<ByteSize>, key: &str| {
        let size = ByteSize(size as u64);
        let Some(limit) = limit.filter(|limit| size > *limit) else { return };
        problems.push(Problem {
            id: "too-large",
            message: format!("{what} has {size}, but the limit is {limit}"),
            place: place(),
            help: Some(format!("send less, or raise `{key}` under `[smtp]` if the servers take it")),
        });
    };
    for (name, size) in letters.attached(line, LetterAs { docx: buffer.letter(), pdf: None }) {
        hold(format!("the attachment `{name}`"), size, smtp.attachment_limit, "attachment_limit");
    }
    hold("the message".to_owned(), message.bytes().len(), smtp.message_limit, "message_limit");
    problems
}
