//! Owns the windows of envelopes: where on the first page of a letter each shows the paper, and what is wrong with what it
//! shows. The words of a page are read by poppler's `pdftotext`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use quick_xml::escape::unescape;

/// The program's name.
pub const PROGRAM: &str = "pdftotext";

/// Points in a millimeter.
const POINTS_PER_MM: f64 = 72.0 / 25.4;

/// What lies so far outside is still seen: the box of a word is higher than its letters.
const TOLERANCE: f64 = 1.0;

/// A window, in millimeters from the upper left corner of the paper. What it shows wherever the folded sheet lies in the
/// envelope, moved from side to side; it rests on the lower edge.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Its name.
    pub name: &'static str,
    /// From the left edge of the paper.
    pub left: f64,
    /// From the upper edge.
    pub top: f64,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
    /// So much of it at the top is for the sender and notes of the post.
    pub note: f64,
    /// How many lines an address may have.
    pub most_lines: usize,
}

impl Window {
    /// The windows that are known.
    ///
    /// DIN 5008: the field for the address, 85 × 45 mm, 20 mm from the left, 27 (form A) or 45 mm (form B) from the top; its
    /// upper 17.7 mm are for sender and notes, and six lines are the address's. No. 10: 4½ × 1⅛ inches, ⅞ from the left and ½
    /// from below (California State University, mail guide), US Letter folded in three. Switzerland: 100 × 45 mm, 21 mm from
    /// below, 12 mm from the right of a C5/6 or 109 mm with the window at the left (SN of before 1980, which envelopes still
    /// have); 90 × 40 mm, 30 mm from below, 17 mm from the right (SN 010130): a maker's sheet on norms of envelopes with a
    /// window. United Kingdom: the area that the printers of GOV.UK Notify leave for the address, 24.6 to 120 mm from the left,
    /// 39.5 to 66.3 mm from the top, seven lines at most (notifications-template-preview). France: 85 × 33 mm, 55 mm from the top
    /// and 110 mm from the left of the sheet (edics, good practice of addresses): a convention, no norm.
    #[rustfmt::skip]
    pub const ALL: &'static [Window] = &[
        Window { name: "din5008-a", left: 20.0, top: 27.0, width: 85.0, height: 45.0, note: 17.7, most_lines: 6 },
        Window { name: "din5008-b", left: 20.0, top: 45.0, width: 85.0, height: 45.0, note: 17.7, most_lines: 6 },
        Window { name: "us-10", left: 22.2, top: 51.9, width: 88.9, height: 28.6, note: 0.0, most_lines: 6 },
        Window { name: "uk-dl", left: 24.6, top: 39.5, width: 95.4, height: 26.8, note: 0.0, most_lines: 7 },
        Window { name: "ch-left", left: 20.0, top: 33.0, width: 81.0, height: 45.0, note: 10.0, most_lines: 7 },
        Window { name: "ch-right", left: 117.0, top: 33.0, width: 81.0, height: 45.0, note: 10.0, most_lines: 7 },
        Window { name: "ch-right-90", left: 122.0, top: 29.0, width: 71.0, height: 40.0, note: 10.0, most_lines: 6 },
        Window { name: "fr-dl", left: 110.0, top: 55.0, width: 85.0, height: 33.0, note: 0.0, most_lines: 7 },
    ];

    /// The names of all windows.
    pub fn names() -> Vec<&'static str> {
        Window::ALL.iter().map(|window| window.name).collect()
    }

    /// Finds a window by its name.
    pub fn find(name: &str) -> Option<Window> {
        Window::ALL.iter().find(|window| window.name == name).copied()
    }

    /// Returns what is wrong with an address on a page, whose words these are.
    pub fn faults(&self, block: &[&str], words: &[Word]) -> Vec<WindowFault> {
        let mut faults = Vec::new();
        if block.len() > self.most_lines {
            faults.push(WindowFault::TooManyLines { n_lines: block.len(), most: self.most_lines });
        }
        let mut is_address = vec![false; words.len()];
        for (line, place) in block.iter().zip(self.places(block, words)) {
            match place {
                Some((start, end)) => {
                    is_address[start..end].fill(true);
                    if !words[start..end].iter().all(|word| self.shows(word)) {
                        faults.push(WindowFault::Outside { line: (*line).to_owned() });
                    }
                }
                None => faults.push(WindowFault::NotFound { line: (*line).to_owned() }),
            }
        }
        let foreign: Vec<&str> = words
            .iter()
            .zip(&is_address)
            .filter(|(word, is_address)| !**is_address && self.shows_some(word))
            .map(|(word, _)| word.text.as_str())
            .collect();
        if !foreign.is_empty() {
            faults.push(WindowFault::Foreign { text: foreign.join(" ") });
        }
        faults
    }

    /// Finds the words of each line of an address: of several places those that together look most like an address, each
    /// line below the one before, the first where the window begins.
    fn places(&self, block: &[&str], words: &[Word]) -> Vec<Option<(usize, usize)>> {
        let corner = (self.left, self.top + self.note);
        let mut chains = vec![Chain::default()];
        for line in block {
            let found = occurrences(line, words);
            if found.is_empty() {
                chains.iter_mut().for_each(|chain| chain.lines.push(None));
                continue;
            }
            chains = found
                .into_iter()
                .filter_map(|place| {
                    let longer = chains.iter().map(|chain| chain.with(place, words, corner));
                    longer.min_by(|a, b| a.distance.total_cmp(&b.distance))
                })
                .collect();
        }
        let nearest = chains.into_iter().min_by(|a, b| a.distance.total_cmp(&b.distance));
        nearest.unwrap_or_default().lines
    }

    fn shows(&self, word: &Word) -> bool {
        word.left >= self.left - TOLERANCE
            && word.right <= self.left + self.width + TOLERANCE
            && word.top >= self.top - TOLERANCE
            && word.bottom <= self.top + self.height + TOLERANCE
    }

    /// Tells whether some of a word is seen where the sender's line does not stand.
    fn shows_some(&self, word: &Word) -> bool {
        word.right > self.left + TOLERANCE
            && word.left < self.left + self.width - TOLERANCE
            && word.bottom > self.top + self.note + TOLERANCE * 2.0
            && word.top < self.top + self.height - TOLERANCE
    }
}

