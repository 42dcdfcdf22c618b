//! Owns one conversation with a server as a state machine without a socket: bytes in, bytes out, and what is waited for.
//!
//! Every failure has its phase. What decides about a message: a reply; without one, whether its final dot was handed
//! over. Source: RFC 5321; RFC 2920 for pipelining; RFC 3207 for STARTTLS; RFC 4954 for AUTH.

use zeroize::{Zeroize, Zeroizing};

use crate::delivery::message::Message;
use crate::delivery::outcome::{Deferral, Outcome, Reply};
use crate::delivery::smtp::capabilities::Capabilities;
use crate::delivery::smtp::envelope::{commands, dot_stuffed};
use crate::delivery::smtp::login::{Login, Mechanism};
use crate::delivery::smtp::open_error::OpenError;
use crate::delivery::smtp::phase::Phase;
use crate::delivery::smtp::reply::ReplyReader;
use crate::delivery::smtp::server::Security;

/// What a session needs of whoever drives it.
#[derive(Debug, PartialEq, Eq)]
pub enum Wants<'a> {
    /// Hand these bytes over, and tell how many with [`Session::wrote`].
    Write(&'a [u8], Phase),
    /// Wait for bytes, and give them to [`Session::read`].
    Read(Phase),
    /// Shake hands for TLS, and then say [`Session::secured`].
    Handshake,
    /// Nothing: the session is open for the next message.
    Message,
    /// Nothing: the session is over.
    Close,
}

/// What happened in a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It is open.
    Opened,
    /// It does not open.
    NotOpened(OpenError),
    /// The attempt to send the message has ended.
    Ended(Ended),
    /// The probed connection lives.
    Alive,
    /// The connection is gone, and no message was under way.
    Gone,
}

/// How an attempt to send a message ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// What came of it.
    pub outcome: Outcome,
    /// The phase that decided.
    pub phase: Phase,
}

impl Ended {
    /// Tells whether the connection broke before any of the message was written: another connection may take it.
    pub fn is_untouched(&self) -> bool {
        let is_lost = match &self.outcome {
            Outcome::Deferred { cause: Deferral::Lost { .. } } => true,
            Outcome::Deferred { cause: Deferral::Reply(reply) } => reply.code == 421,
            Outcome::Written { .. }
            | Outcome::Accepted { .. }
            | Outcome::Rejected { .. }
            | Outcome::InDoubt { .. }
            | Outcome::Failed { .. } => false,
        };
        is_lost && self.phase == Phase::Mail
    }
}

/// Where the session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Greeting,
    Hello {
        is_secured: bool,
        is_old: bool,
    },
    StartTls,
    Handshake,
    Auth,
    Idle,
    /// MAIL, RCPT and DATA are on their way.
    Envelope,
    Body,
    Dot,
    /// The lone dot that ends a message nobody is to receive.
    Cancel,
    Reset,
    Probe,
    Quit,
    Closed,
}

/// A transaction that is under way.
#[derive(Debug)]
struct Transaction {
    commands: [Vec<u8>; 3],
    body: Vec<u8>,
    n_replies: usize,
    /// The first reply that refuses, and its phase.
    refusal: Option<Ended>,
}

/// One conversation with a server.
#[derive(Debug)]
pub struct Session {
    hello: String,
    security: Security,
    login: Option<Login>,
    capabilities: Capabilities,
    state: State,
    reader: ReplyReader,
    out: Vec<u8>,
    n_written: usize,
    /// What is still to be said to log in.
    answers: Vec<Zeroizing<String>>,
    transaction: Option<Transaction>,
    events: Vec<Event>,
}

impl Session {
    /// Begins a session over a connection that has just been made; for [`Security::Tls`], after its handshake.
    ///
    /// `hello` is the name by which the server is greeted.
    pub fn new(hello: &str, security: Security, login: Option<Login>) -> Session {
        Session {
            hello: hello.to_owned(),
            security,
            login,
            capabilities: Capabilities::default(),
            state: State::Greeting,
            reader: ReplyReader::default(),
            out: Vec::new(),
            n_written: 0,
            answers: Vec::new(),
            transaction: None,
            events: Vec::new(),
        }
    }

