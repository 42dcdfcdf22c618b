//! Owns worksheets in the database: headers, lines, and where a segment stands.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use rusqlite::{OptionalExtension, Row, params};

use super::contact::{COLUMNS, contact_of};
use super::{Database, from_json, reading, to_json, writing};
use crate::contact::inheritance::{Inherited, inherit};
use crate::contact::{Contact, ContactKind, ContactNo};
use crate::interaction::RunNo;
use crate::run::household::Household;
use crate::run::records::{LineRecord, RecordsError, SegmentStanding};
use crate::segment::{LineNo, LineValues, SegmentHeader, SegmentLine, SegmentNo};

impl Database {
    pub(super) fn segment_standing(&mut self, segment: &SegmentNo) -> Result<SegmentStanding, RecordsError> {
        let run: Option<(i64, bool)> = self
            .connection
            .query_row("SELECT no, is_logged FROM run WHERE segment = ?1", [&segment.0], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()
            .map_err(|error| reading(&error))?;
        match run {
            Some((run, true)) => Ok(SegmentStanding::Logged(RunNo(run))),
            Some((run, false)) => Ok(SegmentStanding::Interrupted(RunNo(run))),
            None if self.segment_row(segment)?.is_some() => Ok(SegmentStanding::Open),
            None => Ok(SegmentStanding::Unknown),
        }
    }

    pub(super) fn last_segment_no_like(&mut self, first: &str) -> Result<Option<SegmentNo>, RecordsError> {
        let prefix = first.trim_end_matches(|c: char| c.is_ascii_digit());
        // The longest number is the greatest: SM100000 comes after SM99999.
        self.connection
            .query_row(
                "SELECT no FROM (SELECT no FROM segment UNION SELECT segment FROM run)
                 WHERE substr(no, 1, length(?1)) = ?1 AND length(no) > length(?1)
                   AND substr(no, length(?1) + 1) NOT GLOB '*[^0-9]*'
                 ORDER BY length(no) DESC, no DESC LIMIT 1",
                [prefix],
                |row| Ok(SegmentNo(row.get(0)?)),
            )
            .optional()
            .map_err(|error| reading(&error))
    }

    pub(super) fn put_segment_row(&mut self, header: &SegmentHeader) -> Result<(), RecordsError> {
        let json = to_json(header)?;
        self.connection
            .execute("DELETE FROM segment WHERE no = ?1", [&header.no.0])
            .and_then(|_| {
                self.connection.execute("INSERT INTO segment VALUES (?1, ?2)", [&header.no.0, &json])
            })
            .map(|_| ())
            .map_err(|error| writing(&error))
    }

    pub(super) fn segment_row(&mut self, segment: &SegmentNo) -> Result<Option<SegmentHeader>, RecordsError> {
        let header: Option<String> = self
            .connection
            .query_row("SELECT header FROM segment WHERE no = ?1", [&segment.0], |row| row.get(0))
            .optional()
            .map_err(|error| reading(&error))?;
        header.map(|header| from_json(&header)).transpose()
    }

    /// Lists the open segments in the order of their numbers, each with the number of its lines.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn open_segments(&self) -> Result<Vec<(SegmentHeader, u64)>, RecordsError> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT header, (SELECT count(*) FROM segment_line WHERE segment = no) FROM segment ORDER BY no",
            )
            .map_err(|error| reading(&error))?;
        let rows = statement
            .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))
            .map_err(|error| reading(&error))?;
        let mut segments = Vec::new();
        for row in rows {
            let (header, n_lines) = row.map_err(|error| reading(&error))?;
            segments.push((from_json(&header)?, n_lines));
        }
        Ok(segments)
    }

    pub(super) fn put_line_row(
        &mut self,
        segment: &SegmentNo,
        line: &SegmentLine,
    ) -> Result<(), RecordsError> {
        let values = if line.values.is_empty() { None } else { Some(to_json(&line.values)?) };
        let mut statement = self
            .connection
            .prepare_cached(
                "INSERT INTO segment_line VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (segment, line_no) DO UPDATE SET contact = ?3, set_values = ?4",
            )
            .map_err(|error| writing(&error))?;
        statement
            .execute(params![segment.0, number(line.line_no), line.contact.as_str(), values])
            .map(|_| ())
            .map_err(|error| writing(&error))
    }

    pub(super) fn line_row_of(
        &mut self,
        segment: &SegmentNo,
        contact: &ContactNo,
    ) -> Result<Option<SegmentLine>, RecordsError> {
        let line: Option<(i64, Option<String>)> = self
            .connection
            .query_row(
                "SELECT line_no, set_values FROM segment_line INDEXED BY segment_line_contact
                 WHERE segment = ?1 AND contact = ?2 ORDER BY line_no LIMIT 1",
                [segment.0.as_str(), contact.as_str()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()
            .map_err(|error| reading(&error))?;
        let Some((line_no, values)) = line else { return Ok(None) };
        Ok(Some(SegmentLine {
            line_no: line_no_of(line_no),
            contact: contact.clone(),
            values: values_of(values)?,
        }))
    }

    pub(super) fn next_free_line_no(&mut self, segment: &SegmentNo) -> Result<LineNo, RecordsError> {
        let last: i64 = self
            .connection
            .query_row(
                "SELECT max(ifnull((SELECT max(line_no) FROM segment_line WHERE segment = ?1), 0),
                            ifnull((SELECT max(line_no) FROM removed_line WHERE segment = ?1), 0))",
                [&segment.0],
                |row| row.get(0),
            )
            .map_err(|error| reading(&error))?;
        Ok(LineNo(line_no_of(last).0 + LineNo::STEP))
    }

    pub(super) fn count_lines(&mut self, segment: &SegmentNo) -> Result<usize, RecordsError> {
        self.connection
            .query_row("SELECT count(*) FROM segment_line WHERE segment = ?1", [&segment.0], |row| row.get(0))
            .map_err(|error| reading(&error))
    }

    pub(super) fn line_records(
        &mut self,
        segment: &SegmentNo,
        after: LineNo,
        limit: usize,
    ) -> Result<Vec<LineRecord>, RecordsError> {
        let has_households = self.has_any("temp.household")?;
        let has_rows = self.has_any("contact_row")?;
        let has_addresses = self.has_any("alternative_address")?;
        let sql = format!(
            "SELECT {COLUMNS}, l.line_no, l.set_values FROM segment_line AS l JOIN contact AS c ON c.no = l.contact
             WHERE l.segment = ?1 AND l.line_no > ?2 ORDER BY l.line_no LIMIT ?3"
        );
        let mut statement = self.connection.prepare_cached(&sql).map_err(|error| reading(&error))?;
        let mut rows = statement
            .query(params![segment.0, number(after), i64::try_from(limit).unwrap_or(i64::MAX)])
            .map_err(|error| reading(&error))?;
        let mut records = Vec::new();
        let mut companies = BTreeMap::new();
        while let Some(row) = rows.next().map_err(|error| reading(&error))? {
            let mut record = line_record(row)?;
            if let Some(company) = self.company_of(&record.contact, &mut companies)? {
                record.inherited = inherit(&mut record.contact, company);
            }
            if has_households {
                record.household = self.household_of(segment, record.line.line_no)?;
            }
            if has_rows {
                record.rows = self.rows_of(record.contact.no.as_str())?;
            }
            if has_addresses {
                record.addresses = self.addresses_of(record.contact.no.as_str())?;
                if record.inherited.address {
                    record.company_addresses = self.addresses_of(&record.contact.company_no)?;
                }
            }
            records.push(record);
        }
        Ok(records)
    }

    /// Returns the company of a person; the persons of a company often stand together.
    fn company_of<'a>(
        &self,
        contact: &Contact,
        known: &'a mut BTreeMap<String, Option<Contact>>,
    ) -> Result<Option<&'a Contact>, RecordsError> {
        if contact.kind == ContactKind::Company || contact.company_no.is_empty() {
            return Ok(None);
        }
        let company = match known.entry(contact.company_no.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let sql = format!("SELECT {COLUMNS} FROM contact AS c WHERE no = ?1 AND type = 'company'");
                let mut statement = self.connection.prepare_cached(&sql).map_err(|error| reading(&error))?;
                let company = statement
                    .query_row([&contact.company_no], contact_of)
                    .optional()
                    .map_err(|error| reading(&error))?;
                new.insert(company)
            }
        };
        Ok(company.as_ref())
    }

    fn has_any(&self, table: &str) -> Result<bool, RecordsError> {
        self.connection
            .query_row(&format!("SELECT EXISTS (SELECT 1 FROM {table})"), [], |row| row.get(0))
            .map_err(|error| reading(&error))
    }
}

fn line_record(row: &Row<'_>) -> Result<LineRecord, RecordsError> {
    let contact = contact_of(row).map_err(|error| reading(&error))?;
    let line_no = row.get(36).map_err(|error| reading(&error))?;
    let values = row.get(37).map_err(|error| reading(&error))?;
    let line =
        SegmentLine { line_no: line_no_of(line_no), contact: contact.no.clone(), values: values_of(values)? };
    Ok(LineRecord {
        line,
        contact,
        inherited: Inherited::default(),
        addresses: Vec::new(),
        company_addresses: Vec::new(),
        household: Household::Alone,
        rows: BTreeMap::new(),
    })
}

pub(super) fn values_of(json: Option<String>) -> Result<LineValues, RecordsError> {
    json.map_or_else(|| Ok(LineValues::default()), |json| from_json(&json))
}

fn number(line_no: LineNo) -> i64 {
    i64::try_from(line_no.0).unwrap_or(i64::MAX)
}

pub(super) fn line_no_of(number: i64) -> LineNo {
    LineNo(number.unsigned_abs())
}
