//! Owns schedules and their due times in the database.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, TransactionBehavior, params};

use super::{Database, from_json, lock, mark, reading, to_json, writing};
use crate::interaction::RunNo;
use crate::run::Lock;
use crate::run::records::RecordsError;
use crate::run::schedule::{DueState, DueTime, Mark, Schedule, ScheduleName, ScheduleRecord, Schedules};
use crate::segment::{CriteriaAction, SegmentNo};

/// The columns of a due time, as [`due_time`] reads them.
const DUE_TIME: &str = "due, state, reason, run, segment, after_hook, told, notice";

impl Schedules for Database {
    fn lock_schedule(&mut self, name: &ScheduleName) -> Result<Option<Box<dyn Lock>>, RecordsError> {
        match lock::lock_named(self.file.as_deref(), &format!("{name}.turn")) {
            Ok(lock) => Ok(lock),
            Err(error) => Err(RecordsError::Surroundings {
                is_write: true,
                reason: format!("schedule {name} cannot be locked: {error}"),
            }),
        }
    }

    fn schedule(&mut self, name: &ScheduleName) -> Result<Option<ScheduleRecord>, RecordsError> {
        let row = self
            .connection
            .query_row(
                "SELECT declaration, added_at, decided_until FROM schedule WHERE name = ?1",
                [name.as_str()],
                texts,
            )
            .optional()
            .map_err(|error| reading(&error))?;
        row.map(record).transpose()
    }

    fn open_due_times(&mut self, name: &ScheduleName) -> Result<Vec<DueTime>, RecordsError> {
        let which = "state IN ('claimed', 'running') ORDER BY due";
        self.due_times_where(name, which, u32::MAX)
    }

    fn decide(
        &mut self,
        name: &ScheduleName,
        until: Timestamp,
        decided: &[DueTime],
    ) -> Result<(), RecordsError> {
        let failed = |error: rusqlite::Error| writing(&error);
        let transaction =
            Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate).map_err(failed)?;
        for due_time in decided {
            // What another host has begun in the meantime stays as it is.
            transaction
                .prepare_cached(
                    "INSERT INTO due_time (schedule, due, state, reason, told) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT (schedule, due) DO UPDATE SET state = ?3, reason = ?4, told = ?5
                     WHERE state = 'claimed'",
                )
                .and_then(|mut statement| {
                    statement.execute(params![
                        name.as_str(),
                        due_time.due.to_string(),
                        due_time.state.as_str(),
                        due_time.reason,
                        due_time.told.map_or("", DueState::as_str),
                    ])
                })
                .map_err(failed)?;
        }
        transaction
            .execute(
                "UPDATE schedule SET decided_until = ?2 WHERE name = ?1",
                [name.as_str(), until.to_string().as_str()],
            )
            .and_then(|_| transaction.commit())
            .map_err(failed)
    }

    fn begin_due(&mut self, name: &ScheduleName, due: Timestamp, run: RunNo) -> Result<(), RecordsError> {
        let n_rows = self
            .connection
            .execute(
                "UPDATE due_time SET state = 'running', reason = '', run = ?3, segment = (SELECT segment FROM run WHERE no = ?3)
                 WHERE schedule = ?1 AND due = ?2 AND state = 'claimed'",
                params![name.as_str(), due.to_string(), run.0],
            )
            .map_err(|error| writing(&error))?;
        match n_rows {
            1 => Ok(()),
            _ => Err(RecordsError::Surroundings {
                is_write: true,
                reason: format!("schedule {name}, due {due}, was taken by another process"),
            }),
        }
    }

    fn put_due_times(&mut self, name: &ScheduleName, due_times: &[DueTime]) -> Result<(), RecordsError> {
        let failed = |error: rusqlite::Error| writing(&error);
        let transaction =
            Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate).map_err(failed)?;
        for due_time in due_times {
            transaction
                .prepare_cached(
                    "UPDATE due_time SET state = ?3, reason = ?4, after_hook = ?5, told = ?6, notice = ?7
                     WHERE schedule = ?1 AND due = ?2",
                )
                .and_then(|mut statement| {
                    statement.execute(params![
                        name.as_str(),
                        due_time.due.to_string(),
                        due_time.state.as_str(),
                        due_time.reason,
                        due_time.after_hook,
                        due_time.told.map_or("", DueState::as_str),
                        due_time.notice,
                    ])
                })
                .map_err(failed)?;
        }
        transaction.commit().map_err(failed)
    }

    fn owed_hooks(&mut self, name: &ScheduleName) -> Result<Vec<DueTime>, RecordsError> {
        self.due_times_where(name, "after_hook = 'owed' ORDER BY due", u32::MAX)
    }

    fn untold(&mut self, name: &ScheduleName) -> Result<Vec<DueTime>, RecordsError> {
        let which = "told <> state AND state IN ('done', 'missed', 'failed') ORDER BY due";
        self.due_times_where(name, which, u32::MAX)
    }

    fn criteria_actions(&mut self, code: &str) -> Result<Option<Vec<CriteriaAction>>, RecordsError> {
        use crate::run::worksheet::Worksheets;
        let saved = self.saved_criteria()?.into_iter().find(|saved| saved.code == code);
        Ok(saved.map(|saved| saved.actions))
    }

    fn mark(&mut self, name: &ScheduleName) -> Result<Option<Mark>, RecordsError> {
        self.file.as_deref().map_or(Ok(None), |file| mark::read(file, name))
    }

    fn put_mark(&mut self, name: &ScheduleName, mark: Mark) -> Result<(), RecordsError> {
        self.file.as_deref().map_or(Ok(()), |file| mark::write(file, name, mark))
    }
}

