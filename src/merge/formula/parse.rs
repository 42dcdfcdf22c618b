//! Owns the reading of an expression: characters to tokens, tokens to a program for the stack.

use rust_decimal::Decimal;

use super::cells::{CellReference, Cells};
use super::{Arithmetic, FormulaError, Function, Step};
use crate::merge::condition::Operator;
use crate::merge::field_code::{Operand, PartContent};
use crate::merge::format::{NumberSymbols, read_number};

/// How deep parentheses and functions may nest.
const MOST_DEPTH: usize = 64;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(Decimal),
    Name(String),
    Nested(usize),
    Arithmetic(Arithmetic),
    Comparison(Operator),
    Percent,
    Open,
    Close,
    Separator,
    Colon,
}

/// One character of the expression or a nested field.
#[derive(Clone, Copy, PartialEq)]
enum Unit {
    Char(char),
    Nested(usize),
}

struct Parser<'a> {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
    steps: &'a mut Vec<Step>,
}

pub(super) fn parse(
    expression: &Operand,
    symbols: &NumberSymbols,
    list_separator: char,
) -> Result<Vec<Step>, FormulaError> {
    let mut units = Vec::new();
    for part in &expression.parts {
        match &part.content {
            PartContent::Text(text) => units.extend(text.chars().map(Unit::Char)),
            PartContent::Nested(number) => units.push(Unit::Nested(*number)),
            PartContent::LineBreak | PartContent::Tab | PartContent::ParagraphEnd => {
                units.push(Unit::Char(' '));
            }
        }
    }
    let tokens = tokens(&units, symbols, list_separator)?;
    let mut steps = Vec::with_capacity(tokens.len());
    let mut parser = Parser { tokens, next: 0, depth: 0, steps: &mut steps };
    parser.comparison()?;
    match parser.peek() {
        None => Ok(steps),
        Some(token) => Err(FormulaError::Syntax { found: shown(token) }),
    }
}

fn tokens(units: &[Unit], symbols: &NumberSymbols, list_separator: char) -> Result<Vec<Token>, FormulaError> {
    let mut tokens = Vec::new();
    // For each open parenthesis, whether it holds the arguments of a function.
    let mut parentheses = Vec::new();
    let mut at = 0;
    while let Some(&unit) = units.get(at) {
        let character = match unit {
            Unit::Nested(number) => {
                tokens.push(Token::Nested(number));
                at += 1;
                continue;
            }
            Unit::Char(character) => character,
        };
        let next = match units.get(at + 1) {
            Some(Unit::Char(next)) => Some(*next),
            Some(Unit::Nested(_)) | None => None,
        };
        let is_fraction =
            symbols.decimal.starts_with(character) && next.is_some_and(|next| next.is_ascii_digit());
        let mut length = 1;
        if character.is_ascii_digit() || is_fraction {
            let is_in_list = parentheses.last() == Some(&true);
            let text = number_text(units.get(at..).unwrap_or_default(), symbols, is_in_list, list_separator);
            length = text.chars().count();
            let number = read_number(&text, symbols).ok_or(FormulaError::Syntax { found: text })?;
            tokens.push(Token::Number(number));
        } else if character.is_alphabetic() || character == '_' {
            let name: String = units
                .iter()
                .skip(at)
                .map_while(|unit| match unit {
                    Unit::Char(part) if part.is_alphanumeric() || *part == '_' => Some(*part),
                    Unit::Char(_) | Unit::Nested(_) => None,
                })
                .collect();
            length = name.chars().count();
            tokens.push(Token::Name(name));
        } else {
            match (character, next) {
                ('+', _) => tokens.push(Token::Arithmetic(Arithmetic::Add)),
                ('-' | '−', _) => tokens.push(Token::Arithmetic(Arithmetic::Subtract)),
                ('*', _) => tokens.push(Token::Arithmetic(Arithmetic::Multiply)),
                ('/', _) => tokens.push(Token::Arithmetic(Arithmetic::Divide)),
                ('^', _) => tokens.push(Token::Arithmetic(Arithmetic::Power)),
                ('%', _) => tokens.push(Token::Percent),
                (':', _) => tokens.push(Token::Colon),
                (',' | ';', _) => tokens.push(Token::Separator),
                ('<' | '>' | '=', _) => {
                    let two: String = [Some(character), next].into_iter().flatten().collect();
                    let two =
                        Operator::parse(&two).filter(|_| next.is_some_and(|next| !next.is_whitespace()));
                    length += usize::from(two.is_some());
                    let operator = two.or_else(|| Operator::parse(&character.to_string()));
                    tokens.extend(operator.map(Token::Comparison));
                }
                ('(', _) => {
                    parentheses.push(matches!(tokens.last(), Some(Token::Name(_))));
                    tokens.push(Token::Open);
                }
                (')', _) => {
                    parentheses.pop();
                    tokens.push(Token::Close);
                }
                // Quotes only group, and a currency sign says nothing about the number.
                ('"' | '“' | '”' | '„' | '‟' | '$' | '£' | '€' | '¥', _) => {}
                _ if character.is_whitespace() => {}
                _ => return Err(FormulaError::Syntax { found: character.to_string() }),
            }
        }
        at += length;
    }
    Ok(tokens)
}

