//! Owns the way out through files: a letter into its folder, a message as an `.eml` file into the outbox.

use sha2::{Digest, Sha256};

use crate::delivery::folder::Folder;
use crate::delivery::outcome::{Outcome, WrittenFile};
use crate::delivery::{
    Change, DeliveryError, Enclosure, Parcel, RecordError, Staged, StagedContent, Step, Transport,
};

/// How many files are synced and renamed together.
const FILES_PER_BATCH: usize = 512;

/// Delivers into a folder: letters as they are, messages as `.eml` files.
#[derive(Debug)]
pub struct Outbox {
    folder: Folder,
}

impl Outbox {
    /// Takes the folder that the files go into.
    pub fn new(folder: Folder) -> Outbox {
        Outbox { folder }
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    fn publish(
        &self,
        batch: &mut Vec<Staged>,
        record: &mut dyn FnMut(&[Step]) -> Result<(), RecordError>,
    ) -> Result<(), DeliveryError> {
        let mut steps = Vec::with_capacity(batch.len());
        let mut names = Vec::with_capacity(batch.len());
        for Staged { line, content } in batch.drain(..) {
            let outcome = match content {
                StagedContent::File { name, sha256, enclosures, beside } => {
                    names.extend(beside);
                    names.extend(enclosures.iter().map(|it| it.name.clone()));
                    names.push(name.clone());
                    Outcome::Written { file: name, sha256, enclosures }
                }
                StagedContent::Message(_) => Outcome::Failed {
                    reason: "a message that was staged for a server cannot be written to a folder".to_owned(),
                },
            };
            steps.push(Step { line, change: Change::Done(outcome) });
        }
        self.folder.publish(&names)?;
        record(&steps).map_err(DeliveryError::Record)
    }
}

impl Transport for Outbox {
    fn stage(&self, line: u64, parcel: Parcel<'_>) -> Result<Staged, DeliveryError> {
        let (name, bytes, sha256, beside, enclosed) = match parcel {
            Parcel::Letter { name, bytes, digest, beside, enclosures } => {
                (name, bytes, hexadecimal(&digest), beside, enclosures)
            }
            Parcel::Message { name, message } => {
                (name, message.bytes(), sha256(message.bytes()), None, &[][..])
            }
        };
        self.folder.write(name, bytes)?;
        let mut enclosures = Vec::with_capacity(enclosed.len());
        for Enclosure { name, bytes, digest, .. } in enclosed {
            self.folder.write(name, bytes)?;
            enclosures.push(WrittenFile { name: (*name).to_owned(), sha256: hexadecimal(digest) });
        }
        let mut others = Vec::new();
        for (name, bytes) in enclosed.iter().filter_map(|it| it.beside).chain(beside) {
            self.folder.write(name, bytes)?;
            others.push(name.to_owned());
        }
        let name = name.to_owned();
        Ok(Staged { line, content: StagedContent::File { name, sha256, enclosures, beside: others } })
    }

    fn deliver(
        &self,
        staged: &mut dyn Iterator<Item = Staged>,
        record: &mut dyn FnMut(&[Step]) -> Result<(), RecordError>,
    ) -> Result<(), DeliveryError> {
        let mut batch = Vec::new();
        for parcel in staged {
            batch.push(parcel);
            if batch.len() == FILES_PER_BATCH {
                self.publish(&mut batch, record)?;
            }
        }
        if batch.is_empty() {
            return Ok(());
        }
        self.publish(&mut batch, record)
    }
}

/// Returns the SHA-256 of `bytes` as 64 lower-case hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes).into())
}

fn hexadecimal(digest: &[u8; 32]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| DIGITS[usize::from(digit)]).collect()
}
