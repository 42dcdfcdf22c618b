//! Owns the records of a table on their way into letters: read in batches, kept as long as a letter may want them.

use super::{PlainError, PlainMerge, RECORDS_PER_BATCH};
use crate::contact::table::{Record, Table};
use crate::merge::Moment;
use crate::merge::value::Frame;
use crate::run::stage::{Stage, Stages};

/// A record that is to be merged.
pub(super) struct Due {
    /// Its number, from 1.
    pub(super) record: u64,
    pub(super) frame: Frame,
    /// The name of its letter's file, without ending.
    pub(super) stem: String,
}

/// The records of a table, in their order.
pub(super) struct Records<'a> {
    pub(super) merge: &'a PlainMerge,
    pub(super) table: &'a mut Table,
    pub(super) moment: &'a Moment,
    pub(super) stages: &'a Stages,
    pub(super) n_read: u64,
}

impl Records<'_> {
    /// Reads the next records; none at the end.
    pub(super) fn read(&mut self) -> Result<Vec<Due>, PlainError> {
        self.stages.time(Stage::Load, || {
            let mut due = Vec::new();
            let mut record = Record::default();
            while due.len() < RECORDS_PER_BATCH && self.table.read(&mut record)? {
                self.n_read += 1;
                let number = self.n_read;
                let stem = match &self.merge.name {
                    Some(pattern) => pattern
                        .render(&self.merge.frame(&record, pattern.needs()), self.moment)
                        .map_err(|error| PlainError::Letter { record: number, reason: error.to_string() })?,
                    None => format!("{number:06}"),
                };
                let frame = self.merge.frame(&record, self.merge.template.needs());
                self.merge.note_odd_values(number, &frame, &self.moment.locale);
                due.push(Due { record: number, frame, stem });
            }
            Ok(due)
        })
    }
}

/// Records that are read and have no letter yet.
pub(super) struct Waiting<'a> {
    pub(super) records: Records<'a>,
    pub(super) frames: Vec<Frame>,
    pub(super) stems: Vec<String>,
    /// How many records were let go.
    pub(super) n_gone: u64,
    /// Whether the last record is among them.
    pub(super) is_last: bool,
}

impl Waiting<'_> {
    /// Lets the first records go, and reads more.
    pub(super) fn read_on(&mut self, n_done: usize) -> Result<(), PlainError> {
        self.frames.drain(..n_done);
        self.stems.drain(..n_done);
        self.n_gone += n_done as u64;
        let due = self.records.read()?;
        self.is_last = due.is_empty();
        for Due { frame, stem, .. } in due {
            self.frames.push(frame);
            self.stems.push(stem);
        }
        Ok(())
    }
}
