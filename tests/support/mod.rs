//! Owns what the tests of several promises share: a hermetic place for the command line, and the judges of documents.
//!
//! A test file says `mod support;`. The judges are programs that `tests/run` installs; where one is missing, the
//! test fails and says so.
#![allow(dead_code, reason = "each test file is a crate of its own and uses another part")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;
use std::{env, fs};

pub(crate) mod docx;
pub(crate) mod office;
pub(crate) mod picture;
pub(crate) mod place;
pub(crate) mod python;
pub(crate) mod sample;
pub(crate) mod text;
pub(crate) mod post;
pub(crate) mod smtp;

/// All sound documents to try: what the project ships, and those of the folder that `MAILRUN_CORPUS` names.
///
/// In the order of their paths. The corpus is not part of the project; `tests/run` sets the variable where it is.
pub(crate) fn documents() -> Vec<PathBuf> {
    let mut found = documents_below(Path::new("templates"));
    let wrong = Path::new("fixtures/wrong");
    found.extend(documents_below(Path::new("fixtures")).into_iter().filter(|path| !path.starts_with(wrong)));
    found.extend(corpus());
    found
}

/// The documents of the folder that `MAILRUN_CORPUS` names; none if it is not set, and then standard error says so.
pub(crate) fn corpus() -> Vec<PathBuf> {
    let Some(folder) = variable("MAILRUN_CORPUS") else {
        // Not by `eprintln!`, of which nothing is seen where the test passes.
        let said = "MAILRUN_CORPUS is not set: what is tested with real templates is SKIPPED\n";
        std::io::stderr().write_all(said.as_bytes()).expect("standard error takes a line");
        return Vec::new();
    };
    let found = documents_below(&folder);
    assert!(!found.is_empty(), "MAILRUN_CORPUS names {}, which has no documents", folder.display());
    found
}

/// Tells whether a variable is set that asks for more than the usual tests.
pub(crate) fn is_wanted(name: &str) -> bool {
    variable(name).is_some()
}

fn documents_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a folder can be listed").path()).collect();
    paths.sort();
    let is_document =
        |path: &Path| path.extension().is_some_and(|end| end == "docx" || end == "docm" || end == "dotx");
    paths
        .into_iter()
        .flat_map(|path| match () {
            () if path.is_dir() => documents_below(&path),
            () if is_document(&path) => vec![path],
            () => Vec::new(),
        })
        .collect()
}

/// The program that a variable of `tests/run` names.
pub(crate) fn tool(name: &str) -> PathBuf {
    let path = variable(name).unwrap_or_else(|| {
        panic!("{name} is not set: run the tests with `tests/run`, or say `eval \"$(tests/run --env)\"` once in this shell")
    });
    assert!(path.exists(), "{name} names {}, which is not there: run `tests/run --prepare`", path.display());
    path
}

#[expect(clippy::disallowed_methods, reason = "the tests are told by tests/run where their tools are")]
pub(crate) fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// A command that is killed with all its children when its time is over, and that inherits no environment but `PATH`.
///
/// `home` becomes its home, so that it finds no settings of the person at the machine. Coreutils' `timeout` makes
/// a process group and kills it whole, which matters for programs that are started by a script.
fn bounded(program: &Path, limit: Duration, home: &Path) -> Command {
    let mut command = Command::new("timeout");
    command.arg("--kill-after=5").arg(limit.as_secs().to_string()).arg(program).env_clear();
    command
        .env("PATH", variable("PATH").expect("a machine has a PATH"))
        .env("HOME", home)
        .env("LC_ALL", "C.UTF-8");
    command
}

/// Runs a [`bounded`] command and panics if its time was over or it cannot be started.
#[track_caller]
fn finish(mut command: Command) -> Output {
    let output = command.output().expect("coreutils' timeout can be started");
    let code = output.status.code();
    assert!(!matches!(code, None | Some(124 | 137)), "{command:?} did not end in time\n{}", shown(&output));
    assert!(
        !matches!(code, Some(126 | 127)),
        "{command:?} cannot be started: run `tests/run --prepare`\n{}",
        shown(&output)
    );
    output
}

fn shown(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs a program that never ends and has a child that holds its output open.
pub(crate) fn hang() {
    let mut command = bounded(Path::new("sh"), Duration::from_secs(1), Path::new("."));
    command.args(["-c", "tail -f /dev/null & tail -f /dev/null"]);
    finish(command);
}
