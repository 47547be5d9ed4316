//! Fuzzes `wire::fuzz_wire`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| coalmine::wire::fuzz_wire(bytes));
