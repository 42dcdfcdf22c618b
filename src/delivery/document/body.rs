//! Owns the reading of a story: from its XML to paragraphs and tables.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use super::package::{DocumentError, Package, Relationship};
use super::style::{self, Alignment, Look, Numbering, Styles};
use super::xml::{Element, Space};
use super::{Block, Cell, Content, Document, Image, Item, Paragraph, Row, Span, Table};

/// English Metric Units in a CSS pixel: 914,400 to the inch, 96 pixels to the inch.
const EMU_PER_PIXEL: u64 = 9525;

/// Reads the main part with all that it shows.
pub(super) fn read(mut package: Package<'_>) -> Result<Document, DocumentError> {
    let part = package.document.clone();
    let relationships = package.relationships(&part)?;
    let target = |kind: &str| {
        let mut targets: Vec<&Relationship> =
            relationships.values().filter(|relationship| relationship.kind == kind).collect();
        targets.sort_by(|left, right| left.target.cmp(&right.target));
        targets.first().map(|relationship| relationship.target.clone())
    };
    let styles = match target("styles") {
        Some(part) => Styles::read(package.xml(&part)?),
        None => Styles::default(),
    };
    let numbering = match target("numbering") {
        Some(part) => Numbering::read(&package.xml(&part)?),
        None => Numbering::default(),
    };
    let footnotes = read_notes(&mut package, target("footnotes"), "footnote")?;
    let endnotes = read_notes(&mut package, target("endnotes"), "endnote")?;
    let root = package.xml(&part)?;

    let mut reader = Reader {
        package,
        relationships: &relationships,
        plain: styles.plain(),
        styles,
        numbering,
        counters: HashMap::new(),
        images: HashMap::new(),
        pictures: Vec::new(),
        mentions: Vec::new(),
        fields: Vec::new(),
        boxes: Vec::new(),
    };
    let mut blocks = Vec::new();
    if let Some(body) = root.child(Space::W, "body") {
        reader.blocks(body, &mut blocks)?;
    }
    // A note may mention another one, which is then behind it.
    let mut notes = Vec::new();
    while let Some(mention) = reader.mentions.get(notes.len()).cloned() {
        let story = if mention.is_endnote { &endnotes } else { &footnotes };
        reader.relationships = &story.relationships;
        let mut note = Vec::new();
        if let Some(element) = story.notes.get(&mention.id) {
            reader.blocks(element, &mut note)?;
        }
        notes.push(note);
    }
    Ok(Document { blocks, notes, pictures: reader.pictures, plain: reader.plain })
}

/// The notes of one kind, by their id.
#[derive(Default)]
struct Notes {
    notes: HashMap<String, Element>,
    relationships: HashMap<String, Relationship>,
}

fn read_notes(package: &mut Package<'_>, part: Option<String>, name: &str) -> Result<Notes, DocumentError> {
    let Some(part) = part else {
        return Ok(Notes::default());
    };
    let relationships = package.relationships(&part)?;
    let notes = package.xml(&part)?.children.into_iter().filter(|child| child.is(Space::W, name));
    let notes = notes.filter_map(|note| Some((note.attribute(Space::W, "id")?.to_owned(), note))).collect();
    Ok(Notes { notes, relationships })
}

#[derive(Clone, PartialEq, Eq)]
struct Mention {
    is_endnote: bool,
    id: String,
}

/// A complex field that is open.
struct Field {
    code: String,
    is_result: bool,
    link: Option<Arc<str>>,
}

struct Reader<'a> {
    package: Package<'a>,
    relationships: &'a HashMap<String, Relationship>,
    styles: Styles,
    numbering: Numbering,
    plain: Look,
    /// The last number of each list's levels.
    counters: HashMap<String, [Option<u32>; 9]>,
    /// From a part's name to its picture.
    images: HashMap<String, Option<usize>>,
    pictures: Vec<Image>,
    mentions: Vec<Mention>,
    fields: Vec<Field>,
    /// The text boxes that the current paragraph anchors.
    boxes: Vec<Block>,
}

/// What holds for the runs of a paragraph.
#[derive(Clone)]
struct Around {
    look: Look,
    link: Option<Arc<str>>,
}

