//! Holds that any sequence of header changes, overrides and selection actions gives what a simple model gives, undo
//! included; and that the order in which things are set up changes nothing that holds.

#![expect(clippy::unwrap_used, reason = "what a test sets up must succeed, or the test fails")]

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::date;
use mailrun::contact::address::AlternativeAddress;
use mailrun::contact::{Contact, ContactNo};
use mailrun::interaction::{InteractionTemplate, TemplateLanguage};
use mailrun::run::Records;
use mailrun::run::masters::{ChangeError, Masters, set_master};
use mailrun::run::overview::{LineOverview, overview};
use mailrun::run::selection::{select, select_by_hand, undo};
use mailrun::run::worksheet::{Edit, Reach, Target, change_header, change_line, new_segment, swap_contact};
use mailrun::segment::{Attachment, CriteriaAction, CriteriaKind, LineNo, SegmentNo};
use mailrun::setup::{MasterKind, Setup};
use mailrun::store::Database;
use proptest::prelude::{
    Just, ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

/// The contacts: number, type, company, city. In the order in which they come onto a segment.
const CONTACTS: [(&str, &str, &str, &str); 8] = [
    ("C1", "company", "", "Bern"),
    ("C2", "company", "", "Zug"),
    ("P5", "person", "", "Bern"),
    ("P6", "person", "", "Chur"),
    ("P1", "person", "C1", "Zug"),
    ("P2", "person", "C1", "Bern"),
    ("P3", "person", "C2", "Chur"),
    ("P4", "person", "C2", "Zug"),
];

/// Conditions, each as SQL and as the model understands it.
type Condition = (&'static str, fn(&(&str, &str, &str, &str)) -> bool);
const CONDITIONS: [Condition; 5] = [
    ("city = 'Bern'", |contact| contact.3 == "Bern"),
    ("city <> 'Chur'", |contact| contact.3 != "Chur"),
    ("type = 'person'", |contact| contact.1 == "person"),
    ("no in ('P1', 'P6')", |contact| contact.0 == "P1" || contact.0 == "P6"),
    ("false", |_| false),
];

/// What is set and cleared, with what holds where nobody sets it.
const VALUES: [(&str, &str); 3] = [("subject", "Of T"), ("comment", ""), ("description", "Of T")];

#[derive(Clone, Debug)]
enum Step {
    Header { value: usize, text: Option<u8>, to_all: bool },
    Line { contact: usize, value: usize, text: Option<u8> },
    Select { kind: CriteriaKind, condition: usize, is_wide: bool, allow_existing: bool },
    ByHand { kind: CriteriaKind, contact: usize },
    Swap { contact: usize, other: usize },
    Undo,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let text = || prop::option::of(any::<u8>());
    let kind =
        || prop_oneof![Just(CriteriaKind::Add), Just(CriteriaKind::Reduce), Just(CriteriaKind::Refine)];
    let contact = || 0..CONTACTS.len();
    let step = prop_oneof![
        2 => (0..VALUES.len(), text(), any::<bool>())
            .prop_map(|(value, text, to_all)| Step::Header { value, text, to_all }),
        4 => (contact(), 0..VALUES.len(), text())
            .prop_map(|(contact, value, text)| Step::Line { contact, value, text }),
        5 => (kind(), 0..CONDITIONS.len(), any::<bool>(), any::<bool>()).prop_map(
            |(kind, condition, is_wide, allow_existing)| Step::Select { kind, condition, is_wide, allow_existing }
        ),
        2 => (prop_oneof![Just(CriteriaKind::Add), Just(CriteriaKind::Reduce)], contact())
            .prop_map(|(kind, contact)| Step::ByHand { kind, contact }),
        1 => (contact(), contact()).prop_map(|(contact, other)| Step::Swap { contact, other }),
        4 => Just(Step::Undo),
    ];
    prop::collection::vec(step, 1..30)
}

type Values = BTreeMap<&'static str, String>;

#[derive(Clone, Debug, PartialEq)]
struct Line {
    line_no: u64,
    contact: &'static str,
    set: Values,
}

/// What one action did: the numbers that it gave, and the lines that it took away.
#[derive(Default)]
struct Effect {
    added: Vec<u64>,
    removed: Vec<Line>,
}

/// The simple model: a header, lines, and what each action did.
#[derive(Default)]
struct Model {
    header: Values,
    lines: Vec<Line>,
    effects: Vec<Effect>,
}

impl Model {
    fn next_no(&self) -> u64 {
        let removed = self.effects.iter().flat_map(|effect| &effect.removed);
        self.lines.iter().chain(removed).map(|line| line.line_no).max().unwrap_or(0) + LineNo::STEP
    }

    fn add(&mut self, contacts: impl Iterator<Item = &'static str>) {
        let mut line_no = self.next_no();
        let mut effect = Effect::default();
        for contact in contacts {
            self.lines.push(Line { line_no, contact, set: Values::new() });
            effect.added.push(line_no);
            line_no += LineNo::STEP;
        }
        self.effects.push(effect);
    }

    fn remove(&mut self, goes: impl Fn(&Line) -> bool) {
        let (removed, kept) = self.lines.drain(..).partition(goes);
        self.lines = kept;
        self.effects.push(Effect { added: Vec::new(), removed });
    }

    fn undo(&mut self) -> bool {
        let Some(effect) = self.effects.pop() else { return false };
        self.lines.retain(|line| !effect.added.contains(&line.line_no));
        self.lines.extend(effect.removed);
        self.lines.sort_by_key(|line| line.line_no);
        true
    }

    fn first_line(&mut self, contact: &str) -> Option<&mut Line> {
        self.lines.iter_mut().find(|line| line.contact == contact)
    }

    /// Does what a step does; false where it must be refused.
    fn take(&mut self, step: &Step) -> bool {
        match *step {
            Step::Header { value, text, to_all } => {
                let name = VALUES[value].0;
                set(&mut self.header, name, text);
                if to_all {
                    self.lines.iter_mut().for_each(|line| drop(line.set.remove(name)));
                }
                true
            }
            Step::Line { contact, value, text } => {
                let contact = CONTACTS[contact].0;
                if self.first_line(contact).is_none() {
                    self.add([contact].into_iter());
                }
                set(&mut self.first_line(contact).unwrap().set, VALUES[value].0, text);
                true
            }
            Step::Select { kind, condition, is_wide, allow_existing } => {
                let hits = hits(condition, is_wide);
                let has_line: Vec<&str> = self.lines.iter().map(|line| line.contact).collect();
                match kind {
                    CriteriaKind::Add => {
                        self.add(hits.into_iter().filter(|no| allow_existing || !has_line.contains(no)));
                    }
                    CriteriaKind::Reduce => self.remove(|line| hits.contains(&line.contact)),
                    CriteriaKind::Refine => self.remove(|line| !hits.contains(&line.contact)),
                }
                true
            }
            Step::ByHand { kind, contact } => {
                let contact = CONTACTS[contact].0;
                if kind == CriteriaKind::Add {
                    let is_new = self.first_line(contact).is_none();
                    self.add([contact].into_iter().filter(|_| is_new));
                } else {
                    self.remove(|line| line.contact == contact);
                }
                true
            }
            Step::Swap { contact, other } => {
                let (contact, other) = (CONTACTS[contact].0, CONTACTS[other].0);
                let Some(line) = self.first_line(contact) else { return false };
                let old = line.clone();
                *line = Line { line_no: old.line_no, contact: other, set: Values::new() };
                self.effects.push(Effect { added: vec![old.line_no], removed: vec![old] });
                true
            }
            Step::Undo => self.undo(),
        }
    }
}

fn set(values: &mut Values, name: &'static str, text: Option<u8>) {
    match text {
        Some(text) => drop(values.insert(name, format!("text {text}"))),
        None => drop(values.remove(name)),
    }
}

/// The contacts that a condition selects, with their whole companies where that is wanted.
fn hits(condition: usize, is_wide: bool) -> Vec<&'static str> {
    let company = |contact: &(&'static str, &str, &'static str, &str)| {
        if contact.1 == "company" { contact.0 } else { contact.2 }
    };
    let hit: Vec<_> = CONTACTS.iter().filter(|contact| CONDITIONS[condition].1(contact)).collect();
    let is_hit = |contact: &(&'static str, &str, &'static str, &str)| {
        let own = company(contact);
        hit.iter().any(|hit| hit.0 == contact.0 || (is_wide && !own.is_empty() && company(hit) == own))
    };
    CONTACTS.iter().filter(|contact| is_hit(contact)).map(|contact| contact.0).collect()
}

/// An office in memory, with the contacts and a template.
struct Office {
    database: Database,
    setup: Setup,
    segment: SegmentNo,
}

impl Office {
    fn new() -> Office {
        let mut database = Database::open_existing(Path::new("there is no such file")).unwrap();
        database.begin_draft().unwrap();
        for (no, kind, company, city) in CONTACTS {
            database
                .put_contact(&contact(no, &[("type", kind), ("company_no", company), ("city", city)]))
                .unwrap();
        }
        put_template(&mut database);
        let setup = Setup::default();
        let values = vec![("interaction_template".to_owned(), "T".to_owned())];
        let edit = Edit { set: values, ..Edit::default() };
        let segment = new_segment(&mut database, &setup, None, &edit).unwrap();
        Office { database, setup, segment }
    }

    fn take(&mut self, step: &Step) -> Result<(), ChangeError> {
        let Office { database, setup, segment } = self;
        let first = |database: &mut Database, contact: &str| {
            let contact = ContactNo::from(contact);
            let line = database.line_of(segment, &contact).unwrap();
            Target { contact, line_no: line.map(|line| line.line_no) }
        };
        match *step {
            Step::Header { value, text, to_all } => {
                let reach = if to_all { Reach::AllLines } else { Reach::Inheriting };
                change_header(database, setup, (segment, reach), &edit(VALUES[value].0, text))
            }
            Step::Line { contact, value, text } => {
                let target = first(database, CONTACTS[contact].0);
                change_line(database, setup, (segment, &target), &edit(VALUES[value].0, text)).map(|_| ())
            }
            Step::Select { kind, condition, is_wide, allow_existing } => {
                let mut action = CriteriaAction::new(kind, CONDITIONS[condition].0);
                action.options.allow_existing = allow_existing;
                action.options.expand_companies = is_wide && kind == CriteriaKind::Add;
                action.options.entire_companies = is_wide && kind != CriteriaKind::Add;
                select(database, segment, &action).map(|_| ())
            }
            Step::ByHand { kind, contact } => {
                let contacts = [ContactNo::from(CONTACTS[contact].0)];
                select_by_hand(database, segment, &contacts, &CriteriaAction::new(kind, "")).map(|_| ())
            }
            Step::Swap { contact, other } => {
                let target = first(database, CONTACTS[contact].0);
                let other = ContactNo::from(CONTACTS[other].0);
                swap_contact(database, (segment, &target), &other).map(|_| ())
            }
            Step::Undo => undo(database, segment).map(|_| ()),
        }
    }

    fn overview(&mut self) -> Vec<LineOverview> {
        let mut lines = Vec::new();
        let asked = (&self.segment, LineNo(0), None);
        let circumstances = (&self.setup, date(2026, 3, 1));
        overview(&mut self.database, circumstances, asked, &mut |line| lines.push(line.clone())).unwrap();
        lines
    }
}

fn edit(name: &str, text: Option<u8>) -> Edit {
    match text {
        Some(text) => Edit { set: vec![(name.to_owned(), format!("text {text}"))], ..Edit::default() },
        None => Edit { clear: vec![name.to_owned()], ..Edit::default() },
    }
}

fn contact(no: &str, fields: &[(&str, &str)]) -> Contact {
    let mut contact = Contact { no: no.into(), name: no.to_owned(), ..Contact::default() };
    for (field, value) in fields {
        contact.set_field(field, (*value).to_owned()).unwrap();
    }
    contact
}

fn put_template(database: &mut Database) {
    let attachment = Attachment::new("letter.docx", b"letter".to_vec());
    database.put_attachment(&attachment).unwrap();
    let version = TemplateLanguage { document: Some(attachment.digest), ..TemplateLanguage::default() };
    let languages = ["en", "de"].map(|tag| (tag.parse().unwrap(), version.clone()));
    let template = InteractionTemplate {
        code: "T".to_owned(),
        description: "Of T".to_owned(),
        default_language: "en".parse().ok(),
        languages: languages.into(),
        unit_cost: Some(2.into()),
        ..InteractionTemplate::default()
    };
    database.put_template(&template).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_sequence_of_changes_gives_what_a_simple_model_gives(steps in steps()) {
        let (mut office, mut model) = (Office::new(), Model::default());
        for step in &steps {
            prop_assert_eq!(office.take(step).is_ok(), model.take(step), "{:?}", step);
        }
        let lines = office.overview();
        let shown: Vec<Line> = lines
            .iter()
            .map(|line| Line {
                line_no: line.line_no.0,
                contact: CONTACTS.iter().find(|known| known.0 == line.contact.as_str()).unwrap().0,
                set: VALUES.iter().filter_map(|(name, _)| Some((*name, line.set.text(name)?))).collect(),
            })
            .collect();
        prop_assert_eq!(&shown, &model.lines);
        for (line, known) in lines.iter().zip(&model.lines) {
            let own = |name: &str| known.set.get(name).or_else(|| model.header.get(name)).cloned();
            let description = own("description").unwrap_or_else(|| "Of T".to_owned());
            let expected = [
                ("subject", own("subject").unwrap_or_else(|| description.clone())),
                ("comment", own("comment").unwrap_or_default()),
                ("description", description.clone()),
            ];
            for (name, text) in expected {
                prop_assert!(line.holds.contains(&(name, text.clone())), "{} is not {}: {:?}", name, text, line);
            }
        }
        // Undoing everything leaves the worksheet as it was made, whatever was between.
        while model.undo() {
            prop_assert!(office.take(&Step::Undo).is_ok());
        }
        prop_assert!(office.take(&Step::Undo).is_err());
        prop_assert!(office.overview().is_empty());
    }

    #[test]
    fn the_order_in_which_things_are_set_up_changes_nothing_that_holds(
        order in Just((0..SETUPS.len()).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        let holds = |order: &[usize]| {
            let database = Database::open_existing(Path::new("there is no such file")).unwrap();
            let segment = SegmentNo("S".to_owned());
            let mut office = Office { database, setup: Setup::default(), segment };
            office.database.begin_draft().unwrap();
            let no = Some(office.segment.clone());
            new_segment(&mut office.database, &office.setup, no, &Edit::default()).unwrap();
            let mut left = order.to_vec();
            while !left.is_empty() {
                // What needs something that is not there yet is refused, and comes again.
                let n_before = left.len();
                left.retain(|&number| SETUPS[number](&mut office).is_err());
                assert!(left.len() < n_before, "{left:?} are refused for ever");
            }
            office.overview()
        };
        let straight: Vec<usize> = (0..SETUPS.len()).collect();
        let expected = holds(&straight);
        prop_assert_eq!(expected.len(), 1);
        prop_assert_eq!(holds(&order), expected);
    }
}

/// A step of a set-up; refused while what it needs is not there.
type SetupStep = fn(&mut Office) -> Result<(), ChangeError>;

/// The steps of a set-up, in any order that does not refuse them.
const SETUPS: [SetupStep; 9] = [
    |office| {
        Ok(office.database.put_contact(&contact(
            "C",
            &[
                ("type", "company"),
                ("language", "de-CH"),
                ("salesperson", "JR"),
                ("address", "Damm 1"),
                ("city", "Bern"),
            ],
        ))?)
    },
    |office| {
        Ok(office.database.put_contact(&contact("P", &[("company_no", "C"), ("email", "p@example.com")]))?)
    },
    |office| {
        put_template(&mut office.database);
        Ok(())
    },
    |office| {
        let values = [("name".to_owned(), "Jana".to_owned())];
        set_master(&mut office.database, MasterKind::Salesperson, "JR", &values).map(|_| ())
    },
    |office| set_master(&mut office.database, MasterKind::Campaign, "SPRING", &[]).map(|_| ()),
    |office| {
        let no = ContactNo::from("C");
        if !office.database.has_contact(&no)? {
            return Err(ChangeError::problem("later", "the company is not there yet", None));
        }
        let address = AlternativeAddress {
            contact: no.clone(),
            code: "SEASON".to_owned(),
            starting_date: Some(date(2026, 1, 1)),
            ..AlternativeAddress::default()
        };
        Ok(office.database.put_addresses(&no, &[address])?)
    },
    |office| {
        let set =
            [("interaction_template", "T"), ("campaign", "SPRING"), ("correspondence_type", "hard-copy")];
        let set = set.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec();
        let edit = Edit { set, ..Edit::default() };
        change_header(&mut office.database, &office.setup, (&office.segment, Reach::Inheriting), &edit)
    },
    |office| {
        let target = Target { contact: "P".into(), line_no: None };
        change_line(
            &mut office.database,
            &office.setup,
            (&office.segment, &target),
            &edit("comment", Some(1)),
        )
        .map(|_| ())
    },
    |office| {
        let edit = Edit { set: vec![("subject".to_owned(), "Spring".to_owned())], ..Edit::default() };
        change_header(&mut office.database, &office.setup, (&office.segment, Reach::Inheriting), &edit)
    },
];
