//! Owns resolution: from the header's defaults, the line's overrides, template and contact to what holds for one line.
//!
//! A line stores only what was set on it; everything else is looked up here, each value from the first that has one,
//! together with the rule that decided it. A value that must exist and does not is a [`Refusal`], never a silent
//! downgrade.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::contact::address::{self, AlternativeAddress};
use crate::contact::consent::{self, ConsentRefusal};
use crate::contact::inheritance::Inherited;
use crate::contact::language::Language;
use crate::contact::salutation::{self, SalutationFormula, SalutationRule};
use crate::contact::{Contact, CorrespondenceType};
use crate::interaction::refusal::Refusal;
use crate::interaction::rule::{Resolved, Rule};
use crate::interaction::template::{InteractionTemplate, TemplateLanguage};
use crate::segment::document::Digest;
use crate::segment::line::Evaluation;
use crate::segment::values::{InformationFlow, InitiatedBy, InteractionValues};
use crate::segment::{LineNo, SegmentHeader, SegmentLine};

/// What resolution looks things up in: the same for all lines of a run.
#[derive(Debug, Default)]
pub struct Presets {
    /// The interaction templates by code.
    pub templates: BTreeMap<String, InteractionTemplate>,
    /// The salutation formulas.
    pub formulas: Vec<SalutationFormula>,
    /// The codes of the salespersons.
    pub salespersons: Vec<String>,
    /// The codes of the campaigns.
    pub campaigns: Vec<String>,
    /// What a line becomes when its correspondence type cannot be reached.
    pub fallback: BTreeMap<CorrespondenceType, CorrespondenceType>,
    /// The correspondence type of last resort.
    pub default_correspondence_type: Option<CorrespondenceType>,
    /// Whether there is a gateway for faxes.
    pub has_fax_gateway: bool,
    /// The date of the run.
    pub run_date: Date,
}

/// What is known of one line.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The segment's header.
    pub header: &'a SegmentHeader,
    /// The line.
    pub line: &'a SegmentLine,
    /// Its contact, with what it has from its company.
    pub contact: &'a Contact,
    /// What the contact has from its company.
    pub inherited: Inherited,
    /// The contact's alternative addresses.
    pub addresses: &'a [AlternativeAddress],
    /// The alternative addresses of the company whose address the contact has.
    pub company_addresses: &'a [AlternativeAddress],
    /// Where the rest is looked up.
    pub presets: &'a Presets,
}

/// What holds for one line, each value with the rule that decided it. Texts may hold tags still.
#[derive(Clone, Debug)]
pub struct EffectiveInteraction<'a> {
    /// The interaction template.
    pub template: Resolved<&'a InteractionTemplate>,
    /// The description.
    pub description: Resolved<&'a str>,
    /// The date.
    pub date: Resolved<Date>,
    /// The language.
    pub language: Resolved<Option<Language>>,
    /// The document; none where the line is only logged.
    pub document: Resolved<Option<&'a Digest>>,
    /// The documents that go with it; none where there is no document.
    pub enclosures: Resolved<&'a [Digest]>,
    /// The subject.
    pub subject: Resolved<&'a str>,
    /// The correspondence type; none means log only.
    pub correspondence_type: Resolved<Option<CorrespondenceType>>,
    /// The alternative address; none means the contact's own.
    pub address: Resolved<Option<&'a AlternativeAddress>>,
    /// The e-mail address.
    pub email: Resolved<&'a str>,
    /// The code of the salesperson; empty for none.
    pub salesperson: Resolved<&'a str>,
    /// The code of the campaign; empty for none.
    pub campaign: Resolved<&'a str>,
    /// The cost.
    pub unit_cost: Resolved<Option<Decimal>>,
    /// The duration in minutes.
    pub unit_duration: Resolved<Option<Decimal>>,
    /// Which way the information flows.
    pub information_flow: Resolved<Option<InformationFlow>>,
    /// Who began.
    pub initiated_by: Resolved<Option<InitiatedBy>>,
    /// Whether the contact counts as a target.
    pub campaign_target: Resolved<bool>,
    /// Whether it counts as a response.
    pub campaign_response: Resolved<bool>,
    /// The salutation formula; none is a refusal only if the document asks for it.
    pub salutation: Resolved<Option<&'a SalutationFormula>>,
    /// The personal comment; empty for none.
    pub comment: Resolved<&'a str>,
    /// The evaluation.
    pub evaluation: Resolved<Option<Evaluation>>,
    /// Whether the contact is excluded from segments, and written to all the same.
    pub is_exclusion_ignored: bool,
    /// What becomes of the line.
    pub standing: Standing,
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is delivered by this correspondence type.
    Due(CorrespondenceType),
    /// It is logged, and nothing goes out.
    LogOnly,
    /// It is logged, and its letter is that of another line: of the same household.
    Joined(LineNo),
    /// Nothing may go out; it is logged with the reason.
    Suppressed(ConsentRefusal),
}

