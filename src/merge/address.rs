//! Owns the lines of an address book: ADDRESSBLOCK and GREETINGLINE formats, and the names that their parts have.

use std::collections::BTreeMap;

use super::xml::Document;

/// A part of the address book that Word maps a column to.
///
/// The order is that of the `w:fieldMapData` entries in the settings, which count by position; Word's own names for
/// them are translated with its menus, so the name in the file says nothing.
///
/// Source: ECMA-376 Part 1 §17.14.15 fieldMapData.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it; `name` gives Word's")]
pub enum AddressPart {
    UniqueIdentifier,
    CourtesyTitle,
    FirstName,
    MiddleName,
    LastName,
    Suffix,
    Nickname,
    JobTitle,
    Company,
    Address1,
    Address2,
    City,
    State,
    PostalCode,
    Country,
    BusinessPhone,
    BusinessFax,
    HomePhone,
    HomeFax,
    Email,
    WebPage,
    PartnerTitle,
    PartnerFirstName,
    PartnerMiddleName,
    PartnerLastName,
    PartnerNickname,
    PhoneticFirstName,
    PhoneticLastName,
    Address3,
    Department,
}

/// All parts, in the order of `w:fieldMapData`; each with Word's name first, then what columns are called for it.
const PARTS: [(AddressPart, &[&str]); 30] = [
    (AddressPart::UniqueIdentifier, &["Unique Identifier", "ID", "No"]),
    (
        AddressPart::CourtesyTitle,
        &["Courtesy Title", "Title", "Salutation", "Prefix", "Anrede", "Titel", "Titre", "Civilité"],
    ),
    (
        AddressPart::FirstName,
        &["First Name", "First", "Given Name", "Forename", "Vorname", "Prénom", "Nombre", "Nome"],
    ),
    (AddressPart::MiddleName, &["Middle Name", "Middle", "Zweiter Vorname"]),
    (
        AddressPart::LastName,
        &["Last Name", "Last", "Surname", "Family Name", "Nachname", "Name", "Nom", "Apellido", "Cognome"],
    ),
    (AddressPart::Suffix, &["Suffix", "Generation"]),
    (AddressPart::Nickname, &["Nickname", "Spitzname"]),
    (AddressPart::JobTitle, &["Job Title", "Position", "Function", "Funktion", "Fonction"]),
    (
        AddressPart::Company,
        &[
            "Company",
            "Company Name",
            "Organization",
            "Organisation",
            "Firma",
            "Société",
            "Entreprise",
            "Empresa",
            "Azienda",
        ],
    ),
    (
        AddressPart::Address1,
        &[
            "Address 1",
            "Address",
            "Street",
            "Street Address",
            "Address Line 1",
            "Adresse",
            "Adresse 1",
            "Strasse",
            "Straße",
            "Rue",
            "Indirizzo",
        ],
    ),
    (AddressPart::Address2, &["Address 2", "Address Line 2", "Adresse 2", "Adresszusatz"]),
    (AddressPart::City, &["City", "Town", "Place", "Ort", "Stadt", "Ville", "Localité", "Ciudad", "Città"]),
    (
        AddressPart::State,
        &["State", "Province", "County", "Region", "Bundesland", "Kanton", "Canton", "Provincia"],
    ),
    (
        AddressPart::PostalCode,
        &[
            "Postal Code",
            "ZIP",
            "ZIP Code",
            "Post Code",
            "PLZ",
            "Postleitzahl",
            "Code postal",
            "NPA",
            "CAP",
            "Código postal",
        ],
    ),
    (
        AddressPart::Country,
        &["Country or Region", "Country", "Country/Region", "Land", "Pays", "País", "Paese"],
    ),
    (
        AddressPart::BusinessPhone,
        &["Business Phone", "Phone", "Work Phone", "Telephone", "Telefon", "Téléphone"],
    ),
    (AddressPart::BusinessFax, &["Business Fax", "Fax", "Work Fax"]),
    (AddressPart::HomePhone, &["Home Phone", "Private Phone"]),
    (AddressPart::HomeFax, &["Home Fax"]),
    (AddressPart::Email, &["E-mail Address", "E-mail", "Mail"]),
    (AddressPart::WebPage, &["Web Page", "Website", "Home Page", "URL"]),
    (AddressPart::PartnerTitle, &["Spouse/Partner Courtesy Title", "Partner Title", "Spouse Title"]),
    (
        AddressPart::PartnerFirstName,
        &["Spouse/Partner First Name", "Partner First Name", "Spouse First Name", "Spouse"],
    ),
    (AddressPart::PartnerMiddleName, &["Spouse/Partner Middle Name", "Partner Middle Name"]),
    (AddressPart::PartnerLastName, &["Spouse/Partner Last Name", "Partner Last Name", "Spouse Last Name"]),
    (AddressPart::PartnerNickname, &["Spouse/Partner Nickname", "Partner Nickname"]),
    (
        AddressPart::PhoneticFirstName,
        &["Phonetic Guide for First Name", "Phonetic First Name", "Yomi First Name"],
    ),
    (
        AddressPart::PhoneticLastName,
        &["Phonetic Guide for Last Name", "Phonetic Last Name", "Yomi Last Name"],
    ),
    (AddressPart::Address3, &["Address 3", "Address Line 3", "Adresse 3"]),
    (AddressPart::Department, &["Department", "Abteilung", "Service"]),
];

