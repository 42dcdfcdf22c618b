//! Address blocks, greetings and mapped fields: their parts are found by Word's map of columns, or by what columns are
//! called.

mod support;

use mailrun::merge::{FieldMap, Namespace, Template, Value, Values};

use support::docx::{Docx, body, code, field, merge_field, p, t, texts};

/// Merges one field; a document without settings if `map` is empty, else with these columns for the parts.
fn check(code_text: &str, map: &[&str], values: &[(&str, &str)], expected: &str) {
    let entries: String = map
        .iter()
        .map(|column| match *column {
            "" => "<w:fieldMapData><w:type w:val=\"null\"/></w:fieldMapData>".to_owned(),
            column => format!(
                "<w:fieldMapData><w:type w:val=\"dbColumn\"/><w:name w:val=\"{column}\"/>\
                 <w:mappedName w:val=\"Обращение\"/></w:fieldMapData>"
            ),
        })
        .collect();
    let mut docx = Docx::new(&p(&field(&code(code_text), &t("«old»"))));
    if !map.is_empty() {
        let odso = format!("<w:mailMerge><w:odso>{entries}</w:odso></w:mailMerge>");
        docx = docx.with("settings", "settings", &odso);
    }
    let letter = docx.template().render(&texts(values)).expect("the letter renders");
    let lines = expected.replace('\n', "</w:t><w:br/><w:t xml:space=\"preserve\">");
    assert_eq!(body(&letter), p(&t(&lines)), "{code_text}");
}

const LEE: [(&str, &str); 6] = [
    ("Title", "Mr."),
    ("First Name", "Ann"),
    ("Last Name", "Lee"),
    ("Street", "Main St 1"),
    ("PLZ", "8000"),
    ("City", "Zürich"),
];

#[test]
fn an_address_block_shows_the_parts_that_columns_fit() {
    let format = "<<_COMPANY_\n>><<_FIRST0_>><< _LAST0_>>\n<<_STREET1_\n>><<_POSTAL_>><< _CITY_>>";
    check(
        &format!(" ADDRESSBLOCK \\f \"{format}\" \\l 1033 \\c 2 \\e \"Schweiz\" \\d "),
        &[],
        &LEE,
        "Ann Lee\nMain St 1\n8000 Zürich",
    );
    check(" addressblock ", &[], &LEE, "Mr. Ann Lee\nMain St 1\nZürich 8000");
}

#[test]
fn a_country_is_left_out_where_it_is_usual() {
    let values = [("City", "Bern"), ("Country", "Schweiz")];
    let code = |c| format!(" ADDRESSBLOCK \\f \"<<_CITY_>><<\n_COUNTRY_>>\" \\c {c} \\e \"Schweiz\" ");
    check(&code(0), &[], &values, "Bern");
    check(&code(1), &[], &values, "Bern\nSchweiz");
    check(&code(2), &[], &values, "Bern");
}

#[test]
fn a_greeting_stands_in_for_a_name_that_is_blank() {
    let code = " GREETINGLINE \\f \"<<_BEFORE_ Dear >><<_TITLE0_>><< _LAST0_>>\n<<_AFTER_ ,>>\" \\e \"Dear Sir or Madam,\" ";
    check(code, &[], &LEE, "Dear Mr. Lee,");
    check(code, &[], &[("Title", ""), ("Last Name", "Lee")], "Dear Sir or Madam,");
    check(code, &[], &[("Last Name", "Lee")], "Dear Sir or Madam,");
}

#[test]
fn a_mapped_column_comes_before_what_columns_are_called() {
    let map = ["", "Rank", "Given", "", "Clan"];
    let values = [("Rank", "Dr."), ("Clan", "Mac"), ("Last Name", "Lee"), ("Title", "Mr.")];
    check(" GREETINGLINE ", &map, &values, "Dear Dr. Mac,");
    check(" MERGEFIELD \"Last Name\" \\m ", &map, &values, "Mac");
    check(" MERGEFIELD \"Last Name\" ", &map, &values, "Lee");
    // A map to columns of other data is no hindrance.
    check(" GREETINGLINE ", &map, &LEE, "Dear Mr. Lee,");
}

#[test]
fn a_mapped_field_is_found_by_what_columns_are_called() {
    check(" MERGEFIELD Postal_Code \\m ", &[], &LEE, "8000");
    check(" MERGEFIELD ZIP \\m ", &[], &LEE, "8000");
    check(" MERGEFIELD City \\m ", &[], &LEE, "Zürich");
}

#[test]
fn the_map_of_the_run_comes_first() {
    let docx = Docx::new(&p(&field(&code(" ADDRESSBLOCK \\f \"<<_LAST0_>>\" "), &t("«old»"))));
    let mut namespace = Namespace::new();
    namespace.value("contact.last_name");
    namespace.value("contact.clan");
    let mut map = FieldMap::new();
    map.insert("Last Name", "contact.clan");
    let bound = docx.template().bind(&namespace, &map).expect("the names are known");
    assert_eq!(bound.needs(), [mailrun::merge::Need::Value(1)]);
}

#[test]
fn an_address_of_which_nothing_is_known_is_a_problem() {
    let check = |content: &str, expected: &str| {
        let template = Template::compile(&Docx::new(content).bytes()).expect("the package is whole");
        let mut namespace = Namespace::new();
        namespace.value("colour");
        let problems = template.bind(&namespace, &FieldMap::new()).expect_err("there are problems");
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(lines, [expected], "{content}");
    };
    check(&p(&field(&code(" ADDRESSBLOCK "), &t("x"))), "no name fits any part of `ADDRESSBLOCK`");
    check(&p(&field(&code(" GREETINGLINE "), &t("x"))), "no name fits any part of `GREETINGLINE`");
    check(&p(&merge_field("City \\m")), "merge field `City` has no value");
}

#[test]
fn a_value_in_an_address_is_no_code() {
    let mut values = Values::new();
    values.set("City", Value::text("<<_CITY_>> & \"x\""));
    let docx = Docx::new(&p(&field(&code(" ADDRESSBLOCK \\f \"<<_CITY_>>\" "), &t("x"))));
    let letter = docx.template().render(&values).expect("the letter renders");
    assert!(body(&letter).contains("&lt;&lt;_CITY_"), "{}", body(&letter));
}
