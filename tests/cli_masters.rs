//! Holds what masters promise: imported and exported, their codes checked, none that is used deleted; and what a
//! person has from its company.

mod support;

use serde_json::Value;

use support::place::Place;

/// A company with two persons, a template that greets, and a salesperson of the set-up.
fn office() -> Place {
    let place = Place::new();
    let letter = support::docx::Docx::new(&support::docx::p(&support::docx::t(
        "{{address.block}} {{salutation.formal}} {{salesperson.name}}",
    )));
    place.write("letter.docx", letter.bytes());
    place.write("mailrun.toml", "[[salesperson]]\ncode = \"JR\"\nname = \"Jana Roth\"\n");
    place.write(
        "contacts.csv",
        "no,type,company_no,name,surname,address,post_code,city,country,language,salutation_code,salesperson\n\
         C1,company,,Nord AG,,Damm 1,8001,Zürich,CH,de,C,JR\n\
         P1,person,C1,Ann Alder,Alder,,,,,,F,\n\
         P2,person,C1,Bo Bär,,Weg 2,3000,Bern,CH,fr,F,\n",
    );
    place.write(
        "segment.toml",
        "[segment]\nno = \"SM1\"\ninteraction_template = \"T\"\ncorrespondence_type = \"hard-copy\"\n\
         [[template]]\ncode = \"T\"\ndefault_language = \"en\"\n[template.languages]\n\
         en = { document = \"letter.docx\" }\nde = { document = \"letter.docx\" }\n\
         [select]\nadd = [\"type = 'person'\"]\n",
    );
    let _ = place.run(&["contact", "import", "contacts.csv"]).expect_code(0);
    for (key, formal) in
        [("F", "Dear Ms {{contact.surname}},"), ("F/de", "Guten Tag Frau {{contact.surname}},")]
    {
        let _ = place.run(&["salutation", "set", key, &format!("formal={formal}")]).expect_code(0);
    }
    place
}

fn explained(place: &Place, contact: &str, name: &str) -> (String, String) {
    let rows =
        place.run(&["explain", "segment.toml", "--contact", contact, "--json"]).expect_code(0).json_lines();
    let row = rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name}: {rows:?}"));
    let text = |key: &str| row[key].as_str().expect("a text").to_owned();
    (text("value"), text("rule"))
}

#[test]
fn a_person_has_from_its_company_what_it_lacks_and_explain_says_so() {
    let place = office();
    let check = |contact: &str, name: &str, value: &str, rule: &str| {
        assert_eq!(explained(&place, contact, name), (value.to_owned(), rule.to_owned()), "{contact} {name}");
    };
    let companys = "the company's: the contact has none";
    check("P1", "address", "Nord AG / Ann Alder / Damm 1 / 8001 ZÜRICH / SWITZERLAND", companys);
    check("P1", "language", "de", companys);
    check("P1", "salesperson", "JR", companys);
    check("P2", "address", "Nord AG / Bo Bär / Weg 2 / 3000 BERN / SWITZERLAND", "the contact's");
    check("P2", "language", "en", "the interaction template's default language");
    // A change of the company reaches its persons at once, and so does its address of the season.
    let _ = place.run(&["contact", "set", "C1", "address=Damm 7"]).expect_code(0);
    check("P1", "address", "Nord AG / Ann Alder / Damm 7 / 8001 ZÜRICH / SWITZERLAND", companys);
    let winter =
        ["address", "set", "C1", "WINTER", "starting_date=2026-01-01", "address=Via 5", "city=Lugano"];
    let _ = place.run(&winter).expect_code(0);
    check(
        "P1",
        "address",
        "Nord AG / Ann Alder / Via 5 / Lugano",
        "the company's alternative address valid on the date",
    );
    check("P2", "address", "Nord AG / Bo Bär / Weg 2 / 3000 BERN / SWITZERLAND", "the contact's");
}

#[test]
fn a_missing_surname_leaves_no_blank_before_the_comma() {
    let place = office();
    assert_eq!(explained(&place, "P1", "salutation").0, "Guten Tag Frau Alder,");
    assert_eq!(explained(&place, "P2", "salutation").0, "Dear Ms,");
}

