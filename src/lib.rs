//! The engine for mail runs.
//!
//! An office has contacts, letters that its people wrote in Word, and a mail server. A *segment* says who is
//! written to; a *run* takes it through one pipeline ([`run::run()`]):
//!
//! 1. [load](run::load::load) the segment and what it names: contacts, interaction templates, documents,
//! 2. [resolve](interaction::resolve()) each line's effective interaction: the header's defaults and the line's overrides,
//! 3. [check](run::check()) all of it, and report every problem at once, before any effect,
//! 4. [`merge`] the Word templates in parallel, with each contact's personal comment,
//! 5. [deliver](delivery::Transport) the letters: files and e-mail,
//! 6. write the [interaction log entries](interaction::Entry) and archive the segment.
//!
//! The rooms, in the order in which data flows. A room uses only rooms above it; `tests/house.rs` holds that.

pub mod setup;
pub mod contact;
pub mod segment;
pub mod interaction;
pub mod merge;
pub mod delivery;
pub mod run;
pub mod store;
pub mod cli;
