//! Holds what worksheets promise by command: selection recorded, replayed and undone exactly, header changes that
//! reach lines without a value of their own, overrides that stay.

mod support;

use serde_json::{Value, json};

use support::place::Place;

/// Eight contacts: a company with two persons, another with one, and persons alone; templates `T` and `U`.
fn office() -> Place {
    let place = Place::new();
    let letter = support::docx::Docx::new(&support::docx::p(&support::docx::t(
        "{{contact.name}}: {{comment}} {{address.block}}",
    )));
    place.write("letter.docx", letter.bytes());
    place.write(
        "private.docx",
        support::docx::Docx::new(&support::docx::p(&support::docx::t("Mine"))).bytes(),
    );
    place.write("mailrun.toml", "[[salesperson]]\ncode = \"JR\"\nname = \"Jana Roth\"\n");
    place.write(
        "contacts.csv",
        "no,type,company_no,company_name,name,address,post_code,city,country,language,email,exclude_from_segment\n\
         C1,company,,,Nord AG,Damm 1,8001,Zürich,CH,de,info@nord.example,\n\
         P1,person,C1,Nord AG,Ann,Damm 1,8001,Zürich,CH,fr,ann@nord.example,\n\
         P2,person,C1,Nord AG,Bo,Damm 1,8001,Zürich,CH,de-CH,bo@nord.example,\n\
         C2,company,,,Süd AG,Weg 2,3000,Bern,CH,de,info@sued.example,\n\
         P3,person,C2,Süd AG,Cy,Weg 2,3000,Bern,CH,it,cy@sued.example,\n\
         P4,person,,,Di,Gasse 3,4000,Basel,CH,de,di@example.com,\n\
         P5,person,,,Ed,Gasse 5,4000,Basel,CH,fr,ED@example.com,\n\
         P6,person,,,Fa,Rue 1,75001,Paris,FR,fr,ed@example.com,yes\n",
    );
    place.write(
        "templates.toml",
        "[segment]\nno = \"TEMPLATES\"\ninteraction_template = \"T\"\n\
         [[template]]\ncode = \"T\"\ncorrespondence_type = \"hard-copy\"\ndescription = \"Of T\"\n\
         default_language = \"en\"\nunit_cost = 2\n[template.languages]\n\
         en = { document = \"letter.docx\" }\nde = { document = \"letter.docx\" }\nfr = { document = \"letter.docx\" }\n\
         [[template]]\ncode = \"U\"\ncorrespondence_type = \"hard-copy\"\ndefault_language = \"en\"\n\
         [template.languages]\nen = { document = \"letter.docx\" }\n[select]\nadd = [\"no = 'P4'\"]\n",
    );
    let _ = place.run(&["contact", "import", "contacts.csv"]).expect_code(0);
    // Running a segment file is what makes its templates known.
    let _ = place.run(&["run", "templates.toml"]).expect_code(0);
    let new = place.run(&["segment", "new", "interaction_template=T", "description=Spring"]).expect_code(0);
    assert_eq!(new.stdout, "SM00001\n");
    place
}

fn segment(place: &Place, words: &[&str]) {
    let _ = place.run(&[&["segment"][..], words].concat()).expect_code(0);
}

/// The segment as `--json` has it: the header, and the lines.
fn shown(place: &Place, segment: &str) -> Vec<Value> {
    place.run(&["segment", "show", segment, "--json"]).expect_code(0).json_lines()
}

/// The lines by number and contact.
fn lines(place: &Place, segment: &str) -> Vec<(u64, String)> {
    let of_line = |line: &Value| {
        (line["line"].as_u64().expect("a number"), line["contact"].as_str().expect("a text").to_owned())
    };
    shown(place, segment)[1..].iter().map(of_line).collect()
}

fn contacts(place: &Place) -> Vec<String> {
    lines(place, "SM00001").into_iter().map(|(_, contact)| contact).collect()
}

fn line_of(place: &Place, contact: &str) -> Value {
    let lines = shown(place, "SM00001");
    lines
        .into_iter()
        .find(|line| line["contact"] == contact)
        .unwrap_or_else(|| panic!("{contact} has no line"))
}

