//! Owns what a page shows: its words, and every sign and stroke with its place, so that two pages can be compared.

use std::collections::BTreeMap;

use lopdf::content::{Content, Operation};
use lopdf::{Dictionary, Document, Encoding, Object, ObjectId, Stream};
use sha2::{Digest, Sha256};

use super::cut::{inherited, resolved};

/// Two places that differ by no more than this many points are the same. LibreOffice sets each piece of a line where its
/// layout has it, and the signs in it by the font's widths: a line in two pieces may be off by a fifth of a point, which
/// nobody sees but a renderer does.
const TOLERANCE: f32 = 0.15;

/// How deep what is drawn may lead into what it is made of; LibreOffice's pages lead to two.
const DEPTH_LIMIT: usize = 8;

/// What a page shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Look {
    marks: Vec<Mark>,
}

/// Something that is seen, with its colors; and its place and size.
#[derive(Clone, Debug, PartialEq)]
struct Mark {
    what: String,
    place: Vec<f32>,
}

/// A font, as far as it is needed to read a text and to know where its signs stand.
#[derive(Debug)]
struct Font<'d> {
    name: String,
    encoding: Option<Encoding<'d>>,
    /// What each byte is, where a byte is a sign.
    signs: Vec<String>,
    /// Whether two bytes are a sign.
    is_wide: bool,
    first: i64,
    widths: Vec<f32>,
}

/// The fonts of a document, each understood once.
#[derive(Debug, Default)]
pub(super) struct Fonts<'d>(BTreeMap<*const Dictionary, Font<'d>>);

impl<'d> Fonts<'d> {
    fn of(&mut self, document: &'d Document, font: &'d Dictionary) -> &Font<'d> {
        self.0.entry(std::ptr::from_ref(font)).or_insert_with(|| {
            let name = font.get(b"BaseFont").and_then(Object::as_name).unwrap_or_default();
            let name = String::from_utf8_lossy(name).into_owned();
            let kind = font.get(b"Subtype").and_then(Object::as_name).unwrap_or_default();
            let widths = font.get_deref(b"Widths", document).and_then(Object::as_array);
            let encoding = font.get_font_encoding(document).ok();
            let is_wide = kind == b"Type0";
            let sign = |byte: u8| {
                let text = encoding.as_ref().map(|it| Document::decode_text(it, &[byte]));
                text.and_then(Result::ok).unwrap_or_default()
            };
            let signs = if is_wide { Vec::new() } else { (0..=u8::MAX).map(sign).collect() };
            Font {
                // A subset's name begins with six letters that differ from document to document (ISO 32000-1 §9.6.4).
                name: name.split_once('+').map_or(name.clone(), |(_, name)| name.to_owned()),
                encoding,
                signs,
                is_wide,
                first: font.get(b"FirstChar").and_then(Object::as_i64).unwrap_or(0),
                widths: widths.map(|widths| numbers(widths)).unwrap_or_default(),
            }
        })
    }
}

impl Font<'_> {
    /// How many bytes are a sign.
    fn step(&self) -> usize {
        if self.is_wide { 2 } else { 1 }
    }

    fn write(&self, bytes: &[u8], text: &mut String) {
        match &self.encoding {
            Some(encoding) if self.is_wide => {
                text.push_str(&Document::decode_text(encoding, bytes).unwrap_or_default());
            }
            Some(_) | None => bytes.iter().for_each(|byte| {
                text.push_str(self.signs.get(usize::from(*byte)).map_or("", String::as_str));
            }),
        }
    }

    /// The width of a sign in parts of the font's size; nothing where the font keeps widths in another way, so that
    /// signs that are set one by one and together seem to differ, and letters are laid out alone.
    fn width(&self, sign: &[u8]) -> f32 {
        let code = sign.iter().fold(0, |code, byte| code * 256 + i64::from(*byte));
        let at = usize::try_from(code - self.first).ok();
        at.and_then(|at| self.widths.get(at)).copied().unwrap_or_default() / 1000.0
    }
}

