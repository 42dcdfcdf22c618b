//! Lines whose fields all come out blank vanish, and nothing ever loses its last paragraph.

mod support;

use support::docx::{Docx, body, merge_field, p, read, t, texts};

const BLANK: [(&str, &str); 2] = [("A", ""), ("B", "")];

fn check(content: &str, expected: &str) {
    assert_eq!(Docx::new(content).body(&BLANK), expected, "{content}");
}

fn a() -> String {
    p(&merge_field("A"))
}

fn line(text: &str) -> String {
    p(&t(text))
}

#[test]
fn a_line_of_nothing_but_blank_fields_vanishes() {
    let around = |inner: &str| line("One") + inner + &line("Three");
    check(&around(&a()), &around(""));
    check(&around(&p(&(merge_field("A") + &merge_field("B")))), &around(""));
    // The text of `\\b` and `\\f` goes with the value.
    check(&around(&p(&merge_field("A \\b \"E-mail: \" \\f \".\""))), &around(""));
    check(&around(&p(&t("{{A}}"))), &around(""));
    check(&around(&p(&t("{{#if A}}x{{/if}}"))), &around(""));
    // A space between fields is text, and so is anything else.
    for text in [" ", ",", "x"] {
        let kept = |fields: bool| match fields {
            true => p(&(merge_field("A") + &t(text) + &merge_field("B"))),
            false => p(&t(text)),
        };
        assert_eq!(joined(&Docx::new(&around(&kept(true))).body(&BLANK)), around(&kept(false)));
    }
    // A line that was blank in the template is the author's.
    check(&around(&p("")), &around(&p("")));
}

#[test]
fn a_line_with_something_to_keep_stays() {
    for kept in [
        "<w:pPr><w:sectPr/></w:pPr>",
        "<w:bookmarkStart w:id=\"1\" w:name=\"b\"/>",
        "<w:r><w:br w:type=\"page\"/></w:r>",
        "<w:r><w:drawing/></w:r>",
        "<w:r><w:footnoteReference w:id=\"2\"/></w:r>",
    ] {
        let end = if kept.contains("bookmarkStart") { p("<w:bookmarkEnd w:id=\"1\"/>") } else { line("end") };
        let letter = Docx::new(&(p(&(kept.to_owned() + &merge_field("A"))) + &end)).body(&BLANK);
        assert_eq!(joined(&letter), p(kept) + &end);
    }
}

#[test]
fn nothing_loses_its_last_paragraph() {
    let empty = "<w:p/>";
    let cell =
        |inner: &str| format!("<w:tbl><w:tblPr/><w:tr><w:tc>{inner}</w:tc></w:tr></w:tbl>") + &line("end");
    let text_box = |inner: &str| {
        p(&format!(
            "<w:r><w:pict><v:textbox xmlns:v=\"v\"><w:txbxContent>{inner}</w:txbxContent></v:textbox></w:pict></w:r>"
        ))
    };
    let control = |inner: &str| format!("<w:sdt><w:sdtContent>{inner}</w:sdtContent></w:sdt>") + &line("end");
    for container in [&cell as &dyn Fn(&str) -> String, &text_box, &control] {
        for blank in [a(), a() + &a(), p(&t("{{#if A}}")) + &line("x") + &p(&t("{{/if}}"))] {
            let letter = Docx::new(&container(&blank)).body(&BLANK);
            let letter = joined(&letter);
            assert!(letter == container(empty) || letter == container(&p("")), "{blank} became {letter}");
        }
        check(&container(&(a() + &line("x"))), &container(&line("x")));
    }
}

#[test]
fn headers_footers_and_notes_keep_a_paragraph_too() {
    for (kind, root, inner) in [
        ("header", "hdr", a()),
        ("footer", "ftr", a()),
        ("footnotes", "footnotes", format!("<w:footnote w:id=\"2\">{}</w:footnote>", a())),
        ("endnotes", "endnotes", format!("<w:endnote w:id=\"2\">{}</w:endnote>", a())),
        ("comments", "comments", format!("<w:comment w:id=\"2\" w:author=\"x\">{}</w:comment>", a())),
    ] {
        let docx = Docx::new(&p("")).with(kind, root, &inner);
        let letter = docx.template().render(&texts(&BLANK)).expect("the letter renders");
        let part = read(&letter.bytes, &format!("word/{kind}1.xml")).expect("the part is there");
        assert_eq!(part.matches("<w:p>").count() + part.matches("<w:p/>").count(), 1, "{part}");
        assert!(!part.contains("MERGEFIELD"), "{part}");
    }
}

#[test]
fn a_template_can_ask_for_its_blank_lines() {
    for (setting, keeps) in [("", true), (" w:val=\"1\"", true), (" w:val=\"0\"", false)] {
        let settings = format!("<w:mailMerge><w:doNotSuppressBlankLines{setting}/></w:mailMerge>");
        let docx = Docx::new(&(line("One") + &a() + &line("Two"))).with("settings", "settings", &settings);
        let letter = docx.template().render(&texts(&BLANK)).expect("the letter renders");
        let between = if keeps { p("") } else { String::new() };
        assert_eq!(joined(&body(&letter)), line("One") + &between + &line("Two"), "{setting}");
    }
}

#[test]
fn a_block_may_drop_a_row_whose_fields_are_blank() {
    let row = |cells: &str| format!("<w:tr>{cells}</w:tr>");
    let cell = |content: &str| format!("<w:tc>{}</w:tc>", p(content));
    let guarded =
        row(&(cell(&(t("{{#if (or A B)}}") + &merge_field("A")))
            + &cell(&(merge_field("B") + &t("{{/if}}")))));
    let table = |rows: &str| format!("<w:tbl><w:tblPr/>{rows}</w:tbl>") + &line("end");
    let head = row(&(cell(&t("a")) + &cell(&t("b"))));
    check(&table(&(head.clone() + &guarded)), &table(&head));
}

/// Leaves out the runs without text that stand where a value was blank.
fn joined(xml: &str) -> String {
    xml.replace("<w:r><w:t xml:space=\"preserve\"></w:t></w:r>", "")
}
