//! Owns calls in tags: which helpers there are, and what arguments each takes. Fails on arguments that a helper cannot
//! take, before any value is known.

use rust_decimal::Decimal;

use super::super::format::{DATE_STYLES, DatePicture, Styles};
use super::super::name;
use super::super::value::Value;
use super::error::TagError;

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
    Default,
    Upper,
    Lower,
    Capitalize,
    Trim,
    Date,
    AddDays,
    AddMonths,
    AddYears,
    Number,
    Money,
    /// One form for one, one for all other numbers.
    Plural,
    /// A form for each category of CLDR, in the order of [`PLURAL_FORMS`]; the blank ones are as the last.
    PluralForms,
    List,
}

/// What can be computed from the rows of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowHelper {
    /// The number of rows.
    Count,
    /// The sum of a column.
    Sum,
    /// The values of a column in one line.
    Join,
}

/// The names of the forms that `plural` takes by CLDR's categories, as arguments with a name.
pub(crate) const PLURAL_FORMS: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];

/// What an argument has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    /// Anything that may be blank, rows included.
    Test,
    /// One value.
    Value,
    Text,
    Number,
    Date,
    /// How a date looks: a style or a picture.
    DateLook,
    /// How a number looks: its decimals or a picture.
    NumberLook,
    Currency,
}

/// What an argument is known to be before the data is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Known<'a> {
    /// Nothing: the data decides.
    Nothing,
    Literal(&'a Value),
    /// What another helper makes.
    Result(Gives),
}

/// What a helper makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gives {
    Truth,
    Text,
    Number,
    Date,
    /// Whatever its arguments are.
    Any,
}

struct Signature {
    names: &'static [&'static str],
    helper: Helper,
    /// In their order; the last may come again where `most` allows more.
    takes: &'static [Takes],
    least: usize,
    most: usize,
    gives: Gives,
}

const fn signature(
    names: &'static [&'static str],
    helper: Helper,
    takes: &'static [Takes],
    least: usize,
    gives: Gives,
) -> Signature {
    Signature { names, helper, takes, least, most: takes.len(), gives }
}

const fn open_ended(
    names: &'static [&'static str],
    helper: Helper,
    takes: &'static [Takes],
    gives: Gives,
) -> Signature {
    Signature { names, helper, takes, least: 1, most: usize::MAX, gives }
}

const PAIR: &[Takes] = &[Takes::Value, Takes::Value];
const SHIFT: &[Takes] = &[Takes::Date, Takes::Number];

const SIGNATURES: &[Signature] = &[
    signature(&["eq"], Helper::Equal, PAIR, 2, Gives::Truth),
    signature(&["ne"], Helper::NotEqual, PAIR, 2, Gives::Truth),
    signature(&["lt"], Helper::Less, PAIR, 2, Gives::Truth),
    signature(&["le", "lte"], Helper::LessOrEqual, PAIR, 2, Gives::Truth),
    signature(&["gt"], Helper::Greater, PAIR, 2, Gives::Truth),
    signature(&["ge", "gte"], Helper::GreaterOrEqual, PAIR, 2, Gives::Truth),
    open_ended(&["and"], Helper::And, &[Takes::Test], Gives::Truth),
    open_ended(&["or"], Helper::Or, &[Takes::Test], Gives::Truth),
    signature(&["not"], Helper::Not, &[Takes::Test], 1, Gives::Truth),
    signature(&["default", "fallback"], Helper::Default, PAIR, 2, Gives::Any),
    signature(&["upper", "uppercase"], Helper::Upper, &[Takes::Text], 1, Gives::Text),
    signature(&["lower", "lowercase"], Helper::Lower, &[Takes::Text], 1, Gives::Text),
    signature(&["capitalize"], Helper::Capitalize, &[Takes::Text], 1, Gives::Text),
    signature(&["trim"], Helper::Trim, &[Takes::Text], 1, Gives::Text),
    signature(&["date"], Helper::Date, &[Takes::Date, Takes::DateLook], 1, Gives::Text),
    signature(&["add_days"], Helper::AddDays, SHIFT, 2, Gives::Date),
    signature(&["add_months"], Helper::AddMonths, SHIFT, 2, Gives::Date),
    signature(&["add_years"], Helper::AddYears, SHIFT, 2, Gives::Date),
    signature(&["number"], Helper::Number, &[Takes::Number, Takes::NumberLook], 1, Gives::Text),
    signature(&["money"], Helper::Money, &[Takes::Number, Takes::Currency], 2, Gives::Text),
    signature(&["plural"], Helper::Plural, &[Takes::Number, Takes::Text, Takes::Text], 3, Gives::Text),
    open_ended(&["list"], Helper::List, &[Takes::Text], Gives::Text),
];

