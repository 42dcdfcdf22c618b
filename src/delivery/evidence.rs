//! Owns evidence: what a mail server wrote about messages of which nobody knew whether it had taken them.
//! Lines that say nothing of the kind are passed over.
//!
//! Source: Postfix's logging as its daemons write it (cleanup(8), qmgr(8), smtp(8)); the queue id ties the lines of a
//! message together.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead};

use uuid::Uuid;

use crate::delivery::bounce::message_key;
use crate::delivery::outcome::EnhancedStatus;

mod table;

pub use table::{EvidenceProblem, table};

/// The longest line that is looked at; what is longer is cut off.
const LINE_LIMIT_BYTES: u64 = 64 << 10;

/// The longest text that is kept.
const TEXT_LIMIT_CHARACTERS: usize = 500;

/// What a server wrote about one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The UUID of the message's Message-ID.
    pub message: Uuid,
    /// Whether the server took it; otherwise it refused or returned it.
    pub is_taken: bool,
    /// The reply code, where the text has one.
    pub code: Option<u16>,
    /// The enhanced status code, where there is one.
    pub status: Option<EnhancedStatus>,
    /// What the server wrote.
    pub text: String,
    /// Where it stands: "mail.log, line 12".
    pub source: String,
}

/// What the log says of a queue id, the stronger word last.
#[derive(Clone, Debug, Default)]
struct Queued {
    messages: BTreeSet<Uuid>,
    word: Option<Word>,
}

#[derive(Clone, Debug)]
struct Word {
    strength: u8,
    is_taken: bool,
    status: Option<EnhancedStatus>,
    text: String,
    line: usize,
}

/// Reads a Postfix log for the messages in `wanted`. `name` is the log's name in [`Evidence::source`].
///
/// A message that was sent on, or lies in the queue, was taken: what becomes of it then is told by a bounce. One that
/// the server returned, or refused at the final dot, was not. A Message-ID alone proves nothing: it is written before
/// the final dot. Where a queue id comes again later, the lines of the first message do not count for the second.
///
/// # Errors
///
/// A log that cannot be read.
pub fn postfix(
    log: &mut dyn BufRead,
    name: &str,
    wanted: &BTreeSet<Uuid>,
) -> Result<Vec<Evidence>, io::Error> {
    let mut queue: BTreeMap<String, Queued> = BTreeMap::new();
    let mut found: BTreeMap<Uuid, Word> = BTreeMap::new();
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        let n_bytes = io::Read::take(&mut *log, LINE_LIMIT_BYTES).read_until(b'\n', &mut bytes)?;
        if n_bytes == 0 {
            break;
        }
        let line = String::from_utf8_lossy(&bytes);
        let Some(Line { daemon, queue_id, said }) = Line::of(&line) else { continue };
        if daemon == "cleanup"
            && let Some(id) = said.strip_prefix("message-id=")
        {
            let message = message_key(id).filter(|message| wanted.contains(message));
            match message {
                Some(message) => {
                    let queued = queue.entry(queue_id.to_owned()).or_default();
                    queued.word = None;
                    queued.messages = BTreeSet::from([message]);
                }
                None => {
                    queue.remove(queue_id);
                }
            }
            continue;
        }
        let Some(queued) = queue.get_mut(queue_id) else { continue };
        let Some(word) = word(daemon, said, number) else { continue };
        if queued.word.as_ref().is_none_or(|known| known.strength <= word.strength) {
            for message in &queued.messages {
                let known = found.get(message);
                // The word of another attempt that was taken stands: the message is there.
                if known
                    .is_none_or(|known| !known.is_taken || word.is_taken || known.strength < word.strength)
                {
                    found.insert(*message, word.clone());
                }
            }
            queued.word = Some(word);
        }
    }
    let evidence = |(message, word): (Uuid, Word)| Evidence {
        message,
        is_taken: word.is_taken,
        code: reply_code(&word.text),
        status: word.status,
        text: word.text,
        source: format!("{name}, line {}", word.line),
    };
    Ok(found.into_iter().map(evidence).collect())
}

/// A line of the log: who says what of which queue id.
struct Line<'a> {
    daemon: &'a str,
    queue_id: &'a str,
    said: &'a str,
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Option<Line<'a>> {
        // "Mar  1 09:00:00 host postfix/cleanup[123]: 4Xq…: message-id=<…>"; instances are `postfix-out/smtp`, services
        // `postfix/submission/smtpd`.
        let (head, rest) = line.trim_end().split_once("]: ")?;
        let (program, _) = head.rsplit_once('[')?;
        let program = program.rsplit(' ').next()?;
        if !program.starts_with("postfix") {
            return None;
        }
        let (_, daemon) = program.rsplit_once('/')?;
        let (queue_id, said) = rest.split_once(": ")?;
        let is_id = !queue_id.is_empty() && queue_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_id.then_some(Line { daemon, queue_id, said: said.trim() })
    }
}

fn word(daemon: &str, said: &str, line: usize) -> Option<Word> {
    let text: String = said.chars().filter(|c| !c.is_control()).take(TEXT_LIMIT_CHARACTERS).collect();
    if let Some(rest) = value(said, "status=") {
        let status =
            value(said, "dsn=").and_then(|rest| rest.split([',', ' ']).next()).and_then(|it| it.parse().ok());
        let words = rest.split_once(" (").map(|(_, words)| words.trim_end_matches(')').to_owned());
        let (strength, is_taken) = match rest.split([' ', ',']).next()? {
            "sent" => (3, true),
            "bounced" | "undeliverable" => (3, false),
            "deferred" | "expired" => (2, true),
            _ => return None,
        };
        let text = words.map_or(text, |words| words.chars().take(TEXT_LIMIT_CHARACTERS).collect());
        return Some(Word { strength, is_taken, status, text, line });
    }
    match daemon {
        "qmgr" if said.contains("(queue active)") => {
            Some(Word { strength: 1, is_taken: true, status: None, text, line })
        }
        // A filter's refusal at the dot; the queue file is gone.
        "cleanup" if said.contains("reject: END-OF-MESSAGE") || said.starts_with("reject: body") => {
            let status = said.split([' ', ';', ':']).find_map(|word| word.parse().ok());
            Some(Word { strength: 3, is_taken: false, status, text, line })
        }
        _ => None,
    }
}