/// The digits and signs of a number at the start of `units`.
///
/// A comma between digits is the document's decimal sign, or a group sign before three digits; but where it
/// separates arguments, it does so without spaces too: `SUM(1,200)` is 201.
fn number_text(units: &[Unit], symbols: &NumberSymbols, is_in_list: bool, list_separator: char) -> String {
    let mut text = String::new();
    let is_digit = |at: usize| matches!(units.get(at), Some(Unit::Char(sign)) if sign.is_ascii_digit());
    for (at, unit) in units.iter().enumerate() {
        let Unit::Char(sign) = *unit else { break };
        let is_decimal = symbols.decimal.starts_with(sign);
        let is_sign = matches!(sign, '.' | ',')
            && is_digit(at + 1)
            && (is_decimal
                || (!is_in_list || sign != list_separator)
                    && (sign == '.' || (1..=3).all(|ahead| is_digit(at + ahead)) && !is_digit(at + 4)));
        if !(sign.is_ascii_digit() || is_sign) {
            break;
        }
        text.push(sign);
    }
    text
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn take(&mut self, wanted: &Token) -> bool {
        let is_there = self.peek() == Some(wanted);
        self.next += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, wanted: &Token) -> Result<(), FormulaError> {
        if self.take(wanted) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> FormulaError {
        match self.peek() {
            Some(token) => FormulaError::Syntax { found: shown(token) },
            None => FormulaError::UnexpectedEnd,
        }
    }

    fn comparison(&mut self) -> Result<(), FormulaError> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(FormulaError::TooDeep);
        }
        self.sum()?;
        while let Some(Token::Comparison(operator)) = self.peek().cloned() {
            self.next += 1;
            self.sum()?;
            self.steps.push(Step::Compare(operator));
        }
        self.depth -= 1;
        Ok(())
    }

    fn sum(&mut self) -> Result<(), FormulaError> {
        self.product()?;
        while let Some(Token::Arithmetic(operation @ (Arithmetic::Add | Arithmetic::Subtract))) =
            self.peek().cloned()
        {
            self.next += 1;
            self.product()?;
            self.steps.push(Step::Calculate(operation));
        }
        Ok(())
    }

    fn product(&mut self) -> Result<(), FormulaError> {
        self.signed()?;
        while let Some(Token::Arithmetic(operation @ (Arithmetic::Multiply | Arithmetic::Divide))) =
            self.peek().cloned()
        {
            self.next += 1;
            self.signed()?;
            self.steps.push(Step::Calculate(operation));
        }
        Ok(())
    }

    fn signed(&mut self) -> Result<(), FormulaError> {
        let is_negative = self.is_negative();
        self.power()?;
        if is_negative {
            self.steps.push(Step::Negate);
        }
        Ok(())
    }

    /// Takes any signs and tells whether they make the operand negative.
    fn is_negative(&mut self) -> bool {
        let mut is_negative = false;
        while let Some(Token::Arithmetic(sign @ (Arithmetic::Add | Arithmetic::Subtract))) = self.peek() {
            is_negative ^= *sign == Arithmetic::Subtract;
            self.next += 1;
        }
        is_negative
    }

    fn power(&mut self) -> Result<(), FormulaError> {
        self.percent()?;
        while self.take(&Token::Arithmetic(Arithmetic::Power)) {
            let is_negative = self.is_negative();
            self.percent()?;
            if is_negative {
                self.steps.push(Step::Negate);
            }
            self.steps.push(Step::Calculate(Arithmetic::Power));
        }
        Ok(())
    }

    fn percent(&mut self) -> Result<(), FormulaError> {
        self.operand()?;
        while self.take(&Token::Percent) {
            self.steps.push(Step::Percent);
        }
        Ok(())
    }

    fn operand(&mut self) -> Result<(), FormulaError> {
        let token = self.peek().cloned().ok_or(FormulaError::UnexpectedEnd)?;
        self.next += 1;
        match token {
            Token::Number(number) if self.peek() == Some(&Token::Colon) => {
                let row = row(number).ok_or_else(|| self.unexpected())?;
                self.range(row)
            }
            Token::Number(number) => {
                self.steps.push(Step::Number(number));
                Ok(())
            }
            Token::Nested(number) => {
                self.steps.push(Step::Nested(number));
                Ok(())
            }
            Token::Open => {
                self.comparison()?;
                self.expect(&Token::Close)
            }
            Token::Name(name) => self.name(name),
            Token::Arithmetic(_)
            | Token::Comparison(_)
            | Token::Percent
            | Token::Close
            | Token::Separator
            | Token::Colon => Err(FormulaError::Syntax { found: shown(&token) }),
        }
    }

    fn name(&mut self, name: String) -> Result<(), FormulaError> {
        if self.peek() == Some(&Token::Colon) {
            let first = CellReference::parse_end(&name).ok_or(FormulaError::Syntax { found: name })?;
            return self.range(first);
        }
        let function = Function::from_name(&name);
        if self.take(&Token::Open) {
            let function = function.ok_or(FormulaError::Syntax { found: name })?;
            return self.arguments(function);
        }
        let step = match (function, Cells::from_direction(&name)) {
            (Some(function @ (Function::True | Function::False)), _) => {
                Step::Call { function, n_arguments: 0 }
            }
            (_, Some(cells)) => Step::Cells(cells),
            (_, None) => match CellReference::parse(&name) {
                Some(cell) => Step::CellOrName { cells: Cells::between(cell, cell), name },
                None => Step::Name(name),
            },
        };
        self.steps.push(step);
        Ok(())
    }

    fn range(&mut self, first: CellReference) -> Result<(), FormulaError> {
        self.expect(&Token::Colon)?;
        let last = match self.peek() {
            Some(Token::Name(name)) => CellReference::parse_end(name),
            Some(Token::Number(number)) => row(*number),
            _ => None,
        };
        let last = last.ok_or_else(|| self.unexpected())?;
        self.next += 1;
        self.steps.push(Step::Cells(Cells::between(first, last)));
        Ok(())
    }

    fn arguments(&mut self, function: Function) -> Result<(), FormulaError> {
        let mut n_arguments = 0;
        if !self.take(&Token::Close) {
            loop {
                self.comparison()?;
                n_arguments += 1;
                if !self.take(&Token::Separator) {
                    break;
                }
            }
            self.expect(&Token::Close)?;
        }
        if !function.takes(n_arguments) {
            return Err(FormulaError::ArgumentCount { function, found: n_arguments });
        }
        self.steps.push(Step::Call { function, n_arguments });
        Ok(())
    }
}

fn row(number: Decimal) -> Option<CellReference> {
    CellReference::of_row(number.to_string().parse().ok()?)
}

fn shown(token: &Token) -> String {
    match token {
        Token::Number(number) => number.to_string(),
        Token::Name(name) => name.clone(),
        Token::Nested(_) => "field".to_owned(),
        Token::Arithmetic(operation) => operation.sign().to_owned(),
        Token::Comparison(operator) => operator.sign().to_owned(),
        Token::Percent => "%".to_owned(),
        Token::Open => "(".to_owned(),
        Token::Close => ")".to_owned(),
        Token::Separator => ",".to_owned(),
        Token::Colon => ":".to_owned(),
    }
}
