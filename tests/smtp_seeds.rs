//! Holds that every seed gets one copy of a run's message, when the lines are done, and never a second one; the server's
//! own list is the proof.

mod support;

use std::process::Stdio;
use std::sync::mpsc::channel;
use std::time::Duration;

use mail_parser::{Message, MessageParser};
use serde_json::{Value, json};

use support::place::Place;
use support::post::{address, place_with_messages, set_server, set_url};
use support::smtp::{Act, At, SmtpServer, Taken};

/// The seed that most tests have.
const ARCHIVE: &str = "archive@weber.example";

/// Lines of `[smtp]` that name it.
const ONE_SEED: &str = "seeds = [\"Archive <archive@weber.example>\"]";

#[track_caller]
fn run(place: &Place, code: i32) -> Value {
    place.run(&["run", "segment.toml", "--yes", "--json", "--wait", "0s"]).expect_code(code).report()
}

#[track_caller]
fn resume(place: &Place, code: i32) -> Value {
    place.run(&["resume", "--yes", "--json", "--wait", "0s"]).expect_code(code).report()
}

/// What the server took for an address.
fn taken_for(server: &SmtpServer, address: &str) -> Vec<Taken> {
    server.taken().into_iter().filter(|taken| taken.recipient == address).collect()
}

fn parsed(bytes: &[u8]) -> Message<'_> {
    MessageParser::default().parse(bytes).expect("a message")
}

/// Nothing sends a copy again: not a resume, not another delivery of a line on purpose, not a decision about doubts.
#[track_caller]
fn expect_no_second_copy(place: &Place, server: &SmtpServer) {
    let n_taken = taken_for(server, ARCHIVE).len();
    assert!(n_taken <= 1, "{n_taken} copies");
    let _ = place.run(&["resume", "--yes"]).expect_code(0);
    let _ = place.run(&["resume", "--yes", "SM00001", "--in-doubt", "resend"]).expect_code(0);
    let entry = place.run(&["log", "list", "--json"]).expect_code(0).json_lines()[0]["entry"].to_string();
    let _ = place.run(&["log", "resend", &entry, "--yes"]);
    assert_eq!(taken_for(server, ARCHIVE).len(), n_taken);
    let checked = place.run(&["db", "check"]).expect_code(0);
    assert!(checked.stderr.contains("the database is sound"), "{}", checked.stderr);
}

#[test]
fn each_seed_gets_one_copy_after_all_lines_and_no_line_more_is_counted() {
    let server = SmtpServer::good();
    let place = place_with_messages(3);
    set_server(
        &place,
        &server,
        "seeds = [\"Archive <archive@weber.example>\", \"second@weber.example\"]\n\
         unsubscribe = [\"https://weber.example/off?c={{contact.no}}\"]",
    );
    let _ = place.run(&["contact", "suppress", ARCHIVE]).expect_code(0); // that is about contacts
    let report = run(&place, 0);
    assert_eq!((&report["lines"], &report["accepted"]), (&json!(3), &json!(3)));
    let seeds: Vec<(&Value, &Value)> =
        report["seeds"].as_array().expect("a list").iter().map(|it| (&it["address"], &it["state"])).collect();
    let accepted = json!("accepted");
    assert_eq!(seeds, [(&json!(ARCHIVE), &accepted), (&json!("second@weber.example"), &accepted)]);

    let taken = server.taken();
    let lines = &taken[..3]; // several connections: in any order among themselves
    let archived = taken_for(&server, ARCHIVE);
    assert!(lines.iter().all(|taken| taken.recipient.starts_with("anna.")), "{lines:?}");
    let mut names: Vec<&String> = taken.iter().map(|taken| &taken.message_id).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 5, "each has a name of its own");
    let first = lines.iter().find(|taken| taken.recipient == address(1)).expect("the first line");
    let (original, copy) = (parsed(&first.bytes), parsed(&archived[0].bytes));
    let to = copy.to().and_then(|to| to.first()).expect("a reader");
    assert_eq!((to.name(), to.address()), (Some("Archive"), Some(ARCHIVE)));
    assert_eq!(copy.subject(), original.subject());
    assert_eq!(copy.body_text(0), original.body_text(0));
    assert_eq!(copy.attachment(0).map(|it| it.contents()), original.attachment(0).map(|it| it.contents()));
    assert!(copy.header_raw("List-Unsubscribe").is_none(), "a click must not unsubscribe the contact");
    assert_eq!(copy.header_raw("X-Mailrun-Copy").map(str::trim), Some("segment SM00001, for a seed"));

    assert_eq!(place.run(&["log", "list", "--json"]).expect_code(0).json_lines().len(), 3);
    let shown = place.run(&["status", "SM00001", "-v"]).expect_code(0).stdout;
    assert!(shown.contains("seed archive@weber.example: accepted: 250 2.0.0 taken"), "{shown}");
    expect_no_second_copy(&place, &server);
}

