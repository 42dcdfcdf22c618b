//! Owns MJML, the language of responsive mail bodies: from its text to the HTML that readers' programs show.
//! Fails on a text that is no MJML, with the line.
//!
//! MJML becomes HTML once, before its tags are rendered: a tag stands in a text or an attribute, and a block tag
//! around elements stands in an `<mj-raw>` of its own.

use std::error::Error;

use mrml::prelude::parser::{Error as ParserError, Span, WarningKind};
use mrml::prelude::render::RenderOptions;

/// Why a text is no MJML.
#[derive(Debug, thiserror::Error)]
pub enum MjmlError {
    /// The text cannot be read.
    #[error("the MJML cannot be read: {reason}")]
    Unreadable {
        /// What is wrong.
        reason: String,
        /// The line, where one is known.
        line: Option<usize>,
    },
    /// The elements make no HTML.
    #[error("the MJML cannot be shown: {reason}")]
    Unshowable {
        /// What is wrong.
        reason: String,
    },
}

impl MjmlError {
    /// Returns the error's stable id.
    pub fn id(&self) -> &'static str {
        match self {
            MjmlError::Unreadable { .. } => "mjml-unreadable",
            MjmlError::Unshowable { .. } => "mjml-unshowable",
        }
    }

    /// Returns the place within the file, to be put behind its name; empty where none is known.
    pub fn place(&self) -> String {
        match self {
            MjmlError::Unreadable { line: Some(line), .. } => format!(", line {line}"),
            MjmlError::Unreadable { line: None, .. } | MjmlError::Unshowable { .. } => String::new(),
        }
    }

    /// Returns what to do, where that is sure.
    pub fn help(&self) -> Option<String> {
        match self {
            MjmlError::Unreadable { .. } => {
                Some("put block tags such as `{{#if}}` between elements into `<mj-raw>`".to_owned())
            }
            MjmlError::Unshowable { .. } => None,
        }
    }
}

/// Returns the HTML that MJML stands for; its tags stand in it as they were written.
///
/// # Errors
///
/// [`MjmlError`] for a text that is no MJML, an attribute that its element does not have, and an include: nothing
/// is fetched.
pub fn html_of(mjml: &str) -> Result<String, MjmlError> {
    let line_of = |span: Span| 1 + mjml.bytes().take(span.start).filter(|byte| *byte == b'\n').count();
    let parsed = mrml::parse(mjml).map_err(|error| {
        let (reason, span) = reason(&error);
        MjmlError::Unreadable { reason, line: span.map(line_of) }
    })?;
    if let Some(warning) = parsed.warnings.first() {
        let reason = match warning.kind {
            WarningKind::UnexpectedAttribute => "its element has no such attribute",
            WarningKind::InlineStyleUnsupported => {
                "a style cannot be put into the elements: leave `inline` out"
            }
        };
        return Err(MjmlError::Unreadable { reason: reason.to_owned(), line: Some(line_of(warning.span)) });
    }
    // Without addresses of fonts: a reader's program fetches nothing from elsewhere, and nobody learns who reads.
    let options = RenderOptions { fonts: Default::default(), ..RenderOptions::default() };
    let rendered = parsed.element.render(&options);
    let html = rendered.map_err(|error| MjmlError::Unshowable { reason: error.to_string() })?;
    // An element that is not known comes through as it stands, and no reader's program would show it.
    match html.split_once("<mj-") {
        None => Ok(html),
        Some((_, rest)) => {
            let name: String =
                rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').take(40).collect();
            let line = mjml.find(&format!("<mj-{name}")).map(|start| line_of(Span { start, end: start }));
            Err(MjmlError::Unreadable { reason: format!("`mj-{name}` is no element"), line })
        }
    }
}

fn reason(error: &ParserError) -> (String, Option<Span>) {
    match error {
        ParserError::UnexpectedElement { position, .. } => {
            ("an element stands where it may not, or is not known".to_owned(), Some(*position))
        }
        ParserError::UnexpectedToken { position, .. } => {
            ("something stands where an element is expected".to_owned(), Some(*position))
        }
        ParserError::MissingAttribute { name, position, .. } => {
            (format!("the attribute `{name}` is missing"), Some(*position))
        }
        ParserError::InvalidAttribute { position, .. } => {
            ("an attribute has an unusable value".to_owned(), Some(*position))
        }
        ParserError::InvalidFormat { position, .. } => ("a value is unusable".to_owned(), Some(*position)),
        ParserError::EndOfStream { .. } => ("it ends before its elements do".to_owned(), None),
        ParserError::SizeLimit { .. } => ("it is too large".to_owned(), None),
        ParserError::ParserError { source, .. } => (source.to_string(), None),
        ParserError::NoRootNode => ("it has no element `mjml`".to_owned(), None),
        ParserError::IncludeLoaderError { position, source, .. } => {
            let cause = source.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            (format!("other files are not included{cause}"), Some(*position))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mjml_becomes_html_and_keeps_its_tags() {
        let mjml = "<mjml><mj-body><mj-section><mj-column><mj-text>Dear {{contact.name}},</mj-text>\
                    <mj-button href=\"https://a.example/{{contact.no}}\">Go</mj-button>\
                    <mj-raw>{{#if comment}}</mj-raw><mj-text>{{comment}}</mj-text><mj-raw>{{/if}}</mj-raw>\
                    </mj-column></mj-section></mj-body></mjml>";
        let html = html_of(mjml).unwrap();
        for part in [
            "<!doctype html>",
            "Dear {{contact.name}},",
            "href=\"https://a.example/{{contact.no}}\"",
            "{{#if comment}}",
            "{{comment}}",
            "{{/if}}",
        ] {
            assert!(html.contains(part), "{part}\n{html}");
        }
        assert!(!html.contains("<mj-") && !html.contains("fonts.googleapis"), "{html}");
    }

    #[test]
    fn what_is_no_mjml_is_named_with_its_line() {
        let check = |mjml: &str, expected: &str| {
            let error = html_of(mjml).unwrap_err();
            let said = format!("{error}{}", error.place());
            assert!(said.contains(expected), "{mjml}: {said}");
        };
        check("", "it has no element `mjml`");
        check("<p>Hello</p>", "something stands where an element is expected, line 1");
        check("<mjml>\n<mj-body>\n<mj-tekst>x</mj-tekst></mj-body></mjml>", "line 3");
        check("<mjml><mj-body>", "it ends before its elements do");
        let include = "<mjml><mj-body>\n<mj-include path=\"other.mjml\"/></mj-body></mjml>";
        check(include, "other files are not included");
    }

    #[test]
    fn no_text_makes_it_panic() {
        for text in
            ["<", "<mjml", "</mjml>", "<mjml/>", "<mjml><mj-head><mj-title>", "\0", "<mjml lang=>", "{{x}}"]
        {
            let _ = html_of(text).map_err(|error| error.to_string());
        }
    }
}