#[test]
fn a_missing_formula_in_the_language_of_the_line_falls_back_and_the_rule_says_so() {
    let place = office();
    let _ = place.run(&["contact", "set", "P1", "language=de-CH"]).expect_code(0);
    assert_eq!(
        explained(&place, "P1", "language"),
        ("de".to_owned(), "the base of the contact's language".to_owned())
    );
    assert_eq!(explained(&place, "P1", "salutation").1, "the formula for the language");
    assert_eq!(explained(&place, "P2", "salutation").1, "the formula without a language");
    let _ = place.run(&["salutation", "delete", "F/de"]).expect_code(0);
    assert_eq!(explained(&place, "P1", "salutation").1, "the formula without a language");
    let last = place.run(&["salutation", "delete", "F"]).expect_code(1);
    assert!(last.stderr.contains("is used by 2 contacts, and it is the last formula"), "{}", last.stderr);
}

#[test]
fn every_kind_of_master_comes_back_from_its_export() {
    let place = office();
    let _ = place
        .run(&["campaign", "set", "SPRING", "description=Spring", "starting_date=2026-03-01"])
        .expect_code(0);
    let _ = place.run(&["salesperson", "set", "AB", "name=Anna Beck"]).expect_code(0);
    let _ = place.run(&["code", "set", "mailing-group", "XMAS", "description=Cards"]).expect_code(0);
    let _ = place.run(&["code", "set", "industry-group", "WOOD"]).expect_code(0);
    let _ = place
        .run(&["code", "set", "profile-answer", "SIZE-L", "question=Size", "description=Large"])
        .expect_code(0);
    let _ = place.run(&["code", "add", "mailing-group", "XMAS", "P1", "P2"]).expect_code(0);
    let _ = place.run(&["code", "add", "industry-group", "WOOD", "C1"]).expect_code(0);
    let _ =
        place.run(&["address", "set", "P1", "HOME", "city=Olten", "ending_date=2026-12-31"]).expect_code(0);
    let families: [&[&str]; 8] = [
        &["contact"],
        &["address"],
        &["campaign"],
        &["salesperson"],
        &["salutation"],
        &["code", "mailing-group"],
        &["code", "industry-group"],
        &["code", "profile-answer"],
    ];
    for (number, family) in families.iter().enumerate() {
        for ending in ["csv", "xlsx"] {
            let file = format!("{number}.{ending}");
            let words = |verb: &'static str| [&family[..1], &[verb], &family[1..]].concat();
            let list = |database: &str| {
                let words = [&words("list")[..], &["--json", "--db", database]].concat();
                place.run(&words).expect_code(0).json_lines()
            };
            let _ = place.run(&[&words("export")[..], &[&file]].concat()).expect_code(0);
            let other = format!("other.{ending}.db");
            let _ = place.run(&[&words("import")[..], &[&file, "--db", &other]].concat()).expect_code(0);
            assert_eq!(list(&other), list("mailrun.db"), "{family:?} by {ending}");
            assert!(!list("mailrun.db").is_empty(), "{family:?}");
        }
    }
    let members = |database: &str| {
        let words = ["code", "show", "mailing-group", "XMAS", "--json", "--db", database];
        place.run(&words).expect_code(0).stdout
    };
    let _ = place.run(&["code", "export", "mailing-group", "members.csv", "--members"]).expect_code(0);
    let import = ["code", "import", "mailing-group", "members.csv", "--members", "--db", "other.csv.db"];
    let _ = place.run(&import).expect_code(0);
    assert_eq!(members("other.csv.db"), members("mailrun.db"));
}

