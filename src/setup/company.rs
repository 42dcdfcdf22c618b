//! Owns the sender's company: `company.*` in templates.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The sender, by field name. Only the names of [`Company::FIELDS`] occur; a field that is not set is empty.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>")]
pub struct Company {
    fields: BTreeMap<String, String>,
}

/// A key of `[company]` that is not one of its fields.
#[derive(Debug, thiserror::Error)]
#[error("unknown key `company.{key}`, expected one of {}", Company::FIELDS.join(", "))]
pub struct UnknownCompanyField {
    key: String,
}

impl Company {
    /// The fields of a company, in the order in which lists show them.
    pub const FIELDS: [&'static str; 21] = [
        "name",
        "name_2",
        "address",
        "address_2",
        "post_code",
        "city",
        "county",
        "country",
        "phone",
        "fax",
        "email",
        "home_page",
        "vat_no",
        "registration_no",
        "bank_name",
        "bank_branch_no",
        "bank_account_no",
        "iban",
        "bic",
        "giro_no",
        "creditor_no",
    ];

    /// Returns a field's value; empty where it is not set.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

impl TryFrom<BTreeMap<String, String>> for Company {
    type Error = UnknownCompanyField;

    fn try_from(fields: BTreeMap<String, String>) -> Result<Company, UnknownCompanyField> {
        match fields.keys().find(|key| !Company::FIELDS.contains(&key.as_str())) {
            Some(key) => Err(UnknownCompanyField { key: key.clone() }),
            None => Ok(Company { fields }),
        }
    }
}
