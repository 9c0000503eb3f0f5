#![no_main]
#![expect(missing_docs, reason = "see the module of the same name")]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::event::run(input));
