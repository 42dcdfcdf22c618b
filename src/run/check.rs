//! Owns checking: every line is resolved and planned, every problem of the segment is found, before any effect.

use rayon::prelude::*;

use crate::interaction::{EffectiveInteraction, Facts, Refusal, RunNo, resolve};
use crate::merge::Moment;
use crate::run::album::Gathering;
use crate::run::desk::Desk;
use crate::run::forms::Forms;
use crate::run::freeze::freeze;
use crate::run::household::join;
use crate::run::journal::Counts;
use crate::run::load::Loaded;
use crate::run::plan::PlannedLine;
use crate::run::problem::Problem;
use crate::run::records::{LineRecord, Records, RecordsError};
use crate::run::stage::{Stage, Stages};
use crate::run::suppress::suppress;
use crate::run::warning::together;
use crate::segment::LineNo;

/// How many lines are resolved at a time; memory does not grow with the segment.
const LINES_PER_BATCH: usize = 1_000;

/// The id of the problem that there is nobody to write to.
pub const EMPTY_SEGMENT: &str = "empty-segment";

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

/// What the lines of a segment are checked with.
pub(in crate::run) struct Check<'a> {
    pub(in crate::run) desk: &'a Desk,
    pub(in crate::run) loaded: &'a Loaded,
    pub(in crate::run) moment: &'a Moment,
    pub(in crate::run) stages: &'a Stages,
}

/// A line of the plan, or all that is wrong with it.
type Planned = Result<PlannedLine, Vec<Problem>>;

impl Check<'_> {
    /// Resolves, checks and plans all lines of a segment; the plan goes into the open draft.
    ///
    /// While all cores freeze one batch, the one before is written into the plan and the next is read.
    ///
    /// # Errors
    ///
    /// A store that fails. Problems are part of what is returned.
    pub(in crate::run) fn check(
        &self,
        records: &mut dyn Records,
        run: RunNo,
    ) -> Result<Checked, RecordsError> {
        let Check { loaded, stages, .. } = self;
        let mut checked = Checked::default();
        let mut forms = Forms::new(self.desk);
        let mut pictures = Gathering::default();
        let mut plan = Vec::new();
        let mut lines = self.lines(records, LineNo(0))?;
        while !lines.is_empty() || !plan.is_empty() {
            let effective = stages.time(Stage::Resolve, || self.resolve(&lines));
            stages.time(Stage::Check, || {
                effective.iter().flatten().try_for_each(|effective| forms.learn(records, effective))
            })?;
            let mut frozen = Vec::new();
            let next = rayon::in_place_scope(|scope| {
                let (forms, n_before) = (&forms, checked.n_lines);
                let (lines, effective, frozen) = (&lines, &effective, &mut frozen);
                scope.spawn(move |_| *frozen = self.freeze(forms, lines, effective, n_before));
                if !plan.is_empty() {
                    stages.time(Stage::Journal, || records.put_plan(run, &plan))?;
                }
                match lines.last() {
                    Some(last) => self.lines(records, last.line.line_no),
                    None => Ok(Vec::new()),
                }
            })?;
            checked.n_lines += lines.len() as u64;
            suppress(records, &mut frozen)?;
            for (record, line) in lines.iter().zip(&mut frozen) {
                let Ok(planned) = line else { continue };
                let place = || place(loaded, record);
                let found = pictures.gather(records, self.desk.pictures(planned), planned, &place)?;
                if let Some(letter) = &planned.letter {
                    forms.note_odd_values(letter, place);
                }
                if !found.is_empty() {
                    *line = Err(found);
                }
            }
            plan = checked.take(frozen);
            checked.add(forms.take_problems());
            if !checked.problems.is_empty() {
                plan.clear();
            }
            lines = next;
        }
        if checked.n_lines == 0 && checked.problems.is_empty() && loaded.problems.is_empty() {
            checked.add(vec![Problem {
                id: EMPTY_SEGMENT,
                message: format!("segment {} has no lines", loaded.segment),
                place: format!("segment {}", loaded.segment),
                help: Some("add contacts, or change the criteria so that they select some".to_owned()),
            }]);
        }
        checked.finish(loaded);
        checked.unused_columns = forms.unused_columns();
        checked.warnings = together(forms.take_warnings());
        let earlier = loaded.table.as_ref().map(|table| forms.columns_of_earlier_tables(table));
        checked.warnings.extend(earlier.into_iter().flatten());
        if checked.problems.is_empty() {
            records.put_documents(run, &forms.documents)?;
        }
        Ok(checked)
    }

    fn lines(&self, records: &mut dyn Records, after: LineNo) -> Result<Vec<LineRecord>, RecordsError> {
        self.stages.time(Stage::Load, || records.lines(&self.loaded.segment, after, LINES_PER_BATCH))
    }

    fn resolve<'l>(&'l self, lines: &'l [LineRecord]) -> Vec<Result<EffectiveInteraction<'l>, Vec<Refusal>>> {
        let of_line = |record: &'l LineRecord| {
            resolve(&Facts {
                header: &self.desk.header,
                line: &record.line,
                contact: &record.contact,
                addresses: &record.addresses,
                inherited: record.inherited,
                company_addresses: &record.company_addresses,
                presets: &self.desk.presets,
            })
            .map(|effective| join(record, effective))
        };
        lines.par_iter().map(of_line).collect()
    }

    /// Freezes a batch in parallel; results in the order of the lines.
    fn freeze(
        &self,
        forms: &Forms<'_>,
        lines: &[LineRecord],
        effective: &[Result<EffectiveInteraction<'_>, Vec<Refusal>>],
        n_before: u64,
    ) -> Vec<Planned> {
        let of_line = |(position, (record, effective)): (usize, (&LineRecord, &Result<_, Vec<Refusal>>))| {
            let place = || place(self.loaded, record);
            let number = n_before + position as u64 + 1;
            self.stages.time(Stage::Check, || match effective {
                Ok(effective) => {
                    let effective: &EffectiveInteraction<'_> = effective;
                    let moment = moment_of(self.moment, record, effective.language.value.as_ref(), number);
                    freeze(self.desk, forms, record, effective, &place, moment)
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
            })
        };
        lines.par_iter().zip(effective).enumerate().map(of_line).collect()
    }
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
    /// Counts a batch, and returns what of it is planned.
    fn take(&mut self, batch: Vec<Planned>) -> Vec<PlannedLine> {
        let mut plan = Vec::with_capacity(batch.len());
        for line in batch {
            match line {
                Ok(line) => {
                    self.counts.add(line.entry.state, 1);
                    plan.push(line);
                }
                Err(problems) => self.add(problems),
            }
        }
        plan
    }

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
