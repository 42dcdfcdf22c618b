//! Owns the compiling of MERGEBARCODE, which becomes a DISPLAYBARCODE with the value, as in Word. Word draws it anew; what
//! others show is its result: a picture of a QR code, the value as text for other kinds.

use super::super::barcode::{Level, QrLook};
use super::super::drawing::{Look, Size};
use super::super::field_code::{FieldCode, Operand};
use super::super::picture::{EMU_PER_INCH, Extent};
use super::super::problem::{Fault, Problem};
use super::super::program::{Branch, Op, Shown, ShownPicture, Target};
use super::super::region::Field;
use super::super::scope::Enclosing;
use super::super::show::{Condition, Show, Source, TextPart};
use super::super::xml;
use super::field::keyword;
use super::{Builder, Compiler};

impl Compiler<'_> {
    pub(super) fn barcode(
        &mut self,
        field: Field,
        code: &FieldCode,
        enclosing: &Enclosing,
        builder: &mut Builder,
    ) {
        let argument = |number: usize| {
            let text = code.arguments.get(number).and_then(Operand::literal)?;
            Some(text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        let fault = match (argument(0), argument(1)) {
            (None, _) => Fault::IncompleteField { keyword: keyword(code), missing: "the name" },
            (_, None) => Fault::IncompleteField { keyword: keyword(code), missing: "the kind of barcode" },
            _ if self.in_code.is_code() => Fault::UnsupportedField { keyword: keyword(code) },
            (Some(name), Some(kind)) => {
                let Source::Data(value) = self.named_field(field, code, name, enclosing).source else {
                    return;
                };
                let show = || Box::new(Show::plain(Source::Data(value.clone())));
                let inner = self.display_barcode(field, code, &kind, &show);
                self.close_run(builder);
                self.replaced(field, enclosing, builder, |compiler, builder| {
                    compiler.flush(builder);
                    let condition = Some(Condition::Tag(value.clone()));
                    builder.ops.push(Op::If(vec![Branch { condition, ops: inner }]));
                });
                return;
            }
        };
        self.problem(field, code, fault);
    }

    fn display_barcode(
        &mut self,
        field: Field,
        code: &FieldCode,
        kind: &str,
        show: &dyn Fn() -> Box<Show>,
    ) -> Vec<Op> {
        let run = self.result_run(field, code);
        let prefix = self.run_prefix(run);
        let mark = |compiler: &mut Self, kind: &str, inner: &mut Builder| {
            compiler.start_run(run, inner);
            let xml = format!("<{prefix}fldChar {prefix}fldCharType=\"{kind}\"/></{prefix}r>");
            inner.bytes.extend_from_slice(xml.as_bytes());
        };
        let mut inner = Builder::default();
        inner.traits.is_visible = true;
        mark(self, "begin", &mut inner);
        self.start_run(run, &mut inner);
        let start = format!("<{prefix}instrText xml:space=\"preserve\"> DISPLAYBARCODE &quot;");
        inner.bytes.extend_from_slice(start.as_bytes());
        self.flush(&mut inner);
        inner.ops.push(Op::Show { show: show(), target: Target::Instruction });
        inner.bytes.extend_from_slice(b"&quot; ");
        xml::escape_into(&rest_of_code(code, kind), &mut inner.bytes);
        inner.bytes.extend_from_slice(format!(" </{prefix}instrText></{prefix}r>").as_bytes());
        mark(self, "separate", &mut inner);
        if kind.eq_ignore_ascii_case("QR") {
            self.flush(&mut inner);
            let mut start = Builder::default();
            self.start_run(run, &mut start);
            let side = EMU_PER_INCH * number(code, 's', 100).clamp(10, 1000) / 100;
            let size = Size::Exactly(Extent { width: side, height: side });
            let look = Look { size, column: side, is_strict: self.story.is_strict() };
            self.adds_relationships = true;
            inner.ops.push(Op::Picture(Box::new(ShownPicture {
                what: Shown::Qr(qr_look(code)),
                name: vec![TextPart::Show(show())],
                code: code.code.trim().to_owned(),
                look,
                run: start.bytes,
                prefix: prefix.clone(),
            })));
        } else {
            let place = self.story.place(field.begin, code.code.trim());
            let fault = Fault::BarcodeAsText { kind: kind.to_owned() };
            self.findings.warnings.push(Problem::new(fault, place));
            self.start_text(run, &mut inner);
            self.flush(&mut inner);
            inner.ops.push(Op::Show { show: show(), target: Target::Text { prefix: prefix.clone() } });
            self.end_text(run, &mut inner);
        }
        mark(self, "end", &mut inner);
        self.finish(inner)
    }
}

/// The kind and the switches, written anew.
fn rest_of_code(code: &FieldCode, kind: &str) -> String {
    let mut rest = kind.to_owned();
    for switch in &code.switches {
        rest.push_str(&format!(" \\{}", switch.name));
        if let Some(argument) = switch.argument.as_ref().and_then(Operand::literal) {
            if argument.is_empty() || argument.contains([' ', '"', '\\']) {
                let quoted = argument.replace('\\', "\\\\").replace('"', "\\\"");
                rest.push_str(&format!(" \"{quoted}\""));
            } else {
                rest.push_str(&format!(" {argument}"));
            }
        }
    }
    rest
}

fn number(code: &FieldCode, switch: char, default: u64) -> u64 {
    let argument = code.switch(switch).and_then(|switch| switch.argument.as_ref()?.literal());
    argument.and_then(|argument| argument.trim().parse().ok()).unwrap_or(default)
}

fn qr_look(code: &FieldCode) -> QrLook {
    let level = match number(code, 'q', 1) {
        0 => Level::Low,
        1 => Level::Medium,
        2 => Level::Quartile,
        _ => Level::High,
    };
    let color = |switch| {
        let argument = code.switch(switch)?.argument.as_ref()?.literal()?;
        let digits = argument.trim().strip_prefix("0x").or_else(|| argument.trim().strip_prefix("0X"))?;
        let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
        Some([red, green, blue])
    };
    QrLook { level, dark: color('f').unwrap_or([0; 3]), light: color('b').unwrap_or([255; 3]) }
}
