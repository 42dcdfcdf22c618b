//! Owns programs that the set-up or a segment file names: a list of words, run without a shell. Fails on a program that
//! cannot be started, ends with another exit code than 0, or does not end in time, and tells what it said last.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};

use super::rate::Span;

/// How often a program is looked after.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// How long the last words of a program are waited for that has ended: a stranger may hold its standard error.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How much of its last words is told.
const SAID_LIMIT_BYTES: usize = 500;

/// A program and its arguments. No shell takes part: a word is what the program gets, whatever stands in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Program {
    name: String,
    arguments: Vec<String>,
}

/// Words that name no program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAProgram {
    /// There are no words.
    #[error("there is no program: the first word names it")]
    Empty,
    /// A quote without an end.
    #[error("the quote {quote} has no end in `{found}`")]
    UnclosedQuote {
        /// The text.
        found: String,
        /// The quote.
        quote: char,
    },
}

impl TryFrom<Vec<String>> for Program {
    type Error = NotAProgram;

    fn try_from(words: Vec<String>) -> Result<Program, NotAProgram> {
        let mut words = words.into_iter();
        let name = words.next().filter(|name| !name.is_empty()).ok_or(NotAProgram::Empty)?;
        Ok(Program { name, arguments: words.collect() })
    }
}

impl From<Program> for Vec<String> {
    fn from(program: Program) -> Vec<String> {
        let mut words = vec![program.name];
        words.extend(program.arguments);
        words
    }
}

impl FromStr for Program {
    type Err = NotAProgram;

    /// Reads words that blanks part; quotes, `'` or `"`, keep blanks within a word. Nothing else has a meaning.
    fn from_str(text: &str) -> Result<Program, NotAProgram> {
        let mut words = Vec::new();
        let mut word: Option<String> = None;
        let mut quote = None;
        for c in text.chars() {
            match quote {
                Some(open) if c == open => quote = None,
                Some(_) => word.get_or_insert_default().push(c),
                None if c == '\'' || c == '"' => {
                    quote = Some(c);
                    word.get_or_insert_default();
                }
                None if c.is_whitespace() => words.extend(word.take()),
                None => word.get_or_insert_default().push(c),
            }
        }
        if let Some(quote) = quote {
            return Err(NotAProgram::UnclosedQuote { found: text.to_owned(), quote });
        }
        words.extend(word);
        words.try_into()
    }
}

impl fmt::Display for Program {
    /// Writes the words as they are read again, if no word has both quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quoted(&self.name))?;
        self.arguments.iter().try_for_each(|word| write!(f, " {}", quoted(word)))
    }
}

fn quoted(word: &str) -> String {
    match word {
        _ if !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || c == '\'' || c == '"') => {
            word.to_owned()
        }
        _ if word.contains('\'') => format!("\"{word}\""),
        _ => format!("'{word}'"),
    }
}

/// How a program is run.
#[derive(Debug)]
pub struct Call<'a> {
    /// The folder in which it works; its name is looked for there, too, if it has a `/`.
    pub folder: &'a Path,
    /// What it gets on standard input.
    pub input: &'a [u8],
    /// Where its standard output goes; none: nowhere.
    pub output: Option<File>,
    /// How long it may take.
    pub limit: Span,
    /// Ends it when somebody sets it.
    pub stop: &'a AtomicBool,
}

/// Why a program did not do what it was for.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It is not there, or may not be run.
    #[error("`{program}` cannot be started")]
    Start {
        /// Its words.
        program: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It ended with another exit code than 0, or by a signal.
    #[error("`{program}` failed ({status}){}", last_words(said))]
    Failed {
        /// Its words.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it said on standard error, on one line.
        said: String,
    },
    /// It took too long and was ended.
    #[error("`{program}` did not end within {limit}{}", last_words(said))]
    TimedOut {
        /// Its words.
        program: String,
        /// How long it could take.
        limit: Span,
        /// The end of what it said on standard error, on one line.
        said: String,
    },
    /// It was ended because the user wanted to stop.
    #[error("`{program}` was stopped")]
    Stopped {
        /// Its words.
        program: String,
    },
}

impl ProgramError {
    /// Returns the error's stable id.
    pub fn id(&self) -> &'static str {
        match self {
            ProgramError::Start { .. } => "program-not-started",
            ProgramError::Failed { .. } => "program-failed",
            ProgramError::TimedOut { .. } => "program-timed-out",
            ProgramError::Stopped { .. } => "program-stopped",
        }
    }
}

fn last_words(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(": {said}") }
}

impl Program {
    /// Returns the program as it is found from any folder: a name with a `/` goes from `folder`.
    ///
    /// # Errors
    ///
    /// A working folder that cannot be had.
    pub fn found_from(mut self, folder: &Path) -> io::Result<Program> {
        if self.name.contains('/') {
            self.name = std::path::absolute(folder.join(&self.name))?.to_string_lossy().into_owned();
        }
        Ok(self)
    }

