//! Document properties and variables: their tags are filled, and the fields that show them show the value.

mod support;

use mailrun::merge::{FieldMap, Letter, Namespace, Template, Value, Values};

use support::docx::{Docx, body, code, field, p, read, t};

const CORE: &str = "<cp:coreProperties xmlns:cp=\"http://schemas.openxmlformats.org/package/2006/metadata/core-properties\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:title>Offer for {{name}} &amp; co.</dc:title><dc:creator>Jana</dc:creator><cp:keywords>{{#if city}}{{city}}{{else if name}}none{{/if}}</cp:keywords></cp:coreProperties>";

const CUSTOM: &str = "<Properties xmlns=\"http://schemas.openxmlformats.org/officeDocument/2006/custom-properties\" xmlns:vt=\"http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes\"><property fmtid=\"{D5CDD505-2E9C-101B-9397-08002B2CF9AE}\" pid=\"2\" name=\"Client\"><vt:lpwstr>{{name}}</vt:lpwstr></property><property fmtid=\"{D5CDD505-2E9C-101B-9397-08002B2CF9AE}\" pid=\"3\" name=\"Kind\"><vt:lpwstr>VIP</vt:lpwstr></property></Properties>";

fn document(content: &str) -> Docx {
    let variables =
        "<w:docVars><w:docVar w:name=\"Total\" w:val=\"{{money amount &quot;EUR&quot;}}\"/></w:docVars>";
    Docx::new(content)
        .with("settings", "settings", variables)
        .property("docProps/core.xml", "metadata/core-properties", CORE)
        .property("docProps/custom.xml", "custom-properties", CUSTOM)
}

fn letter(content: &str) -> Letter {
    let mut values = Values::new();
    values.set("name", Value::text("Ann <A>"));
    values.set("city", Value::Blank);
    values.set("amount", Value::text("12.5"));
    document(content).template().render(&values).expect("the letter renders")
}

#[test]
fn tags_in_properties_and_variables_are_filled() {
    let letter = letter(&p(&t("x")));
    let core = read(&letter.bytes, "docProps/core.xml").expect("the part is there");
    assert!(core.contains("<dc:title>Offer for Ann &lt;A&gt; &amp; co.</dc:title>"), "{core}");
    assert!(core.contains("<dc:creator>Jana</dc:creator><cp:keywords>none</cp:keywords>"), "{core}");
    let custom = read(&letter.bytes, "docProps/custom.xml").expect("the part is there");
    assert!(custom.contains("<vt:lpwstr>Ann &lt;A&gt;</vt:lpwstr>"), "{custom}");
    let settings = read(&letter.bytes, "word/settings1.xml").expect("the part is there");
    assert!(settings.contains("w:val=\"€12.50\""), "{settings}");
}

#[test]
fn fields_show_the_merged_property_and_stay() {
    for (instruction, shown) in [
        (" DOCPROPERTY Client \\* MERGEFORMAT ", "Ann &lt;A&gt;"),
        (" DOCPROPERTY  \"client\" \\* Upper ", "ANN &lt;A&gt;"),
        (" DOCVARIABLE Total ", "€12.50"),
        (" TITLE ", "Offer for Ann &lt;A&gt; &amp; co."),
        (" INFO Title ", "Offer for Ann &lt;A&gt; &amp; co."),
        (" KEYWORDS ", "none"),
        // What has no tag is Word's.
        (" AUTHOR ", "old"),
        (" DOCPROPERTY Kind ", "old"),
        (" DOCPROPERTY Missing ", "old"),
    ] {
        let complex = field(&code(instruction), &t("old"));
        assert_eq!(body(&letter(&p(&complex))), p(&field(&code(instruction), &t(shown))), "{instruction}");
        let instr = instruction.replace('"', "&quot;");
        let simple = |text: &str| format!("<w:fldSimple w:instr=\"{instr}\">{}</w:fldSimple>", t(text));
        assert_eq!(body(&letter(&p(&simple("old")))), p(&simple(shown)), "{instruction}, simple");
    }
}

#[test]
fn a_property_counts_inside_other_fields() {
    let nested =
        |property: &str| code(" IF ") + &field(&code(&format!(" DOCPROPERTY {property} ")), &t("old"));
    let decided = field(&(nested("Kind") + &code(" = \"VIP\" \"yes\" \"no\" ")), &t("old"));
    let shown = body(&letter(&p(&decided)));
    assert!(shown.contains("yes") && !shown.contains("IF"), "{shown}");
    let decided = field(&(nested("Client") + &code(" = \"Ann*\" \"yes\" \"no\" ")), &t("old"));
    let shown = body(&letter(&p(&decided)));
    assert!(shown.contains("yes"), "{shown}");
}

#[test]
fn a_wrong_tag_in_a_property_is_a_problem_with_its_part() {
    for (title, expected) in [
        ("{{nam}}", "tag `nam` has no value --> docProps/core.xml: {{nam}}"),
        ("{{#if name}}", "block `if` has no end --> docProps/core.xml: {{#if name}}"),
        (
            "{{upper}} {{money 1 \"X\"}}",
            "there is no currency `X` --> docProps/core.xml: {{upper}} {{money 1 \"X\"}}",
        ),
    ] {
        let core = CORE
            .replace("Offer for {{name}}", title)
            .replace("{{#if city}}{{city}}{{else if name}}none{{/if}}", "");
        let docx = Docx::new(&p("")).property(
            "docProps/core.xml",
            "metadata/core-properties",
            &core.replace(" &amp; co.", ""),
        );
        let template = Template::compile(&docx.bytes()).expect("the package is whole");
        let mut names = Namespace::new();
        names.value("name");
        let problems = template.bind(&names, &FieldMap::new()).expect_err("there is a problem");
        let lines: Vec<String> = problems.iter().map(|it| format!("{it} --> {}", it.place())).collect();
        assert!(lines.contains(&expected.to_owned()), "{lines:?}");
    }
}
