//! Holds what each command prints, where, and with which exit code.

mod support;

use std::fs;

use serde_json::Value;

use support::place::Place;

/// A place with the sample of `mailrun init`, which is run.
fn place_after_a_run() -> Place {
    let place = Place::with_copy_of("templates/init");
    let _ = place.run(&["run", "segment.toml"]).expect_code(0);
    place
}

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn a_new_user_gets_from_init_to_letters_in_four_commands() {
    let place = Place::new();
    let _ = place.run(&["init", "."]).expect_code(0);
    assert_eq!(place.files(""), ["contacts.csv", "letter.docx", "mailrun.toml", "segment.toml"]);
    let _ = place.run(&["check", "segment.toml"]).expect_code(0);
    let _ = place.run(&["run", "segment.toml", "--dry-run"]).expect_code(0);
    assert_eq!(place.files("").len(), 4, "checking leaves no trace");
    let _ = place.run(&["preview", "segment.toml", "--contact", "1003"]).expect_code(0);
    assert_eq!(place.files("out").len(), 1);
    let ended = place.run(&["run", "segment.toml"]).expect_code(0);
    assert!(ended.stderr.contains("6 lines = 6 written"), "{}", ended.stderr);
    assert_eq!(ended.stdout, "");
}

#[test]
fn init_overwrites_nothing() {
    let place = Place::with_copy_of("templates/init");
    place.write("letter.docx", "mine");
    let ended = place.run(&["init", "."]).expect_code(1);
    assert!(ended.stderr.contains("is there already\n  help: name a new folder"), "{}", ended.stderr);
    assert_eq!(place.read_text("letter.docx"), "mine");
}

#[test]
fn explain_tells_the_rule_behind_each_value() {
    let place = Place::with_copy_of("templates/init");
    let ended = place.run(&["explain", "segment.toml", "--contact", "1003", "--json"]).expect_code(0);
    let rows = ended.json_lines();
    let names: Vec<&str> = rows.iter().filter_map(|row| row["name"].as_str()).collect();
    for name in ["interaction_template", "language", "document", "subject", "correspondence_type", "comment"]
    {
        assert!(names.contains(&name), "{name} is missing: {names:?}");
    }
    assert!(rows.iter().all(|row| row["rule"].as_str().is_some_and(|rule| !rule.is_empty())), "{rows:?}");
    let comment = rows.iter().find(|row| row["name"] == "comment").expect("the comment");
    assert_eq!(comment["value"], "The oak table is ready, by the way.");
    assert_eq!(place.files("").len(), 4, "explaining leaves no trace");
    let unknown = place.run(&["explain", "segment.toml", "--contact", "nobody"]).expect_code(1);
    assert!(unknown.stderr.contains("contact `nobody` has no line"), "{}", unknown.stderr);
}

#[test]
fn reports_and_lists_have_their_promised_fields() {
    const REPORT: [&str; 13] = [
        "run",
        "segment",
        "lines",
        "planned",
        "accepted",
        "written",
        "rejected",
        "failed",
        "deferred",
        "in_doubt",
        "suppressed",
        "log_only",
        "seconds",
    ];
    let place = Place::with_copy_of("templates/init");
    let report = place.run(&["run", "segment.toml", "--json"]).expect_code(0).report();
    assert_eq!(keys(&report), REPORT);
    let segment = report["segment"].as_str().expect("a number").to_owned();
    let status = place.run(&["status", &segment, "--json"]).expect_code(0).report();
    assert_eq!(keys(&status), REPORT);
    assert_eq!(status["written"], 6);
    let entries = place.run(&["log", "list", "--json"]).expect_code(0).json_lines();
    assert_eq!(entries.len(), 6);
    for entry in entries {
        let found = keys(&entry);
        for key in [
            "entry",
            "run",
            "segment",
            "line",
            "contact",
            "correspondence_type",
            "state",
            "reason",
            "message_id",
        ] {
            assert!(found.contains(&key), "{key} is missing: {found:?}");
        }
    }
}

