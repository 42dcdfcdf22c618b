//! Owns the reading of dates that the data has as text.

use jiff::civil::{Date, DateTime, Time};

use super::locale::{DateOrder, LocaleData};

/// A date read from text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadDate {
    /// The date; midnight if the text has no time.
    pub moment: DateTime,
    /// Whether day and month could be swapped as well, so that only the locale decided.
    pub is_ambiguous: bool,
}

/// Reads a date: ISO 8601 (`2026-01-02`, `2026-01-02T17:28`), numbers in the order of the locale (`02.01.2026`,
/// `1/2/26`), or with the month's name in the locale's language or English (`2 January 2026`). None if the text is
/// no date.
///
/// Numbers that are no date in the locale's order but are one with day and month swapped are read that way. Years of
/// two digits lie between 1950 and 2049.
pub fn read(text: &str, locale: &LocaleData) -> Option<ReadDate> {
    let text = text.trim();
    if let Some(moment) = read_iso(text) {
        return Some(ReadDate { moment, is_ambiguous: false });
    }
    let (date, time) = split_time(text)?;
    let words: Vec<&str> =
        date.split(|sign: char| !sign.is_alphanumeric()).filter(|word| !word.is_empty()).take(5).collect();
    let (date, is_ambiguous) = match words.as_slice() {
        [first, second, third] if words.iter().all(|word| is_number(word)) => {
            read_numbers(first, second, third, locale)?
        }
        _ => (read_names(&words, locale)?, false),
    };
    Some(ReadDate { moment: date.to_datetime(time), is_ambiguous })
}

fn read_iso(text: &str) -> Option<DateTime> {
    let is_iso = text.len() >= 10 && text.as_bytes().iter().take(4).all(u8::is_ascii_digit);
    if !is_iso || text.as_bytes().get(4) != Some(&b'-') {
        return None;
    }
    // The offset of a timestamp is left out: the date is meant as its writer saw it.
    text.parse::<DateTime>().ok().or_else(|| text.strip_suffix('Z')?.parse().ok())
}

/// Splits `… 5:28 PM` off; midnight if there is no time.
fn split_time(text: &str) -> Option<(&str, Time)> {
    let Some(colon) = text.find(':') else { return Some((text, Time::midnight())) };
    let start = text[..colon]
        .rfind(|sign: char| !sign.is_ascii_digit())
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    let time = text[start..].trim();
    let digits_end = time.find(|sign: char| !sign.is_ascii_digit() && sign != ':').unwrap_or(time.len());
    let (clock, half) = time.split_at(digits_end);
    let mut numbers = clock.split(':').map(str::parse::<i8>);
    let hour = numbers.next()?.ok()?;
    let minute = numbers.next()?.ok()?;
    let second = numbers.next().map_or(Some(0), Result::ok)?;
    let hour = match half.trim().to_ascii_lowercase().as_str() {
        "" => hour,
        "am" | "a.m." if (1..=12).contains(&hour) => hour % 12,
        "pm" | "p.m." if (1..=12).contains(&hour) => hour % 12 + 12,
        _ => return None,
    };
    Some((&text[..start], Time::new(hour, minute, second, 0).ok()?))
}

fn read_numbers(first: &str, second: &str, third: &str, locale: &LocaleData) -> Option<(Date, bool)> {
    if first.len() == 4 {
        return Some((date(first, second, third)?, false));
    }
    match locale.date_order() {
        DateOrder::YearMonthDay if third.len() < 4 => Some((date(first, second, third)?, false)),
        order => {
            let day_first = date(third, second, first);
            let month_first = date(third, first, second);
            let is_ambiguous = day_first.is_some() && month_first.is_some() && day_first != month_first;
            let read = match order {
                DateOrder::MonthDayYear => month_first.or(day_first),
                DateOrder::DayMonthYear | DateOrder::YearMonthDay => day_first.or(month_first),
            };
            Some((read?, is_ambiguous))
        }
    }
}

