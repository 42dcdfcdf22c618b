//! Holds that a run which stops at any call of its store is ended by `resume`, nobody missing, nobody twice.

mod support;

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jiff::Timestamp;
use mailrun::contact::address::AlternativeAddress;
use mailrun::contact::import::ContactColumn;
use mailrun::contact::{Contact, ContactNo};
use mailrun::delivery::Step;
use mailrun::delivery::suppression::{AddressKey, SuppressionReason};
use mailrun::interaction::{EntryNo, InteractionTemplate, RunNo};
use mailrun::merge::value::Frame;
use mailrun::run::attempt::{AttemptStep, PastAttempt, Server};
use mailrun::run::household::HouseholdRule;
use mailrun::run::journal::{InDoubt, Journal, Pending, SeedLine, Which};
use mailrun::run::manifest::ManifestRow;
use mailrun::run::plan::{PlannedLine, RunDocument};
use mailrun::run::records::{LineRecord, Query, QueryError, SegmentStanding};
use mailrun::run::schedule::{DueTime, Mark, ScheduleName, ScheduleRecord, Schedules};
use mailrun::run::seed::{Seed, SeedStep};
use mailrun::run::values::RowTable;
use mailrun::run::{
    self, Counts, Lock, LockError, Office, Queries, Records, RecordsError, RunError, RunOptions, SecretError,
    SegmentRef, Stages, Store,
};
use mailrun::segment::{Attachment, CriteriaAction, Digest, LineNo, SegmentHeader, SegmentLine, SegmentNo};
use mailrun::setup::{Master, MasterKind, Setup};
use mailrun::store::Database;

use support::place::{NOW, Place};
use support::post::{place_with_messages, set_server};
use support::smtp::SmtpServer;

/// How many messages the runs over a mail server have.
const N_MESSAGES: usize = 4;

/// When the store of a test dies.
#[derive(Clone, Copy, Debug)]
enum Death {
    /// Before the call of this number has an effect.
    Before(usize),
    /// When it has had its effect, but nobody learns of it.
    After(usize),
}

/// A database that dies at one call, and stays dead.
struct Mortal {
    database: Database,
    death: Death,
    n_calls: usize,
    is_dead: bool,
}

impl Mortal {
    fn call<T>(
        &mut self,
        act: impl FnOnce(&mut Database) -> Result<T, RecordsError>,
    ) -> Result<T, RecordsError> {
        let number = self.n_calls;
        self.n_calls += 1;
        let dead = || RecordsError::Surroundings { is_write: true, reason: "the store died".to_owned() };
        self.is_dead |= matches!(self.death, Death::Before(n) if n == number);
        if self.is_dead {
            return Err(dead());
        }
        let done = act(&mut self.database);
        self.is_dead |= matches!(self.death, Death::After(n) if n == number);
        if self.is_dead { Err(dead()) } else { done }
    }
}

/// Hands each method on to the database, through [`Mortal::call`].
macro_rules! hand_on {
    ($room:ident: $($name:ident($($argument:ident: $kind:ty),*) -> $result:ty;)*) => {
        impl $room for Mortal {
            $(fn $name(&mut self, $($argument: $kind),*) -> Result<$result, RecordsError> {
                self.call(|database| database.$name($($argument),*))
            })*
        }
    };
}

hand_on! { Records:
    begin_draft() -> ();
    keep_draft() -> ();
    discard_draft() -> ();
    put_contact(contact: &Contact) -> ();
    put_contact_but(contact: &Contact, absent: &[&'static str]) -> ();
    has_contact(no: &ContactNo) -> bool;
    contact(no: &ContactNo) -> Option<Contact>;
    put_columns(columns: &[ContactColumn]) -> ();
    columns() -> Vec<ContactColumn>;
    put_row_table(table: &RowTable) -> ();
    row_tables() -> Vec<RowTable>;
    put_row(table: &str, contact: &ContactNo, row: &Frame) -> ();
    clear_addresses(no: &ContactNo) -> ();
    put_address(address: &AlternativeAddress) -> ();
    put_attachment(attachment: &Attachment) -> ();
    attachment(digest: &Digest) -> Option<Attachment>;
    put_template(template: &InteractionTemplate) -> ();
    templates() -> Vec<InteractionTemplate>;
    suppressed(addresses: &[AddressKey]) -> Vec<Option<SuppressionReason>>;
    put_master(master: &Master) -> ();
    masters(kind: MasterKind) -> Vec<Master>;
    standing(segment: &SegmentNo) -> SegmentStanding;
    last_segment_no(first: &str) -> Option<SegmentNo>;
    put_segment(header: &SegmentHeader) -> ();
    header(segment: &SegmentNo) -> Option<SegmentHeader>;
    put_line(segment: &SegmentNo, line: &SegmentLine) -> ();
    line_of(segment: &SegmentNo, contact: &ContactNo) -> Option<SegmentLine>;
    add_line(segment: &SegmentNo, contact: &ContactNo) -> LineNo;
    select(segment: &SegmentNo, action: &CriteriaAction) -> usize;
    join_households(segment: &SegmentNo, rule: HouseholdRule) -> ();
    n_lines(segment: &SegmentNo) -> usize;
    lines(segment: &SegmentNo, after: LineNo, limit: usize) -> Vec<LineRecord>;
    put_run(options: &RunOptions) -> RunNo;
    put_documents(run: RunNo, documents: &[RunDocument]) -> ();
    put_plan(run: RunNo, lines: &[PlannedLine]) -> ();
}

hand_on! { Journal:
    options(run: RunNo) -> RunOptions;
    documents(run: RunNo) -> Vec<RunDocument>;
    reopen(run: RunNo, in_doubt: InDoubt, now: Timestamp) -> ();
    plan_again(entry: EntryNo) -> ();
    interrupted() -> Vec<(RunNo, SegmentNo)>;
    pending(run: RunNo, which: Which, after: EntryNo, limit: usize) -> Vec<Pending>;
    n_messages(run: RunNo) -> u64;
    next_due(run: RunNo) -> Option<Timestamp>;
    past_attempts(since: Timestamp) -> Vec<PastAttempt>;
    record_attempts(run: RunNo, server: &Server<'_>, steps: &[AttemptStep<'_>]) -> ();
    record(run: RunNo, steps: &[Step]) -> ();
    seeds(run: RunNo) -> Vec<Seed>;
    seed_line(run: RunNo) -> Option<SeedLine>;
    n_seeds(run: RunNo) -> u64;
    record_seeds(run: RunNo, server: &Server<'_>, steps: &[SeedStep<'_>]) -> ();
    counts(run: RunNo) -> Counts;
    manifest(run: RunNo, take: &mut dyn FnMut(&ManifestRow)) -> ();
    archive(run: RunNo) -> ();
}

