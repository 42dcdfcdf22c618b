//! Owns marks on the pages of a print file: which page of its letter each is, bars and codes for machines that insert. They are
//! drawn as lines and squares, so that no font is missing and no reader sees blurred edges.

use std::fmt::Write as _;
use std::io;

use datamatrix::{DataMatrix, SymbolList};
use fast_qr::{ECL, QRBuilder};

use crate::setup::marks::{Bar, CodeKind, CodeMark, Marks, OmrMark, PageMark};

/// Points in a millimeter.
const POINTS: f64 = 72.0 / 25.4;

/// The name of the font of the page mark among a page's resources; no program that lays out letters has one like it.
pub(super) const FONT: &str = "MailrunMarks";

/// How wide each sign of the font is, in thousandths of its size.
pub(super) const GLYPH_WIDTH: i64 = 600;

/// The signs of the font, by code: the name, and lines that are drawn.
pub(super) const GLYPHS: [(char, &str, &str); 11] = [
    ('/', "slash", "130 -20 m 470 700 l S"),
    (
        '0',
        "zero",
        "300 660 m 460 660 500 520 500 350 c 500 180 460 40 300 40 c 140 40 100 180 100 350 c 100 520 140 660 300 660 c s",
    ),
    ('1', "one", "150 530 m 320 660 l 320 40 l S 150 40 m 490 40 l S"),
    (
        '2',
        "two",
        "120 520 m 130 620 200 660 300 660 c 410 660 480 590 480 500 c 480 400 400 330 300 240 c 110 40 l 490 40 l S",
    ),
    (
        '3',
        "three",
        "130 600 m 180 640 230 660 300 660 c 410 660 470 600 470 520 c 470 430 400 370 270 370 c 420 370 490 300 490 210 c 490 100 410 40 300 40 c 220 40 160 60 110 110 c S",
    ),
    ('4', "four", "390 40 m 390 660 l 100 220 l 510 220 l S"),
    (
        '5',
        "five",
        "460 660 m 170 660 l 140 380 l 190 420 240 440 300 440 c 420 440 490 350 490 240 c 490 120 410 40 290 40 c 220 40 160 60 110 110 c S",
    ),
    (
        '6',
        "six",
        "450 620 m 410 650 370 660 320 660 c 180 660 110 530 110 320 c 110 140 180 40 300 40 c 420 40 490 120 490 230 c 490 340 420 410 310 410 c 210 410 140 360 110 270 c S",
    ),
    ('7', "seven", "110 660 m 490 660 l 250 40 l S"),
    (
        '8',
        "eight",
        "300 370 m 200 370 140 430 140 515 c 140 600 200 660 300 660 c 400 660 460 600 460 515 c 460 430 400 370 300 370 c 180 370 110 310 110 205 c 110 110 180 40 300 40 c 420 40 490 110 490 205 c 490 310 420 370 300 370 c s",
    ),
    (
        '9',
        "nine",
        "150 80 m 190 50 230 40 280 40 c 420 40 490 170 490 380 c 490 560 420 660 300 660 c 180 660 110 580 110 470 c 110 360 180 290 290 290 c 390 290 460 340 490 430 c S",
    ),
];

/// Where a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PlaceInJob {
    /// The number of its letter in the print file, from 1.
    pub(super) set: usize,
    /// Its number in the letter, from 1.
    pub(super) page: usize,
    /// How many pages the letter has.
    pub(super) n_pages: usize,
    /// The number of its sheet in the letter, from 1.
    pub(super) sheet: usize,
    /// How many sheets the letter has.
    pub(super) n_sheets: usize,
    /// The number of its sheet in the print file, from 1.
    pub(super) sheet_of_all: usize,
    /// Which side of the sheet it is.
    pub(super) side: Side,
}

/// A side of a sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Front,
    Back,
}

/// The paper of a page: its edges in points, and how far it is turned when it is shown, in degrees clockwise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Leaf {
    /// Left, lower, right, upper.
    pub(super) edges: [f64; 4],
    pub(super) turned: i64,
}

