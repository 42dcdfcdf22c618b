//! Owns what a run's journal must do: one durable row per line, every change on disk before what depends on it.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use crate::contact::{ContactNo, CorrespondenceType};
use crate::delivery::Step;
use crate::delivery::suppression::SuppressionReason;
use crate::interaction::{EntryNo, RunNo, State};
use crate::run::attempt::{AttemptStep, PastAttempt, Server, Tries};
use crate::run::manifest::ManifestRow;
use crate::run::plan::{PlannedLetter, RunDocument, RunOptions};
use crate::run::records::RecordsError;
use crate::run::seed::{Seed, SeedStep};
use crate::segment::{LineNo, SegmentNo};

/// A line that is still to be delivered.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Its log entry to be.
    pub entry: EntryNo,
    /// The line.
    pub line_no: LineNo,
    /// The contact.
    pub contact: ContactNo,
    /// The contact's name.
    pub contact_name: String,
    /// How it goes out.
    pub correspondence_type: CorrespondenceType,
    /// The e-mail address, or the fax gateway's.
    pub email: String,
    /// The subject.
    pub subject: String,
    /// The name of the file that the delivery writes.
    pub file: String,
    /// What its letter is made of.
    pub letter: PlannedLetter,
    /// Why its address is on the suppression list now, if it is: then it is not written to.
    pub suppressed: Option<SuppressionReason>,
    /// What was tried of it before.
    pub tried: Tries,
}

/// The line whose message the seeds get.
#[derive(Clone, Debug)]
pub struct SeedLine {
    /// The line.
    pub line: Pending,
    /// The comment that was set on it, which a copy leaves out; empty for none.
    pub comment: String,
    /// Its description, which is the subject of a copy where the line's own has the comment.
    pub description: String,
}

/// Which of the lines that are still to be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All.
    All,
    /// Letters on paper.
    Letters,
    /// Messages that were not put off.
    Messages,
    /// Messages that were put off, and are due.
    Due {
        /// The moment.
        now: Timestamp,
        /// What is due later than this was noted by a clock that was ahead, and is due now.
        latest: Timestamp,
    },
}

/// What becomes of lines that were being sent when a run was interrupted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InDoubt {
    /// They stay in doubt.
    #[default]
    Hold,
    /// They are sent again.
    Resend,
    /// They count as accepted.
    AssumeSent,
}

/// How many lines of a run are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each count is that of the state of its name")]
pub struct Counts {
    pub planned: u64,
    pub accepted: u64,
    pub written: u64,
    pub rejected: u64,
    pub failed: u64,
    pub deferred: u64,
    pub in_doubt: u64,
    pub suppressed: u64,
    pub log_only: u64,
}

impl Counts {
    /// Adds lines in a state; what is merged or on its way counts as planned.
    pub fn add(&mut self, state: State, n_lines: u64) {
        let count = match state {
            State::Planned | State::Merged | State::Sending => &mut self.planned,
            State::Accepted => &mut self.accepted,
            State::Deferred => &mut self.deferred,
            State::Rejected => &mut self.rejected,
            State::InDoubt => &mut self.in_doubt,
            State::Written => &mut self.written,
            State::Suppressed => &mut self.suppressed,
            State::LogOnly => &mut self.log_only,
            State::Failed => &mut self.failed,
        };
        *count += n_lines;
    }

    /// Returns the number of lines: the sum of all states.
    pub fn lines(&self) -> u64 {
        self.planned
            + self.accepted
            + self.written
            + self.rejected
            + self.failed
            + self.deferred
            + self.in_doubt
            + self.suppressed
            + self.log_only
    }

    /// Tells whether the run has nothing more to do.
    pub fn is_done(&self) -> bool {
        self.planned == 0 && self.deferred == 0
    }
}

