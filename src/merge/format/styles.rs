//! Owns what a locale writes by patterns of its own: dates in words, numbers in groups, money, lists, and which form of
//! a word goes with a number. All of it comes from CLDR through ICU4X.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use icu::calendar::{Date, Gregorian};
use icu::datetime::fieldsets::{T, YMD, YMDE};
use icu::datetime::{DateTimeFormatterPreferences, FixedCalendarDateTimeFormatter, NoCalendarFormatter};
use icu::decimal::DecimalFormatter;
use icu::decimal::input::Decimal as IcuDecimal;
use icu::experimental::dimension::currency::CurrencyType;
use icu::experimental::dimension::currency::formatter::CurrencyFormatter;
use icu::list::ListFormatter;
use icu::list::options::ListFormatterOptions;
use icu::locale::extensions::unicode::{key, value};
use icu::locale::{Locale, locale};
use icu::plurals::{PluralCategory, PluralRules, PluralRulesOptions};
use icu::time::Time;
use jiff::civil::DateTime;
use rust_decimal::Decimal;
use writeable::Writeable;

/// The ways of a locale to write a date; `time` is the time of day.
pub(crate) const DATE_STYLES: &[&str] = &["short", "medium", "long", "full", "time"];

/// What one locale writes by patterns of its own, each taken out of ICU4X when it is first asked for.
pub struct Styles {
    /// With Western digits, as everywhere in a letter.
    locale: Locale,
    medium: OnceLock<Option<FixedCalendarDateTimeFormatter<Gregorian, YMD>>>,
    long: OnceLock<Option<FixedCalendarDateTimeFormatter<Gregorian, YMD>>>,
    full: OnceLock<Option<FixedCalendarDateTimeFormatter<Gregorian, YMDE>>>,
    time: OnceLock<Option<NoCalendarFormatter<T>>>,
    number: OnceLock<Option<DecimalFormatter>>,
    money: Mutex<BTreeMap<String, Option<Arc<CurrencyFormatter<DecimalFormatter>>>>>,
    list: OnceLock<Option<ListFormatter>>,
    plural: OnceLock<Option<PluralRules>>,
}

impl fmt::Debug for Styles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Styles").field("locale", &self.locale).finish_non_exhaustive()
    }
}

impl Styles {
    /// Returns the styles of a locale by its tag, such as `de-CH`.
    pub fn of(tag: &str) -> Styles {
        let mut locale = Locale::try_from_str(tag).unwrap_or(locale!("en-US"));
        locale.extensions.unicode.keywords.set(key!("nu"), value!("latn"));
        Styles {
            locale,
            medium: OnceLock::new(),
            long: OnceLock::new(),
            full: OnceLock::new(),
            time: OnceLock::new(),
            number: OnceLock::new(),
            money: Mutex::default(),
            list: OnceLock::new(),
            plural: OnceLock::new(),
        }
    }

    /// Tells whether there is a currency of this code (ISO 4217).
    pub fn has_currency(code: &str) -> bool {
        const ENGLISH: Locale = locale!("en");
        let Ok(currency) = CurrencyType::try_from_str(code) else { return false };
        let Ok(formatter) = CurrencyFormatter::try_new_name((&ENGLISH).into(), currency) else {
            return false;
        };
        // What has no name in English goes by its code.
        let named = formatter.format_fixed_decimal(&IcuDecimal::from(1)).write_to_string().into_owned();
        !named.contains(currency.iso_code().as_str())
    }

    /// Returns a moment in one of the styles but the short one; nothing for a style that does not exist.
    pub(crate) fn date(&self, moment: DateTime, style: &str) -> Option<String> {
        let date = || {
            let (month, day) = (moment.month().unsigned_abs(), moment.day().unsigned_abs());
            Date::try_new_gregorian(moment.year().into(), month, day).ok()
        };
        let preferences = || DateTimeFormatterPreferences::from(&self.locale);
        let of_date = |field: YMD| FixedCalendarDateTimeFormatter::try_new(preferences(), field).ok();
        Some(match style {
            "medium" => {
                let formatter = self.medium.get_or_init(|| of_date(YMD::medium())).as_ref()?;
                formatter.format(&date()?).write_to_string().into_owned()
            }
            "long" => {
                let formatter = self.long.get_or_init(|| of_date(YMD::long())).as_ref()?;
                formatter.format(&date()?).write_to_string().into_owned()
            }
            "full" => {
                let formatter = self.full.get_or_init(|| {
                    FixedCalendarDateTimeFormatter::try_new(preferences(), YMDE::long()).ok()
                });
                formatter.as_ref()?.format(&date()?).write_to_string().into_owned()
            }
            "time" => {
                let formatter =
                    self.time.get_or_init(|| NoCalendarFormatter::try_new(preferences(), T::hm()).ok());
                let (hour, minute) = (moment.hour().unsigned_abs(), moment.minute().unsigned_abs());
                let time = Time::try_new(hour, minute, 0, 0).ok()?;
                formatter.as_ref()?.format(&time).write_to_string().into_owned()
            }
            _ => return None,
        })
    }

    /// Returns a number in groups, with the decimals that it has.
    pub(crate) fn number(&self, number: Decimal) -> Option<String> {
        let formatter = self.number.get_or_init(|| {
            DecimalFormatter::try_new(
                (&self.locale).into(),
                icu::decimal::options::DecimalFormatterOptions::default(),
            )
            .ok()
        });
        Some(swiss_groups(&formatter.as_ref()?.format(&icu_decimal(number)?).write_to_string()))
    }

