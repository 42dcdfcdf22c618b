//! Holds what schedules promise: a new segment for each due time, run once or missed, whatever happens around it.

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use support::place::{Ended, Place};
use support::post::{address, place_with_messages, set_server};
use support::smtp::{SmtpServer, unused_port};

/// A place with a schedule that is due at 09:00 every day in Zurich, added on Sunday 2026-03-01 at 09:00.
fn place_with_daily_schedule(further: &[&str]) -> Place {
    let place = Place::with_copy_of("templates/init");
    let daily = ["schedule", "add", "daily", "--cron", "0 9 * * *", "--timezone", "Europe/Zurich"];
    let added = place.run(&[&daily, further, &["segment.toml"]].concat()).expect_code(0);
    assert!(added.stderr.contains("first due 2026-03-02T09:00:00+01:00[Europe/Zurich]"), "{}", added.stderr);
    place
}

/// Runs what is due at a moment.
fn due(place: &mut Place, now: &str) -> Ended {
    place.set_now(now);
    place.run(&["schedule", "due", "--json"])
}

/// What was told of due times: day, state and reason of each.
fn told(ended: &Ended) -> Vec<String> {
    let word = |object: &Value, name: &str| object[name].as_str().unwrap_or_default().to_owned();
    let due_times = ended.json_lines().into_iter().filter(|object| object["due"].is_string());
    due_times
        .map(|object| {
            let day: String = word(&object, "due").chars().take(10).collect();
            format!("{day} {} {}", word(&object, "state"), word(&object, "reason")).trim_end().to_owned()
        })
        .collect()
}

fn segments(place: &Place) -> Vec<String> {
    let logged = place.run(&["logged", "list", "--json"]).expect_code(0).json_lines();
    logged.iter().map(|object| object["segment"].as_str().expect("a number").to_owned()).collect()
}

#[test]
fn each_due_time_makes_a_segment_of_its_own_and_only_one() {
    let mut place = place_with_daily_schedule(&[]);
    assert_eq!(due(&mut place, "2026-03-02T08:59:59+01:00").expect_code(0).stderr, "nothing is due\n");
    let ended = due(&mut place, "2026-03-02T09:00:30+01:00").expect_code(0);
    assert_eq!(told(&ended), ["2026-03-02 done"]);
    assert_eq!(ended.report()["segment"], "SM00001");
    assert_eq!(ended.report()["planned"], 0);
    assert_eq!(told(&due(&mut place, "2026-03-02T09:00:30+01:00").expect_code(0)), Vec::<String>::new());
    assert_eq!(told(&due(&mut place, "2026-03-03T09:01:00+01:00").expect_code(0)), ["2026-03-03 done"]);
    assert_eq!(segments(&place).len(), 2);
    let listed = place.run(&["schedule", "list"]).expect_code(0);
    assert!(listed.stdout.contains("2026-03-04 09:00 CET"), "{}", listed.stdout);
}

#[test]
fn after_a_pause_the_latest_is_run_and_the_others_are_shown_as_missed() {
    let mut place = place_with_daily_schedule(&["--max-age", "36h"]);
    let ended = due(&mut place, "2026-03-04T12:00:00+01:00").expect_code(3);
    assert_eq!(
        told(&ended),
        ["2026-03-02 missed too-late", "2026-03-03 missed later-due-time", "2026-03-04 done"]
    );
    let listed = place.run(&["schedule", "list", "--json"]).expect_code(0).report();
    assert_eq!((&listed["not_run"], &listed["state"]), (&Value::from(2), &Value::from("done")));
    let shown = place.run(&["schedule", "show", "daily", "--json"]).expect_code(0);
    assert_eq!(told(&shown), told(&ended));
}