const ROW_HELPERS: [(&str, RowHelper); 3] =
    [("count", RowHelper::Count), ("sum", RowHelper::Sum), ("join", RowHelper::Join)];

impl Helper {
    /// Returns the helper of that name.
    pub(crate) fn parse(name: &str) -> Option<Helper> {
        SIGNATURES.iter().find(|it| it.names.contains(&name)).map(|it| it.helper)
    }

    /// Tells whether the argument at a position may be rows.
    pub(crate) fn takes_rows(self, position: usize) -> bool {
        self.signature().takes(position) == Takes::Test
    }

    /// Returns what the helper makes.
    pub(crate) fn gives(self) -> Gives {
        self.signature().gives
    }

    /// Checks the arguments of a helper, as far as they are known before the data is.
    pub(crate) fn check(self, name: &str, arguments: &[Known<'_>]) -> Result<(), TagError> {
        let signature = self.signature();
        let most = if self == Helper::PluralForms { arguments.len() } else { signature.most };
        if arguments.len() < signature.least || arguments.len() > most {
            return Err(TagError::Arguments {
                name: name.to_owned(),
                expected: in_words(signature.least, signature.most),
                found: arguments.len(),
            });
        }
        for (position, known) in arguments.iter().enumerate() {
            signature.takes(position).check(name, position, *known)?;
        }
        Ok(())
    }

    fn signature(self) -> &'static Signature {
        let called = if self == Helper::PluralForms { Helper::Plural } else { self };
        SIGNATURES.iter().find(|it| it.helper == called).expect("each helper has a signature")
    }
}

impl RowHelper {
    /// Returns the helper of that name.
    pub(crate) fn parse(name: &str) -> Option<RowHelper> {
        ROW_HELPERS.iter().find(|(known, _)| *known == name).map(|(_, helper)| *helper)
    }

    /// Returns the least and the most arguments, the table included.
    pub(crate) fn n_arguments(self) -> (usize, usize) {
        match self {
            RowHelper::Count => (1, 1),
            RowHelper::Sum => (2, 2),
            RowHelper::Join => (1, 3),
        }
    }

    /// Returns what the helper makes.
    pub(crate) fn gives(self) -> Gives {
        match self {
            RowHelper::Count | RowHelper::Sum => Gives::Number,
            RowHelper::Join => Gives::Text,
        }
    }
}

/// Tells whether a helper has this name.
pub(crate) fn is_name(name: &str) -> bool {
    Helper::parse(name).is_some() || RowHelper::parse(name).is_some()
}

/// Returns the name of a helper that is near to a wrong one.
pub(crate) fn nearest(wrong: &str) -> Option<&'static str> {
    let names = SIGNATURES.iter().flat_map(|it| it.names.iter().copied());
    name::nearest_of(wrong, names.chain(ROW_HELPERS.iter().map(|(name, _)| *name)))
}

