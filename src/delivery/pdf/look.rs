//! Owns what a page shows: its words, and every mark with its place, so that two pages can be compared.

use std::collections::BTreeMap;

use lopdf::content::Content;
use lopdf::{Dictionary, Document, Encoding, Object, ObjectId};

/// Two places that differ by no more than this many points are the same.
const TOLERANCE: f32 = 0.15;

/// What a page shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Look {
    /// Its text, in the order in which it was set.
    pub(super) text: String,
    marks: Vec<Mark>,
}

/// An operator of a page's content (ISO 32000-1 Annex A Operator Summary), with what it works on.
#[derive(Clone, Debug, PartialEq)]
struct Mark {
    operator: String,
    numbers: Vec<f32>,
    words: String,
}

/// The fonts of a document, each understood once.
#[derive(Default)]
pub(super) struct Fonts<'d>(BTreeMap<*const Dictionary, (String, Option<Encoding<'d>>)>);

impl<'d> Fonts<'d> {
    fn of(&mut self, document: &'d Document, font: &'d Dictionary) -> &(String, Option<Encoding<'d>>) {
        self.0.entry(std::ptr::from_ref(font)).or_insert_with(|| {
            let name = font.get(b"BaseFont").and_then(Object::as_name).unwrap_or_default();
            let name = String::from_utf8_lossy(name).into_owned();
            // A subset's name begins with six letters that differ from document to document (ISO 32000-1 §9.6.4).
            let name = name.split_once('+').map_or(name.clone(), |(_, name)| name.to_owned());
            (name, font.get_font_encoding(document).ok())
        })
    }
}

impl Look {
    /// Reads what a page shows.
    pub(super) fn of<'d>(
        document: &'d Document,
        page: ObjectId,
        fonts: &mut Fonts<'d>,
    ) -> Result<Look, String> {
        let content = Content::decode(&document.get_page_content(page)).map_err(|error| error.to_string())?;
        let of_page = document.get_page_fonts(page).map_err(|error| error.to_string())?;
        let mut look = Look::default();
        let mut font: Option<&'d Dictionary> = None;
        for operation in &content.operations {
            let mut mark =
                Mark { operator: operation.operator.clone(), numbers: Vec::new(), words: String::new() };
            match operation.operator.as_str() {
                // The names of resources, and marks of the structure, are not seen.
                "gs" | "BDC" | "BMC" | "EMC" | "DP" | "MP" => continue,
                "Tf" => {
                    let name = operation.operands.first().and_then(|name| name.as_name().ok());
                    font = name.and_then(|name| of_page.get(name).copied());
                    if let Some(font) = font {
                        mark.words = fonts.of(document, font).0.clone();
                    }
                }
                "BT" | "ET" => look.text.push(' '),
                "Td" | "TD" | "T*" => look.text.push(' '),
                _ => {}
            }
            let encoding = font.and_then(|font| fonts.of(document, font).1.as_ref());
            operation.operands.iter().for_each(|operand| mark.take(operand, encoding));
            if matches!(mark.operator.as_str(), "Tj" | "TJ" | "'" | "\"") {
                look.text.push_str(&mark.words);
            }
            look.marks.push(mark);
        }
        Ok(look)
    }

    /// Tells whether two pages show the same in the same places.
    pub(super) fn is_as(&self, other: &Look) -> bool {
        let near = |a: &Mark, b: &Mark| {
            a.operator == b.operator
                && a.words == b.words
                && a.numbers.len() == b.numbers.len()
                && a.numbers.iter().zip(&b.numbers).all(|(a, b)| (a - b).abs() <= TOLERANCE)
        };
        self.marks.len() == other.marks.len() && self.marks.iter().zip(&other.marks).all(|(a, b)| near(a, b))
    }
}

impl Mark {
    fn take(&mut self, operand: &Object, encoding: Option<&Encoding<'_>>) {
        match operand {
            Object::Integer(number) => self.numbers.push(*number as f32),
            Object::Real(number) => self.numbers.push(*number),
            Object::String(bytes, _) => {
                if let Some(text) = encoding.and_then(|it| Document::decode_text(it, bytes).ok()) {
                    self.words.push_str(&text);
                }
            }
            Object::Array(items) => items.iter().for_each(|item| self.take(item, encoding)),
            Object::Null
            | Object::Boolean(_)
            | Object::Name(_)
            | Object::Dictionary(_)
            | Object::Stream(_)
            | Object::Reference(_) => {}
        }
    }
}
