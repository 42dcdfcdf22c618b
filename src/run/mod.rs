//! The story: load, check, plan, journal, ahead, archive.
