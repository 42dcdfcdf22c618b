//! Owns who uses what: the masters of commands, and the questions that must be asked before one is deleted.

use rusqlite::params;

use super::{Database, reading, writing};
use crate::contact::ContactNo;
use crate::contact::address::AlternativeAddress;
use crate::run::masters::{Erased, Masters, Member, Usage};
use crate::run::records::RecordsError;
use crate::segment::SegmentNo;
use crate::setup::master::{Master, MasterKind};

/// A question under the code `?1`: who they are, one and several; what names one of them; where they are found.
type Question<'a> = ([&'static str; 2], &'a str, &'a str);

const NO_OF_LINE: &str = "segment || ' line ' || line_no";
const SALESPERSON: &[Question<'_>] = &[
    (["contact", "contacts"], "no", "contact WHERE salesperson = ?1"),
    (["open segment", "open segments"], "no", "segment WHERE json_extract(header, '$.salesperson') = ?1"),
    (
        ["line of an open segment", "lines of open segments"],
        NO_OF_LINE,
        "segment_line WHERE json_extract(set_values, '$.salesperson') = ?1",
    ),
    (
        ["interaction log entry", "interaction log entries"],
        "entry",
        "interaction_log_entry WHERE salesperson = ?1",
    ),
];
const CAMPAIGN: &[Question<'_>] = &[
    (["open segment", "open segments"], "no", "segment WHERE json_extract(header, '$.campaign') = ?1"),
    (
        ["line of an open segment", "lines of open segments"],
        NO_OF_LINE,
        "segment_line WHERE json_extract(set_values, '$.campaign') = ?1",
    ),
    (
        ["interaction template", "interaction templates"],
        "code",
        "interaction_template WHERE json_extract(declaration, '$.campaign') = ?1",
    ),
    (
        ["interaction log entry", "interaction log entries"],
        "entry",
        "interaction_log_entry WHERE campaign = ?1",
    ),
];
const SALUTATION: &[Question<'_>] = &[(
    ["contact, and it is the last formula of its code", "contacts, and it is the last formula of its code"],
    "no",
    "contact WHERE salutation_code = ?1
     AND (SELECT count(*) FROM master WHERE kind = 'salutation' AND json_extract(declaration, '$.code') = ?1) = 1",
)];
const INTERACTION_GROUP: &[Question<'_>] = &[
    (
        ["interaction template", "interaction templates"],
        "code",
        "interaction_template WHERE json_extract(declaration, '$.group') = ?1",
    ),
    (
        ["interaction log entry", "interaction log entries"],
        "entry",
        "interaction_log_entry WHERE interaction_group = ?1",
    ),
];
const TEMPLATE: &[Question<'_>] = &[
    (
        ["open segment", "open segments"],
        "no",
        "segment WHERE json_extract(header, '$.interaction_template') = ?1",
    ),
    (
        ["line of an open segment", "lines of open segments"],
        NO_OF_LINE,
        "segment_line WHERE json_extract(set_values, '$.interaction_template') = ?1",
    ),
    (
        ["interaction log entry", "interaction log entries"],
        "entry",
        "interaction_log_entry WHERE template = ?1",
    ),
];
const CONTACT: &[Question<'_>] = &[
    (["line of an open segment", "lines of open segments"], NO_OF_LINE, "segment_line WHERE contact = ?1"),
    (
        ["line that `segment undo` can bring back", "lines that `segment undo` can bring back"],
        NO_OF_LINE,
        "removed_line WHERE contact = ?1",
    ),
    (["person", "persons"], "no", "contact WHERE company_no = ?1"),
    (
        ["interaction log entry", "interaction log entries"],
        "entry",
        "interaction_log_entry WHERE contact = ?1",
    ),
];