/// The format of an ADDRESSBLOCK or GREETINGLINE (`\f`): groups in `<<…>>` and the text between them.
///
/// # Example
///
/// ```
/// use mailrun::merge::address::{AddressFormat, AddressPart};
/// let format = AddressFormat::parse("<<_FIRST0_>><< _LAST0_>>\n<<_CITY_>>");
/// let block = format.address(&Default::default(), |part| match part {
///     AddressPart::LastName => "Lee".to_owned(),
///     _ => String::new(),
/// });
/// assert_eq!(block, "Lee");
/// ```
///
/// Source: ECMA-376 Part 1 §17.16.5 (ADDRESSBLOCK, GREETINGLINE).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressFormat {
    groups: Vec<Group>,
}

/// One group: text, a placeholder, text; or text alone.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    before: String,
    placeholder: Option<Placeholder>,
    after: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Placeholder {
    Part(AddressPart),
    /// What a greeting begins with, whoever is greeted.
    Before,
    /// What a greeting ends with.
    After,
}

/// When the country is shown: `\c` and `\e`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CountryRule {
    /// Never (`\c 0`).
    Never,
    /// Always (`\c 1`, and without a `\c`).
    #[default]
    Always,
    /// Unless it is one of these (`\c 2` with the names of `\e`, separated by `,` or `;`).
    Unless(Vec<String>),
}

impl AddressPart {
    /// Returns the part of a `w:fieldMapData` entry by its position among the entries, from 0.
    pub fn at(position: usize) -> Option<AddressPart> {
        PARTS.get(position).map(|(part, _)| *part)
    }

    /// Returns the part that a name means: Word's own, or what columns are called for it in some languages. Case,
    /// spaces and punctuation do not matter.
    pub fn from_name(name: &str) -> Option<AddressPart> {
        let wanted = plain(name);
        let found = PARTS.iter().find(|(_, names)| names.iter().any(|known| plain(known) == wanted));
        found.map(|(part, _)| *part)
    }

    /// Returns Word's name of the part, in English.
    pub fn name(self) -> &'static str {
        self.names().first().copied().unwrap_or_default()
    }

    /// Returns all names that columns have for the part, Word's first.
    pub fn names(self) -> &'static [&'static str] {
        PARTS.iter().find(|(part, _)| *part == self).map_or(&[], |(_, names)| names)
    }
}

/// Reads from a template's settings which columns Word maps to the parts of its address book: the entries of the data
/// source, by position. Entries without a column are unmapped.
///
/// Source: ECMA-376 Part 1 §17.14.15 fieldMapData.
pub(super) fn mapped_columns(settings: &Document) -> BTreeMap<AddressPart, String> {
    let starts = |at: &usize| settings.tokens()[*at].is_start();
    let mut mapped = BTreeMap::new();
    let mut n_entries = 0;
    for at in (0..settings.tokens().len()).filter(starts) {
        match settings.local(at) {
            "fieldMapData" => n_entries += 1,
            "name" if n_entries > 0 => {
                let column = settings.attribute(at, "val").filter(|column| !column.trim().is_empty());
                let part = AddressPart::at(n_entries - 1);
                mapped.extend(part.zip(column));
            }
            _ => {}
        }
    }
    mapped
}

