//! Regions of merge fields, as mail merge libraries mark them: `TableStart:Items` … `TableEnd:Items` repeats what is
//! between for each row.

mod support;

use mailrun::merge::{FieldMap, Namespace, Template, Value, Values};

use support::docx::{Docx, body, code, merge_field, p, t};

fn values() -> Values {
    let mut values = Values::new();
    values.set("Name", Value::text("Ann"));
    let rows = [("Tea", vec!["red", "green"]), ("Milk", vec![])].map(|(item, kinds)| {
        let mut row = Values::new();
        row.set("Item", Value::text(item));
        let kinds = kinds.into_iter().map(|kind| {
            let mut row = Values::new();
            row.set("Kind", Value::text(kind));
            row
        });
        row.set_rows("Kinds", kinds.collect());
        row
    });
    values.set_rows("Items", rows.into());
    values.set_rows("Returns", Vec::new());
    values
}

fn check(content: &str, expected: &str) {
    let letter = Docx::new(content).template().render(&values()).expect("the letter renders");
    assert_eq!(body(&letter), expected, "{content}");
}

fn start(name: &str) -> String {
    merge_field(&format!("TableStart:{name}"))
}

fn end(name: &str) -> String {
    merge_field(&format!("TableEnd:{name}"))
}

fn row(cells: &[&str]) -> String {
    let cells: String = cells.iter().map(|cell| format!("<w:tc>{}</w:tc>", p(cell))).collect();
    format!("<w:tr>{cells}</w:tr>")
}

fn table(rows: &[String]) -> String {
    format!("<w:tbl><w:tblPr/>{}</w:tbl>", rows.concat())
}

#[test]
fn marks_in_one_row_repeat_the_row() {
    let (first, last) = (start("Items") + &merge_field("Item"), merge_field("Name") + &end("Items"));
    let head = row(&[&t("item"), &t("who")]);
    check(
        &table(&[head.clone(), row(&[&first, &last])]),
        &table(&[head, row(&[&t("Tea"), &t("Ann")]), row(&[&t("Milk"), &t("Ann")])]),
    );
}

#[test]
fn marks_in_different_rows_repeat_the_rows() {
    let rows = [row(&[&(start("Items") + &merge_field("Item"))]), row(&[&(t("-") + &end("Items"))])];
    let dash = row(&[&t("-")]);
    check(&table(&rows), &table(&[row(&[&t("Tea")]), dash.clone(), row(&[&t("Milk")]), dash]));
    // Rows that hold nothing but marks vanish.
    let rows = [row(&[&start("Items")]), row(&[&merge_field("Item")]), row(&[&end("Items")])];
    check(&table(&rows), &table(&[row(&[&t("Tea")]), row(&[&t("Milk")])]));
}

#[test]
fn marks_in_paragraphs_repeat_the_blocks_between() {
    let bare = p(&start("Items")) + &p(&merge_field("Item")) + &table(&[row(&[&t("x")])]) + &p(&end("Items"));
    let x = table(&[row(&[&t("x")])]);
    check(&bare, &(p(&t("Tea")) + &x + &p(&t("Milk")) + &x));
    let whole = p(&(start("Items") + &merge_field("Item"))) + &p(&(t("-") + &end("Items")));
    check(&whole, &(p(&t("Tea")) + &p(&t("-")) + &p(&t("Milk")) + &p(&t("-"))));
}

#[test]
fn marks_in_one_paragraph_repeat_its_text() {
    let inline = t("a ") + &start("Items") + &merge_field("Item") + &t(", ") + &end("Items") + &t("z");
    check(&p(&inline), &p(&(t("a ") + &t("Tea") + &t(", ") + &t("Milk") + &t(", ") + &t("z"))));
}

#[test]
fn marks_are_simple_fields_and_have_other_names_too() {
    let simple =
        |name: &str| format!("<w:fldSimple w:instr=\" MERGEFIELD {name} \">{}</w:fldSimple>", t("«x»"));
    for (first, last) in [
        (simple("TableStart:Items"), simple("TableEnd:Items")),
        (simple("BeginGroup:Items"), merge_field("EndGroup:Items")),
        (merge_field("RangeStart:Items"), merge_field("RangeEnd:Items")),
        (merge_field("\"tablestart: items\" \\* MERGEFORMAT"), merge_field("TABLEEND:ITEMS")),
    ] {
        check(&p(&(first + &merge_field("Item") + &last)), &p(&(t("Tea") + &t("Milk"))));
    }
}

#[test]
fn regions_nest_come_twice_and_vanish_without_rows() {
    let inner = start("Kinds") + &merge_field("Kind") + &t("/") + &merge_field("Item") + &end("Kinds");
    let outer = p(&(start("Items") + &inner + &t(";") + &end("Items")));
    check(&outer, &p(&["red", "/", "Tea", "green", "/", "Tea", ";", ";"].map(t).concat()));

    let twice = p(&(start("Items") + &merge_field("Item") + &end("Items"))).repeat(2);
    check(&twice, &p(&(t("Tea") + &t("Milk"))).repeat(2));

    check(&(p(&start("Returns")) + &p(&t("x")) + &p(&end("Returns")) + &p(&t("y"))), &p(&t("y")));
    let empty = row(&[&(start("Returns") + &t("x") + &end("Returns")), &t("y")]);
    check(&table(&[empty]), &table(&[row(&["", &t("y")])]));
    let gone = row(&[&(start("Returns") + &t("x")), &(t("y") + &end("Returns"))]);
    check(&(table(&[gone]) + &p("")), &p(""));
}

