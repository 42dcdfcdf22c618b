//! Owns the commands for schedules: add, list, show, remove; `due` and `daemon` have a file of their own.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use jiff::{Timestamp, ZonedDateTime};
use serde_json::json;

use super::change::{change, nothing, pairs};
use super::due::{self, Due};
use super::office::{now, setup};
use super::options::Common;
use super::problem::Failure;
use super::terminal::{Terminal, table, visible};
use super::{DONE, USAGE};
use crate::run::masters::ChangeError;
use crate::run::schedule::report::{DueReport, state_in_words};
use crate::run::schedule::timetable::{Timetable, TimetableError};
use crate::run::schedule::{
    CatchUp, DueTime, Schedule, ScheduleName, ScheduleRecord, Schedules, Work, report_problem,
};
use crate::run::selection::find_criteria;
use crate::run::{Problem, Records, RecordsError, SegmentRef};
use crate::segment::{SegmentFile, SegmentHeader};
use crate::setup::Setup;
use crate::setup::program::Program;
use crate::setup::rate::Span;
use crate::store::Database;

#[derive(Debug, Subcommand)]
pub(super) enum ScheduleCommand {
    /// Add a schedule: from now on each due time makes a new segment and runs it
    #[command(
        after_help = "Examples: mailrun schedule add monday --cron '30 8 * * MON' --timezone Europe/Zurich weekly.toml --yes\n          \
                      mailrun schedule add birthdays --cron '0 7 * * *' --timezone Europe/Zurich --criteria BIRTHDAY --template CARD\n          \
                      mailrun schedule add monday --cron '30 8 * * MON' --timezone Europe/Zurich weekly.toml --before './fetch-contacts.sh'"
    )]
    Add(Box<Add>),
    /// List schedules: when each is due next, and what became of the last due time
    #[command(after_help = "Example: mailrun schedule list")]
    List,
    /// Show a schedule and its latest due times
    #[command(after_help = "Example: mailrun schedule show monday --limit 50")]
    Show {
        /// The name
        name: ScheduleName,
        /// So many due times at most
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u32,
    },
    /// Remove a schedule; what was logged stays
    #[command(after_help = "Example: mailrun schedule remove monday")]
    Remove {
        /// The name
        name: ScheduleName,
    },
    /// Run what is due, once; for cron or a systemd timer
    #[command(after_help = "Example: mailrun schedule due --db /srv/mailrun/mailrun.db")]
    Due(Due),
    /// Stay, and run what is due when it is due
    #[command(after_help = "Example: mailrun schedule daemon --db /srv/mailrun/mailrun.db")]
    Daemon(Due),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// The name: letters, digits, - and _
    name: ScheduleName,
    /// Minute, hour, day of the month, month, day of the week, on the clock of the time zone
    #[arg(long, value_name = "PATTERN")]
    cron: String,
    /// The time zone
    #[arg(long, value_name = "ZONE")]
    timezone: String,
    /// A segment file without a number
    #[arg(value_name = "SEGMENT-FILE", required_unless_present = "criteria")]
    segment_file: Option<PathBuf>,
    /// Saved criteria, instead of a segment file; replayed at each due time
    #[arg(long, value_name = "CODE", conflicts_with = "segment_file", requires = "template")]
    criteria: Option<String>,
    /// The interaction template that goes with the criteria
    #[arg(long, value_name = "CODE", requires = "criteria")]
    template: Option<String>,
    /// A further value of the segment header; may be given more than once
    #[arg(long, value_name = "NAME=VALUE", requires = "criteria")]
    set: Vec<String>,
    /// How late a due time may be run; later it is missed
    #[arg(long, value_name = "DURATION", default_value = "12h")]
    max_age: Span,
    /// What becomes of several due times that have passed at once
    #[arg(long, value_enum, default_value = "latest")]
    catch_up: CatchUpChoice,
    /// A program to run before each due time, instead of the set-up's; if it fails, the run waits for the next `due`
    #[arg(long, value_name = "COMMAND")]
    before: Option<Program>,
    /// A program to run after each due time, instead of the set-up's; it gets the report as JSON on standard input
    #[arg(long, value_name = "COMMAND")]
    after: Option<Program>,
}

/// What becomes of several due times that have passed at once.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum CatchUpChoice {
    /// The latest is run, those before it are missed
    Latest,
    /// Each is run, in their order
    Each,
    /// None is run, all are missed
    None,
}

