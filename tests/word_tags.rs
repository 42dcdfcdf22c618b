//! Tags in a letter: values, conditions and rows, over runs, paragraphs and table rows.

mod support;

use mailrun::merge::{FieldMap, Namespace, Template, Value, Values};

use support::docx::{Docx, body, p, t};

fn values() -> Values {
    let mut values = Values::new();
    values.set("contact.first_name", Value::text("Ann"));
    values.set("contact.city", Value::Blank);
    let rows = [("Tea", "3"), ("Milk", "12")].map(|(item, amount)| {
        let mut row = Values::new();
        row.set("item", Value::text(item));
        row.set("amount", Value::text(amount));
        row
    });
    values.set_rows("orders", rows.into());
    values.set_rows("returns", Vec::new());
    values
}

fn check(content: &str, expected: &str) {
    let letter = Docx::new(content).template().render(&values()).expect("the letter renders");
    let normal = body(&letter).replace("<w:r><w:t xml:space=\"preserve\"></w:t></w:r>", "");
    assert_eq!(joined(&normal), joined(expected), "{content}");
}

/// Texts that follow each other in runs of the same form count as one.
fn joined(xml: &str) -> String {
    xml.replace("</w:t></w:r><w:r><w:t xml:space=\"preserve\">", "")
}

fn row(cells: &[&str]) -> String {
    let cells: String = cells.iter().map(|cell| format!("<w:tc>{}</w:tc>", p(&t(cell)))).collect();
    format!("<w:tr>{cells}</w:tr>")
}

fn table(rows: &[&[&str]]) -> String {
    let rows: String = rows.iter().map(|cells| row(cells)).collect();
    format!("<w:tbl><w:tblPr/>{rows}</w:tbl>")
}

#[test]
fn a_tag_shows_its_value_also_over_runs() {
    check(&p(&t("Dear {{contact.first_name}},")), &p(&t("Dear Ann,")));
    // The value stands where the first brace was, in the formatting of its run.
    let noise = "<w:proofErr w:type=\"spellStart\"/>";
    let split = t("Dear {") + noise + &t("{first_") + &t("name}") + &t("}, x");
    check(&p(&split), &p(&(t("Dear ") + &t("Ann") + noise + &t(", x"))));
}

#[test]
fn a_block_in_a_paragraph_shows_text() {
    check(&p(&t("a {{#if first_name}}yes{{else}}no{{/if}} b")), &p(&t("a yes b")));
    check(&p(&t("a {{#if city}}yes{{else}}no{{/if}} b")), &p(&t("a no b")));
    check(&p(&t("{{#each orders}}{{item}}{{#unless @last}}, {{/unless}}{{/each}}.")), &p(&t("Tea, Milk.")));
    check(&p(&t("{{#each returns}}x{{else}}none{{/each}}")), &p(&t("none")));
}

#[test]
fn a_block_over_paragraphs_takes_its_own_paragraphs_away() {
    let block =
        |open: &str, close: &str| p(&t("a")) + &p(&t(open)) + &p(&t("b")) + &p(&t(close)) + &p(&t("c"));
    check(&block("{{#if first_name}}", "{{/if}}"), &(p(&t("a")) + &p(&t("b")) + &p(&t("c"))));
    check(&block("{{#if city}}", "{{/if}}"), &(p(&t("a")) + &p(&t("c"))));
    let rows = p(&t("{{#each orders}}")) + &p(&t("{{item}}")) + &p(&t("{{/each}}"));
    check(&rows, &(p(&t("Tea")) + &p(&t("Milk"))));
    let both = p(&t("{{#if city}}")) + &p(&t("x")) + &p(&t("{{else}}")) + &p(&t("y")) + &p(&t("{{/if}}"));
    check(&both, &p(&t("y")));
    let nested =
        p(&t("{{#if first_name}}{{#each orders}}")) + &p(&t("{{item}}")) + &p(&t("{{/each}}{{/if}}"));
    check(&nested, &(p(&t("Tea")) + &p(&t("Milk"))));
    let split = p(&t("a {{#if city}}b")) + &p(&t("c{{/if}} d"));
    check(&split, &p(&t("a  d")));
    let split = p(&t("a {{#if first_name}}b")) + &p(&t("c{{/if}} d"));
    check(&split, &(p(&t("a b")) + &p(&t("c d"))));
}

#[test]
fn a_block_over_rows_repeats_them() {
    check(
        &table(&[&["{{#each orders}}{{item}}", "{{amount}}{{/each}}"]]),
        &table(&[&["Tea", "3"], &["Milk", "12"]]),
    );
    check(
        &table(&[&["h", "h"], &["{{#each orders}}", ""], &["{{item}}", "{{amount}}"], &["{{/each}}", ""]]),
        &table(&[&["h", "h"], &["Tea", "3"], &["Milk", "12"]]),
    );
    check(&table(&[&["h"], &["{{#each returns}}"], &["x"], &["{{/each}}"]]), &table(&[&["h"]]));
    check(&(table(&[&["{{#each returns}}", "{{/each}}"]]) + &p("")), &p(""));
}

#[test]
fn a_cell_always_keeps_a_paragraph() {
    let cell = |inner: &str| format!("<w:tbl><w:tblPr/><w:tr><w:tc>{inner}</w:tc></w:tr></w:tbl>");
    let block = p(&t("{{#each returns}}")) + &p(&t("x")) + &p(&t("{{/each}}"));
    check(&cell(&block), &cell("<w:p/>"));
    let block = p(&t("{{#each orders}}")) + &p(&t("{{item}}")) + &p(&t("{{/each}}"));
    check(&cell(&block), &cell(&(p(&t("Tea")) + &p(&t("Milk")))));
}

