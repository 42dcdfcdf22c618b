//! Holds that nobody on the suppression list is written to: not by a plan, not by a resumed run.

mod support;

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use mailrun::delivery::suppression::{AddressKey, Suppression, SuppressionReason};
use mailrun::run::{self, Office, SecretError, SegmentRef, Stages};
use mailrun::setup::Setup;
use mailrun::store::Database;
use serde_json::Value;

use support::place::{NOW, Place};
use support::post::{self, address, set_server};
use support::smtp::{Act, At, SmtpServer};

/// A place with the letter of `mailrun init`, sent by e-mail to so many contacts: `c0@example.com` and so on.
fn place_with_messages(n_contacts: usize) -> Place {
    let place = Place::with_copy_of("templates/init");
    let mut contacts = "no,Company,first_name,surname,email,language\n".to_owned();
    for number in 0..n_contacts {
        contacts.push_str(&format!("C{number},,Ann,Number {number},c{number}@example.com,en\n"));
    }
    place.write("contacts.csv", contacts);
    let segment = place.read_text("segment.toml");
    let until_lines = segment.split("[[line]]").next().expect("a split has a first part");
    let header = "[segment]\nno = \"SM00001\"\ncorrespondence_type = \"email\"\n\
                  ignore_contact_correspondence_type = true\n";
    place.write("segment.toml", until_lines.replace("[segment]\n", header));
    place
}

fn entries(place: &Place, state: &str) -> Vec<Value> {
    place.run(&["log", "list", "--state", state, "--json"]).expect_code(0).json_lines()
}

#[test]
fn a_suppressed_address_is_logged_as_suppressed_and_not_written_to() {
    let place = place_with_messages(4);
    let _ = place.run(&["contact", "suppress", "C1@Example.COM", "--reason", "unsubscribe"]).expect_code(0);
    let report = place.run(&["run", "segment.toml", "--json"]).expect_code(0).report();
    assert_eq!((&report["written"], &report["suppressed"]), (&Value::from(3), &Value::from(1)));
    let suppressed = entries(&place, "suppressed");
    assert_eq!(suppressed.len(), 1);
    assert_eq!(suppressed[0]["contact"], "C1");
    assert_eq!(suppressed[0]["reason"], "suppressed-address: unsubscribe");
    assert_eq!(suppressed[0]["email"], "c1@example.com");
    assert_eq!((&suppressed[0]["file"], &suppressed[0]["message_id"]), (&Value::from(""), &Value::from("")));
    let files = place.files("out/SM00001/outbox");
    assert!(files.len() == 3 && files.iter().all(|file| !file.contains("C1")), "{files:?}");
}

#[test]
fn check_explain_and_preview_say_that_the_line_is_suppressed() {
    let place = place_with_messages(2);
    let _ = place.run(&["contact", "suppress", "c0@example.com"]).expect_code(0);
    let checked = place.run(&["check", "segment.toml"]).expect_code(0);
    assert!(checked.stderr.contains("2 lines = 1 planned + 1 suppressed"), "{}", checked.stderr);
    let explained = place.run(&["explain", "segment.toml", "--contact", "C0"]).expect_code(0);
    assert!(
        explained.stdout.contains("the line is suppressed: suppressed-address: manual"),
        "{explained:#?}"
    );
    let _ = place.run(&["preview", "segment.toml"]).expect_code(0);
    assert!(place.files("out").iter().all(|file| file.contains("C1")), "{:?}", place.files("out"));
}

