//! Owns which mail server a run sends to: from the set-up to a mailer, and what is wrong with the set-up.

use std::fs;

use jiff::Timestamp;

use crate::delivery::smtp::connection::{Trust, Way};
use crate::delivery::smtp::login::{Login, Mechanism, Password};
use crate::delivery::smtp::mailer::{Mailer, MailerOptions};
use crate::delivery::smtp::pace::{Pace, PacePlan};
use crate::delivery::smtp::phase::Timeouts;
use crate::delivery::smtp::server::Server;
use crate::run::problem::Problem;
use crate::run::signature::SignatureError;
use crate::run::{Office, RecordsError, RunOptions};
use crate::setup::Setup;
use crate::setup::mail::{Secret, Smtp};

/// How many connections are open at once where the set-up does not say.
const CONNECTIONS: u32 = 4;

/// So many connections no server likes.
const MOST_CONNECTIONS: u32 = 256;

/// Why a run has no mail server to send to.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The set-up of the run cannot be used any more: its certificates are gone, say.
    #[error("the mail server cannot be used: {reason}")]
    Unusable {
        /// Why.
        reason: String,
    },
    /// The password cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// Messages cannot be signed.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The store fails.
    #[error(transparent)]
    Records(#[from] RecordsError),
}

/// Why a password cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("the password of the mail server cannot be had: {reason}")]
pub struct SecretError {
    /// Where it was looked for, and what is wrong there.
    pub reason: String,
}

/// Finds what is wrong with the server that a set-up names, without a look at the server.
pub(in crate::run) fn problems(smtp: &Smtp) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut problem = |id, key: &str, message: String, help: Option<String>| {
        problems.push(Problem { id, message, place: format!("{}: smtp.{key}", Setup::FILE_NAME), help });
    };
    let user = match Server::parse(&smtp.url) {
        Ok(server) => server.user,
        Err(error) => {
            problem(error.id(), "url", error.to_string(), error.help());
            String::new()
        }
    };
    if !user.is_empty() && smtp.password.is_none() {
        let help = "set `password = { env = \"MAILRUN_SMTP_PASSWORD\" }`, a file or a command".to_owned();
        problem("no-password", "url", format!("`{user}` logs in, but no password is set"), Some(help));
    }
    if !smtp.auth.is_empty() && Mechanism::parse(&smtp.auth).is_none() {
        let message = format!("`{}` is no way to log in, expected plain, login or xoauth2", smtp.auth);
        problem("not-a-mechanism", "auth", message, None);
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '[' | ']' | ':');
    if !smtp.hello.chars().all(is_name) {
        let message = format!("`{}` is no name to greet a server with", smtp.hello.escape_debug());
        problem("not-a-name", "hello", message, Some("write the name of this machine in the DNS".to_owned()));
    }
    if smtp.connections.is_some_and(|n| n == 0 || n > MOST_CONNECTIONS) {
        let message = format!("the number of connections is not from 1 to {MOST_CONNECTIONS}");
        problem("not-a-number", "connections", message, None);
    }
    if let Err(reason) = trust(smtp) {
        problem("not-trusted", "ca", reason, Some("name a file of certificates in PEM form".to_owned()));
    }
    problems
}

/// Returns how to reach a server; `from` is the sender, whose domain greets it where the set-up names none.
///
/// # Errors
///
/// A password that cannot be had, certificates that cannot be read, a URL that is none.
pub fn way(smtp: &Smtp, from: &str, password: Passwords<'_>) -> Result<Way, ServerError> {
    let unusable = |reason: String| ServerError::Unusable { reason };
    let server = Server::parse(&smtp.url).map_err(|error| unusable(error.to_string()))?;
    let login = match &smtp.password {
        Some(secret) if !server.user.is_empty() => Some(Login {
            user: server.user.clone(),
            password: password(secret)?.first_line(),
            mechanism: Mechanism::parse(&smtp.auth),
        }),
        Some(_) | None => None,
    };
    let hello = match smtp.hello.as_str() {
        "" => own_domain(smtp, from).to_owned(),
        name => name.to_owned(),
    };
    let trust = trust(smtp).map_err(unusable)?;
    Ok(Way { server, hello, login, timeouts: Timeouts::default(), trust })
}

