//! Owns what the set-up says about print files: their order, the sides of a sheet, what they are printed on
//! and how it is marked.

use serde::{Deserialize, Serialize};

use super::marks::Marks;

/// `[print]` of the set-up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Print {
    /// In which order letters come.
    pub order: PrintOrder,
    /// Whether sheets have text on one side or on both.
    pub sides: Sides,
    /// The paper, for the ticket.
    pub stock: String,
    /// The envelope, for the ticket.
    pub envelope: String,
    /// What is inserted, for the ticket.
    pub inserts: Vec<String>,
    /// What stands on its pages for machines and for those who check.
    pub marks: Marks,
}

/// In which order letters are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PrintOrder {
    /// That of the lines.
    #[default]
    Lines,
    /// By country, the sender's own first, and postcode.
    Presorted,
    /// By the number of sheets, then that of the lines.
    Sheets,
}

/// Which sides of a sheet are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sides {
    /// One: a page is a sheet.
    #[default]
    Simplex,
    /// Both: each letter begins on a new sheet.
    Duplex,
}

impl Sides {
    /// Returns how many sheets so many pages take.
    pub fn n_sheets(self, n_pages: usize) -> usize {
        match self {
            Sides::Simplex => n_pages,
            Sides::Duplex => n_pages.div_ceil(2),
        }
    }
}
