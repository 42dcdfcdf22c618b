//! Fuzzes replies of SMTP servers.

#![no_main]

#[path = "../drive/smtp_reply.rs"]
mod smtp_reply;

libfuzzer_sys::fuzz_target!(|data: &[u8]| smtp_reply::drive(data));
