//! Owns a folder that appears with all its files at once: where there was none, nobody has to wait for names one by one.
//! Fails when the surroundings do, and then leaves nothing behind.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Action, Folder, FolderError, name, system::Directory};

/// What the name of a folder that is being filled begins and ends with.
const UNFINISHED: (&str, &str) = (".", ".mailrun-new");

/// Where many files go: into a folder that stands, or into one that appears when it is finished.
///
/// Many workers may [`write`](Destination::write) at once; one writer [`publish`](Destination::publish)es.
#[derive(Debug)]
pub enum Destination {
    /// A folder that stands: each file gets its name when it is complete.
    Standing(Folder),
    /// A folder that is not there yet: it appears with all its files.
    New(NewFolder),
}

/// A folder that is filled under another name. Dropped before it is finished, it is removed.
#[derive(Debug)]
pub struct NewFolder {
    directory: Directory,
    unfinished: PathBuf,
    path: PathBuf,
    is_finished: bool,
}

impl Destination {
    /// Opens the folder at `path` if it stands, else begins a new one.
    ///
    /// # Errors
    ///
    /// If it cannot be opened or created, or another process is filling it.
    pub fn open(path: &Path) -> Result<Destination, FolderError> {
        let is_there = fs::symlink_metadata(path).is_ok();
        match path.file_name().filter(|_| !is_there).and_then(|name| name.to_str()) {
            Some(name) => NewFolder::begin(path, name).map(Destination::New),
            None => Folder::open(path).map(Destination::Standing),
        }
    }

    /// Writes a file; it has no effect that anybody could see until it is published.
    ///
    /// # Errors
    ///
    /// If `name` is not a plain file name, or the file cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        match self {
            Destination::Standing(folder) => folder.write(name, bytes),
            Destination::New(folder) => folder.write(name, bytes),
        }
    }

    /// Gives the written files of a batch their names; in a new folder they have them, and wait for the folder's.
    ///
    /// # Errors
    ///
    /// As [`Folder::publish`].
    pub fn publish(&self, names: &[impl AsRef<str>]) -> Result<(), FolderError> {
        match self {
            Destination::Standing(folder) => folder.publish(names),
            Destination::New(_) => Ok(()),
        }
    }

    /// Lets a new folder appear, once all its files are on the disk.
    ///
    /// # Errors
    ///
    /// If the files cannot be synced, or the folder cannot get its name.
    pub fn finish(self) -> Result<(), FolderError> {
        match self {
            Destination::Standing(_) => Ok(()),
            Destination::New(folder) => folder.finish(),
        }
    }
}

impl NewFolder {
    fn begin(path: &Path, name: &str) -> Result<NewFolder, FolderError> {
        let failed = |action| move |source| FolderError::Io { action, path: path.to_owned(), source };
        let unfinished = path.with_file_name(format!("{}{name}{}", UNFINISHED.0, UNFINISHED.1));
        fs::create_dir_all(&unfinished).map_err(failed(Action::Create))?;
        let directory = Directory::open(&unfinished).map_err(failed(Action::Open))?;
        // The lock goes with its process: what a killed one left is nobody's.
        directory.lock().map_err(failed(Action::Create))?;
        for entry in fs::read_dir(&unfinished).map_err(failed(Action::CleanUp))? {
            let left_over = entry.map_err(failed(Action::CleanUp))?.path();
            fs::remove_file(left_over).map_err(failed(Action::CleanUp))?;
        }
        Ok(NewFolder { directory, unfinished, path: path.to_owned(), is_finished: false })
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FolderError> {
        if !name::is_plain(name) {
            return Err(FolderError::NotAName { name: name.to_owned() });
        }
        self.directory.write(name, bytes).map_err(|source| self.failed(Action::Write, name, source))
    }

    fn finish(mut self) -> Result<(), FolderError> {
        self.directory.sync_files().map_err(|source| self.failed(Action::Sync, "", source))?;
        self.directory.sync_names().map_err(|source| self.failed(Action::Sync, "", source))?;
        fs::rename(&self.unfinished, &self.path)
            .map_err(|source| self.failed(Action::Publish, "", source))?;
        self.is_finished = true;
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        Directory::open(parent.unwrap_or(Path::new(".")))
            .and_then(|parent| parent.sync_names())
            .map_err(|source| self.failed(Action::Sync, "", source))
    }

    fn failed(&self, action: Action, name: &str, source: io::Error) -> FolderError {
        FolderError::Io { action, path: self.path.join(name), source }
    }
}

impl Drop for NewFolder {
    fn drop(&mut self) {
        if !self.is_finished {
            // What cannot be removed now is removed when the folder is next begun.
            let _ = fs::remove_dir_all(&self.unfinished);
        }
    }
}
