//! Owns the declarations of the mail server, the sender of messages, and the fax gateway.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use jiff::civil::Date;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::rate::{Rates, Span};
use super::window::SendWindow;

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
    /// The name by which we greet the server; empty: the domain of the sender, else of the signature, else of bounces.
    pub hello: String,
    /// A file of certificates (PEM) that are trusted instead of the well-known authorities.
    pub ca: Option<PathBuf>,
    /// The sender, `Name <address>`; may hold tags, such as `{{salesperson.name}} <{{salesperson.email}}>`.
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
    /// Where bounces go, with `{token}` for what tells the messages apart: `bounce+{token}@example.com`; empty: to the
    /// sender.
    pub bounce: String,
    /// Addresses of ours that get one copy of each run's message: an archive, say. `Name <address>` or the address.
    pub seeds: Vec<String>,
    /// The headers that keep robots from answering.
    pub automatic: Automatic,
    /// The hours in which messages may leave; none: at any time.
    pub window: Option<SendWindow>,
    /// How messages are signed; none: they are not.
    pub dkim: Option<Dkim>,
    /// The greatest size of a message; none: not checked.
    pub message_limit: Option<ByteSize>,
    /// The greatest size of one attachment; none: not checked.
    pub attachment_limit: Option<ByteSize>,
}

/// The headers that keep robots from answering. All are on by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct Automatic {
    /// `Auto-Submitted: auto-generated` (RFC 3834 §5).
    pub auto_submitted: bool,
    /// `Precedence: bulk`, for responders older than RFC 3834.
    pub precedence: bool,
    /// `X-Auto-Response-Suppress: All`, for Microsoft Exchange ([MS-OXCMAIL]).
    pub response_suppress: bool,
}

impl Default for Automatic {
    fn default() -> Automatic {
        Automatic { auto_submitted: true, precedence: true, response_suppress: true }
    }
}

/// A size such as `25 MB`: a number of `B`, `kB`, `MB` (powers of 1000), `KiB` or `MiB` (powers of 1024).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ByteSize(pub u64);

/// A text that is no size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no size, expected one such as 25 MB")]
pub struct NotASize {
    found: String,
}

const UNITS: [(&str, u64); 5] =
    [("KiB", 1 << 10), ("MiB", 1 << 20), ("kB", 1_000), ("MB", 1_000_000), ("B", 1)];

impl TryFrom<String> for ByteSize {
    type Error = NotASize;

    fn try_from(text: String) -> Result<ByteSize, NotASize> {
        let parsed = UNITS.iter().find_map(|(unit, bytes)| {
            let number = text.trim().strip_suffix(unit)?.trim_end();
            number.parse::<u64>().ok()?.checked_mul(*bytes)
        });
        parsed.map(ByteSize).ok_or(NotASize { found: text })
    }
}

impl From<ByteSize> for String {
    fn from(size: ByteSize) -> String {
        size.to_string()
    }
}

impl fmt::Display for ByteSize {
    /// Writes whole units where there are any, so that the text reads back as the same size.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, bytes): &&(&str, u64)| self.0 >= *bytes && self.0.is_multiple_of(*bytes);
        let (unit, bytes) =
            UNITS.iter().rev().filter(fits).max_by_key(|(_, bytes)| *bytes).unwrap_or(&("B", 1));
        write!(f, "{} {unit}", self.0 / bytes)
    }
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

/// How messages are signed (DKIM, RFC 6376).
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct Dkim {
    /// The domain that answers for the messages; for DMARC that of the sender.
    pub domain: String,
    /// The selector: the public key stands in the DNS at `<selector>._domainkey.<domain>`.
    pub selector: String,
    /// Where the private key comes from: PEM, RSA or Ed25519.
    pub key: Option<Secret>,
}

/// Where a secret comes from; never the secret itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Secret {
    /// An environment variable.
    Env(String),
    /// A file; of a password, its first line.
    File(PathBuf),
    /// What a command prints; of a password, its first line.
    Command(Vec<String>),
}

impl<'de> Deserialize<'de> for Secret {
    /// What stands in the place of a table may be the secret itself, which no error repeats.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        struct Source;

        impl Source {
            fn refuse<T, E: de::Error>() -> Result<T, E> {
                Err(E::custom(
                    "a secret does not stand in this file: set `{ env = \"NAME\" }`, `{ file = \"PATH\" }` or \
                     `{ command = [\"PROGRAM\", \"ARGUMENT\"] }`",
                ))
            }
        }

        impl<'de> Visitor<'de> for Source {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("where the secret comes from")
            }

            fn visit_str<E: de::Error>(self, _: &str) -> Result<Secret, E> {
                Source::refuse()
            }

            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Secret, E> {
                Source::refuse()
            }

            fn visit_u64<E: de::Error>(self, _: u64) -> Result<Secret, E> {
                Source::refuse()
            }

            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Secret, E> {
                Source::refuse()
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Secret, A::Error> {
                let secret = match map.next_key::<String>()?.as_deref() {
                    Some("env") => Secret::Env(map.next_value()?),
                    Some("file") => Secret::File(map.next_value()?),
                    Some("command") => Secret::Command(map.next_value()?),
                    Some(_) | None => return Source::refuse(),
                };
                match map.next_key::<String>()? {
                    None => Ok(secret),
                    Some(_) => Err(de::Error::custom("a secret comes from one place only")),
                }
            }
        }

        deserializer.deserialize_any(Source)
    }
}

/// The e-mail-to-fax gateway.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Fax {
    /// The gateway's address for a contact, such as `{{contact.fax}}@fax.example.com`.
    pub address: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_and_a_unit() {
        let check = |text: &str, expected: Option<(u64, &str)>| {
            let size = ByteSize::try_from(text.to_owned()).ok();
            let shown = size.map(|size| (size.0, size.to_string()));
            assert_eq!(shown.as_ref().map(|(n, text)| (*n, text.as_str())), expected, "{text}");
        };
        check("25 MB", Some((25_000_000, "25 MB")));
        check("10MiB", Some((10_485_760, "10 MiB")));
        check(" 300 kB ", Some((300_000, "300 kB")));
        check("1 KiB", Some((1_024, "1 KiB")));
        check("7 B", Some((7, "7 B")));
        check("0 MB", Some((0, "0 B")));
        check("25", None);
        check("25 GB", None);
        check("-1 MB", None);
        check("1.5 MB", None);
        check("99999999999999999999 MB", None);
    }
}
