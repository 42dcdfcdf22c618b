//! Holds that what comes back of our messages finds its entry, is noted once, and suppresses the addresses that are
//! no good; and that messages in doubt are settled by what the server wrote, and by nothing less.

mod support;

use mailrun::delivery::bounce::{Kind, read};
use mailrun::delivery::suppression::SuppressionReason;
use proptest::prelude::*;
use rusqlite::Connection;
use serde_json::Value;

use support::place::{Ended, Place};

/// Delivery reports as real servers shape them, of the message `{id}` to `{to}`.
const POSTFIX: &str = "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example (Mail Delivery System)\nTo: post@weber.example\n\
    Subject: Undelivered Mail Returned to Sender\nDate: Sun,  1 Mar 2026 10:00:00 +0100 (CET)\nMessage-Id: <p1@mx.example>\n\
    Auto-Submitted: auto-replied\nMIME-Version: 1.0\n\
    Content-Type: multipart/report; report-type=delivery-status;\n\tboundary=\"4XqB1z0/mx.example\"\n\n\
    This is a MIME-encapsulated message.\n\n--4XqB1z0/mx.example\nContent-Description: Notification\n\
    Content-Type: text/plain; charset=utf-8\n\nThis is the mail system at host mx.example.\n\n\
    --4XqB1z0/mx.example\nContent-Description: Delivery report\nContent-Type: message/delivery-status\n\n\
    Reporting-MTA: dns; mx.example\nX-Postfix-Queue-ID: 4XqB1z0\nX-Postfix-Sender: rfc822; post@weber.example\n\
    Arrival-Date: Sun,  1 Mar 2026 09:59:58 +0100 (CET)\n\nFinal-Recipient: rfc822; {to}\n\
    Original-Recipient: rfc822;{to}\nAction: failed\nStatus: 5.1.1\nRemote-MTA: dns; mx.other.example\n\
    Diagnostic-Code: smtp; 550 5.1.1 <{to}>: Recipient address\n    rejected: User unknown in virtual mailbox table\n\n\
    --4XqB1z0/mx.example\nContent-Description: Undelivered Message\nContent-Type: message/rfc822\n\n\
    From: Weber <post@weber.example>\nTo: Ann <{to}>\nSubject: Come\nMessage-ID: {id}\n\nDear Ann\n\n\
    --4XqB1z0/mx.example--\n";

const EXCHANGE: &str = "From: postmaster@other.example\r\nTo: <post@weber.example>\r\nDate: Sun, 1 Mar 2026 09:00:03 +0000\r\n\
    Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"_B1_\"\r\nX-MS-Exchange-Message-Is-Ndr:\r\n\
    Message-ID: <x1@other.example>\r\nSubject: Undeliverable: Come\r\nMIME-Version: 1.0\r\n\r\n--_B1_\r\n\
    Content-Type: multipart/alternative; boundary=\"_B2_\"\r\n\r\n--_B2_\r\nContent-Type: text/plain; charset=\"us-ascii\"\r\n\r\n\
    Delivery has failed to these recipients.\r\n--_B2_\r\nContent-Type: text/html; charset=\"us-ascii\"\r\n\r\n<p>Delivery</p>\r\n\
    --_B2_--\r\n--_B1_\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns;EX01.other.example\r\n\
    Received-From-MTA: dns;mx.weber.example\r\nArrival-Date: Sun, 1 Mar 2026 09:00:02 +0000\r\n\r\n\
    Final-Recipient: rfc822;{to}\r\nAction: failed\r\nStatus: 5.1.10\r\n\
    Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup\r\n\r\n\
    --_B1_\r\nContent-Type: message/rfc822\r\n\r\nReceived: from mx.weber.example by EX01\r\nFrom: post@weber.example\r\n\
    To: {to}\r\nMessage-ID: {id}\r\nContent-Type: multipart/mixed; boundary=\"inner\"\r\n\r\n--inner\r\n\
    Content-Type: text/plain\r\n\r\nDear\r\n--inner--\r\n--_B1_--\r\n";

const GMAIL: &str = "Return-Path: <>\nFrom: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\nTo: post@weber.example\n\
    Auto-Submitted: auto-replied\nSubject: Delivery Status Notification (Failure)\nMessage-ID: <g1@mx.google.com>\n\
    Date: Sun, 01 Mar 2026 01:00:05 -0800 (PST)\nMIME-Version: 1.0\n\
    Content-Type: multipart/report; boundary=\"000000000000aa\"; report-type=delivery-status\n\n--000000000000aa\n\
    Content-Type: multipart/related; boundary=\"000000000000bb\"\n\n--000000000000bb\n\
    Content-Type: text/plain; charset=\"UTF-8\"\n\n** Address not found **\n--000000000000bb--\n--000000000000aa\n\
    Content-Type: message/delivery-status\n\nReporting-MTA: dns; googlemail.com\nArrival-Date: Sun, 01 Mar 2026 01:00:04 -0800 (PST)\n\
    X-Original-Message-ID: {id}\n\nFinal-Recipient: rfc822; {to}\nAction: failed\nStatus: 5.1.1\n\
    Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist.\n\
    Last-Attempt-Date: Sun, 01 Mar 2026 01:00:05 -0800 (PST)\n\n--000000000000aa\nContent-Type: text/rfc822-headers\n\n\
    MIME-Version: 1.0\nFrom: post@weber.example\nMessage-ID: {id}\nTo: {to}\n\n--000000000000aa--\n";

