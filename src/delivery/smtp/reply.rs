//! Owns reading of server replies: from bytes, however they are cut, to whole replies. Fails on what is no reply.

use crate::delivery::outcome::{EnhancedStatus, Reply};

/// The longest line that is taken. RFC 5321 §4.5.3.1.5 allows 512 bytes; servers are not that strict.
const LINE_LIMIT_BYTES: usize = 4_096;

/// How many lines one reply may have.
const LINES_LIMIT: usize = 256;

/// How much text of a reply is kept.
const TEXT_LIMIT_BYTES: usize = 2_000;

/// What comes from a server that speaks no SMTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// A line does not begin with three digits and a blank or hyphen.
    #[error("the server sent something that is no SMTP reply")]
    Malformed,
    /// The lines of one reply have different codes.
    #[error("the server sent a reply whose lines have different codes")]
    MixedCodes,
    /// A line, or the whole reply, is longer than any server's.
    #[error("the server sent a reply without end")]
    TooLong,
}

/// Puts replies together from bytes as they come.
#[derive(Debug, Default)]
pub struct ReplyReader {
    bytes: Vec<u8>,
    code: u16,
    n_lines: usize,
    text: String,
}

impl ReplyReader {
    /// Takes bytes that the server sent.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Tells whether nothing is left over: every byte was part of a reply that was taken.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.n_lines == 0
    }

    /// Returns the next whole reply; none while it is not complete.
    ///
    /// A line that ends with a line feed alone is taken too: some servers do that.
    ///
    /// # Errors
    ///
    /// [`ReplyError`]; nothing can be read from this server after that.
    ///
    /// Source: RFC 5321 §4.2 SMTP Replies, §4.2.1 Reply Code Severities and Theory.
    pub fn next_reply(&mut self) -> Result<Option<Reply>, ReplyError> {
        loop {
            let Some(end) = memchr::memchr(b'\n', &self.bytes) else {
                return if self.bytes.len() > LINE_LIMIT_BYTES { Err(ReplyError::TooLong) } else { Ok(None) };
            };
            if end > LINE_LIMIT_BYTES || self.n_lines == LINES_LIMIT {
                return Err(ReplyError::TooLong);
            }
            let mut line: Vec<u8> = self.bytes.drain(..=end).collect();
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            let (code, is_last, text) = parts(&line)?;
            if self.n_lines > 0 && code != self.code {
                return Err(ReplyError::MixedCodes);
            }
            self.code = code;
            self.n_lines += 1;
            if self.text.len() < TEXT_LIMIT_BYTES {
                if self.n_lines > 1 {
                    self.text.push('\n');
                }
                self.text.push_str(&String::from_utf8_lossy(text));
            }
            if is_last {
                self.n_lines = 0;
                return Ok(Some(reply(code, &std::mem::take(&mut self.text))));
            }
        }
    }
}

