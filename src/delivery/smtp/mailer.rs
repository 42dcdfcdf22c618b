//! Owns delivering over several connections at once: one writer that keeps the journal, one thread a connection.
//!
//! A message is recorded as being sent before a connection gets it, and only an open connection gets one; what came of
//! it is recorded together with the next messages that begin. Fails when there is no server to be had any more, or
//! when too many messages in a row fail; what was not begun by then is untouched.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::delivery::message::Message;
use crate::delivery::outcome::{Deferral, Outcome};
use crate::delivery::smtp::connection::{Connection, Way};
use crate::delivery::smtp::open_error::OpenError;
use crate::delivery::smtp::pace::{Pace, Permit};
use crate::delivery::smtp::phase::Phase;
use crate::delivery::smtp::session::Ended;
use crate::delivery::{Change, DeliveryError, Parcel, RecordError, Staged, StagedContent, Step, Transport};

/// After so long without a message a connection is probed before it gets one: servers and firewalls close idle ones.
const PROBE_AFTER: Duration = Duration::from_secs(10);

/// How many messages are set aside while the pace of their domains holds them back.
const ASIDE_LIMIT: usize = 256;

/// How long the writer waits at most before it looks whether the user wants to stop.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The waits between attempts to open a connection: the first, and the longest.
const REOPEN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));

/// How messages are delivered to a server.
#[derive(Clone, Debug)]
pub struct MailerOptions {
    /// How to reach the server.
    pub way: Way,
    /// How many connections are open at once.
    pub connections: usize,
    /// After how many messages a connection is closed and opened anew.
    pub messages_per_connection: Option<u32>,
    /// After how many failures in a row the delivery stops.
    pub stop_after_failures: Option<u32>,
    /// How long a server that is gone is waited for. One that was never there is not waited for.
    pub patience: Duration,
}

/// Delivers messages to a mail server.
#[derive(Debug)]
pub struct Mailer<'a> {
    options: MailerOptions,
    pace: Mutex<Pace>,
    started: Instant,
    stop: &'a AtomicBool,
}

impl<'a> Mailer<'a> {
    /// Prepares to deliver; no connection is opened yet. `stop` is set by the user to stop after what is under way.
    pub fn new(options: MailerOptions, pace: Pace, stop: &'a AtomicBool) -> Mailer<'a> {
        Mailer { options, pace: Mutex::new(pace), started: Instant::now(), stop }
    }

    /// Returns the server, as host and port.
    pub fn server(&self) -> String {
        self.options.way.server.to_string()
    }
}

impl Transport for Mailer<'_> {
    fn stage(&self, line: u64, parcel: Parcel<'_>) -> Result<Staged, DeliveryError> {
        let content = match parcel {
            Parcel::Message { message, .. } => StagedContent::Message(message.clone()),
            Parcel::Letter { name, .. } => {
                let name = name.to_owned();
                StagedContent::File {
                    name,
                    sha256: String::new(),
                    enclosures: Vec::new(),
                    beside: Vec::new(),
                }
            }
        };
        Ok(Staged { line, content })
    }

    fn deliver(
        &self,
        staged: &mut dyn Iterator<Item = Staged>,
        record: &mut dyn FnMut(&[Step]) -> Result<(), RecordError>,
    ) -> Result<(), DeliveryError> {
        thread::scope(|scope| {
            let (report, reports) = channel();
            let connections = (0..self.options.connections.max(1))
                .map(|number| {
                    let (order, orders) = channel();
                    let carrier = Carrier { number, options: &self.options, report: report.clone() };
                    scope.spawn(move || carrier.work(&orders));
                    Desk { order, standing: Standing::Closed { until: Duration::ZERO, n_refused: 0 } }
                })
                .collect();
            drop(report);
            // No other thread holds the pace: deliveries of one run follow each other.
            let pace = &mut *self.pace.lock().unwrap_or_else(PoisonError::into_inner);
            let writer = Writer {
                mailer: self,
                pace,
                connections,
                reports,
                aside: VecDeque::new(),
                is_exhausted: false,
                was_open: false,
                lost_at: None,
                n_failures: 0,
                end: None,
            };
            writer.work(staged, record) // dropping it ends the threads
        })
    }
}

