//! Owns number series: the next number after the last one, digits counted up, text kept.

use serde::Deserialize;

/// The first numbers of the series.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct NumberSeries {
    /// The first segment number; the following ones count its last digits up.
    pub segment: String,
}

impl Default for NumberSeries {
    fn default() -> NumberSeries {
        NumberSeries { segment: "SM00001".to_owned() }
    }
}

/// Returns the number after `no`: its last run of digits plus one, padded to the same width.
///
/// `None` where `no` holds no digit.
///
/// ```
/// use mailrun::setup::number_series::next_number;
/// assert_eq!(next_number("SM00099").as_deref(), Some("SM00100"));
/// assert_eq!(next_number("2026-9-A").as_deref(), Some("2026-10-A"));
/// assert_eq!(next_number("SPRING"), None);
/// ```
pub fn next_number(no: &str) -> Option<String> {
    let end = no.rfind(|c: char| c.is_ascii_digit())? + 1;
    let (head, tail) = no.split_at(end);
    let start = head
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| at + head.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8));
    let (prefix, digits) = head.split_at(start);
    let mut next: Vec<u8> = digits.bytes().collect();
    let mut carry = true;
    for digit in next.iter_mut().rev() {
        if !carry {
            break;
        }
        carry = *digit == b'9';
        *digit = if carry { b'0' } else { *digit + 1 };
    }
    let next = String::from_utf8(next).expect("ASCII digits are UTF-8");
    Some(format!("{prefix}{}{next}{tail}", if carry { "1" } else { "" }))
}
