//! Owns comparisons: what IF, COMPARE, NEXTIF and SKIPIF hold for true.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use crate::merge::format::{FormatContext, read_number, write_plain};
use crate::merge::formula;
use crate::merge::value::Value;

/// How two operands are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Operator {
    /// Reads an operator; none if the text is not one.
    pub fn parse(text: &str) -> Option<Operator> {
        match text.trim() {
            "=" => Some(Operator::Equal),
            "<>" => Some(Operator::NotEqual),
            "<" => Some(Operator::Less),
            "<=" => Some(Operator::LessOrEqual),
            ">" => Some(Operator::Greater),
            ">=" => Some(Operator::GreaterOrEqual),
            _ => None,
        }
    }

    /// Returns the operator as it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Operator::Equal => "=",
            Operator::NotEqual => "<>",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
        }
    }

    /// Tells whether the operator holds for two sides that stand in that order.
    pub fn holds_for(self, ordering: Ordering) -> bool {
        match self {
            Operator::Equal => ordering.is_eq(),
            Operator::NotEqual => ordering.is_ne(),
            Operator::Less => ordering.is_lt(),
            Operator::LessOrEqual => ordering.is_le(),
            Operator::Greater => ordering.is_gt(),
            Operator::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// Tells whether a comparison holds.
///
/// With `=` and `<>`, `*` and `?` in the right operand stand for any characters and one character. Else both sides
/// are compared as numbers, if both are: a number in the locale of the data (`1,200`, `$5`) or an arithmetic
/// expression (`2 + 3`). Else as text: with regard to case, in the order of Unicode. A date is text, as it would be
/// shown; a blank is the empty text and no number.
///
/// Word compares no more than 128 characters with wildcards; there is no such limit here.
///
/// Source: ECMA-376 Part 1 §17.16.5 (IF, COMPARE); \[MS-OI29500\] for the wildcards.
pub fn holds(left: &Value, operator: Operator, right: &Value, context: &FormatContext) -> bool {
    if let (Value::Number(left), Value::Number(right)) = (left, right) {
        return operator.holds_for(left.cmp(right));
    }
    let left_text = shown(left, context);
    let right_text = shown(right, context);
    let is_equality = matches!(operator, Operator::Equal | Operator::NotEqual);
    if is_equality && right_text.contains(['*', '?']) && number(right, &right_text, context).is_none() {
        return matches(&left_text, &right_text) == (operator == Operator::Equal);
    }
    let numbers = number(left, &left_text, context).zip(number(right, &right_text, context));
    operator.holds_for(match numbers {
        Some((left, right)) => left.cmp(&right),
        None => left_text.cmp(&right_text),
    })
}

fn shown(value: &Value, context: &FormatContext) -> String {
    let mut text = String::new();
    write_plain(value, context, &mut text);
    text
}

fn number(value: &Value, text: &str, context: &FormatContext) -> Option<Decimal> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Text(_) => {
            read_number(text, &context.data.symbols).or_else(|| formula::calculate_literal(text, context))
        }
        Value::Blank | Value::Bool(_) | Value::Date(_) | Value::DateTime(_) | Value::Rows(_) => None,
    }
}

/// Whether `text` as a whole matches `pattern`, in time of at most their product.
fn matches(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let pattern: Vec<char> = pattern.chars().collect();
    let (mut at, mut wanted) = (0, 0);
    // Where to go on if the match fails: after the last `*`, which then takes one character more.
    let mut retry: Option<(usize, usize)> = None;
    while let Some(character) = text.get(at) {
        match pattern.get(wanted) {
            Some('*') => {
                retry = Some((at, wanted + 1));
                wanted += 1;
            }
            Some(sign) if *sign == '?' || sign == character => {
                at += 1;
                wanted += 1;
            }
            Some(_) | None => {
                let Some((from, after_star)) = retry else { return false };
                retry = Some((from + 1, after_star));
                at = from + 1;
                wanted = after_star;
            }
        }
    }
    pattern.iter().skip(wanted).all(|sign| *sign == '*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{FormatContext, Operator, Value, holds, matches};
    use crate::merge::format::LocaleData;

    fn check_in(locale: &str, left: &str, operator: &str, right: &str, expected: bool) {
        let context = FormatContext::of(LocaleData::load(locale).into());
        let operator = Operator::parse(operator).unwrap();
        let holds = holds(&Value::text(left), operator, &Value::text(right), &context);
        assert_eq!(holds, expected, "{left} {operator:?} {right}");
    }

    fn check(left: &str, operator: &str, right: &str, expected: bool) {
        check_in("en-US", left, operator, right, expected);
    }

    #[test]
    fn numbers_and_expressions_compare_as_numbers() {
        check("5", "=", "2 + 3", true); // P
        check("3", "<", "2", false); // P
        check("10", ">", "9", true);
        check("1,200", ">", "999", true);
        check("$5", "=", "5.00", true);
        check("007", "=", "7", true);
        check_in("de-DE", "1.200,50", "=", "1200,5", true);
        check("2 * 3", "<>", "6", false); // the product is a number, not a wildcard
        check("6", "=", "2*3", true);
    }

    #[test]
    fn text_compares_with_regard_to_case() {
        check("NY", "=", "ny", false); // S
        check("Oslo", "=", "Oslo", true);
        check("New York", "=", "New York", true);
        check("abc", ">", "9", true);
        check("", "=", "", true);
        check("", "=", "0", false);
        check("a", "<>", "b", true);
        check("1-2-3 x", "=", "1-2-3 x", true);
        check("", ">", "0", false);
    }

    #[test]
    fn wildcards_stand_in_the_right_operand_of_an_equality_only() {
        check("98512", "=", "985*", true); // OI
        check("97512", "=", "985*", false);
        check("98512", "<>", "985*", false);
        check("985*", "=", "98512", false);
        check("98512", "=", "985??", true);
        check("9851", "=", "985??", false);
        check("98512", ">", "985*", true);
        check("", "=", "*", true);
        check("ümlaut", "=", "?mlaut", true);
    }

    #[test]
    fn typed_values_compare_by_what_they_are() {
        let context = FormatContext::of(LocaleData::load("de-DE").into());
        let five = Value::Number("5.50".parse().unwrap());
        assert!(holds(&five, Operator::Equal, &Value::text("5,5"), &context));
        assert!(holds(&Value::Bool(true), Operator::Equal, &Value::text("TRUE"), &context));
        let date = Value::Date(jiff::civil::date(2026, 3, 5));
        assert!(holds(&date, Operator::Equal, &Value::text("05.03.2026"), &context));
    }

    proptest! {
        #[test]
        fn a_text_matches_itself_with_any_part_as_a_star(text in "[a-c]{0,12}", from in 0_usize..12, to in 0_usize..12) {
            let (from, to) = (from.min(to).min(text.len()), from.max(to).min(text.len()));
            let pattern = format!("{}*{}", &text[..from], &text[to..]);
            prop_assert!(matches(&text, &pattern));
        }
    }
}
