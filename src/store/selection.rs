//! Owns selection actions on worksheets: done, recorded, and undone exactly.
//!
//! An action that adds records which line numbers it gave; one that takes away keeps the lines as they were. A number
//! is not given again while its line can come back, so that undoing one action after the other, the last first, always
//! finds its place.

use rusqlite::{OptionalExtension, params};

use super::{Database, from_json, reading, to_json, writing};
use crate::contact::ContactNo;
use crate::run::records::RecordsError;
use crate::run::worksheet::Undone;
use crate::segment::{CriteriaAction, CriteriaKind, CriteriaOptions, LineNo, SavedCriteria, SegmentNo};

/// The company that a contact is or belongs to; empty for none.
const COMPANY: &str = "CASE WHEN c.type = 'company' THEN c.no ELSE c.company_no END";

/// The lines that an action added: the first and last number, or none.
type Added = Option<(LineNo, LineNo)>;

impl Database {
    pub(super) fn apply_criteria(
        &mut self,
        segment: &SegmentNo,
        action: &CriteriaAction,
    ) -> Result<usize, RecordsError> {
        self.select_into_temporary(&action.condition)?;
        let position = self.next_position(segment)?;
        let options = &action.options;
        if options.expand_companies || options.entire_companies {
            self.expand_to_companies()?;
        }
        if options.allow_related_companies {
            self.expand(&format!(
                "SELECT no FROM main.contact WHERE no IN
                 (SELECT {COMPANY} FROM temp.selected JOIN main.contact AS c USING (no))"
            ))?;
        }
        let (n_changed, added) = match action.kind {
            CriteriaKind::Add => self.add_selected(segment, options)?,
            CriteriaKind::Reduce => {
                let of_line = options.line.map_or(String::new(), |line| format!(" AND line_no = {line}"));
                let which = format!("contact IN (SELECT no FROM temp.selected){of_line}");
                (self.remove_lines(segment, position, &which)?, None)
            }
            CriteriaKind::Refine => {
                let which = "contact NOT IN (SELECT no FROM temp.selected)";
                (self.remove_lines(segment, position, which)?, None)
            }
        };
        self.record_action(segment, position, (action, added))?;
        Ok(n_changed)
    }

    /// Adds a line for a contact that a user names, and records that.
    pub(super) fn add_line_by_hand(
        &mut self,
        segment: &SegmentNo,
        contact: &ContactNo,
    ) -> Result<LineNo, RecordsError> {
        let line_no = self.next_free_line_no(segment)?;
        let position = self.next_position(segment)?;
        self.connection
            .execute(
                "INSERT INTO segment_line VALUES (?1, ?2, ?3, NULL)",
                params![segment.0, number(line_no), contact.as_str()],
            )
            .map_err(|error| writing(&error))?;
        let mut action = CriteriaAction::by_hand(CriteriaKind::Add, contact);
        action.options.allow_existing = true;
        self.record_action(segment, position, (&action, Some((line_no, line_no))))?;
        Ok(line_no)
    }

    fn add_selected(
        &mut self,
        segment: &SegmentNo,
        options: &CriteriaOptions,
    ) -> Result<(usize, Added), RecordsError> {
        let first = match options.line {
            Some(line_no) => line_no,
            None => self.next_free_line_no(segment)?,
        };
        let existing = if options.allow_existing {
            ""
        } else {
            "WHERE no NOT IN (SELECT contact FROM segment_line WHERE segment = ?1)"
        };
        let values = if options.ignore_exclusion {
            "CASE WHEN exclude_from_segment THEN '{\"ignore_exclusion\":true}' END"
        } else {
            "NULL"
        };
        let sql = format!(
            "INSERT INTO segment_line
             SELECT ?1, ?2 + (row_number() OVER (ORDER BY company_name, company_no, type, name, no) - 1) * ?3, no,
                    {values}
             FROM temp.selected JOIN main.contact USING (no) {existing}"
        );
        let n_added = self
            .connection
            .execute(&sql, params![segment.0, number(first), LineNo::STEP])
            .map_err(|error| writing(&error))?;
        let last = LineNo(first.0 + (n_added as u64).saturating_sub(1) * LineNo::STEP);
        Ok((n_added, (n_added > 0).then_some((first, last))))
    }

    fn remove_lines(
        &mut self,
        segment: &SegmentNo,
        position: i64,
        which: &str,
    ) -> Result<usize, RecordsError> {
        self.connection
            .execute(
                &format!(
                    "INSERT INTO removed_line SELECT segment, ?2, line_no, contact, set_values
                     FROM segment_line WHERE segment = ?1 AND {which}"
                ),
                params![segment.0, position],
            )
            .and_then(|_| {
                let sql = format!("DELETE FROM segment_line WHERE segment = ?1 AND {which}");
                self.connection.execute(&sql, [&segment.0])
            })
            .map_err(|error| writing(&error))
    }

    /// Everybody of a company of which somebody is selected is selected.
    fn expand_to_companies(&mut self) -> Result<(), RecordsError> {
        self.connection
            .execute_batch(&format!(
                "CREATE TEMP TABLE IF NOT EXISTS company (no TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID;
                 DELETE FROM temp.company;
                 INSERT OR IGNORE INTO temp.company
                 SELECT {COMPANY} FROM temp.selected JOIN main.contact AS c USING (no) WHERE {COMPANY} <> ''"
            ))
            .map_err(|error| writing(&error))?;
        self.expand("SELECT c.no FROM temp.company JOIN main.contact AS c ON c.no = company.no")?;
        self.expand(
            "SELECT c.no FROM temp.company JOIN main.contact AS c ON c.company_no = company.no
             WHERE c.company_no <> ''",
        )
    }