    /// Returns an amount in a currency by its code (ISO 4217), with the decimals of the currency; nothing for what is
    /// no currency.
    pub(crate) fn money(&self, amount: Decimal, code: &str) -> Option<String> {
        let mut known = self.money.lock().unwrap_or_else(PoisonError::into_inner);
        let formatter = match known.get(code) {
            Some(formatter) => formatter.clone(),
            None => {
                let currency = CurrencyType::try_from_str(code).ok().filter(|_| Styles::has_currency(code));
                let formatter = currency.and_then(|currency| {
                    CurrencyFormatter::try_new_symbol((&self.locale).into(), currency, Default::default())
                        .ok()
                        .map(Arc::new)
                });
                known.insert(code.to_owned(), formatter.clone());
                formatter
            }
        };
        drop(known);
        Some(swiss_groups(&formatter?.format_fixed_decimal(&icu_decimal(amount)?).write_to_string()))
    }

    /// Returns texts in one line, with the word for `and` before the last.
    pub(crate) fn list(&self, items: &[String]) -> Option<String> {
        let formatter = self.list.get_or_init(|| {
            ListFormatter::try_new_and((&self.locale).into(), ListFormatterOptions::default()).ok()
        });
        Some(formatter.as_ref()?.format(items.iter()).write_to_string().into_owned())
    }

    /// Returns the position of the form that goes with a number: zero, one, two, few, many, other.
    pub(crate) fn plural(&self, number: Decimal) -> usize {
        let rules = self
            .plural
            .get_or_init(|| PluralRules::try_new((&self.locale).into(), PluralRulesOptions::default()).ok());
        let category = match (rules, icu_decimal(number)) {
            (Some(rules), Some(number)) => rules.category_for(&number),
            _ => PluralCategory::Other,
        };
        match category {
            PluralCategory::Zero => 0,
            PluralCategory::One => 1,
            PluralCategory::Two => 2,
            PluralCategory::Few => 3,
            PluralCategory::Many => 4,
            PluralCategory::Other => 5,
        }
    }
}

/// Sets off Swiss groups with `’`, as everywhere in a letter.
fn swiss_groups(number: &str) -> String {
    number.replace('\'', "’")
}

fn icu_decimal(number: Decimal) -> Option<IcuDecimal> {
    number.to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(tag: &str, expected: &str) {
        let styles = Styles::of(tag);
        let moment = jiff::civil::date(2026, 3, 5).at(17, 4, 0, 0);
        let date = |style| styles.date(moment, style).unwrap_or_default();
        let amount = Decimal::new(-1_234_505, 3);
        let items: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
        let shown = [
            date("medium"),
            date("long"),
            date("full"),
            date("time"),
            styles.number(amount).unwrap_or_default(),
            styles.money(amount, "CHF").unwrap_or_default(),
            styles.money(Decimal::from(1_234), "EUR").unwrap_or_default(),
            styles.money(Decimal::from(1_234), "JPY").unwrap_or_default(),
            styles.list(&items).unwrap_or_default(),
        ];
        // Narrow and other unbreakable spaces are shown as `_`.
        let shown = shown.join(" | ").replace(['\u{a0}', '\u{202f}'], "_");
        assert_eq!(shown, expected, "{tag}");
    }

    #[test]
    fn dates_numbers_money_and_lists_are_those_of_the_locale() {
        check(
            "en-US",
            "Mar 5, 2026 | March 5, 2026 | Thursday, March 5, 2026 | 5:04_PM | -1,234.505 | -CHF_1,234.51 | €1,234.00 | ¥1,234 | a, b, and c",
        );
        check(
            "en-GB",
            "5 Mar 2026 | 5 March 2026 | Thursday, 5 March 2026 | 17:04 | -1,234.505 | -CHF_1,234.51 | €1,234.00 | JP¥1,234 | a, b and c",
        );
        check(
            "de-CH",
            "05.03.2026 | 5. März 2026 | Donnerstag, 5. März 2026 | 17:04 | -1’234.505 | CHF-1’234.51 | €_1’234.00 | ¥_1’234 | a, b und c",
        );
        check(
            "de-DE",
            "05.03.2026 | 5. März 2026 | Donnerstag, 5. März 2026 | 17:04 | -1.234,505 | -1.234,51_CHF | 1.234,00_€ | 1.234_¥ | a, b und c",
        );
        check(
            "fr-FR",
            "5 mars 2026 | 5 mars 2026 | jeudi 5 mars 2026 | 17:04 | -1_234,505 | -1_234,51_CHF | 1_234,00_€ | 1_234_JP¥ | a, b et c",
        );
        check(
            "pl-PL",
            "5 mar 2026 | 5 marca 2026 | czwartek, 5 marca 2026 | 17:04 | -1234,505 | -1234,51_CHF | 1234,00_€ | 1234_JP¥ | a, b i c",
        );
    }

    #[test]
    fn currencies_that_exist_are_known() {
        for (code, exists) in [
            ("EUR", true),
            ("CHF", true),
            ("JPY", true),
            ("chf", true),
            ("CFH", false),
            ("€", false),
            ("", false),
        ] {
            assert_eq!(Styles::has_currency(code), exists, "{code}");
        }
    }
}
