//! Owns spliced deflate: a content part is compressed once, when its template is compiled, and a letter only puts the
//! pieces together.
//!
//! # The idea
//!
//! A deflate stream is a row of tokens: literal bytes, and matches, "the `length` bytes that stood `distance` bytes
//! ago". Each token is written in a code of a few bits, and the code is told at the start of the block (RFC 1951 §3.2).
//! Who fixes the code beforehand can write any row of tokens in it, one after the other, without looking at the others.
//! That is done here: one code serves the whole part, chosen for its static bytes and for what values usually look like.
//!
//! When a template is compiled, each of its static stretches becomes a [`Span`]: its tokens, found with all the effort of
//! a good compressor and already in bits. When a letter is made, a span is copied, shifted to the bit where the last
//! piece ended; a value is written as literals in the same code, but for what it has in common with the value that stood
//! last behind the same span, such as the same cell of the row before ([`Texts`]).
//!
//! A match may reach back into another span, over values of which nobody knows the length beforehand. Such a [`Far`]
//! match is kept apart from the bits: the letter notes where each span begins, so that its distance is a subtraction.
//! The same holds for a span that was there before, in the last row of a table: it becomes a match as a whole. Where the
//! other span is absent, as in the branch not taken, or more than 32 KiB away, the letter writes the same bytes as
//! literals. So branches, loops and regions cost nothing extra, in any order and number.
//!
//! The checksum of a part comes about in the same manner: that of a span is known, and [`Shift`] moves what stands before
//! it by the span's length.
//!
//! # What it costs
//!
//! A letter of one page is some 2 KB of compressed XML; putting it together takes about a microsecond where compressing
//! takes 15 to 40. It is as small as what libdeflate makes of it at level 6, give or take a hundredth. Measured by
//! `cargo bench --bench letter`.

mod bits;
mod checksum;
mod code;
mod matches;
mod texts;

use bits::Bits;
use checksum::Shift;
use code::{Code, Codes, Frequencies};
use matches::{MAX_DISTANCE, MAX_MATCH, MIN_MATCH, Matcher, Place, Token};
use texts::Alike;

use super::program::{Program, Sink, Step};

pub(crate) use bits::BitWriter;
pub(crate) use texts::Texts;

/// How often a row is taken to occur while the code is chosen.
const ROWS_EXPECTED: u64 = 20;
/// What values look like while the code is chosen: names, places, numbers, and what stands in between.
const VALUES_EXPECTED: &[u8] =
    "Ms Anna Müller 12 Station Road 8001 Zürich CT000123 1,950.00 EUR 24 May 2026 ".as_bytes();
/// How many of these bytes stand for one value.
const VALUE_LENGTH: usize = 16;

/// A content part whose static bytes are compressed, ready to be put together.
#[derive(Debug)]
pub(crate) struct Spliced {
    codes: Codes,
    /// The start of the block, with its code.
    opening: Bits,
    /// By the number of the static bytes.
    spans: Vec<Span>,
}

/// Static bytes, compressed.
#[derive(Debug)]
struct Span {
    pieces: Vec<Piece>,
    /// The lengths of the matches that repeat the whole span; none if that does not pay.
    again: Vec<Code>,
    crc: u32,
    shift: Shift,
}

/// Tokens that do not change, and the match that follows them.
#[derive(Debug)]
struct Piece {
    bits: Bits,
    far: Option<Far>,
}

/// A match with bytes of another span.
#[derive(Clone, Copy, Debug)]
struct Far {
    /// Where in its own span the match stands.
    at: usize,
    /// The other span, and where in it the same bytes begin.
    span: usize,
    offset: usize,
    length: usize,
    /// The code of the length.
    code: Code,
}

impl Spliced {
    /// Compresses the static bytes of a program.
    pub(crate) fn new(program: &Program) -> Spliced {
        let mut compression = Compression {
            program,
            matcher: Matcher::new(),
            frequencies: Frequencies::default(),
            tokens: program.statics.iter().map(|_| None).collect(),
            values: VALUES_EXPECTED.iter().cycle(),
            row: Row { times: 1, n_matches: 0, opened: Place::default() },
        };
        let mut outer = Vec::new();
        program.walk(&mut |step| match step {
            Step::Fixed(number) => compression.fixed(number),
            Step::Value => compression.value(),
            Step::Open { is_repeated } => outer.push(compression.open(is_repeated)),
            Step::Close => outer.pop().into_iter().for_each(|before| compression.close(before)),
        });
        (0..program.statics.len()).for_each(|number| compression.fixed(number));
        let codes = Codes::new(&compression.frequencies);
        let mut opening = Bits::default();
        codes.write_opening(&mut opening);
        let spans = program
            .statics
            .iter()
            .zip(compression.tokens)
            .map(|(fixed, tokens)| Span::new(&fixed.bytes, &tokens.unwrap_or_default(), &codes))
            .collect();
        Spliced { codes, opening, spans }
    }

