//! Owns the letter case of `\*`: `Upper`, `Lower`, `FirstCap`, `Caps`.

use icu::casemap::CaseMapper;

use super::locale::LocaleData;

/// Writes `text` in upper case, by the rules of the language: `ß` becomes `SS`, in Turkish `i` becomes `İ`.
pub(crate) fn write_upper(text: &str, language: &LocaleData, into: &mut String) {
    into.push_str(&CaseMapper::new().uppercase_to_string(text, &language.id));
}

/// Writes `text` in lower case.
pub(crate) fn write_lower(text: &str, language: &LocaleData, into: &mut String) {
    into.push_str(&CaseMapper::new().lowercase_to_string(text, &language.id));
}

/// Writes `text` with the first letter of the first word in upper case; what stands before it, such as a quote,
/// and what follows stay as they are.
pub(crate) fn write_first_cap(text: &str, language: &LocaleData, into: &mut String) {
    let Some(start) = text.find(char::is_alphanumeric) else {
        into.push_str(text);
        return;
    };
    let (before, word) = text.split_at(start);
    into.push_str(before);
    write_capital(word, language, into);
}

/// Writes `text` with the first letter of each word in upper case; the rest of a word stays as it is.
///
/// A word begins after a space, a hyphen or a slash, not after an apostrophe. Not verified in Word.
pub(super) fn write_caps(text: &str, language: &LocaleData, into: &mut String) {
    for word in
        text.split_inclusive(|sign: char| sign.is_whitespace() || matches!(sign, '-' | '\u{2011}' | '/'))
    {
        write_first_cap(word, language, into);
    }
}

fn write_capital(word: &str, language: &LocaleData, into: &mut String) {
    let first = word.chars().next().map_or(0, char::len_utf8);
    let (letter, rest) = word.split_at(first);
    write_upper(letter, language, into);
    into.push_str(rest);
}
