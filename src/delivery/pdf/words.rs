//! Owns the words that a letter's PDF must have: those of its text, and those that its neighbours do not have.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

/// Words that are shorter prove nothing.
const LEAST_CHARACTERS: usize = 4;

/// So many of ten words must be found: hidden text is not laid out, and fields of the date may show another day.
const OF_TEN: usize = 6;

/// The words of a letter.
#[derive(Debug, Default)]
pub(super) struct Expected {
    all: BTreeSet<String>,
    /// Those that no other letter of the chunk has.
    own: BTreeSet<String>,
}

/// Reads the words of letters that are laid out together.
pub(super) fn of_letters<'l>(letters: impl Iterator<Item = &'l [u8]>) -> Vec<Expected> {
    let of_each: Vec<BTreeSet<String>> = letters.map(|letter| words(letter).unwrap_or_default()).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    of_each.iter().flatten().for_each(|word| *counts.entry(word).or_default() += 1);
    let own = |words: &BTreeSet<String>| {
        let is_own = |word: &&String| of_each.len() > 1 && counts.get(word.as_str()) == Some(&1);
        words.iter().filter(is_own).cloned().collect()
    };
    let owns: Vec<BTreeSet<String>> = of_each.iter().map(own).collect();
    of_each.into_iter().zip(owns).map(|(all, own)| Expected { all, own }).collect()
}

impl Expected {
    /// Tells whether a text has enough of the words.
    pub(super) fn are_in(&self, text: &str) -> bool {
        let squashed: String =
            text.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        let enough = |words: &BTreeSet<String>| {
            let n_found = words.iter().filter(|word| squashed.contains(word.as_str())).count();
            n_found * 10 >= words.len() * OF_TEN
        };
        enough(&self.all) && enough(&self.own)
    }
}

/// The words of a letter's main part, in lower case; none of a script that may be set in another order than it is read, and
/// none of a field's result, which LibreOffice works out anew: page numbers, dates.
fn words(letter: &[u8]) -> Option<BTreeSet<String>> {
    let mut archive = ZipArchive::new(Cursor::new(letter)).ok()?;
    let is_main = |name: &str| name.starts_with("word/document") && name.ends_with(".xml");
    let main = archive.file_names().flatten().find(|name| is_main(name))?.into_owned();
    let mut xml = String::new();
    archive.by_name(&main).ok()?.read_to_string(&mut xml).ok()?;
    let mut reader = Reader::from_str(&xml);
    let (mut text, mut is_text, mut is_hidden) = (String::new(), false, false);
    let mut n_fields = 0_usize;
    loop {
        match reader.read_event().ok()? {
            Event::Eof => break,
            Event::Start(element) => match element.local_name().as_ref() {
                "t" => is_text = true,
                "r" => is_hidden = false,
                "vanish" | "webHidden" => is_hidden = true,
                "fldSimple" => n_fields += 1,
                "fldChar" => n_fields = fields_after(&element, n_fields),
                _ => {}
            },
            Event::Empty(element) => match element.local_name().as_ref() {
                "vanish" => is_hidden = true,
                "fldChar" => {
                    text.push(' ');
                    n_fields = fields_after(&element, n_fields);
                }
                "tab" | "br" | "cr" | "p" => text.push(' '),
                _ => {}
            },
            Event::End(element) => match element.local_name().as_ref() {
                "t" => is_text = false,
                "p" => text.push(' '),
                "fldSimple" => {
                    text.push(' ');
                    n_fields = n_fields.saturating_sub(1);
                }
                _ => {}
            },
            Event::Text(content) if is_text && !is_hidden && n_fields == 0 => {
                text.push_str(&content.xml10_content());
            }
            _ => {}
        }
    }
    let is_plain = |word: &str| word.chars().all(|it| it.is_alphanumeric() && it < '\u{530}');
    let words = text
        .split(|it: char| !it.is_alphanumeric())
        .filter(|word| is_plain(word) && word.chars().count() >= LEAST_CHARACTERS);
    Some(words.map(str::to_lowercase).collect())
}

/// How many fields are open behind a sign of one (ECMA-376 Part 1 §17.16.18 fldChar).
fn fields_after(sign: &BytesStart<'_>, n_before: usize) -> usize {
    let kind = sign.attributes().flatten().find(|it| it.key.local_name().as_ref() == "fldCharType");
    match kind.as_ref().map(|kind| kind.value.as_ref()) {
        Some("begin") => n_before + 1,
        Some("end") => n_before.saturating_sub(1),
        _ => n_before,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_the_letters_own_words_is_not_the_letters() {
        let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
        let expected = Expected { all: set(&["dear", "grace", "regards"]), own: set(&["grace"]) };
        assert!(expected.are_in("D ear GRACE, kind re-gards"));
        assert!(!expected.are_in("Dear Ada, kind regards"));
        assert!(!expected.are_in("Grace"));
        assert!(Expected::default().are_in(""));
    }
}
