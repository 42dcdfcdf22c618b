//! Letters are put together from compressed pieces; what comes out of them is what rendering gives, in every letter.

mod support;

use mailrun::merge::{BoundTemplate, Buffer, FieldMap, Frame, Moment, Namespace, Picture, Template, Value};
use proptest::prelude::{Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};

use support::docx::{Docx, bytes, p, read, t};
use support::picture;

fn moment() -> Moment {
    let now = jiff::civil::date(2026, 3, 1).at(9, 0, 0, 0);
    Moment { now, locale: "en-US".to_owned(), record: 1, sequence: 1 }
}

/// Checks that the parts of the letter are as they were rendered, that its archive is sound, and that its digest is right.
fn check(template: &BoundTemplate, frame: &Frame, buffer: &mut Buffer) {
    use sha2::Digest;
    let records = std::slice::from_ref(frame);
    let shown = || Picture::read(picture::png(40, 30)).expect("it is a picture");
    let wanted = template.wanted(records, &moment()).pictures;
    let template = &template.with_pictures(wanted.into_iter().map(|it| (it.name, shown())).collect());
    template.letter_in(records, &moment(), buffer).expect("the letter is made");
    let letter = buffer.letter();
    for (name, content) in template.parts(records, &moment()) {
        let read = read(letter, name).expect("the part is in the letter");
        assert!(read.as_bytes() == content, "{name}: {read}\n{}", String::from_utf8_lossy(&content));
    }
    for (name, picture) in template.media(records, &moment()) {
        assert_eq!(bytes(letter, &name).as_deref(), Some(picture.bytes()), "{name}");
    }
    assert_eq!(template.digest(letter), <[u8; 32]>::from(sha2::Sha256::digest(letter)));
    let mut alone = Vec::new();
    template.letter_of(records, &moment(), &mut alone).expect("the letter is made");
    assert!(alone == letter, "the same letter has the same bytes in any buffer");
}

/// A letter with a branch, a paragraph that may vanish, and a table with a row for each order.
fn template() -> BoundTemplate {
    let cell = |content: &str| {
        format!("<w:tc><w:tcPr><w:tcW w:w=\"2000\" w:type=\"dxa\"/></w:tcPr>{content}</w:tc>")
    };
    let row =
        |first: &str, second: &str| format!("<w:tr>{}{}</w:tr>", cell(&p(&t(first))), cell(&p(&t(second))));
    let table = format!(
        "<w:tbl>{}{}</w:tbl>",
        row("Article", "Amount"),
        row("{{#each orders}}{{article}}", "{{amount}}{{/each}}")
    );
    let body = [
        p(&t("Dear {{name}}, we write to you about your orders and about the articles in them.")),
        p(&t("{{address}}")),
        p(&t("{{#if name}}We write to you, {{name}}, since you have a name.{{else}}You have none.{{/if}}")),
        table,
        p(&t("Dear {{name}}, that was all that we write about your orders and about the articles.")),
    ];
    let mut orders = Namespace::new();
    orders.column("article", "article");
    orders.column("amount", "amount");
    let mut names = Namespace::new();
    names.column("name", "name");
    names.column("address", "address");
    names.rows("orders", orders);
    Docx::new(&body.concat()).template().bind(&names, &FieldMap::new()).expect("all names have values")
}

fn frame(template: &BoundTemplate, texts: &[&str], rows: &[(&str, &str)]) -> Frame {
    let mut texts = texts.iter();
    let rows = rows.iter().map(|(article, amount)| Frame(vec![Value::text(*article), Value::text(*amount)]));
    let mut rows = Some(rows.collect());
    let values = template.needs().iter().map(|need| match need {
        mailrun::merge::Need::Rows(..) => rows.take().map_or(Value::Blank, Value::Rows),
        _ => texts.next().map_or(Value::Blank, |text| Value::text(*text)),
    });
    Frame(values.collect())
}

#[test]
fn a_letter_has_the_content_that_was_rendered() {
    let template = template();
    let mut buffer = Buffer::new();
    let some = [("Lamp", "12.50"), ("Bulb & socket", "3"), ("Käse <light>", "")];
    let many: Vec<(&str, &str)> = some.iter().copied().cycle().take(1_000).collect();
    for rows in [&some[..0], &some[..1], &some, &many, &some] {
        for texts in
            [["", ""], ["Ms Müller", ""], ["", "1 Road\n8001 Zürich"], ["A\u{7}\u{FFFE}\u{1F600}", "\t"]]
        {
            check(&template, &frame(&template, &texts, rows), &mut buffer);
        }
    }
}

#[test]
fn values_may_put_matches_out_of_reach() {
    let template = template();
    let mut buffer = Buffer::new();
    for n_bytes in [30_000, 32_000, 32_700, 32_760, 33_000, 70_000, 200_000] {
        let long = "x".repeat(n_bytes);
        check(&template, &frame(&template, &["a", &long], &[("b", &long), ("c", "d")]), &mut buffer);
    }
}

#[test]
fn a_buffer_serves_templates_in_turn() {
    let (one, other) = (template(), Docx::new(&p(&t("Dear {{name}}"))).template());
    let mut names = Namespace::new();
    names.column("name", "name");
    let other = other.bind(&names, &FieldMap::new()).expect("all names have values");
    let mut buffer = Buffer::new();
    for _ in 0..2 {
        check(&one, &frame(&one, &["a", "b"], &[("c", "d")]), &mut buffer);
        check(&other, &frame(&other, &["a"], &[]), &mut buffer);
    }
}

#[test]
fn documents_give_what_was_rendered() {
    let documents = support::documents();
    let n_checked = documents.iter().filter(|path| check_file(path)).count();
    assert!(n_checked > documents.len() / 2, "only {n_checked} of {} documents", documents.len());
}

/// Checks a document that can be bound: with values, without any, and with values again. Tells whether it can.
fn check_file(path: &std::path::Path) -> bool {
    let bytes = std::fs::read(path).expect("the file can be read");
    let template = Template::compile(&bytes).expect("the file is a template");
    let mut names = Namespace::new();
    for field in template.fields() {
        if !field.name.is_empty() {
            names.column(&field.name, &field.name);
        }
    }
    let Ok(template) = template.bind(&names, &FieldMap::new()) else { return false };
    let mut buffer = Buffer::new();
    let filled = |text: &str| Frame(template.needs().iter().map(|_| Value::text(text)).collect());
    for text in ["Müller & Söhne", "", "one\ntwo <three>", "Y", "1200.5"] {
        check(&template, &filled(text), &mut buffer);
    }
    true
}

/// Text of any characters, or long text of few.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-z<&\n]{0,40}",
        ("[a-d]{1,3}", 0..20_000usize).prop_map(|(text, n)| text.repeat(n))
    ]
}

proptest! {
    #[test]
    fn any_letter_has_the_content_that_was_rendered(
        name in text(), address in text(), rows in prop::collection::vec((text(), text()), 0..6),
    ) {
        let template = template();
        let rows: Vec<(&str, &str)> = rows.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let frame = frame(&template, &[&name, &address], &rows);
        let mut letter = Vec::new();
        template.letter(&frame, &moment(), &mut letter).expect("the letter is made");
        for (name, content) in template.parts(std::slice::from_ref(&frame), &moment()) {
            prop_assert_eq!(read(&letter, name).map(String::into_bytes), Some(content));
        }
    }
}
