//! Owns the values that a template can use: one namespace for Word fields, tags and texts, and where each value
//! comes from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::contact::CONTACT_FIELDS;
use crate::contact::import::ContactColumn;
use crate::interaction::{EffectiveInteraction, Facts};
use crate::merge::value::{Frame, Value};
use crate::merge::{BoundText, Moment, Namespace, Need};
use crate::setup::{Campaign, Company, Salesperson, Setup};

/// A child table of contacts: its name and its columns, as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowTable {
    /// The name in templates: `orders`.
    pub name: String,
    /// The columns.
    pub columns: Vec<String>,
}

/// Where a value of the namespace comes from.
#[derive(Clone, Debug)]
enum Source {
    Contact(&'static str),
    Column(String),
    AddressBlock,
    Salutation(Salutation),
    Salesperson(&'static str),
    Company(&'static str),
    Campaign(&'static str),
    Segment(&'static str),
    Line(&'static str),
    Date,
    Comment,
    Text(Box<BoundText>),
    Rows(String),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Salutation {
    Formal,
    Informal,
}

/// The names that templates may use, and where their values come from.
#[derive(Debug)]
pub struct Names {
    /// The names.
    pub namespace: Namespace,
    sources: Vec<Source>,
}

/// What a document or text uses that not every line has.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Uses {
    /// A salutation.
    pub salutation: bool,
    /// A value of the salesperson.
    pub salesperson: bool,
}

const LINE_NAMES: [&str; 7] =
    ["no", "description", "subject", "language", "correspondence_type", "email", "evaluation"];
const SEGMENT_NAMES: [&str; 2] = ["no", "description"];

impl Names {
    /// Collects the names for contacts with these further columns and child tables.
    pub fn new(columns: &[ContactColumn], row_tables: &[RowTable]) -> Names {
        let mut names = Names { namespace: Namespace::new(), sources: Vec::new() };
        for &field in CONTACT_FIELDS {
            let entry = names.value(&format!("contact.{field}"), Source::Contact(field));
            // A bare `City` is the contact's, not the sender's.
            names.namespace.alias(field, entry);
        }
        for ContactColumn { header, field } in columns {
            let source = match CONTACT_FIELDS.iter().find(|known| *known == field) {
                Some(&field) => Source::Contact(field),
                None if field.is_empty() => Source::Column(header.clone()),
                // What sets something up is not shown in letters.
                None => continue,
            };
            let entry = names.namespace.column(&format!("contact.{header}"), header);
            names.is_from(entry, source);
        }
        names.value("address.block", Source::AddressBlock);
        names.value("salutation.formal", Source::Salutation(Salutation::Formal));
        names.value("salutation.informal", Source::Salutation(Salutation::Informal));
        for field in Salesperson::FIELDS {
            names.value(&format!("salesperson.{field}"), Source::Salesperson(field));
        }
        for field in Company::FIELDS {
            names.value(&format!("company.{field}"), Source::Company(field));
        }
        for field in Campaign::FIELDS {
            names.value(&format!("campaign.{field}"), Source::Campaign(field));
        }
        for field in SEGMENT_NAMES {
            names.value(&format!("segment.{field}"), Source::Segment(field));
        }
        for field in LINE_NAMES {
            names.value(&format!("line.{field}"), Source::Line(field));
        }
        names.value("date", Source::Date);
        names.value("comment", Source::Comment);
        for table in row_tables {
            let mut rows = Namespace::new();
            for column in &table.columns {
                rows.column(column, column);
            }
            let entry = names.namespace.rows(&table.name, rows);
            names.is_from(entry, Source::Rows(table.name.clone()));
        }
        names.add_aliases();
        names
    }

    /// Adds a name whose value is a text with tags.
    pub fn add_text(&mut self, name: &str, text: BoundText) {
        let entry = self.namespace.column(name, name);
        self.is_from(entry, Source::Text(Box::new(text)));
    }

    /// Tells what of the values that not every line has is among `needs`.
    pub fn uses(&self, needs: &[Need]) -> Uses {
        let mut uses = Uses::default();
        for need in needs {
            let (Need::Value(entry) | Need::Rows(entry, _)) = need;
            match self.sources.get(*entry) {
                Some(Source::Salutation(_)) => uses.salutation = true,
                Some(Source::Salesperson(_)) => uses.salesperson = true,
                _ => {}
            }
        }
        uses
    }

    /// Tells at which places of `needs` the personal comment is, by itself or within a text.
    pub fn comment_at(&self, needs: &[Need]) -> Vec<usize> {
        let places = needs.iter().enumerate().filter(|(_, need)| self.shows_comment(need));
        places.map(|(place, _)| place).collect()
    }

    fn shows_comment(&self, need: &Need) -> bool {
        let (Need::Value(entry) | Need::Rows(entry, _)) = need;
        match self.sources.get(*entry) {
            Some(Source::Comment) => true,
            // A text is bound to the names that stand before those of all texts.
            Some(Source::Text(text)) => text.needs().iter().any(|need| self.shows_comment(need)),
            _ => false,
        }
    }

    fn value(&mut self, path: &str, source: Source) -> usize {
        let entry = self.namespace.value(path);
        self.is_from(entry, source);
        entry
    }

    fn is_from(&mut self, entry: usize, source: Source) {
        debug_assert_eq!(entry, self.sources.len(), "entries are numbered by order of declaration");
        self.sources.push(source);
    }

    fn add_aliases(&mut self) {
        for (name, path) in ALIASES {
            let entry = (0..self.namespace.len()).find(|&entry| self.namespace.path(entry) == Some(path));
            self.namespace.alias(name, entry.expect("an alias stands for a name of the namespace"));
        }
    }
}

/// The reference product's merge fields and Word's address-book names, where they are not our paths already.
/// "Entry No." has no value: the entry's number is not known before it is written.
const ALIASES: [(&str, &str); 51] = [
    ("Contact Mail Address", "address.block"),
    ("Address Block", "address.block"),
    ("Contact Country/Region Name", "contact.country"),
    ("Contact Phone No.", "contact.phone"),
    ("Contact Fax No.", "contact.fax"),
    ("Contact Mobile Phone No.", "contact.mobile"),
    ("Contact VAT Registration No.", "contact.vat_no"),
    ("Formal Salutation", "salutation.formal"),
    ("Informal Salutation", "salutation.informal"),
    ("Salesperson/Purchaser Code", "salesperson.code"),
    ("Salesperson/Purchaser Name", "salesperson.name"),
    ("Salesperson/Purchaser Job Title", "salesperson.job_title"),
    ("Salesperson/Purchaser Phone No.", "salesperson.phone"),
    ("Salesperson/Purchaser Email", "salesperson.email"),
    ("Salesperson Phone No.", "salesperson.phone"),
    ("Document Date", "date"),
    ("Document Campaign No.", "campaign.code"),
    ("Campaign No.", "campaign.code"),
    ("Document Segment No.", "segment.no"),
    ("Document Description", "line.description"),
    ("Document Subject", "line.subject"),
    ("Company Information Name", "company.name"),
    ("Company Information Name 2", "company.name_2"),
    ("Company Information Address", "company.address"),
    ("Company Information Address 2", "company.address_2"),
    ("Company Information Post Code", "company.post_code"),
    ("Company Information City", "company.city"),
    ("Company Information County", "company.county"),
    ("Company Information Country/Region Name", "company.country"),
    ("Company Information VAT Registration No.", "company.vat_no"),
    ("Company Information Registration No.", "company.registration_no"),
    ("Company Information Phone No.", "company.phone"),
    ("Company Information Fax No.", "company.fax"),
    ("Company Information Bank Branch No.", "company.bank_branch_no"),
    ("Company Information Bank Name", "company.bank_name"),
    ("Company Information Bank Account No.", "company.bank_account_no"),
    ("Company Information Giro No.", "company.giro_no"),
    ("FaxMailTo", "line.email"),
    ("Last Name", "contact.surname"),
    ("Company", "contact.company_name"),
    ("Address 1", "contact.address"),
    ("State", "contact.county"),
    ("Postal Code", "contact.post_code"),
    ("ZIP", "contact.post_code"),
    ("ZIP Code", "contact.post_code"),
    ("Country or Region", "contact.country"),
    ("Business Phone", "contact.phone"),
    ("Home Phone", "contact.phone"),
    ("Business Fax", "contact.fax"),
    ("E-mail Address", "contact.email"),
    ("Web Page", "contact.home_page"),
];

/// One line while it is frozen: what is known, and the texts that are rendered so far.
#[derive(Debug)]
pub struct LineContext<'a> {
    /// What was written.
    pub facts: Facts<'a>,
    /// What holds.
    pub effective: &'a EffectiveInteraction<'a>,
    /// The office.
    pub setup: &'a Setup,
    /// The campaigns.
    pub campaigns: &'a [Campaign],
    /// The contact's child rows by table.
    pub rows: &'a BTreeMap<String, Vec<Frame>>,
    /// The address as on the envelope.
    pub address_block: String,
    /// The rendered formal salutation.
    pub salutation_formal: String,
    /// The rendered informal salutation.
    pub salutation_informal: String,
    /// The rendered description.
    pub description: String,
    /// The rendered subject.
    pub subject: String,
    /// The rendered comment.
    pub comment: String,
    /// The circumstances of the letter.
    pub moment: Moment,
}

impl LineContext<'_> {
    /// Fills a frame with what a document or text needs.
    pub fn frame(&self, names: &Names, needs: &[Need]) -> Frame {
        Frame(needs.iter().map(|need| self.need(names, need)).collect())
    }

    fn need(&self, names: &Names, need: &Need) -> Value {
        match need {
            Need::Value(entry) => match names.sources.get(*entry) {
                Some(source) => self.value(names, source),
                None => Value::Blank,
            },
            Need::Rows(entry, inner) => {
                let Some(Source::Rows(table)) = names.sources.get(*entry) else {
                    return Value::Rows(Vec::new());
                };
                let rows = self.rows.get(table).map_or(&[][..], Vec::as_slice);
                Value::Rows(rows.iter().map(|row| of_row(row, inner)).collect())
            }
        }
    }

    fn value(&self, names: &Names, source: &Source) -> Value {
        let contact = self.facts.contact;
        match source {
            Source::Contact("name") => Value::text(contact.full_name()),
            Source::Contact(field) => Value::text(contact.field(field).unwrap_or_default()),
            Source::Column(column) => Value::text(contact.column(column).unwrap_or_default()),
            Source::AddressBlock => Value::text(self.address_block.as_str()),
            Source::Salutation(Salutation::Formal) => Value::text(self.salutation_formal.as_str()),
            Source::Salutation(Salutation::Informal) => Value::text(self.salutation_informal.as_str()),
            Source::Salesperson(field) => {
                let salesperson = self.setup.salesperson(self.effective.salesperson.value);
                Value::text(salesperson.map_or("", |salesperson| salesperson.field(field)))
            }
            Source::Company(field) => Value::text(self.setup.company.field(field)),
            Source::Campaign(field) => self.campaign(field),
            Source::Segment("no") => Value::text(self.facts.header.no.0.as_str()),
            Source::Segment(_) => {
                Value::text(self.facts.header.values.description.as_deref().unwrap_or_default())
            }
            Source::Line(name) => self.line(name),
            Source::Date => Value::Date(self.effective.date.value),
            Source::Comment => Value::text(self.comment.as_str()),
            Source::Text(text) => {
                let frame = self.frame(names, text.needs());
                text.render(&frame, &self.moment).map_or(Value::Blank, Value::text)
            }
            Source::Rows(table) => Value::Rows(self.rows.get(table).cloned().unwrap_or_default()),
        }
    }

    fn campaign(&self, field: &str) -> Value {
        let code = self.effective.campaign.value;
        let Some(campaign) = self.campaigns.iter().find(|campaign| campaign.code == code) else {
            return Value::Blank;
        };
        match field {
            "code" => Value::text(campaign.code.as_str()),
            "description" => Value::text(campaign.description.as_str()),
            "starting_date" => campaign.starting_date.map_or(Value::Blank, Value::Date),
            _ => campaign.ending_date.map_or(Value::Blank, Value::Date),
        }
    }

    fn line(&self, name: &str) -> Value {
        let effective = self.effective;
        match name {
            "no" => Value::text(self.facts.line.line_no.to_string()),
            "description" => Value::text(self.description.as_str()),
            "subject" => Value::text(self.subject.as_str()),
            "language" => {
                Value::text(effective.language.value.as_ref().map_or("", |language| language.as_str()))
            }
            "correspondence_type" => {
                Value::text(effective.correspondence_type.value.map_or("", |kind| kind.as_str()))
            }
            "email" => Value::text(effective.email.value),
            _ => Value::text(effective.evaluation.value.map_or("", |evaluation| evaluation.as_str())),
        }
    }
}

/// Fills the frame of a child row from its cells; rows within a row are among its cells.
fn of_row(row: &Frame, needs: &[Need]) -> Frame {
    let cell = |need: &Need| match need {
        Need::Value(column) => row.get(*column).clone(),
        Need::Rows(column, inner) => match row.get(*column) {
            Value::Rows(rows) => Value::Rows(rows.iter().map(|row| of_row(row, inner)).collect()),
            _ => Value::Rows(Vec::new()),
        },
    };
    Frame(needs.iter().map(cell).collect())
}
