//! Owns what came of a delivery: the outcome of one attempt, the server's reply as data, and the states of a line.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::interaction::State;

/// What came of one attempt to deliver one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The file stands complete under its name, and is on the disk.
    Written {
        /// The name within the folder.
        file: String,
        /// SHA-256 of the content, 64 lower-case hexadecimal digits.
        sha256: String,
        /// The files of its enclosures, which stand there as well.
        enclosures: Vec<WrittenFile>,
    },
    /// The server took the message over.
    Accepted {
        /// Its reply to the final dot.
        reply: Reply,
    },
    /// Nothing was delivered, and to try again is safe.
    Deferred {
        /// Why.
        cause: Deferral,
    },
    /// The server refused for good.
    Rejected {
        /// The reply that says so.
        reply: Reply,
    },
    /// The message was sent to its end and no reply came: nobody on this side can know whether it arrived.
    InDoubt {
        /// What was seen instead of a reply.
        observed: String,
    },
    /// This line's data or document cannot be delivered; the run goes on.
    Failed {
        /// Why.
        reason: String,
    },
}

/// A file that stands complete under its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenFile {
    /// The name.
    pub name: String,
    /// SHA-256 of the content, 64 lower-case hexadecimal digits.
    pub sha256: String,
}

impl Outcome {
    /// Returns the state in which the attempt leaves its line.
    pub fn state(&self) -> State {
        match self {
            Outcome::Written { .. } => State::Written,
            Outcome::Accepted { .. } => State::Accepted,
            Outcome::Deferred { .. } => State::Deferred,
            Outcome::Rejected { .. } => State::Rejected,
            Outcome::InDoubt { .. } => State::InDoubt,
            Outcome::Failed { .. } => State::Failed,
        }
    }
}

/// Why a delivery is put off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deferral {
    /// The server said so, with a transient reply.
    Reply(Reply),
    /// The connection was lost, or timed out, before the final dot was written.
    Lost {
        /// What was seen, in words.
        observed: String,
    },
}

/// The reply of an SMTP server: three fields, never one text.
///
/// Source: RFC 5321 §4.2 SMTP Replies; RFC 3463 for the enhanced status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The three-digit reply code.
    pub code: u16,
    /// The enhanced status code, if the server gave one.
    pub enhanced: Option<EnhancedStatus>,
    /// The text behind the codes, lines joined by a line feed.
    pub text: String,
}

impl Reply {
    /// Tells whether the server did what was asked: 2yz.
    pub fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// Tells whether the same request may succeed later: 4yz.
    pub fn is_transient(&self) -> bool {
        self.code / 100 == 4
    }

    /// Tells whether the same request will fail again: 5yz.
    pub fn is_permanent(&self) -> bool {
        self.code / 100 == 5
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(enhanced) = self.enhanced {
            write!(f, " {enhanced}")?;
        }
        if !self.text.is_empty() {
            write!(f, " {}", self.text.replace('\n', " "))?;
        }
        Ok(())
    }
}

/// An enhanced mail system status code such as `5.1.1`.
///
/// Source: RFC 3463 §2 Status Code Structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnhancedStatus {
    /// 2 success, 4 persistent transient failure, 5 permanent failure.
    pub class: u8,
    /// What the status is about: 1 addressing, 2 mailbox, …; at most 999.
    pub subject: u16,
    /// The precise condition; at most 999.
    pub detail: u16,
}

impl fmt::Display for EnhancedStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// A text that is no enhanced status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no enhanced status code: class 2, 4 or 5 and two numbers of at most 3 digits are expected")]
pub struct NotAStatus;

impl FromStr for EnhancedStatus {
    type Err = NotAStatus;

    fn from_str(text: &str) -> Result<EnhancedStatus, NotAStatus> {
        let mut steps = text.split('.');
        let class = match steps.next() {
            Some("2") => 2,
            Some("4") => 4,
            Some("5") => 5,
            _ => return Err(NotAStatus),
        };
        let subject = status_number(steps.next())?;
        let detail = status_number(steps.next())?;
        match steps.next() {
            None => Ok(EnhancedStatus { class, subject, detail }),
            Some(_) => Err(NotAStatus),
        }
    }
}

fn status_number(step: Option<&str>) -> Result<u16, NotAStatus> {
    let digits = step.ok_or(NotAStatus)?;
    if digits.is_empty() || digits.len() > 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NotAStatus);
    }
    digits.parse().map_err(|_| NotAStatus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enhanced_status_has_a_class_and_two_numbers() {
        let check = |text: &str, expected: Option<&str>| {
            let status = text.parse::<EnhancedStatus>().ok().map(|status| status.to_string());
            assert_eq!(status.as_deref(), expected, "{text}");
        };
        check("5.1.1", Some("5.1.1"));
        check("4.999.999", Some("4.999.999"));
        check("3.1.1", None);
        check("5.1", None);
        check("5.1.1.1", None);
        check("5.1.1000", None);
        check("5.+1.1", None);
        check("", None);
    }

    #[test]
    fn a_reply_is_judged_by_its_code_alone() {
        let reply = |code| Reply { code, enhanced: None, text: "5.0.0 looks permanent".to_owned() };
        assert!(reply(250).is_positive());
        assert!(reply(451).is_transient() && !reply(451).is_permanent());
        assert!(reply(554).is_permanent() && !reply(554).is_transient());
    }
}
