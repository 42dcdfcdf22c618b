//! Owns the cases of formatting: value, switches, text.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::{DatePicture, Format, FormatContext, FormatWarning, LocaleData, NumericPicture, Value};
use crate::merge::field_code::{FieldCode, Piece};

fn context(locale: &str) -> FormatContext {
    FormatContext::of(LocaleData::load(locale).into())
}

fn number(text: &str) -> Value {
    Value::Number(text.parse().unwrap())
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn moment(text: &str) -> Value {
    Value::DateTime(text.parse().unwrap())
}

fn format_in(locale: &str, value: &Value, switches: &str) -> (String, Option<FormatWarning>) {
    let context = context(locale);
    let code = FieldCode::parse(&[Piece::Text("MERGEFIELD x "), Piece::Text(switches)]);
    let (format, warnings) = Format::of(&code, &context.picture);
    let mut shown = String::from("before ");
    let warning = format.write(value, &context, &mut shown);
    (shown["before ".len()..].to_owned(), warnings.into_iter().next().or(warning))
}

fn check_in(locale: &str, value: Value, switches: &str, expected: &str) {
    assert_eq!(format_in(locale, &value, switches).0, expected, "{value:?} {switches} in {locale}");
}

fn check(value: Value, switches: &str, expected: &str) {
    check_in("en-US", value, switches, expected);
}

fn check_warning(locale: &str, value: Value, switches: &str, shown: &str, warning: &str) {
    let (text, found) = format_in(locale, &value, switches);
    assert_eq!((text.as_str(), found.map(|found| found.to_string()).as_deref()), (shown, Some(warning)));
}

#[test]
fn letter_case_changes_what_it_names_and_nothing_else() {
    check(text("Mary SmiTH"), "\\* Upper", "MARY SMITH");
    check(text("Mary SmiTH"), "\\* Lower", "mary smith");
    check(text("mary smith"), "\\* FirstCap", "Mary smith");
    check(text("\"mary smith\""), "\\* FirstCap", "\"Mary smith\""); // P
    check(text("mary smith"), "\\* Caps", "Mary Smith");
    check(text("thIs is"), "\\* Caps", "ThIs Is"); // P
    check(text("jean-pierre o'neil"), "\\* Caps", "Jean-Pierre O'neil"); // ?
    check(text("123 abc"), "\\* FirstCap", "123 abc");
    check(text("straße"), "\\* Upper", "STRASSE");
    check(text("élan"), "\\* FirstCap MERGEFORMAT", "Élan"); // real file
    check_in("tr-TR", text("istanbul"), "\\* Upper", "İSTANBUL"); // b.11
    check_in("az", text("istanbul"), "\\* FirstCap", "İstanbul");
    check(text(""), "\\* Upper", "");
}

#[test]
fn numbers_take_other_shapes() {
    check(number("31"), "\\* Arabic", "31");
    check(number("31"), "\\* ArabicDash", "- 31 -");
    check(number("16"), "\\* roman", "xvi");
    check(number("16"), "\\* ROMAN", "XVI");
    check(number("58"), "\\* roman \\* Upper", "LVIII"); // P
    check(number("2"), "\\* alphabetic", "b");
    check(number("2"), "\\* ALPHABETIC", "B");
    check(number("27"), "\\* alphabetic", "aa");
    check(number("54"), "\\* alphabetic", "bbb"); // S
    check(number("80"), "\\* alphabetic", "bbbb"); // S: three times 26 is 78, so 80 is the second letter, four times
    check(number("458"), "\\* Hex", "1CA");
    check(text("458"), "\\* Hex", "1CA");
    check(text("many"), "\\* roman", "many");
}

#[test]
fn numbers_are_written_in_english_words() {
    check(number("0"), "\\* CardText", "zero");
    check(number("21"), "\\* CardText", "twenty-one"); // S
    check(number("790"), "\\* CardText", "seven hundred ninety");
    check(number("342"), "\\* CardText", "three hundred forty-two");
    check(number("999999"), "\\* CardText", "nine hundred ninety-nine thousand nine hundred ninety-nine");
    check(number("21"), "\\* OrdText", "twenty-first");
    check(number("30"), "\\* OrdText", "thirtieth");
    check(number("112"), "\\* OrdText", "one hundred twelfth");
    check(number("1000"), "\\* OrdText", "one thousandth");
    check(number("21"), "\\* Ordinal", "21st");
    check(number("30"), "\\* Ordinal", "30th");
    check(number("112"), "\\* Ordinal", "112th");
    check(number("14.55"), "\\* DollarText", "fourteen and 55/100");
    check(number("14.55"), "\\* DollarText \\* Upper", "FOURTEEN AND 55/100");
    check(number("345.225"), "\\* DollarText", "three hundred forty-five and 23/100");
    check(number("790"), "\\* Caps \\* CardText", "Seven Hundred Ninety");
    check(moment("2026-03-21T00:00:00"), "\\@ d \\* Ordinal", "21st");
}

#[test]
fn what_cannot_be_shown_as_asked_is_shown_plainly_and_told() {
    check_warning(
        "en-US",
        number("1000000"),
        "\\* CardText",
        "1000000",
        "number 1000000 cannot be shown as `\\* CardText`",
    );
    check_warning("en-US", number("-5"), "\\* roman", "-5", "number -5 cannot be shown as `\\* LowerRoman`");
    check_warning(
        "de-DE",
        number("2.5"),
        "\\* CardText",
        "2,5",
        "there are no number words in `de-DE` for `\\* CardText`",
    );
    check_warning("en-US", text("a"), "\\* Fancy", "a", "unknown format `\\* Fancy`");
    check_warning(
        "en-US",
        text("04/05/2026"),
        "\\@ yyyy-MM-dd",
        "2026-04-05",
        "date `04/05/2026` is ambiguous; it is read as 2026-04-05",
    );
}

#[test]
fn numeric_pictures_show_numbers_as_word_does() {
    check(number("9"), "\\# 00.00", "09.00"); // S, W
    check(number("9.006"), "\\# 00.00", "09.01"); // S, W
    check(number("15"), "\\# $###", "$ 15"); // S, P
    check(number("5"), "\\# $###.00", "$  5.00"); // P
    check(number("95.4"), "\\# $###.00", "$ 95.40"); // P
    check(number("5"), "\\# $##", "$ 5"); // P
    check(number("1234.5"), "\\# ,0.00", "1,234.50"); // W
    check(number("5"), "\\# ,0.00", "5.00"); // W
    check(number("1234.5"), "\\# $,0.00", "$1,234.50"); // W
    check(number("1245.65"), "\\# $#,##0.00", "$1,245.65"); // S
    check(number("5"), "\\# $#,##0.00", "$    5.00"); // ?
    check(number("1234567.89"), "\\# $#,##0.00", "$1,234,567.89");
    check(number("33"), "\\# ##%", "33%"); // S
    check(number("0.05"), "\\# 0.00%", "0.05%"); // S
    check(number("3.89"), "\\# \"$##0.00 'is sales tax'\"", "$  3.89 is sales tax"); // S
    check(number("1234"), "\\# 00000", "01234"); // S
    check(number("9999999999"), "\\# (000)'-'000'-'0000", "(999)-999-9999"); // W
    check(text("1234567890123456"), "\\# \"0000' '0000' '0000' '0000\"", "1234 5678 9012 3456"); // W: Word rounds
    check(number("0"), "\\# 0.00", "0.00");
    check(number("0.5"), "\\# 0.##", "0.5 ");
    check(number("2.5"), "\\# 0", "3");
    check(number("-2.5"), "\\# 0", "-3");
}

#[test]
fn numeric_pictures_have_sections() {
    check(number("-5"), "\\# $#,##0.00;($#,##0.00)", "($    5.00)"); // S
    check(number("0"), "\\# $#,##0.00;-$#,##0.00;$0", "$0"); // S
    check(number("-5"), "\\# $0.00", "-$5.00"); // ?
    check(number("-5"), "\\# $0.00;-$0.00", "-$5.00");
    check(number("0"), "\\# 0.00;(0.00)", "0.00");
    check(number("-0.001"), "\\# 0.00;(0.00)", "0.00");
    check(number("0"), "\\# \"0;-0;'none'\"", "none");
    check(number("0"), "\\# \"0;-0;\"", "");
}

#[test]
fn numeric_pictures_cut_and_round_at_x() {
    check(number("222492"), "\\# x##", "492"); // S
    check(number("0.125678"), "\\# 0.00x", "0.126"); // S
    check(number("0.75"), "\\# .x", ".8"); // S
    check(number("0.125678"), "\\# 0.00xx", "0.1257"); // P
}

#[test]
fn numeric_pictures_show_signs() {
    check(number("-80"), "\\# -##", "-80"); // S
    check(number("80"), "\\# -##", " 80"); // S
    check(number("10"), "\\# +##", "+10"); // S
    check(number("-10"), "\\# +##", "-10"); // S
    check(number("0"), "\\# +##", "  0"); // S, whose one space stands for both
}

#[test]
fn numeric_pictures_read_the_number_within_a_text() {
    check(text("€180,000.00 EUR"), "\\# #,##0", "180,000"); // W: docx4j
    check(text("n/a"), "\\# 0.00", "n/a");
    check(text(""), "\\# 0.00", ""); // ?
    check(Value::Blank, "\\# 0.00", ""); // ?
    check(text("0000123456"), "", "0000123456"); // W: docx4j
    check(Value::Bool(true), "\\# 0", "TRUE");
}

#[test]
fn signs_of_pictures_and_numbers_are_those_of_the_locale() {
    check_in("de-DE", number("1234567.89"), "\\# \"$#,###,###.##\"", "$1.234.567,89 ,     "); // P
    check_in("de-DE", text("1.234,5"), "\\# #.##0,00", "1.234,50");
    check_in("de-CH", number("1234.5"), "\\# #’##0.00", "1’234.50");
    check_in("fr-FR", number("1234.5"), "\\# \"# ##0,00 €\"", "1\u{202f}234,50 €");
    let mut english_picture = context("de-DE");
    english_picture.picture = context("en-US").picture;
    let picture = NumericPicture::parse("#,##0.00", &english_picture.picture);
    let mut shown = String::new();
    picture.write(Decimal::new(123_450, 2), &english_picture.output.symbols, &mut shown);
    assert_eq!(shown, "1.234,50"); // b.11: the document decides the picture, the run the print
}

#[test]
fn date_pictures_show_dates_as_word_does() {
    check(
        Value::Date(jiff::civil::date(2013, 4, 15)),
        "\\@ \"dddd, MMMM dd, yyyy\"",
        "Monday, April 15, 2013",
    ); // S
    check(Value::Date(jiff::civil::date(2013, 4, 15)), "\\@ d MMMM yyyy", "15"); // W: docx4j
    check(moment("2026-01-02T12:05:00"), "\\@ \"h:mm am/pm\"", "12:05 PM");
    check(moment("2026-01-02T00:05:00"), "\\@ \"h:mm AM/PM\"", "12:05 AM");
    check(moment("2026-01-02T17:28:34"), "\\@ \"HH:mm:ss\"", "17:28:34");
    check_in("pt-BR", text("2026-01-02"), "\\@ \"d 'de' MMMM 'de' yyyy\" \\* Upper", "2 DE JANEIRO DE 2026");
    check(text("2011-04-11"), "\\@ \"DD/MM/YYYY\"", "11/04/2011"); // W
    check(text("2026-01-02"), "\\@ \"yyyy-MM-dd\"", "2026-01-02");
    check(text("n/a"), "\\@ \"yyyy-MM-dd\"", "n/a");
    check(text("2026-01-02"), "\\@ \"h:mm am/pm\"", "12:00 AM"); // Word: the current time
    check(text("2020-07-09"), "\\@ \"y年M月d日\"", "2020年7月9日"); // W
    check(text("2026-01-02"), "\\@ yyyyMMdd", "20260102");
    check(text("2026-01-02"), "\\@ \"d.M.yy ddd MMM\"", "2.1.26 Fri Jan");
    check(number("44927"), "\\@ \"yyyy\"", "44927");
    check(text("2026-01-02"), "\\* Upper \\@ MMMM", "JANUARY"); // any order
}

#[test]
fn names_of_months_and_days_are_of_the_runs_language() {
    let picture = "\\@ \"dddd, d MMMM yyyy\"";
    check_in("de-CH", text("2020-01-01"), picture, "Mittwoch, 1 Januar 2020"); // P
    check_in("en-GB", text("2020-01-01"), picture, "Wednesday, 1 January 2020"); // P
    check_in("ru-RU", text("2026-01-02"), "\\@ \"d MMMM\"", "2 января");
    check_in("ru-RU", text("2026-01-02"), "\\@ \"MMMM yyyy\"", "январь 2026");
}

#[test]
fn values_without_a_switch_show_as_they_are() {
    check(number("0.3"), "", "0.3"); // b.2.5
    check(number("1000000000000000"), "", "1000000000000000");
    check_in("de-DE", number("1234.5"), "", "1234,5");
    check(text("00123"), "", "00123");
    check(Value::Bool(true), "", "TRUE");
    check(Value::Bool(false), "", "FALSE");
    check(Value::Date(jiff::civil::date(2026, 3, 5)), "", "3/5/2026");
    check_in("de-DE", Value::Date(jiff::civil::date(2026, 3, 5)), "", "05.03.2026");
    check(moment("2026-03-05T17:28:00"), "", "3/5/2026 5:28 PM");
    check_in("de-DE", moment("2026-03-05T17:28:00"), "", "05.03.2026 17:28");
    check(Value::Rows(Vec::new()), "\\# 0", "");
}

#[test]
fn empty_arguments_say_nothing() {
    check(text("a"), "\\* \"\"", "a"); // W: docx4j has an error text here
    check(number("5"), "\\# \"\"", "5");
}

/// Formats with two places the simple way: over an integer of hundredths.
fn naive(hundredths: i64) -> String {
    let digits = (hundredths.unsigned_abs() / 100).to_string();
    let mut grouped = String::new();
    for (number, digit) in digits.chars().enumerate() {
        if number > 0 && (digits.len() - number).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if hundredths < 0 { "-" } else { "" };
    format!("{sign}{grouped}.{:02}", hundredths.unsigned_abs() % 100)
}

proptest! {
    #[test]
    fn two_places_with_groups_agree_with_a_naive_reference(hundredths in any::<i64>()) {
        let symbols = super::NumberSymbols { decimal: ".".to_owned(), group: ",".to_owned() };
        let mut shown = String::new();
        NumericPicture::parse(",0.00", &symbols).write(Decimal::new(hundredths, 2), &symbols, &mut shown);
        prop_assert_eq!(&shown, &naive(hundredths));
        prop_assert_eq!(super::read_number(&shown, &symbols), Some(Decimal::new(hundredths, 2)));
    }

    #[test]
    fn any_picture_takes_any_number(picture in "[0#x,.;+$%' -]{0,40}|\\PC{0,20}", mantissa in any::<i64>(), scale in 0_u32..28) {
        let symbols = super::NumberSymbols { decimal: ".".to_owned(), group: ",".to_owned() };
        let mut shown = String::new();
        NumericPicture::parse(&picture, &symbols).write(Decimal::new(mantissa, scale), &symbols, &mut shown);
        NumericPicture::parse(&picture, &symbols).write(Decimal::MAX, &symbols, &mut shown);
    }

    #[test]
    fn any_picture_takes_any_date(picture in "[dDMyYhHmsS'/. amp]{0,20}|\\PC{0,20}", days in 0..3_000_000) {
        let day = jiff::civil::date(1, 1, 1).saturating_add(jiff::Span::new().days(days));
        let english = LocaleData::load("en-US");
        DatePicture::parse(&picture).write(day.at(23, 59, 59, 0), &english, &mut String::new());
    }

    #[test]
    fn any_text_is_read(text in "[0-9.,/: a-zA-Z€$()-]{0,20}|\\PC{0,20}") {
        let english = LocaleData::load("en-US");
        super::read_number(&text, &english.symbols);
        super::read_number_within(&text, &english.symbols);
        super::read_date(&text, &english);
    }

    #[test]
    fn an_iso_date_is_read_as_it_was_written(days in 0..3_000_000) {
        let day = jiff::civil::date(1, 1, 1).saturating_add(jiff::Span::new().days(days));
        let english = LocaleData::load("en-US");
        let mut shown = String::new();
        DatePicture::parse("yyyy-MM-dd").write(day.at(0, 0, 0, 0), &english, &mut shown);
        prop_assert_eq!(super::read_date(&shown, &english).map(|read| read.moment.date()), Some(day));
    }
}
