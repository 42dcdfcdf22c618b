//! What each line means: templates, the effective interaction, the log entry.
