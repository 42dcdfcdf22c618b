//! Owns follow-up segments: a new segment with the people of a logged one, linked to it.
//!
//! People come back, not filters: each contact once, however often it was tried, and only where the entry counts and
//! reached it, unless all are asked for. Consent is tested when the new segment is run, as for any other.

use crate::run::load::next_segment_no_after;
use crate::run::masters::ChangeError;
use crate::run::records::{RecordsError, SegmentStanding};
use crate::run::selection::{Entries, reuse_logged};
use crate::run::worksheet::Worksheets;
use crate::segment::{InteractionValues, SegmentHeader, SegmentNo};

/// A follow-up that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowUp {
    /// Its number.
    pub segment: SegmentNo,
    /// How many lines it has.
    pub n_lines: usize,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct FollowUpOrder<'a> {
    /// The logged segment that is followed.
    pub logged: &'a SegmentNo,
    /// The number of the new one; none: the next of the series.
    pub no: Option<SegmentNo>,
    /// The first number of the series.
    pub first_no: &'a str,
    /// Whose contacts come back.
    pub entries: Entries,
}

/// Makes a follow-up segment: people, campaign, salesperson and the whole description of the logged one.
///
/// # Errors
///
/// A segment that is not logged, a number that is taken.
pub fn follow_up(store: &mut dyn Worksheets, order: &FollowUpOrder<'_>) -> Result<FollowUp, ChangeError> {
    let Some(mut followed) = store.header_as_logged(order.logged)? else {
        let help = Some("`mailrun logged list` shows the logged ones".to_owned());
        let message = format!("there is no logged segment `{}`", order.logged);
        return Err(ChangeError::problem("not-logged", message, help));
    };
    if followed.values.campaign.is_none() {
        followed.values.campaign = store.campaign_as_logged(order.logged)?; // of the template, or of most lines
    }
    let no = match &order.no {
        Some(no) if store.standing(no)? != SegmentStanding::Unknown => {
            let help = Some("give it another number, or none".to_owned());
            let message = format!("there is a segment `{no}` already");
            return Err(ChangeError::problem("segment-exists", message, help));
        }
        Some(no) => no.clone(),
        None => next_segment_no_after(store, order.first_no)?,
    };
    store.put_segment(&header(no.clone(), order.logged, &followed))?;
    let n_lines = reuse_logged(store, &no, order.logged, order.entries)?;
    let campaign = followed.values.campaign.unwrap_or_default();
    set_campaigns(store, (&no, order.logged), &campaign)?;
    Ok(FollowUp { segment: no, n_lines })
}

fn header(no: SegmentNo, logged: &SegmentNo, followed: &SegmentHeader) -> SegmentHeader {
    let description = followed.values.description.as_deref().unwrap_or_default();
    let colon = if description.is_empty() { "" } else { ": " };
    let values = InteractionValues {
        description: Some(format!("Follow-up on {logged}{colon}{description}")),
        campaign: followed.values.campaign.clone(),
        salesperson: followed.values.salesperson.clone(),
        ..InteractionValues::default()
    };
    SegmentHeader {
        no,
        values,
        household: followed.household,
        follows: Some(logged.clone()),
        ..SegmentHeader::default()
    }
}

/// Sets the campaign on the lines whose entry had another one than the header.
fn set_campaigns(
    store: &mut dyn Worksheets,
    (segment, logged): (&SegmentNo, &SegmentNo),
    of_header: &str,
) -> Result<(), RecordsError> {
    for (contact, campaign) in store.campaigns_as_logged(logged, of_header)? {
        for mut line in store.lines_of(segment, &contact)? {
            line.values.values.campaign = Some(campaign.clone());
            store.put_line(segment, &line)?;
        }
    }
    Ok(())
}