const COMPLAINT: &str = "From: <abuse@provider.example>\nTo: <fbl@weber.example>\nDate: Sun, 1 Mar 2026 12:00:00 +0000\n\
    Message-ID: <arf1@provider.example>\nSubject: FW: Come\nMIME-Version: 1.0\n\
    Content-Type: multipart/report; report-type=feedback-report; boundary=\"part1\"\n\n--part1\n\
    Content-Type: text/plain; charset=\"US-ASCII\"\n\nThis is an email abuse report.\n\n--part1\n\
    Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: SomeGenerator/1.0\nVersion: 1\n\n--part1\n\
    Content-Type: message/rfc822\nContent-Disposition: inline\n\nFrom: post@weber.example\nTo: redacted@provider.example\n\
    Message-ID: {id}\n\nDear\n--part1--\n";

fn filled(shape: &str, id: &str, to: &str) -> String {
    shape.replace("{id}", id).replace("{to}", to)
}

const ID: &str = "<0f8fad5b-d9cb-569f-a165-70867728950e@weber.example>";

#[test]
fn reports_are_read_as_servers_write_them() {
    let check = |shape: &str, kind: Kind, status: &str, hard: bool, diagnostic: &str| {
        let text = filled(shape, ID, "ann@other.example");
        let report = read(text.as_bytes()).unwrap_or_else(|| panic!("no report: {text}"));
        assert_eq!(
            report.messages.first().map(|it| format!("<{it}@weber.example>")).as_deref(),
            Some(ID),
            "{text}"
        );
        let [reported] = &report.recipients[..] else { panic!("{report:?}") };
        assert_eq!(reported.kind, kind, "{text}");
        assert_eq!(reported.status.map(|it| it.to_string()).unwrap_or_default(), status, "{text}");
        assert_eq!(reported.suppression() == Some(SuppressionReason::HardBounce), hard, "{text}");
        assert!(reported.diagnostic.contains(diagnostic), "{report:?}");
    };
    check(POSTFIX, Kind::Failed, "5.1.1", true, "rejected: User unknown in virtual mailbox table");
    check(EXCHANGE, Kind::Failed, "5.1.10", true, "RESOLVER.ADR.RecipientNotFound");
    check(GMAIL, Kind::Failed, "5.1.1", true, "does not exist");
    check(COMPLAINT, Kind::Complaint, "", false, "abuse");
    let delayed = POSTFIX.replace("Action: failed", "Action: delayed").replace("5.1.1", "4.4.1");
    check(&delayed, Kind::Delayed, "4.4.1", false, "");
    let full = POSTFIX.replace("5.1.1", "5.2.2");
    check(&full, Kind::Failed, "5.2.2", false, "");
    let expired = POSTFIX.replace("5.1.1", "4.4.7");
    check(&expired, Kind::Failed, "4.4.7", false, "");
    let general = POSTFIX.replace("Status: 5.1.1", "Status: 5.0.0");
    check(&general, Kind::Failed, "5.1.1", true, "");
}

#[test]
fn a_report_that_returns_nothing_is_known_by_its_bounce_address() {
    let (status, _) =
        POSTFIX.split_once("--4XqB1z0/mx.example\nContent-Description: Undelivered").expect("it has");
    let text = format!("{status}--4XqB1z0/mx.example--\n")
        .replace("To: post@weber.example", "To: bounce+0f8fad5bd9cb569fa16570867728950e@weber.example");
    let report = read(text.as_bytes()).expect("a report");
    assert_eq!(report.messages.iter().map(ToString::to_string).collect::<Vec<_>>(), [&ID[1..37]]);
}

#[test]
fn what_is_no_report_is_none() {
    for text in [
        "",
        "From: a@b.example\n\nHello",
        "Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\n--x--\n",
        "From: a@b.example\nSubject: Out of office\nAuto-Submitted: auto-replied\n\nI am away",
    ] {
        assert_eq!(read(text.as_bytes()), None, "{text}");
    }
}

