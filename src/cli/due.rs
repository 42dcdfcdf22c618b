//! Owns the commands that run what is due of schedules: due, daemon.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use jiff::{SignedDuration, Timestamp, ZonedDateTime};

use super::office::{Surroundings, now, stop_on_interrupt};
use super::options::Common;
use super::problem::Failure;
use super::progress::Bar;
use super::run::{code_of, pause_in_words};
use super::schedule::{next_due, unknown};
use super::terminal::{Terminal, visible};
use super::{DONE, INTERRUPTED, SOME_LINES};
use crate::run::SegmentRef;
use crate::run::schedule::report::{DueReport, in_words};
use crate::run::schedule::{Came, DueState, Schedule, ScheduleName, Work, turn};
use crate::setup::rate::Span;
use crate::store::Database;

#[derive(Debug, Args)]
pub(super) struct Due {
    /// Schedules; left out: all
    name: Vec<ScheduleName>,
    /// How long to wait for messages that the server puts off, and for a server that went away
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    wait: Span,
}

/// Runs what is due, once.
pub(super) fn due(common: &Common, due: &Due, terminal: &mut Terminal) -> Result<u8, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    stop_on_interrupt(&stop)?;
    let taken = turns(common, due, &stop, terminal)?;
    if taken.n_told == 0 && taken.code == DONE {
        terminal.say("nothing is due");
    }
    Ok(taken.code)
}

/// The longest time between two looks at the schedules: one may be added or removed, and the clock may be set.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// How long Ctrl-C may go unheard while the daemon sleeps.
const NAP: Duration = Duration::from_millis(200);

/// Takes turns until it is stopped.
pub(super) fn daemon(common: &Common, due: &Due, terminal: &mut Terminal) -> Result<u8, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    stop_on_interrupt(&stop)?;
    let started = (now(common)?, Instant::now());
    terminal.say(&format!("waiting for what is due in {}", common.db.display()));
    while !stop.load(Ordering::Relaxed) {
        let at = clock(common, &started)?;
        let own = Common { now: Some(at.to_string()), ..common.clone() };
        if let Err(failure) = turns(&own, due, &stop, terminal) {
            failure.print(terminal); // a disk that is full or a database that is busy may be well by the next turn
        }
        let sleep = until_next_due(common, clock(common, &started)?.timestamp());
        let slept = Instant::now();
        while slept.elapsed() < sleep && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(NAP.min(sleep.saturating_sub(slept.elapsed())));
        }
    }
    terminal.say("stopped; the next start goes on");
    Ok(DONE)
}

/// What the turns of all schedules came to.
#[derive(Debug)]
struct Taken {
    code: u8,
    n_told: usize,
}

/// Takes a turn of each schedule. One that fails does not keep the others from theirs.
fn turns(
    common: &Common,
    due: &Due,
    stop: &Arc<AtomicBool>,
    terminal: &mut Terminal,
) -> Result<Taken, Failure> {
    let mut database = Database::open_existing(&common.db)?;
    let records = database.schedules()?;
    if let Some(name) =
        due.name.iter().find(|name| !records.iter().any(|record| record.schedule.name == **name))
    {
        return Err(unknown(name));
    }
    let mut taken = Taken { code: DONE, n_told: 0 };
    for record in records {
        let name = &record.schedule.name;
        if stop.load(Ordering::Relaxed) || !(due.name.is_empty() || due.name.contains(name)) {
            continue;
        }
        match take_turn(common, due, (&record.schedule, stop), (&mut database, terminal)) {
            Ok(came) => {
                taken.n_told += came.len();
                for came in came {
                    taken.code = taken.code.max(tell(name, came, terminal));
                }
            }
            Err(failure) => {
                terminal.complain(&format!("schedule {name}:"));
                taken.code = taken.code.max(failure.print(terminal));
            }
        }
    }
    Ok(taken)
}

fn take_turn(
    common: &Common,
    due: &Due,
    (schedule, stop): (&Schedule, &Arc<AtomicBool>),
    (database, terminal): (&mut Database, &Terminal),
) -> Result<Vec<Came>, Failure> {
    let asked = match &schedule.work {
        Work::SegmentFile(file) => Some(SegmentRef::File(file.clone())),
        Work::Criteria { .. } => None,
    };
    let own = Common {
        config: common.config.clone().or_else(|| schedule.config.clone()),
        out: common.out.clone().or_else(|| Some(schedule.out.clone())),
        ..common.clone()
    };
    let mut surroundings = Surroundings::of(&own, asked.as_ref())?;
    if common.config.is_none() {
        surroundings.server = None; // an interrupted run keeps the server that it began with
    }
    let is_agreed = schedule.is_agreed;
    surroundings.agree = Box::new(move |_| is_agreed);
    surroundings.wait = due.wait.duration();
    surroundings.stop = Arc::clone(stop);
    let bar = Bar::new(terminal);
    let came = turn(&mut surroundings.office(database), &schedule.name, &mut |progress| bar.show(progress));
    drop(bar);
    let came = came?;
    if came.is_none() {
        terminal.say(&format!("schedule {}: another process is at it", schedule.name));
    }
    Ok(came.unwrap_or_default())
}

/// Tells what came of a due time, and returns the exit code that it asks for.
fn tell(name: &ScheduleName, came: Came, terminal: &mut Terminal) -> u8 {
    let words = visible(&in_words(name, &came.due_time, came.counts.as_ref()));
    let mut code = match came.due_time.state {
        DueState::Done => came.counts.map_or(DONE, |counts| code_of(counts, &came.seeds)),
        DueState::Claimed | DueState::Running => INTERRUPTED,
        DueState::Missed | DueState::Failed => SOME_LINES,
    };
    if terminal.json {
        terminal.object(&mut terminal.data(), &DueReport::of(name, &came));
    } else if code == DONE {
        terminal.say(&words);
    } else {
        terminal.complain(&words);
    }
    let Came { due_time, seeds, pause, error, .. } = came;
    for seed in seeds.iter().filter(|seed| seed.went_wrong()) {
        terminal.complain(&format!("warning: {}", visible(&seed.to_string())));
    }
    if let (Some(pause), Some(segment)) = (&pause, &due_time.segment) {
        terminal.complain(&pause_in_words(pause, segment));
    }
    if !due_time.notice.is_empty() {
        terminal.complain(&format!("warning: {}", visible(&due_time.notice)));
    }
    if let Some(failure) = due_time.hook_failure() {
        terminal.complain(&format!("error: the hook after the run failed: {}", visible(failure)));
        code = code.max(SOME_LINES);
    }
    if let Some(error) = error {
        Failure::from(error).print(terminal);
    }
    code
}

/// Reads the clock; one that `--now` has set goes on from there.
fn clock(common: &Common, (at, since): &(ZonedDateTime, Instant)) -> Result<ZonedDateTime, Failure> {
    if common.now.is_none() {
        return now(common);
    }
    let elapsed = SignedDuration::try_from(since.elapsed()).unwrap_or(SignedDuration::ZERO);
    Ok(at.checked_add(elapsed).unwrap_or_else(|_| at.clone()))
}

fn until_next_due(common: &Common, now: Timestamp) -> Duration {
    let Ok(records) = Database::open_existing(&common.db).and_then(|database| database.schedules()) else {
        return LONGEST_SLEEP; // the turn that follows says what is wrong
    };
    let next = records.iter().filter_map(|record| next_due(record, now).ok().flatten()).min();
    next.map_or(LONGEST_SLEEP, |next| {
        next.timestamp().duration_since(now).unsigned_abs().min(LONGEST_SLEEP).max(NAP)
    })
}
