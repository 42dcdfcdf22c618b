//! Owns tags: from `{{…}}` in a text to what it asks for, the same in letters, subjects and e-mail bodies. Fails on what
//! is no tag, with the reason.

use std::ops::Range;

use super::value::Value;

/// How deeply blocks, calls and fields may nest; no letter comes near.
pub(crate) const NESTING_LIMIT: usize = 64;

/// Why a tag is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// Nothing between the braces.
    #[error("tag is empty")]
    Empty,
    /// The closing braces are missing.
    #[error("tag has no end")]
    Unclosed,
    /// A quoted text has no end.
    #[error("tag has an unclosed quote")]
    UnclosedQuote,
    /// A parenthesis has no end.
    #[error("tag has an unclosed parenthesis")]
    UnclosedParenthesis,
    /// Something that cannot stand where it stands.
    #[error("tag has an unexpected `{found}`")]
    Unexpected {
        /// What stands there.
        found: String,
    },
    /// A helper that does not exist.
    #[error("there is no helper `{name}`")]
    UnknownHelper {
        /// The helper's name as written.
        name: String,
    },
    /// A block that does not exist.
    #[error("there is no block `#{name}`")]
    UnknownBlock {
        /// The block's name as written.
        name: String,
    },
    /// A helper or block with too few or too many arguments.
    #[error("`{name}` takes {expected}, found {found}")]
    Arguments {
        /// The helper or block.
        name: String,
        /// How many it takes, in words.
        expected: &'static str,
        /// How many there are.
        found: usize,
    },
    /// A block without its end.
    #[error("block `{name}` has no end")]
    UnclosedBlock {
        /// The block's name.
        name: String,
    },
    /// An end or an else without its block.
    #[error("`{tag}` without its block")]
    StrayBlockTag {
        /// The tag as written.
        tag: String,
    },
    /// Blocks nest too deeply.
    #[error("blocks nest deeper than {NESTING_LIMIT}")]
    TooDeep,
}

impl TagError {
    /// Returns what to do about it, where that is sure.
    pub fn help(&self) -> Option<String> {
        match self {
            TagError::Unclosed => Some("close the tag with `}}`".to_owned()),
            TagError::UnclosedBlock { name } => Some(format!("end it with `{{{{/{name}}}}}`")),
            TagError::UnknownHelper { name } => {
                Some(format!("a name with spaces is written in brackets: `{{{{[{name} …]}}}}`"))
            }
            TagError::UnknownBlock { .. } => Some("blocks are #if, #unless, #each and #with".to_owned()),
            TagError::Empty
            | TagError::UnclosedQuote
            | TagError::UnclosedParenthesis
            | TagError::Unexpected { .. }
            | TagError::Arguments { .. }
            | TagError::StrayBlockTag { .. }
            | TagError::TooDeep => None,
        }
    }

    /// Returns the stable name of the error: the variant in kebab case.
    pub fn id(&self) -> &'static str {
        match self {
            TagError::Empty => "empty-tag",
            TagError::Unclosed => "unclosed-tag",
            TagError::UnclosedQuote => "unclosed-quote",
            TagError::UnclosedParenthesis => "unclosed-parenthesis",
            TagError::Unexpected { .. } => "unexpected",
            TagError::UnknownHelper { .. } => "unknown-helper",
            TagError::UnknownBlock { .. } => "unknown-block",
            TagError::Arguments { .. } => "arguments",
            TagError::UnclosedBlock { .. } => "unclosed-block",
            TagError::StrayBlockTag { .. } => "stray-block-tag",
            TagError::TooDeep => "too-deep",
        }
    }
}

/// What a tag asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tag {
    /// Shows a value; `is_raw` for three braces.
    Value { expression: Expression<Path>, is_raw: bool },
    /// Begins a block.
    Open(Block),
    /// `{{else}}`, or `{{else if …}}` with its condition.
    Else(Option<Expression<Path>>),
    /// Ends the block of this name.
    Close(String),
    /// `{{! … }}`
    Comment,
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
}

/// What can be computed from values inside a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Helper {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
    Not,
    Upper,
    Lower,
    Default,
}

impl Helper {
    fn parse(name: &str) -> Option<Helper> {
        Some(match name {
            "eq" => Helper::Equal,
            "ne" => Helper::NotEqual,
            "lt" => Helper::Less,
            "lte" => Helper::LessOrEqual,
            "gt" => Helper::Greater,
            "gte" => Helper::GreaterOrEqual,
            "and" => Helper::And,
            "or" => Helper::Or,
            "not" => Helper::Not,
            "upper" | "uppercase" => Helper::Upper,
            "lower" | "lowercase" => Helper::Lower,
            "default" => Helper::Default,
            _ => return None,
        })
    }

    /// The least and the most arguments, and how to say so.
    fn arguments(self) -> (usize, usize, &'static str) {
        match self {
            Helper::Equal
            | Helper::NotEqual
            | Helper::Less
            | Helper::LessOrEqual
            | Helper::Greater
            | Helper::GreaterOrEqual
            | Helper::Default => (2, 2, "2 arguments"),
            Helper::And | Helper::Or => (1, usize::MAX, "1 argument or more"),
            Helper::Not | Helper::Upper | Helper::Lower => (1, 1, "1 argument"),
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
    let (inner, is_raw) = match inner.strip_prefix('&') {
        Some(unescaped) => (unescaped, true),
        None => (inner, is_raw),
    };
    Ok(Tag::Value { expression: parse_all(inner)?, is_raw })
}

fn parse_block(block: &str) -> Result<Block, TagError> {
    let block = block.trim_start();
    let end = block.find(char::is_whitespace).unwrap_or(block.len());
    let (name, rest) = block.split_at(end);
    let known = matches!(name, "if" | "unless" | "each" | "with");
    if !known {
        return Err(TagError::UnknownBlock { name: name.to_owned() });
    }
    if rest.trim().is_empty() {
        return Err(TagError::Arguments { name: format!("#{name}"), expected: "1 argument", found: 0 });
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
    let helper = Helper::parse(name).ok_or_else(|| TagError::UnknownHelper { name: name.to_owned() })?;
    let mut arguments = Vec::new();
    while pieces.get(*position).is_some_and(|piece| *piece != Piece::Close) {
        arguments.push(parse_operand(pieces, position)?);
    }
    let (least, most, expected) = helper.arguments();
    if arguments.len() < least || arguments.len() > most {
        return Err(TagError::Arguments { name: name.to_owned(), expected, found: arguments.len() });
    }
    Ok(Expression::Call(helper, arguments))
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
        Piece::Close => Err(unexpected(")")),
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
                let mut in_brackets = false;
                let end = rest
                    .find(|it: char| {
                        in_brackets = (in_brackets || it == '[') && it != ']';
                        !in_brackets && (it.is_whitespace() || matches!(it, '(' | ')'))
                    })
                    .unwrap_or(rest.len());
                pieces.push(Piece::Word(rest[..end].to_owned()));
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
        check("& html", Ok(Tag::Value { expression: name("html"), is_raw: true }));
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        check("", Err(TagError::Empty));
        check("First Name", Err(TagError::UnknownHelper { name: "First".to_owned() }));
        check("#loop x", Err(TagError::UnknownBlock { name: "loop".to_owned() }));
        check("#if", Err(TagError::Arguments { name: "#if".to_owned(), expected: "1 argument", found: 0 }));
        check("eq a", Err(TagError::Arguments { name: "eq".to_owned(), expected: "2 arguments", found: 1 }));
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