/// Resolves the effective interaction of one line.
///
/// A line whose contact may not be written to is [`Standing::Suppressed`]; what cannot be resolved for it stays empty.
///
/// # Errors
///
/// All refusals of the line at once.
pub fn resolve<'a>(facts: &Facts<'a>) -> Result<EffectiveInteraction<'a>, Vec<Refusal>> {
    let mut refusals = Vec::new();
    let template = match template(facts) {
        Ok(template) => template,
        Err(refusal) => return Err(vec![refusal]),
    };
    let date = date(facts);
    let address = address(facts, date.value, &mut refusals);
    let email = email(facts, &address);
    let correspondence_type =
        correspondence_type(facts, template.value, &address, email.value, &mut refusals);
    let standing = match (refusal(facts, correspondence_type.value), correspondence_type.value) {
        (Some(refusal), _) => Standing::Suppressed(refusal),
        (None, Some(kind)) => Standing::Due(kind),
        (None, None) => Standing::LogOnly,
    };
    let language = language(facts, template.value);
    let (document, version) =
        document(facts, template.value, language.value.as_ref(), standing, &mut refusals);
    let enclosures = enclosures(document.value, version);
    let description = description(facts, template.value);
    let effective = EffectiveInteraction {
        description: description.clone(),
        subject: subject(facts, version, description.value),
        salesperson: salesperson(facts, &mut refusals),
        campaign: campaign(facts, template.value, &mut refusals),
        unit_cost: line_header_template(facts, |values| values.unit_cost.map(Some), template.value.unit_cost),
        unit_duration: line_header_template(
            facts,
            |values| values.unit_duration.map(Some),
            template.value.unit_duration,
        ),
        information_flow: line_header_template(
            facts,
            |values| values.information_flow.map(Some),
            template.value.information_flow,
        ),
        initiated_by: line_header_template(
            facts,
            |values| values.initiated_by.map(Some),
            template.value.initiated_by,
        ),
        campaign_target: flag(facts, |values| values.campaign_target, template.value.campaign_target),
        campaign_response: flag(facts, |values| values.campaign_response, template.value.campaign_response),
        salutation: salutation(facts, language.value.as_ref()),
        comment: text(facts, |values| values.comment.as_deref()),
        evaluation: match facts.line.values.evaluation {
            Some(evaluation) => Resolved::new(Some(evaluation), Rule::Line),
            None => Resolved::new(None, Rule::Nobody),
        },
        template,
        date,
        language,
        document,
        enclosures,
        correspondence_type,
        address,
        email,
        is_exclusion_ignored: facts.contact.exclude_from_segment && facts.line.values.ignore_exclusion,
        standing,
    };
    let is_suppressed = matches!(standing, Standing::Suppressed(_));
    if refusals.is_empty() || is_suppressed { Ok(effective) } else { Err(refusals) }
}

/// Consent; an exclusion that is ignored on the line does not count.
fn refusal(facts: &Facts<'_>, correspondence_type: Option<CorrespondenceType>) -> Option<ConsentRefusal> {
    match facts.line.values.ignore_exclusion {
        true => consent::refusal_despite_exclusion(facts.contact, correspondence_type),
        false => consent::refusal(facts.contact, correspondence_type),
    }
}

