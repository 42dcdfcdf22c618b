//! Owns what can be wrong with a template: each fault with its place in the document and what to do about it.

use std::fmt;

use super::tag::call;

/// Where in a document: the part, the paragraph, and the code of the field or tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The part's name in the package, without the leading slash: `word/header1.xml`.
    pub part: String,
    /// The paragraph's number in its part, from 1, in the order of the file; 0 in a part without paragraphs.
    pub paragraph: usize,
    /// The field's code or the tag as it stands there; empty if the fault is not about one.
    pub code: String,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.part)?;
        if self.paragraph > 0 {
            write!(formatter, ", paragraph {}", self.paragraph)?;
        }
        if self.code.is_empty() { Ok(()) } else { write!(formatter, ": {}", self.code) }
    }
}

/// A fault of a template, with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct Problem {
    /// What is wrong.
    pub fault: Fault,
    at: Place,
}

/// What to do about a name that is like no other.
pub(crate) const NAMES_HELP: &str =
    "write the name of a column of the data, or one that docs/formats.md lists";

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A name that nothing fits; the nearest name and its path, if one is near.
    #[error("{}", without_value(name, *is_tag))]
    UnknownName {
        /// The name as written.
        name: String,
        /// Whether a tag names it, not a field.
        is_tag: bool,
        /// The nearest name as it could be written there, and its path.
        nearest: Option<(String, String)>,
    },
    /// The last step of several paths.
    #[error("`{name}` may mean {}", .paths.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(" or "))]
    AmbiguousName {
        /// The name as written.
        name: String,
        /// The paths it fits.
        paths: Vec<String>,
    },
    /// A loop over something that has no rows.
    #[error("`{name}` has no rows to repeat")]
    NoRows {
        /// The name as written.
        name: String,
    },
    /// A child table where one value is wanted.
    #[error("`{name}` is a table, not one value")]
    RowsAsValue {
        /// The name as written.
        name: String,
    },
    /// A field whose end is missing.
    #[error("field has no end")]
    UnclosedField,
    /// An end of a field without a begin, or a field separator outside a field.
    #[error("field end without a begin")]
    StrayFieldMark,
    /// A field that needs the data but that cannot be merged.
    #[error("field `{keyword}` is not supported")]
    UnsupportedField {
        /// The field's keyword in upper case.
        keyword: String,
    },
    /// A switch that the merge does not carry out.
    #[error("switch `{switch}` is not supported")]
    UnsupportedSwitch {
        /// The switch as written.
        switch: String,
    },
    /// A field that lacks what it needs.
    #[error("field `{keyword}` is incomplete: {missing} is missing")]
    IncompleteField {
        /// The field's keyword in upper case.
        keyword: String,
        /// What is missing.
        missing: &'static str,
    },
    /// A switch that has no meaning here.
    #[error("switch `{switch}` is not known and has no effect")]
    UnknownSwitch {
        /// The switch as written.
        switch: String,
    },
    /// Something in a field's code that Word puts up with.
    #[error("{0}")]
    OddCode(#[from] super::field_code::FieldCodeWarning),
    /// An address block or greeting of which no part has a value.
    #[error("no name fits any part of `{keyword}`")]
    NoAddressNames {
        /// The field's keyword in upper case.
        keyword: String,
    },
    /// A barcode that is not drawn.
    #[error("barcode `{kind}` is not drawn: until Word draws it, its value is shown as text")]
    BarcodeAsText {
        /// The kind as written.
        kind: String,
    },
    /// A field of another program or file, which is left as it is.
    #[error("field `{keyword}` is left as it is")]
    NotExecuted {
        /// The field's keyword in upper case.
        keyword: String,
    },
    /// NEXT or NEXTIF outside the body, where records do not follow each other.
    #[error("field `{keyword}` has an effect in the body of a document alone")]
    OutsideBody {
        /// The field's keyword in upper case.
        keyword: String,
    },
    /// A tag that is not understood.
    #[error("{0}")]
    Tag(#[from] super::tag::TagError),
    /// A block whose start and end cannot enclose anything that repeats as a whole.
    #[error("block `{name}` starts and ends at places that do not belong together")]
    CrossingBlock {
        /// The block's name: `if`, `each`.
        name: String,
    },
    /// A block without its end.
    #[error("block `{name}` has no end")]
    UnclosedBlock {
        /// The block's name: `if`, `each`.
        name: String,
    },
    /// A region of merge fields without its end.
    #[error("region `{start}` has no end")]
    UnclosedRegion {
        /// The name of the field that starts it: `TableStart:Items`.
        start: String,
        /// The name of the field that would end it: `TableEnd:Items`.
        end: String,
    },
    /// An end or an else without its block.
    #[error("`{tag}` without its block")]
    StrayBlockTag {
        /// The tag as written.
        tag: String,
    },
    /// «Name» as plain text: looks like a field, is none.
    #[error("`«{name}»` is plain text, not a merge field")]
    TypedField {
        /// What stands between the marks.
        name: String,
        /// The name that is meant, or the nearest one, as it could be written there, and its path.
        nearest: Option<(String, String)>,
    },
    /// A value that a field's switches do not fit, or that may be read in two ways.
    #[error("{0}")]
    OddValue(super::format::FormatWarning),
    /// A fault of the document itself, found by the linter.
    #[error("{0}")]
    Lint(super::lint::Flaw),
}

/// Returns the question of an ASK or FILLIN, whose answer is looked for below `answers.`.
fn asked(name: &str) -> Option<&str> {
    name.strip_prefix("answers.")
}

fn without_value(name: &str, is_tag: bool) -> String {
    match asked(name) {
        _ if is_tag => format!("tag `{name}` has no value"),
        Some(question) => format!("question `{question}` has no answer"),
        None => format!("merge field `{name}` has no value"),
    }
}

impl Problem {
    /// Returns a fault at a place.
    pub(crate) fn new(fault: Fault, at: Place) -> Problem {
        Problem { fault, at }
    }

    /// Returns the place inside the document: part, paragraph, code.
    pub fn place(&self) -> String {
        self.at.to_string()
    }

    /// Returns the place as data.
    pub fn at(&self) -> &Place {
        &self.at
    }

    /// Returns what to do about it, where that is sure.
    pub fn help(&self) -> Option<String> {
        self.fault.help()
    }

    /// Returns the stable name of the fault for machines: the variant in kebab case.
    pub fn id(&self) -> &'static str {
        self.fault.id()
    }
}

