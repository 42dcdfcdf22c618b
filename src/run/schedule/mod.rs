//! Owns schedules: what is run again and again, at which times, and what became of each due time.
//!
//! A due time is decided once: it is `claimed` to be run, or `missed`. What is claimed becomes `running` in the same
//! transaction as the plan of its run, so that no due time has two runs, and ends as `done` or `failed`. Before it begins
//! and after it has ended, hooks are run; the operator gets a report.

pub mod timetable;
pub mod report;
mod decide;
mod hook;
mod notice;
mod turn;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::interaction::RunNo;
use crate::run::Lock;
use crate::run::records::RecordsError;
use crate::segment::{CriteriaAction, SegmentNo};
use crate::setup::program::Program;
use crate::setup::rate::Span;

pub use notice::report_problem;
pub use turn::{Came, turn};

/// The name of a schedule: letters, digits, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScheduleName(String);

/// The longest name of a schedule.
const LONGEST_NAME: usize = 40;

/// A text that cannot name a schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no name, expected 1 to {LONGEST_NAME} letters, digits, `-` or `_`")]
pub struct NotAName {
    /// The text.
    pub found: String,
}

impl FromStr for ScheduleName {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<ScheduleName, NotAName> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        match (1..=LONGEST_NAME).contains(&text.len()) && text.chars().all(fits) {
            true => Ok(ScheduleName(text.to_owned())),
            false => Err(NotAName { found: text.to_owned() }),
        }
    }
}

impl TryFrom<String> for ScheduleName {
    type Error = NotAName;

    fn try_from(text: String) -> Result<ScheduleName, NotAName> {
        text.parse()
    }
}

impl From<ScheduleName> for String {
    fn from(name: ScheduleName) -> String {
        name.0
    }
}

impl ScheduleName {
    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ScheduleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is run again and again, and when. It does not depend on the folder in which a command is called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Its name.
    pub name: ScheduleName,
    /// The cron pattern: minute, hour, day of the month, month, day of the week.
    pub cron: String,
    /// The time zone whose clock the pattern is about.
    pub timezone: String,
    /// What makes the new segment of a due time.
    pub work: Work,
    /// How late a due time may be run.
    pub max_age: Span,
    /// What becomes of several due times that have passed at once.
    pub catch_up: CatchUp,
    /// The set-up file, absolute; none: the one beside the segment file, or the defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<PathBuf>,
    /// The folder below which each segment gets its own, absolute.
    pub out: PathBuf,
    /// Whether it was agreed that messages leave the house.
    pub is_agreed: bool,
    /// The program that is run before each due time; none: that of the set-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Program>,
    /// The program that is run after each due time; none: that of the set-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Program>,
}

/// What makes the new segment of a due time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// A segment file without a number, by its absolute path.
    SegmentFile(PathBuf),
    /// Saved criteria and an interaction template.
    Criteria {
        /// The code of the criteria; replayed on the contacts of the moment.
        code: String,
        /// The code of the interaction template.
        template: String,
        /// Further values of the header, by name.
        set: Vec<(String, String)>,
    },
}

/// What becomes of several due times that have passed at once, as after a host was down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CatchUp {
    /// The latest is run, those before it are missed.
    #[default]
    Latest,
    /// Each is run, in their order.
    Each,
    /// None is run: all of them are missed.
    None,
}

/// A schedule as the store has it.
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduleRecord {
    /// The schedule.
    pub schedule: Schedule,
    /// When it was added; earlier times are not due.
    pub added_at: Timestamp,
    /// Up to which moment its due times are decided.
    pub decided_until: Timestamp,
}

/// A due time, and what became of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DueTime {
    /// The moment.
    pub due: Timestamp,
    /// What became of it.
    pub state: DueState,
    /// Why; empty where the state says it all.
    pub reason: String,
    /// Its run, from `running` on.
    pub run: Option<RunNo>,
    /// The segment of the run.
    pub segment: Option<SegmentNo>,
    /// What came of the hook after it: empty, [`OWED`](DueTime::OWED), [`HOOK_DONE`](DueTime::HOOK_DONE), or why it failed.
    pub after_hook: String,
    /// The state of which the operator was told last.
    pub told: Option<DueState>,
    /// What is wrong with the report to the operator; empty if nothing is.
    pub notice: String,
}

