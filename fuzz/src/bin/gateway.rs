//! Fuzzes `scenario::fuzz_gateway`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| coalmine::scenario::fuzz_gateway(bytes));