    /// Runs the program to its end. Children that it leaves behind are ended with it.
    ///
    /// # Errors
    ///
    /// [`ProgramError`] if it cannot be started, fails, or does not end in time.
    pub fn run(&self, call: Call<'_>) -> Result<(), ProgramError> {
        let program = self.to_string();
        let not_started = |source| ProgramError::Start { program: self.to_string(), source };
        let Call { folder, input, output, limit, stop } = call;
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let name = match self.name.contains('/') {
            true => std::path::absolute(folder.join(&self.name)).map_err(not_started)?,
            false => PathBuf::from(&self.name),
        };
        let mut child = Command::new(name)
            .args(&self.arguments)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(output.map_or_else(Stdio::null, Stdio::from))
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(not_started)?;
        if let Some(mut stdin) = child.stdin.take() {
            let input = input.to_owned();
            // A program may end without having read its input.
            thread::spawn(move || stdin.write_all(&input).is_ok());
        }
        let said = child.stderr.take().map(end_of);
        let ended = attend(child, limit.duration(), stop).map_err(not_started)?;
        let said = said.and_then(|said| said.recv_timeout(LAST_WORDS).ok()).unwrap_or_default();
        match ended {
            Ended::ByItself(status) if status.success() => Ok(()),
            Ended::ByItself(status) => Err(ProgramError::Failed { program, status, said }),
            Ended::TooLate => Err(ProgramError::TimedOut { program, limit, said }),
            Ended::Stopped => Err(ProgramError::Stopped { program }),
        }
    }
}

/// How a program came to its end.
enum Ended {
    ByItself(ExitStatus),
    TooLate,
    Stopped,
}

/// Waits for the end of a process, and ends its whole group: none of its children may outlive the call.
fn attend(mut child: Child, limit: Duration, stop: &AtomicBool) -> io::Result<Ended> {
    let group = Pid::from_child(&child);
    let since = Instant::now();
    let ended = loop {
        if let Some(status) = child.try_wait()? {
            break Ended::ByItself(status);
        }
        if stop.load(Ordering::Relaxed) {
            break Ended::Stopped;
        }
        if since.elapsed() > limit {
            break Ended::TooLate;
        }
        thread::sleep(LOOK_EVERY);
    };
    // Mostly there is nobody left to end.
    let _ = kill_process_group(group, Signal::KILL);
    child.wait()?;
    Ok(ended)
}

/// Reads a stream to its end, and sends the last of it.
fn end_of(mut stream: ChildStderr) -> Receiver<String> {
    let (send, receive) = channel();
    thread::spawn(move || {
        let mut last = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(n_bytes @ 1..) = stream.read(&mut buffer) {
            last.extend_from_slice(buffer.get(..n_bytes).unwrap_or_default());
            let n_old = last.len().saturating_sub(SAID_LIMIT_BYTES);
            last.drain(..n_old);
        }
        // Nobody waits for it any more if this comes late.
        send.send(one_line(&String::from_utf8_lossy(&last))).is_ok()
    });
    receive
}

fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" / ").replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_parted_by_blanks_and_kept_together_by_quotes() {
        let check = |text: &str, expected: &[&str]| {
            let words: Vec<String> = text.parse::<Program>().map(Vec::from).unwrap_or_default();
            assert_eq!(words, expected, "{text}");
            let program: Program = text.parse().expect("a program");
            assert_eq!(program.to_string().parse(), Ok(program), "{text}");
        };
        check("export --all", &["export", "--all"]);
        check("  sh -c 'echo \"a  b\" | mail' ", &["sh", "-c", "echo \"a  b\" | mail"]);
        check("\"my program\" '' x\"y z\"", &["my program", "", "xy z"]);
        check("echo $HOME `x` \\n *", &["echo", "$HOME", "`x`", "\\n", "*"]);
        assert_eq!(" ".parse::<Program>(), Err(NotAProgram::Empty));
        assert_eq!("''".parse::<Program>(), Err(NotAProgram::Empty));
        let found = "sh 'x".to_owned();
        assert_eq!(found.parse::<Program>(), Err(NotAProgram::UnclosedQuote { found, quote: '\'' }));
    }

    /// Runs a shell's words, and returns what came of it.
    fn run(script: &str, limit: &str) -> Result<(), String> {
        let program = Program::try_from(["sh", "-c", script].map(str::to_owned).to_vec()).expect("a program");
        let stop = AtomicBool::new(false);
        let limit = limit.parse().expect("a span");
        let call = Call { folder: Path::new(""), input: b"input\n", output: None, limit, stop: &stop };
        program.run(call).map_err(|error| error.to_string())
    }

    #[test]
    fn a_program_ends_well_or_tells_how_it_failed() {
        assert_eq!(run("read line; test \"$line\" = input", "1m"), Ok(()));
        assert_eq!(run("exec true", "1m"), Ok(()), "who does not read its input has not failed");
        let failed = run("echo first >&2; echo '  last' >&2; exit 3", "1m");
        assert_eq!(
            failed,
            Err(
                "`sh -c \"echo first >&2; echo '  last' >&2; exit 3\"` failed (exit status: 3): first / last"
                    .to_owned()
            )
        );
        let late = run("echo waiting >&2; tail -f /dev/null & tail -f /dev/null", "200ms");
        assert!(late.is_err_and(|error| error.ends_with("did not end within 200ms: waiting")));
        let missing: Program = "mailrun-no-such-program".parse().expect("a program");
        let stop = AtomicBool::new(true);
        let call = || Call {
            folder: Path::new(""),
            input: b"",
            output: None,
            limit: Span::from_milliseconds(60_000),
            stop: &stop,
        };
        let error = missing.run(call()).expect_err("there is no such program");
        assert_eq!(error.to_string(), "`mailrun-no-such-program` cannot be started");
        let endless: Program = "tail -f /dev/null".parse().expect("a program");
        assert!(matches!(endless.run(call()), Err(ProgramError::Stopped { .. })));
    }

    #[test]
    fn only_the_end_of_what_it_said_is_told() {
        let error = run("i=0; while [ $i -lt 3000 ]; do echo $i >&2; i=$((i+1)); done; exit 1", "1m");
        let error = error.expect_err("it fails");
        assert!(error.ends_with(" / 2999") && error.len() < 1000, "{error}");
    }
}
