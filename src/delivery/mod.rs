//! Out of the house: letters, messages, outcomes.
