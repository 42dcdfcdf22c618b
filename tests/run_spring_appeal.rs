//! Holds the main job: the spring appeal runs as it ships, each line ends once, and the log gives every letter back.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use mail_parser::{MessageParser, MimeHeaders};
use serde_json::Value;
use sha2::{Digest, Sha256};

use support::place::Place;
use support::{office, python};

const SEGMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/spring-appeal/segment.toml");

/// The run that most tests look at.
static APPEAL: LazyLock<(Place, Value)> = LazyLock::new(|| {
    let place = Place::new();
    let report = place.run(&["run", SEGMENT, "--json"]).expect_code(0).report();
    (place, report)
});

#[test]
fn every_line_ends_in_one_state_and_the_sum_is_all_of_them() {
    let (_, report) = &*APPEAL;
    let count = |key: &str| report.get(key).and_then(Value::as_u64).expect("the report has every count");
    let counts = [
        "planned",
        "accepted",
        "written",
        "rejected",
        "failed",
        "deferred",
        "in_doubt",
        "suppressed",
        "log_only",
    ]
    .map(count);
    assert_eq!(counts, [0, 0, 487, 0, 0, 0, 0, 12, 1]);
    assert_eq!(count("lines"), counts.iter().sum::<u64>());
    assert_eq!(
        (report.get("run"), report.get("segment")),
        (Some(&Value::from(1)), Some(&Value::from("SM00001")))
    );
}

#[test]
fn letters_messages_manifest_and_log_agree() {
    let (place, _) = &*APPEAL;
    assert_eq!(place.files("out/SM00001/letters").len(), 362);
    assert_eq!(place.files("out/SM00001/outbox").len(), 125);
    let manifest = place.read("out/SM00001/manifest.csv");
    let mut rows = csv::Reader::from_reader(manifest.as_slice());
    let mut states: BTreeMap<String, usize> = BTreeMap::new();
    let mut digests: BTreeMap<String, String> = BTreeMap::new();
    for row in rows.deserialize::<BTreeMap<String, String>>() {
        let row = row.expect("a row of the manifest");
        *states.entry(row["state"].clone()).or_default() += 1;
        if !row["file"].is_empty() {
            let bytes = place.read(&format!("out/SM00001/{}", row["file"]));
            assert_eq!(row["sha256"], hex(&bytes), "{}", row["file"]);
            digests.insert(format!("out/SM00001/{}", row["file"]), row["sha256"].clone());
        }
    }
    let expected = [("log-only", 1), ("suppressed", 12), ("written", 487)];
    assert_eq!(states, expected.map(|(state, n)| (state.to_owned(), n)).into());
    let entries = place.run(&["log", "list", "--json"]).expect_code(0).json_lines();
    assert_eq!(entries.len(), 500);
    assert_eq!(digests.len(), 487);
    let there = ["letters", "outbox"].map(|folder| place.files(&format!("out/SM00001/{folder}"))).concat();
    assert_eq!(digests.keys().collect::<BTreeSet<_>>(), there.iter().collect());
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let of_entry = |entry: &Value| {
        let folder = if entry["correspondence_type"] == "email" { "outbox" } else { "letters" };
        (format!("out/SM00001/{folder}/{}", text(&entry["file"])), text(&entry["sha256"]))
    };
    let with_file = entries.iter().filter(|entry| entry["file"] != "");
    assert_eq!(with_file.map(of_entry).collect::<BTreeMap<_, _>>(), digests);
    let suppressed =
        place.run(&["log", "list", "--state", "suppressed", "--json"]).expect_code(0).json_lines();
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in &suppressed {
        *reasons.entry(entry["reason"].as_str().expect("a reason")).or_default() += 1;
    }
    let expected = [
        ("excluded-from-segments", 4),
        ("minor-without-parental-consent", 2),
        ("no-email", 1),
        ("no-mail", 2),
        ("privacy-blocked", 3),
    ];
    assert_eq!(reasons, expected.into());
}

#[test]
fn a_logged_segment_is_not_run_again() {
    let (place, _) = &*APPEAL;
    let ended = place.run(&["run", SEGMENT]).expect_code(1);
    assert!(ended.stderr.starts_with("error: segment SM00001 was logged by run 1\n"), "{}", ended.stderr);
    assert_eq!(place.run(&["logged", "list", "--json"]).expect_code(0).json_lines().len(), 1);
    assert_eq!(place.run(&["segment", "list", "--json"]).expect_code(0).json_lines().len(), 0);
}

