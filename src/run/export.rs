//! Owns the export of a worksheet as a segment file that gives the same segment again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::contact::table::{TableWriter, WriteError};
use crate::delivery::name::safe_name;
use crate::run::records::RecordsError;
use crate::run::worksheet::Worksheets;
use crate::segment::{
    CriteriaAction, Digest, InteractionValues, LineNo, LineValues, SegmentHeader, SegmentLine, SegmentNo,
};

/// How many lines are read at a time.
const LINES_PER_BATCH: usize = 1_000;

/// What a segment file has for the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Every line with its number, in a table beside the file: the segment as it is.
    Lines,
    /// The selection actions, to be replayed at each load, and the lines on which something is set.
    Criteria,
}

/// Why a segment is not exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store fails.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// The table of lines cannot be written.
    #[error(transparent)]
    Table(#[from] WriteError),
    /// A file cannot be written.
    #[error("cannot write the segment file")]
    File(#[from] io::Error),
}

/// Writes an open segment as a segment file, with its lines and documents beside it; returns the files.
///
/// Contacts, interaction templates and campaigns are not in it: they are the database's.
///
/// # Errors
///
/// A store that fails, a folder that cannot be written.
pub fn export(
    store: &mut dyn Worksheets,
    header: &SegmentHeader,
    (path, form): (&Path, Form),
) -> Result<Vec<PathBuf>, ExportError> {
    let mut export = Export { store, path, files: Vec::new() };
    let segment = header.no.clone();
    let mut file = Table::new();
    file.insert("segment".to_owned(), Value::Table(export.header(header)?));
    match form {
        Form::Lines => export.lines(&segment, &mut file)?,
        Form::Criteria => export.criteria(&segment, &mut file)?,
    }
    let text = toml::to_string(&file).map_err(io::Error::other)?;
    fs::write(path, text)?;
    export.files.insert(0, path.to_owned());
    Ok(export.files)
}

struct Export<'a> {
    store: &'a mut dyn Worksheets,
    path: &'a Path,
    files: Vec<PathBuf>,
}

