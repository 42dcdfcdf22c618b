//! Owns the container: the zip archive of a Word document, its content types and its relationships. Fails on what is no
//! Word document, and on archives made to harm.

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;

use flate2::read::DeflateDecoder;

use super::xml::{self, XmlError};

/// The most that one part may inflate to, in bytes.
const PART_LIMIT_BYTES: u64 = 64 << 20;
/// The most that all parts together may inflate to, in bytes.
const TOTAL_LIMIT_BYTES: u64 = 256 << 20;
/// The most entries that an archive may have.
const ENTRY_LIMIT: usize = 10_000;
/// How many times its packed size a part may have, once it is larger than [`RATIO_FROM_BYTES`].
const RATIO_LIMIT: u64 = 200;
/// Below this size a part may shrink as well as it likes: a page of blanks packs a thousandfold and harms nobody.
const RATIO_FROM_BYTES: u64 = 1 << 20;

/// The file name of the content types in every package.
pub(crate) const CONTENT_TYPES: &str = "[Content_Types].xml";

/// Why a file is no package that can be merged.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The file does not have the structure of a zip archive.
    #[error("file is not a Word document: it is no zip archive")]
    NotZip,
    /// The zip archive is cut off or contradicts itself.
    #[error("zip archive is damaged: {reason}")]
    Damaged {
        /// What does not fit.
        reason: &'static str,
    },
    /// A part cannot be inflated.
    #[error("part `{part}` cannot be read")]
    Unreadable {
        /// The part's name.
        part: String,
        /// What the decoder said.
        #[source]
        source: std::io::Error,
    },
    /// A part is encrypted or packed in a way other than deflate.
    #[error("part `{part}` is encrypted or packed by method {method}, expected deflate")]
    Method {
        /// The part's name.
        part: String,
        /// The zip archive's number for the method.
        method: u16,
    },
    /// A part's content does not have its checksum.
    #[error("part `{part}` is damaged: its checksum is wrong")]
    Checksum {
        /// The part's name.
        part: String,
    },
    /// A part or all parts together are too large, or packed too well to be honest.
    #[error("part `{part}` inflates beyond the limit of {limit}")]
    TooLarge {
        /// The part's name.
        part: String,
        /// The limit, in words.
        limit: &'static str,
    },
    /// Too many entries.
    #[error("zip archive has {entries} entries, more than {ENTRY_LIMIT}")]
    TooManyEntries {
        /// How many it says it has.
        entries: usize,
    },
    /// Two entries of one name.
    #[error("zip archive has part `{part}` twice")]
    Duplicate {
        /// The part's name.
        part: String,
    },
    /// A name that leaves the package.
    #[error("zip archive has an unsafe part name `{part}`")]
    UnsafeName {
        /// The part's name.
        part: String,
    },
    /// A part that every Word document has is missing.
    #[error("file is not a Word document: `{part}` is missing")]
    Missing {
        /// The part's name.
        part: String,
    },
    /// The package is of another kind, such as a workbook.
    #[error("file is not a Word document: its main part has content type `{content_type}`")]
    OtherKind {
        /// The content type found.
        content_type: String,
    },
    /// The document holds macros, which a .docx cannot.
    #[error("document has macros (`{part}`), which a letter cannot keep")]
    Macros {
        /// The part that holds the macros.
        part: String,
    },
    /// The content types or relationships are no XML.
    #[error("part `{part}` is broken")]
    Xml {
        /// The part's name.
        part: String,
        /// What is wrong with it.
        #[source]
        source: XmlError,
    },
}

/// One entry of the archive: packed as it came, for copying.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The part's name without leading slash.
    pub(crate) name: String,
    /// 0 stored, 8 deflated.
    pub(crate) method: u16,
    /// CRC-32 of the content.
    pub(crate) crc: u32,
    /// The size of the content, in bytes.
    pub(crate) size: u32,
    /// Where the packed bytes are in the archive.
    pub(crate) packed: Range<usize>,
}

