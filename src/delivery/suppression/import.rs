//! Owns reading a suppression list from a table, as another system exports it: a column `address` or `email`, and
//! `reason` and `since` where it has them. Fails with every wrong record at once.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use super::{AddressKey, Suppression, SuppressionReason, UnknownReason};
use crate::contact::table::{Record, Table, TableError};
use crate::delivery::mailbox::{Address, AddressError};

/// What is wrong with a table of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportProblem {
    /// The table itself.
    #[error(transparent)]
    Table(#[from] TableError),
    /// No column holds addresses.
    #[error("there is no column `address` or `email`")]
    NoAddressColumn {
        /// The file.
        place: String,
    },
    /// A text that is no address.
    #[error("{error}")]
    Address {
        /// What is wrong.
        error: AddressError,
        /// Where.
        place: String,
    },
    /// A text that is no reason.
    #[error("{error}")]
    Reason {
        /// What is wrong.
        error: UnknownReason,
        /// Where.
        place: String,
    },
    /// A text that is no moment.
    #[error("`{}` is no moment, expected one such as 2026-03-01 or 2026-03-01T09:00:00Z", .found.escape_debug())]
    Since {
        /// The text.
        found: String,
        /// Where.
        place: String,
    },
}

impl ImportProblem {
    /// Returns the problem's stable id.
    pub fn id(&self) -> &'static str {
        match self {
            ImportProblem::Table(error) => error.id(),
            ImportProblem::NoAddressColumn { .. } => "no-address-column",
            ImportProblem::Address { error, .. } => error.id(),
            ImportProblem::Reason { .. } => "not-a-reason",
            ImportProblem::Since { .. } => "not-a-time",
        }
    }

    /// Returns where it is.
    pub fn place(&self) -> String {
        match self {
            ImportProblem::Table(error) => error.place(),
            ImportProblem::NoAddressColumn { place }
            | ImportProblem::Address { place, .. }
            | ImportProblem::Reason { place, .. }
            | ImportProblem::Since { place, .. } => place.clone(),
        }
    }

    /// Returns what to do, where that is sure.
    pub fn help(&self) -> Option<String> {
        match self {
            ImportProblem::Table(error) => error.help(),
            ImportProblem::NoAddressColumn { .. } => {
                Some("name the column that holds the addresses `address`".to_owned())
            }
            ImportProblem::Address { .. } | ImportProblem::Reason { .. } | ImportProblem::Since { .. } => {
                Some("correct the cell, or take the row out".to_owned())
            }
        }
    }
}

/// Reads the addresses of a table in file order; an empty `reason` is `otherwise`, an empty `since` is `now`.
///
/// # Errors
///
/// Every [`ImportProblem`] of the table.
pub fn read_table(
    path: &Path,
    otherwise: SuppressionReason,
    now: Timestamp,
) -> Result<Vec<Suppression>, Vec<ImportProblem>> {
    let mut table = Table::open(path).map_err(|error| vec![error.into()])?;
    let column = |name: &str| table.columns().iter().position(|it| it.name.eq_ignore_ascii_case(name));
    let Some(address) = column("address").or_else(|| column("email")) else {
        return Err(vec![ImportProblem::NoAddressColumn { place: table.file().to_owned() }]);
    };
    let (reason, since) = (column("reason"), column("since"));
    let mut problems = Vec::new();
    let mut found = Vec::new();
    let mut record = Record::default();
    while table.read_next(&mut record, &mut |error| problems.push(error.into())) {
        let place = |column| table.place(record.row(), Some(column)).to_string();
        let text = |column: Option<usize>| column.map(|column| (column, record.text(column)));
        let address = record.text(address).parse::<Address>().map_err(|error| {
            problems.push(ImportProblem::Address { error, place: place(address) });
        });
        let reason = match text(reason) {
            Some((column, text)) if !text.is_empty() => text.parse().map_err(|error| {
                problems.push(ImportProblem::Reason { error, place: place(column) });
            }),
            Some(_) | None => Ok(otherwise),
        };
        let since = match text(since) {
            Some((column, text)) if !text.is_empty() => moment(&text).ok_or_else(|| {
                problems.push(ImportProblem::Since { found: text.into_owned(), place: place(column) });
            }),
            Some(_) | None => Ok(now),
        };
        if let (Ok(address), Ok(reason), Ok(since)) = (address, reason, since) {
            found.push(Suppression { address: AddressKey::of(&address), reason, since, entry: None });
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

fn moment(text: &str) -> Option<Timestamp> {
    let midnight = |date: Date| {
        date.to_datetime(Time::midnight())
            .to_zoned_datetime(TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp())
    };
    text.parse().ok().or_else(|| text.parse::<Date>().ok().and_then(midnight))
}
