//! Owns the writing of a letter: the zip archive, of which all that does not change was laid out once.
//!
//! What is the same in every letter comes first, byte for byte, so that a buffer that holds a letter of the same template
//! needs only a new end: the parts that change, and the directory.

use std::io::Write;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use sha2::{Digest, Sha256};

use super::package::{CONTENT_TYPES, Package};
use super::picture::Picture;
use super::program::Program;
use super::splice::{BitWriter, Spliced, Splicer, Texts};

/// The parts that are the same in every letter, while they are gathered.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    n_entries: u16,
}

/// The archive of every letter of a template, but for what changes.
#[derive(Debug)]
pub(crate) struct Archive {
    /// The parts that are the same in every letter.
    start: Arc<[u8]>,
    /// What the start does to a digest.
    digest: Sha256,
    /// The directory's entries for them.
    directory: Vec<u8>,
    n_entries: u16,
    changing: Vec<Changing>,
    /// The folder for pictures, with a slash at its end.
    media: String,
}

/// A part that changes.
#[derive(Debug)]
struct Changing {
    program: Program,
    spliced: Spliced,
    name: String,
}

/// An archive does not fit the format: a part is larger than 4 GiB, or there are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// What the archive says of an entry.
pub(crate) struct Header<'n> {
    pub(crate) name: &'n str,
    pub(crate) method: u16,
    pub(crate) crc: u32,
    pub(crate) packed_size: u32,
    pub(crate) size: u32,
}

/// A worker's place for letters, one after the other: what they share is written once.
#[derive(Debug, Default)]
pub struct Buffer {
    /// Longer than the letter, mostly.
    bytes: Vec<u8>,
    /// How many bytes the letter has.
    n_bytes: usize,
    /// The start that the bytes begin with.
    start: Option<Arc<[u8]>>,
    directory: Vec<u8>,
    /// What is needed while a part is put together.
    places: Vec<u32>,
    texts: Texts,
}

impl Gathered {
    /// Adds a part as it is packed in the template, or packed better.
    pub(crate) fn copy(&mut self, package: &Package<'_>, name: &str) -> Result<(), TooLarge> {
        let Some(entry) = package.entry(name) else { return Ok(()) };
        let packed = package.packed(entry);
        let content = match is_text(name) || entry.method == STORED {
            true => package.read(name).ok().flatten(),
            false => None,
        };
        let repacked = content.map(|content| deflate(&content)).filter(|it| it.len() < packed.len());
        let (method, packed) = match &repacked {
            Some(repacked) => (DEFLATED, repacked.as_slice()),
            None => (entry.method, packed),
        };
        let packed_size = u32::try_from(packed.len()).map_err(|_| TooLarge)?;
        self.entry(
            &Header { name: &entry.name, method, crc: entry.crc, packed_size, size: entry.size },
            packed,
        )
    }

    /// Adds a part with new content that is the same in every letter.
    pub(crate) fn add(&mut self, name: &str, content: &[u8]) -> Result<(), TooLarge> {
        let packed = deflate(content);
        let size = u32::try_from(content.len()).map_err(|_| TooLarge)?;
        let packed_size = u32::try_from(packed.len()).map_err(|_| TooLarge)?;
        let crc = crc32fast::hash(content);
        self.entry(&Header { name, method: DEFLATED, crc, packed_size, size }, &packed)
    }

    fn entry(&mut self, header: &Header<'_>, packed: &[u8]) -> Result<(), TooLarge> {
        let offset = self.bytes.len();
        let start = offset + Header::LOCAL_LENGTH + header.name.len();
        self.bytes.resize(start, 0);
        header.write_local(&mut self.bytes[offset..]);
        self.bytes.extend_from_slice(packed);
        header.write_directory(offset, &mut self.directory)?;
        self.n_entries = self.n_entries.checked_add(1).ok_or(TooLarge)?;
        Ok(())
    }

    /// Ends what is the same in every letter; the parts that change come after it.
    ///
    /// `media` is the folder for the pictures of letters, with a slash at its end.
    pub(crate) fn finish(self, programs: Vec<(String, Program)>, media: String) -> Result<Archive, TooLarge> {
        let n_programs = u16::try_from(programs.len()).map_err(|_| TooLarge)?;
        let n_entries = self.n_entries.checked_add(n_programs).ok_or(TooLarge)?;
        let changing = programs
            .into_iter()
            .map(|(name, program)| Changing { spliced: Spliced::new(&program), program, name })
            .collect();
        Ok(Archive {
            digest: Sha256::new_with_prefix(&self.bytes),
            start: self.bytes.into(),
            directory: self.directory,
            n_entries,
            changing,
            media,
        })
    }
}