#[test]
fn refine_keeps_what_matches_and_reduce_takes_it_away() {
    let place = office();
    segment(&place, &["add", "SM00001", "country = 'CH'"]);
    assert_eq!(contacts(&place), ["C1", "C2", "P4", "P5", "P1", "P2", "P3"]);
    segment(&place, &["refine", "SM00001", "city in ('Zürich', 'Basel')"]);
    assert_eq!(contacts(&place), ["C1", "P4", "P5", "P1", "P2"]);
    segment(&place, &["reduce", "SM00001", "city = 'Basel'"]);
    assert_eq!(contacts(&place), ["C1", "P1", "P2"]);
}

#[test]
fn undo_brings_lines_back_with_their_place_and_what_was_set() {
    let place = office();
    segment(&place, &["add", "SM00001", "city = 'Zürich'"]);
    segment(&place, &["line", "SM00001", "P1", "comment=Hello", "--document", "private.docx"]);
    let before = shown(&place, "SM00001");
    segment(&place, &["reduce", "SM00001", "no <> 'C1'"]);
    assert_eq!(contacts(&place), ["C1"]);
    segment(&place, &["add", "SM00001", "city = 'Bern'"]);
    segment(&place, &["line", "SM00001", "P3", "comment=New"]);
    segment(&place, &["undo", "SM00001"]);
    segment(&place, &["undo", "SM00001"]);
    assert_eq!(shown(&place, "SM00001"), before);
    segment(&place, &["undo", "SM00001"]);
    assert_eq!(contacts(&place), Vec::<String>::new());
    let nothing = place.run(&["segment", "undo", "SM00001"]).expect_code(1);
    assert!(nothing.stderr.contains("no selection action to undo"), "{}", nothing.stderr);
}

#[test]
fn undo_after_allowing_existing_contacts_removes_only_what_that_action_added() {
    let place = office();
    segment(&place, &["add", "SM00001", "city = 'Basel'"]);
    segment(&place, &["line", "SM00001", "P4", "comment=First"]);
    let before = shown(&place, "SM00001");
    segment(&place, &["add", "SM00001", "no = 'P4'", "--allow-existing"]);
    assert_eq!(
        lines(&place, "SM00001"),
        [(10_000, "P4".into()), (20_000, "P5".into()), (30_000, "P4".into())]
    );
    let several = place.run(&["segment", "line", "SM00001", "P4", "comment=Which"]).expect_code(1);
    assert!(several.stderr.contains("contact P4 has 2 lines\n  help: name one with `--line`: 10000, 30000"));
    segment(&place, &["line", "SM00001", "P4", "comment=Second", "--line", "30000"]);
    segment(&place, &["undo", "SM00001"]);
    assert_eq!(shown(&place, "SM00001"), before);
}

#[test]
fn saved_criteria_with_whole_companies_replay_the_same() {
    let place = office();
    segment(&place, &["add", "SM00001", "true"]);
    segment(&place, &["refine", "SM00001", "no = 'P1'", "--entire-companies"]);
    assert_eq!(contacts(&place), ["C1", "P1", "P2"]);
    segment(&place, &["reduce", "SM00001", "--contact", "P2"]);
    segment(&place, &["criteria", "save", "SM00001", "NORD", "--description", "Nord without Bo"]);
    segment(&place, &["new"]);
    segment(&place, &["criteria", "reuse", "SM00002", "NORD"]);
    assert_eq!(lines(&place, "SM00002"), lines(&place, "SM00001"));
    let show = |name: &str| place.run(&["segment", "criteria", "show", name]).expect_code(0).stdout;
    assert_eq!(show("SM00002"), show("SM00001"));
    assert_eq!(
        show("NORD"),
        "   1  add: true\n   2  refine: no = 'P1' (entire companies)\n   3  reduce: no = 'P2' (by hand)\n"
    );
    let unknown = place.run(&["segment", "criteria", "reuse", "SM00002", "NORT"]).expect_code(1);
    assert!(unknown.stderr.contains("help: did you mean `NORD`?"), "{}", unknown.stderr);
}

