//! Hyperlinks whose address hangs on the data: each letter has its own, escaped as an address, and only harmless ones.

mod support;

use mailrun::merge::{RenderError, Template};

use support::docx::{self, Docx, code, field, merge_field, p, t};

/// A link by a relationship, as Word writes it.
fn link(target: &str) -> Docx {
    Docx::new(&p(&format!("<w:hyperlink r:id=\"rIdLink\" w:history=\"1\">{}</w:hyperlink>", t("here"))))
        .linked("rIdLink", target)
}

/// The relationships of a letter's main part, and the id that its link has.
fn merged(docx: &Docx, values: &[(&str, &str)]) -> (String, String) {
    let letter = docx.template().render(&docx::texts(values)).expect("the letter renders");
    assert_eq!(mailrun::merge::lint(&letter.bytes).expect("it is a package"), Vec::new());
    let relationships = docx::read(&letter.bytes, "word/_rels/document.xml.rels").expect("it is there");
    let body = docx::body(&letter);
    let id = body.split("r:id=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("there is a link");
    (relationships, id.to_owned())
}

#[test]
fn a_target_with_data_is_the_letters_own() {
    for (target, expected) in [
        ("{{url}}", "https://example.com/a%20b?c=d&amp;e"),
        ("http://%7B%7Burl%7D%7D", "https://example.com/a%20b?c=d&amp;e"),
        ("https://example.com/?q=%7B%7Bq%7D%7D&amp;x=1", "https://example.com/?q=R%26D%20%22x%22&amp;x=1"),
        ("https://example.com/%C2%ABq%C2%BB", "https://example.com/R%26D%20%22x%22"),
        ("mailto:%7B%20MERGEFIELD%20q%20%7D", "mailto:R%26D%20%22x%22"),
    ] {
        let values = [("url", "https://example.com/a b?c=d&e"), ("q", "R&D \"x\"")];
        let (relationships, id) = merged(&link(target), &values);
        let expected =
            format!("Id=\"{id}\" Type=\"{}/hyperlink\" Target=\"{expected}\"", docx::RELATIONSHIPS);
        assert!(relationships.contains(&expected), "{expected}\n{relationships}");
        assert!(!relationships.contains("rIdLink"), "{relationships}");
    }
}

#[test]
fn a_target_without_data_stays_as_it_is() {
    let (relationships, id) = merged(&link("https://example.com/%20%7Bx%7D"), &[]);
    assert_eq!(id, "rIdLink");
    assert!(relationships.contains("Target=\"https://example.com/%20%7Bx%7D\""), "{relationships}");
}

#[test]
fn each_row_has_its_own_address() {
    let body = format!(
        "{}{}{}",
        p(&t("{{#each items}}")),
        p(&format!("<w:hyperlink r:id=\"rIdLink\">{}</w:hyperlink>", t("{{url}}"))),
        p(&t("{{/each}}"))
    );
    let template = Docx::new(&body).linked("rIdLink", "{{url}}").template();
    let mut values = docx::texts(&[]);
    values.set_rows(
        "items",
        ["https://a", "https://b", "https://a"].map(|it| docx::texts(&[("url", it)])).into(),
    );
    let letter = template.render(&values).expect("the letter renders");
    let relationships = docx::read(&letter.bytes, "word/_rels/document.xml.rels").expect("it is there");
    assert_eq!(relationships.matches("https://a").count(), 1, "{relationships}");
    assert_eq!(relationships.matches("https://b").count(), 1, "{relationships}");
    assert_eq!(docx::body(&letter).matches("r:id=\"rIdMerged1\"").count(), 2);
}

#[test]
fn no_letter_leads_to_a_script() {
    let hyperlink = |target: &str| {
        let code = format!("{}{}{}", code(" HYPERLINK \""), merge_field(target), code("\" "));
        Docx::new(&p(&field(&code, &t("here"))))
    };
    for docx in [link("{{url}}"), hyperlink("url")] {
        for address in
            ["javascript:alert(1)", " JavaScript:alert(1)", "java\tscript:x", "file:///etc/passwd", "data:,x"]
        {
            let error = docx.template().render(&docx::texts(&[("url", address)])).expect_err("it is refused");
            assert!(matches!(error, RenderError::Link { .. }), "{address}: {error}");
        }
        assert!(docx.template().render(&docx::texts(&[("url", "tel:+41 31 000 00 00")])).is_ok());
    }
}

#[test]
fn a_tag_in_a_target_that_is_none_is_a_problem() {
    let template = Template::compile(&link("{{#if url}}").bytes()).expect("the document compiles");
    assert_eq!(template.problems().len(), 1, "{:?}", template.problems());
}

/// A HYPERLINK field, in three pieces: up to its text, the text, its end.
fn field_link() -> [String; 3] {
    let mark = |kind: &str| format!("<w:r><w:fldChar w:fldCharType=\"{kind}\"/></w:r>");
    let address = format!("{}{}{}", code(" HYPERLINK \""), merge_field("url"), code("\" \\o \"tip\" "));
    [format!("{}{address}{}", mark("begin"), mark("separate")), t("link"), mark("end")]
}

/// A link by a relationship, in the same three pieces.
fn related_link() -> [String; 3] {
    ["<w:hyperlink r:id=\"rIdLink\">".to_owned(), t("link"), "</w:hyperlink>".to_owned()]
}

#[test]
fn a_link_that_a_block_cuts_through_is_whole_in_every_letter() {
    let (open, other, close) = (t("{{#if A}}"), t("{{else}}"), t("{{/if}}"));
    for [start, text, end] in [field_link(), related_link()] {
        let (before, after) = (t("before"), t("after"));
        // What the letter says, with A and without it.
        for (content, expected) in [
            (
                format!("{open}{before}{start}{text}{close}{text}{end}{after}"),
                ["beforelinklinkafter", "linkafter"],
            ),
            (
                format!("{start}{text}{open}{text}{end}{before}{close}{after}"),
                ["linklinkbeforeafter", "linkafter"],
            ),
            (
                format!("{open}{before}{start}{text}{other}{text}{end}{after}{close}"),
                ["beforelink", "linkafter"],
            ),
            (format!("{start}{text}{open}{end}{close}{after}"), ["linkafter"; 2]),
        ] {
            // In one paragraph, and over two of them.
            for docx in [p(&content), p(&content.replacen(&text, &(text.clone() + "</w:p><w:p>"), 1))] {
                let is_element = start.starts_with("<w:hyperlink");
                // A hyperlink element does not reach over paragraphs.
                if is_element && docx.matches("<w:p>").count() > 1 {
                    continue;
                }
                let docx = match is_element {
                    true => Docx::new(&docx).linked("rIdLink", "{{url}}"),
                    false => Docx::new(&docx),
                };
                for (a, expected) in ["yes", ""].into_iter().zip(expected) {
                    let values = [("A", a), ("url", "https://example.com/x")];
                    let letter = docx.template().render(&docx::texts(&values)).expect("the letter renders");
                    let flaws = mailrun::merge::lint(&letter.bytes).expect("it is a package");
                    assert_eq!(flaws, Vec::new(), "{content}");
                    let relationships = docx::read(&letter.bytes, "word/_rels/document.xml.rels");
                    let relationships = relationships.expect("it is there");
                    assert!(!relationships.contains("rIdLink"), "{relationships}");
                    let body = docx::body(&letter);
                    assert_eq!(relationships.contains("rIdMerged"), is_element, "{relationships}");
                    assert_eq!(body.contains("rIdMerged"), is_element, "{body}");
                    assert_eq!(body.contains("HYPERLINK"), !is_element, "{body}");
                    assert!(
                        relationships.contains("https://example.com/x")
                            || body.contains("https://example.com/x")
                    );
                    let shown = support::text::paragraphs(&letter.bytes);
                    let shown: String =
                        shown["word/document.xml"].iter().map(|it| it.shown.as_str()).collect();
                    assert_eq!(shown, expected, "{body}");
                }
            }
        }
    }
}

#[test]
fn a_field_that_ends_inside_a_link_leaves_the_link_whole() {
    let [start, text, end] = related_link();
    let mark = |kind: &str| format!("<w:r><w:fldChar w:fldCharType=\"{kind}\"/></w:r>");
    let condition = format!("{}{}{}", code(" IF "), merge_field("A"), code(" = \"yes\" \"one\" \"two\" "));
    let content =
        format!("{}{condition}{start}{}{text}{}{end}", mark("begin"), mark("separate"), mark("end"));
    let (relationships, id) = merged(
        &Docx::new(&p(&content)).linked("rIdLink", "{{url}}"),
        &[("A", "yes"), ("url", "https://example.com/x")],
    );
    assert!(relationships.contains(&format!("Id=\"{id}\"")), "{id}: {relationships}");
}

#[test]
fn a_loop_does_not_begin_or_end_inside_a_link() {
    for [start, text, end] in [field_link(), related_link()] {
        let (open, close) = (t("{{#each items}}"), t("{{/each}}"));
        for content in [
            format!("{open}{start}{text}{close}{text}{end}"),
            format!("{start}{text}{open}{text}{end}{close}"),
        ] {
            let docx = Docx::new(&p(&content)).linked("rIdLink", "{{url}}");
            let template = Template::compile(&docx.bytes()).expect("the document compiles");
            let problems: Vec<&str> = template.problems().iter().map(|it| it.id()).collect();
            assert_eq!(problems, ["crossing-block"], "{content}");
        }
    }
}
