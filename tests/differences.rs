//! Holds that `docs/differences.md` has a row for each capability of the reference product, and names tests that exist.

use std::fs;

/// Everything between backticks in a cell.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The cells of a row.
fn cells(line: &str) -> Vec<String> {
    line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// The cells of the rows whose first cell is `F` and a number.
fn rows(text: &str) -> Vec<Vec<String>> {
    let is_row = |cells: &Vec<String>| {
        cells.first().and_then(|first| first.strip_prefix('F')).is_some_and(|no| no.parse::<u32>().is_ok())
    };
    text.lines().map(cells).filter(is_row).collect()
}

#[test]
fn every_capability_has_a_row_with_a_test_or_a_reason() {
    let text = fs::read_to_string("docs/differences.md").expect("the table is there");
    let rows = rows(&text);
    let expected: Vec<String> = (1..=54).map(|number| format!("F{number}")).collect();
    let numbers: Vec<String> = rows.iter().map(|row| row[0].clone()).collect();
    assert_eq!(numbers, expected);
    for row in &rows {
        assert_eq!(row.len(), 4, "{row:?}");
        let has_reason = row[2].contains("none") || row[2].contains("not yet") || row[2].contains("embedded");
        assert!(!row[3].is_empty() || has_reason, "{}: name a test, or say why not", row[0]);
    }
}

/// The cells of the rows below a heading, without those of the table's head.
fn rows_below(text: &str, heading: &str) -> Vec<Vec<String>> {
    let (_, below) = text.split_once(heading).unwrap_or_else(|| panic!("there is no `{heading}`"));
    let section = below.split("\n## ").next().unwrap_or_default();
    section.lines().filter(|line| line.starts_with('|')).skip(2).map(cells).collect()
}

/// Fails unless each test that a cell names between backticks exists; what has a blank or a hyphen is none.
#[track_caller]
fn expect_tests(row: &str, cell: &str) -> usize {
    let names: Vec<&str> = quoted(cell).filter(|name| !name.contains([' ', '-'])).collect();
    for name in &names {
        let (file, test) = name.split_once("::").unwrap_or((name, ""));
        if let Some(stem) = file.strip_suffix('*') {
            let is_there = fs::read_dir("tests")
                .expect("the folder of tests can be listed")
                .any(|entry| entry.expect("an entry").file_name().to_string_lossy().starts_with(stem));
            assert!(is_there, "{row}: there is no tests/{file}.rs");
            continue;
        }
        let source = fs::read_to_string(format!("tests/{file}.rs"));
        let source = source.unwrap_or_else(|_| panic!("{row}: there is no tests/{file}.rs"));
        let is_there = test.is_empty() || source.contains(&format!("fn {test}("));
        assert!(is_there, "{row}: tests/{file}.rs has no `{test}`");
    }
    names.len()
}

#[test]
fn every_test_that_a_table_names_exists() {
    let text = fs::read_to_string("docs/differences.md").expect("the table is there");
    for row in rows(&text) {
        expect_tests(&row[0], &row[3]);
    }
    let invariants = rows_below(&text, "## Invariants");
    assert_eq!(invariants.len(), 12);
    for row in &invariants {
        assert!(expect_tests(&row[0], &row[1]) > 0, "{}: name a test", row[0]);
    }
    for row in rows_below(&text, "## What neither has") {
        expect_tests(&row[0], &row[2]);
    }
    let traps = rows_below(&text, "## Traps");
    let numbers: Vec<&str> = traps.iter().map(|row| row[0].as_str()).collect();
    let expected: Vec<String> = (1..=23).map(|number| number.to_string()).collect();
    assert_eq!(numbers, expected);
    for row in &traps {
        assert!(expect_tests(&row[1], &row[2]) > 0, "{}: name a test", row[1]);
    }
}
