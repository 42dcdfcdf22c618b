//! Owns the making of letters: the documents of a run, each compiled once, and what goes out for a line.

use std::borrow::Cow;

use jiff::Timestamp;
use uuid::Uuid;

use crate::delivery::dkim::Signer;
use crate::delivery::document::Document;
use crate::delivery::html::letter_body;
use crate::delivery::mailbox::Mailbox;
use crate::delivery::message::{self, Attachment, Body, Draft, Message, MessageId, Unsubscribe};
use crate::delivery::name::safe_name;
use crate::delivery::plain;
use crate::interaction::template::{EmailAttachment, EmailBody};
use crate::merge::value::{Frame, Value};
use crate::merge::{BoundTemplate, BoundText, Buffer, Escape, Moment, RenderError, Template};
use crate::run::album::Album;
use crate::run::enclosure::{Enclosed, attachment_names};
use crate::run::envelope::{bounce_address, unsubscribe};
use crate::run::forms::{bind, bind_text, body_source, body_text, comment_as, names};
use crate::run::journal::{Pending, SeedLine};
use crate::run::plan::{Paper, PlannedLetter, PlannedMessage, RunDocument, RunOptions};
use crate::run::records::{Records, RecordsError};
use crate::run::seed;
use crate::segment;
use crate::setup::Smtp;

/// The documents of a run, ready to be merged.
#[derive(Debug)]
pub struct Letters {
    options: RunOptions,
    /// By number; none for a document that was erased with the only contact that it was for.
    forms: Vec<Option<Form>>,
    signer: Option<Signer>,
}

#[derive(Debug)]
struct Form {
    document: RunDocument,
    template: BoundTemplate,
    body: Option<BoundText>,
    /// The plain text beside a body that is HTML.
    text: Option<BoundText>,
    files: Vec<segment::Attachment>,
    /// Where among the values of the document, the body and the text the personal comment is.
    comment_at: [Vec<usize>; 3],
}

/// Who a message is for.
#[derive(Clone, Copy)]
enum For<'a> {
    /// The contact of the line.
    Contact,
    /// Somebody who looks at it before it is sent.
    Preview(&'a Mailbox),
    /// An address of ours that gets a copy of what went out.
    Seed(&'a Mailbox),
}

/// A line's letter, as Word document and, where that is made, as PDF.
#[derive(Clone, Copy, Debug)]
pub struct LetterAs<'a> {
    /// The Word document.
    pub docx: &'a [u8],
    /// The PDF; none where it is not needed, or not known yet.
    pub pdf: Option<&'a [u8]>,
    /// What goes with it.
    pub enclosed: &'a [Enclosed],
}

/// The names that a letter has as an attachment.
struct LetterNames {
    docx: String,
    pdf: String,
    /// Those of its enclosures, as Word document and as PDF.
    enclosed: Vec<(String, String)>,
}

impl LetterNames {
    fn of(subject: &str, letter: LetterAs<'_>) -> LetterNames {
        let (docx, pdf) = (safe_name(subject, "docx"), safe_name(subject, "pdf"));
        let enclosed = attachment_names(letter.enclosed, [&docx, &pdf]);
        LetterNames { docx, pdf, enclosed }
    }
}

/// Why a run's documents cannot be compiled again, or a line's letter cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// The store does not have a document of the run, or what it has is no longer understood.
    #[error("the document `{name}` of the run cannot be used: {reason}")]
    Document {
        /// Its file name.
        name: String,
        /// Why.
        reason: String,
    },
    /// The store fails.
    #[error(transparent)]
    Records(#[from] RecordsError),
}

impl Letters {
    /// Compiles each document of a run once.
    ///
    /// # Errors
    ///
    /// A document that is missing or not understood, which cannot be after a check by the same program; the store.
    pub fn compile(
        records: &mut dyn Records,
        options: RunOptions,
        documents: Vec<RunDocument>,
    ) -> Result<Letters, LetterError> {
        let forms = documents
            .into_iter()
            .map(|document| match document.is_erased {
                true => Ok(None),
                false => Form::compile(records, document).map(Some),
            })
            .collect::<Result<_, _>>()?;
        Ok(Letters { options, forms, signer: None })
    }

    /// Signs the messages.
    pub fn signed_by(self, signer: Option<Signer>) -> Letters {
        Letters { signer, ..self }
    }