/// Line → header; none: refusal.
fn template<'a>(facts: &Facts<'a>) -> Result<Resolved<&'a InteractionTemplate>, Refusal> {
    let code = text(facts, |values| values.interaction_template.as_deref().filter(|code| !code.is_empty()));
    if code.rule == Rule::Nobody {
        return Err(Refusal::NoTemplate);
    }
    match facts.presets.templates.get(code.value) {
        Some(template) => Ok(Resolved::new(template, code.rule)),
        None => Err(Refusal::UnknownTemplate { code: code.value.to_owned() }),
    }
}

/// Line → header → date of the run.
fn date(facts: &Facts<'_>) -> Resolved<Date> {
    first(facts, |values| values.date).unwrap_or(Resolved::new(facts.presets.run_date, Rule::RunDate))
}

/// Line → header → template.
fn description<'a>(facts: &Facts<'a>, template: &'a InteractionTemplate) -> Resolved<&'a str> {
    first(facts, |values| values.description.as_deref().filter(|text| !text.is_empty()))
        .unwrap_or(Resolved::new(&template.description, Rule::Template))
}

/// Line → header → template version's → description.
fn subject<'a>(
    facts: &Facts<'a>,
    version: Option<&'a TemplateLanguage>,
    description: &'a str,
) -> Resolved<&'a str> {
    first(facts, |values| values.subject.as_deref())
        .or_else(|| Some(Resolved::new(version?.subject.as_deref()?, Rule::Template)))
        .unwrap_or(Resolved::new(description, Rule::Description))
}

/// Line → contact's, if the document exists in it (exact, then base language) → header's → template's default.
/// What the contact lacks is its company's; see [`crate::contact::inheritance`].
fn language(facts: &Facts<'_>, template: &InteractionTemplate) -> Resolved<Option<Language>> {
    if let Some(language) = &facts.line.values.values.language {
        return Resolved::new(Some(language.clone()), Rule::Line);
    }
    if let Some(language) = facts.contact.language_tag() {
        if has_version(facts.header, template, &language) {
            return Resolved::new(Some(language), of_contact(facts.inherited.language));
        }
        let base = language.base();
        if has_version(facts.header, template, &base) {
            return Resolved::new(Some(base), Rule::ContactBase);
        }
    }
    match (&facts.header.values.language, &template.default_language) {
        (Some(language), _) => Resolved::new(Some(language.clone()), Rule::Header),
        (None, Some(language)) => Resolved::new(Some(language.clone()), Rule::TemplateDefault),
        (None, None) => Resolved::new(None, Rule::Nobody),
    }
}

fn has_version(header: &SegmentHeader, template: &InteractionTemplate, language: &Language) -> bool {
    header.documents.contains_key(language) || template.languages.contains_key(language)
}

/// Line's own → header's for the language → template's version for the language; none: refusal, unless log only.
fn document<'a>(
    facts: &Facts<'a>,
    template: &'a InteractionTemplate,
    language: Option<&Language>,
    standing: Standing,
    refusals: &mut Vec<Refusal>,
) -> (Resolved<Option<&'a Digest>>, Option<&'a TemplateLanguage>) {
    let version = language.and_then(|language| template.version(language)).map(|(_, version)| version);
    if let Some(digest) = &facts.line.values.document {
        return (Resolved::new(Some(digest), Rule::Line), version);
    }
    let headers = language.and_then(|language| {
        let documents = &facts.header.documents;
        documents.get(language).or_else(|| documents.get(&language.base()))
    });
    if let Some(digest) = headers {
        return (Resolved::new(Some(digest), Rule::Header), version);
    }
    if let Some(digest) = version.and_then(|version| version.document.as_ref()) {
        return (Resolved::new(Some(digest), Rule::Template), version);
    }
    if matches!(standing, Standing::Due(_)) {
        refusals.push(Refusal::NoDocument { language: language.cloned(), template: template.code.clone() });
    }
    (Resolved::new(None, Rule::Nobody), version)
}

/// The template's version for the language, whosever the document is.
fn enclosures<'a>(
    document: Option<&Digest>,
    version: Option<&'a TemplateLanguage>,
) -> Resolved<&'a [Digest]> {
    match (document, version) {
        (Some(_), Some(version)) if !version.enclosures.is_empty() => {
            Resolved::new(&version.enclosures, Rule::Template)
        }
        _ => Resolved::new(&[], Rule::Nobody),
    }
}

