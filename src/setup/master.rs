//! Owns masters of one shape: salespersons, campaigns, salutation formulas and the code tables. A master is a record
//! of texts by field, found by its key.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Campaign, Salesperson, SalutationDeclaration};

/// What a master is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MasterKind {
    /// A person of the office in whose name letters go out.
    Salesperson,
    /// What several segments work towards.
    Campaign,
    /// A salutation formula; its key is `CODE`, `CODE/LANGUAGE` or `CODE/LANGUAGE/TYPE`.
    Salutation,
    /// A group of contacts who get a mailing.
    MailingGroup,
    /// A group of companies of one industry.
    IndustryGroup,
    /// What a company is to the office: customer, vendor, press.
    BusinessRelation,
    /// What a person decides in a company.
    JobResponsibility,
    /// An answer to a question of a profile.
    ProfileAnswer,
    /// A group of interaction templates, for statistics.
    InteractionGroup,
}

/// What the text of a field must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldForm {
    /// Any text.
    Text,
    /// A date, or nothing.
    Date,
    /// A language tag, or nothing.
    Language,
    /// `person`, `company`, or nothing.
    ContactType,
}

/// A field of a kind of master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MasterField {
    /// Its name, as in commands and tables.
    pub name: &'static str,
    /// What its text must be.
    pub form: FieldForm,
}

const fn text(name: &'static str) -> MasterField {
    MasterField { name, form: FieldForm::Text }
}

const CODE: &[MasterField] = &[text("code"), text("description")];

impl MasterKind {
    /// All kinds, those with fields of their own first.
    pub const ALL: [MasterKind; 9] = [
        MasterKind::Salesperson,
        MasterKind::Campaign,
        MasterKind::Salutation,
        MasterKind::MailingGroup,
        MasterKind::IndustryGroup,
        MasterKind::BusinessRelation,
        MasterKind::JobResponsibility,
        MasterKind::ProfileAnswer,
        MasterKind::InteractionGroup,
    ];

    /// The kinds whose codes contacts have.
    pub const OF_CONTACTS: [MasterKind; 5] = [
        MasterKind::MailingGroup,
        MasterKind::IndustryGroup,
        MasterKind::BusinessRelation,
        MasterKind::JobResponsibility,
        MasterKind::ProfileAnswer,
    ];

    /// Returns its name in kebab case, as in commands.
    pub fn as_str(self) -> &'static str {
        match self {
            MasterKind::Salesperson => "salesperson",
            MasterKind::Campaign => "campaign",
            MasterKind::Salutation => "salutation",
            MasterKind::MailingGroup => "mailing-group",
            MasterKind::IndustryGroup => "industry-group",
            MasterKind::BusinessRelation => "business-relation",
            MasterKind::JobResponsibility => "job-responsibility",
            MasterKind::ProfileAnswer => "profile-answer",
            MasterKind::InteractionGroup => "interaction-group",
        }
    }

    /// Returns its name in words, as in messages.
    pub fn words(self) -> &'static str {
        match self {
            MasterKind::Salesperson => "salesperson",
            MasterKind::Campaign => "campaign",
            MasterKind::Salutation => "salutation formula",
            MasterKind::MailingGroup => "mailing group",
            MasterKind::IndustryGroup => "industry group",
            MasterKind::BusinessRelation => "business relation",
            MasterKind::JobResponsibility => "job responsibility",
            MasterKind::ProfileAnswer => "profile answer",
            MasterKind::InteractionGroup => "interaction group",
        }
    }

    /// Returns the fields, in the order of lists and tables; the first is the code.
    pub fn fields(self) -> &'static [MasterField] {
        const SALESPERSON: &[MasterField] =
            &[text("code"), text("name"), text("job_title"), text("phone"), text("mobile"), text("email")];
        const CAMPAIGN: &[MasterField] = &[
            text("code"),
            text("description"),
            MasterField { name: "starting_date", form: FieldForm::Date },
            MasterField { name: "ending_date", form: FieldForm::Date },
        ];
        const SALUTATION: &[MasterField] = &[
            text("code"),
            MasterField { name: "language", form: FieldForm::Language },
            MasterField { name: "type", form: FieldForm::ContactType },
            text("formal"),
            text("informal"),
        ];
        const PROFILE_ANSWER: &[MasterField] = &[text("code"), text("question"), text("description")];
        match self {
            MasterKind::Salesperson => SALESPERSON,
            MasterKind::Campaign => CAMPAIGN,
            MasterKind::Salutation => SALUTATION,
            MasterKind::ProfileAnswer => PROFILE_ANSWER,
            MasterKind::MailingGroup
            | MasterKind::IndustryGroup
            | MasterKind::BusinessRelation
            | MasterKind::JobResponsibility
            | MasterKind::InteractionGroup => CODE,
        }
    }

    /// How many of the first fields are the key.
    fn n_keys(self) -> usize {
        if self == MasterKind::Salutation { 3 } else { 1 }
    }
}

