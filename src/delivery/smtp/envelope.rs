//! Owns a message as it goes over the line: the commands before it, its doubled dots, its final dot.

use crate::delivery::message::Message;
use crate::delivery::smtp::capabilities::Capabilities;

/// Returns MAIL, RCPT and DATA for a message, each with its end.
pub(in crate::delivery::smtp) fn commands(message: &Message, capabilities: &Capabilities) -> [Vec<u8>; 3] {
    let mut mail = format!("MAIL FROM:<{}>", message.sender());
    if capabilities.size.is_some() {
        mail.push_str(&format!(" SIZE={}", message.bytes().len()));
    }
    if capabilities.eight_bit_mime && !message.bytes().is_ascii() {
        mail.push_str(" BODY=8BITMIME");
    }
    if message.needs_smtputf8() {
        mail.push_str(" SMTPUTF8");
    }
    [
        format!("{mail}\r\n").into_bytes(),
        format!("RCPT TO:<{}>\r\n", message.recipient()).into_bytes(),
        b"DATA\r\n".to_vec(),
    ]
}

/// Returns a message as it goes over the line: dots at the beginning of lines doubled, and the final dot.
///
/// Source: RFC 5321 §4.5.2 Transparency.
pub(in crate::delivery::smtp) fn dot_stuffed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 512 + 16);
    if message.first() == Some(&b'.') {
        out.push(b'.');
    }
    let mut from = 0;
    for at in memchr::memmem::find_iter(message, b"\n.") {
        out.extend_from_slice(&message[from..=at]);
        out.push(b'.');
        from = at + 1;
    }
    out.extend_from_slice(&message[from..]);
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dots_at_the_beginning_of_lines_are_doubled() {
        let check = |text: &str, expected: &str| {
            assert_eq!(String::from_utf8_lossy(&dot_stuffed(text.as_bytes())), expected, "{text:?}");
        };
        check("a\r\n", "a\r\n.\r\n");
        check("a", "a\r\n.\r\n");
        check("", "\r\n.\r\n");
        check(".", "..\r\n.\r\n");
        check(".\r\n.\r\n", "..\r\n..\r\n.\r\n");
        check("a\r\n.b\r\n..c\r\nd.\r\n", "a\r\n..b\r\n...c\r\nd.\r\n.\r\n");
    }

    proptest! {
        #[test]
        fn what_a_server_unstuffs_is_what_was_sent(lines in proptest::collection::vec("[.a]{0,4}", 1..20)) {
            let message: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
            let stuffed = String::from_utf8(dot_stuffed(message.as_bytes())).expect("ASCII");
            let mut received = String::new();
            for line in stuffed.split_inclusive("\r\n") {
                if line == ".\r\n" {
                    break;
                }
                received.push_str(line.strip_prefix('.').unwrap_or(line));
            }
            prop_assert_eq!(received, message);
        }
    }
}
