//! Owns copies: each seed gets one of a run's message, once a run, when its lines are done. A copy whose answer never
//! came stays in doubt, and is not sent again.

use std::sync::atomic::Ordering;

use jiff::Timestamp;
use uuid::Uuid;

use crate::contact::CorrespondenceType;
use crate::delivery::mailbox::Mailbox;
use crate::delivery::message::Message;
use crate::delivery::outcome::Outcome;
use crate::delivery::{Change, Parcel, Staged, StagedContent, Step, Transport};
use crate::interaction::{EntryNo, RunNo, State};
use crate::run::ahead::Bench;
use crate::run::album::Album;
use crate::run::attempt::{AttemptChange, Server};
use crate::run::journal::Which;
use crate::run::retry::{self, Tried};
use crate::run::seed::{Seed, SeedStep, file_name, name_of};
use crate::run::send::{Allowance, Clock, Post, Rounds, send_all};
use crate::run::{Office, Pause, RecordsError, RunError, Store};
use crate::setup::mail::Retry;

/// Delivers a copy to each seed that has none yet; returns why some still have none, if so.
///
/// Called when the lines of the run are done. Where none of its e-mails went out there is nothing to copy.
pub(in crate::run) fn serve(
    office: &mut Office<'_>,
    (run, uuid): (RunNo, Uuid),
    bench: &Bench<'_>,
    (post, clock): (Option<&Post<'_>>, &Clock),
) -> Result<Option<Pause>, RunError> {
    let open: Vec<Seed> =
        office.store.seeds(run)?.into_iter().filter(|seed| !seed.state.is_final()).collect();
    if open.is_empty() {
        return Ok(None);
    }
    let Some(seed_line) = office.store.seed_line(run)? else { return Ok(None) };
    if office.stop.load(Ordering::Relaxed) {
        return Ok(Some(Pause::Stopped));
    }
    let letters = std::iter::once(&seed_line.line.letter);
    let (album, _) = Album::fetch(office.store, letters, &Album::default())?;
    let to: Vec<&Mailbox> = open.iter().map(|seed| &seed.mailbox).collect();
    let made = bench.copies(&seed_line, &album, &to)?;
    let mut copies = Copies { run, uuid, entry: seed_line.line.entry, messages: Vec::new() };
    match (made, post) {
        (Err(reason), _) => {
            let failed =
                |line| Step { line, change: Change::Done(Outcome::Failed { reason: reason.clone() }) };
            let steps: Vec<Step> = (0..open.len() as u64).map(failed).collect();
            copies.messages = open.into_iter().map(|seed| (seed, None)).collect();
            let server = Server { name: "", now: clock.now() };
            copies.record(office.store, &server, (&Retry::default(), &steps))?;
            Ok(None)
        }
        (Ok(messages), Some(post)) => {
            copies.messages = open.into_iter().zip(messages.into_iter().map(Some)).collect();
            let pause = send_all(office, post, &mut copies)?;
            let is_open = |seed: &Seed| !seed.state.is_final();
            Ok(pause.filter(|_| copies.messages.iter().any(|(seed, _)| is_open(seed))))
        }
        (Ok(messages), None) => {
            let exit = bench.exit(CorrespondenceType::Email);
            let mut staged = Vec::new();
            for (number, (seed, message)) in (0..).zip(open.iter().zip(&messages)) {
                let name = file_name(seed.mailbox.address().as_str());
                staged.push(exit.stage(number, Parcel::Message { name: &name, message })?);
            }
            copies.messages = open.into_iter().map(|seed| (seed, None)).collect();
            exit.deliver(&mut staged.into_iter(), &mut |steps| {
                let server = Server { name: "", now: clock.now() };
                Ok(copies.record(office.store, &server, (&Retry::default(), steps))?)
            })?;
            Ok(None)
        }
    }
}

/// The copies of a run's message that are still to be delivered, by number.
struct Copies {
    run: RunNo,
    uuid: Uuid,
    entry: EntryNo,
    messages: Vec<(Seed, Option<Message>)>,
}

impl Copies {
    /// Records steps whose lines are the numbers of copies; one that ends without having begun did both at once.
    fn record(
        &mut self,
        store: &mut dyn Store,
        server: &Server<'_>,
        (retry, steps): (&Retry, &[Step]),
    ) -> Result<(), RecordsError> {
        let mut changes = Vec::new();
        for Step { line, change } in steps {
            let Some((seed, _)) = usize::try_from(*line).ok().and_then(|at| self.messages.get_mut(at)) else {
                continue; // nobody else numbers them
            };
            if seed.state != State::Sending {
                seed.state = State::Sending;
                seed.tried.n_attempts += 1;
                seed.tried.first_at.get_or_insert(server.now);
                changes.push((*line, None));
            }
            if let Change::Done(outcome) = change {
                let next = match outcome {
                    Outcome::Deferred { .. } => {
                        let name = name_of(&self.uuid, seed.mailbox.address());
                        let first_at = seed.tried.first_at.unwrap_or(server.now);
                        let tried = Tried { n_attempts: seed.tried.n_attempts, first_at };
                        Some(retry::next(retry, (name, EntryNo(0)), tried, server.now))
                    }
                    _ => None,
                };
                (seed.state, seed.due) = match next {
                    Some(retry::Next::Due(due)) => (State::Deferred, Some(due)),
                    Some(retry::Next::GivenUp) => (State::Rejected, None), // or failed, as the store has it
                    None => (outcome.state(), None),
                };
                changes.push((*line, Some((outcome, next))));
            }
        }
        let steps: Vec<SeedStep<'_>> = changes
            .iter()
            .filter_map(|(line, ended)| {
                let (seed, _) = self.messages.get(usize::try_from(*line).ok()?)?;
                let address = seed.mailbox.address();
                let change = match ended {
                    None => AttemptChange::Begun { domain: address.domain() },
                    Some((outcome, next)) => AttemptChange::Ended { outcome, next: *next },
                };
                let number = seed.tried.n_attempts;
                Some(SeedStep { address: address.as_str(), number, entry: self.entry, change })
            })
            .collect();
        store.record_seeds(self.run, server, &steps)
    }
}

impl Rounds for Copies {
    fn send(
        &mut self,
        office: &mut Office<'_>,
        post: &Post<'_>,
        (which, allowance): (Which, &mut Allowance),
    ) -> Result<(), RunError> {
        let is_wanted = |seed: &Seed| match which {
            Which::Due { now, latest } => {
                seed.state == State::Deferred && seed.due.is_none_or(|due| due <= now || due > latest)
            }
            Which::All | Which::Letters | Which::Messages => seed.state == State::Planned,
        };
        let staged: Vec<Staged> = (0..)
            .zip(&self.messages)
            .filter(|(_, (seed, _))| is_wanted(seed))
            .filter_map(|(line, (_, message))| {
                Some(Staged { line, content: StagedContent::Message(message.clone()?) })
            })
            .collect();
        let stop = office.stop;
        let mut staged = staged.into_iter();
        let mut supply = std::iter::from_fn(|| match stop.load(Ordering::Relaxed) {
            true => None,
            false => staged.next().filter(|_| allowance.take(post)),
        });
        let name = post.mailer.server();
        post.mailer.deliver(&mut supply, &mut |steps| {
            let server = Server { name: &name, now: post.clock.now() };
            Ok(self.record(office.store, &server, (&post.smtp.retry, steps))?)
        })?;
        Ok(())
    }

    fn next_due(&mut self, _: &mut Office<'_>) -> Result<Option<Timestamp>, RecordsError> {
        let deferred = self.messages.iter().filter(|(seed, _)| seed.state == State::Deferred);
        Ok(deferred.filter_map(|(seed, _)| seed.due).min())
    }
}
