//! The story: load a segment, check it, plan the run, deliver every line, archive the segment.
//!
//! [`run`] and [`resume`] share `finish`: what a run does after its plan is what a resumed run does after a crash,
//! so that recovery is the normal path.

pub mod problem;
pub mod warning;
pub mod stage;
pub mod values;
pub mod plan;
pub mod records;
pub mod journal;
pub mod masters;
mod named;
mod template;
pub mod load;
pub mod desk;
pub mod forms;
mod freeze;
mod suppress;
pub mod answers;
pub mod check;
pub mod letters;
pub mod manifest;
mod buffers;
mod ahead;
pub mod preview;
pub mod plain;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use jiff::ZonedDateTime;
use uuid::Uuid;

use crate::delivery::DeliveryError;
use crate::delivery::mailbox::Mailbox;
use crate::interaction::RunNo;
use crate::merge::Moment;
use crate::segment::SegmentNo;
use crate::setup::Setup;

pub use ahead::Exits;
pub use journal::{Counts, InDoubt, Journal};
pub use letters::{LetterError, Letters};
pub use load::{LoadError, Loaded, SegmentRef};
pub use plan::RunOptions;
pub use problem::Problem;
pub use records::{Records, RecordsError};
pub use stage::{Stage, Stages};

use check::{Check, Checked};
use desk::Desk;
use manifest::Manifest;

/// What a run asks of the store, and the lock that keeps a segment to one process.
pub trait Store: Records + Journal {
    /// Locks a segment for this process, until the lock is dropped or the process ends.
    ///
    /// # Errors
    ///
    /// [`LockError::Held`] if another process has it.
    fn lock(&self, segment: &SegmentNo) -> Result<Box<dyn Lock>, LockError>;
}

/// A segment that is locked as long as this lives.
pub trait Lock: Send {}

/// Why a segment is not locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process runs it.
    #[error("another process runs segment {0}")]
    Held(SegmentNo),
    /// The lock file cannot be made.
    #[error("cannot lock segment {segment}")]
    Surroundings {
        /// The segment.
        segment: SegmentNo,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Everything outside that a run works with.
pub struct Office<'a> {
    /// The set-up.
    pub setup: &'a Setup,
    /// The store.
    pub store: &'a mut dyn Store,
    /// The clock.
    pub now: ZonedDateTime,
    /// The folder below which each segment gets its own.
    pub out: PathBuf,
    /// Set by the user to stop after what is under way.
    pub stop: &'a AtomicBool,
    /// Where the time that each stage takes is noted.
    pub stages: &'a Stages,
}

/// What happened so far, for whoever watches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Progress {
    /// The plan is on disk.
    Planned {
        /// The lines that it has, and how many of them are still to be delivered.
        counts: Counts,
    },
    /// Lines have ended.
    Delivered {
        /// How many since the last time.
        n_lines: u64,
    },
}

/// How a run stands when it stops.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The run.
    pub run: RunNo,
    /// The segment.
    pub segment: SegmentNo,
    /// How many lines are in each state.
    pub counts: Counts,
    /// The segment's folder.
    pub folder: PathBuf,
    /// Whether the segment is logged: everything is done.
    pub is_logged: bool,
}

