//! Owns sending: messages flow to the mail server as they are merged, deferred ones come back when they are due, and
//! what the user set as a limit ends the run early. What is not sent by then stays for `resume`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp, ZonedDateTime};
use uuid::Uuid;

use crate::delivery::mailbox::Address;
use crate::delivery::outcome::Outcome;
use crate::delivery::smtp::mailer::Mailer;
use crate::delivery::{Change, DeliveryError, Staged, Step, Transport};
use crate::interaction::{EntryNo, RunNo};
use crate::run::ahead::{Ahead, Batch, Bench};
use crate::run::album::Album;
use crate::run::attempt::{AttemptChange, AttemptStep, Server, Tries};
use crate::run::journal::{Pending, Which};
use crate::run::retry::{self, Next, Tried};
use crate::run::{Office, Pause, Progress, RecordsError, RunError, Store};
use crate::setup::mail::Smtp;

/// How many messages are merged at a time; each is in memory whole until it is sent.
const MESSAGES_PER_BATCH: usize = 64;

/// How often a waiting run looks whether the user wants to stop.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A clock that begins where the office's stands, and goes on from there.
#[derive(Clone, Debug)]
pub(in crate::run) struct Clock {
    began: ZonedDateTime,
    started: Instant,
}

impl Clock {
    pub(in crate::run) fn begin(now: &ZonedDateTime) -> Clock {
        Clock { began: now.clone(), started: Instant::now() }
    }

    pub(in crate::run) fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.started.elapsed()).unwrap_or(SignedDuration::MAX);
        self.began.timestamp().saturating_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    fn zoned(&self) -> ZonedDateTime {
        self.now().to_zoned_datetime(self.began.time_zone().clone())
    }
}

/// What messages of a run are sent with.
pub(in crate::run) struct Post<'a> {
    /// Merges what goes out.
    pub(in crate::run) bench: &'a Bench<'a>,
    /// The server.
    pub(in crate::run) mailer: &'a Mailer<'a>,
    /// Its set-up.
    pub(in crate::run) smtp: &'a Smtp,
    /// The name of the run.
    pub(in crate::run) uuid: Uuid,
    /// The time.
    pub(in crate::run) clock: Clock,
    /// Until when deferred messages are waited for.
    pub(in crate::run) until: Timestamp,
}

/// Messages that are sent in rounds: first those that were not put off, then those that were, when they are due.
pub(in crate::run) trait Rounds {
    /// Sends a round: what of `which` the allowance of the day and the hour permit.
    fn send(
        &mut self,
        office: &mut Office<'_>,
        post: &Post<'_>,
        which_and_how_many: (Which, &mut Allowance),
    ) -> Result<(), RunError>;

    /// Tells when the first message that was put off is due; none where there is none.
    fn next_due(&mut self, office: &mut Office<'_>) -> Result<Option<Timestamp>, RecordsError>;
}

/// Sends messages, and those that were deferred when they are due; returns why it paused, if it did.
pub(in crate::run) fn send_all(
    office: &mut Office<'_>,
    post: &Post<'_>,
    rounds: &mut dyn Rounds,
) -> Result<Option<Pause>, RunError> {
    let stop = office.stop;
    let mut allowance = Allowance::of_today(office, post)?;
    let mut which = Which::Messages;
    let until = post.until;
    loop {
        if let Some(opens) = opens(post) {
            if opens.timestamp() > until {
                return Ok(Some(Pause::Window { opens }));
            }
            if !sleep_until(opens.timestamp(), &post.clock, stop) {
                return Ok(Some(Pause::Stopped));
            }
        }
        match rounds.send(office, post, (which, &mut allowance)) {
            Err(RunError::Delivery(
                error @ (DeliveryError::Server { .. } | DeliveryError::FailuresInARow { .. }),
            )) => return Ok(Some(Pause::Delivery(error))),
            sent => sent?,
        }
        if stop.load(Ordering::Relaxed) {
            return Ok(Some(Pause::Stopped));
        }
        if allowance.is_used_up() {
            return Ok(Some(Pause::WarmUp { per_day: allowance.per_day }));
        }
        if std::mem::take(&mut allowance.is_closed) {
            continue;
        }
        let Some(due) = rounds.next_due(office)? else { return Ok(None) };
        let latest = latest(post);
        let due = if due > latest { post.clock.now() } else { due };
        if due > until {
            return Ok(Some(Pause::Retries { due }));
        }
        if !sleep_until(due, &post.clock, stop) {
            return Ok(Some(Pause::Stopped));
        }
        which = Which::Due { now: post.clock.now(), latest };
    }
}

/// When messages may leave again; none if they may now.
fn opens(post: &Post<'_>) -> Option<ZonedDateTime> {
    post.smtp.window.as_ref()?.opens(&post.clock.zoned())
}

/// No message is due later than this, unless a clock that was ahead said so.
fn latest(post: &Post<'_>) -> Timestamp {
    let longest = signed(retry::longest_wait(&post.smtp.retry));
    post.clock.now().saturating_add(longest).unwrap_or(Timestamp::MAX)
}

/// Waits; false if the user wants to stop.
fn sleep_until(moment: Timestamp, clock: &Clock, stop: &AtomicBool) -> bool {
    loop {
        if stop.load(Ordering::Relaxed) {
            return false;
        }
        match Duration::try_from(moment.duration_since(clock.now())) {
            Ok(left) if !left.is_zero() => thread::sleep(left.min(LOOK_EVERY)),
            Ok(_) | Err(_) => return true, // the moment has come, or has passed
        }
    }
}

/// How many messages may still go out today, while the sender is new, and whether the hour came in which none may.
pub(in crate::run) struct Allowance {
    is_closed: bool,
    left: u64,
    per_day: u64,
}

impl Allowance {
    fn of_today(office: &mut Office<'_>, post: &Post<'_>) -> Result<Allowance, RunError> {
        let unlimited = Allowance { is_closed: false, left: u64::MAX, per_day: u64::MAX };
        let Some(warm_up) = &post.smtp.warm_up else { return Ok(unlimited) };
        let Some(start) = warm_up.start else { return Ok(unlimited) };
        let today = office.now.date();
        let day = (today - start).get_days();
        let per_day = match usize::try_from(day) {
            Ok(day) => warm_up.per_day.get(day).copied(),
            Err(_) => Some(0), // the first day is still to come
        };
        let Some(per_day) = per_day else { return Ok(unlimited) };
        let midnight = office.now.start_of_day().map_or(office.now.timestamp(), |day| day.timestamp());
        let n_sent = office.store.past_attempts(midnight)?.len() as u64;
        Ok(Allowance {
            is_closed: false,
            left: u64::from(per_day).saturating_sub(n_sent),
            per_day: u64::from(per_day),
        })
    }