    /// Returns what the session needs next.
    pub fn wants(&self) -> Wants<'_> {
        let phase = self.phase();
        if self.n_written < self.out.len() {
            return Wants::Write(&self.out[self.n_written..], phase);
        }
        match self.state {
            State::Handshake => Wants::Handshake,
            State::Idle => Wants::Message,
            State::Closed => Wants::Close,
            _ => Wants::Read(phase),
        }
    }

    /// Returns what has happened since the last time; the oldest first.
    pub fn take_event(&mut self) -> Option<Event> {
        if self.events.is_empty() { None } else { Some(self.events.remove(0)) }
    }

    /// Returns what the server can do; known when it is open.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Tells the phase that the session is in.
    pub fn phase(&self) -> Phase {
        match self.state {
            State::Greeting => Phase::Greeting,
            State::Hello { .. } => Phase::Hello,
            State::StartTls => Phase::StartTls,
            State::Handshake => Phase::Handshake,
            State::Auth => Phase::Auth,
            State::Envelope => match self.transaction.as_ref().map_or(0, |transaction| transaction.n_replies)
            {
                0 => Phase::Mail,
                1 => Phase::Rcpt,
                _ => Phase::Data,
            },
            State::Body => Phase::Body,
            State::Dot => Phase::Dot,
            State::Cancel | State::Reset => Phase::Reset,
            State::Idle | State::Probe => Phase::Probe,
            State::Quit | State::Closed => Phase::Quit,
        }
    }

    /// Takes note that the first `n_bytes` of what was to be written are handed over.
    pub fn wrote(&mut self, n_bytes: usize) {
        self.n_written += n_bytes;
        if self.n_written < self.out.len() {
            return;
        }
        if self.state == State::Auth {
            self.out.zeroize();
        }
        self.out.clear();
        self.n_written = 0;
        if self.state == State::Body {
            self.state = State::Dot; // from here on only a reply can tell
        }
        self.read(&[]); // what came together with an earlier reply
    }

    /// Takes note that the line is protected.
    pub fn secured(&mut self) {
        if self.state == State::Handshake {
            self.greet(true, false);
        }
    }

    /// Takes bytes that the server sent.
    pub fn read(&mut self, bytes: &[u8]) {
        self.reader.push(bytes);
        // While something is to be written no reply is due; an early one is the reply to what is being written.
        while self.n_written == self.out.len() && self.is_waiting() {
            match self.reader.next_reply() {
                Ok(Some(reply)) => self.replied(reply),
                Ok(None) => break,
                Err(error) => self.broke(OpenError::Reply(error)),
            }
        }
    }

    /// Takes note that the connection is gone: closed, broken or too slow; `observed` says so in words.
    pub fn lost(&mut self, observed: &str) {
        self.broke(OpenError::Lost { observed: observed.to_owned() });
    }

    /// Takes note that TLS does not come about.
    pub fn unprotected(&mut self, reason: &str) {
        self.broke(OpenError::Tls { reason: reason.to_owned() });
    }

    /// Begins to send a message. Its attempt ends with one [`Event::Ended`].
    ///
    /// A message that this server cannot take ends at once, and nothing is sent.
    pub fn send(&mut self, message: &Message) {
        if self.state != State::Idle {
            let outcome = lost_before_the_dot("the connection was not open".to_owned());
            self.events.push(Event::Ended(Ended { outcome, phase: Phase::Mail }));
            return;
        }
        if let Some(reason) = self.cannot_take(message) {
            let outcome = Outcome::Failed { reason };
            self.events.push(Event::Ended(Ended { outcome, phase: Phase::Mail }));
            return;
        }
        let commands = commands(message, &self.capabilities);
        let body = dot_stuffed(message.bytes());
        let n_first = if self.capabilities.pipelining { commands.len() } else { 1 };
        self.out = commands[..n_first].concat();
        self.transaction = Some(Transaction { commands, body, n_replies: 0, refusal: None });
        self.state = State::Envelope;
    }

    /// Asks the server whether it is still there; ends with [`Event::Alive`] or [`Event::Gone`].
    pub fn probe(&mut self) {
        if self.state == State::Idle {
            self.say(State::Probe, "NOOP");
        }
    }

    /// Takes leave.
    pub fn quit(&mut self) {
        if self.state == State::Idle {
            self.say(State::Quit, "QUIT");
        }
    }

    fn is_waiting(&self) -> bool {
        !matches!(self.state, State::Handshake | State::Idle | State::Body | State::Closed)
    }

    fn say(&mut self, state: State, line: &str) {
        self.out.reserve_exact(line.len() + 2); // a line that holds a password is not to be moved about
        self.out.extend_from_slice(line.as_bytes());
        self.out.extend_from_slice(b"\r\n");
        self.state = state;
    }

    fn greet(&mut self, is_secured: bool, is_old: bool) {
        let line = format!("{} {}", if is_old { "HELO" } else { "EHLO" }, self.hello);
        self.say(State::Hello { is_secured, is_old }, &line);
    }

    fn replied(&mut self, reply: Reply) {
        match self.state {
            State::Greeting if reply.code == 220 => self.greet(self.security != Security::StartTls, false),
            State::Hello { is_secured, .. } if reply.is_positive() => {
                self.capabilities = Capabilities::of(&reply);
                match is_secured {
                    true => self.log_in(),
                    false if self.capabilities.start_tls => self.say(State::StartTls, "STARTTLS"),
                    false => self.broke(OpenError::NoStartTls),
                }
            }
            // An old server knows HELO alone, and then has no extensions: no STARTTLS, no AUTH.
            State::Hello { is_secured, is_old: false } if matches!(reply.code, 500 | 502 | 504 | 550) => {
                self.greet(is_secured, true);
            }
            State::StartTls if reply.code == 220 => {
                // What came behind the reply was not protected: RFC 3207 §5, and CVE-2011-0411 and its kin.
                if self.reader.is_empty() {
                    self.state = State::Handshake;
                } else {
                    self.broke(OpenError::Injected);
                }
            }
            State::StartTls => self.broke(OpenError::NoStartTls),
            State::Auth if reply.code == 334 && !self.answers.is_empty() => {
                let answer = self.answers.remove(0);
                self.say(State::Auth, &answer);
            }
            State::Auth if reply.code == 235 => self.opened(),
            State::Greeting | State::Hello { .. } | State::Auth => {
                let phase = self.phase();
                self.broke(OpenError::Refused { phase, reply });
            }
            State::Envelope => self.replied_to_envelope(reply),
            State::Dot => self.replied_to_dot(reply),
            State::Cancel => self.say(State::Reset, "RSET"),
            State::Reset if reply.is_positive() => self.state = State::Idle,
            State::Probe if reply.is_positive() => {
                self.state = State::Idle;
                self.events.push(Event::Alive);
            }
            State::Reset | State::Probe => self.close(Event::Gone),
            State::Quit => self.close(Event::Gone),
            State::Handshake | State::Idle | State::Body | State::Closed => {}
        }
    }

    fn log_in(&mut self) {
        let Some(login) = &self.login else { return self.opened() };
        let mechanism = match login.mechanism {
            Some(mechanism) => Some(mechanism).filter(|mechanism| self.capabilities.offers(*mechanism)),
            None => [Mechanism::Plain, Mechanism::Login]
                .into_iter()
                .find(|mechanism| self.capabilities.offers(*mechanism)),
        };
        let Some(mechanism) = mechanism else {
            return self.broke(OpenError::NoMechanism { offered: self.capabilities.auth.clone() });
        };
        self.answers = login.lines(mechanism);
        let first = self.answers.remove(0);
        self.say(State::Auth, &first);
    }

    fn opened(&mut self) {
        self.answers.clear();
        self.state = State::Idle;
        self.events.push(Event::Opened);
    }

    fn cannot_take(&self, message: &Message) -> Option<String> {
        let size = message.bytes().len() as u64;
        match self.capabilities.size {
            Some(Some(limit)) if size > limit => {
                return Some(format!("the message has {size} bytes, and the server takes {limit} at most"));
            }
            Some(_) | None => {}
        }
        if message.needs_smtputf8() && !self.capabilities.smtputf8 {
            return Some("the address is not ASCII, and the server has no SMTPUTF8".to_owned());
        }
        if !message.bytes().is_ascii() && !self.capabilities.eight_bit_mime {
            return Some("the message is not ASCII, and the server has no 8BITMIME".to_owned());
        }
        None
    }

    /// MAIL, RCPT, DATA: the first refusal decides. Pipelined commands are answered all the same.
    fn replied_to_envelope(&mut self, reply: Reply) {
        let phase = self.phase();
        let is_closing = reply.code == 421;
        let Some(transaction) = &mut self.transaction else { return };
        transaction.n_replies += 1;
        let n_replies = transaction.n_replies;
        let is_data = n_replies == transaction.commands.len();
        let is_granted = if is_data { reply.code == 354 } else { reply.is_positive() };
        if !is_granted && transaction.refusal.is_none() {
            transaction.refusal = Some(Ended { outcome: refused(&reply, phase), phase });
        }
        let is_refused = transaction.refusal.is_some();
        let is_expected = is_granted || reply.is_transient() || reply.is_permanent();
        if is_closing || !is_expected {
            self.end_transaction();
            return self.close_quietly();
        }
        if is_data {
            match (is_refused, is_granted) {
                // Whatever it is, it cannot be the reply to a dot that was not sent.
                (false, _) if !self.reader.is_empty() => {
                    self.broke(OpenError::Lost { observed: "the server spoke out of turn".to_owned() });
                }
                (false, _) => {
                    self.out = std::mem::take(&mut transaction.body);
                    self.state = State::Body;
                }
                // No recipient, and yet DATA is granted: a lone dot ends it (RFC 2920 §3.1).
                (true, true) => {
                    self.end_transaction();
                    self.say(State::Cancel, ".");
                }
                (true, false) => {
                    self.end_transaction();
                    self.say(State::Reset, "RSET");
                }
            }
        } else if !self.capabilities.pipelining {
            if is_refused {
                self.end_transaction();
                self.say(State::Reset, "RSET");
            } else if let Some(command) = transaction.commands.get(n_replies) {
                self.out = command.clone();
            }
        }
    }

    fn replied_to_dot(&mut self, reply: Reply) {
        let is_closing = reply.code == 421;
        let outcome = match reply.code / 100 {
            2 => Outcome::Accepted { reply },
            4 => Outcome::Deferred { cause: Deferral::Reply(reply) },
            5 => Outcome::Rejected { reply },
            _ => {
                self.broke(OpenError::Lost { observed: format!("the server said {reply} {}", Phase::Dot) });
                return;
            }
        };
        self.transaction = None;
        let is_accepted = matches!(outcome, Outcome::Accepted { .. });
        self.events.push(Event::Ended(Ended { outcome, phase: Phase::Dot }));
        match (is_closing, is_accepted) {
            (true, _) => self.close_quietly(),
            (false, true) => self.state = State::Idle,
            (false, false) => self.say(State::Reset, "RSET"),
        }
    }

    fn end_transaction(&mut self) {
        if let Some(Transaction { refusal: Some(ended), .. }) = self.transaction.take() {
            self.events.push(Event::Ended(ended));
        }
    }

    /// Ends the session over a failure; what it means follows from where it stood.
    fn broke(&mut self, error: OpenError) {
        let phase = self.phase();
        match self.state {
            State::Greeting | State::Hello { .. } | State::StartTls | State::Handshake | State::Auth => {
                self.close(Event::NotOpened(error));
            }
            State::Envelope | State::Body | State::Dot => {
                let refusal = self.transaction.take().and_then(|transaction| transaction.refusal);
                let observed = error.to_string();
                let outcome = match self.state {
                    State::Dot => Outcome::InDoubt { observed },
                    _ => lost_before_the_dot(observed),
                };
                // What the server said of this message before it was lost still holds.
                self.close(Event::Ended(refusal.unwrap_or(Ended { outcome, phase })));
            }
            State::Idle | State::Cancel | State::Reset | State::Probe | State::Quit => {
                self.close(Event::Gone);
            }
            State::Closed => {}
        }
    }

    fn close(&mut self, event: Event) {
        self.events.push(event);
        self.close_quietly();
    }

    fn close_quietly(&mut self) {
        self.out.zeroize();
        self.n_written = 0;
        self.state = State::Closed;
    }
}

fn lost_before_the_dot(observed: String) -> Outcome {
    Outcome::Deferred { cause: Deferral::Lost { observed } }
}

/// What a reply other than the one that was hoped for means before the message itself was sent.
fn refused(reply: &Reply, phase: Phase) -> Outcome {
    if reply.is_transient() {
        Outcome::Deferred { cause: Deferral::Reply(reply.clone()) }
    } else if reply.is_permanent() {
        Outcome::Rejected { reply: reply.clone() }
    } else {
        lost_before_the_dot(format!("the server said {reply} {phase}"))
    }
}

#[cfg(test)]
mod tests;