    /// Merges the letter of a line into `into`, and returns the SHA-256 of its bytes; its pictures are in `album`.
    ///
    /// # Errors
    ///
    /// What is wrong with the line's letter, in words.
    pub fn merge(
        &self,
        letter: &PlannedLetter,
        number: u64,
        album: &Album,
        into: &mut Buffer,
    ) -> Result<[u8; 32], String> {
        let form = self.form(letter)?;
        let moment = self.moment(letter, number);
        let values = std::slice::from_ref(&letter.values);
        let template = match letter.pictures.is_empty() {
            true => Cow::Borrowed(&form.template),
            false => Cow::Owned(form.template.with_pictures(album.of(letter))),
        };
        let merged = template.letter_in(values, &moment, into).map_err(|error| error.to_string())?;
        if merged.is_skipped {
            return Err(RenderError::Skipped.to_string());
        }
        Ok(form.template.digest(into.letter()))
    }

    /// Merges the enclosures of a line's letter; their pictures are in `album`.
    ///
    /// # Errors
    ///
    /// What is wrong with one of them, in words.
    pub fn enclosed(
        &self,
        letter: &PlannedLetter,
        number: u64,
        album: &Album,
    ) -> Result<Vec<Enclosed>, String> {
        if letter.enclosures.is_empty() {
            return Ok(Vec::new());
        }
        let mut buffer = Buffer::new();
        let enclosed = letter.enclosures.iter().map(|enclosure| {
            let name = self.form(enclosure)?.document.name.clone();
            let merged = self.merge(enclosure, number, album, &mut buffer);
            let digest = merged.map_err(|reason| format!("{name}: {reason}"))?;
            Ok(Enclosed { name, docx: buffer.letter().to_vec(), digest, pdf: None })
        });
        enclosed.collect()
    }

    /// Returns the file names of the documents of a line: of its letter and its enclosures.
    pub fn document_names<'a>(&'a self, letter: &'a PlannedLetter) -> impl Iterator<Item = &'a str> {
        letter.documents().map(|it| self.form(it).map_or("", |form| form.document.name.as_str()))
    }

    /// Returns the mail server and what every message carries, as the set-up had it.
    pub(in crate::run) fn smtp(&self) -> Option<&Smtp> {
        self.options.smtp.as_ref()
    }

    /// Returns how letters become files.
    pub(in crate::run) fn paper(&self) -> &Paper {
        &self.options.paper
    }

    /// Returns the documents that letters are made of, in the order of their numbers.
    pub(in crate::run) fn documents(&self) -> Vec<RunDocument> {
        self.forms.iter().flatten().map(|form| form.document.clone()).collect()
    }

    /// Tells whether a line needs its letter as PDF.
    pub(in crate::run) fn needs_pdf(&self, line: &Pending) -> bool {
        let form = self.form(&line.letter);
        form.is_ok_and(|form| self.options.paper.needs_pdf(&form.document, line.correspondence_type))
    }

    /// Builds the message of a line around its merged letter.
    ///
    /// # Errors
    ///
    /// What is wrong with the line's message, in words.
    pub fn message(&self, pending: &Pending, letter: LetterAs<'_>) -> Result<Message, String> {
        self.message_for(For::Contact, pending, letter)
    }

    /// Builds a copy of a line's message for somebody who looks at it: marked in subject and header, under a name of
    /// its own, and without the contact's addresses to unsubscribe.
    ///
    /// # Errors
    ///
    /// What is wrong with the line's message, in words.
    pub fn copy(&self, pending: &Pending, letter: LetterAs<'_>, to: &Mailbox) -> Result<Message, String> {
        self.message_for(For::Preview(to), pending, letter)
    }

    /// Builds a copy of a line's message for a seed: as the contact has it, but under a name that is the seed's in this
    /// run, and without the contact's addresses to unsubscribe.
    ///
    /// # Errors
    ///
    /// What is wrong with the line's message, in words.
    pub(in crate::run) fn seed(
        &self,
        pending: &Pending,
        letter: LetterAs<'_>,
        to: &Mailbox,
    ) -> Result<Message, String> {
        self.message_for(For::Seed(to), pending, letter)
    }

    /// Returns a line for a copy: without its personal comment in what letter and message show.
    pub(in crate::run) fn without_comment(&self, seed_line: &SeedLine) -> Pending {
        let SeedLine { line, comment, description } = seed_line;
        let mut line = line.clone();
        if comment.is_empty() {
            return line;
        }
        if line.subject.contains(comment) {
            line.subject.clone_from(description);
        }
        let Ok(form) = self.form(&line.letter) else { return line };
        let PlannedLetter { values, message, enclosures, .. } = &mut line.letter;
        let (body, text) = match message {
            Some(PlannedMessage { body, text, .. }) => (body.as_mut(), text.as_mut()),
            None => (None, None),
        };
        for (frame, places) in [Some(values), body, text].into_iter().zip(&form.comment_at) {
            blank(frame, places);
        }
        for enclosure in enclosures {
            if let Some(Some(form)) = self.forms.get(enclosure.document) {
                let [of_document, ..] = &form.comment_at;
                blank(Some(&mut enclosure.values), of_document);
            }
        }
        line
    }

