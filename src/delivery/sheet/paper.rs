//! Owns the Word document of a sheet: its pages, and tables whose rows have exact heights. Nothing in it has a style of its
//! own, so that it looks the same wherever it is opened.
//!
//! Written as XML here. `docx-rs` would be the crate for it; the Open XML SDK's validator refuses what version 0.4.22 writes:
//! the properties of paragraphs and sections are not in the order of the schema.

use std::fmt::Write as _;
use std::io::{Cursor, Error, Write as _};

use quick_xml::escape::escape;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::SheetError;
use super::text::line_height;

/// The paragraph that Word wants behind a table is one point high, so that it never begins a page.
const LAST_PARAGRAPH: &str = "<w:p><w:pPr><w:widowControl w:val=\"0\"/>\
     <w:spacing w:before=\"0\" w:after=\"0\" w:line=\"20\" w:lineRule=\"exact\"/><w:rPr><w:sz w:val=\"2\"/></w:rPr></w:pPr></w:p>";

/// The same, and what follows begins a page.
const NEXT_PAGE: &str = "<w:p><w:pPr><w:pageBreakBefore/><w:widowControl w:val=\"0\"/>\
     <w:spacing w:before=\"0\" w:after=\"0\" w:line=\"20\" w:lineRule=\"exact\"/><w:rPr><w:sz w:val=\"2\"/></w:rPr></w:pPr></w:p>";

const NAMESPACES: &str = "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\" \
     xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"";

const CONTENT_TYPES: &str = "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
     <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
     <Default Extension=\"xml\" ContentType=\"application/xml\"/>\
     <Override PartName=\"/word/document.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/>\
     <Override PartName=\"/word/styles.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml\"/>\
     <Override PartName=\"/word/settings.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.settings+xml\"/>\
     <Override PartName=\"/word/header1.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.header+xml\"/>\
     <Override PartName=\"/word/footer1.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.footer+xml\"/>\
     </Types>";

/// Arial, and where it is not there Liberation Sans, which is as wide.
const STYLES: &str = "<w:docDefaults><w:rPrDefault><w:rPr>\
     <w:rFonts w:ascii=\"Arial\" w:eastAsia=\"Arial\" w:hAnsi=\"Arial\" w:cs=\"Arial\"/><w:sz w:val=\"22\"/></w:rPr></w:rPrDefault>\
     <w:pPrDefault/></w:docDefaults>";

/// Without it Word opens the file as one of Word 2007.
const SETTINGS: &str = "<w:compat><w:compatSetting w:name=\"compatibilityMode\" \
     w:uri=\"http://schemas.microsoft.com/office/word\" w:val=\"15\"/></w:compat>";

/// A page, in millimeters: as wide and as high as it is, and how far from its edges the content begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Page {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

/// A line of text and how it stands: type in half points, indents in millimeters, room above in twentieths of a point.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    pub(super) size: usize,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) above: usize,
    pub(super) weight: Weight,
}

/// How strong letters are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Weight {
    #[default]
    Regular,
    Bold,
}

/// Where text stands in its cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    Top,
    Middle,
}

/// How high a row is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Height {
    /// Exactly so many millimeters.
    Exact(f64),
    /// As high as its text.
    OfText,
    /// The same, and the row stands at the head of each page.
    OfTextOnEachPage,
}

/// What is drawn around cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Borders {
    None,
    Lines,
}

/// A document that is being written.
#[derive(Debug, Default)]
pub(super) struct Paper {
    body: String,
    header: String,
    footer: String,
}

impl Paper {
    /// Adds a line that stands outside of tables.
    pub(super) fn add_line(&mut self, line: Line<'_>) {
        self.body.push_str(&paragraph(line));
    }

    /// Lets what follows begin a page.
    pub(super) fn next_page(&mut self) {
        self.body.push_str(NEXT_PAGE);
    }

