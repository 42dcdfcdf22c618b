//! Owns mail addresses and the names beside them. Fails on an address that no server could take.

use std::fmt;
use std::str::FromStr;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

use crate::delivery::name::is_direction_override;

/// A mail address that a message can be sent to: its domain in ASCII, its local part as written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    inner: lettre::Address,
}

impl Address {
    /// Returns what stands before the `@`, as it was written.
    pub fn local_part(&self) -> &str {
        self.inner.user()
    }

    /// Returns the domain, in ASCII: `münchen.example` is `xn--mnchen-3ya.example`.
    pub fn domain(&self) -> &str {
        self.inner.domain()
    }

    /// Returns the whole address.
    pub fn as_str(&self) -> &str {
        self.inner.as_ref()
    }

    /// Tells whether only a server with SMTPUTF8 can take it: the local part is not ASCII.
    ///
    /// Source: RFC 6531 §3.3 Extended Mailbox Address Syntax.
    pub fn needs_smtputf8(&self) -> bool {
        !self.local_part().is_ascii()
    }

    pub(in crate::delivery) fn for_envelope(&self) -> lettre::Address {
        self.inner.clone()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a text is no usable mail address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// There is no `@`.
    #[error("mail address {} has no `@`", shown(.address))]
    MissingAt {
        /// The text.
        address: String,
    },
    /// What stands before the `@` is not allowed there.
    #[error("mail address {} has an unusable part before the `@`", shown(.address))]
    LocalPart {
        /// The text.
        address: String,
    },
    /// What stands behind the `@` is no domain.
    #[error("mail address {} has an unusable domain", shown(.address))]
    Domain {
        /// The text.
        address: String,
    },
}

impl AddressError {
    /// Returns the error's stable id.
    pub fn id(&self) -> &'static str {
        match self {
            AddressError::MissingAt { .. } => "missing-at",
            AddressError::LocalPart { .. } => "local-part",
            AddressError::Domain { .. } => "domain",
        }
    }
}

/// Quotes what the user typed, without what would disturb a terminal, and not all of a cell of 10 MB.
fn shown(address: &str) -> String {
    let short: String = address.chars().take(100).collect();
    let more = if short.len() < address.len() { "…" } else { "" };
    format!("`{}{more}`", short.escape_debug())
}

impl FromStr for Address {
    type Err = AddressError;

    /// Parses a mail address such as `anna@example.com`. Blanks around it are ignored.
    fn from_str(text: &str) -> Result<Address, AddressError> {
        let text = text.trim();
        let address = || text.to_owned();
        let (local_part, domain) =
            text.rsplit_once('@').ok_or_else(|| AddressError::MissingAt { address: address() })?;
        let unusable = |c: char| c.is_control() || c.is_whitespace() || is_direction_override(c);
        if local_part.contains(unusable) {
            return Err(AddressError::LocalPart { address: address() });
        }
        let domain = if domain.starts_with('[') {
            domain.to_owned()
        } else {
            Uts46::new()
                .to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
                .map_err(|_| AddressError::Domain { address: address() })?
                .into_owned()
        };
        let inner = lettre::Address::new(local_part, &domain).map_err(|error| match error {
            lettre::address::AddressError::InvalidUser => AddressError::LocalPart { address: address() },
            _ => AddressError::Domain { address: address() },
        })?;
        Ok(Address { inner })
    }
}

/// A mail address with the name of whoever reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    name: String,
    address: Address,
}

impl Mailbox {
    /// Joins a name, which may be empty and may hold anything, and an address.
    pub fn new(name: &str, address: Address) -> Mailbox {
        Mailbox { name: one_line(name), address }
    }

    /// Returns the name: one line, without control characters. Empty if there is none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the address.
    pub fn address(&self) -> &Address {
        &self.address
    }
}

impl FromStr for Mailbox {
    type Err = AddressError;

    /// Parses `Nordlicht <post@example.com>`, `"Nordlicht, Bern" <post@example.com>` or `post@example.com`.
    fn from_str(text: &str) -> Result<Mailbox, AddressError> {
        let text = text.trim();
        let Some((name, address)) = text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) else {
            return Ok(Mailbox { name: String::new(), address: text.parse()? });
        };
        let name = name.trim();
        let name = match name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
            Some(quoted) => unescaped(quoted),
            None => name.to_owned(),
        };
        Ok(Mailbox::new(&name, address.parse()?))
    }
}

fn unescaped(quoted: &str) -> String {
    let mut plain = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.extend(characters.next()),
            _ => plain.push(character),
        }
    }
    plain
}

/// Makes one line of a text: line breaks and control characters become a blank, direction overrides are dropped.
pub(in crate::delivery) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        let breaks = character.is_control() || matches!(character, '\u{2028}' | '\u{2029}');
        match breaks {
            true if line.ends_with(' ') => {}
            true => line.push(' '),
            false if is_direction_override(character) || character == '\u{FEFF}' => {}
            false => line.push(character),
        }
    }
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_domain_in_ascii_and_its_local_part_as_written() {
        let check = |text: &str, expected: Result<&str, &str>| {
            let address = text.parse::<Address>();
            let found = address.as_ref().map(Address::as_str).map_err(AddressError::id);
            assert_eq!(found, expected, "{text:?}");
        };
        check("anna@example.com", Ok("anna@example.com"));
        check("  anna@example.com ", Ok("anna@example.com"));
        check("anna@münchen.example", Ok("anna@xn--mnchen-3ya.example"));
        check("anna@MÜNCHEN.example", Ok("anna@xn--mnchen-3ya.example"));
        check("änna@example.com", Ok("änna@example.com"));
        check("anna@[127.0.0.1]", Ok("anna@[127.0.0.1]"));
        check("anna", Err("missing-at"));
        check("", Err("missing-at"));
        check("@example.com", Err("local-part"));
        check("anna@", Err("domain"));
        check("anna@exa mple.com", Err("domain"));
        check("anna@-example.com", Err("domain"));
        check("anna@example..com", Err("domain"));
        check("a\r\nBcc: x@example.com", Err("local-part"));
        check("anna@example.com\r\nBcc: x", Err("domain"));
        check("an\u{202E}na@example.com", Err("local-part"));
        check("anna@example.com>", Err("domain"));
        check("anna@b@example.com", Err("local-part"));
    }

    #[test]
    fn only_a_local_part_beyond_ascii_needs_smtputf8() {
        assert!(!"anna@münchen.example".parse::<Address>().unwrap().needs_smtputf8());
        assert!("änna@example.com".parse::<Address>().unwrap().needs_smtputf8());
    }

    #[test]
    fn a_mailbox_is_a_name_and_an_address() {
        let check = |text: &str, name: &str, address: &str| {
            let mailbox: Mailbox = text.parse().unwrap();
            assert_eq!((mailbox.name(), mailbox.address().as_str()), (name, address), "{text}");
        };
        check("Nordlicht <post@example.com>", "Nordlicht", "post@example.com");
        check(r#""Nord\"licht, Bern" <post@example.com>"#, r#"Nord"licht, Bern"#, "post@example.com");
        check("post@example.com", "", "post@example.com");
        check("<post@example.com>", "", "post@example.com");
    }

    #[test]
    fn a_message_about_an_address_is_short_and_safe_on_a_terminal() {
        let error = format!("\u{1b}[31m{}", "x".repeat(10 << 20)).parse::<Address>().unwrap_err();
        let text = error.to_string();
        assert!(text.len() < 200 && !text.contains('\u{1b}'), "{text}");
    }
}