proptest! {
    /// Bytes of others never make it panic, and never more than a report.
    #[test]
    fn no_message_panics(
        shape in prop::sample::select(&[POSTFIX, EXCHANGE, GMAIL, COMPLAINT][..]),
        cut in 0_usize..2_000,
        at in 0_usize..2_000,
        junk in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut bytes = filled(shape, ID, "ann@other.example").into_bytes();
        let at = at.min(bytes.len());
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, junk);
        if let Some(report) = read(&bytes) {
            prop_assert!(!report.recipients.is_empty() && !report.id.is_empty());
        }
    }
}

/// A place with a run over three contacts, whose messages lie in the outbox; and their Message-IDs.
fn place_after_a_run() -> (Place, Vec<String>) {
    let place = Place::with_copy_of("templates/init");
    let mut contacts = "no,Company,first_name,surname,email,language\n".to_owned();
    for number in 0..3 {
        contacts.push_str(&format!("C{number},,Ann,Number {number},c{number}@other.example,en\n"));
    }
    place.write("contacts.csv", contacts);
    let segment = place.read_text("segment.toml");
    let until_lines = segment.split("[[line]]").next().expect("a split has a first part");
    let header = "[segment]\nno = \"SM00001\"\ncorrespondence_type = \"email\"\n\
                  ignore_contact_correspondence_type = true\n";
    place.write("segment.toml", until_lines.replace("[segment]\n", header));
    let _ = place.run(&["run", "segment.toml"]).expect_code(0);
    let entries = place.run(&["log", "list", "--json"]).expect_code(0).json_lines();
    let ids = entries.iter().map(|entry| entry["message_id"].as_str().expect("an id").to_owned()).collect();
    (place, ids)
}

fn suppressed(place: &Place) -> Vec<(String, String)> {
    let listed = place.run(&["contact", "suppressed", "--json"]).expect_code(0).json_lines();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    listed.iter().map(|row| (text(&row["address"]), text(&row["reason"]))).collect()
}

#[test]
fn reports_are_noted_on_their_entries_and_hard_ones_suppress() {
    let (place, ids) = place_after_a_run();
    place.write("mail/new/1", filled(POSTFIX, &ids[0], "c0@other.example"));
    let delayed = filled(GMAIL, &ids[1], "c1@other.example").replace("5.1.1", "4.2.2");
    place.write("mail/cur/2:2,S", delayed.replace("Action: failed", "Action: delayed"));
    place.write("mail/cur/3:2,S", filled(COMPLAINT, &ids[2], ""));
    place.write("mail/cur/4:2,S", filled(EXCHANGE, "<other@example.com>", "x@y.example"));
    place.write("mail/cur/5:2,S", "From: a@b.example\n\nHello");
    let report = place.run(&["bounces", "import", "mail", "--json"]).expect_code(0).report();
    let count = |key: &str| report[key].as_u64().unwrap_or(999);
    let counts = [
        "messages",
        "reports",
        "matched",
        "unmatched",
        "failed",
        "delayed",
        "complaints",
        "known",
        "suppressed",
    ];
    assert_eq!(counts.map(count), [5, 4, 3, 1, 1, 1, 1, 0, 2]);
    let expected = [("c0@other.example", "hard-bounce"), ("c2@other.example", "complaint")];
    assert_eq!(suppressed(&place), expected.map(|(address, reason)| (address.to_owned(), reason.to_owned())));

    let shown = place.run(&["log", "show", "1", "--json"]).expect_code(0).report();
    let bounce = &shown["bounces"][0];
    assert_eq!((&bounce["kind"], &bounce["status"]), (&Value::from("failed"), &Value::from("5.1.1")));
    assert_eq!(bounce["at"], "2026-03-01T09:00:00Z");
    assert!(bounce["diagnostic"].as_str().is_some_and(|it| it.starts_with("550 5.1.1")), "{bounce}");

    let again = place.run(&["bounces", "import", "mail", "--json"]).expect_code(0).report();
    assert_eq!((&again["known"], &again["failed"], &again["suppressed"]), (&3.into(), &0.into(), &0.into()));
}

#[test]
fn an_mbox_a_folder_and_a_single_file_are_read_alike() {
    let (place, ids) = place_after_a_run();
    let first = filled(POSTFIX, &ids[0], "c0@other.example").replace("Dear Ann", "Dear Ann\n\n>From now on");
    let second = filled(GMAIL, &ids[1], "c1@other.example");
    place.write(
        "box",
        format!("From - Sun Mar  1 10:00:00 2026\n{first}\nFrom - Sun Mar  1 10:00:01 2026\n{second}"),
    );
    let report = place.run(&["bounces", "import", "box", "--json"]).expect_code(0).report();
    assert_eq!((&report["messages"], &report["matched"]), (&2.into(), &2.into()));
    place.write("folder/a.eml", first);
    place.write("folder/readme.txt", "none");
    let third = place.write("c.eml", filled(EXCHANGE, &ids[2], "c2@other.example"));
    let third = third.display().to_string();
    let report = place.run(&["bounces", "import", "folder", &third, "--json"]).expect_code(0).report();
    assert_eq!(
        (&report["messages"], &report["matched"], &report["known"]),
        (&2.into(), &2.into(), &1.into())
    );
    let ended = place.run(&["bounces", "import", "nowhere"]).expect_code(1);
    assert!(ended.stderr.contains("cannot read `nowhere`"), "{}", ended.stderr);
}

