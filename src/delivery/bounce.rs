//! Owns what comes back: delivery reports and complaints, from the bytes of a message to what it says of ours.
//! Never fails: what is no report is none.
//!
//! Sources: RFC 3464 Delivery Status Notifications; RFC 5965 Abuse Feedback Reporting Format; RFC 3463 for the codes.

use jiff::Timestamp;
use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders, PartType};
use uuid::Uuid;

use crate::delivery::outbox::sha256;
use crate::delivery::outcome::EnhancedStatus;
use crate::delivery::suppression::SuppressionReason;

mod source;

pub use source::{SourceError, each_message};

/// The longest text of a report that is kept.
const TEXT_LIMIT_CHARACTERS: usize = 1_000;

/// A report about one of our messages, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The report's own Message-ID, without angle brackets; a digest of its bytes where it has none.
    pub id: String,
    /// When it was written.
    pub at: Option<Timestamp>,
    /// Which messages it may be about: the UUIDs of Message-IDs that it returns, and those of bounce addresses.
    pub messages: Vec<Uuid>,
    /// What it says of each recipient.
    pub recipients: Vec<Reported>,
}

/// What a report says of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// What happened.
    pub kind: Kind,
    /// The enhanced status code.
    pub status: Option<EnhancedStatus>,
    /// The recipient, as the report has it.
    pub recipient: String,
    /// What the server said.
    pub diagnostic: String,
}

/// What happened to a message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It was not delivered and will not be.
    Failed,
    /// It was not delivered yet; the server goes on trying.
    Delayed,
    /// It was delivered, or handed on to a system that reports no further.
    Delivered,
    /// The reader called it spam.
    Complaint,
    /// The reader asked for no more.
    OptOut,
}

impl Kind {
    /// Returns the kind's name, in kebab case.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Failed => "failed",
            Kind::Delayed => "delayed",
            Kind::Delivered => "delivered",
            Kind::Complaint => "complaint",
            Kind::OptOut => "opt-out",
        }
    }
}

impl Reported {
    /// Returns why the address is to be written to no more, if it is.
    ///
    /// A failure counts as hard only if its code is permanent and means the address: a full mailbox, a message that is
    /// too large or a policy does not. Where there is no code, nobody knows.
    pub fn suppression(&self) -> Option<SuppressionReason> {
        match self.kind {
            Kind::Failed => self.status.filter(means_address).map(|_| SuppressionReason::HardBounce),
            Kind::Complaint => Some(SuppressionReason::Complaint),
            Kind::OptOut => Some(SuppressionReason::Unsubscribe),
            Kind::Delayed | Kind::Delivered => None,
        }
    }
}

/// Tells whether a code says that the address is no good: 5.1.x, but for the sender's own (5.1.7, 5.1.8); a mailbox
/// that is disabled (5.2.1); a domain without a host (5.4.4).
///
/// Source: RFC 3463 §3.2 to §3.5; RFC 7505 §4 for 5.1.10.
fn means_address(status: &EnhancedStatus) -> bool {
    status.class == 5
        && match (status.subject, status.detail) {
            (1, 7 | 8) => false,
            (1, _) | (2, 1) | (4, 4) => true,
            _ => false,
        }
}

/// Reads a report; none where the message is something else.
pub fn read(bytes: &[u8]) -> Option<Report> {
    let message = MessageParser::default().parse(bytes)?;
    let mut report = Report {
        id: message.message_id().map_or_else(|| format!("sha256:{}", sha256(bytes)), str::to_owned),
        at: message.date().and_then(|date| Timestamp::from_second(date.to_timestamp()).ok()),
        messages: Vec::new(),
        recipients: Vec::new(),
    };
    for part in &message.parts {
        match content_type(part).as_str() {
            "message/delivery-status" | "message/global-delivery-status" => {
                report.recipients.extend(delivery_status(&text_of(part, &message)));
            }
            "message/feedback-report" => report.recipients.extend(feedback(&text_of(part, &message))),
            "message/rfc822" | "message/global" | "text/rfc822-headers" | "message/global-headers" => {
                let returned = text_of(part, &message);
                report
                    .add_message(fields(&returned).find(|(name, _)| name == "message-id").map(|(_, id)| id));
            }
            _ => {}
        }
    }
    if report.recipients.is_empty() {
        return None;
    }
    // The bounce address tells the message even where nothing of it comes back.
    for name in ["To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To"] {
        for (header, value) in message.headers_raw() {
            if header.eq_ignore_ascii_case(name) {
                report.messages.extend(tokens(value));
            }
        }
    }
    for part in &message.parts {
        if content_type(part) == "message/feedback-report" {
            let text = text_of(part, &message);
            let from = fields(&text).filter(|(name, _)| name == "original-mail-from");
            report.messages.extend(from.flat_map(|(_, value)| tokens(&value)));
        }
    }
    let mut seen = Vec::new();
    report.messages.retain(|message| {
        !seen.contains(message) && {
            seen.push(*message);
            true
        }
    });
    Some(report)
}

