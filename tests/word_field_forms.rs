//! Fields in the forms that real templates have: around and between other markup, locked, deleted, left to Word; and values
//! with signs that Word writes as elements.

mod support;

use mailrun::merge::Template;

use support::docx::{Docx, code, field, merge_field, p, t};

/// The shown text of the merged body; paragraphs end with `¶`, breaks are `⏎`, tabs `→`.
fn shown(content: &str, values: &[(&str, &str)]) -> String {
    let letter = Docx::new(content).template().render(&support::docx::texts(values));
    let paragraphs = support::text::paragraphs(&letter.expect("the letter renders").bytes);
    paragraphs["word/document.xml"].iter().map(|it| format!("{}¶", it.shown)).collect()
}

fn mark(kind: &str) -> String {
    format!("<w:r><w:fldChar w:fldCharType=\"{kind}\"/></w:r>")
}

#[test]
fn a_field_is_found_in_whatever_it_stands() {
    let simple = "<w:fldSimple w:instr=\" MERGEFIELD A \"><w:r><w:t>old</w:t></w:r></w:fldSimple>";
    let linked = simple
        .replace("<w:r>", "<w:hyperlink w:anchor=\"x\"><w:r>")
        .replace("</w:r>", "</w:r></w:hyperlink>");
    let deleted = "<w:del w:id=\"1\"><w:r><w:delInstrText> MERGEFIELD B </w:delInstrText></w:r></w:del>";
    for runs in [
        simple.to_owned(),
        linked,
        field(&(code(" IF ") + simple + &code(" = \"x\" \"x\" \"no\" ")), &t("old")),
        field(&(code(" QUOTE \"") + simple + &code("\" ")), &t("old")),
        field(&(deleted.to_owned() + &code(" MERGEFIELD A ")), &t("old")),
        field(&(code(" MERGEFIELD") + "<w:r><w:tab/></w:r>" + &code("A ")), &t("old")),
        field(&(code(" MERGEFIELD") + "<w:r><w:br/></w:r>" + &code("A \\* Lower ")), &t("old")),
        format!("<w:smartTag w:element=\"a\">{}</w:smartTag>", merge_field("A")),
        format!("<w:customXml w:element=\"a\">{}</w:customXml>", merge_field("A")),
        format!("<w:dir w:val=\"rtl\">{}</w:dir>", merge_field("A")),
        format!("<w:moveTo w:id=\"1\">{}</w:moveTo>", merge_field("A")),
        format!("<w:ins w:id=\"1\">{}</w:ins>{}", mark("begin") + &code(" MERGEFIELD A "), mark("end")),
        format!(
            "<w:sdt><w:sdtContent>{}</w:sdtContent></w:sdt>{}",
            mark("begin") + &code(" MERGEFIELD A "),
            mark("end")
        ),
    ] {
        assert_eq!(shown(&p(&(t("|") + &runs + &t("|"))), &[("A", "x")]), "|x|¶", "{runs}");
    }
    // Over the border of two paragraphs, which become one as in Word.
    let over =
        p(&(t("|") + &mark("begin") + &code(" MERGEFIELD "))) + &p(&(code(" A ") + &mark("end") + &t("|")));
    assert_eq!(shown(&over, &[("A", "x")]), "|x|¶");
    // Over the border of two cells, which stay two.
    let cell = |runs: &str| format!("<w:tc>{}</w:tc>", p(runs));
    let row = cell(&(t("|") + &mark("begin") + &code(" MERGEFIELD ")))
        + &cell(&(code(" A ") + &mark("end") + &t("|")));
    let table = format!("<w:tbl><w:tblPr/><w:tr>{row}</w:tr></w:tbl>{}", p(""));
    assert_eq!(shown(&table, &[("A", "x")]), "|x¶|¶¶");
    let letter = Docx::new(&table).template().render(&support::docx::texts(&[("A", "")]));
    let flaws = mailrun::merge::lint(&letter.expect("the letter renders").bytes);
    assert_eq!(flaws.expect("it is a package"), Vec::new());
}

#[test]
fn a_field_that_is_no_field_of_ours_stays_as_it_is() {
    let locked = mark("begin").replace("\"begin\"", "\"begin\" w:fldLock=\"true\"");
    for runs in [
        // Empty, locked, deleted, of an unknown kind, with no end.
        mark("begin") + &mark("end"),
        mark("begin") + &code("  ") + &mark("separate") + &t("x") + &mark("end"),
        format!("{locked}{}{}{}{}", code(" MERGEFIELD A "), mark("separate"), t("old"), mark("end")),
        format!("<w:del w:id=\"1\">{}</w:del>", merge_field("A").replace("instrText", "delInstrText")),
        field(&code(" ADVANCE \\d 4 "), ""),
        field(&code(" BIDIOUTLINE "), &t("x")),
    ] {
        let content = p(&(t("|") + &runs));
        assert_eq!(Docx::new(&content).body(&[]), content);
    }
}

#[test]
fn what_another_program_or_file_would_give_stays_and_is_told_of() {
    for (text, keyword) in [
        (" INCLUDETEXT \"C:\\\\other.docx\" ", "INCLUDETEXT"),
        (" DATABASE \\d \"x\" \\s \"SELECT 1\" ", "DATABASE"),
        (" LINK Excel.Sheet.8 \"x.xls\" ", "LINK"),
        (" DDE Excel x ", "DDE"),
        (" DDEAUTO c:\\\\windows\\\\system32\\\\cmd.exe \"/k calc\" ", "DDEAUTO"),
        (" MACROBUTTON Run click ", "MACROBUTTON"),
    ] {
        let content = p(&field(&code(text), &t("old")));
        let template = Docx::new(&content).template();
        let told: Vec<(String, String)> =
            template.warnings().iter().map(|it| (it.to_string(), it.at().code.clone())).collect();
        let expected = (format!("field `{keyword}` is left as it is"), text.trim().to_owned());
        assert!(told.contains(&expected), "{told:?}");
        assert_eq!(Docx::new(&content).body(&[]), content);
    }
}

