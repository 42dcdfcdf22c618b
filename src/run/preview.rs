//! Owns looking before anything happens: a line explained, letters previewed. Nothing is kept.

use std::iter;

use crate::contact::ContactNo;
use crate::delivery::mailbox::Mailbox;
use crate::delivery::message::Message;
use crate::delivery::pdf::{Converter, Letter, Pdf, PdfError, Properties};
use crate::interaction::resolve::Facts;
use crate::interaction::rule::Rule;
use crate::interaction::{EntryNo, resolve};
use crate::merge::{Buffer, Moment};
use crate::run::album::{Album, Gathering};
use crate::run::attempt::Tries;
use crate::run::check::moment_of;
use crate::run::desk::Desk;
use crate::run::enclosure::{Enclosed, stem};
use crate::run::forms::Forms;
use crate::run::freeze::{freeze, rules};
use crate::run::household::join;
use crate::run::journal::Pending;
use crate::run::letters::LetterAs;
use crate::run::paper::{as_sent, no_program};
use crate::run::plan::PlannedLine;
use crate::run::records::LineRecord;
use crate::run::suppress::suppress;
use crate::run::{
    DeliveryError, Letters, Loaded, Office, Problem, RunError, SegmentRef, load, options, signer,
};
use crate::segment::LineNo;

/// How many lines are read at a time where some are chosen.
const LINES_PER_BATCH: usize = 1_000;

/// Which lines to look at.
#[derive(Clone, Debug, PartialEq)]
pub enum Look {
    /// Those of these contacts.
    Contacts(Vec<ContactNo>),
    /// The line of this number.
    Line(LineNo),
    /// The first lines of the segment.
    First(usize),
    /// So many lines, the first among them and the others at even distances.
    Spread(usize),
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
    /// What goes with it; PDF as of the letter.
    pub enclosed: Vec<Enclosed>,
    /// The file names of the documents of letter and enclosures.
    pub documents: Vec<String>,
    /// The message, where there is one.
    pub message: Option<Message>,
    /// The letter as PDF, not locked, where the line has it or it was asked for.
    pub pdf: Option<Pdf>,
    /// The rule behind each value.
    pub rules: Vec<(&'static str, Rule)>,
}

/// What is made of the lines besides what they have anyway.
#[derive(Clone, Copy, Debug, Default)]
enum Besides<'a> {
    #[default]
    Nothing,
    /// Each message is a copy that goes to this address.
    Copies(&'a Mailbox),
    /// Each letter as PDF.
    Pages,
}

/// Looks at lines of a segment; the store stays as it was.
///
/// # Errors
///
/// A segment that cannot be loaded, a store that fails. Problems of a line are part of its outlook.
pub fn look(office: &mut Office<'_>, asked: &SegmentRef, look: &Look) -> Result<Vec<Outlook>, RunError> {
    look_besides(office, asked, look, Besides::Nothing)
}

/// The same, and each letter is made PDF.
///
/// # Errors
///
/// As for [`look`]; a LibreOffice that is not there is a problem.
pub fn look_at_pages(
    office: &mut Office<'_>,
    asked: &SegmentRef,
    look: &Look,
) -> Result<Vec<Outlook>, RunError> {
    look_besides(office, asked, look, Besides::Pages)
}

/// The same as [`look`], but each message is a copy that goes to `to`: see [`Letters::copy`].
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
    look_besides(office, asked, look, Besides::Copies(to))
}

fn look_besides(
    office: &mut Office<'_>,
    asked: &SegmentRef,
    look: &Look,
    besides: Besides<'_>,
) -> Result<Vec<Outlook>, RunError> {
    let fetched = load::fetch(office.store, asked, office.stop)?;
    office.store.begin_draft()?;
    let outlooks = outlooks(office, (asked, fetched), look, besides);
    office.store.discard_draft()?;
    outlooks
}

fn outlooks(
    office: &mut Office<'_>,
    (asked, fetched): (&SegmentRef, load::Asked),
    look: &Look,
    besides: Besides<'_>,
) -> Result<Vec<Outlook>, RunError> {
    let loaded = load::load(office.store, office.setup, fetched)?;
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
        add_letter(office, outlook, &letters)?;
    }
    if let Err(problem) = add_pdf(office, &mut planned, &letters, besides)? {
        return Err(RunError::Problems { segment: loaded.segment, problems: vec![problem] });
    }
    for outlook in &mut planned {
        add_message(outlook, &letters, besides);
    }
    Ok(planned)
}

