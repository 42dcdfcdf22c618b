//! Owns formulas: the expression of an `=` field, parsed once and calculated in exact decimals.
//! Fails as Word does, with a typed error that knows Word's text.

mod cells;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use rust_decimal::{Decimal, RoundingStrategy};

use crate::merge::condition::Operator;
use crate::merge::field_code::{Operand, OperandPart, PartContent};
use crate::merge::format::{FormatContext, NumberSymbols, read_number, read_number_within};
use crate::merge::value::Value;

pub use cells::{Cells, TableCells};

/// What an expression can refer to.
pub trait Scope {
    /// Returns the value of a nested field, by the number of its piece.
    fn nested(&mut self, number: usize) -> Value;
    /// Returns the value of a bookmark; none if there is none of that name.
    fn name(&mut self, name: &str) -> Option<Value>;
    /// Returns the table in which the formula stands; none outside of one.
    fn table(&mut self) -> Option<&dyn TableCells>;
}

/// An expression such as `SUM(ABOVE) * 1.081`, understood.
///
/// Operators, from the strongest: `%` after a number, `^`, signs, `*` `/`, `+` `-`, comparisons (1 if they hold, else
/// 0). Functions: ABS AND AVERAGE COUNT DEFINED FALSE IF INT MAX MIN MOD NOT OR PRODUCT ROUND SIGN SUM TRUE, with
/// arguments separated by the list separator, `,` or `;`. A name is a bookmark, or a cell where the formula stands in
/// a table.
///
/// A value is a number if it reads as one; a blank counts as 0. Of several cells only those that begin with a number
/// count, and a blank cell does not end `ABOVE`, as it does in Word.
///
/// Source: ECMA-376 Part 1 §17.16.3 Formulas and expressions.
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    /// In postfix order, so that neither calculating nor dropping recurses.
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Number(Decimal),
    Nested(usize),
    Name(String),
    Cells(Cells),
    CellOrName { cells: Cells, name: String },
    Negate,
    Percent,
    Calculate(Arithmetic),
    Compare(Operator),
    Call { function: Function, n_arguments: usize },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

/// A function of formulas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// The number without its sign.
    Abs,
    /// 1 if both are not 0.
    And,
    /// The mean.
    Average,
    /// How many numbers there are.
    Count,
    /// 1 if the argument can be calculated.
    Defined,
    /// 0.
    False,
    /// The second argument if the first is not 0, else the third.
    If,
    /// The integer part.
    Int,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// The rest of a division.
    Mod,
    /// 1 if the argument is 0.
    Not,
    /// 1 if one of both is not 0.
    Or,
    /// The product.
    Product,
    /// The first argument, rounded to as many places as the second says.
    Round,
    /// -1, 0 or 1.
    Sign,
    /// The sum.
    Sum,
    /// 1.
    True,
}

/// Why a formula has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormulaError {
    /// Something stands where it cannot.
    #[error("`{found}` is not expected in the formula")]
    Syntax {
        /// What stands there.
        found: String,
    },
    /// The expression ends too soon.
    #[error("the formula ends too soon")]
    UnexpectedEnd,
    /// Parentheses and functions nest too deep.
    #[error("the formula nests too deep")]
    TooDeep,
    /// A function has too many or too few arguments.
    #[error("{found} arguments are not what {function} takes")]
    ArgumentCount {
        /// The function.
        function: Function,
        /// How many there are.
        found: usize,
    },
    /// A division by zero.
    #[error("the formula divides by zero")]
    ZeroDivide,
    /// A name that is no bookmark.
    #[error("there is no bookmark `{name}`")]
    UndefinedBookmark {
        /// The name.
        name: String,
    },
    /// A value that is no number.
    #[error("`{text}` is not a number")]
    NotANumber {
        /// The value's text.
        text: String,
    },
    /// A reference to cells outside of a table.
    #[error("the formula refers to cells, but does not stand in a table")]
    NotInTable,
    /// A number with more than 28 digits before the decimal sign, or none at all, such as the root of -1.
    #[error("the formula's result is too large or not a number")]
    OutOfRange,
}

/// What is on the stack: one number, or those of some cells.
enum Number {
    One(Result<Decimal, FormulaError>),
    Many(Vec<Decimal>),
}

impl Formula {
    /// Parses an expression, the one argument of a field code of kind `Formula`.
    ///
    /// # Errors
    ///
    /// If it is no expression; see [`FormulaError`].
    pub fn parse(
        expression: &Operand,
        symbols: &NumberSymbols,
        list_separator: char,
    ) -> Result<Formula, FormulaError> {
        Ok(Formula { steps: parse::parse(expression, symbols, list_separator)? })
    }

