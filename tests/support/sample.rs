//! Owns sample letters of any template: every name has a value that shows it, every table has two rows.

use std::collections::{BTreeMap, BTreeSet};

use mailrun::merge::{BoundTemplate, FieldMap, Frame, Moment, Namespace, Need, Picture, Template, Value};

use super::picture;

/// Merges a template with sample values; or the ids of what stands in the way.
pub(crate) fn letter(template: &Template) -> Result<Vec<u8>, BTreeSet<&'static str>> {
    let (namespace, bound) = bind(template)?;
    let mut letter = Vec::new();
    let frame = fill(bound.needs(), &namespace);
    let wanted = bound.wanted(std::slice::from_ref(&frame), &moment()).pictures;
    let shown = || Picture::read(picture::png(40, 30)).expect("it is a picture");
    let bound = bound.with_pictures(wanted.into_iter().map(|it| (it.name, shown())).collect());
    bound.letter(&frame, &moment(), &mut letter).expect("the letter renders");
    Ok(letter)
}

/// The moment at which every sample is made.
pub(crate) fn moment() -> Moment {
    Moment {
        now: jiff::civil::date(2026, 3, 1).at(9, 0, 0, 0),
        locale: "en-US".to_owned(),
        record: 1,
        sequence: 1,
    }
}

/// Declares every name that the template uses: as rows where it repeats them, else as a value.
fn bind(template: &Template) -> Result<(Namespace, BoundTemplate), BTreeSet<&'static str>> {
    let starts = ["tablestart:", "begingroup:", "rangestart:", "{{#each"];
    let mut names: BTreeMap<&str, bool> = BTreeMap::new();
    for field in template.fields().iter().filter(|field| !field.name.is_empty()) {
        let code = field.code.trim_start_matches("MERGEFIELD ").to_lowercase();
        *names.entry(&field.name).or_default() |= starts.iter().any(|start| code.starts_with(start));
    }
    let mut namespace = Namespace::new();
    for (name, is_rows) in names {
        match is_rows {
            // The values of the rows are found outside them.
            true => namespace.rows(name, Namespace::new()),
            false => namespace.column(name, name),
        };
    }
    for name in ["Last Name", "City"] {
        namespace.value(&format!("address book.{name}"));
    }
    let bound = template.bind(&namespace, &FieldMap::new());
    bound.map(|bound| (namespace, bound)).map_err(|found| found.iter().map(|it| it.id()).collect())
}

fn fill(needs: &[Need], namespace: &Namespace) -> Frame {
    let fill_one = |need: &Need| match need {
        Need::Value(entry) => Value::text(format!("V_{}", namespace.path(*entry).unwrap_or_default())),
        Need::Rows(..) => Value::Rows(vec![Frame(Vec::new()), Frame(Vec::new())]),
    };
    Frame(needs.iter().map(fill_one).collect())
}
