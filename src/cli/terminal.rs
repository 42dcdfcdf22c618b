//! Owns printing: data to stdout, talk to stderr, and what a terminal can show.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::process;

use serde::Serialize;

use super::INTERRUPTED;
use super::options::Common;

/// Where words go.
#[derive(Debug)]
pub(super) struct Terminal {
    /// Whether data is wanted as JSON.
    pub(super) json: bool,
    is_quiet: bool,
}

impl Terminal {
    pub(super) fn new(common: &Common) -> Terminal {
        Terminal { json: common.json, is_quiet: common.quiet }
    }

    /// Says something, unless quiet is wanted.
    pub(super) fn say(&self, words: &str) {
        if !self.is_quiet {
            self.complain(words);
        }
    }

    /// Says something that must be heard.
    #[expect(clippy::unused_self, reason = "all words go through the terminal")]
    pub(super) fn complain(&self, words: &str) {
        complain(words);
    }

    /// Returns stdout; a reader that has gone ends the program quietly, a full disk with exit code 4.
    #[expect(clippy::unused_self, reason = "all data goes through the terminal")]
    pub(super) fn data(&self) -> Data {
        Data(BufWriter::new(io::stdout()))
    }

    /// Prints one JSON object as a line of data.
    pub(super) fn object(&self, data: &mut Data, object: &impl Serialize) {
        let line = serde_json::to_string(object).expect("our reports have text keys");
        data.line(&line);
    }

    /// Tells whether a progress bar can be seen.
    pub(super) fn shows_progress(&self) -> bool {
        !self.is_quiet && !self.json && io::stderr().is_terminal()
    }
}

/// Says something that must be heard, from wherever it comes up.
pub(super) fn complain(words: &str) {
    // Nobody is left to hear that stderr is closed.
    let _ = writeln!(io::stderr().lock(), "{words}");
}

/// Stdout, for data.
#[derive(Debug)]
pub(super) struct Data(BufWriter<io::Stdout>);

impl Data {
    /// Prints a line.
    pub(super) fn line(&mut self, line: &str) {
        let written = writeln!(self.0, "{line}");
        end_if_failed(&written);
    }
}

impl Write for Data {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.0.write(bytes);
        end_if_failed(&written);
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.0.flush();
        end_if_failed(&flushed);
        flushed
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        // `flush` ends the program where it fails.
        let _ = self.flush();
    }
}

/// `mailrun log list | head` is no failure; a full disk is, and nobody may take what was printed for the whole.
fn end_if_failed<T>(written: &io::Result<T>) {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => process::exit(0),
        Err(error) if error.kind() != io::ErrorKind::Interrupted => {
            complain(&format!("error: the output cannot be written: {error}"));
            process::exit(i32::from(INTERRUPTED));
        }
        Ok(_) | Err(_) => {}
    }
}

/// Lays out rows as columns, the first row being the header. Control characters of data are made visible.
pub(super) fn table(rows: &[Vec<String>]) -> Vec<String> {
    let n_columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let clean: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| visible(cell)).collect()).collect();
    let width = |column: usize| {
        clean.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..n_columns).map(width).collect();
    clean
        .iter()
        .map(|row| {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', width + 2 - cell.chars().count()));
            }
            line.trim_end().to_owned()
        })
        .collect()
}

/// Makes data harmless on a terminal: no control character, no mark that turns the direction of text.
pub(super) fn visible(text: &str) -> String {
    let is_harmful =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.contains(is_harmful) {
        return text.to_owned();
    }
    text.chars().flat_map(|c| if is_harmful(c) { c.escape_default().collect() } else { vec![c] }).collect()
}
