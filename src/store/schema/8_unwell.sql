-- What needs a person, said state by state: for a list in `IN`, SQLite makes a table for each row that changes.

DROP INDEX interaction_log_entry_unwell;
CREATE INDEX interaction_log_entry_unwell ON interaction_log_entry (state, entry)
  WHERE state = 'failed' OR state = 'rejected' OR state = 'suppressed' OR state = 'in-doubt' OR state = 'sending';
