//! Fuzzes `study::fuzz_sweep`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| coalmine::study::fuzz_sweep(bytes));
