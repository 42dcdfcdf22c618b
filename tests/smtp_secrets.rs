//! Holds that a password is nowhere but on the line to its server: not in what is printed, kept or written.

mod support;

use std::fs;

use support::place::Place;
use support::post::{place_with_messages, set_url};
use support::smtp::{Abilities, Act, At, SmtpServer};

/// The password, as it is, and as base64 has it after any number of bytes.
const CANARY: &str = "c4n4ry-Gs8";
const CANARIES: [&str; 4] = [CANARY, "YzRuNHJ5LUdz", "0bjRyeS1Hcz", "NG40cnktR3M4"];

/// Nothing below the folder of a place holds the password, but for the files that are given.
#[track_caller]
fn expect_no_canary(place: &Place, but: &[&str]) {
    for name in place.files("") {
        if but.contains(&name.as_str()) {
            continue;
        }
        let bytes = fs::read(place.path(&name)).expect("a file can be read");
        let text = String::from_utf8_lossy(&bytes);
        for canary in CANARIES {
            assert!(!text.contains(canary), "{name} holds {canary}");
        }
    }
}

#[test]
fn a_password_is_neither_printed_nor_kept() {
    let abilities = || Abilities { login: Some(("anna", CANARY)), ..Abilities::default() };
    let wrong = || Abilities { login: Some(("anna", "another")), ..Abilities::default() };
    for source in ["env", "file", "command"] {
        for server in [
            SmtpServer::start(abilities(), |_| Act::Good),
            SmtpServer::start(wrong(), |_| Act::Good),
            SmtpServer::start(abilities(), |moment| match moment.at {
                At::Auth => Act::Drop,
                _ => Act::Good,
            }),
            SmtpServer::start(abilities(), |moment| match moment.at {
                At::Dot => Act::Drop,
                _ => Act::Good,
            }),
        ] {
            let place = place_with_messages(3);
            place.write("secret", format!("{CANARY}\n"));
            let password = match source {
                "env" => "{ env = \"MAILRUN_TEST_PASSWORD\" }",
                "file" => "{ file = \"secret\" }",
                _ => "{ command = [\"cat\", \"secret\"] }",
            };
            let url = format!("smtp://anna@127.0.0.1:{}", server.port);
            set_url(&place, &url, &format!("password = {password}"));
            for arguments in [
                &["check", "segment.toml", "-vv"][..],
                &["config", "show"],
                &["doctor"],
                &["preview", "segment.toml", "--first", "1", "--send-to", "me@example.com", "--yes"],
                &["run", "segment.toml", "--yes", "-vv", "--wait", "0s"],
                &["resume", "--yes", "-vv", "--json", "--wait", "0s"],
                &["status", "--json"],
                &["log", "list", "--json"],
                &["log", "show", "1"],
                &["log", "resend", "1", "--yes", "--wait", "0s"],
            ] {
                let mut command = place.command(arguments);
                let output = command
                    .env("MAILRUN_TEST_PASSWORD", CANARY)
                    .env("RUST_LOG", "trace")
                    .env("RUST_BACKTRACE", "full")
                    .output()
                    .expect("the program runs");
                for text in [output.stdout, output.stderr] {
                    let text = String::from_utf8_lossy(&text).into_owned();
                    for canary in CANARIES {
                        assert!(!text.contains(canary), "{arguments:?} prints {canary}:\n{text}");
                    }
                }
            }
            assert!(server.lines().iter().any(|line| line.starts_with("AUTH PLAIN")), "nobody logged in");
            expect_no_canary(&place, &["secret"]);
        }
    }
}

#[test]
fn a_password_that_cannot_be_had_pauses_the_run_and_says_where_it_was_looked_for() {
    let check = |password: &str, says: &str| {
        let place = place_with_messages(2);
        set_url(&place, "smtp://anna@127.0.0.1:1", &format!("password = {password}"));
        let ended = place.run(&["run", "segment.toml", "--yes"]).expect_code(4);
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
        assert!(ended.stderr.contains("`mailrun resume`"), "{}", ended.stderr);
    };
    check("{ env = \"MAILRUN_NO_SUCH\" }", "the environment variable `MAILRUN_NO_SUCH` is not set");
    check("{ file = \"no-such-file\" }", "`no-such-file` cannot be read");
    check("{ command = [\"false\"] }", "`false` failed");
    check("{ command = [\"true\"] }", "its first line is empty");
}

#[test]
fn a_secret_in_the_set_up_itself_is_refused_and_not_repeated() {
    for written in [
        format!("password = \"{CANARY}\""),
        format!("password = [\"{CANARY}\"]"),
        format!("password = {{ password = \"{CANARY}\" }}"),
        format!("dkim = {{ domain = \"example.com\", selector = \"s\", key = \"{CANARY}\" }}"),
        "password = 4711080915".to_owned(),
    ] {
        let place = place_with_messages(1);
        set_url(&place, "smtp://anna@127.0.0.1:1", &written);
        for arguments in
            [&["check", "segment.toml"][..], &["config", "show"], &["doctor"], &["run", "segment.toml"]]
        {
            let ended = place.run(arguments).expect_code(1);
            let said = format!("{}{}", ended.stdout, ended.stderr);
            assert!(said.contains("mailrun.toml, line "), "{written}: {said}");
            assert!(!said.contains(CANARY) && !said.contains("4711080915"), "{written}: {said}");
        }
    }
}
