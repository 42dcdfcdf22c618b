//! Owns barcodes that are drawn: QR codes as small pictures.

use std::io::Write;

use fast_qr::{ECL, QRBuilder};
use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::picture::Picture;

/// The light border around the code, in modules (ISO/IEC 18004 §6.3.8 Quiet zone).
const BORDER: usize = 4;
/// The width of a module in pixels: readers smooth what they enlarge.
const PIXELS: usize = 6;

/// How a QR code looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QrLook {
    pub(crate) level: Level,
    /// The colors of what is dark and what is light: red, green, blue.
    pub(crate) dark: [u8; 3],
    pub(crate) light: [u8; 3],
}

/// How much of a code may be damaged: the argument of `\q`, 0 to 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Low,
    Medium,
    Quartile,
    High,
}

/// Draws a QR code; none if the text is too long for one.
pub(crate) fn qr(text: &str, look: &QrLook) -> Option<Picture> {
    let level = match look.level {
        Level::Low => ECL::L,
        Level::Medium => ECL::M,
        Level::Quartile => ECL::Q,
        Level::High => ECL::H,
    };
    let code = QRBuilder::new(text).ecl(level).build().ok()?;
    let n_modules = code.size;
    let width = (n_modules + 2 * BORDER) * PIXELS;
    let is_dark = |x: usize, y: usize| {
        let inside = |at: usize| (at / PIXELS).checked_sub(BORDER).filter(|at| *at < n_modules);
        inside(x).zip(inside(y)).is_some_and(|(x, y)| code[y][x].value())
    };
    let mut lines = Vec::with_capacity((width / 8 + 2) * width);
    for y in 0..width {
        // The line is not filtered (PNG specification, third edition, §9.2); a bit a pixel.
        lines.push(0);
        for byte in 0..width.div_ceil(8) {
            lines.push((0..8).fold(0, |bits, bit| bits << 1 | u8::from(is_dark(byte * 8 + bit, y))));
        }
    }
    Picture::read(png(width, &lines, look)).ok()
}

/// A square PNG of two colors.
fn png(width: usize, lines: &[u8], look: &QrLook) -> Vec<u8> {
    let side = u32::try_from(width).unwrap_or(u32::MAX).to_be_bytes();
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    let packed = packed.write_all(lines).and_then(|()| packed.finish());
    let packed = packed.expect("writing into memory does not fail");
    // One bit, a palette.
    let header = [&side[..], &side, &[1, 3, 0, 0, 0]].concat();
    let palette = [look.light, look.dark].concat();
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [(b"IHDR", &header), (b"PLTE", &palette), (b"IDAT", &packed), (b"IEND", &Vec::new())]
    {
        bytes.extend_from_slice(&u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
        let start = bytes.len();
        bytes.extend_from_slice(kind);
        bytes.extend_from_slice(data);
        let crc = crc32fast::hash(&bytes[start..]);
        bytes.extend_from_slice(&crc.to_be_bytes());
    }
    bytes
}
