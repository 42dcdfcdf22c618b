//! Owns the two forms of a letter in an e-mail: plain, clean HTML, and plain text that reads the same.
//!
//! The HTML has no script, no style sheet, and nothing that a reader's program would have to fetch: pictures travel
//! with the message, and a link is only a link.

use std::fmt::Write;

use crate::delivery::document::{
    Alignment, Block, Content, Document, Item, Look, Marker, Paragraph, Raised, Span, Table,
};
use crate::delivery::message::{MessageId, Picture};

mod plain;

/// A letter as the body of an e-mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterBody {
    /// A whole HTML document.
    pub html: String,
    /// The same as plain text, lines ended by a line feed.
    pub text: String,
    /// The pictures that the HTML shows, by their content id.
    pub pictures: Vec<Picture>,
}

/// Writes a letter as the body of the message `id`, under a title that a reader's program may show.
pub fn letter_body(document: &Document, title: &str, id: &MessageId) -> LetterBody {
    let content_ids: Vec<String> =
        (1..=document.pictures.len()).map(|number| id.content_id(number)).collect();
    let pictures = document.pictures.iter().zip(&content_ids).map(|(image, content_id)| Picture {
        content_id: content_id.clone(),
        media_type: image.media_type.to_owned(),
        bytes: image.bytes.clone(),
    });
    LetterBody {
        html: html(document, title, &content_ids),
        text: plain::text(document),
        pictures: pictures.collect(),
    }
}

fn html(document: &Document, title: &str, content_ids: &[String]) -> String {
    let mut out = Html { out: String::new(), content_ids };
    out.out.push_str("<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>");
    out.escaped(title);
    out.out.push_str("</title></head>\n<body style=\"font-family:sans-serif");
    if let Some(half_points) = document.plain.size_half_points {
        out.format(format_args!(";font-size:{}", points(half_points)));
    }
    if let Some(color) = &document.plain.color {
        out.format(format_args!(";color:#{color}"));
    }
    out.out.push_str("\">\n");
    out.blocks(&document.blocks);
    if !document.notes.is_empty() {
        out.out.push_str("<hr>\n");
    }
    for (index, note) in document.notes.iter().enumerate() {
        out.format(format_args!("<div><sup>{}</sup>\n", index + 1));
        out.blocks(note);
        out.out.push_str("</div>\n");
    }
    out.out.push_str("</body></html>\n");
    out.out
}

struct Html<'a> {
    out: String,
    content_ids: &'a [String],
}

