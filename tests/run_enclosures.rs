//! Holds what several documents for one line promise: all of them for everybody, merged with the same values, on paper, by
//! e-mail and in the print file; one entry, one file each, and all of them or none.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use mail_parser::{MessageParser, MimeHeaders};
use mailrun::delivery::outbox::sha256;
use serde_json::json;

use support::docx::{Docx, code, field, merge_field, p, t, text};
use support::place::Place;

/// A place with three contacts, a letter, terms for everybody, and a form that leaves Bern out.
fn place_with(set_up: &str) -> Place {
    let place = Place::new();
    place.write(
        "contacts.csv",
        "no,name,address,post_code,city,email,language\nC1,Ada,Weg 1,8000,Basel,ada@example.com,en\n\
         C2,Ben,Weg 2,3000,Bern,ben@example.com,en\nC3,Cleo,Weg 3,8000,Basel,cleo@example.com,fr\n",
    );
    let document = |words: &str| Docx::new(&p(&format!("{}{}", t(words), merge_field("name")))).bytes();
    place.write("letter.docx", document("Letter to "));
    place.write("terms.docx", document("Terms for "));
    place.write("lettre.docx", document("Lettre à "));
    let skip = field(&(code(" SKIPIF ") + &merge_field("city") + &code(" = \"Bern\" ")), "");
    place.write(
        "more/form.docx",
        Docx::new(&p(&format!("{skip}{}{}", t("Form of "), merge_field("name")))).bytes(),
    );
    place.write(
        "segment.toml",
        "[segment]\nno = \"S1\"\ninteraction_template = \"L\"\n[contacts]\nfile = \"contacts.csv\"\n\
         [[template]]\ncode = \"L\"\ncorrespondence_type = \"hard-copy\"\ndefault_language = \"en\"\n\
         [template.languages]\n\
         en = { document = \"letter.docx\", subject = \"Hello\", enclosures = [\"terms.docx\", \"more/form.docx\"] }\n\
         fr = { document = \"lettre.docx\", subject = \"Bonjour\", enclosures = [\"more/form.docx\"] }\n\
         [template.email]\nattach = []\n",
    );
    let program =
        place.write("soffice", fs::read("tests/judges/office.py").expect("it is part of the project"));
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is ours");
    place.write("mailrun.toml", set_up);
    place
}

fn replace(place: &Place, file: &str, from: &str, to: &str) {
    let before = place.read_text(file);
    assert!(before.contains(from), "{before}");
    place.write(file, before.replace(from, to));
}

/// The files that a run makes of all lines, and what they say.
const WRITTEN: [(&str, &str); 7] = [
    ("010000 C1 Ada.docx", "Letter to Ada"),
    ("010000 C1 Ada_2 terms.docx", "Terms for Ada"),
    ("010000 C1 Ada_3 form.docx", "Form of Ada"),
    ("020000 C2 Ben.docx", "Letter to Ben"),
    ("020000 C2 Ben_2 terms.docx", "Terms for Ben"),
    ("030000 C3 Cleo.docx", "Lettre à Cleo"),
    ("030000 C3 Cleo_2 form.docx", "Form of Cleo"),
];

#[track_caller]
fn expect_written(place: &Place) {
    let files = place.files("out/S1/letters");
    let found = files.iter().map(|file| {
        let name = file.rsplit('/').next().expect("a path has a last step");
        (name.to_owned(), text(&place.read(file)).trim().to_owned())
    });
    let expected = WRITTEN.map(|(name, said)| (name.to_owned(), said.to_owned()));
    assert_eq!(found.collect::<BTreeMap<_, _>>(), BTreeMap::from(expected));
}

/// Fails unless each digest of a manifest is that of the file beside it; returns how many there are.
#[track_caller]
fn expect_digests(place: &Place) -> usize {
    let mut reader = csv::Reader::from_path(place.path("out/S1/manifest.csv")).expect("there is a manifest");
    let mut n_files = 0;
    for row in reader.records() {
        let row = row.expect("a row is CSV");
        let first = (row[7].to_owned(), row[8].to_owned());
        let enclosures = row[10].lines().filter_map(|line| line.split_once("  "));
        let enclosures = enclosures.map(|(digest, file)| (file.to_owned(), digest.to_owned()));
        for (file, digest) in [first].into_iter().chain(enclosures) {
            assert_eq!(sha256(&place.read(&format!("out/S1/{file}"))), digest, "{file}");
            n_files += 1;
        }
    }
    n_files
}