/// A relationship of a part or of the package.
#[derive(Clone, Debug)]
pub(crate) struct Relationship {
    /// The id that the part refers to it by.
    pub(crate) id: String,
    /// The last step of the type's URI: `header`, `settings`. Transitional and Strict differ only before it.
    pub(crate) kind: String,
    /// The whole type.
    pub(crate) uri: String,
    /// The name of the part that it leads to, or the address outside.
    pub(crate) target: String,
    /// Whether the target is outside the package.
    pub(crate) is_external: bool,
    /// The element in the relationships part.
    pub(crate) span: Range<usize>,
}

/// A Word document as a container.
#[derive(Debug)]
pub(crate) struct Package<'a> {
    bytes: &'a [u8],
    entries: Vec<Entry>,
    by_name: BTreeMap<String, usize>,
}

impl<'a> Package<'a> {
    /// Opens the archive, and inflates every entry once to know that it is whole and not too large.
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Package<'a>, PackageError> {
        let package = Package::open_own(bytes)?;
        let mut total = 0;
        for entry in &package.entries {
            total += package.inflate(entry, TOTAL_LIMIT_BYTES - total)?.len() as u64;
        }
        Ok(package)
    }

    /// Opens an archive that was made here: no entry is inflated before it is read.
    pub(crate) fn open_own(bytes: &'a [u8]) -> Result<Package<'a>, PackageError> {
        let entries = read_directory(bytes)?;
        let mut by_name = BTreeMap::new();
        for (position, entry) in entries.iter().enumerate() {
            // Part names are compared without case (ECMA-376 Part 2, §6.2.2.3 Part name equivalence).
            if by_name.insert(entry.name.to_ascii_lowercase(), position).is_some() {
                return Err(PackageError::Duplicate { part: entry.name.clone() });
            }
        }
        Ok(Package { bytes, entries, by_name })
    }

    /// Returns the entries in the order of the archive.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Returns the packed bytes of an entry.
    pub(crate) fn packed(&self, entry: &Entry) -> &'a [u8] {
        self.bytes.get(entry.packed.clone()).unwrap_or_default()
    }

    /// Finds an entry by the name of its part.
    pub(crate) fn entry(&self, name: &str) -> Option<&Entry> {
        self.by_name.get(&name.to_ascii_lowercase()).and_then(|position| self.entries.get(*position))
    }

    /// Returns the content of a part, or nothing if it does not exist.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, PackageError> {
        self.entry(name).map(|entry| self.inflate(entry, TOTAL_LIMIT_BYTES)).transpose()
    }

    /// Returns the relationships of a part (of the package, for the empty name), in their order.
    pub(crate) fn relationships(&self, part: &str) -> Result<Vec<Relationship>, PackageError> {
        let name = relationships_name(part);
        let Some(content) = self.read(&name)? else { return Ok(Vec::new()) };
        let broken = |source| PackageError::Xml { part: name.clone(), source };
        let document = xml::Document::parse(content).map_err(broken)?;
        let mut relationships = Vec::new();
        for (position, token) in document.tokens().iter().enumerate() {
            if !token.is_start() || document.local(position) != "Relationship" {
                continue;
            }
            let attribute = |name| document.attribute(position, name).unwrap_or_default();
            let is_external = attribute("TargetMode") == "External";
            let target = attribute("Target");
            relationships.push(Relationship {
                id: attribute("Id"),
                kind: attribute("Type").rsplit('/').next().unwrap_or_default().to_owned(),
                uri: attribute("Type"),
                target: if is_external { target } else { resolve(part, &target) },
                is_external,
                span: document.subtree(position),
            });
        }
        Ok(relationships)
    }

    fn inflate(&self, entry: &Entry, allowance: u64) -> Result<Vec<u8>, PackageError> {
        let packed = self.packed(entry);
        let too_large = |limit| PackageError::TooLarge { part: entry.name.clone(), limit };
        let mut content = Vec::new();
        // The header's size may lie, so what comes out is counted, not what was promised.
        let limit = PART_LIMIT_BYTES.min(allowance);
        let ratio_limit = (packed.len() as u64 * RATIO_LIMIT).max(RATIO_FROM_BYTES);
        let take = limit.min(ratio_limit) + 1;
        match entry.method {
            0 => content.extend_from_slice(packed.get(..packed.len().min(take as usize)).unwrap_or(packed)),
            8 => {
                DeflateDecoder::new(packed)
                    .take(take)
                    .read_to_end(&mut content)
                    .map_err(|source| PackageError::Unreadable { part: entry.name.clone(), source })?;
            }
            method => return Err(PackageError::Method { part: entry.name.clone(), method }),
        }
        let size = content.len() as u64;
        if size > limit {
            return Err(too_large(if limit == PART_LIMIT_BYTES {
                "64 MiB a part"
            } else {
                "256 MiB in all"
            }));
        }
        if size > ratio_limit {
            return Err(too_large("200 times its packed size"));
        }
        if crc32fast::hash(&content) != entry.crc || size != u64::from(entry.size) {
            return Err(PackageError::Checksum { part: entry.name.clone() });
        }
        Ok(content)
    }
}

