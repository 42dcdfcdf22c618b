//! Holds that each value of a line comes from the first that has one, with the rule that says so, or is refused.

#![expect(clippy::unwrap_used, reason = "what a test sets up must succeed, or the test fails")]

use jiff::civil::{Date, date};
use mailrun::contact::address::{AlternativeAddress, PostalAddress};
use mailrun::contact::consent::ConsentRefusal;
use mailrun::contact::inheritance::Inherited;
use mailrun::contact::language::Language;
use mailrun::contact::salutation::SalutationFormula;
use mailrun::contact::{Contact, CorrespondenceType};
use mailrun::interaction::resolve::Presets;
use mailrun::interaction::{
    EffectiveInteraction, Facts, InteractionTemplate, Refusal, Resolved, Rule, Standing, TemplateLanguage,
    resolve,
};
use mailrun::segment::document::Digest;
use mailrun::segment::values::{InformationFlow, InitiatedBy};
use mailrun::segment::{LineNo, LineValues, SegmentHeader, SegmentLine};
use proptest::prelude::{any, prop_assert_eq, proptest};

use CorrespondenceType::{Email, Fax, HardCopy};

/// All that a line is resolved from.
struct Desk {
    header: SegmentHeader,
    line: SegmentLine,
    contact: Contact,
    addresses: Vec<AlternativeAddress>,
    presets: Presets,
}

impl Desk {
    /// A contact who can be reached by letter, e-mail and fax; template `T` in four languages; nothing else is set.
    fn new() -> Desk {
        let mut contact = Contact { no: "CT1".into(), ..Contact::default() };
        for (field, value) in [
            ("address", "Seestrasse 1"),
            ("city", "Zürich"),
            ("email", "contact@example.org"),
            ("fax", "+41 44 000 00 00"),
        ] {
            contact.set_field(field, value.to_owned()).unwrap();
        }
        let version = |tag: &str| {
            (language(tag), TemplateLanguage { document: Some(document(tag)), ..TemplateLanguage::default() })
        };
        let template = InteractionTemplate {
            code: "T".to_owned(),
            default_language: Some(language("en")),
            languages: ["en", "fr", "de", "it"].map(version).into(),
            ..InteractionTemplate::default()
        };
        let mut header = SegmentHeader::default();
        header.values.interaction_template = Some("T".to_owned());
        Desk {
            header,
            line: SegmentLine {
                line_no: LineNo(10_000),
                contact: "CT1".into(),
                values: LineValues::default(),
            },
            contact,
            addresses: Vec::new(),
            presets: Presets {
                templates: [("T".to_owned(), template)].into(),
                salespersons: codes(),
                campaigns: codes(),
                has_fax_gateway: true,
                run_date: date(2026, 1, 1),
                ..Presets::default()
            },
        }
    }

    fn template(&mut self) -> &mut InteractionTemplate {
        self.presets.templates.get_mut("T").unwrap()
    }

    fn set_line(&mut self, name: &str, text: &str) {
        self.line.values.set(name, text).unwrap();
    }

    fn set_header(&mut self, name: &str, text: &str) {
        self.header.set(name, text).unwrap();
    }

    fn set_contact(&mut self, name: &str, text: &str) {
        self.contact.set_field(name, text.to_owned()).unwrap();
    }

    /// Gives the contact an alternative address that is named like its code.
    fn add_address(&mut self, code: &str, starting_date: Option<Date>, ending_date: Option<Date>) {
        let address = PostalAddress {
            address: format!("{code} street"),
            city: "Bern".to_owned(),
            ..PostalAddress::default()
        };
        let code = code.to_owned();
        let alternative =
            AlternativeAddress { code, starting_date, ending_date, address, ..Default::default() };
        self.addresses.push(alternative);
    }

    /// Adds a formula that is named like its language.
    fn add_formula(&mut self, tag: &str) {
        self.presets.formulas.push(SalutationFormula {
            code: String::new(),
            language: Some(tag).filter(|tag| *tag != "any").map(language),
            kind: None,
            formal: tag.to_owned(),
            informal: String::new(),
        });
    }

    fn resolve(&self) -> Result<EffectiveInteraction<'_>, Vec<Refusal>> {
        let Desk { header, line, contact, addresses, presets } = self;
        let (inherited, company_addresses) = (Inherited::default(), &[][..]);
        resolve(&Facts { header, line, contact, inherited, addresses, company_addresses, presets })
    }
}

