//! Drives pictures from bytes: the first line is the picture, the second the value as text, the third the locale.

use mailrun::merge::format::{
    DatePicture, LocaleData, NumericPicture, read_date, read_number, read_number_within,
};

pub(crate) fn drive(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let picture = lines.next().unwrap_or_default();
    let value = lines.next().unwrap_or_default();
    let locale = LocaleData::load(lines.next().unwrap_or("en-US"));
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