/// What is drawn on a page.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Drawn {
    /// Operators of a content stream; empty where the page has no mark.
    pub(super) content: String,
    /// Whether all of it is on the paper.
    pub(super) is_on_paper: bool,
}

/// Draws what stands on a page. `job` names the run in codes.
///
/// # Errors
///
/// A code that its kind cannot hold.
pub(super) fn drawn(marks: &Marks, job: &str, at: PlaceInJob, leaf: Leaf) -> io::Result<Drawn> {
    let mut pen = Pen::begin(leaf);
    if let Some(PageMark { left, top, size }) = marks.pages {
        let text = format!("{}/{}", at.page, at.n_pages);
        pen.text(&text, (left, top), size);
    }
    if at.side == Side::Front {
        if let Some(omr) = &marks.omr {
            pen.bars(omr, at);
        }
        if let Some(code) = &marks.code {
            pen.code(code, &code_text(job, at))?;
        }
    }
    Ok(pen.end())
}

/// What a code says: job, set, sheet, sheets of the set, and 1 where the set ends; so many digits that all codes are alike.
pub(super) fn code_text(job: &str, at: PlaceInJob) -> String {
    let PlaceInJob { set, sheet, n_sheets, .. } = at;
    let is_end = u8::from(sheet == n_sheets);
    format!("{job};{set:07};{sheet:03};{n_sheets:03};{is_end}")
}

/// Returns what the marks are, a line each, for the ticket.
pub(super) fn described(marks: &Marks) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(PageMark { left, top, .. }) = &marks.pages {
        lines.push(format!("page of pages of the letter, {left} mm from the left, {top} from the top"));
    }
    if let Some(OmrMark { left, top, pitch, bars, .. }) = &marks.omr {
        let bars: Vec<String> = bars.iter().map(bar_name).collect();
        let bars = bars.join(" ");
        lines.push(format!("OMR, {left} mm from the left, {top} from the top, every {pitch}: {bars}"));
    }
    if let Some(CodeMark { kind, left, top, module }) = &marks.code {
        let kind = match kind {
            CodeKind::Datamatrix => "DataMatrix",
            CodeKind::Qr => "QR code",
        };
        lines.push(format!(
            "{kind}, {left} mm from the left, {top} from the top, squares of {module}: job;set;sheet;sheets;end"
        ));
    }
    lines
}

