//! Owns the proof that the judges judge: each lets a sound document pass, and hears a broken one.

mod support;

use std::fs;
use std::io::{Cursor, Write};
use std::panic::catch_unwind;
use std::path::PathBuf;

use support::place::{Place, SmallDisk};
use support::{documents, office, python};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"#;
const RELATIONSHIPS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>"#;

const SOUND: &str = "<w:p><w:r><w:t>Grüezi, Zoë</w:t></w:r></w:p><w:tbl><w:tblPr/><w:tblGrid><w:gridCol/></w:tblGrid><w:tr><w:tc><w:p><w:r><w:t>Ωmega</w:t></w:r></w:p></w:tc></w:tr></w:tbl><w:p/>";
const PROPERTIES_AFTER_TEXT: &str = "<w:p><w:r><w:t>Grüezi</w:t><w:rPr><w:b/></w:rPr></w:r></w:p>";
const BARE_AMPERSAND: &str = "<w:p><w:r><w:t>Meier & Co</w:t></w:r></w:p>";

fn document(place: &Place, name: &str, body: &str) -> PathBuf {
    let body = format!(
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{body}</w:body></w:document>"#
    );
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let parts =
        [("[Content_Types].xml", TYPES), ("_rels/.rels", RELATIONSHIPS), ("word/document.xml", &body)];
    for (part, xml) in parts {
        zip.start_file(part, SimpleFileOptions::default()).expect("a part can be started");
        zip.write_all(xml.as_bytes()).expect("memory can be written");
    }
    place.write(name, zip.finish().expect("the package can be ended").into_inner())
}

#[test]
fn libreoffice_reads_the_text_of_many_documents_in_their_order() {
    let place = Place::new();
    let first = document(&place, "same name.docx", SOUND);
    let second = document(&place, "elsewhere/same name.docx", "<w:p><w:r><w:t>Second</w:t></w:r></w:p>");
    assert_eq!(office::text(&[&first, &second]), ["Grüezi, Zoë\nΩmega\n\n", "Second\n"]);
    let pages = office::page_text(&[&first]).concat();
    assert!(pages.contains("Grüezi, Zoë") && pages.contains("Ωmega"), "{pages}");
}

#[test]
fn libreoffice_names_the_documents_that_it_does_not_open() {
    let place = Place::new();
    let files = [document(&place, "sound.docx", SOUND), document(&place, "broken.docx", BARE_AMPERSAND)];
    let panic = catch_unwind(|| office::text(&files)).expect_err("a bare ampersand is no XML");
    let message = panic.downcast::<String>().expect("the message names files");
    assert!(
        message.contains("did not open")
            && message.contains("broken.docx")
            && !message.contains("sound.docx,"),
        "{message}"
    );
}

#[test]
fn the_validator_hears_a_misplaced_element_once_for_a_template_that_has_it_too() {
    let place = Place::new();
    let sound = document(&place, "sound.docx", SOUND);
    let broken = document(&place, "broken.docx", PROPERTIES_AFTER_TEXT);
    let errors = office::validate(&[&sound, &broken]);
    assert_eq!(errors[0].len(), 0, "{errors:?}");
    let ids: Vec<&str> = errors[1].iter().map(|error| error.id.as_str()).collect();
    assert_eq!(ids, ["Sch_UnexpectedElementContentExpectingComplex"], "{errors:?}");

    office::expect_no_new_errors(&broken, &[&sound, &broken]);
    catch_unwind(|| office::expect_no_new_errors(&sound, &[&broken])).expect_err("the error is new");
}

#[test]
fn python_docx_reads_paragraphs_and_tables_in_their_order() {
    let place = Place::new();
    let sound = document(&place, "sound.docx", SOUND);
    let broken = document(&place, "broken.docx", BARE_AMPERSAND);
    let texts = python::open(&[&sound, &broken]);
    assert_eq!(texts[0].body, ["Grüezi, Zoë", "Ωmega", ""]);
    assert!(texts[1].error.as_ref().is_some_and(|error| error.starts_with("XMLSyntaxError")), "{texts:?}");
}

#[test]
fn the_judges_take_documents_as_people_made_them() {
    let documents = documents();
    let step = documents.len().div_ceil(12);
    let files: Vec<PathBuf> = documents.into_iter().step_by(step).collect();
    assert!(files.len() > 4, "{files:?}");
    let texts = office::text(&files);
    let opened = python::open(&files);
    assert_eq!(office::validate(&files).len(), files.len());
    for ((file, text), opened) in files.iter().zip(&texts).zip(&opened) {
        let first_word = opened.body.iter().flat_map(|line| line.split_whitespace()).next();
        let both = first_word.is_none_or(|word| text.contains(word));
        assert!(both, "{}: python-docx reads {first_word:?}, LibreOffice\n{text}", file.display());
    }
}

#[test]
fn a_place_knows_nothing_of_the_person_at_the_machine() {
    let place = Place::new();
    let names: Vec<String> = place
        .run_under(&["sh", "-c", "env; pwd"], &[])
        .expect_code(0)
        .stdout
        .lines()
        .map(|line| line.split('=').next().expect("a line has a start").to_owned())
        .filter(|name| !matches!(name.as_str(), "PWD" | "OLDPWD" | "SHLVL" | "_"))
        .collect();
    let mut sorted = names.clone();
    sorted.sort();
    assert_eq!(sorted, ["HOME", "LC_ALL", "NO_COLOR", "PATH", "TZ", "[here]"]);
}

#[test]
fn a_small_disk_is_soon_full() {
    let place = Place::new();
    let disk = SmallDisk::mount(&place.path("out"), 64);
    fs::write(place.path("out/small"), [0; 1024]).expect("there is room for a kibibyte");
    let error = fs::write(place.path("out/large"), vec![0; 128 * 1024]).expect_err("there is no room");
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
    drop(disk);
    assert_eq!(place.files("out"), Vec::<String>::new());
}

#[test]
fn a_program_that_hangs_is_ended_with_its_children() {
    let panic = catch_unwind(support::hang).expect_err("it does not end by itself");
    let message = panic.downcast::<String>().expect("the message names the command");
    assert!(message.contains("did not end in time"), "{message}");
}
