//! Owns the memory of values while a part is put together: what stood last in the same place, such as the same cell of
//! the row before.

use super::matches::{MAX_MATCH, MIN_MATCH};

/// The values of a part so far, each by the static bytes before it.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    bytes: Vec<u8>,
    /// By the number of the static bytes before it.
    last: Vec<Option<Text>>,
}

/// A value that was written.
#[derive(Clone, Copy, Debug)]
struct Text {
    /// Where it begins in the part.
    place: usize,
    /// Where it stands among the bytes that are kept.
    start: usize,
    length: usize,
}

/// What a value has in common with the last one in its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alike {
    /// Where the last one begins in the part, and how long it is.
    pub(super) place: usize,
    pub(super) length: usize,
    /// How many bytes both begin with, and how many of the others both end with; none or enough for a match.
    pub(super) prefix: usize,
    pub(super) suffix: usize,
}

impl Texts {
    /// Forgets the values of another part.
    pub(super) fn clear(&mut self, n_statics: usize) {
        self.bytes.clear();
        self.last.clear();
        self.last.resize(n_statics, None);
    }

    /// Takes a value that begins at `place`, and compares it with the last one behind the same static bytes.
    pub(super) fn take(&mut self, number: usize, place: usize, value: &[u8]) -> Option<Alike> {
        let last = self.last.get_mut(number)?;
        let text = Text { place, start: self.bytes.len(), length: value.len() };
        let before = last.replace(text);
        self.bytes.extend_from_slice(value);
        let before = before?;
        let old = self.bytes.get(before.start..before.start + before.length)?;
        let enough = |length: usize| if length < MIN_MATCH { 0 } else { length.min(MAX_MATCH) };
        let prefix = enough(n_alike(old, value));
        let rest = old[prefix..].iter().rev().zip(value[prefix..].iter().rev());
        let suffix = enough(rest.take_while(|(a, b)| a == b).count());
        Some(Alike { place: before.place, length: before.length, prefix, suffix })
    }
}

/// Counts the bytes that both begin with, a word at a time.
fn n_alike(one: &[u8], other: &[u8]) -> usize {
    let (words, _) = one.as_chunks::<8>();
    let (other_words, _) = other.as_chunks::<8>();
    for (index, (word, other_word)) in words.iter().zip(other_words).enumerate() {
        let differs = u64::from_le_bytes(*word) ^ u64::from_le_bytes(*other_word);
        if differs != 0 {
            return index * 8 + (differs.trailing_zeros() / 8) as usize;
        }
    }
    let n_bytes = words.len().min(other_words.len()) * 8;
    let rest = one[n_bytes..].iter().zip(&other[n_bytes..]);
    n_bytes + rest.take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Texts, n_alike};

    proptest! {
        #[test]
        fn what_two_values_begin_with_is_counted(alike in "[ab]{0,40}", one in "[ab]{0,20}", other in "[ab]{0,20}") {
            let (one, other) = (format!("{alike}{one}"), format!("{alike}{other}"));
            let expected = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
            prop_assert_eq!(n_alike(one.as_bytes(), other.as_bytes()), expected);
        }
    }

    #[test]
    fn a_value_is_compared_with_the_last_in_its_place() {
        let mut texts = Texts::default();
        texts.clear(2);
        let mut check = |number, place, value: &str, expected| {
            let alike = texts.take(number, place, value.as_bytes());
            assert_eq!(alike.map(|alike| (alike.place, alike.prefix, alike.suffix)), expected, "{value}");
        };
        check(0, 100, "Lamp 7, brushed steel", None);
        check(1, 200, "Lamp 7, brushed steel", None);
        check(0, 300, "Lamp 12, brushed steel", Some((100, 5, 15)));
        check(0, 400, "Lamp 12, brushed steel", Some((300, 22, 0)));
        check(0, 500, "eel", Some((400, 0, 0)));
        check(1, 600, "Lamp", Some((200, 4, 0)));
        check(2, 700, "no such place", None);
    }
}
