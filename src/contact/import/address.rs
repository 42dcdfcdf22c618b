//! Owns the import of alternative addresses: contact, code, dates, and the fields of an address.

use std::collections::HashMap;
use std::path::Path;

use jiff::civil::Date;

use super::{ContactNo, Place, Problems, Table, Wrong, known_contact, read_records};
use crate::contact::address::AlternativeAddress;
use crate::contact::table::Cell;
use crate::contact::{did_you_mean, fold_name};

const FIELDS: &[&str] = AlternativeAddress::FIELDS;

/// Imports alternative addresses, in file order. Dates are ISO 8601, or date cells of a workbook.
///
/// # Errors
///
/// All [`Problems`]: a column that is missing or no field, a contact that is not known, a date that is none, a
/// range that ends before it starts, two ranges of a contact that start on one day.
pub fn import_addresses(
    path: &Path,
    is_known: &dyn Fn(&ContactNo) -> bool,
) -> Result<Vec<AlternativeAddress>, Problems> {
    let mut table = Table::open(path)?;
    let mut problems = Problems::default();
    let at_header = Place { file: table.file().to_owned(), row: None, column: None };
    let mut fields = Vec::new();
    for column in table.columns() {
        let field = FIELDS.iter().copied().find(|field| fold_name(field) == fold_name(&column.name));
        if field.is_none() && !column.name.is_empty() {
            let help = did_you_mean(&column.name, FIELDS.iter().copied());
            problems.add(at_header.clone(), Wrong::UnknownColumn { column: column.name.clone(), help });
        }
        fields.push(field);
    }
    let position = |name| fields.iter().position(|field| *field == Some(name));
    let Some(contact) = position("contact") else {
        problems.add(
            at_header,
            Wrong::unknown_column("contact", table.columns().iter().map(|column| column.name.as_str())),
        );
        return Err(problems);
    };
    problems.none_or_all()?;
    let mut addresses = Vec::new();
    let mut starts: HashMap<(ContactNo, Date), u64> = HashMap::new();
    read_records(&mut table, &mut problems, |table, record, problems| {
        let Some(contact_no) = known_contact(table, record, contact, is_known, problems) else { return };
        let mut address = AlternativeAddress { contact: contact_no, ..AlternativeAddress::default() };
        for (column, field) in fields.iter().enumerate() {
            if let Err(wrong) = field.map_or(Ok(()), |field| set(&mut address, field, &record.cell(column))) {
                problems.add(table.place(record.row(), Some(column)), wrong);
            }
        }
        if let (Some(start), Some(end)) = (address.starting_date, address.ending_date)
            && end < start
        {
            problems.add(
                table.place(record.row(), position("ending_date")),
                Wrong::EndsBeforeStart { start, end },
            );
        }
        if let Some(start) = address.starting_date
            && let Some(first) = starts.insert((address.contact.clone(), start), record.row())
        {
            let first = table.place(first, None).row;
            let wrong = Wrong::SameStart { contact: address.contact.clone(), start, first };
            problems.add(table.place(record.row(), position("starting_date")), wrong);
        }
        addresses.push(address);
    });
    problems.none_or_all()?;
    Ok(addresses)
}

/// Sets a field of an address from its text, as a command gives it.
///
/// # Errors
///
/// A name that is no field, a text that is no date.
pub fn set_address_field(address: &mut AlternativeAddress, name: &str, text: &str) -> Result<(), Wrong> {
    match FIELDS.iter().copied().find(|field| fold_name(field) == fold_name(name)) {
        Some(field) if !matches!(field, "contact" | "code") => set(address, field, &Cell::text(text)),
        Some(_) | None => {
            let help = did_you_mean(name, FIELDS.iter().copied());
            Err(Wrong::UnknownColumn { column: name.to_owned(), help })
        }
    }
}

/// Finds what is wrong with the ranges of the addresses of one contact: one that ends before it starts, two that
/// start on one day.
pub fn wrong_ranges(addresses: &[AlternativeAddress]) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    for (position, address) in addresses.iter().enumerate() {
        if let (Some(start), Some(end)) = (address.starting_date, address.ending_date)
            && end < start
        {
            wrong.push(Wrong::EndsBeforeStart { start, end });
        }
        if let Some(start) = address.starting_date
            && addresses.iter().take(position).any(|earlier| earlier.starting_date == Some(start))
        {
            wrong.push(Wrong::SameStart { contact: address.contact.clone(), start, first: None });
        }
    }
    wrong
}

fn set(address: &mut AlternativeAddress, field: &str, cell: &Cell) -> Result<(), Wrong> {
    let value = cell.as_text().trim().to_owned();
    let place = match field {
        "starting_date" => {
            address.starting_date = date(cell)?;
            return Ok(());
        }
        "ending_date" => {
            address.ending_date = date(cell)?;
            return Ok(());
        }
        "code" => &mut address.code,
        "company_name" => &mut address.company_name,
        "address" => &mut address.address.address,
        "address_2" => &mut address.address.address_2,
        "post_code" => &mut address.address.post_code,
        "city" => &mut address.address.city,
        "county" => &mut address.address.county,
        "country" => &mut address.address.country,
        "phone" => &mut address.phone,
        "mobile" => &mut address.mobile,
        "fax" => &mut address.fax,
        "email" => &mut address.email,
        _ => return Ok(()),
    };
    *place = value;
    Ok(())
}

fn date(cell: &Cell) -> Result<Option<Date>, Wrong> {
    match cell {
        Cell::Date(date) => Ok(Some(*date)),
        Cell::DateTime(moment) => Ok(Some(moment.date())),
        cell => {
            let text = cell.as_text();
            let text = text.trim();
            if text.is_empty() {
                return Ok(None);
            }
            text.parse().map(Some).map_err(|_| Wrong::NotADate { value: text.to_owned() })
        }
    }
}