impl fmt::Display for Counts {
    /// Writes the lines as the sum of their states: "500 lines = 362 written + 12 suppressed".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.planned, "planned"),
            (self.accepted, "accepted"),
            (self.written, "written"),
            (self.rejected, "rejected"),
            (self.failed, "failed"),
            (self.deferred, "deferred"),
            (self.in_doubt, "in doubt"),
            (self.suppressed, "suppressed"),
            (self.log_only, "log only"),
        ];
        let parts: Vec<String> =
            parts.iter().filter(|(n, _)| *n > 0).map(|(n, state)| format!("{n} {state}")).collect();
        let lines = self.lines();
        write!(f, "{lines} {} = {}", if lines == 1 { "line" } else { "lines" }, parts.join(" + "))
    }
}

/// The journal of all runs.
pub trait Journal: Send {
    /// Returns the circumstances of a run.
    fn options(&mut self, run: RunNo) -> Result<RunOptions, RecordsError>;
    /// Returns the documents of a run, in the order of their numbers.
    fn documents(&mut self, run: RunNo) -> Result<Vec<RunDocument>, RecordsError>;
    /// Opens the journal of a run again: what was being sent is in doubt, and what is in doubt is what the user decided.
    fn reopen(&mut self, run: RunNo, in_doubt: InDoubt, now: Timestamp) -> Result<(), RecordsError>;
    /// Plans an entry anew that was delivered or not, on purpose; its attempts stay.
    fn plan_again(&mut self, entry: EntryNo) -> Result<(), RecordsError>;
    /// Lists the runs that were begun and not ended, oldest first.
    fn interrupted(&mut self) -> Result<Vec<(RunNo, SegmentNo)>, RecordsError>;
    /// Returns up to `limit` lines after an entry that are still to be delivered, in their order.
    fn pending(
        &mut self,
        run: RunNo,
        which: Which,
        after: EntryNo,
        limit: usize,
    ) -> Result<Vec<Pending>, RecordsError>;
    /// Counts the messages that are still to be delivered, deferred ones included.
    fn n_messages(&mut self, run: RunNo) -> Result<u64, RecordsError>;
    /// Tells when the first deferred message is due.
    fn next_due(&mut self, run: RunNo) -> Result<Option<Timestamp>, RecordsError>;
    /// Lists the attempts of all runs that began since a moment.
    fn past_attempts(&mut self, since: Timestamp) -> Result<Vec<PastAttempt>, RecordsError>;
    /// Records steps, whose lines are entries' numbers, durably, in one transaction; a row that is no longer as it was read is a stranger's.
    fn record(&mut self, run: RunNo, steps: &[Step]) -> Result<(), RecordsError>;
    /// Records changes of attempts and of their entries, durably, in one transaction, as [`Journal::record`] does.
    fn record_attempts(
        &mut self,
        run: RunNo,
        server: &Server<'_>,
        steps: &[AttemptStep<'_>],
    ) -> Result<(), RecordsError>;
    /// Returns the seeds of a run, in the order of its set-up.
    fn seeds(&mut self, run: RunNo) -> Result<Vec<Seed>, RecordsError>;
    /// Returns the line whose message the seeds get; none where no e-mail of the run went out.
    fn seed_line(&mut self, run: RunNo) -> Result<Option<SeedLine>, RecordsError>;
    /// Counts the seeds that are still to be served; none where the run has no e-mail that went out or may do so yet.
    fn n_seeds(&mut self, run: RunNo) -> Result<u64, RecordsError>;
    /// Records changes of attempts for seeds, durably, in one transaction, as [`Journal::record`] does.
    fn record_seeds(
        &mut self,
        run: RunNo,
        server: &Server<'_>,
        steps: &[SeedStep<'_>],
    ) -> Result<(), RecordsError>;
    /// Counts the lines of a run by state.
    fn counts(&mut self, run: RunNo) -> Result<Counts, RecordsError>;
    /// Hands the manifest's row of each line to `take`, in the order of the lines.
    fn manifest(&mut self, run: RunNo, take: &mut dyn FnMut(&ManifestRow)) -> Result<(), RecordsError>;
    /// Makes the run part of the log: logged segment written, worksheet gone, in one transaction.
    fn archive(&mut self, run: RunNo) -> Result<(), RecordsError>;
}