#[test]
fn companies_are_expanded_and_related_and_exclusion_is_ignored_only_where_it_is_said() {
    let place = office();
    let check = |condition: &str, options: &[&str], expected: &[&str]| {
        segment(&place, &[&["add", "SM00001", condition][..], options].concat());
        assert_eq!(contacts(&place), expected, "{condition} {options:?}");
        segment(&place, &["undo", "SM00001"]);
    };
    check("no = 'P1'", &[], &["P1"]);
    check("no = 'P1'", &["--expand-companies"], &["C1", "P1", "P2"]);
    check("no in ('P1', 'P3')", &["--allow-related-companies"], &["C1", "C2", "P1", "P3"]);
    check("no = 'C2'", &["--expand-companies"], &["C2", "P3"]);
    segment(&place, &["add", "SM00001", "no = 'P6'"]);
    assert_eq!(line_of(&place, "P6")["standing"], "suppressed: excluded-from-segments");
    segment(&place, &["undo", "SM00001"]);
    segment(&place, &["add", "SM00001", "no in ('P5', 'P6')", "--ignore-exclusion"]);
    assert_eq!(line_of(&place, "P5")["set"], json!({}));
    assert_eq!(line_of(&place, "P6")["set"], json!({ "ignore_exclusion": true }));
    let _ = place.run(&["run", "SM00001"]).expect_code(0);
    let entries = place.run(&["log", "list", "--contact", "P6", "--json"]).expect_code(0).json_lines();
    assert_eq!(entries[0]["state"], "written");
    let entry = place.run(&["log", "show", &entries[0]["entry"].to_string()]).expect_code(0);
    assert!(entry.stdout.contains("exclusion-ignored"), "the log says so: {}", entry.stdout);
}

#[test]
fn who_is_excluded_and_blocked_or_a_minor_or_wants_no_letters_stays_suppressed_where_exclusion_is_ignored() {
    let place = office();
    let refusals = [
        ("P1", "privacy_blocked", "privacy-blocked"),
        ("P2", "minor", "minor-without-parental-consent"),
        ("P3", "no_mail", "no-mail"),
    ];
    for (contact, flag, _) in refusals {
        let set = ["contact", "set", contact, "exclude_from_segment=yes", &format!("{flag}=yes")];
        let _ = place.run(&set).expect_code(0);
    }
    segment(&place, &["add", "SM00001", "no in ('P1', 'P2', 'P3', 'P6')", "--ignore-exclusion"]);
    for (contact, _, reason) in refusals {
        assert_eq!(line_of(&place, contact)["standing"], format!("suppressed: {reason}"));
    }
    let report = place.run(&["run", "SM00001", "--json"]).expect_code(0).report();
    assert_eq!((&report["written"], &report["suppressed"]), (&json!(1), &json!(3)));
    let letters = place.files("out/SM00001/letters");
    assert!(letters.len() == 1 && letters[0].contains("P6"), "{letters:?}");
    for (contact, _, reason) in refusals {
        let entry = place.run(&["log", "list", "--contact", contact, "--json"]).expect_code(0).report();
        assert_eq!((&entry["state"], &entry["reason"]), (&json!("suppressed"), &json!(reason)), "{contact}");
    }
}

#[test]
fn a_header_change_reaches_the_lines_that_have_no_value_of_their_own() {
    let place = office();
    segment(&place, &["add", "SM00001", "city = 'Basel'"]);
    segment(&place, &["line", "SM00001", "P4", "subject=Mine"]);
    segment(&place, &["set", "SM00001", "subject=Everybody's"]);
    let subject = |contact: &str| line_of(&place, contact)["holds"]["subject"].clone();
    assert_eq!((subject("P4"), subject("P5")), (json!("Mine"), json!("Everybody's")));
    segment(&place, &["line", "SM00001", "P4", "--clear", "subject"]);
    assert_eq!(subject("P4"), json!("Everybody's"));
}

#[test]
fn a_change_of_the_headers_date_moves_the_alternative_address_of_lines_without_one_of_their_own() {
    let place = office();
    segment(&place, &["add", "SM00001", "city = 'Basel'"]);
    for contact in ["P4", "P5"] {
        let start =
            ["address", "set", contact, "SUMMER", "starting_date=2026-06-01", "address=See 1", "city=Arth"];
        let _ = place.run(&start).expect_code(0);
        let named = ["address", "set", contact, "HOME", "address=Gasse 9", "city=Basel"];
        let _ = place.run(&named).expect_code(0);
    }
    segment(&place, &["line", "SM00001", "P5", "address=HOME"]);
    let address = |contact: &str| line_of(&place, contact)["holds"]["address"].clone();
    segment(&place, &["set", "SM00001", "date=2026-03-01"]);
    assert_eq!((address("P4"), address("P5")), (json!(""), json!("HOME")));
    segment(&place, &["set", "SM00001", "date=2026-07-01"]);
    assert_eq!((address("P4"), address("P5")), (json!("SUMMER"), json!("HOME")));
}

