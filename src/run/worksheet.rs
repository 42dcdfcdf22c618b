//! Owns changes of worksheets by command: headers and lines. Each is checked as a whole before anything is changed.

use crate::contact::language::Language;
use crate::contact::{ContactNo, did_you_mean};
use crate::run::load::{LoadError, all_names, next_segment_no};
use crate::run::masters::{ChangeError, Masters, salesperson_codes, unknown};
use crate::run::problem::Problem;
use crate::run::records::{RecordsError, SegmentStanding};
use crate::segment::{
    Attachment, CriteriaAction, CriteriaKind, InteractionValues, LineNo, SavedCriteria, SegmentHeader,
    SegmentLine, SegmentNo, ValueProblem,
};
use crate::setup::{MasterKind, Setup};

/// What undoing a selection action did.
#[derive(Clone, Debug, PartialEq)]
pub struct Undone {
    /// The action; of several that are one, the first.
    pub action: CriteriaAction,
    /// How many lines went away.
    pub n_removed: usize,
    /// How many lines came back, as they were.
    pub n_restored: usize,
}

/// What changing worksheets asks of the store, beside what masters do.
pub trait Worksheets: Masters {
    /// Replaces a segment's header; its lines and criteria stay.
    fn change_header(&mut self, header: &SegmentHeader) -> Result<(), RecordsError>;
    /// Forgets a segment with its lines and criteria.
    fn delete_segment(&mut self, segment: &SegmentNo) -> Result<(), RecordsError>;
    /// Returns the lines of a contact in their order.
    fn lines_of(
        &mut self,
        segment: &SegmentNo,
        contact: &ContactNo,
    ) -> Result<Vec<SegmentLine>, RecordsError>;
    /// Forgets a value that was set on lines; tells on how many.
    fn clear_on_lines(&mut self, segment: &SegmentNo, name: &str) -> Result<u64, RecordsError>;
    /// Lists the selection actions in their order.
    fn actions(&mut self, segment: &SegmentNo) -> Result<Vec<CriteriaAction>, RecordsError>;
    /// Undoes the last selection action exactly; nothing if there is none.
    fn undo(&mut self, segment: &SegmentNo) -> Result<Option<Undone>, RecordsError>;
    /// Adds or replaces saved criteria.
    fn save_criteria(&mut self, saved: &SavedCriteria) -> Result<(), RecordsError>;
    /// Lists the saved criteria in the order of their codes.
    fn saved_criteria(&mut self) -> Result<Vec<SavedCriteria>, RecordsError>;
    /// Forgets saved criteria.
    fn forget_criteria(&mut self, code: &str) -> Result<(), RecordsError>;
    /// Returns the header of a logged segment as it was.
    fn header_as_logged(&mut self, logged: &SegmentNo) -> Result<Option<SegmentHeader>, RecordsError>;
    /// Returns the campaign that most entries of a logged segment have.
    fn campaign_as_logged(&mut self, logged: &SegmentNo) -> Result<Option<String>, RecordsError>;
    /// Lists the contacts of a logged segment whose entry has another campaign than this one, with it.
    fn campaigns_as_logged(
        &mut self,
        logged: &SegmentNo,
        but: &str,
    ) -> Result<Vec<(ContactNo, String)>, RecordsError>;
    /// Gives all contacts of a segment a mailing group; tells how many did not have it.
    fn put_mailing_group(&mut self, segment: &SegmentNo, code: &str) -> Result<u64, RecordsError>;
}

/// What is to be set on a header or line, and what is to be cleared.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// Names and texts of values to set.
    pub set: Vec<(String, String)>,
    /// Names of values to clear.
    pub clear: Vec<String>,
    /// The segment's own documents by language, or the line's own document, whose language is empty.
    pub documents: Vec<(String, Attachment)>,
    /// Whether the document is merged already, and goes out as it is but for its fields.
    pub is_merged: bool,
}

/// Which lines a change of the header reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Those that have no value of their own.
    Inheriting,
    /// All: what lines have of their own is cleared.
    AllLines,
}

/// Which line is meant: that of a contact, by its number where the contact has several.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The contact.
    pub contact: ContactNo,
    /// The number of the line.
    pub line_no: Option<LineNo>,
}

/// Makes a new segment, under the next number of the series if none is given.
///
/// # Errors
///
/// A number that is taken, and all values that do not fit.
pub fn new_segment(
    store: &mut dyn Worksheets,
    setup: &Setup,
    no: Option<SegmentNo>,
    edit: &Edit,
) -> Result<SegmentNo, ChangeError> {
    let no = match no {
        Some(no) => no,
        None => next_segment_no(store, setup)?,
    };
    if store.standing(&no)? != SegmentStanding::Unknown {
        let help = Some("give it another number, or none".to_owned());
        return Err(ChangeError::problem(
            "segment-exists",
            format!("there is a segment `{no}` already"),
            help,
        ));
    }
    let mut header = SegmentHeader { no: no.clone(), ..SegmentHeader::default() };
    edit_header(store, setup, &mut header, edit)?;
    store.put_segment(&header)?;
    Ok(no)
}

