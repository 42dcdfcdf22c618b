//! Holds that everybody gets one message over SMTP, whatever the server does; the server's own list is the proof.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use support::place::Place;
use support::post::{address, place_with_messages, set_server, set_url};
use support::smtp::{Abilities, Act, At, Moment, SmtpServer, Tls, unused_port};

/// Runs the segment of a place and returns the report, after a look at its exit code.
#[track_caller]
fn run(place: &Place, more: &[&str], code: i32) -> Value {
    let arguments = [&["run", "segment.toml", "--yes", "--json"], more].concat();
    place.run(&arguments).expect_code(code).report()
}

#[track_caller]
fn resume(place: &Place, more: &[&str], code: i32) -> Value {
    let arguments = [&["resume", "--yes", "--json"], more].concat();
    place.run(&arguments).expect_code(code).report()
}

/// Everybody got the message once, each with a Message-ID of its own.
#[track_caller]
fn expect_everybody_once(server: &SmtpServer, n_contacts: usize) {
    let times = server.times();
    let expected: BTreeSet<String> = (1..=n_contacts).map(address).collect();
    assert_eq!(times.keys().cloned().collect::<BTreeSet<_>>(), expected);
    assert!(times.values().all(|times| *times == 1), "{times:?}");
    let ids: BTreeSet<String> = server.taken().into_iter().map(|taken| taken.message_id).collect();
    assert_eq!(ids.len(), n_contacts);
}

#[track_caller]
fn expect_counts(report: &Value, counts: &[(&str, u64)]) {
    for (name, count) in counts {
        assert_eq!(report[name], *count, "{name} in {report}");
    }
    let states = [
        "planned",
        "accepted",
        "written",
        "rejected",
        "failed",
        "deferred",
        "in_doubt",
        "suppressed",
        "log_only",
    ];
    let sum: u64 = states.iter().map(|name| report[name].as_u64().expect("a count")).sum();
    assert_eq!(report["lines"], sum, "{report}");
}

/// The entries of a place's log.
fn entries(place: &Place, more: &[&str]) -> Vec<Value> {
    place.run(&[&["log", "list", "--json"], more].concat()).expect_code(0).json_lines()
}

/// The state of the entry of a recipient, as anybody can read it in the database.
fn state_of(database: &Path, recipient: &str) -> String {
    let database = rusqlite::Connection::open(database).expect("the database is there");
    let sql = "SELECT state FROM interaction_log_entry WHERE email = ?1";
    database.query_row(sql, [recipient], |row| row.get(0)).expect("each recipient has an entry")
}

#[test]
fn a_message_is_sending_on_disk_before_the_server_hears_of_it_and_done_before_the_next() {
    const N_MESSAGES: usize = 30;
    let place = place_with_messages(N_MESSAGES);
    let database = place.path("mailrun.db");
    let seen = Arc::new(Mutex::new((BTreeMap::<usize, String>::new(), Vec::<(At, String)>::new())));
    let notes = Arc::clone(&seen);
    let server = SmtpServer::scripted(move |moment| {
        let mut notes = notes.lock().expect("no look fails");
        let (last, states) = &mut *notes;
        match moment.at {
            At::Mail => {
                if let Some(before) = last.get(&moment.connection) {
                    states.push((At::Mail, state_of(&database, before)));
                }
            }
            At::Rcpt => {
                states.push((At::Rcpt, state_of(&database, &moment.recipient)));
                let _ = last.insert(moment.connection, moment.recipient.clone());
            }
            _ => {}
        }
        Act::Good
    });
    set_server(&place, &server, "connections = 2");
    let _ = run(&place, &[], 0);
    let (_, states) = &*seen.lock().expect("no look fails");
    let of = |at: At| states.iter().filter(move |(it, _)| *it == at).map(|(_, state)| state.as_str());
    assert_eq!(
        (of(At::Rcpt).count(), of(At::Mail).count()),
        (N_MESSAGES, N_MESSAGES - server.n_connections())
    );
    assert!(of(At::Rcpt).all(|state| state == "sending"), "{states:?}");
    assert!(of(At::Mail).all(|state| state == "accepted"), "{states:?}");
}

