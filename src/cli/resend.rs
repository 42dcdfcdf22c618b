//! Owns delivering entries of the log once more, on purpose: which, whether their contacts still agree, and how it ends.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::note::{Said, write_note};
use super::office::Surroundings;
use super::options::Common;
use super::problem::Failure;
use super::progress::Bar;
use super::run::print_report;
use super::terminal::Terminal;
use super::{DONE, PROBLEMS, SOME_LINES};
use crate::contact::{ContactNo, CorrespondenceType, consent};
use crate::interaction::{EntryNo, NoteKind, RunNo, State};
use crate::run::{self, Records};
use crate::segment::SegmentNo;
use crate::setup::rate::Span;
use crate::store::Database;
use crate::store::log::{LogFilter, LogRow};

/// What is to be delivered once more.
pub(super) enum Asked {
    /// These entries.
    Entries(Vec<EntryNo>),
    /// All that failed or were rejected, of one segment or of all.
    Failed(Option<SegmentNo>),
}

/// Whether contacts that are excluded from segments are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exclusion {
    /// They are.
    Holds,
    /// Somebody decided that it does not count here.
    Ignored,
}

/// A wish to deliver entries once more.
pub(super) struct Resend<'a> {
    pub(super) asked: Asked,
    pub(super) exclusion: Exclusion,
    pub(super) wait: Span,
    pub(super) said: &'a Said,
}

pub(super) fn resend(
    common: &Common,
    database: &mut Database,
    wish: &Resend<'_>,
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let mut surroundings = Surroundings::of(common, None)?;
    surroundings.wait = wish.wait.duration();
    let mut by_run: BTreeMap<RunNo, Vec<EntryNo>> = BTreeMap::new();
    let mut code = DONE;
    for row in rows(database, &wish.asked)? {
        let segment = SegmentNo(row.segment.clone());
        match refusal(database, &row, wish.exclusion)? {
            Err(reason) => {
                terminal.complain(&format!("entry {} is not sent again: {reason}", row.entry));
                let said = Said { why: reason, by: wish.said.by.clone() };
                write_note(common, database, &said, (&segment, Some(&row)), NoteKind::Refused)?;
                code = SOME_LINES;
                continue;
            }
            Ok(Consent::DespiteExclusion) => {
                write_note(common, database, wish.said, (&segment, Some(&row)), NoteKind::Allowed)?;
            }
            Ok(Consent::Given) => {
                write_note(common, database, wish.said, (&segment, Some(&row)), NoteKind::Resent)?;
            }
        }
        by_run.entry(RunNo(row.run)).or_default().push(EntryNo(row.entry));
    }
    if by_run.is_empty() {
        terminal.say("nothing is sent again");
        return Ok(code);
    }
    surroundings.stop_on_interrupt()?;
    for (run, entries) in by_run {
        let started = Instant::now();
        let bar = Bar::new(terminal);
        let mut office = surroundings.office(database);
        let report = run::resend(&mut office, run, &entries, &mut |progress| bar.show(progress));
        drop(bar);
        code = code.max(print_report(&report?, started, common, terminal));
    }
    Ok(code)
}

fn rows(database: &Database, asked: &Asked) -> Result<Vec<LogRow>, Failure> {
    let mut rows = Vec::new();
    match asked {
        Asked::Entries(entries) => {
            for entry in entries.iter().collect::<BTreeSet<_>>() {
                match database.log_row(*entry)? {
                    Some(row) => rows.push(row),
                    None => {
                        let message = format!("there is no interaction log entry {entry}");
                        return Err(Failure::Stopped { code: PROBLEMS, message, help: None });
                    }
                }
            }
        }
        Asked::Failed(segment) => {
            for state in [State::Failed, State::Rejected] {
                let filter =
                    LogFilter { state: Some(state), segment: segment.clone(), ..LogFilter::default() };
                database.each_entry(&filter, &mut |row| rows.push(row.clone()))?;
            }
        }
    }
    Ok(rows)
}

/// Consent is tested at the last moment; the suppression list is asked once more when the run takes the line up.
fn refusal(
    database: &mut Database,
    row: &LogRow,
    exclusion: Exclusion,
) -> Result<Result<Consent, String>, Failure> {
    let state: Option<State> = row.state.parse().ok();
    let is_sendable = match state {
        Some(
            State::Accepted
            | State::Rejected
            | State::Failed
            | State::InDoubt
            | State::Written
            | State::Deferred,
        ) => true,
        Some(State::Planned | State::Merged | State::Sending | State::Suppressed | State::LogOnly) | None => {
            false
        }
    };
    if row.is_cancelled || row.is_segment_cancelled {
        return Ok(Err("it is cancelled".to_owned()));
    }
    if !is_sendable {
        return Ok(Err(format!("it is {}", row.state)));
    }
    if database.logged_letter(EntryNo(row.entry))?.is_none_or(|logged| logged.letter.is_none()) {
        return Ok(Err("what its letter was made of is not kept any more".to_owned()));
    }
    let contact = database.contact(&ContactNo::from(row.contact.as_str()))?;
    let Some(contact) = contact else {
        return Ok(Err(format!("contact {} is gone, and with it its consent", row.contact)));
    };
    let kind = CorrespondenceType::parse(&row.correspondence_type);
    let (found, consent) = match exclusion {
        Exclusion::Ignored if contact.exclude_from_segment => {
            (consent::refusal_despite_exclusion(&contact, kind), Consent::DespiteExclusion)
        }
        Exclusion::Ignored | Exclusion::Holds => (consent::refusal(&contact, kind), Consent::Given),
    };
    Ok(found.map_or(Ok(consent), |refusal| Err(refusal.to_string())))
}

/// Why an entry may be sent again.
enum Consent {
    /// Nothing speaks against it.
    Given,
    /// The contact is excluded from segments, and somebody decided that this does not count.
    DespiteExclusion,
}