#[test]
fn a_line_whose_template_differs_survives_header_edits_but_follows_apply_to_all() {
    let place = office();
    segment(&place, &["add", "SM00001", "city = 'Basel'"]);
    segment(&place, &["line", "SM00001", "P4", "interaction_template=U"]);
    let template = |contact: &str| line_of(&place, contact)["holds"]["interaction_template"].clone();
    segment(&place, &["set", "SM00001", "subject=New", "interaction_template=T"]);
    assert_eq!((template("P4"), template("P5")), (json!("U"), json!("T")));
    assert_eq!(line_of(&place, "P4")["holds"]["subject"], "New", "other values of the header reach it");
    segment(&place, &["set", "SM00001", "interaction_template=T", "--apply-to-all"]);
    assert_eq!((template("P4"), template("P5")), (json!("T"), json!("T")));
    assert_eq!(line_of(&place, "P4")["set"], json!({}));
}

#[test]
fn emptying_the_headers_template_clears_exactly_what_came_from_it() {
    let place = office();
    segment(&place, &["add", "SM00001", "city = 'Basel'"]);
    segment(&place, &["line", "SM00001", "P4", "interaction_template=U", "comment=Hi"]);
    segment(&place, &["set", "SM00001", "--clear", "interaction_template"]);
    assert_eq!(line_of(&place, "P5")["standing"], "no interaction template is set");
    assert_eq!(line_of(&place, "P4")["holds"]["interaction_template"], "U");
    assert_eq!(line_of(&place, "P4")["holds"]["comment"], "Hi");
    assert_eq!(shown(&place, "SM00001")[0]["description"], "Spring", "what was set on the header stays");
}

#[test]
fn a_template_changed_before_or_after_adding_contacts_gives_equal_lines() {
    let place = office();
    segment(&place, &["set", "SM00001", "interaction_template=U"]);
    segment(&place, &["add", "SM00001", "country = 'CH'"]);
    segment(&place, &["set", "SM00001", "interaction_template=T"]);
    segment(&place, &["new", "interaction_template=T", "description=Spring"]);
    segment(&place, &["add", "SM00002", "country = 'CH'"]);
    assert_eq!(shown(&place, "SM00001")[1..], shown(&place, "SM00002")[1..]);
}

#[test]
fn a_swapped_contact_keeps_the_headers_documents_and_drops_private_ones() {
    let place = office();
    segment(&place, &["set", "SM00001", "--document", "en=private.docx"]);
    segment(&place, &["set", "SM00001", "language=en"]);
    segment(&place, &["add", "SM00001", "city = 'Bern'"]);
    segment(&place, &["line", "SM00001", "P3", "--document", "letter.docx", "comment=Cy's"]);
    let own = line_of(&place, "P3");
    segment(&place, &["line", "SM00001", "P3", "--swap", "P4"]);
    let swapped = line_of(&place, "P4");
    assert_eq!((&swapped["line"], &swapped["set"]), (&own["line"], &json!({})));
    let digest = |line: &Value| line["holds"]["document"].clone();
    segment(&place, &["line", "SM00001", "P4", "language=en"]);
    assert_ne!(digest(&line_of(&place, "P4")), digest(&own), "the header's document holds");
    segment(&place, &["undo", "SM00001"]);
    assert_eq!(line_of(&place, "P3"), own, "the swap is undone as one");
}

#[test]
fn a_line_with_an_empty_description_behaves_like_any_other() {
    let place = office();
    segment(&place, &["add", "SM00001", "city = 'Basel'"]);
    segment(&place, &["line", "SM00001", "P4", "description="]);
    assert_eq!(line_of(&place, "P4")["holds"], {
        let mut expected = line_of(&place, "P5")["holds"].clone();
        expected["language"] = json!("de");
        expected["email"] = json!("di@example.com");
        expected
    });
    segment(&place, &["set", "SM00001", "--clear", "description"]);
    assert_eq!(line_of(&place, "P4")["holds"]["description"], "Of T");
}

