//! Owns when a deferred message is tried again: after growing waits, up to a number of attempts and an age.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::interaction::EntryNo;
use crate::setup::mail::Retry;

/// What comes after a deferred attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another attempt, not before this moment.
    Due(Timestamp),
    /// Nothing: the retries are used up.
    GivenUp,
}

/// What was tried so far, the attempt that was just deferred included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tried {
    /// How often.
    pub n_attempts: u32,
    /// When the first attempt began.
    pub first_at: Timestamp,
}

/// Decides what comes after a deferred attempt that ended `now`.
///
/// The wait doubles with every attempt, up to the longest. It is stretched or cut by up to a quarter, so that messages
/// which were deferred together do not come back together; by how much follows from run, entry and attempt.
pub fn next(retry: &Retry, (run, entry): (Uuid, EntryNo), tried: Tried, now: Timestamp) -> Next {
    if tried.n_attempts >= retry.attempts {
        return Next::GivenUp;
    }
    let doubled = 1_u32.checked_shl(tried.n_attempts.saturating_sub(1)).unwrap_or(u32::MAX);
    let wait = retry.first.duration().saturating_mul(doubled).min(retry.longest.duration());
    let wait = wait.mul_f64(0.75 + 0.5 * fraction(run, entry, tried.n_attempts));
    let Ok(due) = now.checked_add(signed(wait)) else { return Next::GivenUp };
    if due.duration_since(tried.first_at) > signed(retry.age.duration()) {
        return Next::GivenUp;
    }
    Next::Due(due)
}

/// Returns the longest wait that [`next`] gives. A moment that is further away was noted by a clock that was ahead.
pub fn longest_wait(retry: &Retry) -> Duration {
    retry.longest.duration().max(retry.first.duration()).mul_f64(1.25)
}

/// A number from 0 to 1, the same for the same attempt.
fn fraction(run: Uuid, entry: EntryNo, n_attempts: u32) -> f64 {
    let bits = Uuid::new_v5(&run, format!("{entry} {n_attempts}").as_bytes()).as_u128() as u32;
    f64::from(bits) / f64::from(u32::MAX)
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(retry: &Retry, entry: i64) -> Vec<u64> {
        let first_at = Timestamp::UNIX_EPOCH;
        let (mut now, mut waits) = (first_at, Vec::new());
        for n_attempts in 1.. {
            match next(retry, (Uuid::nil(), EntryNo(entry)), Tried { n_attempts, first_at }, now) {
                Next::Due(due) => {
                    waits.push(due.duration_since(now).as_millis() as u64);
                    now = due;
                }
                Next::GivenUp => break,
            }
        }
        waits
    }

    #[test]
    fn waits_double_up_to_the_longest_and_end() {
        let span = |text: &str| text.parse().expect("a duration");
        let retry = Retry { first: span("10s"), longest: span("1m"), attempts: 7, age: span("1h") };
        let waits = waits(&retry, 1);
        assert_eq!(waits.len(), 6, "seven attempts have six waits between them");
        for (wait, expected) in waits.iter().zip([10, 20, 40, 60, 60, 60]) {
            assert!(
                (expected * 750..=expected * 1_250).contains(wait),
                "{wait} ms is not about {expected} s"
            );
        }
        let short = Retry { age: span("45s"), ..retry };
        assert!(waits_sum(&short) <= 45_000);
    }

    fn waits_sum(retry: &Retry) -> u64 {
        waits(retry, 1).iter().sum()
    }

    #[test]
    fn messages_that_were_deferred_together_do_not_come_back_together() {
        let retry = Retry::default();
        let firsts: std::collections::BTreeSet<u64> = (0..100).map(|entry| waits(&retry, entry)[0]).collect();
        assert!(firsts.len() > 90, "{firsts:?}");
        assert_eq!(waits(&retry, 7), waits(&retry, 7));
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_message_old() {
        let first_at: Timestamp = "2026-03-01T09:00:00Z".parse().expect("a moment");
        let now: Timestamp = "2026-02-28T09:00:00Z".parse().expect("a moment");
        let tried = Tried { n_attempts: 1, first_at };
        let Next::Due(due) = next(&Retry::default(), (Uuid::nil(), EntryNo(1)), tried, now) else {
            panic!("another attempt is expected")
        };
        assert!(due.duration_since(now) <= signed(longest_wait(&Retry::default())));
    }
}
