-- The documents that go with a letter: the files that were written, one a line, as `sha256sum` has them; '' for none.

ALTER TABLE interaction_log_entry ADD COLUMN enclosures TEXT NOT NULL DEFAULT '';
