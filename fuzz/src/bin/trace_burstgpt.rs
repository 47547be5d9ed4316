//! Fuzzes `trace::fuzz_trace_format` for burstgpt.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| coalmine::trace::fuzz_trace_format("burstgpt", bytes));