#[test]
fn interaction_templates_are_set_exported_and_imported_with_their_documents() {
    let place = office();
    let _ = place.run(&["code", "set", "interaction-group", "LETTERS"]).expect_code(0);
    let set = [
        "template",
        "set",
        "T2",
        "description=Second",
        "group=LETTERS",
        "correspondence_type=email",
        "default_language=en",
        "unit_cost=1.50",
        "campaign_target=true",
        "--document",
        "en=letter.docx",
        "--subject",
        "en=Hello",
        "--document",
        "fr=letter.docx",
    ];
    let _ = place.run(&set).expect_code(0);
    let shown = |database: &str| {
        place.run(&["template", "show", "T2", "--json", "--db", database]).expect_code(0).report()
    };
    assert_eq!(shown("mailrun.db")["languages"]["en"]["subject"], "Hello");
    for file in ["templates.csv", "templates.xlsx"] {
        let _ = place.run(&["template", "export", file]).expect_code(0);
        let other = format!("{file}.db");
        let _ = place.run(&["code", "set", "interaction-group", "LETTERS", "--db", &other]).expect_code(0);
        let _ = place.run(&["template", "import", file, "--db", &other]).expect_code(0);
        assert_eq!(shown(&other), shown("mailrun.db"), "{file}");
    }
    let unknown = place.run(&["template", "set", "T2", "group=LETTRES"]).expect_code(1);
    assert!(
        unknown.stderr.contains("there is no interaction group `LETTRES`\n  help: did you mean `LETTERS`?")
    );
    let used = place.run(&["code", "delete", "interaction-group", "LETTERS"]).expect_code(1);
    assert!(used.stderr.contains("is used by 1 interaction template, such as T2"), "{}", used.stderr);
    let _ = place.run(&["template", "set", "T2", "--without", "fr"]).expect_code(0);
    assert_eq!(shown("mailrun.db")["languages"]["fr"], Value::Null);
    let _ = place.run(&["template", "delete", "T2"]).expect_code(0);
    let _ = place.run(&["template", "show", "T2"]).expect_code(1);
}

#[test]
fn nothing_that_is_used_is_deleted_and_the_message_names_who_uses_it() {
    let place = office();
    let _ = place.run(&["salesperson", "set", "AB", "name=Anna"]).expect_code(0);
    let _ = place.run(&["contact", "set", "P1", "salesperson=AB"]).expect_code(0);
    let _ = place.run(&["code", "set", "mailing-group", "XMAS"]).expect_code(0);
    let _ = place.run(&["code", "add", "mailing-group", "XMAS", "P1"]).expect_code(0);
    let check = |words: &[&str], uses: &str| {
        let ended = place.run(words).expect_code(1);
        assert!(ended.stderr.contains(uses), "{words:?}: {}", ended.stderr);
    };
    check(&["salesperson", "delete", "AB"], "salesperson `AB` is used by 1 contact, such as P1");
    check(&["code", "delete", "mailing-group", "XMAS"], "is used by 1 contact, such as P1");
    check(&["contact", "delete", "C1"], "is used by 2 persons, such as P1");
    let _ = place.run(&["run", "segment.toml"]).expect_code(0);
    check(&["contact", "delete", "P1"], "is used by 1 interaction log entry, such as 1");
    let _ = place.run(&["code", "remove", "mailing-group", "XMAS", "P1"]).expect_code(0);
    let _ = place.run(&["code", "delete", "mailing-group", "XMAS"]).expect_code(0);
}

#[test]
fn a_code_that_is_not_known_is_refused_with_the_nearest_one() {
    let place = office();
    let check = |words: &[&str], message: &str| {
        let ended = place.run(words).expect_code(1);
        assert!(ended.stderr.contains(message), "{words:?}: {}", ended.stderr);
    };
    let _ = place.run(&["code", "set", "mailing-group", "CHRISTMAS"]).expect_code(0);
    let nearest = "there is no mailing group `CHRISTMES`\n  help: did you mean `CHRISTMAS`?";
    check(&["code", "add", "mailing-group", "CHRISTMES", "P1"], nearest);
    check(&["code", "show", "mailing-group", "CHRISTMES"], "help: did you mean `CHRISTMAS`?");
    check(&["code", "add", "mailing-group", "CHRISTMAS", "P9"], "there is no contact `P9`");
    check(
        &["contact", "set", "P1", "salesperson=JX"],
        "there is no salesperson `JX`\n  help: did you mean `JR`?",
    );
    check(
        &["contact", "set", "P1", "surnam=X"],
        "a contact has no field `surnam`\n  help: did you mean `surname`?",
    );
    check(&["campaign", "set", "S", "starting_date=soon"], "`soon` is no date, expected YYYY-MM-DD");
    check(&["salutation", "set", "F", "type=animal"], "`animal` is no type, expected person or company");
    place.write("members.csv", "code,contact\nCHRISTMAS,P1\nNOEL,P1\nCHRISTMAS,P9\n");
    let words = ["code", "import", "mailing-group", "members.csv", "--members"];
    let ended = place.run(&words).expect_code(1);
    assert!(ended.stderr.contains("no mailing group `NOEL`\n  --> members.csv, line 3"), "{}", ended.stderr);
    assert!(ended.stderr.contains("no contact `P9`\n  --> members.csv, line 4"), "{}", ended.stderr);
    let members = place.run(&["code", "show", "mailing-group", "CHRISTMAS"]).expect_code(0);
    assert!(!members.stdout.contains("P1"), "nothing was imported: {}", members.stdout);
}