pub(super) fn schedule(
    common: &Common,
    command: &ScheduleCommand,
    terminal: &mut Terminal,
) -> Result<u8, Failure> {
    match command {
        ScheduleCommand::Add(add) => self::add(common, add, terminal),
        ScheduleCommand::List => list(common, terminal),
        ScheduleCommand::Show { name, limit } => show(common, (name, *limit), terminal),
        ScheduleCommand::Remove { name } => remove(common, name, terminal),
        ScheduleCommand::Due(due) => due::due(common, due, terminal),
        ScheduleCommand::Daemon(due) => due::daemon(common, due, terminal),
    }
}

fn add(common: &Common, add: &Add, terminal: &Terminal) -> Result<u8, Failure> {
    let now = now(common)?;
    let asked = add.segment_file.clone().map(SegmentRef::File);
    let setup = setup(common, asked.as_ref())?;
    let schedule = declared(common, add, &setup)?;
    let mut problems: Vec<Problem> = report_problem(&setup).into_iter().collect();
    let first = match Timetable::new(&schedule.cron, &schedule.timezone) {
        Ok(timetable) => {
            let first = timetable.next_after(now.timestamp());
            if first.is_none() {
                problems.push(problem("never-due", format!("`{}` is never due", schedule.cron)));
            }
            first.map(|first| first.to_zoned_datetime(timetable.zone().clone()))
        }
        Err(error) => {
            problems.push(timetable_problem(&error));
            None
        }
    };
    let url = setup.smtp.as_ref().map(|smtp| smtp.url.as_str()).filter(|url| !url.is_empty());
    if let Some(url) = url.filter(|_| !common.yes) {
        return Err(Failure::Stopped {
            code: USAGE,
            message: format!("nobody is asked at a due time before messages leave over {url}"),
            help: Some("say `--yes` to agree to it now".to_owned()),
        });
    }
    change(common, |database| {
        problems.extend(work_problems(database, &schedule.work)?);
        if !problems.is_empty() {
            return Err(Failure::problems(problems));
        }
        match database.add_schedule(&schedule, now.timestamp())? {
            true => Ok(()),
            false => {
                let help = Some(format!("`mailrun schedule remove {}` removes it", schedule.name));
                Err(nothing(format!("there is a schedule `{}` already", schedule.name), help))
            }
        }
    })?;
    let first = first.map(|first| first.to_string()).unwrap_or_default();
    if terminal.json {
        terminal.object(&mut terminal.data(), &json!({ "schedule": schedule.name, "next_due": first }));
    } else {
        terminal.say(&format!("schedule {} added, first due {first}", schedule.name));
    }
    Ok(DONE)
}

/// Makes the schedule of the words, with absolute paths: it will be called from any folder.
fn declared(common: &Common, add: &Add, setup: &Setup) -> Result<Schedule, Failure> {
    let absolute = |path: &Path| std::path::absolute(path).map_err(Failure::output);
    let here = Path::new(Setup::FILE_NAME);
    let work = match (&add.segment_file, &add.criteria) {
        (Some(file), _) => Work::SegmentFile(absolute(file)?),
        (None, code) => Work::Criteria {
            code: code.clone().unwrap_or_default(),
            template: add.template.clone().unwrap_or_default(),
            set: pairs(&add.set)?,
        },
    };
    let is_beside =
        add.segment_file.as_ref().is_some_and(|file| file.with_file_name(Setup::FILE_NAME).is_file());
    let config = match &common.config {
        Some(config) => Some(absolute(config)?),
        None if !is_beside && here.is_file() => Some(absolute(here)?),
        None => None,
    };
    Ok(Schedule {
        name: add.name.clone(),
        cron: add.cron.clone(),
        timezone: add.timezone.clone(),
        work,
        max_age: add.max_age,
        catch_up: match add.catch_up {
            CatchUpChoice::Latest => CatchUp::Latest,
            CatchUpChoice::Each => CatchUp::Each,
            CatchUpChoice::None => CatchUp::None,
        },
        config,
        out: absolute(common.out.as_ref().unwrap_or(&setup.output.folder))?,
        is_agreed: common.yes,
        before: found_from_here(add.before.as_ref())?,
        after: found_from_here(add.after.as_ref())?,
    })
}

/// A program whose name is a path is found from here, wherever `due` is called.
fn found_from_here(program: Option<&Program>) -> Result<Option<Program>, Failure> {
    program.map(|program| program.clone().found_from(Path::new(""))).transpose().map_err(Failure::output)
}

