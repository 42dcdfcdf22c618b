//! Owns what formatting must know of a language: names of months and days, signs in numbers, the order of a date.
//! All of it comes from CLDR through ICU4X and is taken out once, so that formatting works on plain strings.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use icu::calendar::{Date, Gregorian};
use icu::datetime::fieldsets::enums::{DateFieldSet, TimeFieldSet};
use icu::datetime::fieldsets::{T, YMD};
use icu::datetime::options::YearStyle;
use icu::datetime::pattern::{DateTimePattern, FixedCalendarDateTimeNames};
use icu::datetime::{DateTimeFormatterPreferences, FixedCalendarDateTimeFormatter, NoCalendarFormatter};
use icu::decimal::DecimalFormatter;
use icu::decimal::input::Decimal as IcuDecimal;
use icu::locale::extensions::unicode::{key, value};
use icu::locale::{LanguageIdentifier, Locale, locale};
use icu::time::Time;
use jiff::civil;
use writeable::{TryWriteable, Writeable};

/// The signs of numbers, as one locale writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberSymbols {
    /// Between integer and fraction.
    pub decimal: String,
    /// Between groups of three digits.
    pub group: String,
}

/// What formatting must know of one locale. Always the Gregorian calendar and Western digits, groups of three.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocaleData {
    /// The locale's tag, such as `de-CH`.
    pub tag: String,
    /// For case mapping, which Turkish, Greek and a few others have of their own.
    pub(super) id: LanguageIdentifier,
    /// The signs of numbers.
    pub symbols: NumberSymbols,
    /// The month's name beside a day ("2 января").
    pub(super) months: Vec<String>,
    /// The month's name alone ("январь").
    pub(super) months_alone: Vec<String>,
    /// The month's short name.
    pub(super) months_short: Vec<String>,
    /// The day's name, from Monday.
    pub(super) days: Vec<String>,
    /// The day's short name, from Monday.
    pub(super) days_short: Vec<String>,
    /// The sign of the hours before noon.
    pub(super) am: String,
    /// The sign of the hours after noon.
    pub(super) pm: String,
    /// Whether the time is told in two halves of the day.
    has_half_days: bool,
    /// The short numeric date.
    pub(super) short_date: Vec<ShortDateItem>,
}

/// One item of the short numeric date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ShortDateItem {
    Day { is_padded: bool },
    Month { is_padded: bool },
    Year,
    Literal(String),
}

/// In which order a locale writes day, month and year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DateOrder {
    DayMonthYear,
    MonthDayYear,
    YearMonthDay,
}

/// Locales that were asked for, each taken out of ICU4X once.
#[derive(Debug, Default)]
pub struct Locales(Mutex<BTreeMap<String, Arc<LocaleData>>>);

impl Locales {
    /// Returns the data of a locale, such as `de-CH`; that of `en-US` if the tag means nothing.
    pub fn get(&self, tag: &str) -> Arc<LocaleData> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(data) = known.get(tag) {
            return Arc::clone(data);
        }
        let data = Arc::new(LocaleData::load(tag));
        known.insert(tag.to_owned(), Arc::clone(&data));
        data
    }
}

impl LocaleData {
    /// Takes a locale's data out of ICU4X; costs some hundred microseconds. See [`Locales::get`].
    pub fn load(tag: &str) -> LocaleData {
        const FALLBACK: Locale = locale!("en-US");
        LocaleData::known(tag)
            .or_else(|| LocaleData::from_icu(FALLBACK))
            .expect("the compiled data has names for en-US")
    }

    /// The same; nothing for a tag that is none, or of a language that ICU4X has no names in.
    pub fn known(tag: &str) -> Option<LocaleData> {
        let locale = Locale::try_from_str(&tag.replace('_', "-")).ok()?;
        if locale.id.language.is_unknown() { None } else { LocaleData::from_icu(locale) }
    }

    /// Returns the language without script and region: `de` of `de-CH`.
    pub fn language(&self) -> &str {
        self.tag.split('-').next().unwrap_or(&self.tag)
    }

