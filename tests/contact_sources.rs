//! Holds that contacts and their rows come from a command or a query as they do from a file, and that whatever keeps them
//! from coming is a problem with its place, before anything happens.

mod support;

use rusqlite::Connection;

use support::place::{Ended, Place};

/// A place with a letter that shows a name and, where there are any, orders, and a segment with this `[contacts]`.
fn place_with(contacts: &str) -> Place {
    let place = Place::new();
    let orders = if contacts.contains("orders") || contacts.contains("json") {
        ":{{#each orders}} {{item}} {{amount}}{{/each}}"
    } else {
        ""
    };
    let text = support::docx::t(&format!("{{{{contact.name}}}}{orders}"));
    let letter = support::docx::Docx::new(&support::docx::p(&text));
    place.write("office/letter.docx", letter.bytes());
    place.write(
        "office/segment.toml",
        format!(
            "[segment]\nno = \"S1\"\ninteraction_template = \"T\"\n[contacts]\n{contacts}\n\
             [[template]]\ncode = \"T\"\ncorrespondence_type = \"hard-copy\"\ndefault_language = \"en\"\n\
             [template.languages]\nen = {{ document = \"letter.docx\" }}\n"
        ),
    );
    place
}

/// The CRM of the tests: two persons and three orders.
fn with_crm(place: &Place) {
    let crm = Connection::open(place.path("office/crm.db")).expect("a database can be made");
    crm.execute_batch(
        "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, city TEXT, photo BLOB);
         INSERT INTO person VALUES (7, 'Ann “the” Roth', 'Zürich\tWest', x'00'), (8, 'Ben; Beck', NULL, x'00');
         CREATE TABLE sale (person INTEGER, item TEXT, amount REAL);
         INSERT INTO sale VALUES (7, 'chair', 1.5), (7, 'table', 20), (8, 'lamp', 3);",
    )
    .expect("a database takes tables");
}

const QUERY: &str = "database = \"crm.db\"\nquery = \"select id as no, name, city, 'Weg 1' as address, 8000 as post_code from person order by id\"\n\
    [[contacts.rows]]\nname = \"orders\"\ncontact = \"person\"\ndatabase = \"crm.db\"\n\
    query = \"select person, item, amount from sale\"\n";

fn run(place: &Place) -> Ended {
    place.run(&["run", "office/segment.toml"])
}

fn letters(place: &Place) -> Vec<String> {
    place.files("out/S1/letters").iter().map(|name| support::docx::text(&place.read(name))).collect()
}

/// Fails unless checking and running find exactly this, and nothing has happened.
#[track_caller]
fn expect_problem(place: &Place, problem: &str) {
    for words in [["check", "office/segment.toml"], ["run", "office/segment.toml"]] {
        let ended = place.run(&words).expect_code(1);
        assert_eq!(
            ended.stderr.trim_end(),
            format!("{problem}\n\n1 problem in the segment file. Nothing was sent.")
        );
    }
    assert!(!place.path("out").exists() && !place.path("mailrun.db").exists(), "nothing has happened");
}

#[test]
fn contacts_come_from_a_query_of_another_database() {
    let place = place_with(QUERY);
    with_crm(&place);
    let before = place.read("office/crm.db");
    let _ = run(&place).expect_code(0);
    assert_eq!(letters(&place), ["Ann “the” Roth: chair 1.5 table 20", "Ben; Beck: lamp 3"]);
    let city = place.run(&["contact", "show", "7", "--json"]).expect_code(0).stdout;
    assert!(city.contains("Zürich\\tWest"), "{city}");
    assert_eq!(place.read("office/crm.db"), before, "it was read only");
}

#[test]
fn contacts_come_from_what_a_command_prints() {
    // It works in the folder of the segment file, gets its words as they are, and needs no shell.
    let place = place_with("command = [\"cat\", \"our contacts.csv\"]\n");
    place.write("office/our contacts.csv", "no;name;address;city\n1;Ann;Weg 1;Bern\n2;Bo;Weg 2;Bern\n");
    let _ = run(&place).expect_code(0);
    assert_eq!(letters(&place).len(), 2);

    let place = place_with("command = [\"./export\", \"$HOME;\"]\nformat = \"json\"\n");
    place.write(
        "office/export",
        "#!/bin/sh\necho '[{\"no\": 1, \"name\": \"Ann\", \"address\": \"Weg 1\", \"city\": \"Bern\", \"word\": \"'\"$1\"'\", \
         \"orders\": [{\"item\": \"chair\", \"amount\": 2}]}]'\n",
    );
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(place.path("office/export"), mode).expect("it can be made a program");
    let _ = run(&place).expect_code(0);
    assert_eq!(letters(&place), ["Ann: chair 2"]);
    let shown = place.run(&["contact", "show", "1", "--json"]).expect_code(0).stdout;
    assert!(shown.contains("$HOME;"), "{shown}");
}

