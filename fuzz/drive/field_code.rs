//! Drives field codes from bytes: `\x01` is a nested field, `\x02` a border between runs, `\n` `\t` `\r` are a line
//! break, a tab and the end of a paragraph; all else is text.

use std::sync::LazyLock;

use mailrun::merge::address::{AddressFormat, CountryRule};
use mailrun::merge::field_code::{FieldCode, FieldKind, Piece};
use mailrun::merge::format::{Format, FormatContext, LocaleData};
use mailrun::merge::formula::{Formula, Scope, TableCells};
use mailrun::merge::value::Value;

/// A formula's surroundings: every name and nested field is 7, and it stands in the middle of a table of sevens.
struct Sevens;

impl Scope for Sevens {
    fn nested(&mut self, _: usize) -> Value {
        Value::text("7")
    }

    fn name(&mut self, _: &str) -> Option<Value> {
        Some(Value::text("7"))
    }

    fn table(&mut self) -> Option<&dyn TableCells> {
        Some(self)
    }
}

impl TableCells for Sevens {
    fn position(&self) -> (usize, usize) {
        (1, 1)
    }

    fn n_rows(&self) -> usize {
        3
    }

    fn n_columns(&self, row: usize) -> usize {
        if row < 3 { 3 } else { 0 }
    }

    fn value(&self, _: usize, _: usize) -> Value {
        Value::text("7")
    }
}

pub(crate) fn drive(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut pieces = Vec::new();
    let mut rest = text.as_ref();
    while let Some(at) = rest.find(['\u{1}', '\u{2}', '\n', '\t', '\r']) {
        pieces.push(Piece::Text(&rest[..at]));
        match &rest[at..=at] {
            "\u{1}" => pieces.push(Piece::Nested(at)),
            "\n" => pieces.push(Piece::LineBreak),
            "\t" => pieces.push(Piece::Tab),
            "\r" => pieces.push(Piece::ParagraphEnd),
            _ => {}
        }
        rest = &rest[at + 1..];
    }
    pieces.push(Piece::Text(rest));
    let code = FieldCode::parse(&pieces);
    let operands = code.switches.iter().filter_map(|switch| switch.argument.as_ref());
    for operand in code.arguments.iter().chain(operands) {
        assert!(code.code.get(operand.range.clone()).is_some(), "an operand stands in the code");
    }
    static CONTEXT: LazyLock<FormatContext> =
        LazyLock::new(|| FormatContext::of(LocaleData::load("en-US").into()));
    let context = &*CONTEXT;
    let (format, _) = Format::of(&code, &context.picture);
    for value in [Value::text("1,234.5"), Value::text("2026-01-02"), Value::text("Łódź")] {
        format.write(&value, context, &mut String::new());
    }
    if let (FieldKind::Formula, Some(expression)) = (&code.kind, code.arguments.first())
        && let Ok(formula) = Formula::parse(expression, &context.picture, context.list_separator)
    {
        let result = formula.calculate(&mut Sevens, &context.data.symbols);
        assert_eq!(result, formula.calculate(&mut Sevens, &context.data.symbols), "a formula has one result");
    }
    if let Some(format) = code.switch('f').and_then(|switch| switch.argument.as_ref()?.literal()) {
        let format = AddressFormat::parse(&format);
        format.address(&CountryRule::Always, |part| part.name().to_owned());
        format.greeting("Hello,", |_| String::new());
    }
}
