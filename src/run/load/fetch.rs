//! Owns what a segment file's tables are fetched by: commands, and queries of SQLite files. They are run before the draft
//! is opened, so that nobody else has to wait for them, and their rows are kept in files without a name.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use toml::Spanned;

use crate::contact::table::{TableFormat, TableSource};
use crate::run::Store;
use crate::run::load::{LoadError, SegmentRef};
use crate::run::named::place;
use crate::run::problem::{Problem, with_causes};
use crate::run::records::Query;
use crate::segment::file::SourceDeclaration;
use crate::segment::{SegmentFile, SegmentNo};
use crate::setup::program::{Call, Program};

/// What a command or a query that has failed is a problem by. The next attempt may do better.
pub(in crate::run) const FETCH_FAILED: &str = "fetch-failed";

/// What is loaded: a file that is read, with its tables at hand; or a segment of the store.
#[derive(Debug)]
pub enum Asked {
    /// A file.
    File {
        /// What it declares.
        file: Box<SegmentFile>,
        /// Where its tables are.
        tables: Tables,
    },
    /// A number.
    No(SegmentNo),
}

/// Where the tables of a segment file are.
#[derive(Debug, Default)]
pub struct Tables {
    pub(super) contacts: Option<TableSource>,
    /// One for each `[[contacts.rows]]`, in their order.
    pub(super) rows: Vec<TableSource>,
}

/// Reads the segment file and fetches its tables; `stop` ends what takes too long for the user.
///
/// # Errors
///
/// All problems of the file, or of what its tables are fetched by.
pub fn fetch(records: &mut dyn Store, asked: &SegmentRef, stop: &AtomicBool) -> Result<Asked, LoadError> {
    let path = match asked {
        SegmentRef::File(path) => path,
        SegmentRef::No(segment) => return Ok(Asked::No(segment.clone())),
    };
    let file = SegmentFile::read(path)
        .map_err(|problems| LoadError::Problems(problems.into_iter().map(Problem::from).collect()))?;
    let mut tables = Tables::default();
    let mut problems = Vec::new();
    if let Some(contacts) = &file.declarations.contacts {
        match source(records, &file, (&contacts.source(), stop)) {
            Ok(source) => tables.contacts = Some(source),
            Err(problem) => problems.push(problem),
        }
        for rows in &contacts.rows {
            match source(records, &file, (&rows.source(), stop)) {
                Ok(source) => tables.rows.push(source),
                Err(problem) => problems.push(problem),
            }
        }
    }
    match problems.is_empty() {
        true => Ok(Asked::File { file: Box::new(file), tables }),
        false => Err(LoadError::Problems(problems)),
    }
}

/// Finds out where a table is, and fetches it if that is no file.
fn source(
    records: &mut dyn Store,
    file: &SegmentFile,
    (declared, stop): (&SourceDeclaration<'_>, &AtomicBool),
) -> Result<TableSource, Problem> {
    match *declared {
        SourceDeclaration { file: Some(path), command: None, database: None, query: None, .. } => {
            Ok(TableSource::file(&file.path(path)))
        }
        SourceDeclaration { file: None, command: Some(command), database: None, query: None, .. } => {
            printed(file, (command, declared), stop)
        }
        SourceDeclaration {
            file: None, command: None, database: Some(database), query: Some(query), ..
        } => {
            let at = file.path(database);
            let asked = Query { database: &at, sql: query.get_ref(), limit: declared.timeout };
            let failed = |message: String| failed(message, place(file, query));
            let mut spool = spool().map_err(|error| failed(error.to_string()))?;
            records.copy_query(&asked, &mut spool).map_err(|error| failed(with_causes(&error)))?;
            let name = format!("{}: query", at.display());
            Ok(TableSource::held(spool, name, TableFormat::Tsv))
        }
        SourceDeclaration { .. } => Err(Problem {
            id: "table-source",
            message: format!("`{}` does not say where its table is, or says it twice", declared.table),
            place: file.file.display().to_string(),
            help: Some("give `file`, or `command`, or `database` and `query`".to_owned()),
        }),
    }
}

/// Keeps what a command prints.
fn printed(
    file: &SegmentFile,
    (command, declared): (&Spanned<Program>, &SourceDeclaration<'_>),
    stop: &AtomicBool,
) -> Result<TableSource, Problem> {
    let failed = |message: String| failed(message, place(file, command));
    let spool = spool().map_err(|error| failed(error.to_string()))?;
    let output = spool.try_clone().map_err(|error| failed(error.to_string()))?;
    let folder = file.file.parent().unwrap_or(Path::new(""));
    command
        .get_ref()
        .run(Call { folder, input: b"", output: Some(output), limit: declared.timeout, stop })
        .map_err(|error| failed(with_causes(&error)))?;
    Ok(TableSource::held(spool, format!("output of `{}`", command.get_ref()), declared.format))
}

/// A file for the rows: it has no name, so that nothing of it is left, however this process ends.
fn spool() -> io::Result<File> {
    tempfile::tempfile()
}

fn failed(message: String, place: String) -> Problem {
    Problem { id: FETCH_FAILED, message, place, help: None }
}
