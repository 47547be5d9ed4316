//! What happened in a run: the border between those who run and those who judge.
//!
//! A driver tells an [`Observer`] of every outcome and event; the [`Recorder`] folds them by
//! (phase, version, arm) into counts and histograms, into time series that coarsen as the run
//! grows, and into bounded lists of events. The [`Record`] holds all that a report needs, so that
//! an old result can be reported again. Knows no drivers and judges nothing.

mod blast;
mod bursts;
mod cell;
mod event;
mod evidence_text;
mod journal_copy;
mod key_refusal;
mod lockouts;
mod observer;
mod onsets;
mod order;
mod outcome;
mod recorder;
mod run_record;
mod series;
mod split_span;
mod spread;

pub use blast::Blast;
pub use bursts::{Bursts, Stretch};
pub use cell::{Cell, EndingCounts, Tally};
pub use event::{ArmCount, Happening, Timeline, TimelineEvent};
pub use evidence_text::{evidence_text, p_value_text, reading_text, seen_text};
pub use journal_copy::JournalCopy;
pub use key_refusal::{KeyFault, KeyRefusal, KeyRejections};
pub use observer::Observer;
pub use onsets::Onsets;
pub use order::{Order, OrderedShare, PhasePart, Refusal};
pub use outcome::{Arm, Attempt, Counterfactual, Outcome};
pub use recorder::{Recorder, RunHeader};
pub use run_record::{
    LostTag, ModelInfo, PhaseSpan, Promotion, Record, Rollback, RuleHealth, UndoneCommand,
    VersionInfo,
};
pub use series::{Series, SeriesPoint};
pub use split_span::SplitSpan;
pub use spread::Spread;
