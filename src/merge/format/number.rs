//! Owns numbers as text: reading them from data, plainly printing them.

use std::fmt::Write as _;
use std::str::FromStr;

use rust_decimal::Decimal;

use super::locale::NumberSymbols;

/// Reads a text that is one number and nothing else: sign, a currency sign before or after, parentheses for a
/// negative one, groups of three.
pub fn read(text: &str, symbols: &NumberSymbols) -> Option<Decimal> {
    let mut rest = text.trim();
    let mut sign = None;
    if let Some(inner) = rest.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        sign = Some('-');
        rest = inner.trim();
    }
    rest = rest.trim_end_matches(is_currency).trim_end();
    loop {
        let first = rest.chars().next()?;
        match first {
            '-' | '−' | '+' if sign.is_none() => sign = Some(first),
            _ if is_currency(first) => {}
            _ => break,
        }
        rest = rest[first.len_utf8()..].trim_start();
    }
    let is_negative = matches!(sign, Some('-' | '−'));
    let (number, length) = scan(rest, symbols)?;
    (length == rest.len()).then_some(if is_negative { -number } else { number })
}

/// Reads the first number within a text, as Word does for `\#`: 180000 from `€180,000.00 EUR`.
pub fn read_within(text: &str, symbols: &NumberSymbols) -> Option<Decimal> {
    let trimmed = text.trim();
    let digit = trimmed.find(|sign: char| sign.is_ascii_digit())?;
    let is_fraction =
        trimmed[..digit].ends_with(['.', ',']) && trimmed[..digit].ends_with(symbols.decimal.as_str());
    let start = if is_fraction { digit - symbols.decimal.len() } else { digit };
    let (number, _) = scan(&trimmed[start..], symbols)?;
    let before = trimmed[..start].trim_end_matches(|sign: char| is_currency(sign) || sign.is_whitespace());
    let is_negative = match before.strip_suffix(['-', '−']) {
        Some(word) => !word.ends_with(char::is_alphanumeric),
        None => trimmed.starts_with('(') && trimmed.ends_with(')'),
    };
    Some(if is_negative { -number } else { number })
}

/// Prints a number as it is: no groups, no exponent, no digit more or less than it has.
pub(super) fn write_plain(number: Decimal, symbols: &NumberSymbols, into: &mut String) {
    let start = into.len();
    write!(into, "{number}").expect("a string takes any text");
    if symbols.decimal != "."
        && let Some(point) = into[start..].find('.')
    {
        into.replace_range(start + point..=start + point, &symbols.decimal);
    }
}

/// Reads digits with groups, fraction and exponent from the start of `text`; returns the number and its length.
///
/// `.` and `,` mean what the locale says. Where that is impossible (`1,234.56` with a decimal comma, `1234.5` with a
/// point for groups), the text says it itself.
fn scan(text: &str, symbols: &NumberSymbols) -> Option<(Decimal, usize)> {
    let run = run_of_digits(text);
    let (digits, length) = plain_digits(run, symbols)?;
    let exponent = exponent(&text[length..]);
    let number = if exponent.is_empty() {
        Decimal::from_str(&digits).ok()?
    } else {
        Decimal::from_scientific(&format!("{digits}{exponent}")).ok()?
    };
    Some((number, length + exponent.len()))
}

/// The longest start of `text` that digits and signs between them make up.
fn run_of_digits(text: &str) -> &str {
    let mut end = 0;
    for (at, sign) in text.char_indices() {
        if sign.is_ascii_digit() {
            end = at + 1;
            continue;
        }
        let is_point = matches!(sign, '.' | ',');
        let after = &text[at + sign.len_utf8()..];
        let is_before_digit = after.starts_with(|next: char| next.is_ascii_digit());
        let is_group_of_three = at > 0 && is_group_space(sign) && starts_with_three_digits(after);
        if !(is_before_digit && is_point || is_group_of_three) {
            break;
        }
    }
    &text[..end]
}

