//! Owns the Huffman codes of a deflate block (RFC 1951 §3.2): chosen by frequencies, and written at the block's start.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::bits::{BitWriter, Bits};

/// Bits of the stream, the first the lowest.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Code {
    pub(super) bits: u32,
    pub(super) n_bits: u32,
}

impl Code {
    fn then(self, next: Code) -> Code {
        Code { bits: self.bits | next.bits << self.n_bits, n_bits: self.n_bits + next.n_bits }
    }
}

/// The end of the block; the lengths of matches come after it.
const END: usize = 256;
const N_LITERALS: usize = 286;
const N_DISTANCES: usize = 30;
/// The longest code of a literal, a length or a distance.
const LONGEST: u32 = 15;
/// The longest code of the lengths of those codes.
const LONGEST_OF_LENGTHS: u32 = 7;

/// How often each symbol of the block occurs, in a unit that leaves room for those that hardly ever do.
#[derive(Debug)]
pub(super) struct Frequencies {
    literals: [u64; N_LITERALS],
    distances: [u64; N_DISTANCES],
}

/// What one occurrence counts. Symbols that do not occur count 1, since a value may bring any of them.
const OCCURRENCE: u64 = 64;

impl Default for Frequencies {
    fn default() -> Frequencies {
        Frequencies { literals: [1; N_LITERALS], distances: [1; N_DISTANCES] }
    }
}

impl Frequencies {
    pub(super) fn literal(&mut self, byte: u8, times: u64) {
        self.literals[usize::from(byte)] += times * OCCURRENCE;
    }

    pub(super) fn length(&mut self, length: usize, times: u64) {
        self.literals[length_symbol(length).0] += times * OCCURRENCE;
    }

    pub(super) fn distance(&mut self, distance: usize, times: u64) {
        self.distances[distance_symbol(distance).0] += times * OCCURRENCE;
    }
}

/// The codes of a block.
#[derive(Debug)]
pub(super) struct Codes {
    literals: [Code; N_LITERALS],
    distances: [Code; N_DISTANCES],
}

impl Codes {
    /// Chooses codes: short ones for what is frequent.
    pub(super) fn new(frequencies: &Frequencies) -> Codes {
        let mut codes =
            Codes { literals: [Code::default(); N_LITERALS], distances: [Code::default(); N_DISTANCES] };
        codes.literals.copy_from_slice(&assign(&lengths(&frequencies.literals, LONGEST)));
        codes.distances.copy_from_slice(&assign(&lengths(&frequencies.distances, LONGEST)));
        codes
    }

    /// The code of a byte.
    #[inline]
    pub(super) fn literal(&self, byte: u8) -> Code {
        self.literals[usize::from(byte)]
    }

    /// The code of a match's length, 3 to 258.
    pub(super) fn length(&self, length: usize) -> Code {
        let (symbol, extra) = length_symbol(length);
        self.literals[symbol].then(extra)
    }

    /// The code of a match's distance, 1 to 32,768.
    #[inline]
    pub(super) fn distance(&self, distance: usize) -> Code {
        let (symbol, extra) = distance_symbol(distance);
        self.distances[symbol].then(extra)
    }

    /// The code that ends the block.
    pub(super) fn end(&self) -> Code {
        self.literals[END]
    }

    /// Writes bytes as literals.
    #[inline]
    pub(super) fn write_literals(&self, bytes: &[u8], out: &mut BitWriter<'_>) {
        // No code is longer than two bytes, and three fit beside what may be pending.
        out.reserve(bytes.len() * 2);
        for some in bytes.chunks(3) {
            for byte in some {
                let code = self.literal(*byte);
                out.add(u64::from(code.bits), code.n_bits);
            }
            out.store();
        }
    }

    /// Writes the start of the only block of a stream: its kind, and its codes by their lengths (RFC 1951 §3.2.7).
    pub(super) fn write_opening(&self, out: &mut Bits) {
        /// Repeats the length before three to six times.
        const REPEAT: usize = 16;
        /// In what order the lengths of the codes of lengths are told.
        const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
        let lengths_told: Vec<u32> =
            self.literals.iter().chain(&self.distances).map(|code| code.n_bits).collect();
        let mut symbols: Vec<(usize, u32)> = Vec::new();
        for same in lengths_told.chunk_by(|a, b| a == b) {
            let length = same[0] as usize;
            symbols.push((length, 0));
            let mut rest = same.len() - 1;
            while rest >= 3 {
                let times = rest.min(6);
                symbols.push((REPEAT, times as u32 - 3));
                rest -= times;
            }
            symbols.extend(std::iter::repeat_n((length, 0), rest));
        }
        let mut frequencies = [0; ORDER.len()];
        symbols.iter().for_each(|(symbol, _)| frequencies[*symbol] += 1);
        let codes = assign(&lengths(&frequencies, LONGEST_OF_LENGTHS));
        let n_told =
            ORDER.iter().rposition(|symbol| codes[*symbol].n_bits > 0).map_or(4, |last| (last + 1).max(4));
        let fixed = |bits: usize, n_bits: u32| Code { bits: bits as u32, n_bits };
        // The last block, of dynamic codes.
        out.push(fixed(0b101, 3));
        out.push(fixed(N_LITERALS - 257, 5));
        out.push(fixed(N_DISTANCES - 1, 5));
        out.push(fixed(n_told - 4, 4));
        for symbol in &ORDER[..n_told] {
            out.push(fixed(codes[*symbol].n_bits as usize, 3));
        }
        for (symbol, extra) in symbols {
            out.push(codes[symbol]);
            if symbol == REPEAT {
                out.push(Code { bits: extra, n_bits: 2 });
            }
        }
    }
}

