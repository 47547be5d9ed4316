//! Fuzzes `workload::fuzz_trace`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| coalmine::workload::fuzz_trace(bytes));