impl Report {
    fn add_message(&mut self, id: Option<String>) {
        self.messages.extend(id.as_deref().and_then(message_key));
    }
}

/// Returns the UUID of one of our Message-IDs, with or without angle brackets; none of another's.
pub fn message_key(message_id: &str) -> Option<Uuid> {
    let id = message_id.trim().trim_start_matches('<');
    let (key, _) = id.split_once('@')?;
    Uuid::try_parse(key).ok()
}

/// Returns the runs of exactly 32 hexadecimal digits in a text: what may be the token of a bounce address.
fn tokens(text: &str) -> Vec<Uuid> {
    let words = text.split(|c: char| !c.is_ascii_hexdigit()).filter(|word| word.len() == 32);
    words.filter_map(|word| Uuid::try_parse(word).ok()).collect()
}

fn content_type(part: &MessagePart<'_>) -> String {
    let Some(kind) = part.content_type() else { return String::new() };
    let subtype = kind.subtype().unwrap_or_default();
    format!("{}/{subtype}", kind.ctype()).to_ascii_lowercase()
}

/// Returns the content of a part as text: of a message within, all of it.
fn text_of(part: &MessagePart<'_>, message: &Message<'_>) -> String {
    match &part.body {
        PartType::Text(text) | PartType::Html(text) => text.to_string(),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        PartType::Message(within) => String::from_utf8_lossy(within.raw_message()).into_owned(),
        PartType::Multipart(_) => {
            let (start, end) = (part.offset_body as usize, part.offset_end as usize);
            String::from_utf8_lossy(message.raw_message().get(start..end).unwrap_or_default()).into_owned()
        }
    }
}

/// Reads a delivery status: a group of fields for the message, then one for each recipient.
fn delivery_status(text: &str) -> Vec<Reported> {
    let groups = text.replace("\r\n", "\n");
    groups.split("\n\n").filter_map(|group| recipient(group.trim_start_matches('\n'))).collect()
}

fn recipient(group: &str) -> Option<Reported> {
    let value = |name: &str| fields(group).find(|(field, _)| field == name).map(|(_, value)| value);
    let recipient = value("final-recipient").or_else(|| value("original-recipient"));
    let action = value("action").unwrap_or_default().to_ascii_lowercase();
    let diagnostic = value("diagnostic-code").unwrap_or_default();
    if recipient.is_none() && action.is_empty() {
        return None;
    }
    let written = value("status").and_then(|text| first_status(&text));
    // Exchange writes a general code into the field and the precise one into the text of its server.
    let said = first_status(&diagnostic);
    let status = match (written, said) {
        (Some(written), Some(said)) if written.detail == 0 && said.class == written.class => Some(said),
        (written, said) => written.or(said),
    };
    let kind = match (action.as_str(), status) {
        ("delayed", _) => Kind::Delayed,
        ("delivered" | "relayed" | "expanded", _) => Kind::Delivered,
        ("failed", _) => Kind::Failed,
        (_, Some(EnhancedStatus { class: 2, .. })) => Kind::Delivered,
        (_, Some(EnhancedStatus { class: 4, .. })) => Kind::Delayed,
        _ => Kind::Failed,
    };
    Some(Reported {
        kind,
        status,
        recipient: short(&of_its_type(&recipient.unwrap_or_default())),
        diagnostic: short(&of_its_type(&diagnostic)),
    })
}

