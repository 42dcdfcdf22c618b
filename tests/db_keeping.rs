//! Holds what the database promises over years: backups while others write, migration from every older schema, checks
//! that find what does not add up, and an end of what is old that keeps the accounting.

mod support;

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use mailrun::run::{self, Office, SecretError, SegmentRef, Stages};
use mailrun::setup::Setup;
use mailrun::store::Database;
use rusqlite::Connection;
use serde_json::{Value, json};

use support::place::{NOW, Place};

/// The released steps of the schema, as they were and stay.
const SCHEMA: [&str; 11] = [
    include_str!("../src/store/schema/1_run.sql"),
    include_str!("../src/store/schema/2_suppression.sql"),
    include_str!("../src/store/schema/3_worksheet.sql"),
    include_str!("../src/store/schema/4_attempt.sql"),
    include_str!("../src/store/schema/5_bounce.sql"),
    include_str!("../src/store/schema/6_log.sql"),
    include_str!("../src/store/schema/7_schedule.sql"),
    include_str!("../src/store/schema/8_unwell.sql"),
    include_str!("../src/store/schema/9_hook.sql"),
    include_str!("../src/store/schema/10_seed.sql"),
    include_str!("../src/store/schema/11_enclosure.sql"),
];

/// The step that sums up what was logged before it; what is logged later is summed up when it is archived.
const SUMMING_STEP: usize = 6;

/// A logged segment of two entries, as the first schema has it.
const LOGGED: &str = "
INSERT INTO run (no, segment, options, is_logged) VALUES (1, 'SM00001', '{}', 1);
INSERT INTO logged_segment (segment, run, description, logged_at, header)
  VALUES ('SM00001', 1, 'Spring', '2020-03-01T09:00:00+01:00[Europe/Zurich]', '{\"no\":\"SM00001\"}');
INSERT INTO rule_set VALUES (1, '{}');
INSERT INTO interaction_log_entry (run, segment, line_no, contact, contact_name, company_no, state, reason,
  correspondence_type, template, interaction_group, description, date, language, subject, salesperson, campaign,
  unit_cost, unit_duration, information_flow, initiated_by, campaign_target, campaign_response, evaluation,
  address_block, email, salutation_formal, salutation_informal, comment, rule_set, letter, file)
SELECT 1, 'SM00001', n * 10000, 'C' || n, 'Ann', '', 'written', '', 'hard-copy', 'T', 'LETTERS', 'Spring', '2020-03-01', 'en',
  'Spring', 'JR', 'SPRING', '1.1', NULL, 'outbound', 'us', 1, 0, '', 'Ann, Damm 1', '', '', '', '', 1, '{}', n || ' Ann.docx'
FROM (SELECT 1 AS n UNION SELECT 2);
";

fn old_database(place: &Place, version: usize) {
    let connection = Connection::open(place.path("mailrun.db")).expect("a database can be made");
    for step in SCHEMA.iter().take(version) {
        connection.execute_batch(step).expect("a released step works");
    }
    connection.execute_batch(LOGGED).expect("the first schema takes a log");
    let marks = format!("PRAGMA application_id = {}; PRAGMA user_version = {version};", 0x4D4C_524E);
    connection.execute_batch(&marks).expect("a database can be marked");
}

fn place_with_messages(n_contacts: usize) -> Place {
    let place = Place::with_copy_of("templates/init");
    let mut contacts = "no,Company,first_name,surname,email,language\n".to_owned();
    for number in 0..n_contacts {
        contacts.push_str(&format!("C{number},,Ann,Number {number},c{number}@example.com,en\n"));
    }
    place.write("contacts.csv", contacts);
    let segment = place.read_text("segment.toml");
    let until_lines = segment.split("[[line]]").next().expect("a split has a first part");
    let header = "[segment]\nno = \"SM00001\"\ncorrespondence_type = \"email\"\n\
                  ignore_contact_correspondence_type = true\n";
    place.write("segment.toml", until_lines.replace("[segment]\n", header));
    place
}

