//! Owns households on a worksheet: which lines are one letter, worked out anew for each check.

use rusqlite::params;

use super::contact::{COLUMNS, contact_of};
use super::{Database, reading, writing};
use crate::contact::Contact;
use crate::run::household::Household;
use crate::run::records::RecordsError;
use crate::segment::{LineNo, SegmentNo};

/// Where the lines of households stand while a segment is looked at; nothing of it is kept.
pub(super) const TABLE: &str =
    "CREATE TEMP TABLE household (line_no INTEGER NOT NULL PRIMARY KEY, head INTEGER NOT NULL);
     CREATE INDEX temp.household_head ON household (head);";

/// What makes a household; empty for none.
const KEY: &str = "CASE WHEN c.household <> '' THEN 'household ' || c.household
     WHEN c.address || c.address_2 <> '' AND c.post_code || c.city <> ''
     THEN 'address ' || lower(trim(c.address) || '|' || trim(c.address_2) || '|' || trim(c.post_code) || '|'
          || trim(c.city) || '|' || c.country)
     END";

impl Database {
    pub(super) fn find_households(&mut self, segment: &SegmentNo) -> Result<(), RecordsError> {
        self.forget_households()?;
        self.connection
            .execute(
                &format!(
                    "INSERT INTO temp.household SELECT line_no, min(line_no) OVER same FROM
                     (SELECT l.line_no, {KEY} AS key, c.language, c.correspondence_type
                      FROM segment_line AS l JOIN contact AS c ON c.no = l.contact
                      WHERE l.segment = ?1 AND l.set_values IS NULL AND c.type = 'person' AND c.company_no = ''
                      AND NOT (c.exclude_from_segment OR c.privacy_blocked OR c.no_mail OR c.no_email
                               OR (c.minor AND NOT c.parental_consent))
                      AND NOT EXISTS (SELECT 1 FROM suppression WHERE address = address_key(c.email))
                      AND NOT EXISTS (SELECT 1 FROM alternative_address AS a JOIN suppression AS s
                                      ON s.address = address_key(json_extract(a.address, '$.email'))
                                      WHERE a.contact = c.no))
                     WHERE key IS NOT NULL
                     WINDOW same AS (PARTITION BY key, language, correspondence_type)"
                ),
                [&segment.0],
            )
            .and_then(|_| {
                self.connection.execute(
                    "DELETE FROM temp.household WHERE head IN
                     (SELECT head FROM temp.household GROUP BY head HAVING count(*) = 1)",
                    [],
                )
            })
            .map(|_| ())
            .map_err(|error| writing(&error))
    }

    pub(super) fn forget_households(&mut self) -> Result<(), RecordsError> {
        self.connection.execute("DELETE FROM temp.household", []).map(|_| ()).map_err(|error| writing(&error))
    }

    /// Tells how a line stands in its household.
    pub(super) fn household_of(
        &self,
        segment: &SegmentNo,
        line_no: LineNo,
    ) -> Result<Household, RecordsError> {
        let number = i64::try_from(line_no.0).unwrap_or(i64::MAX);
        let sql = format!(
            "SELECT {COLUMNS}, h.line_no, h.head FROM temp.household AS own
             JOIN temp.household AS h ON h.head = own.head
             JOIN main.segment_line AS l ON l.segment = ?1 AND l.line_no = h.line_no
             JOIN main.contact AS c ON c.no = l.contact
             WHERE own.line_no = ?2 ORDER BY h.line_no"
        );
        let mut statement = self.connection.prepare_cached(&sql).map_err(|error| reading(&error))?;
        let mut rows = statement.query(params![segment.0, number]).map_err(|error| reading(&error))?;
        let mut others: Vec<Contact> = Vec::new();
        let mut head = None;
        while let Some(row) = rows.next().map_err(|error| reading(&error))? {
            let (line, first): (i64, i64) = (
                row.get(36).map_err(|error| reading(&error))?,
                row.get(37).map_err(|error| reading(&error))?,
            );
            head = Some(first);
            if line != number {
                others.push(contact_of(row).map_err(|error| reading(&error))?);
            }
        }
        Ok(match head {
            None => Household::Alone,
            Some(head) if head == number => Household::Head(others),
            Some(head) => Household::Member(LineNo(head.unsigned_abs())),
        })
    }
}
