//! Holds what the log promises after logging: cancel flags that stand apart, notes that stay, deletion of what is
//! cancelled only, statistics that add up, exports that a spreadsheet may open.

mod support;

use serde_json::{Value, json};

use support::place::Place;

/// Four contacts, one of them excluded from segments; campaigns, costs, and two lines of another campaign than the
/// header's. Run once: segment SM00001.
fn office() -> Place {
    let place = Place::new();
    let letter =
        support::docx::Docx::new(&support::docx::p(&support::docx::t("{{contact.name}}: {{comment}}")));
    place.write("letter.docx", letter.bytes());
    place.write(
        "contacts.csv",
        "no,name,address,post_code,city,country,salesperson,exclude_from_segment\n\
         P1,Ann,Damm 1,8001,Zürich,CH,,\n\
         P2,=1+1,Damm 2,8001,Zürich,CH,,\n\
         P3,Cy,Damm 3,8001,Zürich,CH,,yes\n\
         P4,Di,Damm 4,8001,Zürich,CH,,\n",
    );
    place.write("segment.toml", segment_file("SM00001", ""));
    let report = place.run(&["run", "segment.toml", "--json"]).expect_code(0).report();
    assert_eq!((&report["written"], &report["suppressed"]), (&json!(3), &json!(1)));
    place
}

fn segment_file(no: &str, header: &str) -> String {
    format!(
        "[segment]\nno = \"{no}\"\ndescription = \"Spring\"\ndate = 2026-03-01\ninteraction_template = \"T\"\n\
         campaign = \"SPRING\"\ncampaign_target = true\n{header}\n\
         [contacts]\nfile = \"contacts.csv\"\n\
         [[campaign]]\ncode = \"SPRING\"\ndescription = \"Spring\"\n\
         [[campaign]]\ncode = \"VIP\"\ndescription = \"Friends\"\n\
         [[template]]\ncode = \"T\"\ngroup = \"LETTERS\"\ncorrespondence_type = \"hard-copy\"\ndefault_language = \"en\"\n\
         unit_cost = 1.1\nunit_duration = 5\n[template.languages]\nen = {{ document = \"letter.docx\" }}\n\
         [[line]]\ncontact = \"P4\"\ncampaign = \"VIP\"\ncampaign_response = true\n"
    )
}

fn log(place: &Place, words: &[&str]) -> Vec<Value> {
    place.run(&[&["log", "list", "--json"][..], words].concat()).expect_code(0).json_lines()
}

fn stats(place: &Place, words: &[&str]) -> Vec<Value> {
    place.run(&[&["stats", "--json"][..], words].concat()).expect_code(0).json_lines()
}

fn do_it(place: &Place, words: &[&str]) -> String {
    place.run(words).expect_code(0).stderr
}

#[test]
fn a_single_cancel_survives_cancelling_and_uncancelling_the_segment() {
    let place = office();
    do_it(&place, &["log", "cancel", "1", "--why", "came back", "--by", "Jana"]);
    do_it(&place, &["logged", "cancel", "SM00001", "--why", "wrong letterhead", "--by", "Jana"]);
    assert_eq!(log(&place, &["--cancelled"]).len(), 4);
    do_it(&place, &["logged", "uncancel", "SM00001", "--by", "Ueli"]);
    let cancelled = log(&place, &["--cancelled"]);
    assert_eq!(cancelled.len(), 1);
    assert_eq!((&cancelled[0]["entry"], &cancelled[0]["is_segment_cancelled"]), (&json!(1), &json!(false)));
    let shown = place.run(&["log", "show", "1", "--json"]).expect_code(0).report();
    assert_eq!(shown["notes"][0]["kind"], "cancelled");
    assert_eq!(shown["notes"][0]["text"], "came back");
    assert_eq!(shown["notes"][0]["at"], "2026-03-01T08:00:00Z");
    let segment = place.run(&["logged", "show", "SM00001", "--json"]).expect_code(0).report();
    let notes: Vec<&Value> =
        segment["notes"].as_array().expect("a list").iter().map(|note| &note["who"]).collect();
    assert_eq!(notes, ["Jana", "Ueli"]);
    do_it(&place, &["log", "uncancel", "1"]);
    assert_eq!(log(&place, &["--cancelled"]).len(), 0);
}

