//! Owns a turn of a schedule: what was interrupted is ended first, then due times are decided, then run in their order.
//!
//! What cannot be run because the surroundings fail stays claimed or running, and the next turn goes on; what is wrong
//! with the declaration ends the due time, since the next turn would find the same. A hook that was owed is run first, and
//! the operator is told last.

use std::time::Instant;

use crate::interaction::RunNo;
use crate::run::check::EMPTY_SEGMENT;
use crate::run::claim::FOLDER_TAKEN;
use crate::run::load::{Asked, FETCH_FAILED, fetch, next_segment_no};
use crate::run::problem::with_causes;
use crate::run::records::{RecordsError, SegmentStanding};
use crate::run::schedule::decide::decide;
use crate::run::schedule::hook;
use crate::run::schedule::notice::tell;
use crate::run::schedule::timetable::Timetable;
use crate::run::schedule::{DueState, DueTime, Mark, ScheduleName, ScheduleRecord, Work};
use crate::run::seed::Seed;
use crate::run::{
    Counts, InDoubt, LoadError, Lock, Office, Pause, Problem, Progress, Report, RunError, SegmentRef, finish,
    keep_or_discard, plan, resume,
};
use crate::segment::SegmentHeader;

/// The run had ended when the database, restored from a backup, thinks that it is under way.
const DATABASE_RESTORED: &str = "database-restored";
/// The hook before it failed; the words that follow say how.
const BEFORE_HOOK: &str = "before-hook";
/// There was nobody to write to.
const NOBODY: &str = "nobody";

/// What came of a due time in a turn.
#[derive(Debug, Default)]
pub struct Came {
    /// The due time as it stands.
    pub due_time: DueTime,
    /// How many lines of its run are in each state, if it was run or resumed.
    pub counts: Option<Counts>,
    /// The seeds of its run, and how they stand, if it was run or resumed.
    pub seeds: Vec<Seed>,
    /// Why its run is not done, if it was run or resumed and is not.
    pub pause: Option<Pause>,
    /// What stopped it, if something did.
    pub error: Option<RunError>,
    /// How long it took.
    pub seconds: f64,
}

/// Runs what is due of a schedule, and tells what came of each due time that was open; nothing if another process is at
/// it. Where the first of them cannot be ended now, those after it wait for the next turn.
///
/// # Errors
///
/// A store that fails outside the run of a due time.
pub fn turn(
    office: &mut Office<'_>,
    name: &ScheduleName,
    observe: &mut dyn FnMut(Progress),
) -> Result<Option<Vec<Came>>, RunError> {
    let Some(lock) = office.store.lock_schedule(name)? else { return Ok(None) };
    let mut came = Vec::new();
    if let Some(record) = office.store.schedule(name)? {
        take(office, &record, &mut came, observe)?;
        tell(office, &record, &mut came)?;
    }
    drop(lock);
    Ok(Some(came))
}

fn take(
    office: &mut Office<'_>,
    record: &ScheduleRecord,
    came: &mut Vec<Came>,
    observe: &mut dyn FnMut(Progress),
) -> Result<(), RunError> {
    let name = &record.schedule.name;
    let timetable = timetable(record)?;
    office.now = office.now.with_time_zone(timetable.zone().clone());
    for due_time in office.store.owed_hooks(name)? {
        let counts = due_time.run.map(|run| office.store.counts(run)).transpose()?;
        let mut owing = Came { due_time, counts, ..Came::default() };
        hook::after(office, record, &mut owing)?;
        came.push(owing);
    }
    let mark = office.store.mark(name)?.filter(|mark| mark.added_at == record.added_at);
    let (running, waiting): (Vec<_>, Vec<_>) = office
        .store
        .open_due_times(name)?
        .into_iter()
        .partition(|due_time| due_time.state == DueState::Running);
    for due_time in running {
        let ended = timed(office, record, |office| go_on(office, (record, mark), due_time, observe))?;
        let is_open = ended.due_time.state == DueState::Running;
        came.push(ended);
        if is_open {
            return Ok(());
        }
    }
    let now = office.now.timestamp();
    let mut decided = decide(record, &timetable, waiting, (now, mark));
    if office.setup.schedule.report_to.is_empty() {
        decided.iter_mut().for_each(|due_time| due_time.told = Some(due_time.state)); // there is nobody to tell
    }
    office.store.decide(name, now.max(record.decided_until), &decided)?;
    let (claimed, missed): (Vec<_>, Vec<_>) =
        decided.into_iter().partition(|due_time| due_time.state == DueState::Claimed);
    came.extend(missed.into_iter().map(|due_time| Came { due_time, ..Came::default() }));
    for due_time in claimed {
        let ended = timed(office, record, |office| begin(office, record, due_time, observe))?;
        let is_open = matches!(ended.due_time.state, DueState::Claimed | DueState::Running);
        came.push(ended);
        if is_open {
            return Ok(());
        }
    }
    Ok(())
}

