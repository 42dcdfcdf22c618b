//! Owns the desk: what the lines of a run look things up in, the same for all. Interaction templates, salutation
//! formulas, campaigns, the names that templates may use.

use std::collections::BTreeMap;
use std::path::Path;

use crate::contact::import::ContactColumn;
use crate::contact::language::Language;
use crate::contact::salutation::SalutationFormula;
use crate::contact::{ContactKind, CorrespondenceType};
use crate::interaction::resolve::Presets;

use crate::run::plan::PlannedLine;

use crate::run::household::HouseholdRule;

use crate::run::problem::Problem;
use crate::run::records::{Records, RecordsError};
use crate::run::values::{Names, RowTable};
use crate::segment::{SegmentHeader, SegmentNo};
use crate::setup::{Campaign, MasterKind, Salesperson, SalutationDeclaration, Setup};
use uuid::Uuid;

/// What the lines of a run look things up in.
#[derive(Debug)]
pub struct Desk {
    /// The set-up, completed by the masters of the store; where both have one, the set-up's holds.
    pub setup: Setup,
    /// The segment's header.
    pub header: SegmentHeader,
    /// The campaigns.
    pub campaigns: Vec<Campaign>,
    /// What resolution looks things up in.
    pub presets: Presets,
    /// The columns of the imports of contacts.
    pub columns: Vec<ContactColumn>,
    /// The child tables of contacts.
    pub row_tables: Vec<RowTable>,
    /// The names that texts may use.
    pub names: Names,
    /// The name of the run, of which Message-IDs are made; none where nothing will be sent.
    pub run: Option<Uuid>,
}

impl Desk {
    /// Lays out the desk for a segment, and tells what is wrong with the set-up.
    ///
    /// # Errors
    ///
    /// A store that cannot be read.
    pub fn new(
        records: &mut dyn Records,
        setup: &Setup,
        segment: &SegmentNo,
        run_date: jiff::civil::Date,
    ) -> Result<(Desk, Vec<Problem>), RecordsError> {
        let setup = completed(records, setup)?;
        let rule = match records.header(segment)? {
            Some(SegmentHeader { household: true, .. }) => HouseholdRule::OneLetterTogether,
            Some(_) | None => HouseholdRule::OneLetterEach,
        };
        records.join_households(segment, rule)?;
        let header = records.header(segment)?.unwrap_or_default();
        let templates =
            records.templates()?.into_iter().map(|template| (template.code.clone(), template)).collect();
        let campaigns: Vec<Campaign> =
            records.masters(MasterKind::Campaign)?.iter().map(Campaign::from).collect();
        let columns = records.columns()?;
        let row_tables = records.row_tables()?;
        let mut problems = Vec::new();
        let presets = Presets {
            templates,
            formulas: formulas(&setup, &mut problems),
            salespersons: setup.salespersons.iter().map(|salesperson| salesperson.code.clone()).collect(),
            campaigns: campaigns.iter().map(|campaign| campaign.code.clone()).collect(),
            fallback: fallback(&setup, &mut problems),
            default_correspondence_type: word(&setup.defaults.correspondence_type, "defaults", &mut problems),
            has_fax_gateway: setup.fax.as_ref().is_some_and(|fax| !fax.address.is_empty()),
            run_date,
        };
        let names = Names::new(&columns, &row_tables);
        Ok((Desk { setup, header, campaigns, presets, columns, row_tables, names, run: None }, problems))
    }
}

impl Desk {
    /// Returns the folder below which the pictures of a line's letter are.
    pub(in crate::run) fn pictures(&self, line: &PlannedLine) -> &Path {
        let template = self.presets.templates.get(&line.entry.template);
        template.map_or(Path::new(""), |template| &template.pictures)
    }
}

/// Adds the salespersons and salutation formulas of the store that the set-up does not declare.
fn completed(records: &mut dyn Records, setup: &Setup) -> Result<Setup, RecordsError> {
    let mut setup = setup.clone();
    for master in records.masters(MasterKind::Salesperson)? {
        if setup.salesperson(master.code()).is_none() {
            setup.salespersons.push(Salesperson::from(&master));
        }
    }
    for master in records.masters(MasterKind::Salutation)? {
        if !setup.salutations.iter().any(|declared| declared.key() == master.key()) {
            setup.salutations.push(SalutationDeclaration::from(&master));
        }
    }
    Ok(setup)
}

fn formulas(setup: &Setup, problems: &mut Vec<Problem>) -> Vec<SalutationFormula> {
    let mut formulas = Vec::new();
    for declaration in &setup.salutations {
        let language = match declaration.language.as_str() {
            "" => None,
            tag => match tag.parse::<Language>() {
                Ok(language) => Some(language),
                Err(error) => {
                    problems.push(setup_problem("salutation.language", &error.to_string()));
                    continue;
                }
            },
        };
        let kind = match declaration.kind.as_str() {
            "" => None,
            text => match ContactKind::parse(text) {
                Some(kind) => Some(kind),
                None => {
                    problems.push(setup_problem(
                        "salutation.type",
                        &format!("`{text}` is no type, expected person or company"),
                    ));
                    continue;
                }
            },
        };
        formulas.push(SalutationFormula {
            code: declaration.code.clone(),
            language,
            kind,
            formal: declaration.formal.clone(),
            informal: declaration.informal.clone(),
        });
    }
    formulas
}

fn fallback(setup: &Setup, problems: &mut Vec<Problem>) -> BTreeMap<CorrespondenceType, CorrespondenceType> {
    let declared = [
        (CorrespondenceType::HardCopy, &setup.fallback.hard_copy),
        (CorrespondenceType::Email, &setup.fallback.email),
        (CorrespondenceType::Fax, &setup.fallback.fax),
    ];
    declared.into_iter().filter_map(|(kind, text)| Some((kind, word(text, "fallback", problems)?))).collect()
}

fn word(text: &str, key: &str, problems: &mut Vec<Problem>) -> Option<CorrespondenceType> {
    if text.is_empty() {
        return None;
    }
    let parsed = CorrespondenceType::parse(text);
    if parsed.is_none() {
        problems.push(setup_problem(
            key,
            &format!("`{text}` is no correspondence type, expected hard-copy, email or fax"),
        ));
    }
    parsed
}

fn setup_problem(key: &str, message: &str) -> Problem {
    Problem {
        id: "setup",
        message: message.to_owned(),
        place: format!("{}: {key}", Setup::FILE_NAME),
        help: None,
    }
}
