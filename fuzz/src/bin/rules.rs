//! Fuzzes `scenario::fuzz_rules`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| coalmine::scenario::fuzz_rules(bytes));
