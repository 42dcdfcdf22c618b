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
