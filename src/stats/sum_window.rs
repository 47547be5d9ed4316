//! A sliding window over whole seconds that adds up two amounts, for the quotient of their sums.
//!
//! It covers what [`CountWindow`](super::CountWindow) covers: read at second t, the seconds
//! [t - w, t). Time never goes back.

use std::collections::VecDeque;

/// Adds up two amounts over the last seconds.
///
/// ```
/// use coalmine::stats::{SumWindow, Sums};
/// let mut window = SumWindow::new(60);
/// window.add(100, 210, 1);
/// window.add(101, 190, 1);
/// assert_eq!(window.sums(102), Sums { count: 2, numerator: 400, denominator: 2 });
/// assert_eq!(window.sums(161), Sums { count: 1, numerator: 190, denominator: 1 });
/// ```
#[derive(Clone, Debug)]
pub struct SumWindow {
    seconds: i64,
    /// Seconds that are not empty, oldest first; the newest is the last.
    filled: VecDeque<SecondSums>,
    /// Over `filled`.
    all: Sums,
}

/// What a [`SumWindow`] holds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Sums {
    /// How often something was added.
    pub count: u64,
    /// The sum of the first amounts.
    pub numerator: u128,
    /// The sum of the second amounts.
    pub denominator: u128,
}

#[derive(Clone, Copy, Debug)]
struct SecondSums {
    second: i64,
    sums: Sums,
}

impl SumWindow {
    /// An empty window of `seconds` seconds.
    ///
    /// # Panics
    /// `seconds` is 0.
    pub fn new(seconds: u32) -> Self {
        assert!(seconds > 0, "a window covers at least 1 second");
        Self { seconds: i64::from(seconds), filled: VecDeque::new(), all: Sums::default() }
    }

    /// Adds a pair of amounts in `second`.
    ///
    /// # Panics
    /// `second` lies before one added earlier.
    #[inline]
    pub fn add(&mut self, second: i64, numerator: u128, denominator: u128) {
        let one = Sums { count: 1, numerator, denominator };
        match self.filled.back_mut() {
            Some(newest) if newest.second == second => newest.sums.add(one),
            newest => {
                let newest = newest.map_or(i64::MIN, |newest| newest.second);
                assert!(second > newest, "second {second} follows second {newest}");
                self.filled.push_back(SecondSums { second, sums: one });
                self.all.add(one);
                self.expire(second.saturating_sub(self.seconds));
                return;
            }
        }
        self.all.add(one);
    }

    /// What the seconds [end - w, end) hold. Forgets what lies before them: later reads must not
    /// end earlier.
    ///
    /// # Panics
    /// `end_second` lies before the newest second added to.
    pub fn sums(&mut self, end_second: i64) -> Sums {
        self.expire(end_second.saturating_sub(self.seconds));
        let mut sums = self.all;
        if let Some(newest) = self.filled.back() {
            let second = newest.second;
            assert!(
                end_second >= second,
                "a window read at second {end_second} was added to in second {second}"
            );
            if second == end_second {
                sums.take(newest.sums);
            }
        }
        sums
    }

    /// Forgets the seconds before `start`.
    fn expire(&mut self, start: i64) {
        while let Some(oldest) = self.filled.front().filter(|oldest| oldest.second < start) {
            self.all.take(oldest.sums);
            self.filled.pop_front();
        }
    }
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.numerator += other.numerator;
        self.denominator += other.denominator;
    }

    fn take(&mut self, other: Self) {
        self.count -= other.count;
        self.numerator -= other.numerator;
        self.denominator -= other.denominator;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sums_are_those_of_a_naive_window(
            seconds in 1..20_u32,
            start in -50..50_i64,
            steps in prop::collection::vec((0..7_i64, any::<bool>(), 0..1_000_u64), 1..200),
        ) {
            let mut window = SumWindow::new(seconds);
            let mut all: Vec<(i64, u128)> = Vec::new();
            let mut now = start;
            for (gap, read, payload) in steps {
                now += gap;
                if read {
                    let inside = now - i64::from(seconds)..now;
                    let naive = all.iter().filter(|(at, _)| inside.contains(at));
                    let amounts: Vec<u128> = naive.map(|(_, amount)| *amount).collect();
                    let expected = Sums {
                        count: amounts.len() as u64,
                        numerator: amounts.iter().sum(),
                        denominator: amounts.iter().map(|amount| amount * 3).sum(),
                    };
                    prop_assert_eq!(window.sums(now), expected);
                } else {
                    window.add(now, u128::from(payload), u128::from(payload) * 3);
                    all.push((now, u128::from(payload)));
                }
                prop_assert!(window.filled.len() <= seconds as usize + 1);
            }
        }
    }

    #[test]
    #[should_panic(expected = "second 9 follows second 10")]
    fn time_does_not_go_back() {
        let mut window = SumWindow::new(5);
        window.add(10, 1, 1);
        window.add(9, 1, 1);
    }
}
