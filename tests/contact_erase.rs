//! Holds that erasing a contact removes the person from every byte of the database, and keeps the accounting.

mod support;

use rusqlite::Connection;
use serde_json::Value;

use support::place::Place;
use support::smtp::{Act, At, SmtpServer};

/// The signs of the person: none of them may be found in the file afterwards.
const SIGNS: [&str; 10] = [
    "PERSON-77",
    "Zwiebelfisch",
    "zwiebel@example.com",
    "Kummerweg",
    "Liebste Grüsse",
    "0815-order",
    "said by the server",
    "said in the report",
    "said of the entry",
    "said on the removed line",
];

/// The tables of which each has a row of the person's, or of its entries.
const TABLES: [&str; 5] = ["removed_line", "segment_line", "attempt", "bounce", "log_note"];

/// A delivery report that suppresses nobody.
const REPORT: &str = "From: MAILER-DAEMON@mx.example\nMessage-Id: <p1@mx.example>\nMIME-Version: 1.0\n\
    Content-Type: multipart/report; report-type=delivery-status; boundary=\"B\"\n\n--B\n\
    Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n\
    Final-Recipient: rfc822; zwiebel@example.com\nAction: delayed\nStatus: 4.4.1\n\
    Diagnostic-Code: smtp; 450 4.4.1 <zwiebel@example.com> said in the report\n\n--B\n\
    Content-Type: message/rfc822\n\nMessage-ID: {id}\n\nDear\n--B--\n";

/// A person with all that a person can have, and another one: logged segments, by letter and by e-mail, with both;
/// open segments with both, from one of which the person was taken away.
fn office() -> Place {
    let place = Place::new();
    let text = |text: &str| support::docx::Docx::new(&support::docx::p(&support::docx::t(text))).bytes();
    place.write("letter.docx", text("{{contact.name}} {{comment}} {{#each orders}}{{no}}{{/each}}"));
    place.write("own.docx", text("Zwiebelfisch alone {{comment}}"));
    place.write(
        "contacts.csv",
        "no,name,surname,address,city,email\n\
         PERSON-77,Zita Zwiebelfisch,Zwiebelfisch,Kummerweg 4,Zug,zwiebel@example.com\n\
         OTHER,Otto Other,Other,Weg 1,Bern,otto@example.com\n",
    );
    place.write("orders.csv", "contact_no,no\nPERSON-77,0815-order\nOTHER,1\n");
    place.write("addresses.csv", "contact,code,address,city\nPERSON-77,HOME,Kummerweg 9,Zug\n");
    place.write(
        "segment.toml",
        "[segment]\nno = \"FIRST\"\ninteraction_template = \"T\"\ncampaign = \"C\"\nunit_cost = 3\n\
         subject = \"For {{contact.name}}\"\n[[campaign]]\ncode = \"C\"\n\
         [contacts]\nfile = \"contacts.csv\"\naddresses = \"addresses.csv\"\n\
         [[contacts.rows]]\nname = \"orders\"\nfile = \"orders.csv\"\ncontact = \"contact_no\"\n\
         [[template]]\ncode = \"T\"\ncorrespondence_type = \"hard-copy\"\ndefault_language = \"en\"\n\
         [template.languages]\nen = { document = \"letter.docx\" }\n\
         [[line]]\ncontact = \"PERSON-77\"\ncomment = \"Liebste Grüsse\"\ndocument = \"own.docx\"\n",
    );
    let _ = place.run(&["run", "segment.toml"]).expect_code(0);
    send_a_message(&place);
    let _ = place.run(&["code", "set", "mailing-group", "XMAS"]).expect_code(0);
    let _ = place.run(&["code", "add", "mailing-group", "XMAS", "PERSON-77"]).expect_code(0);
    let _ = place.run(&["segment", "new", "interaction_template=T"]).expect_code(0);
    let _ = place
        .run(&["segment", "add", "SM00001", "--contact", "PERSON-77", "--contact", "OTHER"])
        .expect_code(0);
    let _ = place.run(&["segment", "line", "SM00001", "PERSON-77", "comment=Liebste Grüsse"]).expect_code(0);
    let _ = place.run(&["segment", "criteria", "save", "SM00001", "BOTH"]).expect_code(0);
    let _ = place.run(&["segment", "new", "interaction_template=T"]).expect_code(0);
    let _ = place.run(&["segment", "add", "SM00002", "true"]).expect_code(0);
    let comment = "comment=said on the removed line";
    let _ = place.run(&["segment", "line", "SM00002", "PERSON-77", comment]).expect_code(0);
    let _ = place.run(&["segment", "reduce", "SM00002", "--contact", "PERSON-77"]).expect_code(0);
    place
}

