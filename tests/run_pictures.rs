//! A run with pictures: each is checked before anything happens, kept in the store once, and comes back with its letter.

mod support;

use mail_parser::{MessageParser, MimeHeaders};
use serde_json::Value;

use support::docx::{self, Docx, merge_field, p, t};
use support::picture;
use support::place::{Ended, Place};

const CONTACTS: &str = "no,first_name,surname,email,address,city,photo\n\
                        C1,Ada,Byron,ada@example.com,Street 1,Bern,ada.png\n\
                        C2,Bob,Cole,bob@example.com,Street 1,Bern,staff/bob.png\n\
                        C3,Cy,Dean,cy@example.com,Street 1,Bern,\n\
                        C4,Di,Eck,di@example.com,Street 1,Bern,ada.png\n";

/// A segment of four letters: two show the same picture, one another, one none.
fn segment(kind: &str, contacts: &str) -> Place {
    let place = Place::new();
    let body = format!(
        "{}{}",
        p(&format!("{}{}", t("Dear "), merge_field("first_name"))),
        p(&merge_field("Image:photo"))
    );
    place.write("letter.docx", Docx::new(&body).bytes());
    place.write("contacts.csv", contacts);
    place.write("photos/ada.png", picture::png(20, 10));
    place.write("photos/staff/bob.png", picture::png(30, 30));
    place.write("secret.png", picture::png(1, 1));
    place.write("mailrun.toml", "[smtp]\nfrom = \"Office <office@example.com>\"\n");
    place.write(
        "segment.toml",
        format!(
            "[segment]\nno = \"S1\"\ninteraction_template = \"T\"\n[contacts]\nfile = \"contacts.csv\"\n\
             [[template]]\ncode = \"T\"\ndescription = \"T\"\ncorrespondence_type = \"{kind}\"\n\
             ignore_contact_correspondence_type = true\ndefault_language = \"en\"\npictures = \"photos\"\n\
             [template.languages]\nen = {{ document = \"letter.docx\" }}\n"
        ),
    );
    place
}

fn run(place: &Place) -> Ended {
    place.run(&["run", "segment.toml", "--json"])
}

fn count(report: &Value, key: &str) -> u64 {
    report[key].as_u64().expect("the report has the count")
}

#[test]
fn each_letter_shows_its_picture_and_comes_back_although_the_files_changed() {
    let place = segment("hard-copy", CONTACTS);
    let report = run(&place).expect_code(0).report();
    assert_eq!(count(&report, "written"), 4);
    let letters = place.files("out/S1/letters");
    let media = |letter: &str| -> Vec<Vec<u8>> {
        let bytes = place.read(letter);
        let names = docx::names(&bytes).into_iter().filter(|name| name.starts_with("word/media/"));
        names.filter_map(|name| docx::bytes(&bytes, &name)).collect()
    };
    let shown: Vec<_> = letters.iter().map(|letter| media(letter)).collect();
    let (ada, bob) = (picture::png(20, 10), picture::png(30, 30));
    assert_eq!(shown, [vec![ada.clone()], vec![bob], vec![], vec![ada]]);
    place.write("photos/ada.png", picture::png(99, 99));
    std::fs::remove_file(place.path("photos/staff/bob.png")).expect("the file is there");
    for (entry, letter) in (1..).zip(&letters) {
        let ended = place.run(&["log", "document", &entry.to_string(), "--out", "again"]).expect_code(0);
        assert!(ended.stdout.starts_with("again/"), "{}", ended.stdout);
        let name = letter.rsplit('/').next().expect("a file has a name");
        assert_eq!(place.read(&format!("again/{name}")), place.read(letter), "{name}");
    }
}

#[test]
fn every_picture_at_fault_is_named_before_anything_happens() {
    let contacts = "no,first_name,surname,address,city,photo\nC1,Ada,A,Street 1,Bern,../secret.png\nC2,Bob,B,Street 1,Bern,https://example.com/x.png\n\
                    C3,Cy,C,Street 1,Bern,nowhere.png\nC4,Di,D,Street 1,Bern,staff\nC5,Ed,E,Street 1,Bern,text.png\nC6,Flo,F,Street 1,Bern,/etc/passwd\nC7,Gus,G,Street 1,Bern,link.png\n";
    let place = segment("hard-copy", contacts);
    place.write("photos/text.png", "no picture");
    std::os::unix::fs::symlink(place.path("secret.png"), place.path("photos/link.png"))
        .expect("a link can be made");
    let ended = run(&place).expect_code(1);
    for expected in [
        "picture `../secret.png` is outside the folder `[here]/photos`",
        "picture `https://example.com/x.png` is an address, and nothing is fetched",
        "picture `nowhere.png` is not in the folder `[here]/photos`",
        "picture `staff` cannot be read: it is no file",
        "`text.png` cannot be shown: it is no PNG, JPEG, GIF, BMP, TIFF, EMF or WMF picture",
        "picture `/etc/passwd` is outside the folder `[here]/photos`",
        "picture `link.png` is outside the folder `[here]/photos`",
        "contact C3, line 30000: MERGEFIELD Image:photo in word/document.xml",
    ] {
        assert!(ended.stderr.contains(expected), "{expected}\n{}\n{}", ended.stdout, ended.stderr);
    }
    assert_eq!(place.files("out"), Vec::<String>::new());
}

#[test]
fn a_message_shows_the_picture_of_its_letter() {
    let place = segment("email", CONTACTS);
    let report = run(&place).expect_code(0).report();
    assert_eq!(count(&report, "written"), 4);
    let messages = place.files("out/S1/outbox");
    let bytes = place.read(&messages[0]);
    let message = MessageParser::default().parse(&bytes).expect("it is a message");
    let html = message.body_html(0).expect("it has a body");
    assert!(html.contains("<img src=\"cid:"), "{html}");
    let shown = message.parts.iter().find(|part| part.is_content_type("image", "png"));
    assert_eq!(shown.map(|part| part.contents()), Some(picture::png(20, 10).as_slice()));
}

#[test]
fn a_preview_shows_pictures_and_keeps_nothing() {
    let place = segment("hard-copy", CONTACTS);
    let _said = place.run(&["preview", "segment.toml", "--first", "1", "--out", "look"]).expect_code(0);
    let letter =
        place.files("look").into_iter().find(|name| name.ends_with(".docx")).expect("there is a letter");
    assert!(docx::names(&place.read(&letter)).iter().any(|name| name.starts_with("word/media/")));
}

#[test]
fn plain_merge_takes_pictures_from_the_folder_of_the_data_or_another() {
    let place = segment("hard-copy", CONTACTS);
    let missing = place.run(&["merge", "letter.docx", "contacts.csv"]).expect_code(1);
    assert!(missing.stderr.contains("picture `ada.png` is not in the folder"), "{}", missing.stderr);
    assert!(missing.stderr.contains("record 2"), "{}", missing.stderr);
    assert_eq!(place.files("out"), Vec::<String>::new());
    let _said = place.run(&["merge", "letter.docx", "contacts.csv", "--pictures", "photos"]).expect_code(0);
    let letters = place.files("out");
    assert_eq!(letters.len(), 4);
    assert!(docx::names(&place.read(&letters[1])).iter().any(|name| name.starts_with("word/media/")));
}
