//! Owns why a connection to a server does not open, and whether time alone could change that.

use crate::delivery::outcome::Reply;
use crate::delivery::smtp::phase::Phase;
use crate::delivery::smtp::reply::ReplyError;

/// Why a session does not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The server's reply says no.
    #[error("the server refuses {phase}: {reply}")]
    Refused {
        /// When.
        phase: Phase,
        /// What it said.
        reply: Reply,
    },
    /// The server does not offer STARTTLS, or takes it back.
    #[error("the server does not offer STARTTLS, so that anybody could read along")]
    NoStartTls,
    /// The server sent more than its answer before the line was protected.
    #[error("somebody put words into the server's mouth before the line was protected")]
    Injected,
    /// The server offers no way to log in that we know.
    #[error("the server offers no way to log in that can be used{}", listed(.offered))]
    NoMechanism {
        /// What it offers.
        offered: Vec<String>,
    },
    /// What the server says is no SMTP.
    #[error(transparent)]
    Reply(#[from] ReplyError),
    /// The connection cannot be made, was lost or timed out.
    #[error("{observed}")]
    Lost {
        /// What was seen.
        observed: String,
    },
    /// TLS does not come about: a certificate that is not trusted, say.
    #[error("the line cannot be protected: {reason}")]
    Tls {
        /// Why.
        reason: String,
    },
}

impl OpenError {
    /// Tells whether to try again at once could help: nothing but time has to change.
    pub fn is_transient(&self) -> bool {
        match self {
            OpenError::Refused { reply, .. } => reply.is_transient(),
            OpenError::Lost { .. } => true,
            OpenError::NoStartTls
            | OpenError::Injected
            | OpenError::NoMechanism { .. }
            | OpenError::Reply(_)
            | OpenError::Tls { .. } => false,
        }
    }

    /// Returns the error's stable id.
    pub fn id(&self) -> &'static str {
        match self {
            OpenError::Refused { phase: Phase::Auth, .. } => "login-refused",
            OpenError::Refused { .. } => "refused",
            OpenError::NoStartTls => "no-starttls",
            OpenError::Injected => "injected",
            OpenError::NoMechanism { .. } => "no-mechanism",
            OpenError::Reply(_) => "no-smtp",
            OpenError::Lost { .. } => "lost",
            OpenError::Tls { .. } => "tls",
        }
    }
}

fn listed(mechanisms: &[String]) -> String {
    match mechanisms {
        [] => ": none at all".to_owned(),
        _ => format!(": {}", mechanisms.join(", ")),
    }
}
