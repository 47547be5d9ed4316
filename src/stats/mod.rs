//! Statistics that know nothing of what they are about: windows, histograms, intervals, tests.
//!
//! Aggregates are integers, so that they do not depend on the order in which they are merged.

mod bins;
mod burst_block;
mod error_ratio;
mod fisher;
mod histogram;
mod holm;
mod interval;
mod log_bin;
mod measured;
mod micro_counts;
mod multinomial;
mod objective;
mod odds_bets;
mod paired_shares;
mod proportion;
mod quantile_difference;
mod quantile_sequence;
mod rank_classifier;
mod rank_test;
mod ratio;
mod ratio_of_sums;
mod sequential;
#[cfg(test)]
mod splitmix;
mod sum_window;
mod welch;
mod window;

pub use bins::Bin;
pub use burst_block::BurstBlock;
pub use error_ratio::ErrorRatioTest;
pub use fisher::fisher_exact;
pub use histogram::{DurationHistogram, HistogramError};
pub use holm::holm;
pub use interval::{Confidence, Interval, Moments, QuantileRanks};
pub(crate) use log_bin::LogBin;
pub use measured::Measured;
pub use multinomial::ln_share_evidence;
pub use objective::ObjectiveTest;
pub use paired_shares::PairedShares;
pub use proportion::Proportion;
pub use quantile_difference::QuantileDifference;
pub use quantile_sequence::QuantileSequence;
pub use rank_classifier::{RankClassifier, RankDirection, RankEffect, RankFinding, RankVerdict};
pub use rank_test::MannWhitney;
pub use ratio_of_sums::RatioOfSums;
pub use sequential::ErrorShareTest;
pub use sum_window::{SumWindow, Sums};
pub use welch::Welch;
pub use window::{CountWindow, Counts, SampleView, SampleWindow};