    fn from_icu(locale: Locale) -> Option<LocaleData> {
        let tag = locale.id.to_string();
        let id = locale.id.clone();
        let mut western = locale;
        western.extensions.unicode.keywords.set(key!("nu"), value!("latn"));
        let preferences = DateTimeFormatterPreferences::from(&western);
        let months = month_names(preferences, "MMMM")?;
        // The root locale has no names, only numbers: ICU4X then knows nothing of the language.
        if months.first().is_some_and(|january| january.contains(char::is_numeric) && january.is_ascii()) {
            return None;
        }
        Some(LocaleData {
            symbols: number_symbols(&western)?,
            months_alone: month_names(preferences, "LLLL")?,
            months_short: month_names(preferences, "LLL")?,
            days: day_names(preferences, "EEEE")?,
            days_short: day_names(preferences, "ccc")?,
            has_half_days: has_half_days(preferences)?,
            am: day_period(preferences, 9)?,
            pm: day_period(preferences, 15)?,
            short_date: short_date(preferences)?,
            tag,
            id,
            months,
        })
    }

    /// Whether the locale tells the time in two halves of the day.
    pub(super) fn has_half_days(&self) -> bool {
        self.has_half_days
    }

    /// In which order the locale writes a date.
    pub(super) fn date_order(&self) -> DateOrder {
        let first = self.short_date.iter().find(|item| !matches!(item, ShortDateItem::Literal(_)));
        match first {
            Some(ShortDateItem::Month { .. }) => DateOrder::MonthDayYear,
            Some(ShortDateItem::Year) => DateOrder::YearMonthDay,
            Some(ShortDateItem::Day { .. } | ShortDateItem::Literal(_)) | None => DateOrder::DayMonthYear,
        }
    }

    /// Writes a date in the locale's short numeric form, with the year in four digits.
    pub(crate) fn write_short_date(&self, date: civil::Date, into: &mut String) {
        use std::fmt::Write as _;
        for item in &self.short_date {
            let written = match item {
                ShortDateItem::Day { is_padded: true } => write!(into, "{:02}", date.day()),
                ShortDateItem::Day { is_padded: false } => write!(into, "{}", date.day()),
                ShortDateItem::Month { is_padded: true } => write!(into, "{:02}", date.month()),
                ShortDateItem::Month { is_padded: false } => write!(into, "{}", date.month()),
                ShortDateItem::Year => write!(into, "{:04}", date.year()),
                ShortDateItem::Literal(literal) => into.write_str(literal),
            };
            written.expect("a string takes any text");
        }
    }
}

fn month_names(preferences: DateTimeFormatterPreferences, pattern: &str) -> Option<Vec<String>> {
    (1..=12).map(|month| named(preferences, pattern, 2001, month, 1)).collect()
}

/// The names from Monday: 1 January 2001 was one.
fn day_names(preferences: DateTimeFormatterPreferences, pattern: &str) -> Option<Vec<String>> {
    (1..=7).map(|day| named(preferences, pattern, 2001, 1, day)).collect()
}

fn named(
    preferences: DateTimeFormatterPreferences,
    pattern: &str,
    year: i32,
    month: u8,
    day: u8,
) -> Option<String> {
    let pattern = DateTimePattern::try_from_pattern_str(pattern).ok()?;
    let mut names = FixedCalendarDateTimeNames::<Gregorian, DateFieldSet>::try_new(preferences).ok()?;
    let formatter = names.include_for_pattern(&pattern).ok()?;
    let date = Date::try_new_gregorian(year, month, day).ok()?;
    formatter.format(&date).try_write_to_string().ok().map(std::borrow::Cow::into_owned)
}

/// The sign of the half of the day; in Latin letters as Word on Windows writes it, `AM` and not `am`.
fn day_period(preferences: DateTimeFormatterPreferences, hour: u8) -> Option<String> {
    let pattern = DateTimePattern::try_from_pattern_str("a").ok()?;
    let mut names = FixedCalendarDateTimeNames::<Gregorian, TimeFieldSet>::try_new(preferences).ok()?;
    let formatter = names.include_for_pattern(&pattern).ok()?;
    let formatted = formatter.format(&Time::try_new(hour, 0, 0, 0).ok()?);
    let sign = formatted.try_write_to_string().ok()?;
    Some(if matches!(sign.as_ref(), "am" | "pm") { sign.to_uppercase() } else { sign.into_owned() })
}

/// Reads off nine in the evening whether the locale says 21 or 9.
fn has_half_days(preferences: DateTimeFormatterPreferences) -> Option<bool> {
    let formatter = NoCalendarFormatter::try_new(preferences, T::hm()).ok()?;
    let evening = formatter.format(&Time::try_new(21, 0, 0, 0).ok()?).write_to_string().into_owned();
    Some(!evening.contains("21"))
}

