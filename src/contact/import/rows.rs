//! Owns the import of child rows: a table beside the contacts, one column of which names the contact.

use std::path::Path;

use super::{
    Cell, Column, ContactNo, ImportError, Place, Problems, Table, TableSource, Wrong, known_contact,
    read_records,
};

/// A row that belongs to a contact.
#[derive(Clone, Debug, PartialEq)]
pub struct ChildRow {
    /// The line or row that it stands on.
    pub row: u64,
    /// Whose it is.
    pub contact: ContactNo,
    /// A cell for each of [`RowImport::columns`].
    pub cells: Vec<Cell>,
}

/// An import of child rows: a table whose contact column is found.
pub struct RowImport {
    table: Table,
    contact: usize,
}

impl RowImport {
    /// Opens a table of child rows; `contact` is the header of the column that names the contact.
    ///
    /// # Errors
    ///
    /// The [`Problems`] of the header.
    pub fn open(path: &Path, contact: &str) -> Result<RowImport, Problems> {
        RowImport::open_source(&TableSource::file(path), contact)
    }

    /// Opens a table wherever it is, as [`RowImport::open`] does.
    ///
    /// # Errors
    ///
    /// As for [`RowImport::open`].
    pub fn open_source(source: &TableSource, contact: &str) -> Result<RowImport, Problems> {
        let table = Table::open_source(source)?;
        let Some(position) = table.position(contact) else {
            let mut problems = Problems::default();
            let place = Place { file: table.file().to_owned(), row: None, column: None };
            problems
                .add(place, Wrong::unknown_column(contact, table.columns().iter().map(|c| c.name.as_str())));
            return Err(problems);
        };
        Ok(RowImport { table, contact: position })
    }

    /// Returns the columns in file order, that of the contact among them.
    pub fn columns(&self) -> &[Column] {
        self.table.columns()
    }

    /// Reads all rows and hands each to `accept`, in file order; returns how many there are.
    ///
    /// # Errors
    ///
    /// All [`Problems`] of the rows, contacts that are not known among them, or what `accept` failed with.
    pub fn read_all<E>(
        mut self,
        is_known: &dyn Fn(&ContactNo) -> bool,
        mut accept: impl FnMut(ChildRow) -> Result<(), E>,
    ) -> Result<u64, ImportError<E>> {
        let mut problems = Problems::default();
        let mut n_rows = 0;
        let mut refused = None;
        read_records(&mut self.table, &mut problems, |table, record, problems| {
            let contact = known_contact(table, record, self.contact, is_known, problems);
            if let (Some(contact), 0, None) = (contact, problems.total, &refused) {
                let cells = (0..table.columns().len()).map(|column| record.cell(column)).collect();
                n_rows += 1;
                refused = accept(ChildRow { row: record.row(), contact, cells }).err();
            }
        });
        match refused {
            Some(error) => Err(ImportError::Accept(error)),
            None => Ok(problems.none_or_all().map(|()| n_rows)?),
        }
    }
}
