//! Owns file names made from data: safe on every file system, and unique within a run.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

/// The longest file name, in bytes of UTF-8, extension included.
pub const NAME_LIMIT_BYTES: usize = 120;

/// The longest extension that [`Names`] keeps behind a number, in bytes, dot included.
const EXTENSION_LIMIT_BYTES: usize = 16;

/// Makes a file name of `stem`, which may hold anything, and `extension` (without its dot; empty for none).
///
/// Separators, control characters, and what other systems forbid become `_`; marks that change the direction of
/// text are dropped; dots and blanks at both ends go; a name that Windows keeps for a device gets a `_` in front.
/// The result is never empty, never longer than [`NAME_LIMIT_BYTES`], and names a file of the folder it is used in.
///
/// ```
/// # use mailrun::delivery::name::safe_name;
/// assert_eq!(safe_name("000012 CT000012 Müller/Meier", "docx"), "000012 CT000012 Müller_Meier.docx");
/// assert_eq!(safe_name("../../etc/passwd", "docx"), "_.._etc_passwd.docx");
/// ```
pub fn safe_name(stem: &str, extension: &str) -> String {
    let extension = safe_text(extension);
    let extension = cut(&extension, EXTENSION_LIMIT_BYTES - 1).trim_matches(is_dot_or_blank);
    let mut name = safe_text(stem);
    if name.is_empty() {
        name.push('_');
    }
    if is_reserved(&name) {
        name.insert(0, '_');
    }
    if extension.is_empty() {
        return cut(&name, NAME_LIMIT_BYTES).trim_end_matches(is_dot_or_blank).to_owned();
    }
    let room = NAME_LIMIT_BYTES - extension.len() - 1;
    format!("{}.{extension}", cut(&name, room).trim_end_matches(is_dot_or_blank))
}

/// Returns the name of a file that goes with another, with a suffix before the extension: of `a.pdf` and ` 2` comes
/// `a 2.pdf`. Where that is too long, the name is cut before the suffix, and the suffix to half of what is allowed.
pub fn with_suffix(name: &str, suffix: &str) -> String {
    let (stem, extension) = parts(name);
    let suffix = safe_text(&format!("x{suffix}"));
    let suffix =
        cut(suffix.get(1..).unwrap_or_default(), NAME_LIMIT_BYTES / 2).trim_end_matches(is_dot_or_blank);
    let room = NAME_LIMIT_BYTES.saturating_sub(suffix.len() + extension.len());
    format!("{}{suffix}{extension}", cut(stem, room).trim_end_matches(is_dot_or_blank))
}

/// The names that a run has given so far; two that differ only in case count as the same.
///
/// Keeps 12 bytes a name and not the name itself, so that a million letters stay cheap.
#[derive(Debug, Default)]
pub struct Names {
    /// From the fingerprint of a folded name to the next number for it.
    next_number: HashMap<u64, u32>,
}

impl Names {
    /// Returns `name`, a [safe name](safe_name), or if it was given before `name-2`, `name-3`, … before its extension.
    ///
    /// The same names in the same order give the same results.
    pub fn unique(&mut self, name: &str) -> String {
        let first = fingerprint(name);
        let Some(next) = self.next_number.get(&first).copied() else {
            self.next_number.insert(first, 2);
            return name.to_owned();
        };
        let mut number = next;
        loop {
            let candidate = numbered(name, number);
            number = number.saturating_add(1);
            let other = fingerprint(&candidate);
            if !self.next_number.contains_key(&other) {
                self.next_number.insert(other, 2);
                self.next_number.insert(first, number);
                return candidate;
            }
        }
    }
}

/// Tells whether `name` names an entry of the folder it is used in, and nothing else.
pub fn is_plain(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', '\0'])
}

/// Tells whether a character only changes the direction of the text around it: an embedding, override or isolate.
///
/// Source: Unicode Standard Annex #9, section 2 Directional Formatting Characters.
pub(in crate::delivery) fn is_direction_override(character: char) -> bool {
    matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn numbered(name: &str, number: u32) -> String {
    let (stem, extension) = parts(name);
    let suffix = format!("-{number}{extension}");
    format!("{}{suffix}", cut(stem, NAME_LIMIT_BYTES.saturating_sub(suffix.len())))
}

/// Splits a name before its extension, if it has one.
fn parts(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= EXTENSION_LIMIT_BYTES => name.split_at(dot),
        _ => (name, ""),
    }
}