#[test]
fn a_regional_language_falls_back_to_its_base_and_the_log_says_so() {
    let place = office();
    segment(&place, &["add", "SM00001", "no = 'P2'"]);
    assert_eq!(line_of(&place, "P2")["holds"]["language"], "de");
    let _ = place.run(&["run", "SM00001"]).expect_code(0);
    let entries = place.run(&["log", "list", "--contact", "P2", "--json"]).expect_code(0).json_lines();
    assert_eq!(entries[0]["language"], "de");
    let entry = place.run(&["log", "show", &entries[0]["entry"].to_string()]).expect_code(0);
    assert!(entry.stdout.contains("\"language\":\"contact-base\""), "{}", entry.stdout);
}

#[test]
fn a_letter_that_was_merged_and_edited_goes_out_as_it_is() {
    let place = office();
    segment(&place, &["add", "SM00001", "no = 'P4'"]);
    segment(&place, &["line", "SM00001", "P4", "comment=Greetings"]);
    segment(&place, &["line", "SM00001", "P4", "--premerge", "edited.docx"]);
    let text = support::docx::read(&place.read("edited.docx"), "word/document.xml").expect("a main part");
    assert!(text.contains("Greetings"), "{text}");
    let edited = support::docx::Docx::new(&support::docx::p(&support::docx::t("Dear Di, edited")));
    place.write("edited.docx", edited.bytes());
    segment(&place, &["line", "SM00001", "P4", "--import", "edited.docx"]);
    let _ = place.run(&["run", "SM00001"]).expect_code(0);
    let letters = place.files("out/SM00001/letters");
    let text = support::docx::read(&place.read(&letters[0]), "word/document.xml").expect("a main part");
    assert!(text.contains("Dear Di, edited"), "{text}");
}

#[test]
fn duplicates_by_contact_email_and_address_are_shown() {
    let place = office();
    segment(&place, &["add", "SM00001", "city in ('Zürich', 'Basel', 'Paris')"]);
    segment(&place, &["add", "SM00001", "no = 'P4'", "--allow-existing"]);
    let found = place.run(&["segment", "show", "SM00001", "--duplicates"]).expect_code(0);
    assert_eq!(
        found.stdout,
        "contact  P4  20000, 70000\nemail  di@example.com  20000, 70000\nemail  ed@example.com  30000, 40000\n\
         address  damm 1, 8001 zürich, ch  10000, 50000, 60000\naddress  gasse 3, 4000 basel, ch  20000, 70000\n"
    );
}

#[test]
fn a_mailing_group_is_applied_to_a_segment_and_replaces_its_members_where_asked() {
    let place = office();
    let _ = place.run(&["code", "set", "mailing-group", "XMAS"]).expect_code(0);
    let _ = place.run(&["code", "add", "mailing-group", "XMAS", "P1"]).expect_code(0);
    segment(&place, &["add", "SM00001", "city = 'Basel'"]);
    segment(&place, &["mailing-group", "SM00001", "XMAS"]);
    segment(&place, &["new"]);
    segment(&place, &["add", "SM00002", "no in (select contact from mailing_group where code = 'XMAS')"]);
    let of_second = || lines(&place, "SM00002").into_iter().map(|(_, contact)| contact).collect::<Vec<_>>();
    assert_eq!(of_second(), ["P4", "P5", "P1"]);
    segment(&place, &["mailing-group", "SM00001", "XMAS", "--replace"]);
    segment(&place, &["undo", "SM00002"]);
    segment(&place, &["add", "SM00002", "no in (select contact from mailing_group where code = 'XMAS')"]);
    assert_eq!(of_second(), ["P4", "P5"]);
}

#[test]
fn people_of_a_logged_segment_come_back_each_once() {
    let place = office();
    segment(&place, &["add", "SM00001", "city in ('Basel', 'Paris')"]);
    let _ = place.run(&["run", "SM00001"]).expect_code(0);
    segment(&place, &["new", "interaction_template=T"]);
    segment(&place, &["add", "SM00002", "no = 'P4'"]);
    segment(&place, &["reuse", "SM00002", "SM00001"]);
    assert_eq!(lines(&place, "SM00002"), [(10_000, "P4".into()), (20_000, "P5".into())], "P6 was suppressed");
    segment(&place, &["reuse", "SM00002", "SM00001", "--all"]);
    assert_eq!(lines(&place, "SM00002").len(), 3);
    let unknown = place.run(&["segment", "reuse", "SM00002", "SM00009"]).expect_code(1);
    assert!(unknown.stderr.contains("there is no logged segment `SM00009`"), "{}", unknown.stderr);
}