fn plain_digits(run: &str, symbols: &NumberSymbols) -> Option<(String, usize)> {
    let begins_with_sign = run.starts_with(['.', ',']) && !run.starts_with(symbols.decimal.as_str());
    if run.is_empty() || begins_with_sign {
        return None;
    }
    let (points, commas) = (run.matches('.').count(), run.matches(',').count());
    let decimal = if points > 0 && commas > 0 {
        let last = if run.rfind('.') > run.rfind(',') { '.' } else { ',' };
        let count = if last == '.' { points } else { commas };
        (count == 1).then_some(last)
    } else if points + commas == 1 {
        let sign = if points == 1 { '.' } else { ',' };
        let (before, after) = run.split_once(sign)?;
        let could_group = starts_with_three_digits(after)
            && after.len() == 3
            && (1..=3).contains(&before.len())
            && !before.starts_with('0');
        let is_the_locales = symbols.decimal.starts_with(sign);
        (is_the_locales || !could_group).then_some(sign)
    } else {
        None
    };
    let mut plain = String::with_capacity(run.len());
    let mut is_fraction = false;
    for (at, sign) in run.char_indices() {
        if sign.is_ascii_digit() {
            plain.push(sign);
        } else if Some(sign) == decimal {
            plain.push('.');
            is_fraction = true;
        } else if is_fraction || !starts_with_three_digits(&run[at + sign.len_utf8()..]) {
            // Not a number as a whole (`15.03.2026`): it ends here.
            return (!plain.is_empty()).then_some((plain, at));
        }
    }
    Some((plain, run.len()))
}

/// The exponent at the start of `text`, such as `E+15`, or nothing.
fn exponent(text: &str) -> &str {
    let Some(rest) = text.strip_prefix(['e', 'E']) else { return "" };
    let unsigned = rest.strip_prefix(['+', '-']).unwrap_or(rest);
    let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    let is_ended = !unsigned[digits..].starts_with(char::is_alphanumeric);
    if (1..=2).contains(&digits) && is_ended { &text[..text.len() - unsigned.len() + digits] } else { "" }
}

fn starts_with_three_digits(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    digits == 3
}

/// Signs that group digits in some language and never mean a fraction.
fn is_group_space(sign: char) -> bool {
    matches!(sign, ' ' | '\u{A0}' | '\u{202F}' | '\u{2009}' | '\'' | '’')
}

fn is_currency(sign: char) -> bool {
    matches!(sign, '$' | '¢'..='¥' | '֏' | '؋' | '৲' | '৳' | '฿' | '₠'..='⃏' | '﷼' | '＄')
}

#[cfg(test)]
mod tests {
    use super::{NumberSymbols, read, read_within};

    fn symbols(decimal: &str, group: &str) -> NumberSymbols {
        NumberSymbols { decimal: decimal.to_owned(), group: group.to_owned() }
    }

    fn check(text: &str, english: &str, german: &str) {
        let shown = |number: Option<rust_decimal::Decimal>| {
            number.map_or("-".to_owned(), |number| number.to_string())
        };
        assert_eq!(shown(read(text, &symbols(".", ","))), english, "{text} in English");
        assert_eq!(shown(read(text, &symbols(",", "."))), german, "{text} in German");
    }

    #[test]
    fn signs_mean_what_the_locale_says_unless_that_is_impossible() {
        check("10", "10", "10");
        check("1,200", "1200", "1.200"); // b.6
        check("1.200", "1.200", "1200");
        check("1234.5", "1234.5", "1234.5");
        check("1,234.56", "1234.56", "1234.56");
        check("1.234,56", "1234.56", "1234.56");
        check("0,125", "0.125", "0.125");
        check("1 234 567", "1234567", "1234567");
        check("1'234.50", "1234.50", "1234.50");
        check("1,234,567", "1234567", "1234567");
        check(".5", "0.5", "-");
        check(",1800", "-", "0.1800");
    }

    #[test]
    fn signs_of_currency_and_of_negative_numbers_are_read() {
        check("$5", "5", "5"); // b.6
        check("-$5", "-5", "-5");
        check("$-5", "-5", "-5");
        check("(5.50)", "-5.50", "-5.50");
        check("5 €", "5", "5");
        check("−5", "-5", "-5");
        check("1E+15", "1000000000000000", "1000000000000000");
        check("0000123456", "123456", "123456");
    }

    #[test]
    fn what_is_more_than_a_number_is_none() {
        for text in [
            "",
            "-",
            "abc",
            "5 apples",
            "15.03.2026",
            "985*",
            "1-2",
            "2 + 3",
            "1.2.3",
            "5%",
            "12 34",
            "--5",
            "+-5",
            "(-5)",
        ] {
            check(text, "-", "-");
        }
    }

    #[test]
    fn the_first_number_within_a_text_is_found() {
        let cases = [
            ("€180,000.00 EUR", "180000.00"), // W: docx4j
            ("about 5 of 7", "5"),
            ("- $ 12.50", "-12.50"),
            ("A-5", "5"),
            ("(7)", "-7"),
            ("Nr. .5", "0.5"),
        ];
        for (text, expected) in cases {
            assert_eq!(read_within(text, &symbols(".", ",")).unwrap().to_string(), expected, "{text}");
        }
        assert_eq!(read_within("none", &symbols(".", ",")), None);
    }
}