/// A row of what each later schema brought, and how it is found again.
const ROWS: [(usize, &str, &str); 9] = [
    (
        2,
        "INSERT INTO suppression VALUES ('ann@example.com', 'complaint', '2020-03-02T08:00:00Z', 1)",
        "suppression WHERE address = 'ann@example.com' AND reason = 'complaint' AND entry = 1",
    ),
    (
        3,
        "INSERT INTO master VALUES ('campaign', 'SPRING', '{\"description\":\"Spring\"}')",
        "master WHERE kind = 'campaign' AND code = 'SPRING' AND declaration LIKE '%Spring%'",
    ),
    (
        3,
        "INSERT INTO saved_criteria VALUES ('ALL', 'All', '2020-03-02T08:00:00Z', '[]')",
        "saved_criteria WHERE code = 'ALL' AND description = 'All'",
    ),
    (
        4,
        "INSERT INTO attempt (entry, number, began_at, server, domain, state, reply_text)
         VALUES (1, 1, 5, 'mx:25', 'example.com', 'accepted', 'ok');
         UPDATE interaction_log_entry SET n_attempts = 1 WHERE entry = 1",
        "attempt WHERE entry = 1 AND number = 1 AND server = 'mx:25' AND reply_text = 'ok'",
    ),
    (
        5,
        "INSERT INTO bounce VALUES ('r', 1, 1, 'failed', '5.1.1', 'ann@example.com', 'unknown', '2020-03-02T08:00:00Z')",
        "bounce WHERE report = 'r' AND entry = 1 AND diagnostic = 'unknown'",
    ),
    (
        6,
        "INSERT INTO log_note (segment, entry, at, who, kind, text)
         VALUES ('SM00001', 2, '2020-03-02T08:00:00Z', 'Jana', 'comment', 'called')",
        "log_note WHERE entry = 2 AND who = 'Jana' AND text = 'called'",
    ),
    (
        7,
        "INSERT INTO schedule VALUES ('daily', '{}', '2020-03-02T08:00:00Z', '2020-03-02T08:00:00Z')",
        "schedule WHERE name = 'daily' AND decided_until = '2020-03-02T08:00:00Z'",
    ),
    (
        7,
        "INSERT INTO due_time (schedule, due, state, reason, run) VALUES ('daily', '2020-03-02T08:00:00Z', 'done', '', 1)",
        "due_time WHERE schedule = 'daily' AND state = 'done' AND run = 1",
    ),
    (
        10,
        "INSERT INTO seed_attempt (run, address, number, began_at, server, domain, state)
         VALUES (1, 'seed@example.com', 1, 5, 'mx:25', 'example.com', 'accepted')",
        "seed_attempt WHERE run = 1 AND address = 'seed@example.com' AND state = 'accepted'",
    ),
];

fn rows_of(version: usize) -> impl Iterator<Item = &'static (usize, &'static str, &'static str)> {
    ROWS.iter().filter(move |(since, ..)| *since <= version)
}

#[test]
fn every_older_schema_becomes_the_newest_one_and_loses_nothing() {
    let mut first = Vec::new();
    for version in 1..=SCHEMA.len() {
        let place = Place::new();
        old_database(&place, version);
        let connection = Connection::open(place.path("mailrun.db")).expect("the database opens");
        for (_, insert, _) in rows_of(version) {
            connection.execute_batch(insert).unwrap_or_else(|error| panic!("{version}: {error}: {insert}"));
        }
        drop(connection);
        let migrated = place.run(&["db", "migrate"]).expect_code(0);
        let told = if version == SCHEMA.len() {
            "has the newest schema"
        } else {
            "the database went from schema version"
        };
        assert!(migrated.stderr.contains(told), "{version}: {}", migrated.stderr);
        let listed = place.run(&["log", "list", "--json"]).expect_code(0).json_lines();
        assert_eq!((listed.len(), &listed[1]["contact"]), (2, &json!("C2")), "{version}");
        if version == 1 {
            first.clone_from(&listed);
        }
        assert_eq!(listed, first, "{version}");
        let connection = Connection::open(place.path("mailrun.db")).expect("the database opens");
        for (_, _, found) in rows_of(version) {
            let count = format!("SELECT count(*) FROM {found}");
            let n_rows: i64 = connection.query_row(&count, [], |row| row.get(0)).expect("it can be counted");
            assert_eq!(n_rows, 1, "{version}: {found}");
        }
        drop(connection);
        if version < SUMMING_STEP {
            let checked = place.run(&["db", "check"]).expect_code(0);
            assert!(checked.stderr.contains("the database is sound"), "{version}: {}", checked.stderr);
            let stats = place.run(&["stats", "campaign", "--json"]).expect_code(0).report();
            assert_eq!((&stats["entries"], &stats["cost"]), (&json!(2), &json!(2.2)), "{version}");
        }
    }
}

