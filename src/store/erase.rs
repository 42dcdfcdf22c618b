//! Owns erasure: a person's data leaves every table and the file itself; what the accounting needs stays, under a random
//! name.

use rusqlite::OptionalExtension;

use super::journal::enclosures_of;
use super::{Database, reading, writing};
use crate::contact::ContactNo;
use crate::delivery::name::safe_name;
use crate::run::masters::Erased;
use crate::run::records::RecordsError;
use crate::run::seed::file_name;
use crate::segment::{Digest, SegmentNo};

/// Documents that were the contact's alone can only be its lines' own.
const OWN_DOCUMENTS: &str =
    "SELECT json_extract(set_values, '$.document') FROM segment_line WHERE contact = ?1
     UNION SELECT json_extract(set_values, '$.document') FROM removed_line WHERE contact = ?1
     UNION SELECT attachment FROM interaction_log_entry AS e JOIN rule_set AS r ON r.id = e.rule_set
     WHERE e.contact = ?1 AND json_extract(r.rules, '$.document') = 'line'";

/// Where a document is used still.
const IS_USED: &str =
    "EXISTS (SELECT 1 FROM segment_line WHERE json_extract(set_values, '$.document') = digest)
     OR EXISTS (SELECT 1 FROM removed_line WHERE json_extract(set_values, '$.document') = digest)
     OR EXISTS (SELECT 1 FROM interaction_log_entry WHERE attachment = digest)
     OR EXISTS (SELECT 1 FROM interaction_template WHERE instr(declaration, digest))
     OR EXISTS (SELECT 1 FROM segment WHERE instr(header, digest))
     OR EXISTS (SELECT 1 FROM logged_segment WHERE instr(header, digest))";

impl Database {
    /// Makes what is deleted from now on unreadable in the file, too.
    ///
    /// # Errors
    ///
    /// A database that cannot be written.
    pub fn delete_securely(&mut self) -> Result<(), RecordsError> {
        self.connection.pragma_update(None, "secure_delete", true).map_err(|error| writing(&error))
    }

    /// Writes the file anew without anything that was deleted before, and empties its journal.
    ///
    /// # Errors
    ///
    /// A database that cannot be written, or whose disk has no room for a copy.
    pub fn compact(&mut self) -> Result<(), RecordsError> {
        self.connection
            .execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")
            .map_err(|error| writing(&error))
    }

    /// Finds a segment whose run is not ended and has a line of the contact.
    pub(super) fn unfinished_segment_of(
        &mut self,
        no: &ContactNo,
    ) -> Result<Option<SegmentNo>, RecordsError> {
        self.connection
            .query_row(
                "SELECT e.segment FROM interaction_log_entry AS e JOIN run ON run.no = e.run
                 WHERE e.contact = ?1 AND NOT run.is_logged LIMIT 1",
                [no.as_str()],
                |row| Ok(SegmentNo(row.get(0)?)),
            )
            .optional()
            .map_err(|error| reading(&error))
    }

    pub(super) fn erase_contact(&mut self, no: &ContactNo) -> Result<Erased, RecordsError> {
        let files = self.files_of(no)?;
        let name: String = self
            .connection
            .query_row("SELECT 'ERASED-' || lower(hex(randomblob(8)))", [], |row| row.get(0))
            .map_err(|error| reading(&error))?;
        self.connection
            .execute_batch(
                "CREATE TEMP TABLE IF NOT EXISTS own_document (digest TEXT); DELETE FROM temp.own_document;",
            )
            .map_err(|error| writing(&error))?;
        let own_documents = format!("INSERT INTO temp.own_document {OWN_DOCUMENTS}");
        self.erase_by(&own_documents, &[&no.as_str()])?;
        let mut n_lines = 0;
        for table in ["segment_line", "removed_line"] {
            n_lines += self.erase_by(&format!("DELETE FROM {table} WHERE contact = ?1"), &[&no.as_str()])?;
        }
        for table in ["contact_code", "contact_row", "alternative_address"] {
            self.erase_by(&format!("DELETE FROM {table} WHERE contact = ?1"), &[&no.as_str()])?;
        }
        self.erase_by("DELETE FROM contact WHERE no = ?1", &[&no.as_str()])?;
        let quoted = |no: &str| format!("'{}'", no.replace('\'', "''"));
        let (old, new) = (quoted(no.as_str()), quoted(&name));
        for (table, column) in [("criteria_action", "condition"), ("saved_criteria", "actions")] {
            let sql =
                format!("UPDATE {table} SET {column} = replace({column}, ?1, ?2) WHERE instr({column}, ?1)");
            self.erase_by(&sql, &[&old, &new])?;
        }
        self.erase_by(
            "UPDATE attempt SET domain = '', reply_text = '', reason = ''
             WHERE entry IN (SELECT entry FROM interaction_log_entry WHERE contact = ?1)",
            &[&no.as_str()],
        )?;
        self.erase_by(
            "UPDATE bounce SET recipient = '', diagnostic = ''
             WHERE entry IN (SELECT entry FROM interaction_log_entry WHERE contact = ?1)",
            &[&no.as_str()],
        )?;
        self.erase_by(
            "UPDATE log_note SET text = ''
             WHERE entry IN (SELECT entry FROM interaction_log_entry WHERE contact = ?1)",
            &[&no.as_str()],
        )?;
        // Company, template, campaign, dates, cost and state are the accounting's; a suppression's reason is a word of ours.
        let n_entries = self.erase_by(
            "UPDATE interaction_log_entry SET contact = ?2, contact_name = '', description = '', subject = '',
             address_block = '', email = '', salutation_formal = '', salutation_informal = '', comment = '',
             letter = NULL, file = '', file_sha256 = '', enclosures = '', message_id = '', reply_text = '',
             attachment = CASE WHEN attachment IN (SELECT digest FROM temp.own_document) THEN NULL ELSE attachment END,
             reason = CASE state WHEN 'suppressed' THEN reason ELSE '' END
             WHERE contact = ?1",
            &[&no.as_str(), &name],
        )?;
        self.erase_by(&format!("DELETE FROM temp.own_document WHERE digest IS NULL OR {IS_USED}"), &[])?;
        let n_documents = self.erase_documents()?;
        Ok(Erased { name, n_entries, n_lines, n_documents, files })
    }

