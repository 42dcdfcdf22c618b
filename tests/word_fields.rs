//! Word's own fields: each shows its value, in the place and with the formatting of the field, and nothing else changes.

mod support;

use mailrun::merge::{FieldMap, Frame, Letter, Merged, Moment, Namespace, Template, Value};

use support::docx::{Docx, body as docx_body, code, field, merge_field, p, t};

/// Merges a body and compares the text: paragraphs end with `¶`, breaks are `⏎`, tabs `→`.
fn check(body: &str, values: &[(&str, &str)], expected: &str) {
    assert_eq!(shown(&Docx::new(body).body(values)), expected, "{body}");
}

/// The text of some XML, without the codes of fields.
fn shown(xml: &str) -> String {
    let mut text = String::new();
    let mut rest = xml;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        let end = rest.find('>').expect("a tag ends");
        let tag = &rest[at..=end];
        rest = &rest[end + 1..];
        match tag {
            "</w:p>" | "<w:p/>" => text.push('¶'),
            "<w:br/>" => text.push('⏎'),
            "<w:tab/>" => text.push('→'),
            "</w:tc>" => text.push('|'),
            tag if tag.starts_with("<w:instrText") => {
                rest = &rest[rest.find("</w:instrText>").expect("code ends")..];
            }
            _ => {}
        }
    }
    text.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"")
}

fn check_problem(body: &str, expected: &[&str]) {
    let template = Template::compile(&Docx::new(body).bytes()).expect("the package is whole");
    let mut namespace = Namespace::new();
    namespace.value("contact.first_name");
    let problems = template.bind(&namespace, &FieldMap::new()).expect_err("there are problems");
    let lines: Vec<String> = problems
        .iter()
        .map(|it| format!("{it} --> {} ({})", it.place(), it.help().unwrap_or_default()))
        .collect();
    assert_eq!(lines, expected);
}

#[test]
fn a_merge_field_shows_its_value_however_it_is_written() {
    let ann = [("First Name", "Ann")];
    for body in [
        merge_field("First_Name"),
        merge_field("\"First Name\" \\* MERGEFORMAT"),
        merge_field("“First Name”"),
        merge_field("firstname"),
        field(&code(" mergefield FIRSTNAME "), &t("x")),
        field(
            &(code(" MERGE") + "<w:proofErr w:type=\"spellStart\"/>" + &code("FIELD First") + &code("Name ")),
            &t("x"),
        ),
        "<w:fldSimple w:instr=\" MERGEFIELD FirstName \"><w:r><w:t>x</w:t></w:r></w:fldSimple>".to_owned(),
        "<w:r><w:fldChar w:fldCharType=\"begin\"/><w:instrText> MERGEFIELD FirstName </w:instrText>\
         <w:fldChar w:fldCharType=\"end\"/></w:r>"
            .to_owned(),
        format!("<w:hyperlink w:anchor=\"a\">{}</w:hyperlink>", merge_field("FirstName")),
        format!("<w:ins w:id=\"1\">{}</w:ins>", merge_field("FirstName")),
        format!("<w:sdt><w:sdtContent>{}</w:sdtContent></w:sdt>", merge_field("FirstName")),
    ] {
        check(&p(&(t("Dear ") + &body + &t(","))), &ann, "Dear Ann,¶");
    }
}

#[test]
fn switches_change_the_value() {
    for (switches, value, expected) in [
        ("\\* Upper", "mary SmiTH", "MARY SMITH"),
        ("\\* lower", "mary SmiTH", "mary smith"),
        ("\\*FirstCap", "mary smith", "Mary smith"),
        ("\\* FirstCap MERGEFORMAT", "\"mary smith\"", "\"Mary smith\""),
        ("\\* Caps", "thIs is", "ThIs Is"),
        ("\\b \"Dear \" \\f \",\"", "Bo", "Dear Bo,"),
        ("\\b \"Dear \" \\f \",\"", "0", "Dear 0,"),
        ("\\b ( \\f ) \\* MERGEFORMAT", "12", "(12)"),
        ("\\b ( \\f )", "", ""),
    ] {
        check(
            &p(&(t("|") + &merge_field(&format!("A {switches}")))),
            &[("A", value)],
            &format!("|{expected}¶"),
        );
    }
}

