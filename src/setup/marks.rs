//! Owns what the set-up says about the marks on a print file: what machines that fold and insert read, and where it stands.

use serde::{Deserialize, Serialize};

/// The width of US Letter and the height of A4, in millimeters: what is beyond is on no page of a letter.
const PAPER: (f64, f64) = (215.9, 297.0);

/// A code is at most so many modules wide, with job numbers as they are.
const MODULES: f64 = 41.0;

/// A page mark is at most so many signs wide: `999/999`.
const SIGNS: f64 = 7.0;

/// `[print.marks]` of the set-up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Marks {
    /// Which page of its letter each is.
    pub pages: Option<PageMark>,
    /// Bars for a machine that inserts.
    pub omr: Option<OmrMark>,
    /// A code in two dimensions.
    pub code: Option<CodeMark>,
}

/// `2/3`: the second of three pages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PageMark {
    /// From the left edge of the page, in millimeters.
    pub left: f64,
    /// From the upper edge to the line that the signs stand on, in millimeters.
    pub top: f64,
    /// The size of the signs, in points.
    pub size: f64,
}

/// Bars for optical mark reading, on the front of each sheet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OmrMark {
    /// From the left edge of the page to that of the bars, in millimeters.
    pub left: f64,
    /// From the upper edge to the middle of the first bar, in millimeters.
    pub top: f64,
    /// How long a bar is, in millimeters.
    pub width: f64,
    /// How thick, in millimeters.
    pub thickness: f64,
    /// From the middle of a bar to that of the next, in millimeters.
    pub pitch: f64,
    /// When each bar is there, from top to bottom.
    pub bars: Vec<Bar>,
}

/// When a bar is there. A set is a letter, and begins with the sheet that comes first in the print file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bar {
    /// On every sheet: benchmark, safety, retiming.
    Always,
    /// On none: a place that is kept free.
    Never,
    /// On the first sheet of a set.
    Begin,
    /// On all but the first.
    NotBegin,
    /// On the last sheet of a set.
    End,
    /// On all but the last.
    NotEnd,
    /// Where it makes the number of bars even.
    ParityEven,
    /// Where it makes the number of bars odd.
    ParityOdd,
    /// Bit of the sequence of sheets.
    #[serde(rename = "sequence-1")]
    Sequence1,
    /// Bit of the sequence of sheets.
    #[serde(rename = "sequence-2")]
    Sequence2,
    /// Bit of the sequence of sheets.
    #[serde(rename = "sequence-4")]
    Sequence4,
    /// Bit of the sequence of sheets.
    #[serde(rename = "sequence-8")]
    Sequence8,
    /// Bit of the sequence of sheets.
    #[serde(rename = "sequence-16")]
    Sequence16,
    /// Bit of the sequence of sheets.
    #[serde(rename = "sequence-32")]
    Sequence32,
}

/// A code on the front of each sheet, which says job, set, sheet, and where a set ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CodeMark {
    /// Which.
    pub kind: CodeKind,
    /// From the left edge of the page, in millimeters, without the free border.
    pub left: f64,
    /// From the upper edge, in millimeters, without the free border.
    pub top: f64,
    /// How wide one of its squares is, in millimeters.
    pub module: f64,
}

/// A kind of code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodeKind {
    /// Data Matrix ECC 200 (ISO/IEC 16022).
    #[default]
    Datamatrix,
    /// QR code (ISO/IEC 18004).
    Qr,
}

/// Why marks cannot be printed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MarkFault {
    /// It would not be on the page.
    #[error("`{mark}` goes from {from:.1} to {to:.1} mm, but a page has {edge:.1}")]
    OffPage {
        /// Which mark.
        mark: &'static str,
        /// Where it begins.
        from: f64,
        /// Where it ends, as far as is known.
        to: f64,
        /// The edge that it must not cross.
        edge: f64,
    },
    /// A length that no reader reads.
    #[error("`{key}` of `{mark}` is {found}, expected {least} to {most}")]
    Size {
        /// Which mark.
        mark: &'static str,
        /// Which length.
        key: &'static str,
        /// The length.
        found: f64,
        /// The least that is taken.
        least: f64,
        /// The most that is taken.
        most: f64,
    },
    /// Bars without any, with too many, or with two of what there is one of.
    #[error("`bars` of `omr` has {n} of {what}, expected {expected}")]
    Bars {
        /// How many.
        n: usize,
        /// Of what.
        what: &'static str,
        /// How many there may be.
        expected: &'static str,
    },
}

impl MarkFault {
    /// Returns the fault's stable id.
    pub fn id(&self) -> &'static str {
        match self {
            MarkFault::OffPage { .. } => "mark-off-page",
            MarkFault::Size { .. } => "mark-size",
            MarkFault::Bars { .. } => "mark-bars",
        }
    }
}

impl Default for PageMark {
    fn default() -> PageMark {
        PageMark { left: 190.0, top: 275.0, size: 7.0 }
    }
}

impl Default for OmrMark {
    fn default() -> OmrMark {
        OmrMark { left: 5.0, top: 100.0, width: 10.0, thickness: 0.5, pitch: 4.23, bars: Vec::new() }
    }
}

impl Default for CodeMark {
    fn default() -> CodeMark {
        CodeMark { kind: CodeKind::Datamatrix, left: 5.0, top: 70.0, module: 0.5 }
    }
}

