//! Owns one RFC 5322 message per line: from a draft to bytes that a server takes, the same bytes every time.
//! Fails on a draft that cannot become a message; addresses are judged earlier, when they are parsed.

use std::fmt::{self, Write};
use std::time::{Duration, SystemTime};

use email_encoding::headers::writer::EmailWriter;
use email_encoding::headers::{quoted_string, rfc2047};
use jiff::Timestamp;
use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment as Part, MultiPart, SinglePart};
use uuid::Uuid;

use crate::delivery::mailbox::{Address, Mailbox, one_line};

pub use crate::setup::mail::Automatic;

/// The longest run of characters without a blank that a header carries as it is; longer ones are encoded.
///
/// With any header name before it such a word keeps its line below the 78 of RFC 5322 §2.1.1.
const WORD_LIMIT_BYTES: usize = 60;

/// The longest unsubscribe address; one line of a header holds 998 bytes at most (RFC 5322 §2.1.1).
const UNSUBSCRIBE_LIMIT_BYTES: usize = 900;

/// What a message is made of. Texts may hold anything; what a header cannot carry is cleaned on the way.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    /// Who sends it.
    pub from: &'a Mailbox,
    /// Who reads it.
    pub to: &'a Mailbox,
    /// Where an answer goes, if not to the sender.
    pub reply_to: Option<&'a Mailbox>,
    /// Where bounces go, if not to the sender: the envelope's sender (RFC 5321 §2.3.1).
    pub bounce_to: Option<&'a Address>,
    /// The subject.
    pub subject: &'a str,
    /// The moment of the run; written in UTC, to the second.
    pub date: Timestamp,
    /// The message's name, the same at every attempt.
    pub message_id: &'a MessageId,
    /// The text to read.
    pub body: Body<'a>,
    /// Documents that go along, in their order.
    pub attachments: &'a [Attachment<'a>],
    /// How to be written to no more.
    pub unsubscribe: &'a Unsubscribe,
    /// What tells an automatic message apart.
    pub automatic: Automatic,
    /// For a copy that is not the contact's own message: what it is a copy of, in `X-Mailrun-Copy`.
    pub copy_of: Option<&'a str>,
}

/// The text of a message, in one or two forms.
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// Plain text alone.
    Text(&'a str),
    /// HTML, and the same as plain text for readers that show none.
    Html {
        /// The HTML; it shows picture n as `cid:` and the picture's content id.
        html: &'a str,
        /// The plain text.
        text: &'a str,
        /// The pictures that the HTML shows.
        pictures: &'a [Picture],
    },
}

/// A picture within an HTML body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// What `cid:` in the HTML names; ASCII letters, digits, `.`, `-`, `_` and one `@` only.
    pub content_id: String,
    /// Its media type, such as `image/png`.
    pub media_type: String,
    /// Its file.
    pub bytes: Vec<u8>,
}

/// A document that goes along with a message.
#[derive(Clone, Copy, Debug)]
pub struct Attachment<'a> {
    /// The file name that the reader sees; a [safe name](crate::delivery::name::safe_name).
    pub name: &'a str,
    /// Its media type; see [`media_type`].
    pub media_type: &'a str,
    /// Its content.
    pub bytes: &'a [u8],
}

/// Where a reader asks to be written to no more.
///
/// Source: RFC 2369 §3.2 List-Unsubscribe; RFC 8058 §3.1 for the one click.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unsubscribe {
    /// An `https:` address that takes the one-click POST.
    pub https: Option<String>,
    /// A `mailto:` address.
    pub mailto: Option<String>,
}

/// The name of a message, which follows from run and line: another attempt has the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MessageId {
    key: Uuid,
    domain: String,
}

impl MessageId {
    /// Names the message of a line of a run; `sender` gives the domain.
    pub fn new(run: Uuid, line: u64, sender: &Address) -> MessageId {
        let key = Uuid::new_v5(&run, line.to_string().as_bytes());
        let domain = sender.domain().trim_matches(['[', ']']).to_owned();
        MessageId { key, domain }
    }

    /// Returns the content id of the message's picture `number`.
    pub fn content_id(&self, number: usize) -> String {
        format!("{}.{number}@{}", self.key.as_simple(), self.domain)
    }

