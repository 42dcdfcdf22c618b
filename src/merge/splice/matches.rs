//! Owns the search for matches: a stretch of static bytes becomes tokens, with all that a letter has before it in mind.

use super::code::Frequencies;

/// The shortest match that is looked for; the format knows shorter ones, which seldom pay.
pub(super) const MIN_MATCH: usize = 4;
/// The longest match (RFC 1951 §3.2.5).
pub(super) const MAX_MATCH: usize = 258;
/// How far back a match may reach.
pub(super) const MAX_DISTANCE: usize = 32_768;
/// How far back a match may reach over values, which may be longer than expected.
const MAX_FAR_DISTANCE: usize = MAX_DISTANCE - 2_048;
/// The shortest match over values: it takes some nanoseconds in each letter, which has to pay.
const MIN_FAR_MATCH: usize = 12;
/// How many earlier places are tried for each byte.
const MAX_TRIES: usize = 128;

/// A token of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Literal(u8),
    /// The same bytes stand in the same stretch.
    Near {
        length: usize,
        distance: usize,
    },
    /// The same bytes stand in another stretch, and values may be in between.
    Far {
        length: usize,
        distance_expected: usize,
        stretch: usize,
        offset: usize,
    },
}

impl Token {
    /// How many bytes it stands for.
    pub(super) fn length(&self) -> usize {
        match self {
            Token::Literal(_) => 1,
            Token::Near { length, .. } | Token::Far { length, .. } => *length,
        }
    }

    /// Counts what the token is written with.
    pub(super) fn count(&self, frequencies: &mut Frequencies) {
        match *self {
            Token::Literal(byte) => frequencies.literal(byte, 1),
            Token::Near { length, distance } | Token::Far { length, distance_expected: distance, .. } => {
                frequencies.length(length, 1);
                frequencies.distance(distance, 1);
            }
        }
    }
}

/// The bytes of a document in their order, as far as they are known beforehand.
pub(super) struct Matcher {
    text: Vec<u8>,
    stretches: Vec<Stretch>,
    /// How many bytes of values are expected so far.
    n_skipped: usize,
    /// The last place with the same hash, and for each place the one before.
    last: Vec<u32>,
    before: Vec<u32>,
}

/// A stretch of static bytes in the text.
struct Stretch {
    number: usize,
    start: usize,
    n_skipped: usize,
    /// Whether a letter that has what comes now has this stretch, too.
    is_certain: bool,
}

/// A place between the stretches.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    n_stretches: usize,
    n_bytes: usize,
}

const HASH_BITS: u32 = 15;
const NOWHERE: u32 = u32::MAX;

/// Bytes that stood before.
#[derive(Clone, Copy)]
struct Found {
    length: usize,
    token: Token,
}

impl Matcher {
    pub(super) fn new() -> Matcher {
        Matcher {
            text: Vec::new(),
            stretches: Vec::new(),
            n_skipped: 0,
            last: vec![NOWHERE; 1 << HASH_BITS],
            before: Vec::new(),
        }
    }

    /// Passes by a value of about this length.
    pub(super) fn skip(&mut self, n_bytes: usize) {
        self.n_skipped += n_bytes;
    }

    /// Returns how far the document is known.
    pub(super) fn place(&self) -> Place {
        Place { n_stretches: self.stretches.len(), n_bytes: self.text.len() + self.n_skipped }
    }

    /// Ends what a letter may lack or repeat, and returns how many bytes it has.
    pub(super) fn close(&mut self, opened: &Place) -> usize {
        self.stretches.iter_mut().skip(opened.n_stretches).for_each(|stretch| stretch.is_certain = false);
        self.place().n_bytes - opened.n_bytes
    }

    /// Adds a stretch and returns its tokens.
    pub(super) fn add(&mut self, number: usize, bytes: &[u8]) -> Vec<Token> {
        let start = self.text.len();
        self.text.extend_from_slice(bytes);
        self.stretches.push(Stretch { number, start, n_skipped: self.n_skipped, is_certain: true });
        let mut tokens = Vec::new();
        let mut at = start;
        let mut waiting: Option<Found> = None;
        while at < self.text.len() {
            let found = self.find(at, waiting.map_or(0, |found| found.length));
            self.note(at);
            // A match waits for one byte, since a longer one may begin there. None waits at the end: it has more bytes.
            match (waiting.take(), found) {
                (Some(earlier), None) => {
                    tokens.push(earlier.token);
                    let end = at - 1 + earlier.length;
                    (at + 1..end).for_each(|place| self.note(place));
                    at = end;
                    continue;
                }
                (Some(_), Some(longer)) => {
                    tokens.push(Token::Literal(self.text[at - 1]));
                    waiting = Some(longer);
                }
                (None, Some(found)) => waiting = Some(found),
                (None, None) => tokens.push(Token::Literal(self.text[at])),
            }
            at += 1;
        }
        tokens
    }

    /// Finds the longest match for the bytes at a place that is longer than `least`.
    fn find(&self, at: usize, least: usize) -> Option<Found> {
        let own = self.stretches.len() - 1;
        let wanted = &self.text[at..self.text.len().min(at + MAX_MATCH)];
        let mut best: Option<Found> = None;
        let mut best_length = least.max(MIN_MATCH - 1);
        let mut candidate = self.last[hash(wanted)?];
        for _ in 0..MAX_TRIES {
            if candidate == NOWHERE || best_length >= wanted.len() {
                break;
            }
            let place = candidate as usize;
            candidate = self.before[place];
            // What is no longer than the best so far differs here, mostly.
            if self.text.get(place + best_length) != Some(&wanted[best_length]) {
                continue;
            }
            let index = self.stretches.partition_point(|stretch| stretch.start <= place) - 1;
            let stretch = &self.stretches[index];
            let distance = at - place + self.n_skipped - stretch.n_skipped;
            if distance > MAX_DISTANCE {
                break;
            }
            let end = self.stretches.get(index + 1).map_or(self.text.len(), |next| next.start);
            let there = &self.text[place..end];
            let length = wanted.iter().zip(there).take_while(|(a, b)| a == b).count();
            if length <= best_length {
                continue;
            }
            let token = if index == own {
                Token::Near { length, distance }
            } else if stretch.is_certain && length >= MIN_FAR_MATCH && distance <= MAX_FAR_DISTANCE {
                let offset = place - stretch.start;
                Token::Far { length, distance_expected: distance, stretch: stretch.number, offset }
            } else {
                continue;
            };
            best_length = length;
            best = Some(Found { length, token });
        }
        best
    }

    /// Makes a place known to later searches.
    fn note(&mut self, place: usize) {
        self.before.resize(place, NOWHERE);
        let earlier = match hash(&self.text[place..]) {
            Some(hash) => std::mem::replace(&mut self.last[hash], place as u32),
            None => NOWHERE,
        };
        self.before.push(earlier);
    }
}

/// The hash of the first bytes; none if there are too few for a match.
fn hash(bytes: &[u8]) -> Option<usize> {
    let first = bytes.first_chunk::<MIN_MATCH>()?;
    Some((u32::from_le_bytes(*first).wrapping_mul(0x9E37_79B1) >> (32 - HASH_BITS)) as usize)
}
