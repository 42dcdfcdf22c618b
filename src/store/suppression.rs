//! Owns the suppression list in the database.

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Database, reading, writing};
use crate::delivery::mailbox::Address;
use crate::delivery::suppression::{AddressKey, Suppression, SuppressionReason};
use crate::interaction::EntryNo;
use crate::run::journal::Pending;
use crate::run::records::RecordsError;

/// Adds the SQL function `address_key`: the key by which the suppression list knows an address; NULL for what is none.
pub(super) fn add_functions(connection: &Connection) -> rusqlite::Result<()> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("address_key", 1, flags, |context| {
        let text: Option<String> = context.get(0)?;
        let address = text.and_then(|text| text.parse::<Address>().ok());
        Ok(address.map(|address| AddressKey::of(&address).as_str().to_owned()))
    })
}

impl Database {
    /// Puts an address on the list, durably, and tells whether it was not there yet; what is there stays as it is.
    ///
    /// # Errors
    ///
    /// A database that cannot be written.
    pub fn suppress(&mut self, suppression: &Suppression) -> Result<bool, RecordsError> {
        let n_rows = self
            .connection
            .execute(
                "INSERT INTO suppression VALUES (?1, ?2, ?3, ?4) ON CONFLICT (address) DO NOTHING",
                params![
                    suppression.address.as_str(),
                    suppression.reason.as_str(),
                    suppression.since.to_string(),
                    suppression.entry.map(|entry| entry.0),
                ],
            )
            .map_err(|error| writing(&error))?;
        Ok(n_rows == 1)
    }

    /// Takes an address off the list, and tells whether it was there.
    ///
    /// # Errors
    ///
    /// A database that cannot be written.
    pub fn unsuppress(&mut self, address: &AddressKey) -> Result<bool, RecordsError> {
        let n_rows = self
            .connection
            .execute("DELETE FROM suppression WHERE address = ?1", [address.as_str()])
            .map_err(|error| writing(&error))?;
        Ok(n_rows == 1)
    }

    /// Hands all addresses of the list to `take`, in their order.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn each_suppression(&self, take: &mut dyn FnMut(&SuppressionRow)) -> Result<(), RecordsError> {
        let mut statement = self
            .connection
            .prepare("SELECT address, reason, since, entry FROM suppression ORDER BY address")
            .map_err(|error| reading(&error))?;
        let rows = statement.query_map([], suppression_row).map_err(|error| reading(&error))?;
        for row in rows {
            take(&row.map_err(|error| reading(&error))?);
        }
        Ok(())
    }

    pub(super) fn suppressed_rows(
        &mut self,
        addresses: &[AddressKey],
    ) -> Result<Vec<Option<SuppressionReason>>, RecordsError> {
        if !self.suppresses_anybody()? {
            return Ok(vec![None; addresses.len()]);
        }
        addresses.iter().map(|address| self.suppression_of(address)).collect()
    }

    /// Marks the lines whose address is on the list now: it may have come there since the run was planned.
    pub(super) fn mark_suppressed(&self, pending: &mut [Pending]) -> Result<(), RecordsError> {
        if pending.iter().all(|line| line.email.is_empty()) || !self.suppresses_anybody()? {
            return Ok(());
        }
        for line in pending {
            if let Ok(address) = line.email.parse::<Address>() {
                line.suppressed = self.suppression_of(&AddressKey::of(&address))?;
            }
        }
        Ok(())
    }

    fn suppresses_anybody(&self) -> Result<bool, RecordsError> {
        let mut statement =
            self.connection.prepare_cached("SELECT 1 FROM suppression").map_err(|error| reading(&error))?;
        statement.exists([]).map_err(|error| reading(&error))
    }

    fn suppression_of(&self, address: &AddressKey) -> Result<Option<SuppressionReason>, RecordsError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT reason FROM suppression WHERE address = ?1")
            .map_err(|error| reading(&error))?;
        let reason: Option<String> = statement
            .query_row([address.as_str()], |row| row.get(0))
            .optional()
            .map_err(|error| reading(&error))?;
        // A reason of a newer program counts as the office's own decision: the address is not written to.
        Ok(reason.map(|reason| reason.parse().unwrap_or(SuppressionReason::Manual)))
    }
}

/// An address of the list, as lists show it.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[expect(missing_docs, reason = "each field is the documented column of its name")]
pub struct SuppressionRow {
    pub address: String,
    pub reason: String,
    pub since: String,
    pub entry: Option<EntryNo>,
}

fn suppression_row(row: &Row<'_>) -> rusqlite::Result<SuppressionRow> {
    Ok(SuppressionRow {
        address: row.get(0)?,
        reason: row.get(1)?,
        since: row.get(2)?,
        entry: row.get::<_, Option<i64>>(3)?.map(EntryNo),
    })
}