    /// Returns the id's UUID as 32 lower-case hexadecimal digits: what stands for the message in a bounce address.
    pub fn token(&self) -> String {
        self.key.as_simple().to_string()
    }

    fn boundary(&self, level: &str) -> String {
        format!("=_{}_{level}", self.key.as_simple())
    }
}

impl fmt::Display for MessageId {
    /// Writes the id with its angle brackets, as the header and the log have it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}@{}>", self.key, self.domain)
    }
}

/// A message that is ready to leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    id: MessageId,
    sender: Address,
    recipient: Address,
    bytes: Vec<u8>,
}

impl Message {
    /// Returns its name.
    pub fn id(&self) -> &MessageId {
        &self.id
    }

    /// Returns the envelope's sender.
    pub fn sender(&self) -> &Address {
        &self.sender
    }

    /// Returns the envelope's one recipient.
    pub fn recipient(&self) -> &Address {
        &self.recipient
    }

    /// Returns the whole message: lines of at most 998 bytes, each ended by CR LF; not dot-stuffed.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Puts a header, with its line's end, above all others.
    pub(in crate::delivery) fn below(mut self, header: &str) -> Message {
        self.bytes.splice(0..0, header.bytes());
        self
    }

    /// Tells whether only a server with SMTPUTF8 can take it.
    pub fn needs_smtputf8(&self) -> bool {
        self.sender.needs_smtputf8()
            || self.recipient.needs_smtputf8()
            || self
                .bytes
                .split(|byte| *byte == b'\n')
                .take_while(|line| *line != b"\r")
                .any(|line| !line.is_ascii())
    }
}

/// Why a draft cannot become a message.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// A media type that is none.
    #[error("attachment `{}` has the media type `{}`, which is none", .name.escape_debug(), .media_type.escape_debug())]
    MediaType {
        /// The attachment's name, or the picture's content id.
        name: String,
        /// What was given.
        media_type: String,
    },
    /// An unsubscribe address that a header cannot carry.
    #[error("`{}` cannot be used to unsubscribe: `{scheme}` and printable ASCII are expected", .address.escape_debug())]
    Unsubscribe {
        /// What was given, at most its first 100 characters.
        address: String,
        /// What it has to begin with.
        scheme: &'static str,
    },
    /// A content id that a header cannot carry.
    #[error("`{}` cannot be the content id of a picture", .content_id.escape_debug())]
    ContentId {
        /// What was given.
        content_id: String,
    },
    /// The message could not be put together.
    #[error("the message cannot be built")]
    Build(#[source] lettre::error::Error),
}

impl MessageError {
    /// Returns the error's stable id.
    pub fn id(&self) -> &'static str {
        match self {
            MessageError::MediaType { .. } => "media-type",
            MessageError::Unsubscribe { .. } => "unsubscribe",
            MessageError::ContentId { .. } => "content-id",
            MessageError::Build(_) => "build",
        }
    }
}