fn feedback(text: &str) -> Option<Reported> {
    let value = |name: &str| fields(text).find(|(field, _)| field == name).map(|(_, value)| value);
    let feedback = value("feedback-type")?.to_ascii_lowercase();
    let kind = match feedback.as_str() {
        "not-spam" => Kind::Delivered,
        "opt-out" | "opt-out-list" => Kind::OptOut,
        _ => Kind::Complaint,
    };
    let recipient = value("original-rcpt-to").unwrap_or_default();
    Some(Reported {
        kind,
        status: None,
        recipient: short(recipient.trim_matches(['<', '>'])),
        diagnostic: short(&feedback),
    })
}

/// Returns the fields of a header: names in small letters, values unfolded. Ends at the first empty line.
fn fields(text: &str) -> impl Iterator<Item = (String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if line.trim().is_empty() {
            break;
        }
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = found.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            found.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    found.into_iter()
}

/// Returns what stands behind the type in `rfc822; anna@example.com`.
fn of_its_type(value: &str) -> String {
    value.split_once(';').map_or(value, |(_, rest)| rest).trim().trim_matches(['<', '>']).to_owned()
}

/// Finds the first enhanced status code in a text such as `smtp; 550 5.1.1 unknown` or `5.0.0 (permanent failure)`.
fn first_status(text: &str) -> Option<EnhancedStatus> {
    let is_outside = |c: char| !c.is_ascii_digit() && c != '.';
    text.split(is_outside).find_map(|word| word.trim_end_matches('.').parse().ok())
}

/// One line without control characters, not too long.
fn short(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(TEXT_LIMIT_CHARACTERS).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suppression(kind: Kind, status: &str) -> Option<SuppressionReason> {
        let (recipient, diagnostic) = (String::new(), String::new());
        Reported { kind, status: status.parse().ok(), recipient, diagnostic }.suppression()
    }

    #[test]
    fn only_a_permanent_code_that_means_the_address_is_hard() {
        let hard = Some(SuppressionReason::HardBounce);
        for (status, expected) in [
            ("5.1.1", hard),
            ("5.1.0", hard),
            ("5.1.10", hard),
            ("5.2.1", hard),
            ("5.4.4", hard),
            ("5.1.8", None),
            ("5.2.2", None),
            ("5.7.1", None),
            ("5.0.0", None),
            ("4.1.1", None),
            ("4.4.7", None),
            ("", None),
        ] {
            assert_eq!(suppression(Kind::Failed, status), expected, "{status}");
        }
        assert_eq!(suppression(Kind::Delayed, "5.1.1"), None);
        assert_eq!(suppression(Kind::Complaint, ""), Some(SuppressionReason::Complaint));
        assert_eq!(suppression(Kind::OptOut, ""), Some(SuppressionReason::Unsubscribe));
    }

    #[test]
    fn a_code_is_found_where_servers_write_it() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(first_status(text).map(|status| status.to_string()).as_deref(), expected, "{text}");
        };
        check("5.1.1", Some("5.1.1"));
        check("5.0.0 (permanent failure)", Some("5.0.0"));
        check("smtp; 550-5.1.1 The email account does not exist", Some("5.1.1"));
        check("smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found", Some("5.1.10"));
        check("smtp; 550 no such user at 192.0.2.1", None);
        check("", None);
    }

    #[test]
    fn our_ids_and_tokens_are_told_from_others() {
        let id = "0f8fad5b-d9cb-569f-a165-70867728950e";
        let key = Uuid::try_parse(id).ok();
        assert_eq!(message_key(&format!("<{id}@example.com>")), key);
        assert_eq!(message_key(&format!("{id}@example.com")), key);
        assert_eq!(message_key("<abc@example.com>"), None);
        assert_eq!(message_key(id), None);
        let token = id.replace('-', "");
        assert_eq!(tokens(&format!("Post <bounce+{token}@example.com>")), [key.unwrap()]);
        assert!(tokens(&format!("{token}0@example.com")).is_empty());
    }
}
