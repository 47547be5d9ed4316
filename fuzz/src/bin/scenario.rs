//! Fuzzes `scenario::fuzz_scenario`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| coalmine::scenario::fuzz_scenario(bytes));