#[test]
fn masters_are_listed_and_shown() {
    let place = place_after_a_run();
    let contacts = place.run(&["contact", "list", "--json"]).expect_code(0).json_lines();
    assert_eq!(contacts.len(), 6);
    let contact = place.run(&["contact", "show", "1003"]).expect_code(0);
    assert!(contact.stdout.contains("Bäckerei Groß & Söhne"), "{}", contact.stdout);
    let _ = place.run(&["contact", "show", "nobody"]).expect_code(1);
    let templates = place.run(&["template", "list"]).expect_code(0);
    assert!(templates.stdout.contains("INVITE  Invitation to the open day  en"), "{}", templates.stdout);
    let _ = place.run(&["template", "show", "INVITE", "--json"]).expect_code(0);
    let _ = place.run(&["template", "show", "NONE"]).expect_code(1);
    let by_code = place.run(&["template", "fields", "INVITE", "--json"]).expect_code(0).json_lines();
    let by_file = place.run(&["template", "fields", "letter.docx", "--json"]).expect_code(0).json_lines();
    assert!(!by_code.is_empty());
    assert_eq!(by_code.len(), by_file.len());
    assert_eq!(place.run(&["logged", "list", "--json"]).expect_code(0).json_lines().len(), 1);
    assert_eq!(place.run(&["segment", "list", "--json"]).expect_code(0).json_lines().len(), 0);
}

#[test]
fn an_import_is_all_or_nothing() {
    let place = Place::new();
    place.write("good.csv", "no,E-Mail\nA,a@example.com\nB,b@example.com\n");
    place.write("bad.csv", "no,name\nC,Carl\nC,Cleo\n");
    let _ = place.run(&["contact", "import", "bad.csv"]).expect_code(1);
    assert_eq!(place.files(""), ["bad.csv", "good.csv"], "no database is left behind");
    let _ = place.run(&["contact", "import", "good.csv", "--map", "E-Mail=email"]).expect_code(0);
    let _ = place.run(&["contact", "import", "bad.csv"]).expect_code(1);
    let contacts = place.run(&["contact", "list", "--json"]).expect_code(0).json_lines();
    let emails: Vec<&Value> = contacts.iter().map(|contact| &contact["email"]).collect();
    assert_eq!(emails, ["a@example.com", "b@example.com"]);
}

#[test]
fn words_that_are_off_end_with_two() {
    let place = Place::new();
    for arguments in [&["run"][..], &["explain", "x.toml"], &["walk"]] {
        let ended = place.run(arguments).expect_code(2);
        assert!(!ended.stderr.is_empty());
    }
    assert_eq!(place.files(""), Vec::<String>::new());
}

#[test]
fn a_segment_that_is_not_there_makes_no_database() {
    let place = Place::new();
    let ended = place.run(&["run", "SM00009"]).expect_code(1);
    assert!(ended.stderr.starts_with("error: there is no segment `SM00009`\n"), "{}", ended.stderr);
    let _ = place.run(&["status"]).expect_code(0);
    assert_eq!(place.files(""), Vec::<String>::new());
}

#[test]
fn a_reader_that_has_gone_is_no_failure() {
    let place = Place::new();
    let rows: String = (0..3_000).map(|number| format!("{number},Contact {number}\n")).collect();
    place.write("many.csv", format!("no,name\n{rows}"));
    let _ = place.run(&["contact", "import", "many.csv"]).expect_code(0);
    // More than a pipe holds, so that the program must see that nobody reads on.
    for words in ["contact list", "contact list --json"] {
        let script = format!("set -o pipefail; \"$0\" {words} | head -1 >/dev/null");
        let ended = place.run_under(&["bash", "-c", &script], &[]).expect_code(0);
        assert_eq!(ended.stderr, "", "{words}");
    }
}

