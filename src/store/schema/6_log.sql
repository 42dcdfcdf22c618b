-- The log after logging: what is said and decided of it later, and sums by which it is counted and found.

ALTER TABLE interaction_log_entry ADD COLUMN is_cancelled INTEGER NOT NULL DEFAULT 0; -- beside the segment's own flag
ALTER TABLE logged_segment ADD COLUMN is_thinned INTEGER NOT NULL DEFAULT 0; -- entries were deleted for their age

CREATE TABLE log_note (               -- only ever added to
  number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  segment TEXT NOT NULL,
  entry INTEGER,                      -- NULL: the segment as a whole
  at TEXT NOT NULL,                   -- a moment in UTC
  who TEXT NOT NULL,                  -- '' where nobody said
  kind TEXT NOT NULL,                 -- cancelled, uncancelled, evaluated, comment, refused, allowed, deleted
  text TEXT NOT NULL                  -- why; the evaluation; the comment
) STRICT;
CREATE INDEX log_note_entry ON log_note (entry) WHERE entry IS NOT NULL;
CREATE INDEX log_note_segment ON log_note (segment);

CREATE TABLE log_sum (                -- the entries of a run of which all of this is equal, counted
  run INTEGER NOT NULL REFERENCES run (no),
  campaign TEXT NOT NULL, template TEXT NOT NULL, interaction_group TEXT NOT NULL, salesperson TEXT NOT NULL,
  date TEXT NOT NULL, state TEXT NOT NULL,
  unit_cost TEXT NOT NULL, unit_duration TEXT NOT NULL, -- '': none
  campaign_target INTEGER NOT NULL, campaign_response INTEGER NOT NULL,
  is_cancelled INTEGER NOT NULL,
  n_entries INTEGER NOT NULL
) STRICT;
CREATE INDEX log_sum_run ON log_sum (run);
INSERT INTO log_sum
SELECT run, campaign, template, interaction_group, salesperson, date, state, ifnull(unit_cost, ''),
       ifnull(unit_duration, ''), campaign_target, campaign_response, is_cancelled, count(*)
FROM interaction_log_entry WHERE run IN (SELECT run FROM logged_segment)
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12;

-- What needs a person is found without reading all that went well.
CREATE INDEX interaction_log_entry_unwell ON interaction_log_entry (state, entry)
  WHERE state IN ('failed', 'rejected', 'suppressed', 'in-doubt', 'sending');
CREATE INDEX suppression_entry ON suppression (entry) WHERE entry IS NOT NULL;
