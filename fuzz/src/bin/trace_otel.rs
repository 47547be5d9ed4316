//! Fuzzes `trace::fuzz_trace_format` for otel.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| coalmine::trace::fuzz_trace_format("otel", bytes));
