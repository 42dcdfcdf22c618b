//! Owns cover sheets: a page for each addressee that goes with what is enclosed, with remarks to tick and words of one's own.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time};

use super::paper::{self, Borders, Height, Line, Page, Paper, Stand, Weight};
use super::remark::remarks;
use super::{Addressee, SheetError, sizes};
use crate::merge::format::Styles;

/// The type of the text, in half points.
const TEXT_SIZE: usize = 22;

/// The type of the line that names the sender above the address.
const SENDER_SIZE: usize = 14;

/// A4, with the content from 25 mm left.
const PAGE: Page = Page { width: 210.0, height: 297.0, left: 25.0, top: 45.0, bottom: 20.0 };

/// The line of the sender and the address, so that both show in the window of DIN 5008 form B: 45 mm from the top, of which
/// the upper 17.7 mm are the sender's, 27.3 mm the address's, and 85 mm wide.
const WINDOW: (f64, f64, f64) = (85.0, 17.7, 27.3);

/// The room of the address, its width and height.
pub const ROOM: (f64, f64) = (WINDOW.0, WINDOW.2);

/// So many lines of text are taken.
pub const MOST_LINES: usize = 5;

/// What stands on all sheets alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CoverText {
    /// Who writes: the lines of the sender's address.
    pub sender: Vec<String>,
    /// The day; it is written as the language of the addressee's letter has it.
    pub date: Date,
    /// What it is about.
    pub subject: String,
    /// The remarks that are ticked, by their names in [`NAMES`](super::remark::NAMES); without any and without an own one there is no list.
    pub remarks: Vec<String>,
    /// A remark in one's own words; empty for none.
    pub own_remark: String,
    /// Lines of text below.
    pub lines: Vec<String>,
}

/// Returns the cover sheets as a Word document, one a page.
///
/// # Errors
///
/// All addresses that do not fit.
pub fn document(addressees: &[Addressee], text: &CoverText) -> Result<Vec<u8>, Vec<SheetError>> {
    let sizes = sizes(addressees, ROOM)?;
    let sender = text.sender.join(" · ");
    let mut bodies: BTreeMap<&str, Vec<(String, Weight)>> = BTreeMap::new();
    let mut paper = Paper::default();
    for (number, (addressee, size)) in addressees.iter().zip(sizes).enumerate() {
        if number > 0 {
            paper.next_page();
        }
        let sender = Line { text: &sender, size: SENDER_SIZE, ..Line::default() };
        let address: Vec<Line<'_>> =
            addressee.block.iter().map(|text| Line { text, size, ..Line::default() }).collect();
        let rows = [
            paper::row(&[paper::cell(&[sender], WINDOW.0, Stand::Middle)], Height::Exact(WINDOW.1)),
            paper::row(&[paper::cell(&address, WINDOW.0, Stand::Top)], Height::Exact(WINDOW.2)),
        ];
        paper.add_table(&rows, &[WINDOW.0], Borders::None);
        let body = bodies.entry(&addressee.language).or_insert_with(|| body(text, &addressee.language));
        for (text, weight) in body {
            let line =
                Line { text, size: TEXT_SIZE, right: 20.0, above: 160, weight: *weight, ..Line::default() };
            paper.add_line(line);
        }
    }
    paper.packed(&PAGE).map_err(|error| vec![error])
}

/// The paragraphs below the address, in a language.
fn body(text: &CoverText, language: &str) -> Vec<(String, Weight)> {
    let date = Styles::of(language).date(text.date.to_datetime(Time::midnight()), "long");
    let mut body = vec![(date.unwrap_or_else(|| text.date.to_string()), Weight::Regular)];
    if !text.subject.is_empty() {
        body.push((text.subject.clone(), Weight::Bold));
    }
    if !text.remarks.is_empty() || !text.own_remark.is_empty() {
        let marked = |is_ticked: bool, words: &str| {
            let mark = if is_ticked { "[X]" } else { "[  ]" };
            (format!("{mark}  {words}"), Weight::Regular)
        };
        body.extend(remarks(language).map(|(name, words)| {
            let is_ticked = text.remarks.iter().any(|remark| remark == name);
            marked(is_ticked, words)
        }));
        if !text.own_remark.is_empty() {
            body.push(marked(true, &text.own_remark));
        }
    }
    body.extend(text.lines.iter().map(|line| (line.clone(), Weight::Regular)));
    body
}
