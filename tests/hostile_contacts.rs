//! Holds that a hostile contact harms no output: nothing is injected, nothing leaves its folder, nothing is lost that a
//! reader should see. Each hostile text stands in each field of a contact of its own, and goes through every output.

mod support;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use support::docx::{Docx, p, t};
use support::place::Place;
use support::post::HEADERS;

/// The fields of a contact that letters, messages and file names show.
const FIELDS: [&str; 10] = [
    "name",
    "first_name",
    "surname",
    "job_title",
    "company_name",
    "address",
    "post_code",
    "city",
    "phone",
    "note",
];

fn hostile_texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "line\r\nBcc: eve@example.com\r\n\r\nbody",
        "line\nX-Evil: 1",
        "line\rX-Evil: 1",
        "nul\0inside",
        "esc\u{1b}[31mred\u{9b}2J",
        "\u{202E}gpj.exe\u{202C} \u{2066}isolate\u{2069}",
        "line\u{2028}X-Evil: 1\u{2029}\u{85}X-Evil: 2",
        "=1+1",
        "@SUM(1+1)*cmd|' /C calc'!A0",
        "=?utf-8?q?=0D=0AX-Evil:_1?=",
        "<script>alert(1)</script><img src=x onerror=alert(1)>&amp;",
        "{{contact.no}} {{{x}}} \u{ab}MERGEFIELD x\u{bb}",
        "..",
        "../../../etc/passwd",
        "C:\\Windows\\system32",
        "CON",
        "nul.docx",
        "\"quoted\" \\ back, semi; (comment) <eve@example.com>",
    ]
    .map(str::to_owned)
    .into();
    texts.push("n".repeat(300));
    texts.push("ü".repeat(300));
    texts.push("M ".repeat(1 << 19) + "M");
    texts
}

struct Hostile {
    no: String,
    field: &'static str,
    text: String,
}

impl Hostile {
    /// What a template gets for a field.
    fn value(&self, field: &str) -> &str {
        match field {
            _ if field == self.field => &self.text,
            "first_name" => "Ann",
            "surname" => "Arnold",
            "name" => "Ann Arnold",
            _ => "x",
        }
    }
}

fn hostile_contacts() -> Vec<Hostile> {
    let texts = hostile_texts();
    let of_field = |field| texts.iter().map(move |text| (field, text.clone()));
    let all = FIELDS.into_iter().flat_map(of_field);
    (1..)
        .zip(all)
        .map(|(number, (field, text))| Hostile { no: format!("H{number:04}"), field, text })
        .collect()
}

/// A place whose contacts are hostile, and whose letters, bodies and subjects show every field.
fn place_with(contacts: &[Hostile], correspondence_type: &str, body: &str) -> Place {
    let place = Place::with_copy_of("templates/init");
    let rows = contacts.iter().map(|contact| {
        let mut row =
            json!({ "no": contact.no, "email": format!("{}@example.com", contact.no.to_lowercase()) });
        for field in FIELDS {
            row[field] = contact.value(field).into();
        }
        row
    });
    place.write("contacts.json", Value::Array(rows.collect()).to_string());
    let tag = |field: &&str| format!("{field} {{{{contact.{field}}}}}");
    let letter: String = FIELDS.iter().map(|field| p(&t(&tag(field)))).collect();
    place.write("letter.docx", Docx::new(&letter).bytes());
    let lines: Vec<String> = FIELDS.iter().map(tag).collect();
    place.write("body.txt.hbs", lines.join("\n"));
    place.write("body.html.hbs", format!("<p>{}</p>", lines.join("</p>\n<p>")));
    let subject = FIELDS.map(|field| format!("{{{{contact.{field}}}}}")).join(" ");
    let segment = place.read_text("segment.toml");
    let segment = segment.split("[[line]]").next().expect("a split has a first part").to_owned();
    let header = format!(
        "[segment]\nno = \"SM00001\"\nignore_contact_correspondence_type = true\n\
         correspondence_type = \"{correspondence_type}\"\n"
    );
    let segment = segment
        .replace("[segment]\n", &header)
        .replace("contacts.csv", "contacts.json")
        .replace("map = { \"Company\" = \"company_name\" }", "")
        .replace("Come and see our workshop", &subject)
        .replace("body = \"document\"", &format!("body = \"{body}\""));
    place.write("segment.toml", segment);
    let report = place.run(&["run", "segment.toml", "--json"]).expect_code(0).report();
    assert_eq!(report["written"], contacts.len(), "{report}");
    place
}