#[test]
fn a_server_is_greeted_by_a_name_of_ours_and_else_by_our_address() {
    for (sender, more, greeting) in [
        ("post@weber.example", "", "EHLO weber.example"),
        ("post@weber.example", "hello = \"relay.example\"", "EHLO relay.example"),
        ("{{salesperson.email}}", "bounce = \"b+{token}@return.example\"", "EHLO return.example"),
        ("{{salesperson.email}}", "", "EHLO [127.0.0.1]"),
    ] {
        let server = SmtpServer::good();
        let place = place_with_messages(1);
        set_server(&place, &server, more);
        let set_up = place.read_text("mailrun.toml").replace("post@weber.example", sender);
        place.write("mailrun.toml", set_up);
        let _ = run(&place, &[], 0);
        assert!(
            server.lines().iter().any(|line| line.trim_end() == greeting),
            "{greeting}: {:?}",
            server.lines()
        );
    }
}

#[test]
fn everybody_gets_one_message_over_a_few_connections() {
    let server = SmtpServer::good();
    let place = place_with_messages(200);
    set_server(&place, &server, "connections = 4");
    let report = run(&place, &[], 0);
    expect_counts(&report, &[("accepted", 200), ("lines", 200)]);
    expect_everybody_once(&server, 200);
    assert!((1..=4).contains(&server.most_open()), "{}", server.most_open());
    let log = entries(&place, &["--state", "accepted"]);
    let logged: BTreeSet<&str> = log.iter().filter_map(|entry| entry["message_id"].as_str()).collect();
    let taken = server.taken();
    assert_eq!(logged, taken.iter().map(|taken| taken.message_id.as_str()).collect());
    assert_eq!((&log[0]["reply_code"], &log[0]["reply_status"]), (&250.into(), &"2.0.0".into()));
}

#[test]
fn a_message_arrives_as_the_outbox_would_have_it() {
    let server = SmtpServer::good();
    let place = place_with_messages(3);
    let _ = place.run(&["run", "segment.toml", "--db", "other.db", "--out", "written"]).expect_code(0);
    set_server(&place, &server, "");
    let _ = run(&place, &[], 0);
    let mut sent: Vec<Vec<u8>> = server.taken().into_iter().map(|taken| taken.bytes).collect();
    let mut written: Vec<Vec<u8>> = place
        .files("written")
        .iter()
        .filter(|name| name.ends_with(".eml"))
        .map(|name| place.read(name))
        .collect();
    sent.sort();
    written.sort();
    assert_eq!(sent, written);
}

#[test]
fn nothing_leaves_the_house_without_a_yes() {
    let server = SmtpServer::good();
    let place = place_with_messages(3);
    set_server(&place, &server, "");
    let ended = place.run(&["run", "segment.toml"]).expect_code(2);
    assert!(ended.stderr.contains("3 messages were not agreed to"), "{}", ended.stderr);
    assert!(ended.stderr.contains("`--yes`"), "{}", ended.stderr);
    assert_eq!(server.n_connections(), 0);
    assert_eq!(place.run(&["resume"]).expect_code(0).stderr, "nothing to resume\n");
    for arguments in
        [&["check", "segment.toml"][..], &["run", "segment.toml", "--dry-run"], &["preview", "segment.toml"]]
    {
        let _ = place.run(arguments).expect_code(0);
    }
    assert_eq!(server.n_connections(), 0);
    let _ = run(&place, &[], 0);
    expect_everybody_once(&server, 3);
}

