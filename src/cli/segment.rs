//! Owns the commands for segments: list, show.

use clap::Subcommand;
use serde_json::json;

use super::options::Common;
use super::problem::Failure;
use super::terminal::{Terminal, table};
use super::{DONE, PROBLEMS};
use crate::run::Records;
use crate::segment::{LineNo, SegmentNo};
use crate::store::Database;

#[derive(Debug, Subcommand)]
pub(super) enum SegmentCommand {
    /// List open segments
    #[command(after_help = "Example: mailrun segment list")]
    List,
    /// Show a segment's header and lines; what was set on a line is marked
    #[command(after_help = "Example: mailrun segment show SM00002")]
    Show {
        /// The number
        segment: String,
    },
}

/// How many lines are read at a time.
const LINES_PER_BATCH: usize = 1_000;

pub(super) fn segment(
    common: &Common,
    command: &SegmentCommand,
    terminal: &mut Terminal,
) -> Result<u8, Failure> {
    let mut database = Database::open_existing(&common.db)?;
    let mut data = terminal.data();
    match command {
        SegmentCommand::List => {
            let mut rows = vec![["segment", "lines", "description"].map(str::to_owned).to_vec()];
            for (header, n_lines) in database.open_segments()? {
                let description = header.values.description.unwrap_or_default();
                if terminal.json {
                    let object =
                        json!({ "segment": header.no, "lines": n_lines, "description": description });
                    terminal.object(&mut data, &object);
                } else {
                    rows.push(vec![header.no.0, n_lines.to_string(), description]);
                }
            }
            if !terminal.json {
                table(&rows).iter().for_each(|line| data.line(line));
            }
            Ok(DONE)
        }
        SegmentCommand::Show { segment } => {
            let segment = SegmentNo(segment.clone());
            let Some(header) = database.header(&segment)? else {
                let message = format!("there is no open segment `{segment}`");
                let help = Some("`mailrun logged list` shows the logged ones".to_owned());
                return Err(Failure::Stopped { code: PROBLEMS, message, help });
            };
            if terminal.json {
                terminal.object(&mut data, &header);
            } else {
                data.line(&serde_json::to_string_pretty(&header).expect("a header has text keys"));
            }
            let mut after = LineNo(0);
            loop {
                let records = database.lines(&segment, after, LINES_PER_BATCH)?;
                let Some(last) = records.last() else { return Ok(DONE) };
                after = last.line.line_no;
                for record in &records {
                    let line = &record.line;
                    let set = json!(line.values);
                    if terminal.json {
                        let object = json!({ "line": line.line_no, "contact": line.contact, "set": set });
                        terminal.object(&mut data, &object);
                    } else {
                        let marks =
                            if line.values.is_empty() { String::new() } else { format!("  set: {set}") };
                        let name = record.contact.full_name();
                        data.line(&format!("{:>10}  {}  {name}{marks}", line.line_no.0, line.contact));
                    }
                }
            }
        }
    }
}