#[test]
fn cancelled_entries_count_nowhere_and_count_again_when_uncancelled() {
    let place = office();
    let before = stats(&place, &["campaign"]);
    let expected = [("SPRING", 3, 2, 0, 2.2), ("VIP", 1, 1, 1, 1.1)];
    for (row, (key, entries, targets, responses, cost)) in before.iter().zip(expected) {
        let held = (&row["key"], &row["entries"], &row["targets"], &row["responses"], &row["cost"]);
        assert_eq!(held, (&json!(key), &json!(entries), &json!(targets), &json!(responses), &json!(cost)));
    }
    assert_eq!((&before[0]["suppressed"], &before[1]["response_rate"]), (&json!(1), &json!(100.0)));
    let entry_of_p4 = log(&place, &["--contact", "P4"])[0]["entry"].to_string();
    do_it(&place, &["log", "cancel", &entry_of_p4]);
    assert_eq!(stats(&place, &["campaign", "VIP"]), Vec::<Value>::new());
    assert_eq!(stats(&place, &["contact", "P4"]), Vec::<Value>::new());
    do_it(&place, &["log", "uncancel", &entry_of_p4]);
    assert_eq!(stats(&place, &["campaign"]), before);
    do_it(&place, &["logged", "cancel", "SM00001"]);
    assert_eq!(stats(&place, &["campaign"]), Vec::<Value>::new());
}

#[test]
fn statistics_add_up_by_whatever_they_are_asked_for() {
    let place = office();
    for (by, keys) in [
        ("template", vec!["T"]),
        ("group", vec!["LETTERS"]),
        ("contact", vec!["P1", "P2", "P3", "P4"]),
        ("salesperson", vec![]),
    ] {
        let rows = stats(&place, &[by]);
        assert_eq!(rows.iter().map(|row| row["key"].clone()).collect::<Vec<_>>(), keys, "{by}");
        let entries: u64 = rows.iter().filter_map(|row| row["entries"].as_u64()).sum();
        assert!(keys.is_empty() || entries == 4, "{by}: {entries}");
    }
    assert_eq!(stats(&place, &["template", "--from", "2026-03-02"]), Vec::<Value>::new());
    assert_eq!(stats(&place, &["template", "--to", "2026-03-01"]).len(), 1);
    do_it(&place, &["stats", "template", "--export", "stats.csv"]);
    let written = place.read_text("stats.csv");
    assert!(
        written.starts_with("template,entries,targets,responses,response_rate,cost,duration,"),
        "{written}"
    );
    assert!(written.contains("\nT,4,3,1,33.3,3.3,15,0,3,0,0,0,0,1,0"), "{written}");
}

#[test]
fn one_campaign_entry_stands_for_each_campaign_of_a_segment() {
    let place = office();
    let shown = place.run(&["logged", "show", "SM00001", "--json"]).expect_code(0).report();
    assert_eq!(
        shown["campaign_entries"],
        json!([{ "campaign": "SPRING", "entries": 3 }, { "campaign": "VIP", "entries": 1 }])
    );
    let listed = |campaign| {
        place.run(&["logged", "list", "--json", "--campaign", campaign]).expect_code(0).json_lines().len()
    };
    assert_eq!((listed("VIP"), listed("OTHER")), (1, 0));
}

#[test]
fn only_what_is_cancelled_is_deleted_and_its_number_stays_taken() {
    let place = office();
    let refused = place.run(&["logged", "delete", "SM00001"]).expect_code(1);
    assert!(refused.stderr.contains("segment SM00001 is not cancelled"), "{}", refused.stderr);
    let refused = place.run(&["log", "delete", "1"]).expect_code(1);
    assert!(
        refused.stderr.contains("entry 1 is not cancelled\n  help: only what is cancelled"),
        "{}",
        refused.stderr
    );
    // A second segment uses the same document; its letters come back after the first is gone.
    place.write("second.toml", segment_file("SM00002", "campaign_response = false"));
    let _ = place.run(&["run", "second.toml"]).expect_code(0);
    do_it(&place, &["log", "cancel", "5"]);
    do_it(&place, &["log", "delete", "5", "--why", "asked for"]);
    do_it(&place, &["logged", "cancel", "SM00001"]);
    do_it(&place, &["logged", "delete", "SM00001", "--why", "a test"]);
    assert_eq!(log(&place, &[]).len(), 3);
    assert_eq!(stats(&place, &["campaign", "SPRING"])[0]["entries"], 2);
    let _ = place.run(&["log", "document", "6", "--out", "again"]).expect_code(0);
    let again = place.run(&["run", "segment.toml"]).expect_code(1);
    assert!(again.stderr.contains("segment SM00001 was logged by run 1"), "{}", again.stderr);
}

