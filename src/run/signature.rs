//! Owns who signs the messages of a run: from the set-up to a signer, or what is wrong with it.

use crate::delivery::dkim::{DkimError, Signer};
use crate::run::problem::Problem;
use crate::run::server::{Passwords, SecretError};
use crate::setup::{Setup, Smtp};

/// Why messages cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// No key is named.
    #[error("`smtp.dkim` names no key")]
    NoKey,
    /// The key cannot be had.
    #[error("the DKIM key cannot be had: {}", .0.reason)]
    Secret(SecretError),
    /// It cannot sign.
    #[error(transparent)]
    Dkim(#[from] DkimError),
}

impl SignatureError {
    /// Returns the problem that it is before a run.
    pub(in crate::run) fn problem(&self) -> Problem {
        let (id, key, help) = match self {
            SignatureError::NoKey | SignatureError::Secret(_) => (
                "no-dkim-key",
                "key",
                "set `key = { file = \"dkim.pem\" }`, an environment variable or a command",
            ),
            SignatureError::Dkim(error @ DkimError::Domain { .. }) => {
                (error.id(), "domain", "name the domain of `smtp.from`, such as example.com")
            }
            SignatureError::Dkim(error @ DkimError::Selector { .. }) => {
                (error.id(), "selector", "name what stands before `._domainkey` in the DNS")
            }
            SignatureError::Dkim(error @ DkimError::Key { .. }) => (
                error.id(),
                "key",
                "make one by `openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:2048`",
            ),
        };
        let place = format!("{}: smtp.dkim.{key}", Setup::FILE_NAME);
        Problem { id, message: self.to_string(), place, help: Some(help.to_owned()) }
    }
}

/// Prepares to sign; none where the set-up does not ask for it.
///
/// # Errors
///
/// A key that cannot be had or used, a domain or a selector that is none.
pub fn signer(smtp: Option<&Smtp>, password: Passwords<'_>) -> Result<Option<Signer>, SignatureError> {
    let Some(dkim) = smtp.and_then(|smtp| smtp.dkim.as_ref()) else { return Ok(None) };
    let secret = dkim.key.as_ref().ok_or(SignatureError::NoKey)?;
    let key = password(secret).map_err(SignatureError::Secret)?;
    Ok(Some(Signer::new(&dkim.domain, &dkim.selector, &key)?))
}
