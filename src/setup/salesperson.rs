//! Owns salespersons: the people of the office in whose name letters go out.

use serde::Deserialize;

/// A salesperson: `salesperson.*` in templates.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Salesperson {
    /// The code by which segments, lines and contacts name the person.
    pub code: String,
    /// The full name.
    pub name: String,
    /// The job title.
    pub job_title: String,
    /// The phone number.
    pub phone: String,
    /// The mobile number.
    pub mobile: String,
    /// The e-mail address.
    pub email: String,
}

impl Salesperson {
    /// The fields of a salesperson.
    pub const FIELDS: [&'static str; 6] = ["code", "name", "job_title", "phone", "mobile", "email"];

    /// Returns a field's value; empty for a name that is none of [`Salesperson::FIELDS`].
    pub fn field(&self, name: &str) -> &str {
        match name {
            "code" => &self.code,
            "name" => &self.name,
            "job_title" => &self.job_title,
            "phone" => &self.phone,
            "mobile" => &self.mobile,
            "email" => &self.email,
            _ => "",
        }
    }
}
