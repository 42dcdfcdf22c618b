//! Owns tags: from `{{…}}` in a text to what it asks for, the same in letters, subjects and e-mail bodies. Fails on what
//! is no tag, with the reason.

mod error;
pub(crate) mod call;
pub(crate) mod result;

use std::collections::BTreeMap;
use std::ops::Range;

use super::name;
use super::value::Value;

pub(crate) use error::NESTING_LIMIT;
pub use error::TagError;

use call::{Gives, Helper, Known, PLURAL_FORMS, RowHelper};

/// What a tag asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tag {
    /// Shows a value; `is_raw` for three braces.
    Value { expression: Expression<Path>, is_raw: bool },
    /// Shows the picture whose file a value names.
    Image(Image),
    /// Begins a block.
    Open(Block),
    /// `{{else}}`, or `{{else if …}}` with its condition.
    Else(Option<Expression<Path>>),
    /// Ends the block of this name.
    Close(String),
    /// `{{! … }}`
    Comment,
}

/// `{{image photo width=40mm}}`: the picture, and how large it is asked for in English Metric Units.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Image {
    pub(crate) name: Expression<Path>,
    pub(crate) width: Option<u64>,
    pub(crate) height: Option<u64>,
}

/// A block by its first tag.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Block {
    If(Expression<Path>),
    Unless(Expression<Path>),
    Each(Path),
    With(Path),
}

impl Block {
    /// The name that the block is ended by.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Block::If(_) => "if",
            Block::Unless(_) => "unless",
            Block::Each(_) => "each",
            Block::With(_) => "with",
        }
    }
}

/// A name as written: `../orders.amount` climbs one level and says `orders.amount`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    /// How many levels of rows it climbs.
    pub(crate) up: usize,
    /// Whether it began with `this`: then it means the row alone.
    pub(crate) is_this: bool,
    /// The steps, joined by dots; empty for `this` alone.
    pub(crate) name: String,
}

/// Something with a value. `N` is how names are written: as [`Path`] when parsed, as numbers when compiled.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression<N> {
    Name(N),
    Literal(Value),
    /// The number of the row from 0, at so many levels up.
    Index(usize),
    /// Whether it is the first row.
    First(usize),
    /// Whether it is the last row.
    Last(usize),
    Call(Helper, Vec<Expression<N>>),
    /// What a helper makes of a column of a table's rows.
    Rows {
        helper: RowHelper,
        rows: N,
        item: Option<N>,
        separator: Option<String>,
    },
}

impl<N> Expression<N> {
    /// What is known of the value before the data is.
    fn known(&self) -> Known<'_> {
        match self {
            Expression::Name(_) => Known::Nothing,
            Expression::Literal(value) => Known::Literal(value),
            Expression::Index(_) => Known::Result(Gives::Number),
            Expression::First(_) | Expression::Last(_) => Known::Result(Gives::Truth),
            Expression::Call(helper, _) => Known::Result(helper.gives()),
            Expression::Rows { helper, .. } => Known::Result(helper.gives()),
        }
    }
}

/// A tag found in a text, by its bytes: all of it, and what stands between the braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) span: Range<usize>,
    pub(crate) inner: Range<usize>,
    pub(crate) is_raw: bool,
}

/// Finds the next tag at or after `from`.
///
/// # Errors
///
/// The start of the braces that are never closed.
pub(crate) fn find(text: &str, from: usize) -> Result<Option<Found>, usize> {
    let Some(start) = text.get(from..).and_then(|rest| rest.find("{{")).map(|at| from + at) else {
        return Ok(None);
    };
    let rest = &text[start..];
    let (open, close) = if rest.starts_with("{{!--") {
        ("{{", "--}}")
    } else if rest.starts_with("{{{") {
        ("{{{", "}}}")
    } else {
        ("{{", "}}")
    };
    let inner_start = start + open.len();
    let Some(length) = text[inner_start..].find(close) else { return Err(start) };
    let inner_end = inner_start + length;
    let span = start..inner_end + close.len();
    Ok(Some(Found { span, inner: inner_start..inner_end, is_raw: open == "{{{" }))
}

