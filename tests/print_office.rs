//! Letters as PDF by the real LibreOffice: as they look alone, every page accounted for, and nothing fetched.

mod support;

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use serde_json::{Value, json};
use support::docx::{Docx, RELATIONSHIPS, code, field, merge_field, p, t};
use support::place::Place;

/// The last contacts of the spring appeal who get a letter here: together, and alone, which takes long.
const LAST_TOGETHER: &str = "CT000030";
const LAST_ALONE: &str = "CT000008";

/// A comment so long that the letter needs a page more.
const LONG: &str = "Every line of this comment is a line of the letter.\\n";

/// Calls LibreOffice and writes down how many documents it was given.
const SOFFICE: &str = "#!/bin/sh\nfor it; do case $it in *.docx) echo $it >>\"$(dirname \"$0\")/given\";; esac; done\nexec soffice \"$@\"\n";

/// The spring appeal as it ships, for its contacts up to the last, all on paper; one of them with a long comment.
fn few_of_the_spring_appeal(last: &str, set_up: &str) -> Place {
    let place = Place::with_copy_of("fixtures/spring-appeal");
    let project = env!("CARGO_MANIFEST_DIR");
    let segment = place.read_text("segment.toml").replace("../..", project);
    let segment = segment.split("[lines]").next().unwrap_or_default();
    let line = format!("[[line]]\ncontact = \"CT000004\"\ncomment = \"{}\"\n", LONG.repeat(60));
    place.write("segment.toml", format!("{segment}\n{line}"));
    for file in ["contacts.csv", "orders.csv", "addresses.csv"] {
        place.write(file, first_contacts(&place.read(file), last));
    }
    write_soffice(&place);
    let office = place.read_text("mailrun.toml");
    place.write(
        "mailrun.toml",
        format!("{office}\n[output]\nletters = \"pdf\"\n[pdf]\nsoffice = \"./soffice\"\n{set_up}"),
    );
    place
}

fn write_soffice(place: &Place) {
    let program = place.write("soffice", SOFFICE);
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is ours");
}

/// The rows of the first contacts in a table of the spring appeal; all of them want letters on paper.
fn first_contacts(table: &[u8], last: &str) -> Vec<u8> {
    let mut reader = csv::Reader::from_reader(table);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let header = reader.headers().expect("there is a header").clone();
    let at = |name: &str| header.iter().position(|it| it == name);
    let contact = at("contact_no").or(at("contact")).or(at("no")).expect("a row is a contact's");
    let kind = at("correspondence_type");
    writer.write_record(&header).expect("memory can be written");
    for row in reader.records() {
        let row = row.expect("a row");
        if row[contact] <= *last {
            let cell = |(at, cell)| if Some(at) == kind { "hard-copy" } else { cell };
            writer.write_record(row.iter().enumerate().map(cell)).expect("memory can be written");
        }
    }
    writer.into_inner().expect("memory can be written")
}

/// The letters laid out together, archived, and printed on both sides.
static TOGETHER: LazyLock<(Place, Value)> = LazyLock::new(|| {
    let place = few_of_the_spring_appeal(LAST_TOGETHER, "chunk = 9\nstandard = \"pdf/a-2b\"\n");
    let arguments = ["run", "segment.toml", "--print=presorted", "--duplex", "--json"];
    let report = place.run(&arguments).expect_code(0).report();
    (place, report)
});

