//! Owns who is written to: contacts, alternative addresses, salutations, consent, import.

pub mod language;
pub mod address;
pub mod salutation;
pub mod consent;
pub mod inheritance;
pub mod table;
pub mod import;

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use address::PostalAddress;
use language::Language;

/// The text fields that a template can show, in the order of the documentation: `contact.no`, `contact.type`, …
pub const CONTACT_FIELDS: &[&str] = &[
    "no",
    "type",
    "company_no",
    "company_name",
    "name",
    "name_2",
    "first_name",
    "middle_name",
    "surname",
    "initials",
    "job_title",
    "address",
    "address_2",
    "post_code",
    "city",
    "county",
    "country",
    "phone",
    "mobile",
    "fax",
    "email",
    "home_page",
    "vat_no",
    "language",
    "external_id",
];

/// The fields that set something up instead of being shown: preferences, consent, household.
pub const SETUP_FIELDS: &[&str] = &[
    "correspondence_type",
    "salutation_code",
    "salesperson",
    "exclude_from_segment",
    "privacy_blocked",
    "minor",
    "parental_consent",
    "no_mail",
    "no_email",
    "household",
];

/// The number of a contact: any text that is not empty, as the data has it.
///
/// It is data, not a file name: `../../x` is a valid number, and whoever makes a path of it has to make it safe.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ContactNo(String);

impl ContactNo {
    /// Takes the number as it was written.
    pub fn new(no: impl Into<String>) -> ContactNo {
        ContactNo(no.into())
    }

    /// Returns the number as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ContactNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for ContactNo {
    fn from(no: &str) -> ContactNo {
        ContactNo(no.to_owned())
    }
}

impl From<String> for ContactNo {
    fn from(no: String) -> ContactNo {
        ContactNo(no)
    }
}

/// What a contact is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContactKind {
    /// A person, who may belong to a company.
    #[default]
    Person,
    /// A company.
    Company,
}

impl ContactKind {
    /// Every kind, as it is written.
    pub const NAMES: &[&str] = &["person", "company"];

    /// Returns the kind as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            ContactKind::Person => "person",
            ContactKind::Company => "company",
        }
    }

    /// Reads a kind without regard to case.
    pub fn parse(text: &str) -> Option<ContactKind> {
        [ContactKind::Person, ContactKind::Company]
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for ContactKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a contact is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CorrespondenceType {
    /// A letter on paper.
    HardCopy,
    /// An e-mail message.
    Email,
    /// A fax, delivered by an e-mail-to-fax gateway.
    Fax,
}

impl CorrespondenceType {
    /// Every correspondence type, as it is written.
    pub const NAMES: &[&str] = &["hard-copy", "email", "fax"];

    /// Returns the correspondence type as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            CorrespondenceType::HardCopy => "hard-copy",
            CorrespondenceType::Email => "email",
            CorrespondenceType::Fax => "fax",
        }
    }

    /// Reads a correspondence type without regard to case, blanks, underscores and hyphens: `E-Mail`, `Hard Copy`.
    pub fn parse(text: &str) -> Option<CorrespondenceType> {
        let folded = fold_name(text);
        [CorrespondenceType::HardCopy, CorrespondenceType::Email, CorrespondenceType::Fax]
            .into_iter()
            .find(|kind| fold_name(kind.as_str()) == folded)
    }
}

impl fmt::Display for CorrespondenceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A person or a company. A text field is empty where the data has nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "each text field is the documented column of its name")]
pub struct Contact {
    pub no: ContactNo,
    #[serde(rename = "type")]
    pub kind: ContactKind,
    pub company_no: String,
    pub company_name: String,
    pub name: String,
    pub name_2: String,
    pub first_name: String,
    pub middle_name: String,
    pub surname: String,
    pub initials: String,
    pub job_title: String,
    pub address: String,
    pub address_2: String,
    pub post_code: String,
    pub city: String,
    pub county: String,
    /// An ISO 3166-1 code (`CH`), or the name of a country as it was written.
    pub country: String,
    pub phone: String,
    pub mobile: String,
    pub fax: String,
    pub email: String,
    pub home_page: String,
    pub vat_no: String,
    /// A language tag, such as `fr` or `fr-CH`; [`Contact::language_tag`] reads it.
    pub language: String,
    pub external_id: String,
    /// The type the contact prefers.
    pub correspondence_type: Option<CorrespondenceType>,
    pub salutation_code: String,
    /// The code of the salesperson who looks after the contact.
    pub salesperson: String,
    pub exclude_from_segment: bool,
    pub privacy_blocked: bool,
    pub minor: bool,
    pub parental_consent: bool,
    pub no_mail: bool,
    pub no_email: bool,
    /// What the members of one household have in common: any text.
    pub household: String,
    /// Every further column of the import, in file order: its header as written, and the contact's value.
    pub columns: Vec<(String, String)>,
}

