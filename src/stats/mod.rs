//! Statistics that know nothing of what they are about: windows, histograms, intervals, tests.
//!
//! Aggregates are integers, so that they do not depend on the order in which they are merged.

mod bins;
mod histogram;
mod interval;
mod multinomial;
mod sequential;
mod sum_window;
mod window;

pub use bins::Bin;
pub use histogram::{DurationHistogram, HistogramError};
pub use interval::{Confidence, Interval, Moments, QuantileRanks};
pub use multinomial::ln_share_evidence;
pub use sequential::ErrorShareTest;
pub use sum_window::{SumWindow, Sums};
pub use window::{CountWindow, Counts, SampleView, SampleWindow};