    fn message_for(
        &self,
        reader: For<'_>,
        pending: &Pending,
        letter: LetterAs<'_>,
    ) -> Result<Message, String> {
        let form = self.form(&pending.letter)?;
        let nothing = PlannedMessage::default();
        let planned = pending.letter.message.as_ref().unwrap_or(&nothing);
        let from: Mailbox = planned.from.parse().map_err(|error| format!("{error}"))?;
        let contact =
            Mailbox::new(&pending.contact_name, pending.email.parse().map_err(|error| format!("{error}"))?);
        let to = match reader {
            For::Contact => &contact,
            For::Preview(to) | For::Seed(to) => to,
        };
        let reply_to: Option<Mailbox> = match planned.reply_to.as_str() {
            "" => None,
            address => Some(address.parse().map_err(|error| format!("{error}"))?),
        };
        // A copy under the message's own name would make the contact's message look like one that was seen already.
        let run = &self.options.uuid;
        let (name, number) = match reader {
            For::Contact => (*run, pending.line_no.0),
            For::Preview(_) => (Uuid::new_v5(run, b"copy"), pending.line_no.0),
            For::Seed(to) => (seed::name_of(run, to.address()), 0),
        };
        let id = MessageId::new(name, number, from.address());
        let (subject, copy_of) = match reader {
            For::Contact => (pending.subject.clone(), None),
            For::Preview(_) => {
                let line =
                    format!("contact {}, line {}, to {}", pending.contact, pending.line_no, pending.email);
                (format!("[preview] {}", pending.subject), Some(line))
            }
            For::Seed(_) => {
                (pending.subject.clone(), Some(format!("segment {}, for a seed", self.options.segment)))
            }
        };
        let smtp = self.options.smtp.as_ref();
        let bounce_to = bounce_address(smtp.map_or("", |smtp| smtp.bounce.as_str()), &id)
            .map_err(|error| error.to_string())?;
        let names = LetterNames::of(&pending.subject, letter);
        let attachments = form.attachments(&names, letter);
        let unsubscribe = match reader {
            For::Contact => unsubscribe(&planned.unsubscribe),
            For::Preview(_) | For::Seed(_) => Unsubscribe::default(),
        };
        let build = |body: Body<'_>| {
            message::build(&Draft {
                from: &from,
                to,
                reply_to: reply_to.as_ref(),
                bounce_to: bounce_to.as_ref(),
                subject: &subject,
                date: self.sent_at(),
                message_id: &id,
                body,
                attachments: &attachments,
                unsubscribe: &unsubscribe,
                automatic: smtp.map(|smtp| smtp.automatic).unwrap_or_default(),
                copy_of: copy_of.as_deref(),
            })
            .map_err(|error| error.to_string())
            .and_then(|message| match &self.signer {
                Some(signer) => signer.sign(message, self.sent_at()).map_err(|error| error.to_string()),
                None => Ok(message),
            })
        };
        let moment = self.moment(&pending.letter, pending.line_no.0);
        let own_text = match (&form.text, &planned.text) {
            (Some(text), Some(frame)) => {
                Some(text.render(frame, &moment).map_err(|error| error.to_string())?)
            }
            _ => None,
        };
        match (&form.body, &planned.body) {
            (Some(text), Some(frame)) => {
                let body = text.render(frame, &moment).map_err(|error| error.to_string())?;
                match &form.document.email.body {
                    EmailBody::Html(_) | EmailBody::Mjml(_) => {
                        let text = own_text.unwrap_or_else(|| plain::text_of(&body));
                        build(Body::Html { html: &body, text: &text, pictures: &[] })
                    }
                    EmailBody::Text(_) | EmailBody::Document => build(Body::Text(&body)),
                }
            }
            _ => {
                let document = Document::read(letter.docx).map_err(|error| error.to_string())?;
                let body = letter_body(&document, &pending.subject, &id);
                let text = own_text.as_ref().unwrap_or(&body.text);
                build(Body::Html { html: &body.html, text, pictures: &body.pictures })
            }
        }
    }

    /// Returns the name and size of each attachment of a line's message, around its merged letter.
    pub(in crate::run) fn attached(&self, pending: &Pending, letter: LetterAs<'_>) -> Vec<(String, usize)> {
        let Ok(form) = self.form(&pending.letter) else { return Vec::new() };
        let names = LetterNames::of(&pending.subject, letter);
        let attachments = form.attachments(&names, letter);
        attachments.iter().map(|it| (it.name.to_owned(), it.bytes.len())).collect()
    }

    fn form(&self, letter: &PlannedLetter) -> Result<&Form, String> {
        let form = self.forms.get(letter.document).and_then(Option::as_ref);
        form.ok_or_else(|| format!("the run has no document {}", letter.document))
    }

    fn moment(&self, letter: &PlannedLetter, number: u64) -> Moment {
        Moment {
            now: self.options.now.datetime(),
            locale: letter.locale.clone(),
            record: number,
            sequence: number,
        }
    }

    fn sent_at(&self) -> Timestamp {
        self.options.now.timestamp()
    }
}

