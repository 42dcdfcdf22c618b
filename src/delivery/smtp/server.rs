//! Owns which server is meant, and how it is reached: the URL of the set-up. Fails on a URL that is none, and on one
//! that would send mail or a password over a line that anybody can read.

use std::fmt;
use std::net::IpAddr;

/// A mail server and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name, or its IP address without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What protects the line.
    pub security: Security,
    /// Who logs in; empty: nobody does.
    pub user: String,
}

/// What protects the line to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte.
    Tls,
    /// TLS after STARTTLS; a server that does not offer it gets neither mail nor password.
    StartTls,
    /// Nothing: the server is on this machine, or the user said so.
    Plain,
}

/// Why a URL does not say how to reach a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// Another scheme than ours.
    #[error("`{url}` is no mail server, expected smtps://USER@HOST:PORT or smtp://USER@HOST:PORT")]
    Scheme {
        /// The URL, without what may be a password.
        url: String,
    },
    /// No host, or one that no server has.
    #[error("`{url}` names no host")]
    Host {
        /// The URL, without what may be a password.
        url: String,
    },
    /// The port is no number from 1 to 65535.
    #[error("`{port}` is no port, expected a number from 1 to 65535")]
    Port {
        /// The text.
        port: String,
    },
    /// A percent sign that begins no character.
    #[error("the user of the URL has a `%` that is no encoded character")]
    User,
    /// A password in the URL.
    #[error("the URL holds a password")]
    Password,
    /// A parameter that means nothing here.
    #[error("`{parameter}` means nothing in the URL of a mail server, expected `plain=yes` at most")]
    Parameter {
        /// The text.
        parameter: String,
    },
}

impl ServerError {
    /// Returns the error's stable id.
    pub fn id(&self) -> &'static str {
        match self {
            ServerError::Scheme { .. } => "scheme",
            ServerError::Host { .. } => "host",
            ServerError::Port { .. } => "port",
            ServerError::User => "user",
            ServerError::Password => "password-in-url",
            ServerError::Parameter { .. } => "parameter",
        }
    }

    /// Returns what to do.
    pub fn help(&self) -> Option<String> {
        match self {
            ServerError::Password => Some(
                "take it out, and set `password = { env = \"MAILRUN_SMTP_PASSWORD\" }`, a file or a command"
                    .to_owned(),
            ),
            ServerError::User => Some("write `@` in a user name as `%40`, and `%` as `%25`".to_owned()),
            ServerError::Scheme { .. }
            | ServerError::Host { .. }
            | ServerError::Port { .. }
            | ServerError::Parameter { .. } => None,
        }
    }
}