#[test]
fn copies_leave_with_a_yes_alone_also_when_nothing_else_is_left() {
    let server = SmtpServer::scripted(|moment| match (moment.at, moment.recipient.as_str()) {
        (At::Rcpt, ARCHIVE) if moment.n_before == 0 => Act::Say("450 4.2.0 greylisted"),
        _ => Act::Good,
    });
    let mut place = place_with_messages(3);
    set_server(&place, &server, &format!("{ONE_SEED}\nretry = {{ first = \"1h\" }}"));
    let asked = place.run(&["run", "segment.toml"]).expect_code(2);
    assert!(asked.stderr.contains("3 messages and 1 copy for a seed were not agreed to"), "{}", asked.stderr);
    assert_eq!(server.n_connections(), 0);

    let report = run(&place, 4);
    assert_eq!((&report["accepted"], &report["seeds"][0]["state"]), (&json!(3), &json!("deferred")));
    let status = place.run(&["status", "-v"]).expect_code(0).stdout;
    assert!(status.contains("not done: `mailrun resume` continues"), "{status}");
    assert!(status.contains("seed archive@weber.example: deferred: 450 4.2.0 greylisted"), "{status}");
    let _ = resume(&place, 4); // it is too early
    assert!(taken_for(&server, ARCHIVE).is_empty());

    place.set_now("2026-03-01T12:00:00+01:00[Europe/Zurich]");
    let asked = place.run(&["resume"]).expect_code(2);
    assert!(asked.stderr.contains("1 copy for a seed was not agreed to"), "{}", asked.stderr);
    let report = resume(&place, 0);
    assert_eq!(report["seeds"][0]["state"], "accepted");
    assert_eq!((server.taken().len(), taken_for(&server, ARCHIVE).len()), (4, 1));
    expect_no_second_copy(&place, &server);
}

#[test]
fn a_copy_whose_answer_never_came_is_in_doubt_and_not_sent_again() {
    let server = SmtpServer::scripted(|moment| match (moment.at, moment.recipient.as_str()) {
        (At::Dot, ARCHIVE) => Act::TakeAndDrop,
        _ => Act::Good,
    });
    let place = place_with_messages(2);
    set_server(&place, &server, ONE_SEED);
    let ended = place.run(&["run", "segment.toml", "--yes"]).expect_code(3);
    assert!(ended.stderr.contains("warning: seed archive@weber.example: in-doubt: "), "{}", ended.stderr);
    assert!(ended.stderr.contains("2 lines = 2 accepted"), "{}", ended.stderr);
    expect_no_second_copy(&place, &server);
}

#[test]
fn a_copy_that_was_lost_before_its_dot_is_tried_again_and_a_refused_one_is_said() {
    let server = SmtpServer::scripted(|moment| match (moment.at, moment.recipient.as_str()) {
        (At::Data, ARCHIVE) if moment.n_before < 2 => Act::Drop,
        (At::Rcpt, "gone@weber.example") => Act::Say("550 5.1.1 no such user"),
        _ => Act::Good,
    });
    let place = place_with_messages(2);
    let seeds = format!("seeds = [\"{ARCHIVE}\", \"gone@weber.example\"]");
    set_server(&place, &server, &format!("{seeds}\nretry = {{ first = \"20ms\", longest = \"50ms\" }}"));
    let ended = place.run(&["run", "segment.toml", "--yes", "--wait", "60s"]).expect_code(3);
    let said = "warning: seed gone@weber.example: rejected: 550 5.1.1 no such user";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    assert_eq!(taken_for(&server, ARCHIVE).len(), 1);
    expect_no_second_copy(&place, &server);
}

