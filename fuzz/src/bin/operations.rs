//! Fuzzes `testing::fuzz_operations`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| coalmine::testing::fuzz_operations(bytes));