impl Fault {
    /// Returns what to do about it, where that is sure.
    pub fn help(&self) -> Option<String> {
        match self {
            Fault::UnknownName { name, is_tag: false, nearest } if asked(name).is_some() => {
                let near = nearest.as_ref().and_then(|(_, path)| asked(path));
                Some(match near {
                    Some(near) => format!("there is an answer to `{near}`; did you mean that?"),
                    None => "answer it, or give the field an answer by default: `\\d \"…\"`".to_owned(),
                })
            }
            Fault::UnknownName { nearest: Some((written, path)), .. } if written == path => {
                Some(format!("did you mean `{written}`?"))
            }
            Fault::UnknownName { nearest: Some((written, path)), .. } => {
                Some(format!("did you mean `{written}` ({path})?"))
            }
            Fault::UnknownName { name, is_tag: true, nearest: None } if call::is_name(name) => {
                Some(format!("`{name}` is a helper and wants a value: `{{{{{name} …}}}}`"))
            }
            Fault::UnknownName { nearest: None, .. } => Some(NAMES_HELP.to_owned()),
            Fault::AmbiguousName { .. } => Some("write the whole path, or map the name".to_owned()),
            Fault::NoRows { .. } => Some("only a child table can be repeated".to_owned()),
            Fault::RowsAsValue { name } => {
                Some(format!("repeat it: `{{{{#each {name}}}}}` … `{{{{/each}}}}`"))
            }
            Fault::UnclosedField => Some("delete the field in Word and insert it again".to_owned()),
            Fault::StrayFieldMark => None,
            Fault::UnsupportedField { .. } => {
                Some("replace it by a tag or a merge field, or by its text".to_owned())
            }
            Fault::UnsupportedSwitch { .. } => {
                Some("format the value in the data, and delete the switch".to_owned())
            }
            Fault::IncompleteField { .. } => {
                Some("edit the field's code in Word (Shift+F9 shows it)".to_owned())
            }
            Fault::NoAddressNames { .. } => Some(
                "call columns as Word does: `First Name`, `Last Name`, `Address 1`, `City`, …".to_owned(),
            ),
            Fault::BarcodeAsText { .. } => {
                Some("take a QR code for letters that are printed or sent without Word".to_owned())
            }
            Fault::UnknownSwitch { .. } | Fault::NotExecuted { .. } => None,
            Fault::OutsideBody { .. } => {
                Some("headers and notes show the first record of the letter".to_owned())
            }
            Fault::OddCode(warning) => warning.help(),
            Fault::Tag(error) => error.help(),
            Fault::CrossingBlock { .. } => Some(
                "start and end a block in the same paragraph, in paragraphs of the same cell or text, \
                 or in rows of the same table"
                    .to_owned(),
            ),
            Fault::UnclosedBlock { name } => Some(format!("end it with `{{{{/{name}}}}}`")),
            Fault::UnclosedRegion { end, .. } => {
                Some(format!("end it with the merge field `{end}`, outside other fields"))
            }
            Fault::StrayBlockTag { .. } => None,
            Fault::TypedField { nearest: Some((written, _)), .. } => {
                Some(format!("insert the merge field `{written}` in its place"))
            }
            Fault::TypedField { nearest: None, .. } => Some("insert a merge field in its place".to_owned()),
            Fault::OddValue(warning) => warning.help(),
            Fault::Lint(_) => None,
        }
    }

    /// Returns the stable name of the fault for machines: the variant in kebab case.
    pub fn id(&self) -> &'static str {
        match self {
            Fault::UnknownName { .. } => "unknown-name",
            Fault::AmbiguousName { .. } => "ambiguous-name",
            Fault::NoRows { .. } => "no-rows",
            Fault::RowsAsValue { .. } => "rows-as-value",
            Fault::UnclosedField => "unclosed-field",
            Fault::StrayFieldMark => "stray-field-mark",
            Fault::UnsupportedField { .. } => "unsupported-field",
            Fault::UnsupportedSwitch { .. } => "unsupported-switch",
            Fault::IncompleteField { .. } => "incomplete-field",
            Fault::UnknownSwitch { .. } => "unknown-switch",
            Fault::NoAddressNames { .. } => "no-address-names",
            Fault::BarcodeAsText { .. } => "barcode-as-text",
            Fault::NotExecuted { .. } => "not-executed",
            Fault::OddCode(warning) => warning.id(),
            Fault::OutsideBody { .. } => "outside-body",
            Fault::Tag(error) => error.id(),
            Fault::CrossingBlock { .. } => "crossing-block",
            Fault::UnclosedBlock { .. } => "unclosed-block",
            Fault::UnclosedRegion { .. } => "unclosed-region",
            Fault::StrayBlockTag { .. } => "stray-block-tag",
            Fault::TypedField { .. } => "typed-field",
            Fault::OddValue(warning) => warning.id(),
            Fault::Lint(flaw) => flaw.id(),
        }
    }
}
