//! Owns addresses outside that values make: what is escaped in them, and where no letter may lead to.

use std::fmt::Write;

/// The schemes that an address may have.
const SCHEMES: [&str; 6] = ["http", "https", "mailto", "tel", "sms", "ftp"];

/// Appends a value to an address. As a whole it is an address itself, of which only what no URI has is escaped; else it
/// is a part of one, in which all but letters, digits and `-._~/` is escaped (RFC 3986 §2.2 and §2.3).
pub(crate) fn append(value: &str, is_whole: bool, address: &mut String) {
    let value = value.trim();
    let mut buffer = [0; 4];
    for (at, character) in value.char_indices() {
        let stays = match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' | '_' | '~' | '/' => true,
            '%' => is_whole && is_escape(value.get(at..at + 3).unwrap_or_default()),
            _ => is_whole && ":?#[]@!$&'()*+,;=".contains(character),
        };
        if stays {
            address.push(character);
        } else {
            for byte in character.encode_utf8(&mut buffer).bytes() {
                write!(address, "%{byte:02X}").expect("writing to a string succeeds");
            }
        }
    }
}

/// Tells whether a reader may be led to an address: it has no scheme, or one of the web, of mail or of telephones.
pub(crate) fn is_harmless(address: &str) -> bool {
    let end = address.find([':', '/', '?', '#']).filter(|end| address[*end..].starts_with(':'));
    end.is_none_or(|end| SCHEMES.iter().any(|scheme| address[..end].eq_ignore_ascii_case(scheme)))
}

fn is_escape(text: &str) -> bool {
    text.len() == 3 && text[1..].bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(start: &str, value: &str, expected: &str) {
        let mut address = start.to_owned();
        append(value, start.is_empty(), &mut address);
        assert_eq!(address, expected, "{value}");
    }

    #[test]
    fn a_whole_address_keeps_its_marks() {
        check("", "https://example.com/a?b=c&d=e#f", "https://example.com/a?b=c&d=e#f");
        check("", " https://example.com/Zürich 1 ", "https://example.com/Z%C3%BCrich%201");
        check("", "https://example.com/%20", "https://example.com/%20");
        check("", "https://example.com/100%", "https://example.com/100%25");
        check("", "https://example.com/\"<>", "https://example.com/%22%3C%3E");
    }

    #[test]
    fn a_part_of_an_address_stays_a_part() {
        check("https://example.com/?q=", "a&b=c d", "https://example.com/?q=a%26b%3Dc%20d");
        check("https://example.com/", "2026/may", "https://example.com/2026/may");
        check("https://example.com/", "%20", "https://example.com/%2520");
    }

    #[test]
    fn only_harmless_schemes_are_followed() {
        for address in
            ["https://a", "HTTP://a", "mailto:a@b", "tel:+41", "www.example.com", "/a:b", "?a:b", ""]
        {
            assert!(is_harmless(address), "{address}");
        }
        for address in ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "vbscript:x", ":x"] {
            assert!(!is_harmless(address), "{address}");
        }
    }
}
