//! Owns the export of the log: CSV, XLSX or JSON, row by row, so that millions of entries need no memory.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value as Json};

use super::DONE;
use super::change::counted;
use super::log::Filter;
use super::options::Common;
use super::problem::Failure;
use super::terminal::Terminal;
use crate::contact::table::TableWriter;
use crate::store::Database;
use crate::store::log::{LogFilter, LogRow};

#[derive(Debug, Args)]
pub(super) struct Export {
    /// The file: .csv, .xlsx or .json
    file: PathBuf,
    #[command(flatten)]
    filter: Filter,
    /// In a .csv: cells as they are, also those that a spreadsheet would take for a formula
    #[arg(long)]
    raw: bool,
}

pub(super) fn export(common: &Common, export: &Export, terminal: &Terminal) -> Result<u8, Failure> {
    let filter = export.filter.read()?;
    let database = Database::open_existing(&common.db)?;
    let is = |ending: &str| export.file.extension().is_some_and(|own| own.eq_ignore_ascii_case(ending));
    let n_entries = match is("json") {
        true => as_json(&database, &filter, &export.file)?,
        // A cell of a sheet is typed as text, and never a formula; in a .csv only its first character tells.
        false => as_table(&database, &filter, &export.file, is("csv") && !export.raw)?,
    };
    let entries = counted(n_entries, "entry", "entries");
    terminal.say(&format!("{entries} written to {}", export.file.display()));
    Ok(DONE)
}

fn as_json(database: &Database, filter: &LogFilter, path: &Path) -> Result<u64, Failure> {
    let mut temporary = path.to_owned().into_os_string();
    temporary.push(".mailrun-tmp");
    let mut file = BufWriter::new(File::create(&temporary).map_err(Failure::output)?);
    let (mut n_entries, mut written) = (0, Ok(()));
    database.each_entry(filter, &mut |row| {
        if written.is_ok() {
            let before = if n_entries == 0 { "[" } else { "," };
            written = writeln!(file, "{before}").and_then(|()| Ok(serde_json::to_writer(&mut file, row)?));
            n_entries += 1;
        }
    })?;
    let end = if n_entries == 0 { "[]\n" } else { "\n]\n" };
    written
        .and_then(|()| file.write_all(end.as_bytes()))
        .and_then(|()| file.flush())
        .and_then(|()| fs::rename(&temporary, path))
        .map_err(Failure::output)?;
    Ok(n_entries)
}

fn as_table(
    database: &Database,
    filter: &LogFilter,
    path: &Path,
    guards_formulas: bool,
) -> Result<u64, Failure> {
    let names = fields(&LogRow::default());
    let header: Vec<&str> = names.keys().map(String::as_str).collect();
    let mut table = TableWriter::create(path, &header)?;
    let (mut n_entries, mut written) = (0, Ok(()));
    database.each_entry(filter, &mut |row| {
        if written.is_ok() {
            let cells: Vec<String> = fields(row).values().map(|value| cell(value, guards_formulas)).collect();
            written = table.add(&cells);
            n_entries += 1;
        }
    })?;
    written?;
    table.finish()?;
    Ok(n_entries)
}

fn fields(row: &LogRow) -> Map<String, Json> {
    match serde_json::to_value(row) {
        Ok(Json::Object(fields)) => fields,
        Ok(_) | Err(_) => Map::new(),
    }
}

/// A value as the text of a cell. What a spreadsheet would run as a formula gets an apostrophe before it, which shows it
/// as text (OWASP, CSV Injection).
fn cell(value: &Json, guards_formulas: bool) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) if guards_formulas && text.starts_with(['=', '+', '-', '@', '\t', '\r']) => {
            format!("'{text}")
        }
        Json::String(text) => text.clone(),
        value => value.to_string(),
    }
}
