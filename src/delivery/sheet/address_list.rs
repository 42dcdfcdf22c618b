//! Owns the address list: one row for each addressee, to be read as a Word document or counted and filtered as a sheet of
//! Excel, in which every cell is text and none a formula.

use std::path::Path;

use super::paper::{self, Borders, Height, Line, Page, Paper, Stand};
use super::{Addressee, SheetError};
use crate::contact::table::{TableWriter, WriteError};

/// The type of the list, in half points.
const SIZE: usize = 18;

/// A4.
const PAGE: Page = Page { width: 210.0, height: 297.0, left: 20.0, top: 25.0, bottom: 20.0 };

/// The columns and their widths in millimeters.
const COLUMNS: [(&str, f64); 4] = [("Line", 18.0), ("Contact", 32.0), ("Name", 50.0), ("Address", 75.0)];

/// How many lines of an address have a column of their own in the sheet of Excel; what is more stands in the last.
const ADDRESS_COLUMNS: usize = 8;

/// Returns the list as a Word document, with the title at the head of each page and its number at the foot.
///
/// # Errors
///
/// [`SheetError::Pack`].
pub fn document(addressees: &[Addressee], title: &str) -> Result<Vec<u8>, SheetError> {
    let head = row(&COLUMNS.map(|(name, _)| vec![name.to_owned()]), Height::OfTextOnEachPage);
    let rows = std::iter::once(head).chain(addressees.iter().map(|it| {
        let cells = [
            vec![it.line_no.to_string()],
            vec![it.contact.to_string()],
            vec![it.name.clone()],
            it.block.clone(),
        ];
        row(&cells, Height::OfText)
    }));
    let mut paper = Paper::default();
    paper.frame(title, SIZE);
    paper.add_table(&rows.collect::<Vec<_>>(), &COLUMNS.map(|(_, width)| width), Borders::Lines);
    paper.packed(&PAGE)
}

fn row(cells: &[Vec<String>; 4], height: Height) -> String {
    let cells = cells.iter().zip(COLUMNS).map(|(lines, (_, width))| {
        let lines: Vec<Line<'_>> =
            lines.iter().map(|text| Line { text, size: SIZE, ..Line::default() }).collect();
        paper::cell(&lines, width, Stand::Top)
    });
    paper::row(&cells.collect::<Vec<_>>(), height)
}

/// Writes the list as a table, `.xlsx` by the name of the file.
///
/// # Errors
///
/// A full or broken disk, a sheet that is full.
pub fn write(addressees: &[Addressee], file: &Path) -> Result<(), WriteError> {
    let columns: Vec<String> = (1..=ADDRESS_COLUMNS).map(|number| format!("address_{number}")).collect();
    let head: Vec<&str> = ["line_no", "contact_no", "name"]
        .into_iter()
        .chain(columns.iter().map(String::as_str))
        .chain(["post_code", "country"])
        .collect();
    let mut table = TableWriter::create(file, &head)?;
    for addressee in addressees {
        let own = ADDRESS_COLUMNS - 1;
        let mut row =
            vec![addressee.line_no.to_string(), addressee.contact.to_string(), addressee.name.clone()];
        row.extend(addressee.block.iter().take(own).cloned());
        row.resize(3 + own, String::new());
        row.push(addressee.block.get(own..).unwrap_or_default().join(", "));
        row.extend([addressee.post_code.clone(), addressee.country.clone()]);
        table.add(&row)?;
    }
    table.finish()
}
