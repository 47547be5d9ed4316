//! Fuzzes `trace::fuzz_trace`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| coalmine::trace::fuzz_trace(bytes));
