//! Owns working ahead: while one batch takes effect and is recorded, the next is merged by all cores.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Scope};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::contact::CorrespondenceType;
use crate::delivery::folder::Folder;
use crate::delivery::mailbox::Mailbox;
use crate::delivery::message::Message;
use crate::delivery::name::safe_name;
use crate::delivery::outbox::Outbox;
use crate::delivery::outcome::Outcome;
use crate::delivery::pdf::Converter;
use crate::delivery::smtp::mailer::Mailer;
use crate::delivery::{Change, DeliveryError, Parcel, Staged, Step, Transport};
use crate::interaction::{EntryNo, RunNo};
use crate::run::album::Album;
use crate::run::buffers::Buffers;
use crate::run::enclosure::{file_names, hand_out, parcels};
use crate::run::journal::{Pending, SeedLine, Which};
use crate::run::letters::LetterAs;
use crate::run::paper::{self, LinePdf};
use crate::run::size;
use crate::run::{Letters, Office, Progress, RunError, Stage, Stages};
use crate::segment::{LineNo, SegmentNo};
use crate::setup::LetterFiles;

/// How many lines are merged, delivered and recorded at a time.
const LINES_PER_BATCH: usize = 512;
/// How many batches are merged, or wait to be, while one takes effect.
const BATCHES_AHEAD: usize = 2;

/// The ways out of the house for one run.
#[derive(Debug)]
pub struct Exits<'a> {
    /// The segment's folder.
    pub folder: PathBuf,
    letters: Outbox,
    messages: Outbox,
    mailer: Option<&'a Mailer<'a>>,
}

impl<'a> Exits<'a> {
    /// Opens the folders of a segment below `out`: `letters` and `outbox`.
    ///
    /// # Errors
    ///
    /// A folder that cannot be made or written.
    pub fn open(out: &Path, segment: &SegmentNo) -> Result<Exits<'a>, DeliveryError> {
        let folder = folder(out, segment);
        let letters = Outbox::new(Folder::open(&folder.join("letters"))?);
        let messages = Outbox::new(Folder::open(&folder.join("outbox"))?);
        Ok(Exits { folder, letters, messages, mailer: None })
    }

    /// Lets messages go out over a mail server and not into the outbox.
    pub(in crate::run) fn over(self, mailer: Option<&'a Mailer<'a>>) -> Exits<'a> {
        Exits { mailer, ..self }
    }

    fn of(&self, kind: CorrespondenceType) -> &dyn Transport {
        match kind {
            CorrespondenceType::HardCopy => &self.letters,
            CorrespondenceType::Email | CorrespondenceType::Fax => match self.mailer {
                Some(mailer) => mailer,
                None => &self.messages,
            },
        }
    }

    /// What [`deliver_all`] delivers; messages that go out over a server are sent by themselves.
    fn which(&self) -> Which {
        if self.mailer.is_some() { Which::Letters } else { Which::All }
    }
}

/// The folder of a segment below `out`.
pub(in crate::run) fn folder(out: &Path, segment: &SegmentNo) -> PathBuf {
    out.join(safe_name(&segment.0, ""))
}

/// A batch that is ready to take effect.
#[derive(Default)]
pub(in crate::run) struct Batch {
    letters: Vec<Staged>,
    /// Messages, to be sent or to be written.
    pub(in crate::run) messages: Vec<Staged>,
    /// What does not go out at all.
    pub(in crate::run) undelivered: Vec<Step>,
}

/// A merger that works ahead of whoever delivers.
pub(in crate::run) struct Ahead {
    orders: SyncSender<(Vec<Pending>, Arc<Album>)>,
    merged: Receiver<Result<Batch, DeliveryError>>,
    n_ahead: usize,
}