#[test]
fn next_outside_the_body_has_no_effect_and_is_told_of() {
    let next = |text: &str| merge_field("A") + &field(&code(text), "") + &merge_field("A");
    for (kind, root, wrap) in [
        ("header", "hdr", ["", ""]),
        ("footer", "ftr", ["", ""]),
        ("footnotes", "footnotes", ["<w:footnote w:id=\"2\">", "</w:footnote>"]),
    ] {
        for (text, keyword) in [(" NEXT ", "NEXT"), (" NEXTIF 1 = 1 ", "NEXTIF")] {
            let part = format!("{}{}{}", wrap[0], p(&next(text)), wrap[1]);
            let docx = Docx::new(&p(&merge_field("A"))).with(kind, root, &part);
            let template = Template::compile(&docx.bytes()).expect("the document compiles");
            let told: Vec<String> = template.warnings().iter().map(ToString::to_string).collect();
            let expected = format!("field `{keyword}` has an effect in the body of a document alone");
            assert_eq!(told, [expected], "{kind}");
            let letter = template.render(&support::docx::texts(&[("A", "x")])).expect("the letter renders");
            assert_eq!(support::text::shown(&letter.bytes, &format!("{kind}1")), ["xx"]);
        }
    }
}

#[test]
fn signs_of_a_value_become_what_word_writes_for_them() {
    for (value, expected) in [
        (
            "a\u{2028}b\rc",
            "a</w:t><w:br/><w:t xml:space=\"preserve\">b</w:t><w:br/><w:t xml:space=\"preserve\">c",
        ),
        ("e\u{2011}mail", "e</w:t><w:noBreakHyphen/><w:t xml:space=\"preserve\">mail"),
        ("Donau\u{AD}dampf", "Donau</w:t><w:softHyphen/><w:t xml:space=\"preserve\">dampf"),
        ("  a  b ", "  a  b "),
        ("a\u{FFFE}\u{8}b", "ab"),
    ] {
        let body = Docx::new(&p(&merge_field("A"))).body(&[("A", value)]);
        assert_eq!(body, p(&format!("<w:r><w:t xml:space=\"preserve\">{expected}</w:t></w:r>")), "{value:?}");
    }
}

#[test]
fn a_value_takes_the_look_of_its_code_or_of_its_old_result() {
    let run = |look: &str, text: &str| format!("<w:r><w:rPr>{look}</w:rPr>{text}</w:r>");
    let instruction = |text: &str| format!("<w:instrText xml:space=\"preserve\">{text}</w:instrText>");
    let (bold, right) = ("<w:b/>", "<w:rtl/><w:lang w:bidi=\"he-IL\"/>");
    for (switch, code_look, result_look, expected) in [
        ("", bold, "<w:i/>", bold),
        ("\\* CHARFORMAT ", bold, "<w:i/>", bold),
        ("\\* MERGEFORMAT ", bold, "<w:i/>", "<w:i/>"),
        ("", right, "<w:i/>", right),
        ("", "<w:vanish/>", "<w:i/>", "<w:vanish/>"),
    ] {
        let content = field(
            // The first letter of the code decides, whatever follows it.
            &(run(code_look, &instruction(" MERGE"))
                + &run("<w:u/>", &instruction(&format!("FIELD A {switch}")))),
            &(run(result_look, "<w:t>old</w:t>") + &run("<w:u/>", "<w:t>er</w:t>")),
        );
        let body = Docx::new(&p(&content)).body(&[("A", "x")]);
        assert_eq!(body, p(&run(expected, "<w:t xml:space=\"preserve\">x</w:t>")), "{switch}{code_look}");
    }
}

#[test]
fn a_line_within_a_paragraph_goes_with_its_value_where_it_is_told_to() {
    let line_break = "<w:r><w:br/></w:r>";
    let address = |second: &str| p(&(t("Ann Lee") + line_break + second + &t("8000 Zürich")));
    let plain = merge_field("Street") + line_break;
    let by_switch = field(&(code(" MERGEFIELD Street \\f \"") + line_break + &code("\" ")), &t("old"));
    let by_tags = t("{{#if Street}}") + &plain + &t("{{/if}}");
    let by_if = field(
        &(code(" IF ")
            + &merge_field("Street")
            + &code(" = \"\" \"\" \"")
            + &merge_field("Street")
            + line_break
            + &code("\" ")),
        &t("old"),
    );
    for (second, blank) in [
        // As in Word, a break that belongs to nothing stays.
        (plain, "Ann Lee⏎⏎8000 Zürich¶"),
        (by_switch, "Ann Lee⏎8000 Zürich¶"),
        (by_tags, "Ann Lee⏎8000 Zürich¶"),
        (by_if, "Ann Lee⏎8000 Zürich¶"),
    ] {
        assert_eq!(shown(&address(&second), &[("Street", "")]), blank, "{second}");
        assert_eq!(shown(&address(&second), &[("Street", "Main St 1")]), "Ann Lee⏎Main St 1⏎8000 Zürich¶");
    }
}
