//! Holds that a disk which fails stops a run cleanly, wherever it fails, and that `resume` ends it when the disk is well.
//! Needs strace, which makes system calls fail, and root for a file system of its own.

mod support;

use std::collections::BTreeSet;

use support::place::{Place, SmallDisk};
use support::post::{place_with_messages, set_server};
use support::smtp::SmtpServer;

/// How many contacts a run has.
const N_CONTACTS: usize = 150;

fn place_with_letters() -> Place {
    let place = place_with_messages(N_CONTACTS);
    let contacts = place.read_text("contacts.csv").replace(",email,", ",hard-copy,");
    place.write("contacts.csv", contacts);
    place
}

/// Ends what was begun, or begins what was not.
#[track_caller]
fn go_on(place: &Place, code: i32) {
    let begun = place.run(&["status", "SM00001"]).code == Some(0);
    let arguments = if begun { &["resume", "--yes"][..] } else { &["run", "segment.toml", "--yes"] };
    let _ = place.run(arguments).expect_code(code);
}

#[track_caller]
fn expect_all_letters(place: &Place) {
    let entries = place.run(&["log", "list", "--json"]).expect_code(0).json_lines();
    let contacts: BTreeSet<String> = entries.iter().map(|entry| entry["contact"].to_string()).collect();
    assert_eq!((entries.len(), contacts.len()), (N_CONTACTS, N_CONTACTS));
    for entry in entries {
        let name = format!("out/SM00001/letters/{}", entry["file"].as_str().expect("a name"));
        let digest = mailrun::delivery::outbox::sha256(&place.read(&name));
        assert_eq!(entry["sha256"], digest.as_str(), "{name}");
    }
    let files = place.files("out");
    assert!(files.iter().all(|name| !name.contains("mailrun-tmp")), "{files:?}");
}

/// What SQLite goes on without: it keeps a rollback journal where a new database cannot be switched to WAL, leaves the
/// WAL as it is where it cannot be emptied at the end, and takes no notice of a folder that does not sync.
const HARMLESS: [&str; 3] = ["/mailrun.db-journal>", "/mailrun.db>", "/here>"];

/// Runs under strace, which lets one system call fail at its n-th time: the run stops if it did, and ends if the call was
/// not made so often. Tells whether it stopped.
#[track_caller]
fn stops_at(place: &Place, fault: &str) -> bool {
    let call = fault.split(':').next().expect("a split has a first part");
    let (trace, inject) = (format!("trace={call}"), format!("inject={fault}"));
    let log = place.path("strace.log").display().to_string();
    let strace = ["strace", "-f", "-y", "-qq", "-o", &log, "-e", &trace, "-e", &inject];
    let ended = place.run_under(&strace, &["run", "segment.toml", "--yes"]);
    let calls = String::from_utf8_lossy(&place.read("strace.log")).into_owned();
    let failed: Vec<&str> = calls.lines().filter(|call| call.contains("(INJECTED)")).collect();
    let is_harmless = |call: &str| call.contains("sync(") && HARMLESS.iter().any(|file| call.contains(file));
    let has_failed = failed.iter().any(|call| !is_harmless(call));
    assert_eq!(ended.code, Some(if has_failed { 4 } else { 0 }), "{fault}: {ended:?}");
    assert!(!has_failed || ended.stderr.starts_with("error: "), "{fault}: {}", ended.stderr);
    has_failed
}

#[test]
fn letters_survive_a_disk_that_fails_at_any_call() {
    let mut n_stopped = 0;
    for fault in [
        "syncfs:error=EIO:when=1",
        "renameat:error=EIO:when=20",
        "renameat:error=ENOSPC:when=140",
        "fsync,fdatasync:error=EIO:when=5",
        "fsync,fdatasync:error=EIO:when=9",
        "fsync,fdatasync:error=EIO:when=12",
        "pwrite64:error=ENOSPC:when=40",
        "pwrite64:error=EIO:when=200",
    ] {
        let place = place_with_letters();
        if stops_at(&place, fault) {
            n_stopped += 1;
            go_on(&place, 0);
        }
        expect_all_letters(&place);
    }
    assert!(n_stopped > 6, "only {n_stopped} faults came in time");
}

#[test]
fn no_message_is_sent_twice_over_a_journal_that_cannot_be_written() {
    let mut n_stopped = 0;
    for fault in [
        "fsync,fdatasync:error=EIO:when=5",
        "fsync,fdatasync:error=EIO:when=11",
        "fsync,fdatasync:error=EIO:when=20",
        "pwrite64:error=ENOSPC:when=60",
        "pwrite64:error=EIO:when=300",
    ] {
        let server = SmtpServer::good();
        let place = place_with_messages(100);
        set_server(&place, &server, "connections = 2");
        if stops_at(&place, fault) {
            n_stopped += 1;
            let begun = place.run(&["status", "SM00001"]).code == Some(0);
            let arguments = if begun { &["resume", "--yes"][..] } else { &["run", "segment.toml", "--yes"] };
            let ended = place.run(arguments);
            assert!(matches!(ended.code, Some(0 | 3)), "{fault}: {ended:?}");
        }
        let times = server.times();
        assert!(times.values().all(|times| *times == 1), "{fault}: {times:?}");
        let log = place.run(&["log", "list", "--json"]).expect_code(0).json_lines();
        let mut n_doubted = 0;
        for entry in &log {
            let email = entry["email"].as_str().expect("an address");
            match entry["state"].as_str().expect("a state") {
                "accepted" => assert!(times.contains_key(email), "{fault}: {email} is missing"),
                "in-doubt" => n_doubted += 1,
                state => panic!("{fault}: {email} is {state}"),
            }
        }
        assert!(log.len() == 100 && n_doubted <= 2, "{fault}: {n_doubted} in doubt");
    }
    assert!(n_stopped > 3, "only {n_stopped} faults came in time");
}

#[test]
fn a_folder_that_becomes_read_only_stops_the_run_until_it_is_writable() {
    let place = place_with_letters();
    let out = place.path("out");
    let disk = SmallDisk::mount(&out, 700);
    let _ = place.run(&["run", "segment.toml"]).expect_code(4);
    disk.remount("ro");
    let ended = place.run(&["resume"]).expect_code(4);
    assert!(ended.stderr.contains("Read-only file system"), "{}", ended.stderr);
    disk.remount("rw,size=100m");
    let _ = place.run(&["resume"]).expect_code(0);
    expect_all_letters(&place);
    drop(disk);
}
