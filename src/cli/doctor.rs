//! Owns the doctor command: is everything there that a run needs? It changes nothing and sends nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rustix::fs::{Access, access, statvfs};
use serde::Serialize;

use super::office::{Surroundings, setup_path};
use super::options::Common;
use super::post::password;
use super::problem::Failure;
use super::terminal::{Terminal, visible};
use super::{DONE, PROBLEMS};
use crate::delivery::mailbox::Mailbox;
use crate::delivery::smtp::connection::Connection;
use crate::run::schedule::report_problem;
use crate::run::{setup_problems, signer, way};
use crate::setup::Smtp;
use crate::store::Database;

/// Less free space than this stops a run soon.
const LEAST_BYTES: u64 = 200_000_000;

/// How far the database may lie in the future before the clock counts as wrong.
const CLOCK_DOUBT: Duration = Duration::from_secs(3600);

/// What was found of one thing.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    result: Verdict,
    message: String,
    help: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Verdict {
    Ok,
    Warning,
    Problem,
}

impl Finding {
    fn ok(check: &'static str, message: String) -> Finding {
        Finding { check, result: Verdict::Ok, message, help: None }
    }

    fn warning(check: &'static str, message: String, help: &str) -> Finding {
        Finding { check, result: Verdict::Warning, message, help: Some(help.to_owned()) }
    }

    fn problem(check: &'static str, message: String, help: Option<String>) -> Finding {
        Finding { check, result: Verdict::Problem, message, help }
    }
}

pub(super) fn doctor(common: &Common, terminal: &mut Terminal) -> Result<u8, Failure> {
    let surroundings = Surroundings::of(common, None)?;
    let mut findings = vec![match setup_path(common, None) {
        Some(path) => Finding::ok("set-up", format!("`{}` is read", path.display())),
        None => {
            let help = "`mailrun init` makes one to begin with";
            Finding::warning("set-up", "there is no mailrun.toml here: the defaults hold".to_owned(), help)
        }
    }];
    findings.extend(sender(surroundings.setup.smtp.as_ref()));
    findings.extend(
        report_problem(&surroundings.setup)
            .map(|problem| Finding::problem("report", problem.message, problem.help)),
    );
    findings.extend(folder("output", &surroundings.out));
    findings.extend(database(&common.db));
    findings.push(clock(&common.db, surroundings.now.timestamp()));
    findings.push(libreoffice());
    findings.extend(surroundings.setup.smtp.as_ref().filter(|smtp| !smtp.url.is_empty()).map(server));
    let mut data = terminal.data();
    for finding in &findings {
        if terminal.json {
            terminal.object(&mut data, finding);
            continue;
        }
        let word = match finding.result {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Problem => "problem",
        };
        data.line(&format!("{word:<8} {:<9} {}", finding.check, visible(&finding.message)));
        if let Some(help) = &finding.help {
            data.line(&format!("{:<18} help: {}", "", visible(help)));
        }
    }
    let is_well = findings.iter().all(|finding| finding.result != Verdict::Problem);
    Ok(if is_well { DONE } else { PROBLEMS })
}

fn sender(smtp: Option<&Smtp>) -> Vec<Finding> {
    let Some(smtp) = smtp.filter(|smtp| !smtp.from.is_empty()) else {
        let help = "set `from = \"Name <address>\"` under `[smtp]` to write by e-mail";
        return vec![Finding::warning("sender", "no sender is set: letters on paper only".to_owned(), help)];
    };
    let mut findings: Vec<Finding> = setup_problems(smtp)
        .into_iter()
        .map(|problem| {
            Finding::problem("sender", format!("{} ({})", problem.message, problem.place), problem.help)
        })
        .collect();
    match signer(Some(smtp), &password) {
        Ok(None) => {}
        Ok(Some(_)) => findings.push(Finding::ok("DKIM", "the key can sign".to_owned())),
        Err(error) => {
            let help = Some("correct `smtp.dkim`, or leave it out".to_owned());
            findings.push(Finding::problem("DKIM", error.to_string(), help));
        }
    }
    if smtp.from.contains("{{") {
        findings.push(Finding::ok("sender", format!("`{}`, by line", smtp.from)));
    } else {
        findings.push(match smtp.from.parse::<Mailbox>() {
            Ok(mailbox) => Finding::ok("sender", mailbox.address().to_string()),
            Err(error) => {
                Finding::problem("sender", error.to_string(), Some("correct `smtp.from`".to_owned()))
            }
        });
    }
    findings
}

