//! Owns numbers in other shapes than digits: Roman, letters, hexadecimal, and English words.

use std::fmt::Write as _;

/// The largest number that Word writes in words.
pub(super) const MOST_IN_WORDS: u64 = 999_999;
/// The largest number that Word writes in Roman numerals.
pub(super) const MOST_IN_ROMAN: u64 = 32_767;
/// The largest number that Word writes in letters: 30 of them.
pub(super) const MOST_IN_LETTERS: u64 = 780;

const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] =
    ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/// Writes a number up to [`MOST_IN_WORDS`] in English words: `three hundred forty-two`.
pub(super) fn write_cardinal(number: u64, into: &mut String) {
    match number {
        0..20 => into.push_str(small(number)),
        20..100 => {
            into.push_str(TENS.get((number / 10) as usize).copied().unwrap_or_default());
            if !number.is_multiple_of(10) {
                into.push('-');
                into.push_str(small(number % 10));
            }
        }
        100..1000 => write_scale(number, 100, "hundred", into),
        _ => write_scale(number, 1000, "thousand", into),
    }
}

/// Writes a number up to [`MOST_IN_WORDS`] as an English ordinal in words: `twenty-first`.
pub(super) fn write_ordinal_words(number: u64, into: &mut String) {
    let start = into.len();
    write_cardinal(number, into);
    let last = into[start..].rfind([' ', '-']).map_or(start, |at| start + at + 1);
    let ordinal = match &into[last..] {
        "one" => "first".to_owned(),
        "two" => "second".to_owned(),
        "three" => "third".to_owned(),
        "five" => "fifth".to_owned(),
        "eight" => "eighth".to_owned(),
        "nine" => "ninth".to_owned(),
        "twelve" => "twelfth".to_owned(),
        word => match word.strip_suffix('y') {
            Some(stem) => format!("{stem}ieth"),
            None => format!("{word}th"),
        },
    };
    into.replace_range(last.., &ordinal);
}

/// Writes an English ordinal in digits: `21st`.
pub(super) fn write_ordinal(number: u64, into: &mut String) {
    let suffix = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    write!(into, "{number}{suffix}").expect("a string takes any text");
}

/// Writes an amount in cents as English words for a check: `fourteen and 55/100`.
pub(super) fn write_dollars(cents: u64, into: &mut String) {
    write_cardinal(cents / 100, into);
    write!(into, " and {:02}/100", cents % 100).expect("a string takes any text");
}

/// Writes a number from 1 to [`MOST_IN_ROMAN`] in upper-case Roman numerals.
pub(super) fn write_roman(mut number: u64, into: &mut String) {
    const NUMERALS: [(u64, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    for (worth, numeral) in NUMERALS {
        while number >= worth {
            into.push_str(numeral);
            number -= worth;
        }
    }
}

/// Writes a number from 1 to [`MOST_IN_LETTERS`] in capital letters: A to Z, AA to ZZ, AAA, …
pub(super) fn write_letters(number: u64, into: &mut String) {
    let index = number.saturating_sub(1);
    let letter = char::from(b'A' + (index % 26) as u8);
    into.extend(std::iter::repeat_n(letter, (index / 26 + 1) as usize));
}

fn small(number: u64) -> &'static str {
    SMALL.get(number as usize).copied().unwrap_or_default()
}

fn write_scale(number: u64, scale: u64, name: &str, into: &mut String) {
    write_cardinal(number / scale, into);
    into.push(' ');
    into.push_str(name);
    if !number.is_multiple_of(scale) {
        into.push(' ');
        write_cardinal(number % scale, into);
    }
}
