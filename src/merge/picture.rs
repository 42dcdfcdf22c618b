//! Owns pictures: what kind a file is and how large it is shown, read from its bytes and never from its name. Fails on
//! what is no picture that Word shows.

mod density;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use imagesize::ImageType;
use sha2::{Digest, Sha256};

/// English Metric Units in an inch (ECMA-376 Part 1 §20.1.2.1 EMU Unit of Measurement).
pub(crate) const EMU_PER_INCH: u64 = 914_400;
/// The dots per inch of a picture that does not say; Word takes the screen's.
const DEFAULT_DPI: f64 = 96.0;
/// The largest picture file that goes into a letter, in bytes.
pub const LIMIT_BYTES: u64 = 64 << 20;

/// Why bytes are no picture for a letter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// The bytes are of no kind that Word shows everywhere.
    #[error("it is no PNG, JPEG, GIF, BMP, TIFF, EMF or WMF picture")]
    UnknownKind,
    /// The head of the file is damaged, so that its size is not known.
    #[error("its width and height cannot be read")]
    Damaged,
    /// The picture has no width or no height.
    #[error("it is empty")]
    Empty,
    /// The file is larger than a letter takes.
    #[error("it has {n_bytes} bytes, more than {LIMIT_BYTES}")]
    TooLarge {
        /// Its size.
        n_bytes: u64,
    },
}

impl PictureError {
    /// Returns what to do about it.
    pub fn help(&self) -> String {
        match self {
            PictureError::UnknownKind => "save the picture as PNG or JPEG".to_owned(),
            PictureError::Damaged | PictureError::Empty => {
                "open the picture in an image program and save it again".to_owned()
            }
            PictureError::TooLarge { .. } => "save the picture with fewer pixels".to_owned(),
        }
    }

    /// Returns the stable name of the error: the variant in kebab case.
    pub fn id(&self) -> &'static str {
        match self {
            PictureError::UnknownKind => "unknown-kind",
            PictureError::Damaged => "damaged",
            PictureError::Empty => "empty",
            PictureError::TooLarge { .. } => "too-large",
        }
    }
}

/// A kind of picture that Word shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PictureKind {
    /// Portable Network Graphics.
    Png,
    /// JPEG.
    Jpeg,
    /// GIF.
    Gif,
    /// A Windows bitmap.
    Bmp,
    /// TIFF.
    Tiff,
    /// An enhanced Windows metafile.
    Emf,
    /// A Windows metafile.
    Wmf,
}

impl PictureKind {
    pub(crate) const ALL: [PictureKind; 7] = [
        PictureKind::Png,
        PictureKind::Jpeg,
        PictureKind::Gif,
        PictureKind::Bmp,
        PictureKind::Tiff,
        PictureKind::Emf,
        PictureKind::Wmf,
    ];

    /// Returns the ending of a part that holds such a picture.
    pub fn extension(self) -> &'static str {
        match self {
            PictureKind::Png => "png",
            PictureKind::Jpeg => "jpeg",
            PictureKind::Gif => "gif",
            PictureKind::Bmp => "bmp",
            PictureKind::Tiff => "tiff",
            PictureKind::Emf => "emf",
            PictureKind::Wmf => "wmf",
        }
    }

    /// Returns the media type.
    pub fn media_type(self) -> &'static str {
        match self {
            PictureKind::Png => "image/png",
            PictureKind::Jpeg => "image/jpeg",
            PictureKind::Gif => "image/gif",
            PictureKind::Bmp => "image/bmp",
            PictureKind::Tiff => "image/tiff",
            PictureKind::Emf => "image/x-emf",
            PictureKind::Wmf => "image/x-wmf",
        }
    }
}

/// The width and height of something shown, in English Metric Units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The width.
    pub width: u64,
    /// The height.
    pub height: u64,
}

/// A picture, understood once and shared by all letters that show it.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    content: Arc<Content>,
}

#[derive(Debug, PartialEq)]
struct Content {
    bytes: Vec<u8>,
    /// The same deflated, where that pays.
    packed: Option<Vec<u8>>,
    crc: u32,
    kind: PictureKind,
    extent: Extent,
    name: String,
}

