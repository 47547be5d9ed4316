//! Dates and times of foreign formats, to the nanosecond: ISO 8601 as logs write it, and the form
//! that access logs have had since the first web servers.

use crate::units::Timestamp;

/// `2024-03-26T13:20:00.123456+00:00`: date and time with `T` or a space between them, with
/// decimals or without, `Z`, an offset, or none, which is UTC. `None` where it is none, or outside
/// of the years 1678 to 2261.
pub(super) fn iso(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    if bytes.len() < "2024-03-26T13:20:00".len()
        || [bytes[4], bytes[7], bytes[13], bytes[16]] != *b"--::"
        || !matches!(bytes[10], b'T' | b't' | b' ')
    {
        return None;
    }
    let date = days(number(&bytes[..4])?, number(&bytes[5..7])?, number(&bytes[8..10])?)?;
    let second = of_day(&bytes[11..19])?;
    let (nanos, zone) = decimals(&bytes[19..])?;
    let offset = match zone {
        b"" | b"Z" | b"z" => 0,
        zone => offset(zone)?,
    };
    instant(date, second - offset, nanos)
}

/// `26/Mar/2024:13:20:00 +0000`, as `$time_local` of nginx is.
pub(super) fn common_log(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    if bytes.len() < "26/Mar/2024:13:20:00 +0000".len()
        || [bytes[2], bytes[6], bytes[11], bytes[20]] != *b"//: "
    {
        return None;
    }
    let month = MONTHS.iter().position(|month| month.as_bytes() == &bytes[3..6])?;
    let date = days(number(&bytes[7..11])?, month as i64 + 1, number(&bytes[..2])?)?;
    let second = of_day(&bytes[12..20])?;
    instant(date, second - offset(&bytes[21..])?, 0)
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Digits only.
fn number(bytes: &[u8]) -> Option<i64> {
    super::number::digits(bytes).and_then(|number| i64::try_from(number).ok())
}

/// `13:20:00` as seconds since midnight.
fn of_day(bytes: &[u8]) -> Option<i64> {
    let (hour, minute, second) =
        (number(&bytes[..2])?, number(&bytes[3..5])?, number(&bytes[6..8])?);
    // A leap second counts as the one after it.
    let is_time = bytes[2] == b':' && bytes[5] == b':' && hour < 24 && minute < 60 && second <= 60;
    is_time.then_some(hour * 3_600 + minute * 60 + second)
}

/// The nanoseconds that `.123` or `,123` says, none where there is neither, and what follows.
fn decimals(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let Some((b'.' | b',', rest)) = bytes.split_first() else { return Some((0, bytes)) };
    let end = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    if !(1..=9).contains(&end) {
        return None;
    }
    let power = 10_i64.pow(9 - end as u32);
    Some((number(&rest[..end])? * power, &rest[end..]))
}

/// `+01:00`, `+0100` or `+01` in seconds.
fn offset(bytes: &[u8]) -> Option<i64> {
    let (sign, rest) = bytes.split_first()?;
    let (hours, minutes) = match rest.len() {
        2 => (rest, &b"00"[..]),
        4 => rest.split_at(2),
        5 if rest[2] == b':' => (&rest[..2], &rest[3..]),
        _ => return None,
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let seconds = hours * 3_600 + minutes * 60;
    match sign {
        _ if hours > 23 || minutes > 59 => None,
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

/// Days from 1970-01-01 to a day of the Gregorian calendar (Howard Hinnant, "chrono-compatible
/// low-level date algorithms", `days_from_civil`); `None` where the month has no such day.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years that begin in March: the leap day is their last.
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

fn instant(days: i64, seconds: i64, nanos: i64) -> Option<Timestamp> {
    let seconds = days * 86_400 + seconds;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos).map(Timestamp::from_nanos)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_have_the_forms_that_logs_write() {
        let good = [
            ("2024-03-26T13:20:00Z", "2024-03-26T13:20:00Z"),
            ("2024-03-26 13:20:00", "2024-03-26T13:20:00Z"),
            ("2024-03-26T13:20:00.5", "2024-03-26T13:20:00.5Z"),
            ("2024-03-26t13:20:00,123456789z", "2024-03-26T13:20:00.123456789Z"),
            ("2024-03-26T13:20:00.123456+02:30", "2024-03-26T10:50:00.123456Z"),
            ("2024-03-26T13:20:00-0800", "2024-03-26T21:20:00Z"),
            ("2024-12-31T23:59:60+00", "2025-01-01T00:00:00Z"),
            ("2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z"),
        ];
        for (text, instant) in good {
            assert_eq!(iso(text), Some(instant.parse().unwrap()), "{text}");
        }
        let bad = [
            "",
            "2024-03-26",
            "2024-03-26T13:20",
            "2023-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2024-04-31T00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-00-01T00:00:00Z",
            "2024-03-26T24:00:00Z",
            "2024-03-26T13:60:00Z",
            "2024-03-26T13:20:00.Z",
            "2024-03-26T13:20:00.1234567890Z",
            "2024-03-26T13:20:00+1",
            "2024-03-26T13:20:00+24:00",
            "2024-03-26T13:20:00 UTC",
            "9999-12-31T23:59:59Z",
            "0001-01-01T00:00:00Z",
            "2024-03-2éT13:20:00Z",
            "-024-03-26T13:20:00Z",
        ];
        for text in bad {
            assert_eq!(iso(text), None, "{text}");
        }
    }

    /// `26/Mar/2024:13:20:00 +0000`, the whole second of `at`.
    fn to_common_log(at: Timestamp) -> String {
        let iso = Timestamp::from_second(at.second()).to_string();
        let month = number(&iso.as_bytes()[5..7]).map_or(0, |month| month as usize - 1);
        format!("{}/{}/{}:{} +0000", &iso[8..10], MONTHS[month], &iso[..4], &iso[11..19])
    }

    #[test]
    fn access_logs_have_a_form_of_their_own() {
        let at = "2024-03-26T11:20:00Z".parse().unwrap();
        assert_eq!(common_log("26/Mar/2024:13:20:00 +0200"), Some(at));
        assert_eq!(to_common_log(at), "26/Mar/2024:11:20:00 +0000");
        for text in ["26/Mär/2024:13:20:00 +00", "26/Mar/2024:13:20:00", "2024-03-26T13:20:00Z"] {
            assert_eq!(common_log(text), None, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// jiff prints what this reads.
        #[test]
        fn any_instant_is_read_as_another_library_writes_it(nanos in any::<i64>()) {
            let at = Timestamp::from_nanos(nanos);
            prop_assert_eq!(iso(&at.to_string()), Some(at));
            let second = Timestamp::from_second(at.second());
            if second.second() * 1_000_000_000 / 1_000_000_000 == second.second() {
                prop_assert_eq!(common_log(&to_common_log(second)), Some(second));
            }
        }
    }
}
