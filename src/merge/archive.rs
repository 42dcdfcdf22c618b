//! Owns the writing of a letter: the zip archive, of which all that does not change was laid out once.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::package::{CONTENT_TYPES, Package};

/// The start of every letter's archive, and what is known of its directory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Archive {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    n_entries: u16,
}

/// An archive does not fit the format: a part is larger than 4 GiB, or there are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

struct Header<'n> {
    name: &'n str,
    method: u16,
    crc: u32,
    packed_size: u32,
    size: u32,
}

impl Archive {
    /// Adds a part as it is packed in the template.
    pub(crate) fn copy(&mut self, package: &Package<'_>, name: &str) -> Result<(), TooLarge> {
        let Some(entry) = package.entry(name) else { return Ok(()) };
        let packed = package.packed(entry);
        let packed_size = u32::try_from(packed.len()).map_err(|_| TooLarge)?;
        let header =
            Header { name: &entry.name, method: entry.method, crc: entry.crc, packed_size, size: entry.size };
        let offset = self.bytes.len();
        header.write_local(&mut self.bytes);
        self.bytes.extend_from_slice(packed);
        header.write_directory(offset, &mut self.directory)?;
        self.n_entries += 1;
        Ok(())
    }

    /// Adds a part with new content that is the same in every letter.
    pub(crate) fn add(&mut self, name: &str, content: &[u8]) -> Result<(), TooLarge> {
        let mut writing =
            Writing { out: std::mem::take(&mut self.bytes), directory: Vec::new(), n_entries: 0 };
        writing.part(name, content)?;
        self.bytes = writing.out;
        self.directory.extend_from_slice(&writing.directory);
        self.n_entries += 1;
        Ok(())
    }

    /// Begins a letter in `out`, whose capacity is kept.
    pub(crate) fn begin(&self, mut out: Vec<u8>) -> Writing {
        out.clear();
        out.extend_from_slice(&self.bytes);
        Writing { out, directory: self.directory.clone(), n_entries: self.n_entries }
    }
}

/// Returns the names of a package's parts in the order that letters have them: content types first.
pub(crate) fn in_order<'p>(package: &'p Package<'_>) -> impl Iterator<Item = &'p str> {
    let names = || package.entries().iter().map(|entry| entry.name.as_str());
    names().filter(|name| *name == CONTENT_TYPES).chain(names().filter(|name| *name != CONTENT_TYPES))
}

/// A letter that is being written.
pub(crate) struct Writing {
    out: Vec<u8>,
    directory: Vec<u8>,
    n_entries: u16,
}

impl Writing {
    /// Adds a part of this letter.
    pub(crate) fn part(&mut self, name: &str, content: &[u8]) -> Result<(), TooLarge> {
        let offset = self.out.len();
        let size = u32::try_from(content.len()).map_err(|_| TooLarge)?;
        let mut header = Header { name, method: 8, crc: crc32fast::hash(content), packed_size: 0, size };
        header.write_local(&mut self.out);
        let start = self.out.len();
        let mut encoder = DeflateEncoder::new(std::mem::take(&mut self.out), Compression::default());
        self.out = match encoder.write_all(content).and_then(|()| encoder.finish()) {
            Ok(out) => out,
            // Writing into memory does not fail.
            Err(_) => return Err(TooLarge),
        };
        header.packed_size = u32::try_from(self.out.len() - start).map_err(|_| TooLarge)?;
        self.out[offset + PACKED_SIZE_AT..offset + PACKED_SIZE_AT + 4]
            .copy_from_slice(&header.packed_size.to_le_bytes());
        header.write_directory(offset, &mut self.directory)?;
        self.n_entries = self.n_entries.checked_add(1).ok_or(TooLarge)?;
        Ok(())
    }

    /// Ends the archive.
    pub(crate) fn finish(mut self) -> Result<Vec<u8>, TooLarge> {
        let offset = u32::try_from(self.out.len()).map_err(|_| TooLarge)?;
        let size = u32::try_from(self.directory.len()).map_err(|_| TooLarge)?;
        self.out.extend_from_slice(&self.directory);
        self.out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        self.out.extend_from_slice(&self.n_entries.to_le_bytes());
        self.out.extend_from_slice(&self.n_entries.to_le_bytes());
        self.out.extend_from_slice(&size.to_le_bytes());
        self.out.extend_from_slice(&offset.to_le_bytes());
        self.out.extend_from_slice(&[0, 0]);
        Ok(self.out)
    }
}

/// Where a local header has the packed size, which is known only after the content was written.
const PACKED_SIZE_AT: usize = 18;
const VERSION: u16 = 20;
/// 1 January 1980, the earliest date of the format: the same letter has the same bytes at any time.
const DATE: u16 = 0x0021;

impl Header<'_> {
    fn write_common(&self, out: &mut Vec<u8>) {
        // Bit 11: the name is UTF-8 (APPNOTE.TXT 4.4.4).
        let flags: u16 = if self.name.is_ascii() { 0 } else { 1 << 11 };
        for number in [VERSION, flags, self.method, 0, DATE] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        for number in [self.crc, self.packed_size, self.size] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&(self.name.len() as u16).to_le_bytes());
        out.extend_from_slice(&[0, 0]);
    }

    fn write_local(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"PK\x03\x04");
        self.write_common(out);
        out.extend_from_slice(self.name.as_bytes());
    }

    fn write_directory(&self, offset: usize, out: &mut Vec<u8>) -> Result<(), TooLarge> {
        let offset = u32::try_from(offset).map_err(|_| TooLarge)?;
        out.extend_from_slice(b"PK\x01\x02");
        out.extend_from_slice(&VERSION.to_le_bytes());
        self.write_common(out);
        out.extend_from_slice(&[0; 10]);
        out.extend_from_slice(&offset.to_le_bytes());
        out.extend_from_slice(self.name.as_bytes());
        Ok(())
    }
}
