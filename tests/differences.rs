//! Holds that `docs/differences.md` has a row for each capability of the reference product, and names tests that exist.

use std::fs;

/// Everything between backticks in a cell.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The cells of the rows whose first cell is `F` and a number.
fn rows(text: &str) -> Vec<Vec<String>> {
    let is_row = |cells: &Vec<String>| {
        cells.first().and_then(|first| first.strip_prefix('F')).is_some_and(|no| no.parse::<u32>().is_ok())
    };
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
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

#[test]
fn every_test_that_the_table_names_exists() {
    let text = fs::read_to_string("docs/differences.md").expect("the table is there");
    for row in rows(&text) {
        for name in quoted(&row[3]).filter(|name| !name.contains('*')) {
            let (file, test) = name.split_once("::").unwrap_or((name, ""));
            let source = fs::read_to_string(format!("tests/{file}.rs"));
            let source = source.unwrap_or_else(|_| panic!("{}: there is no tests/{file}.rs", row[0]));
            assert!(source.contains(&format!("fn {test}")), "{}: tests/{file}.rs has no `{test}`", row[0]);
        }
    }
}
