//! Fuzzes template packages, and single XML parts in a sound package.

#![no_main]

#[path = "../drive/package.rs"]
mod package;

libfuzzer_sys::fuzz_target!(|data: &[u8]| package::drive(data));