fn value<'a>(said: &'a str, key: &str) -> Option<&'a str> {
    let start = said.find(key)?;
    let is_at_word = said.get(..start)?.chars().next_back().is_none_or(|c| c == ' ');
    said.get(start + key.len()..).filter(|_| is_at_word)
}

/// Finds the reply code of the other server in "host mx.example.com said: 550 5.1.1 no such user" or "250 2.0.0 Ok".
fn reply_code(text: &str) -> Option<u16> {
    let behind = text.split_once("said: ").map_or(text, |(_, said)| said);
    let code: String = behind.chars().take_while(char::is_ascii_digit).collect();
    code.parse().ok().filter(|code| (200..600).contains(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0f8fad5b-d9cb-569f-a165-70867728950e";

    /// Reads a log of these lines, `{id}` being our message's, and tells what is known: taken, status, line.
    fn check(lines: &[&str], expected: Option<(bool, &str, &str)>) {
        let log = lines.iter().map(|line| format!("Mar  1 09:00:00 mx postfix/{line}\n")).collect::<String>();
        let log = log.replace("{id}", &format!("<{ID}@example.com>"));
        let wanted = BTreeSet::from([Uuid::try_parse(ID).unwrap()]);
        let found = postfix(&mut log.as_bytes(), "mail.log", &wanted).unwrap();
        let found = found.first().map(|evidence| {
            let status = evidence.status.map(|status| status.to_string()).unwrap_or_default();
            (evidence.is_taken, status, evidence.source.clone())
        });
        let expected = expected
            .map(|(is_taken, status, line)| (is_taken, status.to_owned(), format!("mail.log, line {line}")));
        assert_eq!(found, expected, "{log}");
    }

    const CLEANUP: &str = "cleanup[9]: 4XqB1z0: message-id={id}";
    const ACTIVE: &str = "qmgr[2]: 4XqB1z0: from=<post@example.com>, size=4321, nrcpt=1 (queue active)";
    const SENT: &str = "smtp[7]: 4XqB1z0: to=<a@b.example>, relay=mx.b.example[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 12)";
    const DEFERRED: &str = "smtp[7]: 4XqB1z0: to=<a@b.example>, relay=none, delay=1, dsn=4.4.1, status=deferred (connect to mx.b.example: timed out)";
    const BOUNCED: &str = "smtp[7]: 4XqB1z0: to=<a@b.example>, relay=mx.b.example[192.0.2.1]:25, dsn=5.1.1, status=bounced (host mx.b.example[192.0.2.1] said: 550 5.1.1 unknown (in reply to RCPT TO command))";

    #[test]
    fn the_lines_of_one_queue_id_tell_what_became_of_a_message() {
        check(&[CLEANUP, ACTIVE, SENT], Some((true, "2.0.0", "3")));
        check(&[CLEANUP, ACTIVE], Some((true, "", "2")));
        check(&[CLEANUP, ACTIVE, DEFERRED], Some((true, "4.4.1", "3")));
        check(&[CLEANUP, ACTIVE, DEFERRED, SENT], Some((true, "2.0.0", "4")));
        check(&[CLEANUP, ACTIVE, BOUNCED], Some((false, "5.1.1", "3")));
        let rejected = "cleanup[9]: 4XqB1z0: milter-reject: END-OF-MESSAGE from c[192.0.2.9]: 5.7.1 spam; from=<p@e.example>";
        check(&[CLEANUP, rejected], Some((false, "5.7.1", "2")));
    }

    #[test]
    fn what_proves_nothing_leaves_the_message_in_doubt() {
        check(&[CLEANUP], None);
        check(&[SENT], None);
        check(&[CLEANUP, "smtpd[3]: lost connection after DATA (4000 bytes) from c[192.0.2.9]"], None);
        let other = "cleanup[9]: 4XqB1z0: message-id=<other@example.com>";
        check(&[CLEANUP, other, ACTIVE, SENT], None);
        check(&["cleanup[9]: 4XqB1z0: message-id=<x>", SENT], None);
        check(&["", "x]: ", "cleanup[9]: : message-id={id}"], None);
    }

    #[test]
    fn a_message_that_was_taken_once_was_taken() {
        let again = SENT.replace("4XqB1z0", "5A");
        let id = CLEANUP.replace("4XqB1z0", "5A");
        check(&[CLEANUP, ACTIVE, SENT, &id, &BOUNCED.replace("4XqB1z0", "5A")], Some((true, "2.0.0", "3")));
        check(&[CLEANUP, ACTIVE, BOUNCED, &id, &again], Some((true, "2.0.0", "5")));
    }

    #[test]
    fn the_other_servers_reply_code_is_data() {
        assert_eq!(reply_code("250 2.0.0 Ok: queued as 12"), Some(250));
        assert_eq!(reply_code("host mx said: 550 5.1.1 unknown"), Some(550));
        assert_eq!(reply_code("connect to mx: timed out"), None);
    }
}
