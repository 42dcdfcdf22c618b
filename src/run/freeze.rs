//! Owns freezing: from what holds for a line to its part of the plan, with every text and value as it will be used.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::contact::address::{self, PostalAddress};
use crate::contact::{Contact, CorrespondenceType, salutation};
use crate::delivery::mailbox::Address;
use crate::delivery::name::safe_name;
use crate::interaction::resolve::Facts;
use crate::interaction::rule::Rule;
use crate::interaction::template::EmailAttachment;
use crate::interaction::{EffectiveInteraction, Entry, Standing, State};
use crate::merge::{Moment, Need};
use crate::run::desk::Desk;
use crate::run::envelope::Envelope;
use crate::run::forms::{Forms, LetterForm};
use crate::run::household::{joined_greeting, joined_name, members};
use crate::run::plan::{Destination, PlannedLetter, PlannedLine};
use crate::run::problem::Problem;
use crate::run::records::LineRecord;
use crate::run::values::LineContext;
use crate::segment::LineNo;
use crate::setup::LetterFiles;

/// Why a line is suppressed whose document leaves its contact out (SKIPIF).
const SKIPPED: &str = "skipped-by-document";

/// Freezes one line.
///
/// `place` is where the line was written; `sequence` is its number among the lines, from 1.
///
/// # Errors
///
/// All problems of this line; those of shared documents and texts are the desk's.
pub(in crate::run) fn freeze(
    desk: &Desk,
    forms: &Forms<'_>,
    record: &LineRecord,
    effective: &EffectiveInteraction<'_>,
    place: &dyn Fn() -> String,
    moment: Moment,
) -> Result<PlannedLine, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut problem = |id, message: String, help: &str| {
        problems.push(Problem { id, message, place: place(), help: Some(help.to_owned()) });
    };
    let members = members(&record.contact, &record.household);
    let addressee = addressee(record, &members, effective);
    let contact = addressee.as_ref();
    let form = letter_form(forms, effective);
    let enclosure_forms = enclosure_forms(forms, effective);
    let all_forms = || form.into_iter().chain(enclosure_forms.iter().copied());
    let facts = Facts {
        header: &desk.header,
        line: &record.line,
        contact,
        addresses: &record.addresses,
        inherited: record.inherited,
        company_addresses: &record.company_addresses,
        presets: &desk.presets,
    };
    let mut context = LineContext {
        facts,
        effective,
        setup: &desk.setup,
        campaigns: &desk.campaigns,
        rows: &record.rows,
        address_block: address_block(desk, effective, contact),
        salutation_formal: String::new(),
        salutation_informal: String::new(),
        description: String::new(),
        subject: String::new(),
        comment: String::new(),
        moment,
    };
    if form.is_some() && effective.salutation.value.is_some() {
        (context.salutation_formal, context.salutation_informal) =
            greetings(desk, forms, &mut context, &members);
    }
    context.description = text(desk, forms, &context, effective.description.value);
    context.comment = text(desk, forms, &context, effective.comment.value);
    context.subject = text(desk, forms, &context, effective.subject.value);

    for form in all_forms() {
        if form.uses.salutation && effective.salutation.value.is_none() {
            problem(
                "no-salutation",
                format!(
                    "there is no salutation formula for code `{}`{}, and {} uses one",
                    contact.salutation_code,
                    effective
                        .language
                        .value
                        .as_ref()
                        .map(|language| format!(" in `{language}`"))
                        .unwrap_or_default(),
                    form.name
                ),
                "add a `[[salutation]]` for the code to mailrun.toml, without a language as a last resort",
            );
        }
        if form.uses.salesperson && effective.salesperson.value.is_empty() {
            problem(
                "no-salesperson",
                format!("the line has no salesperson, and {} uses one", form.name),
                "set `salesperson` on the segment, on the line, or for the contact",
            );
        }
    }
    if let Some(form) = form
        && !all_forms().any(|form| form.takes_comment)
        && !context.comment.is_empty()
        && !record.line.values.is_merged
    {
        problem(
            "no-place-for-comment",
            format!("the line has a comment, but {} has no place for it", form.name),
            "put a field or tag `comment`, or a bookmark of that name, into the document, \
             or set `comment_as = \"annotation\"`",
        );
    }
    let (state, reason) = match effective.standing {
        Standing::Due(_) => (State::Planned, String::new()),
        Standing::LogOnly => (State::LogOnly, String::new()),
        Standing::Joined(head) => (State::LogOnly, format!("household of line {head}")),
        Standing::Suppressed(refusal) => (State::Suppressed, refusal.id().to_owned()),
    };
    let email = match effective.standing {
        Standing::Due(CorrespondenceType::Email) => effective.email.value.trim().to_owned(),
        Standing::Due(CorrespondenceType::Fax) => {
            let gateway = desk.setup.fax.as_ref().map_or("", |fax| fax.address.as_str());
            text(desk, forms, &context, gateway)
        }
        Standing::Due(CorrespondenceType::HardCopy)
        | Standing::LogOnly
        | Standing::Joined(_)
        | Standing::Suppressed(_) => String::new(),
    };
    if !email.is_empty()
        && let Err(error) = email.parse::<Address>()
    {
        problem(error.id(), error.to_string(), "correct the e-mail address of the contact or of the line");
    }
    let smtp = desk.setup.smtp.as_ref().filter(|_| form.is_some() && !email.is_empty());
    let envelope = smtp.map(|smtp| Envelope::new(smtp, &|source| text(desk, forms, &context, source)));
    for (id, message, help) in envelope.iter().flat_map(Envelope::problems) {
        problem(id, message, help);
    }
    let is_locked = !desk.setup.pdf.password.is_empty()
        && effective.standing == Standing::Due(CorrespondenceType::Email)
        && effective.template.value.email.attach.contains(&EmailAttachment::Pdf);
    let password = match is_locked {
        true => text(desk, forms, &context, &desk.setup.pdf.password).trim().to_owned(),
        false => String::new(),
    };
    if is_locked && password.is_empty() {
        problem(
            "no-pdf-password",
            format!("the line's PDF is to be locked, and `{}` is empty for it", desk.setup.pdf.password),
            "give the contact the value, or leave the contact out; `[pdf] password` says what locks the files",
        );
    }
    let message_id = desk
        .run
        .zip(envelope.as_ref())
        .and_then(|(run, envelope)| envelope.message_id(run, record.line.line_no));
    // An enclosure whose document leaves the contact out stays behind; the others go.
    let (enclosing_forms, enclosures): (Vec<&LetterForm>, Vec<PlannedLetter>) = enclosure_forms
        .iter()
        .map(|form| (*form, planned_enclosure(&context, form)))
        .filter(|(form, letter)| !skips(form, letter, &context.moment))
        .unzip();
    let letter =
        form.map(|form| PlannedLetter { enclosures, ..planned_letter(&context, form, envelope, password) });
    let mut wanted = Vec::new();
    let documents = letter.iter().flat_map(PlannedLetter::documents);
    for (form, letter) in form.into_iter().chain(enclosing_forms).zip(documents) {
        if !form.template.wants_more() {
            continue;
        }
        let number = record.line.line_no.0 / LineNo::STEP;
        let moment = Moment { record: number, sequence: number, ..context.moment.clone() };
        let asked = form.template.wanted(std::slice::from_ref(&letter.values), &moment);
        for address in asked.refused_links {
            problem(
                "refused-link",
                format!("{} would lead to `{address}`", form.name),
                "give an address that begins with https:, http:, mailto:, tel: or sms:",
            );
        }
        if let Some(text) = asked.too_long {
            problem(
                "barcode-too-long",
                format!("a value of {} bytes is too long for a QR code of {}", text.len(), form.name),
                "shorten the value, or lower the error correction with `\\q 0`",
            );
        }
        wanted.extend(asked.pictures);
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    if let (Some(form), Some(letter)) = (form, &letter)
        && skips(form, letter, &context.moment)
    {
        let reason = SKIPPED.to_owned();
        let entry = entry(&context, State::Suppressed, reason, String::new(), String::new());
        return Ok(PlannedLine { entry, letter: None, wanted: Vec::new() });
    }
    let file = match (form, effective.standing) {
        (Some(_), Standing::Due(kind)) => file_name(&context, kind),
        _ => String::new(),
    };
    let mut entry = entry(&context, state, reason, email, file);
    entry.message_id = message_id.map(|id| id.to_string()).unwrap_or_default();
    Ok(PlannedLine { entry, letter, wanted })
}

