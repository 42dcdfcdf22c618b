//! Owns the reading of a field's code out of a content part, and the merge fields whose names are marks.

use std::collections::BTreeMap;

use super::field_code::{FieldCode, FieldKind, Operand, Piece};
use super::name::key;
use super::region::Field;
use super::story::{Story, What};
use super::xml::Element;

/// A piece of a field's code.
pub(crate) enum CodePiece {
    Text(String),
    /// A field, by the atom that it begins at.
    Nested(usize),
    Break,
    Tab,
    ParagraphEnd,
}

impl CodePiece {
    /// How many bytes it takes in [`FieldCode::code`].
    pub(crate) fn size(&self) -> usize {
        match self {
            CodePiece::Text(text) => text.len(),
            CodePiece::Nested(_) => '\u{FFFC}'.len_utf8(),
            CodePiece::Break | CodePiece::Tab => 1,
            CodePiece::ParagraphEnd => '\u{2029}'.len_utf8(),
        }
    }
}

/// Reads the code of a field; each piece with the atom that it comes from. `fields` are all of the part, by their begin.
pub(crate) fn read(
    story: &Story,
    fields: &BTreeMap<usize, Field>,
    field: Field,
) -> (Vec<(usize, CodePiece)>, FieldCode) {
    let mut pieces: Vec<(usize, CodePiece)> = Vec::new();
    if field.is_simple {
        if let What::Open { token, .. } = &story.atoms[field.begin].what {
            let text = story.document.attribute(*token, "instr").unwrap_or_default();
            pieces.push((field.begin, CodePiece::Text(text)));
        }
    } else {
        let mut at = field.begin + 1;
        while at < field.separate.unwrap_or(field.end) {
            if let Some(nested) = fields.get(&at) {
                pieces.push((at, CodePiece::Nested(at)));
                at = nested.end + 1;
                continue;
            }
            match &story.atoms[at].what {
                What::Instruction { text, .. } => pieces.push((at, CodePiece::Text(text.clone()))),
                What::Piece { element: Element::Break, .. } => pieces.push((at, CodePiece::Break)),
                What::Piece { element: Element::Tab, .. } => pieces.push((at, CodePiece::Tab)),
                What::Close { element: Element::Paragraph, .. } => {
                    pieces.push((at, CodePiece::ParagraphEnd));
                }
                _ => {}
            }
            at += 1;
        }
    }
    let borrowed: Vec<Piece<'_>> = pieces
        .iter()
        .map(|(_, piece)| match piece {
            CodePiece::Text(text) => Piece::Text(text),
            CodePiece::Nested(begin) => Piece::Nested(*begin),
            CodePiece::Break => Piece::LineBreak,
            CodePiece::Tab => Piece::Tab,
            CodePiece::ParagraphEnd => Piece::ParagraphEnd,
        })
        .collect();
    let code = FieldCode::parse(&borrowed);
    (pieces, code)
}

/// What the marks of a region are called: the start, the end.
const MARKS: [(&str, &str); 3] =
    [("TableStart", "TableEnd"), ("BeginGroup", "EndGroup"), ("RangeStart", "RangeEnd")];

/// A merge field that starts or ends a region, which is repeated for each row of a table: `TableStart:Items`.
///
/// Word knows no regions; these names are the convention of mail merge libraries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) is_start: bool,
    /// The name of the table.
    pub(crate) rows: String,
    words: (&'static str, &'static str),
}

impl Mark {
    /// Understands the name of a merge field; none if it is no mark.
    pub(crate) fn parse(name: &str) -> Option<Mark> {
        let (word, rows) = name.split_once(':')?;
        let (word, rows) = (word.trim(), rows.trim().to_owned());
        let words = MARKS
            .into_iter()
            .find(|(start, end)| word.eq_ignore_ascii_case(start) || word.eq_ignore_ascii_case(end))?;
        (!rows.is_empty()).then(|| Mark { is_start: word.eq_ignore_ascii_case(words.0), rows, words })
    }

    /// Understands a field; none if it is no mark.
    pub(crate) fn of(code: &FieldCode) -> Option<Mark> {
        let name = code.arguments.first().and_then(Operand::literal)?;
        (code.kind == FieldKind::MergeField).then(|| Mark::parse(&name)).flatten()
    }

    /// Tells whether `end` ends the region that this starts.
    pub(crate) fn ends_with(&self, end: &Mark) -> bool {
        self.words == end.words && key(&self.rows) == key(&end.rows)
    }

    /// The name of the field.
    pub(crate) fn name(&self) -> String {
        let word = if self.is_start { self.words.0 } else { self.words.1 };
        format!("{word}:{}", self.rows)
    }

    /// The name of the field that ends the region.
    pub(crate) fn end_name(&self) -> String {
        format!("{}:{}", self.words.1, self.rows)
    }
}