impl Server {
    /// Parses a URL such as `smtps://user@mail.example.com:465`.
    ///
    /// Without a port it is 465 for `smtps` and 587 for `smtp` (RFC 8314 §3.3, RFC 6409 §3.1). `smtp` means that
    /// STARTTLS is required, unless the host is this machine or the URL ends with `?plain=yes`; then nothing protects
    /// the line. `?plain=no` requires STARTTLS of this machine too.
    ///
    /// # Errors
    ///
    /// [`ServerError`].
    pub fn parse(url: &str) -> Result<Server, ServerError> {
        let shown = || without_password(url);
        let (scheme, rest) =
            url.trim().split_once("://").ok_or_else(|| ServerError::Scheme { url: shown() })?;
        let is_implicit = match scheme {
            "smtps" => true,
            "smtp" => false,
            _ => return Err(ServerError::Scheme { url: shown() }),
        };
        let (rest, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let is_plain = match parameters {
            "" => None,
            "plain=no" => Some(false),
            "plain=yes" if !is_implicit => Some(true),
            _ => return Err(ServerError::Parameter { parameter: parameters.to_owned() }),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user, authority) = rest.rsplit_once('@').unwrap_or(("", rest));
        if user.contains(':') {
            return Err(ServerError::Password);
        }
        let user = percent_decoded(user).ok_or(ServerError::User)?;
        let (host, port) = match authority.strip_prefix('[') {
            Some(inside) => {
                let (host, after) =
                    inside.split_once(']').ok_or_else(|| ServerError::Host { url: shown() })?;
                (host, after.strip_prefix(':').unwrap_or(after))
            }
            None => authority.split_once(':').unwrap_or((authority, "")),
        };
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if host.is_empty() || !host.chars().all(is_host) {
            return Err(ServerError::Host { url: shown() });
        }
        let port = match port {
            "" if is_implicit => 465,
            "" => 587,
            digits => match digits.parse::<u16>() {
                Ok(port) if port > 0 => port,
                Ok(_) | Err(_) => return Err(ServerError::Port { port: digits.to_owned() }),
            },
        };
        let security = match is_implicit {
            true => Security::Tls,
            false if is_plain.unwrap_or_else(|| is_loopback(host)) => Security::Plain,
            false => Security::StartTls,
        };
        Ok(Server { host: host.to_owned(), port, security, user })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    let user = String::from_utf8(bytes).ok()?;
    (!user.contains(char::is_control)).then_some(user)
}

/// Returns a URL as it may be shown: what may be a password in it is left out.
pub fn without_password(url: &str) -> String {
    let Some((before, host)) = url.rsplit_once('@') else { return url.to_owned() };
    match before.split_once("://").and_then(|(scheme, user)| Some((scheme, user.split_once(':')?.0))) {
        Some((scheme, user)) => format!("{scheme}://{user}:…@{host}"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_how_a_server_is_reached() {
        let check = |url: &str, expected: Result<(&str, u16, Security, &str), &str>| {
            let server = Server::parse(url);
            let found = match &server {
                Ok(server) => Ok((server.host.as_str(), server.port, server.security, server.user.as_str())),
                Err(error) => Err(error.id()),
            };
            assert_eq!(found, expected, "{url}");
        };
        check("smtps://user@mail.example.com:465", Ok(("mail.example.com", 465, Security::Tls, "user")));
        check("smtps://mail.example.com", Ok(("mail.example.com", 465, Security::Tls, "")));
        check("smtp://mail.example.com", Ok(("mail.example.com", 587, Security::StartTls, "")));
        check(
            "smtp://a%40b.example@mail.example.com",
            Ok(("mail.example.com", 587, Security::StartTls, "a@b.example")),
        );
        check(
            "smtp://a@b.example@mail.example.com/",
            Ok(("mail.example.com", 587, Security::StartTls, "a@b.example")),
        );
        check("smtp://127.0.0.1:2525", Ok(("127.0.0.1", 2525, Security::Plain, "")));
        check("smtp://[::1]:2525", Ok(("::1", 2525, Security::Plain, "")));
        check("smtp://localhost", Ok(("localhost", 587, Security::Plain, "")));
        check("smtp://user@localhost", Ok(("localhost", 587, Security::Plain, "user")));
        check("smtp://user@localhost?plain=no", Ok(("localhost", 587, Security::StartTls, "user")));
        check("smtp://mail.example.com:25?plain=yes", Ok(("mail.example.com", 25, Security::Plain, "")));
        check("smtps://mail.example.com?plain=yes", Err("parameter"));
        check("smtp://mail.example.com?tls=no", Err("parameter"));
        check("smtp://user:secret@mail.example.com", Err("password-in-url"));
        check("smtp://us%zzer@mail.example.com", Err("user"));
        check("smtp://", Err("host"));
        check("smtp://mail example", Err("host"));
        check("smtp://mail.example.com:0", Err("port"));
        check("smtp://mail.example.com:99999", Err("port"));
        check("http://mail.example.com", Err("scheme"));
        check("mail.example.com", Err("scheme"));
    }

    #[test]
    fn a_password_in_a_url_is_not_repeated() {
        let error = Server::parse("http://user:canary@mail.example.com").expect_err("it is no mail server");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
}