/// Reads day, month name and year, with a weekday or nothing before them.
fn read_names(words: &[&str], locale: &LocaleData) -> Option<Date> {
    let words = match words {
        [weekday, rest @ ..] if rest.len() == 3 && !is_number(weekday) => rest,
        _ => words,
    };
    let [first, second, third] = words else { return None };
    let (day, month) = if is_number(first) { (first, second) } else { (second, first) };
    date(third, &month_number(month, locale)?.to_string(), day)
}

fn month_number(name: &str, locale: &LocaleData) -> Option<usize> {
    const ENGLISH: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let name = name.to_lowercase();
    let is_same = |known: &String| known.trim_end_matches('.').to_lowercase() == name;
    [&locale.months, &locale.months_alone, &locale.months_short]
        .into_iter()
        .find_map(|names| names.iter().position(is_same))
        .or_else(|| {
            ENGLISH.iter().position(|month| *month == name || name.len() == 3 && month.starts_with(&name))
        })
        .map(|position| position + 1)
}

fn date(year: &str, month: &str, day: &str) -> Option<Date> {
    if day.len() > 2 || month.len() > 2 {
        return None;
    }
    let number: i16 = year.parse().ok()?;
    let year = match (year.len(), number) {
        (4, _) => number,
        (2, 0..50) => 2000 + number,
        (2, _) => 1900 + number,
        _ => return None,
    };
    Date::new(year, month.parse().ok()?, day.parse().ok()?).ok()
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{LocaleData, read};

    fn check(locale: &str, text: &str, expected: &str) {
        let shown = read(text, &LocaleData::load(locale)).map_or("-".to_owned(), |read| {
            format!("{}{}", read.moment, if read.is_ambiguous { " ambiguous" } else { "" })
        });
        assert_eq!(shown, expected, "{text} in {locale}");
    }

    #[test]
    fn iso_dates_are_read_in_any_locale() {
        check("en-US", "2026-01-02", "2026-01-02T00:00:00");
        check("de-DE", "2026-01-02T17:28:34", "2026-01-02T17:28:34");
        check("de-DE", "2026-01-02 17:28", "2026-01-02T17:28:00");
        check("de-DE", "2026-01-02T17:28:34Z", "2026-01-02T17:28:34");
    }

    #[test]
    fn numbers_are_read_in_the_order_of_the_locale() {
        check("en-US", "04/05/2026", "2026-04-05T00:00:00 ambiguous"); // b.5
        check("en-GB", "04/05/2026", "2026-05-04T00:00:00 ambiguous");
        check("de-CH", "04.05.2026", "2026-05-04T00:00:00 ambiguous");
        check("en-US", "4/4/2026", "2026-04-04T00:00:00");
        check("en-US", "15/04/2026", "2026-04-15T00:00:00");
        check("de-DE", "4.15.26", "2026-04-15T00:00:00");
        check("en-US", "4/15/2013 5:28:34 PM", "2013-04-15T17:28:34");
        check("en-US", "4/15/2013 12:05 AM", "2013-04-15T00:05:00");
        check("ja-JP", "2020/7/9", "2020-07-09T00:00:00");
        check("en-US", "1/2/99", "1999-01-02T00:00:00 ambiguous");
    }

    #[test]
    fn names_of_months_are_read() {
        check("en-US", "March 15, 2026", "2026-03-15T00:00:00");
        check("de-DE", "15. März 2026", "2026-03-15T00:00:00");
        check("de-DE", "15 Mar 2026", "2026-03-15T00:00:00");
        check("ru-RU", "2 января 2026", "2026-01-02T00:00:00");
        check("en-US", "Monday, April 15, 2013", "2013-04-15T00:00:00");
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "n/a",
            "44927",
            "12",
            "1.2",
            "31/31/2026",
            "2026-13-01",
            "Smith 1 2026",
            "12:30",
            "1/2/3",
            "a:b",
            ":",
        ] {
            check("en-US", text, "-");
        }
    }
}
