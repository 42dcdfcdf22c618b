//! Owns the file of a combined document: it grows under a temporary name, and has its own once it is complete.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use crate::delivery::folder::{Folder, FolderError};
use crate::merge::{CombineError, Combined, Manner};

/// A combined document that is being written; dropped before it is [published](CombinedFile::publish), it leaves nothing.
#[derive(Debug)]
pub struct CombinedFile {
    folder: Folder,
    path: PathBuf,
    name: String,
    document: Option<Combined<BufWriter<File>, File>>,
}

/// Why a combined document cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum CombinedFileError {
    /// Its folder fails.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A letter does not fit, or the disk takes no more.
    #[error("cannot write `{}`", .path.display())]
    Combine {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: CombineError,
    },
}

impl CombinedFile {
    /// Begins the document at `path`, whose folder is made where it is missing.
    ///
    /// # Errors
    ///
    /// If the folder cannot be created or written, or the path names no file.
    pub fn create(path: &Path, manner: Manner) -> Result<CombinedFile, CombinedFileError> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let folder = Folder::open(parent.unwrap_or(Path::new(".")))?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let file = BufWriter::new(folder.begin(&name)?);
        let spool = folder.begin(&spool_of(&name))?;
        let document = Some(Combined::new(file, spool, manner));
        Ok(CombinedFile { folder, path: path.to_owned(), name, document })
    }

    /// Adds a letter.
    ///
    /// # Errors
    ///
    /// As [`Combined::add`].
    pub fn add(&mut self, letter: &[u8]) -> Result<(), CombinedFileError> {
        match &mut self.document {
            Some(document) => document
                .add(letter)
                .map_err(|source| CombinedFileError::Combine { path: self.path.clone(), source }),
            None => Ok(()),
        }
    }

    /// Ends the document and gives it its name.
    ///
    /// # Errors
    ///
    /// [`CombineError::NoLetter`] if there was no letter; whatever hinders writing.
    pub fn publish(mut self) -> Result<(), CombinedFileError> {
        if let Some(document) = self.document.take() {
            document
                .finish()
                .map_err(|source| CombinedFileError::Combine { path: self.path.clone(), source })?;
            self.folder.publish(&[&self.name])?;
        }
        Ok(())
    }
}

impl Drop for CombinedFile {
    fn drop(&mut self) {
        // What was published is not there under its temporary name; what else stays is removed when the folder is next
        // opened.
        let _ = self.folder.discard(&self.name);
        let _ = self.folder.discard(&spool_of(&self.name));
    }
}

/// The name of the file that takes the letters' text until the other parts are written.
fn spool_of(name: &str) -> String {
    format!("{name}.text")
}