#[test]
fn contacts_are_listed_by_pages() {
    let place = office();
    let page = |after: &str| {
        let words = ["contact", "list", "--json", "--limit", "2", "--after", after];
        let numbers: Vec<Value> = place
            .run(&words)
            .expect_code(0)
            .json_lines()
            .iter()
            .map(|contact| contact["no"].clone())
            .collect();
        numbers
    };
    assert_eq!(page(""), ["C1", "P1"]);
    assert_eq!(page("P1"), ["P2"]);
}

/// The fields and further columns of a contact, as `contact show` has them.
fn shown(place: &Place, contact: &str) -> Value {
    place.run(&["contact", "show", contact, "--json"]).expect_code(0).report()
}

#[test]
fn a_column_that_a_table_lacks_leaves_what_contacts_have_and_a_blank_one_clears_it() {
    let columns = [
        "type",
        "company_no",
        "company_name",
        "name",
        "name_2",
        "first_name",
        "middle_name",
        "surname",
        "initials",
        "job_title",
        "address",
        "address_2",
        "post_code",
        "city",
        "county",
        "country",
        "phone",
        "mobile",
        "fax",
        "email",
        "home_page",
        "vat_no",
        "language",
        "external_id",
        "correspondence_type",
        "salutation_code",
        "salesperson",
        "exclude_from_segment",
        "privacy_blocked",
        "minor",
        "parental_consent",
        "no_mail",
        "no_email",
        "household",
        "Shoe size",
        "Hat",
    ];
    let given = |column: &str| match column {
        "type" => "company".to_owned(),
        "language" => "fr".to_owned(),
        "correspondence_type" => "email".to_owned(),
        "exclude_from_segment"
        | "privacy_blocked"
        | "minor"
        | "parental_consent"
        | "no_mail"
        | "no_email" => "true".to_owned(),
        column => format!("its {column}"),
    };
    let place = Place::new();
    let import = |name: &str, table: String| {
        place.write(name, table);
        let _ = place.run(&["contact", "import", name]).expect_code(0);
    };
    let all: Vec<String> = columns.iter().map(|column| given(column)).collect();
    import("all.csv", format!("no,{}\nP1,{}\n", columns.join(","), all.join(",")));
    import("none.csv", "no\nP1\nP2\n".to_owned());
    let contact = shown(&place, "P1");
    for column in columns {
        assert_eq!(contact[column], given(column), "the table without columns left {column}");
    }
    for column in columns {
        import("one.csv", format!("no,{column}\nP1,\n"));
        let blank = match column {
            "type" => "person",
            "exclude_from_segment"
            | "privacy_blocked"
            | "minor"
            | "parental_consent"
            | "no_mail"
            | "no_email" => "false",
            _ => "",
        };
        let contact = shown(&place, "P1");
        assert_eq!(contact[column], blank, "a blank cell cleared {column}");
        let later = columns.iter().skip_while(|other| **other != column).skip(1);
        for other in later {
            assert_eq!(contact[other], given(other), "clearing {column} left {other}");
        }
    }
}