fn records(office: &mut Office<'_>, loaded: &Loaded, look: &Look) -> Result<Vec<LineRecord>, RunError> {
    match look {
        Look::Line(line_no) => {
            let mut records = office.store.lines(&loaded.segment, LineNo(line_no.0.saturating_sub(1)), 1)?;
            records.retain(|record| record.line.line_no == *line_no);
            Ok(records)
        }
        Look::First(limit) => Ok(office.store.lines(&loaded.segment, LineNo(0), *limit)?),
        Look::Spread(n_wanted) => {
            let step = office.store.n_lines(&loaded.segment)?.div_ceil((*n_wanted).max(1)).max(1);
            let (mut chosen, mut n_seen, mut after) = (Vec::new(), 0, LineNo(0));
            loop {
                let batch = office.store.lines(&loaded.segment, after, LINES_PER_BATCH)?;
                let Some(last) = batch.last() else { return Ok(chosen) };
                after = last.line.line_no;
                for record in batch {
                    if n_seen % step == 0 {
                        chosen.push(record);
                    }
                    n_seen += 1;
                }
            }
        }
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
    Ok(Outlook {
        contact,
        line_no,
        planned,
        letter: None,
        enclosed: Vec::new(),
        documents: Vec::new(),
        message: None,
        pdf: None,
        rules,
    })
}

fn add_letter(office: &mut Office<'_>, outlook: &mut Outlook, letters: &Letters) -> Result<(), RunError> {
    let Ok(PlannedLine { entry, letter: Some(letter), .. }) = &outlook.planned else { return Ok(()) };
    let (album, _) = Album::fetch(office.store, std::iter::once(letter), &Album::default())?;
    let mut buffer = Buffer::new();
    let number = entry.line_no.0 / LineNo::STEP;
    let enclosed = letters.enclosed(letter, number, &album);
    let documents = letters.document_names(letter).map(str::to_owned).collect();
    match letters.merge(letter, number, &album, &mut buffer).and(enclosed) {
        Ok(enclosed) => {
            outlook.letter = Some(buffer.into());
            (outlook.enclosed, outlook.documents) = (enclosed, documents);
        }
        Err(reason) => outlook.fail("letter", reason),
    }
    Ok(())
}

/// Makes the letters PDF whose lines have it, or all; the inner error is that it cannot be made at all.
fn add_pdf(
    office: &Office<'_>,
    outlooks: &mut [Outlook],
    letters: &Letters,
    besides: Besides<'_>,
) -> Result<Result<(), Problem>, RunError> {
    let is_wanted = |outlook: &Outlook| {
        let pending = outlook.pending().filter(|_| outlook.letter.is_some());
        pending.filter(|line| matches!(besides, Besides::Pages) || letters.needs_pdf(line))
    };
    let wanted: Vec<Option<Pending>> = outlooks.iter().map(is_wanted).collect();
    if wanted.iter().all(Option::is_none) {
        return Ok(Ok(()));
    }
    let set_up = &office.setup.pdf;
    if set_up.soffice.is_none() {
        return Ok(Err(no_program("preview")));
    }
    let folder = office.out.clone();
    let failed = |source| PdfError::Folder { folder, source };
    let made = tempfile::tempdir().map_err(failed).and_then(|folder| {
        let author = letters.paper().author.as_str();
        let pairs = outlooks.iter().zip(&wanted);
        let wanted: Vec<Letter<'_>> = pairs
            .filter_map(|(outlook, line)| Some((outlook, outlook.letter.as_deref()?, line.as_ref()?)))
            .flat_map(|(outlook, docx, line)| {
                let properties = Properties { title: &line.subject, author };
                let enclosed =
                    outlook.enclosed.iter().zip(&line.letter.enclosures).map(|(it, letter)| Letter {
                        docx: &it.docx,
                        template: letter.document,
                        properties: Properties { title: stem(&it.name), author },
                    });
                iter::once(Letter { docx, template: line.letter.document, properties }).chain(enclosed)
            })
            .collect();
        Converter::open(set_up, folder.path())?.convert(&wanted)
    });
    let made = made.map_err(DeliveryError::Pdf)?;
    let mut made = made.into_iter();
    for (outlook, _) in outlooks.iter_mut().zip(&wanted).filter(|(_, line)| line.is_some()) {
        let pdfs: Vec<_> = made.by_ref().take(1 + outlook.enclosed.len()).collect();
        match pdfs.into_iter().collect::<Result<Vec<Pdf>, String>>() {
            Ok(pdfs) => {
                let mut pdfs = pdfs.into_iter();
                outlook.pdf = pdfs.next();
                outlook.enclosed.iter_mut().zip(pdfs).for_each(|(it, pdf)| it.pdf = Some(pdf.bytes));
            }
            Err(reason) => outlook.fail("pdf", reason),
        }
    }
    Ok(Ok(()))
}

fn add_message(outlook: &mut Outlook, letters: &Letters, besides: Besides<'_>) {
    let (Some(pending), Some(docx)) = (outlook.pending(), &outlook.letter) else { return };
    if pending.letter.message.is_none() {
        return;
    }
    let sent = outlook.pdf.clone().map(|pdf| as_sent(&pending, pdf.bytes)).transpose();
    let lock = |it: &Enclosed| {
        let pdf = it.pdf.clone().map(|pdf| as_sent(&pending, pdf)).transpose()?;
        Ok(Enclosed { pdf, ..it.clone() })
    };
    let enclosed = outlook.enclosed.iter().map(lock).collect::<Result<Vec<Enclosed>, String>>();
    let made = sent.and_then(|pdf| Ok((pdf, enclosed?))).and_then(|(pdf, enclosed)| {
        let letter = LetterAs { docx, pdf: pdf.as_deref(), enclosed: &enclosed };
        match besides {
            Besides::Nothing | Besides::Pages => letters.message(&pending, letter),
            Besides::Copies(to) => letters.copy(&pending, letter, to),
        }
    });
    match made {
        Ok(message) => outlook.message = Some(message),
        Err(reason) => outlook.fail("letter", reason),
    }
}

impl Outlook {
    /// What the line would be in the journal; none without a letter.
    fn pending(&self) -> Option<Pending> {
        let Ok(PlannedLine { entry, letter: Some(letter), .. }) = &self.planned else { return None };
        Some(Pending {
            tried: Tries::default(),
            entry: EntryNo(0),
            line_no: entry.line_no,
            contact: entry.contact.clone(),
            contact_name: entry.contact_name.clone(),
            correspondence_type: entry.correspondence_type?,
            email: entry.email.clone(),
            subject: entry.subject.clone(),
            file: entry.file.clone(),
            letter: letter.clone(),
            suppressed: None,
        })
    }

    fn fail(&mut self, id: &'static str, reason: String) {
        let place = format!("contact {}, line {}", self.contact, self.line_no);
        self.planned = Err(vec![Problem { id, message: reason, place, help: None }]);
    }
}