/// Places of the lines of an address, as far as they were looked for.
#[derive(Clone, Debug, Default)]
struct Chain {
    lines: Vec<Option<(usize, usize)>>,
    /// How far the lines are from each other, and the first from where it should be.
    distance: f64,
}

impl Chain {
    /// What a line costs that does not follow the one before: more than any page is high.
    const OUT_OF_ORDER: f64 = 10_000.0;

    /// Returns the chain with one more line, which begins with the word `place.0`.
    fn with(&self, place: (usize, usize), words: &[Word], corner: (f64, f64)) -> Chain {
        let word = &words[place.0];
        let before = self.lines.iter().rev().find_map(|line| *line);
        let (left, top) = before.map_or(corner, |(start, _)| (words[start].left, words[start].top));
        let follows = before
            .is_none_or(|(start, end)| (place.0 >= end || place.1 <= start) && word.top > words[start].top);
        let own = (word.left - left).hypot(word.top - top) + if follows { 0.0 } else { Chain::OUT_OF_ORDER };
        let mut lines = self.lines.clone();
        lines.push(Some(place));
        Chain { lines, distance: self.distance + own }
    }
}

/// Finds the words of a line, in capitals or not, wherever they follow each other; a word may be broken, as behind a hyphen.
fn occurrences(line: &str, words: &[Word]) -> Vec<(usize, usize)> {
    let wanted: String = line.split_whitespace().map(str::to_lowercase).collect();
    let from = |start: usize| {
        let mut rest = wanted.as_str();
        for (at, word) in words.iter().enumerate().skip(start) {
            rest = rest.strip_prefix(word.text.to_lowercase().as_str())?;
            if rest.is_empty() {
                return Some((start, at + 1));
            }
        }
        None
    };
    if wanted.is_empty() { Vec::new() } else { (0..words.len()).filter_map(from).collect() }
}

/// What is wrong with what a window shows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindowFault {
    /// The address has more lines than there is room for.
    #[error("the address has {n_lines} lines, and the window has room for {most}")]
    TooManyLines {
        /// How many it has.
        n_lines: usize,
        /// How many it may have.
        most: usize,
    },
    /// A line of the address is not, or not wholly, in the window.
    #[error("the line `{line}` of the address is outside the window")]
    Outside {
        /// The line.
        line: String,
    },
    /// A line of the address is not on the page.
    #[error("the line `{line}` of the address is not on the first page")]
    NotFound {
        /// The line.
        line: String,
    },
    /// Something else shows in the window.
    #[error("the window shows `{text}`, which is not of the address")]
    Foreign {
        /// What shows.
        text: String,
    },
}

impl WindowFault {
    /// Returns the fault's stable id.
    pub fn id(&self) -> &'static str {
        match self {
            WindowFault::TooManyLines { .. } => "too-many-address-lines",
            WindowFault::Outside { .. } => "outside-window",
            WindowFault::NotFound { .. } => "address-not-found",
            WindowFault::Foreign { .. } => "foreign-in-window",
        }
    }
}

/// A word of a page, and where it is, in millimeters from the upper left corner.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    /// The word.
    pub text: String,
    /// Its left edge.
    pub left: f64,
    /// Its upper edge.
    pub top: f64,
    /// Its right edge.
    pub right: f64,
    /// Its lower edge.
    pub bottom: f64,
}

/// Why the words of a page are not known.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the words of a page with `{}`", program.display())]
pub struct WordsError {
    /// The program.
    program: PathBuf,
    /// Why.
    #[source]
    source: io::Error,
}