impl CountryRule {
    /// Reads the arguments of `\c` and `\e`; a missing one is empty.
    pub fn parse(c: &str, e: &str) -> CountryRule {
        match c.trim() {
            "0" => CountryRule::Never,
            "2" => CountryRule::Unless(
                e.split([',', ';'])
                    .map(|name| name.trim().to_owned())
                    .filter(|name| !name.is_empty())
                    .collect(),
            ),
            _ => CountryRule::Always,
        }
    }

    fn shows(&self, country: &str) -> bool {
        match self {
            CountryRule::Never => false,
            CountryRule::Always => true,
            CountryRule::Unless(names) => !names.iter().any(|name| plain(name) == plain(country)),
        }
    }
}

impl AddressFormat {
    /// The format of an ADDRESSBLOCK without `\f`.
    pub const ADDRESS: &'static str = "<<_COMPANY_\n>><<_TITLE0_ >><<_FIRST0_>><< _LAST0_>><< _SUFFIX0_>>\n\
        <<_STREET1_\n>><<_STREET2_\n>><<_CITY_>><<, _STATE_>><< _POSTAL_>><<\n_COUNTRY_>>";
    /// The format of a GREETINGLINE without `\f`.
    pub const GREETING: &'static str = "<<_BEFORE_ Dear >><<_TITLE0_>><< _LAST0_>><<_AFTER_ ,>>";

    /// Parses a format; every text is one. Line breaks of the instruction are `\n`.
    ///
    /// A group whose placeholder is unknown prints its text without it.
    pub fn parse(format: &str) -> AddressFormat {
        let mut groups = Vec::new();
        let mut rest = format;
        while let Some((text, after)) = rest.split_once("<<") {
            push_text(&mut groups, text);
            let (group, after) = after.split_once(">>").unwrap_or((after, ""));
            groups.push(Group::parse(group));
            rest = after;
        }
        push_text(&mut groups, rest);
        AddressFormat { groups }
    }

    /// Returns the parts that the format shows, in order.
    pub fn parts(&self) -> impl Iterator<Item = AddressPart> {
        self.groups.iter().filter_map(Group::part)
    }

    /// Returns the address: each group whose part is not blank, with its text; no blank lines. Lines end with `\n`.
    pub fn address(&self, country: &CountryRule, value: impl Fn(AddressPart) -> String) -> String {
        let mut block = String::new();
        for group in &self.groups {
            let Some(part) = group.part() else {
                block.push_str(&group.before);
                block.push_str(&group.after);
                continue;
            };
            let shown = value(part);
            let is_shown =
                !shown.trim().is_empty() && (part != AddressPart::Country || country.shows(&shown));
            if is_shown {
                block.push_str(&group.before);
                block.push_str(shown.trim());
                block.push_str(&group.after);
            }
        }
        let lines: Vec<&str> = block.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        lines.join("\n")
    }

    /// Returns the greeting; or `fallback`, the argument of `\e`, if one of the parts that are greeted is blank.
    ///
    /// Word keeps the whole sentence in `\e` ("Dear Sir or Madam,"), so it replaces the whole line; only if it does
    /// not begin with the salutation it stands in for the name alone. Not verified in Word.
    pub fn greeting(&self, fallback: &str, value: impl Fn(AddressPart) -> String) -> String {
        let salutation: String = self.texts(Placeholder::Before);
        let ending: String = self.texts(Placeholder::After);
        let shown: Option<Vec<String>> = self
            .parts()
            .map(|part| Some(value(part).trim().to_owned()).filter(|shown| !shown.is_empty()))
            .collect();
        let Some(shown) = shown else {
            let fallback = fallback.trim();
            let is_sentence = fallback.is_empty()
                || fallback.starts_with(salutation.trim())
                || !ending.trim().is_empty() && fallback.ends_with(ending.trim());
            return if is_sentence { fallback.to_owned() } else { format!("{salutation}{fallback}{ending}") };
        };
        let mut shown = shown.into_iter();
        let mut line = String::new();
        for group in &self.groups {
            line.push_str(&group.before);
            if group.part().is_some() {
                line.push_str(&shown.next().unwrap_or_default());
            }
            line.push_str(&group.after);
        }
        // Word writes a break between name and ending into the code, and shows the greeting on one line.
        line.split('\n').map(str::trim_end).collect()
    }

