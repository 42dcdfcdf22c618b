//! Owns the marks of schedules: small files beside the database, which a backup of the database does not hold. Fails on
//! a file that cannot be read or written, and on one that is damaged: what it said must not be run twice.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::run::records::RecordsError;
use crate::run::schedule::{Mark, ScheduleName};

/// Reads the mark of a schedule; none if there is no file.
pub(super) fn read(database: &Path, name: &ScheduleName) -> Result<Option<Mark>, RecordsError> {
    let path = path(database, name);
    let failed = |reason: String| RecordsError::Surroundings {
        is_write: false,
        reason: format!("`{}`: {reason}", path.display()),
    };
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error.to_string())),
    };
    serde_json::from_str(&text).map(Some).map_err(|error| failed(format!("it is damaged: {error}")))
}

/// Writes the mark of a schedule: under a temporary name, synced, renamed, and the folder synced.
pub(super) fn write(database: &Path, name: &ScheduleName, mark: Mark) -> Result<(), RecordsError> {
    let path = path(database, name);
    let text = super::to_json(&mark)?;
    written(&path, &text).map_err(|error| RecordsError::Surroundings {
        is_write: true,
        reason: format!("`{}`: {error}", path.display()),
    })
}

fn written(path: &Path, text: &str) -> io::Result<()> {
    let temporary = path.with_extension("mark.mailrun-tmp");
    let mut file = File::create(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn path(database: &Path, name: &ScheduleName) -> PathBuf {
    let mut file = database.file_name().unwrap_or_default().to_owned();
    file.push(format!(".{name}.mark"));
    database.with_file_name(file)
}