    /// Empties the documents that nobody else uses; their runs keep the place, so that other letters can be made again.
    fn erase_documents(&mut self) -> Result<u64, RecordsError> {
        let nothing = Digest::of(b"");
        self.erase_by(
            "INSERT INTO attachment VALUES (?1, 'erased', x'') ON CONFLICT DO NOTHING",
            &[&nothing.as_str()],
        )?;
        self.erase_by(
            "UPDATE run_document SET attachment = ?1,
             document = json_set(document, '$.document', ?1, '$.name', 'erased', '$.is_erased', json('true'))
             WHERE attachment IN (SELECT digest FROM temp.own_document)",
            &[&nothing.as_str()],
        )?;
        self.erase_by("DELETE FROM attachment WHERE digest IN (SELECT digest FROM temp.own_document)", &[])
    }

    /// Returns the files that runs wrote for the contact, where they were written.
    fn files_of(&self, no: &ContactNo) -> Result<Vec<String>, RecordsError> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT json_extract(options, '$.out'), e.segment,
                        CASE correspondence_type WHEN 'hard-copy' THEN 'letters' ELSE 'outbox' END, file, enclosures,
                        json_extract(options, '$.paper.letters') = 'both'
                 FROM interaction_log_entry AS e JOIN run ON run.no = e.run
                 WHERE contact = ?1 AND state = 'written' AND file <> '' ORDER BY entry",
            )
            .map_err(|error| reading(&error))?;
        let mut of_seeds = self
            .connection
            .prepare(
                "SELECT json_extract(options, '$.out'), e.segment, 'outbox', s.address
                 FROM seed_attempt AS s JOIN interaction_log_entry AS e ON e.entry = s.entry JOIN run ON run.no = s.run
                 WHERE contact = ?1 AND s.state = 'written' ORDER BY s.address",
            )
            .map_err(|error| reading(&error))?;
        let path = |(out, segment, folder, file): (String, String, String, String)| {
            format!("{out}/{}/{folder}/{file}", safe_name(&segment, ""))
        };
        let mut rows = statement.query([no.as_str()]).map_err(|error| reading(&error))?;
        let mut files = Vec::new();
        while let Some(row) = rows.next().map_err(|error| reading(&error))? {
            let (out, segment, folder, file, enclosures, are_both): (_, _, _, String, String, Option<bool>) =
                row.try_into().map_err(|error| reading(&error))?;
            let file = path((out, segment, folder, file));
            let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
            let enclosures = enclosures_of(&enclosures, folder);
            for file in std::iter::once(file.clone()).chain(enclosures.into_iter().map(|file| file.name)) {
                let beside = file.strip_suffix(".pdf").filter(|_| are_both == Some(true));
                let beside = beside.map(|stem| format!("{stem}.docx"));
                files.push(file);
                files.extend(beside);
            }
        }
        let copies = of_seeds
            .query_map([no.as_str()], |row| {
                let (out, segment, folder, address): (_, _, _, String) = row.try_into()?;
                Ok(path((out, segment, folder, file_name(&address))))
            })
            .map_err(|error| reading(&error))?;
        for copy in copies {
            files.push(copy.map_err(|error| reading(&error))?);
        }
        Ok(files)
    }

    fn erase_by(&self, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<u64, RecordsError> {
        self.connection.execute(sql, values).map(|n_rows| n_rows as u64).map_err(|error| writing(&error))
    }
}