/// A connection as its thread has it.
struct Carrier<'a> {
    number: usize,
    options: &'a MailerOptions,
    report: Sender<Report>,
}

/// What a connection is to do.
enum Order {
    Open,
    Send(Message),
}

/// What a connection has done.
struct Report {
    number: usize,
    done: Done,
}

enum Done {
    Opened,
    NotOpened(OpenError),
    Sent { outcome: Outcome, is_open: bool },
}

impl Carrier<'_> {
    fn work(&self, orders: &Receiver<Order>) {
        let mut connection: Option<Connection> = None;
        for order in orders {
            let done = match order {
                Order::Open => match Connection::open(&self.options.way) {
                    Ok(open) => {
                        connection = Some(open);
                        Done::Opened
                    }
                    Err(error) => Done::NotOpened(error),
                },
                Order::Send(message) => {
                    let ended = self.send(&mut connection, &message);
                    let is_spent = |open: &Connection| {
                        !open.is_open()
                            || self.options.messages_per_connection.is_some_and(|n| open.n_messages() >= n)
                    };
                    if connection.as_ref().is_some_and(is_spent) {
                        connection.take().into_iter().for_each(Connection::close);
                    }
                    Done::Sent { outcome: ended.outcome, is_open: connection.is_some() }
                }
            };
            if self.report.send(Report { number: self.number, done }).is_err() {
                break; // the writer has gone over an error of its own
            }
        }
        connection.into_iter().for_each(Connection::close);
    }

    /// Sends a message; another connection takes over where nothing of the message was written yet.
    fn send(&self, connection: &mut Option<Connection>, message: &Message) -> Ended {
        if let Some(open) = connection
            && open.idle() > PROBE_AFTER
            && !open.is_alive()
        {
            *connection = None;
        }
        let was_used = connection.as_ref().is_some_and(|open| open.n_messages() > 0);
        let ended = self.send_over(connection, message);
        if was_used && ended.is_untouched() {
            *connection = None;
            return self.send_over(connection, message);
        }
        ended
    }

    fn send_over(&self, connection: &mut Option<Connection>, message: &Message) -> Ended {
        let open = match connection {
            Some(open) => open,
            None => match Connection::open(&self.options.way) {
                Ok(open) => connection.insert(open),
                Err(error) => {
                    let cause = Deferral::Lost { observed: error.to_string() };
                    return Ended { outcome: Outcome::Deferred { cause }, phase: Phase::Connect };
                }
            },
        };
        let ended = open.send(message);
        open.settle();
        ended
    }
}

/// A connection as the writer sees it.
struct Desk {
    order: Sender<Order>,
    standing: Standing,
}

/// How a connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Standing {
    /// It may be opened from this moment on, after so many refusals in a row.
    Closed {
        until: Duration,
        n_refused: u32,
    },
    Opening {
        n_refused: u32,
    },
    Ready,
    Busy {
        line: u64,
        domain: String,
    },
}

/// The one that keeps the journal, and hands out messages.
struct Writer<'a, 'm> {
    mailer: &'a Mailer<'m>,
    pace: &'a mut Pace,
    connections: Vec<Desk>,
    reports: Receiver<Report>,
    /// Messages that the pace holds back, in their order.
    aside: VecDeque<(u64, Message)>,
    is_exhausted: bool,
    was_open: bool,
    /// Since when there is no connection any more.
    lost_at: Option<Duration>,
    n_failures: u32,
    /// Why nothing new begins.
    end: Option<DeliveryError>,
}

