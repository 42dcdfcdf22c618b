//! Owns the encoding of text files: which one it is, and its bytes as UTF-8 in chunks. Fails on broken UTF-8.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::error::TableProblem;

const CHUNK: usize = 64 * 1024;

/// Why an encoding was not found: the problem, and the line it is on if it has one.
pub(super) type NotDecoded = (Option<u64>, TableProblem);

/// A file whose bytes come out as UTF-8.
pub(super) struct Decoded {
    file: File,
    decoder: Decoder,
    bytes: Vec<u8>,
    is_done: bool,
}

impl Decoded {
    /// Looks through the file for its encoding, and goes back to its start.
    pub(super) fn new(mut file: File) -> Result<Decoded, NotDecoded> {
        let unreadable = |error: io::Error| (None, TableProblem::Unreadable { reason: error.to_string() });
        let encoding = detect(&mut file)?;
        file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        let decoder = encoding.new_decoder_with_bom_removal();
        Ok(Decoded { file, decoder, bytes: vec![0; CHUNK], is_done: false })
    }

    /// Adds the next chunk to `text`; false at the end.
    pub(super) fn more(&mut self, text: &mut String) -> io::Result<bool> {
        if self.is_done {
            return Ok(false);
        }
        let n = self.file.read(&mut self.bytes)?;
        self.is_done = n == 0;
        let bytes = self.bytes.get(..n).unwrap_or_default();
        // Enough for any expansion, so that one call takes the whole chunk.
        let room = self.decoder.max_utf8_buffer_length(n).unwrap_or(CHUNK * 4);
        text.reserve(room);
        let (_, _, _) = self.decoder.decode_to_string(bytes, text, self.is_done);
        Ok(true)
    }
}

/// Tells UTF-8, UTF-16 and the single-byte encodings of Windows apart.
///
/// A byte order mark decides. Without one, bytes that are all valid UTF-8 are UTF-8; NULs at every other place
/// make it UTF-16; the rest is guessed from the letters it would show, as a browser does it.
fn detect(file: &mut File) -> Result<&'static Encoding, NotDecoded> {
    let mut seen = Seen::default();
    let mut chunk = vec![0; CHUNK];
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let mut rest = 0;
    let mut is_first = true;
    loop {
        let n = file
            .read(chunk.get_mut(rest..).unwrap_or_default())
            .map_err(|error| (None, TableProblem::Unreadable { reason: error.to_string() }))?;
        let bytes = chunk.get(..rest + n).unwrap_or_default();
        if is_first {
            if let Some((encoding, _)) = Encoding::for_bom(bytes)
                && encoding != UTF_8
            {
                return Ok(encoding);
            }
            if let Some(encoding) = utf_16_without_mark(bytes) {
                return Ok(encoding);
            }
            if let Some(found) = other_kind(bytes) {
                return Err((None, TableProblem::OtherKind { found, expected: "text" }));
            }
            is_first = false;
        }
        // Only bytes that are not UTF-8 need a guess, and the detector is slow: it sees no other chunk.
        if seen.n_bad < DETECT_ENOUGH && std::str::from_utf8(bytes).is_err() {
            detector.feed(bytes, false);
        }
        rest = seen.look(bytes, n == 0);
        let start = bytes.len() - rest;
        chunk.copy_within(start..start + rest, 0);
        if n == 0 {
            break;
        }
    }
    match seen.first_bad {
        None => Ok(UTF_8),
        Some((byte, offset_bytes, line)) if seen.n_good >= seen.n_bad => {
            Err((Some(line), TableProblem::BrokenUtf8 { byte, offset_bytes }))
        }
        Some(_) => {
            detector.feed(b"", true);
            Ok(detector.guess(None, Utf8Detection::Deny))
        }
    }
}

/// So many letters outside ASCII settle a guess; more would only cost time.
const DETECT_ENOUGH: u64 = 10_000;

#[derive(Default)]
struct Seen {
    n_good: u64,
    n_bad: u64,
    n_lines: u64,
    offset_bytes: u64,
    first_bad: Option<(u8, u64, u64)>,
}

impl Seen {
    /// Counts letters outside ASCII that are UTF-8, and bytes that are not; returns how many bytes at the end are
    /// the start of a letter that the next chunk completes.
    fn look(&mut self, mut bytes: &[u8], is_last: bool) -> usize {
        loop {
            let error = match std::str::from_utf8(bytes) {
                Ok(text) => {
                    self.pass(text);
                    return 0;
                }
                Err(error) => error,
            };
            let (valid, invalid) = bytes.split_at(error.valid_up_to());
            self.pass(std::str::from_utf8(valid).unwrap_or_default());
            let n = match error.error_len() {
                None if !is_last => return invalid.len(),
                None => invalid.len(),
                Some(n) => n,
            };
            let (bad, behind) = invalid.split_at(n);
            self.n_bad += 1;
            self.first_bad =
                self.first_bad.or(bad.first().map(|byte| (*byte, self.offset_bytes, self.n_lines + 1)));
            self.offset_bytes += bad.len() as u64;
            bytes = behind;
        }
    }

    fn pass(&mut self, text: &str) {
        self.offset_bytes += text.len() as u64;
        if !text.is_ascii() {
            self.n_good += text.bytes().filter(|byte| *byte >= 0xC0).count() as u64;
        }
        if self.first_bad.is_none() {
            self.n_lines += memchr::memchr_iter(b'\n', text.as_bytes()).count() as u64;
        }
    }
}

fn utf_16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = bytes.get(..bytes.len().min(1024)).unwrap_or_default();
    let n_nul = |parity| start.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (n_nul(0), n_nul(1));
    let many = (start.len() / 2).max(2) * 2 / 3;
    if odd >= many && even == 0 {
        Some(UTF_16LE)
    } else if even >= many && odd == 0 {
        Some(UTF_16BE)
    } else {
        None
    }
}

fn other_kind(bytes: &[u8]) -> Option<&'static str> {
    const KINDS: &[(&[u8], &str)] = &[
        (b"PK\x03\x04", "a zip archive, such as a workbook"),
        (b"\xD0\xCF\x11\xE0", "an old Office file"),
        (b"%PDF", "a PDF"),
        (b"\x1F\x8B", "gzip"),
        (b"{\\rtf", "rich text"),
    ];
    KINDS.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, kind)| *kind)
}
