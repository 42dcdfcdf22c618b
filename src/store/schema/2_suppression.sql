-- The addresses that are written to no more.

CREATE TABLE suppression (
  address TEXT NOT NULL PRIMARY KEY,  -- the mailbox: small letters, the domain in ASCII
  reason TEXT NOT NULL,               -- manual, unsubscribe, hard-bounce, complaint
  since TEXT NOT NULL,                -- a moment in UTC
  entry INTEGER REFERENCES interaction_log_entry (entry) -- whose message brought it about
) STRICT, WITHOUT ROWID;
