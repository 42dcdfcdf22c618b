//! Owns what is printed about the commands themselves: completions, manual pages, the reference in Markdown. All of it
//! comes from the words that the commands are declared with, so that it cannot say anything else than they do.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use clap::{Arg, Args, Command, CommandFactory};

use super::DONE;
use super::arguments::Arguments;
use super::problem::Failure;
use super::terminal::Terminal;

#[derive(Debug, Args)]
pub(super) struct Man {
    /// The words of a command, such as `segment add`; left out: mailrun itself
    command: Vec<String>,
    /// Write a page for every command into `--out`, which is made
    #[arg(long, conflicts_with_all = ["command", "markdown"], requires = "out")]
    all: bool,
    /// Print the reference of all commands in Markdown: docs/reference.md
    #[arg(long, conflicts_with = "command")]
    markdown: bool,
}

/// Prints the completions for a shell.
pub(super) fn completions(shell: clap_complete::Shell, terminal: &Terminal) -> u8 {
    clap_complete::generate(shell, &mut Arguments::command(), "mailrun", &mut terminal.data());
    DONE
}

/// Prints one manual page, or writes all of them.
pub(super) fn man(out: Option<&PathBuf>, man: &Man, terminal: &Terminal) -> Result<u8, Failure> {
    let whole = whole();
    if man.markdown {
        terminal.data().line(reference(&whole).trim_end());
        return Ok(DONE);
    }
    if let (true, Some(out)) = (man.all, out) {
        fs::create_dir_all(out).map_err(Failure::output)?;
        let mut n_pages = 0;
        for page in commands(&whole) {
            let path = out.join(format!("{}.1", page_name(&page)));
            let mut bytes = Vec::new();
            clap_mangen::Man::new(page).render(&mut bytes).map_err(Failure::output)?;
            fs::write(path, bytes).map_err(Failure::output)?;
            n_pages += 1;
        }
        terminal.say(&format!("{n_pages} pages written to {}", out.display()));
        return Ok(DONE);
    }
    let name = [&["mailrun".to_owned()], man.command.as_slice()].concat().join("-");
    let Some(page) = commands(&whole).into_iter().find(|page| page_name(page) == name) else {
        let words = man.command.join(" ");
        return Err(Failure::problem("unknown-command", format!("there is no command `{words}`"), "man"));
    };
    clap_mangen::Man::new(page).render(&mut terminal.data()).map_err(Failure::output)?;
    Ok(DONE)
}

/// The command with all that clap adds to it.
fn whole() -> Command {
    let mut whole = Arguments::command();
    whole.build();
    whole
}

/// The name of a command's page: `mailrun-segment-add`.
fn page_name(command: &Command) -> String {
    words(command).replace(' ', "-")
}

/// All words of a command: `mailrun segment add`.
fn words(command: &Command) -> String {
    command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned()
}

/// The command and all below it, but for clap's own `help`, in the order of their declaration.
fn commands(command: &Command) -> Vec<Command> {
    let below = command.get_subcommands().filter(|below| below.get_name() != "help");
    std::iter::once(command.clone()).chain(below.flat_map(commands)).collect()
}

/// Writes the reference: each command with its arguments, options and examples; the options of all commands once.
fn reference(whole: &Command) -> String {
    let mut text = format!(
        "# Reference\n\nAll commands, with their arguments and options. `mailrun man --markdown` prints this page, \
         `mailrun COMMAND --help` and\n`mailrun man COMMAND` tell the same of one command.\n\n{}\n\n## Options of every command\n\n",
        whole.get_about().map(ToString::to_string).unwrap_or_default()
    );
    options(&mut text, whole.get_arguments().filter(|option| option.is_global_set()));
    text.push_str(
        "\n## Exit codes\n\n| Code | Meaning |\n|---|---|\n| 0 | done |\n| 1 | problems found, nothing was done |\n\
         | 2 | usage |\n| 3 | done, but some lines failed, were rejected or are in doubt |\n\
         | 4 | interrupted, retries still to come, or the surroundings failed: `resume` continues |\n\
         | 5 | another run holds the segment |\n",
    );
    for command in commands(whole).iter().skip(1) {
        let words = words(command);
        let level = words.split(' ').count();
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        write(&mut text, format_args!("\n{} {words}\n\n{about}\n", "#".repeat(level)));
        if command.has_subcommands() {
            continue;
        }
        write(&mut text, format_args!("\n```text\n{}\n```\n", usage(command)));
        let own =
            || command.get_arguments().filter(|argument| !argument.is_global_set() && !is_of_clap(argument));
        if own().next().is_some() {
            text.push('\n');
            options(&mut text, own());
        }
        for example in examples(command) {
            write(&mut text, format_args!("\n`{example}`\n"));
        }
    }
    text
}