/// What a header keeps of a text: one line, single blanks, no control characters, nothing that turns text around.
fn in_a_header(text: &str) -> String {
    let turned = |c: char| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let blank = |c: char| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c };
    let kept: String = text.chars().filter(|c| !turned(*c)).map(blank).collect();
    kept.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What a text keeps: all but control characters, with line breaks of one kind.
fn in_a_text(text: &str) -> String {
    let breaks = text.replace("\r\n", "\n").replace('\r', "\n");
    breaks.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// What a letter keeps: all that XML 1.0 can hold (§2.2), with line breaks of one kind, Unicode's among them.
fn in_a_letter(text: &str) -> String {
    let breaks = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n");
    breaks.chars().filter(|c| *c >= ' ' || matches!(c, '\n' | '\t')).collect()
}

#[track_caller]
fn expect_same(found: &str, expected: &str, what: &str) {
    let n_same = found.chars().zip(expected.chars()).take_while(|(one, other)| one == other).count();
    let rest = |text: &str| text.chars().skip(n_same).take(100).collect::<String>();
    assert!(found == expected, "{what} differs at {n_same}: {:?} is not {:?}", rest(found), rest(expected));
}

/// The manifest's rows; every file that it names is in its folder, and no other is there.
fn manifest(place: &Place) -> Vec<csv::StringRecord> {
    let mut reader =
        csv::Reader::from_path(place.path("out/SM00001/manifest.csv")).expect("there is a manifest");
    let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row is CSV")).collect();
    let named: BTreeSet<String> = rows.iter().map(|row| format!("out/SM00001/{}", &row[7])).collect();
    assert_eq!(named.len(), rows.len(), "two lines have one file");
    let mut there: BTreeSet<String> = place.files("out").into_iter().collect();
    assert!(there.remove("out/SM00001/manifest.csv"));
    assert!(there.remove("out/SM00001/.mailrun-run"));
    assert_eq!(named, there);
    for name in &named {
        let name = name.rsplit('/').next().expect("a path has a last step");
        let is_harmful = |c: char| {
            c.is_control()
                || "\\:*?\"<>|".contains(c)
                || matches!(c, '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
        };
        assert!(name.len() <= 120 && !name.contains(is_harmful) && !name.starts_with('.'), "{name:?}");
    }
    for row in &rows {
        for cell in row {
            assert!(
                !cell.starts_with(['=', '@', '+', '-', '\t', '\r']),
                "a spreadsheet would compute {cell:?}"
            );
        }
        let digest = Sha256::digest(place.read(&format!("out/SM00001/{}", &row[7])));
        assert_eq!(row[8], digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    }
    rows
}

#[test]
fn hostile_values_reach_a_letter_as_text_and_a_file_name_safely() {
    let contacts = hostile_contacts();
    let place = place_with(&contacts, "hard-copy", "document");
    let rows = manifest(&place);
    assert_eq!(rows.len(), contacts.len());
    let files: Vec<_> = rows.iter().map(|row| place.path(&format!("out/SM00001/{}", &row[7]))).collect();
    for (contact, text) in contacts.iter().zip(support::python::text(&files)) {
        let expected: Vec<String> =
            FIELDS.iter().map(|field| format!("{field} {}", in_a_letter(contact.value(field)))).collect();
        expect_same(&text.body.join("\n"), &expected.join("\n"), &format!("the letter of {}", contact.no));
    }
}

#[test]
fn hostile_values_inject_nothing_into_a_message() {
    let contacts = hostile_contacts();
    for body in ["body.txt.hbs", "body.html.hbs"] {
        let place = place_with(&contacts, "email", body);
        let rows = manifest(&place);
        assert_eq!(rows.len(), contacts.len());
        let paths =
            rows.iter().map(|row| format!("{}\n", place.path(&format!("out/SM00001/{}", &row[7])).display()));
        let messages: Vec<Value> =
            support::python::asked("tests/judges/message.py", &paths.collect::<String>());
        assert_eq!(messages.len(), contacts.len());
        for (contact, message) in contacts.iter().zip(&messages) {
            let what = |part: &str| format!("the {part} of {} ({}, {body})", contact.no, contact.field);
            assert_eq!(message["headers"], json!(HEADERS), "{}", what("headers"));
            assert_eq!(message["defects"], json!([]), "{}", what("defects"));
            assert_eq!(message["to_address"], format!("{}@example.com", contact.no.to_lowercase()));
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let subject = FIELDS.map(|field| contact.value(field)).join(" ");
            expect_same(&text(&message["subject"]), &in_a_header(&subject), &what("subject"));
            if body == "body.txt.hbs" {
                let lines: Vec<String> = FIELDS
                    .iter()
                    .map(|field| format!("{field} {}", in_a_text(contact.value(field))))
                    .collect();
                let found = text(&message["texts"]["text/plain"]).replace("\r\n", "\n");
                expect_same(&found, &lines.join("\n"), &what("text"));
            } else {
                let html = text(&message["texts"]["text/html"]);
                assert!(!html.contains("<script") && !html.contains("<img"), "{}", what("HTML"));
            }
            let attachments = message["attachments"].as_array().expect("a list");
            assert_eq!(attachments.len(), 1, "{}", what("attachments"));
            let name = text(&attachments[0][0]);
            assert!(
                name.ends_with(".docx") && name.len() <= 120 && !name.contains(['/', '\\', '\0', '\n']),
                "{name:?}"
            );
        }
    }
}

#[test]
fn hostile_values_are_harmless_on_a_terminal_and_whole_as_json() {
    let contacts = hostile_contacts();
    let place = place_with(&contacts, "email", "body.txt.hbs");
    let no_of = |number: usize| contacts[number].no.as_str();
    let is_harmful = |c: char| {
        (c.is_control() && c != '\n') || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    let commands: [&[&str]; 6] = [
        &["log", "list"],
        &["log", "show", "4"],
        &["contact", "list"],
        &["contact", "show", no_of(3)],
        &["contact", "show", no_of(4)],
        &["logged", "list"],
    ];
    for command in commands {
        let ended = place.run(command).expect_code(0);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        let found = said.find(is_harmful).map(|at| said[at..].chars().take(20).collect::<String>());
        assert_eq!(found, None, "{command:?}");
    }
    let log = place.run(&["log", "list", "--json"]).expect_code(0).json_lines();
    assert_eq!(log.len(), contacts.len());
    let listed = place.run(&["contact", "list", "--json"]).expect_code(0).json_lines();
    assert_eq!(listed.len(), contacts.len());
    for (contact, listed) in contacts.iter().zip(&listed) {
        assert_eq!(listed["no"], contact.no);
        for field in FIELDS {
            let found = listed[field].as_str().unwrap_or_default();
            expect_same(found, contact.value(field), &format!("{field} of {}", contact.no));
        }
    }
    // No name forges a row.
    let rows = place.run(&["contact", "list"]).expect_code(0).stdout;
    let forged = contacts.iter().zip(rows.lines()).find(|(contact, row)| !row.starts_with(&contact.no));
    assert_eq!((rows.lines().count(), forged.map(|(_, row)| row)), (contacts.len(), None));
}

#[test]
fn a_hostile_mail_address_is_a_problem_and_nothing_is_written() {
    for address in [
        "a@example.com\r\nBcc: eve@example.com",
        "a@example.com, eve@example.com",
        "a\0@example.com",
        "a@exam ple.com",
    ] {
        let place = Place::with_copy_of("templates/init");
        let contacts = json!([{ "no": "1003", "email": address, "correspondence_type": "email", "first_name": "Ann", "surname": "A" }]);
        place.write("contacts.json", contacts.to_string());
        let segment = place.read_text("segment.toml").replace("contacts.csv", "contacts.json");
        place.write("segment.toml", segment.replace("map = { \"Company\" = \"company_name\" }", ""));
        let setup = place.read_text("mailrun.toml").replace("email = \"hard-copy\"", "");
        place.write("mailrun.toml", setup);
        let ended = place.run(&["run", "segment.toml"]).expect_code(1);
        assert!(ended.stderr.contains("mail address"), "{}", ended.stderr);
        assert_eq!(place.files("out"), Vec::<String>::new(), "{address:?}");
    }
}