/// Line → header's, if it ignores the contact's → template's, if it ignores the contact's → contact's → header's →
/// template's → set-up default; then the fallback, if it cannot be reached.
fn correspondence_type(
    facts: &Facts<'_>,
    template: &InteractionTemplate,
    address: &Resolved<Option<&AlternativeAddress>>,
    email: &str,
    refusals: &mut Vec<Refusal>,
) -> Resolved<Option<CorrespondenceType>> {
    let set = set_correspondence_type(facts, template);
    let Some(kind) = set.value else { return set };
    let Err(refusal) = reach(facts, kind, address, email) else { return set };
    if let Some(&fallback) = facts.presets.fallback.get(&kind)
        && reach(facts, fallback, address, email).is_ok()
    {
        return Resolved::new(Some(fallback), Rule::Fallback);
    }
    refusals.push(refusal);
    set
}

fn set_correspondence_type(
    facts: &Facts<'_>,
    template: &InteractionTemplate,
) -> Resolved<Option<CorrespondenceType>> {
    let header = facts.header.values.correspondence_type;
    if let Some(kind) = facts.line.values.values.correspondence_type {
        return Resolved::new(kind, Rule::Line);
    }
    if let Some(kind) = header.filter(|_| facts.header.ignore_contact_correspondence_type) {
        return Resolved::new(kind, Rule::HeaderIgnoresContact);
    }
    if let Some(kind) = template.correspondence_type.filter(|_| template.ignore_contact_correspondence_type) {
        return Resolved::new(Some(kind), Rule::TemplateIgnoresContact);
    }
    if let Some(kind) = facts.contact.correspondence_type {
        return Resolved::new(Some(kind), Rule::Contact);
    }
    if let Some(kind) = header {
        return Resolved::new(kind, Rule::Header);
    }
    if let Some(kind) = template.correspondence_type {
        return Resolved::new(Some(kind), Rule::Template);
    }
    match facts.presets.default_correspondence_type {
        Some(kind) => Resolved::new(Some(kind), Rule::Setup),
        None => Resolved::new(None, Rule::Nobody),
    }
}

fn reach(
    facts: &Facts<'_>,
    kind: CorrespondenceType,
    address: &Resolved<Option<&AlternativeAddress>>,
    email: &str,
) -> Result<(), Refusal> {
    let is_reached = match kind {
        CorrespondenceType::HardCopy => match address.value {
            Some(alternative) => alternative.address.is_complete(),
            None => facts.contact.postal_address().is_complete(),
        },
        CorrespondenceType::Email => !email.trim().is_empty(),
        CorrespondenceType::Fax if !facts.presets.has_fax_gateway => return Err(Refusal::NoFaxGateway),
        CorrespondenceType::Fax => !facts.contact.fax.trim().is_empty(),
    };
    if is_reached {
        return Ok(());
    }
    Err(Refusal::Unreachable { contact: facts.contact.no.to_string(), correspondence_type: kind })
}

/// Line's alternative address → the one valid on the date (latest start wins) → contact's own.
fn address<'a>(
    facts: &Facts<'a>,
    date: Date,
    refusals: &mut Vec<Refusal>,
) -> Resolved<Option<&'a AlternativeAddress>> {
    if let Some(code) = &facts.line.values.address {
        if let Some(address) = facts.addresses.iter().find(|address| address.code == *code) {
            return Resolved::new(Some(address), Rule::LineAddress);
        }
        refusals.push(Refusal::UnknownAddress { contact: facts.contact.no.to_string(), code: code.clone() });
    }
    if let Some(address) = address::valid_on(facts.addresses, date) {
        return Resolved::new(Some(address), Rule::AddressOfDate);
    }
    match address::valid_on(facts.company_addresses, date) {
        Some(address) if facts.inherited.address => Resolved::new(Some(address), Rule::CompanyAddressOfDate),
        Some(_) | None => Resolved::new(None, of_contact(facts.inherited.address)),
    }
}

/// The rule of a value that the contact has, be it from its company.
fn of_contact(is_inherited: bool) -> Rule {
    if is_inherited { Rule::Company } else { Rule::Contact }
}

