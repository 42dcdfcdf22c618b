//! Paper that holds addresses alone: labels, envelopes, cover sheets, address lists. As Word documents.
//!
//! Each is laid out in a table with rows of exact height, so that what is printed lies where the sheet has its labels, in
//! Word as in LibreOffice. What does not fit is a refusal that names the lines, or is taken out where that is asked for;
//! nothing is cut off.

mod paper;
mod text;
pub mod label;
pub mod envelope;
pub mod cover_sheet;
pub mod remark;
pub mod address_list;

use crate::contact::ContactNo;
use crate::segment::LineNo;

/// Somebody whom paper goes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addressee {
    /// The segment line.
    pub line_no: LineNo,
    /// The contact.
    pub contact: ContactNo,
    /// The contact's name.
    pub name: String,
    /// The address as on the envelope, name lines first; no line is blank.
    pub block: Vec<String>,
    /// The country as the address has it; empty for the sender's own, and where it is not known.
    pub country: String,
    /// The post code, as written; empty where it is not known.
    pub post_code: String,
    /// The language of the letter; empty where there is none.
    pub language: String,
}

/// Takes those out whose address does not fit into a room, its width and height in millimeters; returns why.
pub fn take_out_too_long(addressees: &mut Vec<Addressee>, room: (f64, f64)) -> Vec<SheetError> {
    let mut too_long = Vec::new();
    addressees.retain(|addressee| match size(addressee, room) {
        Ok(_) => true,
        Err(error) => {
            too_long.push(error);
            false
        }
    });
    too_long
}

/// Returns the type of each address in a room of millimeters, or all that do not fit.
fn sizes(addressees: &[Addressee], room: (f64, f64)) -> Result<Vec<usize>, Vec<SheetError>> {
    let (mut sizes, mut errors) = (Vec::with_capacity(addressees.len()), Vec::new());
    for addressee in addressees {
        match size(addressee, room) {
            Ok(size) => sizes.push(size),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(sizes) } else { Err(errors) }
}

fn size(addressee: &Addressee, (width, height): (f64, f64)) -> Result<usize, SheetError> {
    text::size_for(&addressee.block, (width, height)).ok_or_else(|| SheetError::TooLong {
        contact: addressee.contact.clone(),
        line_no: addressee.line_no,
        width,
        height,
    })
}

/// Why there is no sheet.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// There is no such form.
    #[error("there is no {what} `{name}`, expected one of {}", known.join(", "))]
    UnknownFormat {
        /// What there is none of: label sheet, envelope.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// All there are.
        known: Vec<&'static str>,
    },
    /// More labels are to be skipped than a sheet has.
    #[error("{skip} labels are to be skipped, but a sheet of `{format}` has {per_sheet}")]
    SkipsSheet {
        /// How many.
        skip: usize,
        /// The format.
        format: &'static str,
        /// How many labels a sheet has.
        per_sheet: usize,
    },
    /// An address has more or longer lines than there is room for, in the smallest type.
    #[error("the address of contact {contact} does not fit into {width:.1} × {height:.1} mm")]
    TooLong {
        /// Whose.
        contact: ContactNo,
        /// The segment line.
        line_no: LineNo,
        /// The room, in millimeters.
        width: f64,
        /// The room, in millimeters.
        height: f64,
    },
    /// The document cannot be packed: it is larger than a zip archive may be.
    #[error("the document cannot be packed")]
    Pack(#[source] std::io::Error),
}

impl SheetError {
    /// Returns the error's stable id.
    pub fn id(&self) -> &'static str {
        match self {
            SheetError::UnknownFormat { .. } => "unknown-format",
            SheetError::SkipsSheet { .. } => "skips-sheet",
            SheetError::TooLong { .. } => "address-too-long",
            SheetError::Pack(_) => "pack",
        }
    }

    /// Returns what to do, where that is sure.
    pub fn help(&self) -> Option<String> {
        match self {
            SheetError::TooLong { .. } => Some("shorten the address, or take a larger format".to_owned()),
            SheetError::SkipsSheet { .. } => {
                Some("count the labels that the first sheet lacks, row by row".to_owned())
            }
            SheetError::UnknownFormat { .. } | SheetError::Pack(_) => None,
        }
    }
}