/// Changes the header of an open segment.
///
/// # Errors
///
/// A segment that is not open, and all values that do not fit.
pub fn change_header(
    store: &mut dyn Worksheets,
    setup: &Setup,
    (segment, reach): (&SegmentNo, Reach),
    edit: &Edit,
) -> Result<(), ChangeError> {
    let mut header = open(store, segment)?;
    edit_header(store, setup, &mut header, edit)?;
    header.no = segment.clone();
    store.change_header(&header)?;
    if reach == Reach::AllLines {
        let names = edit.set.iter().map(|(name, _)| name).chain(&edit.clear);
        for name in names.filter(|name| InteractionValues::NAMES.contains(&name.as_str())) {
            store.clear_on_lines(segment, name)?;
        }
        if !edit.documents.is_empty() {
            store.clear_on_lines(segment, "document")?;
        }
    }
    Ok(())
}

/// Changes the line of a contact, and adds it where there is none; returns its number.
///
/// # Errors
///
/// A segment that is not open, a contact that is not known or has several lines, and all values that do not fit.
pub fn change_line(
    store: &mut dyn Worksheets,
    setup: &Setup,
    (segment, target): (&SegmentNo, &Target),
    edit: &Edit,
) -> Result<LineNo, ChangeError> {
    open(store, segment)?;
    let found = find_line(store, segment, target)?;
    let mut values = found.as_ref().map(|line| line.values.clone()).unwrap_or_default();
    let mut problems = Vec::new();
    for (name, text) in &edit.set {
        if let Err(problem) = values.set(name, text) {
            problems.push(value_problem(&problem));
        }
    }
    for name in &edit.clear {
        if !values.clear(name) {
            problems.push(value_problem(&ValueProblem::Unknown { name: name.clone() }));
        }
    }
    for (_, attachment) in &edit.documents {
        store.put_attachment(attachment)?;
        values.document = Some(attachment.digest.clone());
        values.is_merged = edit.is_merged;
    }
    problems.extend(codes_of(store, setup, &values.values)?);
    if let Some(code) = &values.address {
        let addresses = store.addresses(&target.contact)?;
        if !addresses.iter().any(|address| address.code == *code) {
            let message = format!("contact {} has no alternative address `{code}`", target.contact);
            let help = did_you_mean(code, addresses.iter().map(|address| address.code.as_str()));
            problems.push(problem("unknown-address", message, help));
        }
    }
    if !problems.is_empty() {
        return Err(ChangeError::Problems(problems));
    }
    let line_no = match found {
        Some(line) => line.line_no,
        None => store.add_line(segment, &target.contact)?,
    };
    store.put_line(segment, &SegmentLine { line_no, contact: target.contact.clone(), values })?;
    Ok(line_no)
}

/// Puts another contact on a line; what was set for the old one goes away, what the header says stays.
///
/// # Errors
///
/// As for [`change_line`].
pub fn swap_contact(
    store: &mut dyn Worksheets,
    (segment, target): (&SegmentNo, &Target),
    contact: &ContactNo,
) -> Result<LineNo, ChangeError> {
    open(store, segment)?;
    let Some(line) = find_line(store, segment, target)? else {
        let message = format!("contact {} has no line on segment {segment}", target.contact);
        return Err(ChangeError::problem("unknown-line", message, None));
    };
    known_contact(store, contact)?;
    let mut reduce = CriteriaAction::by_hand(CriteriaKind::Reduce, &target.contact);
    reduce.options.line = Some(line.line_no);
    store.select(segment, &reduce)?;
    let mut add = CriteriaAction::by_hand(CriteriaKind::Add, contact);
    add.options.line = Some(line.line_no);
    add.options.allow_existing = true;
    add.options.is_joined = true;
    store.select(segment, &add)?;
    Ok(line.line_no)
}

/// Deletes an open segment.
///
/// # Errors
///
/// A segment that is not open.
pub fn delete_segment(store: &mut dyn Worksheets, segment: &SegmentNo) -> Result<(), ChangeError> {
    open(store, segment)?;
    Ok(store.delete_segment(segment)?)
}

/// Finds the header of a segment that is open: not unknown, not being run, not logged.
///
/// # Errors
///
/// How it stands instead.
pub fn open(store: &mut dyn Worksheets, segment: &SegmentNo) -> Result<SegmentHeader, ChangeError> {
    let segment = segment.clone();
    match store.standing(&segment)? {
        SegmentStanding::Open => {}
        SegmentStanding::Unknown => return Err(LoadError::Unknown(segment).into()),
        SegmentStanding::Interrupted(run) => return Err(LoadError::Interrupted { segment, run }.into()),
        SegmentStanding::Logged(run) => return Err(LoadError::Logged { segment, run }.into()),
    }
    match store.header(&segment)? {
        Some(header) => Ok(header),
        None => Err(LoadError::Unknown(segment).into()),
    }
}

