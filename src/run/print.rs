//! Owns the printing of a run: which of its letters go into the print file, and when the job is complete.

use std::collections::BTreeMap;
use std::path::Path;

use crate::delivery::print::ticket::{self, Job, Ticket};
use crate::delivery::print::{self, PrintError, Printed, Sheaf};
use crate::interaction::{RunNo, State};
use crate::run::manifest::Manifest;
use crate::run::plan::RunOptions;
use crate::run::{Office, RunError};
use crate::segment::SegmentNo;
use crate::setup::{LetterFiles, Sides};

/// Makes the print file and its ticket where the run asks for them; returns what is known of each letter that is PDF, by
/// line.
///
/// # Errors
///
/// A letter that is no longer what was written; a folder that cannot be written.
pub(in crate::run) fn combined(
    office: &mut Office<'_>,
    run: RunNo,
    options: &RunOptions,
    folder: &Path,
) -> Result<BTreeMap<u64, Printed>, RunError> {
    if options.paper.letters == LetterFiles::Docx {
        return Ok(BTreeMap::new());
    }
    let mut sheaves = Vec::new();
    office.store.manifest(run, &mut |row| {
        if row.state == State::Written && row.file.ends_with(".pdf") {
            sheaves.push(Sheaf {
                line_no: row.line_no.0,
                contact: row.contact.clone(),
                name: row.name.clone(),
                address: row.address.clone(),
                country: row.country.clone(),
                post_code: row.post_code.clone(),
                file: row.file.clone(),
                sha256: row.sha256.clone(),
                enclosures: row.enclosures.clone(),
            });
        }
    })?;
    print::begin(folder)?;
    let sides = options.paper.print.as_ref().map_or(Sides::Simplex, |form| form.sides);
    let mut printed = print::counted(folder, sheaves, sides)?;
    if let Some(form) = &options.paper.print {
        let job = Job {
            name: format!("{} (run {run})", options.segment),
            code: code(&options.segment, run),
            description: options.description.clone(),
            date: options.now.date().to_string(),
        };
        printed = print::combine(folder, printed, form, &job)?;
        Ticket::of(job, &printed, form).write(folder)?;
    }
    Ok(printed.into_iter().map(|it| (it.sheaf.line_no, it)).collect())
}

/// Names a job in a code that machines read: segment and run, of signs that every reader of codes gives back.
fn code(segment: &SegmentNo, run: RunNo) -> String {
    let plain = |sign: char| if sign.is_ascii_alphanumeric() || "-_.".contains(sign) { sign } else { '-' };
    format!("{}.{run}", segment.0.chars().map(plain).collect::<String>())
}

/// Says that the job is complete.
///
/// # Errors
///
/// A folder that cannot be written.
pub(in crate::run) fn ready(options: &RunOptions, folder: &Path) -> Result<(), PrintError> {
    match options.paper.print {
        Some(_) => {
            let [json, text] = ticket::FILES;
            print::ready(folder, &[Manifest::FILE_NAME, print::COMBINED, json, text])
        }
        None => Ok(()),
    }
}
