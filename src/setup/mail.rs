//! Owns the declarations of the mail server, the sender of messages, and the fax gateway.

use std::path::PathBuf;

use serde::Deserialize;

/// The mail server and what every message carries.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Smtp {
    /// `smtps://user@host:465` (TLS) or `smtp://host:587` (STARTTLS); empty: messages become files in the outbox.
    pub url: String,
    /// Where the password comes from.
    pub password: Option<Secret>,
    /// The sender, `Name <address>`.
    pub from: String,
    /// The address for replies; may hold tags.
    pub reply_to: String,
    /// How many connections are open at once.
    pub connections: Option<u32>,
    /// How fast messages go out, such as `20/s`.
    pub rate: String,
    /// The `List-Unsubscribe` addresses (RFC 2369), `https:` and `mailto:`; may hold tags.
    pub unsubscribe: Vec<String>,
}

/// Where a secret comes from; never the secret itself.
#[derive(Clone, Debug, Deserialize)]
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
