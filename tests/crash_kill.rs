//! Holds that runs which are killed at random moments are ended by `resume`: nobody missing, nobody twice. What the
//! receivers have is counted, on the mail server and in the folder; the log has to agree.
//!
//! `MAILRUN_KILLS` sets how many times each test kills; what is random follows from `MAILRUN_SEED`.

mod support;

use std::collections::BTreeSet;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use support::place::Place;
use support::post::{address, place_with_messages, set_server};
use support::smtp::SmtpServer;

/// How many kills there are, where nothing else is said.
const KILLS: u64 = 60;

/// How many contacts a run has.
const N_CONTACTS: usize = 150;

/// How many connections a run has.
const CONNECTIONS: usize = 3;

/// An address of ours that gets a copy.
const SEED: &str = "archive@weber.example";

/// Numbers without order that are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn number(name: &str, default: u64) -> u64 {
    match support::variable(name).and_then(|value| value.to_str().and_then(|text| text.parse().ok())) {
        Some(number) => number,
        None => default,
    }
}

/// Lets a command go on for a while and kills it; false if it was quicker.
#[track_caller]
fn kill_after(mut child: Child, wait: Duration) -> bool {
    let started = Instant::now();
    while started.elapsed() < wait && child.try_wait().expect("a child can be asked").is_none() {
        thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("a child can be killed, and one that has ended too");
    let ended = child.wait_with_output().expect("a child can be waited for");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(matches!(ended.status.code(), None | Some(0 | 3)), "{}: {said}", ended.status);
    ended.status.code().is_none()
}

fn start(place: &Place, arguments: &[&str]) -> Child {
    let mut command = place.command(arguments);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program starts")
}

/// The log of a place, which has every contact once.
#[track_caller]
fn complete_log(place: &Place) -> Vec<Value> {
    let entries = place.run(&["log", "list", "--json"]).expect_code(0).json_lines();
    let contacts: BTreeSet<String> = entries.iter().map(|entry| entry["contact"].to_string()).collect();
    assert_eq!((entries.len(), contacts.len()), (N_CONTACTS, N_CONTACTS));
    entries
}

/// Runs a place's segment to its end, through kills; returns how many there were.
fn run_through_kills(place: &Place, random: &mut Random, longest_ms: u64) -> u64 {
    let mut n_kills = 0;
    let mut arguments = vec!["run", "segment.toml", "--yes"];
    loop {
        // Longer with every kill, so that the run comes to its end.
        let wait = Duration::from_millis(random.below(longest_ms + 30 * n_kills));
        if !kill_after(start(place, &arguments), wait) {
            break;
        }
        n_kills += 1;
        // A run that was killed before its plan was on disk never was.
        let begun = place.run(&["status", "SM00001"]).code == Some(0);
        arguments = if begun { vec!["resume", "--yes"] } else { vec!["run", "segment.toml", "--yes"] };
    }
    let ended = place.run(&["resume", "--yes"]);
    assert!(matches!(ended.code, Some(0 | 3)), "{ended:?}");
    n_kills
}

#[test]
fn messages_survive_kills_at_random_moments() {
    let mut random = Random(number("MAILRUN_SEED", 1));
    let (mut n_kills, mut n_doubted) = (0, 0);
    while n_kills < number("MAILRUN_KILLS", KILLS) {
        let server = SmtpServer::good();
        let place = place_with_messages(N_CONTACTS);
        set_server(&place, &server, &format!("connections = {CONNECTIONS}\nseeds = [\"{SEED}\"]"));
        let kills = run_through_kills(&place, &mut random, 500);
        n_kills += kills;

        let log = complete_log(&place);
        let mut times = server.times();
        assert!(times.values().all(|times| *times == 1), "somebody got it twice: {times:?}");
        let copy = place.run(&["status", "SM00001", "--json"]).expect_code(0).report()["seeds"][0].clone();
        let has_copy = times.remove(SEED).is_some();
        assert!(has_copy || copy["state"] == "in-doubt", "{copy}");
        assert!(copy["state"] == "in-doubt" || copy["state"] == "accepted", "{copy}");
        let mut doubted = 0;
        for entry in &log {
            let email = entry["email"].as_str().expect("an address");
            match entry["state"].as_str().expect("a state") {
                "accepted" => assert!(times.contains_key(email), "{email} was accepted and is missing"),
                "in-doubt" => doubted += 1,
                state => panic!("{email} is {state}"),
            }
        }
        assert!(doubted <= kills * CONNECTIONS as u64, "{doubted} in doubt after {kills} kills");
        n_doubted += doubted;

        // What was in doubt and is sent again has the name that it had.
        if doubted > 0 {
            let code = if copy["state"] == "in-doubt" { 3 } else { 0 }; // the copy stays so for good
            let _ = place.run(&["resume", "--in-doubt", "resend", "SM00001", "--yes"]).expect_code(code);
            let expected: BTreeSet<String> = (1..=N_CONTACTS).map(address).collect();
            let mut times = server.times();
            let n_copies = times.remove(SEED).unwrap_or_default();
            assert_eq!(n_copies, usize::from(has_copy), "the copy for the seed is never sent again");
            assert_eq!(times.into_keys().collect::<BTreeSet<_>>(), expected);
            let ids: BTreeSet<String> = server.taken().into_iter().map(|taken| taken.message_id).collect();
            assert_eq!(ids.len(), N_CONTACTS + n_copies);
        }
    }
    assert!(n_doubted > 0, "no kill came while a message was being sent: {n_kills} kills prove little");
}

#[test]
fn letters_survive_kills_at_random_moments() {
    let mut random = Random(number("MAILRUN_SEED", 2));
    let mut n_kills = 0;
    while n_kills < number("MAILRUN_KILLS", KILLS) {
        let place = place_with_messages(N_CONTACTS);
        let contacts = place.read_text("contacts.csv").replace(",email,", ",hard-copy,");
        place.write("contacts.csv", contacts);
        n_kills += run_through_kills(&place, &mut random, 250);

        for entry in complete_log(&place) {
            assert_eq!(entry["state"], "written", "{entry}");
            let name = format!("out/SM00001/letters/{}", entry["file"].as_str().expect("a name"));
            let digest = mailrun::delivery::outbox::sha256(&place.read(&name));
            assert_eq!(entry["sha256"], digest.as_str(), "{name}");
        }
        let files = place.files("out");
        assert_eq!(files.iter().filter(|name| name.ends_with(".docx")).count(), N_CONTACTS);
        assert!(files.iter().all(|name| !name.contains("mailrun-tmp")), "{files:?}");
    }
}

#[test]
fn two_processes_at_once_send_everything_once() {
    let server = SmtpServer::good();
    let place = place_with_messages(N_CONTACTS);
    set_server(&place, &server, "");
    let first = start(&place, &["run", "segment.toml", "--yes"]);
    let second = place.run(&["run", "segment.toml", "--yes"]);
    let first = first.wait_with_output().expect("it ends").status.code();
    let codes = BTreeSet::from([first.unwrap_or(-1), second.code.unwrap_or(-1)]);
    assert!(codes.contains(&0), "{codes:?}: {}", second.stderr);
    assert!(codes.iter().all(|code| [0, 1, 5].contains(code)), "{codes:?}: {}", second.stderr);
    assert_eq!(server.times().len(), N_CONTACTS);
    assert!(server.times().values().all(|times| *times == 1));
    let _ = complete_log(&place);
}
