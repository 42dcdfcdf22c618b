//! What a segment line costs beside its letter: resolving it, and its way through the journal into the log.
//!
//! `cargo bench --bench line`; each way is timed for a batch of lines, in a database on the disk.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use divan::counter::ItemsCount;
use mailrun::delivery::outcome::{Deferral, Outcome};
use mailrun::delivery::{Change, Step};
use mailrun::interaction::resolve::Facts;
use mailrun::interaction::{EntryNo, RunNo, resolve};
use mailrun::run::desk::Desk;
use mailrun::run::journal::Which;
use mailrun::run::load::{fetch, load};
use mailrun::run::records::LineRecord;
use mailrun::run::{self, Journal, Office, Records, SecretError, SegmentRef, Stages};
use mailrun::segment::LineNo;
use mailrun::setup::Setup;
use mailrun::store::Database;

const LINES: usize = 512;

fn main() {
    divan::main();
}

#[divan::bench]
fn resolved(bencher: divan::Bencher<'_, '_>) {
    let sample = Sample::new();
    let (desk, lines) = sample.loaded();
    bencher.counter(ItemsCount::new(LINES)).bench_local(|| {
        let facts = |record| facts(&desk, record);
        lines.iter().filter(|record| resolve(&facts(record)).is_ok()).count()
    });
}

#[divan::bench]
fn read_from_the_journal(bencher: divan::Bencher<'_, '_>) {
    let (sample, run) = Sample::planned();
    let mut database = sample.database();
    bencher.counter(ItemsCount::new(LINES)).bench_local(|| {
        database.pending(run, Which::All, EntryNo(0), LINES).expect("the journal can be read")
    });
}

#[divan::bench]
fn recorded_in_the_journal(bencher: divan::Bencher<'_, '_>) {
    let (sample, run) = Sample::planned();
    let mut database = sample.database();
    let pending = database.pending(run, Which::All, EntryNo(0), LINES).expect("the journal can be read");
    // A line that is put off may be put off again, so that each round finds what the one before found.
    let put_off =
        || Outcome::Deferred { cause: Deferral::Lost { observed: "the connection was lost".to_owned() } };
    let step = |entry: EntryNo| Step { line: entry.0.unsigned_abs(), change: Change::Done(put_off()) };
    let steps: Vec<Step> = pending.iter().map(|line| step(line.entry)).collect();
    bencher
        .counter(ItemsCount::new(LINES))
        .bench_local(|| database.record(run, &steps).expect("the journal can be written"));
}

#[divan::bench]
fn counted_and_listed_in_the_log(bencher: divan::Bencher<'_, '_>) {
    let (sample, run) = Sample::planned();
    let mut database = sample.database();
    bencher.counter(ItemsCount::new(LINES)).bench_local(|| {
        let mut n_rows = 0;
        database.manifest(run, &mut |_| n_rows += 1).expect("the log can be read");
        (n_rows, database.counts(run).expect("the log can be read"))
    });
}

fn facts<'a>(desk: &'a Desk, record: &'a LineRecord) -> Facts<'a> {
    Facts {
        header: &desk.header,
        line: &record.line,
        contact: &record.contact,
        addresses: &record.addresses,
        inherited: record.inherited,
        company_addresses: &record.company_addresses,
        presets: &desk.presets,
    }
}

/// A folder with the sample of `mailrun init`, for more contacts.
struct Sample {
    folder: tempfile::TempDir,
    setup: Setup,
}

impl Sample {
    fn new() -> Sample {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/init");
        for name in ["segment.toml", "mailrun.toml", "letter.docx", "contacts.csv"] {
            fs::copy(source.join(name), folder.path().join(name)).expect("the sample can be copied");
        }
        let contacts = folder.path().join("contacts.csv");
        let mut text = fs::read_to_string(&contacts).expect("the contacts are text");
        let (_, first) = text.lines().nth(1).and_then(|row| row.split_once(',')).expect("there is a contact");
        let first = first.to_owned();
        for number in text.lines().count()..=LINES {
            text += &format!("K{number:05},{first}\n");
        }
        fs::write(&contacts, text).expect("the contacts can be written");
        let setup = Setup::read(&folder.path().join("mailrun.toml")).expect("the set-up is sound");
        Sample { folder, setup }
    }

    fn database(&self) -> Database {
        Database::open(&self.folder.path().join("mailrun.db")).expect("the database opens")
    }

    fn segment(&self) -> SegmentRef {
        SegmentRef::File(self.folder.path().join("segment.toml"))
    }

    fn loaded(&self) -> (Desk, Vec<LineRecord>) {
        let mut database = self.database();
        database.begin_draft().expect("the database can be written");
        let fetched = fetch(&mut database, &self.segment(), &AtomicBool::new(false));
        let fetched = fetched.expect("the sample has its tables");
        let loaded = load(&mut database, &self.setup, fetched).expect("the sample is sound");
        let date = jiff::civil::date(2026, 3, 1);
        let (desk, _) =
            Desk::new(&mut database, &self.setup, &loaded.segment, date).expect("the sample is sound");
        let lines = database.lines(&loaded.segment, LineNo(0), LINES).expect("the lines can be read");
        (desk, lines)
    }

    /// A sample with a run that is planned and not begun.
    fn planned() -> (Sample, RunNo) {
        let sample = Sample::new();
        let mut database = sample.database();
        let mut office = Office {
            setup: &sample.setup,
            store: &mut database,
            now: "2026-03-01T09:00:00Z[UTC]".parse().expect("it is a time"),
            out: sample.folder.path().join("out"),
            stop: &AtomicBool::new(true),
            stages: &Stages::default(),
            password: &|_| Err(SecretError { reason: "nobody logs in here".to_owned() }),
            agree: &|_| true,
            wait: Duration::ZERO,
            server: None,
        };
        let report =
            run::run(&mut office, &sample.segment(), &mut |_| {}).expect("the sample can be planned");
        (sample, report.run)
    }
}