#[test]
fn wrong_tags_are_reported_with_their_paragraph() {
    for (content, expected) in [
        (
            p(&t("{{#if first_name}}")),
            "block `if` has no end --> word/document.xml, paragraph 1: {{#if first_name}}",
        ),
        (p(&t("{{/if}}")), "`{{/if}}` without its block --> word/document.xml, paragraph 1: {{/if}}"),
        (p("") + &p(&t("a {{b")), "tag has no end --> word/document.xml, paragraph 2: {{b"),
        (
            p(&t("{{#if typo}}{{/if}}")),
            "tag `typo` has no value --> word/document.xml, paragraph 1: {{#if typo}}",
        ),
        (
            p(&t("{{#if first_name}}")) + &table(&[&["{{/if}}"]]),
            "block `if` starts and ends at places that do not belong together --> word/document.xml, paragraph 1: \
             {{#if first_name}}",
        ),
        (
            p(&t("{{first name}}")),
            "there is no helper `first` --> word/document.xml, paragraph 1: {{first name}}",
        ),
    ] {
        let template = Template::compile(&Docx::new(&content).bytes()).expect("the package is whole");
        let mut namespace = Namespace::new();
        namespace.value("contact.first_name");
        let problems = template.bind(&namespace, &FieldMap::new()).expect_err("there is a problem");
        let lines: Vec<String> = problems.iter().map(|it| format!("{it} --> {}", it.place())).collect();
        assert_eq!(lines, [expected]);
    }
}

#[test]
fn blocks_nest_and_know_where_they_are() {
    let item =
        |text: &str| format!("<w:p><w:pPr><w:numPr><w:ilvl w:val=\"0\"/></w:numPr></w:pPr>{}</w:p>", t(text));
    // List items are paragraphs; a block in a block sees the row around it by `../`.
    let nested = p(&t("{{#each orders}}"))
        + &item("{{@index}} {{item}}{{#if @first}} first{{else if @last}} last{{/if}}")
        + &p(&t("{{#each ../orders}}"))
        + &item("{{../item}}/{{item}} {{first_name}}")
        + &p(&t("{{/each}}{{/each}}"));
    check(
        &nested,
        &["0 Tea first", "Tea/Tea Ann", "Tea/Milk Ann", "1 Milk last", "Milk/Tea Ann", "Milk/Milk Ann"]
            .map(item)
            .concat(),
    );
    let choice =
        p(&t("{{#if city}}")) + &p(&t("a")) + &p(&t("{{else if first_name}}")) + &p(&t("b")) + &p(&t("c"));
    check(&(choice + &p(&t("{{else}}")) + &p(&t("d")) + &p(&t("{{/if}}"))), &(p(&t("b")) + &p(&t("c"))));
    let with = p(&t("{{#with contact}}")) + &p(&t("{{first_name}}")) + &p(&t("{{/with}}"));
    check(&with, &p(&t("Ann")));
    // A table in a repeated block, rows in a repeated row's cell.
    let inner = table(&[&["{{#each ../orders}}{{amount}}", "{{/each}}"]]) + &p("");
    let outer = format!(
        "<w:tbl><w:tblPr/><w:tr><w:tc>{}</w:tc><w:tc>{}</w:tc></w:tr></w:tbl>",
        p(&t("{{#each orders}}{{item}}")),
        inner + &p(&t("{{/each}}"))
    );
    let letter = Docx::new(&outer).template().render(&values()).expect("the letter renders");
    let shown = body(&letter);
    assert_eq!(shown.matches(">3<").count() + shown.matches(">12<").count(), 4, "{shown}");
    assert_eq!(shown.matches(">Tea<").count() + shown.matches(">Milk<").count(), 2, "{shown}");
}

#[test]
fn tags_are_filled_in_every_part_and_both_copies_of_a_text_box() {
    let content = p(&t("{{#each orders}}{{item}}{{#unless @last}}, {{/unless}}{{/each}}"));
    let block = p(&t("{{#if city}}")) + &p(&t("x")) + &p(&t("{{/if}}")) + &content;
    let text_box = format!("<w:txbxContent>{block}</w:txbxContent>");
    let alternate = format!(
        "<w:r><mc:AlternateContent xmlns:mc=\"http://schemas.openxmlformats.org/markup-compatibility/2006\">\
         <mc:Choice Requires=\"wps\"><w:drawing>{text_box}</w:drawing></mc:Choice>\
         <mc:Fallback><w:pict>{text_box}</w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    );
    let note = |element: &str| format!("<w:{element} w:id=\"2\">{block}</w:{element}>");
    let docx = Docx::new(&p(&alternate))
        .with("header", "hdr", &block)
        .with("footer", "ftr", &block)
        .with("footnotes", "footnotes", &note("footnote"))
        .with("endnotes", "endnotes", &note("endnote"));
    let letter = docx.template().render(&values()).expect("the letter renders");
    let shown = |part: &str| {
        let xml = support::docx::read(&letter.bytes, part).expect("the part is there");
        assert!(!xml.contains("{{") && !xml.contains(">x<"), "{xml}");
        let texts = xml.split("<w:t xml:space=\"preserve\">").skip(1);
        texts.filter_map(|it| it.split("</w:t>").next()).collect::<String>()
    };
    assert_eq!(shown("word/document.xml"), "Tea, MilkTea, Milk");
    for part in ["word/header1.xml", "word/footer2.xml", "word/footnotes3.xml", "word/endnotes4.xml"] {
        assert_eq!(shown(part), "Tea, Milk", "{part}");
    }
}
