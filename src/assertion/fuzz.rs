//! What must hold of every text given to the parser: the body of a fuzz target, compiled with the
//! library so that it cannot rot.

use super::Assertion;
use super::error::LONGEST;

/// Parses `bytes`; an assertion must be read back as itself from how it is printed, an error must
/// point into the text.
///
/// # Panics
/// Where one of these does not hold.
pub fn fuzz_assertion(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Assertion::parse(&text) {
        Ok(assertion) => {
            let printed = assertion.to_string();
            // It can be longer than what it was read from, and so too long to be read.
            if printed.chars().count() > LONGEST {
                return;
            }
            assert_eq!(Assertion::parse(&printed).as_ref(), Ok(&assertion), "{printed}");
        }
        Err(error) => {
            let characters = text.chars().count();
            assert!((1..=characters + 1).contains(&error.column()), "{error:?}");
            assert!(error.render().contains('^'), "{error:?}");
        }
    }
}
