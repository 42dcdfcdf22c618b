//! Owns the times at which a schedule is due: a cron pattern on the clock of a time zone. Fails on a pattern or zone
//! that there is not.
//!
//! The pattern is about the clock on the wall, and each time on it counts once. A time that is left out when the clock
//! is set forward is due at the moment of the change; several such times, and one that falls on that moment anyway, are
//! one. A time that comes twice when the clock is set back is due when it comes first.

use std::cmp::Ordering;

use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use croner::{CivilDateTime, Cron, CronDateTime, Resolution, Weekday};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// A cron pattern on the clock of a time zone.
#[derive(Clone, Debug)]
pub struct Timetable {
    cron: Cron,
    zone: TimeZone,
}

/// Why there is no timetable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimetableError {
    /// The pattern is none.
    #[error("`{cron}` is no cron pattern: {reason}")]
    Cron {
        /// The pattern.
        cron: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The zone is none.
    #[error("`{timezone}` is no time zone")]
    Zone {
        /// The zone.
        timezone: String,
    },
}

impl TimetableError {
    /// Returns the stable id of the error.
    pub fn id(&self) -> &'static str {
        match self {
            TimetableError::Cron { .. } => "not-a-cron-pattern",
            TimetableError::Zone { .. } => "not-a-time-zone",
        }
    }

    /// Returns what to do.
    pub fn help(&self) -> String {
        match self {
            TimetableError::Cron { .. } => {
                "give minute, hour, day of the month, month and day of the week, such as `30 8 * * MON-FRI`"
            }
            TimetableError::Zone { .. } => {
                "give a name of the IANA data base, such as `Europe/Zurich`, or `UTC`"
            }
        }
        .to_owned()
    }
}

impl Timetable {
    /// Reads a cron pattern of five fields and the name of a time zone.
    ///
    /// # Errors
    ///
    /// A text that is no pattern, or no zone that is known.
    ///
    /// # Example
    ///
    /// ```
    /// # use mailrun::run::schedule::timetable::Timetable;
    /// let timetable = Timetable::new("30 8 * * MON-FRI", "Europe/Zurich")?;
    /// let saturday = "2026-03-28T12:00:00Z".parse().expect("a moment");
    /// let monday = timetable.next_after(saturday).map(|due| due.to_string());
    /// assert_eq!(monday.as_deref(), Some("2026-03-30T06:30:00Z"));
    /// # Ok::<(), mailrun::run::schedule::timetable::TimetableError>(())
    /// ```
    pub fn new(cron: &str, timezone: &str) -> Result<Timetable, TimetableError> {
        let zone =
            TimeZone::get(timezone).map_err(|_| TimetableError::Zone { timezone: timezone.to_owned() })?;
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(cron).map_err(|error| TimetableError::Cron {
            cron: cron.to_owned(),
            reason: error.to_string().trim_end_matches('.').to_owned(),
        })?;
        Ok(Timetable { cron, zone })
    }

    /// Returns the time zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Returns the first due time after a moment; none if there is none any more.
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        self.after(after).next()
    }

    /// Returns the due times after a moment, in their order, without end.
    pub fn after(&self, after: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
        let mut wall = Wall(self.zone.to_datetime(after));
        let mut last = after;
        // Times on the wall that rise have moments that do not fall, so that what was passed does not come again.
        std::iter::from_fn(move || {
            loop {
                wall = self.cron.find_next_occurrence(&wall, false).ok()?;
                let due = self.moment_of(wall.0)?;
                if due > last {
                    last = due;
                    return Some(due);
                }
            }
        })
    }

    /// Returns the moment at which the wall shows a time, or passes over it.
    fn moment_of(&self, wall: DateTime) -> Option<Timestamp> {
        let moment = self.zone.to_ambiguous_timestamp(wall);
        match moment.offset() {
            AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => moment.earlier().ok(),
            AmbiguousOffset::Gap { .. } => {
                let after_change = moment.later().ok()?;
                let change =
                    self.zone.preceding(after_change.checked_add(SignedDuration::from_secs(1)).ok()?);
                change.map(|transition| transition.timestamp()).next()
            }
        }
    }
}

/// A time on a wall clock that never changes; the zone comes in afterwards.
#[derive(Clone, Debug)]
struct Wall(DateTime);

impl CronDateTime for Wall {
    fn to_civil(&self) -> CivilDateTime {
        let part = |part: i8| u32::from(part.unsigned_abs());
        let (date, time) = (self.0.date(), self.0.time());
        CivilDateTime::from_ymd_hms(
            i32::from(date.year()),
            part(date.month()),
            part(date.day()),
            part(time.hour()),
            part(time.minute()),
            part(time.second()),
        )
        .expect("the parts of a date and time are in range")
    }

