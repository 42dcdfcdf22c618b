//! Holds that a database of an older schema is brought up with everything that it has.

mod support;

use rusqlite::Connection;

use support::place::Place;

#[test]
fn a_database_of_the_first_schema_keeps_its_campaigns_and_worksheets() {
    let place = Place::new();
    let old = Connection::open(place.path("mailrun.db")).unwrap();
    old.execute_batch(include_str!("../src/store/schema/1_run.sql")).unwrap();
    old.execute_batch(
        "PRAGMA application_id = 0x4D4C524E; PRAGMA user_version = 1;
         INSERT INTO campaign VALUES
         ('SPRING', '{\"code\":\"SPRING\",\"description\":\"Spring\",\"starting_date\":\"2026-03-01\"}');
         INSERT INTO segment VALUES ('SM00001', '{\"no\":\"SM00001\",\"campaign\":\"SPRING\"}');
         INSERT INTO criteria_action VALUES ('SM00001', 1, 'add', 'country = ''CH''');",
    )
    .unwrap();
    drop(old);
    let campaigns = place.run(&["campaign", "list", "--json"]).expect_code(0).json_lines();
    assert_eq!(campaigns.len(), 1);
    assert_eq!(
        (&campaigns[0]["code"], &campaigns[0]["starting_date"]),
        (&"SPRING".into(), &"2026-03-01".into())
    );
    let used = place.run(&["campaign", "delete", "SPRING"]).expect_code(1);
    assert!(used.stderr.contains("is used by 1 open segment, such as SM00001"), "{}", used.stderr);
    let criteria = place.run(&["segment", "criteria", "show", "SM00001"]).expect_code(0);
    assert_eq!(criteria.stdout, "   1  add: country = 'CH'\n");
    let _ = place.run(&["segment", "undo", "SM00001"]).expect_code(0);
}