/// Why a run does not begin, or stops.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The segment cannot be loaded.
    #[error(transparent)]
    Load(LoadError),
    /// There are problems; nothing has happened.
    #[error("{} problems", problems.len())]
    Problems {
        /// The segment.
        segment: SegmentNo,
        /// All of them.
        problems: Vec<Problem>,
    },
    /// Another process runs the segment.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The store fails; what is recorded stays, and resume continues.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// A document of the run cannot be used.
    #[error(transparent)]
    Letter(#[from] LetterError),
    /// The surroundings fail; resume continues.
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
    /// The manifest cannot be written; resume writes it.
    #[error("cannot write the manifest in `{}`", folder.display())]
    Manifest {
        /// The segment's folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl From<LoadError> for RunError {
    fn from(error: LoadError) -> RunError {
        match error {
            LoadError::Records(error) => RunError::Records(error),
            error => RunError::Load(error),
        }
    }
}

/// Runs a segment: every line ends with one outcome and one interaction log entry.
///
/// # Errors
///
/// [`RunError::Load`] and [`RunError::Problems`] before anything has happened; the others stop a run that
/// [`resume`] continues.
pub fn run(
    office: &mut Office<'_>,
    asked: &SegmentRef,
    observe: &mut dyn FnMut(Progress),
) -> Result<Report, RunError> {
    office.store.begin_draft()?;
    let planned = plan(office, asked); // loads, resolves and checks every line; all problems at once, no effects
    let (run, lock) = keep_or_discard(office, planned)?; // the frozen plan, in one transaction
    let report = finish(office, run, observe)?;
    drop(lock);
    Ok(report)
}

/// Ends a run that was interrupted. What was being sent is in doubt, and stays so until the user decides.
///
/// # Errors
///
/// As for [`run`], but for problems: the plan is checked already.
pub fn resume(
    office: &mut Office<'_>,
    run: RunNo,
    in_doubt: InDoubt,
    observe: &mut dyn FnMut(Progress),
) -> Result<Report, RunError> {
    let segment = office.store.options(run)?.segment;
    let lock = office.store.lock(&segment)?;
    office.store.reopen(run, in_doubt)?;
    let report = finish(office, run, observe)?;
    drop(lock);
    Ok(report)
}

/// Loads and checks a segment, and leaves the store as it was.
///
/// # Errors
///
/// A segment that cannot be loaded, a store that fails; problems are part of what is returned.
pub fn check(office: &mut Office<'_>, asked: &SegmentRef) -> Result<(SegmentNo, Checked), RunError> {
    office.store.begin_draft()?;
    let checked = checked(office, asked).map(|(loaded, _, checked)| (loaded.segment, checked));
    office.store.discard_draft()?;
    checked
}

fn plan(office: &mut Office<'_>, asked: &SegmentRef) -> Result<(RunNo, Box<dyn Lock>), RunError> {
    let (loaded, run, checked) = match checked(office, asked) {
        Err(RunError::Load(LoadError::Interrupted { segment, run })) => {
            office.store.lock(&segment)?; // a run that is under way is not interrupted
            return Err(RunError::Load(LoadError::Interrupted { segment, run }));
        }
        checked => checked?,
    };
    if !checked.problems.is_empty() {
        return Err(RunError::Problems { segment: loaded.segment, problems: checked.problems });
    }
    let lock = office.store.lock(&loaded.segment)?;
    Exits::open(&office.out, &loaded.segment)?; // an output folder that cannot be written stops before the plan
    Ok((run, lock))
}

fn checked(office: &mut Office<'_>, asked: &SegmentRef) -> Result<(Loaded, RunNo, Checked), RunError> {
    let stages = office.stages;
    let mut loaded = stages.time(Stage::Load, || load::load(office.store, office.setup, asked))?;
    let (mut desk, problems) = stages
        .time(Stage::Load, || Desk::new(office.store, office.setup, &loaded.segment, office.now.date()))?;
    let options = options(office, &desk, asked);
    desk.sender = options.from.parse::<Mailbox>().ok().map(|from| (options.uuid, from.address().clone()));
    let run = office.store.put_run(&options)?;
    let moment = Moment { now: office.now.datetime(), locale: "en-US".to_owned(), record: 0, sequence: 0 };
    let mut checked =
        Check { desk: &desk, loaded: &loaded, moment: &moment, stages }.check(office.store, run)?;
    checked.problems.splice(0..0, loaded.problems.drain(..).chain(problems));
    Ok((loaded, run, checked))
}

fn options(office: &Office<'_>, desk: &Desk, asked: &SegmentRef) -> RunOptions {
    let segment = desk.header.no.clone();
    let seed = format!("{segment} {}", office.now);
    RunOptions {
        source: match asked {
            SegmentRef::File(file) => load::source(file),
            SegmentRef::No(_) => None,
        },
        description: desk.header.values.description.clone().unwrap_or_default(),
        now: office.now.clone(),
        out: office.out.clone(),
        from: office.setup.smtp.as_ref().map(|smtp| smtp.from.clone()).unwrap_or_default(),
        uuid: Uuid::new_v5(&Uuid::NAMESPACE_URL, seed.as_bytes()),
        segment,
    }
}

fn keep_or_discard<T>(office: &mut Office<'_>, planned: Result<T, RunError>) -> Result<T, RunError> {
    match planned {
        Ok(planned) => {
            office.stages.time(Stage::Journal, || office.store.keep_draft())?;
            Ok(planned)
        }
        Err(error) => {
            office.store.discard_draft()?;
            Err(error)
        }
    }
}

/// Delivers what a run has still to deliver, and archives it when nothing is left.
fn finish(
    office: &mut Office<'_>,
    run: RunNo,
    observe: &mut dyn FnMut(Progress),
) -> Result<Report, RunError> {
    let stages = office.stages;
    let options = office.store.options(run)?;
    let documents = office.store.documents(run)?;
    let letters = stages.time(Stage::Load, || Letters::compile(office.store, options.clone(), documents))?; // each document once
    let exits = Exits::open(&options.out, &options.segment)?;
    observe(Progress::Planned { counts: office.store.counts(run)? });
    ahead::deliver_all(office, run, &letters, &exits, observe)?; // letters in parallel, one batch ahead; one writer
    let counts = office.store.counts(run)?;
    if counts.is_done() {
        stages.time(Stage::Log, || {
            write_manifest(office, run, &exits)?;
            Ok::<_, RunError>(office.store.archive(run)?) // entries and logged segment complete, worksheet gone, one transaction
        })?;
    }
    Ok(Report { run, segment: options.segment, counts, folder: exits.folder, is_logged: counts.is_done() })
}

fn write_manifest(office: &mut Office<'_>, run: RunNo, exits: &Exits) -> Result<(), RunError> {
    let failed = |source| RunError::Manifest { folder: exits.folder.clone(), source };
    let mut manifest = Manifest::begin(&exits.folder).map_err(failed)?;
    let mut written = Ok(());
    office.store.manifest(run, &mut |row| {
        if written.is_ok() {
            written = manifest.add(row);
        }
    })?;
    written.and_then(|()| manifest.publish()).map_err(failed)
}
