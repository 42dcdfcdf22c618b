//! Holds what goes with a scheduled run: the hooks before and after it, and the report to the operator. None of them
//! ever makes a due time run twice.

mod support;

use serde_json::Value;

use support::place::{Ended, Place};
use support::smtp::SmtpServer;

const BEFORE: &str = "before = [\"sh\", \"before.sh\"]\n";
const AFTER: &str = "after = [\"sh\", \"after.sh\"]\n";

/// Writes down what it gets, and fails where there is a file `broken`.
const BEFORE_HOOK: &str =
    "cat > before.json\necho run >> before.log\n[ ! -e broken ] || { echo 'the CRM is away' >&2; exit 7; }\n";

/// The same, after a run.
const AFTER_HOOK: &str =
    "cat > after.json\necho run >> after.log\n[ ! -e broken ] || { echo 'no disk' >&2; exit 1; }\n";

/// A place with a daily schedule at 09:00 in Zurich, and these lines under `[schedule]`.
fn place_with(scheduling: &str, further: &[&str]) -> Place {
    let place = Place::with_copy_of("templates/init");
    let setup = place.read_text("mailrun.toml");
    place.write("mailrun.toml", format!("{setup}\n[schedule]\n{scheduling}"));
    place.write("before.sh", BEFORE_HOOK);
    place.write("after.sh", AFTER_HOOK);
    let daily = ["schedule", "add", "daily", "--cron", "0 9 * * *", "--timezone", "Europe/Zurich", "--yes"];
    let _ = place.run(&[&daily, further, &["segment.toml"]].concat()).expect_code(0);
    place
}

fn due(place: &mut Place, now: &str) -> Ended {
    place.set_now(now);
    place.run(&["schedule", "due", "--json"])
}

/// What a hook got.
fn got(place: &Place, name: &str) -> Value {
    serde_json::from_str(&place.read_text(name)).expect("a hook gets one JSON object")
}

fn n_runs(place: &Place, log: &str) -> usize {
    place.read_text(log).lines().count()
}

fn n_segments(place: &Place) -> usize {
    place.run(&["logged", "list", "--json"]).expect_code(0).json_lines().len()
}

/// The reports in the outbox, each as subject and text.
fn reports(place: &Place) -> Vec<(String, String)> {
    let read = |name: &String| {
        let bytes = place.read(name);
        let message = mail_parser::MessageParser::default().parse(&bytes).expect("a message");
        let text = message.body_text(0).expect("a text").replace("\r\n", "\n");
        (message.subject().expect("a subject").to_owned(), text)
    };
    place.files("out/reports").iter().map(read).collect()
}

#[test]
fn hooks_get_the_report_as_one_object() {
    let mut place = place_with(&format!("{BEFORE}{AFTER}"), &[]);
    let told = due(&mut place, "2026-03-02T09:00:00+01:00").expect_code(0).report();
    let before = got(&place, "before.json");
    assert_eq!(
        before,
        serde_json::json!({ "schedule": "daily", "due": "2026-03-02T08:00:00Z", "state": "claimed", "reason": "",
                            "run": null, "segment": null })
    );
    let mut after = got(&place, "after.json");
    assert_eq!(after["state"], "done");
    assert!(after["seconds"].is_f64() && after["lines"].is_u64() && after["in_doubt"].is_u64(), "{after}");
    // What the command prints is the same, and what came of the hook.
    after["after_hook"] = "done".into();
    assert_eq!(told, after);
}

#[test]
fn a_hook_before_that_fails_stops_the_run_until_it_is_well_or_too_late() {
    let mut place = place_with(BEFORE, &[]);
    place.write("broken", "");
    let ended = due(&mut place, "2026-03-02T09:00:00+01:00").expect_code(4);
    let expected = "before-hook: `sh before.sh` failed (exit status: 7): the CRM is away";
    assert_eq!((&ended.report()["state"], &ended.report()["reason"]), (&"claimed".into(), &expected.into()));
    assert!(
        ended.stderr.contains("error: the hook before the run failed: `sh before.sh`"),
        "{}",
        ended.stderr
    );
    let listed = place.run(&["schedule", "list"]).expect_code(0).stdout;
    assert!(listed.contains(&format!("claimed ({expected})")), "{listed}");
    assert_eq!(n_segments(&place), 0);
    let _ = due(&mut place, "2026-03-02T09:01:00+01:00").expect_code(4);
    std::fs::remove_file(place.path("broken")).expect("it can be removed");
    let ended = due(&mut place, "2026-03-02T09:02:00+01:00").expect_code(0).report();
    assert_eq!((&ended["state"], &ended["reason"]), (&"done".into(), &"".into()));
    assert_eq!((n_segments(&place), n_runs(&place, "before.log")), (1, 3));

    place.write("broken", "");
    let _ = due(&mut place, "2026-03-03T09:00:00+01:00").expect_code(4);
    let missed = due(&mut place, "2026-03-03T21:00:01+01:00").expect_code(3).report();
    assert_eq!((&missed["state"], &missed["reason"]), (&"missed".into(), &"too-late".into()));
    assert_eq!((n_segments(&place), n_runs(&place, "before.log")), (1, 4));
}

