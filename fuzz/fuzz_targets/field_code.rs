//! Fuzzes field codes, with what is parsed out of their switches.

#![no_main]

#[path = "../drive/field_code.rs"]
mod field_code;

libfuzzer_sys::fuzz_target!(|data: &[u8]| field_code::drive(data));