#[test]
fn a_run_that_is_killed_while_a_copy_is_sent_sends_no_second_one() {
    let (reached, at_the_dot) = channel();
    let server = SmtpServer::scripted(move |moment| {
        if (moment.at, moment.recipient.as_str()) == (At::Dot, ARCHIVE) {
            reached.send(()).expect("the test waits");
        }
        Act::Good
    });
    let place = place_with_messages(2);
    set_server(&place, &server, ONE_SEED);
    // The copy is as far as its dot when the process is gone; whether the answer still reached it does not matter.
    let mut command = place.command(&["run", "segment.toml", "--yes"]);
    let mut child = command.stderr(Stdio::null()).spawn().expect("the program starts");
    at_the_dot.recv_timeout(Duration::from_secs(60)).expect("the copy comes to its dot");
    child.kill().expect("a child can be killed");
    child.wait().expect("it ends");
    let _ = place.run(&["resume", "--yes"]);
    assert_eq!(
        place.run(&["status", "SM00001"]).expect_code(0).stdout.lines().next(),
        Some("segment SM00001, run 1: done")
    );
    assert_eq!(server.times().get(&address(1)), Some(&1));
    expect_no_second_copy(&place, &server);
}

#[test]
fn where_no_message_went_out_there_is_nothing_to_copy() {
    let server = SmtpServer::scripted(|moment| match moment.at {
        At::Rcpt if moment.recipient != ARCHIVE => Act::Say("550 5.1.1 no such user"),
        _ => Act::Good,
    });
    let place = place_with_messages(2);
    set_server(&place, &server, ONE_SEED);
    let report = run(&place, 3);
    assert_eq!((&report["rejected"], &report["seeds"][0]["state"]), (&json!(2), &json!("planned")));
    assert!(server.taken().is_empty());
    assert_eq!(place.run(&["resume"]).expect_code(0).stderr, "nothing to resume\n");

    let letters = place_with_messages(2);
    letters.write("contacts.csv", letters.read_text("contacts.csv").replace(",email,F", ",hard-copy,F"));
    set_server(&letters, &server, ONE_SEED);
    let _ = letters.run(&["run", "segment.toml"]).expect_code(0); // nothing leaves: nobody is asked
    assert!(server.taken().is_empty());
}

#[test]
fn copies_count_for_warm_up_and_rate() {
    let server = SmtpServer::good();
    let mut place = place_with_messages(3);
    set_server(&place, &server, &format!("{ONE_SEED}\nwarm_up = {{ start = 2026-03-01, per_day = [3, 1] }}"));
    let report = run(&place, 4);
    assert_eq!((&report["accepted"], &report["seeds"][0]["state"]), (&json!(3), &json!("planned")));
    place.set_now("2026-03-02T09:00:00+01:00[Europe/Zurich]");
    let report = resume(&place, 0);
    assert_eq!(report["seeds"][0]["state"], "accepted");
    place.write("segment.toml", place.read_text("segment.toml").replace("SM00001", "SM00002"));
    let ended = place.run(&["run", "segment.toml", "--yes"]).expect_code(4);
    assert!(ended.stderr.contains("the 1 message of this day of the warm-up is sent"), "{}", ended.stderr);
    assert_eq!(server.taken().len(), 4, "the copy took the day's one place");
}

#[test]
fn a_copy_is_of_the_first_line_without_a_word_for_its_contact_alone() {
    let copy_of = |comment_for_all: &str, comments: &str| {
        let server = SmtpServer::good();
        let place = place_with_messages(2);
        let segment =
            place.read_text("segment.toml").replace("Come and see our workshop", "Come! {{comment}}");
        let segment = segment.replace("[segment]\n", &format!("[segment]\n{comment_for_all}\n"));
        place.write("segment.toml", segment + comments);
        set_server(&place, &server, ONE_SEED);
        let _ = run(&place, 0);
        let copy = taken_for(&server, ARCHIVE).pop().expect("a copy");
        let message = parsed(&copy.bytes);
        format!("{}\n{}", message.subject().expect("a subject"), message.body_text(0).expect("a text"))
    };
    let first = "[[line]]\ncontact = \"CT000001\"\ncomment = \"Your oak table is ready.\"\n";
    let second = "[[line]]\ncontact = \"CT000002\"\ncomment = \"Your chairs are late.\"\n";
    assert!(copy_of("", "").contains("Muster1"));
    let text = copy_of("", first);
    assert!(text.contains("Muster2") && !text.contains("oak table"), "{text}");
    let text = copy_of("", &[first, second].concat());
    assert!(
        text.starts_with("Open day\n") && text.contains("Muster1") && !text.contains("oak table"),
        "{text}"
    );
    let text = copy_of("comment = \"We are closed on Monday.\"", first);
    assert!(text.contains("Muster2") && text.contains("closed on Monday"), "{text}");
}

