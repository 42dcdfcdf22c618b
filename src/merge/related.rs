//! Owns what the parts of a letter refer to: pictures and addresses outside, each with the relationship that leads to it.

use super::picture::{Picture, Pictures};
use super::xml;

/// The ids of relationships that a letter adds begin with this, and end with a number.
pub(crate) const ID: &str = "rIdMerged";

/// A picture that a letter asks for and that it was not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureUse {
    /// The name of its file, as the values give it.
    pub name: String,
    /// The code of the field or tag that shows it.
    pub code: String,
    /// The part that it is in.
    pub part: String,
}

/// The relationships and pictures of a letter while it is rendered.
pub(crate) struct Related<'f> {
    pictures: &'f Pictures,
    /// Those of the part that is being rendered.
    targets: Vec<Target>,
    /// Those of the letter, each once.
    media: Vec<Picture>,
    missing: Vec<(String, &'f str)>,
    refused: Vec<String>,
    /// A text that is too long for a barcode.
    too_long: Option<String>,
    /// The last id of a drawing that was handed out.
    drawing: u32,
}

enum Target {
    Media(Picture),
    Link(String),
}

impl<'f> Related<'f> {
    pub(crate) fn new(pictures: &'f Pictures) -> Related<'f> {
        Related {
            pictures,
            targets: Vec::new(),
            media: Vec::new(),
            missing: Vec::new(),
            refused: Vec::new(),
            too_long: None,
            drawing: 0,
        }
    }

    /// Returns the picture of a name and the number of its relationship; a picture that is not there is noted.
    pub(crate) fn picture(&mut self, name: &str, code: &'f str) -> Option<(usize, Picture)> {
        let Some(picture) = self.pictures.get(name) else {
            if !self.missing.iter().any(|(missing, _)| missing == name) {
                self.missing.push((name.to_owned(), code));
            }
            return None;
        };
        let picture = picture.clone();
        Some((self.relate(&picture), picture))
    }

    /// Returns a picture that was drawn and the number of its relationship; a text that was too long to draw is noted.
    pub(crate) fn drawn(&mut self, text: &str, picture: Option<Picture>) -> Option<(usize, Picture)> {
        match picture {
            Some(picture) => Some((self.relate(&picture), picture)),
            None => {
                self.too_long.get_or_insert_with(|| text.to_owned());
                None
            }
        }
    }

    /// Returns the number of the relationship to a picture.
    fn relate(&mut self, picture: &Picture) -> usize {
        if !self.media.iter().any(|known| known.is_same(picture)) {
            self.media.push(picture.clone());
        }
        let is_known = |target: &Target| matches!(target, Target::Media(known) if known.is_same(picture));
        self.number(is_known, || Target::Media(picture.clone()))
    }

    /// Returns the number of the relationship to an address.
    pub(crate) fn link(&mut self, address: &str) -> usize {
        let is_known = |target: &Target| matches!(target, Target::Link(known) if known == address);
        self.number(is_known, || Target::Link(address.to_owned()))
    }

    /// Notes an address that no letter may lead to.
    pub(crate) fn refuse(&mut self, address: &str) {
        if !self.refused.iter().any(|known| known == address) {
            self.refused.push(address.to_owned());
        }
    }

    /// Returns a number that no drawing of the letter has; `free` is the first that none of the template has.
    pub(crate) fn drawing_id(&mut self, free: u32) -> u32 {
        let id = self.drawing.max(free);
        self.drawing = id.wrapping_add(1);
        id
    }

    /// Writes the relationships of the part that was rendered last, and forgets them.
    pub(crate) fn write(&mut self, form: &Form, out: &mut Vec<u8>) {
        for (number, target) in (form.first..).zip(self.targets.drain(..)) {
            let (kind, address, mode) = match &target {
                Target::Media(picture) => ("image", format!("{}{}", form.media, picture.part_name()), ""),
                Target::Link(address) => ("hyperlink", address.clone(), " TargetMode=\"External\""),
            };
            let Form { prefix, base, .. } = form;
            out.extend_from_slice(
                format!("<{prefix}Relationship Id=\"{ID}{number}\" Type=\"{base}/{kind}\" Target=\"")
                    .as_bytes(),
            );
            xml::escape_into(&address, out);
            out.extend_from_slice(format!("\"{mode}/>").as_bytes());
        }
    }

    /// Returns the pictures of the letter, in the order in which they were met.
    pub(crate) fn media(&self) -> &[Picture] {
        &self.media
    }

    /// Returns the names without a picture, each with the code that asked for it.
    pub(crate) fn missing(&self) -> &[(String, &'f str)] {
        &self.missing
    }

    /// Returns the addresses that were refused.
    pub(crate) fn refused(&self) -> &[String] {
        &self.refused
    }

    /// Returns a text that is too long for its barcode.
    pub(crate) fn too_long(&self) -> Option<&str> {
        self.too_long.as_deref()
    }

    fn number(&mut self, is_known: impl Fn(&Target) -> bool, target: impl FnOnce() -> Target) -> usize {
        self.targets.iter().position(is_known).unwrap_or_else(|| {
            self.targets.push(target());
            self.targets.len() - 1
        })
    }
}

/// How the relationships of a part are written.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    /// The prefix of the elements, with its colon.
    pub(crate) prefix: String,
    /// What the types begin with: Strict documents have their own.
    pub(crate) base: &'static str,
    /// The way from the part to the folder of pictures, with a slash at its end.
    pub(crate) media: String,
    /// The number of the first relationship that a letter adds.
    pub(crate) first: usize,
}
