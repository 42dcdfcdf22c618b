//! SQLite beneath it all: implements what the rooms ask for.
