//! Owns evidence in a table, as a provider's web site exports it: a Message-ID and what became of it.
//! Fails with every wrong record at once.

use std::collections::BTreeSet;
use std::path::Path;

use uuid::Uuid;

use super::{Evidence, TEXT_LIMIT_CHARACTERS, reply_code};
use crate::contact::table::{Record, Table, TableError};
use crate::delivery::bounce::message_key;

/// What is wrong with a table of evidence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceProblem {
    /// The table itself.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A column is missing.
    #[error("there is no column `{column}`")]
    NoColumn {
        /// Its header.
        column: &'static str,
        /// The file.
        place: String,
    },
    /// A text that is no state.
    #[error("`{}` is no state, expected accepted or rejected", .found.escape_debug())]
    State {
        /// The text.
        found: String,
        /// Where.
        place: String,
    },
}

impl EvidenceProblem {
    /// Returns the problem's stable id.
    pub fn id(&self) -> &'static str {
        match self {
            EvidenceProblem::Table(error) => error.id(),
            EvidenceProblem::NoColumn { .. } => "no-column",
            EvidenceProblem::State { .. } => "not-a-state",
        }
    }

    /// Returns where it is.
    pub fn place(&self) -> String {
        match self {
            EvidenceProblem::Table(error) => error.place(),
            EvidenceProblem::NoColumn { place, .. } | EvidenceProblem::State { place, .. } => place.clone(),
        }
    }

    /// Returns what to do, where that is sure.
    pub fn help(&self) -> Option<String> {
        match self {
            EvidenceProblem::Table(error) => error.help(),
            EvidenceProblem::NoColumn { .. } => Some("name the columns `message_id` and `state`".to_owned()),
            EvidenceProblem::State { .. } => None,
        }
    }
}

/// Reads the records of a table that are about messages in `wanted`; others are passed over.
///
/// The states are `accepted`, `sent` and `delivered`, which say the same, and `rejected`, `bounced` and `failed`.
///
/// # Errors
///
/// Every [`EvidenceProblem`] of the table.
pub fn table(path: &Path, wanted: &BTreeSet<Uuid>) -> Result<Vec<Evidence>, Vec<EvidenceProblem>> {
    let mut table = Table::open(path).map_err(|error| vec![error.into()])?;
    let column = |name: &str| table.columns().iter().position(|it| it.name.eq_ignore_ascii_case(name));
    let (message_id, state, reply) = match (column("message_id"), column("state"), column("reply")) {
        (Some(message_id), Some(state), reply) => (message_id, state, reply),
        (message_id, _, _) => {
            let column = if message_id.is_none() { "message_id" } else { "state" };
            return Err(vec![EvidenceProblem::NoColumn { column, place: table.file().to_owned() }]);
        }
    };
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    let mut record = Record::default();
    while table.read_next(&mut record, &mut |error| problems.push(error.into())) {
        let Some(message) = message_key(&record.text(message_id)).filter(|it| wanted.contains(it)) else {
            continue;
        };
        let text: String = reply
            .map(|column| record.text(column))
            .unwrap_or_default()
            .chars()
            .take(TEXT_LIMIT_CHARACTERS)
            .collect();
        let written = record.text(state);
        let is_taken = match written.trim().to_ascii_lowercase().as_str() {
            "accepted" | "sent" | "delivered" => true,
            "rejected" | "bounced" | "failed" => false,
            _ => {
                let place = table.place(record.row(), Some(state)).to_string();
                problems.push(EvidenceProblem::State { found: written.into_owned(), place });
                continue;
            }
        };
        found.push(Evidence {
            message,
            is_taken,
            code: reply_code(&text),
            status: text.split([' ', ';', ',']).find_map(|word| word.parse().ok()),
            text,
            source: table.place(record.row(), None).to_string(),
        });
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}
