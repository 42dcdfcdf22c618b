//! Holds that wrong input is told: what is wrong, where, what to do; all of it at once; and nothing is left behind.

mod support;

use std::fs;

use support::place::{Ended, Place};

/// The folders of `fixtures/wrong` that hold no fault but a trap.
const TRAPS: [&str; 1] = ["names-as-paths"];

/// What is said about each folder of `fixtures/wrong`; written by a person's eye, not by the program's.
const EXPECTED: &str = include_str!("cli_wrong_input.txt");

#[test]
fn every_fault_is_told_with_place_and_help_and_leaves_nothing_behind() {
    let mut folders: Vec<String> = fs::read_dir("fixtures/wrong")
        .expect("the fixtures are there")
        .map(|entry| entry.expect("the folder can be read").file_name().to_string_lossy().into_owned())
        .filter(|folder| !TRAPS.contains(&folder.as_str()))
        .collect();
    folders.sort();
    let mut said = String::new();
    for folder in folders {
        let place = Place::with_copy_of(&format!("fixtures/wrong/{folder}"));
        let before = place.files("");
        let ended = place.run(&["run", "segment.toml"]).expect_code(1);
        assert_eq!(place.files(""), before, "{folder}: something is left behind");
        assert_eq!(ended.stdout, "", "{folder}: talk belongs to stderr");
        let count = |mark| ended.stderr.lines().filter(|line| line.starts_with(mark)).count();
        assert_eq!(count("error: "), count("  help: "), "{folder}: each fault comes with help");
        said.push_str(&format!("# {folder}\n{}\n", ended.stderr));
    }
    assert_eq!(said.trim(), EXPECTED.trim());
}

#[test]
fn contact_numbers_that_look_like_paths_stay_in_the_output_folder() {
    let place = Place::with_copy_of("fixtures/wrong/names-as-paths");
    let before = place.files("");
    let _ = place.run(&["run", "segment.toml"]).expect_code(0);
    let files = place.files("out");
    assert!(files.len() > 2, "{files:?}");
    assert!(files.iter().all(|file| file.starts_with("out/WRONG/")), "{files:?}");
    let is_ours = |file: &String| !file.starts_with("out/") && !file.starts_with("mailrun.db");
    assert_eq!(place.files("").into_iter().filter(is_ours).collect::<Vec<_>>(), before);
}

#[test]
fn a_cell_of_ten_megabytes_is_refused_by_its_line_and_column() {
    let place = Place::with_copy_of("fixtures/wrong/names-as-paths");
    let huge = "x".repeat(10_000_000);
    place.write("contacts.csv", format!("no,name,city\nCT1,Ann,{huge}\n"));
    let ended = place.run(&["check", "segment.toml"]).expect_code(1);
    assert!(ended.stderr.contains("contacts.csv, line 2, column `city`"), "{}", ended.stderr);
}

#[test]
fn a_value_that_looks_like_a_tag_is_never_evaluated() {
    let shown = spring(&["explain", "fixtures/spring-appeal/segment.toml", "--contact", "CT000471"]);
    assert!(shown.stdout.contains("{{contact.no}}"), "{}", shown.stdout);
    assert!(!shown.stdout.contains("Ms CT000471"), "{}", shown.stdout);
}

/// Runs over the fixture where it stands, since its templates lie beside it.
fn spring(arguments: &[&str]) -> Ended {
    let place = Place::new();
    let root = env!("CARGO_MANIFEST_DIR");
    let arguments: Vec<String> = arguments
        .iter()
        .map(|word| if word.starts_with("fixtures/") { format!("{root}/{word}") } else { (*word).to_owned() })
        .collect();
    place.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).expect_code(0)
}

#[test]
fn files_that_are_no_database_of_ours_are_refused() {
    let place = Place::new();
    place
        .write("notes.txt", "these are notes, and long enough to be looked at as a database file by anybody");
    let ended = place.run(&["log", "list", "--db", "notes.txt"]).expect_code(1);
    assert!(ended.stderr.contains("`notes.txt` is not a mailrun database"), "{}", ended.stderr);

    let foreign = rusqlite::Connection::open(place.path("other.db")).expect("a database can be made");
    foreign.execute_batch("CREATE TABLE t (x)").expect("a table can be made");
    let ended = place.run(&["log", "list", "--db", "other.db"]).expect_code(1);
    assert!(ended.stderr.contains("`other.db` is not a mailrun database"), "{}", ended.stderr);
}

#[test]
fn a_database_of_a_newer_program_is_refused() {
    let place = Place::with_copy_of("templates/init");
    let _ = place.run(&["run", "segment.toml"]).expect_code(0);
    let database = rusqlite::Connection::open(place.path("mailrun.db")).expect("the database is there");
    database.execute_batch("PRAGMA user_version = 99").expect("the version can be set");
    let ended = place.run(&["log", "list"]).expect_code(1);
    assert!(ended.stderr.contains("the database has schema version 99"), "{}", ended.stderr);
    assert!(ended.stderr.contains("help: use the newer program"), "{}", ended.stderr);
}
