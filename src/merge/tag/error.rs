//! Owns what can be wrong with a tag, and what to do about it.

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
        /// The nearest helper, if one is near.
        nearest: Option<&'static str>,
    },
    /// A block that does not exist.
    #[error("there is no block `#{name}`")]
    UnknownBlock {
        /// The block's name as written.
        name: String,
        /// The nearest block, if one is near.
        nearest: Option<&'static str>,
    },
    /// A helper or block with too few or too many arguments.
    #[error("`{name}` takes {expected}, found {found}")]
    Arguments {
        /// The helper or block.
        name: String,
        /// How many it takes, in words.
        expected: String,
        /// How many there are.
        found: usize,
    },
    /// An argument that a helper cannot take, whatever the data.
    #[error("argument {position} of `{name}` is {expected}, found {found}")]
    WrongArgument {
        /// The helper.
        name: String,
        /// The argument's number, from 1.
        position: usize,
        /// What it takes there, in words.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A way to show a date that does not exist.
    #[error("`{style}` is no date style and no picture")]
    UnknownDateStyle {
        /// As written.
        style: String,
        /// The nearest style, if one is near.
        nearest: Option<&'static str>,
    },
    /// A `plural` with forms by their names, but not with one number and the form for all others.
    #[error("`plural` takes a number and forms by name, of them `other`")]
    PluralForms,
    /// A code that no currency has.
    #[error("there is no currency `{code}`")]
    UnknownCurrency {
        /// As written.
        code: String,
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
    /// A picture where there can be only text.
    #[error("a picture can stand only in a Word document")]
    Picture,
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
            TagError::UnknownHelper { nearest: Some(nearest), .. } => {
                Some(format!("did you mean `{nearest}`?"))
            }
            TagError::UnknownHelper { name, nearest: None } => {
                Some(format!("a name with spaces is written in brackets: `{{{{[{name} …]}}}}`"))
            }
            TagError::UnknownBlock { nearest: Some(nearest), .. } => {
                Some(format!("did you mean `#{nearest}`?"))
            }
            TagError::UnknownBlock { nearest: None, .. } => {
                Some("blocks are #if, #unless, #each and #with".to_owned())
            }
            TagError::UnknownDateStyle { nearest: Some(nearest), .. } => {
                Some(format!("did you mean `{nearest}`?"))
            }
            TagError::UnknownDateStyle { nearest: None, .. } => Some(
                "styles are short, medium, long, full and time; a picture is such as `dd.MM.yyyy`".to_owned(),
            ),
            TagError::PluralForms => Some("write `{{plural n one=\"line\" other=\"lines\"}}`".to_owned()),
            TagError::UnknownCurrency { .. } => {
                Some("write its code of three letters (ISO 4217), such as `EUR`".to_owned())
            }
            TagError::Empty
            | TagError::UnclosedQuote
            | TagError::UnclosedParenthesis
            | TagError::Unexpected { .. }
            | TagError::Arguments { .. }
            | TagError::WrongArgument { .. }
            | TagError::StrayBlockTag { .. }
            | TagError::Picture
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
            TagError::WrongArgument { .. } => "wrong-argument",
            TagError::UnknownDateStyle { .. } => "unknown-date-style",
            TagError::PluralForms => "plural-forms",
            TagError::UnknownCurrency { .. } => "unknown-currency",
            TagError::UnclosedBlock { .. } => "unclosed-block",
            TagError::StrayBlockTag { .. } => "stray-block-tag",
            TagError::Picture => "picture",
            TagError::TooDeep => "too-deep",
        }
    }
}
