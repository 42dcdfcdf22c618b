-- Attempts to send messages: one row each, kept for good. Moments are milliseconds since 1970 in UTC.

ALTER TABLE interaction_log_entry ADD COLUMN n_attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE interaction_log_entry ADD COLUMN n_tries INTEGER NOT NULL DEFAULT 0;  -- since it was last sent on purpose
ALTER TABLE interaction_log_entry ADD COLUMN due_at INTEGER;                      -- when a deferred message is tried again
CREATE INDEX interaction_log_entry_deferred ON interaction_log_entry (run, entry) WHERE state = 'deferred';

CREATE TABLE attempt (
  entry INTEGER NOT NULL REFERENCES interaction_log_entry (entry),
  number INTEGER NOT NULL,            -- from 1
  began_at INTEGER NOT NULL, ended_at INTEGER,
  server TEXT NOT NULL,               -- host and port; 'user' where the user decided
  domain TEXT NOT NULL,               -- the recipient's
  state TEXT NOT NULL,                -- sending, then what came of it
  reason TEXT NOT NULL DEFAULT '',
  reply_code INTEGER, reply_status TEXT NOT NULL DEFAULT '', reply_text TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (entry, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_began ON attempt (began_at);
