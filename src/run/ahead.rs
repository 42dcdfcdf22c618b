//! Owns working ahead: while one batch takes effect and is recorded, the next is merged by all cores.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use rayon::prelude::*;

use crate::contact::CorrespondenceType;
use crate::delivery::folder::Folder;
use crate::delivery::name::safe_name;
use crate::delivery::outbox::Outbox;
use crate::delivery::outcome::Outcome;
use crate::delivery::{Change, DeliveryError, Parcel, Staged, Step, Transport};
use crate::interaction::{EntryNo, RunNo};
use crate::run::buffers::Buffers;
use crate::run::journal::Pending;
use crate::run::{Letters, Office, Progress, RunError, Stage, Stages};
use crate::segment::{LineNo, SegmentNo};

/// How many lines are merged, delivered and recorded at a time.
const LINES_PER_BATCH: usize = 512;

/// The ways out of the house for one run.
#[derive(Debug)]
pub struct Exits {
    /// The segment's folder.
    pub folder: PathBuf,
    letters: Outbox,
    messages: Outbox,
}

impl Exits {
    /// Opens the folders of a segment below `out`: `letters` and `outbox`.
    ///
    /// # Errors
    ///
    /// A folder that cannot be made or written.
    pub fn open(out: &Path, segment: &SegmentNo) -> Result<Exits, DeliveryError> {
        let folder = out.join(safe_name(&segment.0, ""));
        let letters = Outbox::new(Folder::open(&folder.join("letters"))?);
        let messages = Outbox::new(Folder::open(&folder.join("outbox"))?);
        Ok(Exits { folder, letters, messages })
    }

    fn of(&self, kind: CorrespondenceType) -> &dyn Transport {
        match kind {
            CorrespondenceType::HardCopy => &self.letters,
            CorrespondenceType::Email | CorrespondenceType::Fax => &self.messages,
        }
    }
}

/// A batch that is ready to take effect.
#[derive(Default)]
struct Batch {
    letters: Vec<Staged>,
    messages: Vec<Staged>,
    undelivered: Vec<Step>,
}

impl Batch {
    fn len(&self) -> usize {
        self.letters.len() + self.messages.len() + self.undelivered.len()
    }
}

/// Delivers every line that is still to be delivered, until there is none or the user wants to stop.
pub(in crate::run) fn deliver_all(
    office: &mut Office<'_>,
    run: RunNo,
    letters: &Letters,
    exits: &Exits,
    observe: &mut dyn FnMut(Progress),
) -> Result<(), RunError> {
    let bench = Bench { letters, exits, stages: office.stages, buffers: Buffers::default() };
    let mut pending = next_after(office, run, EntryNo(0))?;
    let mut ready = Batch::default();
    while !pending.is_empty() || ready.len() > 0 {
        let mut staged = Ok(Batch::default());
        let next = rayon::in_place_scope(|scope| {
            scope.spawn(|_| staged = bench.stage(&pending));
            take_effect(office, run, exits, ready, observe)?;
            match pending.last() {
                Some(last) => next_after(office, run, last.entry),
                None => Ok(Vec::new()),
            }
        });
        pending = next?;
        ready = staged?;
    }
    Ok(())
}

/// Reads the next lines that are still to be delivered; none if the user wants to stop.
fn next_after(office: &mut Office<'_>, run: RunNo, last: EntryNo) -> Result<Vec<Pending>, RunError> {
    if office.stop.load(Ordering::Relaxed) {
        return Ok(Vec::new());
    }
    let store = &mut *office.store;
    Ok(office.stages.time(Stage::Journal, || store.pending(run, last, LINES_PER_BATCH))?)
}

/// Where letters are merged and prepared to go out.
struct Bench<'a> {
    letters: &'a Letters,
    exits: &'a Exits,
    stages: &'a Stages,
    buffers: Buffers,
}

impl Bench<'_> {
    /// Merges a batch on all cores and prepares what goes out, with no effect that anybody could see.
    fn stage(&self, pending: &[Pending]) -> Result<Batch, DeliveryError> {
        let staged: Vec<Result<_, DeliveryError>> = pending
            .par_iter()
            .map(|line| {
                if let Some(reason) = line.suppressed {
                    return Ok(Err(Change::Suppressed(reason)));
                }
                // A panic over one line's data is that line's failure, never the run's.
                let made = catch_unwind(AssertUnwindSafe(|| self.line(line)));
                let made = made.unwrap_or_else(|_| {
                    Ok(Err("the letter could not be made: the program panicked".to_owned()))
                })?;
                Ok(made.map_err(|reason| Change::Done(Outcome::Failed { reason })))
            })
            .collect();
        let mut batch = Batch::default();
        for (line, staged) in pending.iter().zip(staged) {
            match (staged?, line.correspondence_type) {
                (Ok(staged), CorrespondenceType::HardCopy) => batch.letters.push(staged),
                (Ok(staged), CorrespondenceType::Email | CorrespondenceType::Fax) => {
                    batch.messages.push(staged);
                }
                (Err(change), _) => batch.undelivered.push(Step { line: key(line.entry), change }),
            }
        }
        Ok(batch)
    }

    fn line(&self, line: &Pending) -> Result<Result<Staged, String>, DeliveryError> {
        let key = key(line.entry);
        let exit = self.exits.of(line.correspondence_type);
        let number = line.line_no.0 / LineNo::STEP;
        self.buffers.lend(|buffer| {
            let merged = self.stages.time(Stage::Merge, || self.letters.merge(&line.letter, number, buffer));
            let digest = match merged {
                Ok(digest) => digest,
                Err(reason) => return Ok(Err(reason)),
            };
            let bytes = buffer.letter();
            let staged = |parcel| self.stages.time(Stage::Write, || exit.stage(key, parcel)).map(Ok);
            match line.correspondence_type {
                CorrespondenceType::HardCopy => staged(Parcel::Letter { name: &line.file, bytes, digest }),
                CorrespondenceType::Email | CorrespondenceType::Fax => {
                    match self.stages.time(Stage::Merge, || self.letters.message(line, bytes)) {
                        Ok(message) => staged(Parcel::Message { name: &line.file, message: &message }),
                        Err(reason) => Ok(Err(reason)),
                    }
                }
            }
        })
    }
}

/// Lets a batch take effect; every step is in the journal before the next one that depends on it.
fn take_effect(
    office: &mut Office<'_>,
    run: RunNo,
    exits: &Exits,
    batch: Batch,
    observe: &mut dyn FnMut(Progress),
) -> Result<(), RunError> {
    let (store, stages) = (&mut *office.store, office.stages);
    let mut record = |steps: &[Step]| {
        stages.time_within(Stage::Write, Stage::Journal, || store.record(run, steps))?;
        let n_lines = steps.iter().filter(|step| !matches!(step.change, Change::Sending)).count();
        observe(Progress::Delivered { n_lines: n_lines as u64 });
        Ok(())
    };
    stages.time(Stage::Write, || {
        if !batch.undelivered.is_empty() {
            record(&batch.undelivered).map_err(DeliveryError::Record)?;
        }
        exits.letters.deliver(&mut batch.letters.into_iter(), &mut record)?;
        exits.messages.deliver(&mut batch.messages.into_iter(), &mut record)?;
        Ok(())
    })
}

/// The key of a line for its transport: its entry's number.
fn key(entry: EntryNo) -> u64 {
    entry.0.unsigned_abs()
}