impl Database {
    fn ask(&self, questions: &[Question<'_>], code: &str) -> Result<Vec<Usage>, RecordsError> {
        let mut found = Vec::new();
        for ([one, several], named, found_in) in questions {
            let sql = format!("SELECT count(*), ifnull(min({named}), '') || '' FROM {found_in}");
            let (count, example): (u64, String) = self
                .connection
                .query_row(&sql, [code], |row| Ok((row.get(0)?, row.get(1)?)))
                .map_err(|error| reading(&error))?;
            if count > 0 {
                found.push(Usage { who: if count == 1 { one } else { several }, count, example });
            }
        }
        Ok(found)
    }

    /// Hands the contacts that have codes of a kind, or one code, to `take`, in the order of the codes.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn each_member(
        &self,
        kind: MasterKind,
        code: Option<&str>,
        take: &mut dyn FnMut(&Member),
    ) -> Result<(), RecordsError> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT code, contact FROM contact_code WHERE kind = ?1 AND (?2 IS NULL OR code = ?2)
                 ORDER BY code, contact",
            )
            .map_err(|error| reading(&error))?;
        let members = statement
            .query_map(params![kind.as_str(), code], |row| {
                Ok(Member { code: row.get(0)?, contact: ContactNo::from(row.get::<_, String>(1)?) })
            })
            .map_err(|error| reading(&error))?;
        for member in members {
            take(&member.map_err(|error| reading(&error))?);
        }
        Ok(())
    }

    /// Returns the codes of a contact, each with its kind.
    ///
    /// # Errors
    ///
    /// A database that cannot be read.
    pub fn codes_of(&self, contact: &ContactNo) -> Result<Vec<(String, String)>, RecordsError> {
        let mut statement = self
            .connection
            .prepare("SELECT kind, code FROM contact_code WHERE contact = ?1 ORDER BY kind, code")
            .map_err(|error| reading(&error))?;
        let codes = statement
            .query_map([contact.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(|error| reading(&error))?;
        codes.collect::<Result<_, _>>().map_err(|error| reading(&error))
    }
}

impl Masters for Database {
    fn master(&mut self, kind: MasterKind, key: &str) -> Result<Option<Master>, RecordsError> {
        self.master_row(kind, key)
    }

    fn delete_master(&mut self, master: &Master) -> Result<(), RecordsError> {
        self.connection
            .execute(
                "DELETE FROM master WHERE kind = ?1 AND code = ?2",
                [master.kind().as_str(), &master.key()],
            )
            .map(|_| ())
            .map_err(|error| writing(&error))
    }

    fn uses_of_master(&mut self, master: &Master) -> Result<Vec<Usage>, RecordsError> {
        let questions = match master.kind() {
            MasterKind::Salesperson => SALESPERSON,
            MasterKind::Campaign => CAMPAIGN,
            MasterKind::Salutation => SALUTATION,
            MasterKind::InteractionGroup => INTERACTION_GROUP,
            kind @ (MasterKind::MailingGroup
            | MasterKind::IndustryGroup
            | MasterKind::BusinessRelation
            | MasterKind::JobResponsibility
            | MasterKind::ProfileAnswer) => {
                let members = format!("contact_code WHERE kind = '{kind}' AND code = ?1");
                return self.ask(&[(["contact", "contacts"], "contact", &members)], master.code());
            }
        };
        self.ask(questions, master.code())
    }

    fn put_member(&mut self, kind: MasterKind, member: &Member) -> Result<bool, RecordsError> {
        let mut statement = self
            .connection
            .prepare_cached("INSERT INTO contact_code VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")
            .map_err(|error| writing(&error))?;
        let n_rows = statement
            .execute([kind.as_str(), &member.code, member.contact.as_str()])
            .map_err(|error| writing(&error))?;
        Ok(n_rows > 0)
    }

    fn delete_member(&mut self, kind: MasterKind, member: &Member) -> Result<bool, RecordsError> {
        let n_rows = self
            .connection
            .execute(
                "DELETE FROM contact_code WHERE kind = ?1 AND code = ?2 AND contact = ?3",
                [kind.as_str(), &member.code, member.contact.as_str()],
            )
            .map_err(|error| writing(&error))?;
        Ok(n_rows > 0)
    }

    fn clear_members(&mut self, kind: MasterKind, code: &str) -> Result<u64, RecordsError> {
        self.connection
            .execute("DELETE FROM contact_code WHERE kind = ?1 AND code = ?2", [kind.as_str(), code])
            .map(|n_rows| n_rows as u64)
            .map_err(|error| writing(&error))
    }

    fn uses_of_template(&mut self, code: &str) -> Result<Vec<Usage>, RecordsError> {
        self.ask(TEMPLATE, code)
    }

    fn delete_template(&mut self, code: &str) -> Result<(), RecordsError> {
        self.connection
            .execute("DELETE FROM interaction_template WHERE code = ?1", [code])
            .map(|_| ())
            .map_err(|error| writing(&error))
    }

    fn uses_of_contact(&mut self, no: &ContactNo) -> Result<Vec<Usage>, RecordsError> {
        self.ask(CONTACT, no.as_str())
    }

    fn delete_contact(&mut self, no: &ContactNo) -> Result<(), RecordsError> {
        for table in ["contact_code", "contact_row", "alternative_address"] {
            self.connection
                .execute(&format!("DELETE FROM {table} WHERE contact = ?1"), [no.as_str()])
                .map_err(|error| writing(&error))?;
        }
        self.connection
            .execute("DELETE FROM contact WHERE no = ?1", [no.as_str()])
            .map(|_| ())
            .map_err(|error| writing(&error))
    }

    fn unfinished_segment(&mut self, no: &ContactNo) -> Result<Option<SegmentNo>, RecordsError> {
        self.unfinished_segment_of(no)
    }

    fn erase(&mut self, no: &ContactNo) -> Result<Erased, RecordsError> {
        self.erase_contact(no)
    }

    fn addresses(&mut self, no: &ContactNo) -> Result<Vec<AlternativeAddress>, RecordsError> {
        self.addresses_of(no.as_str())
    }

    fn put_addresses(
        &mut self,
        no: &ContactNo,
        addresses: &[AlternativeAddress],
    ) -> Result<(), RecordsError> {
        self.clear_alternative_addresses(no)?;
        addresses.iter().try_for_each(|address| self.put_alternative_address(address))
    }
}
