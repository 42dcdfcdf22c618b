//! Whose post it is: the sender's company, salespersons, campaigns, number series, mail server, output.
//!
//! Everything here is read from `mailrun.toml` ([`Setup::read`]); a missing file means the defaults.

pub mod declaration;
pub mod company;
pub mod salesperson;
pub mod campaign;
pub mod number_series;
pub mod rate;
pub mod program;
pub mod window;
pub mod mail;
pub mod pdf;
pub mod print;
pub mod marks;
pub mod master;
pub mod retention;
pub mod scheduling;

use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use campaign::Campaign;
pub use company::Company;
pub use declaration::DeclarationProblem;
pub use mail::{Fax, Smtp};
pub use marks::Marks;
pub use master::{Master, MasterKind};
pub use number_series::NumberSeries;
pub use pdf::{LetterFiles, Pdf, PdfStandard, program};
pub use print::{Print, PrintOrder, Sides};
pub use retention::Retention;
pub use salesperson::Salesperson;
pub use scheduling::Scheduling;

/// The set-up of the office, as `mailrun.toml` declares it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Setup {
    /// The sender: `company.*` in templates.
    pub company: Company,
    /// Salespersons by code.
    #[serde(rename = "salesperson")]
    pub salespersons: Vec<Salesperson>,
    /// Salutation formulas; the contact room gives them their meaning.
    #[serde(rename = "salutation")]
    pub salutations: Vec<SalutationDeclaration>,
    /// Campaigns.
    #[serde(rename = "campaign")]
    pub campaigns: Vec<Campaign>,
    /// Where new numbers come from.
    pub number_series: NumberSeries,
    /// The mail server and the sender of messages.
    pub smtp: Option<Smtp>,
    /// The e-mail-to-fax gateway.
    pub fax: Option<Fax>,
    /// What a line becomes when its correspondence type cannot be reached.
    pub fallback: Fallback,
    /// Defaults of interactions.
    pub defaults: Defaults,
    /// How long the log keeps letters, values and entries.
    pub retention: Retention,
    /// What goes with every scheduled run.
    pub schedule: Scheduling,
    /// Where files are written.
    pub output: Output,
    /// How letters become PDF.
    pub pdf: Pdf,
    /// How a print file is made.
    pub print: Print,
}

/// One `[[salutation]]`: the formulas for a salutation code in a language.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SalutationDeclaration {
    /// The salutation code of the contact.
    pub code: String,
    /// The language tag; empty for any language.
    pub language: String,
    /// `person`, `company`, or empty for both.
    #[serde(rename = "type")]
    pub kind: String,
    /// The formal salutation; may hold tags.
    pub formal: String,
    /// The informal salutation; may hold tags.
    pub informal: String,
}

/// The fallback correspondence types, as written; empty means none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Fallback {
    /// Instead of `hard-copy`.
    #[serde(rename = "hard-copy")]
    pub hard_copy: String,
    /// Instead of `email`.
    pub email: String,
    /// Instead of `fax`.
    pub fax: String,
}

/// Defaults of interactions that neither segment, template nor contact decides.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Defaults {
    /// The correspondence type of last resort; empty means log only.
    pub correspondence_type: String,
    /// Whether a follow-up segment is made whenever one is logged.
    pub follow_up: bool,
}

/// The output folder.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct Output {
    /// The folder below which each segment gets its own, relative to the working folder.
    pub folder: PathBuf,
    /// Whether letters on paper are Word documents, PDF, or both.
    pub letters: LetterFiles,
    /// Whether each run makes a print file of its letters.
    pub print: bool,
}

impl Default for Output {
    fn default() -> Output {
        Output { folder: PathBuf::from("out"), letters: LetterFiles::Docx, print: false }
    }
}

impl Setup {
    /// The name of the set-up file.
    pub const FILE_NAME: &'static str = "mailrun.toml";

    /// Reads the set-up from a TOML file.
    ///
    /// # Errors
    ///
    /// All unknown keys of the file at once, or the first value of a wrong type, each with its line.
    pub fn read(path: &Path) -> Result<Setup, Vec<DeclarationProblem>> {
        let mut setup: Setup = declaration::read(path)?;
        setup.schedule.folder = path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(setup)
    }

    /// Finds the salesperson with a code.
    pub fn salesperson(&self, code: &str) -> Option<&Salesperson> {
        self.salespersons.iter().find(|salesperson| salesperson.code == code)
    }
}
