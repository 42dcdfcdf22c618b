//! Owns the DKIM signature of a message: which headers it covers, what is hashed, and how it is written.
//! Fails on a domain, a selector or a key that cannot sign, before there is a message.

#[cfg(feature = "dkim")]
mod key;
#[cfg(not(feature = "dkim"))]
#[path = "dkim/no_key.rs"]
mod key;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::delivery::mailbox::Address;
use crate::delivery::message::Message;
use crate::delivery::smtp::login::Password;
use key::Key;

/// The headers that a signature covers where a message has them, in the order of `h=`.
///
/// RFC 6376 §5.4.1 recommends most of them; RFC 8058 §4 asks for the two of `List-Unsubscribe`.
const SIGNED: [&str; 15] = [
    "From",
    "Reply-To",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Auto-Submitted",
    "Precedence",
    "X-Auto-Response-Suppress",
    "X-Mailrun-Copy",
];

/// Those named once more than a message has them, so that nobody can add another one below the signature.
///
/// Source: RFC 6376 §8.15 Attacks Involving Extra Header Fields.
const OVERSIGNED: [&str; 5] = ["From", "Reply-To", "To", "Subject", "Date"];

/// How many characters of base64 stand on one line of the header.
const BASE64_PER_LINE: usize = 72;

/// Signs messages for a domain.
#[derive(Debug)]
pub struct Signer {
    domain: String,
    selector: String,
    key: Key,
}

/// Why messages cannot be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DkimError {
    /// The domain is none.
    #[error("`{}` is no domain to sign for", .found.escape_debug())]
    Domain {
        /// What was given.
        found: String,
    },
    /// The selector is none.
    #[error("`{}` is no selector, expected letters, digits and hyphens, such as mail2026", .found.escape_debug())]
    Selector {
        /// What was given.
        found: String,
    },
    /// The key cannot be used. It is not shown.
    #[error("the private key cannot be used: {reason}")]
    Key {
        /// Why.
        reason: String,
    },
}

impl DkimError {
    /// Returns the error's stable id.
    pub fn id(&self) -> &'static str {
        match self {
            DkimError::Domain { .. } => "dkim-domain",
            DkimError::Selector { .. } => "dkim-selector",
            DkimError::Key { .. } => "dkim-key",
        }
    }
}

impl Signer {
    /// Takes the domain that answers for the messages, the selector under which its DNS has the public key, and the
    /// private key: RSA of at least 2048 bits or Ed25519, as PEM, or the 32 bytes of an Ed25519 key in base64.
    ///
    /// # Errors
    ///
    /// [`DkimError`] for whatever cannot be used.
    ///
    /// Source: RFC 6376 §3.6.2.1 for where the public key is; RFC 8301 §3.2 and RFC 8463 for the keys.
    pub fn new(domain: &str, selector: &str, key: &Password) -> Result<Signer, DkimError> {
        // A domain is what may stand behind the `@`; in ASCII, as the DNS has it.
        let address = format!("post@{domain}").parse::<Address>();
        let address = address.map_err(|_| DkimError::Domain { found: domain.to_owned() })?;
        if domain.is_empty() || address.domain().starts_with('[') {
            return Err(DkimError::Domain { found: domain.to_owned() });
        }
        let is_label = |label: &str| {
            let is_inner = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            !label.is_empty() && label.len() <= 63 && label.chars().all(is_inner)
        };
        if selector.len() > 200 || !selector.split('.').all(is_label) {
            return Err(DkimError::Selector { found: selector.to_owned() });
        }
        let key = Key::read(key.text()).map_err(|reason| DkimError::Key { reason })?;
        Ok(Signer { domain: address.domain().to_ascii_lowercase(), selector: selector.to_owned(), key })
    }

    /// Puts the signature before a message. The same message, moment and key give the same bytes.
    ///
    /// # Errors
    ///
    /// A key that fails to sign.
    ///
    /// Source: RFC 6376 §3.5 The DKIM-Signature Header Field, §3.7 Computing the Message Hashes.
    pub fn sign(&self, message: Message, at: Timestamp) -> Result<Message, DkimError> {
        let (headers, body) = parts(message.bytes());
        let body_hash = STANDARD.encode(Sha256::digest(relaxed_body(body)));
        let mut names = Vec::new();
        let mut hashed = Vec::new();
        for name in SIGNED {
            let found: Vec<&Header<'_>> =
                headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name.as_bytes())).collect();
            // Of headers with one name the last is signed first (RFC 6376 §5.4.2).
            for header in found.iter().rev() {
                hashed.extend(relaxed_header(header));
                hashed.extend(b"\r\n");
                names.push(name);
            }
            if OVERSIGNED.contains(&name) {
                names.push(name);
            }
        }
        let mut value = format!(
            " v=1; a={}; c=relaxed/relaxed;\r\n d={};\r\n s={};\r\n t={};\r\n h={};\r\n bh={};\r\n b=",
            self.key.algorithm(),
            self.domain,
            self.selector,
            at.as_second().max(0),
            names.join(":\r\n  "),
            body_hash,
        );
        let unsigned = Header { name: b"DKIM-Signature", value: value.as_bytes() };
        hashed.extend(relaxed_header(&unsigned));
        let signature = self.key.sign(&hashed).map_err(|reason| DkimError::Key { reason })?;
        let signature = STANDARD.encode(signature);
        for (number, character) in signature.chars().enumerate() {
            if number > 0 && number % BASE64_PER_LINE == 0 {
                value.push_str("\r\n  ");
            }
            value.push(character);
        }
        Ok(message.below(&format!("DKIM-Signature:{value}\r\n")))
    }
}

