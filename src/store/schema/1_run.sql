-- What a run needs: contacts, templates, segments, the journal that becomes the log.
-- Texts are UTF-8, dates ISO 8601, decimals text, flags 0 or 1. A value that is not set is NULL or ''.

CREATE TABLE contact (
  no TEXT NOT NULL PRIMARY KEY,
  type TEXT NOT NULL,
  company_no TEXT NOT NULL, company_name TEXT NOT NULL,
  name TEXT NOT NULL, name_2 TEXT NOT NULL,
  first_name TEXT NOT NULL, middle_name TEXT NOT NULL, surname TEXT NOT NULL, initials TEXT NOT NULL,
  job_title TEXT NOT NULL,
  address TEXT NOT NULL, address_2 TEXT NOT NULL, post_code TEXT NOT NULL, city TEXT NOT NULL,
  county TEXT NOT NULL, country TEXT NOT NULL,
  phone TEXT NOT NULL, mobile TEXT NOT NULL, fax TEXT NOT NULL, email TEXT NOT NULL, home_page TEXT NOT NULL,
  vat_no TEXT NOT NULL, language TEXT NOT NULL, external_id TEXT NOT NULL,
  correspondence_type TEXT NOT NULL, salutation_code TEXT NOT NULL, salesperson TEXT NOT NULL,
  exclude_from_segment INTEGER NOT NULL, privacy_blocked INTEGER NOT NULL, minor INTEGER NOT NULL,
  parental_consent INTEGER NOT NULL, no_mail INTEGER NOT NULL, no_email INTEGER NOT NULL,
  household TEXT NOT NULL,
  columns TEXT NOT NULL               -- a JSON object: every further column of the import
) STRICT, WITHOUT ROWID;

CREATE TABLE contact_column (         -- the columns of all imports, in their order
  header TEXT NOT NULL PRIMARY KEY,
  field TEXT NOT NULL,                -- the field of the contact that it fills; empty: a further column
  position INTEGER NOT NULL
) STRICT;

CREATE TABLE row_table (              -- the child tables of contacts
  name TEXT NOT NULL PRIMARY KEY,
  columns TEXT NOT NULL               -- a JSON array of the columns as written
) STRICT;

CREATE TABLE contact_row (
  contact TEXT NOT NULL REFERENCES contact (no),
  name TEXT NOT NULL REFERENCES row_table (name),
  position INTEGER NOT NULL,
  cells TEXT NOT NULL,                -- a JSON array of typed values
  PRIMARY KEY (contact, name, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE alternative_address (
  contact TEXT NOT NULL REFERENCES contact (no),
  position INTEGER NOT NULL,
  address TEXT NOT NULL,              -- a JSON object
  PRIMARY KEY (contact, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE attachment (
  digest TEXT NOT NULL PRIMARY KEY,   -- SHA-256
  name TEXT NOT NULL,
  bytes BLOB NOT NULL
) STRICT;

CREATE TABLE interaction_template (
  code TEXT NOT NULL PRIMARY KEY,
  description TEXT NOT NULL,
  declaration TEXT NOT NULL           -- a JSON object
) STRICT;

CREATE TABLE campaign (
  code TEXT NOT NULL PRIMARY KEY,
  declaration TEXT NOT NULL           -- a JSON object
) STRICT;

CREATE TABLE segment (                -- open worksheets
  no TEXT NOT NULL PRIMARY KEY,
  header TEXT NOT NULL                -- a JSON object
) STRICT;

CREATE TABLE segment_line (
  segment TEXT NOT NULL REFERENCES segment (no) ON DELETE CASCADE,
  line_no INTEGER NOT NULL,
  contact TEXT NOT NULL REFERENCES contact (no),
  set_values TEXT,                    -- a JSON object of what was set on the line; NULL: nothing
  PRIMARY KEY (segment, line_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX segment_line_contact ON segment_line (segment, contact);

CREATE TABLE criteria_action (        -- how contacts came onto a segment or left it
  segment TEXT NOT NULL REFERENCES segment (no) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  kind TEXT NOT NULL,
  condition TEXT NOT NULL,
  PRIMARY KEY (segment, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE run (
  no INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  segment TEXT NOT NULL UNIQUE,       -- logged once
  options TEXT NOT NULL,              -- a JSON object: clock, output folder, sender
  is_logged INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE logged_segment (
  segment TEXT NOT NULL PRIMARY KEY,
  run INTEGER NOT NULL UNIQUE REFERENCES run (no),
  description TEXT NOT NULL,
  logged_at TEXT NOT NULL,
  header TEXT NOT NULL,               -- the header as it was, a JSON object
  is_cancelled INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE run_document (
  run INTEGER NOT NULL REFERENCES run (no),
  number INTEGER NOT NULL,
  attachment TEXT NOT NULL REFERENCES attachment (digest),
  document TEXT NOT NULL,             -- a JSON object: how it becomes a delivery
  PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE rule_set (               -- which rule decided each value; most lines share a few sets
  id INTEGER NOT NULL PRIMARY KEY,
  rules TEXT NOT NULL UNIQUE          -- a JSON object
) STRICT;

-- One row for each line of a run: the journal while the run goes on, the log when it is logged.
CREATE TABLE interaction_log_entry (
  entry INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  run INTEGER NOT NULL REFERENCES run (no),
  segment TEXT NOT NULL, line_no INTEGER NOT NULL,
  contact TEXT NOT NULL, contact_name TEXT NOT NULL, company_no TEXT NOT NULL,
  state TEXT NOT NULL, reason TEXT NOT NULL,
  correspondence_type TEXT NOT NULL,
  template TEXT NOT NULL, interaction_group TEXT NOT NULL,
  description TEXT NOT NULL, date TEXT NOT NULL, language TEXT NOT NULL, subject TEXT NOT NULL,
  salesperson TEXT NOT NULL, campaign TEXT NOT NULL,
  unit_cost TEXT, unit_duration TEXT, information_flow TEXT NOT NULL, initiated_by TEXT NOT NULL,
  campaign_target INTEGER NOT NULL, campaign_response INTEGER NOT NULL, evaluation TEXT NOT NULL,
  address_block TEXT NOT NULL, email TEXT NOT NULL,
  salutation_formal TEXT NOT NULL, salutation_informal TEXT NOT NULL, comment TEXT NOT NULL,
  rule_set INTEGER NOT NULL REFERENCES rule_set (id),
  attachment TEXT,                    -- the document, a digest
  letter TEXT,                        -- what the letter is made of, a JSON object; NULL: no letter
  file TEXT NOT NULL, file_sha256 TEXT NOT NULL DEFAULT '',
  message_id TEXT NOT NULL DEFAULT '',
  reply_code INTEGER, reply_status TEXT NOT NULL DEFAULT '', reply_text TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX interaction_log_entry_run ON interaction_log_entry (run);
CREATE INDEX interaction_log_entry_contact ON interaction_log_entry (contact);
