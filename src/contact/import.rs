//! Owns the import: from the records of a table to contacts, their child rows, and their alternative addresses.
//!
//! Every bad record is reported, not the first alone; nothing is handed on behind the first bad one, so that the
//! caller can take everything back. Contacts pass one by one: a key costs eight bytes, a contact nothing.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::table::{Cell, Column, Place, Record, Table, TableError, TableSource};
use super::{Contact, ContactNo, FieldError, all_fields, fold_name};

mod address;
mod problem;
mod rows;

pub use address::{import_addresses, set_address_field, wrong_ranges};
pub use problem::{ImportError, ImportProblem, Problems, Wrong};
pub use rows::{ChildRow, RowImport};

/// How the columns of a table become the fields of a contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactColumns {
    /// The column that holds the contact number: its header, or the field `no` where a column maps to it.
    pub key: String,
    /// Column and field; goes before the column's own name.
    pub map: Vec<(String, String)>,
}

impl Default for ContactColumns {
    fn default() -> ContactColumns {
        ContactColumns { key: "no".to_owned(), map: Vec::new() }
    }
}

/// A column of an import of contacts, by which templates can name its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactColumn {
    /// The header as written.
    pub header: String,
    /// The field of the contact that it fills; empty for a further column.
    pub field: String,
}

/// A contact as it came from its table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportedContact {
    /// The line or row that it stands on.
    pub row: u64,
    /// The contact.
    pub contact: Contact,
    /// The rows nested in it, by the name of their column; from JSON alone.
    pub rows: Vec<(String, Vec<Vec<Cell>>)>,
}

/// What a column is for.
#[derive(Clone, Debug)]
enum Use {
    Field(&'static str),
    Further(String),
    Rows(String),
    Nothing,
}

/// An import of contacts: a table whose columns are understood.
pub struct ContactImport {
    source: TableSource,
    table: Table,
    key: usize,
    uses: Vec<Use>,
}

impl ContactImport {
    /// Opens a table and finds out what its columns are for.
    ///
    /// A column is the field that the map says, or the one of its name, without regard to case, blanks, dots,
    /// underscores and hyphens (`E-Mail` is `email`); every other column is a further one of the contact.
    ///
    /// # Errors
    ///
    /// All [`Problems`] of the header: the key column missing, a column or field of the map unknown, two columns
    /// for one field; or the table's own.
    pub fn open(path: &Path, columns: &ContactColumns) -> Result<ContactImport, Problems> {
        ContactImport::open_source(TableSource::file(path), columns)
    }

    /// Opens a table wherever it is, as [`ContactImport::open`] does.
    ///
    /// # Errors
    ///
    /// As for [`ContactImport::open`].
    pub fn open_source(source: TableSource, columns: &ContactColumns) -> Result<ContactImport, Problems> {
        let table = Table::open_source(&source)?;
        let mut problems = Problems::default();
        let at_header = Place { file: table.file().to_owned(), row: None, column: None };
        let names = || table.columns().iter().map(|column| column.name.as_str());
        for (column, field) in &columns.map {
            if table.position(column).is_none() {
                problems.add(at_header.clone(), Wrong::unknown_column(column, names()));
            }
            if !all_fields().any(|known| known == field) {
                let error = FieldError::UnknownField { name: field.clone() };
                problems.add(at_header.clone(), Wrong::Field(error));
            }
        }
        let key = table
            .position(&columns.key)
            .or_else(|| names().position(|name| fold_name(name) == fold_name(&columns.key)))
            .or_else(|| {
                columns
                    .map
                    .iter()
                    .find(|(_, field)| *field == columns.key)
                    .and_then(|(c, _)| table.position(c))
            });
        let mut uses: Vec<Use> = Vec::new();
        for column in table.columns() {
            let field = field_of(column, columns).filter(|_| column.rows.is_none());
            if let Some(field) = field
                && let Some(first) =
                    uses.iter().position(|earlier| matches!(earlier, Use::Field(f) if *f == field))
            {
                let first = table.columns().get(first).map(|column| column.name.clone()).unwrap_or_default();
                let place = Place { column: Some(column.name.clone()), ..at_header.clone() };
                problems.add(place, Wrong::TwoColumns { field, first });
            }
            uses.push(match (field, &column.rows) {
                (Some(field), _) => Use::Field(field),
                (None, Some(_)) => Use::Rows(column.name.clone()),
                (None, None) if column.name.is_empty() => Use::Nothing,
                (None, None) => Use::Further(column.name.clone()),
            });
        }
        let Some(key) = key else {
            problems.add(at_header, Wrong::no_key(&columns.key, names()));
            return Err(problems);
        };
        problems.none_or_all()?;
        Ok(ContactImport { source, table, key, uses })
    }

    /// Returns the name of the table's file, for people.
    pub fn file(&self) -> &str {
        self.table.file()
    }

    /// Returns the columns that hold one value, in file order: further ones, and those that fill a field.
    pub fn columns(&self) -> Vec<ContactColumn> {
        let of_use = |(column, used): (&Column, &Use)| match used {
            Use::Further(name) => Some(ContactColumn { header: name.clone(), field: String::new() }),
            Use::Field(field) => {
                Some(ContactColumn { header: column.name.clone(), field: (*field).to_owned() })
            }
            Use::Rows(_) | Use::Nothing => None,
        };
        self.table.columns().iter().zip(&self.uses).filter_map(of_use).collect()
    }

    /// Returns the fields that the table has no column for: what a contact has of them, it keeps.
    pub fn absent_fields(&self) -> Vec<&'static str> {
        let is_absent =
            |name: &&str| !self.uses.iter().any(|used| matches!(used, Use::Field(f) if f == name));
        all_fields().filter(is_absent).collect()
    }