    fn expand(&mut self, query: &str) -> Result<(), RecordsError> {
        self.connection
            .execute(&format!("INSERT OR IGNORE INTO temp.selected {query}"), [])
            .map(|_| ())
            .map_err(|error| writing(&error))
    }

    fn next_position(&self, segment: &SegmentNo) -> Result<i64, RecordsError> {
        let sql = "SELECT ifnull(max(position), 0) + 1 FROM criteria_action WHERE segment = ?1";
        let mut statement = self.connection.prepare_cached(sql).map_err(|error| reading(&error))?;
        statement.query_row([&segment.0], |row| row.get(0)).map_err(|error| reading(&error))
    }

    fn record_action(
        &mut self,
        segment: &SegmentNo,
        position: i64,
        (action, added): (&CriteriaAction, Added),
    ) -> Result<(), RecordsError> {
        let options = to_json(&action.options)?;
        let (first, last) = added.map_or((0, 0), |(first, last)| (number(first), number(last)));
        let sql = "INSERT INTO criteria_action VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let mut statement = self.connection.prepare_cached(sql).map_err(|error| writing(&error))?;
        statement
            .execute(params![
                segment.0,
                position,
                action.kind.as_str(),
                action.condition,
                options,
                first,
                last
            ])
            .map(|_| ())
            .map_err(|error| writing(&error))
    }

    pub(super) fn criteria_actions(
        &mut self,
        segment: &SegmentNo,
    ) -> Result<Vec<CriteriaAction>, RecordsError> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT kind, condition, options FROM criteria_action WHERE segment = ?1 ORDER BY position",
            )
            .map_err(|error| reading(&error))?;
        let mut rows = statement.query([&segment.0]).map_err(|error| reading(&error))?;
        let mut actions = Vec::new();
        while let Some(row) = rows.next().map_err(|error| reading(&error))? {
            let (kind, condition, options): (String, String, String) =
                row.try_into().map_err(|error| reading(&error))?;
            actions.push(CriteriaAction {
                kind: CriteriaKind::parse(&kind).unwrap_or(CriteriaKind::Add),
                condition,
                options: from_json(&options)?,
            });
        }
        Ok(actions)
    }

    /// Undoes the last action and what is one with it; nothing if there is none.
    pub(super) fn undo_action(&mut self, segment: &SegmentNo) -> Result<Option<Undone>, RecordsError> {
        let mut undone: Option<Undone> = None;
        loop {
            let last: Option<(i64, String, String, String, i64, i64)> = self
                .connection
                .query_row(
                    "SELECT position, kind, condition, options, first_line, last_line FROM criteria_action
                     WHERE segment = ?1 ORDER BY position DESC LIMIT 1",
                    [&segment.0],
                    |row| row.try_into(),
                )
                .optional()
                .map_err(|error| reading(&error))?;
            let Some((position, kind, condition, options, first, last)) = last else { return Ok(undone) };
            let options: CriteriaOptions = from_json(&options)?;
            let is_joined = options.is_joined;
            let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| {
                self.connection.execute(sql, values).map_err(|error| writing(&error))
            };
            let n_removed = run(
                "DELETE FROM segment_line WHERE segment = ?1 AND line_no BETWEEN ?2 AND ?3",
                &[&segment.0, &first, &last],
            )?;
            let n_restored = run(
                "INSERT INTO segment_line SELECT segment, line_no, contact, set_values FROM removed_line
                 WHERE segment = ?1 AND position = ?2",
                &[&segment.0, &position],
            )?;
            for table in ["removed_line", "criteria_action"] {
                let sql = format!("DELETE FROM {table} WHERE segment = ?1 AND position = ?2");
                run(&sql, &[&segment.0, &position])?;
            }
            let kind = CriteriaKind::parse(&kind).unwrap_or(CriteriaKind::Add);
            let action = CriteriaAction { kind, condition, options };
            let so_far = undone.map_or((0, 0), |undone| (undone.n_removed, undone.n_restored));
            let undone_now =
                Undone { action, n_removed: so_far.0 + n_removed, n_restored: so_far.1 + n_restored };
            if !is_joined {
                return Ok(Some(undone_now));
            }
            undone = Some(undone_now);
        }
    }

    pub(super) fn put_saved_criteria(&mut self, saved: &SavedCriteria) -> Result<(), RecordsError> {
        let actions = to_json(&saved.actions)?;
        self.connection
            .execute(
                "INSERT INTO saved_criteria VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (code) DO UPDATE SET description = ?2, saved_at = ?3, actions = ?4",
                [&saved.code, &saved.description, &saved.saved_at, &actions],
            )
            .map(|_| ())
            .map_err(|error| writing(&error))
    }

    pub(super) fn saved_criteria_rows(&mut self) -> Result<Vec<SavedCriteria>, RecordsError> {
        let mut statement = self
            .connection
            .prepare("SELECT code, description, saved_at, actions FROM saved_criteria ORDER BY code")
            .map_err(|error| reading(&error))?;
        let mut rows = statement.query([]).map_err(|error| reading(&error))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(|error| reading(&error))? {
            let (code, description, saved_at, actions): (String, String, String, String) =
                row.try_into().map_err(|error| reading(&error))?;
            found.push(SavedCriteria { code, description, saved_at, actions: from_json(&actions)? });
        }
        Ok(found)
    }
}

fn number(line_no: LineNo) -> i64 {
    i64::try_from(line_no.0).unwrap_or(i64::MAX)
}
