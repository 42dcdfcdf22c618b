//! Holds that servers which are not ours see and get what our own test server does: Postfix and its smtp-sink, aiosmtpd.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use support::place::Place;
use support::post::{HEADERS, address, place_with_messages, set_url};
use support::smtp::unused_port;

/// A server that is a program of its own; it is killed when dropped.
struct Judge {
    child: Child,
    port: u16,
}

impl Judge {
    /// Another program may take the port before the judge does; then it gets a new one.
    fn start(make: impl Fn(u16) -> Command) -> Judge {
        let mut ends = Vec::new();
        for _ in 0..3 {
            let port = unused_port();
            let mut command = make(port);
            let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
            let mut judge = Judge { child: child.expect("the judge starts"), port };
            for _ in 0..3_000 {
                let ended = judge.child.try_wait().expect("a child can be asked");
                if ended.is_some() {
                    ends.push(format!("{command:?} ended at once: {ended:?}"));
                    break;
                }
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return judge;
                }
                thread::sleep(Duration::from_millis(10));
            }
        }
        panic!("no judge listens within half a minute\n{}", ends.join("\n"));
    }

    /// Postfix's smtp-sink; its options say what it does wrong.
    fn smtp_sink(options: &[&str]) -> Judge {
        let sink = support::tool("MAILRUN_TOOLS").join("bin/smtp-sink");
        Judge::start(|port| {
            let mut command = Command::new(&sink);
            command.args(options).args(["-u", "nobody", &format!("127.0.0.1:{port}"), "100"]);
            command
        })
    }

    /// aiosmtpd, which delivers into a maildir.
    fn maildir(maildir: &Path) -> Judge {
        let python = support::tool("MAILRUN_PYTHON");
        Judge::start(|port| {
            let mut command = Command::new(&python);
            command.args(["-m", "aiosmtpd", "-n", "-l", &format!("127.0.0.1:{port}")]);
            command.args(["-c", "aiosmtpd.handlers.Mailbox"]).arg(maildir);
            command
        })
    }

    /// Postfix itself, unpacked and on loopback, which delivers into a maildir in `folder` and keeps its log there.
    fn postfix(folder: &Path) -> Judge {
        let unpacked = support::tool("MAILRUN_TOOLS").join("postfix/usr");
        let libraries = unpacked.join("lib/postfix");
        for name in ["queue/private", "queue/public", "queue/pid", "data", "mail"] {
            fs::create_dir_all(folder.join(name)).expect("a folder can be made");
        }
        let (queue, programs) = (folder.join("queue"), libraries.join("sbin"));
        for name in [
            "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "saved", "trace",
        ] {
            fs::create_dir(queue.join(name)).expect("a folder can be made");
        }
        let [daemon, nobody] = [1, 65_534]; // Debian has these users without a server, too
        for name in files_in(&queue) {
            if !name.ends_with("pid") {
                chown(name, Some(daemon), None).expect("a folder can be given away");
            }
        }
        chown(folder.join("data"), Some(daemon), None).expect("a folder can be given away");
        chown(folder.join("mail"), Some(nobody), None).expect("a folder can be given away");
        fs::set_permissions(folder, Permissions::from_mode(0o711)).expect("a folder can be opened");
        let main = format!(
            "compatibility_level = 3.6\nqueue_directory = {queue}\ndata_directory = {here}/data\n\
             daemon_directory = {programs}\ncommand_directory = {unpacked}/sbin\nshlib_directory = {libraries}\n\
             meta_directory = {here}\nmail_owner = daemon\nsetgid_group = mail\ndefault_privs = nobody\n\
             import_environment = MAIL_CONFIG TZ LD_LIBRARY_PATH\nmaillog_file = {here}/mail.log\n\
             maillog_file_prefixes = {here}\nmyhostname = judge.example\nmydestination =\n\
             inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmynetworks = 127.0.0.0/8\n\
             smtpd_peername_lookup = no\nlocal_header_rewrite_clients =\nalias_maps =\nalias_database =\n\
             virtual_mailbox_domains = example.org weber.example\nvirtual_mailbox_base = {here}/mail\n\
             virtual_mailbox_maps = static:all/\nvirtual_uid_maps = static:{nobody}\n\
             virtual_gid_maps = static:{nobody}\n",
            here = folder.display(),
            queue = queue.display(),
            unpacked = unpacked.display(),
            libraries = libraries.display(),
            programs = programs.display(),
        );
        fs::write(folder.join("main.cf"), main).expect("a file can be written");
        Judge::start(|port| {
            let services = format!(
                "127.0.0.1:{port} inet n - n - - smtpd\npostlog unix-dgram n - n - 1 postlogd\n\
                 cleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\nrewrite unix - - n - - trivial-rewrite\n\
                 bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n\
                 anvil unix - - n - 1 anvil\nvirtual unix - n n - - virtual\nerror unix - - n - - error\n\
                 retry unix - - n - - error\nproxymap unix - - n - - proxymap\n"
            );
            fs::write(folder.join("master.cf"), services).expect("a file can be written");
            let mut command = Command::new(programs.join("master"));
            command.arg("-c").arg(folder).arg("-d");
            command.env("MAIL_CONFIG", folder).env("LD_LIBRARY_PATH", &libraries);
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
        let of_aiosmtpd = ["X-Peer", "X-MailFrom", "X-RcptTo"];
        let of_postfix = ["Return-Path", "X-Original-To", "Delivered-To", "Received"];
        let added = [&of_aiosmtpd[..], &of_postfix].concat();
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

/// Names that try to be something else.
const SURNAMES: [&str; 7] = [
    "Muster\"\"; Bcc: all@example.net",
    "Müller-Łukaszewicz",
    ".",
    "..\n.\nBcc: all@example.net",
    "\u{202e}gro.elpmaxe",
    "日本語 <b>&amp;",
    "a very long name without end, and then on and on and on, so that its header is folded more than once",
];

/// The same as readers see them, out of the table: on one line, without what turns text around.
const READ: [&str; SURNAMES.len()] = [
    "Muster\"; Bcc: all@example.net",
    SURNAMES[1],
    SURNAMES[2],
    ".. . Bcc: all@example.net",
    "gro.elpmaxe",
    SURNAMES[5],
    SURNAMES[6],
];

/// Each message is as the outbox has it, and as a reader is to see it.
#[track_caller]
fn expect_as_written(found: &BTreeMap<String, Value>, written: &BTreeMap<String, Value>) {
    for (at, surname) in READ.iter().enumerate() {
        assert_eq!(found[&address(at + 1)]["to_name"], format!("Anna {surname}"));
    }
    for (address, message) in found {
        let mut headers = HEADERS.to_vec();
        if address == "archive@weber.example" {
            headers.insert(9, "X-Mailrun-Copy");
        }
        assert_eq!(message["headers"], json!(headers), "{address}");
        assert_eq!(message["defects"], json!([]), "{address}");
        assert_eq!(message["attachments"].as_array().map(Vec::len), Some(1), "{address}");
        assert_eq!(Some(message), written.get(address), "{address}");
    }
}

/// A place with a message for each of the names.
fn place_with_names() -> Place {
    let place = place_with_messages(SURNAMES.len());
    let mut contacts = place.read_text("contacts.csv");
    for (at, surname) in SURNAMES.iter().enumerate() {
        contacts = contacts.replace(&format!(",Muster{},", at + 1), &format!(",\"{surname}\","));
    }
    place.write("contacts.csv", contacts);
    place
}

/// What the outbox of a place with the names holds, with these lines of `[smtp]`.
fn written_with_names(more: &str) -> BTreeMap<String, Value> {
    let written = place_with_names();
    set_url(&written, "", more);
    let _ = written.run(&["run", "segment.toml"]).expect_code(0);
    read_by_python(&files_in(&written.path("out/SM00001/outbox")))
}

#[test]
fn a_maildir_holds_what_the_outbox_does_in_text_names_and_attachments() {
    let expected = written_with_names("");
    let sent = place_with_names();
    let maildir = sent.path("maildir");
    let judge = Judge::maildir(&maildir);
    judge.set(&sent, "connections = 2");
    let report = report(&sent, 0);
    assert_eq!(report["accepted"], SURNAMES.len(), "{report}");
    let found = read_by_python(&files_in(&maildir.join("new")));
    assert_eq!(found.len(), SURNAMES.len());
    expect_as_written(&found, &expected);
}

/// Waits until something is so: a server that took a message over delivers it when it likes.
#[track_caller]
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..3_000 {
        if is_so() {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("{what}: not within a minute");
}

/// A line to a server that breaks as soon as the server says that it took a message over; returns its port.
fn line_that_breaks_after_the_dot(server: u16) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port can be had");
    let port = listener.local_addr().expect("a bound port has a number").port();
    // It is there until the test ends, and its threads with it.
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(("127.0.0.1", server)).expect("the server is there");
            let (mut from, mut to) =
                (client.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
            thread::spawn(move || std::io::copy(&mut from, &mut to));
            thread::spawn(move || break_after_the_dot(server, client));
        }
    });
    port
}

fn break_after_the_dot(mut server: TcpStream, mut client: TcpStream) {
    let mut bytes = [0; 4_096];
    while let Ok(n @ 1..) = server.read(&mut bytes) {
        let is_taken = String::from_utf8_lossy(&bytes[..n]).contains("Ok: queued as");
        if is_taken || client.write_all(&bytes[..n]).is_err() {
            break;
        }
    }
    // Either end may have gone before.
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}

#[test]
fn a_maildir_of_postfix_holds_what_the_outbox_does_each_once() {
    const SEED: &str = "seeds = [\"archive@weber.example\"]";
    let expected = written_with_names(SEED);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let postfix = Judge::postfix(folder.path());
    let sent = place_with_names();
    postfix.set(&sent, SEED);
    let report = report(&sent, 0);
    assert_eq!(
        (&report["accepted"], &report["seeds"][0]["state"]),
        (&json!(SURNAMES.len()), &json!("accepted"))
    );
    let maildir = folder.path().join("mail/all/new");
    wait_until("all messages are in the maildir", || {
        maildir.exists() && files_in(&maildir).len() >= expected.len()
    });
    let found = read_by_python(&files_in(&maildir));
    assert_eq!(found.len(), SURNAMES.len() + 1);
    expect_as_written(&found, &expected);
}

#[test]
fn the_log_of_postfix_settles_what_is_in_doubt() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let postfix = Judge::postfix(folder.path());
    let place = place_with_messages(5);
    let port = line_that_breaks_after_the_dot(postfix.port);
    set_url(&place, &format!("smtp://127.0.0.1:{port}"), "connections = 2");
    let report = report(&place, 3);
    assert_eq!(report["in_doubt"], 5, "{report}");
    let log = folder.path().join("mail.log");
    wait_until("all messages are delivered", || {
        fs::read_to_string(&log).is_ok_and(|text| text.matches("status=sent").count() == 5)
    });
    let log = log.display().to_string();
    let settled = place.run(&["reconcile", "--postfix-log", &log]).expect_code(0);
    assert!(settled.stderr.contains("5 accepted, 0 rejected, 0 still in doubt"), "{}", settled.stderr);
    let report = place.run(&["status", "SM00001", "--json"]).expect_code(0).report();
    assert_eq!((&report["accepted"], &report["in_doubt"]), (&json!(5), &json!(0)));
    assert_eq!(files_in(&folder.path().join("mail/all/new")).len(), 5, "nobody got it twice");
}
