//! Holds that servers which are not ours see and get what our own test server does: Postfix's smtp-sink, aiosmtpd.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use support::place::Place;
use support::post::{address, place_with_messages, set_url};

/// A server that is a program of its own; it is killed when dropped.
struct Judge {
    child: Child,
    port: u16,
}

impl Judge {
    fn start(make: impl FnOnce(u16) -> Command) -> Judge {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port can be had");
        let port = listener.local_addr().expect("a bound port has a number").port();
        drop(listener);
        let mut command = make(port);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the judge starts");
        let mut judge = Judge { child, port };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = judge.child.try_wait().expect("a child can be asked");
            assert!(ended.is_none(), "{command:?} ended at once: {ended:?}");
            thread::sleep(Duration::from_millis(10));
        }
        judge
    }

    /// Postfix's smtp-sink; its options say what it does wrong.
    fn smtp_sink(options: &[&str]) -> Judge {
        let sink = support::tool("MAILRUN_TOOLS").join("bin/smtp-sink");
        Judge::start(|port| {
            let mut command = Command::new(sink);
            command.args(options).args(["-u", "nobody", &format!("127.0.0.1:{port}"), "100"]);
            command
        })
    }

    /// aiosmtpd, which delivers into a maildir.
    fn maildir(maildir: &Path) -> Judge {
        let python = support::tool("MAILRUN_PYTHON");
        Judge::start(|port| {
            let mut command = Command::new(python);
            command.args(["-m", "aiosmtpd", "-n", "-l", &format!("127.0.0.1:{port}")]);
            command.args(["-c", "aiosmtpd.handlers.Mailbox"]).arg(maildir);
            command
        })
    }

    fn set(&self, place: &Place, more: &str) {
        set_url(place, &format!("smtp://127.0.0.1:{}", self.port), more);
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn report(place: &Place, code: i32) -> Value {
    place.run(&["run", "segment.toml", "--yes", "--json", "--wait", "0s"]).expect_code(code).report()
}

#[test]
fn what_smtp_sink_does_wrong_is_judged_right() {
    let check = |options: &[&str], code: i32, state: &str| {
        let sink = Judge::smtp_sink(options);
        let place = place_with_messages(6);
        sink.set(&place, "connections = 2");
        let report = report(&place, code);
        assert_eq!(report[state], 6, "{options:?}: {report}");
    };
    check(&[], 0, "accepted");
    check(&["-p"], 0, "accepted"); // no PIPELINING
    check(&["-e"], 0, "accepted"); // no ESMTP
    check(&["-r", "."], 4, "deferred");
    check(&["-f", "."], 3, "rejected");
    check(&["-Q", "."], 4, "deferred");
    check(&["-q", "."], 3, "in_doubt");
    check(&["-r", "DATA"], 4, "deferred");
    check(&["-f", "DATA"], 3, "rejected");
    check(&["-q", "DATA"], 4, "deferred");
    check(&["-r", "RCPT"], 4, "deferred");
    check(&["-f", "RCPT"], 3, "rejected");
    check(&["-Q", "RCPT"], 4, "deferred");
    check(&["-r", "MAIL"], 4, "deferred");
    check(&["-f", "MAIL"], 3, "rejected");
    check(&["-q", "MAIL"], 4, "deferred");
    check(&["-q", "CONNECT"], 4, "planned");
    check(&["-r", "CONNECT"], 4, "planned");
}

#[test]
fn aiosmtpd_gets_every_message_once() {
    let place = place_with_messages(50);
    let maildir = place.path("maildir");
    let judge = Judge::maildir(&maildir);
    judge.set(&place, "connections = 4");
    let report = report(&place, 0);
    assert_eq!(report["accepted"], 50, "{report}");

    let files = fs::read_dir(maildir.join("new")).expect("a maildir has a folder for what is new");
    let messages: Vec<String> = files
        .map(|file| fs::read(file.expect("a folder can be listed").path()).expect("a file can be read"))
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect();
    let field = |name: &str| -> BTreeSet<String> {
        let values = messages.iter().filter_map(|text| text.lines().find_map(|line| line.strip_prefix(name)));
        values.map(|value| value.trim().to_owned()).collect()
    };
    assert_eq!(messages.len(), 50);
    assert_eq!(field("X-RcptTo:"), (1..=50).map(address).collect());
    let log = place.run(&["log", "list", "--json"]).expect_code(0).json_lines();
    let logged = log.iter().map(|entry| entry["message_id"].as_str().expect("an id").to_owned()).collect();
    assert_eq!(field("Message-ID:"), logged);
}

/// What Python's email package reads in messages, by recipient, without what a server added.
fn read_by_python(files: &[PathBuf]) -> BTreeMap<String, Value> {
    let paths: String = files.iter().map(|file| format!("{}\n", file.display())).collect();
    let read: Vec<Value> = support::python::asked("tests/judges/message.py", &paths);
    assert_eq!(read.len(), files.len(), "one answer a message");
    let by_recipient = read.into_iter().map(|mut message| {
        let names = message["headers"].as_array().expect("names of headers");
        let added = ["X-Peer", "X-MailFrom", "X-RcptTo"];
        let kept = names.iter().filter(|name| !added.contains(&name.as_str().unwrap_or_default()));
        message["headers"] = kept.cloned().collect();
        (message["to_address"].as_str().expect("an address").to_owned(), message)
    });
    by_recipient.collect()
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).expect("a folder can be listed");
    files.map(|file| file.expect("a folder can be listed").path()).collect()
}

#[test]
fn a_maildir_holds_what_the_outbox_does_in_text_names_and_attachments() {
    let surnames = [
        "Muster\"\"; Bcc: all@example.net",
        "Müller-Łukaszewicz",
        ".",
        "..\n.\nBcc: all@example.net",
        "\u{202e}gro.elpmaxe",
        "日本語 <b>&amp;",
        "a very long name without end, and then on and on and on, so that its header is folded more than once",
    ];
    let filled = || {
        let place = place_with_messages(surnames.len());
        let mut contacts = place.read_text("contacts.csv");
        for (at, surname) in surnames.iter().enumerate() {
            contacts = contacts.replace(&format!(",Muster{},", at + 1), &format!(",\"{surname}\","));
        }
        place.write("contacts.csv", contacts);
        place
    };
    let written = filled();
    let _ = written.run(&["run", "segment.toml"]).expect_code(0);
    let expected = read_by_python(&files_in(&written.path("out/SM00001/outbox")));
    let sent = filled();
    let maildir = sent.path("maildir");
    let judge = Judge::maildir(&maildir);
    judge.set(&sent, "connections = 2");
    let report = report(&sent, 0);
    assert_eq!(report["accepted"], surnames.len(), "{report}");
    let found = read_by_python(&files_in(&maildir.join("new")));
    assert_eq!(found.len(), surnames.len());
    assert_eq!(found[&address(2)]["to_name"], "Anna Müller-Łukaszewicz");
    for (address, message) in &found {
        assert_eq!(message["defects"], json!([]), "{address}");
        assert_eq!(message["attachments"].as_array().map(Vec::len), Some(1), "{address}");
        assert_eq!(Some(message), expected.get(address), "{address}");
    }
}