impl Export<'_> {
    fn header(&mut self, header: &SegmentHeader) -> Result<Table, ExportError> {
        let mut table = Table::new();
        table.insert("no".to_owned(), Value::String(header.no.0.clone()));
        for name in InteractionValues::NAMES {
            if let Some(text) = header.values.text(name) {
                table.insert(name.to_owned(), Value::String(text));
            }
        }
        for (name, is_set) in [
            ("ignore_contact_correspondence_type", header.ignore_contact_correspondence_type),
            ("household", header.household),
            ("follow_up", header.follow_up),
        ] {
            if is_set {
                table.insert(name.to_owned(), Value::Boolean(true));
            }
        }
        let mut documents = Table::new();
        for (language, digest) in &header.documents {
            documents.insert(language.to_string(), Value::String(self.document(digest)?));
        }
        if !documents.is_empty() {
            table.insert("documents".to_owned(), Value::Table(documents));
        }
        Ok(table)
    }

    fn lines(&mut self, segment: &SegmentNo, file: &mut Table) -> Result<(), ExportError> {
        let names: Vec<&'static str> =
            InteractionValues::NAMES.into_iter().chain(LineValues::NAMES).collect();
        let header: Vec<&str> = ["line", "contact"].into_iter().chain(names.iter().copied()).collect();
        let path = self.beside("lines.csv");
        let mut writer = TableWriter::create(&path, &header)?;
        let mut written = Vec::new();
        let mut after = LineNo(0);
        loop {
            let records = self.store.lines(segment, after, LINES_PER_BATCH)?;
            let Some(last) = records.last() else { break };
            after = last.line.line_no;
            for record in &records {
                // An empty cell sets nothing, so that a line with a value that is set to nothing stands in the file.
                if record.line.values.names().iter().any(|name| is_set_empty(&record.line.values, name)) {
                    written.push(Value::Table(self.line(&record.line)?));
                    continue;
                }
                let mut row = vec![record.line.line_no.to_string(), record.line.contact.to_string()];
                for name in &names {
                    row.push(self.text(&record.line.values, name)?.unwrap_or_default());
                }
                writer.add(&row)?;
            }
        }
        writer.finish()?;
        let mut table = Table::new();
        table.insert("file".to_owned(), Value::String(name_of(&path)));
        file.insert("lines".to_owned(), Value::Table(table));
        if !written.is_empty() {
            file.insert("line".to_owned(), Value::Array(written));
        }
        self.files.push(path);
        Ok(())
    }

    fn criteria(&mut self, segment: &SegmentNo, file: &mut Table) -> Result<(), ExportError> {
        let steps: Vec<Value> = self
            .store
            .actions(segment)?
            .iter()
            .map(step)
            .collect::<Result<_, _>>()
            .map_err(io::Error::other)?;
        let mut select = Table::new();
        select.insert("step".to_owned(), Value::Array(steps));
        file.insert("select".to_owned(), Value::Table(select));
        let mut written = Vec::new();
        let mut after = LineNo(0);
        loop {
            let records = self.store.lines(segment, after, LINES_PER_BATCH)?;
            let Some(last) = records.last() else { break };
            after = last.line.line_no;
            for record in records.iter().filter(|record| !record.line.values.is_empty()) {
                written.push(Value::Table(self.line(&record.line)?));
            }
        }
        if !written.is_empty() {
            file.insert("line".to_owned(), Value::Array(written));
        }
        Ok(())
    }

    fn line(&mut self, line: &SegmentLine) -> Result<Table, ExportError> {
        let mut table = Table::new();
        table.insert("line".to_owned(), Value::Integer(i64::try_from(line.line_no.0).unwrap_or(i64::MAX)));
        table.insert("contact".to_owned(), Value::String(line.contact.to_string()));
        for name in line.values.names() {
            if let Some(text) = self.text(&line.values, name)? {
                table.insert(name.to_owned(), Value::String(text));
            }
        }
        Ok(table)
    }

    /// Returns the text that sets a value in a file; of a document, the path of its file.
    fn text(&mut self, values: &LineValues, name: &str) -> Result<Option<String>, ExportError> {
        match &values.document {
            Some(digest) if name == "document" => Ok(Some(self.document(digest)?)),
            _ => Ok(values.text(name)),
        }
    }

    /// Writes a document beside the file, once, and returns its path as the file names it.
    fn document(&mut self, digest: &Digest) -> Result<String, ExportError> {
        let folder = self.beside("documents");
        let attachment = self.store.attachment(digest)?;
        let (name, bytes) = attachment.map(|found| (found.name, found.bytes)).unwrap_or_default();
        let short: String = digest.as_str().chars().take(12).collect();
        let (stem, ending) = name.rsplit_once('.').unwrap_or((&name, ""));
        let path = folder.join(safe_name(&format!("{short} {stem}"), ending));
        if !self.files.contains(&path) {
            fs::create_dir_all(&folder)?;
            fs::write(&path, bytes)?;
            self.files.push(path.clone());
        }
        Ok(format!("{}/{}", name_of(&folder), name_of(&path)))
    }

    fn beside(&self, ending: &str) -> PathBuf {
        self.path.with_extension(ending)
    }
}

fn is_set_empty(values: &LineValues, name: &str) -> bool {
    values.text(name).is_some_and(|text| text.trim() != text || text.is_empty())
}

fn step(action: &CriteriaAction) -> Result<Value, toml::ser::Error> {
    let mut table = Table::new();
    table.insert(action.kind.as_str().to_owned(), Value::String(action.condition.clone()));
    let options = Value::try_from(&action.options)?;
    if options.as_table().is_some_and(|options| !options.is_empty()) {
        table.insert("options".to_owned(), options);
    }
    Ok(Value::Table(table))
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