hand_on! { Schedules:
    lock_schedule(name: &ScheduleName) -> Option<Box<dyn Lock>>;
    schedule(name: &ScheduleName) -> Option<ScheduleRecord>;
    open_due_times(name: &ScheduleName) -> Vec<DueTime>;
    decide(name: &ScheduleName, until: Timestamp, decided: &[DueTime]) -> ();
    begin_due(name: &ScheduleName, due: Timestamp, run: RunNo) -> ();
    put_due_times(name: &ScheduleName, due_times: &[DueTime]) -> ();
    owed_hooks(name: &ScheduleName) -> Vec<DueTime>;
    untold(name: &ScheduleName) -> Vec<DueTime>;
    criteria_actions(code: &str) -> Option<Vec<CriteriaAction>>;
    mark(name: &ScheduleName) -> Option<Mark>;
    put_mark(name: &ScheduleName, mark: Mark) -> ();
}

impl Queries for Mortal {
    fn copy_query(&mut self, query: &Query<'_>, into: &mut File) -> Result<(), QueryError> {
        self.database.copy_query(query, into)
    }
}

impl Store for Mortal {
    fn lock(&self, segment: &SegmentNo) -> Result<Box<dyn Lock>, LockError> {
        self.database.lock(segment)
    }
}

/// A place with the segment of `mailrun init`, and a seed that gets a copy of its message.
fn place() -> Place {
    let place = Place::with_copy_of("templates/init");
    let setup = place.read_text("mailrun.toml");
    place.write("mailrun.toml", setup.replace("[smtp]\n", "[smtp]\nseeds = [\"archive@weber.example\"]\n"));
    place
}

