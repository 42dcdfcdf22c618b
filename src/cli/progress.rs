//! Owns the progress bar: how far, how fast, how long still. Only on a terminal.

use indicatif::{ProgressBar, ProgressStyle};

use super::terminal::Terminal;
use crate::run::Progress;

/// Shows what a run reports.
pub(super) struct Bar(Option<ProgressBar>);

impl Bar {
    pub(super) fn new(terminal: &Terminal) -> Bar {
        Bar(terminal.shows_progress().then(|| {
            let style = ProgressStyle::with_template("{bar:32} {pos}/{len} lines  {per_sec}  {eta} left")
                .expect("the template is sound");
            ProgressBar::new(0).with_style(style)
        }))
    }

    pub(super) fn show(&self, progress: Progress) {
        let Some(bar) = &self.0 else { return };
        match progress {
            Progress::Planned { counts } => {
                bar.set_length(counts.lines());
                bar.set_position(counts.lines() - counts.planned - counts.deferred);
            }
            Progress::Delivered { n_lines } => bar.inc(n_lines),
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