/// Returns whom the letter is to: the contact, or the household with its names joined.
fn addressee<'a>(
    record: &'a LineRecord,
    members: &[&Contact],
    effective: &EffectiveInteraction<'_>,
) -> Cow<'a, Contact> {
    if members.len() < 2 {
        return Cow::Borrowed(&record.contact);
    }
    let name = joined_name(members, effective.language.value.as_ref());
    Cow::Owned(Contact { name, ..record.contact.clone() })
}

/// Returns the formal and the informal greeting; of a household, everybody's own, joined.
fn greetings<'a>(
    desk: &'a Desk,
    forms: &Forms<'_>,
    context: &mut LineContext<'a>,
    members: &[&'a Contact],
) -> (String, String) {
    let (addressee, language) = (context.facts.contact, context.effective.language.value.as_ref());
    let (mut formal, mut informal) = (Vec::new(), Vec::new());
    for member in members {
        let formula = match members.len() {
            1 => context.effective.salutation.value,
            _ => {
                let formulas = &desk.presets.formulas;
                salutation::find(formulas, &member.salutation_code, language, member.kind)
                    .map(|(formula, _)| formula)
            }
        };
        let Some(formula) = formula else { continue };
        context.facts.contact = member;
        formal.push(salutation::tidy(&text(desk, forms, context, &formula.formal)));
        informal.push(salutation::tidy(&text(desk, forms, context, &formula.informal)));
    }
    context.facts.contact = addressee;
    (joined_greeting(&formal), joined_greeting(&informal))
}

