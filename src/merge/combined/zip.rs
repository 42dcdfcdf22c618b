//! Owns the writing of a combined document's archive: entries one after the other, and parts that grow with each letter.

use std::io::{self, Read, Seek, Write};

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::super::archive::{DEFLATED, Header, TooLarge, deflate};
use super::super::package::Entry;
use super::CombineError;

/// An archive that is being written; what was written is not needed again.
#[derive(Debug)]
pub(super) struct Archive<W> {
    into: W,
    offset: usize,
    directory: Vec<u8>,
    n_entries: u16,
}

impl<W: Write> Archive<W> {
    pub(super) fn new(into: W) -> Archive<W> {
        Archive { into, offset: 0, directory: Vec::new(), n_entries: 0 }
    }

    /// Adds a part as it is packed elsewhere.
    pub(super) fn copy(&mut self, entry: &Entry, packed: &[u8]) -> Result<(), CombineError> {
        let packed_size = u32::try_from(packed.len()).map_err(|_| TooLarge)?;
        let Entry { name, method, crc, size, .. } = entry;
        self.header(&Header { name, method: *method, crc: *crc, packed_size, size: *size })?;
        self.write(packed)
    }

    /// Adds a part.
    pub(super) fn add(&mut self, name: &str, content: &[u8]) -> Result<(), CombineError> {
        let packed = deflate(content);
        let size = u32::try_from(content.len()).map_err(|_| TooLarge)?;
        let packed_size = u32::try_from(packed.len()).map_err(|_| TooLarge)?;
        let crc = crc32fast::hash(content);
        self.header(&Header { name, method: DEFLATED, crc, packed_size, size })?;
        self.write(&packed)
    }

    /// Adds a part that has grown to its end.
    pub(super) fn grown<S: Read + Write + Seek>(
        &mut self,
        name: &str,
        part: Growing<S>,
    ) -> Result<(), CombineError> {
        let Growing { encoder, crc, size } = part;
        let mut packed = encoder.finish()?;
        let packed_size = u32::try_from(packed.stream_position()?).map_err(|_| TooLarge)?;
        packed.rewind()?;
        let size = u32::try_from(size).map_err(|_| TooLarge)?;
        self.header(&Header { name, method: DEFLATED, crc: crc.finalize(), packed_size, size })?;
        let n_copied = io::copy(&mut packed.take(u64::from(packed_size)), &mut self.into)?;
        self.offset += usize::try_from(n_copied).map_err(|_| TooLarge)?;
        Ok(())
    }

    /// Writes the directory.
    pub(super) fn finish(mut self) -> Result<W, CombineError> {
        let offset = u32::try_from(self.offset).map_err(|_| TooLarge)?;
        let size = u32::try_from(self.directory.len()).map_err(|_| TooLarge)?;
        self.into.write_all(&self.directory)?;
        self.into.write_all(&super::super::archive::end_of_directory(self.n_entries, size, offset))?;
        self.into.flush()?;
        Ok(self.into)
    }

    fn header(&mut self, header: &Header<'_>) -> Result<(), CombineError> {
        let mut bytes = vec![0; Header::LOCAL_LENGTH + header.name.len()];
        header.write_local(&mut bytes);
        header.write_directory(self.offset, &mut self.directory)?;
        self.n_entries = self.n_entries.checked_add(1).ok_or(TooLarge)?;
        self.write(&bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), CombineError> {
        self.into.write_all(bytes)?;
        self.offset += bytes.len();
        Ok(())
    }
}

/// A part that is packed while it grows.
#[derive(Debug)]
pub(super) struct Growing<S: Write> {
    encoder: DeflateEncoder<S>,
    crc: crc32fast::Hasher,
    size: u64,
}

impl<S: Write> Growing<S> {
    /// Begins a part; its packed bytes go into `spool`, from its start.
    pub(super) fn new(spool: S) -> Growing<S> {
        let encoder = DeflateEncoder::new(spool, Compression::default());
        Growing { encoder, crc: crc32fast::Hasher::new(), size: 0 }
    }

    pub(super) fn write(&mut self, text: &str) -> Result<(), CombineError> {
        self.crc.update(text.as_bytes());
        self.size += text.len() as u64;
        // The format has no room for more, and the disk should not be filled in vain.
        if self.size > u64::from(u32::MAX) {
            return Err(CombineError::TooLarge);
        }
        Ok(self.encoder.write_all(text.as_bytes())?)
    }
}
