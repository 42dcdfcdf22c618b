//! Owns labels: the sheets that they come on, and where on them each address stands.

use super::paper::{self, Borders, Height, Line, Page, Paper, Stand};
use super::{Addressee, SheetError, sizes};

/// What stays free inside a label on each side, in millimeters: sheets slip in a printer, and many do not print nearer to
/// the edge of the paper.
const MARGIN_ACROSS: f64 = 5.0;

/// The same above and below.
const MARGIN_DOWN: f64 = 2.0;

/// A4, in millimeters (ISO 216).
const A4: (f64, f64) = (210.0, 297.0);

/// US Letter, in millimeters (ANSI/ASME Y14.1).
const LETTER: (f64, f64) = (215.9, 279.4);

/// A sheet of labels; lengths are millimeters. Rows follow each other without a gap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelSheet {
    /// Its name.
    pub name: &'static str,
    /// The paper's width and height.
    pub paper: (f64, f64),
    /// How many labels stand beside each other.
    pub n_columns: usize,
    /// How many stand below each other.
    pub n_rows: usize,
    /// A label's width and height.
    pub label: (f64, f64),
    /// Where the first label begins, from the left and from the top.
    pub first: (f64, f64),
    /// From the left edge of a label to that of the next.
    pub pitch: f64,
}

impl LabelSheet {
    /// The sheet where none is named: the most common of the reference's.
    pub const DEFAULT: &'static str = "37x70";

    /// The sheets that are known.
    ///
    /// The first four are height × width of a label, centered on A4. Then those of Avery (Zweckform) on A4 and on US Letter,
    /// with the sizes and pitches that LibreOffice has from the maker (`share/labels/labels.xml`, against which a test measures
    /// them); where the first begins follows from what the sheet leaves on both sides.
    #[rustfmt::skip]
    pub const ALL: &'static [LabelSheet] = &[
        sheet("36x70", A4, (3, 8), (70.0, 36.0), 70.0),
        sheet("37x70", A4, (3, 8), (70.0, 37.0), 70.0),
        sheet("36x105", A4, (2, 8), (105.0, 36.0), 105.0),
        sheet("37x105", A4, (2, 8), (105.0, 37.0), 105.0),
        sheet("3422", A4, (3, 8), (70.0, 35.0), 70.0),
        sheet("3425", A4, (2, 5), (105.0, 57.0), 105.0),
        sheet("3474", A4, (3, 8), (70.0, 37.0), 70.0),
        sheet("3484", A4, (2, 8), (105.0, 37.0), 105.0),
        sheet("3490", A4, (3, 8), (70.0, 36.0), 70.0),
        sheet("L7159", A4, (3, 8), (64.0, 33.87), 66.54),
        sheet("L7160", A4, (3, 7), (63.5, 38.1), 66.04),
        sheet("L7161", A4, (3, 6), (63.5, 46.56), 66.04),
        sheet("L7162", A4, (2, 8), (99.06, 33.87), 101.6),
        sheet("L7163", A4, (2, 7), (99.06, 38.1), 101.6),
        sheet("L7165", A4, (2, 4), (99.06, 67.73), 101.6),
        sheet("5160", LETTER, (3, 10), (66.675, 25.4), 69.85),
        sheet("5161", LETTER, (2, 10), (101.6, 25.4), 106.3625),
        sheet("5162", LETTER, (2, 7), (101.6, 33.8667), 106.3625),
        sheet("5163", LETTER, (2, 5), (101.6, 50.8), 106.3625),
    ];

    /// Finds a sheet by its name, in any case.
    ///
    /// # Errors
    ///
    /// [`SheetError::UnknownFormat`], with all names.
    pub fn find(name: &str) -> Result<LabelSheet, SheetError> {
        let found = LabelSheet::ALL.iter().find(|sheet| sheet.name.eq_ignore_ascii_case(name.trim()));
        found.copied().ok_or_else(|| SheetError::UnknownFormat {
            what: "label sheet",
            name: name.to_owned(),
            known: LabelSheet::ALL.iter().map(|sheet| sheet.name).collect(),
        })
    }

    /// How many labels a sheet has.
    pub fn per_sheet(&self) -> usize {
        self.n_columns * self.n_rows
    }

    /// Returns the room of an address, its width and height.
    pub fn room(&self) -> (f64, f64) {
        (self.label.0 - 2.0 * MARGIN_ACROSS, self.label.1 - 2.0 * MARGIN_DOWN)
    }

    /// Returns the labels as a Word document, row by row; the first `skip` places stay empty.
    ///
    /// # Errors
    ///
    /// [`SheetError::SkipsSheet`]; all addresses that do not fit.
    pub fn document(&self, addressees: &[Addressee], skip: usize) -> Result<Vec<u8>, Vec<SheetError>> {
        if skip >= self.per_sheet() {
            let (format, per_sheet) = (self.name, self.per_sheet());
            return Err(vec![SheetError::SkipsSheet { skip, format, per_sheet }]);
        }
        let sizes = sizes(addressees, self.room())?;
        let places: Vec<Option<(&Addressee, usize)>> =
            std::iter::repeat_n(None, skip).chain(addressees.iter().zip(sizes).map(Some)).collect();
        let widths = self.widths();
        let rows: Vec<String> =
            places.chunks(self.n_columns).map(|places| self.row(places, &widths)).collect();
        let (width, height) = self.paper;
        let page = Page { width, height, left: self.first.0, top: self.first.1, bottom: 0.0 };
        let mut paper = Paper::default();
        paper.add_table(&rows, &widths, Borders::None);
        paper.packed(&page).map_err(|error| vec![error])
    }

    /// The widths of the columns: labels, and the gaps between them where there are any.
    fn widths(&self) -> Vec<f64> {
        let (label, gap) = (self.label.0, self.pitch - self.label.0);
        let column = |number: usize| match gap > 0.0 && number + 1 < self.n_columns {
            true => vec![label, gap],
            false => vec![label],
        };
        (0..self.n_columns).flat_map(column).collect()
    }

    fn row(&self, places: &[Option<(&Addressee, usize)>], widths: &[f64]) -> String {
        let per_label = widths.len().div_ceil(self.n_columns);
        let cell = |(column, width): (usize, &f64)| -> String {
            let place = match column % per_label {
                0 => places.get(column / per_label).copied().flatten(),
                _ => None,
            };
            let lines = place.map_or_else(Vec::new, |(addressee, size)| {
                let line =
                    |text| Line { text, size, left: MARGIN_ACROSS, right: MARGIN_ACROSS, ..Line::default() };
                addressee.block.iter().map(|text| line(text.as_str())).collect()
            });
            paper::cell(&lines, *width, Stand::Middle)
        };
        let cells: Vec<String> = widths.iter().enumerate().map(cell).collect();
        paper::row(&cells, Height::Exact(self.label.1))
    }
}