impl Writer<'_, '_> {
    fn work(
        mut self,
        staged: &mut dyn Iterator<Item = Staged>,
        record: &mut dyn FnMut(&[Step]) -> Result<(), RecordError>,
    ) -> Result<(), DeliveryError> {
        let mut steps = Vec::new();
        let mut begun = Vec::new();
        loop {
            let wait = self.begin_what_may_begin(staged, &mut steps, &mut begun);
            if !steps.is_empty() {
                record(&steps).map_err(DeliveryError::Record)?;
                steps.clear();
            }
            let n_begun = begun.len();
            for (number, message) in begun.drain(..) {
                self.order(number, Order::Send(message));
            }
            let is_busy =
                |desk: &Desk| matches!(desk.standing, Standing::Busy { .. } | Standing::Opening { .. });
            if !self.connections.iter().any(is_busy) {
                let is_over = self.end.is_some() || self.is_stopped() || self.has_no_more();
                if is_over {
                    return self.end.map_or(Ok(()), Err);
                }
            }
            if n_begun == 0 || !self.connections.iter().any(|desk| desk.standing == Standing::Ready) {
                self.hear(wait, &mut steps);
            }
        }
    }

    fn has_no_more(&self) -> bool {
        self.is_exhausted && self.aside.is_empty()
    }

    fn is_stopped(&self) -> bool {
        self.mailer.stop.load(Ordering::Relaxed)
    }

    fn now(&self) -> Duration {
        self.mailer.started.elapsed()
    }

    fn order(&mut self, number: usize, order: Order) {
        if let Some(desk) = self.connections.get(number) {
            // A thread ends when its orders end, and not before; if it panicked, the scope says so.
            let _ = desk.order.send(order);
        }
    }

    /// Gives every ready connection a message that the pace permits; returns how long there is nothing else to do.
    fn begin_what_may_begin(
        &mut self,
        staged: &mut dyn Iterator<Item = Staged>,
        steps: &mut Vec<Step>,
        begun: &mut Vec<(usize, Message)>,
    ) -> Duration {
        if self.end.is_some() || self.is_stopped() {
            return LOOK_EVERY;
        }
        let mut wait = LOOK_EVERY;
        for number in 0..self.connections.len() {
            if self.connections[number].standing != Standing::Ready {
                continue;
            }
            match self.next(number, staged, steps) {
                Ok((line, message)) => {
                    let domain = message.recipient().domain().to_owned();
                    self.pace.begin(number, &domain);
                    self.connections[number].standing = Standing::Busy { line, domain };
                    steps.push(Step { line, change: Change::Sending });
                    begun.push((number, message));
                }
                Err(longer) => wait = wait.min(longer),
            }
        }
        let has_ready = self.connections.iter().any(|desk| desk.standing == Standing::Ready);
        if !has_ready {
            wait = wait.min(self.open_more(staged, steps));
        }
        wait
    }

    /// Returns the next message that may go out on a connection, or how long to wait for one.
    fn next(
        &mut self,
        connection: usize,
        staged: &mut dyn Iterator<Item = Staged>,
        steps: &mut Vec<Step>,
    ) -> Result<(u64, Message), Duration> {
        let now = self.now();
        let mut wait = LOOK_EVERY;
        let mut at = 0;
        loop {
            if at == self.aside.len() && (at == ASIDE_LIMIT || !self.fetch(staged, steps)) {
                return Err(wait);
            }
            let Some((_, message)) = self.aside.get(at) else { return Err(wait) };
            match self.pace.permit(now, connection, message.recipient().domain()) {
                Permit::Now => return self.aside.remove(at).ok_or(wait),
                Permit::At(moment) => wait = wait.min(moment.saturating_sub(now)),
                Permit::AfterAReply => {}
            }
            if !self.pace.depends_on_domain() {
                return Err(wait); // no other message could go out either
            }
            at += 1;
        }
    }

    /// Takes one more message from the run; false if there is none.
    fn fetch(&mut self, staged: &mut dyn Iterator<Item = Staged>, steps: &mut Vec<Step>) -> bool {
        while !self.is_exhausted {
            match staged.next() {
                Some(Staged { line, content: StagedContent::Message(message) }) => {
                    self.aside.push_back((line, message));
                    return true;
                }
                Some(Staged { line, content: StagedContent::File { .. } }) => {
                    let reason = "a file that was staged for a folder cannot be sent".to_owned();
                    steps.push(Step { line, change: Change::Done(Outcome::Failed { reason }) });
                }
                None => self.is_exhausted = true,
            }
        }
        false
    }