#[test]
fn an_address_suppressed_while_the_run_is_interrupted_is_not_written_to() {
    // One line more than a batch, so that a run which is told to stop leaves some.
    let place = place_with_messages(600);
    let setup = Setup::read(&place.path("mailrun.toml")).expect("the sample's set-up is sound");
    let mut database = Database::open(&place.path("mailrun.db")).expect("the database opens");
    let report = {
        let now = NOW.parse().expect("the clock of the tests is a time");
        let stop = AtomicBool::new(true);
        let stages = Stages::default();
        let mut office = Office {
            setup: &setup,
            store: &mut database,
            now,
            out: place.path("out"),
            stop: &stop,
            stages: &stages,
            password: &|_| Err(SecretError { reason: "nobody logs in here".to_owned() }),
            agree: &|_| true,
            wait: Duration::ZERO,
            server: None,
        };
        let asked = SegmentRef::File(place.path("segment.toml"));
        run::run(&mut office, &asked, &mut |_| {}).expect("a run that is stopped is no failure")
    };
    assert!(!report.is_logged && report.counts.planned > 0, "{report:?}");
    let address = "c599@example.com".parse().expect("an address");
    let suppression = Suppression {
        address: AddressKey::of(&address),
        reason: SuppressionReason::Complaint,
        since: "2026-03-01T08:00:00Z".parse().expect("a moment"),
        entry: None,
    };
    assert!(database.suppress(&suppression).expect("the list takes it"));
    drop(database);

    let report = place.run(&["resume", "--json"]).expect_code(0).report();
    assert_eq!((&report["written"], &report["suppressed"]), (&Value::from(599), &Value::from(1)));
    let suppressed = entries(&place, "suppressed");
    assert_eq!(suppressed[0]["reason"], "suppressed-address: complaint");
    assert!(place.files("out/SM00001/outbox").iter().all(|file| !file.contains("C599")));
}

#[test]
fn an_address_suppressed_after_its_message_was_deferred_is_not_tried_again() {
    let server = SmtpServer::scripted(|moment| match moment.at {
        At::Rcpt if moment.n_before == 0 => Act::Say("450 4.2.0 greylisted"),
        _ => Act::Good,
    });
    let mut place = post::place_with_messages(3);
    set_server(&place, &server, "retry = { first = \"1h\" }");
    let _ = place.run(&["run", "segment.toml", "--yes", "--wait", "0s"]).expect_code(4);
    assert_eq!(entries(&place, "deferred").len(), 3);
    let _ = place.run(&["contact", "suppress", &address(2)]).expect_code(0);
    place.set_now("2026-03-01T12:00:00+01:00[Europe/Zurich]");
    let report = place.run(&["resume", "--yes", "--json"]).expect_code(0).report();
    assert_eq!((&report["accepted"], &report["suppressed"]), (&Value::from(2), &Value::from(1)));
    let suppressed = entries(&place, "suppressed");
    assert_eq!(
        (&suppressed[0]["email"], &suppressed[0]["reason"]),
        (&address(2).into(), &"suppressed-address: manual".into())
    );
    let reached: Vec<String> = server.times().into_keys().collect();
    assert_eq!(reached, [address(1), address(3)]);
}

