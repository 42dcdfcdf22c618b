//! Owns the cases of formulas: expression to number, or to Word's error text.

use proptest::prelude::*;

use super::{Formula, Scope, TableCells, Value, round_for_display};
use crate::merge::field_code::{FieldCode, Piece};
use crate::merge::format::NumberSymbols;

/// A table whose cells hold `rows`; the formula stands in `position`.
struct Table {
    rows: &'static [&'static [&'static str]],
    position: (usize, usize),
}

impl TableCells for Table {
    fn position(&self) -> (usize, usize) {
        self.position
    }
    fn n_rows(&self) -> usize {
        self.rows.len()
    }
    fn n_columns(&self, row: usize) -> usize {
        self.rows.get(row).map_or(0, |row| row.len())
    }
    fn value(&self, row: usize, column: usize) -> Value {
        self.rows.get(row).and_then(|row| row.get(column)).map_or(Value::Blank, |text| Value::text(*text))
    }
}

/// Nested field 0 is 7, 1 is the text `New York`, 2 is blank; the bookmark `Price` is 2.50.
struct Names(Option<Table>);

impl Scope for Names {
    fn nested(&mut self, number: usize) -> Value {
        match number {
            0 => Value::text("7"),
            1 => Value::text("New York"),
            _ => Value::Blank,
        }
    }
    fn name(&mut self, name: &str) -> Option<Value> {
        (name == "Price").then(|| Value::text("2.50"))
    }
    fn table(&mut self) -> Option<&dyn TableCells> {
        self.0.as_ref().map(|table| table as &dyn TableCells)
    }
}

fn calculate(code: &str, decimal: &str, list_separator: char, table: Option<Table>) -> String {
    let symbols = NumberSymbols {
        decimal: decimal.to_owned(),
        group: if decimal == "," { "." } else { "," }.to_owned(),
    };
    let mut pieces = vec![Piece::Text("= ")];
    for (number, part) in code.split('@').enumerate() {
        if let Some((field, text)) = part.split_at_checked(1).filter(|_| number > 0) {
            pieces.push(Piece::Nested(field.parse().unwrap()));
            pieces.push(Piece::Text(text));
        } else {
            pieces.push(Piece::Text(part));
        }
    }
    let code = FieldCode::parse(&pieces);
    Formula::parse(&code.arguments[0], &symbols, list_separator)
        .and_then(|formula| formula.calculate(&mut Names(table), &symbols))
        .map_or_else(|error| error.word_text(), |number| number.normalize().to_string())
}

fn check(code: &str, expected: &str) {
    assert_eq!(calculate(code, ".", ',', None), expected, "{code}");
}

#[test]
fn operators_bind_as_in_arithmetic() {
    check("2.5 * 5.2", "13"); // P
    check("25 + 33", "58"); // P
    check("100 + 74", "174"); // P
    check("0.1 + 0.2", "0.3");
    check("2 + 3 * 4 ^ 2", "50");
    check("(2 + 3) * -4", "-20");
    check("10 - 4 - 3", "3");
    check("-2 ^ 2", "-4");
    check("2 ^ -2", "0.25");
    check("9 ^ 0.5", "3");
    check("10% * 50", "5");
    check("10 / 4", "2.5");
    check("5 = 5", "1");
    check("5 <> 5", "0");
    check("2 + 1 >= 3", "1");
    check("1,200 + 1", "1201");
    check("$5 + $6", "11");
    check("\"2\" + 3", "5");
}

#[test]
fn functions_take_numbers_and_lists() {
    check("ABS(-5)", "5");
    check("AND(1, 0)", "0");
    check("AVERAGE(1, 2, 6)", "3");
    check("COUNT(1, 2, 6)", "3");
    check("DEFINED(Price)", "1");
    check("DEFINED(Nothing)", "0");
    check("DEFINED(1/0)", "0");
    check("IF(2 > 1, 10, 20)", "10");
    check("IF(0, 1/0, 20)", "20");
    check("INT(5.67)", "5");
    check("INT(-5.67)", "-5");
    check("MAX(3, 9, 4)", "9");
    check("MIN(3, 9, 4)", "3");
    check("MOD(17, 5)", "2");
    check("NOT(0)", "1");
    check("OR(0, 1)", "1");
    check("PRODUCT(2, 3, 4)", "24");
    check("ROUND(123.456, 2)", "123.46");
    check("ROUND(123.456, -2)", "100");
    check("round(2.5, 0)", "3");
    check("SIGN(-8)", "-1");
    check("SIGN(0)", "0");
    check("SUM(1,200)", "201");
    check("SUM(1;2;3)", "6");
    check("TRUE", "1");
    check("FALSE", "0");
    assert_eq!(calculate("SUM(1,5; 2,5)", ",", ';', None), "4");
    assert_eq!(calculate("1.200,5 + 1", ",", ';', None), "1201.5");
}

#[test]
fn nested_fields_and_bookmarks_are_operands() {
    check("@0 * 2", "14");
    check("OR ( @0 , 0 ) = 1", "1"); // S: the idiom over COMPARE
    check("@2 + 1", "1");
    check("Price * 2", "5");
    check("@1 + 1", "!Undefined Bookmark, NEW YORK");
    check("Nothing + 1", "!Undefined Bookmark, NOTHING");
}

#[test]
fn errors_have_words_text() {
    check("1 / 0", "!Zero Divide");
    check("MOD(1, 0)", "!Zero Divide");
    check("1 +", "!Unexpected End of Formula");
    check("", "!Unexpected End of Formula");
    check("1 + * 2", "!Syntax Error, *");
    check("2 3", "!Syntax Error, 3");
    check("ABS(1, 2)", "!Syntax Error");
    check("FOO(1)", "!Syntax Error, FOO");
    check("(1", "!Unexpected End of Formula");
    check("1 & 2", "!Syntax Error, &");
    check("SUM(ABOVE)", "!The Formula Not In Table");
    check("9999999999 ^ 9", "!Number Too Large");
    check(&"(".repeat(100_000), "!Syntax Error");
    check(&format!("1{}", "+1".repeat(50_000)), "50001");
}

#[test]
fn cells_of_the_table_are_operands() {
    const ROWS: &[&[&str]] =
        &[&["Item", "Price", ""], &["Pen", "$1.50", "2"], &["Ink", "4", "x"], &["", "", "8"]];
    let check = |position, code: &str, expected: &str| {
        assert_eq!(calculate(code, ".", ',', Some(Table { rows: ROWS, position })), expected, "{code}");
    };
    check((3, 1), "SUM(ABOVE)", "5.5");
    check((3, 2), "SUM(ABOVE)", "2");
    check((1, 0), "SUM(RIGHT)", "3.5");
    check((1, 2), "PRODUCT(LEFT)", "1.5");
    check((0, 1), "SUM(BELOW)", "5.5");
    check((0, 0), "SUM(LEFT)", "0");
    check((0, 0), "B2 * C2", "3");
    check((0, 0), "SUM(B2:C3)", "7.5");
    check((0, 0), "SUM(C3:B2)", "7.5");
    check((0, 0), "SUM(R2C2:R3C3)", "7.5");
    check((0, 0), "SUM(B:B)", "5.5");
    check((0, 0), "SUM(2:2)", "3.5");
    check((0, 0), "COUNT(B2:B3, C2, 7)", "4");
    check((0, 0), "AVERAGE(B2:B3)", "2.75");
    check((0, 0), "B9 + 1", "1");
}

#[test]
fn a_result_without_a_picture_has_two_places() {
    assert_eq!(round_for_display("3.3333".parse().unwrap()).to_string(), "3.33");
    assert_eq!(round_for_display("13.00".parse().unwrap()).to_string(), "13");
}

proptest! {
    #[test]
    fn any_expression_has_a_result_or_an_error(code in "([0-9]{1,3}|[-+*/^%(),;:<>= ]|SUM|IF|A1|R1C1|ABOVE|\\PC){0,30}") {
        let code = code.replace('@', "");
        const ROWS: &[&[&str]] = &[&["1", "2"]];
        calculate(&code, ".", ',', Some(Table { rows: ROWS, position: (0, 1) }));
        calculate(&code, ",", ';', None);
    }

    #[test]
    fn sums_and_products_of_whole_numbers_are_exact(one in -99_999_i64..99_999, two in -99_999_i64..99_999, three in 1_i64..999) {
        let expected = one + two * three;
        prop_assert_eq!(calculate(&format!("{one} + {two} * {three}"), ".", ',', None), expected.to_string());
    }
}
