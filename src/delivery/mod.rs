//! Out of the house: letters, messages, outcomes.
//!
//! Owns the seam between a run and the outside. A [`Parcel`] is what a line delivers; a [`Transport`] takes it in
//! two steps: [`stage`](Transport::stage) prepares it in a worker, with no effect that anybody could see, and
//! [`deliver`](Transport::deliver) lets it take effect, under the one writer that keeps the journal.

pub mod outcome;
pub mod name;
pub mod folder;
pub mod combined;
pub mod mailbox;
pub mod message;
pub mod document;
pub mod html;
pub mod mjml;
pub mod pdf;
pub mod print;
pub mod sheet;
pub mod window;
pub mod outbox;
pub mod smtp;
pub mod dkim;
pub mod plain;
pub mod suppression;
pub mod bounce;
pub mod evidence;

use crate::delivery::folder::FolderError;
use crate::delivery::message::Message;
use crate::delivery::outcome::{Outcome, WrittenFile};
use crate::delivery::pdf::PdfError;
use crate::delivery::smtp::open_error::OpenError;
use crate::delivery::suppression::SuppressionReason;

/// What one line delivers.
#[derive(Clone, Copy, Debug)]
pub enum Parcel<'a> {
    /// A document to be written as a file.
    Letter {
        /// The file's name, safe and unique within the run: see [`name`].
        name: &'a str,
        /// The whole document.
        bytes: &'a [u8],
        /// The SHA-256 of its bytes, by whoever made it: hashing all of it again would cost more than making it.
        digest: [u8; 32],
        /// The same letter in another format, to stand beside it: its name and bytes.
        beside: Option<(&'a str, &'a [u8])>,
        /// What goes with it.
        enclosures: &'a [Enclosure<'a>],
    },
    /// A message to be sent, or to be written to the outbox.
    Message {
        /// The name of its file if it goes to the outbox, safe and unique within the run: see [`name`].
        name: &'a str,
        /// The message.
        message: &'a Message,
    },
}

/// A document that goes with a letter: written together with it, or not at all.
#[derive(Clone, Copy, Debug)]
pub struct Enclosure<'a> {
    /// The file's name, safe and unique within the run.
    pub name: &'a str,
    /// The whole document.
    pub bytes: &'a [u8],
    /// The SHA-256 of its bytes.
    pub digest: [u8; 32],
    /// The same document in another format, to stand beside it: its name and bytes.
    pub beside: Option<(&'a str, &'a [u8])>,
}

/// A parcel that is prepared and has no effect yet.
#[derive(Clone, Debug)]
pub struct Staged {
    /// The segment line it belongs to.
    pub line: u64,
    /// What was prepared.
    pub content: StagedContent,
}

/// What [`Transport::stage`] prepared.
#[derive(Clone, Debug)]
pub enum StagedContent {
    /// A file that is written under a temporary name.
    File {
        /// The name that it will have.
        name: String,
        /// SHA-256 of its content, 64 lower-case hexadecimal digits.
        sha256: String,
        /// The files of its enclosures, which get their names together with it.
        enclosures: Vec<WrittenFile>,
        /// The other files that do.
        beside: Vec<String>,
    },
    /// A message, ready to be sent.
    Message(Message),
}

/// A change of a line's state, to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The segment line.
    pub line: u64,
    /// What changed.
    pub change: Change,
}

/// What changed for a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The message is about to leave: to be on the disk before its first byte does.
    Sending,
    /// The attempt has ended.
    Done(Outcome),
    /// Nothing is delivered: its address was put on the suppression list since the run was planned.
    Suppressed(SuppressionReason),
}

/// A way out of the house.
pub trait Transport: Sync {
    /// Prepares a parcel, so that all that is left is to let it take effect. May be called by many workers at once.
    ///
    /// Staging the same line again replaces what was staged.
    ///
    /// # Errors
    ///
    /// [`DeliveryError::Folder`] if the temporary file cannot be written.
    fn stage(&self, line: u64, parcel: Parcel<'_>) -> Result<Staged, DeliveryError>;

    /// Lets the staged parcels take effect, and reports every change of state through `record`, in batches.
    ///
    /// A step counts when `record` returns: [`Change::Sending`] is recorded before the first byte of the message
    /// leaves. Each line ends with exactly one [`Change::Done`], unless an error stops the delivery.
    ///
    /// # Errors
    ///
    /// What stops all lines: the surroundings ([`DeliveryError::Folder`]) or a journal that cannot be written
    /// ([`DeliveryError::Record`]). What goes wrong with one line is its [`Outcome`].
    fn deliver(
        &self,
        staged: &mut dyn Iterator<Item = Staged>,
        record: &mut dyn FnMut(&[Step]) -> Result<(), RecordError>,
    ) -> Result<(), DeliveryError>;
}

/// The recorder's own error.
pub type RecordError = Box<dyn std::error::Error + Send + Sync>;

/// What stops a delivery as a whole.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The folder does not take the file.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// No PDF can be made.
    #[error(transparent)]
    Pdf(#[from] PdfError),
    /// A step could not be recorded; nothing may happen after that.
    #[error("cannot record what was delivered")]
    Record(#[source] RecordError),
    /// The mail server is not there, or does not let us in.
    #[error("no mail goes out over {server}")]
    Server {
        /// The server, as host and port.
        server: String,
        /// Why.
        #[source]
        source: OpenError,
    },
    /// So many messages failed one after the other that the next ones would too.
    #[error("{n_failures} messages in a row failed, the last one with: {last}")]
    FailuresInARow {
        /// How many.
        n_failures: u32,
        /// What the server said last, or what was seen.
        last: String,
    },
}
