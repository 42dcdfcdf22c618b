//! Owns attachments, interaction templates and masters of one shape in the database.

use rusqlite::{OptionalExtension, params};

use super::{Database, from_json, reading, to_json, writing};
use crate::interaction::InteractionTemplate;
use crate::run::records::RecordsError;
use crate::segment::{Attachment, Digest};
use crate::setup::master::{Master, MasterKind};

impl Database {
    pub(super) fn put_attachment_row(&mut self, attachment: &Attachment) -> Result<(), RecordsError> {
        self.connection
            .execute(
                "INSERT INTO attachment VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                params![attachment.digest.as_str(), attachment.name, attachment.bytes],
            )
            .map(|_| ())
            .map_err(|error| writing(&error))
    }

    pub(super) fn attachment_row(&mut self, digest: &Digest) -> Result<Option<Attachment>, RecordsError> {
        self.connection
            .query_row("SELECT name, bytes FROM attachment WHERE digest = ?1", [digest.as_str()], |row| {
                Ok(Attachment { digest: digest.clone(), name: row.get(0)?, bytes: row.get(1)? })
            })
            .optional()
            .map_err(|error| reading(&error))
    }

    pub(super) fn put_template_row(&mut self, template: &InteractionTemplate) -> Result<(), RecordsError> {
        let declaration = to_json(template)?;
        self.connection
            .execute(
                "INSERT INTO interaction_template VALUES (?1, ?2, ?3)
                 ON CONFLICT (code) DO UPDATE SET description = ?2, declaration = ?3",
                [&template.code, &template.description, &declaration],
            )
            .map(|_| ())
            .map_err(|error| writing(&error))
    }

    pub(super) fn template_rows(&mut self) -> Result<Vec<InteractionTemplate>, RecordsError> {
        self.declarations("SELECT declaration FROM interaction_template ORDER BY code")
    }

    pub(super) fn put_master_row(&mut self, master: &Master) -> Result<(), RecordsError> {
        let declaration = to_json(master.fields())?;
        self.connection
            .execute(
                "INSERT INTO master VALUES (?1, ?2, ?3) ON CONFLICT (kind, code) DO UPDATE SET declaration = ?3",
                [master.kind().as_str(), &master.key(), &declaration],
            )
            .map(|_| ())
            .map_err(|error| writing(&error))
    }

    pub(super) fn master_rows(&mut self, kind: MasterKind) -> Result<Vec<Master>, RecordsError> {
        let sql = format!("SELECT declaration FROM master WHERE kind = '{kind}' ORDER BY code");
        let fields = self.declarations(&sql)?;
        Ok(fields.into_iter().map(|fields| Master::from_stored(kind, fields)).collect())
    }

    pub(super) fn master_row(&mut self, kind: MasterKind, key: &str) -> Result<Option<Master>, RecordsError> {
        let declaration: Option<String> = self
            .connection
            .query_row(
                "SELECT declaration FROM master WHERE kind = ?1 AND code = ?2",
                [kind.as_str(), key],
                |row| row.get(0),
            )
            .optional()
            .map_err(|error| reading(&error))?;
        declaration.map(|text| Ok(Master::from_stored(kind, from_json(&text)?))).transpose()
    }

    fn declarations<T: serde::de::DeserializeOwned>(&self, sql: &str) -> Result<Vec<T>, RecordsError> {
        let mut statement = self.connection.prepare(sql).map_err(|error| reading(&error))?;
        let texts =
            statement.query_map([], |row| row.get::<_, String>(0)).map_err(|error| reading(&error))?;
        let mut found = Vec::new();
        for text in texts {
            found.push(from_json(&text.map_err(|error| reading(&error))?)?);
        }
        Ok(found)
    }
}
