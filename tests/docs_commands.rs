//! Holds what README and docs show: every `console` block is run, and does what it says.
//!
//! The blocks of a page are run one after the other in a folder of its own. A line that begins with `$ ` is a command;
//! what follows it is its output, standard error included, up to the next command. `…` stands for any text in its line,
//! and alone for any lines; of a time such as `0.3 s` the number does not count. Where no output is shown, none is
//! compared. A command fails only where its output shows an `error:`, or where `# exit N` ends its line.
//!
//! Above a block, `<!-- file: NAME -->` makes a file of it; `<!-- in: FOLDER -->` copies what a folder of the project holds
//! to where the blocks are run, and `<!-- with: FOLDER… -->` folders themselves.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::place::{NOW, Place};

/// A block between fences.
#[derive(Debug)]
struct Block {
    /// The page and line of its first line.
    place: String,
    /// What stands behind its fence.
    kind: String,
    /// What the comment above it says, such as `file: weekly.toml`.
    comment: String,
    text: String,
}

/// A command and the output that is shown for it; none where none is.
#[derive(Debug, PartialEq)]
struct Shown {
    command: String,
    output: Option<Vec<String>>,
}

fn blocks(page: &Path) -> Vec<Block> {
    let text = fs::read_to_string(page).expect("a page can be read");
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<Block> = None;
    let mut comment = String::new();
    for (number, line) in (1..).zip(text.lines()) {
        match (&mut open, line.strip_prefix("```")) {
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(kind)) => {
                open = Some(Block {
                    place: format!("{}, line {}", page.display(), number + 1),
                    kind: kind.to_owned(),
                    comment: std::mem::take(&mut comment),
                    text: String::new(),
                });
            }
            (None, None) => {
                if let Some(said) = line.strip_prefix("<!--").and_then(|rest| rest.strip_suffix("-->")) {
                    said.trim().clone_into(&mut comment);
                } else if !line.trim().is_empty() {
                    comment.clear();
                }
            }
        }
    }
    assert!(open.is_none(), "{}: a fence is not closed", page.display());
    blocks
}

fn shown(text: &str) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("$ "), all.last_mut()) {
            (Some(command), _) => all.push(Shown { command: command.to_owned(), output: None }),
            (None, Some(last)) => last.output.get_or_insert_default().push(line.to_owned()),
            (None, None) => panic!("a console block begins with a command, not with `{line}`"),
        }
    }
    for shown in &mut all {
        // A blank line before the next command is for the eye.
        while shown.output.as_ref().and_then(|output| output.last()).is_some_and(String::is_empty) {
            shown.output.as_mut().and_then(Vec::pop);
        }
        shown.output.take_if(|output| output.is_empty());
    }
    all
}

/// Tells whether a line is as shown; `…` is any text, and the number of seconds does not count.
fn fits(shown: &str, line: &str) -> bool {
    let shown = without_seconds(shown);
    let line = without_seconds(line);
    let mut parts = shown.split('…');
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// `logged in 0.679 s` is `logged in … s`, whatever the machine.
fn without_seconds(line: &str) -> String {
    let words = line.split(' ').collect::<Vec<_>>();
    let mut kept: Vec<&str> = Vec::new();
    for (position, word) in words.iter().enumerate() {
        let is_time = words.get(position + 1) == Some(&"s") && word.parse::<f64>().is_ok();
        kept.push(if is_time { "…" } else { word });
    }
    kept.join(" ")
}

/// Tells whether an output is as shown; a line `…` is any lines.
fn all_fit(shown: &[String], lines: &[&str]) -> bool {
    match (shown, lines) {
        ([], []) => true,
        ([first, rest @ ..], _) if first == "…" => (0..=lines.len()).any(|n| all_fit(rest, &lines[n..])),
        ([first, shown @ ..], [line, lines @ ..]) => fits(first, line) && all_fit(shown, lines),
        _ => false,
    }
}

/// A place where the commands of a page are run by a shell that knows `mailrun`.
struct Shell {
    place: Place,
    folder: PathBuf,
    bin: tempfile::TempDir,
}

impl Shell {
    fn new() -> Shell {
        let place = Place::new();
        let bin = tempfile::tempdir().expect("a folder can be made");
        // The clock is that of all tests, unless a command sets it.
        let script = format!(
            "#!/bin/sh\ncase \" $* \" in *' --now '*) exec '{0}' \"$@\";; *) exec '{0}' \"$@\" --now '{NOW}';; esac\n",
            env!("CARGO_BIN_EXE_mailrun")
        );
        let path = bin.path().join("mailrun");
        fs::write(&path, script).expect("a script can be written");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&path, mode).expect("it can be made a program");
        let folder = place.path("");
        Shell { place, folder, bin }
    }

    fn run(&mut self, place: &str, shown: &Shown) {
        let command = shown.command.replace("cargo run --release -- ", "mailrun ");
        let (expected_code, command) = match command.rsplit_once("# exit ") {
            Some((command, code)) => (code.trim().parse::<i32>().ok(), command.to_owned()),
            None => (None, command),
        };
        let path = support::variable("PATH").expect("a machine has a PATH");
        let end = self.bin.path().join("folder");
        let script = format!("{command}\ncode=$?\npwd > '{}'\nexit $code", end.display());
        let output = Command::new("sh")
            .args(["-c", &format!("{{ {script}\n}} 2>&1")])
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", format!("{}:{}", self.bin.path().display(), path.display()))
            .env("HOME", self.place.path("").with_file_name("home"))
            .env("TZ", "UTC")
            .env("NO_COLOR", "1")
            .env("LC_ALL", "C.UTF-8")
            .output()
            .expect("a shell can be started");
        let here = self.place.path("").display().to_string();
        let text = String::from_utf8(output.stdout).expect("it prints text").replace(&here, "/srv/office");
        let shows_error = shown.output.iter().flatten().any(|line| line.starts_with("error:"));
        let code = output.status.code();
        let is_right = match expected_code {
            Some(expected) => code == Some(expected),
            None => (code == Some(0)) != shows_error,
        };
        assert!(is_right, "{place}: `{command}` ended with {code:?}\n{text}");
        if let Some(expected) = &shown.output {
            let lines: Vec<&str> = text.trim_end().lines().map(str::trim_end).collect();
            let expected: Vec<String> = expected.iter().map(|line| line.trim_end().to_owned()).collect();
            assert!(
                all_fit(&expected, &lines),
                "{place}: `{command}` prints\n{text}\nand not\n{}\n",
                expected.join("\n")
            );
        }
        let folder = fs::read_to_string(&end).expect("the shell tells where it is");
        self.folder = PathBuf::from(folder.trim_end());
    }
}