fn letter_form<'a>(forms: &'a Forms<'_>, effective: &EffectiveInteraction<'_>) -> Option<&'a LetterForm> {
    match (effective.standing, effective.document.value) {
        (Standing::Due(_), Some(document)) => {
            forms.letter(&effective.template.value.code, document).flatten()
        }
        _ => None,
    }
}

fn enclosure_forms<'a>(forms: &'a Forms<'_>, effective: &EffectiveInteraction<'_>) -> Vec<&'a LetterForm> {
    match effective.standing {
        Standing::Due(_) => {
            let of = |document| forms.letter(&effective.template.value.code, document).flatten();
            effective.enclosures.value.iter().filter_map(of).collect()
        }
        Standing::LogOnly | Standing::Joined(_) | Standing::Suppressed(_) => Vec::new(),
    }
}

/// Tells whether a document leaves the contact out (SKIPIF).
fn skips(form: &LetterForm, letter: &PlannedLetter, moment: &Moment) -> bool {
    form.skipping.as_ref().is_some_and(|document| document.skips(&letter.values, moment))
}

fn text(desk: &Desk, forms: &Forms<'_>, context: &LineContext<'_>, source: &str) -> String {
    match forms.text(source) {
        // A text renders whatever its values are; the one failure is a size that no letter reaches.
        Some(text) => {
            text.render(&context.frame(&desk.names, text.needs()), &context.moment).unwrap_or_default()
        }
        None => source.to_owned(),
    }
}

/// Returns the lines of the envelope: of the alternative address that holds, else of the contact's own.
fn address_block(desk: &Desk, effective: &EffectiveInteraction<'_>, contact: &Contact) -> String {
    let sender = desk.setup.company.field("country");
    let block = |contact: &Contact, address: &PostalAddress| {
        let country = if address.country.is_empty() { sender } else { &address.country };
        address::address_block(&address::name_lines(contact, country), address, sender).join("\n")
    };
    match effective.address.value {
        Some(alternative) if alternative.company_name.is_empty() => block(contact, &alternative.address),
        Some(alternative) => {
            let there = Contact { company_name: alternative.company_name.clone(), ..contact.clone() };
            block(&there, &alternative.address)
        }
        None => block(contact, &contact.postal_address()),
    }
}

fn planned_letter(
    context: &LineContext<'_>,
    form: &LetterForm,
    envelope: Option<Envelope>,
    password: String,
) -> PlannedLetter {
    let frame = |needs: &Option<Vec<Need>>| needs.as_ref().map(|needs| context.frame(&form.names, needs));
    PlannedLetter {
        document: form.document,
        values: context.frame(&form.names, form.template.needs()),
        locale: context.moment.locale.clone(),
        pictures: BTreeMap::new(),
        enclosures: Vec::new(),
        destination: envelope.is_none().then(|| destination(context)),
        message: envelope
            .map(|envelope| envelope.message(frame(&form.body_needs), frame(&form.text_needs), password)),
    }
}