#[test]
fn without_a_server_copies_are_files_of_the_outbox() {
    let place = place_with_messages(2);
    set_url(&place, "", ONE_SEED);
    let report = place.run(&["run", "segment.toml", "--json"]).expect_code(0).report();
    assert_eq!((&report["written"], &report["seeds"][0]["state"]), (&json!(2), &json!("written")));
    let files = place.files("out/SM00001/outbox");
    assert_eq!(files.len(), 3, "{files:?}");
    let bytes = place.read("out/SM00001/outbox/seed archive@weber.example.eml");
    let to = parsed(&bytes).to().and_then(|to| to.first()).and_then(|to| to.address().map(str::to_owned));
    assert_eq!(to.as_deref(), Some(ARCHIVE));
    let erased = place.run(&["contact", "erase", "CT000001", "--yes", "--json"]).expect_code(0).report();
    let named = erased["files"].as_array().expect("a list");
    assert!(
        named
            .iter()
            .any(|file| file.as_str().is_some_and(|file| file.ends_with("seed archive@weber.example.eml"))),
        "{named:?}"
    );
}

#[test]
fn seeds_are_checked_before_anything_happens() {
    let place = place_with_messages(1);
    set_url(
        &place,
        "",
        "seeds = [\"nobody\", \"{{contact.email}}\", \"a@weber.example\", \"A@Weber.example\"]",
    );
    let ended = place.run(&["check", "segment.toml"]).expect_code(1).stderr;
    assert!(
        ended.contains("mail address `nobody` has no `@`\n  --> mailrun.toml: smtp.seeds, number 1"),
        "{ended}"
    );
    assert!(ended.contains("mail address `{{contact.email}}` has no `@`"), "{ended}");
    assert!(
        ended.contains(
            "`A@weber.example` is among the seeds already\n  --> mailrun.toml: smtp.seeds, number 4"
        ),
        "{ended}"
    );
    let found = place.run(&["doctor"]).expect_code(1).stdout;
    assert!(found.contains("smtp.seeds, number 1"), "{found}");
}

#[test]
fn a_restored_backup_of_a_run_that_went_on_sends_no_copy() {
    let server = SmtpServer::scripted(|moment| match moment.at {
        At::Rcpt if moment.n_before == 0 => Act::Say("450 4.2.0 greylisted"),
        _ => Act::Good,
    });
    let mut place = place_with_messages(1);
    let seeds = format!("seeds = [\"{ARCHIVE}\", \"second@weber.example\"]");
    set_server(&place, &server, &format!("{seeds}\nretry = {{ first = \"1h\" }}"));
    let _ = run(&place, 4);
    let _ = place.run(&["db", "backup", "planned.db"]).expect_code(0);
    place.set_now("2026-03-01T12:00:00+01:00[Europe/Zurich]");
    let report = resume(&place, 4);
    assert_eq!((&report["accepted"], &report["seeds"][0]["state"]), (&json!(1), &json!("deferred")));
    let _ = place.run(&["db", "backup", "deferred.db"]).expect_code(0);
    place.set_now("2026-03-01T15:00:00+01:00[Europe/Zurich]");
    let _ = resume(&place, 0);
    assert_eq!(server.taken().len(), 3);
    for copy in ["planned.db", "deferred.db"] {
        let restored = place.run(&["resume", "--yes", "--json", "--db", copy]).expect_code(3).report();
        assert_eq!(restored["seeds"][0]["state"], "in-doubt", "{copy}: {restored}");
        let checked = place.run(&["db", "check", "--db", copy]).expect_code(0);
        assert!(checked.stderr.contains("the database is sound"), "{copy}: {}", checked.stderr);
    }
    assert_eq!(server.taken().len(), 3, "nobody gets it twice");
}