    /// Begins a part of a letter; what is known of an earlier part in `places` is forgotten.
    ///
    /// `program` is the one that was compressed.
    pub(crate) fn begin<'s>(
        &'s self,
        program: &'s Program,
        mut out: BitWriter<'s>,
        places: &'s mut Vec<u32>,
        texts: &'s mut Texts,
    ) -> Splicer<'s> {
        texts.clear(self.spans.len());
        places.clear();
        places.resize(self.spans.len(), ABSENT);
        out.copy(&self.opening);
        Splicer { spliced: self, program, out, places, texts, before: 0, size: 0, crc: 0 }
    }
}

/// The compression of a program's static bytes, in the order in which a letter has them.
struct Compression<'p> {
    program: &'p Program,
    matcher: Matcher,
    frequencies: Frequencies,
    /// By the number of the static bytes; none for what was not met yet.
    tokens: Vec<Option<Vec<Token>>>,
    values: std::iter::Cycle<std::slice::Iter<'static, u8>>,
    row: Row,
}

/// What a letter may lack, or have many times.
struct Row {
    /// How often it is expected to occur.
    times: u64,
    /// How many matches repeat its spans.
    n_matches: u64,
    opened: Place,
}

impl Compression<'_> {
    fn fixed(&mut self, number: usize) {
        let (Some(fixed), Some(tokens @ None)) =
            (self.program.statics.get(number), self.tokens.get_mut(number))
        else {
            return;
        };
        let found = self.matcher.add(number, &fixed.bytes);
        found.iter().for_each(|token| token.count(&mut self.frequencies));
        if self.row.times > 1 {
            for length in lengths_again(fixed.bytes.len()) {
                self.frequencies.length(length, self.row.times);
                self.row.n_matches += 1;
            }
        }
        *tokens = Some(found);
    }

    fn open(&mut self, is_repeated: bool) -> Row {
        let times = self.row.times * if is_repeated { ROWS_EXPECTED } else { 1 };
        std::mem::replace(&mut self.row, Row { times, n_matches: 0, opened: self.matcher.place() })
    }

    fn close(&mut self, outer: Row) {
        let row = std::mem::replace(&mut self.row, outer);
        let distance = self.matcher.close(&row.opened).clamp(1, MAX_DISTANCE);
        self.frequencies.distance(distance, row.n_matches * row.times);
    }

    fn value(&mut self) {
        self.matcher.skip(VALUE_LENGTH);
        for byte in self.values.by_ref().take(VALUE_LENGTH) {
            self.frequencies.literal(*byte, self.row.times);
        }
    }
}

impl Span {
    fn new(bytes: &[u8], tokens: &[Token], codes: &Codes) -> Span {
        /// What a distance that is not known yet is taken to cost.
        const DISTANCE_BITS: usize = 16;
        let mut pieces = vec![Piece { bits: Bits::default(), far: None }];
        let (mut at, mut n_bits) = (0, 0);
        for token in tokens {
            let Some(piece) = pieces.last_mut() else { break };
            match *token {
                Token::Literal(byte) => piece.bits.push(codes.literal(byte)),
                Token::Near { length, distance } => {
                    piece.bits.push(codes.length(length));
                    piece.bits.push(codes.distance(distance));
                }
                Token::Far { length, stretch: span, offset, .. } => {
                    let code = codes.length(length);
                    piece.far = Some(Far { at, span, offset, length, code });
                    n_bits += piece.bits.len() + code.n_bits as usize + DISTANCE_BITS;
                    pieces.push(Piece { bits: Bits::default(), far: None });
                }
            }
            at += token.length();
        }
        n_bits += pieces.last().map_or(0, |piece| piece.bits.len());
        let again: Vec<Code> = lengths_again(bytes.len()).map(|length| codes.length(length)).collect();
        let again_bits: usize = again.iter().map(|code| code.n_bits as usize + DISTANCE_BITS).sum();
        // Other spans may be out of reach by the time that this one comes again.
        let again = if pieces.len() > 1 || again_bits < n_bits { again } else { Vec::new() };
        Span { pieces, again, crc: crc32fast::hash(bytes), shift: Shift::by(bytes.len()) }
    }
}

