//! Owns language tags, as contacts and documents have them. Fails on a text that is no tag.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A language, with or without script and region: `fr`, `fr-CH`, `zh-Hant-TW`.
///
/// Kept in the customary spelling, so that equal languages are equal: `FR_ch` becomes `fr-CH`.
///
/// Source: RFC 5646 §2.1 (syntax) and §2.1.1 (formatting of tags); of the subtags only language, script, region
/// and variants are taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Language(String);

impl Language {
    /// Returns the tag in its customary spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the language without script, region and variants; `fr-CH` gives `fr`.
    pub fn base(&self) -> Language {
        let base = self.0.split('-').next().unwrap_or(&self.0);
        Language(base.to_owned())
    }

    /// Tells whether this is a language alone.
    pub fn is_base(&self) -> bool {
        !self.0.contains('-')
    }
}

/// A text that is no language tag.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{text}` is no language tag")]
pub struct LanguageError {
    /// The text as it was given.
    pub text: String,
}

impl FromStr for Language {
    type Err = LanguageError;

    fn from_str(text: &str) -> Result<Language, LanguageError> {
        let error = || LanguageError { text: text.to_owned() };
        let mut tag = String::with_capacity(text.len());
        for (place, subtag) in text.trim().split(['-', '_']).enumerate() {
            let letters = subtag.bytes().all(|b| b.is_ascii_alphabetic());
            if !subtag.bytes().all(|b| b.is_ascii_alphanumeric()) {
                return Err(error());
            }
            if place > 0 {
                tag.push('-');
            }
            match (place, subtag.len()) {
                (0, 2..=3) if letters => tag.push_str(&subtag.to_ascii_lowercase()),
                (0, _) => return Err(error()),
                (_, 4) if letters => {
                    let (first, rest) = subtag.split_at(1);
                    tag.push_str(&first.to_ascii_uppercase());
                    tag.push_str(&rest.to_ascii_lowercase());
                }
                (_, 2) if letters => tag.push_str(&subtag.to_ascii_uppercase()),
                (_, 3) if !letters => tag.push_str(subtag),
                (_, 4..=8) => tag.push_str(&subtag.to_ascii_lowercase()),
                _ => return Err(error()),
            }
        }
        Ok(Language(tag))
    }
}

impl TryFrom<String> for Language {
    type Error = LanguageError;

    fn try_from(text: String) -> Result<Language, LanguageError> {
        text.parse()
    }
}

impl From<Language> for String {
    fn from(language: Language) -> String {
        language.0
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Language;

    fn check(text: &str, expected: Option<(&str, &str)>) {
        let language: Option<Language> = text.parse().ok();
        let found = language.map(|language| (language.to_string(), language.base().to_string()));
        assert_eq!(found, expected.map(|(tag, base)| (tag.to_owned(), base.to_owned())), "{text:?}");
    }

    #[test]
    fn a_tag_is_kept_in_its_customary_spelling() {
        check("fr", Some(("fr", "fr")));
        check("FR_ch", Some(("fr-CH", "fr")));
        check(" de-at ", Some(("de-AT", "de")));
        check("zh-hANT-tw", Some(("zh-Hant-TW", "zh")));
        check("es-419", Some(("es-419", "es")));
        check("gsw", Some(("gsw", "gsw")));
        check("de-CH-1996", Some(("de-CH-1996", "de")));
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        for text in ["", "-", "f", "German", "français", "fr-", "fr--CH", "fr CH", "12", "fr-verylongtag"] {
            check(text, None);
        }
    }
}