/// Text is packed anew: programs that write documents seldom take the time for it.
fn is_text(name: &str) -> bool {
    name.ends_with(".xml") || name.ends_with(".rels")
}

/// Packs as small as deflate can.
pub(crate) fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).and_then(|()| encoder.finish()).expect("writing into memory does not fail")
}

/// Returns the names of a package's parts in the order that letters have them: content types first.
pub(crate) fn in_order<'p>(package: &'p Package<'_>) -> impl Iterator<Item = &'p str> {
    let names = || package.entries().iter().map(|entry| entry.name.as_str());
    names().filter(|name| *name == CONTENT_TYPES).chain(names().filter(|name| *name != CONTENT_TYPES))
}

impl Archive {
    /// Returns the parts that change, each with its name.
    pub(crate) fn programs(&self) -> impl Iterator<Item = (&str, &Program)> {
        self.changing.iter().map(|part| (part.name.as_str(), &part.program))
    }

    /// Returns the folder for the pictures of letters, with a slash at its end.
    pub(crate) fn media(&self) -> &str {
        &self.media
    }

    /// Begins a letter in `buffer`: the parts that do not change are there.
    pub(crate) fn begin<'a, 'b>(&'a self, buffer: &'b mut Buffer) -> Writing<'a, 'b> {
        buffer.n_bytes = 0;
        if !buffer.start.as_ref().is_some_and(|start| Arc::ptr_eq(start, &self.start)) {
            buffer.bytes.clear();
            buffer.bytes.extend_from_slice(&self.start);
            buffer.start = Some(Arc::clone(&self.start));
        }
        buffer.directory.clear();
        Writing { archive: self, buffer, at: self.start.len(), n_entries: self.n_entries }
    }

    /// Returns the SHA-256 of a letter that was made of this archive.
    pub(crate) fn digest(&self, letter: &[u8]) -> [u8; 32] {
        match letter.strip_prefix(&*self.start) {
            Some(rest) => self.digest.clone().chain_update(rest).finalize().into(),
            None => Sha256::digest(letter).into(),
        }
    }
}

/// A letter while it is written.
pub(crate) struct Writing<'a, 'b> {
    archive: &'a Archive,
    buffer: &'b mut Buffer,
    /// Where the next entry begins.
    at: usize,
    n_entries: u16,
}

impl<'a> Writing<'a, '_> {
    /// Writes the parts that change; `render` writes the content of the part of a number.
    pub(crate) fn parts(
        &mut self,
        mut render: impl FnMut(usize, &'a Program, &mut Splicer<'_>),
    ) -> Result<(), TooLarge> {
        let Buffer { bytes, directory, places, texts, .. } = &mut *self.buffer;
        let mut at = self.at;
        for (number, part) in self.archive.changing.iter().enumerate() {
            let offset = at;
            at += Header::LOCAL_LENGTH + part.name.len();
            let mut splicer = part.spliced.begin(&part.program, BitWriter::new(bytes, at), places, texts);
            render(number, &part.program, &mut splicer);
            let written = splicer.finish();
            let header = Header {
                name: &part.name,
                method: DEFLATED,
                crc: written.crc,
                packed_size: u32::try_from(written.end - at).map_err(|_| TooLarge)?,
                size: u32::try_from(written.size).map_err(|_| TooLarge)?,
            };
            header.write_local(&mut bytes[offset..at]);
            header.write_directory(offset, directory)?;
            at = written.end;
        }
        self.at = at;
        Ok(())
    }

    /// Writes a picture, as it was packed when it was read.
    pub(crate) fn picture(&mut self, picture: &Picture) -> Result<(), TooLarge> {
        let (packed, is_deflated) = picture.packed();
        let name = format!("{}{}", self.archive.media, picture.part_name());
        let header = Header {
            name: &name,
            method: if is_deflated { DEFLATED } else { STORED },
            crc: picture.crc(),
            packed_size: u32::try_from(packed.len()).map_err(|_| TooLarge)?,
            size: u32::try_from(picture.bytes().len()).map_err(|_| TooLarge)?,
        };
        let start = self.at + Header::LOCAL_LENGTH + name.len();
        let end = start + packed.len();
        let bytes = &mut self.buffer.bytes;
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        header.write_local(&mut bytes[self.at..start]);
        bytes[start..end].copy_from_slice(packed);
        header.write_directory(self.at, &mut self.buffer.directory)?;
        self.at = end;
        self.n_entries = self.n_entries.checked_add(1).ok_or(TooLarge)?;
        Ok(())
    }

    /// Ends the letter with its directory.
    pub(crate) fn finish(self) -> Result<(), TooLarge> {
        let Buffer { bytes, n_bytes, directory, .. } = self.buffer;
        let mut at = self.at;
        let offset = u32::try_from(at).map_err(|_| TooLarge)?;
        let fixed = self.archive.directory.as_slice();
        let size = u32::try_from(fixed.len() + directory.len()).map_err(|_| TooLarge)?;
        directory.extend_from_slice(&end_of_directory(self.n_entries, size, offset));
        for piece in [fixed, directory] {
            if bytes.len() < at + piece.len() {
                bytes.resize(at + piece.len(), 0);
            }
            bytes[at..at + piece.len()].copy_from_slice(piece);
            at += piece.len();
        }
        *n_bytes = at;
        Ok(())
    }
}

