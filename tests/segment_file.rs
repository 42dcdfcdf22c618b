//! Holds that a worksheet comes back from its segment file, that a file says all that commands say, and the household
//! rule.

mod support;

use serde_json::Value;

use support::place::Place;

fn office() -> Place {
    let place = Place::new();
    let text = |text: &str| support::docx::Docx::new(&support::docx::p(&support::docx::t(text))).bytes();
    place.write("letter.docx", text("{{address.block}}|{{salutation.formal}}|{{contact.name}}|{{comment}}"));
    place.write("own.docx", text("Own {{comment}}"));
    place.write(
        "contacts.csv",
        "no,first_name,surname,address,post_code,city,language,salutation_code,no_mail,household,company_no,type\n\
         A,Ann,Roth,Weg 1,3000,Bern,en,F,,,,\n\
         B,Ben,Roth,weg 1,3000,Bern,en,M,,,,\n\
         C,Cy,Alder,Weg 1,3000,Bern,en,M,yes,,,\n\
         D,Di,Alder,Weg 1,3000,Bern,de,F,,,,\n\
         E,Ed,Beck,Gasse 2,4000,Basel,en,M,,BECK,,\n\
         F,Fa,Curti,Gasse 9,4000,Basel,en,F,,BECK,,\n\
         G,Gu,Egli,Weg 1,3000,Bern,en,M,,,,\n",
    );
    place.write(
        "mailrun.toml",
        "[[salutation]]\ncode = \"F\"\nformal = \"Dear Ms {{contact.surname}},\"\n\
         [[salutation]]\ncode = \"M\"\nformal = \"Dear Mr {{contact.surname}},\"\n",
    );
    place.write(
        "first.toml",
        "[segment]\nno = \"FIRST\"\ninteraction_template = \"T\"\n[contacts]\nfile = \"contacts.csv\"\n\
         [[template]]\ncode = \"T\"\ncorrespondence_type = \"hard-copy\"\ndefault_language = \"en\"\n\
         [template.languages]\nen = { document = \"letter.docx\" }\n[select]\nadd = [\"no = 'A'\"]\n",
    );
    let _ = place.run(&["run", "first.toml"]).expect_code(0);
    place
}

fn segment(place: &Place, words: &[&str]) {
    let _ = place.run(&[&["segment"][..], words].concat()).expect_code(0);
}

fn shown(place: &Place, segment: &str) -> Vec<Value> {
    place.run(&["segment", "show", segment, "--json"]).expect_code(0).json_lines()
}

/// A worksheet with everything that can be set, duplicates and a document of its own among it.
fn full_worksheet(place: &Place) {
    segment(
        place,
        &["new", "interaction_template=T", "description=Spring \"26\"", "unit_cost=1.50", "date=2026-05-01"],
    );
    segment(place, &["set", "SM00001", "household=true", "--document", "de=own.docx"]);
    segment(place, &["add", "SM00001", "city = 'Bern'"]);
    segment(place, &["add", "SM00001", "no = 'A'", "--allow-existing"]);
    segment(place, &["line", "SM00001", "A", "--line", "60000", "comment=Twice,\nwith a line"]);
    segment(place, &["line", "SM00001", "B", "description=", "correspondence_type=", "evaluation=positive"]);
    segment(place, &["line", "SM00001", "C", "--document", "own.docx", "language=en", "email=c@example.com"]);
    segment(place, &["reduce", "SM00001", "--contact", "D"]);
}

#[test]
fn an_exported_segment_comes_back_the_same_by_its_lines_or_by_its_criteria() {
    let place = office();
    full_worksheet(&place);
    let before = shown(&place, "SM00001");
    assert_eq!(before.len(), 1 + 5);
    let criteria = place.run(&["segment", "criteria", "show", "SM00001"]).expect_code(0).stdout;
    for (form, name) in [(&[][..], "lines.toml"), (&["--criteria"], "criteria.toml")] {
        segment(&place, &[&["export", "SM00001", name], form].concat());
        let _ = place.run(&["check", name]).expect_code(0);
        // Only a run keeps what a file says; the export of what it loads must be the same file.
        let file = place.read_text(name).replace("no = \"SM00001\"", "no = \"COPY\"");
        place.write(&format!("copy.{name}"), file);
        let of = |segment: &str| {
            let words = ["explain", segment, "--contact", "C", "--json"];
            place.run(&words).expect_code(0).stdout
        };
        assert_eq!(of(&format!("copy.{name}")), of("SM00001"), "{name}");
        let load = ["segment", "load", &format!("copy.{name}")];
        let _ = place.run(&load).expect_code(0);
        let mut copied = shown(&place, "COPY");
        if name == "lines.toml" {
            copied[0]["actions"] = before[0]["actions"].clone();
        }
        copied[0]["no"] = before[0]["no"].clone();
        assert_eq!(copied, before, "{name}");
        if name == "criteria.toml" {
            let replayed = place.run(&["segment", "criteria", "show", "COPY"]).expect_code(0).stdout;
            assert_eq!(replayed, criteria);
        }
        segment(&place, &["delete", "COPY"]);
    }
}