/// Returns the name of the part that holds the relationships of `part`.
pub(crate) fn relationships_name(part: &str) -> String {
    match part.rsplit_once('/') {
        Some((folder, file)) => format!("{folder}/_rels/{file}.rels"),
        None => format!("_rels/{part}.rels"),
    }
}

/// Returns the part that the package is about, by the package's relationships.
pub(crate) fn main_part(package: &Package<'_>) -> Result<String, PackageError> {
    let missing = |part: &str| PackageError::Missing { part: part.to_owned() };
    let relationships = package.relationships("")?;
    let main = relationships.iter().find(|it| it.kind == "officeDocument" && !it.is_external);
    let main = main.ok_or_else(|| missing("_rels/.rels"))?;
    let entry = package.entry(&main.target).ok_or_else(|| missing(&main.target))?;
    Ok(entry.name.clone())
}

/// Resolves a relationship's target against the part that it belongs to; targets may be absolute or climb.
fn resolve(part: &str, target: &str) -> String {
    let mut steps: Vec<&str> = Vec::new();
    if !target.starts_with('/') {
        steps.extend(part.split('/'));
        steps.pop();
    }
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    steps.join("/")
}

const END_OF_DIRECTORY: &[u8] = b"PK\x05\x06";
const DIRECTORY_ENTRY: &[u8] = b"PK\x01\x02";
const LOCAL_HEADER: &[u8] = b"PK\x03\x04";

/// Reads the central directory (APPNOTE.TXT 4.3.12 and 4.3.16). Folders are left out: a package has only parts.
fn read_directory(bytes: &[u8]) -> Result<Vec<Entry>, PackageError> {
    const END_SIZE: usize = 22;
    let damaged = |reason| PackageError::Damaged { reason };
    if !bytes.starts_with(b"PK") || bytes.len() < END_SIZE {
        return Err(PackageError::NotZip);
    }
    let earliest = bytes.len().saturating_sub(END_SIZE + usize::from(u16::MAX));
    let end = (earliest..=bytes.len() - END_SIZE)
        .rev()
        .find(|at| bytes[*at..].starts_with(END_OF_DIRECTORY))
        .ok_or(damaged("it has no directory"))?;
    let cut = || damaged("its directory is cut off");
    let n_entries = usize::from(u16_at(bytes, end + 10).ok_or_else(cut)?);
    if n_entries > ENTRY_LIMIT {
        return Err(PackageError::TooManyEntries { entries: n_entries });
    }
    let mut at = u32_at(bytes, end + 16).ok_or_else(cut)? as usize;
    let mut entries = Vec::with_capacity(n_entries);
    for _ in 0..n_entries {
        let header = bytes.get(at..at + 46).filter(|it| it.starts_with(DIRECTORY_ENTRY)).ok_or_else(cut)?;
        let short = |offset| usize::from(u16_at(header, offset).unwrap_or(0));
        let long = |offset| u32_at(header, offset).unwrap_or(0);
        let (name_length, extra_length, comment_length) = (short(28), short(30), short(32));
        let name = bytes.get(at + 46..at + 46 + name_length).ok_or_else(cut)?;
        let name = String::from_utf8_lossy(name).into_owned();
        at += 46 + name_length + extra_length + comment_length;
        check_name(&name)?;
        if name.ends_with('/') {
            continue;
        }
        let (flags, method) = (short(8), short(10) as u16);
        if flags & 1 != 0 {
            return Err(PackageError::Method { part: name, method: 99 });
        }
        let (packed_size, size, offset) = (long(20) as usize, long(24), long(42) as usize);
        let local = bytes
            .get(offset..offset.saturating_add(30))
            .filter(|it| it.starts_with(LOCAL_HEADER))
            .ok_or(damaged("an entry is not where its directory says"))?;
        let lead =
            30 + usize::from(u16_at(local, 26).unwrap_or(0)) + usize::from(u16_at(local, 28).unwrap_or(0));
        let start = offset + lead;
        let packed = start..start.saturating_add(packed_size);
        if packed.end > bytes.len() {
            return Err(damaged("an entry is cut off"));
        }
        entries.push(Entry { name, method, crc: long(16), size, packed });
    }
    let mut in_order: Vec<&Entry> = entries.iter().collect();
    in_order.sort_by_key(|entry| entry.packed.start);
    if in_order.windows(2).any(|pair| pair[0].packed.end > pair[1].packed.start) {
        // A known trick to make a small archive inflate without end.
        return Err(damaged("its entries overlap"));
    }
    Ok(entries)
}

