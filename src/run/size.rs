//! Owns the size limits: where the set-up has one, every message is made and measured before anything is sent, and
//! once more with its PDF, which is not known before, at the moment when it is made.

use std::collections::BTreeSet;
use std::fmt;

use rayon::prelude::*;

use crate::delivery::dkim::Signer;
use crate::delivery::message::Message;
use crate::interaction::template::EmailAttachment;
use crate::interaction::{EntryNo, RunNo};
use crate::merge::Buffer;
use crate::run::album::Album;
use crate::run::journal::{Pending, Which};
use crate::run::letters::{LetterAs, Letters};
use crate::run::plan::{RunDocument, RunOptions};
use crate::run::problem::Problem;
use crate::run::{RunError, Store};
use crate::segment::LineNo;
use crate::setup::Setup;
use crate::setup::mail::{ByteSize, Smtp};

const LINES_PER_BATCH: usize = 512;

/// So many problems are listed; the rest would say the same.
const PROBLEMS_LISTED: usize = 1_000;

/// Something of a message that is larger than the set-up allows.
pub(in crate::run) struct Excess {
    what: String,
    size: ByteSize,
    limit: ByteSize,
    key: &'static str,
}

impl Excess {
    fn help(&self) -> String {
        format!("send less, or raise `{}` under `[smtp]` if the servers take it", self.key)
    }
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has {}, but the limit is {}", self.what, self.size, self.limit)
    }
}

/// Returns what of a line's message, around its letter, is larger than the set-up of the run allows.
pub(in crate::run) fn excesses(
    letters: &Letters,
    line: &Pending,
    letter: LetterAs<'_>,
    message: &Message,
) -> Vec<Excess> {
    let Some(smtp) = letters.smtp().filter(|smtp| has_limit(smtp)) else { return Vec::new() };
    let excess = |what: String, size: usize, limit: Option<ByteSize>, key| {
        let size = ByteSize(size as u64);
        limit.filter(|limit| size > *limit).map(|limit| Excess { what, size, limit, key })
    };
    let attached = letters.attached(line, letter).into_iter().filter_map(|(name, size)| {
        excess(format!("the attachment `{name}`"), size, smtp.attachment_limit, "attachment_limit")
    });
    let whole = excess("the message".to_owned(), message.bytes().len(), smtp.message_limit, "message_limit");
    attached.chain(whole).collect()
}

/// Warns that the check measures messages without the PDF that is attached to them.
pub(in crate::run) fn warning(options: &RunOptions, documents: &[RunDocument]) -> Option<Problem> {
    options.smtp.as_ref().filter(|smtp| has_limit(smtp))?;
    let with_pdf = documents.iter().filter(|document| document.email.attach.contains(&EmailAttachment::Pdf));
    let names: BTreeSet<&str> = with_pdf.map(|document| document.name.as_str()).collect();
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    (!names.is_empty()).then(|| Problem {
        id: "pdf-not-measured",
        message: format!(
            "the messages of {names} were measured without their PDF, which is made when the segment is run"
        ),
        place: format!("{}: [smtp]", Setup::FILE_NAME),
        help: Some("a line whose message is too large with it fails, and is not sent".to_owned()),
    })
}

fn has_limit(smtp: &Smtp) -> bool {
    smtp.message_limit.is_some() || smtp.attachment_limit.is_some()
}

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
    if !options.smtp.as_ref().is_some_and(has_limit) {
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
            .map_init(Buffer::default, |buffer, line| measure((&letters, &album), line, buffer))
            .collect();
        problems.extend(found.into_iter().flatten());
    }
    problems.truncate(PROBLEMS_LISTED);
    Ok(problems)
}

fn measure((letters, album): (&Letters, &Album), line: &Pending, buffer: &mut Buffer) -> Vec<Problem> {
    let place = || format!("contact {}, line {}", line.contact, line.line_no);
    let number = line.line_no.0 / LineNo::STEP;
    let merged = letters
        .merge(&line.letter, number, album, buffer)
        .and_then(|_| letters.enclosed(&line.letter, number, album));
    let made = merged.and_then(|enclosed| {
        let letter = LetterAs { docx: buffer.letter(), pdf: None, enclosed: &enclosed };
        letters.message(line, letter).map(|message| (message, enclosed))
    });
    let (message, enclosed) = match made {
        Ok(made) => made,
        Err(reason) => return vec![Problem { id: "message", message: reason, place: place(), help: None }],
    };
    let letter = LetterAs { docx: buffer.letter(), pdf: None, enclosed: &enclosed };
    let problem = |excess: &Excess| Problem {
        id: "too-large",
        message: excess.to_string(),
        place: place(),
        help: Some(excess.help()),
    };
    excesses(letters, line, letter, &message).iter().map(problem).collect()
}
