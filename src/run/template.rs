//! Owns how a declared interaction template becomes one: its documents are read, its values understood.

use rust_decimal::Decimal;
use toml::Spanned;

use crate::contact::CorrespondenceType;
use crate::contact::language::Language;
use crate::interaction::template::{CommentForm, EmailAttachment, EmailBody, EmailForm};
use crate::interaction::{InteractionTemplate, TemplateLanguage};
use crate::run::named::{place, read_attachment};
use crate::run::problem::Problem;
use crate::segment::file::{EmailDeclaration, TemplateDeclaration, setting_text};
use crate::segment::values::{InformationFlow, InitiatedBy};
use crate::segment::{Attachment, SegmentFile};

/// Makes an interaction template of its declaration, together with the files that it names.
///
/// # Errors
///
/// All problems of the declaration.
pub(in crate::run) fn template(
    file: &SegmentFile,
    declaration: &TemplateDeclaration,
) -> Result<(InteractionTemplate, Vec<Attachment>), Vec<Problem>> {
    let mut reader = Reader { file, attachments: Vec::new(), problems: Vec::new() };
    let mut template = InteractionTemplate {
        code: declaration.code.clone(),
        description: declaration.description.clone(),
        group: declaration.group.clone(),
        ignore_contact_correspondence_type: declaration.ignore_contact_correspondence_type,
        map: declaration.map.clone(),
        fields: declaration.fields.clone(),
        answers: declaration.answers.clone(),
        campaign: Some(declaration.campaign.clone()).filter(|code| !code.is_empty()),
        campaign_target: declaration.campaign_target,
        campaign_response: declaration.campaign_response,
        ..InteractionTemplate::default()
    };
    let pictures = file.path(&declaration.pictures);
    // Without a working folder a path stays relative, as every other path of the file does.
    template.pictures = std::path::absolute(&pictures).unwrap_or(pictures);
    template.correspondence_type =
        reader.word(&declaration.correspondence_type, "hard-copy, email or fax", CorrespondenceType::parse);
    template.information_flow =
        reader.word(&declaration.information_flow, "outbound or inbound", InformationFlow::parse);
    template.initiated_by = reader.word(&declaration.initiated_by, "us or them", InitiatedBy::parse);
    template.comment_as =
        reader.word(&declaration.comment_as, "text or annotation", CommentForm::parse).unwrap_or_default();
    template.unit_cost = reader.amount(&declaration.unit_cost);
    template.unit_duration = reader.amount(&declaration.unit_duration);
    template.default_language = reader.language(&declaration.default_language);
    for (tag, version) in &declaration.languages {
        let Some(language) = reader.language(tag) else { continue };
        let document = version.document.as_ref().and_then(|written| reader.attachment(written));
        let subject = Some(version.subject.clone()).filter(|subject| !subject.is_empty());
        let enclosures = version.enclosures.iter().filter_map(|written| reader.attachment(written)).collect();
        template.languages.insert(language, TemplateLanguage { document, subject, enclosures });
    }
    template.email = reader.email(&declaration.email);
    if declaration.code.is_empty() {
        reader.problems.push(Problem {
            id: "template-without-code",
            message: "an interaction template has no code".to_owned(),
            place: file.file.display().to_string(),
            help: Some("add `code = \"…\"` to `[[template]]`".to_owned()),
        });
    }
    if reader.problems.is_empty() { Ok((template, reader.attachments)) } else { Err(reader.problems) }
}

struct Reader<'a> {
    file: &'a SegmentFile,
    attachments: Vec<Attachment>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn word<T>(
        &mut self,
        written: &Option<Spanned<String>>,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let written = written.as_ref().filter(|written| !written.get_ref().is_empty())?;
        let parsed = parse(written.get_ref());
        if parsed.is_none() {
            self.unfit(written, &format!("`{}` is not known, expected {expected}", written.get_ref()));
        }
        parsed
    }

    fn amount(&mut self, written: &Option<Spanned<toml::Value>>) -> Option<Decimal> {
        let written = written.as_ref()?;
        let amount = setting_text(written.get_ref()).and_then(|text| text.parse::<Decimal>().ok());
        let amount = amount.filter(|amount| !amount.is_sign_negative());
        if amount.is_none() {
            self.unfit(written, "the value is no number, or negative");
        }
        amount
    }

    fn language(&mut self, tag: &str) -> Option<Language> {
        if tag.is_empty() {
            return None;
        }
        match tag.parse() {
            Ok(language) => Some(language),
            Err(_) => {
                self.problems.push(Problem {
                    id: "not-a-language",
                    message: format!("`{tag}` is no language tag, expected one such as fr or fr-CH"),
                    place: self.file.file.display().to_string(),
                    help: None,
                });
                None
            }
        }
    }

    fn attachment(&mut self, written: &Spanned<String>) -> Option<crate::segment::Digest> {
        match read_attachment(&self.file.path(written.get_ref()), &place(self.file, written)) {
            Ok(attachment) => {
                let digest = attachment.digest.clone();
                self.attachments.push(attachment);
                Some(digest)
            }
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    fn email(&mut self, declaration: &EmailDeclaration) -> EmailForm {
        let mut form = EmailForm::default();
        let body = &declaration.body;
        match body.get_ref().as_str() {
            "document" => {}
            path if path.ends_with(".html.hbs") => {
                form.body = self.attachment(body).map_or(EmailBody::Document, EmailBody::Html);
            }
            path if path.ends_with(".mjml.hbs") => {
                form.body = self.attachment(body).map_or(EmailBody::Document, EmailBody::Mjml);
            }
            path if path.ends_with(".txt.hbs") => {
                form.body = self.attachment(body).map_or(EmailBody::Document, EmailBody::Text);
            }
            path => {
                self.unfit(
                    body,
                    &format!(
                        "`{path}` is no body, expected `document`, a .html.hbs, .mjml.hbs or .txt.hbs file"
                    ),
                );
            }
        }
        match &declaration.text {
            None => {}
            Some(text) if !text.get_ref().ends_with(".txt.hbs") => {
                self.unfit(text, &format!("`{}` is no plain text, expected a .txt.hbs file", text.get_ref()));
            }
            Some(text) if body.get_ref().ends_with(".txt.hbs") => {
                self.unfit(text, "the body is plain text already, and has no other beside it");
            }
            Some(text) => form.text = self.attachment(text),
        }
        for attach in &declaration.attach {
            match attach.get_ref().as_str() {
                "docx" => form.attach.push(EmailAttachment::Docx),
                "pdf" => form.attach.push(EmailAttachment::Pdf),
                _ => form.attach.extend(self.attachment(attach).map(EmailAttachment::File)),
            }
        }
        form
    }

    fn unfit<T>(&mut self, written: &Spanned<T>, message: &str) {
        let problem = Problem {
            id: "unfit",
            message: message.to_owned(),
            place: place(self.file, written),
            help: None,
        };
        self.problems.push(problem);
    }
}