/// Takes the time of what is done for a due time, and runs the hook after it.
fn timed<'a>(
    office: &mut Office<'a>,
    record: &ScheduleRecord,
    work: impl FnOnce(&mut Office<'a>) -> Result<Came, RunError>,
) -> Result<Came, RunError> {
    let started = Instant::now();
    let mut came = work(office)?;
    came.seconds = (started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    hook::after(office, record, &mut came)?;
    Ok(came)
}

/// Ends the run of a due time that was interrupted.
fn go_on(
    office: &mut Office<'_>,
    (record, mark): (&ScheduleRecord, Option<Mark>),
    due_time: DueTime,
    observe: &mut dyn FnMut(Progress),
) -> Result<Came, RunError> {
    let (Some(run), Some(segment)) = (due_time.run, &due_time.segment) else {
        return settled(office, record, (due_time, DueState::Failed, "no-run"));
    };
    if matches!(office.store.standing(segment)?, SegmentStanding::Logged(_)) {
        put_mark(office, record, &due_time, Some(due_time.due))?; // it was ended by hand, or killed before it said so
        return settled(office, record, (due_time, DueState::Done, ""));
    }
    if mark.and_then(|mark| mark.ended).is_some_and(|ended| ended >= due_time.due) {
        return settled(office, record, (due_time, DueState::Failed, DATABASE_RESTORED));
    }
    put_mark(office, record, &due_time, None)?; // it may not have been written before the interruption
    let resumed = resume(office, run, InDoubt::Hold, observe);
    ended(office, record, due_time, resumed)
}

/// Runs a due time that is claimed.
fn begin(
    office: &mut Office<'_>,
    record: &ScheduleRecord,
    mut due_time: DueTime,
    observe: &mut dyn FnMut(Progress),
) -> Result<Came, RunError> {
    if let Err(error) = hook::before(office, record, &due_time) {
        due_time.reason = format!("{BEFORE_HOOK}: {}", with_causes(&error));
        office.store.put_due_times(&record.schedule.name, std::slice::from_ref(&due_time))?;
        return Ok(Came { due_time, error: Some(error.into()), ..Came::default() });
    }
    let fetched = match &record.schedule.work {
        Work::SegmentFile(file) => {
            fetch(office.store, &SegmentRef::File(file.clone()), office.stop).map(Some)
        }
        Work::Criteria { .. } => Ok(None),
    };
    let fetched = match fetched {
        Ok(fetched) => fetched,
        Err(error) => return stopped(office, record, due_time, error.into()),
    };
    office.store.begin_draft()?;
    let planned = plan_due(office, record, (&due_time, fetched)); // the plan and its due time, in one transaction
    let (run, lock) = match keep_or_discard(office, planned) {
        Ok(planned) => planned,
        Err(error) => return stopped(office, record, due_time, error),
    };
    due_time.state = DueState::Running;
    due_time.reason.clear();
    due_time.run = Some(run);
    due_time.segment = Some(office.store.options(run)?.segment);
    let finished = put_mark(office, record, &due_time, None) // before the first letter or message leaves
        .map_err(RunError::from)
        .and_then(|()| finish(office, run, observe));
    drop(lock);
    ended(office, record, due_time, finished)
}

fn plan_due(
    office: &mut Office<'_>,
    record: &ScheduleRecord,
    (due_time, fetched): (&DueTime, Option<Asked>),
) -> Result<(RunNo, Box<dyn Lock>), RunError> {
    let asked = new_segment(office, record)?;
    let fetched = match fetched {
        Some(fetched) => fetched,
        None => fetch(office.store, &asked, office.stop)?, // a segment of the store: there is nothing to wait for
    };
    let (run, lock) = plan(office, &asked, fetched)?;
    office.store.begin_due(&record.schedule.name, due_time.due, run)?;
    Ok((run, lock))
}

/// Makes the segment of a due time in the draft, or names the file that declares it.
fn new_segment(office: &mut Office<'_>, record: &ScheduleRecord) -> Result<SegmentRef, RunError> {
    let (code, template, set) = match &record.schedule.work {
        Work::SegmentFile(file) => return Ok(SegmentRef::File(file.clone())),
        Work::Criteria { code, template, set } => (code, template, set),
    };
    let name = &record.schedule.name;
    let problem = |id, message| Problem { id, message, place: format!("schedule {name}"), help: None };
    let mut problems = Vec::new();
    let mut header =
        SegmentHeader { no: next_segment_no(office.store, office.setup)?, ..SegmentHeader::default() };
    header.values.description = Some(format!("{name} {}", office.now.date()));
    header.values.interaction_template = Some(template.clone());
    for (value, text) in set {
        if let Err(unfit) = header.set(value, text) {
            problems.push(problem("value", unfit.to_string()));
        }
    }
    let actions = office.store.criteria_actions(code)?.unwrap_or_else(|| {
        problems.push(problem("unknown-criteria", format!("there are no saved criteria `{code}`")));
        Vec::new()
    });
    if !problems.is_empty() {
        return Err(RunError::Problems { segment: header.no, problems });
    }
    office.store.put_segment(&header)?;
    for action in &actions {
        office.store.select(&header.no, action)?;
    }
    Ok(SegmentRef::No(header.no))
}

/// Notes how a run that began or went on has ended, if it has.
fn ended(
    office: &mut Office<'_>,
    record: &ScheduleRecord,
    due_time: DueTime,
    finished: Result<Report, RunError>,
) -> Result<Came, RunError> {
    match finished {
        Ok(report) if report.is_logged => {
            let due = due_time.due;
            put_mark(office, record, &due_time, Some(due))?;
            let came = settled(office, record, (due_time, DueState::Done, ""))?;
            Ok(Came { counts: Some(report.counts), seeds: report.seeds, ..came })
        }
        Ok(Report { counts, seeds, pause, .. }) => {
            Ok(Came { due_time, counts: Some(counts), seeds, pause, ..Came::default() })
        }
        Err(error) => Ok(Came { due_time, error: Some(error), ..Came::default() }),
    }
}

/// Decides whether a due time that could not begin is tried again by the next turn.
fn stopped(
    office: &mut Office<'_>,
    record: &ScheduleRecord,
    mut due_time: DueTime,
    error: RunError,
) -> Result<Came, RunError> {
    let reason = match &error {
        RunError::Problems { problems, .. } if problems.iter().all(|problem| problem.id == EMPTY_SEGMENT) => {
            return settled(office, record, (due_time, DueState::Done, NOBODY));
        }
        RunError::Load(LoadError::Problems(problems)) | RunError::Problems { problems, .. }
            if problems.iter().all(|problem| [FETCH_FAILED, FOLDER_TAKEN].contains(&problem.id)) =>
        {
            // Whatever it asks may be there again by the next turn, and the folder free.
            due_time.reason = problems.first().map(ToString::to_string).unwrap_or_default();
            office.store.put_due_times(&record.schedule.name, std::slice::from_ref(&due_time))?;
            return Ok(Came { due_time, error: Some(error), ..Came::default() });
        }
        RunError::Problems { problems, .. } | RunError::Load(LoadError::Problems(problems)) => {
            match problems.first() {
                Some(first) if problems.len() == 1 => first.to_string(),
                Some(first) => format!("{first}, and {} more", problems.len() - 1),
                None => error.to_string(),
            }
        }
        RunError::Load(LoadError::Unknown(_) | LoadError::Logged { .. })
        | RunError::NotAgreed { .. }
        | RunError::Records(RecordsError::Condition { .. }) => error.to_string(),
        RunError::Load(LoadError::Interrupted { .. } | LoadError::Records(_))
        | RunError::Lock(_)
        | RunError::Records(_)
        | RunError::Letter(_)
        | RunError::Claim(_)
        | RunError::Delivery(_)
        | RunError::Server(_)
        | RunError::Print(_)
        | RunError::Hook(_)
        | RunError::Lines { .. }
        | RunError::Manifest { .. } => return Ok(Came { due_time, error: Some(error), ..Came::default() }),
    };
    let came = settled(office, record, (due_time, DueState::Failed, &reason))?;
    Ok(Came { error: Some(error), ..came })
}

fn settled(
    office: &mut Office<'_>,
    record: &ScheduleRecord,
    (mut due_time, state, reason): (DueTime, DueState, &str),
) -> Result<Came, RunError> {
    due_time.state = state;
    reason.clone_into(&mut due_time.reason);
    if hook::after_of(office, record).is_some() {
        DueTime::OWED.clone_into(&mut due_time.after_hook);
    }
    if office.setup.schedule.report_to.is_empty() {
        due_time.told = Some(state); // there is nobody to tell
    }
    office.store.put_due_times(&record.schedule.name, std::slice::from_ref(&due_time))?;
    Ok(Came { due_time, ..Came::default() })
}

fn put_mark(
    office: &mut Office<'_>,
    record: &ScheduleRecord,
    due_time: &DueTime,
    ended: Option<jiff::Timestamp>,
) -> Result<(), RecordsError> {
    let name = &record.schedule.name;
    let known = office.store.mark(name)?.filter(|mark| mark.added_at == record.added_at);
    let begun = known.map_or(due_time.due, |mark| mark.begun.max(due_time.due));
    let ended = ended.max(known.and_then(|mark| mark.ended));
    office.store.put_mark(name, Mark { added_at: record.added_at, begun, ended })
}

/// The timetable of a schedule that was checked when it was added; the zone may have gone from the machine since.
fn timetable(record: &ScheduleRecord) -> Result<Timetable, RecordsError> {
    let schedule = &record.schedule;
    Timetable::new(&schedule.cron, &schedule.timezone).map_err(|error| RecordsError::Surroundings {
        is_write: false,
        reason: format!("schedule {}: {error}", schedule.name),
    })
}
