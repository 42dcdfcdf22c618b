//! Owns the identity of documents: an attachment is immutable and addressed by its SHA-256.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The SHA-256 of some bytes, as 64 hexadecimal digits in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// Computes the digest of bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        use fmt::Write;
        let mut text = String::with_capacity(64);
        for byte in Sha256::digest(bytes) {
            write!(text, "{byte:02x}").expect("a string takes all text");
        }
        Digest(text)
    }

    /// Takes a digest that was stored as text.
    pub fn from_stored(text: String) -> Digest {
        Digest(text)
    }

    /// Returns the hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A document: a Word template or a plain file, immutable.
#[derive(Clone, Debug, PartialEq)]
pub struct Attachment {
    /// The digest of its bytes.
    pub digest: Digest,
    /// The file name that it came with, without folders.
    pub name: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Attachment {
    /// Makes an attachment of a file's name and bytes.
    pub fn new(name: impl Into<String>, bytes: Vec<u8>) -> Attachment {
        Attachment { digest: Digest::of(&bytes), name: name.into(), bytes }
    }
}
