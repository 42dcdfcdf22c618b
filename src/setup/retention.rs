//! Owns retention: how long the log keeps letters, values and entries. Fails on a text that is no length of time.

use jiff::Span;
use jiff::civil::Date;
use serde::Deserialize;

/// `[retention]`: how old what is logged may become, such as `2 years` or `18 months`; empty means for ever.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Retention {
    /// What letters are made of.
    pub letters: String,
    /// Names, addresses and other personal values of entries.
    pub values: String,
    /// Entries as a whole.
    pub entries: String,
}

/// A text that is no length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no length of time, expected one such as `2 years`, `18 months` or `90 days`")]
pub struct NotAnAge {
    /// The text.
    pub found: String,
}

/// Returns the day so long before another one; what is dated before it is older.
///
/// # Errors
///
/// A text that is no length of time in years, months, weeks and days, or a negative one.
///
/// ```
/// use jiff::civil::date;
/// use mailrun::setup::retention::day_before;
/// assert_eq!(day_before("2 years", date(2026, 3, 1)), Ok(date(2024, 3, 1)));
/// assert!(day_before("-1 day", date(2026, 3, 1)).is_err());
/// ```
pub fn day_before(age: &str, today: Date) -> Result<Date, NotAnAge> {
    let refused = || NotAnAge { found: age.to_owned() };
    let span: Span = age.parse().map_err(|_| refused())?;
    if span.is_negative() || span.is_zero() {
        return Err(refused());
    }
    today.checked_sub(span).map_err(|_| refused())
}