    fn is_used_up(&self) -> bool {
        self.left == 0
    }

    /// Takes the place of one more message; false where there is none, or messages may not leave now.
    pub(in crate::run) fn take(&mut self, post: &Post<'_>) -> bool {
        if self.is_used_up() {
            return false;
        }
        if opens(post).is_some() {
            self.is_closed = true;
            return false;
        }
        self.left -= 1;
        true
    }
}

/// The messages of a run's lines.
pub(in crate::run) struct Lines<'a> {
    /// The run.
    pub(in crate::run) run: RunNo,
    /// Learns of every line that has ended.
    pub(in crate::run) observe: &'a mut dyn FnMut(Progress),
}

impl Rounds for Lines<'_> {
    fn send(
        &mut self,
        office: &mut Office<'_>,
        post: &Post<'_>,
        (which, allowance): (Which, &mut Allowance),
    ) -> Result<(), RunError> {
        let stop = office.stop;
        let (store, observe) = (&mut *office.store, &mut *self.observe);
        let books = RefCell::new(Books { store, run: self.run, post, observe, under_way: BTreeMap::new() });
        thread::scope(|scope| {
            let mut supply = Supply {
                books: &books,
                which,
                after: EntryNo(0),
                ahead: Ahead::begin(scope, post.bench, stop),
                is_exhausted: false,
                ready: Vec::new().into_iter(),
                allowance,
                stop,
                error: None,
            };
            let delivered =
                post.mailer.deliver(&mut supply, &mut |steps| Ok(books.borrow_mut().record(steps)?));
            match supply.error.take() {
                Some(error) => Err(error),
                None => Ok(delivered?),
            }
        })
    }

    fn next_due(&mut self, office: &mut Office<'_>) -> Result<Option<Timestamp>, RecordsError> {
        office.store.next_due(self.run)
    }
}

/// What was tried so far of a message that is on its way.
struct UnderWay {
    tried: Tries,
    domain: String,
}

/// The journal, as sending keeps it.
struct Books<'a, 'o> {
    store: &'a mut (dyn Store + 'o),
    run: RunNo,
    post: &'a Post<'a>,
    observe: &'a mut dyn FnMut(Progress),
    under_way: BTreeMap<u64, UnderWay>,
}

