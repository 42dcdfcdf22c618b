//! What was asked for, as written: header, lines, criteria.