fn planned_enclosure(context: &LineContext<'_>, form: &LetterForm) -> PlannedLetter {
    PlannedLetter {
        document: form.document,
        values: context.frame(&form.names, form.template.needs()),
        locale: context.moment.locale.clone(),
        ..PlannedLetter::default()
    }
}

fn destination(context: &LineContext<'_>) -> Destination {
    let own = context.facts.contact.postal_address();
    let address = context.effective.address.value.map_or(&own, |alternative| &alternative.address);
    let sender = context.setup.company.field("country");
    let country = if address.country == sender { String::new() } else { address.country.clone() };
    Destination { country, post_code: address.post_code.clone() }
}

/// Line no., contact no. and name: unique in the run by the first, found by people by the others.
fn file_name(context: &LineContext<'_>, kind: CorrespondenceType) -> String {
    let contact = context.facts.contact;
    let stem = format!("{:06} {} {}", context.facts.line.line_no.0, contact.no, contact.full_name());
    let ending = match (kind, context.setup.output.letters) {
        (CorrespondenceType::Email | CorrespondenceType::Fax, _) => "eml",
        (CorrespondenceType::HardCopy, LetterFiles::Docx) => "docx",
        (CorrespondenceType::HardCopy, LetterFiles::Pdf | LetterFiles::Both) => "pdf",
    };
    safe_name(&stem, ending)
}

fn entry(context: &LineContext<'_>, state: State, reason: String, email: String, file: String) -> Entry {
    let LineContext { facts, effective, .. } = context;
    let contact = facts.contact;
    Entry {
        segment: facts.header.no.clone(),
        line_no: facts.line.line_no,
        contact: contact.no.clone(),
        contact_name: contact.full_name(),
        company_no: contact.company_no.clone(),
        state,
        reason,
        correspondence_type: effective.correspondence_type.value,
        template: effective.template.value.code.clone(),
        group: effective.template.value.group.clone(),
        description: context.description.clone(),
        date: effective.date.value,
        language: effective.language.value.as_ref().map(|language| language.to_string()).unwrap_or_default(),
        subject: context.subject.clone(),
        salesperson: effective.salesperson.value.to_owned(),
        campaign: effective.campaign.value.to_owned(),
        unit_cost: effective.unit_cost.value,
        unit_duration: effective.unit_duration.value,
        information_flow: effective.information_flow.value,
        initiated_by: effective.initiated_by.value,
        campaign_target: effective.campaign_target.value,
        campaign_response: effective.campaign_response.value,
        evaluation: effective.evaluation.value,
        address_block: context.address_block.clone(),
        email,
        salutation_formal: context.salutation_formal.clone(),
        salutation_informal: context.salutation_informal.clone(),
        comment: context.comment.clone(),
        document: effective.document.value.cloned(),
        rules: rules(effective),
        file,
        message_id: String::new(),
    }
}

/// Returns the rule behind each value, in the order in which `explain` shows them.
pub(in crate::run) fn rules(effective: &EffectiveInteraction<'_>) -> Vec<(&'static str, Rule)> {
    let mut rules = vec![
        ("interaction_template", effective.template.rule),
        ("description", effective.description.rule),
        ("date", effective.date.rule),
        ("language", effective.language.rule),
        ("document", effective.document.rule),
        ("subject", effective.subject.rule),
        ("correspondence_type", effective.correspondence_type.rule),
        ("address", effective.address.rule),
        ("email", effective.email.rule),
        ("salesperson", effective.salesperson.rule),
        ("campaign", effective.campaign.rule),
        ("unit_cost", effective.unit_cost.rule),
        ("unit_duration", effective.unit_duration.rule),
        ("information_flow", effective.information_flow.rule),
        ("initiated_by", effective.initiated_by.rule),
        ("campaign_target", effective.campaign_target.rule),
        ("campaign_response", effective.campaign_response.rule),
        ("salutation", effective.salutation.rule),
        ("comment", effective.comment.rule),
        ("evaluation", effective.evaluation.rule),
    ];
    if !effective.enclosures.value.is_empty() {
        rules.push(("enclosures", effective.enclosures.rule));
    }
    if effective.is_exclusion_ignored {
        rules.push(("exclusion", Rule::ExclusionIgnored));
    }
    rules
}
