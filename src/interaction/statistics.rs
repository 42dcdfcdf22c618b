//! Owns statistics of the log: what entries come to, by campaign, template, group, salesperson or contact.
//!
//! Cancelled entries, and those of cancelled segments, count nowhere. A line that went out or was only logged has cost
//! and duration, and counts as target and response as it is marked; one that was suppressed, refused or failed is
//! counted among the entries, and costs nothing.

use jiff::civil::Date;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Serialize, Serializer};

use crate::interaction::State;

/// What statistics are by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatisticsBy {
    /// The campaign.
    Campaign,
    /// The interaction template.
    Template,
    /// The interaction group.
    Group,
    /// The salesperson.
    Salesperson,
    /// The contact.
    Contact,
}

impl StatisticsBy {
    /// Returns its name.
    pub fn as_str(self) -> &'static str {
        match self {
            StatisticsBy::Campaign => "campaign",
            StatisticsBy::Template => "template",
            StatisticsBy::Group => "group",
            StatisticsBy::Salesperson => "salesperson",
            StatisticsBy::Contact => "contact",
        }
    }
}

/// Which entries count; `None` is no condition.
#[derive(Clone, Debug, Default)]
pub struct StatisticsFilter {
    /// Dated on this day or later.
    pub from: Option<Date>,
    /// Dated on this day or earlier.
    pub to: Option<Date>,
    /// Of this campaign, template, … only.
    pub key: Option<String>,
}

/// Entries of which all of this is equal, counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// The campaign, template, …
    pub key: String,
    /// Where they stand.
    pub state: State,
    /// Whether they count as targets of the campaign.
    pub is_target: bool,
    /// Whether they count as responses.
    pub is_response: bool,
    /// What each costs.
    pub unit_cost: Option<Decimal>,
    /// How long each takes, in minutes.
    pub unit_duration: Option<Decimal>,
    /// How many there are.
    pub n_entries: u64,
}

/// What the entries of one campaign, template, … come to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each count is that of the state of its name")]
pub struct Statistics {
    /// The campaign, template, …
    pub key: String,
    /// How many entries there are.
    pub entries: u64,
    /// How many of those that went out are targets.
    pub targets: u64,
    /// How many are responses.
    pub responses: u64,
    /// Responses in a hundred targets; none without targets.
    #[serde(serialize_with = "optional_number")]
    pub response_rate: Option<Decimal>,
    /// What they cost.
    #[serde(serialize_with = "number")]
    pub cost: Decimal,
    /// How long they took, in minutes.
    #[serde(serialize_with = "number")]
    pub duration: Decimal,
    pub accepted: u64,
    pub written: u64,
    pub log_only: u64,
    /// Nobody knows whether these arrived: they are open until somebody decides.
    pub in_doubt: u64,
    pub rejected: u64,
    pub failed: u64,
    pub suppressed: u64,
    /// Still to be delivered: their run was opened again.
    pub open: u64,
}

impl Statistics {
    /// Begins the statistics of one campaign, template, …
    pub fn of(key: &str) -> Statistics {
        Statistics { key: key.to_owned(), ..Statistics::default() }
    }

    /// Adds entries.
    pub fn add(&mut self, slice: &Slice) {
        let n = slice.n_entries;
        self.entries += n;
        let (count, went_out) = match slice.state {
            State::Accepted => (&mut self.accepted, true),
            State::Written => (&mut self.written, true),
            State::LogOnly => (&mut self.log_only, true),
            State::InDoubt => (&mut self.in_doubt, true),
            State::Rejected => (&mut self.rejected, false),
            State::Failed => (&mut self.failed, false),
            State::Suppressed => (&mut self.suppressed, false),
            State::Planned | State::Merged | State::Sending | State::Deferred => (&mut self.open, false),
        };
        *count += n;
        if !went_out {
            return;
        }
        let times = Decimal::from(n);
        self.cost += slice.unit_cost.unwrap_or_default() * times;
        self.duration += slice.unit_duration.unwrap_or_default() * times;
        self.targets += if slice.is_target { n } else { 0 };
        self.responses += if slice.is_response { n } else { 0 };
        self.response_rate = (self.targets > 0).then(|| {
            let rate = Decimal::from(self.responses) * Decimal::ONE_HUNDRED / Decimal::from(self.targets);
            rate.round_dp_with_strategy(1, RoundingStrategy::MidpointAwayFromZero)
        });
    }
}

fn optional_number<S: Serializer>(amount: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
    amount.and_then(|amount| amount.to_f64()).serialize(serializer)
}

fn number<S: Serializer>(amount: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    amount.to_f64().serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(state: State, n_entries: u64) -> Slice {
        let unit_cost = Some(Decimal::new(11, 1));
        let (is_target, is_response) = (true, n_entries == 1);
        Slice {
            key: "A".to_owned(),
            state,
            is_target,
            is_response,
            unit_cost,
            unit_duration: None,
            n_entries,
        }
    }

    #[test]
    fn what_did_not_go_out_is_counted_and_costs_nothing() {
        let mut sum = Statistics::of("A");
        for (state, n) in
            [(State::Written, 2), (State::Accepted, 1), (State::Suppressed, 5), (State::InDoubt, 3)]
        {
            sum.add(&slice(state, n));
        }
        assert_eq!((sum.entries, sum.written, sum.accepted, sum.suppressed, sum.in_doubt), (11, 2, 1, 5, 3));
        assert_eq!((sum.targets, sum.responses, sum.cost), (6, 1, Decimal::new(66, 1)));
        assert_eq!(sum.response_rate, Some(Decimal::new(167, 1)));
    }
}
