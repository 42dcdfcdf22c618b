//! Owns queries of SQLite files that are not ours: opened to be read only, one statement that reads, a limited time. The
//! rows become a table of text.

use std::fs::File;
use std::io::BufWriter;
use std::time::Instant;

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::run::records::{Query, QueryError};

/// After so many steps of SQLite's machine the clock is looked at.
const STEPS_PER_LOOK: i32 = 100_000;

/// Copies the rows of a query, with the names of its columns above them, parted by tabs. NULL is an empty cell.
pub(super) fn copy(query: &Query<'_>, into: &mut File) -> Result<(), QueryError> {
    let refused = |error: rusqlite::Error| refused(query, &error);
    if !query.database.is_file() {
        return Err(QueryError::Missing { database: query.database.to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(query.database, flags).map_err(refused)?;
    let (started, limit) = (Instant::now(), query.limit.duration());
    connection
        .progress_handler(STEPS_PER_LOOK, Some(move || started.elapsed() > limit))
        .and_then(|()| connection.authorizer(Some(authorize)))
        .map_err(refused)?;
    let mut statement = connection.prepare(query.sql).map_err(refused)?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut table = csv::WriterBuilder::new().delimiter(b'\t').from_writer(BufWriter::new(into));
    let unwritten = |error: csv::Error| QueryError::Unwritten(error.into());
    table.write_record(&names).map_err(unwritten)?;
    let mut rows = statement.query([]).map_err(refused)?;
    let mut n_rows: u64 = 0;
    while let Some(row) = rows.next().map_err(refused)? {
        n_rows += 1;
        for (position, name) in names.iter().enumerate() {
            let no_text = || QueryError::NoText { column: name.clone(), row: n_rows };
            let written = match row.get_ref(position).map_err(refused)? {
                ValueRef::Null => table.write_field(""),
                ValueRef::Integer(number) => table.write_field(number.to_string()),
                ValueRef::Real(number) => table.write_field(number.to_string()),
                ValueRef::Text(text) => table.write_field(std::str::from_utf8(text).map_err(|_| no_text())?),
                ValueRef::Blob(_) => return Err(no_text()),
            };
            written.map_err(unwritten)?;
        }
        table.write_record(None::<&[u8]>).map_err(unwritten)?;
    }
    table.flush().map_err(QueryError::Unwritten)
}

/// Lets a query read, and nothing else: no other file, no pragma, no extension.
fn authorize(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Select | AuthAction::Recursive | AuthAction::Read { .. } => Authorization::Allow,
        AuthAction::Function { function_name } if !function_name.eq_ignore_ascii_case("load_extension") => {
            Authorization::Allow
        }
        _ => Authorization::Deny,
    }
}

fn refused(query: &Query<'_>, error: &rusqlite::Error) -> QueryError {
    let reason = match error {
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        rusqlite::Error::MultipleStatement => "it holds more than one statement".to_owned(),
        error if error.sqlite_error_code() == Some(ErrorCode::AuthorizationForStatementDenied) => {
            "it does more than read".to_owned()
        }
        error if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
            format!("it did not end within {}", query.limit)
        }
        error => error.to_string(),
    };
    QueryError::Refused { database: query.database.to_owned(), reason }
}