/// Reads the text of a page, in the order in which it was set.
pub(super) fn text_of<'d>(
    document: &'d Document,
    page: ObjectId,
    fonts: &mut Fonts<'d>,
) -> Result<String, String> {
    let content = Content::decode(&document.get_page_content(page)).map_err(|error| error.to_string())?;
    let of_page = document.get_page_fonts(page).map_err(|error| error.to_string())?;
    let mut font: Option<&'d Dictionary> = None;
    let mut text = String::new();
    for operation in &content.operations {
        match operation.operator.as_str() {
            "Tf" => {
                let name = operation.operands.first().and_then(|name| name.as_name().ok());
                font = name.and_then(|name| of_page.get(name).copied());
            }
            "BT" | "ET" | "Td" | "TD" | "T*" => text.push(' '),
            "Tj" | "TJ" | "'" | "\"" => {
                let Some(font) = font else { continue };
                let font = fonts.of(document, font);
                strings(&operation.operands).for_each(|bytes| font.write(bytes, &mut text));
            }
            _ => {}
        }
    }
    Ok(text)
}

impl Look {
    /// Reads what a page shows.
    pub(super) fn of<'d>(
        document: &'d Document,
        page: ObjectId,
        fonts: &mut Fonts<'d>,
    ) -> Result<Look, String> {
        let own = document.get_dictionary(page).map_err(|error| error.to_string())?;
        let mut eye = Eye { document, fonts, look: Look::default() };
        eye.read(
            &document.get_page_content(page),
            inherited(document, own, b"Resources"),
            &State::default(),
        )?;
        Ok(eye.look)
    }

    /// Tells whether two pages show the same in the same places.
    pub(super) fn is_as(&self, other: &Look) -> bool {
        let near = |a: &Mark, b: &Mark| {
            a.what == b.what
                && a.place.len() == b.place.len()
                && a.place.iter().zip(&b.place).all(|(a, b)| (a - b).abs() <= TOLERANCE)
        };
        self.marks.len() == other.marks.len() && self.marks.iter().zip(&other.marks).all(|(a, b)| near(a, b))
    }
}

/// What holds while a page is painted (ISO 32000-1 §8.4 Graphics state, §9.3 Text state).
#[derive(Clone, Debug)]
struct State<'d> {
    matrix: Matrix,
    fill: String,
    stroke: String,
    font: Option<&'d Dictionary>,
    size: f32,
    between_signs: f32,
    between_words: f32,
    /// In parts of the whole.
    stretch: f32,
    rise: f32,
    mode: f32,
}

impl Default for State<'_> {
    fn default() -> Self {
        State {
            matrix: Matrix::SAME,
            fill: String::new(),
            stroke: String::new(),
            font: None,
            size: 0.0,
            between_signs: 0.0,
            between_words: 0.0,
            stretch: 1.0,
            rise: 0.0,
            mode: 0.0,
        }
    }
}

/// A change of coordinates (ISO 32000-1 §8.3.4 Transformation matrices).
#[derive(Clone, Copy, Debug)]
struct Matrix([f32; 6]);

