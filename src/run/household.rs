//! Owns the household rule: the persons of one household on a segment get one letter, with their names joined.
//!
//! Where the header says so, lines whose contacts have the same `household`, or else the same postal address, are one
//! letter: that of the first line. The other lines are logged only, and say whose letter it was. A line on which
//! something is set, a person of a company, a contact that does not want every kind of post, and one with an address on
//! the suppression list stay letters of their own, so that nobody is named in a letter who asked for none; so do persons
//! who have another language or prefer another correspondence type.

use crate::contact::Contact;
use crate::contact::language::Language;
use crate::interaction::{EffectiveInteraction, Standing};
use crate::run::records::LineRecord;
use crate::segment::LineNo;

/// How a line stands in its household.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Household {
    /// It is a letter of its own.
    #[default]
    Alone,
    /// It is the letter of the household, for these others, too.
    Head(Vec<Contact>),
    /// The letter is that of another line.
    Member(LineNo),
}

/// Whether the persons of a household get one letter together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HouseholdRule {
    /// Each person gets a letter.
    OneLetterEach,
    /// A household gets one letter.
    OneLetterTogether,
}

/// Lets a line whose letter is another's be logged only.
pub(in crate::run) fn join<'a>(
    record: &LineRecord,
    mut effective: EffectiveInteraction<'a>,
) -> EffectiveInteraction<'a> {
    if let (Household::Member(head), Standing::Due(_)) = (&record.household, effective.standing) {
        effective.standing = Standing::Joined(*head);
    }
    effective
}

/// Returns everybody of the household, the first line's contact first; a contact who is on several lines once.
pub(in crate::run) fn members<'a>(contact: &'a Contact, household: &'a Household) -> Vec<&'a Contact> {
    let mut members = vec![contact];
    if let Household::Head(others) = household {
        for other in others {
            if members.iter().all(|member| member.no != other.no) {
                members.push(other);
            }
        }
    }
    members
}

/// Joins the names of a household: `Ann and Ben Roth` where they share the surname, else the whole names.
pub(in crate::run) fn joined_name(members: &[&Contact], language: Option<&Language>) -> String {
    let surname = members.first().map_or("", |first| first.surname.as_str());
    let shares = !surname.is_empty()
        && members.iter().all(|member| member.surname == surname && !member.first_name.is_empty());
    if shares {
        let names: Vec<String> = members.iter().map(|member| member.first_name.clone()).collect();
        return format!("{} {surname}", joined(&names, language));
    }
    joined(&members.iter().map(|member| member.full_name()).collect::<Vec<_>>(), language)
}

/// Joins greetings: `Dear Ms Roth,` and `Dear Mr Alder,` become `Dear Ms Roth, dear Mr Alder,`.
pub(in crate::run) fn joined_greeting(greetings: &[String]) -> String {
    let mut text = String::new();
    for greeting in greetings.iter().map(|greeting| greeting.trim()).filter(|greeting| !greeting.is_empty()) {
        if text.is_empty() {
            greeting.clone_into(&mut text);
            continue;
        }
        let kept = text.trim_end_matches([',', '!', ' ']).len();
        text.truncate(kept);
        text.push_str(", ");
        let mut letters = greeting.chars();
        text.extend(letters.next().into_iter().flat_map(char::to_lowercase));
        text.push_str(letters.as_str());
    }
    text
}

fn joined(names: &[String], language: Option<&Language>) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [all @ .., last] => format!("{} {} {last}", all.join(", "), and(language)),
    }
}

/// The word between the last two of a list, by language; a sign that all understand where it is not known.
fn and(language: Option<&Language>) -> &'static str {
    match language.map(Language::base).as_ref().map(Language::as_str) {
        Some("en") => "and",
        Some("de") => "und",
        Some("fr") => "et",
        Some("it" | "pt") => "e",
        Some("es") => "y",
        Some("nl") => "en",
        Some("da" | "nb" | "no") => "og",
        Some("sv") => "och",
        _ => "&",
    }
}

#[cfg(test)]
mod tests {
    use super::{joined_greeting, joined_name};
    use crate::contact::Contact;

    fn person(first_name: &str, surname: &str) -> Contact {
        Contact { first_name: first_name.into(), surname: surname.into(), ..Contact::default() }
    }

    #[test]
    fn names_of_a_household_are_joined_in_its_language() {
        let check = |people: &[(&str, &str)], language: &str, expected: &str| {
            let people: Vec<Contact> = people.iter().map(|(first, last)| person(first, last)).collect();
            let people: Vec<&Contact> = people.iter().collect();
            assert_eq!(joined_name(&people, language.parse().ok().as_ref()), expected);
        };
        check(&[("Ann", "Roth"), ("Ben", "Roth")], "de-CH", "Ann und Ben Roth");
        check(&[("Ann", "Roth"), ("Ben", "Alder"), ("Cy", "Roth")], "en", "Ann Roth, Ben Alder and Cy Roth");
        check(&[("", "Roth"), ("Ben", "Roth")], "", "Roth & Ben Roth");
    }

    #[test]
    fn greetings_of_a_household_become_one() {
        let check = |greetings: &[&str], expected: &str| {
            let greetings: Vec<String> = greetings.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(joined_greeting(&greetings), expected);
        };
        check(&["Dear Ms Roth,", "Dear Mr Alder,"], "Dear Ms Roth, dear Mr Alder,");
        check(&["Chère Madame", "Cher Monsieur"], "Chère Madame, cher Monsieur");
        check(&["Hi Ann!", "", "Hi Ben!"], "Hi Ann, hi Ben!");
    }
}