fn is_of_clap(argument: &Arg) -> bool {
    ["help", "version"].contains(&argument.get_id().as_str())
}

/// `mailrun segment add [OPTIONS] <SEGMENT> [CONDITION]`
fn usage(command: &Command) -> String {
    let mut words = words(command);
    if command.get_opts().any(|option| !option.is_global_set()) {
        words.push_str(" [OPTIONS]");
    }
    for positional in command.get_positionals() {
        let names = positional.get_value_names().unwrap_or_default();
        let name = names.first().map(ToString::to_string).unwrap_or_default();
        let many = positional.get_num_args().is_some_and(|number| number.max_values() > 1);
        let many = if many { "..." } else { "" };
        let (open, close) = if positional.is_required_set() { ('<', '>') } else { ('[', ']') };
        write(&mut words, format_args!(" {open}{name}{close}{many}"));
    }
    words
}

/// A table of arguments and options.
fn options<'a>(text: &mut String, all: impl Iterator<Item = &'a Arg>) {
    text.push_str("| Argument | Meaning |\n|---|---|\n");
    for argument in all {
        let names: Vec<String> =
            argument.get_value_names().unwrap_or_default().iter().map(ToString::to_string).collect();
        let mut shown = Vec::new();
        shown.extend(argument.get_short().map(|short| format!("-{short}")));
        shown.extend(argument.get_long().map(|long| format!("--{long}")));
        let mut shown = shown.join(", ");
        if argument.is_positional() {
            shown = names.join(" ");
        } else if argument.get_action().takes_values() {
            write(&mut shown, format_args!(" {}", names.join(" ")));
        }
        let mut meaning =
            argument.get_help().map(ToString::to_string).unwrap_or_default().replace('|', "\\|");
        let values: Vec<String> =
            argument.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
        if !values.is_empty() && argument.get_action().takes_values() {
            write(&mut meaning, format_args!(": {}", values.join(", ")));
        }
        let defaults: Vec<_> =
            argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        if !defaults.is_empty() && argument.get_action().takes_values() {
            write(&mut meaning, format_args!(" (default: `{}`)", defaults.join(" ")));
        }
        write(text, format_args!("| `{shown}` | {meaning} |\n"));
    }
}

/// The commands of a command's examples.
fn examples(command: &Command) -> Vec<String> {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let examples =
        help.strip_prefix("Examples:").or_else(|| help.strip_prefix("Example:")).unwrap_or_default();
    examples.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn write(text: &mut String, words: std::fmt::Arguments<'_>) {
    text.write_fmt(words).expect("a string takes all text");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The commands that do something, and not those that only have others below them.
    fn leaves() -> Vec<Command> {
        commands(&whole()).into_iter().filter(|command| !command.has_subcommands()).collect()
    }

    #[test]
    fn every_command_has_an_example_that_calls_it() {
        for command in leaves() {
            let words = words(&command);
            let examples = examples(&command);
            let is_shared =
                ["salesperson", "salutation", "campaign"].iter().any(|master| words.contains(master));
            let calls_it = |example: &String| {
                // The masters share their help: the example is of one of them.
                let (_, last) = words.rsplit_once(' ').unwrap_or_default();
                example.contains(&words) || (is_shared && example.contains(&format!(" {last}")))
            };
            assert!(examples.iter().any(calls_it), "`{words}` has no example: {examples:?}");
        }
    }

    #[test]
    fn every_command_and_option_says_what_it_is_for() {
        for command in commands(&whole()) {
            assert!(command.get_about().is_some(), "{} says nothing", command.get_name());
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{}: {}", command.get_name(), argument.get_id());
            }
        }
    }

    #[test]
    fn the_reference_is_what_the_commands_say() {
        let written = include_str!("../../docs/reference.md");
        assert_eq!(
            written,
            reference(&whole()),
            "`mailrun man --markdown > docs/reference.md` writes it anew"
        );
    }
}