fn fingerprint(name: &str) -> u64 {
    let digest = Sha256::digest(name.to_lowercase().as_bytes());
    digest.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

fn safe_text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len().min(2 * NAME_LIMIT_BYTES));
    for character in text.trim_matches(is_dot_or_blank).chars() {
        if safe.len() > NAME_LIMIT_BYTES {
            break;
        }
        match character {
            '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => safe.push('_'),
            '\u{200E}' | '\u{200F}' | '\u{061C}' | '\u{FEFF}' => {}
            _ if is_direction_override(character) => {}
            '\u{2028}' | '\u{2029}' => safe.push('_'),
            _ if character.is_control() => safe.push('_'),
            _ => safe.push(character),
        }
    }
    safe.trim_matches(is_dot_or_blank).to_owned()
}

fn is_dot_or_blank(character: char) -> bool {
    character == '.' || character.is_whitespace()
}

/// Cuts a text to at most `limit` bytes, between two characters.
fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

/// Tells whether Windows takes the name for a device, with or without an extension.
fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end();
    let device = |word: &str| stem.eq_ignore_ascii_case(word);
    if ["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"].into_iter().any(device) {
        return true;
    }
    let mut characters = stem.chars();
    let digit = characters.next_back();
    let port = characters.as_str();
    (port.eq_ignore_ascii_case("com") || port.eq_ignore_ascii_case("lpt"))
        && matches!(digit, Some('0'..='9' | '¹' | '²' | '³'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_safe_whatever_the_data_says() {
        let check = |stem: &str, expected: &str| assert_eq!(safe_name(stem, "docx"), expected, "{stem:?}");
        check("000001 CT1 Anna Müller", "000001 CT1 Anna Müller.docx");
        check("../../x", "_.._x.docx");
        check("..", "_.docx");
        check("", "_.docx");
        check("   ", "_.docx");
        check("a\\b:c*d?e\"f<g>h|i", "a_b_c_d_e_f_g_h_i.docx");
        check("line\r\nbreak\0and\u{1b}[31m", "line__break_and_[31m.docx");
        check("gpj\u{202E}exe", "gpjexe.docx");
        check("CON", "_CON.docx");
        check("com1.old", "_com1.old.docx");
        check("LPT¹", "_LPT¹.docx");
        check("Comet", "Comet.docx");
        check("trailing. . ", "trailing.docx");
        check(".hidden", "hidden.docx");
        check("привет 🎉", "привет 🎉.docx");
    }

    #[test]
    fn a_long_name_is_cut_between_characters_and_keeps_its_extension() {
        for unit in ["a", "ä", "🎉"] {
            let name = safe_name(&unit.repeat(1 << 20), "docx");
            assert!(name.len() <= NAME_LIMIT_BYTES && name.ends_with(".docx"), "{name}");
            assert!(name.len() > NAME_LIMIT_BYTES - 4, "{name}");
        }
        assert!(safe_name("x", &"long/".repeat(100)).len() <= NAME_LIMIT_BYTES);
    }

    #[test]
    fn names_that_differ_in_case_only_are_numbered_in_their_order() {
        let mut names = Names::default();
        let given: Vec<String> = ["Anna.docx", "anna.docx", "ANNA.docx", "anna-2.docx", "Ärni", "ärni"]
            .map(|name| names.unique(name))
            .into();
        assert_eq!(given, ["Anna.docx", "anna-2.docx", "ANNA-3.docx", "anna-2-2.docx", "Ärni", "ärni-2"]);
    }

    #[test]
    fn a_suffix_stands_before_the_extension_and_is_kept_where_the_name_is_cut() {
        assert_eq!(with_suffix("a.pdf", "_2 terms"), "a_2 terms.pdf");
        assert_eq!(with_suffix("a.b", "_2 a/b: \u{202E}"), "a_2 a_b_.b");
        let long = safe_name(&"ü".repeat(200), "docx");
        for suffix in ["_2 terms".to_owned(), format!("_3 {}", "ö".repeat(200))] {
            let name = with_suffix(&long, &suffix);
            let begin: String = suffix.chars().take(8).collect();
            assert!(
                name.len() <= NAME_LIMIT_BYTES && name.contains(&begin) && name.ends_with(".docx"),
                "{name}"
            );
        }
    }

    #[test]
    fn a_number_fits_into_the_longest_name() {
        let mut names = Names::default();
        let name = safe_name(&"ü".repeat(200), "docx");
        names.unique(&name);
        let second = names.unique(&name);
        assert!(second.len() <= NAME_LIMIT_BYTES && second.ends_with("-2.docx"), "{second}");
    }
}