#[test]
fn everybody_gets_all_documents_and_one_that_leaves_a_contact_out_stays_behind() {
    let place = place_with("");
    let report = place.run(&["run", "segment.toml", "--json"]).expect_code(0).report();
    assert_eq!((&report["lines"], &report["written"]), (&json!(3), &json!(3)));
    expect_written(&place);
    assert_eq!(expect_digests(&place), 7);

    // The log makes them again, byte for byte.
    let again = place.run(&["log", "document", "1", "--out", "again"]).expect_code(0);
    assert_eq!(again.stdout.lines().count(), 3, "{}", again.stdout);
    for (name, _) in &WRITTEN[..3] {
        assert_eq!(
            place.read(&format!("again/{name}")),
            place.read(&format!("out/S1/letters/{name}")),
            "{name}"
        );
    }
    for (place_of_it, name) in [(None, WRITTEN[0].0), (Some("1"), WRITTEN[1].0), (Some("2"), WRITTEN[2].0)] {
        let mut words = vec!["log", "document", "1"];
        words.extend(place_of_it.into_iter().flat_map(|number| ["--enclosure", number]));
        let made = place.command(&words).output().expect("the program starts").stdout;
        assert_eq!(made, place.read(&format!("out/S1/letters/{name}")), "{name}");
    }
    for (number, help) in [("0", "it has 2 enclosures"), ("3", "it has 2 enclosures")] {
        let ended = place.run(&["log", "document", "1", "--enclosure", number]).expect_code(1);
        assert!(ended.stderr.contains(help), "{}", ended.stderr);
    }

    // A resend brings all of them, and the entry stays one.
    fs::remove_dir_all(place.path("out/S1/letters")).expect("it is ours");
    let _ = place.run(&["log", "resend", "1", "2", "3"]).expect_code(0);
    expect_written(&place);
    assert_eq!(place.run(&["log", "list", "--json"]).expect_code(0).json_lines().len(), 3);
    let shown = place.run(&["log", "show", "1", "--json"]).expect_code(0).report();
    let enclosures = shown["enclosures"].as_str().expect("a text");
    assert!(enclosures.ends_with("  010000 C1 Ada_3 form.docx"), "{enclosures}");

    // What a person had goes away with it, and is named.
    let erased = place.run(&["contact", "erase", "C1", "--yes"]).expect_code(0);
    assert!(erased.stderr.contains("out/S1/letters/010000 C1 Ada_3 form.docx"), "{}", erased.stderr);
    let shown = place.run(&["log", "show", "1", "--json"]).expect_code(0).report();
    assert_eq!(shown["enclosures"], "");
}

#[test]
fn a_disk_that_fails_leaves_no_letter_without_its_enclosures_and_a_resume_brings_the_rest() {
    let mut n_stopped = 0;
    for number in 1..=7 {
        let place = place_with("");
        let inject = format!("inject=renameat:error=EIO:when={number}");
        let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=renameat", "-e", &inject];
        let ended = place.run_under(&strace, &["run", "segment.toml"]);
        if ended.code == Some(0) {
            continue;
        }
        n_stopped += 1;
        let files = place.files("out/S1/letters");
        for (letter, n_enclosures) in [(WRITTEN[0].0, 2), (WRITTEN[3].0, 1), (WRITTEN[5].0, 1)] {
            let stem = letter.trim_end_matches(".docx");
            if files.iter().any(|file| file.ends_with(letter)) {
                let n_found = files.iter().filter(|file| file.contains(&format!("{stem}_"))).count();
                assert_eq!(n_found, n_enclosures, "{number}: {files:?}");
            }
        }
        let _ = place.run(&["resume"]).expect_code(0);
        expect_written(&place);
        assert_eq!(expect_digests(&place), 7);
    }
    assert!(n_stopped > 5, "{n_stopped}");
}

