//! Owns the reading of an instruction: characters to tokens, tokens to a field code.

use std::ops::Range;

use super::kind::SwitchForm;
use super::{FieldCode, FieldCodeWarning, FieldKind, Operand, OperandPart, PartContent, Piece, Switch};
use crate::merge::format::GeneralFormat;

/// One character of the instruction, or what stands for one.
#[derive(Clone, Copy)]
struct Atom {
    unit: Unit,
    piece: usize,
    start: usize,
    end: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Unit {
    Char(char),
    Nested(usize),
    LineBreak,
    Tab,
    ParagraphEnd,
}

/// What ends an operand without quotes, besides what always does.
#[derive(Clone, Copy, PartialEq)]
enum Ending {
    /// A comma at its end separates and is dropped.
    Comma,
    /// As `Comma`; an operator ends it too.
    Operator,
    /// Nothing: a picture may end with a comma.
    Space,
}

struct Lexer {
    atoms: Vec<Atom>,
    next: usize,
    kind: FieldKind,
    code: String,
    warnings: Vec<FieldCodeWarning>,
}

pub(super) fn parse(pieces: &[Piece<'_>]) -> FieldCode {
    let mut lexer = Lexer::new(pieces);
    lexer.kind = lexer.keyword();
    let mut arguments = Vec::new();
    let mut switches = Vec::new();
    if lexer.kind == FieldKind::Formula {
        arguments.push(lexer.expression());
    }
    loop {
        lexer.skip_spaces();
        if lexer.peek().is_none() {
            break;
        }
        if lexer.at_switch() {
            lexer.switch(&mut switches);
        } else {
            lexer.argument(&mut arguments);
        }
    }
    let most = lexer.kind.most_arguments();
    for superfluous in arguments.iter().skip(most) {
        lexer.warnings.push(FieldCodeWarning::SuperfluousArgument {
            text: lexer.code[superfluous.range.clone()].to_owned(),
            offset_bytes: superfluous.range.start,
        });
    }
    FieldCode { code: lexer.code, kind: lexer.kind, arguments, switches, warnings: lexer.warnings }
}

impl Lexer {
    fn new(pieces: &[Piece<'_>]) -> Lexer {
        let mut code = String::new();
        let mut atoms = Vec::new();
        let mut push = |code: &mut String, piece: usize, unit: Unit, shown: char| {
            let start = code.len();
            code.push(shown);
            atoms.push(Atom { unit, piece, start, end: code.len() });
        };
        for (number, piece) in pieces.iter().enumerate() {
            match *piece {
                Piece::Text(text) => {
                    for character in text.chars() {
                        push(&mut code, number, Unit::Char(character), character);
                    }
                }
                Piece::Nested(field) => push(&mut code, number, Unit::Nested(field), '\u{FFFC}'),
                Piece::LineBreak => push(&mut code, number, Unit::LineBreak, '\n'),
                Piece::Tab => push(&mut code, number, Unit::Tab, '\t'),
                Piece::ParagraphEnd => push(&mut code, number, Unit::ParagraphEnd, '\u{2029}'),
            }
        }
        Lexer { atoms, next: 0, kind: FieldKind::Empty, code, warnings: Vec::new() }
    }

    fn peek(&self) -> Option<Atom> {
        self.atoms.get(self.next).copied()
    }

    fn peek_char(&self, ahead: usize) -> Option<char> {
        match self.atoms.get(self.next + ahead)?.unit {
            Unit::Char(character) => Some(character),
            Unit::Nested(_) | Unit::LineBreak | Unit::Tab | Unit::ParagraphEnd => None,
        }
    }

    /// Where the next atom starts, or the code ends.
    fn offset(&self) -> usize {
        self.peek().map_or(self.code.len(), |atom| atom.start)
    }

    /// Where the last atom read ends.
    fn end_offset(&self) -> usize {
        self.next.checked_sub(1).and_then(|last| self.atoms.get(last)).map_or(0, |atom| atom.end)
    }

    fn is_space(&self, ahead: usize) -> bool {
        self.atoms.get(self.next + ahead).is_some_and(|atom| match atom.unit {
            Unit::Char(character) => character.is_whitespace(),
            Unit::Nested(_) => false,
            Unit::LineBreak | Unit::Tab | Unit::ParagraphEnd => true,
        })
    }

    /// Whether an operand cannot go on at the atom `ahead`: a space, a quote, the end.
    fn is_edge(&self, ahead: usize) -> bool {
        self.atoms.get(self.next + ahead).is_none()
            || self.is_space(ahead)
            || self.peek_char(ahead).is_some_and(is_quote)
    }

    fn skip_spaces(&mut self) {
        while self.is_space(0) {
            self.next += 1;
        }
    }

    fn keyword(&mut self) -> FieldKind {
        self.skip_spaces();
        if self.peek().is_none() {
            return FieldKind::Empty;
        }
        if self.peek_char(0) == Some('=') {
            self.next += 1;
            return FieldKind::Formula;
        }
        let mut keyword = String::new();
        while let Some(character) = self.peek_char(0) {
            if character.is_whitespace() || is_quote(character) || character == '\\' {
                break;
            }
            keyword.push(character);
            self.next += 1;
        }
        if keyword.is_empty() { FieldKind::Unknown(keyword) } else { FieldKind::from_keyword(&keyword) }
    }

    /// Reads a formula's expression, quotes included, up to the first switch.
    fn expression(&mut self) -> Operand {
        self.skip_spaces();
        let mut operand = Operand { range: self.offset()..self.offset(), ..Operand::default() };
        let mut is_inside_quotes = false;
        while let Some(atom) = self.peek() {
            match atom.unit {
                Unit::Char('\\') if !is_inside_quotes => break,
                Unit::Char(character) if is_quote(character) => is_inside_quotes = !is_inside_quotes,
                Unit::Char(_) | Unit::Nested(_) | Unit::LineBreak | Unit::Tab | Unit::ParagraphEnd => {}
            }
            operand.push(atom);
            self.next += 1;
        }
        operand.range.end = self.end_offset().max(operand.range.start);
        operand
    }

    /// Whether a switch begins here. `\\` is a backslash; before a space or the end, one has no meaning.
    fn at_switch(&self) -> bool {
        self.peek_char(0) == Some('\\') && self.peek_char(1) != Some('\\')
    }

    fn switch(&mut self, switches: &mut Vec<Switch>) {
        let start = self.offset();
        self.next += 1;
        let Some(name) = self.peek_char(0).filter(|name| !name.is_whitespace()) else { return };
        self.next += 1;
        let name = name.to_lowercase().next().unwrap_or(name);
        match self.kind.switch_form(name) {
            SwitchForm::Argument => {
                let argument = self.switch_argument(name, start);
                switches.push(Switch { name, argument, range: start..self.end_offset() });
                if name == '*' {
                    self.further_formats(switches);
                }
            }
            form @ (SwitchForm::Flag | SwitchForm::Unknown) => {
                while self.peek_char(0).is_some_and(char::is_alphanumeric) {
                    self.next += 1;
                }
                if form == SwitchForm::Unknown && !matches!(self.kind, FieldKind::Unknown(_)) {
                    self.warnings.push(FieldCodeWarning::UnknownSwitch { name, offset_bytes: start });
                }
                switches.push(Switch { name, argument: None, range: start..self.end_offset() });
            }
        }
    }

    fn switch_argument(&mut self, name: char, start: usize) -> Option<Operand> {
        let before = self.next;
        self.skip_spaces();
        if self.peek().is_none() || self.at_switch() {
            self.next = before;
            self.warnings.push(FieldCodeWarning::MissingArgument { name, offset_bytes: start });
            return None;
        }
        Some(self.operand(if name == '#' { Ending::Space } else { Ending::Comma }))
    }

    /// Reads `MERGEFORMAT` in `\* FirstCap MERGEFORMAT`, which real files have and Word takes.
    fn further_formats(&mut self, switches: &mut Vec<Switch>) {
        loop {
            let before = self.next;
            self.skip_spaces();
            let start = self.offset();
            let mut word = String::new();
            while let Some(character) = self.peek_char(word.len()).filter(char::is_ascii_alphabetic) {
                word.push(character);
            }
            let is_format = GeneralFormat::from_name(&word).is_some() && self.is_edge(word.len());
            if !is_format {
                self.next = before;
                return;
            }
            let argument = self.operand(Ending::Comma);
            switches.push(Switch { name: '*', argument: Some(argument), range: start..self.end_offset() });
        }
    }

    fn argument(&mut self, arguments: &mut Vec<Operand>) {
        if self.kind.compares() && arguments.len() < 2 && self.peek_char(0).is_some_and(is_operator) {
            if arguments.is_empty() {
                arguments.push(Operand { range: self.offset()..self.offset(), ..Operand::default() });
            }
            arguments.push(self.operator());
            return;
        }
        let is_left = self.kind.compares() && arguments.is_empty();
        arguments.push(self.operand(if is_left { Ending::Operator } else { Ending::Comma }));
    }

    fn operator(&mut self) -> Operand {
        let mut operand = Operand { range: self.offset()..self.offset(), ..Operand::default() };
        let first = self.peek_char(0);
        if let Some(atom) = self.peek() {
            operand.push(atom);
            self.next += 1;
        }
        let goes_on =
            matches!((first, self.peek_char(0)), (Some('<' | '>'), Some('=')) | (Some('<'), Some('>')));
        if let Some(atom) = self.peek().filter(|_| goes_on) {
            operand.push(atom);
            self.next += 1;
        }
        operand.range.end = self.end_offset();
        operand
    }

    fn operand(&mut self, ending: Ending) -> Operand {
        let operand = match self.peek_char(0) {
            Some(opening) if is_quote(opening) => self.quoted(opening),
            _ => self.unquoted(ending),
        };
        if operand.is_quoted && self.peek_char(0) == Some(',') {
            self.next += 1;
        }
        operand
    }

    fn unquoted(&mut self, ending: Ending) -> Operand {
        let mut operand = Operand { range: self.offset()..self.offset(), ..Operand::default() };
        let mut is_after_nested = false;
        while let Some(atom) = self.peek() {
            if self.is_edge(0) {
                break;
            }
            match atom.unit {
                Unit::Char('\\') if self.peek_char(1) == Some('\\') => {
                    operand.push(Atom { end: atom.end + 1, ..atom });
                    self.next += 1;
                }
                Unit::Char('\\') => {
                    let is_format = matches!(self.peek_char(1), Some('*' | '@' | '#'));
                    if is_format || !self.kind.takes_paths() {
                        break;
                    }
                    operand.push(atom);
                }
                Unit::Char(character) if ending == Ending::Operator && is_operator(character) => break,
                Unit::Char(',') if ending != Ending::Space && operand.range.end > operand.range.start => {
                    let is_next_nested =
                        matches!(self.atoms.get(self.next + 1), Some(Atom { unit: Unit::Nested(_), .. }));
                    if self.is_edge(1) || is_after_nested && is_next_nested {
                        self.next += 1;
                        return operand;
                    }
                    operand.push(atom);
                }
                Unit::Char(_) | Unit::Nested(_) | Unit::LineBreak | Unit::Tab | Unit::ParagraphEnd => {
                    operand.push(atom);
                }
            }
            is_after_nested = matches!(atom.unit, Unit::Nested(_));
            self.next += 1;
            operand.range.end = self.end_offset();
        }
        operand
    }

    fn quoted(&mut self, opening: char) -> Operand {
        let start = self.offset();
        let mut operand = Operand { range: start..start, is_quoted: true, ..Operand::default() };
        let mut inner_pairs = 0_usize;
        self.next += 1;
        loop {
            let Some(atom) = self.peek() else {
                self.warnings.push(FieldCodeWarning::UnclosedQuote { offset_bytes: start });
                break;
            };
            match atom.unit {
                Unit::Char('\\') => {
                    let escaped = self.peek_char(1).filter(|&next| next == '\\' || is_quote(next));
                    if let (Some(next), Some(second)) = (escaped, self.atoms.get(self.next + 1)) {
                        operand.push(Atom { unit: Unit::Char(next), end: second.end, ..atom });
                        self.next += 1;
                    } else {
                        operand.push(atom);
                    }
                }
                Unit::Char(quote) if is_quote(quote) => {
                    // Word itself would end the operand at any quote. Text such as "Sie haben „Gold“ gewählt" is
                    // what the author means, so a complete pair of curly quotes inside straight ones is kept.
                    if opening == '"' && quote != '"' && self.opens_inner_pair(quote, inner_pairs) {
                        inner_pairs += 1;
                    } else if quote != '"' && inner_pairs > 0 {
                        inner_pairs -= 1;
                    } else {
                        self.next += 1;
                        break;
                    }
                    operand.push(atom);
                }
                Unit::Char(_) | Unit::Nested(_) | Unit::LineBreak | Unit::Tab | Unit::ParagraphEnd => {
                    operand.push(atom);
                }
            }
            self.next += 1;
        }
        operand.range.end = self.end_offset();
        operand
    }

    /// Whether the curly quote here opens a pair: one that can open, no pair open, and its partner before any
    /// straight quote.
    fn opens_inner_pair(&self, quote: char, inner_pairs: usize) -> bool {
        let partners: &[char] = match quote {
            '„' | '‟' => &['“', '”'],
            '“' => &['”'],
            _ => return false,
        };
        let ahead = self.atoms.get(self.next + 1..).unwrap_or_default();
        let first = ahead.iter().find_map(|atom| match atom.unit {
            Unit::Char(character) if character == '"' || partners.contains(&character) => Some(character),
            Unit::Char(_) | Unit::Nested(_) | Unit::LineBreak | Unit::Tab | Unit::ParagraphEnd => None,
        });
        inner_pairs == 0 && first.is_some_and(|first| first != '"')
    }
}

impl Operand {
    /// Appends an atom; text goes to the last part if that is text of the same piece.
    fn push(&mut self, atom: Atom) {
        let range: Range<usize> = atom.start..atom.end;
        let content = match atom.unit {
            Unit::Char(character) => {
                if let Some(OperandPart { piece, content: PartContent::Text(text), range: last }) =
                    self.parts.last_mut()
                    && *piece == atom.piece
                {
                    text.push(character);
                    last.end = range.end;
                    return;
                }
                PartContent::Text(character.to_string())
            }
            Unit::Nested(number) => PartContent::Nested(number),
            Unit::LineBreak => PartContent::LineBreak,
            Unit::Tab => PartContent::Tab,
            Unit::ParagraphEnd => PartContent::ParagraphEnd,
        };
        self.parts.push(OperandPart { piece: atom.piece, content, range });
    }
}

fn is_quote(character: char) -> bool {
    matches!(character, '"' | '“' | '”' | '„' | '‟')
}

fn is_operator(character: char) -> bool {
    matches!(character, '=' | '<' | '>')
}
