//! Owns the compiling of pictures: the fields and tags that show them, and how large they are to be.

use super::super::drawing::{Look, Size};
use super::super::field_code::{FieldCode, FieldKind, PartContent};
use super::super::picture::{EMU_PER_INCH, Extent};
use super::super::problem::Fault;
use super::super::program::{Op, Shown, ShownPicture};
use super::super::region::Field;
use super::super::scope::{Enclosing, Wanted};
use super::super::show::{Show, Source, TextPart};
use super::super::story::What;
use super::super::tag::Image;
use super::super::xml::Element;
use super::field::keyword;
use super::{Builder, Compiler};

const EMU_PER_TWIP: u64 = EMU_PER_INCH / 1440;
const EMU_PER_POINT: f64 = EMU_PER_INCH as f64 / 72.0;
/// What Word leaves at the left and right of a cell's text if nothing else is said, together.
const CELL_MARGINS_TWIPS: u64 = 216;

impl Compiler<'_> {
    /// Compiles a field that shows a picture, if it is one that hangs on the data.
    pub(super) fn picture_field(
        &mut self,
        field: Field,
        code: &FieldCode,
        enclosing: &Enclosing,
        builder: &mut Builder,
    ) -> bool {
        let is_merge_field = code.kind == FieldKind::MergeField;
        let Some(operand) = code.arguments.first() else { return false };
        let nests = operand.parts.iter().any(|part| matches!(part.content, PartContent::Nested(_)));
        let is_picture = match code.kind {
            FieldKind::MergeField => operand.literal().is_some_and(|name| picture_name(&name).is_some()),
            FieldKind::IncludePicture => nests,
            _ => false,
        };
        if !is_picture {
            return false;
        }
        if self.in_code.is_code() || !(is_merge_field || self.all_compute(std::iter::once(operand))) {
            self.problem(field, code, Fault::UnsupportedField { keyword: keyword(code) });
            return true;
        }
        let name = if is_merge_field {
            let name = operand.literal().as_deref().and_then(picture_name).unwrap_or_default().to_owned();
            vec![TextPart::Show(Box::new(self.named_field(field, code, name, enclosing)))]
        } else {
            self.operand(operand, enclosing)
        };
        let size = match self.old_extent(field) {
            Some(extent) if self.keeps_formatting(code) => Size::Exactly(extent),
            Some(extent) => Size::Within(extent),
            None => Size::Natural,
        };
        let run = self.result_run(field, code);
        let written = code.code.trim().to_owned();
        self.close_run(builder);
        self.replaced(field, enclosing, builder, |compiler, builder| {
            compiler.picture((name, written), size, (field.begin, run), builder);
        });
        true
    }

    /// Compiles a tag that shows a picture.
    pub(super) fn image_tag(
        &mut self,
        at: usize,
        image: Image,
        enclosing: &Enclosing,
        builder: &mut Builder,
    ) {
        let What::Tag { run, code, .. } = &self.story.atoms[at].what else { return };
        let (run, code) = (*run, code.clone());
        let size = match (image.width, image.height) {
            (Some(width), Some(height)) => Size::Within(Extent { width, height }),
            (Some(width), None) => Size::Wide(width),
            (None, Some(height)) => Size::High(height),
            (None, None) => Size::Natural,
        };
        let value = self.expression(image.name, Wanted::Value, enclosing, at, &code);
        let name = vec![TextPart::Show(Box::new(Show::plain(Source::Data(value))))];
        self.picture((name, code), size, (at, Some(run)), builder);
    }

    fn picture(
        &mut self,
        (name, code): (Vec<TextPart>, String),
        size: Size,
        (at, run): (usize, Option<usize>),
        builder: &mut Builder,
    ) {
        self.close_run(builder);
        self.flush(builder);
        let mut start = Builder::default();
        self.start_run(run, &mut start);
        let look = Look { size, column: self.column(at), is_strict: self.story.is_strict() };
        let prefix = self.run_prefix(run);
        self.adds_relationships = true;
        let what = Shown::File;
        builder.ops.push(Op::Picture(Box::new(ShownPicture {
            what,
            name,
            code,
            look,
            run: start.bytes,
            prefix,
        })));
    }

    /// The extent of the picture that a field shows as its old result.
    fn old_extent(&self, field: Field) -> Option<Extent> {
        let from = field.separate.unwrap_or(field.begin);
        self.story.atoms[from..field.end].iter().find_map(|atom| match &atom.what {
            What::Piece { span, .. } => extent_of(self.story.document.slice(span.clone())),
            _ => None,
        })
    }

    /// The width of what a picture stands in: the cell, else the column of the page.
    fn column(&self, at: usize) -> u64 {
        let page = self.findings.column_twips;
        let mut cell = None;
        let mut parent = self.story.atoms.get(at).and_then(|atom| atom.parent);
        while let Some(above) = parent {
            if self.story.opened(above).is_some_and(|(element, _)| element == Element::Cell) {
                cell = self.cell_twips(above);
                break;
            }
            parent = self.story.atoms[above].parent;
        }
        cell.unwrap_or(page).min(page) * EMU_PER_TWIP
    }

    fn cell_twips(&self, cell: usize) -> Option<u64> {
        let What::Raw { element: Element::CellProperties, token, .. } = &self.story.atoms.get(cell + 1)?.what
        else {
            return None;
        };
        let document = &self.story.document;
        let width = (*token..document.end(*token)).find(|at| document.local(*at) == "tcW")?;
        let is_twips = document.attribute(width, "type").is_none_or(|unit| unit == "dxa");
        let width: u64 = document.attribute(width, "w")?.parse().ok()?;
        (is_twips && width > CELL_MARGINS_TWIPS).then(|| width - CELL_MARGINS_TWIPS)
    }
}

/// Returns the name of the value behind `Image:`, by which mail merge libraries mark pictures.
pub(super) fn picture_name(name: &str) -> Option<&str> {
    let (word, name) = name.trim().split_once(':')?;
    (word.trim().eq_ignore_ascii_case("image") && !name.trim().is_empty()).then(|| name.trim())
}

/// The size of a drawing, or of a picture in the older markup (ECMA-376 Part 4 §19.1.2.19 shape).
fn extent_of(markup: &str) -> Option<Extent> {
    let attribute = |name: &str, text: &str| {
        let start = text.find(&format!("{name}=\""))? + name.len() + 2;
        let end = text[start..].find('"')?;
        Some(text[start..start + end].to_owned())
    };
    if let Some(at) = markup.find(":extent ") {
        let tag = &markup[at..at + markup[at..].find('>')?];
        let side = |name| attribute(name, tag)?.parse::<u64>().ok().filter(|side| *side > 0);
        return Some(Extent { width: side("cx")?, height: side("cy")? });
    }
    let at = markup.find(":shape ")?;
    let style = attribute("style", &markup[at..at + markup[at..].find('>')?])?;
    let side = |name: &str| {
        let value = style.split(';').filter_map(|it| it.split_once(':')).find(|(it, _)| it.trim() == name)?.1;
        let unit_at = value.find(|it: char| it.is_ascii_alphabetic())?;
        let (number, unit) = value.trim().split_at(unit_at.min(value.trim().len()));
        let points: f64 = number.trim().parse().ok()?;
        let emu = match unit {
            "pt" => points * EMU_PER_POINT,
            "in" => points * EMU_PER_INCH as f64,
            "px" => points * EMU_PER_INCH as f64 / 96.0,
            _ => return None,
        };
        (1.0..1e9).contains(&emu).then(|| emu.round() as u64)
    };
    Some(Extent { width: side("width")?, height: side("height")? })
}