#[test]
fn each_answer_of_the_server_has_its_outcome() {
    let script = |moment: &Moment| {
        let number: usize =
            moment.recipient.split(['.', '@']).nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
        match (moment.at, number) {
            (At::Rcpt, 1) => Act::Say("550 5.1.1 no such user"),
            (At::Rcpt, 2) => Act::Say("450 4.2.0 greylisted"),
            (At::Data, 3) => Act::Say("554 5.7.0 no"),
            (At::Data, 4) => Act::Say("451 4.3.0 later"),
            (At::Dot, 5) => Act::Say("554 5.7.1 spam"),
            (At::Dot, 6) => Act::Say("452 4.3.1 full"),
            (At::Dot, 7) => Act::TakeAndDrop,
            (At::Dot, 8) => Act::Drop,
            (At::Data, 9) => Act::Drop,
            (At::Rcpt, 10) => Act::Say("421 4.7.0 bye"),
            (At::Dot, 11) => Act::Say("421 4.7.0 bye"),
            _ => Act::Good,
        }
    };
    let server = SmtpServer::scripted(script);
    let place = place_with_messages(20);
    set_server(&place, &server, "connections = 3");
    let report = run(&place, &["--wait", "0s"], 4);
    expect_counts(&report, &[("accepted", 9), ("rejected", 3), ("deferred", 6), ("in_doubt", 2)]);
    let doubted = entries(&place, &["--state", "in-doubt"]);
    let doubted: BTreeSet<&str> = doubted.iter().filter_map(|entry| entry["email"].as_str()).collect();
    assert_eq!(doubted, BTreeSet::from([address(7).as_str(), address(8).as_str()]));
    let deferred = entries(&place, &["--state", "deferred"]);
    assert_eq!(deferred.len(), 6);
    let greylisted = deferred.iter().find(|entry| entry["email"] == address(2)).expect("it is deferred");
    assert_eq!((&greylisted["reply_code"], &greylisted["reply_status"]), (&450.into(), &"4.2.0".into()));
    let shown = place.run(&["log", "show", &greylisted["entry"].to_string()]).expect_code(0).stdout;
    assert!(shown.contains("attempt 1") && shown.contains("450 4.2.0 greylisted"), "{shown}");
    assert!(!shown.contains("file_sha256"), "no file was written: {shown}");
}

#[test]
fn what_is_deferred_is_tried_again_when_it_is_due() {
    let server = SmtpServer::scripted(|moment| match moment.at {
        At::Rcpt if moment.n_before < 2 => Act::Say("450 4.2.0 greylisted"),
        _ => Act::Good,
    });
    let place = place_with_messages(30);
    set_server(&place, &server, "retry = { first = \"20ms\", longest = \"50ms\" }");
    let report = run(&place, &["--wait", "60s"], 0);
    expect_counts(&report, &[("accepted", 30)]);
    expect_everybody_once(&server, 30);
    let entry = entries(&place, &[])[0]["entry"].to_string();
    let shown = place.run(&["log", "show", &entry, "--json"]).expect_code(0).report();
    let states: Vec<&str> = shown["attempts"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|attempt| attempt["state"].as_str())
        .collect();
    assert_eq!(states, ["deferred", "deferred", "accepted"]);
}