    fn texts(&self, placeholder: Placeholder) -> String {
        let groups = self.groups.iter().filter(|group| group.placeholder == Some(placeholder));
        groups.map(|group| format!("{}{}", group.before, group.after)).collect()
    }
}

impl Group {
    fn parse(group: &str) -> Group {
        for (start, _) in group.match_indices('_') {
            let Some(end) = group[start + 1..].find('_').map(|at| start + 1 + at + 1) else { break };
            if let Some(placeholder) = Placeholder::parse(&group[start..end]) {
                let after = &group[end..];
                // After the marks of a greeting, one blank only separates: `_BEFORE_ Dear ` shows `Dear `.
                let after = match placeholder {
                    Placeholder::Before | Placeholder::After => after.strip_prefix(' ').unwrap_or(after),
                    Placeholder::Part(_) => after,
                };
                return Group {
                    before: group[..start].to_owned(),
                    placeholder: Some(placeholder),
                    after: after.to_owned(),
                };
            }
        }
        Group { before: group.to_owned(), placeholder: None, after: String::new() }
    }

    fn part(&self) -> Option<AddressPart> {
        match self.placeholder {
            Some(Placeholder::Part(part)) => Some(part),
            Some(Placeholder::Before | Placeholder::After) | None => None,
        }
    }
}

impl Placeholder {
    fn parse(placeholder: &str) -> Option<Placeholder> {
        Some(Placeholder::Part(match placeholder.to_ascii_uppercase().as_str() {
            "_BEFORE_" => return Some(Placeholder::Before),
            "_AFTER_" => return Some(Placeholder::After),
            "_TITLE0_" => AddressPart::CourtesyTitle,
            "_NICK0_" => AddressPart::Nickname,
            "_FIRST0_" => AddressPart::FirstName,
            "_MIDDLE0_" => AddressPart::MiddleName,
            "_LAST0_" => AddressPart::LastName,
            "_SUFFIX0_" => AddressPart::Suffix,
            "_TITLE1_" => AddressPart::PartnerTitle,
            "_NICK1_" => AddressPart::PartnerNickname,
            "_FIRST1_" => AddressPart::PartnerFirstName,
            "_MIDDLE1_" => AddressPart::PartnerMiddleName,
            "_LAST1_" => AddressPart::PartnerLastName,
            "_COMPANY_" => AddressPart::Company,
            "_STREET1_" => AddressPart::Address1,
            "_STREET2_" => AddressPart::Address2,
            "_CITY_" => AddressPart::City,
            "_STATE_" => AddressPart::State,
            "_POSTAL_" => AddressPart::PostalCode,
            "_COUNTRY_" => AddressPart::Country,
            _ => return None,
        }))
    }
}

fn push_text(groups: &mut Vec<Group>, text: &str) {
    if !text.is_empty() {
        groups.push(Group { before: text.to_owned(), placeholder: None, after: String::new() });
    }
}

