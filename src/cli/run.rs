//! Owns the commands that run segments: check, run, resume, status.

use std::time::Instant;

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::json;

use super::office::{Surroundings, segment_no, segment_ref};
use super::options::Common;
use super::problem::{Failure, listed, n_problems, warn, with_causes};
use super::progress::Bar;
use super::stages;
use super::terminal::{Terminal, visible};
use super::window::look_through;
use super::{DONE, INTERRUPTED, PROBLEMS, SOME_LINES};
use crate::delivery::window::Window;
use crate::interaction::{RunNo, State};
use crate::run::check::Checked;
use crate::run::records::SegmentStanding;
use crate::run::seed::Seed;
use crate::run::{self, Counts, InDoubt, Journal, Pause, Records, Report, SegmentRef};
use crate::segment::SegmentNo;
use crate::setup::rate::Span;
use crate::setup::{LetterFiles, PrintOrder, Setup, Sides};
use crate::store::Database;

#[derive(Debug, Args)]
pub(super) struct Check {
    /// A segment file, or the number of a segment
    pub(super) segment: String,
    /// Lay out letters and look at their first pages through the window of an envelope (docs/print.md)
    #[arg(long, value_name = "NAME", value_parser = Window::names())]
    pub(super) window: Option<String>,
    /// So many lines, spread over the segment, are looked at through the window; a number beyond the last: all
    #[arg(long, value_name = "N", default_value_t = 20, requires = "window")]
    pub(super) window_lines: usize,
}

#[derive(Debug, Args)]
pub(super) struct Run {
    /// A segment file, or the number of a segment
    pub(super) segment: String,
    /// Load, resolve and check, and stop there
    #[arg(long)]
    pub(super) dry_run: bool,
    /// When the segment is logged, make a new one with its people
    #[arg(long)]
    pub(super) follow_up: bool,
    /// How long to wait for messages that the server puts off, and for a server that went away
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    pub(super) wait: Span,
    /// Make one PDF of all letters on paper, with a ticket for the print shop
    #[arg(long, value_enum, value_name = "ORDER", num_args = 0..=1, require_equals = true,
          default_missing_value = "lines")]
    pub(super) print: Option<OrderChoice>,
    /// Print on both sides: each letter begins on a new sheet
    #[arg(long)]
    pub(super) duplex: bool,
}

/// In which order letters are printed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum OrderChoice {
    /// As the lines of the segment
    Lines,
    /// By country and postcode
    Presorted,
    /// By number of sheets
    Sheets,
}

#[derive(Debug, Args)]
pub(super) struct Resume {
    /// The number of a segment, or its file
    pub(super) segment: Option<String>,
    /// What becomes of messages in doubt; with SEGMENT, of a logged run too
    #[arg(long, value_enum, default_value = "hold")]
    pub(super) in_doubt: InDoubtChoice,
    /// How long to wait for messages that the server puts off, and for a server that went away
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    pub(super) wait: Span,
}

/// What becomes of messages that may have been sent.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum InDoubtChoice {
    /// They stay in doubt
    Hold,
    /// They are sent again
    Resend,
    /// They count as sent
    AssumeSent,
}

#[derive(Debug, Args)]
pub(super) struct Status {
    /// The number of a segment, or its file
    pub(super) segment: Option<String>,
}

/// The report of a run, as `--json` prints it.
#[derive(Debug, Serialize)]
struct JsonReport<'a> {
    run: RunNo,
    segment: &'a SegmentNo,
    lines: u64,
    #[serde(flatten)]
    counts: Counts,
    #[serde(skip_serializing_if = "<[Seed]>::is_empty")]
    seeds: &'a [Seed],
    seconds: f64,
}

pub(super) fn check(common: &Common, check: &Check, terminal: &mut Terminal) -> Result<u8, Failure> {
    let asked = segment_ref(&check.segment);
    let surroundings = Surroundings::of(common, Some(&asked))?;
    let code = look_only(common, &surroundings, &asked, terminal)?;
    match &check.window {
        Some(window) if code == DONE => look_through(common, check, window, terminal),
        Some(_) | None => Ok(code),
    }
}

