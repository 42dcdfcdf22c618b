//! Owns salutations: which formula holds for a contact, and the tidying that an empty part of a name needs.

use serde::{Deserialize, Serialize};

use super::ContactKind;
use super::language::Language;

/// How contacts with a salutation code are greeted, in one language or in any.
///
/// The texts hold handlebars tags, such as `Dear Ms {{contact.surname}}`. They are rendered elsewhere; the result
/// goes through [`tidy`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SalutationFormula {
    /// The salutation code that a contact names, compared without regard to case.
    pub code: String,
    /// The language; none: any.
    pub language: Option<Language>,
    /// The kind of contact; none: both.
    #[serde(rename = "type")]
    pub kind: Option<ContactKind>,
    /// The formal greeting.
    pub formal: String,
    /// The informal greeting.
    pub informal: String,
}

/// Why a formula holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SalutationRule {
    /// It is in the language asked for.
    Language,
    /// It is in the base language of the one asked for: `fr` for `fr-CH`.
    BaseLanguage,
    /// It is for any language.
    AnyLanguage,
}

/// Finds the formula for a salutation code, and says which rule found it.
///
/// The order is: the language itself, its base language, no language. Within one of these, a formula for this kind
/// of contact goes before one for both kinds, and the earlier before the later.
pub fn find<'a>(
    formulas: &'a [SalutationFormula],
    code: &str,
    language: Option<&Language>,
    kind: ContactKind,
) -> Option<(&'a SalutationFormula, SalutationRule)> {
    let of_language = |wanted: Option<&Language>| {
        let candidates = || {
            formulas.iter().filter(|formula| {
                formula.code.to_lowercase() == code.to_lowercase() && formula.language.as_ref() == wanted
            })
        };
        candidates()
            .find(|formula| formula.kind == Some(kind))
            .or_else(|| candidates().find(|formula| formula.kind.is_none()))
    };
    if let Some(language) = language {
        if let Some(formula) = of_language(Some(language)) {
            return Some((formula, SalutationRule::Language));
        }
        if let Some(formula) = of_language(Some(&language.base())) {
            return Some((formula, SalutationRule::BaseLanguage));
        }
    }
    of_language(None).map(|formula| (formula, SalutationRule::AnyLanguage))
}

/// Removes what an empty part of a name leaves behind: double blanks, blanks at either end, and the blank before
/// a comma.
///
/// Only the blank U+0020 is touched: a no-break space stands where its author put it.
pub fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    for c in text.trim_matches(' ').chars() {
        match c {
            ' ' if tidied.ends_with([' ', '\n']) => {}
            ',' | '\n' => {
                tidied.truncate(tidied.trim_end_matches(' ').len());
                tidied.push(c);
            }
            _ => tidied.push(c),
        }
    }
    tidied
}

#[cfg(test)]
mod tests {
    use super::{SalutationFormula, SalutationRule, find, tidy};
    use crate::contact::ContactKind;

    fn formula(code: &str, language: &str, kind: Option<ContactKind>, formal: &str) -> SalutationFormula {
        SalutationFormula {
            code: code.to_owned(),
            language: language.parse().ok(),
            kind,
            formal: formal.to_owned(),
            informal: String::new(),
        }
    }

    #[test]
    fn the_language_goes_before_its_base_and_the_base_before_none() {
        let formulas = [
            formula("F", "", None, "Dear Madam"),
            formula("F", "fr", None, "Madame"),
            formula("F", "fr-CH", None, "Chère Madame"),
            formula("F", "fr", Some(ContactKind::Company), "Mesdames"),
            formula("M", "de", None, "Sehr geehrter Herr"),
        ];
        let check = |code: &str, language: &str, kind, expected: Option<(&str, SalutationRule)>| {
            let language = language.parse().ok();
            let found = find(&formulas, code, language.as_ref(), kind);
            let found = found.map(|(formula, rule)| (formula.formal.as_str(), rule));
            assert_eq!(found, expected, "{code} {language:?}");
        };
        use ContactKind::{Company, Person};
        use SalutationRule::{AnyLanguage, BaseLanguage, Language};
        check("F", "fr-CH", Person, Some(("Chère Madame", Language)));
        check("f", "fr-CA", Person, Some(("Madame", BaseLanguage)));
        check("F", "fr", Person, Some(("Madame", Language)));
        check("F", "fr", Company, Some(("Mesdames", Language)));
        check("F", "fr-CA", Company, Some(("Mesdames", BaseLanguage)));
        check("F", "it", Person, Some(("Dear Madam", AnyLanguage)));
        check("F", "", Person, Some(("Dear Madam", AnyLanguage)));
        check("M", "fr", Person, None);
        check("X", "fr", Person, None);
    }

    #[test]
    fn an_empty_part_of_a_name_leaves_no_trace() {
        let check = |text: &str, expected: &str| assert_eq!(tidy(text), expected, "{text:?}");
        check("Dear Ms ,", "Dear Ms,");
        check("Dear  Jana   Roth,", "Dear Jana Roth,");
        check("Hi ", "Hi");
        check(" , hello", ", hello");
        check("Dear Ms Roth,\n dear Mr  Roth ", "Dear Ms Roth,\ndear Mr Roth");
        check("Cher\u{a0}! Jean", "Cher\u{a0}! Jean");
        check("", "");
    }
}
