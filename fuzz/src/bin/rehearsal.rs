//! Fuzzes `report::fuzz_rehearsal`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| coalmine::report::fuzz_rehearsal(bytes));