#[test]
fn wrong_changes_are_refused_as_a_whole() {
    let place = office();
    segment(&place, &["add", "SM00001", "city = 'Basel'"]);
    let before = shown(&place, "SM00001");
    let check = |words: &[&str], message: &str| {
        let ended = place.run(&[&["segment"][..], words].concat()).expect_code(1);
        assert!(ended.stderr.contains(message), "{words:?}: {}", ended.stderr);
        assert_eq!(shown(&place, "SM00001"), before, "{words:?}");
    };
    check(
        &["set", "SM00001", "subject=New", "campain=X"],
        "unknown key `campain`\n  help: did you mean `campaign`?",
    );
    check(
        &["set", "SM00001", "subject=New", "salesperson=JX"],
        "there is no salesperson `JX`\n  help: did you mean `JR`?",
    );
    check(
        &["line", "SM00001", "P4", "comment=New", "address=HOME"],
        "contact P4 has no alternative address `HOME`",
    );
    check(&["line", "SM00001", "P9", "comment=New"], "there is no contact `P9`");
    check(&["line", "SM00001", "P4", "date=soon"], "`soon` is no date, expected YYYY-MM-DD");
    check(&["add", "SM00001", "--contact", "P1", "--contact", "P9"], "there is no contact `P9`");
    check(&["add", "SM00001", "citty = 'Bern'"], "the condition is refused: no such column: citty");
    check(&["add", "SM00001", "1); delete from segment; --"], "the condition is refused");
    check(&["set", "SM00009", "subject=New"], "there is no segment `SM00009`");
    check(&["new", "--no", "SM00001"], "there is a segment `SM00001` already");
    check(&["set", "TEMPLATES", "subject=New"], "segment TEMPLATES was logged by run 1");
}

#[test]
fn show_is_a_table_by_pages_with_overrides_marked() {
    let place = office();
    segment(&place, &["add", "SM00001", "city = 'Basel'"]);
    segment(&place, &["line", "SM00001", "P5", "correspondence_type=email", "comment=Hello Ed"]);
    let page = place.run(&["segment", "show", "SM00001"]).expect_code(0).stdout;
    assert!(page.contains("interaction template  T\n"), "{page}");
    assert!(page.contains("lines                 2, by 1 selection action\n"), "{page}");
    assert!(page.contains("20000  P5       Ed    email*"), "{page}");
    assert!(page.contains("Hello Ed*"), "{page}");
    let second = place.run(&["segment", "show", "SM00001", "--limit", "1"]).expect_code(0);
    assert!(
        second.stderr.contains("more lines: `mailrun segment show SM00001 --after 10000`"),
        "{}",
        second.stderr
    );
}

#[test]
fn two_persons_of_the_same_name_have_a_letter_each() {
    let place = office();
    let _ = place.run(&["contact", "set", "P4", "name=Ann"]).expect_code(0);
    segment(&place, &["add", "SM00001", "name = 'Ann'"]);
    let report = place.run(&["run", "SM00001", "--json"]).expect_code(0).report();
    assert_eq!(report["written"], 2);
    let letters = place.files("out/SM00001/letters");
    assert_eq!(letters.len(), 2, "{letters:?}");
    let texts: Vec<String> = letters.iter().map(|name| support::docx::text(&place.read(name))).collect();
    assert!(texts[0].contains("Gasse 3") && texts[1].contains("Damm 1"), "{texts:?}");
}

#[test]
fn a_document_in_another_language_has_the_same_field_names() {
    let place = office();
    let fields = ["Contact_Name", "Salesperson_Name", "FirstName", "Contact.City"];
    let body = |greeting: &str| {
        let fields: String = fields
            .iter()
            .map(|name| {
                format!("<w:fldSimple w:instr=\" MERGEFIELD {name} \"><w:r><w:t>x</w:t></w:r></w:fldSimple>")
            })
            .collect();
        support::docx::Docx::new(&support::docx::p(&(support::docx::t(greeting) + &fields))).bytes()
    };
    place.write("letter.de.docx", body("Guten Tag "));
    place.write("letter.en.docx", body("Hello "));
    segment(
        &place,
        &["set", "SM00001", "--document", "de=letter.de.docx", "--document", "fr=letter.en.docx"],
    );
    segment(&place, &["set", "SM00001", "salesperson=JR"]);
    segment(&place, &["add", "SM00001", "no in ('P4', 'P5')"]);
    let _ = place.run(&["run", "SM00001"]).expect_code(0);
    let texts: Vec<String> = place
        .files("out/SM00001/letters")
        .iter()
        .map(|name| support::docx::text(&place.read(name)))
        .collect();
    assert_eq!(texts, ["Guten Tag DiJana RothBasel", "Hello EdJana RothBasel"]);
}