impl DueTime {
    /// The hook after it is still to be run.
    pub const OWED: &str = "owed";
    /// The hook after it was run, and ended well.
    pub const HOOK_DONE: &str = "done";

    /// Returns a due time that is to be run.
    pub fn claimed(due: Timestamp) -> DueTime {
        DueTime { due, ..DueTime::default() }
    }

    /// Returns why the hook after it failed; none if it did not.
    pub fn hook_failure(&self) -> Option<&str> {
        match self.after_hook.as_str() {
            "" | DueTime::OWED | DueTime::HOOK_DONE => None,
            failure => Some(failure),
        }
    }

    /// Tells whether nothing more comes of it.
    pub fn is_settled(&self) -> bool {
        matches!(self.state, DueState::Done | DueState::Missed | DueState::Failed)
    }
}

/// What became of a due time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DueState {
    /// It is to be run.
    #[default]
    Claimed,
    /// Its run has a plan, and was not ended.
    Running,
    /// It was run, and its segment is logged; or there was nobody to write to.
    Done,
    /// It was not run, and will not be.
    Missed,
    /// It could not be run as it was declared, and will not be; nothing was sent.
    Failed,
}

impl DueState {
    /// All states.
    pub const ALL: [DueState; 5] =
        [DueState::Claimed, DueState::Running, DueState::Done, DueState::Missed, DueState::Failed];

    /// Returns the word for the state.
    pub fn as_str(self) -> &'static str {
        match self {
            DueState::Claimed => "claimed",
            DueState::Running => "running",
            DueState::Done => "done",
            DueState::Missed => "missed",
            DueState::Failed => "failed",
        }
    }

    /// Reads a state from its word.
    pub fn parse(text: &str) -> Option<DueState> {
        DueState::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// How far a schedule has come, kept outside the database: a database that is restored from a backup forgets what was
/// sent after the backup, and the mark does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// When the schedule was added; a mark of another schedule of the same name counts for nothing.
    pub added_at: Timestamp,
    /// The latest due time whose letters and messages may have begun to leave.
    pub begun: Timestamp,
    /// The latest due time whose run was logged.
    pub ended: Option<Timestamp>,
}

/// What schedules ask of the store.
pub trait Schedules {
    /// Locks a schedule for this process, until the lock is dropped or the process ends; none if another has it.
    fn lock_schedule(&mut self, name: &ScheduleName) -> Result<Option<Box<dyn Lock>>, RecordsError>;
    /// Finds a schedule.
    fn schedule(&mut self, name: &ScheduleName) -> Result<Option<ScheduleRecord>, RecordsError>;
    /// Returns the due times that are claimed or running, in their order.
    fn open_due_times(&mut self, name: &ScheduleName) -> Result<Vec<DueTime>, RecordsError>;
    /// Notes what was decided of due times up to a moment, durably, in one transaction.
    fn decide(
        &mut self,
        name: &ScheduleName,
        until: Timestamp,
        decided: &[DueTime],
    ) -> Result<(), RecordsError>;
    /// Gives a claimed due time its run, inside the draft of the plan; one that is claimed no longer is a stranger's.
    fn begin_due(&mut self, name: &ScheduleName, due: Timestamp, run: RunNo) -> Result<(), RecordsError>;
    /// Notes how due times stand, durably, in one transaction.
    fn put_due_times(&mut self, name: &ScheduleName, due_times: &[DueTime]) -> Result<(), RecordsError>;
    /// Returns the due times whose hook after them is still to be run, in their order.
    fn owed_hooks(&mut self, name: &ScheduleName) -> Result<Vec<DueTime>, RecordsError>;
    /// Returns the due times that have ended and of which the operator was not told, in their order.
    fn untold(&mut self, name: &ScheduleName) -> Result<Vec<DueTime>, RecordsError>;
    /// Returns the actions of saved criteria.
    fn criteria_actions(&mut self, code: &str) -> Result<Option<Vec<CriteriaAction>>, RecordsError>;
    /// Reads the mark of a schedule; none if it has none yet.
    fn mark(&mut self, name: &ScheduleName) -> Result<Option<Mark>, RecordsError>;
    /// Writes the mark of a schedule, durably.
    fn put_mark(&mut self, name: &ScheduleName, mark: Mark) -> Result<(), RecordsError>;
}