#[test]
fn a_region_may_hold_tags_and_stand_in_them() {
    let mixed =
        t("{{#if Name}}") + &start("Items") + &t("{{Item}} {{Name}}. ") + &end("Items") + &t("{{/if}}");
    let letter = Docx::new(&p(&mixed)).template().render(&values()).expect("the letter renders");
    let text = body(&letter);
    for expected in ["Tea", "Milk", "Ann"] {
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_mark_without_its_other_is_a_problem() {
    let check = |content: &str, expected: &[&str]| {
        let template = Template::compile(&Docx::new(content).bytes()).expect("the package is whole");
        let mut namespace = Namespace::new();
        let mut rows = Namespace::new();
        rows.value("Item");
        namespace.rows("Items", rows);
        namespace.value("Name");
        let problems = template.bind(&namespace, &FieldMap::new()).expect_err("there are problems");
        let lines: Vec<String> =
            problems.iter().map(|it| format!("{it} ({})", it.help().unwrap_or_default())).collect();
        assert_eq!(lines, expected, "{content}");
    };
    check(
        &p(&start("Items")),
        &[
            "region `TableStart:Items` has no end (end it with the merge field `TableEnd:Items`, outside other fields)",
        ],
    );
    check(&p(&end("Items")), &["`TableEnd:Items` without its block ()"]);
    check(
        &p(&(start("Name") + &end("Name"))),
        &["`Name` has no rows to repeat (only a child table can be repeated)"],
    );
    check(
        &p(&(start("Itens") + &end("Itens"))),
        &["merge field `Itens` has no value (did you mean `Items`?)"],
    );
    let across = p(&start("Items")) + &table(&[row(&[&end("Items")])]);
    check(
        &across,
        &[
            "block `TableStart:Items` starts and ends at places that do not belong together (start and end a block in \
           the same paragraph, in paragraphs of the same cell or text, or in rows of the same table)",
        ],
    );
    let inside = support::docx::field(&(code(" IF 1 = 1 \"") + &start("Items") + &code("\" ")), &t("x"));
    check(
        &p(&inside),
        &[
            "field `MERGEFIELD TableStart:Items` is not supported (replace it by a tag or a merge field, or by its text)",
        ],
    );
}

#[test]
fn what_may_come_only_once_is_not_repeated() {
    let bookmark = "<w:bookmarkStart w:id=\"3\" w:name=\"b\"/>";
    let ended = "<w:bookmarkEnd w:id=\"3\"/>";
    let drawing = |id: &str| {
        format!(
            "<w:r><w:drawing><wp:inline xmlns:wp=\"wp\"><wp:docPr id=\"{id}\" name=\"x\"/></wp:inline></w:drawing></w:r>"
        )
    };
    let content = p(&(start("Items") + bookmark + &drawing("7") + ended + &end("Items")));
    check(&content, &p(&(bookmark.to_owned() + &drawing("7") + ended + &drawing("900000000"))));
}

#[test]
fn a_repeated_vml_shape_has_its_names_once() {
    let shape = |kind: &str, names: [&str; 2]| {
        format!(
            "<w:r><w:pict xmlns:v=\"v\" xmlns:o=\"o\">{kind}<v:shape{} type=\"#t75\"{} style='width:9pt'>\
             <v:fill/></v:shape></w:pict></w:r>",
            names[0], names[1]
        )
    };
    let kind = "<v:shapetype id=\"t75\" o:spt=\"75\"><v:path/></v:shapetype>";
    let first = shape(kind, [" id=\"Picture 1\"", " o:spid=\"_x0000_s1026\""]);
    let content = p(&(start("Items") + &first + &end("Items")));
    check(&content, &p(&(first.clone() + &shape("", ["", ""]))));
}

#[test]
fn a_repeated_paragraph_or_content_control_names_itself_no_second_time() {
    let names = " w14:paraId=\"0000000A\" xmlns:w14=\"w14\" w14:textId='77777777' w:rsidR=\"00AB\"";
    let control = |id: &str, text: &str| {
        format!(
            "<w:sdt><w:sdtPr>{id}<w:tag w:val=\"x\"/></w:sdtPr><w:sdtContent>{text}</w:sdtContent></w:sdt>"
        )
    };
    let row = |names: &str, id: &str, [first, last]: [&str; 2]| {
        let cell = |content: &str| format!("<w:tc><w:p{names}>{content}</w:p></w:tc>");
        format!("<w:tr{names}>{}{}</w:tr>", cell(&control(id, first)), cell(last))
    };
    let marked = row(names, "<w:id w:val=\"7\"/>", [&(start("Items") + &t("a")), &(t("b") + &end("Items"))]);
    let once = row(" xmlns:w14=\"w14\" w:rsidR=\"00AB\"", "", [&t("a"), &t("b")]);
    check(&(table(&[marked]) + &p("")), &(table(&[once.clone(), once]) + &p("")));
}