/// Prepares to send over the server of a run; no connection is opened. None if the run writes files.
///
/// # Errors
///
/// A password that cannot be had, certificates that cannot be read.
pub(in crate::run) fn mailer<'a>(
    office: &mut Office<'a>,
    options: &RunOptions,
    now: Timestamp,
) -> Result<Option<(Mailer<'a>, Smtp)>, ServerError> {
    let Some(smtp) = office.server.or(options.smtp.as_ref()).filter(|smtp| !smtp.url.is_empty()) else {
        return Ok(None);
    };
    let smtp = smtp.clone();
    let mailer = mailer_over(office, &smtp, &options.from, now)?;
    Ok(Some((mailer, smtp)))
}

/// Prepares to send over a server; no connection is opened.
///
/// # Errors
///
/// A password that cannot be had, certificates that cannot be read.
pub(in crate::run) fn mailer_over<'a>(
    office: &mut Office<'a>,
    smtp: &Smtp,
    from: &str,
    now: Timestamp,
) -> Result<Mailer<'a>, ServerError> {
    let way = way(smtp, from, office.password)?;
    let plan = PacePlan {
        all: smtp.rate.clone(),
        connection: smtp.connection_rate.clone(),
        domains: smtp
            .domain_rate
            .iter()
            .map(|(domain, rates)| (domain.to_ascii_lowercase(), rates.clone()))
            .collect(),
    };
    let mut pace = Pace::new(plan);
    let longest = pace.longest();
    if !longest.is_zero() {
        let since = now.saturating_sub(super::send::signed(longest)).unwrap_or(Timestamp::MIN);
        for attempt in office.store.past_attempts(since)? {
            if let Ok(age) = now.duration_since(attempt.at).try_into() {
                pace.remember(age, &attempt.domain);
            }
        }
    }
    let mailer_options = MailerOptions {
        way,
        connections: smtp.connections.unwrap_or(CONNECTIONS).min(MOST_CONNECTIONS) as usize,
        messages_per_connection: smtp.messages_per_connection,
        stop_after_failures: smtp.stop_after_failures,
        patience: office.wait,
    };
    Ok(Mailer::new(mailer_options, pace, office.stop))
}

/// Returns the domain that greets a server: of the sender, else the one that signs, else the one that bounces go to;
/// empty where none is known for all messages.
fn own_domain<'a>(smtp: &'a Smtp, from: &'a str) -> &'a str {
    let signing = smtp.dkim.as_ref().map(|dkim| dkim.domain.as_str()).filter(|domain| !domain.is_empty());
    domain_of(from).or(signing).or_else(|| domain_of(&smtp.bounce)).unwrap_or_default()
}

/// Returns the domain of a sender whose text may hold tags, if there are none in the domain.
fn domain_of(from: &str) -> Option<&str> {
    let (_, domain) = from.rsplit_once('@')?;
    let domain = domain.trim_end().trim_end_matches('>');
    let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    (!domain.is_empty() && domain.chars().all(is_host)).then_some(domain)
}

fn trust(smtp: &Smtp) -> Result<Trust, String> {
    let Some(file) = &smtp.ca else { return Ok(Trust::well_known()) };
    let pem = fs::read(file).map_err(|error| format!("cannot read `{}`: {error}", file.display()))?;
    Trust::only(&pem).map_err(|error| format!("`{}` cannot be trusted: {error}", file.display()))
}

/// Where the office gets passwords from.
pub type Passwords<'a> = &'a dyn Fn(&Secret) -> Result<Password, SecretError>;

#[cfg(test)]
mod tests {
    use super::{domain_of, own_domain};
    use crate::setup::mail::{Dkim, Smtp};

    #[test]
    fn a_server_is_greeted_by_the_domain_of_the_sender() {
        assert_eq!(domain_of("Post <post@example.com>"), Some("example.com"));
        assert_eq!(domain_of("{{salesperson.name}} <{{salesperson.code}}@example.com>"), Some("example.com"));
        assert_eq!(domain_of("{{salesperson.email}}"), None);
        assert_eq!(domain_of("post@{{company.domain}}"), None);
        assert_eq!(domain_of(""), None);
    }

    #[test]
    fn a_sender_that_differs_by_line_leaves_it_to_the_domain_that_signs_or_takes_bounces() {
        let from = "{{salesperson.name}} <{{salesperson.email}}>";
        let mut smtp = Smtp::default();
        assert_eq!(own_domain(&smtp, from), "");
        smtp.bounce = "bounce+{token}@return.example.com".to_owned();
        assert_eq!(own_domain(&smtp, from), "return.example.com");
        smtp.dkim = Some(Dkim { domain: "example.com".to_owned(), ..Dkim::default() });
        assert_eq!(own_domain(&smtp, from), "example.com");
        assert_eq!(own_domain(&smtp, "post@mail.example.org"), "mail.example.org");
    }
}