impl Buffer {
    /// Returns an empty buffer.
    pub fn new() -> Buffer {
        Buffer::default()
    }

    /// Returns the letter that was written last; nothing if there is none.
    pub fn letter(&self) -> &[u8] {
        self.bytes.get(..self.n_bytes).unwrap_or_default()
    }
}

impl From<Vec<u8>> for Buffer {
    /// Takes over the capacity of `bytes`, not what it holds.
    fn from(bytes: Vec<u8>) -> Buffer {
        Buffer { bytes, ..Buffer::default() }
    }
}

impl From<Buffer> for Vec<u8> {
    /// Returns the letter that was written last.
    fn from(buffer: Buffer) -> Vec<u8> {
        let mut bytes = buffer.bytes;
        bytes.truncate(buffer.n_bytes);
        bytes
    }
}

/// What ends an archive: how many entries its directory has, its size and where it begins (APPNOTE.TXT 4.3.16).
pub(crate) fn end_of_directory(n_entries: u16, size: u32, offset: u32) -> [u8; 22] {
    let mut bytes = [0; 22];
    bytes[..4].copy_from_slice(b"PK\x05\x06");
    bytes[8..10].copy_from_slice(&n_entries.to_le_bytes());
    bytes[10..12].copy_from_slice(&n_entries.to_le_bytes());
    bytes[12..16].copy_from_slice(&size.to_le_bytes());
    bytes[16..20].copy_from_slice(&offset.to_le_bytes());
    bytes
}

const STORED: u16 = 0;
pub(crate) const DEFLATED: u16 = 8;
const VERSION: u16 = 20;
/// 1 January 1980, the earliest date of the format: the same letter has the same bytes at any time.
const DATE: u16 = 0x0021;

impl Header<'_> {
    pub(crate) const LOCAL_LENGTH: usize = 30;

    /// What both kinds of header have from the version on (APPNOTE.TXT 4.3.7, 4.3.12).
    fn common(&self) -> [u8; 26] {
        // Bit 11: the name is UTF-8 (APPNOTE.TXT 4.4.4).
        let flags: u16 = if self.name.is_ascii() { 0 } else { 1 << 11 };
        let mut bytes = [0; 26];
        for (at, number) in [VERSION, flags, self.method, 0, DATE].into_iter().enumerate() {
            bytes[at * 2..at * 2 + 2].copy_from_slice(&number.to_le_bytes());
        }
        for (at, number) in [self.crc, self.packed_size, self.size].into_iter().enumerate() {
            bytes[10 + at * 4..14 + at * 4].copy_from_slice(&number.to_le_bytes());
        }
        bytes[22..24].copy_from_slice(&(self.name.len() as u16).to_le_bytes());
        bytes
    }

    /// Writes the header before the packed bytes; `out` has its length and that of the name.
    pub(crate) fn write_local(&self, out: &mut [u8]) {
        let (fixed, name) = out.split_at_mut(Header::LOCAL_LENGTH);
        fixed[..4].copy_from_slice(b"PK\x03\x04");
        fixed[4..].copy_from_slice(&self.common());
        name.copy_from_slice(self.name.as_bytes());
    }

    /// Writes the entry of the directory; `offset` is where the header before the packed bytes stands.
    pub(crate) fn write_directory(&self, offset: usize, out: &mut Vec<u8>) -> Result<(), TooLarge> {
        let offset = u32::try_from(offset).map_err(|_| TooLarge)?;
        out.extend_from_slice(b"PK\x01\x02");
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&self.common());
        out.extend_from_slice(&[0; 10]);
        out.extend_from_slice(&offset.to_le_bytes());
        out.extend_from_slice(self.name.as_bytes());
        Ok(())
    }
}