impl Bar {
    /// Returns the value of a bit of the sequence; none for other bars.
    pub fn bit(self) -> Option<usize> {
        match self {
            Bar::Sequence1 => Some(1),
            Bar::Sequence2 => Some(2),
            Bar::Sequence4 => Some(4),
            Bar::Sequence8 => Some(8),
            Bar::Sequence16 => Some(16),
            Bar::Sequence32 => Some(32),
            Bar::Always
            | Bar::Never
            | Bar::Begin
            | Bar::NotBegin
            | Bar::End
            | Bar::NotEnd
            | Bar::ParityEven
            | Bar::ParityOdd => None,
        }
    }
}

impl Marks {
    /// Tells whether nothing is to be marked.
    pub fn is_empty(&self) -> bool {
        self.pages.is_none() && self.omr.is_none() && self.code.is_none()
    }

    /// Returns all that is wrong with the marks.
    ///
    /// Source of what bars may be: Pitney Bowes, D1500/D1600 and DI500/DI600 operator guides, OMR specifications (0.35 to 0.7 mm
    /// thick, 10 mm or more long, 2.54 mm or more apart, at most 24); others read somewhat more.
    pub fn faults(&self) -> Vec<MarkFault> {
        let mut faults = Vec::new();
        if let Some(PageMark { left, top, size }) = self.pages {
            check_size(&mut faults, ("pages", "size"), size, (4.0, 24.0));
            let millimeters = size * 25.4 / 72.0;
            let width = millimeters * 0.6 * SIGNS;
            check_place(&mut faults, "pages", (left, left + width), (top - millimeters, top));
        }
        if let Some(OmrMark { left, top, width, thickness, pitch, bars }) = &self.omr {
            check_size(&mut faults, ("omr", "width"), *width, (3.0, 40.0));
            check_size(&mut faults, ("omr", "thickness"), *thickness, (0.2, 2.0));
            check_size(&mut faults, ("omr", "pitch"), *pitch, (2.0, 20.0));
            let last = top + pitch * bars.len().saturating_sub(1) as f64;
            check_place(
                &mut faults,
                "omr",
                (*left, left + width),
                (top - thickness / 2.0, last + thickness / 2.0),
            );
            check_bars(&mut faults, bars);
        }
        if let Some(CodeMark { left, top, module, .. }) = self.code {
            check_size(&mut faults, ("code", "module"), module, (0.25, 2.0));
            let side = MODULES * module;
            check_place(&mut faults, "code", (left, left + side), (top, top + side));
        }
        faults
    }
}

fn check_size(
    faults: &mut Vec<MarkFault>,
    (mark, key): (&'static str, &'static str),
    found: f64,
    (least, most): (f64, f64),
) {
    if !(least..=most).contains(&found) {
        faults.push(MarkFault::Size { mark, key, found, least, most });
    }
}

fn check_place(faults: &mut Vec<MarkFault>, mark: &'static str, across: (f64, f64), down: (f64, f64)) {
    for ((from, to), edge) in [(across, PAPER.0), (down, PAPER.1)] {
        if !(from >= 0.0 && to <= edge) {
            faults.push(MarkFault::OffPage { mark, from, to, edge });
        }
    }
}

fn check_bars(faults: &mut Vec<MarkFault>, bars: &[Bar]) {
    if bars.is_empty() || bars.len() > 24 {
        faults.push(MarkFault::Bars { n: bars.len(), what: "bars", expected: "1 to 24" });
    }
    let n_parities = bars.iter().filter(|bar| matches!(bar, Bar::ParityEven | Bar::ParityOdd)).count();
    if n_parities > 1 {
        faults.push(MarkFault::Bars { n: n_parities, what: "parity bars", expected: "at most one" });
    }
    let bits: Vec<usize> = bars.iter().filter_map(|bar| bar.bit()).collect();
    let all = bits.iter().fold(0, |sum, bit| sum | bit);
    if bits.iter().sum::<usize>() != all || (all + 1).count_ones() != 1 {
        faults.push(MarkFault::Bars {
            n: bits.len(),
            what: "sequence bars",
            expected: "`sequence-1` and its doubles without a gap, each once",
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{Bar, CodeMark, MarkFault, Marks, OmrMark, PageMark};

    fn omr(bars: &[Bar]) -> Marks {
        Marks { omr: Some(OmrMark { bars: bars.to_vec(), ..OmrMark::default() }), ..Marks::default() }
    }

    fn ids(marks: &Marks) -> Vec<&'static str> {
        marks.faults().iter().map(MarkFault::id).collect()
    }

    #[test]
    fn marks_that_no_reader_would_read_are_found() {
        assert!(ids(&Marks::default()).is_empty());
        let good = Marks {
            pages: Some(PageMark::default()),
            code: Some(CodeMark::default()),
            ..omr(&[Bar::Always, Bar::NotEnd, Bar::ParityEven, Bar::Sequence2, Bar::Sequence1])
        };
        assert!(ids(&good).is_empty(), "{:?}", good.faults());
        assert_eq!(ids(&omr(&[])), ["mark-bars"]);
        assert_eq!(ids(&omr(&[Bar::ParityEven, Bar::ParityOdd])), ["mark-bars"]);
        assert_eq!(ids(&omr(&[Bar::Sequence1, Bar::Sequence4])), ["mark-bars"], "a gap");
        assert_eq!(ids(&omr(&[Bar::Sequence1, Bar::Sequence1])), ["mark-bars"], "twice");
        let low = OmrMark { top: 290.0, bars: vec![Bar::Always; 4], ..OmrMark::default() };
        assert_eq!(ids(&Marks { omr: Some(low), ..Marks::default() }), ["mark-off-page"]);
        let odd = CodeMark { left: f64::NAN, module: 9.0, ..CodeMark::default() };
        let found = Marks { code: Some(odd), ..Marks::default() };
        assert_eq!(ids(&found), ["mark-size", "mark-off-page", "mark-off-page"]);
    }
}
