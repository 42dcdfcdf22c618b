//! Owns what becomes of due times that have passed: which are run, which are missed, and why.

use jiff::Timestamp;

use super::timetable::Timetable;
use super::{CatchUp, DueState, DueTime, Mark, ScheduleRecord};

/// It is older than the schedule lets it be.
const TOO_LATE: &str = "too-late";
/// A later due time has passed, which is run instead.
const LATER_DUE_TIME: &str = "later-due-time";
/// Several due times had passed at once, and none of them is to be run.
const SEVERAL_AT_ONCE: &str = "several-at-once";
/// The mark says that it was run, and the database does not: it was restored from a backup.
const DATABASE_RESTORED: &str = "database-restored";

/// Decides the due times of a schedule up to now: those that wait to be run, and those that have passed since the last
/// time. A clock that was set back finds nothing new.
pub(super) fn decide(
    record: &ScheduleRecord,
    timetable: &Timetable,
    waiting: Vec<DueTime>,
    (now, mark): (Timestamp, Option<Mark>),
) -> Vec<DueTime> {
    let new = timetable.after(record.decided_until).take_while(|due| *due <= now).map(DueTime::claimed);
    let mut decided: Vec<DueTime> = waiting.into_iter().chain(new).collect();
    let n_passed = decided.len();
    let max_age = record.schedule.max_age.duration();
    for due_time in &mut decided {
        let age = now.duration_since(due_time.due).unsigned_abs();
        if mark.is_some_and(|mark| mark.begun >= due_time.due) {
            miss(due_time, DATABASE_RESTORED);
        } else if now > due_time.due && age > max_age {
            miss(due_time, TOO_LATE);
        }
    }
    let mut claimed = decided.iter_mut().filter(|due_time| due_time.state == DueState::Claimed).rev();
    match record.schedule.catch_up {
        CatchUp::Each => {}
        CatchUp::Latest => claimed.skip(1).for_each(|due_time| miss(due_time, LATER_DUE_TIME)),
        CatchUp::None if n_passed > 1 => claimed.for_each(|due_time| miss(due_time, SEVERAL_AT_ONCE)),
        CatchUp::None => {
            claimed.next();
        }
    }
    decided
}

fn miss(due_time: &mut DueTime, reason: &str) {
    due_time.state = DueState::Missed;
    reason.clone_into(&mut due_time.reason);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::schedule::{Schedule, Work};

    /// A daily schedule at 09:00 UTC, decided until 2026-03-01T10:00Z.
    fn record(catch_up: CatchUp) -> ScheduleRecord {
        let schedule = Schedule {
            name: "daily".parse().expect("a name"),
            cron: "0 9 * * *".to_owned(),
            timezone: "UTC".to_owned(),
            work: Work::SegmentFile("daily.toml".into()),
            max_age: "36h".parse().expect("a span"),
            catch_up,
            config: None,
            out: "out".into(),
            is_agreed: true,
            before: None,
            after: None,
        };
        let since = "2026-03-01T10:00:00Z".parse().expect("a moment");
        ScheduleRecord { schedule, added_at: since, decided_until: since }
    }

    /// What is decided at a moment, as `day state reason`.
    #[track_caller]
    fn check(catch_up: CatchUp, now: &str, begun: Option<&str>, expected: &[&str]) {
        let record = record(catch_up);
        let timetable =
            Timetable::new(&record.schedule.cron, &record.schedule.timezone).expect("a timetable");
        let moment = |text: &str| text.parse::<Timestamp>().expect("a moment");
        let mark = begun.map(|begun| Mark { added_at: record.added_at, begun: moment(begun), ended: None });
        let decided = decide(&record, &timetable, Vec::new(), (moment(now), mark));
        let words: Vec<String> = decided
            .iter()
            .map(|due_time| {
                let day = due_time.due.to_string().chars().take(10).collect::<String>();
                format!("{day} {} {}", due_time.state.as_str(), due_time.reason).trim_end().to_owned()
            })
            .collect();
        assert_eq!(words, expected, "{catch_up:?} at {now}");
    }

    #[test]
    fn what_is_due_is_claimed_and_what_is_not_yet_is_left() {
        check(CatchUp::Latest, "2026-03-02T08:59:59Z", None, &[]);
        check(CatchUp::Latest, "2026-03-02T09:00:00Z", None, &["2026-03-02 claimed"]);
        check(CatchUp::None, "2026-03-02T09:00:00Z", None, &["2026-03-02 claimed"]);
    }

    #[test]
    fn of_several_that_have_passed_the_latest_or_each_or_none_is_run_and_what_is_too_old_is_missed() {
        let now = "2026-03-04T20:00:00Z";
        let late = "2026-03-02 missed too-late";
        check(CatchUp::Latest, now, None, &[late, "2026-03-03 missed later-due-time", "2026-03-04 claimed"]);
        check(CatchUp::Each, now, None, &[late, "2026-03-03 claimed", "2026-03-04 claimed"]);
        let several = ["2026-03-03 missed several-at-once", "2026-03-04 missed several-at-once"];
        check(CatchUp::None, now, None, &[late, several[0], several[1]]);
        // To the second.
        check(
            CatchUp::Latest,
            "2026-03-03T21:00:00Z",
            None,
            &["2026-03-02 missed later-due-time", "2026-03-03 claimed"],
        );
    }

    #[test]
    fn a_clock_that_was_set_back_finds_nothing_new() {
        for catch_up in [CatchUp::Latest, CatchUp::Each, CatchUp::None] {
            check(catch_up, "2026-02-01T09:00:00Z", None, &[]);
        }
    }

    #[test]
    fn what_the_mark_knows_is_not_run_again_from_a_restored_database() {
        check(
            CatchUp::Each,
            "2026-03-03T12:00:00Z",
            Some("2026-03-02T09:00:00Z"),
            &["2026-03-02 missed database-restored", "2026-03-03 claimed"],
        );
    }
}