    /// Adds a table with columns of these widths, in millimeters.
    pub(super) fn add_table(&mut self, rows: &[String], widths: &[f64], borders: Borders) {
        let widths: Vec<i32> = widths.iter().copied().map(twips).collect();
        let (borders, margin) = match borders {
            Borders::None => (String::new(), 0),
            Borders::Lines => {
                let sides = ["top", "left", "bottom", "right", "insideH", "insideV"];
                let line = |side: &str| {
                    format!("<w:{side} w:val=\"single\" w:sz=\"4\" w:space=\"0\" w:color=\"808080\"/>")
                };
                (format!("<w:tblBorders>{}</w:tblBorders>", sides.map(line).concat()), twips(1.5))
            }
        };
        let columns: String = widths.iter().map(|width| format!("<w:gridCol w:w=\"{width}\"/>")).collect();
        self.body.push_str(&format!(
            "<w:tbl><w:tblPr><w:tblW w:w=\"{}\" w:type=\"dxa\"/><w:tblInd w:w=\"0\" w:type=\"dxa\"/>{borders}\
             <w:tblLayout w:type=\"fixed\"/><w:tblCellMar><w:left w:w=\"{margin}\" w:type=\"dxa\"/>\
             <w:right w:w=\"{margin}\" w:type=\"dxa\"/></w:tblCellMar></w:tblPr><w:tblGrid>{columns}</w:tblGrid>{}</w:tbl>\
             {LAST_PARAGRAPH}",
            widths.iter().sum::<i32>(),
            rows.concat()
        ));
    }

    /// Puts a title at the head of each page, and its number at the foot.
    pub(super) fn frame(&mut self, title: &str, size: usize) {
        self.header = paragraph(Line { text: title, size, weight: Weight::Bold, ..Line::default() });
        self.footer = format!(
            "<w:p><w:r><w:rPr><w:sz w:val=\"{size}\"/></w:rPr><w:t xml:space=\"preserve\">Page </w:t></w:r>\
             <w:fldSimple w:instr=\" PAGE \"><w:r><w:rPr><w:sz w:val=\"{size}\"/></w:rPr><w:t>1</w:t></w:r></w:fldSimple></w:p>"
        );
    }

    /// Packs the document.
    pub(super) fn packed(self, page: &Page) -> Result<Vec<u8>, SheetError> {
        let Paper { body, header, footer } = self;
        let part = |root: &str, content: &str| {
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<w:{root} {NAMESPACES}>{content}</w:{root}>"
            )
        };
        let or_empty = |text: String| if text.is_empty() { LAST_PARAGRAPH.to_owned() } else { text };
        let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let relationships = |parts: &[(&str, &str)]| {
            let mut xml =
                "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
                    .to_owned();
            for (number, (kind, target)) in (1..).zip(parts) {
                write!(
                    xml,
                    "<Relationship Id=\"rId{number}\" Type=\"{office}/{kind}\" Target=\"{target}\"/>"
                )
                .expect("a string takes all text");
            }
            xml + "</Relationships>"
        };
        let document = format!("<w:body>{body}{}</w:body>", section(page, !header.is_empty()));
        let parts = [
            ("[Content_Types].xml", CONTENT_TYPES.to_owned()),
            ("_rels/.rels", relationships(&[("officeDocument", "word/document.xml")])),
            ("word/document.xml", part("document", &document)),
            (
                "word/_rels/document.xml.rels",
                relationships(&[
                    ("header", "header1.xml"),
                    ("footer", "footer1.xml"),
                    ("styles", "styles.xml"),
                    ("settings", "settings.xml"),
                ]),
            ),
            ("word/header1.xml", part("hdr", &or_empty(header))),
            ("word/footer1.xml", part("ftr", &or_empty(footer))),
            ("word/styles.xml", part("styles", STYLES)),
            ("word/settings.xml", part("settings", SETTINGS)),
        ];
        zipped(&parts).map_err(SheetError::Pack)
    }
}

