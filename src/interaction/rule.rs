//! Owns the rules that decide effective values, and their words for `explain` and the log.

use serde::{Deserialize, Serialize};

/// A value, and the rule that decided it.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved<T> {
    /// The value that holds.
    pub value: T,
    /// Why it holds.
    pub rule: Rule,
}

impl<T> Resolved<T> {
    /// Pairs a value with its rule.
    pub fn new(value: T, rule: Rule) -> Resolved<T> {
        Resolved { value, rule }
    }
}

/// Why a value holds: who had it first, in the order of the resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Set on the segment line.
    Line,
    /// Set on the segment header.
    Header,
    /// Set on the header, which ignores the contact's preference.
    HeaderIgnoresContact,
    /// The interaction template's.
    Template,
    /// The interaction template's, which ignores the contact's preference.
    TemplateIgnoresContact,
    /// The interaction template's default language.
    TemplateDefault,
    /// The contact's.
    Contact,
    /// That of the contact's company, since the contact has none.
    Company,
    /// The base language of the contact's language.
    ContactBase,
    /// The alternative address named on the line.
    LineAddress,
    /// The alternative address that is valid on the date.
    AddressOfDate,
    /// The alternative address of the contact's company that is valid on the date, since the contact has no address.
    CompanyAddressOfDate,
    /// The default of the set-up.
    Setup,
    /// The fallback of the set-up, since the type that held cannot be reached.
    Fallback,
    /// The date of the run.
    RunDate,
    /// The description, since no subject is set.
    Description,
    /// The formula for the language itself.
    FormulaLanguage,
    /// The formula for the base language.
    FormulaBase,
    /// The formula without a language.
    FormulaAny,
    /// The contact is excluded from segments, and somebody decided that this does not count here.
    ExclusionIgnored,
    /// Nobody has one: empty.
    Nobody,
}

impl Rule {
    /// Returns the rule in words, as `explain` prints it.
    pub fn words(self) -> &'static str {
        match self {
            Rule::Line => "set on the line",
            Rule::Header => "the segment header's",
            Rule::HeaderIgnoresContact => "the segment header's, which ignores the contact's",
            Rule::Template => "the interaction template's",
            Rule::TemplateIgnoresContact => "the interaction template's, which ignores the contact's",
            Rule::TemplateDefault => "the interaction template's default language",
            Rule::Contact => "the contact's",
            Rule::Company => "the company's: the contact has none",
            Rule::ContactBase => "the base of the contact's language",
            Rule::LineAddress => "the alternative address set on the line",
            Rule::AddressOfDate => "the alternative address valid on the date",
            Rule::CompanyAddressOfDate => "the company's alternative address valid on the date",
            Rule::Setup => "the default of the set-up",
            Rule::Fallback => "the fallback of the set-up: the type that held cannot be reached",
            Rule::RunDate => "the date of the run",
            Rule::Description => "the description: no subject is set",
            Rule::FormulaLanguage => "the formula for the language",
            Rule::FormulaBase => "the formula for the base language",
            Rule::FormulaAny => "the formula without a language",
            Rule::ExclusionIgnored => "ignored on the line: the contact is excluded from segments",
            Rule::Nobody => "set nowhere",
        }
    }
}
