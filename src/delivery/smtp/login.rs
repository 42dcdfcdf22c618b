//! Owns logging in: the mechanisms, and a password that does not print and is wiped when it is no longer needed.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// A password, an access token or a private key. It does not print; its memory is wiped when it is dropped.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes a password.
    pub fn new(text: String) -> Password {
        Password(Zeroizing::new(text))
    }

    /// Returns its first line alone: a file or a command ends the password with a line's end.
    pub fn first_line(&self) -> Password {
        Password::new(self.0.lines().next().unwrap_or_default().to_owned())
    }

    pub(in crate::delivery) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// How a user logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// User and password in one line (RFC 4616).
    Plain,
    /// User and password each when asked for; it has no RFC, and many servers know only this one.
    Login,
    /// An OAuth 2.0 access token, as Gmail and Microsoft 365 take it.
    XOAuth2,
}

impl Mechanism {
    /// All mechanisms.
    pub const ALL: [Mechanism; 3] = [Mechanism::Plain, Mechanism::Login, Mechanism::XOAuth2];

    /// Returns its name after `AUTH`.
    pub fn as_str(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::Login => "LOGIN",
            Mechanism::XOAuth2 => "XOAUTH2",
        }
    }

    /// Finds a mechanism by its name, whatever its letter case.
    pub fn parse(name: &str) -> Option<Mechanism> {
        Mechanism::ALL.into_iter().find(|mechanism| mechanism.as_str().eq_ignore_ascii_case(name))
    }
}

/// Who logs in, and how.
#[derive(Clone, Debug)]
pub struct Login {
    /// The user.
    pub user: String,
    /// The password, or the access token.
    pub password: Password,
    /// The mechanism; none: plain or login, whichever the server offers.
    pub mechanism: Option<Mechanism>,
}

impl Login {
    /// Returns the line that begins, and the answers to what the server asks after it; each without its end.
    pub(in crate::delivery::smtp) fn lines(&self, mechanism: Mechanism) -> Vec<Zeroizing<String>> {
        let Login { user, password, .. } = self;
        let password = password.0.as_str();
        let encoded = |text: &str| Zeroizing::new(STANDARD.encode(text));
        let with_response = |response: Zeroizing<String>| {
            Zeroizing::new(format!("AUTH {} {}", mechanism.as_str(), encoded(&response).as_str()))
        };
        match mechanism {
            Mechanism::Plain => vec![with_response(Zeroizing::new(format!("\0{user}\0{password}")))],
            Mechanism::Login => {
                vec![Zeroizing::new("AUTH LOGIN".to_owned()), encoded(user), encoded(password)]
            }
            // A server that refuses the token says why in a challenge, and its final reply comes after an empty line.
            Mechanism::XOAuth2 => {
                let response = format!("user={user}\u{1}auth=Bearer {password}\u{1}\u{1}");
                vec![with_response(Zeroizing::new(response)), Zeroizing::new(String::new())]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mechanism_says_what_its_servers_expect() {
        let login = |mechanism| Login {
            user: "tim".to_owned(),
            password: Password::new("tanstaaftanstaaf".to_owned()),
            mechanism: Some(mechanism),
        };
        let check = |mechanism: Mechanism, expected: &[&str]| {
            let lines = login(mechanism).lines(mechanism);
            assert_eq!(lines.iter().map(|line| line.as_str()).collect::<Vec<_>>(), expected);
        };
        // The response is that of RFC 4616 §4, first example.
        check(Mechanism::Plain, &["AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm"]);
        check(Mechanism::Login, &["AUTH LOGIN", "dGlt", "dGFuc3RhYWZ0YW5zdGFhZg=="]);
        check(Mechanism::XOAuth2, &["AUTH XOAUTH2 dXNlcj10aW0BYXV0aD1CZWFyZXIgdGFuc3RhYWZ0YW5zdGFhZgEB", ""]);
    }

    #[test]
    fn a_password_does_not_print() {
        let password = Password::new("canary".to_owned());
        assert!(!format!("{password:?}").contains("canary"));
    }
}