/// A header as it stands in a message: its value with the folds, without the last line's end.
struct Header<'a> {
    name: &'a [u8],
    value: &'a [u8],
}

/// Parts the headers of a message from its body.
fn parts(message: &[u8]) -> (Vec<Header<'_>>, &[u8]) {
    let mut headers = Vec::new();
    let mut rest = message;
    while !rest.is_empty() && !rest.starts_with(b"\r\n") {
        let end = header_end(rest);
        let (header, after) = rest.split_at(end);
        let header = header.strip_suffix(b"\r\n").unwrap_or(header);
        if let Some(colon) = header.iter().position(|byte| *byte == b':') {
            headers.push(Header { name: &header[..colon], value: &header[colon + 1..] });
        }
        rest = after;
    }
    (headers, rest.strip_prefix(b"\r\n").unwrap_or(rest))
}

/// Returns where the first header ends: behind the first line's end that no blank follows.
fn header_end(text: &[u8]) -> usize {
    let mut ends = text.windows(2).enumerate().filter(|(_, pair)| *pair == b"\r\n").map(|(at, _)| at + 2);
    ends.find(|end| !matches!(text.get(*end), Some(b' ' | b'\t'))).unwrap_or(text.len())
}

/// Source: RFC 6376 §3.4.2 The "relaxed" Header Canonicalization Algorithm.
fn relaxed_header(header: &Header<'_>) -> Vec<u8> {
    let mut relaxed = header.name.trim_ascii_end().to_ascii_lowercase();
    relaxed.push(b':');
    let unfolded: Vec<u8> =
        header.value.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    relaxed.extend(single_blanks(unfolded.trim_ascii()));
    relaxed
}

/// Source: RFC 6376 §3.4.4 The "relaxed" Body Canonicalization Algorithm.
fn relaxed_body(body: &[u8]) -> Vec<u8> {
    let mut relaxed = Vec::with_capacity(body.len());
    let mut n_empty_lines = 0;
    let body = body.strip_suffix(b"\r\n").unwrap_or(body);
    for line in body.split(|byte| *byte == b'\n') {
        let line = single_blanks(line.strip_suffix(b"\r").unwrap_or(line));
        let line = line.strip_suffix(b" ").unwrap_or(&line);
        if line.is_empty() {
            n_empty_lines += 1;
            continue;
        }
        relaxed.extend(b"\r\n".repeat(n_empty_lines));
        n_empty_lines = 0;
        relaxed.extend(line);
        relaxed.extend(b"\r\n");
    }
    relaxed
}

/// Makes one space of each run of spaces and tabs.
fn single_blanks(text: &[u8]) -> Vec<u8> {
    let mut single = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b' ' | b'\t' if single.last() == Some(&b' ') => {}
            b' ' | b'\t' => single.push(b' '),
            _ => single.push(*byte),
        }
    }
    single
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_and_body_are_canonical_as_in_the_example_of_the_rfc() {
        // RFC 6376 §3.4.5, Example 1.
        let message = b"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n";
        let (headers, body) = parts(message);
        let canonical: Vec<Vec<u8>> = headers.iter().map(relaxed_header).collect();
        assert_eq!(canonical[0], b"a:X");
        assert_eq!(canonical[1], b"b:Y Z");
        assert_eq!(relaxed_body(body), b" C\r\nD E\r\n");
    }

    #[test]
    fn an_empty_body_stays_empty_and_a_last_line_gets_its_end() {
        let check = |body: &[u8], expected: &[u8]| assert_eq!(relaxed_body(body), expected, "{body:?}");
        check(b"", b"");
        check(b"\r\n\r\n", b"");
        check(b"a", b"a\r\n");
        check(b"a\r\n", b"a\r\n");
        check(b"\r\na \t\r\n \r\nb", b"\r\na\r\n\r\nb\r\n");
    }

    #[cfg(feature = "dkim")]
    #[test]
    fn what_cannot_sign_is_refused_with_its_reason() {
        let good = include_str!("../../fixtures/dkim/ed25519.pem");
        let check = |domain: &str, selector: &str, key: &str, expected: Option<&str>| {
            let error = Signer::new(domain, selector, &Password::new(key.to_owned())).err();
            assert_eq!(error.map(|error| error.to_string()).as_deref(), expected);
        };
        check("example.com", "mail", good, None);
        check("example.com", "mail", include_str!("../../fixtures/dkim/rsa.pem"), None);
        check("example.com", "mail", include_str!("../../fixtures/dkim/rsa-pkcs1.pem"), None);
        check("example.com", "mail", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", None);
        check("münchen.example", "2026.mail_a", good, None);
        check("", "mail", good, Some("`` is no domain to sign for"));
        check("exa mple", "mail", good, Some("`exa mple` is no domain to sign for"));
        let no_selector = "`a;b` is no selector, expected letters, digits and hyphens, such as mail2026";
        check("example.com", "a;b", good, Some(no_selector));
        let no_key =
            "the private key cannot be used: it is neither PEM with a PRIVATE KEY nor 32 bytes in base64";
        check("example.com", "mail", "canary", Some(no_key));
        let short = "the private key cannot be used: an RSA key of at least 2048 bits is expected (TooSmall)";
        check("example.com", "mail", include_str!("../../fixtures/dkim/short.pem"), Some(short));
    }
}
