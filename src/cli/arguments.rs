//! Owns the words of the command line: commands, options, their help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// The engine for mail runs: everyone in the segment gets a letter, each one personal, each one logged, nobody twice.
#[derive(Debug, Parser)]
#[command(name = "mailrun", version, propagate_version = true, arg_required_else_help = true)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) command: Command,
}

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
    /// Say more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a folder with a sample letter, contacts, segment file and set-up, ready to run
    #[command(after_help = "Example: mailrun init spring && cd spring && mailrun run segment.toml")]
    Init(Init),
    /// Find every problem of a segment; nothing is changed or sent
    #[command(after_help = "Example: mailrun check spring.toml")]
    Check(Check),
    /// Run a segment: letters and messages for all lines, each one logged
    #[command(after_help = "Example: mailrun run spring.toml --out letters")]
    Run(Run),
    /// End a run that was interrupted; without SEGMENT all of them
    #[command(after_help = "Example: mailrun resume")]
    Resume(Resume),
    /// Tell how a run stands; without SEGMENT all that are not ended
    #[command(after_help = "Example: mailrun status SM00001 --json")]
    Status(Status),
    /// Tell what holds for one contact's line, and which rule decided it
    #[command(after_help = "Example: mailrun explain spring.toml --contact CT000012")]
    Explain(Explain),
    /// Make some letters and messages to look at; nothing is logged
    #[command(after_help = "Example: mailrun preview spring.toml --first 5 --out look")]
    Preview(Preview),
    /// Plain mail merge: a Word template and a table, no segment, no log
    #[command(after_help = "Example: mailrun merge letter.docx contacts.csv --out letters --name '{{no}}'")]
    Merge(Merge),
    /// Contacts
    #[command(subcommand)]
    Contact(ContactCommand),
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
    /// Print completions for a shell
    #[command(after_help = "Example: mailrun completions bash > /etc/bash_completion.d/mailrun")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    #[command(after_help = "Example: mailrun man > mailrun.1")]
    Man,
}

#[derive(Debug, Args)]
pub(super) struct Init {
    /// The folder, which is made
    #[arg(default_value = ".")]
    pub(super) dir: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Check {
    /// A segment file, or the number of a segment
    pub(super) segment: String,
}

#[derive(Debug, Args)]
pub(super) struct Run {
    /// A segment file, or the number of a segment
    pub(super) segment: String,
    /// Load, resolve and check, and stop there
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct Resume {
    /// The number of a segment, or its file
    pub(super) segment: Option<String>,
    /// What becomes of messages that were being sent when the run was interrupted
    #[arg(long, value_enum, default_value = "hold")]
    pub(super) in_doubt: InDoubtChoice,
}

/// What becomes of messages that may have been sent.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum InDoubtChoice {
    /// They stay in doubt
    Hold,
    /// They are sent again
    Resend,
    /// They count as sent
    AssumeSent,
}

#[derive(Debug, Args)]
pub(super) struct Status {
    /// The number of a segment, or its file
    pub(super) segment: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// A segment file, or the number of a segment
    pub(super) segment: String,
    /// The number of the contact
    #[arg(long, value_name = "NO")]
    pub(super) contact: String,
}

#[derive(Debug, Args)]
pub(super) struct Preview {
    /// A segment file, or the number of a segment
    pub(super) segment: String,
    /// The number of a contact; may be given more than once
    #[arg(long, value_name = "NO")]
    pub(super) contact: Vec<String>,
    /// The first lines of the segment
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(super) first: usize,
}

#[derive(Debug, Args)]
pub(super) struct Merge {
    /// The Word template
    pub(super) template: PathBuf,
    /// The table: .csv, .tsv, .xlsx, .ods, or .json with an array of objects
    #[arg(required_unless_present = "fields")]
    pub(super) data: Option<PathBuf>,
    /// The names of the files, with tags; left out: the record's number, six digits
    #[arg(long, value_name = "PATTERN")]
    pub(super) name: Option<String>,
    /// Write all letters into one document
    #[arg(long, value_name = "FILE")]
    pub(super) combined: Option<PathBuf>,
    /// List what the template asks for
    #[arg(long)]
    pub(super) fields: bool,
    /// Answers to ASK and FILLIN fields: a JSON object
    #[arg(long, value_name = "FILE")]
    pub(super) answers: Option<PathBuf>,
    /// Whose customs hold for numbers and dates, such as de-CH
    #[arg(long, default_value = "en-US")]
    pub(super) locale: String,
    /// How many letters are made at the same time [default: one per core]
    #[arg(long, value_name = "N")]
    pub(super) jobs: Option<usize>,
    /// Write PDF files (not yet)
    #[arg(long)]
    pub(super) pdf: bool,
    /// Write all letters into one archive (not yet)
    #[arg(long, value_name = "FILE")]
    pub(super) pack: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum ContactCommand {
    /// Import contacts from a table
    #[command(after_help = "Example: mailrun contact import contacts.csv --map 'E-Mail=email'")]
    Import {
        /// The table: .csv, .tsv, .xlsx, .ods or .json
        file: PathBuf,
        /// The column that holds the contact number
        #[arg(long, default_value = "no")]
        key: String,
        /// Which field a column fills; may be given more than once
        #[arg(long, value_name = "COLUMN=FIELD")]
        map: Vec<String>,
    },
    /// List contacts
    #[command(after_help = "Example: mailrun contact list --json")]
    List,
    /// Show a contact
    #[command(after_help = "Example: mailrun contact show CT000012")]
    Show {
        /// The number
        no: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum TemplateCommand {
    /// List interaction templates
    #[command(after_help = "Example: mailrun template list")]
    List,
    /// Show an interaction template
    #[command(after_help = "Example: mailrun template show APPEAL")]
    Show {
        /// The code
        code: String,
    },
    /// List the fields and tags of a template's documents, or of a Word file
    #[command(after_help = "Example: mailrun template fields letter.docx")]
    Fields {
        /// A code, or a Word file
        template: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum SegmentCommand {
    /// List open segments
    #[command(after_help = "Example: mailrun segment list")]
    List,
    /// Show a segment's header and lines; what was set on a line is marked
    #[command(after_help = "Example: mailrun segment show SM00002")]
    Show {
        /// The number
        segment: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum LoggedCommand {
    /// List logged segments
    #[command(after_help = "Example: mailrun logged list")]
    List,
}

#[derive(Debug, Subcommand)]
pub(super) enum LogCommand {
    /// List interaction log entries
    #[command(after_help = "Example: mailrun log list --state failed --json")]
    List {
        /// In this state only: accepted, written, suppressed, log-only, failed, rejected, in-doubt
        #[arg(long)]
        state: Option<String>,
        /// Of this segment only
        #[arg(long)]
        segment: Option<String>,
        /// Of this contact only
        #[arg(long)]
        contact: Option<String>,
    },
    /// Show an entry with the rules that decided its values
    #[command(after_help = "Example: mailrun log show 42")]
    Show {
        /// The number
        entry: i64,
    },
    /// Make the letter of an entry again, byte for byte; into --out, else to stdout
    #[command(after_help = "Example: mailrun log document 42 > letter.docx")]
    Document {
        /// The number
        entry: i64,
    },
}
