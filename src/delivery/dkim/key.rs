//! Owns private keys for DKIM: read from text, and signing. What they are made of is never shown.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};

pub(super) enum Key {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, …)", self.algorithm())
    }
}

impl Key {
    /// Reads a key: PEM, or the 32 bytes of an Ed25519 key in base64, as `dknewkey` of dkimpy writes them.
    pub(super) fn read(text: &str) -> Result<Key, String> {
        let rsa = |read: Result<RsaKeyPair, ring::error::KeyRejected>| {
            read.map(|key| Key::Rsa(Box::new(key)))
                .map_err(|error| format!("an RSA key of at least 2048 bits is expected ({error})"))
        };
        match PrivateKeyDer::from_pem_slice(text.as_bytes()) {
            Ok(PrivateKeyDer::Pkcs1(der)) => rsa(RsaKeyPair::from_der(der.secret_pkcs1_der())),
            Ok(PrivateKeyDer::Pkcs8(der)) => {
                let der = der.secret_pkcs8_der();
                match Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
                    Ok(key) => Ok(Key::Ed25519(key)),
                    Err(_) => rsa(RsaKeyPair::from_pkcs8(der)),
                }
            }
            Ok(_) => Err("it is neither RSA nor Ed25519".to_owned()),
            Err(_) => {
                let nothing = || "it is neither PEM with a PRIVATE KEY nor 32 bytes in base64".to_owned();
                let seed = zeroize::Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| nothing())?);
                Ed25519KeyPair::from_seed_unchecked(&seed).map(Key::Ed25519).map_err(|_| nothing())
            }
        }
    }

    /// Returns the algorithm as `a=` names it.
    pub(super) fn algorithm(&self) -> &'static str {
        match self {
            Key::Rsa(_) => "rsa-sha256",
            Key::Ed25519(_) => "ed25519-sha256",
        }
    }

    /// Signs the canonical headers; Ed25519 signs their hash (RFC 8463 §3), RSA hashes by itself.
    pub(super) fn sign(&self, headers: &[u8]) -> Result<Vec<u8>, String> {
        match self {
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), headers, &mut signature)
                    .map_err(|_| "signing failed".to_owned())?;
                Ok(signature)
            }
            Key::Ed25519(key) => Ok(key.sign(&Sha256::digest(headers)).as_ref().to_vec()),
        }
    }
}
