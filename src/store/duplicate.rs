//! Owns the search for duplicates on a worksheet: lines of one contact, one e-mail address, one postal address.

use super::{Database, reading};
use crate::run::records::RecordsError;
use crate::segment::{LineNo, SegmentNo};

/// What several lines have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Duplicate {
    /// `contact`, `email` or `address`.
    pub by: &'static str,
    /// The contact's number, the e-mail address, or the postal address.
    pub what: String,
    /// The lines, in their order.
    pub lines: Vec<LineNo>,
}

/// For each way to be a duplicate: what lines are compared by. Letter case does not count.
const WAYS: [(&str, &str); 3] = [
    ("contact", "l.contact"),
    ("email", "lower(trim(ifnull(json_extract(l.set_values, '$.email'), c.email)))"),
    (
        "address",
        "CASE WHEN c.address || c.address_2 = '' OR c.city || c.post_code = '' THEN ''
         ELSE lower(trim(c.address || ' ' || c.address_2) || ', ' || trim(c.post_code || ' ' || c.city)
         || CASE c.country WHEN '' THEN '' ELSE ', ' || c.country END) END",
    ),
];

impl Database {
    /// Hands the duplicates of a segment to `take`: those by contact, then by e-mail address, then by postal address.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn each_duplicate(
        &self,
        segment: &SegmentNo,
        take: &mut dyn FnMut(&Duplicate),
    ) -> Result<(), RecordsError> {
        for (by, what) in WAYS {
            let sql = format!(
                "SELECT what, group_concat(line_no) FROM
                 (SELECT {what} AS what, line_no FROM segment_line AS l JOIN contact AS c ON c.no = l.contact
                  WHERE l.segment = ?1 ORDER BY line_no)
                 WHERE what <> '' GROUP BY what HAVING count(*) > 1 ORDER BY min(line_no)"
            );
            let mut statement = self.connection.prepare(&sql).map_err(|error| reading(&error))?;
            let mut rows = statement.query([&segment.0]).map_err(|error| reading(&error))?;
            while let Some(row) = rows.next().map_err(|error| reading(&error))? {
                let (what, lines): (String, String) = row.try_into().map_err(|error| reading(&error))?;
                let mut lines: Vec<LineNo> =
                    lines.split(',').filter_map(|no| no.parse().ok().map(LineNo)).collect();
                lines.sort_unstable();
                take(&Duplicate { by, what, lines });
            }
        }
        Ok(())
    }
}
