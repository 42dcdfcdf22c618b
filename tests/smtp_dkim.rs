//! Holds that messages are signed as dkimpy, which is not ours, verifies them, and that no change to them goes unseen.

mod support;

use std::fs;

use serde_json::{Value, json};

use support::place::Place;
use support::post::{place_with_messages, set_server};
use support::smtp::SmtpServer;

/// What dkimpy says of each message, where the DNS has this record for the selector `mail` of `weber.example`.
fn verdicts(place: &Place, messages: &[Vec<u8>], record: &str) -> Vec<Value> {
    let asked = messages.iter().enumerate().map(|(number, message)| {
        let file = place.write(&format!("judged/{number}.eml"), message);
        format!("{}\n", json!({ "file": file, "name": "mail._domainkey.weber.example.", "record": record }))
    });
    support::python::asked("tests/judges/dkim_verdict.py", &asked.collect::<String>())
}

/// What is signed once more than it is there, so that no other can be added.
const OVERSIGNED: [&str; 5] = ["From", "Reply-To", "To", "Subject", "Date"];

fn changed(message: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(message.to_vec()).expect("our messages are ASCII");
    assert!(text.contains(from), "{from} is not in\n{text}");
    text.replacen(from, to, 1).into_bytes()
}

#[test]
fn dkimpy_verifies_every_signature_and_sees_every_change() {
    let check = |key: &str, source: &str, algorithm: &str| {
        let place = place_with_messages(20);
        place.write("key.pem", fs::read(format!("fixtures/dkim/{key}.pem")).expect("the key is there"));
        let record =
            fs::read_to_string(format!("fixtures/dkim/{algorithm}.txt")).expect("the record is there");
        let server = SmtpServer::good();
        let unsubscribe = "[\"https://weber.example/u/{{contact.no}}\", \"mailto:stop@weber.example\"]";
        let dkim = format!("{{ domain = \"weber.example\", selector = \"mail\", key = {source} }}");
        set_server(&place, &server, &format!("unsubscribe = {unsubscribe}\ndkim = {dkim}"));
        let report = place.run(&["run", "segment.toml", "--yes", "--json"]).expect_code(0).report();
        assert_eq!(report["accepted"], 20, "{report}");

        let messages: Vec<Vec<u8>> = server.taken().into_iter().map(|taken| taken.bytes).collect();
        assert_eq!(messages.len(), 20);
        for verdict in verdicts(&place, &messages, record.trim()) {
            assert_eq!(verdict["verified"], true, "{key}: {verdict}");
            let names = verdict["headers"].as_array().expect("names");
            let times = |name: &str| names.iter().filter(|found| found.as_str() == Some(name)).count();
            for name in OVERSIGNED {
                assert_eq!(times(name), 2, "{name}: {verdict}");
            }
            assert_eq!(times("List-Unsubscribe"), 1, "{verdict}");
            assert_eq!(times("List-Unsubscribe-Post"), 1, "{verdict}");
        }

        let message = &messages[0];
        let mut tampered = vec![
            changed(message, "\r\nSubject: ", "\r\nSubject: Re: "),
            changed(message, "https://weber.example/u/", "https://evil.example/u/"),
            changed(message, "=One-Click", "=Two-Click"),
            [message.as_slice(), b"one more line\r\n"].concat(),
        ];
        tampered.extend(OVERSIGNED.map(|name| {
            changed(message, &format!("\r\n{name}: "), &format!("\r\n{name}: evil@example.com\r\n{name}: "))
        }));
        for (number, verdict) in verdicts(&place, &tampered, record.trim()).iter().enumerate() {
            assert_eq!(verdict["verified"], false, "{key}: change {number} went unseen");
        }
        let folded = changed(message, "\r\nSubject: ", "\r\nSubject:   ");
        assert_eq!(verdicts(&place, &[folded], record.trim())[0]["verified"], true, "{key}: blanks count");
    };
    check("rsa", "{ file = \"key.pem\" }", "rsa");
    check("rsa-pkcs1", "{ command = [\"cat\", \"key.pem\"] }", "rsa");
    check("ed25519", "{ file = \"key.pem\" }", "ed25519");
}

#[test]
fn a_key_that_cannot_sign_is_a_problem_of_check() {
    let check = |dkim: &str, id: &str| {
        let place = place_with_messages(2);
        let server = SmtpServer::good();
        place.write("short.pem", fs::read("fixtures/dkim/short.pem").expect("the key is there"));
        set_server(&place, &server, &format!("dkim = {{ {dkim} }}"));
        for command in [&["check", "segment.toml", "--json"][..], &["run", "segment.toml", "--yes", "--json"]]
        {
            let ended = place.run(command).expect_code(1);
            let said = format!("{}{}", ended.stdout, ended.stderr);
            assert!(said.contains(id), "{dkim}: {said}");
        }
        assert!(server.taken().is_empty());
    };
    let domain = "domain = \"weber.example\", selector = \"mail\"";
    check(domain, "no-dkim-key");
    check(&format!("{domain}, key = {{ file = \"no-such-file\" }}"), "no-dkim-key");
    check(&format!("{domain}, key = {{ env = \"MAILRUN_NO_SUCH\" }}"), "no-dkim-key");
    check(&format!("{domain}, key = {{ file = \"short.pem\" }}"), "dkim-key");
    check("domain = \"\", selector = \"mail\", key = { command = [\"echo\", \"x\"] }", "dkim-domain");
    check(
        "domain = \"weber.example\", selector = \"a b\", key = { command = [\"echo\", \"x\"] }",
        "dkim-selector",
    );
}