    /// Returns the names that may be bookmarks, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| match step {
            Step::Name(name) | Step::CellOrName { name, .. } => Some(name.as_str()),
            _ => None,
        })
    }

    /// Calculates the expression. `symbols` are those of the data: nested fields, bookmarks and cells hold its text.
    ///
    /// # Errors
    ///
    /// If it has no result; see [`FormulaError`].
    pub fn calculate(&self, scope: &mut dyn Scope, symbols: &NumberSymbols) -> Result<Decimal, FormulaError> {
        let mut stack: Vec<Number> = Vec::new();
        for step in &self.steps {
            let number = match step {
                Step::Number(number) => Number::One(Ok(*number)),
                Step::Nested(number) => Number::One(read(&scope.nested(*number), symbols)),
                Step::Name(name) => Number::One(named(name, scope, symbols)),
                Step::Cells(cells) => cell_numbers(cells, scope, symbols),
                Step::CellOrName { cells, name } => match scope.table() {
                    Some(table) => {
                        let value = cells.values(table).into_iter().next().unwrap_or_default();
                        Number::One(read(&value, symbols))
                    }
                    None => Number::One(named(name, scope, symbols)),
                },
                Step::Negate => Number::One(pop(&mut stack).map(|number| -number)),
                Step::Percent => Number::One(pop(&mut stack).map(|number| number / Decimal::ONE_HUNDRED)),
                Step::Calculate(operation) => {
                    Number::One(binary(&mut stack, |one, two| operation.apply(one, two)))
                }
                Step::Compare(operator) => {
                    Number::One(binary(&mut stack, |one, two| Ok(truth(operator.holds_for(one.cmp(&two))))))
                }
                Step::Call { function, n_arguments } => {
                    let arguments = stack.split_off(stack.len().saturating_sub(*n_arguments));
                    Number::One(function.apply(arguments))
                }
            };
            stack.push(number);
        }
        pop(&mut stack)
    }
}

/// Calculates a text without names, nested fields and cells, as in `{ IF 5 = "2 + 3" … }`; none if it has no result.
pub fn calculate_literal(text: &str, context: &FormatContext) -> Option<Decimal> {
    struct Nothing;
    impl Scope for Nothing {
        fn nested(&mut self, _: usize) -> Value {
            Value::Blank
        }
        fn name(&mut self, _: &str) -> Option<Value> {
            None
        }
        fn table(&mut self) -> Option<&dyn TableCells> {
            None
        }
    }
    if !text.contains(|sign: char| sign.is_ascii_digit()) {
        return None;
    }
    let content = PartContent::Text(text.to_owned());
    let expression = Operand {
        parts: vec![OperandPart { piece: 0, content, range: 0..text.len() }],
        ..Operand::default()
    };
    let formula = Formula::parse(&expression, &context.data.symbols, context.list_separator).ok()?;
    formula.calculate(&mut Nothing, &context.data.symbols).ok()
}

/// Rounds a result for a formula without a picture to two places. Not verified for all cases in Word.
pub fn round_for_display(result: Decimal) -> Decimal {
    result.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero).normalize()
}

impl FormulaError {
    /// Returns the text that Word shows as the result.
    pub fn word_text(&self) -> String {
        match self {
            FormulaError::Syntax { found } => format!("!Syntax Error, {found}"),
            FormulaError::UnexpectedEnd => "!Unexpected End of Formula".to_owned(),
            FormulaError::TooDeep | FormulaError::ArgumentCount { .. } => "!Syntax Error".to_owned(),
            FormulaError::ZeroDivide => "!Zero Divide".to_owned(),
            FormulaError::UndefinedBookmark { name } | FormulaError::NotANumber { text: name } => {
                format!("!Undefined Bookmark, {}", name.to_uppercase())
            }
            FormulaError::NotInTable => "!The Formula Not In Table".to_owned(),
            FormulaError::OutOfRange => "!Number Too Large".to_owned(),
        }
    }

    /// Returns the stable name of the variant.
    pub fn id(&self) -> &'static str {
        match self {
            FormulaError::Syntax { .. } => "syntax",
            FormulaError::UnexpectedEnd => "unexpected-end",
            FormulaError::TooDeep => "too-deep",
            FormulaError::ArgumentCount { .. } => "argument-count",
            FormulaError::ZeroDivide => "zero-divide",
            FormulaError::UndefinedBookmark { .. } => "undefined-bookmark",
            FormulaError::NotANumber { .. } => "not-a-number",
            FormulaError::NotInTable => "not-in-table",
            FormulaError::OutOfRange => "out-of-range",
        }
    }
}

