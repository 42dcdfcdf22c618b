//! Owns where time goes: how long each stage of the work took, added up over all threads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A stage of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Reading tables and documents, and what the store has of them.
    Load,
    /// Finding what holds for each line.
    Resolve,
    /// Understanding documents and texts, and freezing each line.
    Check,
    /// Making letters and messages.
    Merge,
    /// Writing files, and bringing them to the disk under their names.
    Write,
    /// Recording the plan and every step, and reading what is still to be done.
    Journal,
    /// Writing the manifest, and making the run part of the log.
    Log,
}

impl Stage {
    /// All stages, in the order in which a run comes through them.
    pub const ALL: [Stage; 7] =
        [Stage::Load, Stage::Resolve, Stage::Check, Stage::Merge, Stage::Write, Stage::Journal, Stage::Log];

    /// Returns the stage's name, in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Load => "load",
            Stage::Resolve => "resolve",
            Stage::Check => "check",
            Stage::Merge => "merge",
            Stage::Write => "write",
            Stage::Journal => "journal",
            Stage::Log => "log",
        }
    }
}

/// How long each stage took so far. Threads that work at the same time count each for itself.
#[derive(Debug, Default)]
pub struct Stages {
    clock: Option<fn() -> Instant>,
    nanoseconds: [AtomicU64; Stage::ALL.len()],
}

impl Stages {
    /// Takes times by a clock; without one, by [`Stages::default`], all of them stay zero.
    pub fn by(clock: fn() -> Instant) -> Stages {
        Stages { clock: Some(clock), ..Stages::default() }
    }

    /// Does some work of a stage, and adds the time that it took.
    pub fn time<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let Some(clock) = self.clock else { return work() };
        let start = clock();
        let done = work();
        // Only sums are read, and only when the work is done: no order is asked for.
        self.nanoseconds[stage as usize].fetch_add(nanoseconds_since(start, clock), Ordering::Relaxed);
        done
    }

    /// Does work of a stage in the middle of another stage's, which does not take its time.
    pub fn time_within<T>(&self, outer: Stage, stage: Stage, work: impl FnOnce() -> T) -> T {
        let Some(clock) = self.clock else { return work() };
        let start = clock();
        let done = work();
        let nanoseconds = nanoseconds_since(start, clock);
        self.nanoseconds[stage as usize].fetch_add(nanoseconds, Ordering::Relaxed);
        // Less than nothing, until the outer stage adds the whole of its time.
        self.nanoseconds[outer as usize].fetch_sub(nanoseconds, Ordering::Relaxed);
        done
    }

    /// Returns how long a stage took.
    pub fn of(&self, stage: Stage) -> Duration {
        Duration::from_nanos(self.nanoseconds[stage as usize].load(Ordering::Relaxed))
    }
}

fn nanoseconds_since(start: Instant, clock: fn() -> Instant) -> u64 {
    u64::try_from(clock().duration_since(start).as_nanos()).unwrap_or(u64::MAX)
}
