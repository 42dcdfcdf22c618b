//! Owns files that appear under their name complete or not at all: temporary name, one sync a batch, rename.
//! Fails when the surroundings do: a full disk, a folder that cannot be written.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::delivery::name;

mod system;
mod new;

use system::Directory;

pub use new::{Destination, NewFolder};

/// What a temporary file's name begins and ends with; no [safe name](name::safe_name) begins with a dot.
const TEMPORARY: (&str, &str) = (".", ".mailrun-tmp");

/// A folder that letters are written to.
///
/// Many workers may [`write`](Folder::write) at once; one writer [`publish`](Folder::publish)es. A file is first
/// written under a temporary name in the same folder; it gets its own name only when its content is on the disk.
/// So after a kill or a power loss at any instant a name stands for the whole document or for nothing.
#[derive(Debug)]
pub struct Folder {
    directory: Directory,
    path: PathBuf,
}

impl Folder {
    /// Opens the folder at `path`, creates it where it is missing, and removes what a killed run left half written.
    ///
    /// # Errors
    ///
    /// If the folder cannot be created, read or cleaned up.
    pub fn open(path: &Path) -> Result<Folder, FolderError> {
        let failed = |action| move |source| FolderError::Io { action, path: path.to_owned(), source };
        std::fs::create_dir_all(path).map_err(failed(Action::Create))?;
        let directory = Directory::open(path).map_err(failed(Action::Open))?;
        for entry in std::fs::read_dir(path).map_err(failed(Action::Open))? {
            let entry = entry.map_err(failed(Action::Open))?;
            let name = entry.file_name();
            let is_left_over = name
                .to_str()
                .is_some_and(|name| name.starts_with(TEMPORARY.0) && name.ends_with(TEMPORARY.1));
            if is_left_over {
                std::fs::remove_file(entry.path()).map_err(|source| FolderError::Io {
                    action: Action::CleanUp,
                    path: entry.path(),
                    source,
                })?;
            }
        }
        Ok(Folder { directory, path: path.to_owned() })
    }

    /// Returns the folder's path, as it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file under a temporary name; [`publish`](Folder::publish) gives it its own.
    ///
    /// Writing the same name again replaces what was written. On failure nothing is left behind.
    ///
    /// # Errors
    ///
    /// If `name` is not a plain file name, or the file cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        let temporary = temporary(name)?;
        self.directory.write(&temporary, bytes).map_err(|source| {
            // The error to report is the one that came first; what stays is removed when the folder is next opened.
            let _ = self.directory.remove(&temporary);
            self.failed(Action::Write, name, source)
        })
    }

    /// Begins a file that is too large to be written at once, under a temporary name; it can be read again.
    ///
    /// [`publish`](Folder::publish) gives it its own name, [`discard`](Folder::discard) removes it.
    ///
    /// # Errors
    ///
    /// If `name` is not a plain file name, or the file cannot be created.
    pub fn begin(&self, name: &str) -> Result<File, FolderError> {
        let temporary = temporary(name)?;
        self.directory.create(&temporary).map_err(|source| self.failed(Action::Write, name, source))
    }

    /// Removes a file that was begun or written, and has no name of its own yet.
    ///
    /// # Errors
    ///
    /// If it is not there, or cannot be removed.
    pub fn discard(&self, name: &str) -> Result<(), FolderError> {
        let temporary = temporary(name)?;
        self.directory.remove(&temporary).map_err(|source| self.failed(Action::CleanUp, name, source))
    }

    /// Gives the written files of a batch their names, once all of them are on the disk.
    ///
    /// A file that stands under such a name already is replaced. When this returns, the names are on the disk too.
    ///
    /// # Errors
    ///
    /// If the files cannot be synced or renamed. Those renamed before the failure stand complete under their names.
    pub fn publish(&self, names: &[impl AsRef<str>]) -> Result<(), FolderError> {
        if names.is_empty() {
            return Ok(());
        }
        let here = |action| move |source| FolderError::Io { action, path: self.path.clone(), source };
        self.directory.sync_files().map_err(here(Action::Sync))?;
        for name in names {
            let name = name.as_ref();
            self.directory
                .rename(&temporary(name)?, name)
                .map_err(|source| self.failed(Action::Publish, name, source))?;
        }
        self.directory.sync_names().map_err(here(Action::Sync))
    }

    fn failed(&self, action: Action, name: &str, source: io::Error) -> FolderError {
        FolderError::Io { action, path: self.path.join(name), source }
    }
}

fn temporary(name: &str) -> Result<String, FolderError> {
    if !name::is_plain(name) {
        return Err(FolderError::NotAName { name: name.to_owned() });
    }
    Ok(format!("{}{name}{}", TEMPORARY.0, TEMPORARY.1))
}

/// What was being done with a folder or a file of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Creating the folder.
    Create,
    /// Opening and listing the folder.
    Open,
    /// Removing a file that a killed run left half written.
    CleanUp,
    /// Writing a file.
    Write,
    /// Bringing files to the disk.
    Sync,
    /// Giving a complete file its name.
    Publish,
}

impl Action {
    fn words(self) -> &'static str {
        match self {
            Action::Create => "create folder",
            Action::Open => "open folder",
            Action::CleanUp => "remove left-over file",
            Action::Write => "write file",
            Action::Sync => "bring to the disk what was written to folder",
            Action::Publish => "give its name to file",
        }
    }
}

/// Why a folder does not take a file.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The operating system refused.
    #[error("cannot {} `{}`", .action.words(), .path.display())]
    Io {
        /// What was being done.
        action: Action,
        /// With which file or folder.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The name is none of a file in this folder.
    #[error("`{}` is no plain file name", .name.escape_debug())]
    NotAName {
        /// The name.
        name: String,
    },
}

impl FolderError {
    /// Tells whether the surroundings failed and not this one file: then the run stops, and can be resumed.
    pub fn is_surroundings(&self) -> bool {
        match self {
            FolderError::Io { source, .. } => source.kind() != io::ErrorKind::InvalidFilename,
            FolderError::NotAName { .. } => false,
        }
    }

    /// Returns what to do about it, where that is sure.
    pub fn help(&self) -> Option<String> {
        let FolderError::Io { source, path, .. } = self else {
            return None;
        };
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Some("make room on the disk, then `mailrun resume` goes on".to_owned())
            }
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                Some("make the folder writable, then `mailrun resume` goes on".to_owned())
            }
            io::ErrorKind::WouldBlock => Some(
                "another process is filling the folder; wait for its end, or name another one".to_owned(),
            ),
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
                Some(format!("`{}` must be a folder, or free to become one", path.display()))
            }
            _ => None,
        }
    }

    /// Returns the error's stable id.
    pub fn id(&self) -> &'static str {
        match self {
            FolderError::Io { .. } => "io",
            FolderError::NotAName { .. } => "not-a-name",
        }
    }
}