#[test]
fn a_backup_while_another_process_writes_has_what_was_committed() {
    let place = place_with_messages(3);
    let _ = place.run(&["run", "segment.toml"]).expect_code(0);
    let writer = Connection::open(place.path("mailrun.db")).expect("the database opens");
    writer
        .execute_batch(
            "BEGIN IMMEDIATE; DELETE FROM suppression; UPDATE interaction_log_entry SET state = 'failed';",
        )
        .expect("the writer writes");
    let _ = place.run(&["db", "backup", "copy.db"]).expect_code(0);
    writer.execute_batch("ROLLBACK").expect("the writer gives up");
    drop(writer);
    let log = |db: &str| place.run(&["log", "list", "--json", "--db", db]).expect_code(0).stdout;
    assert_eq!(log("copy.db"), log("mailrun.db"));
    let checked = place.run(&["db", "check", "--db", "copy.db"]).expect_code(0);
    assert!(checked.stderr.contains("the database is sound"), "{}", checked.stderr);
    let again = place.run(&["db", "backup", "copy.db"]).expect_code(1);
    assert!(again.stderr.contains("`copy.db` is there already"), "{}", again.stderr);
    assert!(!place.files("").iter().any(|file| file.contains("mailrun-tmp")));
}

/// Everything below a folder, with its content.
fn contents(place: &Place, folder: &str) -> Vec<(String, Vec<u8>)> {
    place.files(folder).into_iter().map(|file| (file.clone(), place.read(&file))).collect()
}

#[test]
fn a_run_writes_into_no_folder_of_a_run_that_its_database_does_not_know() {
    let place = Place::with_copy_of("templates/init");
    let _ = place.run(&["contact", "import", "contacts.csv"]).expect_code(0);
    let _ = place.run(&["db", "backup", "copy.db"]).expect_code(0);
    let _ = place.run(&["run", "segment.toml"]).expect_code(0);
    let written = contents(&place, "out");

    let restored = |words: &[&str]| place.run(&[words, &["--db", "copy.db"]].concat());
    let expected = "error: segment SM00001 has a folder of another run already, which began on 2026-03-01 at 09:00 CET\n  \
                    --> [here]/out/SM00001\n  help: the database does not know that run";
    for words in
        [&["check", "segment.toml"][..], &["run", "segment.toml", "--dry-run"], &["run", "segment.toml"]]
    {
        let ended = restored(words).expect_code(1);
        assert!(ended.stderr.starts_with(expected), "{}", ended.stderr);
        assert_eq!(contents(&place, "out"), written);
    }
    let log = restored(&["log", "list", "--json"]).expect_code(0);
    assert_eq!(log.stdout, "", "nothing has happened");

    // Each way out that the help names.
    let _ = restored(&["run", "segment.toml", "--out", "elsewhere"]).expect_code(0);
    let setup = place.read_text("mailrun.toml");
    place.write("mailrun.toml", format!("{setup}\n[number_series]\nsegment = \"SM00007\"\n"));
    let raised = restored(&["run", "segment.toml", "--json"]).expect_code(0).report();
    assert_eq!(raised["segment"], "SM00007");
    let next = restored(&["segment", "new"]).expect_code(0);
    assert_eq!(next.stdout, "SM00008\n");
    assert_eq!(contents(&place, "out/SM00001"), written);

    // A run that goes on, and one that delivers again, know their folder.
    let _ = place.run(&["log", "resend", "1"]).expect_code(0);
    std::fs::rename(place.path("out/SM00001"), place.path("out/moved")).expect("a folder can be moved");
    let _ = place.run(&["log", "resend", "1"]).expect_code(0);
    assert_eq!(place.files("out/SM00001/letters").len(), 1);
    // The folder of the other database's run is not this one's, whatever its name.
    std::fs::remove_dir_all(place.path("out/SM00001")).expect("a folder can be removed");
    place.copy_here("out/SM00007", "out/SM00001");
    let foreign = contents(&place, "out/SM00001");
    let ended = place.run(&["log", "resend", "1"]).expect_code(4);
    assert!(ended.stderr.contains("is the folder of another run"), "{}", ended.stderr);
    assert_eq!(contents(&place, "out/SM00001"), foreign);
    std::fs::remove_dir_all(place.path("out/SM00001")).expect("a folder can be removed");
    let resumed = place.run(&["resume", "SM00001", "--json"]).expect_code(0).report();
    assert_eq!((&resumed["written"], place.files("out/SM00001/letters").len()), (&json!(6), 1));
}