    /// Returns the columns that hold rows.
    pub fn row_columns(&self) -> Vec<&Column> {
        self.table.columns().iter().filter(|column| column.rows.is_some()).collect()
    }

    /// Reads all contacts and hands each to `accept`, in file order; returns how many there are.
    ///
    /// # Errors
    ///
    /// All [`Problems`] of the records, or what `accept` failed with. What was accepted before is not wanted then.
    pub fn read_all<E>(
        mut self,
        mut accept: impl FnMut(&ImportedContact) -> Result<(), E>,
    ) -> Result<u64, ImportError<E>> {
        let mut problems = Problems::default();
        let mut keys: Vec<u64> = Vec::new();
        let mut record = Record::default();
        let mut imported = ImportedContact::default();
        loop {
            match self.table.read(&mut record) {
                Ok(false) => break,
                Ok(true) => {
                    keys.push(hash(record.text(self.key).trim()));
                    self.fill(&record, &mut imported, &mut problems);
                    if problems.total == 0 {
                        accept(&imported).map_err(ImportError::Accept)?;
                    }
                }
                Err(error) if error.problem.ends_table() => {
                    problems.add_table(error);
                    return Err(ImportError::Problems(problems));
                }
                Err(error) => problems.add_table(error),
            }
        }
        let n_contacts = keys.len() as u64;
        self.check_keys(keys, &mut problems)?;
        problems.none_or_all()?;
        Ok(n_contacts)
    }

    fn fill(&self, record: &Record, imported: &mut ImportedContact, problems: &mut Problems) {
        // The buffers of the last contact are filled again: a million contacts need no million allocations a field.
        imported.row = record.row();
        imported.rows.clear();
        let contact = &mut imported.contact;
        contact.columns.truncate(self.uses.iter().filter(|used| matches!(used, Use::Further(_))).count());
        let mut n_further = 0;
        for (column, used) in self.uses.iter().enumerate() {
            let set = match used {
                Use::Field("no") if column != self.key => Ok(()),
                Use::Field(field) => contact.set_field(field, record.text(column).trim().to_owned()),
                Use::Further(name) => {
                    let value = record.text(column);
                    match contact.columns.get_mut(n_further) {
                        Some((_, kept)) => {
                            kept.clear();
                            kept.push_str(&value);
                        }
                        None => contact.columns.push((name.clone(), value.into_owned())),
                    }
                    n_further += 1;
                    Ok(())
                }
                Use::Rows(name) => {
                    if let Cell::Rows(rows) = record.cell(column) {
                        imported.rows.push((name.clone(), rows));
                    }
                    Ok(())
                }
                Use::Nothing => Ok(()),
            };
            if let Err(error) = set {
                problems.add(self.table.place(record.row(), Some(column)), Wrong::Field(error));
            }
        }
        if !matches!(self.uses.get(self.key), Some(Use::Field("no"))) {
            let no = record.text(self.key).trim().to_owned();
            if let Err(error) = contact.set_field("no", no) {
                problems.add(self.table.place(record.row(), Some(self.key)), Wrong::Field(error));
            }
        }
    }

    /// Finds keys that stand twice. Only hashes were kept; where two are alike, the file is read again and the
    /// keys themselves are compared.
    fn check_keys(&self, mut keys: Vec<u64>, problems: &mut Problems) -> Result<(), Problems> {
        keys.sort_unstable();
        let alike: Vec<u64> = keys.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        if alike.is_empty() {
            return Ok(());
        }
        let mut first_rows = std::collections::HashMap::new();
        let mut table = Table::open_source(&self.source)?;
        let mut record = Record::default();
        loop {
            match table.read(&mut record) {
                Ok(false) => return Ok(()),
                Err(error) if error.problem.ends_table() => return Err(error.into()),
                // A record that is spoiled was reported on the first reading.
                Err(_) => continue,
                Ok(true) => {}
            }
            let key = record.text(self.key).trim().to_owned();
            if key.is_empty() || alike.binary_search(&hash(&key)).is_err() {
                continue;
            }
            match first_rows.get(&key) {
                Some(first) => {
                    let place = table.place(record.row(), Some(self.key));
                    let first = table.place(*first, None).row;
                    problems.add(place, Wrong::DuplicateKey { key, first });
                }
                None => {
                    first_rows.insert(key, record.row());
                }
            }
        }
    }
}

fn field_of(column: &Column, columns: &ContactColumns) -> Option<&'static str> {
    if let Some((_, mapped)) = columns.map.iter().find(|(name, _)| *name == column.name) {
        return all_fields().find(|field| field == mapped);
    }
    let folded = fold_name(&column.name);
    all_fields().find(|field| fold_name(field) == folded)
}

/// The same on every run: `DefaultHasher::new` has no random keys.
fn hash(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// Reads every record of a table, collecting what is wrong; stops only where nothing behind can be read.
fn read_records(
    table: &mut Table,
    problems: &mut Problems,
    mut each: impl FnMut(&Table, &Record, &mut Problems),
) {
    let mut record = Record::default();
    while table.read_next(&mut record, &mut |error| problems.add_table(error)) {
        each(table, &record, problems);
    }
}

/// Reads the contact number of a record, if it has one that is known.
fn known_contact(
    table: &Table,
    record: &Record,
    column: usize,
    is_known: &dyn Fn(&ContactNo) -> bool,
    problems: &mut Problems,
) -> Option<ContactNo> {
    let contact = ContactNo::new(record.text(column).trim());
    let wrong = if contact.as_str().is_empty() {
        Wrong::Field(FieldError::EmptyNo)
    } else if is_known(&contact) {
        return Some(contact);
    } else {
        Wrong::UnknownContact { contact }
    };
    problems.add(table.place(record.row(), Some(column)), wrong);
    None
}
