//! Owns whom labels, envelopes, cover sheets and address lists are for: the lines of a segment whose letter goes by post, or
//! that are only logged, with the address block that the effective interaction decides. Nothing is kept.

use std::collections::BTreeMap;

use crate::contact::{ContactNo, CorrespondenceType, consent};
use crate::delivery::sheet::Addressee;
use crate::interaction::{RunNo, State};
use crate::run::load::{Asked, fetch};
use crate::run::manifest::ManifestRow;
use crate::run::records::RecordsError;
use crate::run::{LoadError, Office, RunError, SegmentRef, checked};
use crate::segment::SegmentNo;

/// An address of fewer lines is none: name, street and place are the least that a post delivers.
const LEAST_LINES: usize = 3;

/// Whom the paper of a segment is for.
#[derive(Clone, Debug)]
pub struct Addressees {
    /// The segment.
    pub segment: SegmentNo,
    /// What it is about.
    pub description: String,
    /// Them, in the order of the lines.
    pub people: Vec<Addressee>,
    /// How many lines are left out, by the reason in words.
    pub left_out: BTreeMap<String, u64>,
}

/// Returns whom the paper of a segment is for; the store stays as it was.
///
/// A segment that is open, or in a file, is checked as a run checks it. Of one that was logged or is being run the addresses
/// are those of its log, and consent is that of today.
///
/// # Errors
///
/// A segment that cannot be loaded, all problems of one that is not logged, a store that fails.
pub fn addressees(office: &mut Office<'_>, asked: &SegmentRef) -> Result<Addressees, RunError> {
    let fetched = fetch(office.store, asked, office.stop);
    office.store.begin_draft()?;
    let found = found(office, asked, fetched);
    office.store.discard_draft()?;
    found
}

fn found(
    office: &mut Office<'_>,
    asked: &SegmentRef,
    fetched: Result<Asked, LoadError>,
) -> Result<Addressees, RunError> {
    let checked = fetched.map_err(RunError::from).and_then(|fetched| checked(office, asked, fetched));
    let (segment, run, is_logged) = match checked {
        Ok((loaded, _, checked)) if !checked.problems.is_empty() => {
            return Err(RunError::Problems { segment: loaded.segment, problems: checked.problems });
        }
        Ok((loaded, run, _)) => (loaded.segment, run, false),
        Err(RunError::Load(LoadError::Logged { segment, run } | LoadError::Interrupted { segment, run })) => {
            (segment, run, true)
        }
        Err(error) => return Err(error),
    };
    let description = office.store.options(run)?.description;
    let mut addressees = Addressees { segment, description, people: Vec::new(), left_out: BTreeMap::new() };
    for row in rows(office, run)? {
        let reason = match left_out(&row) {
            None if is_logged => refused_since(office, &row)?,
            reason => reason,
        };
        match reason {
            Some(reason) => *addressees.left_out.entry(reason).or_default() += 1,
            None => addressees.people.push(addressee(row)),
        }
    }
    Ok(addressees)
}

fn rows(office: &mut Office<'_>, run: RunNo) -> Result<Vec<ManifestRow>, RecordsError> {
    let mut rows = Vec::new();
    office.store.manifest(run, &mut |row| rows.push(row.clone()))?;
    Ok(rows)
}

/// Returns why a line gets no paper; nothing if it does.
fn left_out(row: &ManifestRow) -> Option<String> {
    if row.is_cancelled {
        return Some("cancelled".to_owned());
    }
    let n_lines = row.address.lines().count();
    match (row.state, row.correspondence_type) {
        (State::Suppressed, _) => Some(format!("suppressed: {}", row.reason)),
        (State::Failed | State::Rejected, _) => Some("failed".to_owned()),
        (_, Some(kind @ (CorrespondenceType::Email | CorrespondenceType::Fax))) => Some(format!("by {kind}")),
        (State::LogOnly, _) if !row.reason.is_empty() => Some("in the letter of their household".to_owned()),
        _ if n_lines < LEAST_LINES => Some("no postal address".to_owned()),
        _ => None,
    }
}

/// Returns why somebody is written to no more since the segment was logged.
fn refused_since(office: &mut Office<'_>, row: &ManifestRow) -> Result<Option<String>, RecordsError> {
    let Some(contact) = office.store.contact(&ContactNo::from(row.contact.as_str()))? else {
        return Ok(Some("the contact is there no more".to_owned()));
    };
    let refusal = consent::refusal(&contact, Some(CorrespondenceType::HardCopy));
    Ok(refusal.map(|refusal| format!("suppressed: {}", refusal.id())))
}

fn addressee(row: ManifestRow) -> Addressee {
    Addressee {
        line_no: row.line_no,
        contact: ContactNo::from(row.contact.as_str()),
        name: row.name,
        block: row.address.lines().map(str::to_owned).collect(),
        country: row.country,
        post_code: row.post_code,
        language: row.language,
    }
}
