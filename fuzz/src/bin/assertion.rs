//! Fuzzes `assertion::fuzz_assertion`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| coalmine::assertion::fuzz_assertion(bytes));
