//! Holds that a run survives anything: killed, stopped, without room, it is ended by `resume`, nobody missing, nobody twice.

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use std::{fs, thread};

use support::place::{Place, SmallDisk};

/// How many contacts the runs of these tests have.
const N_CONTACTS: usize = 1_200;

/// A place with a segment of many contacts over the letter of `mailrun init`.
fn place_with_many_contacts() -> Place {
    let place = Place::with_copy_of("templates/init");
    let contacts = place.read_text("contacts.csv");
    let mut lines = contacts.lines();
    let header = lines.next().expect("the sample has a header").to_owned();
    let key = header.split(',').position(|name| name == "no").expect("the sample has numbers");
    let row: Vec<String> =
        lines.next().expect("the sample has a contact").split(',').map(str::to_owned).collect();
    let mut table = header.clone();
    for number in 0..N_CONTACTS {
        let mut row = row.clone();
        row[key] = format!("CT{number:06}");
        table.push('\n');
        table.push_str(&row.join(","));
    }
    place.write("contacts.csv", table);
    let segment = place.read_text("segment.toml");
    let until_lines = segment.split("[[line]]").next().expect("a split has a first part");
    place.write("segment.toml", until_lines.replace("[segment]\n", "[segment]\nno = \"SM00001\"\n"));
    place
}

/// Everybody is served once: as many files as lines, one for each contact, none half-written, the log complete.
fn expect_everybody_once(place: &Place) {
    let entries = place.run(&["log", "list", "--json"]).expect_code(0).json_lines();
    let contacts: BTreeSet<String> = entries.iter().map(|entry| entry["contact"].to_string()).collect();
    assert_eq!((entries.len(), contacts.len()), (N_CONTACTS, N_CONTACTS));
    let files = place.files("out");
    let n_files = files.iter().filter(|file| file.ends_with(".docx") || file.ends_with(".eml")).count();
    assert_eq!(n_files, N_CONTACTS);
    assert!(files.iter().all(|file| !file.contains("mailrun-tmp")), "{files:?}");
    for entry in &entries {
        let folder = if entry["correspondence_type"] == "hard-copy" { "letters" } else { "outbox" };
        let name = format!("out/SM00001/{folder}/{}", entry["file"].as_str().expect("a name"));
        let digest = mailrun::delivery::outbox::sha256(&place.read(&name));
        assert_eq!(entry["sha256"], digest.as_str(), "{name}");
    }
}

fn n_finished(out: &Path) -> usize {
    let count = |folder: &str| match fs::read_dir(out.join(folder)) {
        Ok(entries) => entries
            .filter_map(Result::ok)
            .filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
            .count(),
        Err(_) => 0,
    };
    count("letters") + count("outbox")
}

#[test]
fn a_run_killed_at_any_moment_is_ended_by_resume() {
    let mut n_interrupted = 0;
    for wanted in [0, 1, 400, 513, 800, 1_100] {
        let place = place_with_many_contacts();
        let mut child = place
            .command(&["run", "segment.toml"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let segment = loop {
            let folders = fs::read_dir(place.path("out")).ok().and_then(|mut entries| entries.next());
            let folder = folders.and_then(Result::ok).map(|entry| entry.path());
            let is_there = folder.as_ref().is_some_and(|folder| n_finished(folder) >= wanted);
            if is_there || child.try_wait().expect("the child can be asked").is_some() {
                break folder;
            }
            thread::sleep(Duration::from_millis(1));
        };
        child.kill().expect("a child can be killed");
        let ended = child.wait().expect("a child can be waited for");
        n_interrupted += usize::from(!ended.success());
        assert!(segment.is_some(), "the run made its folder");
        let again = place.run(&["run", "segment.toml"]);
        match again.code {
            Some(0) => {} // killed before its plan was on disk: nothing had happened
            Some(4) => assert!(again.stderr.contains("`mailrun resume"), "{}", again.stderr),
            Some(1) => assert!(again.stderr.contains("was logged by run"), "{}", again.stderr),
            code => panic!("exit code {code:?}: {}", again.stderr),
        }
        let _ = place.run(&["resume"]).expect_code(0);
        expect_everybody_once(&place);
    }
    assert!(n_interrupted > 2, "only {n_interrupted} runs were killed before they ended");
}

#[test]
fn a_full_disk_stops_the_run_and_resume_ends_it_when_there_is_room() {
    let place = place_with_many_contacts();
    let out = place.path("out");
    fs::create_dir(&out).expect("a folder can be made");
    let disk = SmallDisk::mount(&out, 2_000);
    let ended = place.run(&["run", "segment.toml"]).expect_code(4);
    assert!(ended.stderr.contains("No space left on device"), "{}", ended.stderr);
    assert!(ended.stderr.contains("`mailrun resume`"), "{}", ended.stderr);
    disk.remount("size=100m");
    let _ = place.run(&["resume"]).expect_code(0);
    expect_everybody_once(&place);
    drop(disk);
}

#[test]
fn an_output_folder_that_cannot_be_made_stops_before_anything_happens() {
    let place = place_with_many_contacts();
    place.write("out", "a file, not a folder");
    let ended = place.run(&["run", "segment.toml"]).expect_code(4);
    assert!(ended.stderr.contains("out"), "{}", ended.stderr);
    assert_eq!(place.run(&["resume"]).expect_code(0).stderr, "nothing to resume\n");
    assert_eq!(place.files("").iter().filter(|file| file.contains("mailrun.db")).count(), 0);
}

#[test]
fn two_runs_at_once_serve_everybody_once() {
    let place = place_with_many_contacts();
    let mut first = place.command(&["run", "segment.toml"]).stderr(Stdio::null()).spawn().expect("it starts");
    let second = place.run(&["run", "segment.toml"]);
    let first = first.wait().expect("it ends").code();
    let codes = BTreeSet::from([first.unwrap_or(-1), second.code.unwrap_or(-1)]);
    assert!(codes.contains(&0), "{codes:?}: {}", second.stderr);
    assert!(codes.iter().all(|code| [0, 1, 5].contains(code)), "{codes:?}: {}", second.stderr);
    expect_everybody_once(&place);
}

#[test]
fn a_file_without_a_number_does_not_begin_anew_what_was_interrupted() {
    let place = place_with_many_contacts();
    let segment = place.read_text("segment.toml").replace("no = \"SM00001\"\n", "");
    place.write("segment.toml", segment);
    let out = place.path("out");
    fs::create_dir(&out).expect("a folder can be made");
    let disk = SmallDisk::mount(&out, 2_000);
    let _ = place.run(&["run", "segment.toml"]).expect_code(4);
    drop(disk);
    let again = place.run(&["run", "segment.toml"]).expect_code(4);
    assert!(again.stderr.contains("run 1 of segment SM00001 was interrupted"), "{}", again.stderr);
}

#[test]
fn nothing_to_resume_is_no_failure_and_makes_no_database() {
    let place = Place::new();
    assert_eq!(place.run(&["resume"]).expect_code(0).stderr, "nothing to resume\n");
    assert_eq!(place.files(""), Vec::<String>::new());
}
