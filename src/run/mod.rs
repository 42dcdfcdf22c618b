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
pub mod retry;
pub mod attempt;
pub mod seed;
pub mod journal;
pub mod masters;
mod named;
pub mod preset;
mod template;
pub mod load;
pub mod worksheet;
pub mod selection;
pub mod follow_up;
pub mod overview;
pub mod export;
pub mod household;
pub mod desk;
pub mod forms;
pub mod album;
mod freeze;
mod suppress;
pub mod answers;
mod envelope;
mod size;
pub mod check;
pub mod enclosure;
pub mod letters;
pub mod manifest;
mod claim;
pub mod addressee;
mod buffers;
mod paper;
mod print;
mod ahead;
mod server;
mod signature;
mod send;
mod copies;
pub mod schedule;
pub mod preview;
pub mod plain;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jiff::{Timestamp, ZonedDateTime};
use uuid::Uuid;

use crate::delivery::DeliveryError;
use crate::delivery::print::{PrintError, Printed};
use crate::interaction::{EntryNo, RunNo};
use crate::merge::Moment;
use crate::segment::SegmentNo;
use crate::setup::program::ProgramError;
use crate::setup::{Setup, Smtp};

pub use ahead::Exits;
pub use album::Album;
pub use claim::ClaimError;
pub use journal::{Counts, InDoubt, Journal};
pub use letters::{LetterError, Letters};
pub use load::{LoadError, Loaded, SegmentRef};
pub use plan::{Paper, RunOptions};
pub use problem::Problem;
pub use records::{Queries, Records, RecordsError};
pub use schedule::Schedules;
pub use server::{Passwords, SecretError, ServerError, way};
pub use signature::{SignatureError, signer};
pub use stage::{Stage, Stages};

use ahead::Bench;
use check::{Check, Checked};
use desk::Desk;
use load::{Asked, fetch};
use manifest::Manifest;
use seed::Seed;
use send::{Clock, Lines, Post};

/// Finds what is wrong with the mail part of a set-up, without a look at the server.
pub fn setup_problems(smtp: &Smtp) -> Vec<Problem> {
    let mut problems = if smtp.url.is_empty() { Vec::new() } else { server::problems(smtp) };
    problems.extend(envelope::bounce_problem(smtp));
    problems.extend(seed::problems(smtp));
    problems
}

/// What runs and schedules ask of the store, and the lock that keeps a segment to one process.
pub trait Store: Records + Journal + Schedules + Queries {
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
    /// Where passwords come from.
    pub password: Passwords<'a>,
    /// Asks the user whether messages may leave the house.
    pub agree: &'a dyn Fn(&Question) -> bool,
    /// How long deferred messages and a server that went away are waited for.
    pub wait: Duration,
    /// The mail server to use instead of the one that an interrupted run began with.
    pub server: Option<&'a Smtp>,
}

/// What the user agrees to, or not: messages are about to leave the house.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The segment.
    pub segment: SegmentNo,
    /// The server's URL.
    pub url: String,
    /// How many messages there are to send.
    pub n_messages: u64,
    /// How many seeds get a copy when these are sent.
    pub n_seeds: u64,
    /// How many lines are in each state.
    pub counts: Counts,
}

