//! Owns the table of where time went, the last that `-v` says.

use std::time::Instant;

use super::options::Common;
use super::terminal::Terminal;
use crate::run::{Stage, Stages};

/// Returns where the times of the stages are noted; they are taken only where they are shown.
pub(super) fn stages(common: &Common) -> Stages {
    if common.verbose > 0 { Stages::by(Instant::now) } else { Stages::default() }
}

/// Says how long each stage took, in seconds and as a share of all of them, if the user wants to know more.
///
/// Several threads work at once, so that the stages together may take longer than the command did.
pub(super) fn say(common: &Common, stages: &Stages, terminal: &Terminal) {
    if common.verbose == 0 {
        return;
    }
    let taken = Stage::ALL.map(|stage| (stage, stages.of(stage).as_secs_f64()));
    let whole: f64 = taken.iter().map(|(_, seconds)| seconds).sum();
    for (stage, seconds) in taken.into_iter().filter(|(_, seconds)| *seconds > 0.0) {
        let share = seconds / whole * 100.0;
        terminal.say(&format!("{:8} {seconds:9.3} s {share:4.0} %", stage.as_str()));
    }
    terminal.say(&format!("{:8} {whole:9.3} s  100 %", "all"));
}