impl Html<'_> {
    fn format(&mut self, arguments: std::fmt::Arguments<'_>) {
        self.out.write_fmt(arguments).expect("writing to a string succeeds");
    }

    fn blocks(&mut self, blocks: &[Block]) {
        // The markers of the lists that are open, the outermost first.
        let mut lists: Vec<Marker> = Vec::new();
        for block in blocks {
            match block {
                Block::Paragraph(paragraph) => match paragraph.item {
                    Some(item) => {
                        self.open_item(&mut lists, item);
                        self.spans(&paragraph.spans);
                    }
                    None => {
                        self.close_lists(&mut lists, 0);
                        self.paragraph(paragraph);
                    }
                },
                Block::Table(table) => {
                    self.close_lists(&mut lists, 0);
                    self.table(table);
                }
            }
        }
        self.close_lists(&mut lists, 0);
    }

    fn open_item(&mut self, lists: &mut Vec<Marker>, item: Item) {
        let depth = usize::from(item.level) + 1;
        self.close_lists(lists, depth);
        if lists.len() == depth && lists.last() != Some(&item.marker) {
            self.close_lists(lists, depth - 1);
        }
        if lists.len() == depth {
            self.out.push_str("</li>\n");
        }
        while lists.len() < depth {
            let is_new = !lists.is_empty();
            if is_new {
                self.out.push('\n');
            }
            let number = if lists.len() + 1 == depth { item.number } else { 1 };
            match list_type(item.marker) {
                None => self.out.push_str("<ul>\n"),
                Some("1") => self.out.push_str("<ol"),
                Some(kind) => self.format(format_args!("<ol type=\"{kind}\"")),
            }
            if item.marker != Marker::Bullet {
                if number != 1 {
                    self.format(format_args!(" start=\"{number}\""));
                }
                self.out.push_str(">\n");
            }
            lists.push(item.marker);
            if lists.len() < depth {
                self.out.push_str("<li>");
            }
        }
        self.out.push_str("<li>");
    }

    fn close_lists(&mut self, lists: &mut Vec<Marker>, depth: usize) {
        while lists.len() > depth {
            let is_bullet = lists.pop() == Some(Marker::Bullet);
            self.out.push_str(if is_bullet { "</li>\n</ul>\n" } else { "</li>\n</ol>\n" });
        }
    }

    fn paragraph(&mut self, paragraph: &Paragraph) {
        let alignment = match paragraph.alignment {
            Alignment::Start => "",
            Alignment::Center => " style=\"text-align:center\"",
            Alignment::End => " style=\"text-align:right\"",
            Alignment::Justify => " style=\"text-align:justify\"",
        };
        match paragraph.heading {
            Some(level) => {
                self.format(format_args!("<h{level}{alignment}>"));
                self.spans(&paragraph.spans);
                self.format(format_args!("</h{level}>\n"));
            }
            None => {
                self.format(format_args!("<p{alignment}>"));
                self.spans(&paragraph.spans);
                // An empty paragraph is a blank line in Word, and nothing in HTML.
                self.out.push_str(if paragraph.spans.is_empty() { "<br></p>\n" } else { "</p>\n" });
            }
        }
    }

    fn spans(&mut self, spans: &[Span]) {
        let mut link = None;
        for span in spans {
            if span.link != link {
                if link.is_some() {
                    self.out.push_str("</a>");
                }
                if let Some(target) = &span.link {
                    self.out.push_str("<a href=\"");
                    self.escaped(target);
                    self.out.push_str("\">");
                }
                link.clone_from(&span.link);
            }
            self.span(span);
        }
        if link.is_some() {
            self.out.push_str("</a>");
        }
    }

    fn span(&mut self, span: &Span) {
        let (open, close) = tags(&span.look);
        self.out.push_str(&open);
        match &span.content {
            Content::Text(text) => self.escaped(text),
            Content::Tab => self.out.push_str("&emsp;"),
            Content::Break => self.out.push_str("<br>"),
            Content::Note(number) => self.format(format_args!("<sup>{number}</sup>")),
            Content::Picture { image, description, size } => {
                match image.and_then(|image| self.content_ids.get(image)) {
                    Some(content_id) => {
                        self.format(format_args!("<img src=\"cid:{content_id}\" alt=\""));
                        self.escaped(description);
                        self.out.push('"');
                        if let Some((width, height)) = size {
                            self.format(format_args!(" width=\"{width}\" height=\"{height}\""));
                        }
                        self.out.push('>');
                    }
                    None => {
                        self.out.push('[');
                        self.escaped(description);
                        self.out.push(']');
                    }
                }
            }
        }
        self.out.push_str(&close);
    }

    fn table(&mut self, table: &Table) {
        let line = if table.has_borders { "border:1px solid #999;" } else { "" };
        self.out.push_str("<table style=\"border-collapse:collapse\">\n");
        for row in &table.rows {
            self.out.push_str("<tr>\n");
            let tag = if row.is_header { "th" } else { "td" };
            for cell in &row.cells {
                self.format(format_args!("<{tag} style=\"{line}padding:2px 8px;vertical-align:top\""));
                if cell.columns > 1 {
                    self.format(format_args!(" colspan=\"{}\"", cell.columns));
                }
                if cell.rows > 1 {
                    self.format(format_args!(" rowspan=\"{}\"", cell.rows));
                }
                self.out.push('>');
                match cell.blocks.as_slice() {
                    // One plain paragraph needs no element of its own, which would add space above and below.
                    [Block::Paragraph(only)]
                        if only.item.is_none()
                            && only.heading.is_none()
                            && only.alignment == Alignment::Start =>
                    {
                        self.spans(&only.spans);
                    }
                    blocks => {
                        self.out.push('\n');
                        self.blocks(blocks);
                    }
                }
                self.format(format_args!("</{tag}>\n"));
            }
            self.out.push_str("</tr>\n");
        }
        self.out.push_str("</table>\n");
    }

    /// Writes text so that it is text, within an element and within a quoted attribute.
    fn escaped(&mut self, text: &str) {
        let mut blank_before = false;
        for character in text.chars() {
            match character {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' => self.out.push_str("&quot;"),
                '\'' => self.out.push_str("&#39;"),
                // HTML would show several blanks as one.
                ' ' if blank_before => self.out.push_str("&nbsp;"),
                _ if character.is_control() => self.out.push(' '),
                _ => self.out.push(character),
            }
            blank_before = character == ' ';
        }
    }
}

/// Returns the `type` of an ordered list; `None` for bullets.
fn list_type(marker: Marker) -> Option<&'static str> {
    match marker {
        Marker::Bullet => None,
        Marker::Decimal => Some("1"),
        Marker::LowerLetter => Some("a"),
        Marker::UpperLetter => Some("A"),
        Marker::LowerRoman => Some("i"),
        Marker::UpperRoman => Some("I"),
    }
}

fn points(half_points: u16) -> String {
    let half = if half_points % 2 == 1 { ".5" } else { "" };
    format!("{}{half}pt", half_points / 2)
}

/// Returns the tags that open and close a look.
fn tags(look: &Look) -> (String, String) {
    let mut open = String::new();
    let mut close = String::new();
    let mut wrap = |tag: &str| {
        open.push_str(&format!("<{tag}>"));
        close.insert_str(0, &format!("</{tag}>"));
    };
    if look.bold {
        wrap("b");
    }
    if look.italic {
        wrap("i");
    }
    if look.underline {
        wrap("u");
    }
    if look.strike {
        wrap("s");
    }
    match look.raised {
        Raised::No => {}
        Raised::Above => wrap("sup"),
        Raised::Below => wrap("sub"),
    }
    let mut style = Vec::new();
    if let Some(color) = &look.color {
        style.push(format!("color:#{color}"));
    }
    if let Some(half_points) = look.size_half_points {
        style.push(format!("font-size:{}", points(half_points)));
    }
    if !style.is_empty() {
        open.push_str(&format!("<span style=\"{}\">", style.join(";")));
        close.insert_str(0, "</span>");
    }
    (open, close)
}