#[test]
fn a_folder_in_which_nothing_was_written_is_free_and_one_with_letters_is_not() {
    for (file, is_free) in [
        ("letters/.000010 1001.docx.mailrun-tmp", true),
        (".mailrun-run.mailrun-tmp", true),
        (".mailrun-run", true), // a power loss left it empty
        ("notes.txt", true),
        ("letters/000010 1001.docx", false),
        ("outbox/000010 1001.eml", false),
        ("manifest.csv", false),
    ] {
        let place = Place::with_copy_of("templates/init");
        place.write(&format!("out/SM00001/{file}"), "");
        std::fs::create_dir_all(place.path("out/SM00001/letters")).expect("a folder can be made");
        let ended = place.run(&["run", "segment.toml"]).expect_code(if is_free { 0 } else { 1 });
        let expected = format!("--> [here]/out/SM00001/{file}\n");
        assert_eq!(ended.stderr.contains(&expected), !is_free, "{file}: {}", ended.stderr);
    }
}

#[test]
fn a_restored_backup_of_a_run_that_went_on_sends_nothing_twice() {
    let place = place_with_messages(600);
    let setup = Setup::read(&place.path("mailrun.toml")).expect("the sample's set-up is sound");
    let mut database = Database::open(&place.path("mailrun.db")).expect("the database opens");
    let (stop, stages) = (AtomicBool::new(true), Stages::default());
    let mut office = Office {
        setup: &setup,
        store: &mut database,
        now: NOW.parse().expect("the clock of the tests is a time"),
        out: place.path("out"),
        stop: &stop,
        stages: &stages,
        password: &|_| Err(SecretError { reason: "nobody logs in here".to_owned() }),
        agree: &|_| true,
        wait: Duration::ZERO,
        server: None,
    };
    let asked = SegmentRef::File(place.path("segment.toml"));
    let report = run::run(&mut office, &asked, &mut |_| {}).expect("a run that is stopped is no failure");
    let n_planned = report.counts.planned;
    assert!(!report.is_logged && n_planned > 0, "{report:?}");
    // The run is not ended, and its database is open here, when the backup is made.
    let _ = place.run(&["db", "backup", "copy.db"]).expect_code(0);
    drop(database);
    let listed = ["log", "list", "--state", "in-doubt", "--json", "--db", "copy.db"];
    let planned = place.run(&listed).expect_code(0).json_lines();
    assert_eq!(planned.len() as u64, n_planned);
    let ended = place.run(&["resume", "--json"]).expect_code(0).report();
    assert_eq!(ended["written"], json!(600));
    let restored =
        place.run(&["resume", "--json", "--db", "copy.db", "--out", "again"]).expect_code(3).report();
    assert_eq!((&restored["in_doubt"], &restored["written"]), (&json!(n_planned), &json!(600 - n_planned)));
    let again = place.files("again");
    for entry in planned {
        let contact = entry["contact"].as_str().expect("a contact");
        let is_its =
            |file: &&String| file.contains(&format!(" {contact} ")) || file.contains(&format!(" {contact}."));
        assert_eq!(again.iter().find(is_its), None, "{contact}");
    }
}

