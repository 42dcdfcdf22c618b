//! Owns attachments, interaction templates and campaigns in the database.

use rusqlite::{OptionalExtension, params};

use super::{Database, from_json, reading, to_json, writing};
use crate::interaction::InteractionTemplate;
use crate::run::records::RecordsError;
use crate::segment::{Attachment, Digest};
use crate::setup::Campaign;

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

    pub(super) fn put_campaign_row(&mut self, campaign: &Campaign) -> Result<(), RecordsError> {
        let declaration = to_json(campaign)?;
        self.connection
            .execute(
                "INSERT INTO campaign VALUES (?1, ?2) ON CONFLICT (code) DO UPDATE SET declaration = ?2",
                [&campaign.code, &declaration],
            )
            .map(|_| ())
            .map_err(|error| writing(&error))
    }

    pub(super) fn campaign_rows(&mut self) -> Result<Vec<Campaign>, RecordsError> {
        self.declarations("SELECT declaration FROM campaign ORDER BY code")
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
