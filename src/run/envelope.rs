//! Owns who a line's message comes from, where answers and bounces go, and how to be written to no more: rendered for
//! the line, and judged before anything is sent.

use uuid::Uuid;

use crate::delivery::mailbox::{Address, AddressError, Mailbox};
use crate::delivery::message::{MessageId, Unsubscribe, check_unsubscribe};
use crate::merge::value::Frame;
use crate::run::plan::PlannedMessage;
use crate::run::problem::Problem;
use crate::segment::LineNo;
use crate::setup::{Setup, Smtp};

/// What stands in `smtp.bounce` for the token of the message.
const TOKEN: &str = "{token}";

/// The addresses of a line's message, as texts.
#[derive(Debug)]
pub(in crate::run) struct Envelope {
    from: String,
    /// Whether the sender may differ from line to line; one that does not is judged once for all.
    is_sender_by_line: bool,
    reply_to: String,
    unsubscribe: Vec<String>,
}

impl Envelope {
    /// Renders the addresses of the set-up for a line.
    pub(in crate::run) fn new(smtp: &Smtp, render: &dyn Fn(&str) -> String) -> Envelope {
        Envelope {
            from: render(&smtp.from),
            is_sender_by_line: has_tags(&smtp.from),
            reply_to: render(&smtp.reply_to).trim().to_owned(),
            unsubscribe: smtp.unsubscribe.iter().map(|address| render(address)).collect(),
        }
    }

    /// Tells what is wrong with the addresses: id, message, help.
    pub(in crate::run) fn problems(&self) -> Vec<(&'static str, String, &'static str)> {
        let mut problems = Vec::new();
        if self.is_sender_by_line
            && let Err(error) = self.from.parse::<Mailbox>()
        {
            let message = format!("the line's sender is unusable: {error}");
            problems.push((
                error.id(),
                message,
                "give the salesperson an e-mail address, or the line a salesperson",
            ));
        }
        if !self.reply_to.is_empty()
            && let Err(error) = self.reply_to.parse::<Mailbox>()
        {
            let message = format!("the address for replies is unusable: {error}");
            problems.push((error.id(), message, "correct `smtp.reply_to`, or the value that it shows"));
        }
        if let Err(error) = check_unsubscribe(&unsubscribe(&self.unsubscribe)) {
            let help =
                "correct `smtp.unsubscribe`; a value with blanks or other signs has no place in an address";
            problems.push((error.id(), error.to_string(), help));
        }
        problems
    }

    /// Names the line's message; none where the sender is unusable.
    pub(in crate::run) fn message_id(&self, run: Uuid, line_no: LineNo) -> Option<MessageId> {
        let from = self.from.parse::<Mailbox>().ok()?;
        Some(MessageId::new(run, line_no.0, from.address()))
    }

    /// Returns the line's part of the plan.
    pub(in crate::run) fn message(
        self,
        body: Option<Frame>,
        text: Option<Frame>,
        password: String,
    ) -> PlannedMessage {
        let Envelope { from, reply_to, unsubscribe, .. } = self;
        PlannedMessage { from, reply_to, body, text, unsubscribe, password }
    }
}

/// Takes the addresses by their schemes.
pub(in crate::run) fn unsubscribe(addresses: &[String]) -> Unsubscribe {
    let starting = |scheme: &str| addresses.iter().find(|address| address.starts_with(scheme)).cloned();
    Unsubscribe { https: starting("https:"), mailto: starting("mailto:") }
}

/// Returns the address for the bounces of a message; none where `pattern` is empty.
///
/// # Errors
///
/// A pattern that makes no address.
pub(in crate::run) fn bounce_address(pattern: &str, id: &MessageId) -> Result<Option<Address>, AddressError> {
    match pattern {
        "" => Ok(None),
        pattern => pattern.replace(TOKEN, &id.token()).parse().map(Some),
    }
}

/// Tells what is wrong with the bounce address of the set-up, if anything is.
pub(in crate::run) fn bounce_problem(smtp: &Smtp) -> Option<Problem> {
    check_bounce(&smtp.bounce).err().map(|message| Problem {
        id: "bounce-address",
        message,
        place: format!("{}: smtp.bounce", Setup::FILE_NAME),
        help: Some("give an address such as `bounce+{token}@example.com`".to_owned()),
    })
}

fn check_bounce(pattern: &str) -> Result<(), String> {
    let sample = pattern.replace(TOKEN, &Uuid::nil().as_simple().to_string());
    match sample.parse::<Address>() {
        _ if pattern.is_empty() => Ok(()),
        Ok(_) if pattern.contains(TOKEN) => Ok(()),
        Ok(_) => Err(format!("the bounce address `{pattern}` has no `{TOKEN}`")),
        Err(error) => Err(error.to_string()),
    }
}

/// Tells whether a text has to be rendered for each line.
pub(in crate::run) fn has_tags(source: &str) -> bool {
    source.contains("{{")
}