/// Builds the message of a draft. The same draft gives the same bytes.
///
/// The structure is mixed(alternative(text, related(HTML, pictures)), attachments), without the layers that
/// would hold one part only.
///
/// # Errors
///
/// [`MessageError`] for a media type, an unsubscribe address or a content id that a header cannot carry.
///
/// Source: RFC 5322 Internet Message Format; RFC 2046 §5.1 Multipart Media Type; RFC 2047; RFC 2231.
pub fn build(draft: &Draft<'_>) -> Result<Message, MessageError> {
    let sender = draft.bounce_to.unwrap_or(draft.from.address());
    let recipient = draft.to.address();
    let envelope = Envelope::new(Some(sender.for_envelope()), vec![recipient.for_envelope()])
        .map_err(MessageError::Build)?;
    let mut builder = lettre::Message::builder()
        .envelope(envelope)
        .raw_header(mailbox_header("From", draft.from))
        .raw_header(mailbox_header("To", draft.to));
    if let Some(reply_to) = draft.reply_to {
        builder = builder.raw_header(mailbox_header("Reply-To", reply_to));
    }
    builder = builder
        .raw_header(text_header("Subject", draft.subject))
        .date(moment(draft.date))
        .message_id(Some(draft.message_id.to_string()));
    for (name, value) in automatic_headers(draft.automatic) {
        builder = builder.raw_header(plain_header(name, value));
    }
    for header in unsubscribe_headers(draft.unsubscribe)? {
        builder = builder.raw_header(header);
    }
    if let Some(original) = draft.copy_of {
        builder = builder.raw_header(text_header("X-Mailrun-Copy", original));
    }

    let body = body_part(draft)?;
    let message = if draft.attachments.is_empty() {
        match body {
            BodyPart::Single(part) => builder.singlepart(part),
            BodyPart::Multi(part) => builder.multipart(part),
        }
    } else {
        let mixed = MultiPart::mixed().boundary(draft.message_id.boundary("mixed"));
        let mut mixed = match body {
            BodyPart::Single(part) => mixed.singlepart(part),
            BodyPart::Multi(part) => mixed.multipart(part),
        };
        for attachment in draft.attachments {
            let media_type = parse_media_type(attachment.name, attachment.media_type)?;
            let name = one_line(attachment.name);
            mixed = mixed.singlepart(Part::new(name).body(base64(attachment.bytes), media_type));
        }
        builder.multipart(mixed)
    };
    Ok(Message {
        id: draft.message_id.clone(),
        sender: sender.clone(),
        recipient: recipient.clone(),
        bytes: message.map_err(MessageError::Build)?.formatted(),
    })
}

enum BodyPart {
    Single(SinglePart),
    Multi(MultiPart),
}

fn body_part(draft: &Draft<'_>) -> Result<BodyPart, MessageError> {
    let id = draft.message_id;
    match draft.body {
        Body::Text(text) => Ok(BodyPart::Single(SinglePart::plain(clean_text(text)))),
        Body::Html { html, text, pictures } => {
            let alternative = MultiPart::alternative()
                .boundary(id.boundary("alternative"))
                .singlepart(SinglePart::plain(clean_text(text)));
            let html = SinglePart::html(clean_text(html));
            if pictures.is_empty() {
                return Ok(BodyPart::Multi(alternative.singlepart(html)));
            }
            let mut related = MultiPart::related().boundary(id.boundary("related")).singlepart(html);
            for picture in pictures {
                let content_id = &picture.content_id;
                let media_type = parse_media_type(content_id, &picture.media_type)?;
                let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '@');
                if content_id.is_empty() || content_id.len() > 200 || !content_id.chars().all(is_plain) {
                    return Err(MessageError::ContentId { content_id: content_id.clone() });
                }
                related = related.singlepart(
                    Part::new_inline(content_id.clone()).body(base64(&picture.bytes), media_type),
                );
            }
            Ok(BodyPart::Multi(alternative.multipart(related)))
        }
    }
}

/// Returns the media type of a file by the extension of its name; `application/octet-stream` where it is not known.
pub fn media_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension.to_ascii_lowercase().as_str() {
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "odt" => "application/vnd.oasis.opendocument.text",
        "ods" => "application/vnd.oasis.opendocument.spreadsheet",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "txt" => "text/plain; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "html" | "htm" => "text/html; charset=utf-8",
        "ics" => "text/calendar; charset=utf-8",
        "vcf" => "text/vcard; charset=utf-8",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "svg" => "image/svg+xml",
        "webp" => "image/webp",
        _ => "application/octet-stream",
    }
}

fn parse_media_type(name: &str, media_type: &str) -> Result<ContentType, MessageError> {
    let refused = || MessageError::MediaType { name: name.to_owned(), media_type: media_type.to_owned() };
    if !media_type.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err(refused());
    }
    ContentType::parse(media_type).map_err(|_| refused())
}

fn automatic_headers(automatic: Automatic) -> impl Iterator<Item = (&'static str, &'static str)> {
    let Automatic { auto_submitted, precedence, response_suppress } = automatic;
    [
        auto_submitted.then_some(("Auto-Submitted", "auto-generated")),
        precedence.then_some(("Precedence", "bulk")),
        response_suppress.then_some(("X-Auto-Response-Suppress", "All")),
    ]
    .into_iter()
    .flatten()
}

