//! Owns the hours in which messages may leave: read from the set-up, and when they begin. Fails on a time, a weekday or
//! a time zone that is none.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, ZonedDateTime};
use serde::{Deserialize, Serialize};

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// The hours in which messages may leave, on some days of the week.
///
/// Where it ends no later in the day than it begins, it lasts into the next day, and the weekday is that of its start.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct SendWindow {
    from: Time,
    to: Time,
    weekdays: Vec<Weekday>,
    /// None: that of the clock.
    zone: Option<TimeZone>,
}

/// The window as it is written: `{ from = "08:00", to = "18:00", weekdays = ["mon"], timezone = "Europe/Zurich" }`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Written {
    from: String,
    to: String,
    weekdays: Vec<String>,
    timezone: String,
}

/// Why a window is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAWindow {
    /// A time of day that is none.
    #[error("`{found}` is no time of day, expected one such as 08:00")]
    Time {
        /// The text.
        found: String,
    },
    /// A weekday that is none.
    #[error("`{found}` is no weekday, expected mon, tue, wed, thu, fri, sat or sun")]
    Weekday {
        /// The text.
        found: String,
    },
    /// A time zone that is none.
    #[error("`{found}` is no time zone, expected one such as Europe/Zurich")]
    Zone {
        /// The text.
        found: String,
    },
}

impl TryFrom<Written> for SendWindow {
    type Error = NotAWindow;

    fn try_from(written: Written) -> Result<SendWindow, NotAWindow> {
        let time = |text: String| match text.as_str() {
            "" => Ok(Time::midnight()),
            _ => text.parse::<Time>().map_err(|_| NotAWindow::Time { found: text }),
        };
        let weekday = |text: String| {
            let found = WEEKDAYS.iter().find(|(name, _)| text.eq_ignore_ascii_case(name));
            found.map(|(_, weekday)| *weekday).ok_or(NotAWindow::Weekday { found: text })
        };
        let zone = match written.timezone.as_str() {
            "" => None,
            name => Some(TimeZone::get(name).map_err(|_| NotAWindow::Zone { found: name.to_owned() })?),
        };
        Ok(SendWindow {
            from: time(written.from)?,
            to: time(written.to)?,
            weekdays: written.weekdays.into_iter().map(weekday).collect::<Result<_, _>>()?,
            zone,
        })
    }
}

impl From<SendWindow> for Written {
    fn from(window: SendWindow) -> Written {
        let named = |weekday: &Weekday| WEEKDAYS.iter().find(|(_, other)| other == weekday);
        Written {
            from: window.from.to_string(),
            to: window.to.to_string(),
            weekdays: window.weekdays.iter().filter_map(named).map(|(name, _)| (*name).to_owned()).collect(),
            timezone: window.zone.as_ref().and_then(TimeZone::iana_name).unwrap_or_default().to_owned(),
        }
    }
}

impl SendWindow {
    /// Returns when the window opens next; none if it is open.
    pub fn opens(&self, now: &ZonedDateTime) -> Option<ZonedDateTime> {
        let zone = self.zone.as_ref().unwrap_or(now.time_zone());
        let today = now.with_time_zone(zone.clone()).date();
        let moment = |day: Date, time: Time| zone.to_timestamp(day.to_datetime(time)).ok();
        // Yesterday's may last until now; a week ahead there is one in any case.
        for n_days in -1_i64..=8 {
            let Ok(day) = today.checked_add(n_days.days()) else { continue };
            if !self.weekdays.is_empty() && !self.weekdays.contains(&day.weekday()) {
                continue;
            }
            let last = if self.to <= self.from { day.tomorrow() } else { Ok(day) };
            let bounds = last.ok().and_then(|last| Some((moment(day, self.from)?, moment(last, self.to)?)));
            let Some((start, end)): Option<(Timestamp, Timestamp)> = bounds else { continue };
            if now.timestamp() < start {
                return Some(start.to_zoned_datetime(zone.clone()));
            }
            if now.timestamp() < end {
                return None;
            }
        }
        None // the calendar's end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_open_or_opens_next_by_its_own_clock() {
        let check = |[from, to, days, timezone]: [&str; 4], now: &str, expected: Option<&str>| {
            let weekdays = days.split_whitespace().map(str::to_owned).collect();
            let [from, to, timezone] = [from, to, timezone].map(str::to_owned);
            let window = SendWindow::try_from(Written { from, to, weekdays, timezone }).expect("a window");
            let opens = window.opens(&now.parse().expect("a moment")).map(|opens| opens.to_string());
            assert_eq!(opens.as_deref(), expected, "{window:?} at {now}");
            let written = Written::from(window.clone());
            assert_eq!(SendWindow::try_from(written), Ok(window));
        };
        let office = ["08:00", "18:00", "mon tue wed thu fri", "Europe/Zurich"];
        let monday = Some("2026-03-02T08:00:00+01:00[Europe/Zurich]");
        check(office, "2026-02-27T17:59:59+01:00[Europe/Zurich]", None);
        check(office, "2026-02-27T18:00:00+01:00[Europe/Zurich]", monday);
        check(office, "2026-03-01T09:00:00+01:00[Europe/Zurich]", monday);
        check(office, "2026-03-02T06:59:00+00:00[UTC]", monday);
        check(office, "2026-03-02T07:00:00+00:00[UTC]", None);
        let night = ["22:00", "06:00", "sat", ""];
        check(night, "2026-03-01T05:59:00+00:00[UTC]", None); // Saturday's night lasts into Sunday
        check(night, "2026-03-01T06:00:00+00:00[UTC]", Some("2026-03-07T22:00:00+00:00[UTC]"));
        // On 2026-03-29 the clock of Zürich goes from 02:00 to 03:00.
        let summer = Some("2026-03-29T03:30:00+02:00[Europe/Zurich]");
        check(["02:30", "04:00", "", "Europe/Zurich"], "2026-03-29T00:00:00+01:00[Europe/Zurich]", summer);
        check(["", "", "", ""], "2026-03-01T00:00:00+00:00[UTC]", None);
    }

    #[test]
    fn what_is_no_window_is_refused() {
        let check = |written: Written, expected: &str| {
            let error = SendWindow::try_from(written).expect_err("a refusal");
            assert_eq!(error.to_string(), expected);
        };
        let of = |from: &str, weekday: &str, timezone: &str| Written {
            from: from.to_owned(),
            to: String::new(),
            weekdays: vec![weekday.to_owned()],
            timezone: timezone.to_owned(),
        };
        check(of("8 Uhr", "mon", ""), "`8 Uhr` is no time of day, expected one such as 08:00");
        check(of("08:00", "day", ""), "`day` is no weekday, expected mon, tue, wed, thu, fri, sat or sun");
        check(of("08:00", "Mon", "Here"), "`Here` is no time zone, expected one such as Europe/Zurich");
    }
}