/// Finds what keeps the work of a schedule from ever being done; the rest is found at each due time.
fn work_problems(database: &mut Database, work: &Work) -> Result<Vec<Problem>, Failure> {
    let mut problems = Vec::new();
    match work {
        Work::SegmentFile(path) => match SegmentFile::read(path) {
            Ok(file) => {
                if let Some(no) = file.declarations.segment.get("no") {
                    problems.push(Problem {
                        id: "scheduled-no",
                        message: "a segment that is run again and again has no number of its own".to_owned(),
                        place: format!("{}, line {}", path.display(), file.line_of(no)),
                        help: Some(
                            "take `no` out of the file: each due time gets the next of the series".to_owned(),
                        ),
                    });
                }
            }
            Err(found) => problems.extend(found.into_iter().map(Problem::from)),
        },
        Work::Criteria { code, template, set } => {
            match find_criteria(database, code) {
                Ok(_) => {}
                Err(ChangeError::Problems(found)) => problems.extend(found),
                Err(error) => return Err(error.into()),
            }
            if !database.templates()?.iter().any(|known| known.code == *template) {
                problems.push(problem(
                    "unknown-template",
                    format!("there is no interaction template `{template}`"),
                ));
            }
            let mut header = SegmentHeader::default();
            for (name, text) in set {
                match header.set(name, text) {
                    Ok(()) if name == "no" => {
                        problems.push(problem(
                            "scheduled-no",
                            "each due time gets the next number of the series",
                        ));
                    }
                    Ok(()) => {}
                    Err(error) => problems.push(problem("value", error.to_string())),
                }
            }
        }
    }
    Ok(problems)
}

fn problem(id: &'static str, message: impl Into<String>) -> Problem {
    Problem { id, message: message.into(), place: "the command line".to_owned(), help: None }
}

fn timetable_problem(error: &TimetableError) -> Problem {
    Problem { help: Some(error.help()), ..problem(error.id(), error.to_string()) }
}

fn list(common: &Common, terminal: &Terminal) -> Result<u8, Failure> {
    let database = Database::open_existing(&common.db)?;
    let now = now(common)?.timestamp();
    let mut data = terminal.data();
    let columns = ["schedule", "pattern", "time zone", "next due", "last due", "state", "not run"];
    let mut rows = vec![columns.map(str::to_owned).to_vec()];
    for record in database.schedules()? {
        let schedule = &record.schedule;
        let next = next_due(&record, now)?;
        let last = database.latest_due_times(&schedule.name, 1)?.pop();
        let n_not_run = database.n_not_run(&schedule.name)?;
        if terminal.json {
            let object = json!({
                "schedule": schedule.name, "cron": schedule.cron, "timezone": schedule.timezone,
                "next_due": next.as_ref().map(ToString::to_string),
                "last_due": last.as_ref().map(|last| last.due), "state": last.as_ref().map(|last| last.state),
                "reason": last.as_ref().map(|last| last.reason.as_str()), "not_run": n_not_run,
                "after_hook": last.as_ref().map(|last| last.after_hook.as_str()),
                "notice": last.as_ref().map(|last| last.notice.as_str()),
            });
            terminal.object(&mut data, &object);
        } else {
            let zone = next.as_ref().map(ZonedDateTime::time_zone);
            let last_due = last.as_ref().map(|last| match zone {
                Some(zone) => in_words(&last.due.to_zoned_datetime(zone.clone())),
                None => last.due.to_string(),
            });
            rows.push(vec![
                schedule.name.to_string(),
                schedule.cron.clone(),
                schedule.timezone.clone(),
                next.as_ref().map(in_words).unwrap_or_default(),
                last_due.unwrap_or_default(),
                last.as_ref().map(state_shown).unwrap_or_default(),
                n_not_run.to_string(),
            ]);
        }
    }
    if !terminal.json {
        table(&rows).iter().for_each(|line| data.line(line));
    }
    Ok(DONE)
}

