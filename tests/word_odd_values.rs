//! Values that a field cannot show as it asks, or that may be read in two ways, are told of: once for each field, with
//! the first record or contact, and the letters are made.

mod support;

use support::docx::{Docx, merge_field, p, t};
use support::place::Place;

/// The warnings of a merge, each as message and place, and the shown text of its letters.
fn merge(content: &str, (file, data): (&str, &str), options: &[&str]) -> (Vec<[String; 2]>, Vec<String>) {
    let place = Place::new();
    place.write("letter.docx", Docx::new(content).bytes());
    place.write(file, data);
    let arguments = [&["merge", "letter.docx", file, "--json", "-q"], options].concat();
    let ended = place.run(&arguments).expect_code(0);
    let text = |it: &serde_json::Value| it.as_str().unwrap_or_default().to_owned();
    let warning =
        |line: &serde_json::Value| line.get("warning").map(|it| [text(&it["message"]), text(&it["place"])]);
    let warnings = ended.json_lines().iter().filter_map(warning).collect();
    let shown = |name: &String| support::text::shown(&place.read(name), "document").join("|");
    (warnings, place.files("out").iter().map(shown).collect())
}

fn of_record(record: u32, code: &str) -> String {
    format!("record {record}, letter.docx, word/document.xml, paragraph 1: {code}")
}

#[test]
fn a_date_that_may_be_either_of_two_is_read_by_the_locale_and_told_of_once() {
    let field = p(&merge_field("day \\@ \"d MMMM yyyy\""));
    let code = "MERGEFIELD day \\@ \"d MMMM yyyy\"";
    let data = "day\n2026-03-04\n31/12/2026\n03/04/2026\n05/06/2026\n07/07/2026\n";
    let (warnings, letters) = merge(&field, ("data.csv", data), &[]);
    let message = "date `03/04/2026` is ambiguous; it is read as 2026-03-04".to_owned();
    assert_eq!(warnings, [[message, of_record(3, code)]]);
    assert_eq!(letters, ["4 March 2026", "31 December 2026", "4 March 2026", "6 May 2026", "7 July 2026"]);
    let (warnings, letters) = merge(&field, ("data.csv", data), &["--locale", "en-GB"]);
    let message = "date `03/04/2026` is ambiguous; it is read as 2026-04-03".to_owned();
    assert_eq!(warnings, [[message, of_record(3, code)]]);
    assert_eq!(letters, ["4 March 2026", "31 December 2026", "3 April 2026", "5 June 2026", "7 July 2026"]);
}

#[test]
fn what_is_told_of_is_what_a_field_reads() {
    let message = || "date `03/04/2026` is ambiguous; it is read as 2026-03-04".to_owned();
    let data =
        ("data.json", r#"[{"day": "03/04/2026", "items": [{"due": "2026-01-02"}, {"due": "03/04/2026"}]}]"#);
    let quote = support::docx::field(
        &(support::docx::code(" QUOTE \"") + &merge_field("day") + &support::docx::code("\" \\@ yyyy ")),
        &t("old"),
    );
    for (content, code) in [
        // As text it is shown as it is.
        (merge_field("day"), None),
        (t("{{day}}"), None),
        (merge_field("day \\* Upper"), None),
        (t("{{date day \"yyyy\"}}"), Some("{{date day \"yyyy\"}}")),
        (t("{{date (add_days day 1)}}"), Some("{{date (add_days day 1)}}")),
        (t("{{#each items}}{{date due}}{{/each}}"), Some("{{date due}}")),
        (quote, Some("QUOTE \"{…}\" \\@ yyyy")),
    ] {
        let (warnings, letters) = merge(&p(&content), data, &[]);
        let expected: Vec<_> = code.iter().map(|code| [message(), of_record(1, code)]).collect();
        assert_eq!(warnings, expected, "{content}");
        assert_eq!(letters.len(), 1);
    }
}

#[test]
fn a_number_that_cannot_be_written_in_words_is_told_of() {
    for (switch, locale, value, message, shown) in [
        ("\\* CardText", "en-US", "1000000", "number 1000000 cannot be shown as `\\* CardText`", "1000000"),
        ("\\* roman", "en-US", "-5", "number -5 cannot be shown as `\\* LowerRoman`", "-5"),
        ("\\* OrdText", "de-DE", "21", "there are no number words in `de-DE` for `\\* OrdText`", "21"),
    ] {
        let code = format!("MERGEFIELD n {switch}");
        let data = ("data.csv", format!("n\n7\n{value}\n"));
        let first = if locale == "en-US" { 2 } else { 1 };
        let (warnings, letters) =
            merge(&p(&merge_field(&format!("n {switch}"))), (data.0, &data.1), &["--locale", locale]);
        assert_eq!(warnings, [[message.to_owned(), of_record(first, &code)]]);
        assert_eq!(letters[1], shown);
    }
}

#[test]
fn check_names_the_contact_and_the_field_once() {
    let place = Place::with_copy_of("templates/init");
    place.write("letter.docx", Docx::new(&p(&merge_field("joined \\@ yyyy"))).bytes());
    let row = |no: u32, joined: &str| format!("C{no},,A,B{no},Street 1,Basel,en,{joined}\n");
    let rows: String =
        [(1, "2026-01-02"), (2, "03/04/2026"), (3, "05/06/2026")].map(|(no, it)| row(no, it)).concat();
    place
        .write("contacts.csv", format!("no,Company,first_name,surname,address,city,language,joined\n{rows}"));
    let segment = place.read_text("segment.toml");
    let until_lines = segment.split("[[line]]").next().expect("a split has a first part");
    let header = "[segment]\nno = \"SM00001\"\ncorrespondence_type = \"hard-copy\"\n\
                  ignore_contact_correspondence_type = true\n";
    place.write("segment.toml", until_lines.replace("[segment]\n", header));
    let checked = place.run(&["check", "segment.toml"]).expect_code(0);
    let found: Vec<&str> =
        checked.stderr.lines().skip_while(|line| !line.contains("is ambiguous")).take(3).collect();
    assert_eq!(found.len(), 3, "{}", checked.stderr);
    assert_eq!(checked.stderr.matches("is ambiguous").count(), 1, "{}", checked.stderr);
    assert!(
        found[0].contains("warning: date `03/04/2026` is ambiguous; it is read as 2026-03-04"),
        "{found:?}"
    );
    assert!(
        found[1].contains("contact C2")
            && found[1].contains("letter.docx, word/document.xml, paragraph 1: MERGEFIELD joined \\@ yyyy"),
        "{found:?}"
    );
    assert_eq!(
        found[2],
        "  help: the locale decides which number is the month; a date written as `2026-03-04` means the same everywhere"
    );
}
