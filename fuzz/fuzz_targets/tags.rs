//! Fuzzes texts with handlebars tags.

#![no_main]

#[path = "../drive/tags.rs"]
mod tags;

libfuzzer_sys::fuzz_target!(|data: &[u8]| tags::drive(data));
