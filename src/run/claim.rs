//! Owns the claim of a run on its folder: a small file that names the run, so that no other run writes into the folder.
//!
//! A database that was restored from a backup, or another one, may give a segment a number that a run which it does not
//! know has used already.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::ZonedDateTime;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::run::manifest::Manifest;
use crate::run::plan::RunOptions;
use crate::run::problem::Problem;
use crate::segment::SegmentNo;

/// The id of the problem that another run has used the folder.
pub(in crate::run) const FOLDER_TAKEN: &str = "folder-taken";

/// The name of the file; a listing does not show it.
const FILE_NAME: &str = ".mailrun-run";

/// What the file says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Claim {
    run: Uuid,
    segment: SegmentNo,
    begun: ZonedDateTime,
}

/// Why a run does not have its folder for itself.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// Another run has it.
    #[error("`{}` is the folder of another run, which began on {begun}", folder.display())]
    Taken {
        /// The folder.
        folder: PathBuf,
        /// When that run began.
        begun: String,
    },
    /// The claim cannot be read or written.
    #[error("the run cannot be noted in `{}`", folder.display())]
    Io {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Tells what is wrong with the folder of a segment for a run that is new: some other run has written into it.
///
/// What cannot be read now is told when the folder is opened.
pub(in crate::run) fn problem(folder: &Path, segment: &SegmentNo) -> Option<Problem> {
    let (message, place) = match (read(folder), first_file(folder)) {
        (Ok(Some(claim)), _) => {
            let began = when(&claim);
            (
                format!("segment {segment} has a folder of another run already, which began on {began}"),
                folder.to_owned(),
            )
        }
        (_, Some(file)) => {
            (format!("segment {segment} has a folder with files of another run already"), file)
        }
        (_, None) => return None,
    };
    Some(Problem {
        id: FOLDER_TAKEN,
        message,
        place: place.display().to_string(),
        help: Some(
            "the database does not know that run, perhaps since it was restored: see there who was written to. Then give \
             the segment a number behind it (`no`, or `[number_series] segment`), name another folder with `--out`, or \
             move this one away"
                .to_owned(),
        ),
    })
}

/// Makes the folder that of the run, before its first effect; it may be so already.
///
/// # Errors
///
/// [`ClaimError::Taken`] if it is that of another run.
pub(in crate::run) fn claim(folder: &Path, options: &RunOptions) -> Result<(), ClaimError> {
    let failed = |source| ClaimError::Io { folder: folder.to_owned(), source };
    match read(folder).map_err(failed)? {
        Some(claim) if claim.run == options.uuid => Ok(()),
        Some(other) => Err(ClaimError::Taken { folder: folder.to_owned(), begun: when(&other) }),
        None => {
            let claim =
                Claim { run: options.uuid, segment: options.segment.clone(), begun: options.now.clone() };
            write(folder, &claim).map_err(failed)
        }
    }
}

fn when(claim: &Claim) -> String {
    claim.begun.strftime("%Y-%m-%d at %H:%M %Z").to_string()
}

/// Reads the claim; none where there is no file, or one that is none of ours.
fn read(folder: &Path) -> io::Result<Option<Claim>> {
    match fs::read(folder.join(FILE_NAME)) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Writes the claim: it is there as a whole or not at all, and durably before anything leaves the house.
fn write(folder: &Path, claim: &Claim) -> io::Result<()> {
    let temporary = folder.join(format!("{FILE_NAME}.mailrun-tmp"));
    let mut text = serde_json::to_vec(claim)?;
    text.push(b'\n');
    let mut file = File::create(&temporary)?;
    file.write_all(&text)?;
    file.sync_all()?;
    fs::rename(&temporary, folder.join(FILE_NAME))?;
    sync_names(folder)
}

#[cfg(unix)]
fn sync_names(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// A folder cannot be opened as a file there; its names are durable with the rename.
#[cfg(not(unix))]
fn sync_names(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Finds a file of a run in a folder without a claim: a program that made none may have written it.
fn first_file(folder: &Path) -> Option<PathBuf> {
    let manifest = folder.join(Manifest::FILE_NAME);
    if manifest.exists() {
        return Some(manifest);
    }
    let mut found = ["letters", "outbox"].into_iter().filter_map(|below| {
        let entries = fs::read_dir(folder.join(below)).ok()?;
        // What a killed run left half written begins with a dot, and is removed.
        let finished =
            entries.flatten().filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
        finished.map(|entry| entry.path()).min()
    });
    found.next()
}