fn codes() -> Vec<String> {
    ["LINE", "HEADER", "CONTACT", "TEMPLATE"].map(str::to_owned).into()
}

fn document(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

fn language(tag: &str) -> Language {
    tag.parse().unwrap()
}

/// One place where a value can be set.
struct Place {
    /// The rule that is given where it decides.
    rule: Rule,
    /// What it sets, as [`Value::read`] shows it.
    shows: &'static str,
    set: fn(&mut Desk),
}

/// A value of the effective interaction, with its places in their order.
struct Value {
    name: &'static str,
    places: Vec<Place>,
    /// What holds where no place has a value.
    otherwise: (&'static str, Rule),
    read: fn(&EffectiveInteraction<'_>) -> (String, Rule),
}

fn place(rule: Rule, shows: &'static str, set: fn(&mut Desk)) -> Place {
    Place { rule, shows, set }
}

fn shown<T>(resolved: &Resolved<T>, show: impl FnOnce(&T) -> String) -> (String, Rule) {
    (show(&resolved.value), resolved.rule)
}

fn optional<T>(resolved: &Resolved<Option<T>>, show: impl FnOnce(&T) -> String) -> (String, Rule) {
    (resolved.value.as_ref().map(show).unwrap_or_default(), resolved.rule)
}

/// Every value of the table of resolutions.
#[rustfmt::skip]
fn values() -> Vec<Value> {
    use Rule as R;
    let nobody = ("", R::Nobody);
    vec![
        Value { name: "description", otherwise: ("", R::Template), read: |e| shown(&e.description, |text| text.to_string()), places: vec![
            place(R::Line, "line", |desk| desk.set_line("description", "line")),
            place(R::Header, "header", |desk| desk.set_header("description", "header")),
            place(R::Template, "template", |desk| desk.template().description = "template".to_owned()),
        ] },
        Value { name: "date", otherwise: ("2026-01-01", R::RunDate), read: |e| shown(&e.date, Date::to_string), places: vec![
            place(R::Line, "2026-03-01", |desk| desk.set_line("date", "2026-03-01")),
            place(R::Header, "2026-02-01", |desk| desk.set_header("date", "2026-02-01")),
        ] },
        Value { name: "language", otherwise: ("en", R::TemplateDefault), read: |e| optional(&e.language, Language::to_string), places: vec![
            place(R::Line, "it", |desk| desk.set_line("language", "it")),
            place(R::Contact, "fr", |desk| desk.set_contact("language", "fr")),
            place(R::Header, "de", |desk| desk.set_header("language", "de")),
        ] },
        Value { name: "document", otherwise: ("en", R::Template), read: |e| optional(&e.document, |digest| name_of(digest)), places: vec![
            place(R::Line, "line", |desk| desk.line.values.document = Some(document("line"))),
            place(R::Header, "header", |desk| { desk.header.documents.insert(language("en"), document("header")); }),
        ] },
        Value { name: "subject", otherwise: ("the description", R::Description), read: |e| shown(&e.subject, |text| text.to_string()), places: vec![
            place(R::Line, "line", |desk| desk.set_line("subject", "line")),
            place(R::Header, "header", |desk| desk.set_header("subject", "header")),
            place(R::Template, "version", |desk| {
                desk.template().languages.get_mut(&language("en")).unwrap().subject = Some("version".to_owned());
            }),
        ] },
        Value { name: "correspondence type", otherwise: nobody, read: |e| optional(&e.correspondence_type, CorrespondenceType::to_string), places: vec![
            place(R::Line, "hard-copy", |desk| desk.set_line("correspondence_type", "hard-copy")),
            place(R::HeaderIgnoresContact, "fax", |desk| {
                desk.set_header("correspondence_type", "fax");
                desk.set_header("ignore_contact_correspondence_type", "true");
            }),
            place(R::TemplateIgnoresContact, "email", |desk| {
                desk.template().correspondence_type = Some(Email);
                desk.template().ignore_contact_correspondence_type = true;
            }),
            place(R::Contact, "hard-copy", |desk| desk.set_contact("correspondence_type", "hard-copy")),
            place(R::Header, "email", |desk| desk.set_header("correspondence_type", "email")),
            place(R::Template, "fax", |desk| desk.template().correspondence_type = Some(Fax)),
            place(R::Setup, "hard-copy", |desk| desk.presets.default_correspondence_type = Some(HardCopy)),
        ] },
        Value { name: "postal address", otherwise: ("", R::Contact), read: |e| optional(&e.address, |address| address.code.clone()), places: vec![
            place(R::LineAddress, "NAMED", |desk| { desk.add_address("NAMED", None, None); desk.set_line("address", "NAMED"); }),
            place(R::AddressOfDate, "DATED", |desk| desk.add_address("DATED", Some(date(2025, 1, 1)), None)),
        ] },
        Value { name: "e-mail address", otherwise: ("contact@example.org", R::Contact), read: |e| shown(&e.email, |text| text.to_string()), places: vec![
            place(R::Line, "line@example.org", |desk| desk.set_line("email", "line@example.org")),
            place(R::AddressOfDate, "dated@example.org", |desk| {
                desk.add_address("DATED", Some(date(2025, 1, 1)), None);
                desk.addresses.last_mut().unwrap().email = "dated@example.org".to_owned();
            }),
        ] },
        Value { name: "salesperson", otherwise: nobody, read: |e| shown(&e.salesperson, |code| code.to_string()), places: vec![
            place(R::Line, "LINE", |desk| desk.set_line("salesperson", "LINE")),
            place(R::Header, "HEADER", |desk| desk.set_header("salesperson", "HEADER")),
            place(R::Contact, "CONTACT", |desk| desk.set_contact("salesperson", "CONTACT")),
        ] },
        Value { name: "campaign", otherwise: nobody, read: |e| shown(&e.campaign, |code| code.to_string()), places: vec![
            place(R::Line, "LINE", |desk| desk.set_line("campaign", "LINE")),
            place(R::Header, "HEADER", |desk| desk.set_header("campaign", "HEADER")),
            place(R::Template, "TEMPLATE", |desk| desk.template().campaign = Some("TEMPLATE".to_owned())),
        ] },
        Value { name: "unit cost", otherwise: nobody, read: |e| optional(&e.unit_cost, ToString::to_string), places: vec![
            place(R::Line, "1.50", |desk| desk.set_line("unit_cost", "1.50")),
            place(R::Header, "0", |desk| desk.set_header("unit_cost", "0")),
            place(R::Template, "3", |desk| desk.template().unit_cost = Some(3.into())),
        ] },
        Value { name: "unit duration", otherwise: nobody, read: |e| optional(&e.unit_duration, ToString::to_string), places: vec![
            place(R::Line, "0", |desk| desk.set_line("unit_duration", "0")),
            place(R::Header, "5", |desk| desk.set_header("unit_duration", "5")),
            place(R::Template, "3", |desk| desk.template().unit_duration = Some(3.into())),
        ] },
        Value { name: "information flow", otherwise: nobody, read: |e| optional(&e.information_flow, |flow| flow.as_str().to_owned()), places: vec![
            place(R::Line, "inbound", |desk| desk.set_line("information_flow", "inbound")),
            place(R::Header, "outbound", |desk| desk.set_header("information_flow", "outbound")),
            place(R::Template, "inbound", |desk| desk.template().information_flow = Some(InformationFlow::Inbound)),
        ] },
        Value { name: "initiated by", otherwise: nobody, read: |e| optional(&e.initiated_by, |who| who.as_str().to_owned()), places: vec![
            place(R::Line, "them", |desk| desk.set_line("initiated_by", "them")),
            place(R::Header, "us", |desk| desk.set_header("initiated_by", "us")),
            place(R::Template, "them", |desk| desk.template().initiated_by = Some(InitiatedBy::Them)),
        ] },
        Value { name: "campaign target", otherwise: ("false", R::Nobody), read: |e| shown(&e.campaign_target, bool::to_string), places: vec![
            place(R::Line, "false", |desk| desk.set_line("campaign_target", "false")),
            place(R::Header, "true", |desk| desk.set_header("campaign_target", "true")),
            place(R::Template, "true", |desk| desk.template().campaign_target = Some(true)),
        ] },
        Value { name: "campaign response", otherwise: ("false", R::Nobody), read: |e| shown(&e.campaign_response, bool::to_string), places: vec![
            place(R::Line, "true", |desk| desk.set_line("campaign_response", "true")),
            place(R::Header, "false", |desk| desk.set_header("campaign_response", "false")),
            place(R::Template, "true", |desk| desk.template().campaign_response = Some(true)),
        ] },
        Value { name: "salutation", otherwise: nobody, read: |e| optional(&e.salutation, |formula| formula.formal.clone()), places: vec![
            place(R::FormulaLanguage, "fr-CH", |desk| desk.add_formula("fr-CH")),
            place(R::FormulaBase, "fr", |desk| desk.add_formula("fr")),
            place(R::FormulaAny, "any", |desk| desk.add_formula("any")),
        ] },
        Value { name: "comment", otherwise: nobody, read: |e| shown(&e.comment, |text| text.to_string()), places: vec![
            place(R::Line, "line", |desk| desk.set_line("comment", "line")),
            place(R::Header, "header", |desk| desk.set_header("comment", "header")),
        ] },
        Value { name: "evaluation", otherwise: nobody, read: |e| optional(&e.evaluation, |it| it.as_str().to_owned()), places: vec![
            place(R::Line, "positive", |desk| desk.set_line("evaluation", "positive")),
        ] },
    ]
}

fn name_of(digest: &Digest) -> String {
    let names = ["line", "header", "en"];
    names.into_iter().find(|name| document(name) == *digest).unwrap_or_default().to_owned()
}

impl Value {
    /// The desk on which the places that `is_set` names have this value.
    fn desk(&self, is_set: impl Fn(usize) -> bool) -> Desk {
        let mut desk = Desk::new();
        match self.name {
            "subject" => desk.template().description = "the description".to_owned(),
            "salutation" => desk.set_line("language", "fr-CH"),
            _ => {}
        }
        // From the last to the first: the header's type is one value, whether or not it ignores the contact's.
        for (index, place) in self.places.iter().enumerate().rev() {
            if is_set(index) {
                (place.set)(&mut desk);
            }
        }
        desk
    }

    fn expected(&self, is_set: impl Fn(usize) -> bool) -> (String, Rule) {
        let first = self.places.iter().enumerate().find(|(index, _)| is_set(*index));
        let (shows, rule) = first.map_or(self.otherwise, |(_, place)| (place.shows, place.rule));
        (shows.to_owned(), rule)
    }

    fn resolved(&self, desk: &Desk) -> (String, Rule) {
        (self.read)(&desk.resolve().unwrap_or_else(|refusals| panic!("{}: {refusals:?}", self.name)))
    }

    fn place_of(&self, rule: Rule) -> Option<usize> {
        self.places.iter().position(|place| place.rule == rule)
    }
}

#[test]
fn each_place_decides_where_no_place_before_it_has_a_value() {
    for value in values() {
        for place in 0..=value.places.len() {
            let alone = |index| index == place;
            assert_eq!(value.resolved(&value.desk(alone)), value.expected(alone), "{}", value.name);
            let and_all_after = |index| index >= place;
            assert_eq!(
                value.resolved(&value.desk(and_all_after)),
                value.expected(and_all_after),
                "{}",
                value.name
            );
        }
    }
}

proptest! {
    #[test]
    fn whatever_places_have_a_value_the_first_in_the_order_wins(set in any::<u8>()) {
        for value in values() {
            let is_set = |index| set >> index & 1 == 1;
            prop_assert_eq!(value.resolved(&value.desk(is_set)), value.expected(is_set), "{}", value.name);
        }
    }

    #[test]
    fn a_change_of_the_header_reaches_exactly_the_lines_without_a_value_of_their_own(
        own in proptest::collection::vec(any::<bool>(), 1..20),
    ) {
        for value in values() {
            let (Some(line), Some(header)) = (value.place_of(Rule::Line), value.place_of(Rule::Header)) else {
                continue;
            };
            let mut desk = value.desk(|_| false);
            let with_own = value.desk(|index| index == line).line;
            let without = desk.line.clone();
            (value.places[header].set)(&mut desk);
            for has_own in &own {
                desk.line = if *has_own { with_own.clone() } else { without.clone() };
                let decides = if *has_own { line } else { header };
                prop_assert_eq!(
                    value.resolved(&desk), value.expected(|index| index == decides), "{}", value.name
                );
            }
        }
    }
}

#[test]
fn the_line_s_interaction_template_goes_before_the_header_s() {
    let mut desk = Desk::new();
    let other = InteractionTemplate { code: "U".to_owned(), ..desk.template().clone() };
    desk.presets.templates.insert("U".to_owned(), other);
    let code = |desk: &Desk| shown(&desk.resolve().unwrap().template, |template| template.code.clone());
    assert_eq!(code(&desk), ("T".to_owned(), Rule::Header));
    desk.set_line("interaction_template", "U");
    assert_eq!(code(&desk), ("U".to_owned(), Rule::Line));
}

#[test]
fn a_contact_s_regional_language_falls_back_to_its_base_then_to_header_and_template() {
    let check = |versions: &[&str], header: &str, expected: (&str, Rule)| {
        let mut desk = Desk::new();
        desk.set_contact("language", "fr-CH");
        desk.template().languages.retain(|language, _| versions.contains(&language.as_str()));
        if versions.contains(&"fr-CH") {
            let version =
                TemplateLanguage { document: Some(document("fr-CH")), ..TemplateLanguage::default() };
            desk.template().languages.insert(language("fr-CH"), version);
        }
        if !header.is_empty() {
            desk.set_header("language", header);
        }
        let found = optional(&desk.resolve().unwrap().language, Language::to_string);
        assert_eq!(found, (expected.0.to_owned(), expected.1), "{versions:?}, header `{header}`");
    };
    check(&["en", "fr", "fr-CH", "de"], "de", ("fr-CH", Rule::Contact));
    check(&["en", "fr", "de"], "de", ("fr", Rule::ContactBase));
    check(&["en", "de"], "de", ("de", Rule::Header));
    check(&["en", "de"], "de-AT", ("de-AT", Rule::Header));
    check(&["en", "de"], "", ("en", Rule::TemplateDefault));
}

#[test]
fn a_document_of_the_header_makes_its_language_one_that_the_contact_can_have() {
    let mut desk = Desk::new();
    desk.set_contact("language", "pt-BR");
    desk.header.documents.insert(language("pt"), document("header"));
    let effective = desk.resolve().unwrap();
    assert_eq!(effective.language, Resolved::new(Some(language("pt")), Rule::ContactBase));
    assert_eq!(effective.document, Resolved::new(Some(&document("header")), Rule::Header));
}

#[test]
fn of_the_addresses_valid_on_the_date_the_latest_start_wins() {
    let mut desk = Desk::new();
    desk.add_address("UNDATED", None, None);
    desk.add_address("SUMMER", Some(date(2026, 6, 1)), Some(date(2026, 8, 31)));
    desk.add_address("YEAR", Some(date(2026, 1, 1)), Some(date(2026, 12, 31)));
    let mut check = |on: &str, expected: (&str, Rule)| {
        desk.set_line("date", on);
        let found = optional(&desk.resolve().unwrap().address, |address| address.code.clone());
        assert_eq!(found, (expected.0.to_owned(), expected.1), "{on}");
    };
    check("2025-12-31", ("", Rule::Contact));
    check("2026-01-01", ("YEAR", Rule::AddressOfDate));
    check("2026-06-01", ("SUMMER", Rule::AddressOfDate));
    check("2026-08-31", ("SUMMER", Rule::AddressOfDate));
    check("2026-09-01", ("YEAR", Rule::AddressOfDate));
    check("2027-01-01", ("", Rule::Contact));
    desk.set_line("address", "UNDATED");
    desk.addresses[0].email = "there@example.org".to_owned();
    let effective = desk.resolve().unwrap();
    assert_eq!(effective.address.rule, Rule::LineAddress);
    assert_eq!(effective.email, Resolved::new("there@example.org", Rule::LineAddress));
}

#[test]
fn a_type_that_cannot_be_reached_becomes_the_fallback_or_is_refused() {
    let mut desk = Desk::new();
    desk.set_line("correspondence_type", "fax");
    desk.set_contact("fax", " ");
    desk.presets.fallback.insert(Fax, Email);
    let effective = desk.resolve().unwrap();
    assert_eq!(effective.correspondence_type, Resolved::new(Some(Email), Rule::Fallback));
    assert_eq!(effective.standing, Standing::Due(Email));
    desk.set_contact("email", "");
    let refusal = Refusal::Unreachable { contact: "CT1".to_owned(), correspondence_type: Fax };
    assert_eq!(desk.resolve().unwrap_err(), [refusal], "the type that held is named, not the fallback");
}

#[test]
fn what_cannot_be_resolved_is_refused_by_name() {
    let check = |set: fn(&mut Desk), expected: &[&str]| {
        let mut desk = Desk::new();
        desk.set_header("correspondence_type", "hard-copy");
        set(&mut desk);
        let refusals: Vec<String> = desk.resolve().unwrap_err().iter().map(Refusal::to_string).collect();
        assert_eq!(refusals, expected);
    };
    check(|desk| desk.header.values.interaction_template = None, &["no interaction template is set"]);
    check(|desk| desk.set_line("interaction_template", "X"), &["there is no interaction template `X`"]);
    check(|desk| desk.set_line("language", "pt"), &["there is no document in `pt`"]);
    check(|desk| desk.template().default_language = None, &["there is no document in any language"]);
    check(
        |desk| desk.set_contact("city", ""),
        &["contact CT1 has no postal address, but the line goes out by `hard-copy`"],
    );
    check(
        |desk| {
            desk.set_line("correspondence_type", "email");
            desk.set_contact("email", "");
        },
        &["contact CT1 has no e-mail address, but the line goes out by `email`"],
    );
    check(
        |desk| {
            desk.set_line("correspondence_type", "fax");
            desk.set_contact("fax", "");
        },
        &["contact CT1 has no fax no., but the line goes out by `fax`"],
    );
    check(
        |desk| {
            desk.set_line("correspondence_type", "fax");
            desk.presets.has_fax_gateway = false;
        },
        &["the line goes out by `fax`, but no fax gateway is set"],
    );
    check(|desk| desk.set_line("address", "X"), &["contact CT1 has no alternative address `X`"]);
    check(|desk| desk.set_line("salesperson", "X"), &["there is no salesperson `X`"]);
    check(|desk| desk.set_header("campaign", "X"), &["there is no campaign `X`"]);
    check(
        |desk| {
            desk.set_line("language", "pt");
            desk.set_contact("salesperson", "X");
            desk.set_header("campaign", "Y");
        },
        &["there is no document in `pt`", "there is no salesperson `X`", "there is no campaign `Y`"],
    );
}

#[test]
fn a_blank_type_is_logged_only_and_needs_no_document() {
    let mut desk = Desk::new();
    desk.set_header("correspondence_type", "email");
    desk.set_line("correspondence_type", "");
    desk.template().languages.clear();
    let effective = desk.resolve().unwrap();
    assert_eq!(effective.correspondence_type, Resolved::new(None, Rule::Line));
    assert_eq!(effective.standing, Standing::LogOnly);
    assert_eq!(effective.document, Resolved::new(None, Rule::Nobody));
}

#[test]
fn a_line_without_consent_is_suppressed_with_the_reason_and_needs_no_document() {
    use ConsentRefusal as C;
    let check = |flag: &str, by: &str, expected: Standing| {
        let mut desk = Desk::new();
        desk.set_line("correspondence_type", by);
        desk.set_contact(flag, "yes");
        assert_eq!(desk.resolve().unwrap().standing, expected, "{flag}, {by}");
        if matches!(expected, Standing::Suppressed(_)) {
            desk.template().languages.clear();
            desk.set_line("salesperson", "X");
            assert_eq!(desk.resolve().unwrap().standing, expected, "{flag}, {by}, with other refusals");
        }
    };
    for by in ["hard-copy", "email", "fax", ""] {
        check("exclude_from_segment", by, Standing::Suppressed(C::ExcludedFromSegments));
        check("privacy_blocked", by, Standing::Suppressed(C::PrivacyBlocked));
        check("minor", by, Standing::Suppressed(C::MinorWithoutParentalConsent));
    }
    check("no_mail", "hard-copy", Standing::Suppressed(C::NoMail));
    check("no_mail", "email", Standing::Due(Email));
    check("no_email", "email", Standing::Suppressed(C::NoEmail));
    check("no_email", "hard-copy", Standing::Due(HardCopy));
    check("no_email", "fax", Standing::Due(Fax));
}
