//! When an upstream that refused a request asks to be asked again.

use std::num::NonZeroU16;

use crate::units::Duration;

/// What the header `retry-after` of an answer says: whole seconds
/// ([RFC 9110, 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)), 1 to 65,535. Small,
/// because every request that is on its way has room for one.
///
/// ```
/// use coalmine::exchange::RetryAfter;
/// use coalmine::units::Duration;
/// let told = RetryAfter::of(Duration::from_millis(1_001));
/// assert_eq!(told.wait(), Duration::from_secs(2));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RetryAfter(NonZeroU16);

impl RetryAfter {
    /// What is told where the request would be accepted after `wait`: the next whole second, as
    /// who comes earlier is refused again. Above 18 h 12 min, the longest that there is room for.
    pub fn of(wait: Duration) -> Self {
        let seconds = wait.as_nanos().div_ceil(Duration::from_secs(1).as_nanos());
        let told = u16::try_from(seconds).unwrap_or(u16::MAX);
        Self(NonZeroU16::new(told).unwrap_or(NonZeroU16::MIN))
    }

    /// What the header says; `None`: no whole seconds. Who names a date is asked again when those
    /// are who name nothing.
    ///
    /// ```
    /// use coalmine::exchange::RetryAfter;
    /// let told = |text| RetryAfter::read(text).map(|told| told.wait().as_secs());
    /// assert_eq!([told("0"), told(" 7 "), told("18446744074")], [Some(1), Some(7), Some(65_535)]);
    /// assert_eq!(told("Mon, 30 Nov 2026 08:00:00 GMT"), None);
    /// ```
    pub fn read(text: &str) -> Option<Self> {
        let seconds: u64 = text.trim().parse().ok()?;
        // Whatever is longer than can be told is told as the longest.
        Some(Self::of(Duration::from_secs(seconds.min(u64::from(u32::MAX)))))
    }

    /// How long to wait.
    pub const fn wait(self) -> Duration {
        Duration::from_secs(self.0.get() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_told_in_whole_seconds_and_never_too_short() {
        let told = |nanos| RetryAfter::of(Duration::from_nanos(nanos)).wait().as_secs();
        assert_eq!([0, 1, 1_000_000_000, 1_000_000_001].map(told), [1, 1, 1, 2]);
    }

    #[test]
    fn what_is_longer_than_can_be_told_is_told_as_the_longest() {
        let told = |seconds| RetryAfter::of(Duration::from_secs(seconds)).wait().as_secs();
        assert_eq!([65_535, 65_536, 10_000_000].map(told), [65_535; 3]);
    }
}
