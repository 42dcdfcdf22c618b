//! Holds that a disk which fails stops a run cleanly, wherever it fails, and that `resume` ends it when the disk is well.
//! Needs strace, which makes system calls fail, and root for a file system of its own.

mod support;

use std::collections::BTreeSet;
use std::process::Command;

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

/// Runs under strace, which lets one system call fail at its n-th time.
fn run_with_fault(place: &Place, fault: &str) -> support::place::Ended {
    let call = fault.split(':').next().expect("a split has a first part");
    let (trace, inject) = (format!("trace={call}"), format!("inject={fault}"));
    let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
    place.run_under(&strace, &["run", "segment.toml", "--yes"])
}

#[test]
fn letters_survive_a_disk_that_fails_at_any_call() {
    let mut n_stopped = 0;
    for fault in [
        "syncfs:error=EIO:when=1",
        "renameat:error=EIO:when=20",
        "renameat:error=ENOSPC:when=140",
        "fsync,fdatasync:error=EIO:when=2",
        "fsync,fdatasync:error=EIO:when=3",
        "pwrite64:error=ENOSPC:when=40",
        "pwrite64:error=EIO:when=200",
    ] {
        let place = place_with_letters();
        let ended = run_with_fault(&place, fault);
        // A fault that comes after the last call of its kind disturbs nobody.
        assert!(matches!(ended.code, Some(0 | 4)), "{fault}: {ended:?}");
        if ended.code == Some(4) {
            n_stopped += 1;
            assert!(ended.stderr.starts_with("error: "), "{fault}: {}", ended.stderr);
            go_on(&place, 0);
        }
        expect_all_letters(&place);
    }
    assert!(n_stopped > 3, "the faults came too late");
}

#[test]
fn no_message_is_sent_twice_over_a_journal_that_cannot_be_written() {
    let mut n_stopped = 0;
    for fault in [
        "fsync,fdatasync:error=EIO:when=3",
        "fsync,fdatasync:error=EIO:when=6",
        "fsync,fdatasync:error=EIO:when=20",
        "pwrite64:error=ENOSPC:when=60",
        "pwrite64:error=EIO:when=300",
    ] {
        let server = SmtpServer::good();
        let place = place_with_messages(100);
        set_server(&place, &server, "connections = 2");
        let ended = run_with_fault(&place, fault);
        assert!(matches!(ended.code, Some(0 | 4)), "{fault}: {ended:?}");
        if ended.code == Some(4) {
            n_stopped += 1;
            let begun = place.run(&["status", "SM00001"]).code == Some(0);
            let arguments = if begun { &["resume", "--yes"][..] } else { &["run", "segment.toml", "--yes"] };
            let ended = place.run(arguments);
            assert!(matches!(ended.code, Some(0 | 3)), "{fault}: {ended:?}");
        }
        let times = server.times();
        assert!(times.values().all(|times| *times == 1), "{fault}: {times:?}");
        let log = place.run(&["log", "list", "--json"]).expect_code(0).json_lines();
        let n_doubted = log.iter().filter(|entry| entry["state"] == "in-doubt").count();
        assert!(log.len() == 100 && n_doubted <= 2, "{fault}: {n_doubted} in doubt");
        assert!(times.len() + n_doubted >= 100, "{fault}: somebody is missing");
    }
    assert!(n_stopped > 2, "the faults came too late");
}

#[test]
fn a_folder_that_becomes_read_only_stops_the_run_until_it_is_writable() {
    let place = place_with_letters();
    let out = place.path("out");
    let disk = SmallDisk::mount(&out, 700);
    let _ = place.run(&["run", "segment.toml"]).expect_code(4);
    let remount = |options: &str| {
        let status = Command::new("mount").args(["-o", options]).arg(&out).status();
        assert!(status.is_ok_and(|status| status.success()), "cannot remount: this test needs root");
    };
    remount("remount,ro");
    let ended = place.run(&["resume"]).expect_code(4);
    assert!(ended.stderr.contains("Read-only file system"), "{}", ended.stderr);
    remount("remount,rw,size=100m");
    let _ = place.run(&["resume"]).expect_code(0);
    expect_all_letters(&place);
    drop(disk);
}
