//! Owns the lines of a segment file: `[[line]]` and the table of `[lines]`.

use std::path::Path;

use super::{LoadError, Loader, not_one_value, set_from, value_problem};
use crate::contact::ContactNo;
use crate::contact::table::{Record, Table};
use crate::run::named::read_attachment;
use crate::run::problem::Problem;
use crate::segment::file::{Settings, setting_text};
use crate::segment::{LineNo, LineValues, SegmentLine, SegmentNo, ValueProblem};

/// A line as a segment file has it.
struct Written {
    contact: ContactNo,
    /// Its number, where the file gives one: a contact can have several lines.
    line_no: Option<LineNo>,
    values: LineValues,
    place: String,
}

impl Loader<'_> {
    pub(super) fn lines(&mut self, segment: &SegmentNo) -> Result<(), LoadError> {
        for settings in &self.file.declarations.lines {
            self.line(segment, settings)?;
        }
        match &self.file.declarations.line_table {
            Some(table) => self.line_table(segment, &self.file.path(&table.file)),
            None => Ok(()),
        }
    }

    fn line(&mut self, segment: &SegmentNo, settings: &Settings) -> Result<(), LoadError> {
        let mut contact = None;
        let mut line_no = None;
        let mut values = LineValues::default();
        for (name, value) in settings {
            let problem = match name.as_str() {
                "line" => {
                    set_from(value, "line", |text| line_number(text).map(|number| line_no = Some(number)))
                }
                "contact" => set_from(value, "contact", |text| {
                    contact = Some((ContactNo::from(text), self.place(value)));
                    Ok(())
                }),
                "document" => match setting_text(value.get_ref()) {
                    Some(file) => {
                        values.document = self.document(&file, &self.place(value))?;
                        Ok(())
                    }
                    None => Err(not_one_value("document", value)),
                },
                name => set_from(value, name, |text| values.set(name, text)),
            };
            if let Err(problem) = problem {
                self.settings_problem(value, &problem);
            }
        }
        match contact {
            Some((contact, place)) => self.set_line(segment, Written { contact, line_no, values, place }),
            None => {
                let place = settings
                    .values()
                    .next()
                    .map_or_else(|| self.file.file.display().to_string(), |value| self.place(value));
                self.problems.push(Problem {
                    id: "line-without-contact",
                    message: "the line names no contact".to_owned(),
                    place,
                    help: Some("add `contact = \"…\"` with the number of a contact".to_owned()),
                });
                Ok(())
            }
        }
    }

    fn line_table(&mut self, segment: &SegmentNo, path: &Path) -> Result<(), LoadError> {
        let mut table = match Table::open(path) {
            Ok(table) => table,
            Err(error) => {
                self.problems.push(error.into());
                return Ok(());
            }
        };
        let Some(contact_column) = table.position("contact") else {
            self.problems.push(Problem {
                id: "unknown-column",
                message: "there is no column `contact`".to_owned(),
                place: table.file().to_owned(),
                help: Some("name the column that holds the contact number `contact`".to_owned()),
            });
            return Ok(());
        };
        let mut record = Record::default();
        while table.read_next(&mut record, &mut |error| self.problems.push(error.into())) {
            self.table_line(segment, &table, &record, contact_column)?;
        }
        Ok(())
    }

    fn table_line(
        &mut self,
        segment: &SegmentNo,
        table: &Table,
        record: &Record,
        contact_column: usize,
    ) -> Result<(), LoadError> {
        let mut line_no = None;
        let mut values = LineValues::default();
        for (position, column) in table.columns().iter().enumerate() {
            let text = record.text(position);
            if position == contact_column || text.is_empty() {
                continue;
            }
            let place = table.place(record.row(), Some(position)).to_string();
            if column.name == "line" {
                match line_number(&text) {
                    Ok(number) => line_no = Some(number),
                    Err(problem) => self.problems.push(value_problem(&problem, place)),
                }
            } else if column.name == "document" {
                values.document = self.document(&text, &place)?;
            } else if let Err(problem) = values.set(&column.name, &text) {
                self.problems.push(value_problem(&problem, place));
            }
        }
        let place = table.place(record.row(), None).to_string();
        let contact = ContactNo::from(record.text(contact_column).trim());
        self.set_line(segment, Written { contact, line_no, values, place })
    }

    /// Sets values on the line of a contact, and adds the line where the selection has none.
    fn set_line(&mut self, segment: &SegmentNo, written: Written) -> Result<(), LoadError> {
        let Written { contact, line_no, values, place } = written;
        if let Some(first) = self.written.get(&(contact.clone(), line_no)) {
            self.problems.push(Problem {
                id: "two-lines",
                message: format!("contact {contact} has two lines"),
                place: format!("{place}, and {first}"),
                help: Some("put all that is set for the contact on one line".to_owned()),
            });
            return Ok(());
        }
        if !self.records.has_contact(&contact)? {
            self.problems.push(Problem {
                id: "unknown-contact",
                message: format!("there is no contact `{contact}`"),
                place,
                help: Some("correct the number, or add the contact to the table of contacts".to_owned()),
            });
            return Ok(());
        }
        let number = match line_no {
            Some(number) => {
                let there = self.records.lines(segment, LineNo(number.0 - 1), 1)?;
                let taken =
                    there.iter().find(|there| there.line.line_no == number && there.contact.no != contact);
                if let Some(taken) = taken {
                    self.problems.push(Problem {
                        id: "line-taken",
                        message: format!("line {number} is that of contact {}", taken.contact.no),
                        place,
                        help: Some("give the line another number, or none".to_owned()),
                    });
                    return Ok(());
                }
                number
            }
            None => match self.records.line_of(segment, &contact)? {
                Some(line) => line.line_no,
                None => self.records.add_line(segment, &contact)?,
            },
        };
        let line = SegmentLine { line_no: number, contact: contact.clone(), values };
        self.records.put_line(segment, &line)?;
        self.written.insert((contact.clone(), line_no), place.clone());
        self.places.entry(contact).or_insert(place);
        Ok(())
    }

    pub(super) fn document(
        &mut self,
        file: &str,
        place: &str,
    ) -> Result<Option<crate::segment::Digest>, LoadError> {
        match read_attachment(&self.file.path(file), place) {
            Ok(attachment) => {
                self.records.put_attachment(&attachment)?;
                Ok(Some(attachment.digest))
            }
            Err(problem) => {
                self.problems.push(problem);
                Ok(None)
            }
        }
    }
}

fn line_number(text: &str) -> Result<LineNo, ValueProblem> {
    let unfit = || ValueProblem::Unfit {
        name: "line number".to_owned(),
        text: text.to_owned(),
        expected: "a number from 1",
    };
    text.trim().parse().ok().filter(|number| *number > 0).map(LineNo).ok_or_else(unfit)
}