/// The lengths of the best code for symbols of these frequencies, none longer than `longest`; 0 for what never occurs.
fn lengths(frequencies: &[u64], longest: u32) -> Vec<u32> {
    let mut frequencies = frequencies.to_vec();
    loop {
        let lengths = huffman(&frequencies);
        if lengths.iter().all(|length| *length <= longest) {
            return lengths;
        }
        // Less difference between the frequencies makes a flatter tree.
        frequencies.iter_mut().filter(|frequency| **frequency > 0).for_each(|it| *it = *it / 2 + 1);
    }
}

/// The lengths of Huffman's code. At least two symbols have to occur.
fn huffman(frequencies: &[u64]) -> Vec<u32> {
    let mut heap: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
    heap.extend(
        frequencies.iter().enumerate().filter(|(_, it)| **it > 0).map(|(node, it)| Reverse((*it, node))),
    );
    let mut parents = vec![0; frequencies.len()];
    while let (Some(Reverse((least, a))), Some(Reverse((second, b)))) = (heap.pop(), heap.pop()) {
        let parent = parents.len();
        parents.push(0);
        (parents[a], parents[b]) = (parent, parent);
        heap.push(Reverse((least + second, parent)));
        if heap.len() == 1 {
            break;
        }
    }
    let mut depths = vec![0; parents.len()];
    // A parent comes after its children, and the root is last.
    for node in (0..parents.len().saturating_sub(1)).rev() {
        if parents[node] > 0 {
            depths[node] = depths[parents[node]] + 1;
        }
    }
    depths.truncate(frequencies.len());
    depths
}

/// The codes of these lengths, in the order that the format prescribes (RFC 1951 §3.2.2).
fn assign(lengths: &[u32]) -> Vec<Code> {
    let mut codes = vec![Code::default(); lengths.len()];
    let mut next: u32 = 0;
    for n_bits in 1..=LONGEST {
        next <<= 1;
        for (code, _) in codes.iter_mut().zip(lengths).filter(|(_, length)| **length == n_bits) {
            // Huffman codes begin with their highest bit (RFC 1951 §3.1.1).
            *code = Code { bits: next.reverse_bits() >> (32 - n_bits), n_bits };
            next += 1;
        }
    }
    codes
}

/// The symbol of a match's length, with the bits that follow it (RFC 1951 §3.2.5).
fn length_symbol(length: usize) -> (usize, Code) {
    match length {
        ..=10 => (END + length - 2, Code::default()),
        258.. => (N_LITERALS - 1, Code::default()),
        _ => {
            let (class, extra) = logarithmic(length - 3, 2);
            (END + 1 + class, extra)
        }
    }
}

/// The symbol of a match's distance, with the bits that follow it (RFC 1951 §3.2.5).
#[inline]
fn distance_symbol(distance: usize) -> (usize, Code) {
    match distance {
        ..=4 => (distance.saturating_sub(1), Code::default()),
        _ => logarithmic(distance - 1, 1),
    }
}

/// Cuts a number into its class, told by its leading bit and `n_bits` more, and the rest.
#[inline]
fn logarithmic(number: usize, n_bits: u32) -> (usize, Code) {
    let n_extra = number.ilog2() - n_bits;
    let class = (number >> n_extra) + ((n_extra as usize) << n_bits);
    let extra = number & ((1 << n_extra) - 1);
    (class, Code { bits: extra as u32, n_bits: n_extra })
}

#[cfg(test)]
mod tests {
    use super::{distance_symbol, length_symbol};

    #[test]
    fn lengths_and_distances_have_the_symbols_of_the_format() {
        let lengths = [(3, 257, 0), (10, 264, 0), (11, 265, 1), (12, 265, 1), (13, 266, 1), (18, 268, 1)];
        let more = [
            (19, 269, 2),
            (34, 272, 2),
            (35, 273, 3),
            (130, 280, 4),
            (131, 281, 5),
            (257, 284, 5),
            (258, 285, 0),
        ];
        for (length, symbol, n_bits) in lengths.into_iter().chain(more) {
            let (found, extra) = length_symbol(length);
            assert_eq!((found, extra.n_bits), (symbol, n_bits), "length {length}");
        }
        let distances = [
            (1, 0, 0),
            (4, 3, 0),
            (5, 4, 1),
            (6, 4, 1),
            (7, 5, 1),
            (9, 6, 2),
            (24_577, 29, 13),
            (32_768, 29, 13),
        ];
        for (distance, symbol, n_bits) in distances {
            let (found, extra) = distance_symbol(distance);
            assert_eq!((found, extra.n_bits), (symbol, n_bits), "distance {distance}");
        }
    }
}
