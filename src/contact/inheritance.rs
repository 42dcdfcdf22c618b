//! Owns inheritance: what a person has from its company where it has none of its own.
//!
//! The person's data is not changed; the company's is looked up each time, so that a change of the company reaches
//! every person at once. An e-mail address is never taken: a personal letter does not belong into a shared mailbox. Nor
//! is the correspondence type: how somebody wants to be written to is a person's own word.

use super::Contact;

/// What a person has from its company.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inherited {
    /// The postal address, as a whole.
    pub address: bool,
    /// The language.
    pub language: bool,
    /// The salesperson.
    pub salesperson: bool,
}

/// Gives a person what it lacks and its company has, and tells what.
///
/// The postal address is taken as a whole, and only where the person has no part of one. Name of the company, phone, fax,
/// home page and VAT number are taken singly.
pub fn inherit(person: &mut Contact, company: &Contact) -> Inherited {
    let mut inherited = Inherited::default();
    let take = |own: &mut String, companys: &str| {
        let is_taken = own.is_empty() && !companys.is_empty();
        if is_taken {
            companys.clone_into(own);
        }
        is_taken
    };
    take(&mut person.company_name, &company.full_name());
    take(&mut person.phone, &company.phone);
    take(&mut person.fax, &company.fax);
    take(&mut person.home_page, &company.home_page);
    take(&mut person.vat_no, &company.vat_no);
    inherited.language = take(&mut person.language, &company.language);
    inherited.salesperson = take(&mut person.salesperson, &company.salesperson);
    let own = person.postal_address();
    let has_address =
        [&own.address, &own.address_2, &own.post_code, &own.city].iter().any(|part| !part.trim().is_empty());
    let companys = company.postal_address();
    if !has_address && companys.is_complete() {
        inherited.address = true;
        person.address = companys.address;
        person.address_2 = companys.address_2;
        person.post_code = companys.post_code;
        person.city = companys.city;
        person.county = companys.county;
        person.country = companys.country;
    }
    inherited
}

#[cfg(test)]
mod tests {
    use super::{Inherited, inherit};
    use crate::contact::{Contact, ContactKind, CorrespondenceType};

    fn contact(kind: ContactKind, fields: &[(&str, &str)]) -> Contact {
        let mut contact = Contact { kind, ..Contact::default() };
        for (field, value) in fields {
            contact.set_field(field, (*value).to_owned()).unwrap();
        }
        contact
    }

    fn company() -> Contact {
        let fields = [
            ("name", "Nord AG"),
            ("address", "Damm 1"),
            ("city", "Bern"),
            ("country", "CH"),
            ("language", "de"),
            ("salesperson", "JR"),
            ("correspondence_type", "hard-copy"),
            ("email", "info@example.com"),
        ];
        contact(ContactKind::Company, &fields)
    }

    #[test]
    fn a_person_without_any_has_all_of_its_companys() {
        let mut person = contact(ContactKind::Person, &[("first_name", "Ann")]);
        let inherited = inherit(&mut person, &company());
        let all = Inherited { address: true, language: true, salesperson: true };
        assert_eq!(inherited, all);
        assert_eq!((person.company_name.as_str(), person.city.as_str()), ("Nord AG", "Bern"));
        assert_eq!(person.email, "", "an e-mail address is never taken");
        assert_eq!(person.correspondence_type, None, "nor is a correspondence type");
    }

    #[test]
    fn what_a_person_has_stays_its_own() {
        let fields = [("city", "Zug"), ("language", "fr"), ("salesperson", "AB"), ("company_name", "N")];
        let mut person = contact(ContactKind::Person, &fields);
        person.correspondence_type = Some(CorrespondenceType::Email);
        let before = person.clone();
        assert_eq!(inherit(&mut person, &company()), Inherited::default());
        assert_eq!(person, before, "a city alone is an address of its own, if not a complete one");
    }
}
