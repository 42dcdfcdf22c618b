//! Drives texts with tags from bytes: what compiles and whose names are known, renders in any locale.

use mailrun::merge::{Escape, Frame, Moment, Namespace, Need, Text, Value};

pub(crate) fn drive(data: &[u8]) {
    let source = String::from_utf8_lossy(data);
    let plain = Text::compile(&source, Escape::None);
    let html = Text::compile(&source, Escape::Html);
    assert_eq!(plain.is_ok(), html.is_ok(), "escaping has no say in what is a text");
    let Ok(Ok(bound)) = plain.map(|text| text.bind(&names())) else { return };
    let frame = frame(bound.needs());
    for locale in ["en-US", "ar-EG"] {
        let now = jiff::civil::date(2026, 3, 1).at(9, 0, 0, 0);
        let moment = Moment { now, locale: locale.to_owned(), record: 1, sequence: 1 };
        bound.render(&frame, &moment).expect("a text of this size renders");
    }
}

/// A text, a number, a date, a truth, a blank, and a table of one column.
fn names() -> Namespace {
    let mut names = Namespace::new();
    for name in ["a", "n", "d", "t", "b"] {
        names.value(name);
    }
    let mut rows = Namespace::new();
    rows.value("x");
    names.rows("r", rows);
    names
}

fn frame(needs: &[Need]) -> Frame {
    let value = |need: &Need| match need {
        Need::Value(0) => Value::text("1,5 ä"),
        Need::Value(1) => Value::Number(12.into()),
        Need::Value(2) => Value::Date(jiff::civil::date(2026, 1, 31)),
        Need::Value(3) => Value::Bool(true),
        Need::Value(_) => Value::Blank,
        Need::Rows(_, needs) => {
            let row = |text| Frame(needs.iter().map(|_| Value::text(text)).collect());
            Value::Rows(["7", "x"].map(row).into())
        }
    };
    Frame(needs.iter().map(value).collect())
}
