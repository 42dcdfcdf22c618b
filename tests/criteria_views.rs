//! Holds that conditions can read what `docs/criteria.md` promises, with the rules by which views are linked, and can do
//! nothing else.

mod support;

use support::place::Place;

/// A company, a person of it, and one alone; codes of every kind; one logged interaction; child rows.
fn office() -> Place {
    let place = Place::new();
    place.write("orders.csv", "contact_no,order no,amount\nP2,A1,490.50\nP2,A2,20\n");
    let letter = support::docx::Docx::new(&support::docx::p(&support::docx::t("{{contact.name}}")));
    place.write("letter.docx", letter.bytes());
    place.write(
        "contacts.csv",
        "no,type,company_no,name,address,city,member since\nC1,company,,Nord AG,Damm 1,Bern,2019\n\
         P1,person,C1,Ann,Weg 1,Bern,2020\nP2,person,,Bo,Weg 2,Zug,2021\n",
    );
    place.write(
        "first.toml",
        "[segment]\nno = \"FIRST\"\ninteraction_template = \"T\"\n\
         [contacts]\nfile = \"contacts.csv\"\n[[contacts.rows]]\nname = \"orders\"\nfile = \"orders.csv\"\n\
         contact = \"contact_no\"\n[[template]]\ncode = \"T\"\ncorrespondence_type = \"hard-copy\"\n\
         default_language = \"en\"\n[template.languages]\nen = { document = \"letter.docx\" }\n\
         [select]\nadd = [\"no = 'P2'\"]\n",
    );
    let _ = place.run(&["run", "first.toml"]).expect_code(0);
    for table in
        ["mailing-group", "industry-group", "business-relation", "job-responsibility", "profile-answer"]
    {
        let _ = place.run(&["code", "set", table, "X"]).expect_code(0);
        let contact = if table == "industry-group" || table == "business-relation" { "C1" } else { "P1" };
        let _ = place.run(&["code", "add", table, "X", contact]).expect_code(0);
    }
    let _ = place
        .run(&["address", "set", "P2", "SUMMER", "city=Arth", "starting_date=2026-06-01"])
        .expect_code(0);
    let _ = place.run(&["segment", "new"]).expect_code(0);
    place
}

/// The contacts that a condition selects.
fn selected(place: &Place, condition: &str) -> Vec<String> {
    let _ = place.run(&["segment", "add", "SM00001", condition]).expect_code(0);
    let lines = place.run(&["segment", "show", "SM00001", "--json"]).expect_code(0).json_lines();
    let _ = place.run(&["segment", "undo", "SM00001"]).expect_code(0);
    lines[1..].iter().map(|line| line["contact"].as_str().expect("a text").to_owned()).collect()
}

/// The views of the documentation, each with its columns.
fn documented() -> Vec<(String, Vec<String>)> {
    let text = std::fs::read_to_string("docs/criteria.md").expect("the documentation is there");
    let views = text.split("## Views").nth(1).expect("there are views").split("## Examples").next();
    let rows = views.unwrap_or_default().lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let names: Vec<String> = row.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        (names[0].clone(), names[1..].to_vec())
    })
    .collect()
}

#[test]
fn every_documented_view_has_every_documented_column() {
    let place = office();
    let documented = documented();
    assert_eq!(documented.len(), 9);
    for (view, columns) in documented {
        assert!(!columns.is_empty(), "{view}");
        let columns: Vec<String> = columns.iter().map(|column| format!("v.{column} is not null")).collect();
        let condition = format!("exists (select 1 from {view} as v where {} or true)", columns.join(" or "));
        let expected: usize = if view == "segment_line" { 0 } else { 3 };
        assert_eq!(selected(&place, &condition).len(), expected, "{view}");
    }
}

#[test]
fn codes_of_a_company_are_those_of_its_persons_and_codes_of_a_person_are_its_own() {
    let place = office();
    let check = |view: &str, expected: &[&str]| {
        assert_eq!(
            selected(&place, &format!("no in (select contact from {view} where code = 'X')")),
            expected,
            "{view}"
        );
    };
    check("mailing_group", &["P1"]);
    check("job_responsibility", &["P1"]);
    check("profile_answer", &["P1"]);
    check("industry_group", &["C1", "P1"]);
    check("business_relation", &["C1", "P1"]);
}

#[test]
fn the_log_and_rows_and_further_columns_can_be_asked() {
    let place = office();
    let check =
        |condition: &str, expected: &[&str]| assert_eq!(selected(&place, condition), expected, "{condition}");
    check(
        "exists (select 1 from interaction_log l where l.contact = contact.no and l.template = 'T')",
        &["P2"],
    );
    check("(select sum(cast(amount as real)) from orders where orders.contact = no) > 510", &["P2"]);
    check("exists (select 1 from orders o where o.contact = contact.no and \"order no\" = 'A1')", &["P2"]);
    check("\"member since\" >= '2020'", &["P2", "P1"]);
    check("no in (select contact from alternative_address where starting_date > '2026-01-01')", &["P2"]);
    check("company_no in (select no from contact where city = 'Bern')", &["P1"]);
}

#[test]
fn a_condition_can_do_nothing_but_select() {
    let place = office();
    for condition in [
        "no in (select code from master)",
        "no in (select name from sqlite_schema)",
        "true); delete from contact; --",
        "load_extension('x')",
        "no in (select bytes from attachment)",
        "readfile('mailrun.toml') is null",
    ] {
        let ended = place.run(&["segment", "add", "SM00001", condition]).expect_code(1);
        assert!(ended.stderr.contains("the condition is refused"), "{condition}: {}", ended.stderr);
    }
}
