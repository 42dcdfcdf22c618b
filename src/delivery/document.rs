//! Owns a merged Word document as its reader sees it: paragraphs, lists, tables, pictures, notes. Fails on a
//! package that is none.
//!
//! It is read to be shown as an e-mail ([`html`](crate::delivery::html)). Fields show their cached result, of
//! tracked changes the new text, of a text box one of its two forms.
//!
//! # Not supported
//!
//! Headers and footers are left out: an e-mail has no pages. Charts, shapes, embedded objects and pictures that are
//! no PNG, JPEG or GIF are shown by their description alone. Toggle properties of a character style replace those
//! of the paragraph style and are not combined with them.

use std::sync::Arc;

mod body;
mod package;
mod style;
mod xml;

pub use package::DocumentError;
pub use xml::XmlError;

pub(in crate::delivery) use style::{Alignment, Look, Marker, Raised};

/// A Word document, read to be shown.
#[derive(Debug)]
pub struct Document {
    pub(in crate::delivery) blocks: Vec<Block>,
    /// The footnotes and endnotes, in the order of their first mention.
    pub(in crate::delivery) notes: Vec<Vec<Block>>,
    pub(in crate::delivery) pictures: Vec<Image>,
    /// What text without any formatting of its own looks like.
    pub(in crate::delivery) plain: Look,
}

impl Document {
    /// Reads the bytes of a `.docx`.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] if the bytes are no zip archive, a needed part is missing, too large or no XML.
    pub fn read(docx: &[u8]) -> Result<Document, DocumentError> {
        body::read(package::Package::open(docx)?)
    }

    /// Returns the pictures that the document shows, each once.
    pub fn pictures(&self) -> &[Image] {
        &self.pictures
    }
}

/// A picture of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// `image/png`, `image/jpeg` or `image/gif`.
    pub media_type: &'static str,
    /// Its file.
    pub bytes: Vec<u8>,
}

#[derive(Debug)]
pub(in crate::delivery) enum Block {
    Paragraph(Paragraph),
    Table(Table),
}

#[derive(Debug)]
pub(in crate::delivery) struct Paragraph {
    /// 1 to 6; `None` is no heading.
    pub(in crate::delivery) heading: Option<u8>,
    pub(in crate::delivery) alignment: Alignment,
    pub(in crate::delivery) item: Option<Item>,
    pub(in crate::delivery) spans: Vec<Span>,
}

/// The place of a paragraph in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::delivery) struct Item {
    /// From 0.
    pub(in crate::delivery) level: u8,
    pub(in crate::delivery) marker: Marker,
    pub(in crate::delivery) number: u32,
}

#[derive(Debug)]
pub(in crate::delivery) struct Table {
    pub(in crate::delivery) has_borders: bool,
    pub(in crate::delivery) rows: Vec<Row>,
}

#[derive(Debug)]
pub(in crate::delivery) struct Row {
    pub(in crate::delivery) is_header: bool,
    pub(in crate::delivery) cells: Vec<Cell>,
}

#[derive(Debug)]
pub(in crate::delivery) struct Cell {
    /// The first column of the grid that it covers, from 0.
    pub(in crate::delivery) column: usize,
    pub(in crate::delivery) columns: usize,
    pub(in crate::delivery) rows: usize,
    pub(in crate::delivery) blocks: Vec<Block>,
}

/// A piece of a paragraph that looks the same throughout.
#[derive(Debug)]
pub(in crate::delivery) struct Span {
    /// How it differs from the text around it.
    pub(in crate::delivery) look: Look,
    pub(in crate::delivery) link: Option<Arc<str>>,
    pub(in crate::delivery) content: Content,
}

#[derive(Debug, PartialEq, Eq)]
pub(in crate::delivery) enum Content {
    Text(String),
    Tab,
    Break,
    Picture {
        /// The number of the picture in the document; `None` if only its description can be shown.
        image: Option<usize>,
        description: String,
        /// Width and height in CSS pixels, where the document says so.
        size: Option<(u32, u32)>,
    },
    /// The number of a note, from 1.
    Note(usize),
}
