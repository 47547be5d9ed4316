//! Numbers in the texts of traces: plain digits, within their range.

use crate::units::Duration;

/// A whole number in plain digits, without a sign.
pub(super) fn whole<T: TryFrom<u64>>(text: &str) -> Option<T> {
    T::try_from(digits(text.as_bytes())?).ok()
}

/// Whether `text` is a whole number, as one of bytes is.
pub(super) fn is_number(text: &str) -> bool {
    digits(text.as_bytes()).is_some()
}

/// At least one digit and nothing else; none beyond 2^64 - 1.
pub(super) fn digits(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() {
        return None;
    }
    // Nineteen digits never overflow.
    if bytes.len() > 19 {
        let text = std::str::from_utf8(bytes).ok()?;
        return text.parse().ok().filter(|_| bytes[0].is_ascii_digit());
    }
    let mut value = 0;
    for byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    Some(value)
}

/// Nanoseconds, at most what an instant after 1970 can hold.
pub(super) fn nanos(text: &str) -> Option<Duration> {
    whole(text).filter(|nanos| i64::try_from(*nanos).is_ok()).map(Duration::from_nanos)
}

/// What a number of tokens may be.
pub(super) const TOKENS_ALLOWED: &str = "a whole number from 0 to 4294967295";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_digits_within_the_range_are_whole_numbers() {
        assert_eq!(whole::<u64>("0018446744073709551615"), Some(u64::MAX));
        assert_eq!(whole::<u64>("18446744073709551616"), None);
        assert_eq!(whole::<u32>("4294967295"), Some(u32::MAX));
        assert_eq!(whole::<u32>("4294967296"), None);
        for text in ["", "+5", "-5", "5.0", " 5", "5e3", "+0000000000000000000005", "٥"] {
            assert_eq!(whole::<u64>(text), None, "{text:?}");
        }
    }
}