    fn civil_weekday(&self) -> Weekday {
        Weekday::from_days_from_sunday(u32::from(self.0.weekday().to_sunday_zero_offset().unsigned_abs()))
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Wall>, CronError> {
        let part = |part: u32| i8::try_from(part).map_err(|_| CronError::InvalidDate);
        let year = i16::try_from(civil.year()).map_err(|_| CronError::InvalidDate)?;
        let (month, day) = (part(civil.month())?, part(civil.day())?);
        let (hour, minute, second) = (part(civil.hour())?, part(civil.minute())?, part(civil.second())?);
        let wall = DateTime::new(year, month, day, hour, minute, second, 0);
        wall.map(|wall| Resolution::Single(Wall(wall))).map_err(|_| CronError::InvalidDate)
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Wall> {
        self.0.checked_add(SignedDuration::from_secs(seconds)).ok().map(Wall)
    }

    fn cmp_instant(&self, other: &Wall) -> Ordering {
        self.0.cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    /// The first due times after a moment are these.
    #[track_caller]
    fn check((cron, timezone): (&str, &str), after: &str, expected: &[&str]) {
        let timetable = Timetable::new(cron, timezone).expect("a timetable");
        let due: Vec<String> =
            timetable.after(moment(after)).take(expected.len()).map(|due| due.to_string()).collect();
        assert_eq!(due, expected, "{cron} in {timezone} after {after}");
    }

    const ZURICH: &str = "Europe/Zurich";

    #[test]
    fn a_pattern_is_about_the_clock_on_the_wall() {
        check(
            ("0 9 * * *", ZURICH),
            "2026-03-27T12:00:00Z",
            &["2026-03-28T08:00:00Z", "2026-03-29T07:00:00Z", "2026-03-30T07:00:00Z"],
        );
        check(("0 9 * * *", "UTC"), "2026-03-28T09:00:00Z", &["2026-03-29T09:00:00Z"]);
        check(("0 9 * * *", "UTC"), "2026-03-28T08:59:59.999Z", &["2026-03-28T09:00:00Z"]);
        check(("0 8 1 */3 *", ZURICH), "2026-01-01T07:00:00Z", &["2026-04-01T06:00:00Z"]);
        check(("0 8 29 2 *", ZURICH), "2026-01-01T07:00:00Z", &["2028-02-29T07:00:00Z"]);
        check(("0 8 L * *", ZURICH), "2026-02-01T07:00:00Z", &["2026-02-28T07:00:00Z"]);
        // Day of the month and day of the week are alternatives where both are given, as in cron(8).
        check(
            ("0 8 13 * FRI", "UTC"),
            "2026-10-01T09:00:00Z",
            &["2026-10-02T08:00:00Z", "2026-10-09T08:00:00Z", "2026-10-13T08:00:00Z"],
        );
    }

    #[test]
    fn a_time_that_is_left_out_is_due_at_the_change_and_once() {
        // On 2026-03-29 the clock goes from 02:00 to 03:00, at 01:00 UTC.
        check(
            ("30 2 * * *", ZURICH),
            "2026-03-28T12:00:00Z",
            &["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"],
        );
        check(("30 2 * * *", ZURICH), "2026-03-29T01:00:00Z", &["2026-03-30T00:30:00Z"]);
        check(
            ("*/30 * * * *", ZURICH),
            "2026-03-29T00:15:00Z",
            &["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"],
        );
        check(
            ("0 * * * *", ZURICH),
            "2026-03-28T23:30:00Z",
            &["2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"],
        );
        // Lord Howe Island moves by half an hour: 02:00 becomes 02:30 on 2026-10-04.
        check(
            ("15 2 * * *", "Australia/Lord_Howe"),
            "2026-10-03T00:00:00Z",
            &["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"],
        );
        // Samoa had no 2011-12-30: its noon is due as the 31st begins.
        check(
            ("0 12 * * *", "Pacific/Apia"),
            "2011-12-29T00:00:00Z",
            &["2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z"],
        );
    }

    #[test]
    fn a_time_that_comes_twice_is_due_the_first_time() {
        // On 2026-10-25 the clock goes from 03:00 back to 02:00, at 01:00 UTC.
        check(
            ("30 2 * * *", ZURICH),
            "2026-10-24T12:00:00Z",
            &["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"],
        );
        for after in ["2026-10-25T00:30:00Z", "2026-10-25T00:45:00Z", "2026-10-25T01:15:00Z"] {
            check(("30 2 * * *", ZURICH), after, &["2026-10-26T01:30:00Z"]);
        }
        check(
            ("0 * * * *", ZURICH),
            "2026-10-24T23:30:00Z",
            &["2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z", "2026-10-25T03:00:00Z"],
        );
        check(("0 3 * * *", ZURICH), "2026-10-25T00:59:00Z", &["2026-10-25T02:00:00Z"]);
    }

    #[test]
    fn a_year_of_any_schedule_rises_whichever_moment_it_is_asked_from() {
        for (cron, timezone) in [
            ("*/20 0-4 * * *", ZURICH),
            ("15 2 * * *", "Australia/Lord_Howe"),
            ("7 * * * *", "America/New_York"),
        ] {
            let timetable = Timetable::new(cron, timezone).expect("a timetable");
            let end = moment("2027-01-01T00:00:00Z");
            let all: Vec<Timestamp> =
                timetable.after(moment("2026-01-01T00:00:00Z")).take_while(|due| *due < end).collect();
            assert!(all.is_sorted_by(|a, b| a < b));
            for pair in all.windows(2) {
                assert_eq!(timetable.next_after(pair[0]), Some(pair[1]));
                let just_before = pair[1].checked_sub(SignedDuration::from_secs(1)).expect("a moment");
                assert_eq!(timetable.next_after(just_before), Some(pair[1]));
            }
        }
    }

    #[test]
    fn what_is_no_pattern_and_what_is_never_due_is_refused() {
        let ids =
            |cron: &str, timezone: &str| Timetable::new(cron, timezone).map_err(|error| error.id()).err();
        for cron in ["", "0 9 * *", "60 9 * * *", "0 0 9 * * *", "0 9 * * * 2026", "at nine", "0 9 * * FOO"] {
            assert_eq!(ids(cron, "UTC"), Some("not-a-cron-pattern"), "{cron}");
        }
        assert_eq!(ids("0 9 * * *", "Europe/Bern"), Some("not-a-time-zone"));
        let never = Timetable::new("0 0 30 2 *", "UTC").expect("a pattern");
        assert_eq!(never.next_after(moment("2026-01-01T00:00:00Z")), None);
    }
}