impl Picture {
    /// Understands the bytes of a picture file.
    ///
    /// # Errors
    ///
    /// What is no picture, is damaged or empty, or larger than [`LIMIT_BYTES`].
    pub fn read(bytes: Vec<u8>) -> Result<Picture, PictureError> {
        let n_bytes = bytes.len() as u64;
        if n_bytes > LIMIT_BYTES {
            return Err(PictureError::TooLarge { n_bytes });
        }
        let (kind, extent) = natural(&bytes)?;
        let packed = match kind {
            PictureKind::Bmp | PictureKind::Tiff | PictureKind::Emf | PictureKind::Wmf => {
                Some(deflate(&bytes)).filter(|packed| packed.len() < bytes.len())
            }
            PictureKind::Png | PictureKind::Jpeg | PictureKind::Gif => None,
        };
        let digest = Sha256::digest(&bytes);
        let stem: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let name = format!("picture-{stem}.{}", kind.extension());
        let crc = crc32fast::hash(&bytes);
        Ok(Picture { content: Arc::new(Content { bytes, packed, crc, kind, extent, name }) })
    }

    /// Returns the bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        &self.content.bytes
    }

    /// Returns the kind.
    pub fn kind(&self) -> PictureKind {
        self.content.kind
    }

    /// Returns the size in which it is shown where nothing else is asked for: by the dots per inch that the file tells.
    pub fn extent(&self) -> Extent {
        self.content.extent
    }

    /// Returns the name of its part within the folder for media; the same bytes have the same name.
    pub fn part_name(&self) -> &str {
        &self.content.name
    }

    pub(crate) fn crc(&self) -> u32 {
        self.content.crc
    }

    /// The bytes as a zip archive has them; whether they are deflated.
    pub(crate) fn packed(&self) -> (&[u8], bool) {
        match &self.content.packed {
            Some(packed) => (packed, true),
            None => (&self.content.bytes, false),
        }
    }

    pub(crate) fn is_same(&self, other: &Picture) -> bool {
        Arc::ptr_eq(&self.content, &other.content) || self.content.name == other.content.name
    }
}

/// The pictures that a letter may show, by the names that its values give them. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Pictures {
    /// None for no picture, which costs nothing.
    by_name: Option<Arc<BTreeMap<String, Picture>>>,
}

impl Pictures {
    /// Returns the picture of a name.
    pub fn get(&self, name: &str) -> Option<&Picture> {
        self.by_name.as_ref()?.get(name)
    }
}

impl FromIterator<(String, Picture)> for Pictures {
    fn from_iter<I: IntoIterator<Item = (String, Picture)>>(pictures: I) -> Pictures {
        let by_name: BTreeMap<String, Picture> = pictures.into_iter().collect();
        Pictures { by_name: (!by_name.is_empty()).then(|| Arc::new(by_name)) }
    }
}

/// Finds out what kind of picture the bytes are, and its natural size.
fn natural(bytes: &[u8]) -> Result<(PictureKind, Extent), PictureError> {
    if let Some((kind, extent)) = density::metafile(bytes) {
        let is_empty = extent.width == 0 || extent.height == 0;
        return if is_empty { Err(PictureError::Empty) } else { Ok((kind, extent)) };
    }
    let kind = match imagesize::image_type(bytes) {
        Ok(ImageType::Png) => PictureKind::Png,
        Ok(ImageType::Jpeg) => PictureKind::Jpeg,
        Ok(ImageType::Gif) => PictureKind::Gif,
        Ok(ImageType::Bmp) => PictureKind::Bmp,
        Ok(ImageType::Tiff) => PictureKind::Tiff,
        Ok(_) | Err(_) => return Err(PictureError::UnknownKind),
    };
    let size = imagesize::blob_size(bytes).map_err(|_| PictureError::Damaged)?;
    if size.width == 0 || size.height == 0 {
        return Err(PictureError::Empty);
    }
    let density = density::of(kind, bytes);
    let (x, y) =
        density.filter(|(x, y)| is_likely(*x) && is_likely(*y)).unwrap_or((DEFAULT_DPI, DEFAULT_DPI));
    let emu = |pixels: usize, dpi: f64| ((pixels as f64 / dpi * EMU_PER_INCH as f64).round() as u64).max(1);
    Ok((kind, Extent { width: emu(size.width, x), height: emu(size.height, y) }))
}

/// Tells whether somebody may have meant these dots per inch.
fn is_likely(dpi: f64) -> bool {
    (1.0..=100_000.0).contains(&dpi)
}

fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).and_then(|()| encoder.finish()).expect("writing into memory does not fail")
}