#[test]
fn a_clock_that_is_set_back_runs_nothing_twice() {
    let mut place = place_with_daily_schedule(&[]);
    let _ = due(&mut place, "2026-03-02T09:00:00+01:00").expect_code(0);
    for now in ["2026-03-01T12:00:00+01:00", "2026-03-02T08:59:00+01:00", "2026-03-02T09:00:01+01:00"] {
        assert_eq!(told(&due(&mut place, now).expect_code(0)), Vec::<String>::new());
    }
    assert_eq!(segments(&place).len(), 1);
}

#[test]
fn a_database_that_is_restored_from_a_backup_does_not_run_again_what_was_run() {
    let mut place = place_with_daily_schedule(&["--catch-up", "each", "--max-age", "4d"]);
    let backup = place.read("mailrun.db");
    assert_eq!(told(&due(&mut place, "2026-03-02T09:00:00+01:00").expect_code(0)), ["2026-03-02 done"]);
    let n_files = place.files("out").len();
    place.write("mailrun.db", backup);
    let ended = due(&mut place, "2026-03-02T10:00:00+01:00").expect_code(3);
    assert_eq!(told(&ended), ["2026-03-02 missed database-restored"]);
    assert_eq!(place.files("out").len(), n_files);
    // The number was used, but the database does not know: the folder of the first run is left as it is.
    let written: Vec<_> = place.files("out").iter().map(|file| place.read(file)).collect();
    let ended = due(&mut place, "2026-03-03T09:00:00+01:00").expect_code(4);
    assert_eq!(
        told(&ended),
        [
            "2026-03-03 claimed segment SM00001 has a folder of another run already, which began on 2026-03-02 at 09:00 CET"
        ]
    );
    assert_eq!(place.files("out").iter().map(|file| place.read(file)).collect::<Vec<_>>(), written);
    // A series that goes on behind it lets the next turn run what was due.
    let setup = place.read_text("mailrun.toml");
    place.write("mailrun.toml", format!("{setup}\n[number_series]\nsegment = \"SM00002\"\n"));
    let ended = due(&mut place, "2026-03-03T10:00:00+01:00").expect_code(0);
    assert_eq!(told(&ended), ["2026-03-03 done"]);
    assert_eq!(segments(&place), ["SM00002"]);
}

#[test]
fn a_mark_that_is_damaged_stops_the_schedule() {
    let mut place = place_with_daily_schedule(&[]);
    place.write("mailrun.db.daily.mark", "{");
    let ended = due(&mut place, "2026-03-02T09:00:00+01:00").expect_code(4);
    assert!(ended.stderr.contains("mailrun.db.daily.mark`: it is damaged"), "{}", ended.stderr);
    assert_eq!(segments(&place), Vec::<String>::new());
}

#[test]
fn two_calls_at_once_run_a_due_time_once() {
    for _ in 0..5 {
        let mut place = place_with_daily_schedule(&[]);
        place.set_now("2026-03-02T09:00:00+01:00");
        let start = || {
            let mut command = place.command(&["schedule", "due"]);
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts")
        };
        let children = [start(), start(), start()];
        for mut child in children {
            assert!(child.wait().expect("it ends").success());
        }
        assert_eq!(segments(&place), ["SM00001"]);
    }
}

/// A daemon that was started, and what it says on standard output and standard error.
fn daemon(place: &Place) -> (Child, impl BufRead + use<>, impl BufRead + use<>) {
    let mut command = place.command(&["schedule", "daemon", "--json"]);
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let stdout = BufReader::new(child.stdout.take().expect("it was piped"));
    let stderr = BufReader::new(child.stderr.take().expect("it was piped"));
    (child, stdout, stderr)
}

fn line_of(reader: &mut impl BufRead) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).expect("it can be read");
    line
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()), "the daemon cannot be signalled");
}

