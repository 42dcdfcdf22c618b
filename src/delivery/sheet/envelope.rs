//! Owns envelopes that are printed themselves: their sizes, and where sender and address stand.

use super::paper::{self, Borders, Height, Line, Page, Paper, Stand};
use super::{Addressee, SheetError, sizes};

/// The sender's type, in half points.
const SENDER_SIZE: usize = 16;

/// The sender begins so far from the left and the upper edge, in millimeters.
const SENDER_AT: f64 = 10.0;

/// An envelope, its long side across; lengths are millimeters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Envelope {
    /// Its name.
    pub name: &'static str,
    /// Its width and height.
    pub paper: (f64, f64),
    /// Where the address begins, from the left and from the top.
    pub address: (f64, f64),
    /// What stays free to the right of the address and below it, for the codes of the post.
    pub free: (f64, f64),
}

impl Envelope {
    /// The envelope where none is named.
    pub const DEFAULT: &'static str = "DL";

    /// The envelopes that are known: DL, C5 and C6/5 of ISO 269 (with DIN 678), and the American No. 10.
    ///
    /// The address stands at least 40 mm below the upper edge and 15 mm from the others, where European posts read it. On
    /// the No. 10 it lies within what USPS reads: ½ inch from the sides, ⅝ to 2¾ inches from the lower edge (Domestic Mail
    /// Manual 202.2.1).
    pub const ALL: &'static [Envelope] = &[
        Envelope { name: "DL", paper: (220.0, 110.0), address: (110.0, 50.0), free: (15.0, 15.0) },
        Envelope { name: "C6/5", paper: (229.0, 114.0), address: (115.0, 52.0), free: (15.0, 15.0) },
        Envelope { name: "C5", paper: (229.0, 162.0), address: (115.0, 80.0), free: (15.0, 15.0) },
        Envelope { name: "US-10", paper: (241.3, 104.775), address: (108.0, 48.0), free: (12.7, 15.875) },
    ];

    /// Finds an envelope by its name, in any case and with any signs between.
    ///
    /// # Errors
    ///
    /// [`SheetError::UnknownFormat`], with all names.
    pub fn find(name: &str) -> Result<Envelope, SheetError> {
        let key = |name: &str| -> String {
            name.chars()
                .filter(char::is_ascii_alphanumeric)
                .map(|letter| letter.to_ascii_lowercase())
                .collect()
        };
        let found = Envelope::ALL.iter().find(|envelope| key(envelope.name) == key(name));
        found.copied().ok_or_else(|| SheetError::UnknownFormat {
            what: "envelope",
            name: name.to_owned(),
            known: Envelope::ALL.iter().map(|envelope| envelope.name).collect(),
        })
    }

    /// Returns the room of the address, its width and height.
    pub fn room(&self) -> (f64, f64) {
        (self.paper.0 - self.address.0 - self.free.0, self.paper.1 - self.address.1 - self.free.1)
    }

    /// Returns the envelopes as a Word document, one a page, with the sender in the upper left corner.
    ///
    /// # Errors
    ///
    /// All addresses that do not fit.
    pub fn document(&self, addressees: &[Addressee], sender: &[String]) -> Result<Vec<u8>, Vec<SheetError>> {
        let sizes = sizes(addressees, self.room())?;
        let width = self.paper.0 - SENDER_AT;
        let (left, right) = (self.address.0 - SENDER_AT, self.free.0);
        let of_sender: Vec<Line<'_>> =
            sender.iter().map(|text| Line { text, size: SENDER_SIZE, ..Line::default() }).collect();
        let sides = |(addressee, size): (&Addressee, usize)| -> [String; 2] {
            let line = |text| Line { text, size, left, right, ..Line::default() };
            let address: Vec<Line<'_>> = addressee.block.iter().map(|text| line(text.as_str())).collect();
            let (sender_height, address_height) = (self.address.1 - SENDER_AT, self.room().1);
            [(&of_sender, sender_height), (&address, address_height)].map(|(lines, height)| {
                paper::row(&[paper::cell(lines, width, Stand::Top)], Height::Exact(height))
            })
        };
        let rows: Vec<String> = addressees.iter().zip(sizes).flat_map(sides).collect();
        let (paper_width, height) = self.paper;
        let page = Page { width: paper_width, height, left: SENDER_AT, top: SENDER_AT, bottom: 0.0 };
        let mut paper = Paper::default();
        paper.add_table(&rows, &[width], Borders::None);
        paper.packed(&page).map_err(|error| vec![error])
    }
}

#[cfg(test)]
mod tests {
    use super::{Envelope, SENDER_AT};

    #[test]
    fn each_page_holds_one_envelope() {
        for envelope in Envelope::ALL {
            let left = envelope.free.1;
            assert!(left < envelope.address.1 - SENDER_AT, "{envelope:?}: a further sender would find room");
            let (width, height) = envelope.room();
            assert!(width > 85.0 && height > 27.0, "{envelope:?}: as large as the window of DIN 5008");
        }
        assert_eq!(Envelope::find("c65").unwrap().name, "C6/5");
        assert!(Envelope::find("A3").is_err());
    }
}
