//! An e-mail address that can be written to. Knows not what is written.

use std::fmt;

use lettre::message::Mailbox;

use super::line::one_line;

/// An e-mail address, with or without a name: `ops@example.com`, `Ops <ops@example.com>`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailAddress(Mailbox);

/// A text that is no e-mail address.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{found:?} is no e-mail address: allowed is one, such as ops@example.com")]
pub struct NoAddress {
    found: String,
}

impl MailAddress {
    /// The address that `text` is.
    ///
    /// # Errors
    /// It is none, or more than one.
    pub fn new(text: &str) -> Result<Self, NoAddress> {
        // A line break would end the header it is written to, or the command to the mail server.
        let parsed = if text.contains(char::is_control) { None } else { text.trim().parse().ok() };
        parsed.map(Self).ok_or_else(|| NoAddress { found: one_line(text, LONGEST_SHOWN) })
    }

    /// As a header has it.
    pub(super) const fn mailbox(&self) -> &Mailbox {
        &self.0
    }
}

/// The address alone.
impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.email, f)
    }
}

/// The longest address that SMTP has room for, RFC 5321, 4.5.3.1.3.
const LONGEST_SHOWN: usize = 254;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_accepted_with_and_without_a_name() {
        for text in ["ops@example.com", " ops@example.com ", "On Call <ops@example.com>"] {
            assert_eq!(MailAddress::new(text).unwrap().to_string(), "ops@example.com");
        }
    }

    #[test]
    fn placeholders_lists_and_line_breaks_are_refused() {
        for text in [
            "[email\u{a0}protected]",
            "[email protected]",
            "",
            "ops",
            "ops@",
            "@example.com",
            "a@example.com, b@example.com",
            "a@example.com\r\nRCPT TO:<b@example.com>",
            "A\nBcc: b@example.com <a@example.com>",
        ] {
            assert!(MailAddress::new(text).is_err(), "{text:?}");
        }
        let error = MailAddress::new("[email protected]").unwrap_err().to_string();
        assert_eq!(
            error,
            "\"[email protected]\" is no e-mail address: allowed is one, such as ops@example.com"
        );
    }

    proptest! {
        #[test]
        fn no_accepted_address_breaks_a_line(text in "[a-z\"<>@.\\r\\n, ]{0,24}") {
            if let Ok(address) = MailAddress::new(&text) {
                prop_assert!(!address.mailbox().to_string().contains(['\r', '\n']));
            }
        }
    }
}