/// A value that a contact's field cannot take.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FieldError {
    /// The contact has no field of this name.
    #[error("a contact has no field `{name}`")]
    UnknownField {
        /// The name as it was given.
        name: String,
    },
    /// The contact number is empty.
    #[error("the contact number is empty")]
    EmptyNo,
    /// The value is none of those that the field can have.
    #[error("`{value}` is no {what}")]
    NotOneOf {
        /// The value as it was given.
        value: String,
        /// What the field holds: `contact type`, `correspondence type`.
        what: &'static str,
        /// The values that the field can have.
        expected: &'static [&'static str],
    },
    /// The value is neither true nor false.
    #[error("`{value}` is neither true nor false")]
    NotABool {
        /// The value as it was given.
        value: String,
    },
    /// The value is no language tag.
    #[error("`{value}` is no language tag")]
    NotALanguage {
        /// The value as it was given.
        value: String,
    },
}

impl FieldError {
    /// Returns the stable name of this error.
    pub fn id(&self) -> &'static str {
        match self {
            FieldError::UnknownField { .. } => "unknown-field",
            FieldError::EmptyNo => "empty-no",
            FieldError::NotOneOf { .. } => "not-one-of",
            FieldError::NotABool { .. } => "not-a-bool",
            FieldError::NotALanguage { .. } => "not-a-language",
        }
    }

    /// Says what to do, where that is sure.
    pub fn help(&self) -> Option<String> {
        match self {
            FieldError::UnknownField { name } => did_you_mean(name, all_fields()),
            FieldError::EmptyNo => Some("give every contact a number of its own".to_owned()),
            FieldError::NotOneOf { value, expected, .. } => did_you_mean(value, expected.iter().copied())
                .or_else(|| Some(format!("write {}", one_of(expected)))),
            FieldError::NotABool { .. } => {
                Some("write `true` or `false`, `yes` or `no`, `1` or `0`".to_owned())
            }
            FieldError::NotALanguage { .. } => Some("write a tag such as `fr` or `fr-CH`".to_owned()),
        }
    }
}

impl Contact {
    /// Returns the value of a field of [`CONTACT_FIELDS`] or [`SETUP_FIELDS`]; nothing for any other name.
    ///
    /// Truth values read `true` and `false`; a correspondence type that is not set is empty.
    pub fn field(&self, name: &str) -> Option<&str> {
        let value = match name {
            "no" => self.no.as_str(),
            "type" => self.kind.as_str(),
            "correspondence_type" => self.correspondence_type.map_or("", CorrespondenceType::as_str),
            "exclude_from_segment" => bool_text(self.exclude_from_segment),
            "privacy_blocked" => bool_text(self.privacy_blocked),
            "minor" => bool_text(self.minor),
            "parental_consent" => bool_text(self.parental_consent),
            "no_mail" => bool_text(self.no_mail),
            "no_email" => bool_text(self.no_email),
            "company_no" => &self.company_no,
            "company_name" => &self.company_name,
            "name" => &self.name,
            "name_2" => &self.name_2,
            "first_name" => &self.first_name,
            "middle_name" => &self.middle_name,
            "surname" => &self.surname,
            "initials" => &self.initials,
            "job_title" => &self.job_title,
            "address" => &self.address,
            "address_2" => &self.address_2,
            "post_code" => &self.post_code,
            "city" => &self.city,
            "county" => &self.county,
            "country" => &self.country,
            "phone" => &self.phone,
            "mobile" => &self.mobile,
            "fax" => &self.fax,
            "email" => &self.email,
            "home_page" => &self.home_page,
            "vat_no" => &self.vat_no,
            "language" => &self.language,
            "external_id" => &self.external_id,
            "salutation_code" => &self.salutation_code,
            "salesperson" => &self.salesperson,
            "household" => &self.household,
            _ => return None,
        };
        Some(value)
    }

    /// Sets a field of [`CONTACT_FIELDS`] or [`SETUP_FIELDS`] from its text.
    ///
    /// An empty text sets a truth value to false, the kind to `person` and the correspondence type to none.
    ///
    /// # Errors
    ///
    /// A [`FieldError`] if there is no such field, or the text is not one that the field can hold; the contact
    /// is then as it was.
    pub fn set_field(&mut self, name: &str, value: String) -> Result<(), FieldError> {
        let field = match name {
            "no" if value.is_empty() => return Err(FieldError::EmptyNo),
            "no" => &mut self.no.0,
            "type" => {
                self.kind = read_enum(value, "contact type", ContactKind::NAMES, ContactKind::parse)?
                    .unwrap_or_default();
                return Ok(());
            }
            "correspondence_type" => {
                let names = CorrespondenceType::NAMES;
                self.correspondence_type =
                    read_enum(value, "correspondence type", names, CorrespondenceType::parse)?;
                return Ok(());
            }
            "language" => {
                self.language = read_language(value)?;
                return Ok(());
            }
            "exclude_from_segment" => return set_bool(&mut self.exclude_from_segment, value),
            "privacy_blocked" => return set_bool(&mut self.privacy_blocked, value),
            "minor" => return set_bool(&mut self.minor, value),
            "parental_consent" => return set_bool(&mut self.parental_consent, value),
            "no_mail" => return set_bool(&mut self.no_mail, value),
            "no_email" => return set_bool(&mut self.no_email, value),
            "company_no" => &mut self.company_no,
            "company_name" => &mut self.company_name,
            "name" => &mut self.name,
            "name_2" => &mut self.name_2,
            "first_name" => &mut self.first_name,
            "middle_name" => &mut self.middle_name,
            "surname" => &mut self.surname,
            "initials" => &mut self.initials,
            "job_title" => &mut self.job_title,
            "address" => &mut self.address,
            "address_2" => &mut self.address_2,
            "post_code" => &mut self.post_code,
            "city" => &mut self.city,
            "county" => &mut self.county,
            "country" => &mut self.country,
            "phone" => &mut self.phone,
            "mobile" => &mut self.mobile,
            "fax" => &mut self.fax,
            "email" => &mut self.email,
            "home_page" => &mut self.home_page,
            "vat_no" => &mut self.vat_no,
            "external_id" => &mut self.external_id,
            "salutation_code" => &mut self.salutation_code,
            "salesperson" => &mut self.salesperson,
            "household" => &mut self.household,
            _ => return Err(FieldError::UnknownField { name: name.to_owned() }),
        };
        *field = value;
        Ok(())
    }

