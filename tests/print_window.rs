//! Holds what the look through an envelope's window promises: what it would not show, or should not, is found by contact
//! before anything is printed.

mod support;

use support::docx::{Docx, p, t};
use support::place::Place;

/// Four letters with the address 63 mm from the top and 20 mm from the left, where DIN 5008 form B has it.
fn place() -> Place {
    let place = Place::new();
    place.write(
        "contacts.csv",
        "no,name,company_name,address,address_2,post_code,city,country,reference,correspondence_type,email\n\
         C1,Ada Roth,,Damm 1,,8001,Zürich,CH,,hard-copy,\n\
         C2,Bo & Co,Nord AG,Weg 2,Hinterhaus,20095,Hamburg,DE,,hard-copy,\n\
         C3,Cy Roth,,\"Allee 3\nHof\nTor\nTreppe\",Tür,8001,Zürich,CH,,hard-copy,\n\
         C4,Di Roth,,Gasse 4,,8001,Zürich,CH,Reference,hard-copy,\n\
         C5,Ed Roth,,Gasse 5,,8001,Zürich,CH,,email,ed@example.com\n",
    );
    let page = "<w:sectPr><w:pgSz w:w=\"11906\" w:h=\"16838\"/><w:pgMar w:top=\"3572\" w:right=\"1134\" w:bottom=\"1134\" \
                w:left=\"1134\" w:header=\"0\" w:footer=\"0\" w:gutter=\"0\"/></w:sectPr>";
    let gap = "<w:p><w:pPr><w:spacing w:before=\"2000\"/></w:pPr></w:p>";
    let [address, reference, greeting] =
        ["{{address.block}}", "{{contact.reference}}", "Dear {{contact.name}}"].map(|text| p(&t(text)));
    place.write("letter.docx", Docx::new(&format!("{address}{reference}{gap}{greeting}{page}")).bytes());
    place.write("mailrun.toml", "[company]\ncountry = \"CH\"\n[smtp]\nfrom = \"Us <post@example.com>\"\n");
    place.write(
        "segment.toml",
        "[segment]\nno = \"SM1\"\ninteraction_template = \"L\"\n[contacts]\nfile = \"contacts.csv\"\nkey = \"no\"\n\
         [[template]]\ncode = \"L\"\ncorrespondence_type = \"hard-copy\"\ndefault_language = \"en\"\n\
         [template.languages]\nen = { document = \"letter.docx\", subject = \"Hello\" }\n",
    );
    place
}

/// Contact and id of each problem, and the report.
fn seen(place: &Place, window: &str, lines: &str) -> (Vec<(String, String)>, serde_json::Value) {
    let ended = place.run(&["check", "segment.toml", "--window", window, "--window-lines", lines, "--json"]);
    let mut said = ended.json_lines();
    let report = said.pop().expect("a report");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let problems: Vec<(String, String)> = said
        .iter()
        .filter_map(|it| it.get("problem"))
        .map(|it| (text(&it["place"])[8..10].to_owned(), text(&it["id"])))
        .collect();
    assert_eq!(ended.code, Some(i32::from(!problems.is_empty())), "{ended:?}");
    (problems, report)
}

#[test]
fn what_the_window_does_not_show_or_should_not_is_found_by_contact() {
    let place = place();
    let (problems, report) = seen(&place, "din5008-b", "100");
    let of = |contact: &str| -> Vec<&str> {
        problems.iter().filter(|(whose, _)| whose == contact).map(|(_, id)| id.as_str()).collect()
    };
    assert_eq!(report["letters"], 4, "{problems:?}");
    assert!(of("C1").is_empty() && of("C2").is_empty(), "{problems:?}");
    assert!(of("C3").contains(&"too-many-address-lines"), "{problems:?}");
    assert_eq!(of("C4"), ["foreign-in-window"], "{problems:?}");
    let (problems, _) = seen(&place, "fr-dl", "1");
    assert!(
        problems.iter().all(|(contact, _)| contact == "C1"),
        "a sample of one is the first line: {problems:?}"
    );
    assert_eq!(problems.iter().filter(|(_, id)| id == "outside-window").count(), 3, "{problems:?}");
    assert!(place.files("").iter().all(|file| !file.ends_with(".db") && !file.starts_with("out")));
}