#[test]
fn the_daemon_runs_what_is_due_and_stops_when_it_is_told() {
    let mut place = place_with_daily_schedule(&[]);
    // It is due one second later: the daemon waits for it, and this test for the daemon.
    place.set_now("2026-03-02T08:59:59+01:00");
    let (mut child, mut stdout, mut stderr) = daemon(&place);
    assert_eq!(line_of(&mut stderr), "waiting for what is due in mailrun.db\n");
    let came: Value = serde_json::from_str(&line_of(&mut stdout)).expect("what came of it is JSON");
    assert_eq!((&came["state"], &came["segment"]), (&Value::from("done"), &Value::from("SM00001")));
    signal(&child, "-TERM");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    let said = stderr.lines().last().expect("it says something").expect("it is text");
    assert_eq!(said, "stopped; the next start goes on");

    // Started anew at the same moment it finds nothing to do, and Ctrl-C stops it.
    let (mut child, stdout, mut stderr) = daemon(&place);
    assert_eq!(line_of(&mut stderr), "waiting for what is due in mailrun.db\n");
    signal(&child, "-INT");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert_eq!(stdout.lines().count(), 0);
    assert_eq!(segments(&place), ["SM00001"]);
}

#[test]
fn what_cannot_be_run_for_now_waits_until_it_is_too_old() {
    let mut place = place_with_daily_schedule(&[]);
    place.write("out", "a file, not a folder");
    assert_eq!(told(&due(&mut place, "2026-03-02T09:00:00+01:00").expect_code(4)), ["2026-03-02 claimed"]);
    fs::remove_file(place.path("out")).expect("a file can be removed");
    assert_eq!(told(&due(&mut place, "2026-03-02T10:00:00+01:00").expect_code(0)), ["2026-03-02 done"]);
    fs::rename(place.path("out"), place.path("old")).expect("a folder can be renamed");
    place.write("out", "a file, not a folder");
    assert_eq!(told(&due(&mut place, "2026-03-03T09:00:00+01:00").expect_code(4)), ["2026-03-03 claimed"]);
    fs::remove_file(place.path("out")).expect("a file can be removed");
    let ended = due(&mut place, "2026-03-03T21:00:01+01:00").expect_code(3);
    assert_eq!(told(&ended), ["2026-03-03 missed too-late"]);
}

#[test]
fn what_is_wrong_with_the_segment_file_ends_the_due_time_and_says_what() {
    let mut place = place_with_daily_schedule(&[]);
    let segment = place.read_text("segment.toml");
    place.write("segment.toml", segment.replace("\"INVITE\"\nsalesperson", "\"INVITES\"\nsalesperson"));
    let ended = due(&mut place, "2026-03-02T09:00:00+01:00").expect_code(3);
    assert!(told(&ended)[0].starts_with("2026-03-02 failed"), "{ended:?}");
    assert!(ended.stderr.contains("INVITES"), "{}", ended.stderr);
    place.write("segment.toml", segment);
    assert_eq!(told(&due(&mut place, "2026-03-02T09:30:00+01:00").expect_code(0)), Vec::<String>::new());
    assert_eq!(told(&due(&mut place, "2026-03-03T09:00:00+01:00").expect_code(0)), ["2026-03-03 done"]);
}

#[test]
fn criteria_are_replayed_on_the_contacts_of_the_moment() {
    let mut place = Place::with_copy_of("templates/init");
    let _ = place.run(&["run", "segment.toml"]).expect_code(0);
    let _ = place.run(&["segment", "new", "--no", "DRAFT", "interaction_template=INVITE"]).expect_code(0);
    let _ = place.run(&["segment", "add", "DRAFT", "language = 'xx'"]).expect_code(0);
    let _ = place.run(&["segment", "criteria", "save", "DRAFT", "STRANGERS"]).expect_code(0);
    let add = ["schedule", "add", "strangers", "--cron", "0 9 * * *", "--timezone", "Europe/Zurich"];
    let unknown = place.run(&[&add[..], &["--criteria", "STRANGER", "--template", "INVITE"]].concat());
    assert!(unknown.expect_code(1).stderr.contains("STRANGERS"));
    let of = ["--criteria", "STRANGERS", "--template", "INVITE", "--set", "salesperson=MW"];
    let _ = place.run(&[&add[..], &of].concat()).expect_code(0);
    assert_eq!(
        told(&due(&mut place, "2026-03-02T09:00:00+01:00").expect_code(0)),
        ["2026-03-02 done nobody"]
    );
    let _ = place.run(&["contact", "set", "1001", "language=xx"]).expect_code(0);
    let ended = due(&mut place, "2026-03-03T09:00:00+01:00").expect_code(0);
    assert_eq!((&ended.report()["lines"], &ended.report()["state"]), (&Value::from(1), &Value::from("done")));
}

