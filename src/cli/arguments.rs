//! Owns the words of the command line: commands, options, their help.

use clap::{Parser, Subcommand};

use super::address::AddressCommand;
use super::bounces::BouncesCommand;
use super::code::CodeCommand;
use super::config::ConfigCommand;
use super::contact::ContactCommand;
use super::db::DbCommand;
use super::init::Init;
use super::log::LogCommand;
use super::logged::LoggedCommand;
use super::look::{Explain, Preview};
use super::master::MasterCommand;
use super::merge::Merge;
use super::options::Common;
use super::reconcile::Reconcile;
use super::reference::Man;
use super::run::{Check, Resume, Run, Status};
use super::schedule::ScheduleCommand;
use super::segment::SegmentCommand;
use super::stats::Stats;
use super::template::TemplateCommand;

/// The engine for mail runs: everyone in the segment gets a letter, each one personal, each one logged, nobody twice.
#[derive(Debug, Parser)]
#[command(name = "mailrun", version, propagate_version = true, arg_required_else_help = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a folder with a sample letter, contacts, segment file and set-up, ready to run
    #[command(after_help = "Example: mailrun init spring && cd spring && mailrun run segment.toml")]
    Init(Init),
    /// Find every problem of a segment; nothing is changed or sent
    #[command(
        after_help = "Examples: mailrun check spring.toml\n          mailrun check spring.toml --window din5008-b"
    )]
    Check(Check),
    /// Run a segment: letters and messages for all lines, each one logged
    #[command(after_help = "Example: mailrun run spring.toml --out letters")]
    Run(Run),
    /// End a run that was interrupted; without SEGMENT all of them
    #[command(after_help = "Example: mailrun resume")]
    Resume(Resume),
    /// Tell how a run stands; without SEGMENT all that are not ended or have messages in doubt
    #[command(after_help = "Example: mailrun status SM00001 --json")]
    Status(Status),
    /// Tell what holds for one contact's line, and which rule decided it
    #[command(after_help = "Example: mailrun explain spring.toml --contact CT000012")]
    Explain(Explain),
    /// Make some letters and messages to look at; nothing is logged
    #[command(after_help = "Example: mailrun preview spring.toml --first 5 --png --out look")]
    Preview(Preview),
    /// Plain mail merge: a Word template and a table, no segment, no log
    #[command(after_help = "Example: mailrun merge letter.docx contacts.csv --out letters --name '{{no}}'")]
    Merge(Merge),
    /// Contacts
    #[command(subcommand)]
    Contact(ContactCommand),
    /// Alternative addresses of contacts
    #[command(subcommand)]
    Address(AddressCommand),
    /// Code tables, and which contacts have which codes: mailing groups, industry groups, …
    #[command(subcommand)]
    Code(CodeCommand),
    /// Salespersons: in whose name letters go out
    #[command(subcommand)]
    Salesperson(MasterCommand),
    /// Salutation formulas
    #[command(subcommand)]
    Salutation(MasterCommand),
    /// Campaigns
    #[command(subcommand)]
    Campaign(MasterCommand),
    /// Interaction templates
    #[command(subcommand)]
    Template(TemplateCommand),
    /// Segments
    #[command(subcommand)]
    Segment(SegmentCommand),
    /// Logged segments
    #[command(subcommand)]
    Logged(LoggedCommand),
    /// Interaction log entries
    #[command(subcommand)]
    Log(LogCommand),
    /// Tell whether everything is there that a run needs; nothing is changed or sent
    #[command(after_help = "Example: mailrun doctor --config mailrun.toml")]
    Doctor,
    /// Runs that come again and again
    #[command(subcommand)]
    Schedule(ScheduleCommand),
    /// What came back: delivery reports, complaints
    #[command(subcommand)]
    Bounces(BouncesCommand),
    /// Settle messages in doubt by what the mail server wrote
    #[command(after_help = "Example: mailrun reconcile --postfix-log /var/log/mail.log")]
    Reconcile(Reconcile),
    /// What log entries come to: targets, responses, cost, duration, states; cancelled ones count nowhere
    #[command(after_help = "Example: mailrun stats campaign --from 2026-01-01 --export campaigns.csv")]
    Stats(Stats),
    /// The database as a whole
    #[command(subcommand)]
    Db(DbCommand),
    /// The set-up
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print completions for a shell
    #[command(after_help = "Example: mailrun completions bash > /etc/bash_completion.d/mailrun")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page of a command, write those of all, or print the reference
    #[command(after_help = "Examples: mailrun man segment add > mailrun-segment-add.1\n          \
                      mailrun man --all --out /usr/local/share/man/man1")]
    Man(Man),
}