impl Ahead {
    /// Begins to merge on a thread of its own, until there are no more orders or the user wants to stop: what is not
    /// begun then is not merged, and stays as it was.
    pub(in crate::run) fn begin<'scope>(
        scope: &'scope Scope<'scope, '_>,
        bench: &'scope Bench<'_>,
        stop: &'scope AtomicBool,
    ) -> Ahead {
        let (orders, to_merge) = sync_channel::<(Vec<Pending>, Arc<Album>)>(BATCHES_AHEAD);
        let (done, merged) = sync_channel(BATCHES_AHEAD);
        scope.spawn(move || {
            for (pending, album) in to_merge {
                if stop.load(Ordering::Relaxed) || done.send(bench.stage(&pending, &album)).is_err() {
                    break;
                }
            }
        });
        Ahead { orders, merged, n_ahead: 0 }
    }

    /// Tells whether the merger has too little to do.
    pub(in crate::run) fn has_room(&self) -> bool {
        self.n_ahead < BATCHES_AHEAD
    }

    /// Hands lines to the merger, with the pictures of their letters.
    pub(in crate::run) fn order(&mut self, pending: Vec<Pending>, album: Arc<Album>) {
        // A merger that has stopped has nothing to say, and is asked no more.
        if self.orders.send((pending, album)).is_ok() {
            self.n_ahead += 1;
        }
    }

    /// Waits for the oldest batch that was ordered; none if there is none, or the merger has stopped.
    pub(in crate::run) fn next(&mut self) -> Option<Result<Batch, DeliveryError>> {
        self.n_ahead = self.n_ahead.checked_sub(1)?;
        self.merged.recv().ok()
    }
}

/// Delivers every line that is still to be delivered, until there is none or the user wants to stop.
pub(in crate::run) fn deliver_all(
    office: &mut Office<'_>,
    run: RunNo,
    bench: &Bench<'_>,
    observe: &mut dyn FnMut(Progress),
) -> Result<(), RunError> {
    let exits = bench.exits;
    thread::scope(|scope| {
        let mut ahead = Ahead::begin(scope, bench, office.stop);
        let mut album = Arc::new(Album::default());
        let mut after = Some(EntryNo(0));
        loop {
            while let Some(last) = after.filter(|_| ahead.has_room()) {
                let (pending, pictures) = next_after(office, run, (exits.which(), last), &album)?;
                album = Arc::new(pictures);
                after = pending.last().map(|line| line.entry);
                if after.is_some() {
                    ahead.order(pending, Arc::clone(&album));
                }
            }
            let Some(batch) = ahead.next() else { return Ok(()) };
            take_effect(office, run, exits, batch?, observe)?;
        }
    })
}

/// Reads the next lines that are still to be delivered, with their pictures: fewer lines where they have many, and none
/// if the user wants to stop.
fn next_after(
    office: &mut Office<'_>,
    run: RunNo,
    (which, last): (Which, EntryNo),
    before: &Album,
) -> Result<(Vec<Pending>, Album), RunError> {
    if office.stop.load(Ordering::Relaxed) {
        return Ok((Vec::new(), Album::default()));
    }
    let store = &mut *office.store;
    let mut pending =
        office.stages.time(Stage::Journal, || store.pending(run, which, last, LINES_PER_BATCH))?;
    let letters = pending.iter().map(|line| &line.letter);
    let (album, n_lines) = office.stages.time(Stage::Load, || Album::fetch(store, letters, before))?;
    pending.truncate(n_lines);
    Ok((pending, album))
}

/// Where letters are merged and prepared to go out.
pub(in crate::run) struct Bench<'a> {
    letters: &'a Letters,
    exits: &'a Exits<'a>,
    stages: &'a Stages,
    buffers: Buffers,
    converter: Option<&'a Converter>,
}

