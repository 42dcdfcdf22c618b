//! Owns what the suppression list does to a plan: a line to an address of the list keeps its entry, and no letter.

use crate::delivery::mailbox::Address;
use crate::delivery::suppression::AddressKey;
use crate::interaction::State;
use crate::run::plan::PlannedLine;
use crate::run::problem::Problem;
use crate::run::records::{Records, RecordsError};

/// Suppresses the lines whose message would go to an address of the list. The entry keeps the address.
///
/// # Errors
///
/// A store that cannot be read.
pub(in crate::run) fn suppress(
    records: &mut dyn Records,
    planned: &mut [Result<PlannedLine, Vec<Problem>>],
) -> Result<(), RecordsError> {
    let mut lines: Vec<&mut PlannedLine> = Vec::new();
    let mut keys = Vec::new();
    for line in planned.iter_mut().flatten().filter(|line| line.entry.state == State::Planned) {
        let Ok(address) = line.entry.email.parse::<Address>() else { continue };
        keys.push(AddressKey::of(&address));
        lines.push(line);
    }
    let reasons = if keys.is_empty() { Vec::new() } else { records.suppressed(&keys)? };
    for (line, reason) in lines.into_iter().zip(reasons) {
        let Some(reason) = reason else { continue };
        line.entry.state = State::Suppressed;
        line.entry.reason = reason.logged().to_owned();
        line.entry.file = String::new();
        line.entry.message_id = String::new();
        line.letter = None;
    }
    Ok(())
}
