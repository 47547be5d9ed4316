//! Failures that come from one time on, or from one to another: an incident.

use super::outcome_counts::Outcomes;

/// A stretch of time in which requests fail more often than before and after it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct FailureEpisode {
    /// The first second of it.
    pub(super) from: usize,
    /// The first second after it; the end of the recording, where it did not end before.
    pub(super) to: usize,
    /// The share that fails in it, and outside of it.
    pub(super) within: f64,
    pub(super) outside: f64,
    pub(super) ln_likelihood: f64,
}

impl FailureEpisode {
    /// The likeliest stretch: all pairs of ends on a grid, then every second near either end of the
    /// best, one end after the other. `None` where no stretch has more failures than the rest.
    pub(super) fn fit(seconds: &[Outcomes]) -> Option<Self> {
        let mut sums = vec![Outcomes::default()];
        for second in seconds {
            sums.push(sums[sums.len() - 1].and(*second));
        }
        let step = seconds.len().div_ceil(GRID).max(1);
        let grid: Vec<usize> = (0..seconds.len()).step_by(step).chain([seconds.len()]).collect();
        let coarse = best(&sums, pairs(&grid, &grid))?;
        let near = |middle: usize| {
            let from = middle.saturating_sub(step);
            (from..=(middle + step).min(seconds.len())).collect::<Vec<_>>()
        };
        let (froms, tos) = (near(coarse.from), near(coarse.to));
        let mut found = coarse;
        // All pairs of the two would be the square of the step.
        for _ in 0..2 {
            found = best(&sums, pairs(&froms, &[found.to])).unwrap_or(found);
            found = best(&sums, pairs(&[found.from], &tos)).unwrap_or(found);
        }
        // An end is told only where it explains more than chance does.
        let open = best(&sums, pairs(&[found.from], &[seconds.len()]));
        let is_open = |open: &Self| found.ln_likelihood - open.ln_likelihood < LEAST_GAIN;
        Some(open.filter(is_open).unwrap_or(found))
    }
}

fn pairs<'a>(froms: &'a [usize], tos: &'a [usize]) -> impl Iterator<Item = (usize, usize)> + 'a {
    let pair = |from: usize| tos.iter().map(move |to| (from, *to)).filter(|(from, to)| from < to);
    froms.iter().flat_map(move |from| pair(*from))
}

/// The likeliest of these stretches, the shorter of equals.
fn best(sums: &[Outcomes], pairs: impl Iterator<Item = (usize, usize)>) -> Option<FailureEpisode> {
    let all = sums[sums.len() - 1];
    let mut best: Option<FailureEpisode> = None;
    for (from, to) in pairs {
        let within = sums[to].without(sums[from]);
        let outside = all.without(within);
        if within.ended == 0 || outside.ended == 0 || within.share() <= outside.share() {
            continue;
        }
        let ln_likelihood = within.best_ln_likelihood() + outside.best_ln_likelihood();
        let is_better = |best: &FailureEpisode| {
            let gain = ln_likelihood - best.ln_likelihood;
            gain > 1e-9 || (gain > -1e-9 && to - from < best.to - best.from)
        };
        if best.as_ref().is_none_or(is_better) {
            let (within, outside) = (within.share(), outside.share());
            best = Some(FailureEpisode { from, to, within, outside, ln_likelihood });
        }
    }
    // What nobody asked for afterwards did not end there.
    best.map(|mut episode| {
        if sums[episode.to].ended == all.ended {
            episode.to = sums.len() - 1;
        }
        episode
    })
}

/// Half the quantile at 99 % of chi-squared with one degree of freedom: what an end that is none
/// gains in likelihood once in a hundred recordings (S. S. Wilks, Annals of Mathematical Statistics
/// 9, 1938, doi:10.1214/aoms/1177732360).
const LEAST_GAIN: f64 = 3.317_448_3;
/// Chosen: half a million pairs.
const GRID: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// One request in two seconds, of which every third fails from second 2,230 on, and none
    /// before.
    #[test]
    fn the_second_from_which_on_requests_fail_is_found() {
        let of = |second: usize| Outcomes {
            ended: u32::from(second.is_multiple_of(2)),
            failed: u32::from(second >= 2_230 && (second - 2_230).is_multiple_of(6)),
        };
        let seconds: Vec<_> = (0..3_600).map(of).collect();
        let episode = FailureEpisode::fit(&seconds).unwrap();
        assert!((2_229..=2_230).contains(&episode.from), "{episode:?}");
        assert!((episode.within - 1.0 / 3.0).abs() < 0.01, "{episode:?}");
        assert_eq!(episode.outside, 0.0);
        assert_eq!(episode.to, 3_600);
    }

    /// 30 days, of which the grid has every 2,592nd second: the ends lie between its points.
    #[test]
    fn both_ends_are_found_between_the_points_of_the_grid() {
        let of = |second: usize| Outcomes {
            ended: 1,
            failed: u32::from((1_000_777..1_010_777).contains(&second)),
        };
        let seconds: Vec<_> = (0..2_592_000).map(of).collect();
        let episode = FailureEpisode::fit(&seconds).unwrap();
        assert_eq!((episode.from, episode.to), (1_000_777, 1_010_777));
    }

    #[test]
    fn an_incident_that_ended_has_two_ends() {
        let of = |second: usize| Outcomes {
            ended: 4,
            failed: if (700..1_000).contains(&second) { 2 } else { u32::from(second % 50 == 25) },
        };
        let seconds: Vec<_> = (0..5_000).map(of).collect();
        let episode = FailureEpisode::fit(&seconds).unwrap();
        assert_eq!((episode.from, episode.to), (700, 1_000));
    }
}