impl Books<'_, '_> {
    fn record(&mut self, steps: &[Step]) -> Result<(), RecordsError> {
        let now = self.post.clock.now();
        for Step { line, .. } in steps.iter().filter(|step| step.change == Change::Sending) {
            if let Some(UnderWay { tried, .. }) = self.under_way.get_mut(line) {
                tried.n_attempts += 1;
                tried.n_tries += 1;
                tried.first_at.get_or_insert(now);
            }
        }
        let mut attempts = Vec::with_capacity(steps.len());
        let mut others = Vec::new();
        for step in steps {
            let entry = EntryNo(i64::try_from(step.line).unwrap_or(i64::MAX));
            let change = match (&step.change, self.under_way.get(&step.line)) {
                (Change::Sending, Some(UnderWay { domain, tried })) => {
                    Some((AttemptChange::Begun { domain }, tried.n_attempts))
                }
                (Change::Done(outcome), Some(UnderWay { tried, .. })) => {
                    let next = self.next(entry, *tried, outcome, now);
                    Some((AttemptChange::Ended { outcome, next }, tried.n_attempts))
                }
                (Change::Suppressed(_), _) | (_, None) => None,
            };
            match change {
                Some((change, number)) => attempts.push(AttemptStep { entry, number, change }),
                None => others.push(step.clone()),
            }
        }
        if !others.is_empty() {
            self.store.record(self.run, &others)?;
        }
        let name = self.post.mailer.server();
        self.store.record_attempts(self.run, &Server { name: &name, now }, &attempts)?;
        let mut n_lines = 0;
        for step in steps.iter().filter(|step| step.change != Change::Sending) {
            self.under_way.remove(&step.line);
            n_lines += 1;
        }
        (self.observe)(Progress::Delivered { n_lines });
        Ok(())
    }

    /// Decides what comes after an attempt, if it was deferred.
    fn next(&self, entry: EntryNo, tried: Tries, outcome: &Outcome, now: Timestamp) -> Option<Next> {
        let Outcome::Deferred { .. } = outcome else { return None };
        let tried = Tried { n_attempts: tried.n_tries, first_at: tried.first_at.unwrap_or(now) };
        Some(retry::next(&self.post.smtp.retry, (self.post.uuid, entry), tried, now))
    }

    /// Takes note of messages that are about to be merged.
    fn expect(&mut self, pending: &[Pending]) {
        for line in pending {
            let address = line.email.parse::<Address>();
            let domain = address.map(|address| address.domain().to_owned()).unwrap_or_default();
            self.under_way.insert(line.entry.0.unsigned_abs(), UnderWay { tried: line.tried, domain });
        }
    }

    /// Records what does not go out at all: letters that cannot be made, addresses that are not written to.
    fn record_undelivered(&mut self, steps: &[Step]) -> Result<(), RecordsError> {
        if !steps.is_empty() {
            self.store.record(self.run, steps)?;
            for step in steps {
                self.under_way.remove(&step.line);
            }
            (self.observe)(Progress::Delivered { n_lines: steps.len() as u64 });
        }
        Ok(())
    }
}

/// Messages in their order, merged ahead.
struct Supply<'a, 's, 'o> {
    books: &'a RefCell<Books<'s, 'o>>,
    which: Which,
    after: EntryNo,
    ahead: Ahead,
    is_exhausted: bool,
    ready: std::vec::IntoIter<Staged>,
    allowance: &'a mut Allowance,
    stop: &'a AtomicBool,
    error: Option<RunError>,
}

impl Supply<'_, '_, '_> {
    /// Hands batches to the merger until it has enough to do.
    fn merge_ahead(&mut self) -> Result<(), RunError> {
        while !self.is_exhausted && self.ahead.has_room() {
            let mut books = self.books.borrow_mut();
            let run = books.run;
            let mut pending = books.store.pending(run, self.which, self.after, MESSAGES_PER_BATCH)?;
            let letters = pending.iter().map(|line| &line.letter);
            let (album, n_lines) = Album::fetch(books.store, letters, &Album::default())?;
            pending.truncate(n_lines);
            let Some(last) = pending.last() else {
                self.is_exhausted = true;
                break;
            };
            self.after = last.entry;
            books.expect(&pending);
            self.ahead.order(pending, Arc::new(album));
        }
        Ok(())
    }

    fn fetch(&mut self) -> Result<Option<Staged>, RunError> {
        loop {
            if self.stop.load(Ordering::Relaxed) || self.allowance.is_used_up() {
                return Ok(None);
            }
            if let Some(staged) = self.ready.next() {
                let is_taken = self.allowance.take(self.books.borrow().post);
                return Ok(is_taken.then_some(staged)); // else it stays planned
            }
            self.merge_ahead()?;
            let Some(batch) = self.ahead.next() else { return Ok(None) };
            let Batch { messages, undelivered, .. } = batch?;
            self.books.borrow_mut().record_undelivered(&undelivered)?;
            self.ready = messages.into_iter();
            self.merge_ahead()?;
        }
    }
}

impl Iterator for Supply<'_, '_, '_> {
    type Item = Staged;

    fn next(&mut self) -> Option<Staged> {
        if self.error.is_some() {
            return None;
        }
        match self.fetch() {
            Ok(staged) => staged,
            Err(error) => {
                self.error = Some(error);
                None
            }
        }
    }
}

/// A duration as the calendar has it.
pub(in crate::run) fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
