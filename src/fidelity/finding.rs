//! What an error means, held to what is allowed.

use serde::{Deserialize, Serialize};

use super::tolerances::Allowed;

/// What an error means.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// It is shown, and not judged.
    Unjudged,
    /// No more than is allowed.
    Within,
    /// It may be within or beyond what is allowed: too little was seen.
    Undecided,
    /// More than is allowed and than chance explains.
    Beyond,
}

/// How often each finding was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct FindingCounts {
    /// Errors that are within.
    pub within: u64,
    /// Errors that are beyond.
    pub beyond: u64,
    /// Errors of which too little was seen.
    pub undecided: u64,
    /// Errors that are only shown.
    pub unjudged: u64,
}

impl FindingCounts {
    /// Of these findings.
    pub(super) fn of(findings: impl Iterator<Item = Finding>) -> Self {
        findings.fold(Self::default(), |mut counts, finding| {
            let count = match finding {
                Finding::Within => &mut counts.within,
                Finding::Beyond => &mut counts.beyond,
                Finding::Undecided => &mut counts.undecided,
                Finding::Unjudged => &mut counts.unjudged,
            };
            *count += 1;
            counts
        })
    }

    /// How many were judged.
    pub const fn judged(&self) -> u64 {
        self.within + self.beyond + self.undecided
    }

    /// What all of them come to: the gravest.
    pub const fn verdict(&self) -> Finding {
        match self {
            Self { beyond: 1.., .. } => Finding::Beyond,
            Self { undecided: 1.., .. } => Finding::Undecided,
            Self { within: 1.., .. } => Finding::Within,
            _ => Finding::Unjudged,
        }
    }
}

/// What is known of two runs' chances.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Chances {
    /// Both met the same draws.
    Same,
    /// Each had its own.
    Own,
    /// Each had its own, and requests of either bear on each other: the true uncertainty is more
    /// than the interval says.
    OwnAndDependent,
}

/// What an error means that lies, for all that chance can do, from `low` to `high`; infinite where
/// that is not known.
pub(super) fn judge(
    error: f64,
    (low, high): (f64, f64),
    allowed: Allowed,
    chances: Chances,
) -> Finding {
    let most = match allowed {
        Allowed::UpTo(share) => share.get(),
        Allowed::SamplingError => 0.0,
    };
    let is_bounded = low > f64::NEG_INFINITY || high < f64::INFINITY;
    let is_wide = low < -most && high > most;
    if low > most || high < -most {
        return match chances {
            Chances::OwnAndDependent => Finding::Undecided,
            Chances::Own | Chances::Same => Finding::Beyond,
        };
    }
    let is_within = match allowed {
        Allowed::SamplingError => is_bounded,
        Allowed::UpTo(_) => error.abs() <= most && (chances == Chances::Same || !is_wide),
    };
    if is_within { Finding::Within } else { Finding::Undecided }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::Ratio;

    const ONE_PERCENT: Allowed = Allowed::UpTo(Ratio::from_percent(1));

    #[test]
    fn an_error_is_judged_by_where_its_interval_lies() {
        let inf = f64::INFINITY;
        for (error, limits, own, same) in [
            // Known well, less than a percent.
            (0.004, (0.001, 0.007), Finding::Within, Finding::Within),
            (-0.004, (-0.012, 0.004), Finding::Within, Finding::Within),
            // Wider than the tolerance on both sides.
            (0.004, (-0.02, 0.028), Finding::Undecided, Finding::Within),
            (0.0, (-inf, inf), Finding::Undecided, Finding::Within),
            // More than a percent, and it may be less.
            (0.02, (0.005, 0.035), Finding::Undecided, Finding::Undecided),
            (0.02, (-0.03, 0.07), Finding::Undecided, Finding::Undecided),
            // More than a percent for sure.
            (0.02, (0.011, 0.029), Finding::Beyond, Finding::Beyond),
            (-0.02, (-inf, -0.011), Finding::Beyond, Finding::Beyond),
            // The limit itself is allowed.
            (0.01, (0.01, 0.01), Finding::Within, Finding::Within),
        ] {
            assert_eq!(judge(error, limits, ONE_PERCENT, Chances::Own), own, "{limits:?}");
            assert_eq!(judge(error, limits, ONE_PERCENT, Chances::Same), same, "{limits:?}");
        }
    }

    #[test]
    fn what_chance_explains_is_what_the_interval_holds_0_of() {
        let judged = |limits| judge(0.02, limits, Allowed::SamplingError, Chances::Own);
        assert_eq!(judged((-0.01, 0.05)), Finding::Within);
        assert_eq!(judged((0.0, 0.05)), Finding::Within);
        assert_eq!(judged((0.001, 0.05)), Finding::Beyond);
        assert_eq!(judged((f64::NEG_INFINITY, f64::INFINITY)), Finding::Undecided);
    }

    #[test]
    fn where_requests_bear_on_each_other_nothing_is_beyond() {
        let judged = |limits| judge(0.05, limits, ONE_PERCENT, Chances::OwnAndDependent);
        assert_eq!(judged((0.04, 0.06)), Finding::Undecided);
    }

    #[test]
    fn the_gravest_finding_is_the_verdict() {
        use Finding::{Beyond, Undecided, Unjudged, Within};
        for (findings, verdict) in [
            (&[Within, Beyond, Undecided][..], Beyond),
            (&[Within, Undecided, Unjudged], Undecided),
            (&[Unjudged, Within], Within),
            (&[Unjudged], Unjudged),
            (&[], Unjudged),
        ] {
            let counts = FindingCounts::of(findings.iter().copied());
            assert_eq!(counts.verdict(), verdict, "{findings:?}");
        }
    }

    proptest! {
        #[test]
        fn an_error_and_its_mirror_image_mean_the_same(
            error in -0.1..0.1, below in 0.0..0.1, above in 0.0..0.1, percent in 0_u8..10,
        ) {
            let (low, high) = (error - below, error + above);
            let up_to = Allowed::UpTo(Ratio::from_percent(percent));
            for allowed in [up_to, Allowed::SamplingError] {
                for chances in [Chances::Same, Chances::Own, Chances::OwnAndDependent] {
                    prop_assert_eq!(
                        judge(error, (low, high), allowed, chances),
                        judge(-error, (-high, -low), allowed, chances)
                    );
                }
            }
        }

        #[test]
        fn more_allowed_never_makes_it_worse(
            error in -0.1..0.1, below in 0.0..0.1, above in 0.0..0.1, percent in 0_u8..10,
        ) {
            let limits = (error - below, error + above);
            let found = |percent| {
                judge(error, limits, Allowed::UpTo(Ratio::from_percent(percent)), Chances::Own)
            };
            prop_assert!(found(percent + 1) <= found(percent));
        }
    }
}
