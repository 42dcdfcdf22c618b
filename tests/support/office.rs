//! Owns the office judges: LibreOffice, which must open what we wrote, and Microsoft's Open XML SDK validator.
//!
//! LibreOffice takes more than a second to start, so ask about many files at once; what several tests of one file
//! need goes into a `static … : LazyLock<…>`, which asks once for all of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use tempfile::TempDir;

use super::{bounded, finish, shown, tool};

/// How long LibreOffice may take for its start, and for each file.
const START_LIMIT: Duration = Duration::from_secs(120);
const FILE_LIMIT: Duration = Duration::from_secs(10);

/// How long the validator may take for a file; it needs half a second.
const VALIDATOR_LIMIT: Duration = Duration::from_secs(60);

/// One LibreOffice at a time: two would only wait for each other's processors.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The text of each document's body as LibreOffice reads it, one line a paragraph; no headers and footers.
///
/// LibreOffice sets DATE and TIME fields to today, and shows an unmerged MERGEFIELD as `«Name»`.
#[track_caller]
pub(crate) fn text(files: &[impl AsRef<Path>]) -> Vec<String> {
    let converted = convert(files, "txt:Text (encoded):UTF8", "txt");
    converted.files.iter().map(|path| read_text(path)).collect()
}

/// Each document as PDF. The files are gone when the result is dropped.
#[track_caller]
pub(crate) fn pdf(files: &[impl AsRef<Path>]) -> Converted {
    convert(files, "pdf", "pdf")
}

/// The text of each document's pages, with headers, footers and text boxes: by PDF, read by poppler's `pdftotext`.
#[track_caller]
pub(crate) fn page_text(files: &[impl AsRef<Path>]) -> Vec<String> {
    let pdfs = pdf(files);
    let text = |path: &PathBuf| {
        let mut command = bounded(Path::new("pdftotext"), FILE_LIMIT, pdfs.folder.path());
        command.args(["-layout", "-enc", "UTF-8"]).arg(path).arg("-");
        let output = finish(command);
        assert!(output.status.success(), "pdftotext: {}", shown(&output));
        String::from_utf8(output.stdout).expect("pdftotext was told to write UTF-8")
    };
    pdfs.files.iter().map(text).collect()
}

/// Files that LibreOffice made, in the order of those it was given.
pub(crate) struct Converted {
    folder: TempDir,
    pub(crate) files: Vec<PathBuf>,
}

/// One call for all files, with a profile of its own. Panics, naming them, if some files were not opened.
///
/// LibreOffice names its output by the stem of its input and exits with 0 when it opened nothing; so it gets
/// copies with names of our own, and what counts is whether the output is there.
#[track_caller]
fn convert(files: &[impl AsRef<Path>], format: &str, ending: &str) -> Converted {
    let folder = TempDir::with_prefix("mailrun-office-").expect("a temporary folder can be made");
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("in")).expect("a folder can be made");
    let mut inputs = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let file = file.as_ref();
        let kind = file.extension().and_then(|ending| ending.to_str()).unwrap_or("docx");
        let input = at("in").join(format!("{number:06}.{kind}"));
        fs::copy(file, &input).unwrap_or_else(|error| panic!("{} cannot be copied: {error}", file.display()));
        inputs.push(input);
    }
    let one_at_a_time = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let n_files = u32::try_from(files.len()).expect("no test asks about four billion files");
    let mut command = bounded(Path::new("soffice"), START_LIMIT + FILE_LIMIT * n_files, folder.path());
    command.arg(format!("-env:UserInstallation=file://{}", at("profile").display()));
    command
        .args(["--headless", "--norestore", "--convert-to", format, "--outdir"])
        .arg(at("out"))
        .args(&inputs);
    let output = if files.is_empty() { None } else { Some(finish(command)) };
    drop(one_at_a_time);

    let made: Vec<PathBuf> =
        (0..files.len()).map(|number| at("out").join(format!("{number:06}.{ending}"))).collect();
    let unopened: Vec<String> = files
        .iter()
        .zip(&made)
        .filter(|(_, made)| !made.exists())
        .map(|(file, _)| file.as_ref().display().to_string())
        .collect();
    let said = output.as_ref().map(shown).unwrap_or_default();
    assert!(unopened.is_empty(), "LibreOffice did not open {}\nit said:\n{said}", unopened.join(", "));
    Converted { folder, files: made }
}

/// What the Open XML SDK validator finds wrong in a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) struct ValidationError {
    /// The validator's name for the rule: `Sch_UnexpectedElementContentExpectingComplex`.
    pub(crate) id: String,
    /// The part: `/word/document.xml`.
    #[serde(rename = "path", default)]
    pub(crate) part: Option<String>,
    pub(crate) description: String,
}

/// The errors of each document, each kind once. Panics if the validator cannot read a file at all.
#[track_caller]
pub(crate) fn validate(files: &[impl AsRef<Path> + Sync]) -> Vec<BTreeSet<ValidationError>> {
    let next = AtomicUsize::new(0);
    let n_workers = thread::available_parallelism().map_or(1, |n| n.get()).min(files.len());
    let home = TempDir::with_prefix("mailrun-validator-").expect("a temporary folder can be made");
    let mut results: Vec<(usize, BTreeSet<ValidationError>)> = thread::scope(|scope| {
        let work = || {
            let mut done = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(file) = files.get(number) else { return done };
                done.push((number, validate_one(file.as_ref(), home.path())));
            }
        };
        let workers: Vec<_> = (0..n_workers).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    results.sort();
    results.into_iter().map(|(_, errors)| errors).collect()
}

fn validate_one(file: &Path, home: &Path) -> BTreeSet<ValidationError> {
    #[derive(Deserialize)]
    struct Report {
        ok: bool,
        #[serde(default)]
        errors: BTreeSet<ValidationError>,
    }

    let mut command = bounded(&tool("MAILRUN_VALIDATOR"), VALIDATOR_LIMIT, home);
    command.arg(file);
    let output = finish(command);
    let report: Report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("the validator cannot read {} ({error}):\n{}", file.display(), shown(&output))
    });
    assert!(report.ok == report.errors.is_empty(), "the validator contradicts itself: {}", shown(&output));
    report.errors
}

/// Fails if an output has an error that its template had not, by rule, part and description.
///
/// The validator sees no field without an end and no table cell without a paragraph; those are for our own tests.
#[track_caller]
pub(crate) fn expect_no_new_errors(template: &Path, outputs: &[impl AsRef<Path> + Sync]) {
    let mut files = vec![template];
    files.extend(outputs.iter().map(AsRef::as_ref));
    let mut found = validate(&files).into_iter();
    let had = found.next().expect("one result a file");
    let new: Vec<String> = outputs
        .iter()
        .zip(found)
        .flat_map(|(output, errors)| {
            let new: Vec<ValidationError> = errors.difference(&had).cloned().collect();
            new.into_iter().map(move |error| format!("{}: {error:#?}", output.as_ref().display()))
        })
        .collect();
    assert!(new.is_empty(), "errors that {} has not:\n{}", template.display(), new.join("\n"));
}

fn read_text(path: &Path) -> String {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{} is no text: {error}", path.display()));
    text.trim_start_matches('\u{feff}').to_owned()
}
