//! Plays a year of a daily schedule with a fake clock: kills, both changes of the clock, two days without a host.
//! Needs strace, which kills at chosen system calls.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use support::place::Place;

/// How many contacts the sample of `mailrun init` writes to.
const N_CONTACTS: usize = 6;

/// The host is down on these days: no call is made.
const DOWN: [Date; 2] = [date(2026, 6, 10), date(2026, 6, 11)];

/// Every so many days the call is killed.
const DAYS_PER_KILL: usize = 8;

/// So many of the traced system calls an undisturbed call makes at least.
const N_SYSTEM_CALLS: usize = 17;

/// The moment of 02:30 in Zurich; on 2026-03-29 the clock goes from 02:00 to 03:00, at 01:00 UTC; on 2026-10-25 02:30
/// comes twice, first at 00:30 UTC.
fn due_on(day: Date, zone: &TimeZone) -> Timestamp {
    match (day.month(), day.day()) {
        (3, 29) => "2026-03-29T01:00:00Z".parse().expect("a moment"),
        (10, 25) => "2026-10-25T00:30:00Z".parse().expect("a moment"),
        _ => day.at(2, 30, 0, 0).to_zoned_datetime(zone.clone()).expect("there is such a time").timestamp(),
    }
}

#[test]
fn in_a_year_of_kills_and_changes_each_due_time_is_run_once_or_missed() {
    let zone = TimeZone::get("Europe/Zurich").expect("a zone");
    let mut place = Place::with_copy_of("templates/init");
    place.set_now("2026-01-01T00:00:00Z");
    let add =
        ["schedule", "add", "daily", "--cron", "30 2 * * *", "--timezone", "Europe/Zurich", "segment.toml"];
    let _ = place.run(&add).expect_code(0);
    let days: Vec<Date> = date(2026, 1, 1).series(jiff::ToSpan::days(1)).take(365).collect();
    let mut n_killed = 0;
    for (number, day) in days.iter().enumerate() {
        if DOWN.contains(day) {
            continue;
        }
        let due = due_on(*day, &zone);
        let minutes = |n: i64| due.checked_add(SignedDuration::from_mins(n)).expect("a moment").to_string();
        if number % DAYS_PER_KILL == 0 {
            // Another system call each time: it is killed before, within and after its plan and its letters.
            let call = number / DAYS_PER_KILL % N_SYSTEM_CALLS + 1;
            let inject =
                format!("inject=fsync,fdatasync,rename,renameat,renameat2,unlink:signal=KILL:when={call}");
            let trace = "trace=fsync,fdatasync,rename,renameat,renameat2,unlink";
            let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", trace, "-e", &inject];
            place.set_now(&minutes(1));
            let killed = place.run_under(&strace, &["schedule", "due"]);
            assert!(matches!(killed.code, None | Some(0)), "{killed:?}");
            n_killed += usize::from(killed.code.is_none());
        }
        place.set_now(&minutes(40));
        let ended = place.run(&["schedule", "due", "--json"]);
        let is_back = *day == date(2026, 6, 12);
        let ended = ended.expect_code(if is_back { 3 } else { 0 });
        if number % DAYS_PER_KILL != 0 {
            assert_eq!(ended.json_lines().len(), if is_back { 3 } else { 1 }, "{ended:?}");
        }
    }
    assert!(n_killed > 40, "only {n_killed} calls were killed");

    // The report: each due time of the year once, none but those of the two days missed.
    let shown = place.run(&["schedule", "show", "daily", "--limit", "1000", "--json"]).expect_code(0);
    let mut segments = BTreeSet::new();
    let mut states = BTreeMap::new();
    for object in shown.json_lines().iter().filter(|object| object["due"].is_string()) {
        let due: Timestamp = object["due"].as_str().and_then(|due| due.parse().ok()).expect("a moment");
        let state = object["state"].as_str().expect("a word").to_owned();
        if state == "done" {
            assert!(segments.insert(object["segment"].as_str().expect("a number").to_owned()), "{object}");
        }
        assert!(states.insert(due, state).is_none(), "{object}");
    }
    let expected: BTreeMap<Timestamp, String> = days
        .iter()
        .map(|day| (due_on(*day, &zone), if DOWN.contains(day) { "missed" } else { "done" }.to_owned()))
        .collect();
    assert_eq!(states, expected);

    // The log: each contact once in each of these segments, and no segment else. The letters: as many.
    let mut n_entries: BTreeMap<(String, String), usize> = BTreeMap::new();
    for entry in place.run(&["log", "list", "--json"]).expect_code(0).json_lines() {
        let word = |name: &str| entry[name].as_str().expect("a word").to_owned();
        *n_entries.entry((word("segment"), word("contact"))).or_default() += 1;
    }
    assert!(n_entries.values().all(|n| *n == 1));
    assert_eq!(n_entries.len(), segments.len() * N_CONTACTS);
    let logged: BTreeSet<String> = n_entries.into_keys().map(|(segment, _)| segment).collect();
    assert_eq!(logged, segments);
    let files = place.files("out");
    let n_letters = files.iter().filter(|file| file.ends_with(".docx") || file.ends_with(".eml")).count();
    assert_eq!(n_letters, segments.len() * N_CONTACTS);
}
