//! Owns the job ticket: what is to be printed and on what, with the letters to look at first; for programs and for people.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::marks::described;
use super::{PrintError, Printed};
use crate::delivery::folder::Folder;
use crate::setup::{Print, PrintOrder, Sides};

/// The ticket's files.
pub const FILES: [&str; 2] = ["ticket.json", "ticket.txt"];

/// What a ticket says.
#[derive(Clone, Debug, Serialize)]
pub struct Ticket {
    /// The segment and its run.
    pub job: String,
    /// What the job is.
    pub description: String,
    /// When the run began.
    pub date: String,
    /// The print file.
    pub file: &'static str,
    /// How many letters there are.
    pub letters: usize,
    /// How many pages they have, without blank ones.
    pub pages: usize,
    /// How many pages the print file has.
    pub pages_in_file: usize,
    /// How many sheets of paper they take.
    pub sheets: usize,
    /// One side or both.
    pub sides: Sides,
    /// In which order they come.
    pub order: PrintOrder,
    /// How many letters there are of each number of sheets, and where the first and the last of them are.
    pub by_sheets: Vec<BySheets>,
    /// The paper.
    pub stock: String,
    /// The envelope.
    pub envelope: String,
    /// What is inserted.
    pub inserts: Vec<String>,
    /// What stands on the pages for machines, and where.
    pub marks: Vec<String>,
    /// How many pages are too small for their marks, some of which are off the paper.
    pub pages_too_small: usize,
    /// The letters to look at before all are printed.
    pub proof: Vec<Proof>,
}

/// Letters of one number of sheets.
#[derive(Clone, Debug, Serialize)]
pub struct BySheets {
    /// How many sheets each has.
    pub sheets: usize,
    /// How many letters.
    pub letters: usize,
    /// The first page of the first one.
    pub first_page: usize,
    /// The last page of the last one.
    pub last_page: usize,
}

/// A letter to look at.
#[derive(Clone, Debug, Serialize)]
pub struct Proof {
    /// Why this one.
    pub because: &'static str,
    /// The line.
    pub line_no: u64,
    /// The contact's number.
    pub contact: String,
    /// The contact's name.
    pub name: String,
    /// Where it begins.
    pub first_page: usize,
    /// How many pages it has.
    pub pages: usize,
}

/// What a job is called.
#[derive(Clone, Debug, Default)]
pub struct Job {
    /// The segment and its run.
    pub name: String,
    /// What codes on its pages call it.
    pub code: String,
    /// What it is.
    pub description: String,
    /// When the run began.
    pub date: String,
}

impl Ticket {
    /// Makes the ticket of a job whose letters are given in the order in which they are printed.
    pub fn of(job: Job, printed: &[Printed], form: &Print) -> Ticket {
        let sum = |count: fn(&Printed) -> usize| printed.iter().map(count).sum();
        let last_page = |it: &Printed| match form.sides {
            Sides::Simplex => it.first_page + it.n_pages - 1,
            Sides::Duplex => it.first_page + 2 * it.n_sheets - 1,
        };
        let mut by_sheets: BTreeMap<usize, BySheets> = BTreeMap::new();
        for it in printed {
            let group = by_sheets.entry(it.n_sheets).or_insert_with(|| BySheets {
                sheets: it.n_sheets,
                letters: 0,
                first_page: it.first_page,
                last_page: 0,
            });
            group.letters += 1;
            group.last_page = last_page(it);
        }
        Ticket {
            job: job.name,
            description: job.description,
            date: job.date,
            file: super::COMBINED,
            letters: printed.len(),
            pages: sum(|it| it.n_pages),
            pages_in_file: printed.last().map_or(0, last_page),
            sheets: sum(|it| it.n_sheets),
            sides: form.sides,
            order: form.order,
            by_sheets: by_sheets.into_values().collect(),
            stock: form.stock.clone(),
            envelope: form.envelope.clone(),
            inserts: form.inserts.clone(),
            marks: described(&form.marks),
            pages_too_small: sum(|it| it.n_too_small),
            proof: proof(printed),
        }
    }

    /// Writes the ticket's files.
    ///
    /// # Errors
    ///
    /// A folder that cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), PrintError> {
        let into = Folder::open(folder)?;
        let json = serde_json::to_string_pretty(self)
            .map_err(|error| PrintError::Write { path: folder.join(FILES[0]), source: error.into() })?;
        into.write(FILES[0], (json + "\n").as_bytes())?;
        into.write(FILES[1], self.text().as_bytes())?;
        Ok(into.publish(&FILES)?)
    }

    /// The ticket for people.
    fn text(&self) -> String {
        let order = match self.order {
            PrintOrder::Lines => "as the lines of the segment",
            PrintOrder::Presorted => "by country and postcode",
            PrintOrder::Sheets => "by number of sheets",
        };
        let sides = match self.sides {
            Sides::Simplex => "simplex",
            Sides::Duplex => "duplex; each letter begins on a new sheet",
        };
        let or_dash = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
        let mut text = String::new();
        let rows = [
            ("Job", self.job.clone()),
            ("Description", or_dash(&self.description)),
            ("Date", self.date.clone()),
            ("File", self.file.to_owned()),
            ("Letters", self.letters.to_string()),
            ("Pages", format!("{} ({} in the file)", self.pages, self.pages_in_file)),
            ("Sheets", self.sheets.to_string()),
            ("Sides", sides.to_owned()),
            ("Order", order.to_owned()),
            ("Stock", or_dash(&self.stock)),
            ("Envelope", or_dash(&self.envelope)),
            ("Inserts", or_dash(&self.inserts.join(", "))),
        ];
        for (name, value) in rows {
            text.push_str(&format!("{name:<13}{value}\n"));
        }
        for mark in &self.marks {
            text.push_str(&format!("{:<13}{mark}\n", "Marks"));
        }
        if self.pages_too_small > 0 {
            text.push_str(&format!("{:<13}off the paper on {} pages\n", "Marks", self.pages_too_small));
        }
        for group in &self.by_sheets {
            let BySheets { sheets, letters, first_page, last_page } = group;
            text.push_str(&format!(
                "{:<13}{letters} of {sheets}, within pages {first_page} to {last_page}\n",
                "By sheets"
            ));
        }
        text.push_str("\nLook at these first:\n");
        for it in &self.proof {
            text.push_str(&format!(
                "  page {:<7} {} {} ({}; pages: {})\n",
                it.first_page, it.contact, it.name, it.because, it.pages
            ));
        }
        text
    }
}

fn proof(printed: &[Printed]) -> Vec<Proof> {
    // Of several that are equal, the first one.
    let most = |measure: fn(&Printed) -> usize| printed.iter().rev().max_by_key(|it| measure(it));
    let chosen = [
        ("first", printed.first()),
        ("last", printed.last()),
        ("longest name", most(|it| it.sheaf.name.chars().count())),
        ("longest address", most(|it| it.sheaf.address.chars().count())),
        ("most pages", most(|it| it.n_pages)),
    ];
    let proof = |(because, it): (&'static str, Option<&Printed>)| {
        it.map(|it| Proof {
            because,
            line_no: it.sheaf.line_no,
            contact: it.sheaf.contact.clone(),
            name: it.sheaf.name.clone(),
            first_page: it.first_page,
            pages: it.n_pages,
        })
    };
    chosen.into_iter().filter_map(proof).collect()
}