#[test]
fn values_are_text_and_never_structure() {
    check(&p(&merge_field("A")), &[("A", "a & <b> \"c\"")], "a & <b> \"c\"¶");
    check(&p(&merge_field("A")), &[("A", "one\r\ntwo\nthree\tfour")], "one⏎two⏎three→four¶");
    check(&p(&merge_field("A")), &[("A", "a\u{0}b\u{1b}c")], "abc¶");
    check(&p(&merge_field("A")), &[("A", "{{B}} « MERGEFIELD")], "{{B}} « MERGEFIELD¶");
}

#[test]
fn the_value_takes_the_formatting_that_word_would_give_it() {
    let bold = "<w:r><w:rPr><w:b/></w:rPr><w:instrText> MERGEFIELD A </w:instrText></w:r>";
    let italic = "<w:r><w:rPr><w:i/></w:rPr><w:t>old</w:t></w:r>";
    let body = Docx::new(&p(&field(bold, italic))).body(&[("A", "x")]);
    assert_eq!(body, "<w:p><w:r><w:rPr><w:b/></w:rPr><w:t xml:space=\"preserve\">x</w:t></w:r></w:p>");
    let bold = bold.replace(" A ", " A \\* MERGEFORMAT ");
    let body = Docx::new(&p(&field(&bold, italic))).body(&[("A", "x")]);
    assert_eq!(body, "<w:p><w:r><w:rPr><w:i/></w:rPr><w:t xml:space=\"preserve\">x</w:t></w:r></w:p>");
}

#[test]
fn text_and_marks_around_a_field_stay_byte_for_byte() {
    let before = "<w:pPr><w:jc w:val=\"both\"/></w:pPr><w:bookmarkStart w:id=\"3\" w:name=\"b\"/>";
    let live = field(&code(" PAGE "), &t("1"));
    let after = format!("<w:bookmarkEnd w:id=\"3\"/>{}{live}<!-- x -->", t("a &amp; b"));
    let body = Docx::new(&p(&format!("{before}{}{after}", merge_field("A")))).body(&[("A", "x")]);
    assert_eq!(body, p(&format!("{before}{}{after}", t("x"))));
}

#[test]
fn marks_inside_a_field_survive() {
    let inside =
        "<w:r><w:instrText> MERGEFIELD </w:instrText></w:r><w:bookmarkStart w:id=\"3\" w:name=\"b\"/>";
    let result = t("x") + "<w:bookmarkEnd w:id=\"3\"/>";
    let body = Docx::new(&p(&field(&format!("{inside}{}", code("A")), &result))).body(&[("A", "y")]);
    let expected =
        "<w:bookmarkStart w:id=\"3\" w:name=\"b\"/>".to_owned() + &t("y") + "<w:bookmarkEnd w:id=\"3\"/>";
    assert_eq!(body, p(&expected));
}

#[test]
fn if_compares_as_word_does() {
    for (value, condition, expected) in [
        ("NY", "= \"ny\"", "F"),
        ("ny", "= \"ny\"", "T"),
        ("98512", "= \"985*\"", "T"),
        ("98512", "= \"98?12\"", "T"),
        ("98512", "<> \"985*\"", "F"),
        ("", "= \"\"", "T"),
        ("10", "> 9", "T"),
        ("9", "<= 9", "T"),
        ("New York \"x\" \\", "= \"New York *\"", "T"),
    ] {
        let inside = code(" IF ") + &merge_field("A") + &code(&format!(" {condition} \"T\" \"F\" "));
        check(&p(&field(&inside, &t("old"))), &[("A", value)], &format!("{expected}¶"));
    }
    let no_else = code(" IF ") + &merge_field("A") + &code(" = 1 T");
    check(&p(&(t("x") + &field(&no_else, ""))), &[("A", "2")], "x¶");
}

