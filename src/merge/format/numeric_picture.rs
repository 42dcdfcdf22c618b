//! Owns numeric pictures `\#`: parsed once, applied to many numbers with exact decimal arithmetic.

use rust_decimal::{Decimal, RoundingStrategy};

use super::locale::NumberSymbols;

/// A numeric picture such as `$#,##0.00;($#,##0.00);-`.
///
/// Up to three sections, for positive, negative and zero. `0` is a digit, `#` a digit or a space, `x` a digit that
/// cuts off what is left of it, or at which a fraction is rounded; the group sign asks for groups of three; `+` and
/// `-` show the sign; `'…'` is literal, and so is all else, `%` too (nothing is multiplied).
///
/// # Example
///
/// ```
/// use mailrun::merge::format::{NumberSymbols, NumericPicture};
/// let english = NumberSymbols { decimal: ".".into(), group: ",".into() };
/// let picture = NumericPicture::parse("$#,##0.00", &english);
/// let mut shown = String::new();
/// picture.write("1245.65".parse()?, &english, &mut shown);
/// assert_eq!(shown, "$1,245.65");
/// # Ok::<(), rust_decimal::Error>(())
/// ```
///
/// # Not supported
///
/// The numbered item (`` `table` ``) prints as it is written.
///
/// Source: ECMA-376 Part 1 §17.16.4.2 Numeric formatting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumericPicture {
    positive: Section,
    negative: Option<Section>,
    zero: Option<Section>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Section {
    items: Vec<Item>,
    integer_places: usize,
    fraction_places: usize,
    /// Digits of the integer that an `x` leaves.
    kept_digits: Option<usize>,
    has_decimal: bool,
    has_group: bool,
    has_sign: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Literal(String),
    Digit(Place),
    Decimal,
    Group,
    Plus,
    Minus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Zero,
    Number,
    Cross,
}

/// The digits of one number, rounded for one section.
struct Digits {
    integer: String,
    fraction: String,
    sign: Sign,
}

#[derive(Clone, Copy, PartialEq)]
enum Sign {
    Negative,
    None,
    Positive,
}

impl NumericPicture {
    /// Parses a picture; every text is one. `symbols` says which signs mean decimal and group in it.
    pub fn parse(picture: &str, symbols: &NumberSymbols) -> NumericPicture {
        let mut sections = vec![Section::default()];
        let mut rest = picture;
        while let Some(first) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix(';') {
                sections.push(Section::default());
                rest = after;
                continue;
            }
            if let Some(section) = sections.last_mut() {
                rest = section.take(first, rest, symbols);
            }
        }
        let mut sections = sections.into_iter();
        NumericPicture {
            positive: sections.next().unwrap_or_default(),
            negative: sections.next(),
            zero: sections.next(),
        }
    }

    /// Writes `number` in the picture, with the signs of `output`. Halves are rounded away from zero.
    ///
    /// A negative number in a picture of one section without a sign of its own gets a `-` in front. A number that
    /// becomes zero by rounding counts as zero. Both are not verified in Word.
    pub fn write(&self, number: Decimal, output: &NumberSymbols, into: &mut String) {
        let section = match &self.negative {
            Some(negative) if number.is_sign_negative() && !number.is_zero() => negative,
            Some(_) | None => &self.positive,
        };
        let digits = section.round(number);
        if digits.sign == Sign::None && self.negative.is_some() {
            let section = self.zero.as_ref().unwrap_or(&self.positive);
            section.write(&section.round(Decimal::ZERO), output, into);
            return;
        }
        let has_section_of_its_own = self.negative.is_some();
        if digits.sign == Sign::Negative && !section.has_sign && !has_section_of_its_own {
            into.push('-');
        }
        section.write(&digits, output, into);
    }
}

