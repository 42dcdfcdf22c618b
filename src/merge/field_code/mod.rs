//! Owns field codes: from the pieces of one field's instruction to its kind, arguments and switches.
//! Never fails: what Word puts up with (an unclosed quote, an unknown switch) is a warning with its offset.

mod kind;
mod lexer;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::merge::condition::Operator;

pub use kind::FieldKind;

/// One piece of a field's instruction, in document order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// The text of one run (`w:instrText`).
    Text(&'a str),
    /// A field inside the field, by the caller's number. It is opaque: its value is never read as code.
    Nested(usize),
    /// A line break (`w:br`, `w:cr`).
    LineBreak,
    /// A tab (`w:tab`).
    Tab,
    /// The end of a paragraph.
    ParagraphEnd,
}

/// One field's instruction, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldCode {
    /// The joined text; a nested field is U+FFFC, a line break `\n`, a tab `\t`, a paragraph end U+2029.
    /// All offsets are bytes into it.
    pub code: String,
    /// What the keyword names.
    pub kind: FieldKind,
    /// The operands after the keyword, without those that belong to switches.
    pub arguments: Vec<Operand>,
    /// The switches, in their order.
    pub switches: Vec<Switch>,
    /// What Word puts up with and the author may want to know.
    pub warnings: Vec<FieldCodeWarning>,
}

/// One operand: literal text and nested fields, which a quoted string may mix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operand {
    /// What it is made of, in order. None: the empty string `""`.
    pub parts: Vec<OperandPart>,
    /// Where it stands in the code, quotes included.
    pub range: Range<usize>,
    /// Whether it stands in quotes.
    pub is_quoted: bool,
}

/// One part of an operand; it never reaches beyond one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperandPart {
    /// Which piece of the instruction it comes from, from 0: this finds the run formatting of a branch.
    pub piece: usize,
    /// What it is.
    pub content: PartContent,
    /// Where it stands in the code, before escapes were resolved.
    pub range: Range<usize>,
}

/// What a part of an operand is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartContent {
    /// Literal text, escapes resolved.
    Text(String),
    /// A nested field, by the caller's number.
    Nested(usize),
    /// A line break.
    LineBreak,
    /// A tab.
    Tab,
    /// The end of a paragraph.
    ParagraphEnd,
}

/// One switch, such as `\* Upper`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Its character, in lower case: `*`, `@`, `#`, `b`, …
    pub name: char,
    /// Its argument, if it takes one and one follows.
    pub argument: Option<Operand>,
    /// Where it stands in the code, argument included.
    pub range: Range<usize>,
}

/// The comparison that IF, COMPARE, NEXTIF and SKIPIF begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison<'a> {
    /// The operand left of the operator.
    pub left: &'a Operand,
    /// The operator.
    pub operator: Operator,
    /// The operand right of it, in which `*` and `?` are wildcards.
    pub right: &'a Operand,
    /// The operands after it: of an IF, the text if true and the text if false.
    pub rest: &'a [Operand],
}

/// What is odd about a field code that is understood nevertheless. Offsets are bytes into [`FieldCode::code`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldCodeWarning {
    /// A quote has no end, so the operand ends with the field.
    #[error("a quote is opened but not closed")]
    UnclosedQuote {
        /// Where the quote opens.
        offset_bytes: usize,
    },
    /// The field does not know the switch; it is ignored.
    #[error("unknown switch `\\{name}`")]
    UnknownSwitch {
        /// The switch's character.
        name: char,
        /// Where the switch stands.
        offset_bytes: usize,
    },
    /// The switch needs an argument and has none; it is ignored. Word prints `Error! Switch argument not specified.`
    #[error("switch `\\{name}` has no argument")]
    MissingArgument {
        /// The switch's character.
        name: char,
        /// Where the switch stands.
        offset_bytes: usize,
    },
    /// An operand is left over; Word ignores it. Mostly spaces without quotes: `\@ d MMMM yyyy`.
    #[error("`{text}` is ignored")]
    SuperfluousArgument {
        /// The operand as written.
        text: String,
        /// Where it stands.
        offset_bytes: usize,
    },
}

impl FieldCode {
    /// Parses one field's instruction, such as ` MERGEFIELD FirstName \* Upper `.
    ///
    /// Keyword and switches are taken in any case; `\*Upper` needs no space, `\* FirstCap MERGEFORMAT` no second
    /// `\*`. Inside quotes `\"` and `\\` are escapes. “ ” „ ‟ are quotes too, also in mixed pairs; inside straight
    /// quotes a complete pair of them is text. A comma directly after an operand separates. An operator needs no
    /// spaces in fields that compare.
    ///
    /// # Example
    ///
    /// ```
    /// use mailrun::merge::field_code::{FieldCode, FieldKind, Piece};
    /// let code = FieldCode::parse(&[Piece::Text(" MERGEFIELD First"), Piece::Text("Name \\* Upper ")]);
    /// assert_eq!(code.kind, FieldKind::MergeField);
    /// assert_eq!(code.arguments[0].literal().as_deref(), Some("FirstName"));
    /// assert_eq!(code.switches[0].name, '*');
    /// ```
    ///
    /// Source: ECMA-376 Part 1 §17.16.1 Syntax.
    pub fn parse(pieces: &[Piece<'_>]) -> FieldCode {
        lexer::parse(pieces)
    }

    /// Returns the first switch of that name, in lower case.
    pub fn switch(&self, name: char) -> Option<&Switch> {
        self.switches.iter().find(|switch| switch.name == name)
    }

    /// Returns the comparison that the field begins with, or none if it has no operator.
    pub fn comparison(&self) -> Option<Comparison<'_>> {
        let [left, operator, right, rest @ ..] = self.arguments.as_slice() else { return None };
        let operator = Operator::parse(&operator.literal()?)?;
        Some(Comparison { left, operator, right, rest })
    }
}

impl Operand {
    /// Returns the text if the operand holds no nested field; breaks as `\n`, tabs as `\t`.
    pub fn literal(&self) -> Option<String> {
        let mut text = String::new();
        for part in &self.parts {
            match &part.content {
                PartContent::Text(literal) => text.push_str(literal),
                PartContent::Nested(_) => return None,
                PartContent::LineBreak | PartContent::ParagraphEnd => text.push('\n'),
                PartContent::Tab => text.push('\t'),
            }
        }
        Some(text)
    }

    /// Returns the numbers of the nested fields, in order.
    pub fn nested(&self) -> impl Iterator<Item = usize> {
        self.parts.iter().filter_map(|part| match part.content {
            PartContent::Nested(number) => Some(number),
            PartContent::Text(_) | PartContent::LineBreak | PartContent::Tab | PartContent::ParagraphEnd => {
                None
            }
        })
    }
}

impl FieldCodeWarning {
    /// Returns the stable name of the variant.
    pub fn id(&self) -> &'static str {
        match self {
            FieldCodeWarning::UnclosedQuote { .. } => "unclosed-quote",
            FieldCodeWarning::UnknownSwitch { .. } => "unknown-switch",
            FieldCodeWarning::MissingArgument { .. } => "missing-argument",
            FieldCodeWarning::SuperfluousArgument { .. } => "superfluous-argument",
        }
    }

    /// Returns what to do, where that is sure.
    pub fn help(&self) -> Option<String> {
        match self {
            FieldCodeWarning::SuperfluousArgument { .. } => {
                Some("put quotes round an argument that has spaces".to_owned())
            }
            FieldCodeWarning::UnclosedQuote { .. }
            | FieldCodeWarning::UnknownSwitch { .. }
            | FieldCodeWarning::MissingArgument { .. } => None,
        }
    }
}
