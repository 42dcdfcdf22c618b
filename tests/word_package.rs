//! The document as a package: what is refused, what is left out of a letter, and what is copied.

mod support;

use mailrun::merge::{Template, Values};

use support::docx::{Docx, changed, names, p, read, t};

fn check_refused(bytes: &[u8], expected: &str) {
    let error = Template::compile(bytes).expect_err("the file is refused");
    assert_eq!(error.to_string(), expected);
}

#[test]
fn what_is_no_word_document_is_refused() {
    check_refused(b"", "file is not a Word document: it is no zip archive");
    check_refused(b"Hello", "file is not a Word document: it is no zip archive");
    let bytes = Docx::new("").bytes();
    check_refused(&bytes[..bytes.len() / 2], "zip archive is damaged: it has no directory");
    check_refused(
        &Docx::new("")
            .typed("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml")
            .bytes(),
        "file is not a Word document: its main part has content type \
         `application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml`",
    );
    let doctype = "<!DOCTYPE x [<!ENTITY a \"b\">]><x/>";
    let docx = Docx::new("").with("header", "hdr", "");
    let bytes = replaced(&docx, "word/header1.xml", doctype);
    check_refused(&bytes, "part `word/header1.xml` cannot be read: XML has a document type declaration");
    let bytes = replaced(&docx, "word/header1.xml", "<w:hdr>");
    check_refused(
        &bytes,
        "part `word/header1.xml` cannot be read: XML is broken at byte 0: an element has no end",
    );
    check_refused(&Docx::new("").raw("../x", "").bytes(), "zip archive has an unsafe part name `../x`");
    let bomb = " ".repeat(80 << 20);
    check_refused(
        &Docx::new("").raw("word/bomb.xml", &bomb).bytes(),
        "part `word/bomb.xml` inflates beyond the limit of 200 times its packed size",
    );
}

/// The document with one part exchanged.
fn replaced(docx: &Docx, name: &str, content: &str) -> Vec<u8> {
    changed(&docx.bytes(), name, |_| content.to_owned())
}

#[test]
fn a_letter_is_not_tied_to_the_data_of_its_template() {
    let settings =
        "<w:zoom w:percent=\"100\"/><w:mailMerge><w:query w:val=\"SELECT\"/></w:mailMerge><w:compat/>";
    let letter = Docx::new("").with("settings", "settings", settings).template().render(&Values::new());
    let bytes = letter.expect("the letter renders").bytes;
    let text = read(&bytes, "word/settings1.xml").expect("the part exists");
    assert!(text.ends_with("<w:zoom w:percent=\"100\"/><w:compat/></w:settings>"), "{text}");
}

#[test]
fn a_template_file_becomes_a_document() {
    let kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml";
    let letter = Docx::new("").typed(kind).template().render(&Values::new()).expect("the letter renders");
    let types = read(&letter.bytes, "[Content_Types].xml").expect("the part exists");
    assert!(types.contains("wordprocessingml.document.main+xml") && !types.contains("template"), "{types}");
    assert_eq!(names(&letter.bytes)[0], "[Content_Types].xml");
}

/// The document with other names and texts in it, of its parts too.
fn renamed(docx: &Docx, names_and_texts: &[(&str, &str)]) -> Vec<u8> {
    use std::io::{Cursor, Write};
    let renamed =
        |text: &str| names_and_texts.iter().fold(text.to_owned(), |it, (old, new)| it.replace(old, new));
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for name in names(&docx.bytes()) {
        let content = read(&docx.bytes(), &name).expect("the part exists");
        writer.start_file(renamed(&name), zip::write::SimpleFileOptions::default()).expect("in memory");
        writer.write_all(renamed(&content).as_bytes()).expect("in memory");
    }
    writer.finish().expect("in memory").into_inner()
}

#[test]
fn parts_are_found_by_relationship_whatever_they_are_called() {
    let field = p(&support::docx::merge_field("A"));
    let note = format!("<w:footnote w:id=\"2\">{field}</w:footnote>");
    let docx = Docx::new(&field).with("header", "hdr", &field).with("footnotes", "footnotes", &note);
    let odd = [
        ("word/_rels/document.xml.rels", "text/_rels/letter.part.rels"),
        ("word/document.xml", "text/letter.part"),
        ("word/header1.xml", "kopf.xml"),
        ("\"header1.xml\"", "\"/kopf.xml\""),
        ("word/footnotes2.xml", "odd/deep/notes.xml"),
        ("\"footnotes2.xml\"", "\"../odd/./deep/notes.xml\""),
    ];
    let strict = [
        (
            "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
            "http://purl.oclc.org/ooxml/wordprocessingml/main",
        ),
        (support::docx::RELATIONSHIPS, "http://purl.oclc.org/ooxml/officeDocument/relationships"),
    ];
    for changes in [odd.to_vec(), [odd.as_slice(), &strict].concat()] {
        let bytes = renamed(&docx, &changes);
        let template = Template::compile(&bytes).expect("the document compiles");
        let values = support::docx::texts(&[("A", "x")]);
        let letter = template.render(&values).expect("the letter renders").bytes;
        for part in ["text/letter.part", "kopf.xml", "odd/deep/notes.xml"] {
            let text = read(&letter, part).expect("the part exists");
            assert!(text.contains(">x</w:t>") && !text.contains("MERGEFIELD"), "{part}: {text}");
        }
        assert_eq!(mailrun::merge::lint(&letter).expect("a letter can be read"), []);
    }
}

#[test]
fn macros_are_refused_or_left_out() {
    let docm = Docx::new(&p(&t("a")))
        .typed("application/vnd.ms-word.document.macroEnabled.main+xml")
        .related(
            "http://schemas.microsoft.com/office/2006/relationships/vbaProject",
            "application/vnd.ms-office.vbaProject",
            "vbaProject.bin",
        )
        .bytes();
    check_refused(&docm, "document has macros (`word/vbaProject.bin`), which a letter cannot keep");
    let template = Template::compile_without_macros(&docm).expect("the macros are left out");
    let letter = template.render(&Values::new()).expect("the letter renders").bytes;
    assert!(!names(&letter).iter().any(|name| name.contains("vba")), "{:?}", names(&letter));
    for part in ["[Content_Types].xml", "word/_rels/document.xml.rels"] {
        let text = read(&letter, part).expect("the part exists");
        assert!(!text.contains("vba") && !text.contains("macroEnabled"), "{part}: {text}");
    }
    assert_eq!(mailrun::merge::lint(&letter).expect("a letter can be read"), []);
}

#[test]
fn the_same_template_and_values_make_the_same_bytes() {
    let docx = Docx::new(&p(&t("{{a}}")));
    let letter =
        || docx.template().render(&support::docx::texts(&[("a", "x")])).expect("the letter renders").bytes;
    assert_eq!(letter(), letter());
}

#[test]
fn a_damaged_file_never_panics() {
    let bytes = Docx::new(&(p(&t("{{#if a}}b{{/if}}")) + &p(&support::docx::merge_field("A")))).bytes();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        if let Ok(template) = Template::compile(&damaged) {
            let _outcome = template.render(&support::docx::texts(&[("a", "x")]));
        }
    }
}