/// Puts all entries in doubt, as a lost reply would.
fn put_in_doubt(place: &Place) {
    let database = Connection::open(place.path("mailrun.db")).expect("the database opens");
    database.execute("UPDATE interaction_log_entry SET state = 'in-doubt'", []).expect("it can be written");
}

fn states(place: &Place) -> Vec<String> {
    let entries = place.run(&["log", "list", "--json"]).expect_code(0).json_lines();
    entries.iter().map(|entry| entry["state"].as_str().unwrap_or_default().to_owned()).collect()
}

fn reconcile(place: &Place, arguments: &[&str], code: i32) -> Ended {
    place.run(&[&["reconcile"], arguments].concat()).expect_code(code)
}

#[test]
fn a_postfix_log_settles_what_it_proves_and_nothing_else() {
    let (place, ids) = place_after_a_run();
    put_in_doubt(&place);
    let head = "Mar  1 09:00:00 mx postfix";
    place.write(
        "mail.log",
        format!(
            "{head}/smtpd[1]: connect from c[192.0.2.9]\n\
             {head}/cleanup[2]: 4AAA: message-id={}\n\
             {head}/qmgr[3]: 4AAA: from=<post@weber.example>, size=4321, nrcpt=1 (queue active)\n\
             {head}/smtp[4]: 4AAA: to=<c0@other.example>, relay=mx[192.0.2.1]:25, delay=1, dsn=2.0.0, status=sent (250 2.0.0 Ok)\n\
             {head}/cleanup[2]: 4BBB: message-id={}\n\
             {head}/qmgr[3]: 4BBB: from=<post@weber.example>, size=4321, nrcpt=1 (queue active)\n\
             {head}/smtp[4]: 4BBB: to=<c1@other.example>, relay=mx[192.0.2.1]:25, dsn=5.1.1, status=bounced (host mx[192.0.2.1] said: 550 5.1.1 unknown)\n\
             {head}/cleanup[2]: 4CCC: message-id={}\n\
             {head}/smtpd[1]: lost connection after DATA from c[192.0.2.9]\n",
            ids[0], ids[1], ids[2]
        ),
    );
    let ended = reconcile(&place, &["--postfix-log", "mail.log"], 3);
    assert!(ended.stdout.contains("c0@other.example  accepted (mail.log, line 4)"), "{}", ended.stdout);
    assert!(ended.stdout.contains("c2@other.example  in-doubt"), "{}", ended.stdout);
    assert_eq!(ended.stderr, "1 accepted, 1 rejected, 1 still in doubt\n");
    assert_eq!(states(&place), ["accepted", "rejected", "in-doubt"]);
    let shown = place.run(&["log", "show", "2", "--json"]).expect_code(0).report();
    assert_eq!((&shown["reply_code"], &shown["reply_status"]), (&550.into(), &"5.1.1".into()));
    assert_eq!(shown["attempts"][0]["reason"], "mail.log, line 7");

    let again = reconcile(&place, &["--postfix-log", "mail.log"], 3);
    assert_eq!(again.stderr, "0 accepted, 0 rejected, 1 still in doubt\n");
    place.write("web.csv", format!("message_id,state,reply\n{},delivered,250 ok\n<x@y>,what,\n", ids[2]));
    let last = reconcile(&place, &["--csv", "web.csv", "--json"], 0).report();
    assert_eq!((&last["accepted"], &last["in_doubt"]), (&1.into(), &0.into()));
    assert_eq!(states(&place), ["accepted", "rejected", "accepted"]);
}

#[test]
fn wrong_evidence_is_named_and_settles_nothing() {
    let (place, ids) = place_after_a_run();
    put_in_doubt(&place);
    place.write("web.csv", format!("message_id,state\n{},sent\n{},perhaps\n", ids[0], ids[1]));
    let ended = reconcile(&place, &["--csv", "web.csv"], 1);
    assert!(
        ended.stderr.contains(
            "`perhaps` is no state, expected accepted or rejected\n  --> web.csv, line 3, column `state`"
        ),
        "{}",
        ended.stderr
    );
    assert_eq!(states(&place), ["in-doubt"; 3]);
    let ended = reconcile(&place, &["--postfix-log", "none.log"], 1);
    assert!(ended.stderr.contains("the log cannot be read"), "{}", ended.stderr);
    let _ = reconcile(&place, &[], 2);
}
