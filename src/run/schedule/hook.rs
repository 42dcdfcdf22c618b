//! Owns the hooks of a schedule: the programs before and after a due time, which get its report on standard input.
//!
//! The one before is run before each attempt to begin, and stops it where it fails. The one after is owed as soon as the
//! due time has ended, in the same transaction, and is no longer owed when it has ended: after a crash it is run again.

use super::report::DueReport;
use super::{Came, DueTime, ScheduleRecord};
use crate::run::Office;
use crate::run::problem::with_causes;
use crate::run::records::RecordsError;
use crate::setup::program::{Call, Program, ProgramError};

/// Runs the hook before a due time, if there is one.
pub(super) fn before(
    office: &Office<'_>,
    record: &ScheduleRecord,
    due_time: &DueTime,
) -> Result<(), ProgramError> {
    match record.schedule.before.as_ref().or(office.setup.schedule.before.as_ref()) {
        Some(program) => run(office, program, &DueReport::new(&record.schedule.name, due_time)),
        None => Ok(()),
    }
}

/// The hook after a due time, if there is one.
pub(super) fn after_of<'a>(office: &'a Office<'_>, record: &'a ScheduleRecord) -> Option<&'a Program> {
    record.schedule.after.as_ref().or(office.setup.schedule.after.as_ref())
}

/// Runs the hook after a due time if it is owed, and notes what came of it; a failure is no more than noted.
pub(super) fn after(
    office: &mut Office<'_>,
    record: &ScheduleRecord,
    came: &mut Came,
) -> Result<(), RecordsError> {
    if came.due_time.after_hook != DueTime::OWED {
        return Ok(());
    }
    let name = &record.schedule.name;
    let ended = match after_of(office, record) {
        Some(program) => {
            let report = DueReport { after_hook: "", ..DueReport::of(name, came) };
            run(office, program, &report)
        }
        None => Ok(()), // it was taken out of the set-up since
    };
    came.due_time.after_hook = match ended {
        Ok(()) => DueTime::HOOK_DONE.to_owned(),
        Err(ProgramError::Stopped { .. }) => return Ok(()), // the next turn runs it
        Err(error) => with_causes(&error),
    };
    office.store.put_due_times(name, std::slice::from_ref(&came.due_time))
}

fn run(office: &Office<'_>, program: &Program, report: &DueReport<'_>) -> Result<(), ProgramError> {
    // Our own types have text keys and no numbers that JSON lacks.
    let mut input = serde_json::to_vec(report).expect("a report is JSON");
    input.push(b'\n');
    let scheduling = &office.setup.schedule;
    program.run(Call {
        folder: &scheduling.folder,
        input: &input,
        output: None,
        limit: scheduling.timeout,
        stop: office.stop,
    })
}
