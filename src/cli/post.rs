//! Owns what sending mail asks of whoever is at the terminal: the password, and the word that messages may leave.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::process::{Command, Stdio};

use super::options::Common;
use crate::delivery::smtp::login::Password;
use crate::run::{Question, SecretError, messages_in_words};
use crate::setup::mail::Secret;

/// Asks whether messages may leave the house; elsewhere than on a terminal only `--yes` lets them.
pub(super) fn agreement(common: &Common) -> Box<dyn Fn(&Question) -> bool> {
    let is_agreed = common.yes;
    Box::new(move |question| is_agreed || is_answered_yes(question))
}

fn is_answered_yes(question: &Question) -> bool {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return false;
    }
    let Question { segment, url, n_messages, n_seeds, counts } = question;
    let messages = messages_in_words(*n_messages, *n_seeds);
    let go = if n_messages + n_seeds == 1 { "goes" } else { "go" };
    let mut stderr = io::stderr().lock();
    let asked = write!(stderr, "segment {segment}: {counts}\n{messages} {go} out over {url}. Send? [y/N] ")
        .and_then(|()| stderr.flush());
    drop(stderr);
    let mut answer = String::new();
    let answered = asked.and_then(|()| io::stdin().lock().read_line(&mut answer));
    answered.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

/// Gets the password, or the key, from where the set-up says that it is.
pub(super) fn password(secret: &Secret) -> Result<Password, SecretError> {
    let failed = |reason: String| SecretError { reason };
    let text = match secret {
        Secret::Env(name) => variable(name)
            .ok_or_else(|| failed(format!("the environment variable `{name}` is not set, or no text")))?,
        Secret::File(file) => fs::read_to_string(file)
            .map_err(|error| failed(format!("`{}` cannot be read: {error}", file.display())))?,
        Secret::Command(words) => printed(words)?,
    };
    let text = zeroize::Zeroizing::new(text);
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(Password::new(text.to_string())),
        Some(_) | None => Err(failed("its first line is empty".to_owned())),
    }
}

#[expect(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Returns what a command prints. What it complains about is the user's to see; what it prints is not.
fn printed(words: &[String]) -> Result<String, SecretError> {
    let failed = |reason: String| SecretError { reason };
    let (program, arguments) =
        words.split_first().ok_or_else(|| failed("the command is empty".to_owned()))?;
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(format!("`{program}` cannot be started: {error}")))?;
    if !output.status.success() {
        return Err(failed(format!("`{program}` failed ({})", output.status)));
    }
    String::from_utf8(output.stdout).map_err(|_| failed(format!("`{program}` did not print text")))
}
