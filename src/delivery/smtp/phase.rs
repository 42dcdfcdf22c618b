//! Owns the phases of a conversation, and how long each may take.

use std::fmt;
use std::time::Duration;

/// What a client is waiting for, or writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The connection itself.
    Connect,
    /// The server's first words.
    Greeting,
    /// The answer to EHLO or HELO.
    Hello,
    /// The answer to STARTTLS.
    StartTls,
    /// The TLS handshake.
    Handshake,
    /// Logging in.
    Auth,
    /// The answer to MAIL.
    Mail,
    /// The answer to RCPT.
    Rcpt,
    /// The answer to DATA.
    Data,
    /// Writing of the message, its final dot included.
    Body,
    /// The answer to the final dot.
    Dot,
    /// The answer to RSET, which clears what is left of a transaction.
    Reset,
    /// The answer to NOOP, which shows whether a connection still lives.
    Probe,
    /// The answer to QUIT.
    Quit,
}

impl Phase {
    /// All phases, in the order of a conversation.
    pub const ALL: [Phase; 14] = [
        Phase::Connect,
        Phase::Greeting,
        Phase::Hello,
        Phase::StartTls,
        Phase::Handshake,
        Phase::Auth,
        Phase::Mail,
        Phase::Rcpt,
        Phase::Data,
        Phase::Body,
        Phase::Dot,
        Phase::Reset,
        Phase::Probe,
        Phase::Quit,
    ];

    fn words(self) -> &'static str {
        match self {
            Phase::Connect => "while connecting",
            Phase::Greeting => "before its greeting",
            Phase::Hello => "after EHLO",
            Phase::StartTls => "after STARTTLS",
            Phase::Handshake => "in the TLS handshake",
            Phase::Auth => "while logging in",
            Phase::Mail => "after MAIL",
            Phase::Rcpt => "after RCPT",
            Phase::Data => "after DATA",
            Phase::Body => "while the message was being written",
            Phase::Dot => "after the final dot",
            Phase::Reset => "after RSET",
            Phase::Probe => "after NOOP",
            Phase::Quit => "after QUIT",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// How long each phase may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the connection to be made.
    pub connect: Duration,
    /// For the answer to a command.
    pub command: Duration,
    /// For the answer to DATA.
    pub data: Duration,
    /// For a piece of the message to be written.
    pub block: Duration,
    /// For the answer to the final dot; servers filter and deliver before they give it.
    pub dot: Duration,
    /// For the answer to QUIT, which nothing depends on.
    pub quit: Duration,
}

impl Default for Timeouts {
    /// Source: RFC 5321 §4.5.3.2 Timeouts: 5 minutes for a command, 2 for DATA, 3 for a data block, 10 at the dot.
    fn default() -> Timeouts {
        Timeouts {
            connect: Duration::from_secs(60),
            command: Duration::from_secs(300),
            data: Duration::from_secs(120),
            block: Duration::from_secs(180),
            dot: Duration::from_secs(600),
            quit: Duration::from_secs(5),
        }
    }
}

impl Timeouts {
    /// Returns how long a phase may take.
    pub fn of(&self, phase: Phase) -> Duration {
        match phase {
            Phase::Connect => self.connect,
            Phase::Data => self.data,
            Phase::Body => self.block,
            Phase::Dot => self.dot,
            Phase::Quit => self.quit,
            Phase::Greeting
            | Phase::Hello
            | Phase::StartTls
            | Phase::Handshake
            | Phase::Auth
            | Phase::Mail
            | Phase::Rcpt
            | Phase::Reset
            | Phase::Probe => self.command,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_phase_is_given_up_before_the_standard_says() {
        let timeouts = Timeouts::default();
        let check = |phase: Phase, minutes: u64| {
            assert_eq!(timeouts.of(phase), Duration::from_secs(minutes * 60), "{phase:?}");
        };
        for phase in [Phase::Greeting, Phase::Hello, Phase::Auth, Phase::Mail, Phase::Rcpt] {
            check(phase, 5);
        }
        check(Phase::Data, 2);
        check(Phase::Body, 3);
        check(Phase::Dot, 10);
    }
}