/// Loads, resolves and checks a segment, and stops there.
fn look_only(
    common: &Common,
    surroundings: &Surroundings,
    asked: &SegmentRef,
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let mut database = Database::open_existing(&common.db)?;
    let (segment, checked) = run::check(&mut surroundings.office(&mut database), asked)?;
    let code = print_checked(&segment, &checked, terminal);
    stages::say(common, &surroundings.stages, terminal);
    Ok(code)
}

pub(super) fn run(common: &Common, run: &Run, terminal: &mut Terminal) -> Result<u8, Failure> {
    let asked = segment_ref(&run.segment);
    let mut surroundings = Surroundings::of(common, Some(&asked))?;
    surroundings.wait = run.wait.duration();
    surroundings.setup.defaults.follow_up |= run.follow_up;
    print_as_asked(run, &mut surroundings.setup);
    if run.dry_run {
        return look_only(common, &surroundings, &asked, terminal);
    }
    refuse_if_nothing_to_run(common, &asked)?;
    surroundings.stop_on_interrupt()?;
    let started = Instant::now();
    let mut database = Database::open(&common.db)?;
    let bar = Bar::new(terminal);
    let report =
        run::run(&mut surroundings.office(&mut database), &asked, &mut |progress| bar.show(progress));
    drop(bar);
    let report = report?;
    let code = print_report(&report, started, common, terminal);
    say_followers(&database, &report, terminal)?;
    stages::say(common, &surroundings.stages, terminal);
    Ok(code)
}

/// What the command says about printing goes before what the set-up says.
fn print_as_asked(run: &Run, setup: &mut Setup) {
    if let Some(order) = run.print {
        setup.output.print = true;
        setup.print.order = match order {
            OrderChoice::Lines => PrintOrder::Lines,
            OrderChoice::Presorted => PrintOrder::Presorted,
            OrderChoice::Sheets => PrintOrder::Sheets,
        };
    }
    if run.duplex {
        setup.print.sides = Sides::Duplex;
    }
    if setup.output.print && setup.output.letters == LetterFiles::Docx {
        setup.output.letters = LetterFiles::Pdf; // a print file is made of PDF
    }
}

/// A number can only be run out of a database that there is; a wrong one must not make an empty one.
fn refuse_if_nothing_to_run(common: &Common, asked: &SegmentRef) -> Result<(), Failure> {
    match asked {
        SegmentRef::No(segment) if !common.db.exists() => {
            Err(run::LoadError::Unknown(segment.clone()).into())
        }
        SegmentRef::No(_) | SegmentRef::File(_) => Ok(()),
    }
}

pub(super) fn resume(common: &Common, resume: &Resume, terminal: &mut Terminal) -> Result<u8, Failure> {
    let mut surroundings = Surroundings::of(common, None)?;
    surroundings.wait = resume.wait.duration();
    let mut database = Database::open_existing(&common.db)?;
    let mut runs = database.interrupted()?;
    if let Some(text) = &resume.segment {
        let segment = segment_no(text)?;
        runs.retain(|(_, interrupted)| *interrupted == segment);
        if runs.is_empty()
            && !matches!(resume.in_doubt, InDoubtChoice::Hold)
            && let Some(run) = database.run_of(&segment)?
            && database.counts(run)?.in_doubt > 0
        {
            runs.push((run, segment));
        }
    }
    if runs.is_empty() {
        terminal.say("nothing to resume");
        return Ok(DONE);
    }
    surroundings.stop_on_interrupt()?;
    let in_doubt = match resume.in_doubt {
        InDoubtChoice::Hold => InDoubt::Hold,
        InDoubtChoice::Resend => InDoubt::Resend,
        InDoubtChoice::AssumeSent => InDoubt::AssumeSent,
    };
    let mut code = DONE;
    for (run, _) in runs {
        code = code.max(resume_one(common, &surroundings, &mut database, (run, in_doubt), terminal)?);
    }
    stages::say(common, &surroundings.stages, terminal);
    Ok(code)
}