#[test]
fn evaluations_and_comments_are_dated_and_all_kept() {
    let place = office();
    do_it(&place, &["log", "evaluate", "1", "2", "positive"]);
    do_it(&place, &["log", "evaluate", "1", "very-negative", "--by", "Jana"]);
    do_it(&place, &["log", "comment", "1", "call in May", "--by", "Jana"]);
    assert_eq!(log(&place, &["--contact", "P1"])[0]["evaluation"], "very-negative");
    let shown = place.run(&["log", "show", "1"]).expect_code(0).stdout;
    assert!(shown.contains("evaluated") && shown.contains("by Jana  call in May"), "{shown}");
    let wrong = place.run(&["log", "evaluate", "1", "splendid"]).expect_code(1);
    assert!(
        wrong.stderr.contains("`splendid` is no evaluation, expected one of very-positive"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn pages_and_filters_of_the_log_give_each_entry_once() {
    let place = office();
    let all = log(&place, &[]);
    let first = log(&place, &["--limit", "3"]);
    let rest = log(&place, &["--after", &first[2]["entry"].to_string()]);
    assert_eq!([first, rest].concat(), all);
    let n = |words: &[&str]| log(&place, words).len();
    assert_eq!((n(&["--campaign", "SPRING"]), n(&["--campaign", "VIP"]), n(&["--template", "T"])), (3, 1, 4));
    assert_eq!(
        (n(&["--state", "suppressed"]), n(&["--state", "written"]), n(&["--salesperson", "JR"])),
        (1, 3, 0)
    );
    assert_eq!(
        (n(&["--from", "2026-03-02"]), n(&["--to", "2026-03-01"]), n(&["--segment", "SM00001"])),
        (0, 4, 4)
    );
}

#[test]
fn an_export_for_spreadsheets_holds_no_formula() {
    let place = office();
    for name in ["log.csv", "log.xlsx", "log.json"] {
        do_it(&place, &["log", "export", name, "--contact", "P2"]);
    }
    let written = place.read_text("log.csv");
    assert!(written.starts_with("entry,run,segment,line,contact,contact_name,"), "{written}");
    assert!(written.contains(",P2,'=1+1,"), "{written}");
    let written: Value = serde_json::from_str(&place.read_text("log.json")).expect("it is JSON");
    assert_eq!((written.as_array().map(Vec::len), &written[0]["contact_name"]), (Some(1), &json!("=1+1")));
    do_it(&place, &["log", "export", "raw.csv", "--raw", "--contact", "P2"]);
    assert!(place.read_text("raw.csv").contains(",P2,=1+1,"));
    do_it(&place, &["log", "export", "none.json", "--contact", "nobody"]);
    assert_eq!(place.read_text("none.json"), "[]\n");
}

#[test]
fn a_resend_without_consent_is_refused_and_recorded_and_an_override_is_named_and_recorded() {
    let place = office();
    // The folder is taken away, so that a letter that goes out once more is seen.
    std::fs::rename(place.path("out"), place.path("before")).expect("a folder can be renamed");
    do_it(&place, &["contact", "set", "P1", "exclude_from_segment=yes"]);
    let refused = place.run(&["log", "resend", "1"]).expect_code(3);
    assert!(refused.stderr.contains("entry 1 is not sent again: "), "{}", refused.stderr);
    assert_eq!(place.files("out"), Vec::<String>::new());
    let words = ["log", "resend", "1", "--ignore-exclusion", "--why", "she asked for it", "--by", "Jana"];
    let _ = place.run(&words).expect_code(0);
    let notes = place.run(&["log", "show", "1", "--json"]).expect_code(0).report()["notes"].clone();
    assert_eq!((&notes[0]["kind"], &notes[1]["kind"]), (&json!("refused"), &json!("allowed")));
    assert!(notes[0]["text"].as_str().is_some_and(|text| text.contains("excluded")), "{notes}");
    assert_eq!((&notes[1]["who"], &notes[1]["text"]), (&json!("Jana"), &json!("she asked for it")));
    assert_eq!(place.files("out/SM00001/letters").len(), 1);
    std::fs::remove_dir_all(place.path("out")).expect("a folder can be removed");
    do_it(&place, &["contact", "set", "P1", "privacy_blocked=yes"]);
    let refused = place.run(&words).expect_code(3);
    assert!(refused.stderr.contains("entry 1 is not sent again: "), "{}", refused.stderr);
    assert_eq!(place.files("out"), Vec::<String>::new());
}

#[test]
fn a_resend_leaves_a_note_and_takes_an_entry_once() {
    let place = office();
    do_it(&place, &["log", "resend", "1", "1", "--why", "lost in the post", "--by", "Mara"]);
    let notes = place.run(&["log", "show", "1", "--json"]).expect_code(0).report()["notes"].clone();
    assert_eq!(notes.as_array().map(Vec::len), Some(1), "{notes}");
    assert_eq!((&notes[0]["kind"], &notes[0]["who"]), (&json!("resent"), &json!("Mara")));
    assert_eq!(notes[0]["text"], "lost in the post");
}

#[test]
fn a_segment_number_is_logged_once_only() {
    let place = office();
    let again = place.run(&["run", "segment.toml"]).expect_code(1);
    assert!(again.stderr.contains("segment SM00001 was logged by run 1"), "{}", again.stderr);
}

#[test]
fn a_follow_up_has_whom_the_segment_reached_each_once_and_nothing_cut_off() {
    let place = office();
    let long = "Spring appeal to everybody who gave us something in the last ten years, and to their friends";
    place.write(
        "long.toml",
        segment_file("SM00002", "").replace("\"Spring\"\ndate", &format!("\"{long}\"\ndate")),
    );
    let _ = place.run(&["run", "long.toml"]).expect_code(0);
    let entries = log(&place, &["--segment", "SM00002"]);
    // One is sent twice more, one is cancelled; P3 was suppressed.
    let first = entries[0]["entry"].to_string();
    for _ in 0..2 {
        let _ = place.run(&["log", "resend", &first]).expect_code(0);
    }
    do_it(&place, &["log", "cancel", &entries[1]["entry"].to_string()]);
    let made = place.run(&["logged", "follow-up", "SM00002"]).expect_code(0);
    assert_eq!(made.stdout, "SM00003\n");
    let shown = place.run(&["segment", "show", "SM00003", "--json"]).expect_code(0).json_lines();
    assert_eq!(shown[0]["description"], format!("Follow-up on SM00002: {long}"));
    assert_eq!((&shown[0]["campaign"], &shown[0]["follows"]), (&json!("SPRING"), &json!("SM00002")));
    let lines: Vec<_> =
        shown[1..].iter().map(|line| (line["contact"].clone(), line["set"].clone())).collect();
    assert_eq!(lines, [(json!("P1"), json!({})), (json!("P4"), json!({ "campaign": "VIP" }))]);
    let all = place.run(&["logged", "follow-up", "SM00002", "--all", "--json"]).expect_code(0).report();
    assert_eq!(all, json!({ "segment": "SM00004", "lines": 4 }));
    // It is a recorded selection, undone as any other.
    do_it(&place, &["segment", "undo", "SM00003"]);
    let shown = place.run(&["segment", "show", "SM00003", "--json"]).expect_code(0).json_lines();
    assert_eq!(shown.len(), 1, "the header is left, and no line: {shown:?}");
    let unknown = place.run(&["logged", "follow-up", "SM00009"]).expect_code(1);
    assert!(unknown.stderr.contains("there is no logged segment `SM00009`"), "{}", unknown.stderr);
}

#[test]
fn a_second_wave_is_a_new_run_that_says_which_it_follows() {
    let place = office();
    do_it(&place, &["logged", "follow-up", "SM00001"]);
    do_it(&place, &["segment", "set", "SM00002", "interaction_template=T"]);
    let _ = place.run(&["run", "SM00002"]).expect_code(0);
    let logged = place.run(&["logged", "list", "--json"]).expect_code(0).json_lines();
    assert_eq!((&logged[1]["run"], &logged[1]["follows"]), (&json!(2), &json!("SM00001")));
    let shown = place.run(&["logged", "show", "SM00002"]).expect_code(0).stdout;
    assert!(shown.contains("follows ") && shown.contains("  SM00001\n"), "{shown}");
}

#[test]
fn a_follow_up_is_made_with_the_logging_by_flag_header_or_set_up() {
    for (words, header, set_up) in [
        (&["--follow-up"][..], "", ""),
        (&[][..], "follow_up = true", ""),
        (&[][..], "", "[defaults]\nfollow_up = true\n"),
    ] {
        let place = office();
        place.write("mailrun.toml", set_up);
        place.write("second.toml", segment_file("SM00002", header));
        let ran = place.run(&[&["run", "second.toml"], words].concat()).expect_code(0);
        assert!(ran.stderr.contains("follow-up: segment SM00003"), "{}", ran.stderr);
        // Delivering once more makes no second one.
        let entry = log(&place, &["--segment", "SM00002"])[0]["entry"].to_string();
        let _ = place.run(&["log", "resend", &entry]).expect_code(0);
        let open = place.run(&["segment", "list", "--json"]).expect_code(0).json_lines();
        assert_eq!(open.len(), 1, "{open:?}");
    }
}

#[test]
fn reuse_leaves_out_who_was_not_reached_and_what_is_cancelled() {
    let place = office();
    do_it(&place, &["log", "cancel", "1"]);
    do_it(&place, &["segment", "new", "interaction_template=T"]);
    do_it(&place, &["logged", "reuse", "SM00001", "SM00002"]);
    do_it(&place, &["logged", "reuse", "SM00001", "SM00002"]);
    let shown = place.run(&["segment", "show", "SM00002", "--json"]).expect_code(0).json_lines();
    let contacts: Vec<&Value> = shown[1..].iter().map(|line| &line["contact"]).collect();
    assert_eq!(contacts, ["P2", "P4"]);
    do_it(&place, &["logged", "reuse", "SM00001", "SM00002", "--all"]);
    let report = place.run(&["run", "SM00002", "--json"]).expect_code(0).report();
    // Consent is asked again when it is run: P3 is still excluded.
    assert_eq!((&report["written"], &report["suppressed"]), (&json!(3), &json!(1)));
}

#[test]
fn an_alternative_address_does_not_hide_that_there_is_no_email_address() {
    let place = office();
    place.write("mailrun.toml", "[smtp]\nfrom = \"Nord <post@example.com>\"\n");
    place.write("addresses.csv", "contact,code,address,post_code,city\nP1,HOME,Gasse 3,4000,Basel\n");
    let line = "[[line]]\ncontact = \"P1\"\naddress = \"HOME\"\ncorrespondence_type = \"email\"\n";
    let contacts = "file = \"contacts.csv\"\naddresses = \"addresses.csv\"";
    let file = segment_file("SM00002", "").replace("file = \"contacts.csv\"", contacts);
    place.write("second.toml", format!("{file}{line}"));
    for words in [&["check", "second.toml"][..], &["run", "second.toml"]] {
        let refused = place.run(words).expect_code(1);
        assert!(refused.stderr.contains("contact P1 has no e-mail address"), "{}", refused.stderr);
    }
    assert_eq!(log(&place, &["--segment", "SM00002"]).len(), 0);
}

#[test]
fn a_follow_up_of_a_segment_whose_template_has_the_campaign_has_it_on_its_header() {
    let place = office();
    let file =
        segment_file("SM00002", "").replace("\ncampaign = \"SPRING\"\ncampaign_target", "\ncampaign_target");
    place.write("second.toml", file.replace("code = \"T\"\n", "code = \"T\"\ncampaign = \"SPRING\"\n"));
    let _ = place.run(&["run", "second.toml"]).expect_code(0);
    do_it(&place, &["logged", "follow-up", "SM00002"]);
    let shown = place.run(&["segment", "show", "SM00003", "--json"]).expect_code(0).json_lines();
    assert_eq!(shown[0]["campaign"], "SPRING");
    let set: Vec<&Value> = shown[1..].iter().map(|line| &line["set"]).collect();
    assert_eq!(set, [&json!({}), &json!({}), &json!({ "campaign": "VIP" })]);
}
