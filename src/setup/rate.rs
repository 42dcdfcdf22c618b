//! Owns durations and rates as people write them: `90s`, `10m`, `2d`; `20/s`, `100/min`. Fails on anything else.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The units of time, longest first, with their length in milliseconds.
const UNITS: [(&str, u64); 6] =
    [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// The longest duration that is taken: ten years.
const LONGEST_MS: u64 = 10 * 366 * 86_400_000;

/// A span of time, written as a number and its unit: `500ms`, `90s`, `10m`, `4h`, `2d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span {
    milliseconds: u64,
}

impl Span {
    /// Returns a span of so many milliseconds.
    pub const fn from_milliseconds(milliseconds: u64) -> Span {
        Span { milliseconds }
    }

    /// Returns its length.
    pub const fn duration(self) -> Duration {
        Duration::from_millis(self.milliseconds)
    }
}

/// A text that is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no duration, expected a number and a unit such as `90s`, `10m`, `4h` or `2d`")]
pub struct NotADuration {
    /// The text.
    pub found: String,
}

impl FromStr for Span {
    type Err = NotADuration;

    fn from_str(text: &str) -> Result<Span, NotADuration> {
        let refused = || NotADuration { found: text.to_owned() };
        let trimmed = text.trim();
        let n_digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, unit) = trimmed.split_at(n_digits);
        let number: u64 = digits.parse().map_err(|_| refused())?;
        let (_, length) = UNITS.iter().find(|(name, _)| *name == unit.trim()).ok_or_else(refused)?;
        match number.checked_mul(*length) {
            Some(milliseconds) if milliseconds <= LONGEST_MS => Ok(Span { milliseconds }),
            Some(_) | None => Err(refused()),
        }
    }
}

impl fmt::Display for Span {
    /// Writes it with the longest unit that it is a multiple of.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |length: u64| self.milliseconds != 0 && self.milliseconds.is_multiple_of(length);
        let (unit, length) = UNITS.into_iter().find(|(_, length)| fits(*length)).unwrap_or(("s", 1_000));
        let unit = if unit == "min" { "m" } else { unit };
        write!(f, "{}{unit}", self.milliseconds / length)
    }
}

impl TryFrom<String> for Span {
    type Error = NotADuration;

    fn try_from(text: String) -> Result<Span, NotADuration> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> String {
        span.to_string()
    }
}

/// At most so many messages in any window of this length: `20/s`, `100/min`, `1000/h`, `30/10s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub messages: u32,
    /// The length of the window; it rolls, and does not begin anew on the hour.
    pub window: Span,
}

/// A text that is no rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no rate, expected a number and a window such as `20/s`, `100/min` or `1000/h`")]
pub struct NotARate {
    /// The text.
    pub found: String,
}

impl FromStr for Rate {
    type Err = NotARate;

    fn from_str(text: &str) -> Result<Rate, NotARate> {
        let refused = || NotARate { found: text.to_owned() };
        let (messages, window) = text.split_once('/').ok_or_else(refused)?;
        let messages: u32 = messages.trim().parse().map_err(|_| refused())?;
        let window = window.trim();
        let window = if window.starts_with(|c: char| c.is_ascii_digit()) {
            window.parse()
        } else {
            format!("1{window}").parse::<Span>()
        };
        match window {
            Ok(window) if messages > 0 && !window.duration().is_zero() => Ok(Rate { messages, window }),
            Ok(_) | Err(_) => Err(refused()),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let window = self.window.to_string();
        write!(
            f,
            "{}/{}",
            self.messages,
            window
                .strip_prefix('1')
                .filter(|unit| !unit.starts_with(|c: char| c.is_ascii_digit()))
                .unwrap_or(&window)
        )
    }
}

/// Rates that all hold at once, written as one text with commas, or as a list of texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "RatesText", into = "RatesText")]
pub struct Rates(pub Vec<Rate>);

/// How rates stand in the set-up.
#[derive(Deserialize, Serialize)]
#[serde(untagged)]
enum RatesText {
    One(String),
    Several(Vec<String>),
}

impl TryFrom<RatesText> for Rates {
    type Error = NotARate;

    fn try_from(text: RatesText) -> Result<Rates, NotARate> {
        let texts = match text {
            RatesText::One(text) => text.split(',').map(str::to_owned).collect(),
            RatesText::Several(texts) => texts,
        };
        let written = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
        Ok(Rates(written.map(str::parse).collect::<Result<_, _>>()?))
    }
}

impl From<Rates> for RatesText {
    fn from(rates: Rates) -> RatesText {
        RatesText::Several(rates.0.iter().map(Rate::to_string).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        let check = |text: &str, expected: Option<(u64, &str)>| {
            let span = text.parse::<Span>().ok();
            let found = span.map(|span| (span.duration().as_millis() as u64, span.to_string()));
            assert_eq!(found, expected.map(|(ms, text)| (ms, text.to_owned())), "{text}");
        };
        check("90s", Some((90_000, "90s")));
        check("10m", Some((600_000, "10m")));
        check(" 2 min ", Some((120_000, "2m")));
        check("500ms", Some((500, "500ms")));
        check("0s", Some((0, "0s")));
        check("24h", Some((86_400_000, "1d")));
        check("90", None);
        check("s", None);
        check("-1s", None);
        check("1.5h", None);
        check("99999999999999999999d", None);
        check("4000d", None);
    }

    #[test]
    fn a_rate_is_a_number_and_a_window() {
        let check = |text: &str, expected: Option<(u32, u64, &str)>| {
            let rate = text.parse::<Rate>().ok();
            let found =
                rate.map(|rate| (rate.messages, rate.window.duration().as_millis() as u64, rate.to_string()));
            assert_eq!(found, expected.map(|(n, ms, text)| (n, ms, text.to_owned())), "{text}");
        };
        check("20/s", Some((20, 1_000, "20/s")));
        check("100/min", Some((100, 60_000, "100/m")));
        check("30 / 10s", Some((30, 10_000, "30/10s")));
        check("1000/h", Some((1000, 3_600_000, "1000/h")));
        check("0/s", None);
        check("20", None);
        check("20/0s", None);
        check("20/fortnight", None);
    }
}