/// Sends both a message, has a report of the person's come back, and writes a comment on its entry.
fn send_a_message(place: &Place) {
    let server = SmtpServer::scripted(|moment| match moment.at {
        At::Dot if moment.recipient == "zwiebel@example.com" => {
            Act::Say("250 2.0.0 zwiebel@example.com said by the server")
        }
        _ => Act::Good,
    });
    let set_up =
        format!("[smtp]\nurl = \"smtp://127.0.0.1:{}\"\nfrom = \"post@weber.example\"\n", server.port);
    place.write("mailrun.toml", set_up);
    let by_email =
        "no = \"SECOND\"\ncorrespondence_type = \"email\"\nignore_contact_correspondence_type = true";
    let segment = place.read_text("segment.toml").replace("no = \"FIRST\"", by_email);
    place.write("by-email.toml", segment.split("[[line]]").next().expect("a split has a first part"));
    let _ = place.run(&["run", "by-email.toml", "--yes"]).expect_code(0);
    assert_eq!(server.taken().len(), 2);
    let entry = &entries(place, &["--contact", "PERSON-77", "--segment", "SECOND"])[0];
    let id = entry["message_id"].as_str().expect("a Message-ID");
    place.write("report.eml", REPORT.replace("{id}", id));
    let report = place.run(&["bounces", "import", "report.eml", "--json"]).expect_code(0).report();
    assert_eq!(report["matched"], 1, "{report}");
    let _ = place.run(&["log", "comment", &entry["entry"].to_string(), "said of the entry"]).expect_code(0);
}

fn entries(place: &Place, words: &[&str]) -> Vec<Value> {
    place.run(&[&["log", "list", "--json"], words].concat()).expect_code(0).json_lines()
}

/// How often a text is found in the files of the database.
fn found(place: &Place, sign: &str) -> usize {
    let names = place.files("").into_iter().filter(|name| name.starts_with("mailrun.db"));
    let count = |name: String| {
        place.read(&name).windows(sign.len()).filter(|bytes| *bytes == sign.as_bytes()).count()
    };
    names.map(count).sum()
}

#[test]
fn an_erased_person_is_in_no_byte_of_the_database_and_the_accounting_stays() {
    let place = office();
    for sign in SIGNS {
        assert!(found(&place, sign) > 0, "`{sign}` is there before");
    }
    for table in TABLES {
        let database = Connection::open(place.path("mailrun.db")).expect("the database opens");
        let count = format!("SELECT count(*) FROM {table}");
        let n_rows: i64 = database.query_row(&count, [], |row| row.get(0)).expect("it can be counted");
        assert!(n_rows > 0, "{table} has a row");
    }
    let ended = place.run(&["contact", "erase", "PERSON-77", "--yes", "--json"]).expect_code(0);
    for sign in SIGNS {
        assert_eq!(found(&place, sign), 0, "`{sign}`");
    }
    let report = ended.report();
    assert_eq!(
        (&report["entries"], &report["lines"], &report["documents"]),
        (&2.into(), &2.into(), &1.into()),
        "{report}"
    );
    assert!(report["files"][0].as_str().is_some_and(|file| file.contains("out/FIRST/letters")), "{report}");
    let name = report["name"].as_str().expect("a name");
    let entries = entries(&place, &[]);
    let entry = entries.iter().find(|entry| entry["contact"] == name).expect("its entry stays");
    assert_eq!((&entry["campaign"], &entry["state"]), (&"C".into(), &"written".into()));
    let shown = place.run(&["log", "show", &entry["entry"].to_string(), "--json"]).expect_code(0).report();
    assert_eq!(shown["unit_cost"], "3");
    // The other's letter comes back byte for byte, although a document of the run is gone.
    let other = entries.iter().find(|entry| entry["contact"] == "OTHER").expect("the other's entry");
    let _ = place.run(&["log", "document", &other["entry"].to_string(), "--out", "again"]).expect_code(0);
    let again = place.files("again");
    let written = place.files("out/FIRST/letters").into_iter().find(|file| file.contains("OTHER"));
    assert_eq!(place.read(&again[0]), place.read(&written.expect("its letter")));
    let segment = place.run(&["segment", "show", "SM00001", "--json"]).expect_code(0).json_lines();
    assert_eq!(segment.len(), 2, "the header and the other's line");
    let _ = place.run(&["segment", "undo", "SM00001"]).expect_code(0);
    // The selection that had taken the person away is undone, and nobody comes back.
    let _ = place.run(&["segment", "undo", "SM00002"]).expect_code(0);
    let segment = place.run(&["segment", "show", "SM00002", "--json"]).expect_code(0).json_lines();
    assert_eq!((segment.len(), &segment[1]["contact"]), (2, &"OTHER".into()));
}

#[test]
fn erasing_is_agreed_to() {
    let place = office();
    let asked = place.run(&["contact", "erase", "PERSON-77"]).expect_code(1);
    assert!(asked.stderr.contains("cannot be undone\n  help: agree with `--yes`"), "{}", asked.stderr);
    let unknown = place.run(&["contact", "erase", "NOBODY", "--yes"]).expect_code(1);
    assert!(unknown.stderr.contains("there is no contact `NOBODY`"), "{}", unknown.stderr);
    assert!(found(&place, "Zwiebelfisch") > 0);
}

#[test]
fn a_suppressed_address_stays_on_its_list_and_the_report_says_so() {
    let place = office();
    let _ = place.run(&["contact", "suppress", "zwiebel@example.com"]).expect_code(0);
    let ended = place.run(&["contact", "erase", "PERSON-77", "--yes"]).expect_code(0);
    assert!(ended.stderr.contains("kept: `zwiebel@example.com` on the suppression list"), "{}", ended.stderr);
    assert_eq!(found(&place, "Zwiebelfisch"), 0);
}