    /// Returns the value of a further column of the import, by its header as written.
    pub fn column(&self, header: &str) -> Option<&str> {
        self.columns.iter().find(|(name, _)| name == header).map(|(_, value)| value.as_str())
    }

    /// Returns the contact's language, if it has one that can be read.
    pub fn language_tag(&self) -> Option<Language> {
        self.language.parse().ok()
    }

    /// Returns the contact's own postal address.
    pub fn postal_address(&self) -> PostalAddress {
        PostalAddress {
            address: self.address.clone(),
            address_2: self.address_2.clone(),
            post_code: self.post_code.clone(),
            city: self.city.clone(),
            county: self.county.clone(),
            country: self.country.clone(),
        }
    }

    /// Returns the contact's name: as written, else put together from its parts, else the company's.
    pub fn full_name(&self) -> String {
        if !self.name.is_empty() {
            return self.name.clone();
        }
        let parts = [&self.first_name, &self.middle_name, &self.surname];
        let parts: Vec<&str> =
            parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        if parts.is_empty() { self.company_name.clone() } else { parts.join(" ") }
    }
}

/// Reads a truth value in any case: true, yes, 1; false, no, 0, and the empty text.
pub fn parse_bool(text: &str) -> Option<bool> {
    let is = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(text));
    if is(&["true", "yes", "1"]) {
        Some(true)
    } else if is(&["false", "no", "0", ""]) {
        Some(false)
    } else {
        None
    }
}

fn bool_text(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

fn set_bool(field: &mut bool, value: String) -> Result<(), FieldError> {
    *field = parse_bool(&value).ok_or(FieldError::NotABool { value })?;
    Ok(())
}

fn read_enum<T>(
    value: String,
    what: &'static str,
    expected: &'static [&'static str],
    parse: fn(&str) -> Option<T>,
) -> Result<Option<T>, FieldError> {
    if value.is_empty() {
        return Ok(None);
    }
    match parse(&value) {
        Some(parsed) => Ok(Some(parsed)),
        None => Err(FieldError::NotOneOf { value, what, expected }),
    }
}

fn read_language(value: String) -> Result<String, FieldError> {
    if value.is_empty() {
        return Ok(value);
    }
    match value.parse::<Language>() {
        Ok(language) => Ok(language.into()),
        Err(_) => Err(FieldError::NotALanguage { value }),
    }
}

/// Every field name of a contact, texts first.
pub(crate) fn all_fields() -> impl Iterator<Item = &'static str> {
    CONTACT_FIELDS.iter().chain(SETUP_FIELDS).copied()
}

/// Folds a name to what two spellings have in common: lower case, without blanks, underscores, dots and hyphens.
pub(crate) fn fold_name(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '.' | '-'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Names the candidate nearest to what was written, if one is near enough to be meant.
pub(crate) fn did_you_mean<'a>(written: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let folded: Vec<char> = fold_name(written).chars().take(64).collect();
    let limit = (folded.len() / 3).clamp(1, 3);
    candidates
        .map(|candidate| (distance(&folded, &fold_name(candidate).chars().collect::<Vec<_>>()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| format!("did you mean `{candidate}`?"))
}

/// Writes a choice: `person` or `company`.
pub(crate) fn one_of(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [all @ .., last] => {
            let all: Vec<String> = all.iter().map(|name| format!("`{name}`")).collect();
            format!("{} or `{last}`", all.join(", "))
        }
    }
}

/// Counts the letters to change, add, drop or swap with their neighbour (optimal string alignment).
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (row, l) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, r) in right.iter().enumerate() {
            let changed = above[column] + usize::from(l != r);
            let mut best = changed.min(above[column + 1] + 1).min(current[column] + 1);
            if row > 0 && column > 0 && *l == right[column - 1] && left[row - 1] == *r {
                best = best.min(before[column - 1] + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut above, current);
    }
    above[right.len()]
}
