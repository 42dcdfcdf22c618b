//! Owns where reports lie: a maildir, an mbox, a folder of `.eml` files, or one message in a file.
//! Fails on a path that cannot be read.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// So much of a message is read; a report of ours stands at its beginning.
const MESSAGE_LIMIT_BYTES: usize = 32 << 20;

/// A path that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read `{}`", path.display())]
pub struct SourceError {
    /// The path.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

/// Hands each message to `take`, in the order of the files' names, and returns how many there are.
///
/// # Errors
///
/// A path that is not there or cannot be read.
pub fn each_message(path: &Path, take: &mut dyn FnMut(&[u8])) -> Result<usize, SourceError> {
    let failed = |source| SourceError { path: path.to_owned(), source };
    if !path.is_dir() {
        return of_file(path, take).map_err(failed);
    }
    let is_maildir = path.join("cur").is_dir() || path.join("new").is_dir();
    let mut files = Vec::new();
    if is_maildir {
        for folder in ["cur", "new"].map(|name| path.join(name)).into_iter().filter(|it| it.is_dir()) {
            files.extend(files_of(&folder).map_err(failed)?);
        }
    } else {
        files = files_of(path).map_err(failed)?;
        files.retain(|file| file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("eml")));
    }
    let mut n_messages = 0;
    for file in files {
        let bytes = start_of(&file).map_err(|source| SourceError { path: file.clone(), source })?;
        take(&bytes);
        n_messages += 1;
    }
    Ok(n_messages)
}

fn files_of(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn start_of(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(MESSAGE_LIMIT_BYTES as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a file that is one message, or an mbox: the latter begins with `From `.
fn of_file(file: &Path, take: &mut dyn FnMut(&[u8])) -> io::Result<usize> {
    let mut reader = BufReader::new(File::open(file)?);
    if !reader.fill_buf()?.starts_with(b"From ") {
        drop(reader);
        take(&start_of(file)?);
        return Ok(1);
    }
    let mut n_messages = 0;
    let (mut message, mut line) = (Vec::new(), Vec::new());
    let (mut is_first, mut is_behind_blank) = (true, true);
    loop {
        line.clear();
        let n_bytes = reader.read_until(b'\n', &mut line)?;
        if n_bytes == 0 || (is_behind_blank && line.starts_with(b"From ")) {
            if !is_first {
                take(&message);
                n_messages += 1;
            }
            if n_bytes == 0 {
                return Ok(n_messages);
            }
            message.clear();
            (is_first, is_behind_blank) = (false, false);
            continue;
        }
        is_behind_blank = matches!(line.as_slice(), b"\n" | b"\r\n");
        // A line of the message that begins with `From ` was quoted with `>`.
        let quotes = line.iter().take_while(|byte| **byte == b'>').count();
        let is_quoted = quotes > 0 && line.get(quotes..).is_some_and(|rest| rest.starts_with(b"From "));
        if message.len() < MESSAGE_LIMIT_BYTES {
            message.extend_from_slice(line.get(usize::from(is_quoted)..).unwrap_or_default());
        }
    }
}
