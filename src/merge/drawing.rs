//! Owns the markup of a picture in a line of text (ECMA-376 Part 1 §20.4.2.8 inline), and how large it is shown.

use super::picture::{Extent, Picture};
use super::related::ID;
use super::xml;

/// How large a picture is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// As the file has it.
    Natural,
    /// As large as fits, with the file's proportions.
    Within(Extent),
    /// Exactly so.
    Exactly(Extent),
    /// So wide, or so high, with the file's proportions.
    Wide(u64),
    High(u64),
}

/// What a picture looks like in its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) size: Size,
    /// The width of the column or cell that it stands in; a natural size does not exceed it.
    pub(crate) column: u64,
    /// Whether the document is a Strict one, whose namespaces are others.
    pub(crate) is_strict: bool,
}

impl Look {
    /// The extent of a picture.
    pub(crate) fn extent(&self, picture: &Picture) -> Extent {
        let natural = picture.extent();
        match self.size {
            Size::Exactly(extent) => extent,
            Size::Within(bounds) => fitted(natural, bounds),
            Size::Wide(width) => Extent { width, height: scaled(natural.height, width, natural.width) },
            Size::High(height) => Extent { width: scaled(natural.width, height, natural.height), height },
            Size::Natural if natural.width > self.column => {
                Extent { width: self.column, height: scaled(natural.height, self.column, natural.width) }
            }
            Size::Natural => natural,
        }
    }

    /// Writes the drawing; `relationship` is the number of the one to the picture, `id` that of the drawing.
    pub(crate) fn write(
        &self,
        prefix: &str,
        shown: (&Picture, &str),
        (relationship, id): (usize, u32),
        out: &mut Vec<u8>,
    ) {
        let (picture, name) = shown;
        let Extent { width, height } = self.extent(picture);
        let [relationships, drawing, inline, pic] = match self.is_strict {
            false => [
                "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
                "http://schemas.openxmlformats.org/drawingml/2006/main",
                "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
                "http://schemas.openxmlformats.org/drawingml/2006/picture",
            ],
            true => [
                "http://purl.oclc.org/ooxml/officeDocument/relationships",
                "http://purl.oclc.org/ooxml/drawingml/main",
                "http://purl.oclc.org/ooxml/drawingml/wordprocessingDrawing",
                "http://purl.oclc.org/ooxml/drawingml/picture",
            ],
        };
        let mut escaped = Vec::new();
        xml::escape_into(file_name(name), &mut escaped);
        let name = String::from_utf8_lossy(&escaped);
        let markup = format!(
            "<{prefix}drawing><wp:inline xmlns:wp=\"{inline}\" distT=\"0\" distB=\"0\" distL=\"0\" distR=\"0\">\
             <wp:extent cx=\"{width}\" cy=\"{height}\"/><wp:docPr id=\"{id}\" name=\"{name}\"/>\
             <a:graphic xmlns:a=\"{drawing}\"><a:graphicData uri=\"{pic}\"><pic:pic xmlns:pic=\"{pic}\">\
             <pic:nvPicPr><pic:cNvPr id=\"{id}\" name=\"{name}\"/><pic:cNvPicPr/></pic:nvPicPr>\
             <pic:blipFill><a:blip xmlns:r=\"{relationships}\" r:embed=\"{ID}{relationship}\"/>\
             <a:stretch><a:fillRect/></a:stretch></pic:blipFill>\
             <pic:spPr><a:xfrm><a:off x=\"0\" y=\"0\"/><a:ext cx=\"{width}\" cy=\"{height}\"/></a:xfrm>\
             <a:prstGeom prst=\"rect\"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic>\
             </wp:inline></{prefix}drawing>"
        );
        out.extend_from_slice(markup.as_bytes());
    }
}

fn file_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or_default()
}

fn fitted(natural: Extent, bounds: Extent) -> Extent {
    let height = scaled(natural.height, bounds.width, natural.width);
    if height <= bounds.height {
        Extent { width: bounds.width, height }
    } else {
        Extent { width: scaled(natural.width, bounds.height, natural.height), height: bounds.height }
    }
}

/// `side` in the proportion of `to` and `from`; at least 1, at most what a drawing can have
/// (ECMA-376 Part 1 §20.1.10.42 `ST_PositiveCoordinate`).
fn scaled(side: u64, to: u64, from: u64) -> u64 {
    const MOST: u128 = 27_273_042_316_900;
    let scaled = u128::from(side) * u128::from(to) / u128::from(from.max(1));
    u64::try_from(scaled.clamp(1, MOST)).unwrap_or(1)
}