/// Reads the locale's short date off a date whose numbers all differ.
fn short_date(preferences: DateTimeFormatterPreferences) -> Option<Vec<ShortDateItem>> {
    let fields = YMD::short().with_year_style(YearStyle::Full);
    let formatter = FixedCalendarDateTimeFormatter::<Gregorian, _>::try_new(preferences, fields).ok()?;
    let sample = formatter.format(&Date::try_new_gregorian(2003, 2, 1).ok()?).write_to_string().into_owned();
    let mut items = Vec::new();
    let mut rest = sample.as_str();
    while let Some(first) = rest.chars().next() {
        let is_number = first.is_ascii_digit();
        let end = rest.find(|next: char| next.is_ascii_digit() != is_number).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        items.push(match part {
            "2003" => ShortDateItem::Year,
            "2" | "02" => ShortDateItem::Month { is_padded: part.len() == 2 },
            "1" | "01" => ShortDateItem::Day { is_padded: part.len() == 2 },
            _ => ShortDateItem::Literal(part.to_owned()),
        });
        rest = after;
    }
    Some(items)
}

/// Reads the signs off a formatted number. Swiss groups are set off with `’`, as Windows does; `'` would begin a
/// literal in a picture.
fn number_symbols(locale: &Locale) -> Option<NumberSymbols> {
    let formatter =
        DecimalFormatter::try_new(locale.into(), icu::decimal::options::DecimalFormatterOptions::default())
            .ok()?;
    let sample: IcuDecimal = "1234567.8".parse().ok()?;
    let shown = formatter.format(&sample).write_to_string().into_owned();
    let signs: Vec<&str> =
        shown.split(|sign: char| sign.is_ascii_digit()).filter(|sign| !sign.is_empty()).collect();
    let decimal = (*signs.last()?).to_owned();
    let group = if signs.len() > 1 { (*signs.first()?).replace('\'', "’") } else { String::new() };
    Some(NumberSymbols { decimal, group })
}

#[cfg(test)]
mod tests {
    use super::LocaleData;

    fn check(tag: &str, expected: &str) {
        let data = LocaleData::load(tag);
        let mut date = String::new();
        data.write_short_date(jiff::civil::date(2026, 3, 5), &mut date);
        let shown = format!(
            "{} | {} {} | {} {} {} | {} {} | {} {} | {date}",
            data.tag,
            data.symbols.decimal,
            data.symbols.group,
            data.months[0],
            data.months_alone[0],
            data.months_short[0],
            data.days[2],
            data.days_short[2],
            data.am,
            data.pm
        );
        assert_eq!(shown, expected);
    }

    #[test]
    fn names_signs_and_the_short_date_are_those_of_the_locale() {
        check("en-US", "en-US | . , | January January Jan | Wednesday Wed | AM PM | 3/5/2026");
        check("en-GB", "en-GB | . , | January January Jan | Wednesday Wed | AM PM | 05/03/2026");
        check("de-DE", "de-DE | , . | Januar Januar Jan | Mittwoch Mi | AM PM | 05.03.2026");
        check("de-CH", "de-CH | . ’ | Januar Januar Jan | Mittwoch Mi | AM PM | 05.03.2026");
        check("fr-FR", "fr-FR | , \u{202f} | janvier janvier janv. | mercredi mer. | AM PM | 05/03/2026");
        check("ru-RU", "ru-RU | , \u{a0} | января январь янв. | среда ср | AM PM | 05.03.2026");
        check("pt_BR", "pt-BR | , . | janeiro janeiro jan. | quarta-feira qua. | AM PM | 05/03/2026");
        check("ja-JP", "ja-JP | . , | 1月 1月 1月 | 水曜日 水 | 午前 午後 | 2026/03/05");
        check("ar-EG", "ar-EG | . , | يناير يناير يناير | الأربعاء الأربعاء | ص م | 5\u{200f}/3\u{200f}/2026");
    }

    #[test]
    fn a_tag_that_means_nothing_is_american_english() {
        for tag in ["", "x-none", "tlh", "???", "und"] {
            assert_eq!(LocaleData::load(tag).tag, "en-US", "{tag}");
        }
    }
}
