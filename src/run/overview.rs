//! Owns the overview of a worksheet: what holds for each line, and which of it was set on the line.

use jiff::civil::Date;

use crate::contact::ContactNo;
use crate::interaction::resolve::Facts;
use crate::interaction::{EffectiveInteraction, Standing, resolve};
use crate::run::Store;
use crate::run::desk::Desk;
use crate::run::household::join;
use crate::run::records::{LineRecord, RecordsError};
use crate::segment::{LineNo, LineValues, SegmentNo};
use crate::setup::Setup;

/// How many lines are resolved at a time; memory does not grow with the segment.
const LINES_PER_BATCH: usize = 1_000;

/// A line as people look at it. Texts may hold tags still.
#[derive(Clone, Debug, PartialEq)]
pub struct LineOverview {
    /// Its number.
    pub line_no: LineNo,
    /// The contact.
    pub contact: ContactNo,
    /// The contact's name.
    pub name: String,
    /// What was set on the line.
    pub set: LineValues,
    /// What holds, by the name of the value; only what can be resolved.
    pub holds: Vec<(&'static str, String)>,
    /// What becomes of it: `due`, `log-only`, `suppressed: no-mail`, or why it cannot be.
    pub standing: String,
}

/// Hands up to `limit` lines after a line to `take`, in their order.
///
/// # Errors
///
/// A store that cannot be read.
pub fn overview(
    store: &mut dyn Store,
    (setup, run_date): (&Setup, Date),
    (segment, after, limit): (&SegmentNo, LineNo, Option<u64>),
    take: &mut dyn FnMut(&LineOverview),
) -> Result<(), RecordsError> {
    let (desk, _) = Desk::new(store, setup, segment, run_date)?;
    let mut after = after;
    let mut left = limit.unwrap_or(u64::MAX);
    while left > 0 {
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(LINES_PER_BATCH);
        let records = store.lines(segment, after, wanted)?;
        let Some(last) = records.last() else { return Ok(()) };
        after = last.line.line_no;
        left -= records.len() as u64;
        records.iter().for_each(|record| take(&of_line(&desk, record)));
    }
    Ok(())
}

fn of_line(desk: &Desk, record: &LineRecord) -> LineOverview {
    let facts = Facts {
        header: &desk.header,
        line: &record.line,
        contact: &record.contact,
        inherited: record.inherited,
        addresses: &record.addresses,
        company_addresses: &record.company_addresses,
        presets: &desk.presets,
    };
    let (holds, standing) = match resolve(&facts) {
        Ok(effective) => {
            let effective = join(record, effective);
            (holds(&effective), standing(&effective))
        }
        Err(refusals) => {
            let refusals: Vec<String> = refusals.iter().map(ToString::to_string).collect();
            (Vec::new(), refusals.join("; "))
        }
    };
    LineOverview {
        line_no: record.line.line_no,
        contact: record.contact.no.clone(),
        name: record.contact.full_name(),
        set: record.line.values.clone(),
        holds,
        standing,
    }
}

fn standing(effective: &EffectiveInteraction<'_>) -> String {
    match effective.standing {
        Standing::Due(_) => "due".to_owned(),
        Standing::LogOnly => "log-only".to_owned(),
        Standing::Joined(head) => format!("log-only: household of line {head}"),
        Standing::Suppressed(refusal) => format!("suppressed: {}", refusal.id()),
    }
}

fn holds(effective: &EffectiveInteraction<'_>) -> Vec<(&'static str, String)> {
    let kind = effective.correspondence_type.value.map_or("", |kind| kind.as_str());
    let language = effective.language.value.as_ref().map(ToString::to_string).unwrap_or_default();
    let document = effective.document.value.map(ToString::to_string).unwrap_or_default();
    vec![
        ("interaction_template", effective.template.value.code.clone()),
        ("description", effective.description.value.to_owned()),
        ("date", effective.date.value.to_string()),
        ("language", language),
        ("document", document),
        ("subject", effective.subject.value.to_owned()),
        ("correspondence_type", kind.to_owned()),
        ("address", effective.address.value.map(|address| address.code.clone()).unwrap_or_default()),
        ("email", effective.email.value.to_owned()),
        ("salesperson", effective.salesperson.value.to_owned()),
        ("campaign", effective.campaign.value.to_owned()),
        ("comment", effective.comment.value.to_owned()),
    ]
}
