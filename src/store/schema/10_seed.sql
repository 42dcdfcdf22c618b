-- Attempts to deliver the copy of a run's message to a seed address: one row each, kept for good. The addresses
-- themselves are in the run's options; one without a row was not tried. Moments are milliseconds since 1970 in UTC.

CREATE TABLE seed_attempt (
  run INTEGER NOT NULL REFERENCES run (no),
  address TEXT NOT NULL,
  number INTEGER NOT NULL,            -- from 1
  entry INTEGER,                      -- whose message it is a copy of; NULL when the entry is deleted
  began_at INTEGER NOT NULL, ended_at INTEGER,
  server TEXT NOT NULL,               -- host and port; '' for a file of the outbox or a message that was not made
  domain TEXT NOT NULL,               -- the recipient's
  state TEXT NOT NULL,                -- sending, then what came of it; the last one is that of the seed
  due_at INTEGER,                     -- when a deferred message is tried again
  reason TEXT NOT NULL DEFAULT '',
  reply_code INTEGER, reply_status TEXT NOT NULL DEFAULT '', reply_text TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (run, address, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX seed_attempt_began ON seed_attempt (began_at);
CREATE INDEX seed_attempt_entry ON seed_attempt (entry);
