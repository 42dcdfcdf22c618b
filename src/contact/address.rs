//! Owns postal addresses: which one holds on a date, and its lines on the envelope by the rules of its country.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Contact, ContactKind, ContactNo};

mod country;
mod form;
#[cfg(test)]
mod formats;
pub use country::{country_code, country_name};
use form::{NameOrder, Reach};

/// Where post goes, without the name. A field is empty where there is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PostalAddress {
    /// Street and house number; may hold line breaks.
    pub address: String,
    /// What else the house needs: floor, suite, building.
    pub address_2: String,
    /// The post code as written.
    pub post_code: String,
    /// The city.
    pub city: String,
    /// The county, state or province, where the country's addresses have one.
    pub county: String,
    /// An ISO 3166-1 code, or the name of a country.
    pub country: String,
}

impl PostalAddress {
    /// Tells whether a letter can be sent there: there is a street or box, and a city or a post code.
    pub fn is_complete(&self) -> bool {
        let has = |field: &String| !field.trim().is_empty();
        (has(&self.address) || has(&self.address_2)) && (has(&self.city) || has(&self.post_code))
    }
}

/// Another address of a contact: by its code where a line names it, or on its dates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AlternativeAddress {
    /// Whose it is.
    pub contact: ContactNo,
    /// Its code, of which a contact has each once per range.
    pub code: String,
    /// The first day it holds; none: from ever.
    pub starting_date: Option<Date>,
    /// The last day it holds; none: for ever.
    pub ending_date: Option<Date>,
    /// The company there; empty: the contact's own name lines stand.
    pub company_name: String,
    /// The address itself.
    #[serde(flatten)]
    pub address: PostalAddress,
    /// The phone number there.
    pub phone: String,
    /// The mobile number there.
    pub mobile: String,
    /// The fax number there.
    pub fax: String,
    /// The e-mail address there.
    pub email: String,
}

impl AlternativeAddress {
    /// The fields, in the order of tables.
    pub const FIELDS: &[&str] = &[
        "contact",
        "code",
        "starting_date",
        "ending_date",
        "company_name",
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
    ];

    /// Returns a field's text; empty where it is not set, and for a name that is none of the fields.
    pub fn field(&self, name: &str) -> String {
        let date = |date: Option<Date>| date.map(|date| date.to_string()).unwrap_or_default();
        match name {
            "contact" => self.contact.to_string(),
            "starting_date" => date(self.starting_date),
            "ending_date" => date(self.ending_date),
            "code" => self.code.clone(),
            "company_name" => self.company_name.clone(),
            "address" => self.address.address.clone(),
            "address_2" => self.address.address_2.clone(),
            "post_code" => self.address.post_code.clone(),
            "city" => self.address.city.clone(),
            "county" => self.address.county.clone(),
            "country" => self.address.country.clone(),
            "phone" => self.phone.clone(),
            "mobile" => self.mobile.clone(),
            "fax" => self.fax.clone(),
            "email" => self.email.clone(),
            _ => String::new(),
        }
    }

    /// Tells whether the address holds on a date, both ends included.
    ///
    /// An address without any date never holds by itself: it is used where a line names its code.
    pub fn is_valid_on(&self, date: Date) -> bool {
        (self.starting_date.is_some() || self.ending_date.is_some())
            && self.starting_date.is_none_or(|start| start <= date)
            && self.ending_date.is_none_or(|end| date <= end)
    }
}

/// Returns the address that holds on a date: of those valid, the one with the latest start, then the first.
pub fn valid_on(addresses: &[AlternativeAddress], date: Date) -> Option<&AlternativeAddress> {
    // `max_by_key` returns the last of equals; reversed, that is the first as written.
    addresses
        .iter()
        .rev()
        .filter(|address| address.is_valid_on(date))
        .max_by_key(|address| address.starting_date)
}

/// Returns the lines that name the contact, in the order of the country: the company above the person, or below.
///
/// `country` is that of the address the letter goes to.
pub fn name_lines(contact: &Contact, country: &str) -> Vec<String> {
    let name = contact.full_name();
    let mut lines = match contact.kind {
        ContactKind::Company => vec![name, contact.name_2.clone()],
        ContactKind::Person if contact.company_name == name => vec![name, contact.name_2.clone()],
        ContactKind::Person => match form::name_order(country_code(country).unwrap_or_default()) {
            NameOrder::CompanyFirst => vec![contact.company_name.clone(), name, contact.name_2.clone()],
            NameOrder::PersonFirst => vec![name, contact.name_2.clone(), contact.company_name.clone()],
        },
    };
    lines.retain(|line| !line.trim().is_empty());
    lines
}