#[test]
fn if_branches_hold_fields_and_paragraphs() {
    let nested = field(
        &(code(" IF ")
            + &merge_field("x")
            + &code(" = \"two\" \"two\" \"more: ")
            + &merge_field("x")
            + &code("\" ")),
        &t("old"),
    );
    let body = p(&field(
        &(code(" IF ") + &merge_field("x") + &code(" <> \"one\" \"") + &nested + &code("\" \"- one -\" ")),
        &t("old"),
    ));
    check(&body, &[("x", "five")], "more: five¶");
    check(&body, &[("x", "two")], "two¶");
    check(&body, &[("x", "one")], "- one -¶");
    let begin = "<w:r><w:fldChar w:fldCharType=\"begin\"/></w:r>";
    let end = "<w:r><w:fldChar w:fldCharType=\"end\"/></w:r>";
    let table = "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>cell</w:t></w:r></w:p></w:tc></w:tr></w:tbl>";
    let body = format!(
        "{}{table}{}",
        p(&(t("a") + begin + &code(" IF ") + &merge_field("x") + &code(" = 1 \"b"))),
        p(&(code("c\" \"d\" ") + end + &t("e")))
    );
    check(&body, &[("x", "1")], "ab¶cell¶|ce¶");
    check(&body, &[("x", "2")], "ade¶");
}

#[test]
fn a_line_of_blank_fields_vanishes_and_a_cell_keeps_its_paragraph() {
    let body = p(&t("One")) + &p(&merge_field("A")) + &p(&t("Two"));
    check(&body, &[("A", "")], "One¶Two¶");
    check(&body, &[("A", "x")], "One¶x¶Two¶");
    check(
        &(p(&t("One")) + &p(&(merge_field("A") + &t(" ") + &merge_field("A"))) + &p("")),
        &[("A", "")],
        "One¶ ¶¶",
    );
    let cell = format!("<w:tbl><w:tr><w:tc>{}</w:tc></w:tr></w:tbl>{}", p(&merge_field("A")), p(""));
    check(&cell, &[("A", "")], "¶|¶");
    let section = "<w:pPr><w:sectPr/></w:pPr>".to_owned() + &merge_field("A");
    check(&(p(&section) + &p("")), &[("A", "")], "¶¶");
}

#[test]
fn fields_that_stay_alive_keep_their_result_and_take_values_into_their_code() {
    let tip = code(" HYPERLINK \"http://x/\" \\o \"") + &merge_field("A") + &code("\" ");
    let link = field(&tip, &merge_field("A"));
    let body = Docx::new(&p(&link)).body(&[("A", "a\"b")]);
    assert_eq!(shown(&body), "a\"b¶");
    assert!(body.contains("a\\&quot;b</w:instrText>"), "{body}");
    for live in [" PAGE ", " SEQ Figure ", " CREATEDATE \\@ yyyy ", " TOC \\o ", " REF mark ", " FORMTEXT "] {
        let body = p(&field(&code(live), &t("7")));
        assert_eq!(Docx::new(&body).body(&[]), body);
    }
}

#[test]
fn fields_are_found_in_every_part_and_both_branches_of_a_text_box() {
    let text_box = |at: &str| {
        format!("<w:pict><w:txbxContent>{}</w:txbxContent></w:pict><!--{at}-->", p(&merge_field("A")))
    };
    let alternate = format!(
        "<w:r><mc:AlternateContent xmlns:mc=\"http://schemas.openxmlformats.org/markup-compatibility/2006\">\
         <mc:Choice Requires=\"wps\">{}</mc:Choice><mc:Fallback>{}</mc:Fallback></mc:AlternateContent></w:r>",
        text_box("1"),
        text_box("2")
    );
    check(&p(&(t("a") + &alternate + &t("b"))), &[("A", "x")], "ax¶x¶b¶");
    let docx = Docx::new(&p(""))
        .with("header", "hdr", &p(&merge_field("A")))
        .with("footer", "ftr", &p(&merge_field("A")))
        .with(
            "footnotes",
            "footnotes",
            &format!("<w:footnote w:id=\"2\">{}</w:footnote>", p(&merge_field("A"))),
        );
    let letter = docx.template().render(&support::docx::texts(&[("A", "x")])).expect("the letter renders");
    for part in ["word/header1.xml", "word/footer2.xml", "word/footnotes3.xml"] {
        let text = support::docx::read(&letter.bytes, part).expect("the part exists");
        assert_eq!(shown(&text), "x¶", "{part}");
    }
}

