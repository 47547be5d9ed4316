//! From a recording to the scenario that is its twin.
//!
//! [`Observed`] takes the requests of a recording in one pass and keeps what there is to be fitted;
//! [`Fitted`] are the parameters, each chosen by a stated criterion, and writes them as a scenario
//! file; [`Goodness`] runs that file and holds the twin against the recording, figure by figure.
//! `docs/trace-fit.md` has formulas and limits. Knows no files and no formats of traces.

mod arrival_model;
mod arrivals;
mod burst_search;
mod counts;
mod error;
mod failure_chain;
mod failure_episode;
mod failure_fit;
mod failure_words;
mod fitted;
mod goodness;
mod latency_fit;
mod least_squares;
mod literal;
mod missing;
mod not_reproduced;
mod observed;
mod outcome_counts;
mod price_fit;
mod quantile_table;
mod rank_correlation;
mod rate_process;
mod reservoir;
mod scenario_lines;
mod scenario_text;
mod source;
mod spread;
#[cfg(test)]
mod truth;
mod twin;
mod user_fit;

pub use arrival_model::{ArrivalModel, Bursts};
pub use arrivals::{ArrivalFit, Candidate};
pub use error::FitError;
pub use failure_fit::{FailureFit, FailureKindFit, FailurePattern};
pub use fitted::{Fitted, ModelFit, SessionFit, TokenFit, VersionFit};
pub use goodness::{Curve, Dispersion, Figure, FigureUnit, Goodness};
pub use latency_fit::{LatencyFit, LatencyPartsFit};
pub use missing::Missing;
pub use observed::Observed;
pub use price_fit::PriceFit;
pub use quantile_table::QuantileTable;
pub use source::RecordingSource;
pub use spread::Spread;
pub use user_fit::UserFit;
