//! Holds that a preview reaches the one who looks, and nobody else; and that `doctor` tells what a run would meet.

mod support;

use mail_parser::MessageParser;
use serde_json::Value;

use support::place::Place;
use support::post::{address, place_with_messages, set_server, set_url};
use support::smtp::{Act, At, SmtpServer};

#[test]
fn previews_go_to_the_one_who_looks_and_are_not_logged() {
    let server = SmtpServer::good();
    let place = place_with_messages(3);
    set_server(&place, &server, "unsubscribe = [\"https://weber.example/off?c={{contact.no}}\"]");
    let preview = ["preview", "segment.toml", "--first", "2", "--send-to", "Proof <proof@weber.example>"];
    let refused = place.run(&preview).expect_code(2);
    assert!(refused.stderr.contains("2 messages were not agreed to"), "{}", refused.stderr);
    assert_eq!(server.taken().len(), 0);

    let ended = place.run(&[&preview[..], &["--yes"]].concat()).expect_code(0);
    assert_eq!(
        ended.stdout,
        "contact CT000001: accepted by the server\ncontact CT000002: accepted by the server\n"
    );
    let taken = server.taken();
    let recipients: Vec<&str> = taken.iter().map(|it| it.recipient.as_str()).collect();
    assert_eq!(recipients, ["proof@weber.example"; 2]);
    assert_eq!(place.run(&["log", "list", "--json"]).expect_code(0).stdout, "");
    assert_eq!(place.files("out"), Vec::<String>::new());

    let _ = place.run(&["run", "segment.toml", "--yes"]).expect_code(0);
    let real = server.taken().split_off(2);
    assert_eq!(real.len(), 3, "the contacts get theirs");
    assert!(real.iter().all(|it| taken.iter().all(|copy| copy.message_id != it.message_id)), "names differ");
}

#[test]
fn without_a_server_previews_are_files_that_say_what_they_are() {
    let place = place_with_messages(2);
    set_url(&place, "", "unsubscribe = [\"https://weber.example/off?c={{contact.no}}\"]");
    let preview = ["preview", "segment.toml", "--contact", "CT000002", "--send-to", "proof@weber.example"];
    let _ = place.run(&preview).expect_code(0);
    let files = place.files("out");
    let [file] = &files[..] else { panic!("one file: {files:?}") };
    let bytes = place.read(file);
    let message = MessageParser::default().parse(&bytes).expect("a message");
    assert!(message.subject().is_some_and(|subject| subject.starts_with("[preview] ")));
    let to = message.to().and_then(|to| to.first()).and_then(|to| to.address());
    assert_eq!(to, Some("proof@weber.example"));
    let copy = message.header_raw("X-Mailrun-Copy").map(str::trim);
    assert_eq!(copy, Some(format!("contact CT000002, line 20000, to {}", address(2)).as_str()));
    assert!(message.header_raw("List-Unsubscribe").is_none(), "a click must not unsubscribe the contact");
    let wrong = place.run(&["preview", "segment.toml", "--send-to", "nobody"]).expect_code(1);
    assert!(wrong.stderr.contains("mail address `nobody` has no `@`\n  --> --send-to"), "{}", wrong.stderr);
}

fn result<'a>(findings: &'a [Value], check: &str) -> &'a Value {
    &findings.iter().find(|it| it["check"] == check).unwrap_or_else(|| panic!("{check}: {findings:?}"))["result"]
}

#[test]
fn the_doctor_finds_all_well_and_sends_nothing() {
    let server = SmtpServer::good();
    let place = place_with_messages(1);
    set_server(&place, &server, "");
    let before = place.files("");
    let findings = place.run(&["doctor", "--json"]).expect_code(0).json_lines();
    for check in ["set-up", "sender", "output", "database", "clock", "server"] {
        assert_eq!(result(&findings, check), "ok", "{check}: {findings:?}");
    }
    assert_eq!((server.n_connections(), server.taken().len()), (1, 0));
    assert!(server.lines().iter().all(|line| !line.starts_with("MAIL")), "{:?}", server.lines());
    assert_eq!(place.files(""), before, "nothing is changed");
}

#[test]
fn the_doctor_names_what_is_wrong_and_what_to_do() {
    let server = SmtpServer::scripted(|moment| if moment.at == At::Hello { Act::Drop } else { Act::Good });
    let place = place_with_messages(1);
    set_server(&place, &server, "bounce = \"bounce@weber.example\"");
    place.write("mailrun.db", "no database at all, but long enough to be looked at as one");
    let findings = place.run(&["doctor", "--json"]).expect_code(1).json_lines();
    for check in ["sender", "database", "server"] {
        let wrong = findings.iter().find(|it| it["check"] == check && it["result"] == "problem");
        let wrong = wrong.unwrap_or_else(|| panic!("{check}: {findings:?}"));
        assert!(wrong["help"].as_str().is_some_and(|help| !help.is_empty()), "{wrong}");
    }
    let bare = Place::new();
    let ended = bare.run(&["doctor"]).expect_code(0);
    assert!(ended.stdout.starts_with("warning  set-up"), "{}", ended.stdout);
    assert_eq!(bare.files(""), Vec::<String>::new());
}