/// Line's → that of the chosen alternative address → contact's.
fn email<'a>(facts: &Facts<'a>, address: &Resolved<Option<&'a AlternativeAddress>>) -> Resolved<&'a str> {
    if let Some(email) = &facts.line.values.email {
        return Resolved::new(email, Rule::Line);
    }
    match address.value.map(|address| address.email.as_str()) {
        Some(email) if !email.is_empty() && address.rule != Rule::CompanyAddressOfDate => {
            Resolved::new(email, address.rule)
        }
        _ if facts.contact.email.is_empty() => Resolved::new("", Rule::Nobody),
        _ => Resolved::new(&facts.contact.email, Rule::Contact),
    }
}

/// Line → header → contact; none: empty.
fn salesperson<'a>(facts: &Facts<'a>, refusals: &mut Vec<Refusal>) -> Resolved<&'a str> {
    let code = first(facts, |values| values.salesperson.as_deref()).unwrap_or_else(|| {
        let code = facts.contact.salesperson.as_str();
        Resolved::new(
            code,
            if code.is_empty() { Rule::Nobody } else { of_contact(facts.inherited.salesperson) },
        )
    });
    if !code.value.is_empty() && !facts.presets.salespersons.iter().any(|known| known == code.value) {
        refusals.push(Refusal::UnknownSalesperson { code: code.value.to_owned() });
    }
    code
}

/// Line → header → template.
fn campaign<'a>(
    facts: &Facts<'a>,
    template: &'a InteractionTemplate,
    refusals: &mut Vec<Refusal>,
) -> Resolved<&'a str> {
    let code = first(facts, |values| values.campaign.as_deref())
        .or_else(|| Some(Resolved::new(template.campaign.as_deref()?, Rule::Template)))
        .unwrap_or(Resolved::new("", Rule::Nobody));
    if !code.value.is_empty() && !facts.presets.campaigns.iter().any(|known| known == code.value) {
        refusals.push(Refusal::UnknownCampaign { code: code.value.to_owned() });
    }
    code
}

/// The formula for (salutation code, language) → base language → no language.
fn salutation<'a>(facts: &Facts<'a>, language: Option<&Language>) -> Resolved<Option<&'a SalutationFormula>> {
    let contact = facts.contact;
    match salutation::find(&facts.presets.formulas, &contact.salutation_code, language, contact.kind) {
        Some((formula, rule)) => Resolved::new(
            Some(formula),
            match rule {
                SalutationRule::Language => Rule::FormulaLanguage,
                SalutationRule::BaseLanguage => Rule::FormulaBase,
                SalutationRule::AnyLanguage => Rule::FormulaAny,
            },
        ),
        None => Resolved::new(None, Rule::Nobody),
    }
}

/// Line → header.
fn first<'a, T>(facts: &Facts<'a>, pick: impl Fn(&'a InteractionValues) -> Option<T>) -> Option<Resolved<T>> {
    let line = pick(&facts.line.values.values).map(|value| Resolved::new(value, Rule::Line));
    line.or_else(|| pick(&facts.header.values).map(|value| Resolved::new(value, Rule::Header)))
}

/// Line → header → empty.
fn text<'a>(facts: &Facts<'a>, pick: impl Fn(&'a InteractionValues) -> Option<&'a str>) -> Resolved<&'a str> {
    first(facts, pick).unwrap_or(Resolved::new("", Rule::Nobody))
}

/// Line → header → template.
fn line_header_template<T>(
    facts: &Facts<'_>,
    pick: impl Fn(&InteractionValues) -> Option<Option<T>>,
    template: Option<T>,
) -> Resolved<Option<T>> {
    first(facts, pick).unwrap_or_else(|| {
        let rule = if template.is_some() { Rule::Template } else { Rule::Nobody };
        Resolved::new(template, rule)
    })
}

/// Line → header → template → no.
fn flag(
    facts: &Facts<'_>,
    pick: impl Fn(&InteractionValues) -> Option<bool>,
    template: Option<bool>,
) -> Resolved<bool> {
    let resolved = line_header_template(facts, |values| pick(values).map(Some), template);
    Resolved::new(resolved.value.unwrap_or(false), resolved.rule)
}