fn check_name(name: &str) -> Result<(), PackageError> {
    let is_safe = !name.is_empty()
        && !name.starts_with('/')
        && !name.contains(['\\', '\0', '\u{FFFD}'])
        && !name.split('/').any(|step| step == "..");
    if is_safe { Ok(()) } else { Err(PackageError::UnsafeName { part: name.escape_default().to_string() }) }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2).map(|it| u16::from_le_bytes([it[0], it[1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).map(|it| u32::from_le_bytes([it[0], it[1], it[2], it[3]]))
}

impl PackageError {
    /// Returns the part that is at fault, or nothing for the whole file.
    pub fn place(&self) -> String {
        match self {
            PackageError::Unreadable { part, .. }
            | PackageError::Method { part, .. }
            | PackageError::Checksum { part }
            | PackageError::TooLarge { part, .. }
            | PackageError::Duplicate { part }
            | PackageError::UnsafeName { part }
            | PackageError::Missing { part }
            | PackageError::Macros { part }
            | PackageError::Xml { part, .. } => part.clone(),
            PackageError::NotZip
            | PackageError::Damaged { .. }
            | PackageError::TooManyEntries { .. }
            | PackageError::OtherKind { .. } => String::new(),
        }
    }

    /// Returns what to do about it, where that is sure.
    pub fn help(&self) -> Option<String> {
        match self {
            PackageError::NotZip | PackageError::OtherKind { .. } | PackageError::Missing { .. } => {
                Some("save the letter in Word as .docx or .dotx".to_owned())
            }
            PackageError::Macros { .. } => {
                Some("save the letter in Word as .docx or .dotx; `mailrun merge --macros drop` leaves them out".to_owned())
            }
            PackageError::Damaged { .. }
            | PackageError::Unreadable { .. }
            | PackageError::Checksum { .. }
            | PackageError::Duplicate { .. }
            | PackageError::Xml { .. } => Some("open the letter in Word and save it again".to_owned()),
            PackageError::Method { .. } => Some("save the letter in Word without a password".to_owned()),
            PackageError::TooLarge { .. } => Some(
                "if you do not know the file, do not open it; if you do, make it smaller in Word and save it again"
                    .to_owned(),
            ),
            PackageError::TooManyEntries { .. } | PackageError::UnsafeName { .. } => Some(
                "Word saves no letter like this: if you know the file, open it in Word and save it again"
                    .to_owned(),
            ),
        }
    }

    /// Returns the stable name of the error: the variant in kebab case.
    pub fn id(&self) -> &'static str {
        match self {
            PackageError::NotZip => "not-zip",
            PackageError::Damaged { .. } => "damaged",
            PackageError::Unreadable { .. } => "unreadable",
            PackageError::Method { .. } => "method",
            PackageError::Checksum { .. } => "checksum",
            PackageError::TooLarge { .. } => "too-large",
            PackageError::TooManyEntries { .. } => "too-many-entries",
            PackageError::Duplicate { .. } => "duplicate",
            PackageError::UnsafeName { .. } => "unsafe-name",
            PackageError::Missing { .. } => "missing",
            PackageError::OtherKind { .. } => "other-kind",
            PackageError::Macros { .. } => "macros",
            PackageError::Xml { .. } => "xml",
        }
    }
}
