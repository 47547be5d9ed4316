//! How a version failed, in words.

use super::failure_fit::{FailureFit, FailurePattern};
use crate::units::{Duration, format_count, format_duration, format_percent, format_significant};

impl FailureFit {
    /// How many failed, and how they come together.
    pub(super) fn counted(&self) -> String {
        let (failed, ended) = (format_count(self.failed), format_count(self.ended));
        format!("{failed} of {ended} failed. {}", self.in_words())
    }

    /// How failures come together, and how that was decided.
    pub fn in_words(&self) -> String {
        let test = self.dispersion.map_or_else(String::new, |(dispersion, score)| {
            format!(
                " (in windows of 10 s failures vary {} times as much as if they came each for \
                 itself, which is {} standard errors {})",
                format_significant(dispersion, 3),
                format_significant(score.abs(), 2),
                if score < 0.0 { "less" } else { "more" }
            )
        });
        let words = match &self.pattern {
            FailurePattern::Even if self.is_too_long => {
                format!("Failures come together{test}; here each request fails for itself.")
            }
            FailurePattern::Even => format!("Each request fails for itself{test}."),
            FailurePattern::Bursts { enter, leave, .. } => format!(
                "Failures come in bursts{test}: the likeliest chain of good and bad seconds has a \
                 bad stretch of {} every {}.",
                format_duration(Duration::from_secs_f64(1.0 / leave)),
                format_duration(Duration::from_secs_f64(1.0 / enter + 1.0 / leave))
            ),
            FailurePattern::Episode { from, to, within, outside, .. } => {
                let from = format_duration(Duration::from_secs(*from));
                let to = to.map_or_else(
                    || "on".to_owned(),
                    |to| format!("to {}", format_duration(Duration::from_secs(to))),
                );
                format!(
                    "An incident{test}: from {from} {to} {} of the requests failed, otherwise {}.",
                    format_percent(*within),
                    format_percent(*outside)
                )
            }
        };
        if !self.is_too_long {
            return words;
        }
        format!("{words} Too long to look for bursts: fit a stretch with --window.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_failures_come_together_is_said_with_its_direction() {
        let fit = |dispersion| FailureFit {
            ended: 4_909,
            failed: 19,
            normal: Vec::new(),
            pattern: FailurePattern::Even,
            dispersion: Some(dispersion),
            is_too_long: false,
        };
        assert_eq!(
            fit((0.958_4, -0.171)).counted(),
            "19 of 4,909 failed. Each request fails for itself (in windows of 10 s failures vary \
             0.958 times as much as if they came each for itself, which is 0.17 standard errors \
             less)."
        );
        assert!(fit((1.41, 2.5)).in_words().contains("1.41 times as much"));
        assert!(fit((1.41, 2.5)).in_words().ends_with("2.5 standard errors more)."));
    }
}