/// A name without case, spaces and punctuation.
fn plain(name: &str) -> String {
    name.chars().filter(|sign| sign.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{AddressFormat, AddressPart, CountryRule};

    fn value(values: &[(&str, &str)]) -> impl Fn(AddressPart) -> String {
        move |part| {
            let found = values.iter().find(|(name, _)| AddressPart::from_name(name) == Some(part));
            found.map(|(_, value)| (*value).to_owned()).unwrap_or_default()
        }
    }

    const FORMAT: &str = "<<_COMPANY_\n>><<_FIRST0_>><< _LAST0_>><< _SUFFIX0_>>\n<<_STREET1_\n>><<_CITY_>>\
        <<, _STATE_>><< _POSTAL_>><<\n_COUNTRY_>>";

    fn check_address(values: &[(&str, &str)], country: &CountryRule, expected: &str) {
        assert_eq!(AddressFormat::parse(FORMAT).address(country, value(values)), expected);
    }

    #[test]
    fn an_address_shows_the_groups_that_are_not_blank() {
        // b.6, cached by Word in a real file but for the blank line before the name, which Word had from the data.
        let person = [("Company", "ТПУ"), ("First Name", "Людмила"), ("Last Name", "Ивановна")];
        check_address(&person, &CountryRule::Always, "ТПУ\nЛюдмила Ивановна");
        let whole = [
            ("First Name", "Ann"),
            ("Last Name", "Lee"),
            ("Suffix", "Jr."),
            ("Address 1", "1 Main St"),
            ("City", "Springfield"),
            ("State", "IL"),
            ("Postal Code", "62701"),
            ("Country", "USA"),
        ];
        check_address(&whole, &CountryRule::Always, "Ann Lee Jr.\n1 Main St\nSpringfield, IL 62701\nUSA");
        check_address(&[], &CountryRule::Always, "");
        check_address(&[("Last Name", "Lee")], &CountryRule::Always, "Lee");
    }

    #[test]
    fn the_country_is_shown_by_its_rule() {
        let values = [("City", "Томск"), ("Country", "Россия")];
        check_address(&values, &CountryRule::parse("0", ""), "Томск");
        check_address(&values, &CountryRule::parse("1", "Россия"), "Томск\nРоссия");
        check_address(&values, &CountryRule::parse("2", "Россия"), "Томск");
        check_address(&values, &CountryRule::parse("2", "Schweiz; россия"), "Томск");
        check_address(&values, &CountryRule::parse("2", "Schweiz"), "Томск\nРоссия");
        check_address(&values, &CountryRule::parse("", ""), "Томск\nРоссия");
    }

    fn check_greeting(fallback: &str, values: &[(&str, &str)], expected: &str) {
        let format = AddressFormat::parse("<<_BEFORE_ Dear >><<_TITLE0_>><< _LAST0_>>\n<<_AFTER_ ,>>");
        assert_eq!(format.greeting(fallback, value(values)), expected);
    }

    #[test]
    fn a_greeting_falls_back_when_a_part_is_blank() {
        let doe = [("Title", "Mr."), ("Last Name", "Doe")];
        check_greeting("Dear Sir or Madam,", &doe, "Dear Mr. Doe,"); // b.6
        check_greeting("Dear Sir or Madam,", &[("Last Name", "Doe")], "Dear Sir or Madam,"); // P
        check_greeting("Dear Sir or Madam,", &[("Title", "Mr.")], "Dear Sir or Madam,"); // P
        check_greeting("Friend", &[], "Dear Friend,"); // ?
        check_greeting("To whom it may concern,", &[], "To whom it may concern,"); // ?
        check_greeting("", &[], "");
    }

    #[test]
    fn mapped_entries_count_by_position() {
        let check = |position: usize, name: &str| {
            assert_eq!(AddressPart::at(position - 1).map(AddressPart::name), Some(name));
        };
        check(1, "Unique Identifier");
        check(9, "Company");
        check(17, "Business Fax");
        check(22, "Spouse/Partner Courtesy Title");
        check(30, "Department");
        assert_eq!(AddressPart::at(30), None);
    }

    #[test]
    fn names_are_known_in_several_languages() {
        for (name, part) in [
            ("zip code", AddressPart::PostalCode),
            ("PLZ", AddressPart::PostalCode),
            ("Post_Code", AddressPart::PostalCode),
            ("Email", AddressPart::Email),
            ("First_Name", AddressPart::FirstName),
            ("Business Fax", AddressPart::BusinessFax),
        ] {
            assert_eq!(AddressPart::from_name(name), Some(part), "{name}");
        }
        assert_eq!(AddressPart::from_name("Shoe size"), None);
        assert_eq!(AddressPart::from_name(""), None);
    }

    proptest! {
        #[test]
        fn any_format_is_taken(format in "(<<|>>|_|_CITY_|_BEFORE_|,|\\n|\\PC){0,20}") {
            let format = AddressFormat::parse(&format);
            format.address(&CountryRule::Always, |_| "x".to_owned());
            format.greeting("x", |_| String::new());
        }
    }
}
