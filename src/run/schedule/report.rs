//! Owns what is told of a due time: the object that `--json` and hooks have, and the words for people.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::{Came, DueState, DueTime, Schedule, ScheduleName};
use crate::interaction::RunNo;
use crate::run::problem::with_causes;
use crate::run::seed::Seed;
use crate::run::{Counts, LoadError, Problem, RunError};
use crate::segment::SegmentNo;

/// What came of a due time, as `--json` prints it and hooks get it.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "each field is the documented one of its name")]
pub struct DueReport<'a> {
    pub schedule: &'a ScheduleName,
    pub due: Timestamp,
    pub state: DueState,
    pub reason: &'a str,
    pub run: Option<RunNo>,
    pub segment: Option<&'a SegmentNo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<u64>,
    #[serde(flatten)]
    pub counts: Option<Counts>,
    #[serde(skip_serializing_if = "<[Seed]>::is_empty")]
    pub seeds: &'a [Seed],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub after_hook: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub notice: &'a str,
}

impl<'a> DueReport<'a> {
    /// Reports a due time as it stands.
    pub fn new(schedule: &'a ScheduleName, due_time: &'a DueTime) -> DueReport<'a> {
        DueReport {
            schedule,
            due: due_time.due,
            state: due_time.state,
            reason: &due_time.reason,
            run: due_time.run,
            segment: due_time.segment.as_ref(),
            lines: None,
            counts: None,
            seeds: &[],
            seconds: None,
            error: None,
            after_hook: &due_time.after_hook,
            notice: &due_time.notice,
        }
    }

    /// Reports what came of a due time in a turn.
    pub fn of(schedule: &'a ScheduleName, came: &'a Came) -> DueReport<'a> {
        DueReport {
            lines: came.counts.map(|counts| counts.lines()),
            counts: came.counts,
            seeds: &came.seeds,
            seconds: Some(came.seconds),
            error: came.error.as_ref().map(|error| with_causes(error)),
            ..DueReport::new(schedule, &came.due_time)
        }
    }
}

/// "missed (too-late)".
pub fn state_in_words(due_time: &DueTime) -> String {
    match due_time.reason.as_str() {
        "" => due_time.state.as_str().to_owned(),
        reason => format!("{} ({reason})", due_time.state.as_str()),
    }
}

/// "schedule daily, due 2026-03-02T08:00:00Z: done; segment SM00001, run 1; 3 lines = 3 written".
pub fn in_words(name: &ScheduleName, due_time: &DueTime, counts: Option<&Counts>) -> String {
    let mut words = format!("schedule {name}, due {}: {}", due_time.due, state_in_words(due_time));
    if let (Some(segment), Some(run)) = (&due_time.segment, due_time.run) {
        words.push_str(&format!("; segment {segment}, run {run}"));
    }
    if let Some(counts) = counts {
        words.push_str(&format!("; {counts}"));
    }
    words
}

/// How many due times one report lists; of the others it says how many there are.
const MOST_LISTED: usize = 100;

/// Writes the subject and the text of the report to the operator, of at least one due time.
pub(super) fn letter(schedule: &Schedule, told: &[Came]) -> (String, String) {
    let name = &schedule.name;
    let mut text = String::new();
    for came in told.iter().take(MOST_LISTED) {
        text.push_str(&in_words(name, &came.due_time, came.counts.as_ref()));
        text.push('\n');
        advise(&mut text, schedule, came);
    }
    if let Some(n_more) = told.len().checked_sub(MOST_LISTED).filter(|n| *n > 0) {
        text.push_str(&format!("and {n_more} more\n"));
    }
    text.push_str(&format!("\n`mailrun schedule show {name}` lists the due times.\n"));
    (subject(schedule, told), text)
}

fn subject(schedule: &Schedule, told: &[Came]) -> String {
    let care = if told.iter().any(needs_a_person) { ", needs a look" } else { "" };
    if let [came] = told {
        let zone = TimeZone::get(&schedule.timezone).unwrap_or(TimeZone::UTC);
        let due = came.due_time.due.to_zoned_datetime(zone).strftime("%Y-%m-%d %H:%M %Z");
        return format!("mailrun: {}, due {due}: {}{care}", schedule.name, came.due_time.state.as_str());
    }
    let count = |state: DueState| told.iter().filter(|came| came.due_time.state == state).count();
    let parts: Vec<String> = DueState::ALL
        .into_iter()
        .map(|state| (count(state), state))
        .filter(|(n, _)| *n > 0)
        .map(|(n, state)| format!("{n} {}", state.as_str()))
        .collect();
    format!("mailrun: {}: {}{care}", schedule.name, parts.join(", "))
}

/// Tells whether somebody has to do something about a due time.
fn needs_a_person(came: &Came) -> bool {
    let went_wrong = |counts: &Counts| counts.in_doubt > 0 || counts.rejected > 0 || counts.failed > 0;
    came.due_time.state != DueState::Done
        || came.due_time.hook_failure().is_some()
        || came.counts.as_ref().is_some_and(went_wrong)
        || came.seeds.iter().any(Seed::went_wrong)
}

/// Says what stopped a due time, and what can be done.
fn advise(text: &mut String, schedule: &Schedule, came: &Came) {
    let due_time = &came.due_time;
    let mut say = |line: &str| writeln!(text, "  {line}").expect("a string takes all text");
    for problem in came.error.iter().flat_map(problems_of) {
        say(&format!("error: {}", problem.message));
        say(&format!("  --> {}", problem.place));
        if let Some(help) = &problem.help {
            say(&format!("  help: {help}"));
        }
    }
    if let Some(error) = came.error.as_ref().filter(|error| problems_of(error).is_empty()) {
        say(&format!("error: {}", with_causes(error)));
    }
    if let (Some(counts), Some(segment)) = (&came.counts, &due_time.segment) {
        if counts.in_doubt > 0 {
            say(&format!(
                "in doubt: `mailrun log list --segment {segment} --state in-doubt` shows them; `mailrun resume {segment} \
                 --in-doubt resend` or `assume-sent` decides"
            ));
        }
        if counts.rejected + counts.failed > 0 {
            say(&format!(
                "`mailrun log list --segment {segment}` shows what was rejected or failed, and why"
            ));
        }
    }
    for seed in came.seeds.iter().filter(|seed| seed.went_wrong()) {
        say(&seed.to_string());
    }
    if let Some(failure) = due_time.hook_failure() {
        say(&format!("the hook after it failed: {failure}"));
    }
    match due_time.state {
        DueState::Claimed => say(&format!(
            "not begun: the next `mailrun schedule due` tries again, until it is older than {}",
            schedule.max_age
        )),
        DueState::Running => say("interrupted: the next `mailrun schedule due` goes on"),
        DueState::Failed => say("nothing was sent: put it right, and run it by hand if it is still wanted"),
        DueState::Done | DueState::Missed => {}
    }
}

fn problems_of(error: &RunError) -> &[Problem] {
    match error {
        RunError::Problems { problems, .. } | RunError::Load(LoadError::Problems(problems)) => problems,
        _ => &[],
    }
}
