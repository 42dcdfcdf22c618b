//! Owns the command that shows the set-up: each value, and where it comes from.

use std::fs;
use std::path::Path;

use clap::Subcommand;
use serde_json::json;
use toml::de::{DeTable, DeValue};

use super::DONE;
use super::office::{setup, setup_path};
use super::options::Common;
use super::problem::Failure;
use super::terminal::{Terminal, table};
use crate::delivery::smtp::server::without_password;
use crate::setup::Setup;
use crate::setup::declaration::line_at;

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Show every value that is set, and where: by a flag, by the environment, in a file with its line, or by default
    #[command(after_help = "Example: mailrun config show")]
    Show,
}

/// A value and where it comes from.
struct Held {
    key: String,
    value: String,
    origin: String,
}

pub(super) fn config(
    common: &Common,
    command: &ConfigCommand,
    terminal: &mut Terminal,
) -> Result<u8, Failure> {
    let ConfigCommand::Show = command;
    let read = setup(common, None)?; // its problems come first
    let file = setup_path(common, None);
    let mut held = of_command_line(common, file.as_deref());
    if let Some(file) = &file {
        held.extend(of_file(file)?);
    }
    let defaults =
        of_default(&read).into_iter().filter(|default| !held.iter().any(|held| held.key == default.key));
    let defaults: Vec<Held> = defaults.collect();
    held.extend(defaults);
    let mut data = terminal.data();
    let mut rows = vec![["key", "value", "from"].map(str::to_owned).to_vec()];
    for Held { key, value, origin } in held {
        if terminal.json {
            terminal.object(&mut data, &json!({ "key": key, "value": value, "from": origin }));
        } else {
            rows.push(vec![key, value, origin]);
        }
    }
    if !terminal.json {
        table(&rows).iter().for_each(|line| data.line(line));
    }
    Ok(DONE)
}

fn of_command_line(common: &Common, file: Option<&Path>) -> Vec<Held> {
    let held = |key: &str, value: String, origin: &str| Held {
        key: key.to_owned(),
        value,
        origin: origin.to_owned(),
    };
    let path = |path: &Path| path.display().to_string();
    let db = match (common.db == Path::new("mailrun.db"), is_db_of_environment(common)) {
        (_, true) => "MAILRUN_DB",
        (true, false) => "default",
        (false, false) => "--db",
    };
    let mut all = vec![held("db", path(&common.db), db)];
    let config = file.map_or_else(|| "none".to_owned(), path);
    all.push(held("config", config, if common.config.is_some() { "--config" } else { "default" }));
    all.extend(common.out.as_ref().map(|out| held("output.folder", path(out), "--out")));
    all.extend(common.now.as_ref().map(|now| held("now", now.clone(), "--now")));
    all
}

#[expect(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
fn is_db_of_environment(common: &Common) -> bool {
    std::env::var_os("MAILRUN_DB").is_some_and(|db| Path::new(&db) == common.db)
}

/// The values of the set-up file, each with its line. What a secret is read from is shown, the secret never read.
fn of_file(file: &Path) -> Result<Vec<Held>, Failure> {
    let place = file.display().to_string();
    let text = fs::read_to_string(file).map_err(|error| {
        Failure::problem("unreadable", format!("the set-up cannot be read: {error}"), place.clone())
    })?;
    let parsed = DeTable::parse(&text)
        .map_err(|error| Failure::problem("toml", error.message().to_owned(), place.clone()))?;
    let mut held = Vec::new();
    walk("", parsed.get_ref(), &mut |key, value, offset| {
        let line = line_at(text.as_bytes(), offset);
        held.push(Held { key, value, origin: format!("{place}:{line}") });
    });
    Ok(held)
}

fn walk(above: &str, table: &DeTable<'_>, take: &mut dyn FnMut(String, String, usize)) {
    for (name, value) in table {
        let key = match above {
            "" => name.get_ref().to_string(),
            above => format!("{above}.{}", name.get_ref()),
        };
        match value.get_ref() {
            DeValue::Table(inner) => walk(&key, inner, take),
            DeValue::Array(values)
                if values.iter().any(|value| matches!(value.get_ref(), DeValue::Table(_))) =>
            {
                for (position, value) in (1..).zip(values.iter()) {
                    if let DeValue::Table(inner) = value.get_ref() {
                        walk(&format!("{key}[{position}]"), inner, take);
                    }
                }
            }
            shown => take(key, shown_value(shown), value.span().start),
        }
    }
}

fn shown_value(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => without_password(text),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(moment) => moment.to_string(),
        DeValue::Array(values) => {
            let texts: Vec<String> = values.iter().map(|value| shown_value(value.get_ref())).collect();
            format!("[{}]", texts.join(", "))
        }
        DeValue::Table(_) => String::new(),
    }
}

/// What holds where nothing is set.
fn of_default(setup: &Setup) -> Vec<Held> {
    let mut all = vec![
        ("output.folder", setup.output.folder.display().to_string()),
        ("number_series.segment", setup.number_series.segment.clone()),
        ("defaults.follow_up", setup.defaults.follow_up.to_string()),
    ];
    if let Some(smtp) = &setup.smtp {
        all.push(("smtp.retry.first", smtp.retry.first.to_string()));
        all.push(("smtp.retry.longest", smtp.retry.longest.to_string()));
        all.push(("smtp.retry.attempts", smtp.retry.attempts.to_string()));
        all.push(("smtp.retry.age", smtp.retry.age.to_string()));
    }
    let held = |key: &str, value: String| Held { key: key.to_owned(), value, origin: "default".to_owned() };
    let mut all: Vec<Held> = all.into_iter().map(|(key, value)| held(key, value)).collect();
    let sections = [("output", json!({ "letters": setup.output.letters })), ("print", json!(setup.print))];
    for (section, values) in sections.into_iter().chain([("pdf", json!(setup.pdf))]) {
        for (key, value) in values.as_object().into_iter().flatten() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            all.push(held(&format!("{section}.{key}"), value));
        }
    }
    if let Some(soffice) = all.iter_mut().find(|held| held.key == "pdf.soffice") {
        // Where none is named, it is the one that was found.
        (soffice.value, soffice.origin) = match &setup.pdf.soffice {
            Some(found) => (found.display().to_string(), "PATH".to_owned()),
            None => ("not there".to_owned(), "PATH".to_owned()),
        };
    }
    all
}