/// Looks at a folder, or at the nearest one above it that there is.
fn folder(check: &'static str, path: &Path) -> Vec<Finding> {
    let there = path.ancestors().find(|above| above.exists()).unwrap_or(Path::new("."));
    let shown = there.display();
    if access(there, Access::WRITE_OK | Access::EXEC_OK).is_err() || !there.is_dir() {
        let help = Some("change its rights, or name another folder with `--out`".to_owned());
        return vec![Finding::problem(check, format!("`{shown}` cannot be written"), help)];
    }
    let Ok(disk) = statvfs(there) else { return Vec::new() };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let megabytes = free / 1_000_000;
    if free < LEAST_BYTES {
        let help = Some("make room, or name a folder on another disk with `--out`".to_owned());
        return vec![Finding::problem(check, format!("only {megabytes} MB are free at `{shown}`"), help)];
    }
    vec![Finding::ok(check, format!("`{shown}` can be written, {megabytes} MB are free"))]
}

fn database(file: &Path) -> Vec<Finding> {
    if !file.exists() {
        let above = match file.parent() {
            Some(above) if !above.as_os_str().is_empty() => above.to_owned(),
            Some(_) | None => PathBuf::from("."),
        };
        let mut findings = folder("database", &above);
        findings.push(Finding::ok(
            "database",
            format!("there is no `{}` yet: it is made when needed", file.display()),
        ));
        return findings;
    }
    let help = || Some("bring back a copy of the file, or name another with `--db`".to_owned());
    let damage = Database::open_existing(file).and_then(|database| database.damage());
    vec![match damage {
        Ok(damage) if damage.is_empty() => Finding::ok("database", format!("`{}` is sound", file.display())),
        Ok(damage) => Finding::problem("database", format!("it is damaged: {}", damage.join("; ")), help()),
        Err(error) => Finding::problem("database", error.to_string(), error.help().or_else(help)),
    }]
}

/// A clock that runs behind what was already written is wrong, or was put back.
fn clock(database: &Path, now: Timestamp) -> Finding {
    let written = database.metadata().and_then(|metadata| metadata.modified()).ok();
    let written = written.and_then(|moment| Timestamp::try_from(moment).ok());
    match written {
        Some(written) if now.saturating_add(CLOCK_DOUBT).is_ok_and(|now| now < written) => Finding::warning(
            "clock",
            format!("it says {now:.0}, but the database was written at {written:.0}"),
            "set the clock of this machine: messages carry its date, and retries go by it",
        ),
        _ => Finding::ok("clock", format!("{now:.0}")),
    }
}

#[expect(clippy::disallowed_methods, reason = "the command line is where the environment is read")]
fn libreoffice() -> Finding {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("soffice")).find(|path| path.is_file());
    match found {
        Some(path) => Finding::ok("PDF", format!("LibreOffice is `{}`", path.display())),
        None => Finding::warning(
            "PDF",
            "LibreOffice (`soffice`) is not found".to_owned(),
            "install it to look at letters as PDF; all else works without",
        ),
    }
}

/// Opens a connection, with TLS and login, and closes it: no message is begun.
fn server(smtp: &Smtp) -> Finding {
    let way = match way(smtp, &smtp.from, &password) {
        Ok(way) => way,
        Err(error) => return Finding::problem("server", error.to_string(), None),
    };
    match Connection::open(&way) {
        Ok(connection) => {
            connection.close();
            let login = if way.login.is_some() { ", and lets us in" } else { "" };
            Finding::ok("server", format!("{} answers{login}", way.server))
        }
        Err(error) => {
            let help =
                "check `smtp.url` and the password; `check` and files in the outbox work without".to_owned();
            Finding::problem("server", format!("{}: {error}", way.server), Some(help))
        }
    }
}
