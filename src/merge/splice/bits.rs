//! Owns bits in the order of deflate: the first is the lowest of the first byte.

use super::code::Code;

/// Bits that were written beforehand.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits {
    words: Vec<u64>,
    n_bits: usize,
}

impl Bits {
    /// Adds a code.
    pub(super) fn push(&mut self, code: Code) {
        let used = self.n_bits % 64;
        if used == 0 {
            self.words.push(0);
        }
        if let Some(last) = self.words.last_mut() {
            *last |= u64::from(code.bits) << used;
        }
        if used + code.n_bits as usize > 64 {
            self.words.push(u64::from(code.bits) >> (64 - used));
        }
        self.n_bits += code.n_bits as usize;
    }

    /// How many bits there are.
    pub(super) fn len(&self) -> usize {
        self.n_bits
    }
}

/// Writes bits into a buffer, which grows as needed. The buffer may be longer than what was written.
pub(crate) struct BitWriter<'b> {
    bytes: &'b mut Vec<u8>,
    at: usize,
    /// Less than eight bits that do not fill a byte yet.
    pending: u64,
    n_pending: u32,
}

impl<'b> BitWriter<'b> {
    /// Writes into `bytes` from `at` on.
    pub(crate) fn new(bytes: &'b mut Vec<u8>, at: usize) -> BitWriter<'b> {
        BitWriter { bytes, at, pending: 0, n_pending: 0 }
    }

    /// Makes room for `n_bytes` and a word.
    #[inline]
    pub(super) fn reserve(&mut self, n_bytes: usize) {
        let needed = self.at + n_bytes + 16;
        if needed > self.bytes.len() {
            self.bytes.resize(needed.next_power_of_two(), 0);
        }
    }

    /// Writes a code.
    #[inline]
    pub(super) fn put(&mut self, code: Code) {
        self.reserve(0);
        self.add(u64::from(code.bits), code.n_bits);
        self.store();
    }

    /// Writes two codes of up to 48 bits, such as a length and a distance, at once.
    #[inline]
    pub(super) fn put_both(&mut self, first: Code, second: Code) {
        self.reserve(0);
        self.add(u64::from(first.bits), first.n_bits);
        self.add(u64::from(second.bits), second.n_bits);
        self.store();
    }

    /// Adds up to 57 bits in all to those that wait for [`store`](BitWriter::store).
    #[inline]
    pub(super) fn add(&mut self, bits: u64, n_bits: u32) {
        self.pending |= bits << self.n_pending;
        self.n_pending += n_bits;
    }

    /// Writes what waits, but for the last bits that do not fill a byte. There has to be room.
    #[inline]
    pub(super) fn store(&mut self) {
        self.bytes[self.at..self.at + 8].copy_from_slice(&self.pending.to_le_bytes());
        self.at += (self.n_pending / 8) as usize;
        self.pending >>= self.n_pending & !7;
        self.n_pending &= 7;
    }

    /// Writes bits that were written beforehand.
    #[inline]
    pub(super) fn copy(&mut self, bits: &Bits) {
        let n_words = bits.n_bits / 64;
        self.reserve(n_words * 8 + 8);
        let (words, rest) = bits.words.split_at(n_words);
        if n_words > 0 {
            let shift = self.n_pending;
            let mut carried = self.pending;
            let to = &mut self.bytes[self.at..self.at + n_words * 8];
            for (to, word) in to.chunks_exact_mut(8).zip(words) {
                to.copy_from_slice(&(carried | word << shift).to_le_bytes());
                // In two steps, since a word cannot be shifted by 64 bits at once.
                carried = word >> 1 >> (63 - shift);
            }
            self.at += n_words * 8;
            self.pending = carried;
        }
        if let Some(last) = rest.first() {
            const SOME: u32 = 48;
            let n_bits = (bits.n_bits % 64) as u32;
            self.add(last & ((1 << SOME) - 1), n_bits.min(SOME));
            self.store();
            if n_bits > SOME {
                self.add(last >> SOME, n_bits - SOME);
                self.store();
            }
        }
    }

    /// Fills the last byte and returns where the next begins.
    pub(super) fn finish(mut self) -> usize {
        self.reserve(0);
        self.add(0, 7);
        self.store();
        self.at
    }
}