/// Ends one run, and returns the exit code that its report asks for.
fn resume_one(
    common: &Common,
    surroundings: &Surroundings,
    database: &mut Database,
    (run, in_doubt): (RunNo, InDoubt),
    terminal: &Terminal,
) -> Result<u8, Failure> {
    let started = Instant::now();
    let bar = Bar::new(terminal);
    let mut office = surroundings.office(database);
    let report = run::resume(&mut office, run, in_doubt, &mut |progress| bar.show(progress));
    drop(bar);
    let report = report?;
    let code = print_report(&report, started, common, terminal);
    say_followers(database, &report, terminal)?;
    Ok(code)
}

/// Names the follow-up segments that were made when a segment was logged.
fn say_followers(database: &Database, report: &Report, terminal: &Terminal) -> Result<(), Failure> {
    for follower in database.followers(&report.segment)? {
        terminal.say(&format!(
            "follow-up: segment {follower}; `mailrun segment show {follower}` shows its lines"
        ));
    }
    Ok(())
}

pub(super) fn status(common: &Common, status: &Status, terminal: &mut Terminal) -> Result<u8, Failure> {
    let mut database = Database::open_existing(&common.db)?;
    let runs = match &status.segment {
        Some(text) => {
            let segment = segment_no(text)?;
            let Some(run) = database.run_of(&segment)? else {
                let is_open = database.header(&segment)?.is_some();
                let message = match is_open {
                    true => format!("segment {segment} is open: it was not run yet"),
                    false => format!("there is no segment `{segment}`"),
                };
                return Err(Failure::Stopped { code: PROBLEMS, message, help: None });
            };
            vec![(run, segment)]
        }
        None => [database.interrupted()?, database.runs_in_doubt()?].concat(),
    };
    if runs.is_empty() {
        terminal.say("no run is under way or interrupted, and no message in doubt");
    }
    let mut data = terminal.data();
    for (run, segment) in runs {
        let (counts, seeds) = (database.counts(run)?, database.seeds(run)?);
        if terminal.json {
            let (lines, seeds) = (counts.lines(), seeds.as_slice());
            let report = JsonReport { run, segment: &segment, lines, counts, seeds, seconds: 0.0 };
            terminal.object(&mut data, &report);
        } else {
            let is_logged = matches!(database.standing(&segment)?, SegmentStanding::Logged(_));
            let state = if is_logged { "done" } else { "not done: `mailrun resume` continues" };
            data.line(&format!("segment {segment}, run {run}: {state}"));
            data.line(&counts.to_string());
            for seed in seeds.iter().filter(|seed| common.verbose > 0 || seed.went_wrong()) {
                data.line(&seed_in_words(seed, is_logged));
            }
            if counts.in_doubt > 0 {
                data.line(&in_doubt_in_words(&counts, &segment));
            }
        }
    }
    Ok(DONE)
}

fn print_checked(segment: &SegmentNo, checked: &Checked, terminal: &Terminal) -> u8 {
    let n = checked.problems.len();
    // Beside a problem, a column that nothing uses is no news.
    let unused_columns = if n == 0 { checked.unused_columns.as_slice() } else { &[] };
    warn(&checked.warnings, unused_columns, terminal);
    if terminal.json {
        let mut data = terminal.data();
        for problem in &checked.problems {
            terminal.object(&mut data, &json!({ "problem": problem }));
        }
        terminal.object(
            &mut data,
            &json!({ "segment": segment, "lines": checked.n_lines, "problems": n,
                                               "warnings": checked.warnings.len(),
                                               "unused_columns": checked.unused_columns }),
        );
    }
    if n > 0 {
        terminal.complain(&listed(&checked.problems));
        terminal.complain(&format!("{} in segment {segment}. Nothing was sent.", n_problems(n)));
        return PROBLEMS;
    }
    let lines = if checked.n_lines == 1 { "line" } else { "lines" };
    terminal.say(&format!("segment {segment}: {} {lines}, no problems", checked.n_lines));
    terminal.say(&checked.counts.to_string());
    DONE
}