/// Returns the lines of an address as they go on the envelope, none of them blank.
///
/// First the name lines, then street, additions and place in the form of the country, and last the country in English
/// capitals, if it is not the sender's; abroad, and where a country's own post asks for it, post code, city and county are in
/// capitals too. Within one country, or where either is not known by name, no guess is made: an empty country is the sender's
/// own, and a name that is no ISO 3166-1 country is written as it stands.
///
/// Source: UPU, Addressing issues: the last line of international mail is the name of the country of destination,
/// in capitals, preferably in full and in an internationally known language.
pub fn address_block(
    name_lines: &[impl AsRef<str>],
    address: &PostalAddress,
    sender_country: &str,
) -> Vec<String> {
    let country = if address.country.trim().is_empty() { sender_country } else { &address.country };
    let destination = country_line(&address.country, sender_country);
    let reach = if destination.is_some() { Reach::Abroad } else { Reach::Home };
    let mut block = Vec::new();
    for line in name_lines {
        push(&mut block, line.as_ref());
    }
    block.extend(form::lines(address, country_code(country).unwrap_or_default(), reach));
    block.extend(destination);
    block
}

/// Adds the lines of a text that are not blank.
fn push(block: &mut Vec<String>, text: &str) {
    block.extend(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
}

fn country_line(country: &str, sender_country: &str) -> Option<String> {
    let country = country.trim();
    if country.is_empty() {
        return None;
    }
    match (country_code(country), country_code(sender_country)) {
        (Some(there), Some(here)) if there == here => None,
        (Some(there), _) => country_name(there).map(str::to_uppercase),
        (None, _) if country.to_lowercase() == sender_country.trim().to_lowercase() => None,
        (None, _) => Some(country.to_uppercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::{AlternativeAddress, PostalAddress, address_block, name_lines, valid_on};
    use crate::contact::{Contact, ContactKind};

    /// `address` is street, second line, post code, city, county, country, parted by `|`.
    fn check(address: &str, sender_country: &str, expected: &[&str]) {
        let parts: Vec<String> = address.split('|').map(str::to_owned).collect();
        let [address, address_2, post_code, city, county, country] = parts.try_into().unwrap();
        let postal = PostalAddress { address, address_2, post_code, city, county, country };
        assert_eq!(address_block(&["Jana Roth"], &postal, sender_country)[1..], *expected, "{postal:?}");
    }

    #[test]
    fn the_country_stands_last_in_capitals_only_abroad() {
        check("Damm 1||20095|Hamburg||de", "CH", &["Damm 1", "20095 HAMBURG", "GERMANY"]);
        check("Damm 1||20095|Hamburg||Germany", "DE", &["Damm 1", "20095 Hamburg"]);
        check("Damm 1||20095|Hamburg||", "CH", &["Damm 1", "20095 Hamburg"]);
        check("Damm 1||20095|Hamburg||Atlantis", "CH", &["Damm 1", "20095 HAMBURG", "ATLANTIS"]);
        check("1 High St||AB1 2CD|Leeds||UK", "DE", &["1 High St", "LEEDS", "AB1 2CD", "UNITED KINGDOM"]);
    }

    #[test]
    fn no_line_is_blank() {
        check("|||||", "CH", &[]);
        check(" \n Hof \r\n\n Haus 2 | |  |Bern||CH", "CH", &["Hof", "Haus 2", "Bern"]);
        check("Strada 1|||Springfield||US", "US", &["Strada 1", "SPRINGFIELD"]);
    }

    #[test]
    fn the_company_stands_above_the_person_or_below_by_country() {
        let mut person = Contact {
            first_name: "Jana".to_owned(),
            surname: "Roth".to_owned(),
            company_name: "Nord AG".to_owned(),
            ..Contact::default()
        };
        assert_eq!(name_lines(&person, "CH"), ["Nord AG", "Jana Roth"]);
        assert_eq!(name_lines(&person, "US"), ["Jana Roth", "Nord AG"]);
        person.name = "Dr. Jana Roth".to_owned();
        person.name_2 = "Einkauf".to_owned();
        assert_eq!(name_lines(&person, "DE"), ["Nord AG", "Dr. Jana Roth", "Einkauf"]);
        person.kind = ContactKind::Company;
        assert_eq!(name_lines(&person, "DE"), ["Dr. Jana Roth", "Einkauf"]);
        assert!(name_lines(&Contact::default(), "DE").is_empty());
    }

    #[test]
    fn of_the_addresses_valid_on_a_date_the_latest_start_wins() {
        let address = |code: &str, start: &str, end: &str| AlternativeAddress {
            code: code.to_owned(),
            starting_date: start.parse().ok(),
            ending_date: end.parse().ok(),
            ..AlternativeAddress::default()
        };
        let addresses = [
            address("NAMED", "", ""),
            address("OLD", "", "2020-12-31"),
            address("ALWAYS", "2021-01-01", ""),
            address("SUMMER", "2026-06-01", "2026-08-31"),
            address("TWIN", "2026-06-01", "2026-08-31"),
        ];
        let check = |date: &str, expected: Option<&str>| {
            let found = valid_on(&addresses, date.parse().unwrap());
            assert_eq!(found.map(|address| address.code.as_str()), expected, "{date}");
        };
        check("2020-12-31", Some("OLD"));
        check("2026-05-31", Some("ALWAYS"));
        check("2026-06-01", Some("SUMMER"));
        check("2026-08-31", Some("SUMMER"));
        check("2026-09-01", Some("ALWAYS"));
        assert!(valid_on(&addresses[..1], "2026-01-01".parse().unwrap()).is_none());
    }
}