/// Cuts `length` bytes into matches.
fn lengths_again(length: usize) -> impl Iterator<Item = usize> {
    let mut rest = if length < MIN_MATCH { 0 } else { length };
    std::iter::from_fn(move || {
        let mut taken = rest.min(MAX_MATCH);
        if (1..MIN_MATCH).contains(&(rest - taken)) {
            taken -= MIN_MATCH;
        }
        rest -= taken;
        (taken > 0).then_some(taken)
    })
}

/// The place of a span that the letter does not have.
const ABSENT: u32 = u32::MAX;

/// A part of a letter while it is put together.
pub(crate) struct Splicer<'s> {
    spliced: &'s Spliced,
    program: &'s Program,
    out: BitWriter<'s>,
    /// Where each span began when it was written last, in bytes of the part's content.
    places: &'s mut Vec<u32>,
    texts: &'s mut Texts,
    /// The static bytes that were written last.
    before: usize,
    size: usize,
    crc: u32,
}

/// What a zip archive wants to know of a part that was written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    /// Where the packed bytes end in the buffer.
    pub(crate) end: usize,
    pub(crate) size: usize,
    pub(crate) crc: u32,
}

impl Sink for Splicer<'_> {
    fn fixed(&mut self, number: usize, bytes: &[u8]) {
        let spliced = self.spliced;
        let (Some(span), Some(place)) = (spliced.spans.get(number), self.places.get_mut(number)) else {
            return;
        };
        let before = std::mem::replace(place, u32::try_from(self.size).unwrap_or(ABSENT));
        self.before = number;
        let start = self.size;
        self.size += bytes.len();
        self.crc = span.shift.apply(self.crc) ^ span.crc;
        let distance = start.wrapping_sub(before as usize);
        if before != ABSENT && distance <= MAX_DISTANCE && !span.again.is_empty() {
            let distance = spliced.codes.distance(distance);
            for length in &span.again {
                self.out.put_both(*length, distance);
            }
            return;
        }
        for piece in &span.pieces {
            self.out.copy(&piece.bits);
            if let Some(far) = &piece.far {
                self.far(far, start + far.at);
            }
        }
    }

    fn text(&mut self, bytes: &[u8]) {
        let mut hasher = crc32fast::Hasher::new_with_initial(self.crc);
        hasher.update(bytes);
        self.crc = hasher.finalize();
        let start = self.size;
        self.size += bytes.len();
        // The cell of a row often has something in common with that of the row before.
        let alike = self.texts.take(self.before, start, bytes);
        let near = |alike: &Alike| start - alike.place <= MAX_DISTANCE - bytes.len().min(MAX_DISTANCE);
        let Some(alike) = alike.filter(near) else {
            return self.spliced.codes.write_literals(bytes, &mut self.out);
        };
        let own = bytes.len() - alike.suffix;
        self.same(alike.prefix, start - alike.place);
        self.spliced.codes.write_literals(&bytes[alike.prefix..own], &mut self.out);
        self.same(alike.suffix, start + own - (alike.place + alike.length - alike.suffix));
    }
}

impl Splicer<'_> {
    /// Writes a match; nothing if it has no length.
    fn same(&mut self, length: usize, distance: usize) {
        if length > 0 {
            let codes = &self.spliced.codes;
            self.out.put_both(codes.length(length), codes.distance(distance));
        }
    }

    /// Writes a match that stands at `at` in the part, or the bytes themselves where the other span is out of reach.
    fn far(&mut self, far: &Far, at: usize) {
        let place = self.places.get(far.span).copied().unwrap_or(ABSENT);
        let distance = at.wrapping_sub(place as usize + far.offset);
        if place != ABSENT && distance <= MAX_DISTANCE {
            self.out.put_both(far.code, self.spliced.codes.distance(distance));
        } else if let Some(fixed) = self.program.statics.get(far.span)
            && let Some(bytes) = fixed.bytes.get(far.offset..far.offset + far.length)
        {
            self.spliced.codes.write_literals(bytes, &mut self.out);
        }
    }

    /// Ends the part.
    pub(crate) fn finish(mut self) -> Written {
        self.out.put(self.spliced.codes.end());
        Written { end: self.out.finish(), size: self.size, crc: self.crc }
    }
}