/// Parses what stands between the braces of a tag.
pub(crate) fn parse(inner: &str, is_raw: bool) -> Result<Tag, TagError> {
    let inner = inner.trim();
    if inner.starts_with('!') {
        return Ok(Tag::Comment);
    }
    if let Some(name) = inner.strip_prefix('/') {
        return Ok(Tag::Close(name.trim().to_owned()));
    }
    if let Some(block) = inner.strip_prefix('#') {
        return parse_block(block).map(Tag::Open);
    }
    if inner == "else" || inner == "^" {
        return Ok(Tag::Else(None));
    }
    if let Some(rest) = inner.strip_prefix("else ") {
        let rest = rest.trim_start();
        let condition = rest.strip_prefix("if ").ok_or_else(|| unexpected(rest))?;
        return Ok(Tag::Else(Some(parse_all(condition)?)));
    }
    if inner.is_empty() {
        return Err(TagError::Empty);
    }
    if let Some(image) = inner.strip_prefix("image").filter(|rest| rest.starts_with(char::is_whitespace)) {
        return parse_image(image).map(Tag::Image);
    }
    let (inner, is_raw) = match inner.strip_prefix('&') {
        Some(unescaped) => (unescaped, true),
        None => (inner, is_raw),
    };
    Ok(Tag::Value { expression: parse_all(inner)?, is_raw })
}

const BLOCKS: [&str; 4] = ["if", "unless", "each", "with"];

fn parse_image(image: &str) -> Result<Image, TagError> {
    let (mut rest, mut width, mut height) = (image.trim(), None, None);
    while let Some(at) = rest.rfind(char::is_whitespace) {
        let word = rest[at..].trim_start();
        let (side, length) = match word.split_once('=') {
            Some(("width", length)) => (&mut width, length),
            Some(("height", length)) => (&mut height, length),
            _ => break,
        };
        *side = Some(parse_length(length).ok_or_else(|| unexpected(word))?);
        rest = rest[..at].trim_end();
    }
    Ok(Image { name: parse_all(rest)?, width, height })
}

/// Parses a length in English Metric Units; millimeters where it has no unit.
fn parse_length(length: &str) -> Option<u64> {
    let length = length.trim_matches(|it| matches!(it, '"' | '\'' | '“' | '”'));
    let unit_at = length.find(|it: char| it.is_ascii_alphabetic()).unwrap_or(length.len());
    let (number, unit) = length.split_at(unit_at);
    let emu = match unit {
        "" | "mm" => 36_000.0,
        "cm" => 360_000.0,
        "in" => 914_400.0,
        "pt" => 12_700.0,
        "px" => 9_525.0,
        _ => return None,
    };
    let number: f64 = number.trim().parse().ok()?;
    // No page is larger than ten meters.
    (number > 0.0 && number * emu < 360_000_000.0).then(|| (number * emu).round() as u64)
}