#[test]
fn faults_are_reported_together_with_their_place() {
    let open = "<w:r><w:fldChar w:fldCharType=\"begin\"/></w:r>".to_owned() + &code(" MERGEFIELD Lost ");
    check_problem(
        &(p(&merge_field("FristName")) + &p(&field(&code(" NEXT "), "")) + &p(&open)),
        &[
            "field has no end --> word/document.xml, paragraph 3: MERGEFIELD Lost \
             (delete the field in Word and insert it again)",
            "merge field `FristName` has no value --> word/document.xml, paragraph 1: MERGEFIELD FristName \
             (did you mean `FirstName` (contact.first_name)?)",
        ],
    );
}

#[test]
fn values_are_shown_as_their_switches_ask() {
    for (switches, value, expected) in [
        ("\\# \"$#,##0.00\"", "1245.65", "$1,245.65"),
        ("\\# 00000", "1234", "01234"),
        ("\\@ \"d MMMM yyyy\"", "2026-01-02", "2 January 2026"),
        ("\\@ \"yyyy-MM-dd\"", "n/a", "n/a"),
        ("\\* roman \\* Upper", "58", "LVIII"),
        ("\\* CardText", "790", "seven hundred ninety"),
        ("\\# 0.00", "", ""),
    ] {
        let body = p(&(t("|") + &merge_field(&format!("A {switches}"))));
        check(&body, &[("A", value)], &format!("|{expected}¶"));
    }
}

#[test]
fn fields_that_compute_become_their_result() {
    let compute = |text: &str| p(&(t("|") + &field(&code(text), &t("old"))));
    for (text, expected) in [
        (" COMPARE 3 < 2 ", "|0¶"),
        (" COMPARE 5 = \"2 + 3\" ", "|1¶"),
        (" = 2.5 * 5.2 ", "|13¶"),
        (" = 25 + 33 \\* roman \\* Upper ", "|LVIII¶"),
        (" QUOTE \" Real value.\" ", "| Real value.¶"),
        (" MERGEREC ", "|1¶"),
        (" MERGESEQ ", "|1¶"),
        (" FILLIN \"Who?\" \\d \"nobody\" ", "|nobody¶"),
    ] {
        check(&compute(text), &[("A", "x")], expected);
    }
    let set = p(&(t("|") + &field(&(code(" SET B \"<") + &merge_field("A") + &code(">\"")), "")));
    check(&(set + &p(&field(&code(" REF B "), &t("old")))), &[("A", "x")], "|¶<x>¶");
}

#[test]
fn formulas_refer_to_the_cells_of_the_merged_table() {
    let cell = |content: &str| format!("<w:tc>{}</w:tc>", p(content));
    let row = |content: &str| format!("<w:tr>{}</w:tr>", cell(content));
    let body = format!(
        "<w:tbl>{}{}{}</w:tbl>{}",
        row(&merge_field("A")),
        row(&t("2")),
        row(&field(&code(" =SUM(ABOVE) "), &t("old"))),
        p("")
    );
    check(&body, &[("A", "40")], "40¶|2¶|42¶|¶");
}

#[test]
fn a_sheet_of_labels_takes_as_many_records_as_it_has_room_for() {
    let next = field(&code(" NEXT "), "");
    let body = p(&merge_field("A"))
        + &p(&(next.clone() + &merge_field("A")))
        + &p(&(next + &merge_field("A") + &t(".")));
    let mut names = Namespace::new();
    names.column("A", "A");
    let bound = Docx::new(&body).template().bind(&names, &FieldMap::new()).expect("the name is known");
    assert!(bound.takes_several());
    let records = ["one", "two"].map(|text| Frame(vec![Value::text(text)]));
    let moment = Moment {
        now: jiff::civil::date(2026, 3, 1).at(9, 0, 0, 0),
        locale: "en-US".to_owned(),
        record: 1,
        sequence: 1,
    };
    let mut bytes = Vec::new();
    let merged = bound.letter_of(&records, &moment, &mut bytes).expect("the letter renders");
    assert_eq!(merged, Merged { n_records: 2, is_skipped: false });
    assert_eq!(shown(&docx_body(&Letter { bytes })), "one¶two¶.¶");
}

