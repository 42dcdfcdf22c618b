-- What came back of our messages: delivery reports and complaints, each once.

CREATE TABLE bounce (
  report TEXT NOT NULL,               -- the report's own Message-ID, or a digest of it
  position INTEGER NOT NULL,          -- of the recipient within it, from 1
  entry INTEGER NOT NULL REFERENCES interaction_log_entry (entry),
  kind TEXT NOT NULL,                 -- failed, delayed, delivered, complaint, opt-out
  status TEXT NOT NULL,               -- enhanced status code; '' where there is none
  recipient TEXT NOT NULL,
  diagnostic TEXT NOT NULL,           -- what the server said
  at TEXT NOT NULL,                   -- a moment in UTC
  PRIMARY KEY (report, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX bounce_entry ON bounce (entry);
