//! Holds what marks on a print file promise: each sheet says which it is, where a machine looks for it, and is read back by
//! programs that are not ours.

mod support;

use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use support::docx::{Docx, merge_field, p, t};
use support::place::Place;

/// A page as the judge reads it.
#[derive(Debug, Deserialize)]
struct Page {
    codes: Vec<Code>,
    bars: Vec<Bar>,
    words: Vec<Word>,
}

#[derive(Debug, Deserialize)]
struct Code {
    kind: String,
    text: String,
    left: f64,
    top: f64,
}

#[derive(Debug, Deserialize)]
struct Bar {
    middle: f64,
    thickness: f64,
}

#[derive(Debug, Deserialize)]
struct Word {
    text: String,
    left: f64,
    bottom: f64,
}

/// Five letters of one to three pages, whose text is in the middle of A4.
fn place(marks: &str) -> Place {
    let place = Place::new();
    let mut contacts = "no,name,post_code,city,country,address,text\n".to_owned();
    for (at, n_lines) in [1, 60, 120, 1, 60].into_iter().enumerate() {
        contacts += &format!("C{at},Roth {at},8000,Town,CH,Street,\"{}\"\n", "line\n".repeat(n_lines));
    }
    place.write("contacts.csv", contacts);
    let body = p(&t("Dear {{contact.name}}")) + &p(&merge_field("text"));
    let page = "<w:sectPr><w:pgSz w:w=\"11906\" w:h=\"16838\"/><w:pgMar w:top=\"1134\" w:right=\"1700\" w:bottom=\"1134\" \
                w:left=\"1700\" w:header=\"0\" w:footer=\"0\" w:gutter=\"0\"/></w:sectPr>";
    place.write("letter.docx", Docx::new(&(body + page)).bytes());
    place.write(
        "segment.toml",
        "[segment]\nno = \"SM 1/ü\"\ninteraction_template = \"L\"\n[contacts]\nfile = \"contacts.csv\"\n\
         key = \"no\"\n[[template]]\ncode = \"L\"\ncorrespondence_type = \"hard-copy\"\n\
         default_language = \"en\"\n[template.languages]\nen = { document = \"letter.docx\", subject = \"Hello\" }\n",
    );
    place.write("mailrun.toml", format!("[output]\nletters = \"pdf\"\n[print.marks]\n{marks}\n"));
    place
}

/// First page and pages of each letter, in the order of the print file.
fn letters(manifest: &Path) -> Vec<(usize, usize)> {
    let mut reader = csv::Reader::from_path(manifest).expect("the manifest is there");
    let header = reader.headers().expect("it has a header").clone();
    let at = |name: &str| header.iter().position(|it| it == name).expect("it has the column");
    let (first, pages) = (at("first_page"), at("pages"));
    let number = |text: &str| text.parse().expect("a number");
    let rows = reader.records().map(|row| row.expect("a row"));
    let mut letters: Vec<(usize, usize)> =
        rows.map(|row| (number(&row[first]), number(&row[pages]))).collect();
    letters.sort_unstable();
    letters
}

fn is_near(found: f64, wanted: f64) -> bool {
    (found - wanted).abs() < 0.2
}

/// Which bars of `always`, `not-end`, `not-begin`, `parity-even`, three of the sequence, `always` a sheet has, counted here once
/// more; `sheet_of_all` begins with 1.
fn expected_bars(sheet: usize, n_sheets: usize, sheet_of_all: usize) -> Vec<usize> {
    let sequence = (sheet_of_all - 1) % 7 + 1;
    let mut bars = vec![0, 7];
    bars.extend((sheet != n_sheets).then_some(1));
    bars.extend((sheet != 1).then_some(2));
    bars.extend(
        [(4, 4), (5, 2), (6, 1)].into_iter().filter(|(_, bit)| sequence & bit != 0).map(|(at, _)| at),
    );
    bars.extend((bars.len() % 2 == 1).then_some(3));
    bars.sort_unstable();
    bars
}

