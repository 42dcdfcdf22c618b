//! Owns the suppression list: which addresses are written to no more, why, and since when.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::delivery::mailbox::Address;
use crate::interaction::EntryNo;

mod import;

pub use import::{ImportProblem, read_table};

/// An address as the suppression list knows it: two addresses with the same key are the same mailbox.
///
/// The domain is in ASCII and small letters (`MÜNCHEN.example` is `xn--mnchen-3ya.example`). RFC 5321 §2.4 lets a
/// server tell `Anna@` from `anna@`; hardly any does, and whoever asked not to be written to means both. So the local
/// part is in small letters too. Nothing else is folded: dots and `+` tags are the server's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct AddressKey(String);

impl AddressKey {
    /// Returns the key of an address.
    pub fn of(address: &Address) -> AddressKey {
        let local_part = address.local_part().to_lowercase();
        AddressKey(format!("{local_part}@{}", address.domain().to_ascii_lowercase()))
    }

    /// Returns the key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AddressKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Why an address is on the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SuppressionReason {
    /// Somebody of the office decided it.
    Manual,
    /// The reader asked for it.
    Unsubscribe,
    /// The address does not exist, or takes no mail, for good.
    HardBounce,
    /// The reader called a message spam.
    Complaint,
}

impl SuppressionReason {
    /// All reasons.
    pub const ALL: [SuppressionReason; 4] = [
        SuppressionReason::Manual,
        SuppressionReason::Unsubscribe,
        SuppressionReason::HardBounce,
        SuppressionReason::Complaint,
    ];

    /// Returns the reason's name, in kebab case.
    pub fn as_str(self) -> &'static str {
        match self {
            SuppressionReason::Manual => "manual",
            SuppressionReason::Unsubscribe => "unsubscribe",
            SuppressionReason::HardBounce => "hard-bounce",
            SuppressionReason::Complaint => "complaint",
        }
    }

    /// Returns the reason that a suppressed line is logged with.
    pub fn logged(self) -> &'static str {
        match self {
            SuppressionReason::Manual => "suppressed-address: manual",
            SuppressionReason::Unsubscribe => "suppressed-address: unsubscribe",
            SuppressionReason::HardBounce => "suppressed-address: hard-bounce",
            SuppressionReason::Complaint => "suppressed-address: complaint",
        }
    }
}

impl fmt::Display for SuppressionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that names no reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no reason, expected one of manual, unsubscribe, hard-bounce, complaint")]
pub struct UnknownReason {
    /// The text.
    pub found: String,
}

impl FromStr for SuppressionReason {
    type Err = UnknownReason;

    fn from_str(text: &str) -> Result<SuppressionReason, UnknownReason> {
        let found = SuppressionReason::ALL.into_iter().find(|reason| reason.as_str() == text);
        found.ok_or_else(|| UnknownReason { found: text.to_owned() })
    }
}

/// One address of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suppression {
    /// The address.
    pub address: AddressKey,
    /// Why.
    pub reason: SuppressionReason,
    /// Since when.
    pub since: Timestamp,
    /// The interaction log entry whose message brought it about.
    pub entry: Option<EntryNo>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_mailbox_has_the_same_key_however_it_is_written() {
        let check = |text: &str, expected: &str| {
            let address: Address = text.parse().unwrap();
            assert_eq!(AddressKey::of(&address).as_str(), expected, "{text}");
        };
        check("anna@example.com", "anna@example.com");
        check(" Anna@EXAMPLE.com ", "anna@example.com");
        check("anna@MÜNCHEN.example", "anna@xn--mnchen-3ya.example");
        check("anna@xn--mnchen-3ya.example", "anna@xn--mnchen-3ya.example");
        check("JÜRG@example.com", "jürg@example.com");
        check("anna.b+shop@example.com", "anna.b+shop@example.com");
    }

    #[test]
    fn every_reason_is_read_back_from_its_name() {
        for reason in SuppressionReason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(reason));
            assert!(reason.logged().ends_with(reason.as_str()));
        }
        assert!("bounce".parse::<SuppressionReason>().is_err());
    }
}