impl Arithmetic {
    fn sign(self) -> &'static str {
        match self {
            Arithmetic::Add => "+",
            Arithmetic::Subtract => "-",
            Arithmetic::Multiply => "*",
            Arithmetic::Divide => "/",
            Arithmetic::Power => "^",
        }
    }

    fn apply(self, one: Decimal, two: Decimal) -> Result<Decimal, FormulaError> {
        match self {
            Arithmetic::Add => one.checked_add(two),
            Arithmetic::Subtract => one.checked_sub(two),
            Arithmetic::Multiply => one.checked_mul(two),
            Arithmetic::Divide if two.is_zero() => return Err(FormulaError::ZeroDivide),
            Arithmetic::Divide => one.checked_div(two),
            Arithmetic::Power => return power(one, two),
        }
        .ok_or(FormulaError::OutOfRange)
    }
}

impl Function {
    fn from_name(name: &str) -> Option<Function> {
        Some(match name.to_ascii_uppercase().as_str() {
            "ABS" => Function::Abs,
            "AND" => Function::And,
            "AVERAGE" => Function::Average,
            "COUNT" => Function::Count,
            "DEFINED" => Function::Defined,
            "FALSE" => Function::False,
            "IF" => Function::If,
            "INT" => Function::Int,
            "MAX" => Function::Max,
            "MIN" => Function::Min,
            "MOD" => Function::Mod,
            "NOT" => Function::Not,
            "OR" => Function::Or,
            "PRODUCT" => Function::Product,
            "ROUND" => Function::Round,
            "SIGN" => Function::Sign,
            "SUM" => Function::Sum,
            "TRUE" => Function::True,
            _ => return None,
        })
    }

    fn takes(self, n_arguments: usize) -> bool {
        match self {
            Function::Abs | Function::Defined | Function::Int | Function::Not | Function::Sign => {
                n_arguments == 1
            }
            Function::And | Function::Mod | Function::Or | Function::Round => n_arguments == 2,
            Function::If => n_arguments == 3,
            Function::False | Function::True => n_arguments <= 1,
            Function::Average
            | Function::Count
            | Function::Max
            | Function::Min
            | Function::Product
            | Function::Sum => n_arguments >= 1,
        }
    }

    fn apply(self, arguments: Vec<Number>) -> Result<Decimal, FormulaError> {
        let mut arguments = arguments.into_iter();
        let mut next = || arguments.next().map_or(Err(FormulaError::UnexpectedEnd), Number::one);
        match self {
            Function::Abs => Ok(next()?.abs()),
            Function::And => Ok(truth(!next()?.is_zero() & !next()?.is_zero())),
            Function::Defined => Ok(truth(next().is_ok())),
            Function::False => Ok(Decimal::ZERO),
            Function::True => Ok(Decimal::ONE),
            Function::If => {
                let is_true = !next()?.is_zero();
                let (then, other) = (next(), next());
                if is_true { then } else { other }
            }
            Function::Int => Ok(next()?.trunc()),
            Function::Mod => {
                let (number, divisor) = (next()?, next()?);
                if divisor.is_zero() {
                    return Err(FormulaError::ZeroDivide);
                }
                number.checked_rem(divisor).ok_or(FormulaError::OutOfRange)
            }
            Function::Not => Ok(truth(next()?.is_zero())),
            Function::Or => Ok(truth(!next()?.is_zero() | !next()?.is_zero())),
            Function::Round => round(next()?, next()?),
            Function::Sign => {
                let number = next()?;
                let sign = if number.is_sign_negative() { Decimal::NEGATIVE_ONE } else { Decimal::ONE };
                Ok(if number.is_zero() { number } else { sign })
            }
            Function::Average
            | Function::Count
            | Function::Max
            | Function::Min
            | Function::Product
            | Function::Sum => {
                let mut numbers = Vec::new();
                for argument in arguments {
                    match argument {
                        Number::One(number) => numbers.push(number?),
                        Number::Many(many) => numbers.extend(many),
                    }
                }
                self.over(&numbers)
            }
        }
    }

    /// Applies a function of many numbers.
    fn over(self, numbers: &[Decimal]) -> Result<Decimal, FormulaError> {
        let sum = || numbers.iter().try_fold(Decimal::ZERO, |sum, number| sum.checked_add(*number));
        match self {
            Function::Average => {
                let sum = sum().ok_or(FormulaError::OutOfRange)?;
                sum.checked_div(numbers.len().into()).ok_or(FormulaError::ZeroDivide)
            }
            Function::Count => Ok(numbers.len().into()),
            Function::Max => Ok(numbers.iter().max().copied().unwrap_or_default()),
            Function::Min => Ok(numbers.iter().min().copied().unwrap_or_default()),
            Function::Product => numbers
                .iter()
                .try_fold(Decimal::ONE, |product, number| product.checked_mul(*number))
                .ok_or(FormulaError::OutOfRange),
            _ => sum().ok_or(FormulaError::OutOfRange),
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&format!("{self:?}").to_uppercase())
    }
}