#[test]
fn a_check_finds_sums_and_attempts_that_do_not_add_up() {
    let place = place_with_messages(2);
    let _ = place.run(&["run", "segment.toml"]).expect_code(0);
    let connection = Connection::open(place.path("mailrun.db")).expect("the database opens");
    connection
        .execute_batch("UPDATE interaction_log_entry SET state = 'failed', n_attempts = 7 WHERE entry = 1")
        .expect("a row can be changed");
    drop(connection);
    let findings = place.run(&["db", "check", "--json"]).expect_code(1).report()["findings"].clone();
    let ids: Vec<&Value> =
        findings.as_array().expect("a list").iter().map(|finding| &finding["id"]).collect();
    assert_eq!(ids, ["sums", "sums", "attempts"], "{findings}");
}

#[test]
fn what_is_old_goes_step_by_step_and_the_accounting_stays() {
    let place = Place::new();
    old_database(&place, 1);
    let retain = |words: &[&str]| {
        place.run(&[&["db", "retain", "--json"][..], words].concat()).expect_code(0).report()
    };
    let stats = || {
        ["campaign", "template", "group", "salesperson"]
            .map(|by| place.run(&["stats", by, "--json"]).expect_code(0).json_lines())
    };
    let before = stats();
    let keys = before.each_ref().map(|rows| rows[0]["key"].clone());
    assert_eq!(keys, ["SPRING", "T", "LETTERS", "JR"]);
    place.write("mailrun.toml", "[retention]\nletters = \"2 years\"\n");
    let counted = json!({ "done": false, "before": { "letters": 2 }, "after": { "letters": 2 } });
    assert_eq!(retain(&[]), counted);
    assert_eq!(
        retain(&["--yes"]),
        json!({ "done": true, "before": { "letters": 2 }, "after": { "letters": 0 } })
    );
    let refused = place.run(&["log", "document", "1"]).expect_code(1);
    assert!(refused.stderr.contains("entry 1 has no letter"), "{}", refused.stderr);
    let _ = retain(&["--values", "3 years", "--yes"]);
    let entry = place.run(&["log", "list", "--json"]).expect_code(0).report();
    assert_eq!(
        (&entry["contact_name"], &entry["file"], &entry["state"]),
        (&json!(""), &json!(""), &json!("written"))
    );
    let _ = retain(&["--entries", "10 years", "--yes"]);
    assert_eq!(
        place.run(&["log", "list", "--json"]).expect_code(0).json_lines().len(),
        2,
        "they are younger"
    );
    let _ = retain(&["--entries", "5 years", "--yes"]);
    assert_eq!(place.run(&["log", "list", "--json"]).expect_code(0).json_lines().len(), 0);
    assert_eq!(stats(), before);
    let _ = place.run(&["db", "check"]).expect_code(0);
    let wrong = place.run(&["db", "retain", "--letters", "soon"]).expect_code(1);
    assert!(wrong.stderr.contains("`soon` is no length of time"), "{}", wrong.stderr);
}

/// How often a text is found in the files of the database.
fn n_found(place: &Place, sign: &str) -> usize {
    let names = place.files("").into_iter().filter(|name| name.starts_with("mailrun.db"));
    names.map(|name| memchr::memmem::find_iter(&place.read(&name), sign).count()).sum()
}

