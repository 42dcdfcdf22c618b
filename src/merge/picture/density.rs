//! Owns what picture files tell of their size on paper: dots per inch, and the frames of metafiles.

use super::{EMU_PER_INCH, Extent, PictureKind};

const CM_PER_INCH: f64 = 2.54;
const METERS_PER_INCH: f64 = 0.0254;

/// The dots per inch, across and down, if the file tells them.
pub(super) fn of(kind: PictureKind, bytes: &[u8]) -> Option<(f64, f64)> {
    match kind {
        PictureKind::Png => png(bytes),
        PictureKind::Jpeg => jpeg(bytes),
        PictureKind::Bmp => bmp(bytes),
        PictureKind::Tiff => tiff(bytes),
        PictureKind::Gif | PictureKind::Emf | PictureKind::Wmf => None,
    }
}

/// The chunk `pHYs`, which stands before the image data (PNG specification, third edition, §11.3.4.3).
fn png(bytes: &[u8]) -> Option<(f64, f64)> {
    let mut at = 8;
    loop {
        let length = u32::from_be_bytes(array(bytes, at)?) as usize;
        match &array::<4>(bytes, at + 4)? {
            b"pHYs" => {
                let is_meters = *bytes.get(at + 16)? == 1;
                let dots = |at| Some(f64::from(u32::from_be_bytes(array(bytes, at)?)) * METERS_PER_INCH);
                return Some((dots(at + 8)?, dots(at + 12)?)).filter(|_| is_meters);
            }
            b"IDAT" => return None,
            _ => at = at.checked_add(length)?.checked_add(12)?,
        }
    }
}

/// The density of the `JFIF` segment (ITU-T T.871 §10.1).
fn jpeg(bytes: &[u8]) -> Option<(f64, f64)> {
    let mut at = 2;
    loop {
        let marker = array::<2>(bytes, at)?;
        if marker[0] != 0xFF || marker[1] == 0xDA {
            return None;
        }
        let length = usize::from(u16::from_be_bytes(array(bytes, at + 2)?));
        if marker[1] == 0xE0 && array::<5>(bytes, at + 4)? == *b"JFIF\0" {
            let dots = |at| Some(f64::from(u16::from_be_bytes(array(bytes, at)?)));
            let factor = match bytes.get(at + 11)? {
                1 => 1.0,
                2 => CM_PER_INCH,
                _ => return None,
            };
            return Some((dots(at + 12)? * factor, dots(at + 14)? * factor));
        }
        at = at.checked_add(length.max(2))?.checked_add(2)?;
    }
}

/// `biXPelsPerMeter` and `biYPelsPerMeter` of the `BITMAPINFOHEADER`.
fn bmp(bytes: &[u8]) -> Option<(f64, f64)> {
    let header = u32::from_le_bytes(array(bytes, 14)?);
    let dots = |at| Some(f64::from(u32::from_le_bytes(array(bytes, at)?)) * METERS_PER_INCH);
    if header < 40 { None } else { Some((dots(38)?, dots(42)?)) }
}

/// The tags `XResolution`, `YResolution` and `ResolutionUnit` of the first directory (TIFF 6.0, section 8).
fn tiff(bytes: &[u8]) -> Option<(f64, f64)> {
    let is_little = bytes.starts_with(b"II");
    let short = |at| {
        let bytes = array(bytes, at)?;
        Some(if is_little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    };
    let long = |at| {
        let bytes = array(bytes, at)?;
        Some(if is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    };
    let directory = long(4)? as usize;
    let (mut x, mut y, mut unit) = (None, None, 2);
    for number in 0..usize::from(short(directory)?) {
        let at = directory.checked_add(2 + number * 12)?;
        let rational = || {
            let at = long(at + 8)? as usize;
            Some(f64::from(long(at)?) / f64::from(long(at.checked_add(4)?)?))
        };
        match short(at)? {
            282 => x = rational(),
            283 => y = rational(),
            296 => unit = short(at + 8)?,
            _ => {}
        }
    }
    let factor = match unit {
        2 => 1.0,
        3 => CM_PER_INCH,
        _ => return None,
    };
    Some((x? * factor, y? * factor))
}

/// The size of a metafile: the frame of an EMF (`[MS-EMF]` 2.3.4.2), the bounds of a placeable WMF (`[MS-WMF]` 2.3.2.3).
pub(super) fn metafile(bytes: &[u8]) -> Option<(PictureKind, Extent)> {
    if bytes.starts_with(&[1, 0, 0, 0]) && array::<4>(bytes, 40)? == *b" EMF" {
        let side = |from, to| {
            let from = i64::from(i32::from_le_bytes(array(bytes, from)?));
            let to = i64::from(i32::from_le_bytes(array(bytes, to)?));
            // In hundredths of a millimeter, of 360 units each.
            Some(from.abs_diff(to) * 360)
        };
        return Some((PictureKind::Emf, Extent { width: side(24, 32)?, height: side(28, 36)? }));
    }
    if bytes.starts_with(&[0xD7, 0xCD, 0xC6, 0x9A]) {
        let per_inch = u64::from(u16::from_le_bytes(array(bytes, 14)?)).max(1);
        let side = |from, to| {
            let from = i64::from(i16::from_le_bytes(array(bytes, from)?));
            let to = i64::from(i16::from_le_bytes(array(bytes, to)?));
            Some(from.abs_diff(to) * EMU_PER_INCH / per_inch)
        };
        return Some((PictureKind::Wmf, Extent { width: side(6, 10)?, height: side(8, 12)? }));
    }
    None
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}
