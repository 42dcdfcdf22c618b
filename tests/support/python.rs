//! Owns the judges written in Python: python-docx, which many programs that receive our letters are built on, and
//! scripts that verify or parse messages.

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tempfile::TempDir;

use super::{bounded, finish, shown, tool};

/// How long one call may take, whatever the number of its files.
const LIMIT: Duration = Duration::from_secs(120);

/// What python-docx reads in a document: its paragraphs in order, those of tables in the place of the table.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct DocumentText {
    pub(crate) body: Vec<String>,
    pub(crate) headers: Vec<String>,
    pub(crate) footers: Vec<String>,
    /// Why python-docx did not open it.
    pub(crate) error: Option<String>,
}

/// Opens each document with python-docx; one that it does not open has an `error`.
#[track_caller]
pub(crate) fn open(files: &[impl AsRef<Path>]) -> Vec<DocumentText> {
    let names: Vec<String> = files.iter().map(|file| format!("{}\n", file.as_ref().display())).collect();
    asked("tests/judges/document_text.py", &names.concat())
}

/// Asks a judge, which answers each line with one of JSON.
#[track_caller]
pub(crate) fn asked<T: DeserializeOwned>(script: &str, lines: &str) -> Vec<T> {
    let folder = TempDir::with_prefix("mailrun-python-").expect("a temporary folder can be made");
    let list = folder.path().join("asked");
    fs::write(&list, lines).expect("a file can be written");
    let mut command = bounded(&tool("MAILRUN_PYTHON"), LIMIT, folder.path());
    command.arg(script).stdin(File::open(&list).expect("a file can be read again"));
    let output = finish(command);
    assert!(output.status.success(), "{script} failed:\n{}", shown(&output));
    let said = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    let answer =
        |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("no JSON ({error}): {line}"));
    let answers: Vec<T> = said.lines().map(answer).collect();
    assert_eq!(answers.len(), lines.lines().count(), "{script}: one answer a line");
    answers
}

/// The text of each document; panics, naming them, if python-docx does not open some.
#[track_caller]
pub(crate) fn text(files: &[impl AsRef<Path>]) -> Vec<DocumentText> {
    let texts = open(files);
    let refused = files
        .iter()
        .zip(&texts)
        .filter_map(|(file, text)| Some(format!("{}: {}", file.as_ref().display(), text.error.as_ref()?)));
    let refused: Vec<String> = refused.collect();
    assert!(refused.is_empty(), "python-docx did not open\n{}", refused.join("\n"));
    texts
}