/// Asks a judge of `tests/judges`, which must find nothing.
#[track_caller]
fn judged(script: &str, arguments: &[PathBuf]) -> String {
    let output = Command::new("python3").arg(format!("tests/judges/{script}")).args(arguments).output();
    let output = output.expect("python runs");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_letter_looks_as_it_does_alone_and_few_documents_are_laid_out() {
    let (together, _) = &*TOGETHER;
    let n_letters = together.files("out/SM00001/letters").len();
    assert!(n_letters > 20, "{n_letters}");
    // Chunks of up to nine letters of three templates, and two letters of each as a trial.
    let given = together.read_text("given").lines().count();
    assert!(given < n_letters / 2, "{given} documents of {n_letters} letters");
    let alone = few_of_the_spring_appeal(LAST_ALONE, "chunk = 1\nstandard = \"pdf/a-2b\"\n");
    let _ = alone.run(&["run", "segment.toml"]).expect_code(0);
    let n_alone = alone.files("out/SM00001/letters").len();
    assert_eq!(alone.read_text("given").lines().count(), n_alone);
    let said = judged("same_pages.py", &[&alone, together].map(|place| place.path("out/SM00001/letters")));
    assert!(said.ends_with(&format!(" pages of {n_alone} files\n")), "{said}");
    assert!(n_alone > 4, "{n_alone}");
}

#[test]
fn letters_are_laid_out_together_however_they_end() {
    let pages = field(&code(" NUMPAGES "), &t("9"));
    let text = format!("{}{}", t("A letter for "), merge_field("Name"));
    let cursor = "<w:bookmarkStart w:id=\"7\" w:name=\"_GoBack\"/><w:bookmarkEnd w:id=\"7\"/>";
    let table = format!(
        "<w:tbl><w:tblPr/><w:tblGrid><w:gridCol/></w:tblGrid><w:tr><w:tc>{}</w:tc></w:tr></w:tbl>",
        p(&text)
    );
    for (name, body) in [
        ("one paragraph with its number of pages", p(&format!("{text}{}{pages}", t(", pages: ")))),
        ("a cursor at the end", p(&t("Hello")) + &p(&format!("{text}{cursor}"))),
        (
            "a page that breaks",
            p(&text) + &p("<w:r><w:br w:type=\"page\"/></w:r>") + &p(&format!("{text}{pages}")),
        ),
        ("a table", table.clone() + &p(&pages)),
        ("a paragraph without text", p(&pages) + &table + "<w:p/>"),
    ] {
        let place = Place::new();
        write_soffice(&place);
        place.write("mailrun.toml", "[pdf]\nsoffice = \"./soffice\"\nworkers = 1\n");
        place.write("letter.docx", Docx::new(&body).bytes());
        let records: Vec<Value> = ["Ada", "Grace", "Edsger", "Barbara", "Donald", "Frances"]
            .map(|name| json!({ "Name": name }))
            .to_vec();
        place.write("data.json", Value::from(records).to_string());
        let _ = place.run(&["merge", "letter.docx", "data.json", "--pdf", "--out", "letters"]).expect_code(0);
        // All of them together, and the first and the last as a trial.
        assert_eq!(place.read_text("given").lines().count(), 3, "{name}");
        assert_eq!(place.files("letters").len(), 6, "{name}");
    }
}

#[test]
fn a_print_file_of_real_letters_accounts_for_every_page_on_its_sheet() {
    let (place, report) = &*TOGETHER;
    let n_letters = place.files("out/SM00001/letters").len();
    assert_eq!(report["written"], n_letters);
    let at = |name: &str| place.path(&format!("out/SM00001/{name}"));
    let said = judged("print_file.py", &[at("combined.pdf"), at("manifest.csv"), "duplex".into()]);
    let ticket: Value = serde_json::from_slice(&place.read("out/SM00001/ticket.json")).expect("it is JSON");
    let (pages, sheets) = (ticket["pages"].as_u64(), ticket["sheets"].as_u64().unwrap_or_default());
    assert!(pages > Some(n_letters as u64), "a letter has two pages: {ticket}");
    assert_eq!(said, format!("{} pages of {n_letters} letters\n", 2 * sheets));
    let ready = Command::new("sha256sum").args(["--quiet", "-c", "READY"]).current_dir(at("")).status();
    assert!(ready.expect("sha256sum runs").success());
    let checked = Command::new("qpdf").arg("--check").arg(at("combined.pdf")).output();
    assert!(checked.expect("qpdf runs").status.success());
}

#[test]
fn letters_for_the_archive_have_what_pdf_a_asks_for() {
    let (place, _) = &*TOGETHER;
    let subject = "Sunlight for fourteen school roofs";
    let entries = place.run(&["log", "list", "--json"]).expect_code(0).json_lines();
    let of_subject = entries.iter().filter(|entry| entry["subject"] == subject);
    let files = of_subject.filter_map(|entry| entry["file"].as_str());
    let files = files.map(|name| place.path(&format!("out/SM00001/letters/{name}")));
    let arguments: Vec<PathBuf> = ["2", subject].map(PathBuf::from).into_iter().chain(files).collect();
    assert!(arguments.len() > 4, "{arguments:?}");
    judged("archived.py", &arguments);
}

#[test]
fn a_document_that_links_out_is_laid_out_without_asking_for_anything() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.set_nonblocking(true).expect("a listener need not wait");
    let address = format!("http://{}", listener.local_addr().expect("it has an address"));
    let place = Place::new();
    let picture = format!(
        "<w:drawing><wp:inline xmlns:wp=\"http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing\">\
         <wp:extent cx=\"900000\" cy=\"900000\"/><wp:docPr id=\"1\" name=\"P\"/>\
         <a:graphic xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\">\
         <a:graphicData uri=\"http://schemas.openxmlformats.org/drawingml/2006/picture\">\
         <pic:pic xmlns:pic=\"http://schemas.openxmlformats.org/drawingml/2006/picture\"><pic:nvPicPr>\
         <pic:cNvPr id=\"1\" name=\"P\"/><pic:cNvPicPr/></pic:nvPicPr>\
         <pic:blipFill><a:blip xmlns:r=\"{RELATIONSHIPS}\" r:link=\"rIdOut\"/><a:stretch><a:fillRect/></a:stretch>\
         </pic:blipFill><pic:spPr><a:xfrm><a:off x=\"0\" y=\"0\"/><a:ext cx=\"900000\" cy=\"900000\"/></a:xfrm>\
         <a:prstGeom prst=\"rect\"/></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing>"
    );
    let included = field(&code(&format!(" INCLUDEPICTURE \"{address}/included.png\" \\d ")), &t("picture"));
    let body = p(&format!("{}{}", t("A letter for "), merge_field("Name")))
        + &p(&format!("<w:r>{picture}</w:r>"))
        + &p(&included);
    let docx = Docx::new(&body).linked("rIdOut", &format!("{address}/linked.png"));
    let outside = support::docx::changed(&docx.bytes(), "word/_rels/document.xml.rels", |text| {
        text.replace("/hyperlink", "/image")
    });
    place.write("letter.docx", outside);
    place.write("data.json", json!([{ "Name": "Ada" }]).to_string());
    let _ = place.run(&["merge", "letter.docx", "data.json", "--pdf", "--out", "letters"]).expect_code(0);
    assert_eq!(place.files("letters"), ["letters/000001.pdf"]);
    let asked = listener.accept().expect_err("nobody asks for anything");
    assert_eq!(asked.kind(), ErrorKind::WouldBlock);
    // LibreOffice would ask by itself: it does for the template.
    listener.set_nonblocking(false).expect("a listener can wait");
    let (asks, is_asked) = std::sync::mpsc::channel();
    // Whoever asks is hung up on. Should nobody ask, the thread waits until the test program ends.
    std::thread::spawn(move || asks.send(listener.accept().is_ok()));
    let _ = support::office::pdf(&[place.path("letter.docx")]);
    assert_eq!(is_asked.try_recv(), Ok(true), "the document asks for nothing anyway");
}

#[test]
fn two_runs_at_once_have_no_profile_in_common_and_lose_nothing() {
    let place = Place::new();
    let body = p(&format!("{}{}", t("A letter for "), merge_field("Name")));
    place.write("letter.docx", Docx::new(&body).bytes());
    let record = |run: &str, number: u32| json!({ "Name": format!("{run}{number:03}") });
    let start = |run: &'static str| {
        let records: Vec<Value> = (1..=8).map(|number| record(run, number)).collect();
        let data = format!("{run}.json");
        place.write(&data, Value::from(records).to_string());
        let mut command = place.command(&["merge", "letter.docx", &data, "--pdf", "--out", run]);
        command.stderr(Stdio::null()).spawn().expect("it starts")
    };
    for (run, mut child) in ["Anna", "Otto"].map(|run| (run, start(run))) {
        assert!(child.wait().expect("it ends").success());
        for number in 1..=8 {
            let text = Command::new("pdftotext")
                .arg(place.path(&format!("{run}/{number:06}.pdf")))
                .arg("-")
                .output();
            let text = String::from_utf8_lossy(&text.expect("pdftotext runs").stdout).into_owned();
            assert!(text.contains(&format!("A letter for {run}{number:03}")), "{run} {number}: {text}");
        }
    }
}