#[test]
fn retries_end_and_the_last_word_of_the_server_decides() {
    let server = SmtpServer::scripted(|moment| match (moment.at, moment.recipient.as_str()) {
        (At::Rcpt, "anna.1@example.org") => Act::Say("450 4.2.0 greylisted"),
        (At::Data, "anna.2@example.org") => Act::Drop,
        _ => Act::Good,
    });
    let place = place_with_messages(3);
    set_server(&place, &server, "retry = { first = \"1ms\", longest = \"2ms\", attempts = 3 }");
    let report = run(&place, &["--wait", "60s"], 3);
    expect_counts(&report, &[("accepted", 1), ("rejected", 1), ("failed", 1)]);
    let listed = place.run(&["log", "list"]).expect_code(0).stdout;
    assert!(listed.contains("rejected (given up after 3 attempts: 450 4.2.0 greylisted)"), "{listed}");
    let rejected = &entries(&place, &["--state", "rejected"])[0];
    assert_eq!(
        (&rejected["reason"], &rejected["reply_code"]),
        (&"given up after 3 attempts".into(), &450.into())
    );
    let failed = &entries(&place, &["--state", "failed"])[0];
    let reason = failed["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("given up after 3 attempts: the server"), "{reason}");
}

#[test]
fn a_run_leaves_before_a_retry_that_is_far_and_resume_goes_on_later() {
    let server = SmtpServer::scripted(|moment| match moment.at {
        At::Rcpt if moment.n_before == 0 => Act::Say("450 4.2.0 greylisted"),
        _ => Act::Good,
    });
    let mut place = place_with_messages(5);
    set_server(&place, &server, "retry = { first = \"1h\" }");
    let report = run(&place, &["--wait", "1s"], 4);
    expect_counts(&report, &[("deferred", 5)]);
    let early = resume(&place, &["--wait", "0s"], 4);
    expect_counts(&early, &[("deferred", 5)]);
    assert_eq!(server.taken(), []);
    place.set_now("2026-03-01T12:00:00+01:00[Europe/Zurich]");
    let late = resume(&place, &[], 0);
    expect_counts(&late, &[("accepted", 5)]);
    expect_everybody_once(&server, 5);
}

#[test]
fn a_clock_that_is_set_back_holds_nothing_up() {
    let server = SmtpServer::scripted(|moment| match moment.at {
        At::Rcpt if moment.n_before == 0 => Act::Say("450 4.2.0 greylisted"),
        _ => Act::Good,
    });
    let mut place = place_with_messages(5);
    set_server(&place, &server, "retry = { first = \"1h\" }");
    let _ = run(&place, &["--wait", "0s"], 4);
    place.set_now("2025-03-01T09:00:00+01:00[Europe/Zurich]");
    let report = resume(&place, &[], 0);
    expect_counts(&report, &[("accepted", 5)]);
    expect_everybody_once(&server, 5);
}

#[test]
fn a_hundred_messages_without_an_answer_are_in_doubt_and_not_sent_again() {
    let server = SmtpServer::scripted(|moment| match moment.at {
        At::Dot if moment.n_before == 0 => Act::TakeAndDrop,
        _ => Act::Good,
    });
    let place = place_with_messages(100);
    set_server(&place, &server, "connections = 4");
    let report = run(&place, &[], 3);
    expect_counts(&report, &[("in_doubt", 100)]);
    expect_everybody_once(&server, 100);
    let status = place.run(&["status", "SM00001"]).expect_code(0).stdout;
    assert!(status.contains("100 messages in doubt"), "{status}");
    assert!(status.contains("--in-doubt resend"), "{status}");
    let without_segment = place.run(&["status"]).expect_code(0).stdout;
    assert_eq!(without_segment, status, "what is in doubt is not forgotten because its run is logged");
    assert_eq!(entries(&place, &["--state", "in-doubt"]).len(), 100);
    let _ = place.run(&["resume"]).expect_code(0);
    assert_eq!(server.taken().len(), 100);

    let ended = place.run(&["resume", "--in-doubt", "resend", "SM00001"]).expect_code(2);
    assert!(ended.stderr.contains("100 messages"), "{}", ended.stderr);
    assert_eq!(server.taken().len(), 100);
    let again = resume(&place, &["--in-doubt", "resend", "SM00001"], 0);
    expect_counts(&again, &[("accepted", 100)]);
    let times = server.times();
    assert!(times.len() == 100 && times.values().all(|times| *times == 2), "{times:?}");
    let ids: BTreeSet<String> = server.taken().into_iter().map(|taken| taken.message_id).collect();
    assert_eq!(ids.len(), 100, "the second attempt has the Message-ID of the first");
}

#[test]
fn the_user_may_assume_that_what_is_in_doubt_was_sent() {
    let server = SmtpServer::scripted(|moment| match moment.at {
        At::Dot => Act::TakeAndDrop,
        _ => Act::Good,
    });
    let place = place_with_messages(3);
    set_server(&place, &server, "");
    let _ = run(&place, &[], 3);
    let report = resume(&place, &["--in-doubt", "assume-sent", "SM00001"], 0);
    expect_counts(&report, &[("accepted", 3)]);
    assert_eq!(server.taken().len(), 3);
    let entry = entries(&place, &["--state", "accepted"])[0]["entry"].to_string();
    let shown = place.run(&["log", "show", &entry]).expect_code(0).stdout;
    assert!(shown.contains("attempt 1") && shown.contains("in-doubt"), "{shown}");
    assert!(shown.contains("attempt 2") && shown.contains("assumed to have been sent"), "{shown}");
}

#[test]
fn what_failed_is_sent_again_on_purpose_and_the_log_keeps_both() {
    let server = SmtpServer::scripted(|moment| match moment.at {
        At::Rcpt if moment.n_before == 0 => Act::Say("550 5.1.1 not yet"),
        _ => Act::Good,
    });
    let place = place_with_messages(4);
    set_server(&place, &server, "");
    let report = run(&place, &[], 3);
    expect_counts(&report, &[("rejected", 4)]);
    let contacts = place.read_text("contacts.csv").replace("salutation_code\n", "salutation_code,no_email\n");
    let with_flag = contacts.replace(",F\n", ",F,no\n").replacen(",F,no\n", ",F,yes\n", 1);
    place.write("changed.csv", with_flag);
    let _ = place.run(&["contact", "import", "changed.csv"]).expect_code(0);
    let ended = place.run(&["log", "resend", "--failed", "--yes"]).expect_code(3);
    assert!(ended.stderr.contains("is not sent again: the contact wants no e-mail"), "{}", ended.stderr);
    assert_eq!(server.times().len(), 3);
    assert!(!server.times().contains_key(&address(1)));
    let entry = entries(&place, &["--state", "accepted"])[0]["entry"].to_string();
    let shown = place.run(&["log", "show", &entry]).expect_code(0).stdout;
    assert!(shown.contains("550 5.1.1 not yet") && shown.contains("attempt 2"), "{shown}");
}

#[test]
fn a_server_that_is_down_pauses_the_run_and_loses_nothing() {
    let place = place_with_messages(10);
    let nowhere = format!("127.0.0.1:{}", unused_port());
    set_url(&place, &format!("smtp://{nowhere}"), "");
    let ended = place.run(&["run", "segment.toml", "--yes", "--json"]).expect_code(4);
    assert!(ended.stderr.contains(&format!("no mail goes out over {nowhere}")), "{}", ended.stderr);
    assert!(ended.stderr.contains("`mailrun resume SM00001`"), "{}", ended.stderr);
    expect_counts(&ended.report(), &[("planned", 10)]);
    let server = SmtpServer::good();
    set_server(&place, &server, "");
    let report = resume(&place, &["--config", "mailrun.toml"], 0);
    expect_counts(&report, &[("accepted", 10)]);
    expect_everybody_once(&server, 10);
}

#[test]
fn a_wrong_password_is_tried_once_and_said() {
    let abilities = Abilities { login: Some(("anna", "right")), ..Abilities::default() };
    let server = SmtpServer::start(abilities, |_| Act::Good);
    let place = place_with_messages(40);
    let url = format!("smtp://anna@127.0.0.1:{}", server.port);
    place.write("secret", "wrong\n");
    set_url(&place, &url, "connections = 16\npassword = { file = \"secret\" }");
    let ended = place.run(&["run", "segment.toml", "--yes"]).expect_code(4);
    assert!(ended.stderr.contains("535 5.7.8 wrong user or password"), "{}", ended.stderr);
    assert_eq!(server.n_connections(), 1, "a wrong password is not tried again");
    place.write("secret", "right\n");
    let _ = resume(&place, &[], 0);
    expect_everybody_once(&server, 40);
}

#[test]
fn every_way_to_log_in_is_known() {
    for (announced, auth) in [("PLAIN", ""), ("LOGIN", ""), ("XOAUTH2", "xoauth2"), ("PLAIN LOGIN", "login")]
    {
        let abilities =
            Abilities { login: Some(("a@b.example", "canary")), auth: announced, ..Abilities::default() };
        let server = SmtpServer::start(abilities, |_| Act::Good);
        let place = place_with_messages(2);
        let url = format!("smtp://a%40b.example@127.0.0.1:{}", server.port);
        set_url(
            &place,
            &url,
            &format!("auth = \"{auth}\"\npassword = {{ command = [\"echo\", \"canary\"] }}"),
        );
        let _ = run(&place, &[], 0);
        expect_everybody_once(&server, 2);
    }
}

#[test]
fn neither_mail_nor_password_goes_over_a_line_that_anybody_can_read() {
    let login = Some(("anna", "canary"));
    let check = |tls: Tls, scheme: &str, more: &str, says: &str| {
        let server = SmtpServer::start(Abilities { login, tls, ..Abilities::default() }, |_| Act::Good);
        let place = place_with_messages(2);
        place.write("ca.pem", &server.certificate);
        place.write("secret", "canary\n");
        let url = format!("{scheme}{}{more}", server.port);
        // Without the file, nobody vouches for the server.
        let ca = if says.contains("UnknownIssuer") { "" } else { "ca = \"ca.pem\"" };
        set_url(&place, &url, &format!("{ca}\npassword = {{ file = \"secret\" }}"));
        let ended =
            place.run(&["run", "segment.toml", "--yes"]).expect_code(if says.is_empty() { 0 } else { 4 });
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
        if says.is_empty() {
            expect_everybody_once(&server, 2);
        } else {
            assert_eq!(server.taken(), []);
            let said = server.lines().concat();
            assert!(!said.contains("AUTH") && !said.contains("MAIL"), "{said}");
        }
    };
    check(Tls::Start, "smtp://anna@localhost:", "?plain=no", "");
    check(Tls::Implicit, "smtps://anna@localhost:", "", "");
    check(Tls::None, "smtp://anna@localhost:", "?plain=no", "does not offer STARTTLS");
    check(Tls::Start, "smtp://anna@localhost:", "?plain=no", "UnknownIssuer");
    check(Tls::Implicit, "smtps://anna@localhost:", "", "UnknownIssuer");
    check(Tls::Implicit, "smtps://anna@127.0.0.1:", "", "certificate not valid for name");
}

#[test]
fn a_server_that_ends_connections_early_and_late_costs_no_message() {
    // It takes three messages a connection, and then says 421 to the next one.
    let server = SmtpServer::scripted(|moment| match moment.at {
        At::Mail if moment.n_mails == 4 => Act::Say("421 4.7.0 enough"),
        _ => Act::Good,
    });
    let place = place_with_messages(60);
    set_server(&place, &server, "connections = 2");
    let report = run(&place, &["--wait", "0s"], 0);
    expect_counts(&report, &[("accepted", 60)]);
    expect_everybody_once(&server, 60);
}

#[test]
fn connections_are_renewed_after_as_many_messages_as_the_server_likes() {
    let server = SmtpServer::good();
    let place = place_with_messages(30);
    set_server(&place, &server, "connections = 1\nmessages_per_connection = 7");
    let _ = run(&place, &[], 0);
    expect_everybody_once(&server, 30);
    assert_eq!(server.n_connections(), 5);
}

#[test]
fn too_many_failures_in_a_row_stop_the_run_and_the_rest_is_untouched() {
    let server = SmtpServer::scripted(|moment| match moment.at {
        At::Rcpt => Act::Say("550 5.7.1 sender blocked"),
        _ => Act::Good,
    });
    let place = place_with_messages(50);
    set_server(&place, &server, "connections = 1\nstop_after_failures = 5");
    let ended = place.run(&["run", "segment.toml", "--yes", "--json"]).expect_code(4);
    assert!(ended.stderr.contains("5 messages in a row failed"), "{}", ended.stderr);
    expect_counts(&ended.report(), &[("rejected", 5), ("planned", 45)]);
}

#[test]
fn outside_its_window_a_run_sends_nothing_and_says_when_it_opens() {
    let server = SmtpServer::good();
    let mut place = place_with_messages(3);
    let window =
        r#"window = { from = "08:00", to = "18:00", weekdays = ["mon", "tue"], timezone = "Europe/Zurich" }"#;
    set_server(&place, &server, window);
    let ended = place.run(&["run", "segment.toml", "--yes"]).expect_code(4); // on a Sunday
    assert!(ended.stderr.contains("messages may leave again from 2026-03-02 08:00 CET"), "{}", ended.stderr);
    assert!(server.taken().is_empty());
    place.set_now("2026-03-02T07:59:59.5+01:00[Europe/Zurich]");
    let waited = place.run(&["resume", "--yes", "--json", "--wait", "1m"]).expect_code(0).report();
    assert_eq!(waited["accepted"], 3, "{waited}");
    assert_eq!(server.times().len(), 3);
}

#[test]
fn a_new_sender_sends_no_more_a_day_than_its_warm_up_allows() {
    let server = SmtpServer::good();
    let mut place = place_with_messages(10);
    set_server(&place, &server, "warm_up = { start = 2026-03-01, per_day = [2, 3] }");
    let ended = place.run(&["run", "segment.toml", "--yes", "--json"]).expect_code(4);
    assert!(ended.stderr.contains("the 2 messages of this day of the warm-up are sent"), "{}", ended.stderr);
    expect_counts(&ended.report(), &[("accepted", 2), ("planned", 8)]);
    let _ = resume(&place, &[], 4);
    assert_eq!(server.taken().len(), 2, "the day is the same");
    place.set_now("2026-03-02T09:00:00+01:00[Europe/Zurich]");
    expect_counts(&resume(&place, &[], 4), &[("accepted", 5), ("planned", 5)]);
    place.set_now("2026-03-03T09:00:00+01:00[Europe/Zurich]");
    expect_counts(&resume(&place, &[], 0), &[("accepted", 10)]);
    expect_everybody_once(&server, 10);
}

#[test]
fn no_second_at_the_server_holds_more_messages_than_the_rate() {
    let server = SmtpServer::good();
    let place = place_with_messages(60);
    set_server(&place, &server, "connections = 3\nrate = \"20/s\"");
    let _ = run(&place, &[], 0);
    let taken = server.taken();
    for group in taken.windows(21) {
        let span = group[20].at - group[0].at;
        assert!(span >= Duration::from_secs(1), "21 messages within {span:?}");
    }
    expect_everybody_once(&server, 60);
}

#[test]
fn a_wrong_set_up_is_a_problem_before_anything_happens() {
    let check = |url: &str, more: &str, says: &str| {
        let place = place_with_messages(1);
        set_url(&place, url, more);
        let ended = place.run(&["check", "segment.toml"]).expect_code(1);
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
    };
    check("http://mail.example.com", "", "is no mail server");
    check("smtp://anna:canary@mail.example.com", "", "the URL holds a password");
    check("smtps://anna@mail.example.com", "", "no password is set");
    check("smtp://mail.example.com", "auth = \"ntlm\"", "is no way to log in");
    check("smtp://mail.example.com", "connections = 0", "the number of connections");
    check("smtp://mail.example.com", "ca = \"nothing.pem\"", "cannot read `nothing.pem`");
    check("smtp://mail.example.com", "rate = \"fast\"", "is no rate");
    check("smtp://mail.example.com", "retry = { first = \"soon\" }", "is no duration");
}