impl Database {
    /// Adds a schedule, which is due from a moment on; tells whether its name was free.
    ///
    /// # Errors
    ///
    /// A database that cannot be written.
    pub fn add_schedule(&mut self, schedule: &Schedule, now: Timestamp) -> Result<bool, RecordsError> {
        let json = to_json(schedule)?;
        let now = now.to_string();
        let n_rows = self
            .connection
            .execute(
                "INSERT INTO schedule VALUES (?1, ?2, ?3, ?3) ON CONFLICT (name) DO NOTHING",
                [schedule.name.as_str(), &json, &now],
            )
            .map_err(|error| writing(&error))?;
        Ok(n_rows == 1)
    }

    /// Forgets a schedule with its due times, and tells whether it was there; what was logged stays.
    ///
    /// # Errors
    ///
    /// A database that cannot be written.
    pub fn remove_schedule(&mut self, name: &ScheduleName) -> Result<bool, RecordsError> {
        let n_rows = self
            .connection
            .execute("DELETE FROM schedule WHERE name = ?1", [name.as_str()])
            .map_err(|error| writing(&error))?;
        Ok(n_rows == 1)
    }

    /// Lists all schedules in the order of their names.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn schedules(&self) -> Result<Vec<ScheduleRecord>, RecordsError> {
        let mut statement = self
            .connection
            .prepare("SELECT declaration, added_at, decided_until FROM schedule ORDER BY name")
            .map_err(|error| reading(&error))?;
        let rows = statement.query_map([], texts).map_err(|error| reading(&error))?;
        rows.map(|row| record(row.map_err(|error| reading(&error))?)).collect()
    }

    /// Returns the latest due times of a schedule that were decided, latest first.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn latest_due_times(&self, name: &ScheduleName, limit: u32) -> Result<Vec<DueTime>, RecordsError> {
        self.due_times_where(name, "TRUE ORDER BY due DESC", limit)
    }

    /// Counts the due times of a schedule that were missed or failed.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn n_not_run(&self, name: &ScheduleName) -> Result<u64, RecordsError> {
        self.connection
            .query_row(
                "SELECT count(*) FROM due_time WHERE schedule = ?1 AND state IN ('missed', 'failed')",
                [name.as_str()],
                |row| row.get(0),
            )
            .map_err(|error| reading(&error))
    }

    fn due_times_where(
        &self,
        name: &ScheduleName,
        which: &str,
        limit: u32,
    ) -> Result<Vec<DueTime>, RecordsError> {
        let sql = format!("SELECT {DUE_TIME} FROM due_time WHERE schedule = ?1 AND {which} LIMIT ?2");
        let mut statement = self.connection.prepare_cached(&sql).map_err(|error| reading(&error))?;
        let mut rows = statement.query(params![name.as_str(), limit]).map_err(|error| reading(&error))?;
        let mut due_times = Vec::new();
        while let Some(row) = rows.next().map_err(|error| reading(&error))? {
            due_times.push(due_time(row)?);
        }
        Ok(due_times)
    }
}

fn texts(row: &Row<'_>) -> rusqlite::Result<[String; 3]> {
    Ok([row.get(0)?, row.get(1)?, row.get(2)?])
}

fn record([declaration, added_at, decided_until]: [String; 3]) -> Result<ScheduleRecord, RecordsError> {
    Ok(ScheduleRecord {
        schedule: from_json(&declaration)?,
        added_at: moment(&added_at)?,
        decided_until: moment(&decided_until)?,
    })
}

fn due_time(row: &Row<'_>) -> Result<DueTime, RecordsError> {
    let failed = |error: rusqlite::Error| reading(&error);
    let state: String = row.get(1).map_err(failed)?;
    let Some(state) = DueState::parse(&state) else { return Err(damaged(format!("`{state}` is no state"))) };
    Ok(DueTime {
        due: moment(&row.get::<_, String>(0).map_err(failed)?)?,
        state,
        reason: row.get(2).map_err(failed)?,
        run: row.get::<_, Option<i64>>(3).map_err(failed)?.map(RunNo),
        segment: row.get::<_, Option<String>>(4).map_err(failed)?.map(SegmentNo),
        after_hook: row.get(5).map_err(failed)?,
        told: DueState::parse(&row.get::<_, String>(6).map_err(failed)?),
        notice: row.get(7).map_err(failed)?,
    })
}

fn moment(text: &str) -> Result<Timestamp, RecordsError> {
    text.parse().map_err(|_| damaged(format!("`{text}` is no moment")))
}

fn damaged(reason: String) -> RecordsError {
    RecordsError::Surroundings { is_write: false, reason: format!("it is damaged: {reason}") }
}
