//! Owns seeds: addresses of ours that get one copy of a run's message, an archive say. How they stand, what is recorded
//! of them, and what is wrong with those of a set-up.

use std::fmt;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::delivery::mailbox::{Address, Mailbox};
use crate::delivery::name::safe_name;
use crate::delivery::suppression::AddressKey;
use crate::interaction::{EntryNo, State};
use crate::run::attempt::{AttemptChange, Tries};
use crate::run::problem::Problem;
use crate::setup::{Setup, Smtp};

/// An address that gets a copy, and how that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seed {
    /// The address, and the name beside it.
    #[serde(rename = "address", serialize_with = "address_alone")]
    pub mailbox: Mailbox,
    /// How it stands: planned, sending, deferred, or what came of it.
    pub state: State,
    /// Why.
    pub reason: String,
    /// The server's reply.
    pub reply_code: Option<u16>,
    /// Its enhanced status.
    pub reply_status: String,
    /// Its text.
    pub reply_text: String,
    /// When it is tried again, if it was put off.
    #[serde(skip)]
    pub due: Option<Timestamp>,
    /// What was tried.
    #[serde(skip)]
    pub tried: Tries,
}

fn address_alone<S: Serializer>(mailbox: &Mailbox, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(mailbox.address().as_str())
}

impl Seed {
    /// A seed for which nothing was done yet.
    pub fn planned(mailbox: Mailbox) -> Seed {
        Seed {
            mailbox,
            state: State::Planned,
            reason: String::new(),
            reply_code: None,
            reply_status: String::new(),
            reply_text: String::new(),
            due: None,
            tried: Tries::default(),
        }
    }

    /// Tells whether it ended without its copy, or nobody knows.
    pub fn went_wrong(&self) -> bool {
        matches!(self.state, State::Rejected | State::Failed | State::InDoubt)
    }
}

impl fmt::Display for Seed {
    /// "seed archive@example.com: rejected: 550 5.1.1 no such user".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}: {}", self.mailbox.address(), self.state)?;
        if !self.reason.is_empty() {
            write!(f, ": {}", self.reason)?;
        }
        if let Some(code) = self.reply_code {
            write!(f, ": {code}")?;
            for part in [&self.reply_status, &self.reply_text].into_iter().filter(|part| !part.is_empty()) {
                write!(f, " {}", part.replace('\n', " "))?;
            }
        }
        Ok(())
    }
}

/// A change of an attempt for a seed, to be recorded.
#[derive(Clone, Debug)]
pub struct SeedStep<'a> {
    /// The seed's address.
    pub address: &'a str,
    /// The attempt's number, from 1.
    pub number: u32,
    /// The entry whose message it is a copy of.
    pub entry: EntryNo,
    /// What changed.
    pub change: AttemptChange<'a>,
}

/// Returns the name of a seed's copy in the outbox. No line's file has it: those begin with the number of the line.
pub fn file_name(address: &str) -> String {
    safe_name(&format!("seed {address}"), "eml")
}

/// Finds what is wrong with the seeds of a set-up.
pub(in crate::run) fn problems(smtp: &Smtp) -> Vec<Problem> {
    let place = |number: usize| format!("{}: smtp.seeds, number {number}", Setup::FILE_NAME);
    let mut problems = Vec::new();
    let mut keys = Vec::new();
    for (number, seed) in (1..).zip(&smtp.seeds) {
        match seed.parse::<Mailbox>() {
            Err(error) => problems.push(Problem {
                id: error.id(),
                message: error.to_string(),
                place: place(number),
                help: Some(
                    "give an address such as archive@example.com; tags have no place in it".to_owned(),
                ),
            }),
            Ok(mailbox) => {
                let key = AddressKey::of(mailbox.address());
                if keys.contains(&key) {
                    problems.push(Problem {
                        id: "seed-twice",
                        message: format!("`{}` is among the seeds already", mailbox.address()),
                        place: place(number),
                        help: Some("take it out".to_owned()),
                    });
                }
                keys.push(key);
            }
        }
    }
    problems
}

/// Returns the name under which the copy for a seed is part of a run, in Message-IDs and for its waits.
pub(in crate::run) fn name_of(run: &Uuid, address: &Address) -> Uuid {
    Uuid::new_v5(run, format!("seed {address}").as_bytes())
}
