//! Owns the interaction log entry: the permanent record of one line of one run, as a snapshot.
//!
//! An entry is made when its run is planned, is the line's row in the journal while the run goes on, and becomes
//! part of the log when the segment is archived. Whatever holds for the line is written into it; nothing is looked
//! up later, so that a change of a contact or a template changes no past interaction.

use std::fmt;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::contact::{ContactNo, CorrespondenceType};
use crate::interaction::rule::Rule;
use crate::interaction::state::State;
use crate::segment::document::Digest;
use crate::segment::line::Evaluation;
use crate::segment::values::{InformationFlow, InitiatedBy};
use crate::segment::{LineNo, SegmentNo};

/// The number of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunNo(pub i64);

impl fmt::Display for RunNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of an interaction log entry, over all runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryNo(pub i64);

impl fmt::Display for EntryNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The record of one line of one run. Texts are final: their tags are rendered.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The segment.
    pub segment: SegmentNo,
    /// The line.
    pub line_no: LineNo,
    /// The contact.
    pub contact: ContactNo,
    /// The contact's name at that time.
    pub contact_name: String,
    /// The company of the contact at that time.
    pub company_no: String,
    /// Where the line stands.
    pub state: State,
    /// Why it is suppressed or failed; empty otherwise.
    pub reason: String,
    /// How it goes out; none means log only.
    pub correspondence_type: Option<CorrespondenceType>,
    /// The code of the interaction template.
    pub template: String,
    /// The interaction group.
    pub group: String,
    /// The description.
    pub description: String,
    /// The date of the interaction.
    pub date: Date,
    /// The language of the document; empty for none.
    pub language: String,
    /// The subject.
    pub subject: String,
    /// The code of the salesperson; empty for none.
    pub salesperson: String,
    /// The code of the campaign; empty for none.
    pub campaign: String,
    /// The cost.
    pub unit_cost: Option<Decimal>,
    /// The duration in minutes.
    pub unit_duration: Option<Decimal>,
    /// Which way the information flowed.
    pub information_flow: Option<InformationFlow>,
    /// Who began.
    pub initiated_by: Option<InitiatedBy>,
    /// Whether the contact counts as a target of the campaign.
    pub campaign_target: bool,
    /// Whether the interaction counts as a response.
    pub campaign_response: bool,
    /// How the contact took it.
    pub evaluation: Option<Evaluation>,
    /// The address as on the envelope, one line each.
    pub address_block: String,
    /// The e-mail address, or the gateway's for a fax; empty where none is used.
    pub email: String,
    /// The formal salutation; empty where no document is made.
    pub salutation_formal: String,
    /// The informal salutation; empty where no document is made.
    pub salutation_informal: String,
    /// The personal comment.
    pub comment: String,
    /// The document that is merged.
    pub document: Option<Digest>,
    /// The value's name and the rule behind it, for each value.
    pub rules: Vec<(&'static str, Rule)>,
    /// The name of the file that the delivery writes; empty where none is written.
    pub file: String,
    /// The Message-ID of its message, with angle brackets; empty for none.
    pub message_id: String,
}