#[test]
fn the_log_gives_letters_back_byte_for_byte() {
    let (place, _) = &*APPEAL;
    let entries = place.run(&["log", "list", "--json"]).expect_code(0).json_lines();
    let letters = entries.iter().filter(|entry| entry["correspondence_type"] == "hard-copy");
    let mut n_compared = 0;
    for entry in letters.filter(|entry| entry["state"] == "written").step_by(23) {
        let number = entry["entry"].to_string();
        let _ = place.run(&["log", "document", &number, "--out", "again"]).expect_code(0);
        let name = entry["file"].as_str().expect("a file name");
        let (written, again) = (format!("out/SM00001/letters/{name}"), format!("again/{name}"));
        assert_eq!(place.read(&written), place.read(&again), "{name}");
        n_compared += 1;
    }
    assert!(n_compared > 10);
}

#[test]
fn the_same_input_and_clock_give_the_same_bytes() {
    let (first, _) = &*APPEAL;
    let second = Place::new();
    let _ = second.run(&["run", SEGMENT]).expect_code(0);
    let files = first.files("out");
    assert_eq!(files, second.files("out"));
    for file in files {
        assert_eq!(first.read(&file), second.read(&file), "{file}");
    }
}

#[test]
fn messages_reach_their_contact_with_the_letter_attached() {
    let (place, _) = &*APPEAL;
    let mut n_attached = 0;
    for file in place.files("out/SM00001/outbox").iter().step_by(9) {
        let bytes = place.read(file);
        let message = MessageParser::default().parse(&bytes).expect("a message");
        let from = message.from().and_then(|from| from.first()).and_then(|from| from.address());
        assert_eq!(from, Some("post@nordlicht.example"), "{file}");
        assert!(message.to().and_then(|to| to.first()).is_some(), "{file}");
        assert!(message.subject().is_some_and(|subject| !subject.contains("{{")), "{file}");
        let id = message.message_id().expect("a Message-ID");
        assert!(id.ends_with("@nordlicht.example"), "{id}");
        let text = message.body_text(0).expect("a text alternative");
        assert!(text.len() > 300 && !text.contains("{{"), "{file}: {text}");
        assert!(!text.contains("«Contact") && !text.contains("«Company"), "{file}: {text}");
        let attached = message.attachment(0).and_then(|part| part.attachment_name().map(str::to_owned));
        n_attached += usize::from(attached.is_some_and(|name| name.ends_with(".docx")));
    }
    assert!(n_attached > 10, "only {n_attached} letters are attached");
}

#[test]
fn letters_are_what_word_and_libreoffice_take() {
    let (place, _) = &*APPEAL;
    let entries = place.run(&["log", "list", "--json"]).expect_code(0).json_lines();
    let mut by_template: BTreeMap<PathBuf, Vec<(PathBuf, String)>> = BTreeMap::new();
    for entry in entries.iter().filter(|e| e["correspondence_type"] == "hard-copy" && e["state"] == "written")
    {
        let language =
            entry["language"].as_str().expect("a language").get(..2).expect("two letters").to_owned();
        let template = match entry["template"].as_str() {
            Some("THANKS") => "thanks.en.docx".to_owned(),
            _ => format!("appeal.{language}.docx"),
        };
        let template = Path::new("templates/letters").join(template);
        let name = entry["contact_name"].as_str().expect("a name").to_owned();
        let file = place.path(&format!("out/SM00001/letters/{}", entry["file"].as_str().expect("a file")));
        let letters = by_template.entry(template).or_default();
        if letters.len() < 3 {
            letters.push((file, name));
        }
    }
    assert_eq!(by_template.len(), 4, "{:?}", by_template.keys());
    // Entries of lines with a document of their own merge another template; they are named by it in the log.
    for (template, letters) in by_template {
        let files: Vec<&PathBuf> = letters.iter().map(|(file, _)| file).collect();
        office::expect_no_new_errors(&template, &files);
        let pages = office::page_text(&files);
        for ((file, name), text) in letters.iter().zip(&pages) {
            // A long name is broken over lines; its first word stands there in any case.
            let first = name.split(' ').next().unwrap_or(name);
            assert!(text.contains(first), "{}: no {first} in {text}", file.display());
            assert!(
                !text.contains("«Contact") && !text.contains("{{") && !text.contains("MERGEFIELD"),
                "{text}"
            );
            assert!(text.contains("Nordlicht Energie AG · Hafenstrasse 1"), "{text}");
        }
        assert!(python::text(&files).iter().all(|letter| letter.body.len() > 5));
    }
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
