//! Owns checking: every line is resolved and planned, every problem of the segment is found, before any effect.

use rayon::prelude::*;

use crate::interaction::resolve::Facts;
use crate::interaction::{RunNo, resolve};
use crate::merge::Moment;
use crate::run::desk::Desk;
use crate::run::forms::Forms;
use crate::run::freeze::freeze;
use crate::run::journal::Counts;
use crate::run::load::Loaded;
use crate::run::plan::PlannedLine;
use crate::run::problem::Problem;
use crate::run::records::{LineRecord, Records, RecordsError};
use crate::run::suppress::suppress;
use crate::run::warning::together;
use crate::segment::LineNo;

/// How many lines are resolved at a time; memory does not grow with the segment.
const LINES_PER_BATCH: usize = 1_000;

/// So many problems are listed; the rest are counted.
const PROBLEMS_LISTED: usize = 1_000;

/// What checking found.
#[derive(Debug, Default)]
pub struct Checked {
    /// How many lines there are.
    pub n_lines: u64,
    /// How many lines are planned in each state; complete only where there is no problem.
    pub counts: Counts,
    /// All problems: none, or the run does not begin.
    pub problems: Vec<Problem>,
    /// What is odd about the documents but stops nothing.
    pub warnings: Vec<Problem>,
    /// Columns of the contacts that no document and no text of the segment uses.
    pub unused_columns: Vec<String>,
    n_unlisted: u64,
}

/// Resolves, checks and plans all lines of a segment; the plan goes into the open draft.
///
/// # Errors
///
/// A store that fails. Problems are part of what is returned.
pub(in crate::run) fn check(
    records: &mut dyn Records,
    desk: &Desk,
    loaded: &Loaded,
    run: RunNo,
    moment: &Moment,
) -> Result<Checked, RecordsError> {
    let mut checked = Checked::default();
    let mut forms = Forms::new(desk);
    let mut after = LineNo(0);
    loop {
        let lines = records.lines(&loaded.segment, after, LINES_PER_BATCH)?;
        let Some(last) = lines.last() else { break };
        after = last.line.line_no;
        let mut planned = plan_batch(records, &mut forms, desk, loaded, &lines, checked.n_lines, moment)?;
        suppress(records, &mut planned)?;
        checked.n_lines += lines.len() as u64;
        let mut plan = Vec::with_capacity(planned.len());
        for line in planned {
            match line {
                Ok(line) => {
                    checked.counts.add(line.entry.state, 1);
                    plan.push(line);
                }
                Err(problems) => checked.add(problems),
            }
        }
        checked.add(forms.take_problems());
        if checked.problems.is_empty() {
            records.put_plan(run, &plan)?;
        }
    }
    checked.add(forms.take_problems());
    if checked.n_lines == 0 && checked.problems.is_empty() && loaded.problems.is_empty() {
        checked.add(vec![Problem {
            id: "empty-segment",
            message: format!("segment {} has no lines", loaded.segment),
            place: format!("segment {}", loaded.segment),
            help: Some("add contacts, or change the criteria so that they select some".to_owned()),
        }]);
    }
    checked.finish(loaded);
    checked.unused_columns = forms.unused_columns();
    checked.warnings = together(forms.take_warnings());
    if checked.problems.is_empty() {
        records.put_documents(run, &forms.documents)?;
    }
    Ok(checked)
}

/// Resolves a batch in parallel, learns what it uses, and freezes it in parallel; results in the order of the lines.
fn plan_batch(
    records: &mut dyn Records,
    forms: &mut Forms<'_>,
    desk: &Desk,
    loaded: &Loaded,
    lines: &[LineRecord],
    n_before: u64,
    moment: &Moment,
) -> Result<Vec<Result<PlannedLine, Vec<Problem>>>, RecordsError> {
    let effective: Vec<_> = lines
        .par_iter()
        .map(|record| {
            resolve(&Facts {
                header: &desk.header,
                line: &record.line,
                contact: &record.contact,
                addresses: &record.addresses,
                inherited: record.inherited,
                company_addresses: &record.company_addresses,
                presets: &desk.presets,
            })
        })
        .collect();
    for effective in effective.iter().flatten() {
        forms.learn(records, effective)?;
    }
    let forms: &Forms<'_> = forms;
    let planned = lines
        .par_iter()
        .zip(&effective)
        .enumerate()
        .map(|(position, (record, effective))| {
            let place = || place(loaded, record);
            let number = n_before + position as u64 + 1;
            match effective {
                Ok(effective) => {
                    let moment = moment_of(moment, record, effective.language.value.as_ref(), number);
                    freeze(desk, forms, record, effective, &place, moment)
                }
                Err(refusals) => Err(refusals
                    .iter()
                    .map(|refusal| Problem {
                        id: refusal.id(),
                        message: refusal.to_string(),
                        place: place(),
                        help: Some(refusal.help()),
                    })
                    .collect()),
            }
        })
        .collect();
    Ok(planned)
}

/// The customs of a letter are those of its language, as they are in the contact's country if both agree.
pub(in crate::run) fn moment_of(
    moment: &Moment,
    record: &LineRecord,
    language: Option<&crate::contact::language::Language>,
    number: u64,
) -> Moment {
    let own = record.contact.language_tag();
    let locale = match (language, own) {
        (Some(language), Some(own)) if language.is_base() && own.base() == *language => own.to_string(),
        (Some(language), _) => language.to_string(),
        (None, Some(own)) => own.to_string(),
        (None, None) => moment.locale.clone(),
    };
    Moment { now: moment.now, locale, record: number, sequence: number }
}

/// Returns where a line was written, or which one it is.
fn place(loaded: &Loaded, record: &LineRecord) -> String {
    let line = format!("contact {}, line {}", record.contact.no, record.line.line_no);
    match loaded.places.get(&record.contact.no) {
        Some(place) => format!("{place} ({line})"),
        None => format!("segment {}, {line}", loaded.segment),
    }
}

impl Checked {
    fn add(&mut self, problems: Vec<Problem>) {
        for problem in problems {
            if self.problems.len() < PROBLEMS_LISTED {
                self.problems.push(problem);
            } else {
                self.n_unlisted += 1;
            }
        }
    }

    /// Tells what many lines have in common once, and counts what is not listed.
    fn finish(&mut self, loaded: &Loaded) {
        self.problems = together(std::mem::take(&mut self.problems));
        if self.n_unlisted > 0 {
            self.problems.push(Problem {
                id: "more-problems",
                message: format!("{} more problems are not listed", self.n_unlisted),
                place: format!("segment {}", loaded.segment),
                help: None,
            });
        }
    }
}