impl Form {
    fn compile(records: &mut dyn Records, document: RunDocument) -> Result<Form, LetterError> {
        let unusable = |reason: String| LetterError::Document { name: document.name.clone(), reason };
        let missing = || unusable("it is not in the database".to_owned());
        let attachment = records.attachment(&document.document)?.ok_or_else(missing)?;
        let template = Template::compile_with(&attachment.bytes, comment_as(document.comment_as))
            .map_err(|error| unusable(error.to_string()))?;
        let names = names(&document.names, &mut Vec::new());
        let first = |problems: Vec<crate::merge::Problem>| {
            unusable(problems.first().map(ToString::to_string).unwrap_or_default())
        };
        let template = bind(&template, &names, &document.names).map_err(first)?;
        let body = match body_text(&document.email.body) {
            Some((digest, escape)) => {
                let source = records.attachment(digest)?.ok_or_else(missing)?;
                let source = body_source(&document.email.body, &source.bytes)
                    .map_err(|error| unusable(error.to_string()))?;
                bind_text(&source, escape, &names, &document.name, &mut Vec::new())
            }
            None => None,
        };
        let text = match &document.email.text {
            Some(digest) => {
                let source = records.attachment(digest)?.ok_or_else(missing)?;
                let source = String::from_utf8_lossy(&source.bytes);
                bind_text(&source, Escape::None, &names, &document.name, &mut Vec::new())
            }
            None => None,
        };
        let mut files = Vec::new();
        for attach in &document.email.attach {
            if let EmailAttachment::File(digest) = attach {
                files.push(records.attachment(digest)?.ok_or_else(missing)?);
            }
        }
        let of_text = |text: &Option<BoundText>| text.as_ref().map(|text| names.comment_at(text.needs()));
        let comment_at = [
            names.comment_at(template.needs()),
            of_text(&body).unwrap_or_default(),
            of_text(&text).unwrap_or_default(),
        ];
        Ok(Form { document, template, body, text, files, comment_at })
    }

    /// Returns what is attached: each form of the letter is followed by its enclosures in that form; where the letter is
    /// attached in none, they go as Word documents.
    fn attachments<'a>(&'a self, names: &'a LetterNames, letter: LetterAs<'a>) -> Vec<Attachment<'a>> {
        let attachment = |name: &'a str, bytes: &'a [u8]| Attachment {
            name,
            media_type: message::media_type(name),
            bytes,
        };
        let enclosed = || letter.enclosed.iter().zip(&names.enclosed);
        let mut attached = Vec::new();
        let mut files = self.files.iter();
        for attach in &self.document.email.attach {
            match attach {
                EmailAttachment::Docx => {
                    attached.push(attachment(&names.docx, letter.docx));
                    attached.extend(enclosed().map(|(it, (docx, _))| attachment(docx, &it.docx)));
                }
                EmailAttachment::Pdf => {
                    attached.extend(letter.pdf.map(|pdf| attachment(&names.pdf, pdf)));
                    let pdfs = enclosed().filter_map(|(it, (_, name))| Some((name, it.pdf.as_ref()?)));
                    attached.extend(pdfs.map(|(name, pdf)| attachment(name, pdf)));
                }
                EmailAttachment::File(_) => {
                    attached.extend(files.next().map(|file| attachment(&file.name, &file.bytes)));
                }
            }
        }
        let attach = &self.document.email.attach;
        if !attach.iter().any(|it| matches!(it, EmailAttachment::Docx | EmailAttachment::Pdf)) {
            attached.extend(enclosed().map(|(it, (docx, _))| attachment(docx, &it.docx)));
        }
        attached
    }
}

/// Empties places of a frame.
fn blank(frame: Option<&mut Frame>, places: &[usize]) {
    let Some(Frame(values)) = frame else { return };
    for place in places {
        if let Some(value) = values.get_mut(*place) {
            *value = Value::Blank;
        }
    }
}