/// Tells what is wrong with unsubscribe addresses, if anything is.
///
/// # Errors
///
/// [`MessageError::Unsubscribe`] for one that a header cannot carry.
pub fn check_unsubscribe(unsubscribe: &Unsubscribe) -> Result<(), MessageError> {
    unsubscribe_headers(unsubscribe).map(|_| ())
}

fn unsubscribe_headers(unsubscribe: &Unsubscribe) -> Result<Vec<HeaderValue>, MessageError> {
    let mut addresses = Vec::new();
    for (address, scheme) in [(&unsubscribe.https, "https:"), (&unsubscribe.mailto, "mailto:")] {
        let Some(address) = address else { continue };
        let is_usable = address.starts_with(scheme)
            && address.len() <= UNSUBSCRIBE_LIMIT_BYTES
            && address.bytes().all(|byte| matches!(byte, b'!'..=b'~') && !matches!(byte, b'<' | b'>' | b','));
        if !is_usable {
            return Err(MessageError::Unsubscribe { address: address.chars().take(100).collect(), scheme });
        }
        addresses.push(format!("<{address}>"));
    }
    let mut headers = Vec::new();
    if !addresses.is_empty() {
        headers.push(plain_header("List-Unsubscribe", &addresses.join(",\r\n ")));
    }
    if unsubscribe.https.is_some() {
        headers.push(plain_header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"));
    }
    Ok(headers)
}

/// Makes a header of a value that is folded and in printable ASCII already.
fn plain_header(name: &'static str, value: &str) -> HeaderValue {
    let name = HeaderName::new_from_ascii_str(name);
    HeaderValue::dangerous_new_pre_encoded(name, value.to_owned(), value.to_owned())
}

/// Makes a header of any text.
///
/// `lettre`'s own encoder leaves a long word on a line of its own length, and a text such as `=?utf-8?q?x?=` for
/// the reader to decode.
fn text_header(name: &'static str, text: &str) -> HeaderValue {
    let text = one_line(text);
    let value = folded(name, |writer| {
        if is_plain(&text) { writer.folding().write_str(&text) } else { rfc2047::encode(&text, writer) }
    });
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), text, value)
}

/// Makes a header of a mailbox. `lettre` panics on a name that holds a line break; [`Mailbox`] has none.
fn mailbox_header(name: &'static str, mailbox: &Mailbox) -> HeaderValue {
    let address = mailbox.address().as_str();
    let value = folded(name, |writer| {
        if mailbox.name().is_empty() {
            return writer.write_str(address);
        }
        if is_plain(mailbox.name()) {
            quoted_string::encode(mailbox.name(), writer)?;
        } else {
            rfc2047::encode(mailbox.name(), writer)?;
        }
        writer.space();
        writer.folding().write_str(&format!("<{address}>"))
    });
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), address.to_owned(), value)
}

/// Tells whether a header can carry the text as it is: printable ASCII, no long word, nothing that reads as encoded.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && !text.contains("=?")
        && text.split(' ').all(|word| word.len() <= WORD_LIMIT_BYTES)
}

fn folded(name: &str, write: impl FnOnce(&mut EmailWriter<'_>) -> fmt::Result) -> String {
    let mut value = String::new();
    write(&mut EmailWriter::new(&mut value, name.len() + 2, 0, false)).expect("writing to a string succeeds");
    value
}

/// Encodes a file. Left to itself `lettre` sends a file of short ASCII lines as it is, with its bare line feeds.
fn base64(bytes: &[u8]) -> lettre::message::Body {
    lettre::message::Body::new_with_encoding(bytes.to_vec(), ContentTransferEncoding::Base64)
        .expect("base64 carries any bytes")
}

/// Drops what no text of a message may hold, and ends every line with CR LF.
///
/// `lettre` would do the latter too, but moves the rest of the text for each line: quadratic.
fn clean_text(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' => {
                characters.next_if_eq(&'\n');
                clean.push_str("\r\n");
            }
            '\n' => clean.push_str("\r\n"),
            '\t' => clean.push('\t'),
            _ if character.is_control() => {}
            _ => clean.push(character),
        }
    }
    clean
}

/// Converts to what `lettre` takes; a moment before 1970 becomes the first second of that year.
fn moment(date: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(date.as_second()).unwrap_or(0))
}