/// Runs the blocks of a page.
fn check(page: &Path) -> usize {
    let mut shell = Shell::new();
    let mut n_commands = 0;
    for block in blocks(page) {
        if let Some(name) = block.comment.strip_prefix("file: ") {
            fs::write(shell.folder.join(name), &block.text).expect("a file can be written");
        }
        if let Some(folder) = block.comment.strip_prefix("in: ") {
            shell.place.copy_of(folder, "");
        }
        for folder in block.comment.strip_prefix("with: ").unwrap_or_default().split_whitespace() {
            shell.place.copy_of(folder, folder);
        }
        if block.kind == "console" {
            for shown in shown(&block.text) {
                shell.run(&block.place, &shown);
                n_commands += 1;
            }
        }
    }
    n_commands
}

#[test]
fn every_command_of_the_readme_does_what_it_shows() {
    assert!(check(Path::new("README.md")) > 8);
}

#[test]
fn every_command_of_the_tutorial_does_what_it_shows() {
    assert!(check(Path::new("docs/tutorial.md")) > 10);
}

#[test]
fn every_command_of_the_recipes_does_what_it_shows() {
    assert!(check(Path::new("docs/recipes.md")) > 20);
}

#[test]
fn every_command_of_the_other_pages_does_what_it_shows() {
    for entry in fs::read_dir("docs").expect("the docs can be listed") {
        let page = entry.expect("an entry").path();
        let is_other = !page.ends_with("tutorial.md") && !page.ends_with("recipes.md");
        if is_other && page.extension().is_some_and(|ending| ending == "md") {
            check(&page);
        }
    }
}

#[test]
fn output_is_compared_line_by_line_and_what_varies_is_left_out() {
    let check =
        |shown: &str, line: &str, expected: bool| assert_eq!(fits(shown, line), expected, "{shown} | {line}");
    check("6 lines = 6 written", "6 lines = 6 written", true);
    check("6 lines = 6 written", "6 lines = 5 written + 1 failed", false);
    check("logged in 0.679 s", "logged in 12.1 s", true);
    check("logged in 0.679 s", "logged at 0.679 s", false);
    check("made …/letter.docx", "made spring/letter.docx", true);
    check("made …/letter.docx", "made spring/letter.doc", false);
    check("…", "anything", true);
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(all_fit(&lines("a\n…\nd"), &["a", "b", "c", "d"]));
    assert!(!all_fit(&lines("a\n…\nd"), &["a", "b", "c"]));
    assert!(!all_fit(&lines("a"), &["a", "b"]));
    let parsed = shown("$ first\none\n\n$ second\n");
    assert_eq!(parsed[0].output, Some(vec!["one".to_owned()]));
    assert_eq!(parsed[1], Shown { command: "second".to_owned(), output: None });
}