#[test]
fn a_command_that_fails_is_a_problem_with_its_exit_code_and_last_words() {
    let place =
        place_with("command = [\"sh\", \"-c\", \"echo no; echo 1; echo 'no licence' >&2; exit 4\"]\n");
    expect_problem(
        &place,
        "error: `sh -c \"echo no; echo 1; echo 'no licence' >&2; exit 4\"` failed (exit status: 4): no licence\n  \
         --> office/segment.toml, line 5",
    );
    let place = place_with("command = [\"mailrun-no-such-program\"]\n");
    expect_problem(
        &place,
        "error: `mailrun-no-such-program` cannot be started: No such file or directory (os error 2)\n  \
         --> office/segment.toml, line 5",
    );
    let place = place_with("command = [\"tail\", \"-f\", \"/dev/null\"]\ntimeout = \"200ms\"\n");
    expect_problem(
        &place,
        "error: `tail -f /dev/null` did not end within 200ms\n  --> office/segment.toml, line 5",
    );
}

#[test]
fn a_query_that_cannot_be_or_does_more_than_read_is_a_problem() {
    let check = |query: &str, reason: &str| {
        let place = place_with(&format!("database = \"crm.db\"\ntimeout = \"300ms\"\nquery = \"{query}\"\n"));
        with_crm(&place);
        let before = place.read("office/crm.db");
        expect_problem(&place, &format!("error: {reason}\n  --> office/segment.toml, line 7"));
        assert_eq!(place.read("office/crm.db"), before);
    };
    let refused = |reason: &str| format!("`office/crm.db` refuses the query: {reason}");
    check("select id, nam from person", &refused("no such column: nam"));
    check("delete from person returning id", &refused("it does more than read"));
    check("attach 'other.db' as other", &refused("it does more than read"));
    check("pragma user_version", &refused("it does more than read"));
    check("select 1 as no; select 2", &refused("it holds more than one statement"));
    check(
        "with recursive n (x) as (select 1 union all select x + 1 from n) select x as no from n where x < 0",
        &refused("it did not end within 300ms"),
    );
    check("select id as no, photo from person", "column `photo` of row 1 is no text and no number");
    let place = place_with("database = \"gone.db\"\nquery = \"select 1\"\n");
    expect_problem(&place, "error: there is no database `office/gone.db`\n  --> office/segment.toml, line 6");
}

#[test]
fn what_is_wrong_with_the_rows_is_told_with_their_line() {
    let place = place_with("command = [\"printf\", \"no,name\\\\n1,Ann\\\\n1,Bo\\\\n\"]\n");
    let ended = run(&place).expect_code(1);
    let place_of = "--> output of `printf no,name\\n1,Ann\\n1,Bo\\n`, line 3, column `no`";
    assert!(ended.stderr.contains("`1`") && ended.stderr.contains(place_of), "{}", ended.stderr);
    let place = place_with("database = \"crm.db\"\nquery = \"select name from person\"\n");
    with_crm(&place);
    let ended = run(&place).expect_code(1);
    assert!(ended.stderr.contains("--> office/crm.db: query\n"), "{}", ended.stderr);
}

#[test]
fn a_table_is_in_one_place() {
    for contacts in
        ["", "file = \"a.csv\"\ncommand = [\"cat\"]\n", "database = \"crm.db\"\n", "query = \"select 1\"\n"]
    {
        expect_problem(
            &place_with(contacts),
            "error: `contacts` does not say where its table is, or says it twice\n  --> office/segment.toml\n  \
             help: give `file`, or `command`, or `database` and `query`",
        );
    }
    let place = place_with("command = []\n");
    let ended = run(&place).expect_code(1);
    assert!(ended.stderr.contains("there is no program: the first word names it"), "{}", ended.stderr);
}

#[test]
fn a_schedule_waits_for_a_source_that_is_away() {
    let mut place = place_with("command = [\"cat\", \"fetched.csv\"]\n");
    let segment = place.read_text("office/segment.toml");
    place.write("office/segment.toml", segment.replace("no = \"S1\"\n", ""));
    let add = ["schedule", "add", "daily", "--cron", "0 9 * * *", "--timezone", "UTC", "office/segment.toml"];
    let _ = place.run(&add).expect_code(0);
    place.set_now("2026-03-01T09:00:00Z");
    let waiting = place.run(&["schedule", "due", "--json"]).expect_code(4).json_lines();
    assert_eq!(waiting[0]["state"], "claimed");
    let reason = waiting[0]["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("`cat fetched.csv` failed (exit status: 1)"), "{reason}");
    place.write("office/fetched.csv", "no,name,address,city\n1,Ann,Weg 1,Bern\n");
    let done = place.run(&["schedule", "due", "--json"]).expect_code(0).report();
    assert_eq!((&done["state"], &done["lines"]), (&"done".into(), &1.into()));
}