fn edit_header(
    store: &mut dyn Worksheets,
    setup: &Setup,
    header: &mut SegmentHeader,
    edit: &Edit,
) -> Result<(), ChangeError> {
    let mut problems = Vec::new();
    for (name, text) in &edit.set {
        if name == "no" && *text != header.no.0 {
            problems.push(problem("key-changed", "the number of a segment stays", None));
        } else if let Err(problem) = header.set(name, text) {
            problems.push(value_problem(&problem));
        }
    }
    for name in &edit.clear {
        if !header.clear(name) {
            problems.push(value_problem(&ValueProblem::Unknown { name: name.clone() }));
        }
    }
    for (tag, attachment) in &edit.documents {
        match tag.parse::<Language>() {
            Ok(language) => {
                store.put_attachment(attachment)?;
                header.documents.insert(language, attachment.digest.clone());
            }
            Err(error) => problems.push(problem("not-a-language", error.to_string(), None)),
        }
    }
    problems.extend(codes_of(store, setup, &header.values)?);
    if problems.is_empty() { Ok(()) } else { Err(ChangeError::Problems(problems)) }
}

/// Finds the codes among values that nobody knows.
fn codes_of(
    store: &mut dyn Worksheets,
    setup: &Setup,
    values: &InteractionValues,
) -> Result<Vec<Problem>, RecordsError> {
    let mut problems = Vec::new();
    let mut check = |words: &str, code: &Option<String>, known: Vec<String>| {
        let Some(code) = code.as_ref().filter(|code| !code.is_empty() && !known.contains(code)) else {
            return;
        };
        if let ChangeError::Problems(found) = unknown(words, code, &known) {
            problems.extend(found);
        }
    };
    let templates = store.templates()?.into_iter().map(|template| template.code).collect();
    check("interaction template", &values.interaction_template, templates);
    check("salesperson", &values.salesperson, salesperson_codes(store, setup)?);
    let mut campaigns: Vec<String> = setup.campaigns.iter().map(|campaign| campaign.code.clone()).collect();
    campaigns.extend(store.masters(MasterKind::Campaign)?.iter().map(|campaign| campaign.code().to_owned()));
    check("campaign", &values.campaign, campaigns);
    Ok(problems)
}

/// Finds the line that is meant; none where the contact has no line yet.
fn find_line(
    store: &mut dyn Worksheets,
    segment: &SegmentNo,
    target: &Target,
) -> Result<Option<SegmentLine>, ChangeError> {
    known_contact(store, &target.contact)?;
    let mut lines = store.lines_of(segment, &target.contact)?;
    let numbers: Vec<String> = lines.iter().map(|line| line.line_no.to_string()).collect();
    match target.line_no {
        Some(line_no) => {
            lines.retain(|line| line.line_no == line_no);
            if lines.is_empty() {
                let message = format!("contact {} has no line {line_no}", target.contact);
                let help = (!numbers.is_empty()).then(|| format!("it has {}", numbers.join(", ")));
                return Err(ChangeError::problem("unknown-line", message, help));
            }
        }
        None if lines.len() > 1 => {
            let message = format!("contact {} has {} lines", target.contact, lines.len());
            let help = format!("name one with `--line`: {}", numbers.join(", "));
            return Err(ChangeError::problem("several-lines", message, Some(help)));
        }
        None => {}
    }
    Ok(lines.pop())
}

pub(in crate::run) fn known_contact(
    store: &mut dyn Worksheets,
    contact: &ContactNo,
) -> Result<(), ChangeError> {
    if store.has_contact(contact)? {
        return Ok(());
    }
    let help = Some("`mailrun contact list` shows those there are".to_owned());
    Err(ChangeError::problem("unknown-contact", format!("there is no contact `{contact}`"), help))
}

fn value_problem(wrong: &ValueProblem) -> Problem {
    let nearest = match wrong {
        ValueProblem::Unknown { name } => did_you_mean(name, all_names()),
        ValueProblem::Unfit { .. } => None,
    };
    let all = || match wrong {
        ValueProblem::Unknown { .. } => {
            Some(format!("the values are {}", all_names().collect::<Vec<_>>().join(", ")))
        }
        ValueProblem::Unfit { .. } => wrong.help(),
    };
    problem(wrong.id(), wrong.to_string(), nearest.or_else(all))
}

fn problem(id: &'static str, message: impl Into<String>, help: Option<String>) -> Problem {
    Problem { id, message: message.into(), place: String::new(), help }
}