impl Number {
    /// The number as one operand; several cells are their sum.
    fn one(self) -> Result<Decimal, FormulaError> {
        match self {
            Number::One(number) => number,
            Number::Many(numbers) => Function::Sum.over(&numbers),
        }
    }
}

fn pop(stack: &mut Vec<Number>) -> Result<Decimal, FormulaError> {
    stack.pop().map_or(Err(FormulaError::UnexpectedEnd), Number::one)
}

fn binary(
    stack: &mut Vec<Number>,
    apply: impl Fn(Decimal, Decimal) -> Result<Decimal, FormulaError>,
) -> Result<Decimal, FormulaError> {
    let two = pop(stack);
    let one = pop(stack);
    apply(one?, two?)
}

fn named(name: &str, scope: &mut dyn Scope, symbols: &NumberSymbols) -> Result<Decimal, FormulaError> {
    let value = scope.name(name).ok_or_else(|| FormulaError::UndefinedBookmark { name: name.to_owned() })?;
    read(&value, symbols)
}

fn cell_numbers(cells: &Cells, scope: &mut dyn Scope, symbols: &NumberSymbols) -> Number {
    let Some(table) = scope.table() else { return Number::One(Err(FormulaError::NotInTable)) };
    let begins_with_number = |text: &str| !text.trim_start().starts_with(char::is_alphabetic);
    Number::Many(
        cells
            .values(table)
            .iter()
            .filter_map(|value| match value {
                Value::Number(number) => Some(*number),
                Value::Text(text) if begins_with_number(text) => read_number_within(text, symbols),
                _ => None,
            })
            .collect(),
    )
}

fn read(value: &Value, symbols: &NumberSymbols) -> Result<Decimal, FormulaError> {
    match value {
        Value::Blank => Ok(Decimal::ZERO),
        Value::Number(number) => Ok(*number),
        Value::Bool(value) => Ok(truth(*value)),
        Value::Text(text) if text.trim().is_empty() => Ok(Decimal::ZERO),
        Value::Text(text) => read_number(text, symbols)
            .or_else(|| read_number_within(text, symbols))
            .ok_or_else(|| FormulaError::NotANumber { text: text.clone() }),
        Value::Date(date) => Err(FormulaError::NotANumber { text: date.to_string() }),
        Value::DateTime(moment) => Err(FormulaError::NotANumber { text: moment.to_string() }),
        Value::Rows(_) => Err(FormulaError::NotANumber { text: "rows".to_owned() }),
    }
}

fn round(number: Decimal, places: Decimal) -> Result<Decimal, FormulaError> {
    let places = places.trunc().to_i64().ok_or(FormulaError::OutOfRange)?;
    if let Ok(places) = u32::try_from(places) {
        let places = places.min(Decimal::MAX_SCALE);
        return Ok(number.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero));
    }
    let Some(scale) = u32::try_from(places.unsigned_abs()).ok().filter(|places| *places <= 27) else {
        return Ok(Decimal::ZERO);
    };
    let unit = power(Decimal::TEN, scale.into())?;
    let whole = (number / unit).round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
    whole.checked_mul(unit).ok_or(FormulaError::OutOfRange)
}

/// Raises exactly to a whole power, else by way of floating point, to 15 digits.
fn power(base: Decimal, exponent: Decimal) -> Result<Decimal, FormulaError> {
    let whole = exponent.is_integer().then(|| exponent.to_i64()).flatten();
    if let Some(whole) = whole.filter(|whole| whole.unsigned_abs() <= 10_000) {
        let magnitude = whole_power(base, whole.unsigned_abs()).ok_or(FormulaError::OutOfRange)?;
        return match (whole < 0, magnitude.is_zero()) {
            (true, true) => Err(FormulaError::ZeroDivide),
            (true, false) => Decimal::ONE.checked_div(magnitude).ok_or(FormulaError::OutOfRange),
            (false, _) => Ok(magnitude),
        };
    }
    let (base, exponent) = base.to_f64().zip(exponent.to_f64()).ok_or(FormulaError::OutOfRange)?;
    Decimal::from_f64(base.powf(exponent)).ok_or(FormulaError::OutOfRange)
}

/// Squares and multiplies; none beyond 28 digits.
fn whole_power(base: Decimal, exponent: u64) -> Option<Decimal> {
    let mut power = Decimal::ONE;
    let mut square = base;
    let mut rest = exponent;
    while rest > 0 {
        if rest & 1 == 1 {
            power = power.checked_mul(square)?;
        }
        rest >>= 1;
        if rest > 0 {
            square = square.checked_mul(square)?;
        }
    }
    Some(power)
}

fn truth(holds: bool) -> Decimal {
    if holds { Decimal::ONE } else { Decimal::ZERO }
}
