//! Holds what labels, envelopes, cover sheets and address lists promise: each address in its own place on the paper,
//! nobody who is not written to, and a store that stays as it was.

mod support;

use std::path::Path;
use std::process::Command;

use mailrun::contact::table::{Record, Table};
use mailrun::delivery::sheet::label::LabelSheet;
use support::docx::{Docx, p, t};
use support::office;
use support::place::Place;

/// Two lengths in millimeters, across and down.
type Pair = (f64, f64);

/// A label sheet: name, columns and rows, a label's size, where the first begins, from label to label.
type Sheet = (&'static str, (usize, usize), Pair, Pair, f64);

/// How many points a millimeter has.
const POINTS: f64 = 72.0 / 25.4;

/// A word of a page, and where it is, in millimeters.
#[derive(Debug)]
struct Word {
    page: usize,
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
    text: String,
}

/// The words of a PDF file with their places, by poppler.
fn words(pdf: &Path) -> Vec<Word> {
    let output = Command::new("pdftotext").args(["-bbox", "-enc", "UTF-8"]).arg(pdf).arg("-").output();
    let output = output.expect("pdftotext runs");
    assert!(output.status.success(), "{}", pdf.display());
    let text = String::from_utf8(output.stdout).expect("it was told to write UTF-8");
    let mut page = 0;
    let mut words = Vec::new();
    for line in text.lines() {
        page += usize::from(line.contains("<page "));
        let Some((_, rest)) = line.split_once("<word ") else { continue };
        let number = |name: &str| -> f64 {
            let (_, rest) = rest.split_once(&format!("{name}=\"")).expect("it has a place");
            rest.split('"').next().and_then(|text| text.parse::<f64>().ok()).expect("a number") / POINTS
        };
        let text = rest.split('>').nth(1).and_then(|text| text.split('<').next()).expect("it has a text");
        words.push(Word {
            page,
            left: number("xMin"),
            top: number("yMin"),
            right: number("xMax"),
            bottom: number("yMax"),
            text: text.to_owned(),
        });
    }
    words
}

/// A place with so many contacts, the words of whose addresses all end with the contact's number, and a segment `SM1`.
///
/// Some addresses are long. Four contacts more get no letter on paper: they want none, are blocked, get an e-mail, are
/// excluded.
fn place_of(n_contacts: usize) -> Place {
    let place = Place::new();
    let mut contacts =
        "no,name,company_name,address,post_code,city,country,email,correspondence_type,no_mail,\
                        privacy_blocked,exclude_from_segment\n"
            .to_owned();
    for at in 1..=n_contacts {
        let company = if at % 5 == 0 {
            format!("Gesellschaft#{at} Stadtentwicklung#{at} Wohnungsbau#{at}")
        } else {
            String::new()
        };
        let city = if at % 7 == 0 {
            format!("Llanfairpwllgwyngyllgogerychwyrndrobwll#{at}")
        } else {
            format!("Town#{at}")
        };
        contacts += &format!("C{at:03},Roth#{at},{company},Street#{at},8000#{at},{city},CH,,hard-copy,,,\n");
    }
    contacts += "N1,Never1,,Street,8000,Town,CH,,hard-copy,yes,,\n\
                 N2,Never2,,Street,8000,Town,CH,,hard-copy,,yes,\n\
                 N3,Never3,,Street,8000,Town,CH,n3@example.com,email,,,\n\
                 N4,Never4,,Street,8000,Town,CH,,hard-copy,,,yes\n";
    place.write("contacts.csv", contacts);
    place.write("letter.docx", Docx::new(&p(&t("Dear {{contact.name}}"))).bytes());
    place.write(
        "mailrun.toml",
        "[company]\nname = \"Sender AG\"\naddress = \"Hafen 1\"\npost_code = \"8001\"\ncity = \"Zürich\"\n\
         country = \"CH\"\n[smtp]\nfrom = \"Sender <post@example.com>\"\n",
    );
    place.write(
        "segment.toml",
        "[segment]\nno = \"SM1\"\ndescription = \"Spring\"\ninteraction_template = \"L\"\n[contacts]\n\
         file = \"contacts.csv\"\nkey = \"no\"\n[[template]]\ncode = \"L\"\ncorrespondence_type = \"hard-copy\"\n\
         default_language = \"en\"\n[template.languages]\nen = { document = \"letter.docx\", subject = \"Hello\" }\n",
    );
    place
}

/// The number of the contact to whom a word belongs; none for a word of somebody else.
fn number(word: &Word) -> Option<usize> {
    word.text.split_once('#').and_then(|(_, number)| number.parse().ok())
}

#[test]
fn each_label_holds_the_words_of_its_own_address() {
    // Of each family: name, columns and rows, a label's width and height, from left and top, from label to label. As the
    // makers state them; not taken from the program.
    const SHEETS: [Sheet; 8] = [
        ("36x70", (3, 8), (70.0, 36.0), (0.0, 4.5), 70.0),
        ("37x70", (3, 8), (70.0, 37.0), (0.0, 0.5), 70.0),
        ("36x105", (2, 8), (105.0, 36.0), (0.0, 4.5), 105.0),
        ("37x105", (2, 8), (105.0, 37.0), (0.0, 0.5), 105.0),
        ("L7160", (3, 7), (63.5, 38.1), (7.2, 15.15), 66.04),
        ("L7163", (2, 7), (99.1, 38.1), (4.67, 15.15), 101.6),
        ("5160", (3, 10), (66.7, 25.4), (4.8, 12.7), 69.85),
        ("5161", (2, 10), (101.6, 25.4), (4.0, 12.7), 106.3),
    ];
    const SKIP: usize = 4;
    const N: usize = 57;
    let place = place_of(N);
    let mut files = Vec::new();
    for (name, ..) in SHEETS {
        let out = format!("out-{name}");
        let ended = place
            .run(&["segment", "labels", "segment.toml", "--format", name, "--skip", "4", "--out", &out])
            .expect_code(0);
        for said in [
            "57 addresses",
            "4 lines left out",
            "1 by email",
            "1 suppressed: no-mail",
            "1 suppressed: privacy-blocked",
        ] {
            assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
        }
        files.push(place.path(&out).join("SM1/labels.docx"));
    }
    let pdfs = office::pdf(&files);
    for ((name, (columns, rows), (width, height), first, pitch), pdf) in SHEETS.into_iter().zip(&pdfs.files) {
        let words = words(pdf);
        let mut n_words = vec![0; N + 1];
        for word in &words {
            let number = number(word).unwrap_or_else(|| panic!("{name}: {word:?} is nobody's"));
            n_words[number] += 1;
            let at = number - 1 + SKIP;
            let (page, on_page) = (at / (columns * rows) + 1, at % (columns * rows));
            let left = first.0 + pitch * (on_page % columns) as f64;
            let top = first.1 + height * (on_page / columns) as f64;
            assert_eq!(word.page, page, "{name}: {word:?}");
            assert!(
                word.left >= left + 2.0 && word.right <= left + width - 2.0,
                "{name}: {word:?} from {left}"
            );
            assert!(word.top >= top && word.bottom <= top + height, "{name}: {word:?} from {top}");
        }
        assert!(n_words[1..].iter().all(|n| *n >= 4), "{name}: words are missing: {n_words:?}");
        let pages = words.iter().map(|word| word.page).max();
        assert_eq!(pages, Some((N + SKIP).div_ceil(columns * rows)), "{name}");
    }
}

#[test]
fn each_envelope_has_its_sender_and_its_address_where_posts_read_them() {
    const N: usize = 6;
    let place = place_of(N);
    let sizes = [("DL", 220.0, 110.0), ("C6/5", 229.0, 114.0), ("C5", 229.0, 162.0), ("US-10", 241.3, 104.8)];
    let mut files = Vec::new();
    for (name, ..) in sizes {
        let out = format!("out-{}", name.replace('/', ""));
        let _ = place
            .run(&["segment", "envelopes", "segment.toml", "--format", name, "--out", &out])
            .expect_code(0);
        files.push(place.path(&out).join("SM1/envelopes.docx"));
    }
    let pdfs = office::pdf(&files);
    for ((name, width, height), pdf) in sizes.into_iter().zip(&pdfs.files) {
        let words = words(pdf);
        for word in &words {
            match number(word) {
                Some(number) => {
                    assert_eq!(word.page, number, "{name}: {word:?}");
                    assert!(word.top >= 40.0 && word.bottom <= height - 15.0, "{name}: {word:?}");
                    assert!(word.left >= width * 0.44 && word.right <= width - 12.7, "{name}: {word:?}");
                }
                None => assert!(word.bottom < 40.0 && word.right < width / 2.0, "{name}: {word:?}"),
            }
        }
        for page in 1..=N {
            let sender: Vec<&str> = words
                .iter()
                .filter(|word| word.page == page && number(word).is_none())
                .map(|word| word.text.as_str())
                .collect();
            assert_eq!(sender, ["Sender", "AG", "Hafen", "1", "8001", "Zürich"], "{name}, page {page}");
        }
        assert_eq!(words.iter().map(|word| word.page).max(), Some(N), "{name}");
    }
}

#[test]
fn cover_sheets_and_lists_name_everybody_once_and_are_valid_documents() {
    const N: usize = 40;
    let place = place_of(N);
    let cover =
        ["segment", "cover-sheet", "segment.toml", "--remark", "approval", "--own-remark", "Sign & <return>"];
    let _ = place.run(&[&cover[..], &["--text", "As we said"]].concat()).expect_code(0);
    let _ = place.run(&["segment", "address-list", "segment.toml"]).expect_code(0);
    let _ = place.run(&["segment", "labels", "segment.toml"]).expect_code(0);
    let _ = place.run(&["segment", "envelopes", "segment.toml"]).expect_code(0);
    let files = ["cover-sheets", "address-list", "labels", "envelopes"]
        .map(|name| place.path("out/SM1").join(format!("{name}.docx")));
    for (file, errors) in files.iter().zip(office::validate(&files)) {
        assert!(errors.is_empty(), "{}: {errors:#?}", file.display());
    }
    let texts = office::page_text(&files[..2]);
    let pages: Vec<&str> = texts[0].split('\u{c}').filter(|page| !page.trim().is_empty()).collect();
    assert_eq!(pages.len(), N);
    for (number, page) in (1..).zip(pages) {
        for words in [
            &format!("Roth#{number}\n"),
            "Sender AG · Hafen 1 · 8001 Zürich",
            "March 1, 2026",
            "Spring",
            "[X] For your approval",
            "[ ] Please call us",
            "[X] Sign & <return>",
            "As we said",
        ] {
            let page: String = page.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(page.contains(words.trim()), "{number}: {words}\n{page}");
        }
    }
    for number in 1..=N {
        let lines = texts[1]
            .lines()
            .filter(|line| line.split_whitespace().any(|word| word == format!("C{number:03}")));
        assert_eq!(lines.count(), 1, "{number}");
    }
    assert!(!texts[1].contains("Never"), "{}", texts[1]);
    let mut table = Table::open(&place.path("out/SM1/address-list.xlsx")).expect("it is a sheet");
    let mut record = Record::default();
    let mut listed = Vec::new();
    while table.read(&mut record).expect("it is a sheet") {
        listed.push(record.text(1).into_owned());
    }
    assert_eq!(listed, (1..=N).map(|number| format!("C{number:03}")).collect::<Vec<_>>());
}

#[test]
fn nothing_is_logged_and_a_logged_segment_asks_for_todays_consent() {
    let place = place_of(3);
    let _ = place.run(&["segment", "labels", "segment.toml"]).expect_code(0);
    assert!(place.files("").iter().all(|file| !file.ends_with(".db")), "{:?}", place.files(""));
    let _ = place.run(&["run", "segment.toml"]).expect_code(0);
    let log = place.run(&["log", "list", "--json"]).expect_code(0).stdout;
    for asked in ["segment.toml", "SM1"] {
        let ended = place.run(&["segment", "labels", asked, "--json"]).expect_code(0);
        assert_eq!(ended.json_lines()[0]["addresses"], 3, "{asked}");
        assert_eq!(ended.json_lines()[0]["left_out"], 4, "{asked}");
    }
    let _ = place.run(&["contact", "set", "C002", "no_mail=yes"]).expect_code(0);
    let ended = place.run(&["segment", "labels", "SM1", "--json"]).expect_code(0);
    assert_eq!(ended.json_lines()[0]["addresses"], 2);
    let text = support::docx::text(&place.read("out/SM1/labels.docx"));
    assert!(text.contains("Roth#1") && !text.contains("Roth#2") && text.contains("Roth#3"), "{text}");
    assert_eq!(place.run(&["log", "list", "--json"]).expect_code(0).stdout, log);
}

#[test]
fn what_does_not_fit_or_is_not_known_is_refused_and_nothing_is_written() {
    let place = place_of(3);
    for (words, said) in [
        (vec!["--format", "L1"], "there is no label sheet `L1`, expected one of 36x70"),
        (vec!["--skip", "24"], "24 labels are to be skipped, but a sheet of `37x70` has 24"),
    ] {
        let ended = place.run(&[&["segment", "labels", "segment.toml"][..], &words].concat()).expect_code(1);
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
    let long = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft".repeat(3);
    let contacts = place.read_text("contacts.csv").replace("Street#2", &long);
    place.write("contacts.csv", contacts);
    let ended = place.run(&["segment", "labels", "segment.toml"]).expect_code(1);
    assert!(
        ended.stderr.contains("the address of contact C002 does not fit into 60.0 × 33.0 mm"),
        "{}",
        ended.stderr
    );
    assert!(place.files("out").is_empty(), "{:?}", place.files("out"));
}

#[test]
fn who_does_not_fit_is_left_out_only_if_asked_for_and_is_named() {
    let place = place_of(3);
    let long = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft".repeat(3);
    place.write("contacts.csv", place.read_text("contacts.csv").replace("Street#2", &long));
    for (kind, file) in
        [("labels", "labels.docx"), ("envelopes", "envelopes.docx"), ("cover-sheet", "cover-sheets.docx")]
    {
        let refused = place.run(&["segment", kind, "segment.toml"]).expect_code(1);
        assert!(refused.stderr.contains("with `--leave-out` the others get theirs"), "{}", refused.stderr);
        assert!(place.files("out").is_empty(), "{:?}", place.files("out"));
        let ended = place.run(&["segment", kind, "segment.toml", "--leave-out", "--json"]).expect_code(3);
        for said in ["contact C002, line 20000", "1 address is left out", "2 addresses written"] {
            assert!(ended.stderr.contains(said), "{kind}: {}", ended.stderr);
        }
        assert!(!ended.stderr.contains("--leave-out"), "{kind}: {}", ended.stderr);
        let report = ended.report();
        assert_eq!(report["addresses"], 2, "{report}");
        assert_eq!(report["too_long"][0]["id"], "address-too-long", "{report}");
        let text = support::docx::text(&place.read(&format!("out/SM1/{file}")));
        assert!(text.contains("Roth#1") && !text.contains("Roth#2") && text.contains("Roth#3"), "{text}");
        std::fs::remove_dir_all(place.path("out")).expect("it is there");
    }
    place.write("contacts.csv", place.read_text("contacts.csv").replace("Street#", &long));
    let nobody = place.run(&["segment", "labels", "segment.toml", "--leave-out"]).expect_code(1);
    assert!(nobody.stderr.contains("3 problems"), "{}", nobody.stderr);
}

#[test]
fn cover_sheets_speak_the_language_of_the_letter() {
    let place = place_of(3);
    let contacts = place.read_text("contacts.csv");
    let (header, rows) = contacts.split_once('\n').expect("it has a header");
    let languages = ["de-CH", "fr", "cs"].into_iter().chain([""; 4]);
    let rows: String =
        rows.lines().zip(languages).map(|(row, language)| format!("{row},{language}\n")).collect();
    place.write("contacts.csv", format!("{header},language\n{rows}"));
    let one = "en = { document = \"letter.docx\", subject = \"Hello\" }\n";
    let segment = place
        .read_text("segment.toml")
        .replace(one, &["de", "fr", "cs", "en"].map(|language| one.replacen("en", language, 1)).concat());
    place.write("segment.toml", segment);
    let _ = place.run(&["segment", "cover-sheet", "segment.toml", "--remark", "call"]).expect_code(0);
    let text = support::docx::text(&place.read("out/SM1/cover-sheets.docx"));
    for said in [
        "1. März 2026",
        "[X]  Bitte rufen Sie uns an",
        "1 mars 2026",
        "[X]  Merci de nous appeler",
        "1. března 2026",
        "[X]  Please call us",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

/// The sheets of Avery on A4 and US Letter that LibreOffice knows: by number the millimeters from label to label, a label's
/// size, where the first begins, and columns and rows.
fn sheets_of_libreoffice() -> Vec<(String, [f64; 8])> {
    let path = support::variable("PATH").expect("there is a PATH");
    let soffice = std::env::split_paths(&path).map(|folder| folder.join("soffice")).find(|it| it.exists());
    let soffice = soffice.and_then(|it| it.canonicalize().ok()).expect("soffice is on the PATH");
    let share = soffice.parent().and_then(Path::parent).expect("its programs have a folder").join("share");
    let labels = std::fs::read_to_string(share.join("labels/labels.xml")).expect("it has its labels");
    let mut sheets = Vec::new();
    let mut maker = "";
    for element in labels.split('<') {
        if let Some((_, name)) = element.split_once("manufacturer name=\"") {
            maker = name.split('"').next().expect("a name");
        } else if let Some(name) = element.strip_prefix("name>")
            && ["Avery A4", "Avery Letter Size", "Avery Zweckform"].contains(&maker)
        {
            sheets.push((name.split(' ').next().expect("a number").to_owned(), [0.0; 8]));
        } else if let (Some(measure), Some((_, last))) =
            (element.strip_prefix("measure>S;"), sheets.last_mut())
            && last[0] == 0.0
        {
            for (at, number) in measure.split(';').take(8).enumerate() {
                let number: f64 = number.parse().expect("a number");
                last[at] = if at < 6 { number / 100.0 } else { number };
            }
        }
    }
    sheets
}

#[test]
fn label_sheets_are_as_libreoffice_has_them_from_their_maker() {
    let known = sheets_of_libreoffice();
    let mut n_compared = 0;
    for sheet in LabelSheet::ALL.iter().filter(|sheet| !sheet.name.contains('x')) {
        let of_name = |(name, measure): &&(String, [f64; 8])| name == sheet.name && measure[6] > 0.0;
        let (_, measure) = known.iter().find(of_name).unwrap_or_else(|| panic!("{} is unknown", sheet.name));
        let [pitch, down, width, height, left, top, n_columns, n_rows] = *measure;
        assert_eq!((sheet.n_columns as f64, sheet.n_rows as f64), (n_columns, n_rows), "{}", sheet.name);
        let last = (left + pitch * (n_columns - 1.0), top + down * (n_rows - 1.0));
        let ours =
            (sheet.first.0 + sheet.pitch * (n_columns - 1.0), sheet.first.1 + sheet.label.1 * (n_rows - 1.0));
        for (ours, theirs) in [
            (sheet.first.0, left),
            (sheet.first.1, top),
            (ours.0, last.0),
            (ours.1, last.1),
            (sheet.label.0, width),
            (sheet.label.1, height),
        ] {
            assert!((ours - theirs).abs() <= 0.5, "{}: {ours} mm, but {theirs}", sheet.name);
        }
        n_compared += 1;
    }
    assert_eq!(n_compared, 15);
}
