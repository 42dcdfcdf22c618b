//! ASK, FILLIN and SKIPIF at the command line: answered from a file or the segment file, skipped and told.

mod support;

use serde_json::Value;

use support::docx::{Docx, code, field, merge_field, p, read, t};
use support::place::Place;

/// A letter with a question for a bookmark, one for its place, and one with a default.
fn questions() -> Vec<u8> {
    let ask = field(&code(" ASK Occasion \"What do we celebrate?\" \\o "), "");
    let fill_in = field(&code(" FILLIN \"Which day?\" \\d \"some day\" "), &t("old"));
    let shown = field(&code(" REF Occasion "), &t("old"));
    Docx::new(&p(&(ask + &shown + &t(" on ") + &fill_in + &t(" with ") + &merge_field("first_name")))).bytes()
}

fn texts(letter: &[u8]) -> String {
    let xml = read(letter, "word/document.xml").expect("a letter has a main part");
    let texts = xml.split("<w:t xml:space=\"preserve\">").skip(1);
    texts.filter_map(|it| it.split("</w:t>").next()).collect()
}

fn place_to_merge() -> Place {
    let place = Place::new();
    place.write("letter.docx", questions());
    place.write("data.csv", "first_name\nAnn\nBo\n");
    place
}

#[test]
fn questions_are_answered_from_a_file_by_bookmark_or_question() {
    for (answers, expected) in [
        ("{\"Occasion\": \"our <party>\", \"Which day?\": \"1 May\"}", "our &lt;party&gt; on 1 May with Bo"),
        ("{\"What do we celebrate?\": 25, \"Which day?\": \"\"}", "25 on some day with Bo"),
    ] {
        let place = place_to_merge();
        place.write("answers.json", answers);
        let merged =
            place.run(&["merge", "letter.docx", "data.csv", "--answers", "answers.json", "--out", "out"]);
        let _ = merged.expect_code(0);
        assert_eq!(texts(&place.read("out/000002.docx")), expected);
    }
}

#[test]
fn a_question_without_answer_is_a_problem_and_nothing_is_written() {
    for (answers, expected) in [
        ("{}", "help: answer it, or give the field an answer by default: `\\d \"…\"`"),
        ("{\"Ocasion\": \"x\"}", "help: there is an answer to `Ocasion`; did you mean that?"),
    ] {
        let place = place_to_merge();
        place.write("answers.json", answers);
        let merged =
            place.run(&["merge", "letter.docx", "data.csv", "--answers", "answers.json", "--out", "out"]);
        let merged = merged.expect_code(1);
        assert!(merged.stderr.contains("question `Occasion` has no answer"), "{}", merged.stderr);
        assert!(merged.stderr.contains(expected), "{}", merged.stderr);
        assert!(place.files("out").is_empty());
    }
    let place = place_to_merge();
    place.write("answers.json", "[]");
    let merged = place.run(&["merge", "letter.docx", "data.csv", "--answers", "answers.json"]).expect_code(1);
    assert!(merged.stderr.contains("the answers are no JSON object"), "{}", merged.stderr);
}

#[test]
fn a_skipped_record_makes_no_letter_and_does_not_count() {
    let place = Place::new();
    let skip = field(&(code(" SKIPIF ") + &merge_field("city") + &code(" = \"Bern\" ")), "");
    let numbers = field(&code(" MERGEREC "), &t("x")) + &t("/") + &field(&code(" MERGESEQ "), &t("x"));
    place.write("letter.docx", Docx::new(&p(&(skip + &numbers))).bytes());
    place.write("data.csv", "city\nBasel\nBern\nChur\n");
    let _ =
        place.run(&["merge", "letter.docx", "data.csv", "--name", "{{city}}", "--out", "out"]).expect_code(0);
    assert_eq!(place.files("out"), ["out/Basel.docx", "out/Chur.docx"]);
    assert_eq!(texts(&place.read("out/Basel.docx")), "1/1");
    assert_eq!(texts(&place.read("out/Chur.docx")), "3/2");
}

/// A place with the segment of `mailrun init`, whose letter has this content.
fn place_to_run(letter: &[u8], settings: &str) -> Place {
    let place = Place::with_copy_of("templates/init");
    place.write("letter.docx", letter);
    place.write("contacts.csv", "no,Company,first_name,surname,address,city,language\nC1,,Ann,A,Street 1,Basel,en\nC2,,Bo,B,Street 2,Bern,en\n");
    let segment = place.read_text("segment.toml");
    let until_lines = segment.split("[[line]]").next().expect("a split has a first part");
    let header = "[segment]\nno = \"SM00001\"\ncorrespondence_type = \"hard-copy\"\n\
                  ignore_contact_correspondence_type = true\n";
    let segment = until_lines.replace("[segment]\n", header);
    place.write("segment.toml", segment.replace("[[template]]\n", &format!("[[template]]\n{settings}")));
    place
}

#[test]
fn a_segment_answers_the_questions_of_its_documents_with_tags() {
    let answers = "answers = { Occasion = \"{{upper first_name}}'s day\", \"Which day?\" = \"1 May\" }\n";
    let place = place_to_run(&questions(), answers);
    let _ = place.run(&["run", "segment.toml"]).expect_code(0);
    let files = place.files("out/SM00001/letters");
    assert_eq!(texts(&place.read(&files[0])), "ANN's day on 1 May with Ann");
    let refused = place_to_run(&questions(), "").run(&["check", "segment.toml"]).expect_code(1);
    assert!(refused.stderr.contains("question `Occasion` has no answer"), "{}", refused.stderr);
}

#[test]
fn a_contact_that_the_document_skips_is_logged_as_suppressed() {
    let skip = field(&(code(" SKIPIF ") + &merge_field("city") + &code(" = \"Bern\" ")), "");
    let place = place_to_run(&Docx::new(&p(&(skip + &merge_field("first_name")))).bytes(), "");
    let checked = place.run(&["check", "segment.toml"]).expect_code(0);
    assert!(checked.stderr.contains("2 lines = 1 planned + 1 suppressed"), "{}", checked.stderr);
    let explained = place.run(&["explain", "segment.toml", "--contact", "C2"]).expect_code(0);
    assert!(explained.stdout.contains("skipped-by-document"), "{}", explained.stdout);
    let report = place.run(&["run", "segment.toml", "--json"]).expect_code(0).report();
    assert_eq!((&report["written"], &report["suppressed"]), (&Value::from(1), &Value::from(1)));
    let entries = place.run(&["log", "list", "--state", "suppressed", "--json"]).expect_code(0).json_lines();
    assert_eq!(entries[0]["contact"], "C2");
    assert_eq!(entries[0]["reason"], "skipped-by-document");
    assert_eq!(place.files("out/SM00001/letters").len(), 1);
}