    /// Opens further connections while there are messages: the first one alone, then as many again as there are.
    fn open_more(&mut self, staged: &mut dyn Iterator<Item = Staged>, steps: &mut Vec<Step>) -> Duration {
        if self.aside.is_empty() && !self.fetch(staged, steps) {
            return LOOK_EVERY;
        }
        let now = self.now();
        let count =
            |is: fn(&Standing) -> bool| self.connections.iter().filter(|desk| is(&desk.standing)).count();
        let n_busy = count(|standing| matches!(standing, Standing::Busy { .. }));
        let n_opening = count(|standing| matches!(standing, Standing::Opening { .. }));
        let mut n_more = n_busy.max(1).saturating_sub(n_opening);
        let mut wait = LOOK_EVERY;
        for number in 0..self.connections.len() {
            let Standing::Closed { until, n_refused } = self.connections[number].standing else { continue };
            if until > now {
                wait = wait.min(until - now);
            } else if n_more > 0 {
                n_more -= 1;
                self.connections[number].standing = Standing::Opening { n_refused };
                self.order(number, Order::Open);
            }
        }
        wait
    }

    /// Waits for reports, and takes all that are there.
    fn hear(&mut self, wait: Duration, steps: &mut Vec<Step>) {
        match self.reports.recv_timeout(wait) {
            Ok(report) => self.heard(report, steps),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        while let Ok(report) = self.reports.try_recv() {
            self.heard(report, steps);
        }
    }

    fn heard(&mut self, Report { number, done }: Report, steps: &mut Vec<Step>) {
        let now = self.now();
        let Some(desk) = self.connections.get_mut(number) else { return };
        match done {
            Done::Opened => {
                desk.standing = Standing::Ready;
                self.was_open = true;
                self.lost_at = None;
            }
            Done::NotOpened(error) => {
                let n_refused = match desk.standing {
                    Standing::Opening { n_refused } => n_refused + 1,
                    _ => 1,
                };
                let wait = REOPEN.0.saturating_mul(1 << (n_refused - 1).min(10)).min(REOPEN.1);
                desk.standing = Standing::Closed { until: now + wait, n_refused };
                self.not_opened(now, error);
            }
            Done::Sent { outcome, is_open } => {
                let closed = Standing::Closed { until: now, n_refused: 0 };
                let next = if is_open { Standing::Ready } else { closed };
                if let Standing::Busy { line, domain } = std::mem::replace(&mut desk.standing, next) {
                    self.pace.end(now, number, &domain);
                    self.count_failure(&outcome);
                    steps.push(Step { line, change: Change::Done(outcome) });
                }
            }
        }
    }

    /// A server that was never there, or says no for good, stops the delivery; one that went away is waited for.
    fn not_opened(&mut self, now: Duration, error: OpenError) {
        let is_open = |desk: &Desk| matches!(desk.standing, Standing::Ready | Standing::Busy { .. });
        if self.connections.iter().any(is_open) {
            return; // it takes no more connections than these; that is its right
        }
        let lost_at = *self.lost_at.get_or_insert(now);
        let is_worth_waiting =
            self.was_open && error.is_transient() && now - lost_at < self.mailer.options.patience;
        if !is_worth_waiting && self.end.is_none() {
            self.end = Some(DeliveryError::Server { server: self.mailer.server(), source: error });
        }
    }

    fn count_failure(&mut self, outcome: &Outcome) {
        let last = match outcome {
            Outcome::Accepted { .. } | Outcome::Written { .. } => {
                self.n_failures = 0;
                return;
            }
            Outcome::Rejected { reply } | Outcome::Deferred { cause: Deferral::Reply(reply) } => {
                reply.to_string()
            }
            Outcome::Deferred { cause: Deferral::Lost { observed } } | Outcome::InDoubt { observed } => {
                observed.clone()
            }
            Outcome::Failed { .. } => return, // that is the message's own fault
        };
        self.n_failures += 1;
        let limit = self.mailer.options.stop_after_failures;
        if limit.is_some_and(|limit| self.n_failures >= limit) && self.end.is_none() {
            self.end = Some(DeliveryError::FailuresInARow { n_failures: self.n_failures, last });
        }
    }
}