fn parse_block(block: &str) -> Result<Block, TagError> {
    let block = block.trim_start();
    let end = block.find(char::is_whitespace).unwrap_or(block.len());
    let (name, rest) = block.split_at(end);
    if !BLOCKS.contains(&name) {
        let nearest = name::nearest_of(name, BLOCKS.iter().copied());
        return Err(TagError::UnknownBlock { name: name.to_owned(), nearest });
    }
    if rest.trim().is_empty() {
        let (name, expected) = (format!("#{name}"), call::in_words(1, 1));
        return Err(TagError::Arguments { name, expected, found: 0 });
    }
    let expression = parse_all(rest)?;
    match (name, expression) {
        ("if", condition) => Ok(Block::If(condition)),
        ("unless", condition) => Ok(Block::Unless(condition)),
        ("each", Expression::Name(path)) => Ok(Block::Each(path)),
        ("with", Expression::Name(path)) => Ok(Block::With(path)),
        _ => Err(unexpected(rest.trim())),
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Word(String),
    Text(String),
    /// The name of an argument, with its `=`.
    Key(String),
    Open,
    Close,
}

fn parse_all(text: &str) -> Result<Expression<Path>, TagError> {
    let pieces = pieces(text)?;
    let mut position = 0;
    let expression = match pieces.as_slice() {
        [] => return Err(TagError::Empty),
        [Piece::Word(name), _, ..] => {
            position = 1;
            parse_call(name, &pieces, &mut position)?
        }
        _ => parse_operand(&pieces, &mut position)?,
    };
    match pieces.get(position) {
        None => Ok(expression),
        Some(piece) => Err(unexpected(&show(piece))),
    }
}

/// Parses the arguments of a helper up to a closing parenthesis or the end, which is not consumed.
fn parse_call(name: &str, pieces: &[Piece], position: &mut usize) -> Result<Expression<Path>, TagError> {
    let (mut arguments, mut forms) = (Vec::new(), BTreeMap::new());
    while let Some(piece) = pieces.get(*position).filter(|piece| **piece != Piece::Close) {
        match piece {
            Piece::Key(key) => {
                *position += 1;
                if name != "plural" || !PLURAL_FORMS.contains(&key.as_str()) {
                    return Err(unexpected(&show(piece)));
                }
                forms.insert(key.as_str(), parse_operand(pieces, position)?);
            }
            _ => arguments.push(parse_operand(pieces, position)?),
        }
    }
    if let Some(helper) = RowHelper::parse(name) {
        return rows_call(name, helper, arguments);
    }
    let helper = match Helper::parse(name) {
        Some(_) if !forms.is_empty() => Helper::PluralForms,
        Some(helper) => helper,
        None => {
            return Err(TagError::UnknownHelper { name: name.to_owned(), nearest: call::nearest(name) });
        }
    };
    if helper == Helper::PluralForms {
        if arguments.len() != 1 || !forms.contains_key("other") {
            return Err(TagError::PluralForms);
        }
        let none = || Expression::Literal(Value::Blank);
        arguments.extend(PLURAL_FORMS.map(|form| forms.remove(form).unwrap_or_else(none)));
    }
    let known: Vec<Known<'_>> = arguments.iter().map(Expression::known).collect();
    helper.check(name, &known)?;
    Ok(Expression::Call(helper, arguments))
}

/// Understands a helper whose first argument is a table, whose second is a column of it, and whose third stands between
/// the values.
fn rows_call(
    name: &str,
    helper: RowHelper,
    arguments: Vec<Expression<Path>>,
) -> Result<Expression<Path>, TagError> {
    let (least, most) = helper.n_arguments();
    let found = arguments.len();
    if !(least..=most).contains(&found) {
        let expected = call::in_words(least, most);
        return Err(TagError::Arguments { name: name.to_owned(), expected, found });
    }
    let wrong = |position, expected, argument: &Expression<Path>| TagError::WrongArgument {
        name: name.to_owned(),
        position,
        expected,
        found: match argument.known() {
            Known::Literal(Value::Text(text)) => format!("\"{text}\""),
            Known::Literal(Value::Number(number)) => number.to_string(),
            _ => "something else".to_owned(),
        },
    };
    let mut arguments = arguments.into_iter();
    let rows = match arguments.next() {
        Some(Expression::Name(path)) => path,
        Some(other) => return Err(wrong(1, "the name of a table", &other)),
        None => return Err(TagError::Empty),
    };
    // The column is one of the table: a name of the letter would be the same in every row.
    let of_row = |name: String| Path { up: 0, is_this: true, name };
    let item = match (helper, arguments.next()) {
        (RowHelper::Count, _) => None,
        (RowHelper::Sum | RowHelper::Join, None) => Some(of_row(String::new())),
        (_, Some(Expression::Literal(Value::Text(column)))) => Some(of_row(column)),
        (_, Some(Expression::Name(Path { up: 0, name, .. }))) => Some(of_row(name)),
        (_, Some(other)) => return Err(wrong(2, "the name of a column", &other)),
    };
    let separator = match arguments.next() {
        None => None,
        Some(Expression::Literal(Value::Text(separator))) => Some(separator),
        Some(other) => return Err(wrong(3, "a text in quotes", &other)),
    };
    Ok(Expression::Rows { helper, rows, item, separator })
}

fn parse_operand(pieces: &[Piece], position: &mut usize) -> Result<Expression<Path>, TagError> {
    let piece = pieces.get(*position).ok_or(TagError::Empty)?;
    *position += 1;
    match piece {
        Piece::Text(text) => Ok(Expression::Literal(Value::text(text.as_str()))),
        Piece::Word(word) => parse_word(word),
        Piece::Open => {
            let Some(Piece::Word(name)) = pieces.get(*position) else { return Err(unexpected("(")) };
            *position += 1;
            let call = parse_call(name, pieces, position)?;
            if pieces.get(*position) != Some(&Piece::Close) {
                return Err(TagError::UnclosedParenthesis);
            }
            *position += 1;
            Ok(call)
        }
        Piece::Close | Piece::Key(_) => Err(unexpected(&show(piece))),
    }
}

fn parse_word(word: &str) -> Result<Expression<Path>, TagError> {
    match word {
        "true" => return Ok(Expression::Literal(Value::Bool(true))),
        "false" => return Ok(Expression::Literal(Value::Bool(false))),
        _ => {}
    }
    if word.starts_with(|it: char| it.is_ascii_digit() || it == '-')
        && let Ok(number) = word.parse()
    {
        return Ok(Expression::Literal(Value::Number(number)));
    }
    let (mut rest, mut up) = (word, 0);
    while let Some(after) = rest.strip_prefix("../") {
        rest = after;
        up += 1;
    }
    match rest {
        ".." => return Ok(Expression::Name(Path { up: up + 1, is_this: true, name: String::new() })),
        "@index" => return Ok(Expression::Index(up)),
        "@first" => return Ok(Expression::First(up)),
        "@last" => return Ok(Expression::Last(up)),
        _ => {}
    }
    let (rest, is_this) = match rest {
        "this" | "." => ("", true),
        _ => match rest.strip_prefix("this.").or_else(|| rest.strip_prefix("./")) {
            Some(after) => (after, true),
            None => (rest, false),
        },
    };
    let name = rest.replace(['[', ']'], "");
    let is_name = name.chars().all(|it| {
        it.is_alphanumeric() || matches!(it, '_' | '-' | '.' | ' ' | '/' | '(' | ')' | '%' | '#' | '&')
    });
    if !is_name || (name.is_empty() && !is_this) {
        return Err(unexpected(word));
    }
    Ok(Expression::Name(Path { up, is_this, name }))
}

fn pieces(text: &str) -> Result<Vec<Piece>, TagError> {
    let mut pieces = Vec::new();
    let mut depth = 0_usize;
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        match first {
            '(' => {
                depth += 1;
                if depth > NESTING_LIMIT {
                    return Err(unexpected("("));
                }
                pieces.push(Piece::Open);
                rest = &rest[1..];
            }
            ')' => {
                depth = depth.saturating_sub(1);
                pieces.push(Piece::Close);
                rest = &rest[1..];
            }
            // Word turns straight quotes into curly ones while the author types.
            '"' | '\'' | '“' | '”' | '„' | '‟' | '‘' | '’' | '‚' => {
                let is_double = matches!(first, '"' | '“' | '”' | '„' | '‟');
                let closes = |it: char| match is_double {
                    true => matches!(it, '"' | '“' | '”' | '‟'),
                    false => matches!(it, '\'' | '‘' | '’'),
                };
                let inner = &rest[first.len_utf8()..];
                let end = inner.find(closes).ok_or(TagError::UnclosedQuote)?;
                pieces.push(Piece::Text(inner[..end].to_owned()));
                let closing = inner[end..].chars().next().map_or(0, char::len_utf8);
                rest = &inner[end + closing..];
            }
            _ => {
                let (mut in_brackets, mut after_equals) = (false, false);
                let end = rest
                    .find(|it: char| {
                        let is_argument = std::mem::replace(&mut after_equals, it == '=');
                        in_brackets = (in_brackets || it == '[') && it != ']';
                        !in_brackets && (it.is_whitespace() || is_argument || matches!(it, '(' | ')'))
                    })
                    .unwrap_or(rest.len());
                pieces.push(match rest[..end].strip_suffix('=') {
                    Some(key) => Piece::Key(key.to_owned()),
                    None => Piece::Word(rest[..end].to_owned()),
                });
                rest = &rest[end..];
            }
        }
        rest = rest.trim_start();
    }
    Ok(pieces)
}

