-- The worksheet by command: masters of one shape, codes of contacts, selection actions that can be undone.

-- Salespersons, campaigns, salutation formulas and the code tables; `code` is the key, such as F/en.
CREATE TABLE master (
  kind TEXT NOT NULL,
  code TEXT NOT NULL,
  declaration TEXT NOT NULL,          -- a JSON object of texts by field
  PRIMARY KEY (kind, code)
) STRICT, WITHOUT ROWID;
INSERT INTO master SELECT 'campaign', code, declaration FROM campaign;
DROP TABLE campaign;

CREATE TABLE contact_code (           -- which codes of a code table a contact has
  kind TEXT NOT NULL,
  code TEXT NOT NULL,
  contact TEXT NOT NULL REFERENCES contact (no),
  PRIMARY KEY (kind, code, contact)
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_code_contact ON contact_code (contact, kind, code);

CREATE INDEX contact_company ON contact (company_no) WHERE company_no <> '';

ALTER TABLE criteria_action ADD COLUMN options TEXT NOT NULL DEFAULT '{}'; -- a JSON object
ALTER TABLE criteria_action ADD COLUMN first_line INTEGER NOT NULL DEFAULT 0; -- the lines that it added; 0: none
ALTER TABLE criteria_action ADD COLUMN last_line INTEGER NOT NULL DEFAULT 0;

CREATE TABLE removed_line (           -- the lines that a selection action took away, as they were
  segment TEXT NOT NULL REFERENCES segment (no) ON DELETE CASCADE,
  position INTEGER NOT NULL,          -- the action's
  line_no INTEGER NOT NULL,
  contact TEXT NOT NULL REFERENCES contact (no),
  set_values TEXT,
  PRIMARY KEY (segment, position, line_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX removed_line_no ON removed_line (segment, line_no);

CREATE TABLE saved_criteria (
  code TEXT NOT NULL PRIMARY KEY,
  description TEXT NOT NULL,
  saved_at TEXT NOT NULL,
  actions TEXT NOT NULL               -- a JSON array of selection actions, in their order
) STRICT;