impl Section {
    /// Takes one item from the start of `rest` and returns what follows.
    fn take<'a>(&mut self, first: char, rest: &'a str, symbols: &NumberSymbols) -> &'a str {
        let after = &rest[first.len_utf8()..];
        if let Some(after) = rest.strip_prefix(symbols.decimal.as_str()) {
            self.has_decimal = true;
            self.items.push(Item::Decimal);
            return after;
        }
        if is_group(first, symbols, after, self.integer_places) {
            self.has_group = true;
            self.items.push(Item::Group);
            return after;
        }
        match first {
            '0' => self.push_digit(Place::Zero),
            '#' => self.push_digit(Place::Number),
            'x' => self.push_digit(Place::Cross),
            '+' => self.push_sign(Item::Plus),
            '-' => self.push_sign(Item::Minus),
            '\'' => {
                let (literal, after) = after.split_once('\'').unwrap_or((after, ""));
                self.push_literal(literal);
                return after;
            }
            _ => self.push_literal(first.encode_utf8(&mut [0; 4])),
        }
        after
    }

    fn push_digit(&mut self, place: Place) {
        if self.has_decimal {
            self.fraction_places += 1;
        } else {
            self.integer_places += 1;
            self.kept_digits = match self.kept_digits {
                Some(kept) => Some(kept + 1),
                None if place == Place::Cross => Some(1),
                None => None,
            };
        }
        self.items.push(Item::Digit(place));
    }

    fn push_sign(&mut self, sign: Item) {
        self.has_sign = true;
        self.items.push(sign);
    }

    fn push_literal(&mut self, text: &str) {
        if let Some(Item::Literal(literal)) = self.items.last_mut() {
            literal.push_str(text);
        } else {
            self.items.push(Item::Literal(text.to_owned()));
        }
    }

    fn round(&self, number: Decimal) -> Digits {
        let places = self.fraction_places.min(Decimal::MAX_SCALE as usize);
        let rounded = number.round_dp_with_strategy(places as u32, RoundingStrategy::MidpointAwayFromZero);
        let plain = rounded.abs().to_string();
        let (integer, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
        let mut integer = integer.trim_start_matches('0').to_owned();
        if let Some(kept) = self.kept_digits {
            integer = integer.split_off(integer.len().saturating_sub(kept));
        }
        if integer.is_empty() && self.fraction_places == 0 && self.integer_places > 0 {
            integer.push('0');
        }
        let mut fraction = fraction.to_owned();
        fraction.extend(std::iter::repeat_n('0', self.fraction_places.saturating_sub(fraction.len())));
        let sign = match (rounded.is_zero(), rounded.is_sign_negative()) {
            (true, _) => Sign::None,
            (false, true) => Sign::Negative,
            (false, false) => Sign::Positive,
        };
        Digits { integer, fraction, sign }
    }

    fn write(&self, digits: &Digits, output: &NumberSymbols, into: &mut String) {
        let mut integer_seen = 0;
        let mut fraction_seen = 0;
        let mut is_started = false;
        let mut is_fraction = false;
        for item in &self.items {
            match item {
                Item::Literal(literal) => into.push_str(literal),
                Item::Plus => into.push(match digits.sign {
                    Sign::Negative => '-',
                    Sign::None => ' ',
                    Sign::Positive => '+',
                }),
                Item::Minus => into.push(if digits.sign == Sign::Negative { '-' } else { ' ' }),
                Item::Decimal => {
                    if !is_fraction && self.integer_places == 0 {
                        self.write_integer(&digits.integer, 0, output, into);
                    }
                    is_fraction = true;
                    into.push_str(&output.decimal);
                }
                Item::Group if !is_fraction && integer_seen > 0 && !is_started => into.push(' '),
                Item::Group => {}
                Item::Digit(place) if is_fraction => {
                    let is_unused = digits.fraction.bytes().skip(fraction_seen).all(|digit| digit == b'0');
                    match digits.fraction.as_bytes().get(fraction_seen) {
                        Some(&digit) if !(is_unused && *place == Place::Number) => {
                            into.push(char::from(digit));
                        }
                        Some(_) | None => into.push(' '),
                    }
                    fraction_seen += 1;
                }
                Item::Digit(place) => {
                    let from_right = self.integer_places - 1 - integer_seen;
                    let excess = digits.integer.len().saturating_sub(self.integer_places);
                    integer_seen += 1;
                    if from_right < digits.integer.len() {
                        let first = digits.integer.len() - 1 - from_right;
                        let from = if integer_seen == 1 { first - excess } else { first };
                        self.write_integer(&digits.integer[from..=first], from_right, output, into);
                        is_started = true;
                    } else if *place == Place::Zero {
                        self.write_integer("0", from_right, output, into);
                        is_started = true;
                    } else {
                        into.push(' ');
                    }
                }
            }
        }
    }

    /// Writes digits of the integer, of which the last has `from_right` digits to its right, with group signs.
    fn write_integer(&self, digits: &str, from_right: usize, output: &NumberSymbols, into: &mut String) {
        for (number, digit) in digits.chars().enumerate() {
            into.push(digit);
            let right = from_right + digits.len() - 1 - number;
            if self.has_group && right > 0 && right.is_multiple_of(3) {
                into.push_str(&output.group);
            }
        }
    }
}

/// Whether `sign` groups digits here. Where the group sign is some kind of space, any space between digits is meant.
fn is_group(sign: char, symbols: &NumberSymbols, after: &str, integer_places: usize) -> bool {
    let mut group = symbols.group.chars();
    let (Some(only), None) = (group.next(), group.next()) else { return false };
    let is_space_between_digits =
        integer_places > 0 && sign.is_whitespace() && after.starts_with(['#', '0', 'x']);
    sign == only || only.is_whitespace() && is_space_between_digits
}
