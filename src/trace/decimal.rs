//! Decimal numbers of foreign formats, read exactly: their digits are moved, not rounded to a float
//! and back.

/// `text`, a decimal number without sign such as `1711459200.123` or `5e-06`, times 10^`digits`, to
/// the nearest whole number; `None` where it is no such number or the product has no room in 64
/// bits.
pub(super) fn scaled(text: &str, digits: i32) -> Option<u64> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], exponent(&text[at + 1..])?),
        None => (text, 0),
    };
    let (whole, decimals) = match mantissa.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    if whole.is_empty() {
        return None;
    }
    let mut value: u128 = 0;
    let mut shift = digits + exponent;
    for (place, byte) in whole.bytes().chain(decimals.bytes()).enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        let is_kept = value < MOST_DIGITS;
        if is_kept {
            value = value * 10 + u128::from(digit);
        }
        shift += i32::from(!is_kept) - i32::from(place >= whole.len());
    }
    let product = if shift >= 0 {
        let power = if value == 0 { 1 } else { 10_u128.checked_pow(shift.unsigned_abs())? };
        value.checked_mul(power)?
    } else {
        match 10_u128.checked_pow(shift.unsigned_abs()) {
            Some(power) => value / power + u128::from(value % power >= power.div_ceil(2)),
            None => 0,
        }
    };
    u64::try_from(product).ok()
}

/// `value` over 10^`digits` as text, without zeros at its end.
pub(super) fn unscaled(value: u64, digits: u32) -> String {
    let power = 10_u64.pow(digits);
    let (whole, part) = (value / power, value % power);
    if part == 0 {
        return whole.to_string();
    }
    let decimals = format!("{part:0width$}", width = digits as usize);
    format!("{whole}.{}", decimals.trim_end_matches('0'))
}

/// With a sign or without; three digits are more than any number needs that is not zero.
fn exponent(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let exponent = digits.parse().ok().filter(|exponent: &i32| is_plain && *exponent < 1_000)?;
    Some(if text.starts_with('-') { -exponent } else { exponent })
}

/// Digits beyond these 29 move the result by less than its rounding.
const MOST_DIGITS: u128 = 10_u128.pow(28);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_moved_exactly_and_rounded_to_the_nearest() {
        let good = [
            ("1711459200.1234567", 9, 1_711_459_200_123_456_700),
            ("0", 9, 0),
            ("0e999", 9, 0),
            ("5e-06", 12, 5_000_000),
            ("5E+3", 0, 5_000),
            ("0.0000000005", 9, 1),
            ("0.00000000049", 9, 0),
            ("1e-300", 9, 0),
            ("18446744073709551615", 0, u64::MAX),
            ("0.00000000000000000000000000000000000000001", 12, 0),
            ("123.456", 0, 123),
            ("100000000000000000000000000000000000000000e-40", 9, 10_000_000_000),
        ];
        for (text, digits, value) in good {
            assert_eq!(scaled(text, digits), Some(value), "{text}");
        }
        let bad = ["", ".", "1.", ".5", "-1", "+1", "1e", "1e+", "1e1000", "NaN", "1_0", "1.5.5"];
        for text in bad.into_iter().chain(["18446744073709551616", "1e30", " 1", "0x10", "1e--5"]) {
            assert_eq!(scaled(text, 0), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        for (value, text) in [(0, "0"), (1, "0.000000001"), (1_500_000_000, "1.5")] {
            assert_eq!(unscaled(value, 9), text);
            assert_eq!(scaled(text, 9), Some(value));
        }
        assert_eq!(scaled(&unscaled(u64::MAX, 9), 9), Some(u64::MAX));
        assert_eq!(unscaled(7_000, 3), "7");
    }
}
