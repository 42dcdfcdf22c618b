//! Mail over SMTP: which server, how to talk with it, how fast, and what every failure means.

pub mod server;
pub mod login;
pub mod phase;
pub mod reply;
pub mod capabilities;
pub mod open_error;
pub mod envelope;
pub mod session;
pub mod connection;
pub mod pace;
pub mod mailer;