impl Matrix {
    const SAME: Matrix = Matrix([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);

    fn of(numbers: &[f32]) -> Matrix {
        numbers.try_into().map_or(Matrix::SAME, Matrix)
    }

    fn shift(x: f32, y: f32) -> Matrix {
        Matrix([1.0, 0.0, 0.0, 1.0, x, y])
    }

    /// This change, and then another one.
    fn then(self, Matrix(n): Matrix) -> Matrix {
        let Matrix(m) = self;
        Matrix([
            m[0] * n[0] + m[1] * n[2],
            m[0] * n[1] + m[1] * n[3],
            m[2] * n[0] + m[3] * n[2],
            m[2] * n[1] + m[3] * n[3],
            m[4] * n[0] + m[5] * n[2] + n[4],
            m[4] * n[1] + m[5] * n[3] + n[5],
        ])
    }
}

/// Who looks at a page.
struct Eye<'d, 'f> {
    document: &'d Document,
    fonts: &'f mut Fonts<'d>,
    look: Look,
}

impl<'d> Eye<'d, '_> {
    /// Reads what a content stream paints. How its text is cut into pieces, and how its state is kept and taken back, is not
    /// seen: a bookmark in a line makes two pieces of it.
    fn read(
        &mut self,
        content: &[u8],
        resources: Option<&'d Object>,
        state: &State<'d>,
    ) -> Result<(), String> {
        let content = Content::decode(content).map_err(|error| error.to_string())?;
        let resources = resources.and_then(|it| resolved(self.document, it).as_dict().ok());
        let (mut state, mut kept) = (state.clone(), Vec::new());
        let (mut line, mut leading) = (Matrix::SAME, 0.0);
        let mut text = line;
        for Operation { operator, operands } in &content.operations {
            let given = numbers(operands);
            let first = given.first().copied().unwrap_or_default();
            match operator.as_str() {
                "q" => kept.push(state.clone()),
                "Q" => state = kept.pop().unwrap_or(state),
                "cm" => state.matrix = Matrix::of(&given).then(state.matrix),
                "rg" | "g" | "k" | "cs" | "sc" | "scn" => state.fill = format!("{operands:?}"),
                "RG" | "G" | "K" | "CS" | "SC" | "SCN" => state.stroke = format!("{operands:?}"),
                "BT" => (line, text) = (Matrix::SAME, Matrix::SAME),
                "Tf" => {
                    let name = operands.first().and_then(|name| name.as_name().ok()).unwrap_or_default();
                    let font = resources.and_then(|it| self.named(it, b"Font", name));
                    state.font = font.and_then(|font| font.as_dict().ok());
                    state.size = first;
                }
                "Tc" => state.between_signs = first,
                "Tw" => state.between_words = first,
                "Tz" => state.stretch = first / 100.0,
                "Ts" => state.rise = first,
                "Tr" => state.mode = first,
                "TL" => leading = first,
                "Tm" => (line, text) = (Matrix::of(&given), Matrix::of(&given)),
                "Td" | "TD" | "T*" => {
                    let (x, y) = match given[..] {
                        [x, y] => (x, y),
                        _ => (0.0, -leading),
                    };
                    if operator == "TD" {
                        leading = -y;
                    }
                    line = Matrix::shift(x, y).then(line);
                    text = line;
                }
                "Tj" | "TJ" => self.show(operands, &state, &mut text),
                // What LibreOffice does not use: two pages that have it are not compared further than that.
                "'" | "\"" => return Err(format!("the page has text by `{operator}`")),
                // The names of resources, and marks of the structure, are not seen.
                "ET" | "gs" | "BDC" | "BMC" | "EMC" | "DP" | "MP" => {}
                "Do" => {
                    let name = operands.first().and_then(|name| name.as_name().ok()).unwrap_or_default();
                    let object = resources.and_then(|it| self.named(it, b"XObject", name));
                    if let Some(drawn) = object.and_then(|object| object.as_stream().ok()) {
                        self.draw(drawn, &state, kept.len())?;
                    }
                }
                _ => self.mark(format!("{operator} {} {}", state.fill, state.stroke), &given, &state),
            }
        }
        Ok(())
    }