#[test]
fn every_sheet_is_marked_where_the_set_up_says_and_machines_read_it() {
    for (sides, kind, format) in [("simplex", "qr", "QR Code"), ("duplex", "datamatrix", "Data Matrix")] {
        let place = place(&format!(
            "pages = {{ left = 185, top = 290, size = 8 }}\n\
             omr = {{ left = 6, top = 120, width = 12, thickness = 0.6, pitch = 5, bars = [\"always\", \"not-end\", \
             \"not-begin\", \"parity-even\", \"sequence-4\", \"sequence-2\", \"sequence-1\", \"always\"] }}\n\
             code = {{ kind = \"{kind}\", left = 7, top = 60, module = 0.5 }}"
        ));
        let mut arguments = vec!["run", "segment.toml", "--print"];
        arguments.extend((sides == "duplex").then_some("--duplex"));
        let _ = place.run(&arguments).expect_code(0);
        let folder = place
            .files("out")
            .into_iter()
            .find_map(|file| file.strip_suffix("/combined.pdf").map(|folder| place.path(folder)));
        let folder = folder.expect("there is a print file");
        let combined = folder.join("combined.pdf");
        let checked = Command::new("qpdf").arg("--check").arg(&combined).output().expect("qpdf runs");
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
        let fonts = Command::new("pdffonts").arg(&combined).output().expect("pdffonts runs");
        let fonts = String::from_utf8(fonts.stdout).expect("it is text");
        let unembedded = |line: &&str| line.split_whitespace().rev().nth(4) == Some("no");
        assert_eq!(fonts.lines().skip(2).find(unembedded), None, "{fonts}");
        let asked = format!("{}\t6.5\n", combined.display());
        let pages: Vec<Vec<Page>> = support::python::asked("tests/judges/marks.py", &asked);
        let pages = &pages[0];
        let (mut sheet_of_all, mut n_seen) = (0, 0);
        for (set, (first, n_pages)) in letters(&folder.join("manifest.csv")).into_iter().enumerate() {
            let per_sheet = if sides == "duplex" { 2 } else { 1 };
            let n_sheets = n_pages.div_ceil(per_sheet);
            for at in 0..n_sheets * per_sheet {
                let page = &pages[first - 1 + at];
                n_seen += 1;
                if at >= n_pages || at % per_sheet == 1 {
                    assert!(page.codes.is_empty() && page.bars.is_empty(), "{sides}, {set}, {at}: {page:?}");
                    assert_eq!(page.words.len(), usize::from(at < n_pages), "{sides}: {page:?}");
                    continue;
                }
                let sheet = at / per_sheet + 1;
                sheet_of_all += 1;
                let [code] = &page.codes[..] else { panic!("{sides}, {set}, {at}: {page:?}") };
                let end = u8::from(sheet == n_sheets);
                let text = format!("SM-1--.1;{:07};{sheet:03};{n_sheets:03};{end}", set + 1);
                assert_eq!((code.kind.as_str(), code.text.as_str()), (format, text.as_str()));
                assert!(is_near(code.left, 7.0) && is_near(code.top, 60.0), "{sides}: {code:?}");
                let bars = expected_bars(sheet, n_sheets, sheet_of_all);
                assert_eq!(page.bars.len(), bars.len(), "{sides}, {set}, {at}: {:?}", page.bars);
                for (found, number) in page.bars.iter().zip(bars) {
                    assert!(is_near(found.middle, 120.0 + 5.0 * number as f64), "{sides}: {found:?}");
                    assert!(is_near(found.thickness, 0.6), "{sides}: {found:?}");
                }
                let [word] = &page.words[..] else { panic!("{sides}, {set}, {at}: {page:?}") };
                assert_eq!(word.text, format!("{}/{n_pages}", at + 1));
                assert!(is_near(word.left, 185.0) && (word.bottom - 290.0).abs() < 1.5, "{word:?}");
            }
        }
        assert_eq!((n_seen, pages.len()), (pages.len(), if sides == "duplex" { 12 } else { 9 }));
        let ticket: serde_json::Value =
            serde_json::from_slice(&std::fs::read(folder.join("ticket.json")).expect("it is there"))
                .expect("it is JSON");
        assert_eq!(ticket["marks"].as_array().map(Vec::len), Some(3), "{ticket}");
        assert_eq!(ticket["pages_too_small"], 0);
    }
}

#[test]
fn marks_that_would_not_be_read_are_found_before_anything_happens() {
    let place = place(
        "pages = { left = 214 }\nomr = { top = 10, thickness = 5, bars = [\"parity-odd\", \"parity-even\"] }",
    );
    let ended = place.run(&["run", "segment.toml", "--print"]).expect_code(1);
    for said in ["`pages` goes from", "`thickness` of `omr` is 5, expected 0.2 to 2", "2 of parity bars"] {
        assert!(ended.stderr.contains(said), "{said}: {}", ended.stderr);
    }
    let _ = place.run(&["check", "segment.toml"]).expect_code(0); // without a print file they are not asked for
    assert!(!place.path("out").exists());
}
