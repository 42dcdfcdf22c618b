//! Owns locking: a PDF file that opens with a password only.

use std::collections::BTreeMap;
use std::sync::Arc;

use lopdf::encryption::crypt_filters::{Aes256CryptFilter, CryptFilter};
use lopdf::{Document, EncryptionState, EncryptionVersion, Permissions};

/// The name of the one way in which everything in the file is encrypted (ISO 32000-2 §7.6.6 Crypt filters).
const FILTER: &[u8] = b"StdCF";

/// Returns a file that shows its pages to those only who know the password: AES with a key of 256 bits (ISO 32000-2 §7.6).
/// Who opens it may print and copy; nobody has the password that would lift the encryption's other limits.
///
/// # Errors
///
/// In words: a file that is no PDF, a password of characters that no password may have, a system without random numbers.
pub fn locked(pdf: &[u8], password: &str) -> Result<Vec<u8>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("the PDF cannot be locked: {error}");
    let mut document = Document::load_mem(pdf).map_err(|error| failed(&error))?;
    let (mut key, mut owner) = ([0; 32], [0; 16]);
    getrandom::fill(&mut key).and_then(|()| getrandom::fill(&mut owner)).map_err(|error| failed(&error))?;
    let owner: String = owner.iter().map(|byte| format!("{byte:02x}")).collect();
    let filter: Arc<dyn CryptFilter> = Arc::new(Aes256CryptFilter);
    let encryption = EncryptionState::try_from(EncryptionVersion::V5 {
        encrypt_metadata: true,
        crypt_filters: BTreeMap::from([(FILTER.to_vec(), filter)]),
        file_encryption_key: &key,
        stream_filter: FILTER.to_vec(),
        string_filter: FILTER.to_vec(),
        owner_password: &owner,
        user_password: password,
        permissions: Permissions::all(),
    });
    document.version = "2.0".to_owned();
    encryption.and_then(|encryption| document.encrypt(&encryption)).map_err(|error| failed(&error))?;
    let mut bytes = Vec::with_capacity(pdf.len());
    document.save_to(&mut bytes).map_err(|error| failed(&error))?;
    Ok(bytes)
}
