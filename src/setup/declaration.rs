//! Owns reading of declaration files (TOML): every unknown key and the first wrong value, each with its line.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is wrong in a declaration file.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DeclarationProblem {
    /// The file cannot be read.
    #[error("cannot read `{}`: {reason}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The operating system's words.
        reason: String,
    },
    /// The file is not TOML, or a value has the wrong type.
    #[error("{reason}")]
    Malformed {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What the parser found and expected.
        reason: String,
    },
    /// A key that means nothing here.
    #[error("unknown key `{key}`")]
    UnknownKey {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The key with its tables, `segment.descripton`.
        key: String,
    },
}

impl DeclarationProblem {
    /// Returns the stable id of the problem.
    pub fn id(&self) -> &'static str {
        match self {
            DeclarationProblem::Unreadable { .. } => "unreadable",
            DeclarationProblem::Malformed { .. } => "malformed",
            DeclarationProblem::UnknownKey { .. } => "unknown-key",
        }
    }

    /// Returns the file, and the line where one is known.
    pub fn place(&self) -> String {
        match self {
            DeclarationProblem::Unreadable { file, .. } => file.display().to_string(),
            DeclarationProblem::Malformed { file, line, .. }
            | DeclarationProblem::UnknownKey { file, line, .. } => format!("{}, line {line}", file.display()),
        }
    }

    /// Returns what to do, where that is sure.
    pub fn help(&self) -> Option<String> {
        match self {
            DeclarationProblem::Unreadable { .. } => {
                Some("give the path of a file that exists and may be read".to_owned())
            }
            DeclarationProblem::Malformed { .. } => {
                Some("correct the line; docs/formats.md shows every key with an example".to_owned())
            }
            DeclarationProblem::UnknownKey { .. } => {
                Some("remove the key, or correct its spelling".to_owned())
            }
        }
    }
}

/// Reads a TOML file into declarations.
///
/// # Errors
///
/// All unknown keys at once; otherwise the first syntax error or wrong type.
pub fn read<T: DeserializeOwned>(file: &Path) -> Result<T, Vec<DeclarationProblem>> {
    parse(file, &text(file)?)
}

/// Reads the text of a declaration file, which is UTF-8, without a byte order mark.
///
/// # Errors
///
/// A file that cannot be read or is not UTF-8.
pub fn text(file: &Path) -> Result<String, Vec<DeclarationProblem>> {
    let text = std::fs::read(file).map_err(|error| {
        vec![DeclarationProblem::Unreadable { file: file.to_owned(), reason: error.to_string() }]
    })?;
    let mut text = String::from_utf8(text).map_err(|error| {
        let line = line_at(error.as_bytes(), error.utf8_error().valid_up_to());
        let reason = "the file is not UTF-8".to_owned();
        vec![DeclarationProblem::Malformed { file: file.to_owned(), line, reason }]
    })?;
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    Ok(text)
}

/// Parses the text of a declaration file; `file` is its name in problems.
///
/// # Errors
///
/// As for [`read`].
pub fn parse<T: DeserializeOwned>(file: &Path, text: &str) -> Result<T, Vec<DeclarationProblem>> {
    let malformed = |error: toml::de::Error| {
        let line = line_at(text.as_bytes(), error.span().map_or(0, |span| span.start));
        vec![DeclarationProblem::Malformed { file: file.to_owned(), line, reason: one_line(error.message()) }]
    };
    let mut unknown = Vec::new();
    let deserializer = toml::Deserializer::parse(text).map_err(malformed)?;
    let declarations = serde_ignored::deserialize(deserializer, |path| unknown.push(steps(&path)));
    if unknown.is_empty() {
        return declarations.map_err(malformed);
    }
    let tree = DeTable::parse(text).map_err(malformed)?;
    Err(unknown
        .into_iter()
        .map(|steps| DeclarationProblem::UnknownKey {
            file: file.to_owned(),
            line: line_at(text.as_bytes(), offset_of(tree.get_ref(), &steps)),
            key: steps.iter().filter_map(Step::key).collect::<Vec<_>>().join("."),
        })
        .collect())
}

/// Returns the line of a byte offset, from 1.
pub fn line_at(text: &[u8], offset_bytes: usize) -> usize {
    1 + text.iter().take(offset_bytes).filter(|&&byte| byte == b'\n').count()
}

enum Step {
    Key(String),
    Index(usize),
}

impl Step {
    fn key(&self) -> Option<&str> {
        match self {
            Step::Key(key) => Some(key),
            Step::Index(_) => None,
        }
    }
}

fn steps(path: &serde_ignored::Path) -> Vec<Step> {
    use serde_ignored::Path;
    let mut steps = Vec::new();
    let mut rest = path;
    loop {
        rest = match rest {
            Path::Root => break,
            Path::Seq { parent, index } => {
                steps.push(Step::Index(*index));
                parent
            }
            Path::Map { parent, key } => {
                steps.push(Step::Key(key.clone()));
                parent
            }
            Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
                parent
            }
        };
    }
    steps.reverse();
    steps
}

fn offset_of(table: &DeTable<'_>, steps: &[Step]) -> usize {
    let mut offset = 0;
    let mut table = Some(table);
    let mut value: Option<&Spanned<DeValue<'_>>> = None;
    for step in steps {
        match step {
            Step::Key(key) => {
                let Some((key, next)) = table.and_then(|table| table.get_key_value(key.as_str())) else {
                    break;
                };
                offset = key.span().start;
                value = Some(next);
            }
            Step::Index(index) => {
                let Some(DeValue::Array(array)) = value.map(Spanned::get_ref) else { break };
                value = array.get(*index);
            }
        }
        table = match value.map(Spanned::get_ref) {
            Some(DeValue::Table(next)) => Some(next),
            _ => None,
        };
    }
    offset
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Sample {
        header: Header,
        line: Vec<Header>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Header {
        no: String,
    }

    fn problems(text: &str) -> Vec<(String, String)> {
        let problems = parse::<Sample>(Path::new("a.toml"), text).expect_err("the text is wrong");
        problems.iter().map(|problem| (problem.to_string(), problem.place())).collect()
    }

    #[test]
    fn every_unknown_key_is_named_with_its_line() {
        let text = "[header]\nno = 'A'\nnoo = 'B'\n\n[[line]]\nno = 'x'\n[[line]]\nnumber = 1\n";
        assert_eq!(
            problems(text),
            [
                ("unknown key `header.noo`".to_owned(), "a.toml, line 3".to_owned()),
                ("unknown key `line.number`".to_owned(), "a.toml, line 8".to_owned()),
            ]
        );
    }

    #[test]
    fn a_wrong_type_is_named_with_its_line() {
        let [(message, place)] = &problems("[header]\n\nno = 5\n")[..] else { panic!("one problem") };
        assert_eq!(message, "invalid type: integer `5`, expected a string");
        assert_eq!(place, "a.toml, line 3");
    }

    #[test]
    fn a_file_that_is_right_is_read() {
        let sample: Sample = parse(Path::new("a.toml"), "[[line]]\nno = 'x'\n").expect("it is right");
        assert_eq!(sample.line.first().map(|line| line.no.as_str()), Some("x"));
    }
}