#[test]
fn messages_over_a_server_are_agreed_to_when_the_schedule_is_added() {
    let place = Place::with_copy_of("templates/init");
    let setup = place.read_text("mailrun.toml");
    let url = format!("smtp://127.0.0.1:{}", unused_port());
    let with_server = format!("[smtp]\nurl = \"{url}\"\nfrom = \"Post <post@example.com>\"\n");
    let without = setup.split("[smtp]").next().expect("a first part").to_owned();
    place.write("mailrun.toml", format!("{without}\n{with_server}"));
    let add = ["schedule", "add", "daily", "--cron", "0 9 * * *", "--timezone", "UTC", "segment.toml"];
    assert!(place.run(&add).expect_code(2).stderr.contains("say `--yes`"));
    let _ = place.run(&[&add[..], &["--yes"]].concat()).expect_code(0);
}

#[test]
fn a_server_that_is_named_after_a_schedule_was_added_gets_nothing_until_it_is_agreed_to() {
    let server = SmtpServer::good();
    let mut place = place_with_messages(2);
    let segment = place.read_text("segment.toml").replace("no = \"SM00001\"\n", "");
    place.write("segment.toml", segment);
    let add =
        ["schedule", "add", "daily", "--cron", "0 9 * * *", "--timezone", "Europe/Zurich", "segment.toml"];
    let _ = place.run(&add).expect_code(0);
    set_server(&place, &server, "");
    let ended = due(&mut place, "2026-03-02T09:00:00+01:00").expect_code(3);
    assert_eq!(told(&ended), ["2026-03-02 failed nothing was sent: 2 messages were not agreed to"]);
    assert_eq!(server.n_connections(), 0);
    let _ = place.run(&["schedule", "remove", "daily"]).expect_code(0);
    let _ = place.run(&[&add[..], &["--yes"]].concat()).expect_code(0);
    assert_eq!(told(&due(&mut place, "2026-03-03T09:00:00+01:00").expect_code(0)), ["2026-03-03 done"]);
    let expected = [(address(1), 1), (address(2), 1)];
    assert_eq!(server.times().into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn a_schedule_that_cannot_be_is_refused_with_all_that_is_wrong() {
    let place = Place::with_copy_of("templates/init");
    let segment = place.read_text("segment.toml");
    place.write("numbered.toml", segment.replace("[segment]\n", "[segment]\nno = \"SM00001\"\n"));
    let add = |cron: &str, zone: &str, file: &str| {
        place.run(&["schedule", "add", "daily", "--cron", cron, "--timezone", zone, file])
    };
    let ended = add("0 9 * *", "UTC", "numbered.toml").expect_code(1);
    assert!(
        ended.stderr.contains("no cron pattern") && ended.stderr.contains("2 problems"),
        "{}",
        ended.stderr
    );
    assert!(add("0 9 * * *", "Europe/Bern", "segment.toml").expect_code(1).stderr.contains("no time zone"));
    assert!(add("0 9 30 2 *", "UTC", "segment.toml").expect_code(1).stderr.contains("never due"));
    assert!(!place.path("mailrun.db").exists());
    let _ = add("0 9 * * *", "UTC", "segment.toml").expect_code(0);
    assert!(add("0 9 * * *", "UTC", "segment.toml").expect_code(1).stderr.contains("already"));
    let _ = place.run(&["schedule", "remove", "daily"]).expect_code(0);
    let _ = place.run(&["schedule", "remove", "daily"]).expect_code(1);
}