    /// An object of a page's resources.
    fn named(&self, resources: &'d Dictionary, kind: &[u8], name: &[u8]) -> Option<&'d Object> {
        let of_kind = resources.get_deref(kind, self.document).and_then(Object::as_dict).ok()?;
        of_kind.get_deref(name, self.document).ok()
    }

    fn show(&mut self, operands: &[Object], state: &State<'d>, text: &mut Matrix) {
        let Some(dictionary) = state.font else { return };
        let font = self.fonts.of(self.document, dictionary);
        let pieces = match operands {
            [Object::Array(pieces)] => pieces.as_slice(),
            pieces => pieces,
        };
        for piece in pieces {
            let Object::String(bytes, _) = piece else {
                let back = number(piece).unwrap_or_default() / 1000.0;
                *text = Matrix::shift(-back * state.size * state.stretch, 0.0).then(*text);
                continue;
            };
            for sign in bytes.chunks(font.step()) {
                let mut shown = String::new();
                font.write(sign, &mut shown);
                if !shown.trim().is_empty() {
                    let Matrix(place) = Matrix::shift(0.0, state.rise).then(*text).then(state.matrix);
                    let what = format!("{shown} {} {}", font.name, state.fill);
                    let mut place = place.to_vec();
                    place.extend([state.size, state.stretch, state.mode]);
                    self.look.marks.push(Mark { what, place });
                }
                let is_blank = sign == b" " && !font.is_wide;
                let word = if is_blank { state.between_words } else { 0.0 };
                let width = font.width(sign) * state.size + state.between_signs + word;
                *text = Matrix::shift(width * state.stretch, 0.0).then(*text);
            }
        }
    }

    /// A picture by its content, a form by what it paints.
    fn draw(&mut self, drawn: &'d Stream, state: &State<'d>, depth: usize) -> Result<(), String> {
        let kind = drawn.dict.get(b"Subtype").and_then(Object::as_name).unwrap_or_default();
        if kind != b"Form" || depth > DEPTH_LIMIT {
            self.mark(format!("picture {:x?}", Sha256::digest(&drawn.content)), &[], state);
            return Ok(());
        }
        let matrix = drawn.dict.get_deref(b"Matrix", self.document).and_then(Object::as_array);
        let matrix = matrix.map_or(Matrix::SAME, |it| Matrix::of(&numbers(it)));
        let state = State { matrix: matrix.then(state.matrix), ..state.clone() };
        let content = drawn.get_plain_content().map_err(|error| error.to_string())?;
        self.read(&content, drawn.dict.get(b"Resources").ok(), &state)
    }

    fn mark(&mut self, what: String, given: &[f32], state: &State<'d>) {
        let Matrix(matrix) = state.matrix;
        self.look.marks.push(Mark { what, place: given.iter().chain(&matrix).copied().collect() });
    }
}

fn strings(operands: &[Object]) -> impl Iterator<Item = &[u8]> {
    let pieces = match operands {
        [Object::Array(pieces)] => pieces.as_slice(),
        pieces => pieces,
    };
    pieces.iter().filter_map(|piece| piece.as_str().ok())
}

fn number(object: &Object) -> Option<f32> {
    object.as_float().ok()
}

fn numbers(objects: &[Object]) -> Vec<f32> {
    objects.iter().filter_map(number).collect()
}

#[cfg(test)]
mod tests {
    use lopdf::dictionary;

    use super::*;

    /// The look of a page with a font in which each sign is half as wide as the font is high.
    fn look(content: &str) -> Look {
        let mut document = Document::with_version("1.7");
        let widths: Vec<Object> = (0..256).map(|_| 500.into()).collect();
        let font = dictionary! {
            "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "AAAAAA+Serif", "FirstChar" => 0, "Widths" => widths,
            "Encoding" => "WinAnsiEncoding",
        };
        let content = document.add_object(Stream::new(dictionary! {}, content.as_bytes().to_vec()));
        let resources = dictionary! { "Font" => dictionary! { "F1" => font } };
        let page = document.add_object(dictionary! {
            "Type" => "Page", "Contents" => content, "Resources" => resources,
        });
        Look::of(&document, page, &mut Fonts::default()).expect("the page can be read")
    }

    #[test]
    fn a_line_in_two_pieces_looks_as_one() {
        let whole = look("q 0 0 0 rg BT 50 700 Td /F1 10 Tf[(ab) 100 (cd)]TJ ET Q 1 0 0 RG 5 5 m 9 5 l S");
        let pieces = look(
            "q 0 0 0 rg BT 50 700 Td /F1 10 Tf(ab)Tj ET Q q 0 0 0 rg BT 59 700 Td /F1 10 Tf(cd)Tj ET Q \
             q 1 0 0 RG 5 5 m 9 5 l S Q",
        );
        assert!(whole.is_as(&pieces));
    }

    #[test]
    fn another_sign_place_size_color_or_stroke_is_seen() {
        let page = "q 0 0 0 rg BT 50 700 Td /F1 10 Tf[(ab) 100 (cd)]TJ ET Q 1 0 0 RG 5 5 m 9 5 l S";
        for (old, new) in [
            ("(cd)", "(ce)"),
            (" 100 ", " 200 "),
            ("50 700", "51 700"),
            ("F1 10", "F1 11"),
            ("0 0 0 rg", "0 0.1 0 rg"),
            ("1 0 0 RG", "0 1 0 RG"),
            ("9 5 l", "9 6 l"),
            ("q 0", "q 1 0 0 1 0 1 cm 0"),
        ] {
            assert!(!look(page).is_as(&look(&page.replace(old, new))), "{new}");
        }
        assert!(look(page).is_as(&look(&page.replace("50 700", "50.1 700"))));
    }
}