pub(super) fn print_report(report: &Report, started: Instant, common: &Common, terminal: &Terminal) -> u8 {
    let counts = report.counts;
    let seconds = (started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    if terminal.json {
        let Report { run, segment, seeds, .. } = report;
        let json = JsonReport { run: *run, segment, lines: counts.lines(), counts, seeds, seconds };
        terminal.object(&mut terminal.data(), &json);
    } else {
        let logged = if report.is_logged { "logged" } else { "not done" };
        terminal.say(&format!("segment {}, run {}: {logged} in {seconds} s", report.segment, report.run));
        terminal.say(&counts.to_string());
        terminal.say(&format!("files: {}", report.folder.display()));
        terminal.say(&format!("log:   {}", common.db.display()));
        if counts.in_doubt > 0 {
            terminal.say(&in_doubt_in_words(&counts, &report.segment));
        }
        for (n, state) in [(counts.rejected, State::Rejected), (counts.failed, State::Failed)] {
            if n > 0 {
                terminal.say(&format!(
                    "{n} {state}: `mailrun log list --segment {} --state {state}` says why",
                    report.segment
                ));
            }
        }
    }
    say_seeds(report, terminal);
    if let Some(pause) = &report.pause {
        terminal.complain(&pause_in_words(pause, &report.segment));
    } else if !report.is_logged {
        terminal.say(&format!("`mailrun resume {}` continues", report.segment));
    }
    if report.is_logged { code_of(counts, &report.seeds) } else { INTERRUPTED }
}

/// Tells how the seeds stand; whoever wants to hear errors alone hears of those without their copy.
fn say_seeds(report: &Report, terminal: &Terminal) {
    for seed in &report.seeds {
        match seed.went_wrong() {
            true => terminal.complain(&visible(&format!("warning: {seed}"))),
            false => terminal.say(&seed_in_words(seed, report.is_logged)),
        }
    }
}

/// How a seed stands; one that is planned still when its run is logged waits for nothing.
fn seed_in_words(seed: &Seed, is_logged: bool) -> String {
    let why = if is_logged && seed.state == State::Planned { ": no e-mail of the run went out" } else { "" };
    visible(&format!("{seed}{why}"))
}

/// The exit code for a run that is done, and whose lines and seeds stand so.
pub(super) fn code_of(counts: Counts, seeds: &[Seed]) -> u8 {
    match counts {
        counts if !counts.is_done() => INTERRUPTED,
        Counts { rejected: 0, failed: 0, in_doubt: 0, .. } if !seeds.iter().any(Seed::went_wrong) => DONE,
        _ => SOME_LINES,
    }
}

/// What can be done about messages of which nobody knows whether they arrived.
fn in_doubt_in_words(counts: &Counts, segment: &SegmentNo) -> String {
    let messages =
        if counts.in_doubt == 1 { "1 message".to_owned() } else { format!("{} messages", counts.in_doubt) };
    format!(
        "{messages} in doubt: sent to the end, and no reply came. `mailrun log list --state in-doubt` shows them; \
         `mailrun resume {segment} --in-doubt resend` or `assume-sent` decides"
    )
}

/// Why a run paused, and what continues it.
pub(super) fn pause_in_words(pause: &Pause, segment: &SegmentNo) -> String {
    let resume = format!("`mailrun resume {segment}` continues");
    match pause {
        Pause::Stopped => format!("stopped; {resume}"),
        Pause::Retries { due } => format!("paused: the next retry is due at {due}; {resume} then"),
        Pause::WarmUp { per_day: 1 } => {
            format!("paused: the 1 message of this day of the warm-up is sent; {resume} tomorrow")
        }
        Pause::WarmUp { per_day } => {
            format!("paused: the {per_day} messages of this day of the warm-up are sent; {resume} tomorrow")
        }
        Pause::Window { opens } => {
            format!(
                "paused: messages may leave again from {}; {resume} then",
                opens.strftime("%Y-%m-%d %H:%M %Z")
            )
        }
        Pause::Delivery(error) => {
            format!("error: {}\n  help: put it right, then {resume}", visible(&with_causes(error)))
        }
    }
}
