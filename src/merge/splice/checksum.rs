//! Owns the joining of checksums: the CRC-32 of two stretches from the CRC-32 of each.

/// The polynomial of CRC-32 with its bits in reverse, as zip has it: x^0 is the highest bit.
const POLYNOMIAL: u32 = 0xEDB8_8320;
const ONE: u32 = 1 << 31;

/// What happens to a checksum when a stretch of a certain length follows: `crc(ab) = shift(crc(a)) ^ crc(b)`.
///
/// A checksum is a polynomial over GF(2), and the shift multiplies it by x^(8 × length), modulo the CRC's own. The
/// products of each half byte are tabled, so that applying it takes eight look-ups.
#[derive(Debug)]
pub(super) struct Shift(Box<[[u32; 16]; 8]>);

impl Shift {
    /// The shift over `n_bytes`.
    pub(super) fn by(n_bytes: usize) -> Shift {
        let factor = power_of_x(n_bytes as u64 * 8);
        let mut tables = Box::new([[0; 16]; 8]);
        for (position, table) in tables.iter_mut().enumerate() {
            for (half_byte, product) in (0u32..).zip(table.iter_mut()) {
                *product = multiply(half_byte << (4 * position), factor);
            }
        }
        Shift(tables)
    }

    /// Moves the checksum of what stands before.
    pub(super) fn apply(&self, crc: u32) -> u32 {
        let mut rest = crc;
        self.0.iter().fold(0, |sum, table| {
            let product = table[(rest & 15) as usize];
            rest >>= 4;
            sum ^ product
        })
    }
}

/// x to the power of `exponent`, by repeated squaring.
fn power_of_x(mut exponent: u64) -> u32 {
    let (mut power, mut square) = (ONE, ONE >> 1);
    while exponent > 0 {
        if exponent & 1 == 1 {
            power = multiply(power, square);
        }
        square = multiply(square, square);
        exponent >>= 1;
    }
    power
}

fn multiply(a: u32, mut b: u32) -> u32 {
    let mut product = 0;
    for power in 0..32 {
        if a & (ONE >> power) != 0 {
            product ^= b;
        }
        b = (b >> 1) ^ if b & 1 == 1 { POLYNOMIAL } else { 0 };
    }
    product
}

#[cfg(test)]
mod tests {
    use super::Shift;

    #[test]
    fn checksums_of_two_stretches_join() {
        let text: Vec<u8> =
            (0..100_000u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for cut in [0, 1, 2, 255, 256, 65_536, 99_999, 100_000] {
            let (before, after) = text.split_at(cut);
            let joined = Shift::by(after.len()).apply(crc32fast::hash(before)) ^ crc32fast::hash(after);
            assert_eq!(joined, crc32fast::hash(&text), "cut at {cut}");
        }
    }
}