impl<'a> Bench<'a> {
    /// Sets up where the letters of a run are merged for their ways out.
    pub(in crate::run) fn new(letters: &'a Letters, exits: &'a Exits<'a>, stages: &'a Stages) -> Bench<'a> {
        Bench { letters, exits, stages, buffers: Buffers::default(), converter: None }
    }

    /// Lets letters become PDF where they need to.
    pub(in crate::run) fn with(self, converter: Option<&'a Converter>) -> Bench<'a> {
        Bench { converter, ..self }
    }

    /// Returns the way out for a correspondence type.
    pub(in crate::run) fn exit(&self, kind: CorrespondenceType) -> &dyn Transport {
        self.exits.of(kind)
    }

    /// Makes copies of the message of a line for seeds; the inner error tells why they cannot be made.
    pub(in crate::run) fn copies(
        &self,
        line: &SeedLine,
        album: &Album,
        seeds: &[&Mailbox],
    ) -> Result<Result<Vec<Message>, String>, DeliveryError> {
        let line = self.letters.without_comment(line);
        let mut pdf = None;
        if let Some(converter) = self.converter {
            let one = std::slice::from_ref(&line);
            pdf = paper::pdfs(converter, (self.letters, album), &self.buffers, one)?.pop().flatten();
        }
        let pdfs = match pdf.transpose() {
            Ok(pdfs) => pdfs.unwrap_or_default(),
            Err(reason) => return Ok(Err(reason)),
        };
        let number = line.line_no.0 / LineNo::STEP;
        let make = || {
            self.buffers.lend(|buffer| {
                self.letters.merge(&line.letter, number, album, buffer)?;
                let mut enclosed = self.letters.enclosed(&line.letter, number, album)?;
                let pdf = hand_out(&pdfs, &mut enclosed);
                let letter = LetterAs { docx: buffer.letter(), pdf, enclosed: &enclosed };
                seeds.iter().map(|seed| self.letters.seed(&line, letter, seed)).collect()
            })
        };
        let made = catch_unwind(AssertUnwindSafe(make));
        Ok(made.unwrap_or_else(|_| Err("the copy could not be made: the program panicked".to_owned())))
    }

    /// Merges a batch on all cores and prepares what goes out, with no effect that anybody could see.
    pub(in crate::run) fn stage(&self, pending: &[Pending], album: &Album) -> Result<Batch, DeliveryError> {
        let pdfs = match self.converter {
            Some(converter) => paper::pdfs(converter, (self.letters, album), &self.buffers, pending)?,
            None => pending.iter().map(|_| None).collect(),
        };
        let staged: Vec<Result<_, DeliveryError>> = pending
            .par_iter()
            .zip(&pdfs)
            .map(|(line, pdf)| {
                if let Some(reason) = line.suppressed {
                    return Ok(Err(Change::Suppressed(reason)));
                }
                // A panic over one line's data is that line's failure, never the run's.
                let made = catch_unwind(AssertUnwindSafe(|| self.line(line, album, pdf)));
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

    fn line(
        &self,
        line: &Pending,
        album: &Album,
        pdf: &LinePdf,
    ) -> Result<Result<Staged, String>, DeliveryError> {
        let key = key(line.entry);
        let exit = self.exits.of(line.correspondence_type);
        let number = line.line_no.0 / LineNo::STEP;
        self.buffers.lend(|buffer| {
            let merged =
                self.stages.time(Stage::Merge, || self.letters.merge(&line.letter, number, album, buffer));
            let digest = match merged {
                Ok(digest) => digest,
                Err(reason) => return Ok(Err(reason)),
            };
            let docx = buffer.letter();
            let merge = || self.letters.enclosed(&line.letter, number, album);
            let mut enclosed = match self.stages.time(Stage::Merge, merge) {
                Ok(enclosed) => enclosed,
                Err(reason) => return Ok(Err(reason)),
            };
            let pdf = match pdf {
                Some(Err(reason)) => return Ok(Err(reason.clone())),
                Some(Ok(pdfs)) => hand_out(pdfs, &mut enclosed),
                None => None,
            };
            let staged = |parcel| self.stages.time(Stage::Write, || exit.stage(key, parcel)).map(Ok);
            match line.correspondence_type {
                CorrespondenceType::HardCopy => {
                    let files = self.letters.paper().letters;
                    let names = file_names(&line.file, enclosed.iter().map(|it| it.name.as_str()));
                    let (name, enclosures) = (line.file.as_str(), &parcels(&enclosed, &names, files)[..]);
                    match pdf {
                        None => {
                            staged(Parcel::Letter { name, bytes: docx, digest, beside: None, enclosures })
                        }
                        Some(bytes) => {
                            let docx_name = beside(name);
                            let both = files == LetterFiles::Both;
                            let beside = both.then_some((docx_name.as_str(), docx));
                            let digest = Sha256::digest(bytes).into();
                            staged(Parcel::Letter { name, bytes, digest, beside, enclosures })
                        }
                    }
                }
                CorrespondenceType::Email | CorrespondenceType::Fax => {
                    let letter = LetterAs { docx, pdf, enclosed: &enclosed };
                    let made = self.stages.time(Stage::Merge, || self.letters.message(line, letter));
                    let message = match made {
                        Ok(message) => message,
                        Err(reason) => return Ok(Err(reason)),
                    };
                    // Only now is there a PDF to be measured.
                    match size::excesses(self.letters, line, letter, &message).first() {
                        Some(excess) => Ok(Err(excess.to_string())),
                        None => staged(Parcel::Message { name: &line.file, message: &message }),
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
    exits: &Exits<'_>,
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

/// The name of the Word document beside a PDF.
fn beside(file: &str) -> String {
    let stem = file.strip_suffix(".pdf").unwrap_or(file);
    format!("{stem}.docx")
}

/// The key of a line for its transport: its entry's number.
fn key(entry: EntryNo) -> u64 {
    entry.0.unsigned_abs()
}
