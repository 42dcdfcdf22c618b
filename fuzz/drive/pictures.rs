//! Drives pictures from bytes: the first line is the picture, the second the value as text, the third the locale.

use std::sync::LazyLock;

use mailrun::merge::format::{
    DatePicture, Locales, NumericPicture, read_date, read_number, read_number_within,
};

pub(crate) fn drive(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let picture = lines.next().unwrap_or_default();
    let value = lines.next().unwrap_or_default();
    // The few tags that matter, so that the fuzzer spends its time on pictures.
    static LOCALES: LazyLock<Locales> = LazyLock::new(Locales::default);
    const TAGS: [&str; 6] = ["en-US", "de-DE", "de-CH", "fr-FR", "ru-RU", "ja-JP"];
    let tag = lines.next().filter(|tag| TAGS.contains(tag)).unwrap_or("en-US");
    let locale = LOCALES.get(tag);
    let numeric = NumericPicture::parse(picture, &locale.symbols);
    if let Some(number) = read_number_within(value, &locale.symbols) {
        numeric.write(number, &locale.symbols, &mut String::new());
    }
    if let Some(number) = read_number(value, &locale.symbols) {
        assert_eq!(
            read_number_within(value, &locale.symbols),
            Some(number),
            "a number is the first within itself"
        );
        let mut once = String::new();
        let mut twice = String::new();
        numeric.write(number, &locale.symbols, &mut once);
        numeric.write(number, &locale.symbols, &mut twice);
        assert_eq!(once, twice, "a number has one picture");
    }
    let moment = read_date(value, &locale).map(|read| read.moment).unwrap_or_default();
    DatePicture::parse(picture).write(moment, &locale, &mut String::new());
}
