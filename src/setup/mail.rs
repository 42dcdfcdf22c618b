//! Owns the declarations of the mail server, the sender of messages, and the fax gateway.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::rate::{Rates, Span};

/// The mail server and what every message carries.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct Smtp {
    /// `smtps://user@host:465` (TLS) or `smtp://host:587` (STARTTLS); empty: messages become files in the outbox.
    pub url: String,
    /// Where the password, or the OAuth 2.0 access token, comes from.
    pub password: Option<Secret>,
    /// How to log in: `plain`, `login` or `xoauth2`; empty: `plain` or `login`, whichever the server offers.
    pub auth: String,
    /// The name by which we greet the server; empty: the domain of the sender.
    pub hello: String,
    /// A file of certificates (PEM) that are trusted instead of the well-known authorities.
    pub ca: Option<PathBuf>,
    /// The sender, `Name <address>`.
    pub from: String,
    /// The address for replies; may hold tags.
    pub reply_to: String,
    /// How many connections are open at once.
    pub connections: Option<u32>,
    /// After how many messages a connection is closed and opened anew.
    pub messages_per_connection: Option<u32>,
    /// How fast messages go out, such as `20/s` or `["20/s", "1000/h"]`.
    pub rate: Rates,
    /// The same for each connection.
    pub connection_rate: Rates,
    /// The same for each domain of recipients; `*` is any domain that is not named.
    pub domain_rate: BTreeMap<String, Rates>,
    /// How many messages go out on each day of the first time.
    pub warm_up: Option<WarmUp>,
    /// After how many failures in a row the run pauses; left out: never.
    pub stop_after_failures: Option<u32>,
    /// When deferred messages are tried again.
    pub retry: Retry,
    /// The `List-Unsubscribe` addresses (RFC 2369), `https:` and `mailto:`; may hold tags.
    pub unsubscribe: Vec<String>,
}

/// A plan for a sender that is new to the world: so many messages on the first day, so many on the second, …
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct WarmUp {
    /// The first day; left out: there is no limit.
    #[serde(deserialize_with = "crate::setup::campaign::date")]
    pub start: Option<Date>,
    /// How many messages on each day, from the first; after the last there is no limit.
    pub per_day: Vec<u32>,
}

/// When deferred messages are tried again: after `first`, then after twice as long each time, up to `longest`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct Retry {
    /// The wait after the first attempt.
    pub first: Span,
    /// The longest wait.
    pub longest: Span,
    /// How many attempts there are in all.
    pub attempts: u32,
    /// How long after the first attempt there is still another one.
    pub age: Span,
}

impl Default for Retry {
    fn default() -> Retry {
        Retry {
            first: Span::from_milliseconds(10_000),
            longest: Span::from_milliseconds(3_600_000),
            attempts: 20,
            age: Span::from_milliseconds(2 * 86_400_000),
        }
    }
}

/// Where a secret comes from; never the secret itself.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Secret {
    /// An environment variable.
    Env(String),
    /// The first line of a file.
    File(PathBuf),
    /// The first line that a command prints.
    Command(Vec<String>),
}

/// The e-mail-to-fax gateway.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Fax {
    /// The gateway's address for a contact, such as `{{contact.fax}}@fax.example.com`.
    pub address: String,
}