/// The attachments of the message to a contact, by name.
fn attached(place: &Place, contact: &str) -> Vec<(String, Vec<u8>)> {
    let messages = place.files("out/S1/outbox");
    let message = messages.iter().find(|file| file.contains(contact)).expect("there is a message");
    let bytes = place.read(message);
    let message = MessageParser::default().parse(&bytes).expect("it is a message");
    let name = |part: &mail_parser::MessagePart<'_>| part.attachment_name().unwrap_or_default().to_owned();
    message.attachments().map(|part| (name(part), part.contents().to_vec())).collect()
}

#[test]
fn a_message_takes_along_all_documents_in_the_forms_that_it_attaches() {
    for (attach, of_ada, of_ben) in [
        ("[]", &["terms.docx", "form.docx"][..], &["terms.docx"][..]),
        ("[\"docx\"]", &["Hello.docx", "terms.docx", "form.docx"], &["Hello.docx", "terms.docx"]),
        ("[\"pdf\"]", &["Hello.pdf", "terms.pdf", "form.pdf"], &["Hello.pdf", "terms.pdf"]),
        (
            "[\"pdf\", \"contacts.csv\"]",
            &["Hello.pdf", "terms.pdf", "form.pdf", "contacts.csv"],
            &["Hello.pdf", "terms.pdf", "contacts.csv"],
        ),
    ] {
        let place = place_with(
            "[smtp]\nfrom = \"us@example.com\"\nmessage_limit = \"1 MB\"\n[pdf]\nsoffice = \"./soffice\"\nworkers = 1\n",
        );
        replace(&place, "segment.toml", "hard-copy", "email");
        replace(&place, "segment.toml", "attach = []", &format!("attach = {attach}"));
        let _ = place.run(&["run", "segment.toml"]).expect_code(0);
        for (contact, name, expected) in [("C1", "Ada", of_ada), ("C2", "Ben", of_ben)] {
            let found = attached(&place, contact);
            let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, expected, "{attach}");
            for (file, bytes) in &found {
                let said = match file.rsplit('.').next() {
                    Some("docx") => text(bytes),
                    Some("pdf") => {
                        place.write("found.pdf", bytes);
                        let output = Command::new("pdftotext").arg(place.path("found.pdf")).arg("-").output();
                        String::from_utf8(output.expect("pdftotext runs").stdout).expect("it is UTF-8")
                    }
                    _ => continue,
                };
                let word = match file.split('.').next() {
                    Some("terms") => "Terms for",
                    Some("form") => "Form of",
                    _ => "Letter to",
                };
                assert!(said.contains(&format!("{word} {name}")), "{attach} {file}: {said}");
            }
        }
    }
}

#[test]
fn a_copy_for_a_seed_has_the_enclosures_without_the_words_for_its_contact() {
    let place = place_with("[smtp]\nfrom = \"us@example.com\"\nseeds = [\"archive@example.com\"]\n");
    replace(&place, "segment.toml", "hard-copy", "email");
    let comments =
        ["C1", "C2", "C3"].map(|no| format!("[[line]]\ncontact = \"{no}\"\ncomment = \"For {no} alone\"\n"));
    place.write("segment.toml", place.read_text("segment.toml") + &comments.concat());
    for document in ["terms.docx", "lettre.docx"] {
        let body = p(&format!("{}{} {}", t("Terms for "), merge_field("name"), merge_field("comment")));
        place.write(document, Docx::new(&body).bytes());
    }
    let _ = place.run(&["run", "segment.toml"]).expect_code(0);
    let said = |contact: &str| text(&attached(&place, contact)[0].1);
    assert!(said("C1").contains("For C1 alone"), "{}", said("C1"));
    let copy = said("seed archive@example.com");
    assert!(copy.contains("Terms for Ada") && !copy.contains("alone"), "{copy}");
}

