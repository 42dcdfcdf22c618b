//! Fuzzes numeric and date pictures, and the reading of numbers and dates.

#![no_main]

#[path = "../drive/pictures.rs"]
mod pictures;

libfuzzer_sys::fuzz_target!(|data: &[u8]| pictures::drive(data));
