//! When a rule's comparison began to hold and for how long it has, worked out from all its checks
//! as `docs/engine.md` tells it, and from nothing else.

use crate::units::{Duration, Timestamp};

/// What a check found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Found {
    NoData,
    Breach,
    Clear,
}

/// A breach that has not ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Lasting {
    /// The check at which its timer started.
    pub(super) since: Timestamp,
    /// The timer's age.
    pub(super) age: Duration,
    /// At how many of its checks the age had reached the duration.
    pub(super) reached: u32,
}

/// The breach that lasts after these checks, the last one last.
pub(super) fn lasting(checks: &[(Timestamp, Found)], duration: Duration) -> Option<Lasting> {
    let mut lasting: Option<Lasting> = None;
    let mut before: Option<(Timestamp, Found)> = None;
    let mut silent_since = None;
    for &(at, found) in checks {
        match found {
            Found::Clear => lasting = None,
            Found::NoData => {
                let since = *silent_since.get_or_insert(at);
                if at.since(since) > duration && lasting.is_some() {
                    lasting = None;
                    silent_since = None;
                }
            }
            Found::Breach => {
                let fresh = Lasting { since: at, age: Duration::ZERO, reached: 0 };
                let apart = before.filter(|(_, found)| *found != Found::NoData);
                let apart = apart.map(|(earlier, _)| at.since(earlier));
                let stale = apart.is_some_and(|apart| apart > duration.ceil_secs());
                let mut breach = match lasting {
                    // Not refreshed within its duration: the safeguard against that is off.
                    Some(_) if stale && !duration.is_zero() => fresh,
                    Some(breach) => {
                        Lasting { age: breach.age + apart.unwrap_or_default(), ..breach }
                    }
                    None => fresh,
                };
                breach.reached += u32::from(breach.age >= duration);
                lasting = Some(breach);
            }
        }
        if found != Found::NoData {
            silent_since = None;
        }
        before = Some((at, found));
    }
    lasting
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of `docs/engine.md`: duration 60 s, a check every 15 s.
    #[test]
    fn the_worked_example_fires_where_it_says() {
        let check = |second: i64, clean: i64| {
            let breach = second >= 30 && second != clean;
            let found = if breach { Found::Breach } else { Found::Clear };
            (Timestamp::from_second(second), found)
        };
        let duration = Duration::from_secs(60);
        for (clean, fires) in [(0, 90), (60, 135)] {
            let checks: Vec<_> = (1..=9).map(|k| check(15 * k, clean)).collect();
            let first = (1..=9).find(|k| {
                lasting(&checks[..*k], duration).is_some_and(|breach| breach.reached > 0)
            });
            assert_eq!(first.map(|k| 15 * k), Some(fires));
        }
    }

    #[test]
    fn no_data_stands_still_and_for_longer_than_the_duration_forgets() {
        let at = |second, found| (Timestamp::from_second(second), found);
        let mut checks = vec![at(10, Found::Breach), at(20, Found::NoData), at(30, Found::Breach)];
        let duration = Duration::from_secs(25);
        assert_eq!(lasting(&checks, duration).unwrap().age, Duration::ZERO);
        checks.extend([40, 50, 60].map(|second| at(second, Found::NoData)));
        assert!(lasting(&checks, duration).is_some());
        checks.push(at(70, Found::NoData));
        assert!(lasting(&checks, duration).is_none());
    }
}