/// Returns the words of the first page of a PDF file.
///
/// # Errors
///
/// A program that does not start or says that it failed; a folder for temporary files that cannot be written.
pub fn first_page(program: &Path, pdf: &[u8]) -> Result<Vec<Word>, WordsError> {
    let failed = |source| WordsError { program: program.to_owned(), source };
    let folder = tempfile::tempdir().map_err(failed)?;
    let file = folder.path().join("letter.pdf");
    fs::write(&file, pdf).map_err(failed)?;
    let ended = Command::new(program)
        .args(["-bbox", "-enc", "UTF-8", "-f", "1", "-l", "1"])
        .arg(&file)
        .arg("-")
        .stdin(Stdio::null())
        .output()
        .map_err(failed)?;
    if !ended.status.success() {
        return Err(failed(io::Error::other(String::from_utf8_lossy(&ended.stderr).trim().to_owned())));
    }
    Ok(String::from_utf8_lossy(&ended.stdout).lines().filter_map(word).collect())
}

/// Reads a line such as `<word xMin="56.7" yMin="70.1" xMax="98.2" yMax="84.4">Jana</word>`, in points.
fn word(line: &str) -> Option<Word> {
    let (_, rest) = line.split_once("<word ")?;
    let (places, rest) = rest.split_once('>')?;
    let (text, _) = rest.split_once('<')?;
    let place = |name: &str| -> Option<f64> {
        let (_, value) = places.split_once(&format!("{name}=\""))?;
        let (value, _) = value.split_once('"')?;
        value.parse().ok().map(|points: f64| points / POINTS_PER_MM)
    };
    Some(Word {
        text: unescape(text).ok()?.into_owned(),
        left: place("xMin")?,
        top: place("yMin")?,
        right: place("xMax")?,
        bottom: place("yMax")?,
    })
}

#[cfg(test)]
mod tests {
    use super::{Window, WindowFault, Word, word};

    /// Words of a line that begins at a place, each 10 mm wide and 4 mm high.
    fn line(text: &str, left: f64, top: f64) -> Vec<Word> {
        let of = |(at, text): (usize, &str)| {
            let left = left + 11.0 * at as f64;
            Word { text: text.to_owned(), left, top, right: left + 10.0, bottom: top + 4.0 }
        };
        text.split(' ').enumerate().map(of).collect()
    }

    #[test]
    fn what_a_window_shows_wrongly_is_found() {
        let window = Window::find("din5008-b").unwrap();
        let block = ["Jana Roth", "Damm 1", "8001 Zürich"];
        let good = [
            line("Sender AG", 20.0, 57.0),
            line("Jana Roth", 20.0, 63.0),
            line("Damm 1", 20.0, 68.0),
            line("8001 ZÜRICH", 20.0, 73.0),
            line("Dear Jana Roth", 20.0, 120.0),
        ]
        .concat();
        assert_eq!(window.faults(&block, &good), []);
        let foreign = [good.clone(), line("Reference 7", 80.0, 80.0)].concat();
        assert_eq!(
            window.faults(&block, &foreign),
            [WindowFault::Foreign { text: "Reference 7".to_owned() }]
        );
        let below: Vec<Word> = good
            .iter()
            .map(|it| Word { top: it.top + 20.0, bottom: it.bottom + 20.0, ..it.clone() })
            .collect();
        let faults = window.faults(&block, &below);
        assert!(faults.contains(&WindowFault::Outside { line: "8001 Zürich".to_owned() }), "{faults:?}");
        assert_eq!(window.faults(&["Nobody"], &[]), [WindowFault::NotFound { line: "Nobody".to_owned() }]);
        let long = ["Jana Roth"; 7];
        assert_eq!(window.faults(&long, &good)[0], WindowFault::TooManyLines { n_lines: 7, most: 6 });
    }

    #[test]
    fn words_that_come_twice_are_found_where_the_address_is() {
        let window = Window::find("din5008-b").unwrap();
        let block = ["Ada & Co-Erben Zürich", "Damm 1", "8001 Zürich"];
        // The sender's line and the first line say the city too, nearer to the middle of the window.
        let page = [
            line("Sender AG Hafen 1 8001 Zürich", 20.0, 50.0),
            line("Ada & Co-", 20.0, 63.0),
            line("Erben Zürich", 20.0, 68.0),
            line("Damm 1", 20.0, 73.0),
            line("8001 Zürich", 20.0, 78.0),
            line("Customer Damm 1", 120.0, 63.0),
            line("Dear Ada & Co-Erben Zürich of 8001 Zürich", 20.0, 120.0),
        ]
        .concat();
        assert_eq!(window.faults(&block, &page), []);
        let without: Vec<Word> = page.iter().filter(|word| (word.top - 78.0).abs() > 0.1).cloned().collect();
        assert_eq!(
            window.faults(&block, &without),
            [WindowFault::Outside { line: "8001 Zürich".to_owned() }],
            "what stands above the address is not taken for its last line"
        );
    }

    #[test]
    fn words_are_read_with_their_places() {
        let read =
            word("    <word xMin=\"72.0\" yMin=\"144\" xMax=\"108\" yMax=\"158.4\">&amp;Co</word>").unwrap();
        assert_eq!(read.text, "&Co");
        assert!((read.left - 25.4).abs() < 1e-9 && (read.bottom - 55.88).abs() < 1e-9, "{read:?}");
        assert_eq!(word("<page width=\"1\">"), None);
    }
}
