//! Owns the locks of segments and schedules: operating-system locks on files beside the database, which a crash releases.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::delivery::name::safe_name;
use crate::run::{Lock, LockError};
use crate::segment::SegmentNo;

/// The lock file, locked. It is removed with the lock, so that only a crash leaves one behind; that one is harmless.
struct Held {
    _file: Option<File>,
    path: Option<PathBuf>,
}

impl Lock for Held {}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // A lock file that stays is taken by the next run: whether it goes is of no consequence.
            let _ = fs::remove_file(path);
        }
    }
}

/// Locks a segment; a database in memory has no other process to fear.
pub(super) fn lock(database: Option<&Path>, segment: &SegmentNo) -> Result<Box<dyn Lock>, LockError> {
    match lock_named(database, &safe_name(&segment.0, "lock")) {
        Ok(Some(lock)) => Ok(lock),
        Ok(None) => Err(LockError::Held(segment.clone())),
        Err(source) => Err(LockError::Surroundings { segment: segment.clone(), source }),
    }
}

/// Locks what goes by the name of a file beside the database; none if another process has it.
pub(super) fn lock_named(database: Option<&Path>, ending: &str) -> io::Result<Option<Box<dyn Lock>>> {
    let Some(database) = database else { return Ok(Some(Box::new(Held { _file: None, path: None }))) };
    let mut name = database.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{ending}"));
    let path = database.with_file_name(name);
    loop {
        let file = File::options().create(true).write(true).truncate(false).open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        if is_still(&file, &path)? {
            return Ok(Some(Box::new(Held { _file: Some(file), path: Some(path) })));
        }
    }
}

/// Tells whether the file that was locked is the one that stands under the name: its holder may just have removed it.
#[cfg(unix)]
fn is_still(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let locked = file.metadata()?;
    match fs::metadata(path) {
        Ok(named) => Ok(named.ino() == locked.ino() && named.dev() == locked.dev()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Where a locked file cannot be removed by another, it still stands under its name.
#[cfg(not(unix))]
fn is_still(_file: &File, _path: &Path) -> io::Result<bool> {
    Ok(true)
}
