//! Owns what a server says it can do: the extensions in its answer to EHLO.

use crate::delivery::outcome::Reply;
use crate::delivery::smtp::login::Mechanism;

/// The extensions of a server that matter here.
///
/// Source: RFC 5321 §4.1.1.1 EHLO; RFC 2920 PIPELINING; RFC 6152 8BITMIME; RFC 6531 SMTPUTF8; RFC 1870 SIZE;
/// RFC 3207 STARTTLS; RFC 4954 AUTH.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Several commands may be sent before their replies come.
    pub pipelining: bool,
    /// Message bodies may hold bytes above 127.
    pub eight_bit_mime: bool,
    /// Addresses and headers may hold UTF-8.
    pub smtputf8: bool,
    /// The line can be protected.
    pub start_tls: bool,
    /// The size of a message may be announced; and the largest that is taken, if the server says so.
    pub size: Option<Option<u64>>,
    /// The ways to log in, in upper case.
    pub auth: Vec<String>,
}

impl Capabilities {
    /// Reads the reply to EHLO.
    pub fn of(reply: &Reply) -> Capabilities {
        let mut capabilities = Capabilities::default();
        for line in reply.text.lines().skip(1) {
            // `AUTH=LOGIN` is how servers wrote it before RFC 2554.
            let line = line.trim().to_ascii_uppercase().replace("AUTH=", "AUTH ");
            let mut words = line.split_whitespace();
            match words.next() {
                Some("PIPELINING") => capabilities.pipelining = true,
                Some("8BITMIME") => capabilities.eight_bit_mime = true,
                Some("SMTPUTF8") => capabilities.smtputf8 = true,
                Some("STARTTLS") => capabilities.start_tls = true,
                Some("SIZE") => {
                    let limit = words.next().and_then(|digits| digits.parse().ok());
                    capabilities.size = Some(limit.filter(|limit| *limit > 0));
                }
                Some("AUTH") => capabilities.auth.extend(words.map(str::to_owned)),
                Some(_) | None => {}
            }
        }
        capabilities
    }

    /// Tells whether the server takes this way to log in.
    pub fn offers(&self, mechanism: Mechanism) -> bool {
        self.auth.iter().any(|name| name == mechanism.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_read_whatever_their_letter_case() {
        let text = "mail.example greets you\nPIPELINING\nsize 35882577\n8bitmime\nAuth=LOGIN\nAUTH PLAIN login\n\
                    STARTTLS\nX-UNKNOWN a b\n\nSMTPUTF8";
        let capabilities = Capabilities::of(&Reply { code: 250, enhanced: None, text: text.to_owned() });
        assert!(capabilities.pipelining && capabilities.eight_bit_mime && capabilities.start_tls);
        assert!(capabilities.smtputf8 && capabilities.offers(Mechanism::Plain));
        assert!(capabilities.offers(Mechanism::Login) && !capabilities.offers(Mechanism::XOAuth2));
        assert_eq!(capabilities.size, Some(Some(35_882_577)));
    }

    #[test]
    fn the_greeting_is_no_extension_and_a_size_of_zero_is_no_limit() {
        let reply = |text: &str| Reply { code: 250, enhanced: None, text: text.to_owned() };
        assert_eq!(Capabilities::of(&reply("PIPELINING")), Capabilities::default());
        assert_eq!(Capabilities::of(&reply("mx\nSIZE 0")).size, Some(None));
        assert_eq!(Capabilities::of(&reply("mx\nSIZE")).size, Some(None));
    }
}