impl Reader<'_> {
    fn blocks(&mut self, parent: &Element, into: &mut Vec<Block>) -> Result<(), DocumentError> {
        for child in &parent.children {
            if child.is(Space::W, "p") {
                let outer_boxes = mem::take(&mut self.boxes);
                let paragraph = self.paragraph(child)?;
                into.push(Block::Paragraph(paragraph));
                into.append(&mut self.boxes);
                self.boxes = outer_boxes;
            } else if child.is(Space::W, "tbl") {
                let table = self.table(child)?;
                into.push(Block::Table(table));
            } else if let Some(shown) = container(child) {
                self.blocks(shown, into)?;
            }
        }
        Ok(())
    }

    fn paragraph(&mut self, element: &Element) -> Result<Paragraph, DocumentError> {
        let properties = element.child(Space::W, "pPr");
        let mut style = self.styles.paragraph(properties.and_then(|properties| properties.value("pStyle")));
        if let Some(properties) = properties {
            style.overlay(properties);
        }
        let item = style.number.as_deref().and_then(|number| self.item(number, style.level));
        // A heading looks as its style says by being a heading.
        let ground = if style.heading.is_some() { style.look.clone() } else { self.plain.clone() };
        let around = Around { look: style.look, link: None };
        let mut spans = Vec::new();
        self.runs(element, &around, &mut spans)?;
        for span in &mut spans {
            span.look = difference(&span.look, &ground);
        }
        Ok(Paragraph {
            heading: style.heading,
            alignment: style.alignment.unwrap_or(Alignment::Start),
            item,
            spans: joined(spans),
        })
    }

    fn item(&mut self, number: &str, level: u8) -> Option<Item> {
        let (marker, first) = self.numbering.level(number, level)?;
        let counters = self.counters.entry(number.to_owned()).or_default();
        let (upper, lower) = counters.split_at_mut(usize::from(level) + 1);
        lower.fill(None);
        let counter = upper.last_mut()?;
        let next = counter.map_or(first, |last| last.saturating_add(1));
        *counter = Some(next);
        Some(Item { level, marker, number: next })
    }

    fn runs(&mut self, parent: &Element, around: &Around, into: &mut Vec<Span>) -> Result<(), DocumentError> {
        for child in &parent.children {
            if child.is(Space::W, "r") {
                self.run(child, around, into)?;
            } else if child.is(Space::W, "hyperlink") {
                let target = child
                    .attribute(Space::R, "id")
                    .and_then(|id| self.relationships.get(id))
                    .filter(|relationship| relationship.is_external);
                let link = target.and_then(|relationship| safe_link(&relationship.target));
                let around = Around { look: around.look.clone(), link: link.or_else(|| around.link.clone()) };
                self.runs(child, &around, into)?;
            } else if child.is(Space::W, "fldSimple") {
                let code = child.attribute(Space::W, "instr").unwrap_or_default();
                let link = field_link(code).or_else(|| around.link.clone());
                self.runs(child, &Around { look: around.look.clone(), link }, into)?;
            } else if child.is(Space::M, "oMath") || child.is(Space::M, "oMathPara") {
                self.math(child, around, into);
            } else if let Some(shown) = container(child) {
                self.runs(shown, around, into)?;
            }
        }
        Ok(())
    }

    fn math(&mut self, element: &Element, around: &Around, into: &mut Vec<Span>) {
        if element.is(Space::M, "t") {
            self.push(Content::Text(element.text.clone()), around, into);
        }
        for child in &element.children {
            self.math(child, around, into);
        }
    }

    fn run(&mut self, run: &Element, around: &Around, into: &mut Vec<Span>) -> Result<(), DocumentError> {
        let mut around = around.clone();
        if let Some(properties) = run.child(Space::W, "rPr") {
            if let Some(style) = properties.value("rStyle") {
                self.styles.overlay_character(style, &mut around.look);
            }
            around.look.overlay(properties);
        }
        self.run_content(run, &around, into)
    }

    fn run_content(
        &mut self,
        parent: &Element,
        around: &Around,
        into: &mut Vec<Span>,
    ) -> Result<(), DocumentError> {
        for child in &parent.children {
            match (child.space, child.name.as_str()) {
                (Space::W, "t") => {
                    let keeps_blanks = child.attribute(Space::Other, "space") == Some("preserve");
                    let text = if keeps_blanks { &child.text } else { child.text.trim() };
                    let text = if around.look.caps { text.to_uppercase() } else { text.to_owned() };
                    self.push(Content::Text(text), around, into);
                }
                (Space::W, "tab" | "ptab") => self.push(Content::Tab, around, into),
                (Space::W, "cr") => self.push(Content::Break, around, into),
                (Space::W, "br") => {
                    let breaks_line =
                        matches!(child.attribute(Space::W, "type"), None | Some("textWrapping"));
                    if breaks_line {
                        self.push(Content::Break, around, into);
                    }
                }
                (Space::W, "noBreakHyphen") => {
                    self.push(Content::Text("\u{2011}".to_owned()), around, into);
                }
                (Space::W, "softHyphen") => self.push(Content::Text("\u{AD}".to_owned()), around, into),
                (Space::W, "sym") => {
                    let code = child.attribute(Space::W, "char").unwrap_or_default();
                    let symbol = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
                    // A character of the private use area means something in one font alone.
                    let shown = symbol.filter(|symbol| !matches!(symbol, '\u{E000}'..='\u{F8FF}'));
                    if let Some(symbol) = shown {
                        self.push(Content::Text(symbol.to_string()), around, into);
                    }
                }
                (Space::W, "fldChar") => self.field_character(child),
                (Space::W, "instrText") => {
                    if let Some(field) = self.fields.last_mut() {
                        field.code.push_str(&child.text);
                    }
                }
                (Space::W, "footnoteReference" | "endnoteReference") => {
                    let id = child.attribute(Space::W, "id").unwrap_or_default().to_owned();
                    let mention = Mention { is_endnote: child.name == "endnoteReference", id };
                    let known = self.mentions.iter().position(|other| *other == mention);
                    let index = known.unwrap_or(self.mentions.len());
                    if known.is_none() {
                        self.mentions.push(mention);
                    }
                    self.push(Content::Note(index + 1), around, into);
                }
                (Space::W, "drawing" | "pict" | "object") => self.drawing(child, around, into)?,
                (Space::Mc, "AlternateContent") => {
                    if let Some(shown) = container(child) {
                        self.run_content(shown, around, into)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn field_character(&mut self, element: &Element) {
        match element.attribute(Space::W, "fldCharType") {
            Some("begin") => self.fields.push(Field { code: String::new(), is_result: false, link: None }),
            Some("separate") => {
                if let Some(field) = self.fields.last_mut() {
                    field.is_result = true;
                    field.link = field_link(&field.code);
                }
            }
            Some("end") => {
                self.fields.pop();
            }
            _ => {}
        }
    }

    fn push(&mut self, content: Content, around: &Around, into: &mut Vec<Span>) {
        let is_shown = self.fields.iter().all(|field| field.is_result) && !around.look.hidden;
        if is_shown {
            let field_link = self.fields.iter().rev().find_map(|field| field.link.clone());
            let link = field_link.or_else(|| around.link.clone());
            into.push(Span { look: around.look.clone(), link, content });
        }
    }

    /// Shows the picture or the text box of a drawing.
    fn drawing(
        &mut self,
        drawing: &Element,
        around: &Around,
        into: &mut Vec<Span>,
    ) -> Result<(), DocumentError> {
        if let Some(text_box) = drawing.find(Space::W, "txbxContent") {
            let mut blocks = Vec::new();
            self.blocks(text_box, &mut blocks)?;
            self.boxes.append(&mut blocks);
            return Ok(());
        }
        let blip = drawing.find(Space::A, "blip").and_then(|blip| blip.attribute(Space::R, "embed"));
        let data = drawing.find(Space::V, "imagedata").and_then(|data| data.attribute(Space::R, "id"));
        let image = match blip.or(data).and_then(|id| self.relationships.get(id)).cloned() {
            Some(relationship) if !relationship.is_external => self.image(&relationship.target),
            _ => None,
        };
        let described = drawing.find(Space::Wp, "docPr").and_then(|properties| {
            let attribute = |name| properties.attribute(Space::None, name).filter(|text| !text.is_empty());
            attribute("descr").or_else(|| attribute("title"))
        });
        let description = described.unwrap_or_default().to_owned();
        let size = drawing.find(Space::Wp, "extent").and_then(|extent| {
            let pixels = |name| {
                let emu: u64 = extent.attribute(Space::None, name)?.parse().ok()?;
                u32::try_from(emu / EMU_PER_PIXEL).ok().filter(|pixels| *pixels > 0)
            };
            Some((pixels("cx")?, pixels("cy")?))
        });
        if image.is_some() || !description.is_empty() {
            self.push(Content::Picture { image, description, size }, around, into);
        }
        Ok(())
    }

    fn image(&mut self, part: &str) -> Option<usize> {
        if let Some(known) = self.images.get(part) {
            return *known;
        }
        // A picture that cannot be read is shown by its description; the letter is worth more than its picture.
        let bytes = self.package.bytes(part).unwrap_or_default();
        let media_type = if bytes.starts_with(b"\x89PNG") {
            Some("image/png")
        } else if bytes.starts_with(b"\xFF\xD8\xFF") {
            Some("image/jpeg")
        } else if bytes.starts_with(b"GIF8") {
            Some("image/gif")
        } else {
            None
        };
        let image = media_type.map(|media_type| {
            self.pictures.push(Image { media_type, bytes });
            self.pictures.len() - 1
        });
        self.images.insert(part.to_owned(), image);
        image
    }

    fn table(&mut self, element: &Element) -> Result<Table, DocumentError> {
        let properties = element.child(Space::W, "tblPr");
        let has_borders = properties.is_some_and(|properties| {
            style::has_borders(properties)
                || properties.value("tblStyle").is_some_and(|style| self.styles.table_has_borders(style))
        });
        let mut rows = Vec::new();
        self.rows(element, &mut rows)?;
        Ok(Table { has_borders, rows })
    }

    fn rows(&mut self, parent: &Element, rows: &mut Vec<Row>) -> Result<(), DocumentError> {
        for child in &parent.children {
            if child.is(Space::W, "tr") {
                let is_header = child
                    .child(Space::W, "trPr")
                    .and_then(|properties| properties.toggle("tblHeader"))
                    .unwrap_or(false);
                let mut cells = Vec::new();
                let mut column = 0;
                self.cells(child, rows, &mut column, &mut cells)?;
                rows.push(Row { is_header, cells });
            } else if let Some(shown) = container(child) {
                self.rows(shown, rows)?;
            }
        }
        Ok(())
    }

    fn cells(
        &mut self,
        parent: &Element,
        above: &mut [Row],
        column: &mut usize,
        cells: &mut Vec<Cell>,
    ) -> Result<(), DocumentError> {
        for child in &parent.children {
            if child.is(Space::W, "tc") {
                let properties = child.child(Space::W, "tcPr");
                let span = properties.and_then(|properties| properties.value("gridSpan"));
                let columns = span.and_then(|span| span.parse().ok()).unwrap_or(1).clamp(1, 1000);
                let merge = properties.and_then(|properties| properties.child(Space::W, "vMerge"));
                let continues =
                    merge.is_some_and(|merge| merge.attribute(Space::W, "val") != Some("restart"));
                let upper = above
                    .iter_mut()
                    .rev()
                    .find_map(|row| row.cells.iter_mut().find(|cell| cell.column == *column));
                match upper {
                    Some(cell) if continues => cell.rows += 1,
                    _ => {
                        let mut blocks = Vec::new();
                        self.blocks(child, &mut blocks)?;
                        cells.push(Cell { column: *column, columns, rows: 1, blocks });
                    }
                }
                *column += columns;
            } else if let Some(shown) = container(child) {
                self.cells(shown, above, column, cells)?;
            }
        }
        Ok(())
    }
}

/// Returns the element whose children stand in the place of `element`, if it only wraps them.
fn container(element: &Element) -> Option<&Element> {
    match (element.space, element.name.as_str()) {
        (Space::W, "sdt") => element.child(Space::W, "sdtContent"),
        (Space::W, "ins" | "moveTo" | "smartTag" | "customXml" | "bdo" | "dir" | "ruby" | "rubyBase") => {
            Some(element)
        }
        (Space::Mc, "AlternateContent") => {
            element.child(Space::Mc, "Choice").or_else(|| element.child(Space::Mc, "Fallback"))
        }
        _ => None,
    }
}

/// Returns the address if a reader may follow it: a web page, a mail address or a telephone number.
fn safe_link(target: &str) -> Option<Arc<str>> {
    let target = target.trim();
    let (scheme, _) = target.split_once(':')?;
    let is_known = ["http", "https", "mailto", "tel"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    (is_known && !target.contains(char::is_control)).then(|| target.into())
}

/// Returns where a field leads: ` HYPERLINK "https://example.com" \o "tip" `.
fn field_link(code: &str) -> Option<Arc<str>> {
    let code = code.trim();
    let keyword = code.get(..9)?;
    if !keyword.eq_ignore_ascii_case("HYPERLINK") {
        return None;
    }
    let rest = code.get(9..)?.trim_start();
    let target = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => rest.split_whitespace().next()?,
    };
    safe_link(target)
}

/// Returns what of `look` differs from `ground`.
fn difference(look: &Look, ground: &Look) -> Look {
    Look {
        bold: look.bold && !ground.bold,
        italic: look.italic && !ground.italic,
        underline: look.underline && !ground.underline,
        strike: look.strike && !ground.strike,
        caps: false,
        hidden: false,
        color: look.color.clone().filter(|_| look.color != ground.color),
        size_half_points: look.size_half_points.filter(|_| look.size_half_points != ground.size_half_points),
        raised: look.raised,
    }
}

/// Joins neighboring texts that look the same: Word splits a text into runs where it likes.
fn joined(spans: Vec<Span>) -> Vec<Span> {
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        if let (Some(last), Content::Text(text)) = (joined.last_mut(), &span.content)
            && last.look == span.look
            && last.link == span.link
            && let Content::Text(before) = &mut last.content
        {
            before.push_str(text);
            continue;
        }
        joined.push(span);
    }
    joined
}
