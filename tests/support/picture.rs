//! Makes small pictures: real files of a width and height, all in one color.

use std::io::Write;

/// A PNG, by its three chunks (PNG specification, third edition, §5.6).
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8; 4], data: &[u8]| {
        bytes.extend_from_slice(&(data.len() as u32).to_be_bytes());
        let start = bytes.len();
        bytes.extend_from_slice(kind);
        bytes.extend_from_slice(data);
        let crc = crc32fast::hash(&bytes[start..]);
        bytes.extend_from_slice(&crc.to_be_bytes());
    };
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    // 8 bits, RGB.
    header.extend_from_slice(&[8, 2, 0, 0, 0]);
    chunk(b"IHDR", &header);
    let line = [vec![0], [200, 30, 60].repeat(width as usize)].concat();
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&line.repeat(height as usize)).expect("writing into memory does not fail");
    chunk(b"IDAT", &encoder.finish().expect("writing into memory does not fail"));
    chunk(b"IEND", &[]);
    bytes
}

/// The head of a JPEG of 300 dots per inch: enough to be embedded, not to be shown.
pub(crate) fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = b"\xFF\xD8\xFF\xE0\x00\x10JFIF\0\x01\x02\x01\x01\x2C\x01\x2C\0\0".to_vec();
    bytes.extend_from_slice(b"\xFF\xC0\x00\x11\x08");
    bytes.extend_from_slice(&height.to_be_bytes());
    bytes.extend_from_slice(&width.to_be_bytes());
    bytes.extend_from_slice(b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01\xFF\xD9");
    bytes
}
