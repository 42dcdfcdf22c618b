//! Owns the options that every command understands.

use std::path::PathBuf;

use clap::Args;

/// What every command understands.
#[derive(Clone, Debug, Args)]
pub(super) struct Common {
    /// The database
    #[arg(long, global = true, value_name = "FILE", env = "MAILRUN_DB", default_value = "mailrun.db")]
    pub(super) db: PathBuf,
    /// The set-up; left out: mailrun.toml beside the segment file, else in the working folder
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Where files are written [default: out, or the set-up's]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Agree to what would be asked
    #[arg(long, global = true)]
    pub(super) yes: bool,
    /// The clock, such as 2026-03-01T09:00:00+01:00[Europe/Zurich]
    #[arg(long, global = true, value_name = "TIME")]
    pub(super) now: Option<String>,
    /// Data for programs: JSON on stdout
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Say nothing but errors
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// Say more: at the end of run, resume, check and merge, where the time went
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}