#[test]
fn personal_values_that_are_old_are_in_no_byte_of_the_database() {
    const SIGNS: [&str; 4] = ["Kind of you", "Very own subject", "kept for c0@", "c0@gone.example"];
    let mut place = place_with_messages(60);
    let segment = place.read_text("segment.toml");
    let line = "[[line]]\ncontact = \"C0\"\ncomment = \"Kind of you\"\nsubject = \"Very own subject\"\n";
    place.write("segment.toml", segment + line);
    let _ = place.run(&["run", "segment.toml"]).expect_code(0);
    let connection = Connection::open(place.path("mailrun.db")).expect("the database opens");
    connection
        .execute_batch(
            "INSERT INTO attempt (entry, number, began_at, server, domain, state, reply_text)
               VALUES (1, 1, 0, 'mx:25', 'gone.example', 'accepted', 'kept for c0@example.com');
             INSERT INTO bounce VALUES ('r', 1, 1, 'delayed', '4.4.1', 'c0@gone.example', 'c0@gone.example', '');",
        )
        .expect("the database takes rows");
    drop(connection);
    for sign in SIGNS {
        assert!(n_found(&place, sign) > 0, "`{sign}` is there before");
    }
    place.set_now("2030-03-01T09:00:00+01:00[Europe/Zurich]");
    let _ = place.run(&["db", "retain", "--values", "3 years", "--yes"]).expect_code(0);
    for sign in SIGNS {
        assert_eq!(n_found(&place, sign), 0, "`{sign}`");
    }
}

#[test]
fn retention_leaves_runs_that_are_open_alone() {
    let place = Place::new();
    old_database(&place, 1);
    let connection = Connection::open(place.path("mailrun.db")).expect("the database opens");
    connection.execute_batch("UPDATE run SET is_logged = 0").expect("a run can be opened again");
    drop(connection);
    let kept = place.run(&["db", "retain", "--json", "--letters", "1 day", "--entries", "1 day", "--yes"]);
    let none = json!({ "letters": 0, "entries": 0 });
    assert_eq!(kept.expect_code(0).report(), json!({ "done": true, "before": none, "after": none }));
}

#[test]
fn the_set_up_is_shown_with_where_each_value_comes_from_and_without_secrets() {
    let place = Place::new();
    place.write(
        "mailrun.toml",
        "[smtp]\nfrom = \"a@example.com\"\nurl = \"smtp://anna:c4n4ry@localhost\"\npassword = { env = \"SECRET\" }\n\n\
         [[salesperson]]\ncode = \"JR\"\nname = \"Jana\"\n\n[pdf]\nsoffice = \"/bin/sh\"\n",
    );
    let shown = place.run(&["config", "show", "--json", "--out", "letters"]).expect_code(0).json_lines();
    let of = |key: &str| {
        let held = shown.iter().find(|held| held["key"] == key).unwrap_or_else(|| panic!("{key}: {shown:?}"));
        (
            held["value"].as_str().expect("a text").to_owned(),
            held["from"].as_str().expect("a text").to_owned(),
        )
    };
    let pair = |value: &str, from: &str| (value.to_owned(), from.to_owned());
    assert_eq!(of("smtp.from"), pair("a@example.com", "mailrun.toml:2"));
    assert_eq!(of("smtp.url"), pair("smtp://anna:…@localhost", "mailrun.toml:3"));
    assert_eq!(of("smtp.password.env"), pair("SECRET", "mailrun.toml:4"));
    assert_eq!(of("salesperson[1].code"), pair("JR", "mailrun.toml:7"));
    assert_eq!(of("output.folder"), pair("letters", "--out"));
    assert_eq!(of("number_series.segment"), pair("SM00001", "default"));
    assert_eq!(of("db"), pair("mailrun.db", "default"));
    assert_eq!(of("pdf.soffice"), pair("/bin/sh", "mailrun.toml:11"));
    assert_eq!(of("pdf.standard"), pair("pdf", "default"));
    assert_eq!(of("print.sides"), pair("simplex", "default"));
}