/// Works over a place with a store, and returns what `work` does.
fn at<T>(place: &Place, store: &mut dyn Store, work: impl FnOnce(&mut Office<'_>) -> T) -> T {
    let setup = Setup::read(&place.path("mailrun.toml")).expect("the sample's set-up is sound");
    let now = NOW.parse().expect("the clock of the tests is a time");
    work(&mut Office {
        setup: &setup,
        store,
        now,
        out: place.path("out"),
        stop: &AtomicBool::new(false),
        stages: &Stages::default(),
        password: &|_| Err(SecretError { reason: "nobody logs in here".to_owned() }),
        agree: &|_| true,
        wait: Duration::ZERO,
        server: None,
    })
}

fn run_once(place: &Place, store: &mut dyn Store) -> Result<run::Report, RunError> {
    let asked = SegmentRef::File(place.path("segment.toml"));
    at(place, store, |office| run::run(office, &asked, &mut |_| {}))
}

fn database(file: &Path) -> Database {
    Database::open(file).expect("the database opens")
}

/// Runs until the store dies and then to the end; tells whether the store died before the run had ended.
fn die_and_go_on(death: Death, undisturbed: &Place) -> bool {
    let place = place();
    let file = place.path("mailrun.db");
    let mut mortal = Mortal { database: database(&file), death, n_calls: 0, is_dead: false };
    let ended = run_once(&place, &mut mortal);
    let died = mortal.is_dead;
    assert_eq!(ended.is_err(), died, "{death:?}: {ended:?}");
    drop(mortal);

    let mut plain = database(&file);
    let interrupted = plain.interrupted().expect("the runs can be listed");
    for (run, _) in &interrupted {
        let report = at(&place, &mut plain, |office| run::resume(office, *run, InDoubt::Hold, &mut |_| {}));
        assert!(report.expect("resume ends the run").is_logged, "{death:?}");
    }
    let mut n_logged = 0;
    plain.each_logged(None, &mut |_| n_logged += 1).expect("the log can be read");
    let was_logged = n_logged == 1;
    if !was_logged {
        assert!(interrupted.is_empty(), "{death:?}");
        assert_eq!(place.files("out").len(), 0, "{death:?}: nothing may have happened");
        let _ = run_once(&place, &mut plain).expect("the run begins anew");
    }
    drop(plain);
    assert_eq!(place.files("out"), undisturbed.files("out"), "{death:?}");
    for name in place.files("out") {
        assert_eq!(place.read(&name), undisturbed.read(&name), "{death:?}: {name}");
    }
    let entries = place.run(&["log", "list", "--json"]).expect_code(0).json_lines();
    let contacts: BTreeSet<String> = entries.iter().map(|entry| entry["contact"].to_string()).collect();
    assert_eq!((entries.len(), contacts.len()), (6, 6), "{death:?}");
    died
}

/// Lets the store die at every call in turn.
fn die_at_every_call(death: fn(usize) -> Death) {
    let undisturbed = place();
    let _ = undisturbed.run(&["run", "segment.toml"]).expect_code(0);
    let all = "six contacts, the copy for the seed, the manifest, and whose folder it is";
    assert_eq!(undisturbed.files("out").len(), 9, "{all}");
    let n_deaths = (0..).take_while(|&number| die_and_go_on(death(number), &undisturbed)).count();
    assert!(n_deaths > 30, "only {n_deaths} calls");
}

#[test]
fn a_run_whose_store_dies_before_any_call_ends_as_if_nothing_had_been() {
    die_at_every_call(Death::Before);
}

/// Sends until the store dies and then to the end; tells whether the store died before the run had ended.
fn die_and_send_on(death: Death) -> bool {
    let server = SmtpServer::good();
    let place = place_with_messages(N_MESSAGES);
    set_server(&place, &server, "connections = 1\nseeds = [\"archive@example.com\"]");
    let file = place.path("mailrun.db");
    let mut mortal = Mortal { database: database(&file), death, n_calls: 0, is_dead: false };
    let ended = run_once(&place, &mut mortal);
    let died = mortal.is_dead;
    assert_eq!(ended.is_err(), died, "{death:?}: {ended:?}");
    drop(mortal);

    let mut plain = database(&file);
    let go_on = |plain: &mut Database, run, in_doubt| {
        let report = at(&place, plain, |office| run::resume(office, run, in_doubt, &mut |_| {}));
        report.unwrap_or_else(|error| panic!("{death:?}: {error}"))
    };
    let interrupted = plain.interrupted().expect("the runs can be listed");
    for (run, _) in &interrupted {
        let _ = go_on(&mut plain, *run, InDoubt::Hold);
    }
    if interrupted.is_empty() && died && server.n_connections() == 0 {
        let _ = run_once(&place, &mut plain).expect("the run begins anew");
    }
    let log = place.run(&["log", "list", "--json"]).expect_code(0).json_lines();
    assert_eq!(log.len(), N_MESSAGES, "{death:?}");
    let times = server.times();
    assert!(times.values().all(|times| *times == 1), "{death:?}: {times:?}");
    let mut n_doubted = 0;
    for entry in &log {
        let email = entry["email"].as_str().expect("an address");
        match entry["state"].as_str().expect("a state") {
            "accepted" => assert!(times.contains_key(email), "{death:?}: {email} is missing"),
            "in-doubt" => n_doubted += 1,
            state => panic!("{death:?}: {email} is {state}"),
        }
    }
    assert!(n_doubted <= 1, "{death:?}: one connection, {n_doubted} in doubt");
    if n_doubted > 0 {
        let report = go_on(&mut plain, RunNo(1), InDoubt::Resend);
        assert!(report.is_logged, "{death:?}: {report:?}");
    }
    let taken = server.taken().into_iter().filter(|taken| taken.recipient != "archive@example.com");
    let (people, ids): (BTreeSet<String>, BTreeSet<String>) =
        taken.map(|taken| (taken.recipient, taken.message_id)).unzip();
    assert_eq!((people.len(), ids.len()), (N_MESSAGES, N_MESSAGES), "{death:?}");
    assert!(server.times().get("archive@example.com").is_none_or(|times| *times == 1), "{death:?}");
    died
}

#[test]
fn messages_of_a_run_whose_store_dies_at_any_call_reach_everybody_once_or_are_in_doubt() {
    for death in [Death::Before, Death::After] {
        let n_deaths = (0..).take_while(|&number| die_and_send_on(death(number))).count();
        assert!(n_deaths > 30, "only {n_deaths} calls");
    }
}

#[test]
fn a_run_whose_store_dies_after_any_call_ends_as_if_nothing_had_been() {
    die_at_every_call(Death::After);
}
