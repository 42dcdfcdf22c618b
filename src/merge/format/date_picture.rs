//! Owns date pictures `\@`: parsed once, applied to many dates.

use std::fmt::Write as _;

use jiff::civil::{DateTime, Weekday};

use super::locale::LocaleData;

/// A date picture such as `dddd, d MMMM yyyy`.
///
/// `d` to `dddd` and `M` to `MMMM`, `yy` and `yyyy` (`y` too is four digits), `h` `hh` `H` `HH`, `m` `mm`, `s` `ss`,
/// `am/pm`; `'…'` is literal, and so is all else. `D`, `Y` and `S` are taken as `d`, `y` and `s`; `M` is the month
/// and `m` the minute.
///
/// # Example
///
/// ```
/// use mailrun::merge::format::{DatePicture, LocaleData};
/// let picture = DatePicture::parse("dddd, d MMMM yyyy");
/// let mut shown = String::new();
/// picture.write(jiff::civil::date(2020, 1, 1).at(0, 0, 0, 0), &LocaleData::load("de-DE"), &mut shown);
/// assert_eq!(shown, "Mittwoch, 1 Januar 2020");
/// ```
///
/// Source: ECMA-376 Part 1 §17.16.4.1 Date and time formatting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatePicture {
    items: Vec<Item>,
    /// A month's name beside a day's number stands in another case in some languages.
    has_day_number: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Day,
    DayPadded,
    DayShort,
    DayName,
    Month,
    MonthPadded,
    MonthShort,
    MonthName,
    YearTwoDigits,
    Year,
    Hour12,
    Hour12Padded,
    Hour24,
    Hour24Padded,
    Minute,
    MinutePadded,
    Second,
    SecondPadded,
    HalfOfDay,
    Literal(String),
}

impl DatePicture {
    /// Parses a picture; every text is one.
    pub fn parse(picture: &str) -> DatePicture {
        let mut items = Vec::new();
        let mut rest = picture;
        while let Some(first) = rest.chars().next() {
            if let Some(half) = rest.get(..5)
                && half.eq_ignore_ascii_case("am/pm")
            {
                items.push(Item::HalfOfDay);
                rest = &rest[5..];
                continue;
            }
            if first == '\'' {
                let (literal, after) = rest[1..].split_once('\'').unwrap_or((&rest[1..], ""));
                push_literal(&mut items, literal);
                rest = after;
                continue;
            }
            let run = rest.chars().take_while(|next| same_item(first, *next)).count().max(1);
            match Item::of(first, run) {
                Some(item) => {
                    items.push(item);
                    // All letters of an item are ASCII, so a character is a byte.
                    rest = &rest[run..];
                }
                None => {
                    push_literal(&mut items, first.encode_utf8(&mut [0; 4]));
                    rest = &rest[first.len_utf8()..];
                }
            }
        }
        let has_day_number = items.iter().any(|item| matches!(item, Item::Day | Item::DayPadded));
        DatePicture { items, has_day_number }
    }

    /// Tells whether a text has an item of a picture, and outside quotes no letter that is none.
    pub(crate) fn has_only_items(picture: &str) -> bool {
        let DatePicture { items, .. } = DatePicture::parse(picture);
        let is_item = |item: &Item| !matches!(item, Item::Literal(_));
        // What is in quotes is of no interest here.
        let bare: String = picture.split('\'').step_by(2).collect();
        let letters = DatePicture::parse(&bare).items;
        let strays = letters.iter().filter_map(|item| match item {
            Item::Literal(literal) => Some(literal),
            _ => None,
        });
        items.iter().any(is_item) && !strays.flat_map(|it| it.chars()).any(|it| it.is_ascii_alphabetic())
    }

    /// Writes `moment` in the picture, with the names of `language`.
    pub fn write(&self, moment: DateTime, language: &LocaleData, into: &mut String) {
        let month = usize::from(moment.month().unsigned_abs()).saturating_sub(1);
        let day = usize::from(Weekday::to_monday_zero_offset(moment.weekday()).unsigned_abs());
        let hour12 = (moment.hour() + 11) % 12 + 1;
        for item in &self.items {
            let name = match item {
                Item::DayShort => language.days_short.get(day),
                Item::DayName => language.days.get(day),
                Item::MonthShort => language.months_short.get(month),
                Item::MonthName if self.has_day_number => language.months.get(month),
                Item::MonthName => language.months_alone.get(month),
                Item::HalfOfDay if moment.hour() < 12 => Some(&language.am),
                Item::HalfOfDay => Some(&language.pm),
                Item::Literal(literal) => Some(literal),
                Item::Day => number(into, moment.day(), 1),
                Item::DayPadded => number(into, moment.day(), 2),
                Item::Month => number(into, moment.month(), 1),
                Item::MonthPadded => number(into, moment.month(), 2),
                Item::YearTwoDigits => number(into, moment.year().rem_euclid(100), 2),
                Item::Year => number(into, moment.year(), 4),
                Item::Hour12 => number(into, hour12, 1),
                Item::Hour12Padded => number(into, hour12, 2),
                Item::Hour24 => number(into, moment.hour(), 1),
                Item::Hour24Padded => number(into, moment.hour(), 2),
                Item::Minute => number(into, moment.minute(), 1),
                Item::MinutePadded => number(into, moment.minute(), 2),
                Item::Second => number(into, moment.second(), 1),
                Item::SecondPadded => number(into, moment.second(), 2),
            };
            into.push_str(name.map_or("", String::as_str));
        }
    }
}

impl Item {
    fn of(letter: char, run: usize) -> Option<Item> {
        Some(match (letter, run) {
            ('d' | 'D', 1) => Item::Day,
            ('d' | 'D', 2) => Item::DayPadded,
            ('d' | 'D', 3) => Item::DayShort,
            ('d' | 'D', _) => Item::DayName,
            ('M', 1) => Item::Month,
            ('M', 2) => Item::MonthPadded,
            ('M', 3) => Item::MonthShort,
            ('M', _) => Item::MonthName,
            ('y' | 'Y', 2) => Item::YearTwoDigits,
            ('y' | 'Y', _) => Item::Year,
            ('h', 1) => Item::Hour12,
            ('h', _) => Item::Hour12Padded,
            ('H', 1) => Item::Hour24,
            ('H', _) => Item::Hour24Padded,
            ('m', 1) => Item::Minute,
            ('m', _) => Item::MinutePadded,
            ('s' | 'S', 1) => Item::Second,
            ('s' | 'S', _) => Item::SecondPadded,
            _ => return None,
        })
    }
}

/// Whether two letters belong to one item; the case of `d`, `y` and `s` says nothing.
fn same_item(first: char, next: char) -> bool {
    first == next || matches!(first, 'd' | 'D' | 'y' | 'Y' | 's' | 'S') && first.eq_ignore_ascii_case(&next)
}

fn push_literal(items: &mut Vec<Item>, text: &str) {
    if let Some(Item::Literal(literal)) = items.last_mut() {
        literal.push_str(text);
    } else {
        items.push(Item::Literal(text.to_owned()));
    }
}

fn number(into: &mut String, number: impl Into<i32>, digits: usize) -> Option<&'static String> {
    write!(into, "{:0digits$}", number.into()).expect("a string takes any text");
    None
}
