//! Owns looking before anything happens: a line explained, letters previewed. Nothing is kept.

use crate::contact::ContactNo;
use crate::delivery::mailbox::Mailbox;
use crate::delivery::message::Message;
use crate::interaction::resolve::Facts;
use crate::interaction::rule::Rule;
use crate::interaction::{EntryNo, resolve};
use crate::merge::{Buffer, Moment};
use crate::run::album::{Album, Gathering};
use crate::run::check::moment_of;
use crate::run::desk::Desk;
use crate::run::forms::Forms;
use crate::run::freeze::{freeze, rules};
use crate::run::household::join;
use crate::run::journal::Pending;
use crate::run::letters::LetterAs;
use crate::run::plan::PlannedLine;
use crate::run::records::LineRecord;
use crate::run::suppress::suppress;
use crate::run::{Letters, Loaded, Office, Problem, RunError, SegmentRef, load, options, signer};
use crate::segment::LineNo;

/// Which lines to look at.
#[derive(Clone, Debug, PartialEq)]
pub enum Look {
    /// Those of these contacts.
    Contacts(Vec<ContactNo>),
    /// The first lines of the segment.
    First(usize),
}

/// A line as it would be: what holds, or why nothing does.
#[derive(Clone, Debug)]
pub struct Outlook {
    /// The contact.
    pub contact: ContactNo,
    /// The line.
    pub line_no: LineNo,
    /// What would be planned, or all problems of the line.
    pub planned: Result<PlannedLine, Vec<Problem>>,
    /// The letter, where there is one.
    pub letter: Option<Vec<u8>>,
    /// The message, where there is one.
    pub message: Option<Message>,
    /// The rule behind each value.
    pub rules: Vec<(&'static str, Rule)>,
}

/// Looks at lines of a segment; the store stays as it was.
///
/// # Errors
///
/// A segment that cannot be loaded, a store that fails. Problems of a line are part of its outlook.
pub fn look(office: &mut Office<'_>, asked: &SegmentRef, look: &Look) -> Result<Vec<Outlook>, RunError> {
    look_or_copy(office, asked, look, None)
}

/// The same, but each message is a copy that goes to `to`: see [`Letters::copy`].
///
/// # Errors
///
/// As for [`look`].
pub fn look_for(
    office: &mut Office<'_>,
    asked: &SegmentRef,
    look: &Look,
    to: &Mailbox,
) -> Result<Vec<Outlook>, RunError> {
    look_or_copy(office, asked, look, Some(to))
}

fn look_or_copy(
    office: &mut Office<'_>,
    asked: &SegmentRef,
    look: &Look,
    copy_to: Option<&Mailbox>,
) -> Result<Vec<Outlook>, RunError> {
    office.store.begin_draft()?;
    let outlooks = outlooks(office, asked, look, copy_to);
    office.store.discard_draft()?;
    outlooks
}

fn outlooks(
    office: &mut Office<'_>,
    asked: &SegmentRef,
    look: &Look,
    copy_to: Option<&Mailbox>,
) -> Result<Vec<Outlook>, RunError> {
    let loaded = load::load(office.store, office.setup, asked)?;
    let (desk, of_setup) = Desk::new(office.store, office.setup, &loaded.segment, office.now.date())?;
    let problems: Vec<Problem> = loaded.problems.iter().cloned().chain(of_setup).collect();
    if !problems.is_empty() {
        return Err(RunError::Problems { segment: loaded.segment, problems });
    }
    let mut forms = Forms::new(&desk);
    let records = records(office, &loaded, look)?;
    let mut planned = Vec::new();
    for (number, record) in (1..).zip(&records) {
        planned.push(outlook(office, &desk, &mut forms, record, number)?);
    }
    let problems = forms.take_problems();
    if !problems.is_empty() {
        return Err(RunError::Problems { segment: loaded.segment, problems });
    }
    let options = options(office, &desk, asked);
    let signer = signer(options.smtp.as_ref(), office.password).map_err(|error| RunError::Problems {
        segment: loaded.segment.clone(),
        problems: vec![error.problem()],
    })?;
    let letters = Letters::compile(office.store, options, forms.documents)?.signed_by(signer);
    for outlook in &mut planned {
        add_letter(office, outlook, &letters, copy_to)?;
    }
    Ok(planned)
}

fn records(office: &mut Office<'_>, loaded: &Loaded, look: &Look) -> Result<Vec<LineRecord>, RunError> {
    match look {
        Look::First(limit) => Ok(office.store.lines(&loaded.segment, LineNo(0), *limit)?),
        Look::Contacts(contacts) => {
            let mut records = Vec::new();
            for contact in contacts {
                let Some(line) = office.store.line_of(&loaded.segment, contact)? else { continue };
                records.extend(office.store.lines(&loaded.segment, LineNo(line.line_no.0 - 1), 1)?);
            }
            Ok(records)
        }
    }
}

fn outlook(
    office: &mut Office<'_>,
    desk: &Desk,
    forms: &mut Forms<'_>,
    record: &LineRecord,
    number: u64,
) -> Result<Outlook, RunError> {
    let contact = record.contact.no.clone();
    let line_no = record.line.line_no;
    let place = || format!("contact {contact}, line {line_no}");
    let facts = Facts {
        header: &desk.header,
        line: &record.line,
        contact: &record.contact,
        addresses: &record.addresses,
        inherited: record.inherited,
        company_addresses: &record.company_addresses,
        presets: &desk.presets,
    };
    let (planned, rules) = match resolve(&facts) {
        Ok(effective) => {
            let effective = join(record, effective);
            forms.learn(office.store, &effective)?;
            let clock =
                Moment { now: office.now.datetime(), locale: "en-US".to_owned(), record: 0, sequence: 0 };
            let moment = moment_of(&clock, record, effective.language.value.as_ref(), number);
            let mut planned = [freeze(desk, forms, record, &effective, &place, moment)];
            suppress(office.store, &mut planned)?;
            let [planned] = planned;
            let planned = match planned {
                Ok(mut line) => {
                    let mut pictures = Gathering::default();
                    let found = pictures.gather(office.store, desk.pictures(&line), &mut line, &place)?;
                    if found.is_empty() { Ok(line) } else { Err(found) }
                }
                Err(problems) => Err(problems),
            };
            (planned, rules(&effective))
        }
        Err(refusals) => {
            let problem = |refusal: &crate::interaction::Refusal| Problem {
                id: refusal.id(),
                message: refusal.to_string(),
                place: place(),
                help: Some(refusal.help()),
            };
            (Err(refusals.iter().map(problem).collect()), Vec::new())
        }
    };
    Ok(Outlook { contact, line_no, planned, letter: None, message: None, rules })
}

fn add_letter(
    office: &mut Office<'_>,
    outlook: &mut Outlook,
    letters: &Letters,
    copy_to: Option<&Mailbox>,
) -> Result<(), RunError> {
    let Ok(PlannedLine { entry, letter: Some(letter), .. }) = &outlook.planned else { return Ok(()) };
    let Some(correspondence_type) = entry.correspondence_type else { return Ok(()) };
    let (album, _) = Album::fetch(office.store, std::iter::once(letter), &Album::default())?;
    let mut buffer = Buffer::new();
    let made = letters.merge(letter, entry.line_no.0 / LineNo::STEP, &album, &mut buffer).and_then(|_| {
        let pending = Pending {
            tried: crate::run::attempt::Tries::default(),
            entry: EntryNo(0),
            line_no: entry.line_no,
            contact: entry.contact.clone(),
            contact_name: entry.contact_name.clone(),
            correspondence_type,
            email: entry.email.clone(),
            subject: entry.subject.clone(),
            file: entry.file.clone(),
            letter: letter.clone(),
            suppressed: None,
        };
        match letter.message {
            Some(_) => {
                let letter = LetterAs { docx: buffer.letter(), pdf: None };
                match copy_to {
                    None => letters.message(&pending, letter).map(Some),
                    Some(to) => letters.copy(&pending, letter, to).map(Some),
                }
            }
            None => Ok(None),
        }
    });
    match made {
        Ok(message) => {
            outlook.message = message;
            outlook.letter = Some(buffer.into());
        }
        Err(reason) => {
            let place = format!("contact {}, line {}", outlook.contact, outlook.line_no);
            outlook.planned = Err(vec![Problem { id: "letter", message: reason, place, help: None }]);
        }
    }
    Ok(())
}