#[test]
fn an_address_suppressed_while_its_message_is_in_doubt_is_not_written_to_again() {
    let server = SmtpServer::scripted(|moment| match moment.at {
        At::Dot if moment.n_before == 0 => Act::TakeAndDrop,
        _ => Act::Good,
    });
    let place = post::place_with_messages(3);
    set_server(&place, &server, "");
    let _ = place.run(&["run", "segment.toml", "--yes", "--wait", "0s"]).expect_code(3);
    assert_eq!(entries(&place, "in-doubt").len(), 3);
    let _ = place.run(&["contact", "suppress", &address(2)]).expect_code(0);
    let resend = ["resume", "SM00001", "--in-doubt", "resend", "--yes", "--json"];
    let report = place.run(&resend).expect_code(0).report();
    assert_eq!((&report["accepted"], &report["suppressed"]), (&Value::from(2), &Value::from(1)));
    let expected = [(address(1), 2), (address(2), 1), (address(3), 2)];
    assert_eq!(server.times().into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn an_address_suppressed_after_its_message_was_accepted_is_not_sent_it_once_more() {
    let server = SmtpServer::good();
    let place = post::place_with_messages(2);
    set_server(&place, &server, "");
    let _ = place.run(&["run", "segment.toml", "--yes"]).expect_code(0);
    let _ = place.run(&["contact", "suppress", &address(2)]).expect_code(0);
    let accepted = entries(&place, "accepted");
    let numbers: Vec<String> = accepted.iter().map(|entry| entry["entry"].to_string()).collect();
    let resend = ["log", "resend", &numbers[0], &numbers[1], "--yes", "--json"];
    let report = place.run(&resend).expect_code(0).report();
    assert_eq!((&report["accepted"], &report["suppressed"]), (&Value::from(1), &Value::from(1)));
    assert_eq!(server.times().into_iter().collect::<Vec<_>>(), [(address(1), 2), (address(2), 1)]);
}

#[test]
fn the_list_goes_out_and_comes_back_as_a_table() {
    let place = place_with_messages(3);
    place.write(
        "other.csv",
        "Email;Reason;Since\nAnna@münchen.example;complaint;2025-12-24\nbo@example.com;;\n",
    );
    let ended = place.run(&["contact", "suppress", "--import", "other.csv"]).expect_code(0);
    assert_eq!(ended.stderr, "2 addresses put on the suppression list\n");
    let ended = place.run(&["contact", "suppress", "bo@example.com", "cy@example.com"]).expect_code(0);
    assert_eq!(ended.stderr, "1 address put on the suppression list, 1 were on it already\n");
    let _ = place.run(&["contact", "suppressed", "--export", "list.csv"]).expect_code(0);
    assert_eq!(
        place.read_text("list.csv"),
        "address,reason,since\n\
         anna@xn--mnchen-3ya.example,complaint,2025-12-24T00:00:00Z\n\
         bo@example.com,manual,2026-03-01T08:00:00Z\n\
         cy@example.com,manual,2026-03-01T08:00:00Z\n"
    );
    let there = ["--db", "there.db"];
    let _ =
        place.run(&[&there[..], &["contact", "suppress", "--import", "list.csv"]].concat()).expect_code(0);
    let here = place.run(&["contact", "suppressed", "--json"]).expect_code(0).stdout;
    assert_eq!(
        place.run(&[&there[..], &["contact", "suppressed", "--json"]].concat()).expect_code(0).stdout,
        here
    );
}

#[test]
fn an_address_comes_off_the_list_and_is_written_to_again() {
    let place = place_with_messages(2);
    let _ = place.run(&["contact", "import", "contacts.csv"]).expect_code(0);
    let _ = place.run(&["contact", "suppress", "--contact", "C0"]).expect_code(0);
    let listed = place.run(&["contact", "suppressed"]).expect_code(0).stdout;
    assert_eq!(listed, "c0@example.com  manual  2026-03-01T08:00:00Z\n");
    let ended = place.run(&["contact", "suppress", "--remove", "C0@example.com"]).expect_code(0);
    assert_eq!(ended.stderr, "1 address taken off the suppression list\n");
    assert_eq!(place.run(&["run", "segment.toml", "--json"]).expect_code(0).report()["written"], 2);
}

#[test]
fn a_table_with_wrong_records_changes_nothing_and_names_them_all() {
    let place = Place::new();
    place.write(
        "list.csv",
        "address,reason,since\nanna,manual,\nbo@example.com,spam,soon\ncy@example.com,,\n",
    );
    let ended = place.run(&["contact", "suppress", "--import", "list.csv"]).expect_code(1);
    for problem in [
        "mail address `anna` has no `@`\n  --> list.csv, line 2, column `address`",
        "`spam` is no reason, expected one of manual, unsubscribe, hard-bounce, complaint\n  --> list.csv, line 3",
        "`soon` is no moment, expected one such as 2026-03-01 or 2026-03-01T09:00:00Z\n  --> list.csv, line 3",
        "3 problems in the input. Nothing was done.",
    ] {
        assert!(ended.stderr.contains(problem), "{problem}\n{}", ended.stderr);
    }
    assert_eq!(place.files(""), ["list.csv"]);
}

#[test]
fn a_refusal_that_was_set_by_command_outlives_a_table_that_says_nothing_of_it() {
    let place = Place::with_copy_of("templates/init");
    let _ = place.run(&["contact", "import", "contacts.csv"]).expect_code(0);
    let _ = place.run(&["contact", "set", "1003", "no_mail=yes"]).expect_code(0);
    let _ = place.run(&["contact", "import", "contacts.csv"]).expect_code(0);
    let report = place.run(&["run", "segment.toml", "--json"]).expect_code(0).report();
    assert_eq!((&report["written"], &report["suppressed"]), (&5.into(), &1.into()));
    // A table that has the column decides.
    let contacts =
        place.read_text("contacts.csv").replace("no,type", "no_mail,no,type").replace("\n1", "\n,1");
    place.write("contacts.csv", contacts);
    let report = place.run(&["run", "segment.toml", "--json"]).expect_code(0).report();
    assert_eq!((&report["written"], &report["suppressed"]), (&6.into(), &0.into()));
}