fn bar_name(bar: &Bar) -> String {
    // The names are those of the set-up, of which each is a text.
    serde_json::to_value(bar).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Tells which bars a sheet has.
fn present(bars: &[Bar], at: PlaceInJob) -> Vec<bool> {
    let most = bars.iter().filter_map(|bar| bar.bit()).sum::<usize>();
    // From 1 to the most and again from 1: a sheet without any bit would look like one that was not read.
    let sequence = if most == 0 { 0 } else { (at.sheet_of_all - 1) % most + 1 };
    let (is_begin, is_end) = (at.sheet == 1, at.sheet == at.n_sheets);
    let without_parity = |bar: &Bar| match bar {
        Bar::Always => true,
        Bar::Never | Bar::ParityEven | Bar::ParityOdd => false,
        Bar::Begin => is_begin,
        Bar::NotBegin => !is_begin,
        Bar::End => is_end,
        Bar::NotEnd => !is_end,
        Bar::Sequence1
        | Bar::Sequence2
        | Bar::Sequence4
        | Bar::Sequence8
        | Bar::Sequence16
        | Bar::Sequence32 => bar.bit().is_some_and(|bit| sequence & bit != 0),
    };
    let is_odd = bars.iter().filter(|bar| without_parity(bar)).count() % 2 == 1;
    let is_there = |bar: &Bar| match bar {
        Bar::ParityEven => is_odd,
        Bar::ParityOdd => !is_odd,
        other => without_parity(other),
    };
    bars.iter().map(is_there).collect()
}

/// Draws in millimeters from the upper left corner of a page as it is shown.
struct Pen {
    content: String,
    width: f64,
    height: f64,
    is_on_paper: bool,
}

impl Pen {
    fn begin(leaf: Leaf) -> Pen {
        let [left, lower, right, upper] = leaf.edges;
        let (across, up) = (right - left, upper - lower);
        // From the page as it is shown to the page as it is written (ISO 32000-1 §7.7.3.3, Rotate).
        let (matrix, width, height) = match leaf.turned.rem_euclid(360) {
            90 => (format!("0 1 -1 0 {right:.3} {lower:.3}"), up, across),
            180 => (format!("-1 0 0 -1 {right:.3} {upper:.3}"), across, up),
            270 => (format!("0 -1 1 0 {left:.3} {upper:.3}"), up, across),
            _ => (format!("1 0 0 1 {left:.3} {lower:.3}"), across, up),
        };
        Pen { content: format!("q {matrix} cm 0 g\n"), width, height, is_on_paper: true }
    }

    fn end(self) -> Drawn {
        Drawn { content: self.content + "Q\n", is_on_paper: self.is_on_paper }
    }

    /// Adds operators; writing into a text does not fail.
    fn add(&mut self, operators: std::fmt::Arguments<'_>) {
        let _ = self.content.write_fmt(operators);
    }

    fn rectangle(&mut self, (left, top): (f64, f64), (width, height): (f64, f64)) {
        let [left, top, width, height] = [left, top, width, height].map(|length| length * POINTS);
        self.is_on_paper &= left + width <= self.width && top + height <= self.height;
        let lower = self.height - top - height;
        self.add(format_args!("{left:.3} {lower:.3} {width:.3} {height:.3} re\n"));
    }

    fn text(&mut self, text: &str, (left, top): (f64, f64), size: f64) {
        let (left, top) = (left * POINTS, top * POINTS);
        let width = size * GLYPH_WIDTH as f64 / 1000.0 * text.len() as f64;
        self.is_on_paper &= left + width <= self.width && top <= self.height;
        let lower = self.height - top;
        self.add(format_args!("BT /{FONT} {size} Tf {left:.3} {lower:.3} Td ({text}) Tj ET\n"));
    }

    fn bars(&mut self, omr: &OmrMark, at: PlaceInJob) {
        for (number, _) in present(&omr.bars, at).iter().enumerate().filter(|(_, is_there)| **is_there) {
            let middle = omr.top + omr.pitch * number as f64;
            self.rectangle((omr.left, middle - omr.thickness / 2.0), (omr.width, omr.thickness));
        }
        self.content.push_str("f\n");
    }

    /// Draws the dark squares in one go: a reader of paper would see seams between squares that are filled one by one.
    fn code(&mut self, mark: &CodeMark, text: &str) -> io::Result<()> {
        let squares: Vec<(usize, usize)> = match mark.kind {
            CodeKind::Datamatrix => {
                let code = DataMatrix::encode(text.as_bytes(), SymbolList::default().enforce_square());
                let code = code.map_err(|error| io::Error::other(format!("no code: {error:?}")))?;
                code.bitmap().pixels().collect()
            }
            CodeKind::Qr => {
                let code = QRBuilder::new(text).ecl(ECL::M).build();
                let code = code.map_err(|error| io::Error::other(format!("no code: {error}")))?;
                let side = 0..code.size;
                side.clone()
                    .flat_map(|y| side.clone().map(move |x| (x, y)))
                    .filter(|(x, y)| code[*y][*x].value())
                    .collect()
            }
        };
        for (left, top, width) in runs(squares) {
            let at = |modules: usize| modules as f64 * mark.module;
            self.rectangle((mark.left + at(left), mark.top + at(top)), (at(width), mark.module));
        }
        self.content.push_str("f\n");
        Ok(())
    }
}

/// Joins squares that stand beside each other: column, row, and how many.
fn runs(mut squares: Vec<(usize, usize)>) -> Vec<(usize, usize, usize)> {
    squares.sort_by_key(|(x, y)| (*y, *x));
    let mut runs: Vec<(usize, usize, usize)> = Vec::new();
    for (x, y) in squares {
        match runs.last_mut() {
            Some((left, top, width)) if *top == y && *left + *width == x => *width += 1,
            _ => runs.push((x, y, 1)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(sheet: usize, n_sheets: usize, sheet_of_all: usize) -> PlaceInJob {
        PlaceInJob {
            set: 7,
            page: sheet,
            n_pages: n_sheets,
            sheet,
            n_sheets,
            sheet_of_all,
            side: Side::Front,
        }
    }

    #[test]
    fn bars_say_where_a_set_begins_and_ends_and_count_sheets() {
        use Bar::{Always, Begin, End, Never, NotBegin, NotEnd, ParityEven, ParityOdd};
        use Bar::{Sequence1, Sequence2, Sequence4};
        let check = |bars: &[Bar], at: PlaceInJob, expected: &str| {
            let found: String = present(bars, at).iter().map(|it| if *it { '|' } else { '.' }).collect();
            assert_eq!(found, expected, "{bars:?} {at:?}");
        };
        let ends = [Always, Never, Begin, NotBegin, End, NotEnd];
        check(&ends, at(1, 3, 1), "|.|..|");
        check(&ends, at(2, 3, 2), "|..|.|");
        check(&ends, at(3, 3, 3), "|..||.");
        check(&ends, at(1, 1, 4), "|.|.|.");
        check(&[Always, End, ParityEven], at(1, 2, 1), "|.|");
        check(&[Always, End, ParityEven], at(2, 2, 2), "||.");
        check(&[Always, End, ParityOdd], at(2, 2, 2), "|||");
        for (sheet, expected) in [(1, "..|"), (2, ".|."), (6, "||."), (7, "|||"), (8, "..|"), (14, "|||")] {
            check(&[Sequence4, Sequence2, Sequence1], at(1, 1, sheet), expected);
        }
    }

    #[test]
    fn marks_stand_upright_however_the_page_is_turned() {
        let marks = Marks { pages: Some(PageMark { left: 10.0, top: 20.0, size: 8.0 }), ..Marks::default() };
        let leaf = |turned| Leaf { edges: [0.0, 0.0, 595.0, 842.0], turned };
        let content = |turned| drawn(&marks, "J", at(1, 2, 1), leaf(turned)).unwrap().content;
        assert!(content(0).starts_with(
            "q 1 0 0 1 0.000 0.000 cm 0 g\nBT /MailrunMarks 8 Tf 28.346 785.307 Td (1/2) Tj ET"
        ));
        assert!(
            content(90)
                .starts_with("q 0 1 -1 0 595.000 0.000 cm 0 g\nBT /MailrunMarks 8 Tf 28.346 538.307 Td")
        );
        assert!(content(-90).starts_with("q 0 -1 1 0 0.000 842.000 cm"));
        let small = Leaf { edges: [0.0, 0.0, 30.0, 842.0], turned: 0 };
        assert!(!drawn(&marks, "J", at(1, 2, 1), small).unwrap().is_on_paper);
    }

    #[test]
    fn codes_of_one_job_are_of_one_size() {
        assert_eq!(code_text("SM1.2", at(2, 2, 9)), "SM1.2;0000007;002;002;1");
        for kind in [CodeKind::Datamatrix, CodeKind::Qr] {
            let marks = Marks { code: Some(CodeMark { kind, ..CodeMark::default() }), ..Marks::default() };
            let extent = |at: PlaceInJob| {
                let leaf = Leaf { edges: [0.0, 0.0, 595.0, 842.0], turned: 0 };
                let content = drawn(&marks, "SM00001.1", at, leaf).unwrap().content;
                let rights = content.lines().filter(|line| line.ends_with("re")).map(|line| {
                    let numbers: Vec<f64> = line.split(' ').filter_map(|it| it.parse().ok()).collect();
                    ((numbers[0] + numbers[2]) * 10.0).round() as i64
                });
                rights.max()
            };
            assert_eq!(extent(at(1, 1, 1)), extent(at(12, 345, 1)), "{kind:?}");
        }
        assert_eq!(runs(vec![(1, 0), (0, 0), (3, 0), (0, 1)]), [(0, 0, 2), (3, 0, 1), (0, 1, 1)]);
    }
}