fn show(piece: &Piece) -> String {
    match piece {
        Piece::Word(word) | Piece::Text(word) => word.clone(),
        Piece::Key(key) => format!("{key}="),
        Piece::Open => "(".to_owned(),
        Piece::Close => ")".to_owned(),
    }
}

fn unexpected(found: &str) -> TagError {
    TagError::Unexpected { found: found.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> Expression<Path> {
        Expression::Name(Path { up: 0, is_this: false, name: name.to_owned() })
    }

    fn check(inner: &str, expected: Result<Tag, TagError>) {
        assert_eq!(parse(inner, false), expected, "{inner}");
    }

    fn value(expression: Expression<Path>) -> Result<Tag, TagError> {
        Ok(Tag::Value { expression, is_raw: false })
    }

    fn image(width: Option<u64>, height: Option<u64>) -> Result<Tag, TagError> {
        Ok(Tag::Image(Image { name: name("photo"), width, height }))
    }

    #[test]
    fn tags_parse() {
        check(" contact.first_name ", value(name("contact.first_name")));
        check("[First Name]", value(name("First Name")));
        check("../total", value(Expression::Name(Path { up: 1, is_this: false, name: "total".to_owned() })));
        check("this", value(Expression::Name(Path { up: 0, is_this: true, name: String::new() })));
        check("@index", value(Expression::Index(0)));
        check("upper city", value(Expression::Call(Helper::Upper, vec![name("city")])));
        check(
            "#if (eq city “Bern”)",
            Ok(Tag::Open(Block::If(Expression::Call(
                Helper::Equal,
                vec![name("city"), Expression::Literal(Value::text("Bern"))],
            )))),
        );
        check("else if paid", Ok(Tag::Else(Some(name("paid")))));
        check("else", Ok(Tag::Else(None)));
        check("/each", Ok(Tag::Close("each".to_owned())));
        check("! note", Ok(Tag::Comment));
        check("image photo", image(None, None));
        check("image photo width=40 height=3cm", image(Some(1_440_000), Some(1_080_000)));
        check("image photo height=“1in”", image(None, Some(914_400)));
        check("& html", Ok(Tag::Value { expression: name("html"), is_raw: true }));
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        check("", Err(TagError::Empty));
        check("First Name", Err(TagError::UnknownHelper { name: "First".to_owned(), nearest: None }));
        check("#loop x", Err(TagError::UnknownBlock { name: "loop".to_owned(), nearest: None }));
        check(
            "#if",
            Err(TagError::Arguments { name: "#if".to_owned(), expected: "1 argument".to_owned(), found: 0 }),
        );
        check(
            "eq a",
            Err(TagError::Arguments { name: "eq".to_owned(), expected: "2 arguments".to_owned(), found: 1 }),
        );
        check("image photo width=4km", Err(TagError::Unexpected { found: "width=4km".to_owned() }));
        check("#if (eq a 'b)", Err(TagError::UnclosedQuote));
        check("#if (eq a 'b'", Err(TagError::UnclosedParenthesis));
        check("a}b", Err(TagError::Unexpected { found: "a}b".to_owned() }));
    }

    #[test]
    fn tags_are_found_in_text() {
        let found = find("a {{b}} {{{c}}}", 3).expect("closed").expect("there");
        assert_eq!(found, Found { span: 8..15, inner: 11..12, is_raw: true });
        assert_eq!(find("a {b}", 0), Ok(None));
        assert_eq!(find("a {{b", 0), Err(2));
    }
}
