//! Owns the views that conditions may read: which there are, and the SQL that makes them. `docs/criteria.md` describes
//! them.

use super::Database;
use crate::contact::address::AlternativeAddress;
use crate::contact::all_fields;
use crate::contact::import::ContactColumn;
use crate::run::records::RecordsError;

/// The tables behind the views.
pub(super) const TABLES: [&str; 7] = [
    "contact",
    "contact_code",
    "contact_row",
    "alternative_address",
    "interaction_log_entry",
    "logged_segment",
    "segment_line",
];

/// The views beside `contact`, each with the query that makes it; further columns and child tables come from imports.
const VIEWS: [(&str, &str); 7] = [
    ("mailing_group", "SELECT contact, code FROM main.contact_code WHERE kind = 'mailing-group'"),
    ("job_responsibility", "SELECT contact, code FROM main.contact_code WHERE kind = 'job-responsibility'"),
    ("profile_answer", "SELECT contact, code FROM main.contact_code WHERE kind = 'profile-answer'"),
    ("industry_group", OF_COMPANIES),
    ("business_relation", OF_COMPANIES),
    // The segment is asked of `logged_segment`, by whose key its run is found, and its entries by their index.
    (
        "interaction_log",
        "SELECT e.entry, e.run, l.segment, e.line_no, e.contact, e.contact_name, e.company_no, e.state, e.reason,
                e.correspondence_type, e.template, e.interaction_group, e.description, e.date, e.language, e.subject,
                e.salesperson, e.campaign, e.unit_cost, e.unit_duration, e.information_flow, e.initiated_by,
                e.campaign_target, e.campaign_response, e.evaluation, e.email,
                e.is_cancelled OR l.is_cancelled AS is_cancelled
         FROM main.interaction_log_entry AS e JOIN main.logged_segment AS l ON l.run = e.run",
    ),
    ("segment_line", "SELECT segment, line_no, contact FROM main.segment_line"),
];

/// The codes of a company are those of its persons, too; `{kind}` is the code table.
const OF_COMPANIES: &str = "SELECT contact, code FROM main.contact_code WHERE kind = '{kind}'
     UNION ALL SELECT person.no, code FROM main.contact AS person JOIN main.contact_code AS of_company
     ON of_company.contact = person.company_no WHERE of_company.kind = '{kind}' AND person.company_no <> ''";

/// Tells whether a name is that of a view, so that nothing else is called so.
pub(super) fn is_view(name: &str) -> bool {
    ["contact", "alternative_address"].contains(&name) || VIEWS.iter().any(|(view, _)| *view == name)
}

impl Database {
    /// Returns the `WITH` clause that makes the views.
    pub(super) fn views(&mut self) -> Result<String, RecordsError> {
        let mut views =
            vec![view("contact", &format!("SELECT *{} FROM main.contact", self.further_columns()?))];
        for (name, query) in VIEWS {
            views.push(view(name, &query.replace("{kind}", &name.replace('_', "-"))));
        }
        let fields: Vec<String> = AlternativeAddress::FIELDS
            .iter()
            .filter(|name| **name != "contact")
            .map(|name| format!("ifnull(json_extract(address, '$.{name}'), '') AS {name}"))
            .collect();
        let addresses = format!("SELECT contact, {} FROM main.alternative_address", fields.join(", "));
        views.push(view("alternative_address", &addresses));
        for table in self.child_tables()? {
            let named = quoted(&table.name, '"');
            if is_view(&table.name.to_lowercase()) {
                continue;
            }
            let cells: Vec<String> = table
                .columns
                .iter()
                .enumerate()
                .filter(|(_, column)| !column.is_empty() && !column.eq_ignore_ascii_case("contact"))
                .map(|(position, column)| format!(", {} AS \"{}\"", cell(position), quoted(column, '"')))
                .collect();
            let rows = format!(
                "SELECT contact{} FROM main.contact_row WHERE name = '{}'",
                cells.concat(),
                quoted(&table.name, '\'')
            );
            views.push(view(&format!("\"{named}\""), &rows));
        }
        Ok(format!("WITH {}", views.join(",\n")))
    }

    /// Returns what `contact` has beside its fields: the further columns of the imports.
    fn further_columns(&mut self) -> Result<String, RecordsError> {
        let column = |ContactColumn { header, field }: &ContactColumn| {
            let name = quoted(header, '"');
            if !field.is_empty() {
                // A field has its own name already; only another header gives it a second one.
                let is_second = all_fields().all(|known| !known.eq_ignore_ascii_case(header));
                return if is_second { format!(", \"{field}\" AS \"{name}\"") } else { String::new() };
            }
            let path = format!("$.\"{}\"", header.replace('\\', "\\\\").replace('"', "\\\""));
            format!(", ifnull(json_extract(columns, '{}'), '') AS \"{name}\"", quoted(&path, '\''))
        };
        Ok(self.contact_columns()?.iter().map(column).collect())
    }
}

/// One view of the clause. It is never computed as a whole, so that the indices of its tables serve it.
fn view(name: &str, query: &str) -> String {
    format!("{name} AS NOT MATERIALIZED ({query})")
}

/// Returns what a cell of a child row reads as: a number as a number, everything else as text.
fn cell(position: usize) -> String {
    let path = format!("cells, '$[{position}]");
    format!(
        "CASE json_type({path}') WHEN 'text' THEN json_extract({path}') WHEN 'true' THEN 1 WHEN 'false' THEN 0
         WHEN 'object' THEN coalesce(cast(json_extract({path}.number') AS REAL), json_extract({path}.date'),
         json_extract({path}.\"date-time\"')) ELSE '' END"
    )
}

fn quoted(text: &str, mark: char) -> String {
    text.replace(mark, &format!("{mark}{mark}"))
}