#[test]
fn a_limit_of_a_message_counts_its_enclosures() {
    let place = place_with("[smtp]\nfrom = \"us@example.com\"\nmessage_limit = \"2 kB\"\n");
    replace(&place, "segment.toml", "hard-copy", "email");
    replace(&place, "segment.toml", ", enclosures = [\"terms.docx\", \"more/form.docx\"]", "");
    replace(&place, "segment.toml", ", enclosures = [\"more/form.docx\"]", "");
    let _ = place.run(&["check", "segment.toml"]).expect_code(0);
    replace(
        &place,
        "segment.toml",
        "subject = \"Hello\"",
        "subject = \"Hello\", enclosures = [\"terms.docx\"]",
    );
    let checked = place.run(&["check", "segment.toml"]).expect_code(1);
    assert!(checked.stderr.contains("the message has"), "{}", checked.stderr);
    assert_eq!(checked.stderr.matches("contact C").count(), 2, "{}", checked.stderr);
}

#[test]
fn a_print_file_has_the_documents_of_a_line_behind_each_other_each_on_a_sheet_of_its_own() {
    for (duplex, expected) in [
        (false, [("3", "3", "1"), ("2", "2", "4"), ("2", "2", "6")]),
        (true, [("3", "3", "1"), ("2", "2", "7"), ("2", "2", "11")]),
    ] {
        let place = place_with(
            "[output]\nletters = \"both\"\n[pdf]\nsoffice = \"./soffice\"\nworkers = 1\n\
             [print.marks]\npages = { left = 185, top = 290, size = 8 }\n",
        );
        let mut words = vec!["run", "segment.toml", "--print"];
        words.extend(duplex.then_some("--duplex"));
        let _ = place.run(&words).expect_code(0);
        let mut reader = csv::Reader::from_path(place.path("out/S1/manifest.csv")).expect("a manifest");
        let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row is CSV")).collect();
        let found: Vec<_> = rows.iter().map(|row| (&row[4], &row[5], &row[6])).collect();
        assert_eq!(found, expected);
        assert_eq!(expect_digests(&place), 7);
        // Beside each PDF stands its Word document, and whoever is erased is told of each.
        assert_eq!(place.files("out/S1/letters").len(), 14);
        let erased = place.run(&["contact", "erase", "C1", "--yes", "--json"]).expect_code(0).report();
        let named = erased["files"].as_array().expect("a list").iter().filter_map(|file| file.as_str());
        let mut named: Vec<&str> = named.filter_map(|file| file.strip_prefix("[here]/")).collect();
        named.sort_unstable();
        let mut of_ada = place.files("out/S1/letters");
        of_ada.retain(|file| file.contains(" C1 "));
        assert_eq!(named, of_ada);
        let pages = Command::new("pdftotext").arg(place.path("out/S1/combined.pdf")).arg("-").output();
        let pages = String::from_utf8(pages.expect("pdftotext runs").stdout).expect("it is UTF-8");
        let of_page = |page: &str| page.split_whitespace().collect::<Vec<_>>().join(" ");
        let pages: Vec<String> = pages.split('\u{c}').map(of_page).filter(|page| !page.is_empty()).collect();
        assert_eq!(
            pages,
            [
                "Letter to Ada 1/3",
                "Terms for Ada 2/3",
                "Form of Ada 3/3",
                "Letter to Ben 1/2",
                "Terms for Ben 2/2",
                "Lettre à Cleo 1/2",
                "Form of Cleo 2/2"
            ]
        );
    }
}

#[test]
fn a_fault_of_an_enclosure_stops_its_line_and_says_which_it_is() {
    let place = place_with("[output]\nletters = \"pdf\"\n[pdf]\nsoffice = \"./soffice\"\nworkers = 1\n");
    replace(&place, "contacts.csv", "Ben,", "Ben Garbage,");
    replace(&place, "segment.toml", "document = \"letter.docx\"", "document = \"plain.docx\"");
    place.write("plain.docx", Docx::new(&p(&t("The same for everybody"))).bytes());
    let report = place.run(&["run", "segment.toml", "--json"]).expect_code(3).report();
    assert_eq!((&report["failed"], &report["written"]), (&json!(1), &json!(2)));
    let failed = place.run(&["log", "show", "2", "--json"]).expect_code(0).report();
    let reason = failed["reason"].as_str().expect("a text");
    assert!(reason.starts_with("terms.docx: it is no PDF"), "{reason}");
    assert!(place.files("out/S1/letters").iter().all(|file| !file.contains("C2")));

    let place = place_with("");
    place.write("terms.docx", Docx::new(&p(&merge_field("Nmae"))).bytes());
    let checked = place.run(&["check", "segment.toml"]).expect_code(1);
    assert!(checked.stderr.contains("merge field `Nmae`"), "{}", checked.stderr);
    assert!(checked.stderr.contains("--> terms.docx"), "{}", checked.stderr);
    fs::remove_file(place.path("more/form.docx")).expect("it is ours");
    let checked = place.run(&["check", "segment.toml"]).expect_code(1);
    assert!(checked.stderr.contains("more/form.docx"), "{}", checked.stderr);
}