fn show(common: &Common, (name, limit): (&ScheduleName, u32), terminal: &Terminal) -> Result<u8, Failure> {
    let mut database = Database::open_existing(&common.db)?;
    let record = database.schedule(name)?.ok_or_else(|| unknown(name))?;
    let next = next_due(&record, now(common)?.timestamp())?;
    let mut data = terminal.data();
    let due_times = database.latest_due_times(name, limit)?;
    let schedule = &record.schedule;
    if terminal.json {
        for due_time in due_times.iter().rev() {
            terminal.object(&mut data, &DueReport::new(name, due_time));
        }
        terminal.object(
            &mut data,
            &json!({ "schedule": schedule, "added_at": record.added_at, "decided_until": record.decided_until,
                     "next_due": next.map(|next| next.to_string()) }),
        );
        return Ok(DONE);
    }
    let work = match &schedule.work {
        Work::SegmentFile(file) => vec![["segment file".to_owned(), file.display().to_string()]],
        Work::Criteria { code, template, set } => {
            let mut rows =
                vec![["criteria".to_owned(), code.clone()], ["template".to_owned(), template.clone()]];
            rows.extend(set.iter().map(|(name, value)| [name.replace('_', " "), value.clone()]));
            rows
        }
    };
    let catch_up = match schedule.catch_up {
        CatchUp::Latest => "latest",
        CatchUp::Each => "each",
        CatchUp::None => "none",
    };
    let mut rows = vec![
        ["schedule".to_owned(), name.to_string()],
        ["pattern".to_owned(), schedule.cron.clone()],
        ["time zone".to_owned(), schedule.timezone.clone()],
    ];
    rows.extend(work);
    rows.extend([
        ["max age".to_owned(), schedule.max_age.to_string()],
        ["catch up".to_owned(), catch_up.to_owned()],
        ["out".to_owned(), schedule.out.display().to_string()],
        ["before".to_owned(), schedule.before.as_ref().map(ToString::to_string).unwrap_or_default()],
        ["after".to_owned(), schedule.after.as_ref().map(ToString::to_string).unwrap_or_default()],
        ["may send".to_owned(), if schedule.is_agreed { "yes" } else { "no" }.to_owned()],
        ["next due".to_owned(), next.as_ref().map(in_words).unwrap_or_default()],
    ]);
    let rows: Vec<Vec<String>> = rows.into_iter().map(Vec::from).collect();
    table(&rows).iter().for_each(|line| data.line(line));
    let mut rows = vec![["due", "state", "segment", "run"].map(str::to_owned).to_vec()];
    rows.extend(due_times.iter().map(|due_time| {
        vec![
            due_time.due.to_string(),
            state_shown(due_time),
            due_time.segment.as_ref().map(ToString::to_string).unwrap_or_default(),
            due_time.run.map(|run| run.to_string()).unwrap_or_default(),
        ]
    }));
    if rows.len() > 1 {
        data.line("");
        table(&rows).iter().for_each(|line| data.line(line));
    }
    Ok(DONE)
}

fn remove(common: &Common, name: &ScheduleName, terminal: &Terminal) -> Result<u8, Failure> {
    change(common, |database| {
        let lock = database.lock_schedule(name)?.ok_or_else(|| held(name))?;
        let open = database.open_due_times(name)?;
        if let Some(segment) = open.into_iter().find_map(|due_time| due_time.segment) {
            let help = Some(format!("`mailrun resume {segment}` ends it"));
            return Err(nothing(
                format!("segment {segment} of schedule {name} was not run to its end"),
                help,
            ));
        }
        let is_removed = database.remove_schedule(name)?;
        drop(lock);
        if is_removed { Ok(()) } else { Err(unknown(name)) }
    })?;
    terminal.say(&format!("schedule {name} removed"));
    Ok(DONE)
}

fn held(name: &ScheduleName) -> Failure {
    Failure::Stopped {
        code: super::HELD,
        message: format!("another process is at schedule {name}"),
        help: Some("wait for it to end".to_owned()),
    }
}

pub(super) fn unknown(name: &ScheduleName) -> Failure {
    nothing(
        format!("there is no schedule `{name}`"),
        Some("`mailrun schedule list` shows those that there are".to_owned()),
    )
}

/// "missed (too-late)"; with what went wrong beside the run.
fn state_shown(due_time: &DueTime) -> String {
    let mut words = state_in_words(due_time);
    if let Some(failure) = due_time.hook_failure() {
        words.push_str(&format!("; after-hook: {failure}"));
    }
    if !due_time.notice.is_empty() {
        words.push_str(&format!("; {}", due_time.notice));
    }
    visible(&words)
}

/// The clock on the wall, with the zone's abbreviation: both passes of an hour that comes twice are told apart.
fn in_words(moment: &ZonedDateTime) -> String {
    moment.strftime("%Y-%m-%d %H:%M %Z").to_string()
}

/// Tells when a schedule is due next, on the clock of its zone.
pub(super) fn next_due(record: &ScheduleRecord, now: Timestamp) -> Result<Option<ZonedDateTime>, Failure> {
    let schedule = &record.schedule;
    let timetable = Timetable::new(&schedule.cron, &schedule.timezone).map_err(|error| {
        let reason = format!("schedule {}: {error}", schedule.name);
        Failure::from(RecordsError::Surroundings { is_write: false, reason })
    })?;
    let next = timetable.next_after(now.max(record.decided_until));
    Ok(next.map(|next| next.to_zoned_datetime(timetable.zone().clone())))
}
