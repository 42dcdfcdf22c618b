//! Owns conditions: SQL of users, run where it can do nothing but select contacts.
//!
//! While a condition runs, SQLite's authorizer lets it read the views and nothing else: no write, no other table, no
//! pragma, no attached file, no extension. It is aborted after [`STEPS_LIMIT`] steps.

use rusqlite::ErrorCode;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use super::{Database, reading, view, writing};
use crate::run::records::RecordsError;

/// How many steps of SQLite's machine a condition may take: minutes for millions of contacts.
pub(super) const STEPS_LIMIT: u64 = 20_000_000_000;

const STEPS_PER_CALL: i32 = 1_000_000;

impl Database {
    /// Puts the numbers of the contacts that match into `temp.selected`.
    pub(super) fn select_into_temporary(&mut self, condition: &str) -> Result<(), RecordsError> {
        self.connection
            .execute_batch(
                "CREATE TEMP TABLE IF NOT EXISTS selected (no TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID;
                 DELETE FROM temp.selected;",
            )
            .map_err(|error| writing(&error))?;
        // The line break ends a comment, so that what follows the condition stays ours.
        let views = self.views()?;
        let sql = format!("INSERT INTO temp.selected {views} SELECT no FROM contact WHERE ({condition}\n)");
        let most_calls = self.steps_limit / u64::from(STEPS_PER_CALL.unsigned_abs());
        let mut n_calls = 0;
        self.connection
            .progress_handler(
                STEPS_PER_CALL,
                Some(move || {
                    n_calls += 1;
                    n_calls > most_calls
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
}

fn authorize(context: AuthContext<'_>) -> Authorization {
    let is_ours = match context.action {
        AuthAction::Select | AuthAction::Recursive => true,
        AuthAction::Read { table_name, .. } => {
            view::TABLES.contains(&table_name) || ["selected", ""].contains(&table_name)
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::contact::Contact;
    use crate::run::records::Records;

    #[test]
    fn a_condition_that_does_not_end_is_aborted_and_the_next_one_is_answered() {
        let mut database = Database::open_existing(Path::new("no such file")).expect("memory can be had");
        database.put_contact(&Contact { no: "C1".into(), ..Contact::default() }).expect("it is taken");
        database.steps_limit = 2_000_000;
        let endless =
            "no IN (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n)";
        let refused = database.select_into_temporary(endless).expect_err("it does not end");
        assert!(
            matches!(&refused, RecordsError::Condition { reason } if reason == "it takes too long"),
            "{refused:?}"
        );
        database.select_into_temporary("no = 'C1'").expect("it is answered");
        let count = "SELECT count(*) FROM temp.selected";
        let n_selected: i64 = database.connection.query_row(count, [], |row| row.get(0)).expect("a count");
        assert_eq!(n_selected, 1);
    }
}