/// "3 messages", "3 messages and 1 copy for a seed", "2 copies for seeds": what is about to leave.
pub fn messages_in_words(n_messages: u64, n_seeds: u64) -> String {
    let messages = if n_messages == 1 { "1 message".to_owned() } else { format!("{n_messages} messages") };
    let copies =
        if n_seeds == 1 { "1 copy for a seed".to_owned() } else { format!("{n_seeds} copies for seeds") };
    match (n_messages, n_seeds) {
        (_, 0) => messages,
        (0, _) => copies,
        (_, _) => format!("{messages} and {copies}"),
    }
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
#[derive(Debug)]
pub struct Report {
    /// The run.
    pub run: RunNo,
    /// The segment.
    pub segment: SegmentNo,
    /// How many lines are in each state.
    pub counts: Counts,
    /// The seeds that get a copy of the run's message, and how they stand.
    pub seeds: Vec<Seed>,
    /// The segment's folder.
    pub folder: PathBuf,
    /// Whether the segment is logged: everything is done.
    pub is_logged: bool,
    /// Why it is not done; none if it is.
    pub pause: Option<Pause>,
}

/// Why a run stops before everything is done. `resume` goes on.
#[derive(Debug)]
pub enum Pause {
    /// The user wanted it to stop.
    Stopped,
    /// Deferred messages are due later than the run waits.
    Retries {
        /// When the first of them is due.
        due: Timestamp,
    },
    /// The day's messages of a sender that is new are used up.
    WarmUp {
        /// How many a day there are.
        per_day: u64,
    },
    /// It is not the hour to send.
    Window {
        /// When the window opens.
        opens: ZonedDateTime,
    },
    /// The server is not there, does not let us in, or refuses one message after the other.
    Delivery(DeliveryError),
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
    /// The folder is that of another run, or cannot be made this one's.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// The surroundings fail; resume continues.
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
    /// There is no mail server to send to; resume continues.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The user did not agree to messages leaving the house.
    #[error(
        "nothing was sent: {} {} not agreed to",
        messages_in_words(*n_messages, *n_seeds),
        if n_messages + n_seeds == 1 { "was" } else { "were" }
    )]
    NotAgreed {
        /// How many messages.
        n_messages: u64,
        /// How many copies for seeds besides.
        n_seeds: u64,
    },
    /// Lines came or went while the run went on.
    #[error("the run had {before} lines, and now has {after}")]
    Lines {
        /// How many there were.
        before: u64,
        /// How many there are.
        after: u64,
    },
    /// The hook before a scheduled run failed; the next turn tries again.
    #[error("the hook before the run failed")]
    Hook(#[from] ProgramError),
    /// There is no print file; resume makes it.
    #[error(transparent)]
    Print(#[from] PrintError),
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
    let fetched = fetch(office.store, asked, office.stop)?; // the tables of commands and queries, before anybody has to wait for the store
    office.store.begin_draft()?;
    let planned = plan(office, asked, fetched); // loads, resolves and checks every line; all problems at once, no effects
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
    let now = office.now.timestamp();
    office.store.reopen(run, InDoubt::Hold, now)?; // what was being sent is in doubt, whatever comes of it
    let n_again = match in_doubt {
        InDoubt::Resend => office.store.counts(run)?.in_doubt,
        InDoubt::Hold | InDoubt::AssumeSent => 0,
    };
    agree(office, run, n_again)?;
    office.store.reopen(run, in_doubt, now)?;
    let report = finish(office, run, observe)?;
    drop(lock);
    Ok(report)
}

/// Delivers entries of a run once more, on purpose; what was tried before stays in the log.
///
/// # Errors
///
/// As for [`resume`]. Where the user does not agree, everything is as it was.
pub fn resend(
    office: &mut Office<'_>,
    run: RunNo,
    entries: &[EntryNo],
    observe: &mut dyn FnMut(Progress),
) -> Result<Report, RunError> {
    let segment = office.store.options(run)?.segment;
    let lock = office.store.lock(&segment)?;
    office.store.reopen(run, InDoubt::Hold, office.now.timestamp())?;
    office.store.begin_draft()?;
    let planned = entries
        .iter()
        .try_for_each(|entry| Ok::<_, RunError>(office.store.plan_again(*entry)?))
        .and_then(|()| agree(office, run, 0));
    keep_or_discard(office, planned)?;
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
    let fetched = fetch(office.store, asked, office.stop)?;
    office.store.begin_draft()?;
    let checked = checked(office, asked, fetched).map(|(loaded, _, checked)| (loaded.segment, checked));
    office.store.discard_draft()?;
    checked
}

fn plan(
    office: &mut Office<'_>,
    asked: &SegmentRef,
    fetched: Asked,
) -> Result<(RunNo, Box<dyn Lock>), RunError> {
    let (loaded, run, checked) = match checked(office, asked, fetched) {
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
    agree(office, run, 0)?;
    Exits::open(&office.out, &loaded.segment)?; // an output folder that cannot be written stops before the plan
    Ok((run, lock))
}

/// Nothing leaves the house by accident: messages for a server need the user's word.
///
/// `n_again` messages in doubt are sent again, besides those that are still to be sent.
fn agree(office: &mut Office<'_>, run: RunNo, n_again: u64) -> Result<(), RunError> {
    let options = office.store.options(run)?;
    let smtp = office.server.or(options.smtp.as_ref());
    let Some(url) = smtp.map(|smtp| smtp.url.clone()).filter(|url| !url.is_empty()) else { return Ok(()) };
    let n_messages = office.store.n_messages(run)? + n_again;
    let n_seeds = office.store.n_seeds(run)?;
    let counts = office.store.counts(run)?;
    let question = Question { segment: options.segment, url, n_messages, n_seeds, counts };
    if n_messages + n_seeds == 0 || (office.agree)(&question) {
        Ok(())
    } else {
        Err(RunError::NotAgreed { n_messages, n_seeds })
    }
}

fn checked(
    office: &mut Office<'_>,
    asked: &SegmentRef,
    fetched: Asked,
) -> Result<(Loaded, RunNo, Checked), RunError> {
    let stages = office.stages;
    let mut loaded = stages.time(Stage::Load, || load::load(office.store, office.setup, fetched))?;
    let (mut desk, problems) = stages
        .time(Stage::Load, || Desk::new(office.store, office.setup, &loaded.segment, office.now.date()))?;
    let options = options(office, &desk, asked);
    desk.run = Some(options.uuid);
    let run = office.store.put_run(&options)?;
    let moment = Moment { now: office.now.datetime(), locale: "en-US".to_owned(), record: 0, sequence: 0 };
    let mut checked =
        Check { desk: &desk, loaded: &loaded, moment: &moment, stages }.check(office.store, run)?;
    let taken = claim::problem(&ahead::folder(&office.out, &loaded.segment), &loaded.segment);
    checked.problems.splice(0..0, loaded.problems.drain(..).chain(problems).chain(taken));
    match signer(options.smtp.as_ref(), office.password) {
        Ok(signer) if checked.problems.is_empty() => {
            checked.problems = size::check(office.store, run, &options, signer)?;
            let documents = office.store.documents(run)?;
            checked.problems.extend(options.paper.problems(&documents));
            checked.warnings.extend(size::warning(&options, &documents));
        }
        Ok(_) => {}
        Err(error) => checked.problems.push(error.problem()),
    }
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
        follow_up: (desk.header.follow_up || office.setup.defaults.follow_up)
            .then(|| office.setup.number_series.segment.clone()),
        uuid: Uuid::new_v5(&Uuid::NAMESPACE_URL, seed.as_bytes()),
        smtp: office.setup.smtp.clone(),
        paper: Paper {
            letters: office.setup.output.letters,
            pdf: office.setup.pdf.clone(),
            author: office.setup.company.field("name").to_owned(),
            print: office.setup.output.print.then(|| office.setup.print.clone()),
        },
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
    let n_messages = office.store.n_messages(run)? + office.store.n_seeds(run)?;
    let letters = match n_messages {
        0 => letters,
        _ => letters.signed_by(
            signer(office.server.or(options.smtp.as_ref()), office.password).map_err(ServerError::from)?,
        ),
    };
    let clock = Clock::begin(&office.now);
    let server = match n_messages {
        0 => None,
        _ => server::mailer(office, &options, clock.now())?,
    };
    let mailer = server.as_ref().map(|(mailer, _)| mailer);
    let exits = Exits::open(&options.out, &options.segment)?.over(mailer);
    claim::claim(&exits.folder, &options)?; // from now on no other run writes there
    let before = office.store.counts(run)?;
    observe(Progress::Planned { counts: before });
    let converter = paper::converter(office, &letters, &exits.folder).map_err(DeliveryError::Pdf)?;
    let bench = Bench::new(&letters, &exits, stages).with(converter.as_ref());
    ahead::deliver_all(office, run, &bench, observe)?; // letters in parallel, one batch ahead; one writer
    let until = clock.now().saturating_add(send::signed(office.wait)).unwrap_or(Timestamp::MAX);
    let post = server.as_ref().map(|(mailer, smtp)| Post {
        bench: &bench,
        mailer,
        smtp,
        uuid: options.uuid,
        clock: clock.clone(),
        until,
    });
    let mut pause = None;
    if let Some(post) = &post {
        pause = send::send_all(office, post, &mut Lines { run, observe })?; // messages as they are merged; the same writer
    }
    let counts = office.store.counts(run)?;
    if counts.lines() != before.lines() {
        return Err(RunError::Lines { before: before.lines(), after: counts.lines() });
    }
    if counts.is_done() {
        pause = copies::serve(office, (run, options.uuid), &bench, (post.as_ref(), &clock))?; // seeds have what went out
    }
    let is_logged = counts.is_done() && pause.is_none();
    if is_logged {
        stages.time(Stage::Log, || {
            let printed = print::combined(office, run, &options, &exits.folder)?;
            write_manifest(office, run, &exits, &printed)?;
            print::ready(&options, &exits.folder)?; // whoever waits for it finds all the rest complete
            Ok::<_, RunError>(office.store.archive(run)?) // entries and logged segment complete, worksheet gone, one transaction
        })?;
    }
    let seeds = office.store.seeds(run)?;
    Ok(Report { run, segment: options.segment, counts, seeds, folder: exits.folder, is_logged, pause })
}

fn write_manifest(
    office: &mut Office<'_>,
    run: RunNo,
    exits: &Exits<'_>,
    printed: &BTreeMap<u64, Printed>,
) -> Result<(), RunError> {
    let failed = |source| RunError::Manifest { folder: exits.folder.clone(), source };
    let mut manifest = Manifest::begin(&exits.folder).map_err(failed)?;
    let mut written = Ok(());
    office.store.manifest(run, &mut |row| {
        if written.is_ok() {
            written = manifest.add(row, printed.get(&row.line_no.0));
        }
    })?;
    written.and_then(|()| manifest.publish()).map_err(failed)
}