/// Says how many arguments a helper takes.
pub(crate) fn in_words(least: usize, most: usize) -> String {
    match (least, most) {
        (1, 1) => "1 argument".to_owned(),
        (1, usize::MAX) => "1 argument or more".to_owned(),
        (least, most) if least == most => format!("{least} arguments"),
        (least, most) if least + 1 == most => format!("{least} or {most} arguments"),
        (least, most) => format!("{least} to {most} arguments"),
    }
}

impl Signature {
    fn takes(&self, position: usize) -> Takes {
        *self.takes.get(position).or(self.takes.last()).expect("each helper takes something")
    }
}

impl Takes {
    fn check(self, helper: &str, position: usize, known: Known<'_>) -> Result<(), TagError> {
        let fits = match known {
            Known::Nothing => true,
            Known::Literal(Value::Text(text)) => match self {
                Takes::DateLook => return check_date_look(text),
                Takes::Currency => return check_currency(text),
                Takes::Date => text.parse::<jiff::civil::Date>().is_ok(),
                Takes::Number => false,
                Takes::Test | Takes::Value | Takes::Text | Takes::NumberLook => true,
            },
            Known::Literal(Value::Number(number)) => match self {
                Takes::NumberLook => number.is_integer() && (Decimal::ZERO..=MOST_DECIMALS).contains(number),
                Takes::DateLook | Takes::Currency | Takes::Date => false,
                Takes::Test | Takes::Value | Takes::Text | Takes::Number => true,
            },
            Known::Literal(Value::Bool(_)) | Known::Result(Gives::Truth) => {
                matches!(self, Takes::Test | Takes::Value)
            }
            Known::Literal(_) => !matches!(self, Takes::DateLook | Takes::Currency),
            Known::Result(Gives::Text) => self != Takes::DateLook,
            Known::Result(Gives::Number) => !matches!(self, Takes::Date | Takes::DateLook | Takes::Currency),
            Known::Result(Gives::Date) => {
                matches!(self, Takes::Test | Takes::Value | Takes::Text | Takes::Date)
            }
            Known::Result(Gives::Any) => self != Takes::DateLook,
        };
        let found = match known {
            _ if fits => return Ok(()),
            Known::Literal(Value::Text(text)) => format!("\"{text}\""),
            Known::Literal(Value::Number(number)) => number.to_string(),
            Known::Literal(Value::Bool(truth)) => truth.to_string(),
            Known::Literal(_) | Known::Nothing => "nothing".to_owned(),
            Known::Result(gives) => gives.in_words().to_owned(),
        };
        Err(TagError::WrongArgument {
            name: helper.to_owned(),
            position: position + 1,
            expected: self.in_words(),
            found,
        })
    }

    fn in_words(self) -> &'static str {
        match self {
            Takes::Test | Takes::Value => "a value",
            Takes::Text => "a text",
            Takes::Number => "a number",
            Takes::Date => "a date",
            Takes::DateLook => "a date style or picture in quotes",
            Takes::NumberLook => "0 to 20 decimals, or a picture in quotes",
            Takes::Currency => "a currency such as \"EUR\"",
        }
    }
}

/// More decimals than any number of the data has.
const MOST_DECIMALS: Decimal = Decimal::from_parts(20, 0, 0, false, 0);

impl Gives {
    fn in_words(self) -> &'static str {
        match self {
            Gives::Truth => "true or false",
            Gives::Text => "a text",
            Gives::Number => "a number",
            Gives::Date => "a date",
            Gives::Any => "a value",
        }
    }
}

fn check_date_look(look: &str) -> Result<(), TagError> {
    if DATE_STYLES.contains(&look) || DatePicture::has_only_items(look) {
        return Ok(());
    }
    let nearest = name::nearest_of(look, DATE_STYLES.iter().copied());
    Err(TagError::UnknownDateStyle { style: look.to_owned(), nearest })
}

fn check_currency(code: &str) -> Result<(), TagError> {
    if Styles::has_currency(code) { Ok(()) } else { Err(TagError::UnknownCurrency { code: code.to_owned() }) }
}