#[test]
fn a_hook_that_is_not_there_or_does_not_end_has_failed() {
    let mut place = place_with("before = [\"mailrun-no-such-program\"]\n", &[]);
    let ended = due(&mut place, "2026-03-02T09:00:00+01:00").expect_code(4).report();
    let reason = ended["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("before-hook: `mailrun-no-such-program` cannot be started: "), "{reason}");
    let mut place = place_with("timeout = \"200ms\"\nbefore = [\"tail\", \"-f\", \"/dev/null\"]\n", &[]);
    let ended = due(&mut place, "2026-03-02T09:00:00+01:00").expect_code(4).report();
    assert_eq!(ended["reason"], "before-hook: `tail -f /dev/null` did not end within 200ms");
}

#[test]
fn a_hook_after_that_fails_is_shown_and_repeats_nothing() {
    let mut place = place_with(AFTER, &[]);
    place.write("broken", "");
    let ended = due(&mut place, "2026-03-02T09:00:00+01:00").expect_code(3);
    let failure = "`sh after.sh` failed (exit status: 1): no disk";
    assert_eq!((&ended.report()["state"], &ended.report()["after_hook"]), (&"done".into(), &failure.into()));
    assert!(
        ended.stderr.contains(&format!("error: the hook after the run failed: {failure}")),
        "{}",
        ended.stderr
    );
    for words in [&["schedule", "list"][..], &["schedule", "show", "daily"]] {
        let shown = place.run(words).expect_code(0).stdout;
        assert!(shown.contains(&format!("done; after-hook: {failure}")), "{shown}");
    }
    let _ = due(&mut place, "2026-03-02T09:01:00+01:00").expect_code(0);
    assert_eq!((n_segments(&place), n_runs(&place, "after.log")), (1, 1));
}

#[test]
fn after_a_kill_in_the_hook_the_hook_is_run_again_and_the_run_is_not() {
    let mut place = place_with(AFTER, &[]);
    place.write(
        "after.sh",
        format!("[ -e killed ] || {{ touch killed; kill -KILL $PPID; exit 1; }}\n{AFTER_HOOK}"),
    );
    place.set_now("2026-03-02T09:00:00+01:00");
    assert_eq!(place.run(&["schedule", "due"]).code, None, "it was killed");
    assert_eq!(n_segments(&place), 1);
    let ended = due(&mut place, "2026-03-02T09:01:00+01:00").expect_code(0).report();
    assert_eq!((&ended["state"], &ended["after_hook"]), (&"done".into(), &"done".into()));
    assert_eq!(got(&place, "after.json")["segment"], "SM00001");
    let _ = due(&mut place, "2026-03-02T09:02:00+01:00").expect_code(0);
    assert_eq!((n_segments(&place), n_runs(&place, "after.log")), (1, 1));
}

#[test]
fn a_hook_of_the_schedule_goes_before_that_of_the_set_up() {
    let mut place = place_with(BEFORE, &["--before", "./own.sh 'two words'"]);
    place.write("own.sh", "#!/bin/sh\necho \"$1\" > own.log\n");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(place.path("own.sh"), mode).expect("it can be made a program");
    let _ = due(&mut place, "2026-03-02T09:00:00+01:00").expect_code(0);
    assert_eq!(place.read_text("own.log"), "two words\n");
    assert!(!place.path("before.log").exists());
    let shown = place.run(&["schedule", "show", "daily"]).expect_code(0).stdout;
    assert!(shown.contains("[here]/own.sh 'two words'"), "{shown}");
}

#[test]
fn the_operator_is_told_of_each_state_once() {
    let mut place =
        place_with(&format!("{BEFORE}report_to = \"Operator <op@example.com>\"\n"), &["--max-age", "36h"]);
    let _ = due(&mut place, "2026-03-02T09:00:00+01:00").expect_code(0);
    let (subject, text) = reports(&place).pop().expect("a report");
    assert_eq!(subject, "mailrun: daily, due 2026-03-02 09:00 CET: done");
    assert!(
        text.starts_with(
            "schedule daily, due 2026-03-02T08:00:00Z: done; segment SM00001, run 1; 6 lines = 6 written\n"
        ),
        "{text}"
    );
    // Nothing new, nothing told.
    let _ = due(&mut place, "2026-03-02T09:01:00+01:00").expect_code(0);
    assert_eq!(reports(&place).len(), 1);
    // A hook that fails is told once, however often it is tried; and so is the end of it.
    place.write("broken", "");
    let _ = due(&mut place, "2026-03-03T09:00:00+01:00").expect_code(4);
    let _ = due(&mut place, "2026-03-03T09:01:00+01:00").expect_code(4);
    assert_eq!(reports(&place).len(), 2);
    let (subject, text) = &reports(&place)[1];
    assert_eq!(subject, "mailrun: daily, due 2026-03-03 09:00 CET: claimed, needs a look");
    assert!(text.contains("failed (exit status: 7): the CRM is away"), "{text}");
    assert!(
        text.contains("not begun: the next `mailrun schedule due` tries again, until it is older than 36h"),
        "{text}"
    );
    std::fs::remove_file(place.path("broken")).expect("it can be removed");
    let _ = due(&mut place, "2026-03-03T09:02:00+01:00").expect_code(0);
    assert_eq!(reports(&place)[2].0, "mailrun: daily, due 2026-03-03 09:00 CET: done");
    // What was missed and what was run in its place are one report.
    let _ = due(&mut place, "2026-03-06T12:00:00+01:00").expect_code(3);
    let (subject, text) = reports(&place).pop().expect("a report");
    assert_eq!(subject, "mailrun: daily: 1 done, 2 missed, needs a look");
    assert!(text.contains("due 2026-03-04T08:00:00Z: missed (too-late)\n"), "{text}");
    // Problems are told as `check` tells them.
    let segment = place.read_text("segment.toml");
    place.write("segment.toml", segment.replace("\"INVITE\"\nsalesperson", "\"INVITES\"\nsalesperson"));
    let _ = due(&mut place, "2026-03-07T09:00:00+01:00").expect_code(3);
    let (subject, text) = reports(&place).pop().expect("a report");
    assert_eq!(subject, "mailrun: daily, due 2026-03-07 09:00 CET: failed, needs a look");
    assert!(text.contains("  error: ") && text.contains("INVITES") && text.contains("  --> "), "{text}");
    assert_eq!(reports(&place).len(), 5);
}

#[test]
fn a_report_that_cannot_be_sent_is_shown_and_changes_nothing_else() {
    let mut place = place_with("report_to = \"op@example.com\"\nreport_from = \"run@example.com\"\n", &[]);
    // Nobody listens there yet; the segment's own letters go on paper.
    let setup = place.read_text("mailrun.toml");
    let at = |port: u16| setup.replace("[smtp]\n", &format!("[smtp]\nurl = \"smtp://127.0.0.1:{port}\"\n"));
    let nowhere = support::smtp::unused_port();
    place.write("mailrun.toml", at(nowhere));
    let segment = place.read_text("segment.toml");
    let on_paper = "correspondence_type = \"hard-copy\"\nignore_contact_correspondence_type = true\n";
    place.write("segment.toml", segment.replace("[segment]\n", &format!("[segment]\n{on_paper}")));
    let ended = due(&mut place, "2026-03-02T09:00:00+01:00").expect_code(0);
    assert_eq!(ended.report()["state"], "done");
    let notice = ended.report()["notice"].as_str().expect("a notice").to_owned();
    let expected = format!("the report was not sent: no mail goes out over 127.0.0.1:{nowhere}");
    assert!(notice.starts_with(&expected), "{notice}");
    assert!(ended.stderr.contains(&format!("warning: {notice}")), "{}", ended.stderr);
    let listed = place.run(&["schedule", "list"]).expect_code(0).stdout;
    assert!(listed.contains("done; the report was not sent"), "{listed}");
    // The next turn sends it, and the one after that does not.
    let server = SmtpServer::scripted(|_| support::smtp::Act::Good);
    place.write("mailrun.toml", at(server.port));
    for now in ["2026-03-02T09:01:00+01:00", "2026-03-02T09:02:00+01:00"] {
        let _ = due(&mut place, now).expect_code(0);
    }
    let taken = server.taken();
    assert_eq!(taken.len(), 1);
    let listed = place.run(&["schedule", "list"]).expect_code(0).stdout;
    assert!(!listed.contains("the report"), "{listed}");
}

#[test]
fn a_report_without_usable_addresses_is_refused_when_the_schedule_is_added() {
    let place = Place::with_copy_of("templates/init");
    let setup = place.read_text("mailrun.toml");
    place.write("mailrun.toml", format!("{setup}\n[schedule]\nreport_to = \"the operator\"\n"));
    let add = ["schedule", "add", "daily", "--cron", "0 9 * * *", "--timezone", "UTC", "segment.toml"];
    let refused = place.run(&add).expect_code(1);
    assert!(
        refused.stderr.contains("cannot be sent: `schedule.report_to` is unusable: mail address"),
        "{}",
        refused.stderr
    );
    let _ = place.run(&["schedule", "list"]).expect_code(0);
}
