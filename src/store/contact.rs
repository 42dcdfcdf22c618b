//! Owns contacts in the database: their rows, further columns, child rows and alternative addresses.

use std::collections::BTreeMap;
use std::fmt;

use rusqlite::{OptionalExtension, Row, params};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Database, from_json, reading, to_json, writing};
use crate::contact::address::AlternativeAddress;
use crate::contact::import::ContactColumn;
use crate::contact::{Contact, ContactKind, ContactNo, CorrespondenceType};
use crate::merge::value::Frame;
use crate::run::records::RecordsError;
use crate::run::values::RowTable;

/// The columns of a contact, in the order in which [`contact_of`] reads them.
pub(super) const COLUMNS: &str = "c.no, c.type, c.company_no, c.company_name, c.name, c.name_2, c.first_name, \
     c.middle_name, c.surname, c.initials, c.job_title, c.address, c.address_2, c.post_code, c.city, c.county, \
     c.country, c.phone, c.mobile, c.fax, c.email, c.home_page, c.vat_no, c.language, c.external_id, \
     c.correspondence_type, c.salutation_code, c.salesperson, c.exclude_from_segment, c.privacy_blocked, c.minor, \
     c.parental_consent, c.no_mail, c.no_email, c.household, c.columns";

/// The fields of a contact as they stand in a row between its number and its further columns.
const FIELDS: [&str; 34] = [
    "type",
    "company_no",
    "company_name",
    "name",
    "name_2",
    "first_name",
    "middle_name",
    "surname",
    "initials",
    "job_title",
    "address",
    "address_2",
    "post_code",
    "city",
    "county",
    "country",
    "phone",
    "mobile",
    "fax",
    "email",
    "home_page",
    "vat_no",
    "language",
    "external_id",
    "correspondence_type",
    "salutation_code",
    "salesperson",
    "exclude_from_segment",
    "privacy_blocked",
    "minor",
    "parental_consent",
    "no_mail",
    "no_email",
    "household",
];

/// What a contact that is there already keeps when it is put.
pub(super) enum Keeping<'a> {
    /// Nothing: it is replaced.
    Nothing,
    /// The fields and further columns that its table lacks.
    But {
        /// The fields.
        absent: &'a [&'static str],
    },
}

/// Reads a contact from a row that begins with [`COLUMNS`].
pub(super) fn contact_of(row: &Row<'_>) -> rusqlite::Result<Contact> {
    let columns: String = row.get(35)?;
    Ok(Contact {
        no: ContactNo::from(row.get::<_, String>(0)?),
        kind: ContactKind::parse(row.get_ref(1)?.as_str()?).unwrap_or_default(),
        company_no: row.get(2)?,
        company_name: row.get(3)?,
        name: row.get(4)?,
        name_2: row.get(5)?,
        first_name: row.get(6)?,
        middle_name: row.get(7)?,
        surname: row.get(8)?,
        initials: row.get(9)?,
        job_title: row.get(10)?,
        address: row.get(11)?,
        address_2: row.get(12)?,
        post_code: row.get(13)?,
        city: row.get(14)?,
        county: row.get(15)?,
        country: row.get(16)?,
        phone: row.get(17)?,
        mobile: row.get(18)?,
        fax: row.get(19)?,
        email: row.get(20)?,
        home_page: row.get(21)?,
        vat_no: row.get(22)?,
        language: row.get(23)?,
        external_id: row.get(24)?,
        correspondence_type: CorrespondenceType::parse(row.get_ref(25)?.as_str()?),
        salutation_code: row.get(26)?,
        salesperson: row.get(27)?,
        exclude_from_segment: row.get(28)?,
        privacy_blocked: row.get(29)?,
        minor: row.get(30)?,
        parental_consent: row.get(31)?,
        no_mail: row.get(32)?,
        no_email: row.get(33)?,
        household: row.get(34)?,
        columns: further_columns(&columns),
    })
}

/// The statement that puts a contact, the same text for each contact of a table, so that it is prepared once.
fn put_sql(keeping: &Keeping<'_>) -> String {
    let (absent, columns) = match keeping {
        Keeping::Nothing => (&[][..], "excluded.columns"),
        Keeping::But { absent } => (*absent, "json_patch(columns, excluded.columns)"),
    };
    let mut sql = String::with_capacity(2_048);
    sql.push_str("INSERT INTO contact VALUES (?");
    sql.push_str(&", ?".repeat(FIELDS.len() + 1));
    sql.push_str(") ON CONFLICT (no) DO UPDATE SET ");
    for field in FIELDS.iter().filter(|field| !absent.contains(field)) {
        for piece in [field, " = excluded.", field, ", "] {
            sql.push_str(piece);
        }
    }
    sql.push_str("columns = ");
    sql.push_str(columns);
    sql
}

