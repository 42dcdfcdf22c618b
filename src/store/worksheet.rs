//! Owns changes of worksheets in the database, as commands make them.

use rusqlite::{OptionalExtension, params};

use super::segment::{line_no_of, values_of};
use super::{Database, from_json, reading, to_json, writing};
use crate::contact::ContactNo;
use crate::run::records::RecordsError;
use crate::run::worksheet::{Undone, Worksheets};
use crate::segment::{CriteriaAction, SavedCriteria, SegmentHeader, SegmentLine, SegmentNo};

impl Worksheets for Database {
    fn change_header(&mut self, header: &SegmentHeader) -> Result<(), RecordsError> {
        let json = to_json(header)?;
        self.connection
            .execute("UPDATE segment SET header = ?2 WHERE no = ?1", [&header.no.0, &json])
            .map(|_| ())
            .map_err(|error| writing(&error))
    }

    fn delete_segment(&mut self, segment: &SegmentNo) -> Result<(), RecordsError> {
        self.connection
            .execute("DELETE FROM segment WHERE no = ?1", [&segment.0])
            .map(|_| ())
            .map_err(|error| writing(&error))
    }

    // The index is named: SQLite would go through all lines of the segment, since they are in the order asked for.
    fn lines_of(
        &mut self,
        segment: &SegmentNo,
        contact: &ContactNo,
    ) -> Result<Vec<SegmentLine>, RecordsError> {
        let mut statement = self
            .connection
            .prepare_cached(
                "SELECT line_no, set_values FROM segment_line INDEXED BY segment_line_contact
                 WHERE segment = ?1 AND contact = ?2 ORDER BY line_no",
            )
            .map_err(|error| reading(&error))?;
        let rows = statement
            .query_map([segment.0.as_str(), contact.as_str()], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, Option<String>>(1)?))
            })
            .map_err(|error| reading(&error))?;
        let mut lines = Vec::new();
        for row in rows {
            let (line_no, values) = row.map_err(|error| reading(&error))?;
            let (line_no, values) = (line_no_of(line_no), values_of(values)?);
            lines.push(SegmentLine { line_no, contact: contact.clone(), values });
        }
        Ok(lines)
    }

    fn clear_on_lines(&mut self, segment: &SegmentNo, name: &str) -> Result<u64, RecordsError> {
        // A document that is gone is no merged one; a line on which nothing is set has no object.
        self.connection
            .execute(
                "UPDATE segment_line SET set_values = nullif(CASE WHEN ?2 = 'document'
                     THEN json_remove(set_values, '$.document', '$.is_merged')
                     ELSE json_remove(set_values, '$.' || ?2) END, '{}')
                 WHERE segment = ?1 AND json_type(set_values, '$.' || ?2) IS NOT NULL",
                params![segment.0, name],
            )
            .map(|n_rows| n_rows as u64)
            .map_err(|error| writing(&error))
    }

    fn actions(&mut self, segment: &SegmentNo) -> Result<Vec<CriteriaAction>, RecordsError> {
        self.criteria_actions(segment)
    }

    fn undo(&mut self, segment: &SegmentNo) -> Result<Option<Undone>, RecordsError> {
        self.undo_action(segment)
    }

    fn save_criteria(&mut self, saved: &SavedCriteria) -> Result<(), RecordsError> {
        self.put_saved_criteria(saved)
    }

    fn saved_criteria(&mut self) -> Result<Vec<SavedCriteria>, RecordsError> {
        self.saved_criteria_rows()
    }

    fn forget_criteria(&mut self, code: &str) -> Result<(), RecordsError> {
        self.connection
            .execute("DELETE FROM saved_criteria WHERE code = ?1", [code])
            .map(|_| ())
            .map_err(|error| writing(&error))
    }

    fn header_as_logged(&mut self, logged: &SegmentNo) -> Result<Option<SegmentHeader>, RecordsError> {
        let header: Option<String> = self
            .connection
            .query_row("SELECT header FROM logged_segment WHERE segment = ?1", [&logged.0], |row| row.get(0))
            .optional()
            .map_err(|error| reading(&error))?;
        header.map(|header| from_json(&header)).transpose()
    }

    fn campaign_as_logged(&mut self, logged: &SegmentNo) -> Result<Option<String>, RecordsError> {
        self.connection
            .query_row(
                "SELECT campaign FROM log_sum WHERE run = (SELECT no FROM run WHERE segment = ?1) AND campaign <> ''
                 GROUP BY campaign ORDER BY sum(n_entries) DESC, campaign LIMIT 1",
                [&logged.0],
                |row| row.get(0),
            )
            .optional()
            .map_err(|error| reading(&error))
    }

    fn campaigns_as_logged(
        &mut self,
        logged: &SegmentNo,
        but: &str,
    ) -> Result<Vec<(ContactNo, String)>, RecordsError> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT contact, max(campaign) FROM interaction_log_entry
                 WHERE run = (SELECT no FROM run WHERE segment = ?1) AND campaign NOT IN ('', ?2)
                 GROUP BY contact",
            )
            .map_err(|error| reading(&error))?;
        let rows = statement
            .query_map([logged.0.as_str(), but], |row| {
                Ok((ContactNo::from(row.get::<_, String>(0)?), row.get(1)?))
            })
            .map_err(|error| reading(&error))?;
        rows.collect::<Result<_, _>>().map_err(|error| reading(&error))
    }

    fn put_mailing_group(&mut self, segment: &SegmentNo, code: &str) -> Result<u64, RecordsError> {
        self.connection
            .execute(
                "INSERT INTO contact_code SELECT DISTINCT 'mailing-group', ?2, contact FROM segment_line
                 WHERE segment = ?1 ON CONFLICT DO NOTHING",
                [segment.0.as_str(), code],
            )
            .map(|n_rows| n_rows as u64)
            .map_err(|error| writing(&error))
    }
}