fn zipped(parts: &[(&str, String)]) -> Result<Vec<u8>, Error> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        writer.start_file(*name, SimpleFileOptions::default())?;
        writer.write_all(content.as_bytes())?;
    }
    Ok(writer.finish()?.into_inner())
}

/// A length of millimeters in twentieths of a point.
fn twips(millimeters: f64) -> i32 {
    (millimeters * 1440.0 / 25.4).round() as i32
}

/// Header and footer are named only where there are any: even an empty one takes room, and labels may begin at the edge.
fn section(page: &Page, has_frame: bool) -> String {
    let [width, height, left, top, bottom] =
        [page.width, page.height, page.left, page.top, page.bottom].map(twips);
    let across = if width > height { " w:orient=\"landscape\"" } else { "" };
    let frame = match has_frame {
        true => {
            "<w:headerReference w:type=\"default\" r:id=\"rId1\"/><w:footerReference w:type=\"default\" r:id=\"rId2\"/>"
        }
        false => "",
    };
    let (header, footer) = (top / 2, bottom / 2);
    format!(
        "<w:sectPr>{frame}<w:pgSz w:w=\"{width}\" w:h=\"{height}\"{across}/><w:pgMar w:top=\"{top}\" w:right=\"0\" \
         w:bottom=\"{bottom}\" w:left=\"{left}\" w:header=\"{header}\" w:footer=\"{footer}\" w:gutter=\"0\"/></w:sectPr>"
    )
}

/// Returns a paragraph whose lines have the height of their type.
fn paragraph(line: Line<'_>) -> String {
    let Line { text, size, left, right, above, weight } = line;
    let (left, right, height) = (twips(left), twips(right), line_height(size));
    let bold = match weight {
        Weight::Regular => "",
        Weight::Bold => "<w:b/>",
    };
    format!(
        "<w:p><w:pPr><w:widowControl w:val=\"0\"/><w:spacing w:before=\"{above}\" w:after=\"0\" w:line=\"{height}\" \
         w:lineRule=\"exact\"/><w:ind w:left=\"{left}\" w:right=\"{right}\"/><w:rPr><w:sz w:val=\"{size}\"/></w:rPr></w:pPr>\
         <w:r><w:rPr>{bold}<w:sz w:val=\"{size}\"/></w:rPr><w:t xml:space=\"preserve\">{}</w:t></w:r></w:p>",
        escape(plain(text))
    )
}

/// Returns a cell of a width of millimeters; one without lines has an empty paragraph, which it must.
pub(super) fn cell(lines: &[Line<'_>], width: f64, stand: Stand) -> String {
    let stand = match stand {
        Stand::Top => "top",
        Stand::Middle => "center",
    };
    let content = match lines {
        [] => LAST_PARAGRAPH.to_owned(),
        lines => lines.iter().copied().map(paragraph).collect(),
    };
    format!(
        "<w:tc><w:tcPr><w:tcW w:w=\"{}\" w:type=\"dxa\"/><w:vAlign w:val=\"{stand}\"/></w:tcPr>{content}</w:tc>",
        twips(width)
    )
}

/// Returns a row that no page parts.
pub(super) fn row(cells: &[String], height: Height) -> String {
    let height = match height {
        Height::Exact(height) => format!("<w:trHeight w:val=\"{}\" w:hRule=\"exact\"/>", twips(height)),
        Height::OfText => String::new(),
        Height::OfTextOnEachPage => "<w:tblHeader/>".to_owned(),
    };
    format!("<w:tr><w:trPr><w:cantSplit/>{height}</w:trPr>{}</w:tr>", cells.concat())
}

/// Returns a text as XML can hold it: control characters are spaces (XML 1.0 §2.2 Characters).
fn plain(text: &str) -> String {
    let replaced = |character: char| match character {
        other if other.is_control() || matches!(other, '\u{FFFE}' | '\u{FFFF}') => ' ',
        other => other,
    };
    text.chars().map(replaced).collect()
}
