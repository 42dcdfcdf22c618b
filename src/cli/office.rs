//! Owns how a command finds its surroundings: set-up, clock, output folder, the segment that is meant, Ctrl-C.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jiff::ZonedDateTime;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::INTERRUPTED;
use super::options::Common;
use super::problem::Failure;
use super::{post, stages, terminal};
use crate::run::{Office, Problem, Question, SegmentRef, Stages};
use crate::segment::{SegmentFile, SegmentNo};
use crate::setup::{LetterFiles, Setup, Smtp};
use crate::store::Database;

/// The surroundings of a command that runs or looks at a segment.
pub(super) struct Surroundings {
    pub(super) setup: Setup,
    pub(super) now: ZonedDateTime,
    pub(super) out: PathBuf,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) stages: Stages,
    pub(super) agree: Box<dyn Fn(&Question) -> bool>,
    /// How long deferred messages and a server that went away are waited for.
    pub(super) wait: Duration,
    /// The mail server that is used in place of the one that an interrupted run began with.
    pub(super) server: Option<Smtp>,
}

impl Surroundings {
    /// What runs, checks and looks work with.
    pub(super) fn office<'a>(&'a self, database: &'a mut Database) -> Office<'a> {
        Office {
            setup: &self.setup,
            store: database,
            now: self.now.clone(),
            out: self.out.clone(),
            stop: &self.stop,
            stages: &self.stages,
            password: &post::password,
            agree: &self.agree,
            wait: self.wait,
            server: self.server.as_ref(),
        }
    }

    /// Reads the set-up that goes with a segment, and the clock.
    pub(super) fn of(common: &Common, segment: Option<&SegmentRef>) -> Result<Surroundings, Failure> {
        let setup = setup(common, segment)?;
        let out = common.out.clone().unwrap_or_else(|| setup.output.folder.clone());
        let out = std::path::absolute(out).map_err(Failure::output)?;
        let server = setup.smtp.clone().filter(|smtp| common.config.is_some() && !smtp.url.is_empty());
        Ok(Surroundings {
            setup,
            now: now(common)?,
            out,
            stop: Arc::new(AtomicBool::new(false)),
            stages: stages::stages(common),
            agree: post::agreement(common),
            wait: Duration::ZERO,
            server,
        })
    }

    /// Lets Ctrl-C stop the run.
    pub(super) fn stop_on_interrupt(&self) -> Result<(), Failure> {
        stop_on_interrupt(&self.stop)
    }
}

/// Lets Ctrl-C set `stop` and say so; a second one ends the program at once.
pub(super) fn stop_on_interrupt(stop: &Arc<AtomicBool>) -> Result<(), Failure> {
    use signal_hook::consts::TERM_SIGNALS;
    let mut signals = signal_hook::iterator::Signals::new(TERM_SIGNALS).map_err(Failure::output)?;
    // It waits for a signal as long as the program lives.
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            terminal::complain(
                "stopping: what is being sent is waited for; Ctrl-C once more leaves it in doubt",
            );
        }
    });
    for signal in TERM_SIGNALS {
        signal_hook::flag::register_conditional_shutdown(*signal, i32::from(INTERRUPTED), Arc::clone(stop))
            .and_then(|_| signal_hook::flag::register(*signal, Arc::clone(stop)))
            .map_err(Failure::output)?;
    }
    Ok(())
}

/// Returns what a user means by SEGMENT: a file if there is one or the name looks like one, else a number.
pub(super) fn segment_ref(text: &str) -> SegmentRef {
    let path = Path::new(text);
    let looks_like_file = path.extension().is_some_and(|ending| ending == "toml") || text.contains('/');
    if looks_like_file || path.is_file() {
        SegmentRef::File(path.to_owned())
    } else {
        SegmentRef::No(SegmentNo(text.to_owned()))
    }
}

/// Returns the number of the segment that is meant; a file must say it.
pub(super) fn segment_no(text: &str) -> Result<SegmentNo, Failure> {
    let path = match segment_ref(text) {
        SegmentRef::No(no) => return Ok(no),
        SegmentRef::File(path) => path,
    };
    let file = SegmentFile::read(&path)
        .map_err(|problems| Failure::problems(problems.into_iter().map(Problem::from).collect()))?;
    match file.declarations.segment.get("no").and_then(|no| no.get_ref().as_str()) {
        Some(no) => Ok(SegmentNo(no.to_owned())),
        None => Err(Failure::problem(
            "segment-without-no",
            "the segment file gives no number; name the number of the segment",
            path.display().to_string(),
        )),
    }
}

/// Reads the set-up: from `--config`, else beside the segment file, else in the working folder, else the defaults.
pub(super) fn setup(common: &Common, segment: Option<&SegmentRef>) -> Result<Setup, Failure> {
    let mut setup = match setup_path(common, segment) {
        Some(path) => Setup::read(&path)
            .map_err(|problems| Failure::problems(problems.into_iter().map(Problem::from).collect()))?,
        None => Setup::default(),
    };
    setup.pdf.locate(&program_folders());
    if setup.output.print && setup.output.letters == LetterFiles::Docx {
        setup.output.letters = LetterFiles::Pdf; // a print file is made of PDF
    }
    Ok(setup)
}

/// Returns the file that the set-up is read from; none where the defaults hold.
pub(super) fn setup_path(common: &Common, segment: Option<&SegmentRef>) -> Option<PathBuf> {
    let beside = match segment {
        Some(SegmentRef::File(file)) => Some(file.with_file_name(Setup::FILE_NAME)),
        Some(SegmentRef::No(_)) | None => None,
    };
    let here = PathBuf::from(Setup::FILE_NAME);
    common.config.clone().or_else(|| beside.into_iter().chain([here]).find(|path| path.is_file()))
}

/// Returns the folders where programs are looked for.
#[expect(clippy::disallowed_methods, reason = "the environment belongs to the command line")]
pub(super) fn program_folders() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

/// Returns the clock: what `--now` says, else the machine's.
#[expect(clippy::disallowed_methods, reason = "the command line is where the clock is read")]
pub(super) fn now(common: &Common) -> Result<ZonedDateTime, Failure> {
    let Some(text) = &common.now else { return Ok(ZonedDateTime::now()) };
    if let Ok(zoned) = text.parse::<ZonedDateTime>() {
        return Ok(zoned);
    }
    if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
        return Ok(timestamp.to_zoned_datetime(TimeZone::UTC));
    }
    if let Ok(civil) = text.parse::<DateTime>()
        && let Ok(zoned) = civil.to_zoned_datetime(TimeZone::UTC)
    {
        return Ok(zoned);
    }
    Err(Failure::problem(
        "not-a-time",
        format!("`{text}` is no time, expected one such as 2026-03-01T09:00:00Z"),
        "--now",
    ))
}