/// A sheet whose labels stand in its middle.
const fn sheet(
    name: &'static str,
    paper: (f64, f64),
    (n_columns, n_rows): (usize, usize),
    label: (f64, f64),
    pitch: f64,
) -> LabelSheet {
    let across = (n_columns - 1) as f64 * pitch + label.0;
    let down = n_rows as f64 * label.1;
    let first = ((paper.0 - across) / 2.0, (paper.1 - down) / 2.0);
    LabelSheet { name, paper, n_columns, n_rows, label, first, pitch }
}

#[cfg(test)]
mod tests {
    use super::{Addressee, LabelSheet, SheetError};

    #[test]
    fn every_sheet_lies_on_its_paper_and_leaves_no_room_for_another_row() {
        for sheet in LabelSheet::ALL {
            assert!(sheet.first.0 >= 0.0 && sheet.first.1 >= 0.0, "{sheet:?}");
            assert!(sheet.pitch >= sheet.label.0, "{sheet:?}");
            let left = sheet.paper.1 - sheet.first.1 - sheet.n_rows as f64 * sheet.label.1;
            // The paragraph behind the table, one point, finds room; a further row does not.
            assert!(left > 0.36 && left < sheet.label.1, "{sheet:?}: {left} mm");
            let names = LabelSheet::ALL.iter().filter(|other| other.name == sheet.name).count();
            assert_eq!(names, 1, "{sheet:?}");
        }
        let first = LabelSheet::find("l7160").unwrap().first;
        assert!((first.0 - 7.21).abs() < 0.01 && (first.1 - 15.15).abs() < 0.01, "{first:?}");
        let first = LabelSheet::find("5160").unwrap().first;
        assert!((first.0 - 4.7625).abs() < 0.01 && (first.1 - 12.7).abs() < 0.01, "{first:?}");
    }

    #[test]
    fn what_cannot_be_laid_out_is_refused_with_all_that_is_wrong() {
        let sheet = LabelSheet::find("37x70").unwrap();
        assert!(matches!(
            &sheet.document(&[], 24).unwrap_err()[..],
            [SheetError::SkipsSheet { per_sheet: 24, .. }]
        ));
        let long = Addressee { block: vec!["line".to_owned(); 40], ..Addressee::default() };
        let good = Addressee { block: vec!["line".to_owned()], ..Addressee::default() };
        let refused = sheet.document(&[long.clone(), good, long], 0).unwrap_err();
        assert!(
            matches!(&refused[..], [SheetError::TooLong { .. }, SheetError::TooLong { .. }]),
            "{refused:?}"
        );
        assert!(matches!(LabelSheet::find("L1"), Err(SheetError::UnknownFormat { .. })));
    }
}