#[test]
fn fields_combine_as_the_standard_and_word_have_it() {
    let nested = |text: &str, value: &str, rest: &str| code(text) + &merge_field(value) + &code(rest);
    let compare = |text: &str| field(&code(&format!(" COMPARE {text} ")), &t("0"));
    let either = field(
        &(code(" = OR ( ") + &compare("1 = 2") + &code(" , ") + &compare("3 = 3") + &code(" ) ")),
        &t("0"),
    );
    let idiom = field(&(code(" IF ") + &either + &code(" = 1 \"a\" \"b\" ")), &t("old"));
    check(&p(&idiom), &[], "a¶");
    let spaced = merge_field("T \\f \" \"") + &merge_field("F \\f \" \"") + &merge_field("L");
    check(&p(&spaced), &[("T", ""), ("F", "Ann"), ("L", "Lee")], "Ann Lee¶");
    let surplus = field(
        &(nested(" IF ", "N", " > 0 \" (surplus of ") + &merge_field("N \\f $") + &code(")\" \"\" ")),
        &t("old"),
    );
    check(&p(&(t("x") + &surplus)), &[("N", "100")], "x (surplus of 100$)¶");
    check(&p(&(t("x") + &surplus)), &[("N", "-1")], "x¶");
    let quoted = field(&code(" QUOTE \"a\" \"b\" "), &t("old"));
    check(&p(&quoted), &[], "ab¶");
    // A bookmark is blank before it is set, and its bare name shows it.
    let set = field(&code(" SET B \"x\" "), "");
    let shown = field(&code(" REF B "), &t("old"));
    check(&p(&(t("|") + &shown + &set + &field(&code(" B "), &t("old")))), &[], "|x¶");
    // The line break of `\\f` goes with the value.
    let broken = code(" MERGEFIELD A \\b \"E-mail: \" \\f \"") + "<w:r><w:br/></w:r>" + &code("\" ");
    let body = p(&(field(&broken, &t("old")) + &t("end")));
    check(&body, &[("A", "a@b")], "E-mail: a@b⏎end¶");
    check(&body, &[("A", "")], "end¶");
}

#[test]
fn what_stands_in_a_branch_that_is_not_chosen_has_no_effect() {
    let next = field(&code(" NEXT "), "");
    let set = field(&code(" SET B \"changed\" "), "");
    for (condition, expected) in [("1 = 2", "one kept¶"), ("1 = 1", "two changed¶")] {
        let first = field(&code(" SET B \"kept\" "), "");
        let branch =
            field(&(code(&format!(" IF {condition} \"")) + &next + &set + &code("\" \"\" ")), &t("old"));
        let body = p(&(first + &branch + &merge_field("A") + &t(" ") + &field(&code(" REF B "), &t("old"))));
        check_records(&body, &["one", "two"], expected);
    }
    for (condition, expected) in [("\"one\"", "onetwo¶"), ("\"two\"", "oneone¶")] {
        let next_if = field(&(code(" NEXTIF ") + &merge_field("A") + &code(&format!(" = {condition} "))), "");
        check_records(&p(&(merge_field("A") + &next_if + &merge_field("A"))), &["one", "two"], expected);
    }
}

#[test]
fn the_date_is_that_of_the_run_and_stays_a_field() {
    for (text, expected) in
        [(" DATE \\@ \"d MMMM yyyy\" ", "1 March 2026"), (" TIME \\@ \"HH:mm\" ", "09:00")]
    {
        let body = records(&p(&field(&code(text), &t("old"))), &[""]);
        assert_eq!(body, p(&field(&code(text), &t(expected))));
    }
}

/// The body of the one letter that is made of records with one value each, `A`.
fn records(content: &str, values: &[&str]) -> String {
    let mut names = Namespace::new();
    names.column("A", "A");
    let bound = Docx::new(content).template().bind(&names, &FieldMap::new()).expect("the name is known");
    let records: Vec<Frame> = values.iter().map(|text| Frame(vec![Value::text(*text)])).collect();
    let now = jiff::civil::date(2026, 3, 1).at(9, 0, 0, 0);
    let moment = Moment { now, locale: "en-US".to_owned(), record: 1, sequence: 1 };
    let mut bytes = Vec::new();
    bound.letter_of(&records, &moment, &mut bytes).expect("the letter renders");
    docx_body(&Letter { bytes })
}

fn check_records(content: &str, values: &[&str], expected: &str) {
    assert_eq!(shown(&records(content, values)), expected, "{content}");
}
