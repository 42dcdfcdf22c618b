//! Owns selection by command: contacts come onto an open segment and leave it, every action recorded, so that it can be
//! undone and replayed.

use crate::contact::ContactNo;
use crate::run::masters::{ChangeError, unknown};
use crate::run::problem::Problem;
use crate::run::records::{RecordsError, SegmentStanding};
use crate::run::worksheet::{Undone, Worksheets, known_contact, open};
use crate::segment::{CriteriaAction, CriteriaKind, CriteriaOptions, SavedCriteria, SegmentNo};
use crate::setup::MasterKind;

/// Does a selection action on an open segment, and records it; returns how many lines came or went.
///
/// # Errors
///
/// A segment that is not open, a condition that is refused.
pub fn select(
    store: &mut dyn Worksheets,
    segment: &SegmentNo,
    action: &CriteriaAction,
) -> Result<usize, ChangeError> {
    open(store, segment)?;
    match store.select(segment, action) {
        Ok(n_lines) => Ok(n_lines),
        Err(error @ RecordsError::Condition { .. }) => Err(ChangeError::Problems(vec![Problem {
            id: error.id(),
            message: error.to_string(),
            place: action.condition.clone(),
            help: error.help(),
        }])),
        Err(error) => Err(error.into()),
    }
}

/// Adds single contacts, or takes their lines away, each recorded as done by hand; returns how many lines came or went.
///
/// # Errors
///
/// A segment that is not open, all contacts that are not known.
pub fn select_by_hand(
    store: &mut dyn Worksheets,
    segment: &SegmentNo,
    contacts: &[ContactNo],
    action: &CriteriaAction,
) -> Result<usize, ChangeError> {
    open(store, segment)?;
    let mut problems = Vec::new();
    for contact in contacts {
        if let Err(ChangeError::Problems(found)) = known_contact(store, contact) {
            problems.extend(found);
        }
    }
    if !problems.is_empty() {
        return Err(ChangeError::Problems(problems));
    }
    let mut n_lines = 0;
    for contact in contacts {
        let mut one = CriteriaAction::by_hand(action.kind, contact);
        one.options = CriteriaOptions { by_hand: true, ..action.options.clone() };
        n_lines += store.select(segment, &one)?;
    }
    Ok(n_lines)
}

/// Undoes the last selection action of an open segment.
///
/// # Errors
///
/// A segment that is not open, or has no action left.
pub fn undo(store: &mut dyn Worksheets, segment: &SegmentNo) -> Result<Undone, ChangeError> {
    open(store, segment)?;
    store.undo(segment)?.ok_or_else(|| {
        let message = format!("segment {segment} has no selection action to undo");
        ChangeError::problem("nothing-to-undo", message, None)
    })
}

/// Saves the selection actions of an open segment under a code.
///
/// # Errors
///
/// A segment that is not open, or has no action.
pub fn save_criteria(
    store: &mut dyn Worksheets,
    segment: &SegmentNo,
    mut saved: SavedCriteria,
) -> Result<usize, ChangeError> {
    open(store, segment)?;
    saved.actions = store.actions(segment)?;
    if saved.actions.is_empty() {
        let message = format!("segment {segment} has no selection action to save");
        return Err(ChangeError::problem("no-criteria", message, None));
    }
    store.save_criteria(&saved)?;
    Ok(saved.actions.len())
}

/// Finds saved criteria.
///
/// # Errors
///
/// There are none of the code; the nearest is named.
pub fn find_criteria(store: &mut dyn Worksheets, code: &str) -> Result<SavedCriteria, ChangeError> {
    let mut all = store.saved_criteria()?;
    match all.iter().position(|saved| saved.code == code) {
        Some(position) => Ok(all.swap_remove(position)),
        None => {
            let codes: Vec<String> = all.into_iter().map(|saved| saved.code).collect();
            Err(unknown("saved criteria", code, &codes))
        }
    }
}

/// Replays saved selection actions on an open segment, against the data of today; returns how many lines it has then.
///
/// # Errors
///
/// A segment that is not open, criteria that are not known, a condition that is refused.
pub fn reuse_criteria(
    store: &mut dyn Worksheets,
    segment: &SegmentNo,
    code: &str,
) -> Result<usize, ChangeError> {
    for action in find_criteria(store, code)?.actions {
        select(store, segment, &action)?;
    }
    Ok(store.n_lines(segment)?)
}

/// Gives all contacts of a segment a mailing group; tells how many did not have it.
///
/// # Errors
///
/// A segment that is not open, a group that is not known.
pub fn apply_mailing_group(
    store: &mut dyn Worksheets,
    segment: &SegmentNo,
    code: &str,
    members: OldMembers,
) -> Result<u64, ChangeError> {
    open(store, segment)?;
    if store.master(MasterKind::MailingGroup, code)?.is_none() {
        let codes = store.masters(MasterKind::MailingGroup)?;
        let codes: Vec<String> = codes.iter().map(|master| master.code().to_owned()).collect();
        return Err(unknown("mailing group", code, &codes));
    }
    if members == OldMembers::Leave {
        store.clear_members(MasterKind::MailingGroup, code)?;
    }
    Ok(store.put_mailing_group(segment, code)?)
}

/// What becomes of the members that a mailing group has, when it is applied to a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldMembers {
    /// They stay in it.
    Stay,
    /// They leave it.
    Leave,
}

/// Adds the contacts of a logged segment that were reached, or all of them; returns how many lines came.
///
/// The filters of that segment are not run again: it is people who come back, each once.
///
/// # Errors
///
/// A segment that is not open, one that is not logged.
pub fn reuse_logged(
    store: &mut dyn Worksheets,
    segment: &SegmentNo,
    logged: &SegmentNo,
    entries: Entries,
) -> Result<usize, ChangeError> {
    if !matches!(store.standing(logged)?, SegmentStanding::Logged(_)) {
        let help = Some("`mailrun logged list` shows the logged ones".to_owned());
        let message = format!("there is no logged segment `{logged}`");
        return Err(ChangeError::problem("not-logged", message, help));
    }
    let reached = match entries {
        Entries::Reached => " and not is_cancelled and state not in ('suppressed', 'rejected', 'failed')",
        Entries::All => "",
    };
    let no = logged.0.replace('\'', "''");
    let condition = format!("no in (select contact from interaction_log where segment = '{no}'{reached})");
    select(store, segment, &CriteriaAction::new(CriteriaKind::Add, condition))
}

/// Which entries of a logged segment are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entries {
    /// Those whose contact was reached, and that count: not suppressed, refused, failed or cancelled.
    Reached,
    /// All of them.
    All,
}
