//! Owns refusals: why what holds for a line cannot be decided, and what to do about it.

use crate::contact::CorrespondenceType;
use crate::contact::language::Language;

/// Why a line cannot be resolved.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// Neither line nor header names an interaction template.
    #[error("no interaction template is set")]
    NoTemplate,
    /// A template of this code is not known.
    #[error("there is no interaction template `{code}`")]
    UnknownTemplate {
        /// The code.
        code: String,
    },
    /// There is no document for the line.
    #[error("there is no document in {}", language.as_ref().map_or("any language".to_owned(), |language| format!("`{language}`")))]
    NoDocument {
        /// The language that was looked for.
        language: Option<Language>,
        /// The template.
        template: String,
    },
    /// The correspondence type cannot be reached.
    #[error("contact {contact} has no {}, but the line goes out by `{correspondence_type}`", means(*correspondence_type))]
    Unreachable {
        /// The contact.
        contact: String,
        /// How the line should go out.
        correspondence_type: CorrespondenceType,
    },
    /// Faxes go through a gateway, and none is set.
    #[error("the line goes out by `fax`, but no fax gateway is set")]
    NoFaxGateway,
    /// The line names an alternative address that the contact does not have.
    #[error("contact {contact} has no alternative address `{code}`")]
    UnknownAddress {
        /// The contact.
        contact: String,
        /// The code of the address.
        code: String,
    },
    /// A salesperson of this code is not known.
    #[error("there is no salesperson `{code}`")]
    UnknownSalesperson {
        /// The code.
        code: String,
    },
    /// A campaign of this code is not known.
    #[error("there is no campaign `{code}`")]
    UnknownCampaign {
        /// The code.
        code: String,
    },
}

impl Refusal {
    /// Returns the stable id of the refusal.
    pub fn id(&self) -> &'static str {
        match self {
            Refusal::NoTemplate => "no-template",
            Refusal::UnknownTemplate { .. } => "unknown-template",
            Refusal::NoDocument { .. } => "no-document",
            Refusal::Unreachable { .. } => "unreachable",
            Refusal::NoFaxGateway => "no-fax-gateway",
            Refusal::UnknownAddress { .. } => "unknown-address",
            Refusal::UnknownSalesperson { .. } => "unknown-salesperson",
            Refusal::UnknownCampaign { .. } => "unknown-campaign",
        }
    }

    /// Returns what to do.
    pub fn help(&self) -> String {
        match self {
            Refusal::NoTemplate => "set `interaction_template` on the segment or on the line".to_owned(),
            Refusal::UnknownTemplate { .. } => "declare it as `[[template]]`, or correct its code".to_owned(),
            Refusal::NoDocument { template, .. } => format!(
                "give the template {template} a document in that language or in its default language, \
                 or set `document` on the line"
            ),
            Refusal::Unreachable { correspondence_type, .. } => {
                let other = match correspondence_type {
                    CorrespondenceType::HardCopy => CorrespondenceType::Email,
                    CorrespondenceType::Email | CorrespondenceType::Fax => CorrespondenceType::HardCopy,
                };
                format!(
                    "give the contact one, set `correspondence_type = \"{other}\"` on the line, \
                     or name a fallback in mailrun.toml"
                )
            }
            Refusal::NoFaxGateway => {
                "set `address` under `[fax]` in mailrun.toml, or name a fallback".to_owned()
            }
            Refusal::UnknownAddress { .. } => {
                "correct the code, or add the address to the table of alternative addresses".to_owned()
            }
            Refusal::UnknownSalesperson { .. } => {
                "declare it as `[[salesperson]]` in mailrun.toml, or correct its code".to_owned()
            }
            Refusal::UnknownCampaign { .. } => "declare it as `[[campaign]]`, or correct its code".to_owned(),
        }
    }
}

fn means(correspondence_type: CorrespondenceType) -> &'static str {
    match correspondence_type {
        CorrespondenceType::HardCopy => "postal address",
        CorrespondenceType::Email => "e-mail address",
        CorrespondenceType::Fax => "fax no.",
    }
}
