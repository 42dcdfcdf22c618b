//! Owns what is odd about a document of a run but stops nothing: it travels beside the result.

use std::collections::BTreeMap;

use crate::merge::{self, FieldMap, Namespace, Template, lint_template};
use crate::run::problem::Problem;

/// Tells what is odd about a Word document: fields that are left as they are, typed names, faults of its own.
///
/// `file` is its name for people, `names` what a field could mean.
pub fn warnings(
    file: &str,
    bytes: &[u8],
    template: &Template,
    (names, map): (&Namespace, &FieldMap),
) -> Vec<Problem> {
    let own = template.warnings().iter().cloned();
    let typed = template.typed_fields(names, map);
    let found = own.chain(typed).chain(lint_template(bytes));
    together(found.map(|problem| of_document(file, problem)).collect())
}

/// Gives a problem of a document the common shape.
pub fn of_document(file: &str, problem: merge::Problem) -> Problem {
    Problem {
        id: problem.id(),
        message: problem.to_string(),
        place: format!("{file}, {}", problem.place()),
        help: problem.help(),
    }
}

/// Tells what is the same at many places once, at the first, and how many more places there are.
pub(in crate::run) fn together(problems: Vec<Problem>) -> Vec<Problem> {
    let mut first = BTreeMap::new();
    let mut n_more = Vec::new();
    let mut kept: Vec<Problem> = Vec::new();
    for problem in problems {
        let position = *first.entry((problem.message.clone(), problem.help.clone())).or_insert(kept.len());
        if position == kept.len() {
            kept.push(problem);
            n_more.push(0_u64);
        } else if let (Some(n), Some(same)) = (n_more.get_mut(position), kept.get(position)) {
            *n += u64::from(same.place != problem.place);
        }
    }
    for (problem, n) in kept.iter_mut().zip(n_more) {
        match n {
            0 => {}
            1 => problem.place.push_str(", and 1 more place"),
            n => problem.place.push_str(&format!(", and {n} more places")),
        }
    }
    kept
}
