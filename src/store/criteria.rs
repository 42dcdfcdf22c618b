//! Owns selection by criteria: SQL conditions of users, run where they can do nothing but select.
//!
//! While a condition runs, SQLite's authorizer lets it read the tables of [`READABLE`] and nothing else: no write, no
//! other table, no pragma, no attached file, no extension. It is aborted after [`STEPS_LIMIT`] steps.

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{ErrorCode, params};

use super::{Database, reading, writing};
use crate::contact::all_fields;
use crate::contact::import::ContactColumn;
use crate::run::records::RecordsError;
use crate::segment::{CriteriaAction, CriteriaKind, LineNo, SegmentNo};

/// The tables that conditions may read; `contact` has a column for each column of the imports, too.
const READABLE: [&str; 2] = ["contact", "interaction_log_entry"];

/// How many steps of SQLite's machine a condition may take: minutes for millions of contacts.
const STEPS_LIMIT: u64 = 20_000_000_000;

const STEPS_PER_CALL: i32 = 1_000_000;

impl Database {
    pub(super) fn apply_criteria(
        &mut self,
        segment: &SegmentNo,
        action: &CriteriaAction,
    ) -> Result<usize, RecordsError> {
        self.select_into_temporary(&action.condition)?;
        let changed = match action.kind {
            CriteriaKind::Add => self.connection.execute(
                "INSERT INTO segment_line
                 SELECT ?1, last + row_number() OVER (ORDER BY company_name, company_no, type, name, no) * ?2, no, NULL
                 FROM temp.selected JOIN contact USING (no),
                      (SELECT ifnull(max(line_no), 0) AS last FROM segment_line WHERE segment = ?1)
                 WHERE no NOT IN (SELECT contact FROM segment_line WHERE segment = ?1)",
                params![segment.0, LineNo::STEP],
            ),
            CriteriaKind::Reduce => self.connection.execute(
                "DELETE FROM segment_line WHERE segment = ?1 AND contact IN (SELECT no FROM temp.selected)",
                [&segment.0],
            ),
            CriteriaKind::Refine => self.connection.execute(
                "DELETE FROM segment_line WHERE segment = ?1 AND contact NOT IN (SELECT no FROM temp.selected)",
                [&segment.0],
            ),
        }
        .map_err(|error| writing(&error))?;
        self.connection
            .execute(
                "INSERT INTO criteria_action (segment, position, kind, condition) SELECT ?1, ifnull(max(position), 0) + 1, ?2, ?3
                 FROM criteria_action WHERE segment = ?1",
                [segment.0.as_str(), action.kind.as_str(), &action.condition],
            )
            .map_err(|error| writing(&error))?;
        Ok(changed)
    }

    /// Puts the numbers of the contacts that match into `temp.selected`.
    fn select_into_temporary(&mut self, condition: &str) -> Result<(), RecordsError> {
        self.connection
            .execute_batch(
                "CREATE TEMP TABLE IF NOT EXISTS selected (no TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID;
                 DELETE FROM temp.selected;",
            )
            .map_err(|error| writing(&error))?;
        // The line break ends a comment, so that what follows the condition stays ours.
        let sql = format!(
            "INSERT INTO temp.selected WITH contact AS (SELECT *{} FROM main.contact),
             interaction_log AS (SELECT * FROM main.interaction_log_entry
                                 WHERE run IN (SELECT run FROM main.logged_segment))
             SELECT no FROM contact WHERE ({condition}\n)",
            self.column_list()?
        );
        let mut n_calls = 0;
        self.connection
            .progress_handler(
                STEPS_PER_CALL,
                Some(move || {
                    n_calls += 1;
                    n_calls > STEPS_LIMIT / u64::from(STEPS_PER_CALL.unsigned_abs())
                }),
            )
            .and_then(|()| self.connection.authorizer(Some(authorize)))
            .map_err(|error| reading(&error))?;
        let selected = self.connection.execute(&sql, []);
        self.connection
            .authorizer(None::<fn(AuthContext<'_>) -> Authorization>)
            .and_then(|()| self.connection.progress_handler(0, None::<fn() -> bool>))
            .map_err(|error| reading(&error))?;
        match selected {
            Ok(_) => Ok(()),
            Err(error) => Err(refused(&error)),
        }
    }

    fn column_list(&mut self) -> Result<String, RecordsError> {
        let quoted = |text: &str, mark: char| text.replace(mark, &format!("{mark}{mark}"));
        let column = |ContactColumn { header, field }: &ContactColumn| {
            let name = quoted(header, '"');
            if !field.is_empty() {
                // A field has its own name already; only another header gives it a second one.
                let is_second = all_fields().all(|known| !known.eq_ignore_ascii_case(header));
                return if is_second { format!(", \"{field}\" AS \"{name}\"") } else { String::new() };
            }
            let path = format!("$.\"{}\"", header.replace('\\', "\\\\").replace('"', "\\\""));
            format!(", ifnull(json_extract(columns, '{}'), '') AS \"{name}\"", quoted(&path, '\''))
        };
        Ok(self.contact_columns()?.iter().map(column).collect())
    }
}

fn authorize(context: AuthContext<'_>) -> Authorization {
    let is_ours = match context.action {
        AuthAction::Select | AuthAction::Recursive => true,
        AuthAction::Read { table_name, .. } => {
            READABLE.contains(&table_name) || ["logged_segment", "selected", ""].contains(&table_name)
        }
        AuthAction::Insert { table_name } => table_name == "selected",
        AuthAction::Function { function_name } => !function_name.eq_ignore_ascii_case("load_extension"),
        _ => false,
    };
    if is_ours { Authorization::Allow } else { Authorization::Deny }
}

fn refused(error: &rusqlite::Error) -> RecordsError {
    let reason = match error {
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        rusqlite::Error::MultipleStatement => "it holds more than one statement".to_owned(),
        error if error.sqlite_error_code() == Some(ErrorCode::AuthorizationForStatementDenied) => {
            "it does more than select contacts".to_owned()
        }
        error if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
            "it takes too long".to_owned()
        }
        error if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => return writing(error),
        error => error.to_string(),
    };
    RecordsError::Condition { reason }
}