/// Splits a line into its code, whether it is the last of its reply, and its text.
fn parts(line: &[u8]) -> Result<(u16, bool, &[u8]), ReplyError> {
    let (digits, rest) = line.split_at_checked(3).ok_or(ReplyError::Malformed)?;
    let is_code = matches!(digits, [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9']);
    if !is_code {
        return Err(ReplyError::Malformed);
    }
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    match rest {
        [] => Ok((code, true, rest)),
        [b' ', text @ ..] => Ok((code, true, text)),
        [b'-', text @ ..] => Ok((code, false, text)),
        [..] => Err(ReplyError::Malformed),
    }
}

/// Makes a reply of its joined text: an enhanced status that every line repeats becomes a field of its own.
///
/// Source: RFC 2034 §4: the status comes first in the text of each line of a 2yz, 4yz or 5yz reply.
fn reply(code: u16, text: &str) -> Reply {
    let status_of = |line: &str| {
        let word = line.split(' ').next().unwrap_or_default();
        let status = word.parse::<EnhancedStatus>().ok()?;
        (u16::from(status.class) == code / 100).then_some((status, word.len()))
    };
    let mut end = text.len().min(TEXT_LIMIT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text[..end];
    let Some((enhanced, _)) = text.lines().next().and_then(status_of) else {
        return Reply { code, enhanced: None, text: text.to_owned() };
    };
    let without_status = |line: &str| match status_of(line) {
        Some((status, length)) if status == enhanced => line[length..].trim_start().to_owned(),
        Some(_) | None => line.to_owned(),
    };
    let lines: Vec<String> = text.split('\n').map(without_status).collect();
    Reply { code, enhanced: Some(enhanced), text: lines.join("\n") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<String>, ReplyError> {
        let mut reader = ReplyReader::default();
        reader.push(bytes);
        let mut replies = Vec::new();
        while let Some(reply) = reader.next_reply()? {
            let status = reply.enhanced.map(|status| status.to_string()).unwrap_or_default();
            replies.push(format!("{}|{status}|{}", reply.code, reply.text));
        }
        Ok(replies)
    }

    #[test]
    fn a_reply_has_a_code_a_status_and_a_text() {
        let check = |bytes: &str, expected: &[&str]| {
            assert_eq!(
                read(bytes.as_bytes()).as_deref(),
                Ok(&expected.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()[..]),
                "{bytes:?}"
            );
        };
        check("250 ok\r\n", &["250||ok"]);
        check("250\r\n", &["250||"]);
        check("250 2.0.0 queued as 17\r\n", &["250|2.0.0|queued as 17"]);
        check("550 5.1.1\r\n", &["550|5.1.1|"]);
        check("550-5.1.1 no such\r\n550 5.1.1 user\r\n", &["550|5.1.1|no such\nuser"]);
        check("250-mx\r\n250-SIZE 1000\r\n250 PIPELINING\r\n", &["250||mx\nSIZE 1000\nPIPELINING"]);
        check("250 4.0.0 of another class\r\n", &["250||4.0.0 of another class"]);
        check("354 go\r\n250 done\n", &["354||go", "250||done"]);
        check("250-not yet", &[]);
        check("", &[]);
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        let check = |bytes: &[u8], expected: ReplyError| assert_eq!(read(bytes), Err(expected), "{bytes:?}");
        check(b"HTTP/1.1 400 Bad Request\r\n", ReplyError::Malformed);
        check(b"25\r\n", ReplyError::Malformed);
        check(b"250ok\r\n", ReplyError::Malformed);
        check(b"650 ok\r\n", ReplyError::Malformed);
        check(b"\r\n", ReplyError::Malformed);
        check(b"250-a\r\n251 b\r\n", ReplyError::MixedCodes);
        check(&[b'2'; LINE_LIMIT_BYTES + 1], ReplyError::TooLong);
        check("250-x\r\n".repeat(LINES_LIMIT + 1).as_bytes(), ReplyError::TooLong);
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_the_bytes_are_cut(
            lines in proptest::collection::vec(("[2-5][0-9][0-9]", "[ -~]{0,60}"), 1..8),
            cuts in proptest::collection::vec(1_usize..9, 1..20),
        ) {
            let text: String = lines.iter().map(|(code, text)| format!("{code} {text}\r\n")).collect();
            let whole = read(text.as_bytes()).expect("they are replies");
            prop_assert_eq!(whole.len(), lines.len());
            let mut reader = ReplyReader::default();
            let mut pieces = Vec::new();
            let mut rest = text.as_bytes();
            for cut in cuts.iter().cycle() {
                let (piece, after) = rest.split_at((*cut).min(rest.len()));
                reader.push(piece);
                while let Some(reply) = reader.next_reply().expect("they are replies") {
                    pieces.push(reply.code);
                }
                rest = after;
                if rest.is_empty() {
                    break;
                }
            }
            let codes: Vec<u16> = lines.iter().map(|(code, _)| code.parse().expect("a code")).collect();
            prop_assert_eq!(pieces, codes);
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = read(&bytes);
        }
    }
}
