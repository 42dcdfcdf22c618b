//! Owns how a command changes the database: as a whole or not at all, its values given as FIELD=VALUE.

use std::fs;
use std::path::Path;

use super::PROBLEMS;
use super::options::Common;
use super::problem::Failure;
use crate::contact::table::WriteError;
use crate::run::Records;
use crate::run::masters::ChangeError;
use crate::segment::Attachment;
use crate::store::Database;

/// Does some work on the database in one transaction, which is kept if the work is done.
pub(super) fn change<T>(
    common: &Common,
    work: impl FnOnce(&mut Database) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut database = Database::open(&common.db)?;
    database.begin_draft()?;
    match work(&mut database) {
        Ok(done) => {
            database.keep_draft()?;
            Ok(done)
        }
        Err(failure) => {
            database.discard_draft()?;
            Err(failure)
        }
    }
}

/// Reads FIELD=VALUE words.
pub(super) fn pairs(words: &[String]) -> Result<Vec<(String, String)>, Failure> {
    words
        .iter()
        .map(|word| match word.split_once('=') {
            Some((name, value)) => Ok((name.trim().to_owned(), value.to_owned())),
            None => {
                let message = format!("`{word}` sets nothing, expected FIELD=VALUE");
                Err(Failure::problem("not-a-value", message, "the command line"))
            }
        })
        .collect()
}

/// Reads a file as a document, named as it is.
pub(super) fn read_document(file: &Path) -> Result<Attachment, Failure> {
    let bytes = fs::read(file).map_err(|error| {
        let message = format!("cannot read `{}`: {error}", file.display());
        Failure::problem("unreadable", message, "the command line")
    })?;
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Attachment::new(name, bytes))
}

/// "1 contact", "2 contacts".
pub(super) fn counted(n: u64, one: &str, several: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { several })
}

/// There is none of what was asked for.
pub(super) fn nothing(message: String, help: Option<String>) -> Failure {
    Failure::Stopped { code: PROBLEMS, message, help }
}

impl From<ChangeError> for Failure {
    fn from(error: ChangeError) -> Failure {
        match error {
            ChangeError::Problems(problems) => Failure::problems(problems),
            ChangeError::Segment(error) => error.into(),
            ChangeError::Records(error) => error.into(),
        }
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Failure {
        match error {
            WriteError::File { file, source } => {
                let message = format!("cannot write `{}`: {source}", file.display());
                Failure::Stopped { code: super::INTERRUPTED, message, help: None }
            }
            error @ (WriteError::UnknownEnding { .. } | WriteError::TooManyRows) => {
                let help = Some("give the file the ending .csv".to_owned());
                Failure::Stopped { code: PROBLEMS, message: error.to_string(), help }
            }
        }
    }
}
