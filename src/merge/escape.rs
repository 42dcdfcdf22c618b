//! Owns how a value is written into the XML of a letter: into its text, or into the code of a field.

use super::xml;

/// Tells whether text stands as it is wherever it is written. Most does, so its bytes are looked up without a branch
/// between them.
pub(crate) fn is_plain(text: &str) -> bool {
    const ODD: [bool; 256] = {
        let mut odd = [false; 256];
        let mut byte = 0;
        while byte < 256 {
            // What is markup somewhere, and the first bytes of the characters that become elements or are forbidden.
            odd[byte] = byte < 0x20
                || matches!(byte as u8, b'<' | b'>' | b'&' | b'"' | b'\\' | 0x7F | 0xC2 | 0xE2 | 0xEF);
            byte += 1;
        }
        odd
    };
    !text.bytes().fold(false, |odd, byte| odd | ODD[usize::from(byte)])
}

/// Writes text into an open `w:t`: line breaks and tabs become elements, what XML forbids is left out.
pub(crate) fn escape_text(text: &str, prefix: &str, out: &mut Vec<u8>) {
    let mut previous = '\0';
    for character in text.chars() {
        let element = match character {
            '\n' if previous == '\r' => "",
            '\n' | '\r' | '\u{2028}' | '\u{2029}' | '\u{B}' => "br",
            '\t' => "tab",
            '\u{2011}' => "noBreakHyphen",
            '\u{AD}' => "softHyphen",
            other => {
                xml::escape_character(other, out);
                previous = character;
                continue;
            }
        };
        previous = character;
        if !element.is_empty() {
            let prefix = prefix.as_bytes();
            let pieces: [&[u8]; 9] = [
                b"</",
                prefix,
                b"t><",
                prefix,
                element.as_bytes(),
                b"/><",
                prefix,
                b"t xml:space=\"preserve\"",
                b">",
            ];
            pieces.iter().for_each(|piece| out.extend_from_slice(piece));
        }
    }
}

/// Writes text into the code of a field, where quotes and backslashes are escaped and lines do not break.
pub(crate) fn escape_code(text: &str, out: &mut Vec<u8>) {
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                out.push(b'\\');
                xml::escape_character(character, out);
            }
            '\r' | '\n' | '\t' => out.push(b' '),
            other => xml::escape_character(other, out),
        }
    }
}