#[test]
fn output_that_cannot_be_written_is_a_failure() {
    let place = place_after_a_run();
    for arguments in
        [&["log", "list"][..], &["log", "list", "--json"], &["log", "document", "3"], &["stats", "template"]]
    {
        let full = fs::File::options().write(true).open("/dev/full").expect("Linux has it");
        let output = place.command(arguments).stdout(full).output().expect("the program runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(4), "{arguments:?}: {said}");
        assert!(said.contains("the output cannot be written: No space left on device"), "{said}");
    }
}

#[test]
fn merge_does_not_write_over_what_it_merges() {
    let place = Place::with_copy_of("templates/init");
    place.write("list.csv", "no\n1\n");
    for input in ["letter.docx", "list.csv"] {
        let before = place.read(input);
        let ended = place.run(&["merge", "letter.docx", "list.csv", "--combined", &format!("./{input}")]);
        assert_eq!((ended.code, place.read(input)), (Some(1), before), "{}", ended.stderr);
    }
}

#[test]
fn merge_writes_one_letter_a_record_or_nothing() {
    let place = Place::new();
    let letter = support::docx::Docx::new(&support::docx::p(&support::docx::t("Dear {{name}}")));
    place.write("letter.docx", letter.bytes());
    place.write("people.csv", "no,name\n7,Ann\n8,Ben\n");
    let _ = place.run(&["merge", "letter.docx", "people.csv"]).expect_code(0);
    assert_eq!(place.files("out"), ["out/000001.docx", "out/000002.docx"]);
    let document = support::docx::read(&place.read("out/000002.docx"), "word/document.xml");
    assert!(document.expect("a main part").contains("Ben"));
    let named = ["merge", "letter.docx", "people.csv", "--out", "named", "--name", "{{no}}"];
    let _ = place.run(&named).expect_code(0);
    assert_eq!(place.files("named"), ["named/7.docx", "named/8.docx"]);
    let fields = place.run(&["merge", "letter.docx", "--fields", "--json"]).expect_code(0).json_lines();
    assert_eq!(fields.iter().map(|field| &field["name"]).collect::<Vec<_>>(), ["name"]);
    place.write("nameless.csv", "no,title\n7,Dr\n");
    let ended = place.run(&["merge", "letter.docx", "nameless.csv", "--out", "none"]).expect_code(1);
    assert!(ended.stderr.contains("tag `name`"), "{}", ended.stderr);
    assert!(ended.stderr.contains("help: the table has the columns `no`, `title`"), "{}", ended.stderr);
    assert_eq!(place.files("none"), Vec::<String>::new());
    assert!(!place.path("none").exists());
}

#[test]
fn merge_takes_no_option_that_means_nothing() {
    let place = Place::new();
    let letter = support::docx::Docx::new(&support::docx::p(&support::docx::t("Dear {{name}}")));
    place.write("letter.docx", letter.bytes());
    place.write("people.csv", "name\nAnn\n");
    let before = place.files("");
    for (options, expected) in [
        (["--locale", "klingon"], "`klingon` is no language, and no language of a country"),
        (["--locale", "de-CH-?"], "`de-CH-?` is no language, and no language of a country"),
        (
            ["--combined", "all.pdf"],
            "the combined document is a Word document, but `all.pdf` is no name of one",
        ),
    ] {
        let ended = place.run(&[&["merge", "letter.docx", "people.csv"], options.as_slice()].concat());
        let ended = ended.expect_code(1);
        assert!(
            ended.stderr.contains(&format!("error: {expected}\n  --> {}\n  help: ", options[0])),
            "{}",
            ended.stderr
        );
        assert_eq!(place.files(""), before);
    }
    for locale in ["de_CH", "fr", "zh-Hant-TW"] {
        let _ = place.run(&["merge", "letter.docx", "people.csv", "--locale", locale]).expect_code(0);
    }
}

#[test]
fn a_column_is_a_name_by_its_header_whatever_field_it_fills() {
    let place = Place::with_copy_of("templates/init");
    let contacts = place.read_text("contacts.csv").replacen("first_name", "Vorname", 1);
    place.write("contacts.csv", contacts);
    let segment = place.read_text("segment.toml").replacen(
        "map = { \"Company\" = \"company_name\" }",
        "map = { \"Company\" = \"company_name\", \"Vorname\" = \"first_name\" }",
        1,
    );
    let segment = segment.replace("Come and see our workshop", "{{Vorname}}, {{contact.first_name}}: come");
    place.write("segment.toml", segment + "\n[select]\nadd = [\"\\\"Vorname\\\" = 'Ada'\"]\n");
    let shown = place.run(&["explain", "segment.toml", "--contact", "1001"]).expect_code(0);
    assert!(shown.stdout.contains("Ada, Ada: come"), "{}", shown.stdout);
    let lines = place.run(&["check", "segment.toml", "--json"]).expect_code(0).report();
    // The one that the condition selects, and the one that has a line of its own.
    assert_eq!(lines["lines"], 2);
}

#[test]
fn verbose_commands_end_with_a_table_of_where_the_time_went() {
    let place = Place::with_copy_of("templates/init");
    let check = |arguments: &[&str], expected: &[&str]| {
        let ended = place.run(arguments).expect_code(0);
        let table: Vec<Vec<&str>> = ended
            .stderr
            .lines()
            .map(|line| line.split_whitespace().collect())
            .skip_while(|words: &Vec<&str>| !words.starts_with(&["load"]))
            .collect();
        let stages: Vec<&str> = table.iter().map(|words| words[0]).collect();
        assert_eq!(stages, expected, "{arguments:?}: {}", ended.stderr);
        for words in &table {
            let [_, seconds, "s", share, "%"] = words.as_slice() else { panic!("{words:?} is no row") };
            assert!(
                seconds.parse::<f64>().is_ok() && share.parse::<u8>().is_ok_and(|it| it <= 100),
                "{words:?}"
            );
        }
        assert_eq!(ended.stdout, "", "the table is talk, not data");
    };
    check(&["check", "segment.toml", "-v"], &["load", "resolve", "check", "journal", "all"]);
    let all = ["load", "resolve", "check", "merge", "write", "journal", "log", "all"];
    check(&["run", "segment.toml", "-v"], &all);
    let other = Place::with_copy_of("templates/init");
    let silent = other.run(&["run", "segment.toml"]).expect_code(0);
    assert!(!silent.stderr.contains('%'), "{}", silent.stderr);
}

#[test]
fn completions_are_what_each_shell_reads() {
    let place = Place::new();
    for (shell, word) in [("bash", "complete"), ("zsh", "#compdef mailrun"), ("fish", "complete -c mailrun")]
    {
        let script = place.run(&["completions", shell]).expect_code(0).stdout;
        assert!(script.contains(word) && script.contains("schedule"), "{shell}: {script}");
        let path = place.write(&format!("completions.{shell}"), script);
        let output = std::process::Command::new(shell).arg("-n").arg(&path).output();
        let output = output.unwrap_or_else(|error| panic!("{shell} is installed by tests/run: {error}"));
        assert!(output.status.success(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn every_command_has_its_manual_page() {
    let place = Place::new();
    let ended = place.run(&["man", "--all", "--out", "pages"]).expect_code(0);
    let pages = place.files("pages");
    assert!(ended.stderr.starts_with(&format!("{} pages written to pages", pages.len())), "{}", ended.stderr);
    for name in ["mailrun.1", "mailrun-run.1", "mailrun-segment-add.1", "mailrun-schedule-due.1"] {
        let page = place.read_text(&format!("pages/{name}"));
        assert!(page.contains(".TH") && page.contains(".SH SYNOPSIS"), "{name}: {page}");
    }
    let page = place.run(&["man", "segment", "add"]).expect_code(0).stdout;
    assert_eq!(page, place.read_text("pages/mailrun-segment-add.1"));
    let _ = place.run(&["man"]).expect_code(0);
    assert!(place.run(&["man", "segment", "ad"]).expect_code(1).stderr.contains("no command `segment ad`"));
    assert!(place.run(&["man", "--all"]).expect_code(2).stderr.contains("--out"));
}