#[test]
fn what_is_not_there_is_answered_by_what_there_is() {
    let place = office();
    let answered = |words: &[&str], expected: &str| {
        let ended = place.run(words);
        assert!(ended.stderr.contains(expected), "{words:?}: {}", ended.stderr);
    };
    answered(&["segment", "set", "SM00001", "interaction_template=LETTER"], "help: there are `T`, `U`\n");
    answered(&["segment", "set", "SM00001", "salesperson=Mary"], "help: there is `JR`\n");
    answered(&["segment", "mailing-group", "SM00001", "CHRISTMAS"], "help: none is there yet\n");
    answered(
        &["segment", "set", "SM00001", "reference=X"],
        "help: the values are interaction_template, description",
    );
    answered(&["segment", "set", "SM00001", "descripton=X"], "help: did you mean `description`?\n");
    answered(&["segment", "add", "SM00001", "cty = 'Bern'"], "help: did you mean `city`?\n");
    answered(
        &["segment", "add", "SM00001", "city = Zug"],
        "help: no column is called so; write a text in single quotes, `'Zug'`; docs/criteria.md has the columns\n",
    );
    answered(&["contact", "delete", "P9"], "help: `mailrun contact list` shows those there are\n");
    // What is on the segment is not added again in silence.
    let again = "help: who is on the segment already is added again with `--allow-existing` alone\n";
    let first = place.run(&["segment", "add", "SM00001", "--contact", "P4"]).expect_code(0);
    assert!(!first.stderr.contains(again), "{}", first.stderr);
    answered(&["segment", "add", "SM00001", "--contact", "P4"], again);
    answered(&["segment", "add", "SM00001", "no = 'P4'"], again);
    // The log keeps what it names.
    answered(&["template", "delete", "T"], "help: it stays as long as the log has entries of it");
    // A follow-up says how many it reaches, and why nobody.
    answered(&["logged", "follow-up", "TEMPLATES"], "segment SM00002 has 1 line\n");
    let _ = place.run(&["log", "cancel", "1"]).expect_code(0);
    answered(
        &["logged", "follow-up", "TEMPLATES"],
        "segment SM00003 has 0 lines\n  help: whom the segment did not",
    );
    let logged = place.run(&["logged", "list"]).expect_code(0);
    assert!(logged.stdout.contains("2026-03-01 09:00 CET"), "{}", logged.stdout);
}

#[test]
fn each_line_of_a_contact_is_explained_and_merged_ahead_by_its_number() {
    let place = office();
    segment(&place, &["add", "SM00001", "--contact", "P4"]);
    segment(&place, &["add", "SM00001", "--contact", "P4", "--allow-existing"]);
    segment(&place, &["line", "SM00001", "P4", "--line", "20000", "comment=The second"]);
    let explained = |line: &str| {
        let words = ["explain", "SM00001", "--contact", "P4", "--line", line, "--json"];
        let rows = place.run(&words).expect_code(0).json_lines();
        rows.iter().find(|row| row["name"] == "comment").expect("it is explained")["value"].clone()
    };
    assert_eq!((explained("10000"), explained("20000")), (json!(""), json!("The second")));
    let _ = place.run(&["explain", "SM00001", "--contact", "P5", "--line", "20000"]).expect_code(1);
    segment(&place, &["line", "SM00001", "P4", "--line", "20000", "--premerge", "second.docx"]);
    let text = support::docx::text(&place.read("second.docx"));
    assert!(text.starts_with("Di: The second"), "{text}");
    // A line that makes no letter says why.
    let _ = place.run(&["contact", "set", "P4", "no_mail=yes"]).expect_code(0);
    let ended =
        place.run(&["segment", "line", "SM00001", "P4", "--line", "10000", "--premerge", "first.docx"]);
    assert!(
        ended.stderr.contains("line 10000 makes no letter: it is suppressed: no-mail"),
        "{}",
        ended.stderr
    );
}
