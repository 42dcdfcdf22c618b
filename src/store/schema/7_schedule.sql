-- What is run again and again, and what became of each due time.

CREATE TABLE schedule (
  name TEXT NOT NULL PRIMARY KEY,
  declaration TEXT NOT NULL,          -- a JSON object
  added_at TEXT NOT NULL,             -- a moment in UTC; earlier times are not due
  decided_until TEXT NOT NULL         -- a moment in UTC; due times up to it have their row
) STRICT, WITHOUT ROWID;

CREATE TABLE due_time (
  schedule TEXT NOT NULL REFERENCES schedule (name) ON DELETE CASCADE,
  due TEXT NOT NULL,                  -- a moment in UTC, to the second
  state TEXT NOT NULL,                -- claimed, running, done, missed, failed
  reason TEXT NOT NULL,               -- '' where the state says it all
  run INTEGER REFERENCES run (no) ON DELETE SET NULL,
  segment TEXT,                       -- of the run; kept when the logged segment is deleted
  PRIMARY KEY (schedule, due)
) STRICT, WITHOUT ROWID;
CREATE INDEX due_time_open ON due_time (schedule, due) WHERE state IN ('claimed', 'running');
CREATE INDEX due_time_run ON due_time (run);
