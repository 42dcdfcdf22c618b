//! What each line means: interaction templates, the effective interaction, the log entry.

pub mod template;
pub mod rule;
pub mod resolve;
pub mod state;
pub mod entry;
pub mod note;
pub mod statistics;

pub use entry::{Entry, EntryNo, RunNo};
pub use note::{Note, NoteKind};
pub use resolve::{EffectiveInteraction, Facts, Refusal, Standing, resolve};
pub use rule::{Resolved, Rule};
pub use state::State;
pub use template::{InteractionTemplate, TemplateLanguage};