#[test]
fn what_goes_along_is_explained_and_previewed_before_anything_happens() {
    let place = place_with("");
    replace(&place, "segment.toml", "[contacts]", "documents = { en = \"own.docx\" }\n[contacts]");
    place.write("own.docx", Docx::new(&p(&t("The segment's own"))).bytes());
    let lines =
        place.run(&["explain", "segment.toml", "--contact", "C1", "--json"]).expect_code(0).json_lines();
    let value = |name: &str| {
        lines.iter().find(|line| line["name"] == name).expect("it is explained")["value"].clone()
    };
    assert!(value("document").as_str().expect("a text").starts_with("own.docx ("), "{}", value("document"));
    assert_eq!(value("enclosures"), "terms.docx, form.docx");
    let lines =
        place.run(&["explain", "segment.toml", "--contact", "C2", "--json"]).expect_code(0).json_lines();
    let of_ben = lines.iter().find(|line| line["name"] == "enclosures").expect("it is explained");
    assert_eq!(
        (&of_ben["value"], &of_ben["rule"]),
        (&json!("terms.docx"), &json!("the interaction template's"))
    );
    let _ = place.run(&["preview", "segment.toml", "--contact", "C1"]).expect_code(0);
    let said: Vec<String> =
        place.files("out/S1/preview").iter().map(|file| text(&place.read(file)).trim().to_owned()).collect();
    assert_eq!(said.len(), 3);
    for expected in ["The segment's own", "Terms for Ada", "Form of Ada"] {
        assert!(said.iter().any(|said| said == expected), "{said:?}");
    }
}

#[test]
fn enclosures_are_set_exported_and_imported_by_command() {
    let place = place_with("");
    let set = ["template", "set", "T", "default_language=en", "--document", "en=letter.docx"];
    let enclosures = ["--enclosure", "en=terms.docx", "--enclosure", "en=more/form.docx"];
    let _ = place.run(&[&set[..], &enclosures].concat()).expect_code(0);
    let template = || place.run(&["template", "show", "T", "--json"]).expect_code(0).report();
    let first = template();
    assert_eq!(first["languages"]["en"]["enclosures"].as_array().map(Vec::len), Some(2), "{first}");
    let fields = place.run(&["template", "fields", "T"]).expect_code(0);
    assert_eq!(fields.stdout.matches("MERGEFIELD name").count(), 3, "{}", fields.stdout);

    let _ = place.run(&["template", "export", "templates.csv"]).expect_code(0);
    let _ = place.run(&["template", "set", "T", "--enclosure", "en="]).expect_code(0);
    assert_eq!(template()["languages"]["en"]["enclosures"].as_array(), None);
    let _ = place.run(&["template", "import", "templates.csv"]).expect_code(0);
    let digests = |template: serde_json::Value| template["languages"]["en"]["enclosures"].clone();
    assert_eq!(digests(template()), digests(first.clone()));
    // A table without the column leaves them; a blank cell takes them away.
    place.write("partly.csv", "code,language,subject\nT,en,Hello\n");
    let _ = place.run(&["template", "import", "partly.csv"]).expect_code(0);
    assert_eq!(digests(template()), digests(first));
    place.write("partly.csv", "code,language,subject,enclosures\nT,en,Hello,\n");
    let _ = place.run(&["template", "import", "partly.csv"]).expect_code(0);
    assert_eq!(template()["languages"]["en"]["enclosures"].as_array(), None);
}