impl fmt::Display for MasterKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A master: a text for each of its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Master {
    kind: MasterKind,
    fields: BTreeMap<String, String>,
}

impl Master {
    /// Begins a master with the fields that its key gives: `F/en` is the formula for the code `F` in `en`.
    pub fn new(kind: MasterKind, key: &str) -> Master {
        let mut master = Master { kind, fields: BTreeMap::new() };
        let parts = key.splitn(kind.n_keys(), '/');
        for (field, part) in kind.fields().iter().zip(parts) {
            master.set(field.name, part);
        }
        master
    }

    /// Takes the texts by field that were stored.
    pub fn from_stored(kind: MasterKind, fields: BTreeMap<String, String>) -> Master {
        Master { kind, fields }
    }

    /// Returns what it is.
    pub fn kind(&self) -> MasterKind {
        self.kind
    }

    /// Returns the texts by field; empty ones are left out.
    pub fn fields(&self) -> &BTreeMap<String, String> {
        &self.fields
    }

    /// Returns the code.
    pub fn code(&self) -> &str {
        self.field("code")
    }

    /// Returns a field's text; empty where it is not set.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    /// Sets a field; the empty text clears it.
    pub fn set(&mut self, name: &str, text: &str) {
        if text.is_empty() {
            self.fields.remove(name);
        } else {
            self.fields.insert(name.to_owned(), text.to_owned());
        }
    }

    /// Returns the key: its key fields joined by `/`, without the empty ones at the end.
    pub fn key(&self) -> String {
        let keys: Vec<&str> =
            self.kind.fields().iter().take(self.kind.n_keys()).map(|field| self.field(field.name)).collect();
        keys.join("/").trim_end_matches('/').to_owned()
    }
}

impl From<&Salesperson> for Master {
    fn from(salesperson: &Salesperson) -> Master {
        let mut master = Master::new(MasterKind::Salesperson, &salesperson.code);
        Salesperson::FIELDS.iter().for_each(|name| master.set(name, salesperson.field(name)));
        master
    }
}

impl From<&Master> for Salesperson {
    fn from(master: &Master) -> Salesperson {
        let field = |name: &str| master.field(name).to_owned();
        Salesperson {
            code: field("code"),
            name: field("name"),
            job_title: field("job_title"),
            phone: field("phone"),
            mobile: field("mobile"),
            email: field("email"),
        }
    }
}

impl From<&Campaign> for Master {
    fn from(campaign: &Campaign) -> Master {
        let mut master = Master::new(MasterKind::Campaign, &campaign.code);
        master.set("description", &campaign.description);
        for (name, date) in [("starting_date", campaign.starting_date), ("ending_date", campaign.ending_date)]
        {
            master.set(name, &date.map(|date| date.to_string()).unwrap_or_default());
        }
        master
    }
}

impl From<&Master> for Campaign {
    fn from(master: &Master) -> Campaign {
        Campaign {
            code: master.code().to_owned(),
            description: master.field("description").to_owned(),
            starting_date: master.field("starting_date").parse().ok(),
            ending_date: master.field("ending_date").parse().ok(),
        }
    }
}

impl From<&Master> for SalutationDeclaration {
    fn from(master: &Master) -> SalutationDeclaration {
        let field = |name: &str| master.field(name).to_owned();
        SalutationDeclaration {
            code: field("code"),
            language: field("language"),
            kind: field("type"),
            formal: field("formal"),
            informal: field("informal"),
        }
    }
}

impl SalutationDeclaration {
    /// Returns the key that the formula has as a master.
    pub fn key(&self) -> String {
        let mut master = Master::new(MasterKind::Salutation, &self.code);
        master.set("language", &self.language);
        master.set("type", &self.kind);
        master.key()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_formula_names_code_language_and_type() {
        let check = |key: &str, fields: [&str; 3]| {
            let master = Master::new(MasterKind::Salutation, key);
            assert_eq!(["code", "language", "type"].map(|name| master.field(name)), fields, "{key}");
            assert_eq!(master.key(), key);
        };
        check("F", ["F", "", ""]);
        check("F/en", ["F", "en", ""]);
        check("F/en/person", ["F", "en", "person"]);
        check("F//company", ["F", "", "company"]);
        assert_eq!(Master::new(MasterKind::Campaign, "A/B").code(), "A/B");
    }

    #[test]
    fn a_campaign_is_the_same_after_it_was_a_master() {
        let campaign = Campaign {
            code: "SPRING26".to_owned(),
            description: "Spring".to_owned(),
            starting_date: "2026-03-01".parse().ok(),
            ending_date: None,
        };
        assert_eq!(Campaign::from(&Master::from(&campaign)), campaign);
    }
}
