//! Word in, Word out; knows values, no contacts.

pub mod value;