fn further_columns(json: &str) -> Vec<(String, String)> {
    if json == "{}" {
        return Vec::new();
    }
    serde_json::from_str(json).map(|Columns(columns)| columns).unwrap_or_default()
}

/// The further columns of a contact as a JSON object, read and written without a tree in between.
struct Columns<C>(C);

impl Serialize for Columns<&[(String, String)]> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de> Deserialize<'de> for Columns<Vec<(String, String)>> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Vec<(String, String)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(pairs)
            }
        }
        deserializer.deserialize_map(Pairs).map(Columns)
    }
}

impl Database {
    /// Adds a contact, or replaces what it does not keep.
    pub(super) fn put_contact_row(
        &mut self,
        contact: &Contact,
        keeping: &Keeping<'_>,
    ) -> Result<(), RecordsError> {
        let columns = to_json(&Columns(contact.columns.as_slice()))?;
        let sql = put_sql(keeping);
        let mut statement = self.connection.prepare_cached(&sql).map_err(|error| writing(&error))?;
        statement
            .execute(params![
                contact.no.as_str(),
                contact.kind.as_str(),
                contact.company_no,
                contact.company_name,
                contact.name,
                contact.name_2,
                contact.first_name,
                contact.middle_name,
                contact.surname,
                contact.initials,
                contact.job_title,
                contact.address,
                contact.address_2,
                contact.post_code,
                contact.city,
                contact.county,
                contact.country,
                contact.phone,
                contact.mobile,
                contact.fax,
                contact.email,
                contact.home_page,
                contact.vat_no,
                contact.language,
                contact.external_id,
                contact.correspondence_type.map_or("", CorrespondenceType::as_str),
                contact.salutation_code,
                contact.salesperson,
                contact.exclude_from_segment,
                contact.privacy_blocked,
                contact.minor,
                contact.parental_consent,
                contact.no_mail,
                contact.no_email,
                contact.household,
                columns,
            ])
            .map_err(|error| writing(&error))?;
        Ok(())
    }

