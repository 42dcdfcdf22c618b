//! Drives texts with tags from bytes.

use mailrun::merge::{Escape, Text};

pub(crate) fn drive(data: &[u8]) {
    let source = String::from_utf8_lossy(data);
    let plain = Text::compile(&source, Escape::None);
    let html = Text::compile(&source, Escape::Html);
    assert_eq!(plain.is_ok(), html.is_ok(), "escaping has no say in what is a text");
}