#[test]
fn a_file_with_steps_selects_as_the_commands_do() {
    let place = office();
    place.write(
        "steps.toml",
        "[segment]\nno = \"STEPS\"\ninteraction_template = \"T\"\n\
         [[select.step]]\nadd = \"city = 'Basel'\"\n\
         [[select.step]]\nreduce = \"no = 'F'\"\n\
         [[select.step]]\nadd = \"no = 'E'\"\noptions = { allow_existing = true }\n",
    );
    segment(&place, &["load", "steps.toml"]);
    let contacts: Vec<Value> =
        shown(&place, "STEPS")[1..].iter().map(|line| line["contact"].clone()).collect();
    assert_eq!(contacts, ["E", "E"]);
    place.write(
        "wrong.toml",
        "[segment]\ninteraction_template = \"T\"\n[[select.step]]\noptions = { allow_exsting = true }\n",
    );
    let ended = place.run(&["check", "wrong.toml"]).expect_code(1);
    assert!(ended.stderr.contains("unknown key `select.step.options.allow_exsting`"), "{}", ended.stderr);
    place.write("none.toml", "[segment]\ninteraction_template = \"T\"\n[[select.step]]\n");
    let ended = place.run(&["check", "none.toml"]).expect_code(1);
    assert!(ended.stderr.contains("step 1 of `[select]` has 0 actions, expected one"), "{}", ended.stderr);
}

#[test]
fn a_member_of_a_household_whose_address_is_suppressed_is_not_named_in_its_letter() {
    let place = office();
    let _ = place.run(&["contact", "set", "B", "email=Ben.Roth@Example.com"]).expect_code(0);
    let _ =
        place.run(&["contact", "suppress", "ben.roth@example.com", "--reason", "unsubscribe"]).expect_code(0);
    segment(&place, &["new", "interaction_template=T", "household=true"]);
    segment(&place, &["add", "SM00001", "no in ('A', 'B', 'G')"]);
    let _ = place.run(&["run", "SM00001"]).expect_code(0);
    let letters = place.files("out/SM00001/letters");
    let texts: Vec<String> = letters.iter().map(|name| support::docx::text(&place.read(name))).collect();
    assert_eq!(texts.len(), 2, "{letters:?}");
    assert!(texts[0].contains("Ann Roth and Gu Egli") && !texts[0].contains("Ben"), "{texts:?}");
    assert!(texts[1].contains("Ben Roth") && !texts[1].contains("Ann"), "{texts:?}");
}

#[test]
fn a_household_gets_one_letter_with_its_names_joined() {
    let place = office();
    segment(&place, &["new", "interaction_template=T", "household=true"]);
    segment(&place, &["add", "SM00001", "true"]);
    segment(&place, &["line", "SM00001", "G", "comment=My own"]);
    let standing: Vec<(String, String)> = shown(&place, "SM00001")[1..]
        .iter()
        .map(|line| ["contact", "standing"].map(|key| line[key].as_str().expect("a text").to_owned()).into())
        .collect();
    let expected = [
        ("A", "due"),
        ("B", "log-only: household of line 10000"),
        ("C", "suppressed: no-mail"),
        ("D", "due"),
        ("E", "due"),
        ("F", "log-only: household of line 50000"),
        ("G", "due"),
    ];
    let expected = expected.map(|(contact, standing)| (contact.to_owned(), standing.to_owned()));
    assert_eq!(standing, expected, "another language, a refusal and a comment stay by themselves");
    let ended = place.run(&["run", "SM00001", "--json"]).expect_code(0).report();
    assert_eq!(
        (&ended["written"], &ended["log_only"], &ended["suppressed"]),
        (&4.into(), &2.into(), &1.into())
    );
    let letter = |contact: &str| {
        let files = place.files("out/SM00001/letters");
        let file = files.iter().find(|file| file.contains(&format!(" {contact} "))).expect("a letter");
        let xml = support::docx::read(&place.read(file), "word/document.xml").expect("a main part");
        let runs = xml.split("<w:t").skip(1).filter_map(|run| run.split('>').nth(1)?.split('<').next());
        runs.collect::<String>()
    };
    let ann = letter("A");
    assert!(ann.contains("Ann and Ben Roth"), "{ann}");
    assert!(ann.contains("Dear Ms Roth, dear Mr Roth,"), "{ann}");
    let ed = letter("E");
    assert!(ed.contains("Ed Beck and Fa Curti") && ed.contains("Dear Mr Beck, dear Ms Curti,"), "{ed}");
    assert!(letter("G").contains("Gu Egli") && letter("G").contains("My own"), "{}", letter("G"));
    let entries = place.run(&["log", "list", "--contact", "B", "--json"]).expect_code(0).json_lines();
    assert_eq!(
        (&entries[0]["state"], &entries[0]["reason"]),
        (&"log-only".into(), &"household of line 10000".into())
    );
}