    pub(super) fn has_contact_row(&mut self, no: &ContactNo) -> Result<bool, RecordsError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT 1 FROM contact WHERE no = ?1")
            .map_err(|error| reading(&error))?;
        statement.exists([no.as_str()]).map_err(|error| reading(&error))
    }

    pub(super) fn contact_row(&mut self, no: &ContactNo) -> Result<Option<Contact>, RecordsError> {
        let sql = format!("SELECT {COLUMNS} FROM contact AS c WHERE no = ?1");
        self.connection.query_row(&sql, [no.as_str()], contact_of).optional().map_err(|error| reading(&error))
    }

    /// Hands up to `limit` contacts after a number to `take`, in the order of their numbers.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn each_contact(
        &self,
        after: &str,
        limit: Option<u64>,
        take: &mut dyn FnMut(&Contact),
    ) -> Result<(), RecordsError> {
        let sql = format!("SELECT {COLUMNS} FROM contact AS c WHERE no > ?1 ORDER BY no LIMIT ?2");
        let mut statement = self.connection.prepare(&sql).map_err(|error| reading(&error))?;
        let limit = limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(-1);
        let contacts =
            statement.query_map(params![after, limit], contact_of).map_err(|error| reading(&error))?;
        for contact in contacts {
            take(&contact.map_err(|error| reading(&error))?);
        }
        Ok(())
    }

    pub(super) fn put_contact_columns(&mut self, columns: &[ContactColumn]) -> Result<(), RecordsError> {
        for column in columns {
            self.connection
                .execute(
                    "INSERT INTO contact_column SELECT ?1, ?2, ifnull(max(position), 0) + 1 FROM contact_column
                     WHERE true ON CONFLICT (header) DO UPDATE SET field = ?2",
                    [&column.header, &column.field],
                )
                .map_err(|error| writing(&error))?;
        }
        Ok(())
    }

    pub(super) fn contact_columns(&mut self) -> Result<Vec<ContactColumn>, RecordsError> {
        let mut statement = self
            .connection
            .prepare("SELECT header, field FROM contact_column ORDER BY position")
            .map_err(|error| reading(&error))?;
        let columns = statement
            .query_map([], |row| Ok(ContactColumn { header: row.get(0)?, field: row.get(1)? }))
            .map_err(|error| reading(&error))?;
        columns.collect::<Result<_, _>>().map_err(|error| reading(&error))
    }

    pub(super) fn put_child_table(&mut self, table: &RowTable) -> Result<(), RecordsError> {
        let columns = to_json(&table.columns)?;
        self.connection
            .execute(
                "INSERT INTO row_table VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET columns = ?2",
                [&table.name, &columns],
            )
            .and_then(|_| self.connection.execute("DELETE FROM contact_row WHERE name = ?1", [&table.name]))
            .map_err(|error| writing(&error))?;
        Ok(())
    }

    pub(super) fn child_tables(&mut self) -> Result<Vec<RowTable>, RecordsError> {
        let mut statement = self
            .connection
            .prepare("SELECT name, columns FROM row_table ORDER BY name")
            .map_err(|error| reading(&error))?;
        let tables = statement
            .query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))
            .map_err(|error| reading(&error))?;
        let mut found = Vec::new();
        for table in tables {
            let (name, columns) = table.map_err(|error| reading(&error))?;
            found.push(RowTable { name, columns: from_json(&columns)? });
        }
        Ok(found)
    }

    pub(super) fn put_child_row(
        &mut self,
        table: &str,
        contact: &ContactNo,
        row: &Frame,
    ) -> Result<(), RecordsError> {
        let cells = to_json(row)?;
        let mut statement = self
            .connection
            .prepare_cached(
                "INSERT INTO contact_row SELECT ?1, ?2, ifnull(max(position), 0) + 1, ?3
                 FROM contact_row WHERE contact = ?1 AND name = ?2",
            )
            .map_err(|error| writing(&error))?;
        statement
            .execute(params![contact.as_str(), table, cells])
            .map(|_| ())
            .map_err(|error| writing(&error))
    }

    /// Returns the child rows of a contact by table.
    pub(super) fn rows_of(&self, contact: &str) -> Result<BTreeMap<String, Vec<Frame>>, RecordsError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT name, cells FROM contact_row WHERE contact = ?1 ORDER BY name, position")
            .map_err(|error| reading(&error))?;
        let mut rows = statement.query([contact]).map_err(|error| reading(&error))?;
        let mut found: BTreeMap<String, Vec<Frame>> = BTreeMap::new();
        while let Some(row) = rows.next().map_err(|error| reading(&error))? {
            let name: String = row.get(0).map_err(|error| reading(&error))?;
            let cells: String = row.get(1).map_err(|error| reading(&error))?;
            found.entry(name).or_default().push(from_json(&cells)?);
        }
        Ok(found)
    }

    pub(super) fn clear_alternative_addresses(&mut self, no: &ContactNo) -> Result<(), RecordsError> {
        let mut statement = self
            .connection
            .prepare_cached("DELETE FROM alternative_address WHERE contact = ?1")
            .map_err(|error| writing(&error))?;
        statement.execute([no.as_str()]).map(|_| ()).map_err(|error| writing(&error))
    }

    pub(super) fn put_alternative_address(
        &mut self,
        address: &AlternativeAddress,
    ) -> Result<(), RecordsError> {
        let json = to_json(address)?;
        self.connection
            .execute(
                "INSERT INTO alternative_address SELECT ?1, ifnull(max(position), 0) + 1, ?2
                 FROM alternative_address WHERE contact = ?1",
                params![address.contact.as_str(), json],
            )
            .map(|_| ())
            .map_err(|error| writing(&error))
    }

    /// Hands the alternative addresses of a contact, or of all, to `take`, in the order of the contacts.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn each_address(
        &self,
        contact: Option<&ContactNo>,
        take: &mut dyn FnMut(&AlternativeAddress),
    ) -> Result<(), RecordsError> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT address FROM alternative_address WHERE ?1 IS NULL OR contact = ?1
                 ORDER BY contact, position",
            )
            .map_err(|error| reading(&error))?;
        let mut rows = statement.query([contact.map(ContactNo::as_str)]).map_err(|error| reading(&error))?;
        while let Some(row) = rows.next().map_err(|error| reading(&error))? {
            let json: String = row.get(0).map_err(|error| reading(&error))?;
            take(&from_json(&json)?);
        }
        Ok(())
    }

    /// Returns the alternative addresses of a contact, in the order in which they were imported.
    pub(super) fn addresses_of(&self, contact: &str) -> Result<Vec<AlternativeAddress>, RecordsError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT address FROM alternative_address WHERE contact = ?1 ORDER BY position")
            .map_err(|error| reading(&error))?;
        let mut rows = statement.query([contact]).map_err(|error| reading(&error))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(|error| reading(&error))? {
            let json: String = row.get(0).map_err(|error| reading(&error))?;
            found.push(from_json(&json)?);
        }
        Ok(found)
    }
}