#[test]
fn a_segment_file_leaves_what_its_table_does_not_speak_of_and_says_where_letters_show_it() {
    let place = office();
    place.write("letter.docx", {
        let text = support::docx::t("{{contact.phone}} {{contact.Amount}} {{contact.name}}");
        support::docx::Docx::new(&support::docx::p(&text)).bytes()
    });
    let segment = place.read_text("segment.toml");
    let (header, rest) = segment.split_once("[[template]]").expect("a template");
    let (rest, _) = rest.split_once("[select]").expect("a selection");
    place.write("segment.toml", format!("{header}[contacts]\nfile = \"spring.csv\"\n[[template]]{rest}"));
    place.write("first.csv", "no,Amount\nP1,20\nP2,30\n");
    let _ = place.run(&["contact", "import", "first.csv"]).expect_code(0);
    let _ = place.run(&["contact", "set", "P1", "phone=555"]).expect_code(0);
    let _ = place
        .run(&["address", "set", "P2", "SUMMER", "starting_date=2026-06-01", "city=Bern"])
        .expect_code(0);

    place.write("spring.csv", "no,name\nP1,Ann Alder-Roth\n");
    let ended = place.run(&["check", "segment.toml"]).expect_code(0);
    let warning = "warning: the table has no column `Amount`: its values are those of an earlier table\n  --> \
                   spring.csv\n  help: add the column, blank where there is nothing, if the values are old\n";
    assert!(ended.stderr.contains(warning), "{}", ended.stderr);
    assert_eq!(ended.stderr.matches("earlier table").count(), 1, "{}", ended.stderr);
    let _ = place.run(&["run", "segment.toml"]).expect_code(0);
    let letters = place.files("out/SM1/letters");
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!(support::docx::text(&place.read(&letters[0])).trim(), "555 20 Ann Alder-Roth");
    assert_eq!(shown(&place, "P1")["salutation_code"], "F");

    // The addresses of a file are those of its contacts, and of nobody else.
    place.write("spring.csv", "no,name,Amount\nP1,Ann Alder,\n");
    place.write("addresses.csv", "contact,code,city\nP1,WORK,Basel\n");
    place.write(
        "segment.toml",
        place
            .read_text("segment.toml")
            .replace("SM1", "SM2")
            .replace("file = \"spring.csv\"", "file = \"spring.csv\"\naddresses = \"addresses.csv\""),
    );
    let ended = place.run(&["check", "segment.toml"]).expect_code(0);
    assert!(!ended.stderr.contains("earlier table"), "{}", ended.stderr);
    let _ = place.run(&["run", "segment.toml"]).expect_code(0);
    let addresses = place.run(&["address", "list", "--json"]).expect_code(0).json_lines();
    let of_whom: Vec<&str> = addresses.iter().filter_map(|address| address["contact"].as_str()).collect();
    assert_eq!(of_whom, ["P1", "P2"]);
}

#[test]
fn rows_that_are_nested_in_imported_contacts_are_kept_and_renewed_by_the_next_import() {
    let place = office();
    place.write(
        "segment.toml",
        "[segment]\nno = \"SM1\"\ninteraction_template = \"T\"\ncorrespondence_type = \"hard-copy\"\n\
         [[template]]\ncode = \"T\"\ndefault_language = \"en\"\n[template.languages]\n\
         en = { document = \"rows.docx\" }\n[select]\nadd = [\"no = 'P2'\"]\n",
    );
    let text = support::docx::t("{{#each orders}}{{item}} {{amount}};{{/each}}");
    place.write("rows.docx", support::docx::Docx::new(&support::docx::p(&text)).bytes());
    for (rows, expected) in [
        (r#"[{"item": "chair", "amount": 2}, {"item": "lamp", "amount": 1}]"#, "chair 2;lamp 1;"),
        (r#"[{"item": "table", "amount": 3}]"#, "table 3;"),
    ] {
        place.write("contacts.json", format!(r#"[{{"no": "P2", "orders": {rows}}}]"#));
        let _ = place.run(&["contact", "import", "contacts.json"]).expect_code(0);
        let preview = place.run(&["preview", "segment.toml"]).expect_code(0);
        let letter = preview.stdout.lines().next().expect("a letter").replace("[here]/", "");
        assert_eq!(support::docx::text(&place.read(&letter)).trim(), expected);
    }
    // What the other columns say stays: the table has none of them.
    assert_eq!(shown(&place, "P2")["name"], "Bo Bär");
}
