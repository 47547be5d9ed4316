//! What a person or a machine reads of a run: text, tables, charts.
//!
//! Everything is returned as text or bytes, made from a [`ResultFile`](crate::result::ResultFile)
//! alone, so that every output can be made again from a stored one; what is told of a trace, of a
//! twin, of a load, of a backtest and of a sweep from what describes them. Knows no files and no
//! terminal.

mod backtest_chart;
mod backtest_markdown;
mod backtest_text;
mod backtest_words;
mod column;
mod command_text;
mod comparison;
mod comparison_charts;
mod comparison_headline;
mod cost_chart;
mod difference_chart;
mod endings_chart;
mod error_rates_chart;
mod facts;
mod fidelity_charts;
mod fidelity_markdown;
mod fidelity_text;
mod fidelity_words;
mod figures;
mod finding_text;
mod fuzz;
mod heat_chart;
mod latency_charts;
mod latency_curves;
mod layout;
mod live_text;
mod load_text;
mod load_words;
mod lockout_text;
mod markdown;
mod narrative;
mod over_time;
mod portable_path;
mod rare_words;
mod run_charts;
mod run_comparison;
mod run_comparison_csv;
mod run_comparison_markdown;
mod run_comparison_text;
mod run_looks;
mod story;
mod suite_annotations;
mod suite_junit;
mod suite_markdown;
mod suite_text;
mod suite_words;
mod sweep_charts;
mod sweep_csv;
mod sweep_detection_chart;
mod sweep_forest_chart;
mod sweep_harm_chart;
mod sweep_heat_chart;
mod sweep_looks;
mod sweep_markdown;
#[cfg(feature = "parquet")]
mod sweep_parquet;
mod sweep_survival_chart;
mod sweep_table;
mod sweep_text;
mod sweep_words;
mod table_csv;
mod terminal;
mod text_table;
mod timeline_chart;
mod timeline_marks;
mod trace_stats_charts;
mod trace_stats_csv;
mod trace_stats_grids;
mod trace_stats_lines;
mod trace_stats_markdown;
mod trace_stats_outcomes_chart;
mod trace_stats_parts;
mod trace_stats_text;
mod trace_stats_words;
mod tune_chart;
mod tune_markdown;
mod tune_text;
mod tune_words;
mod twin_charts;
mod twin_text;
mod verdict;
mod visible;

pub use backtest_chart::backtest_chart;
pub use backtest_markdown::backtest_markdown;
pub use backtest_text::backtest_text;
pub(crate) use command_text::order_text;
pub(crate) use comparison::{ENDED_WITH, Grid, MARKS, endings, mark, metrics, row_label};
pub use comparison_charts::comparison_charts;
pub(crate) use comparison_headline::ComparisonHeadline;
pub(crate) use facts::{blind_rules, run_facts};
pub use fidelity_charts::fidelity_charts;
pub use fidelity_markdown::fidelity_markdown;
pub use fidelity_text::fidelity_text;
pub(crate) use fidelity_words::{
    FidelityHeadline, allowed_text, deviation_text, error_label, fidelity_legend, fidelity_word,
    place, requests_text, rollback_text,
};
pub(crate) use figures::{
    NO_DATA, change, metric_label, table_estimate, table_interval, table_value,
};
pub(crate) use finding_text::{Found, change_text, found};
#[doc(hidden)]
pub use fuzz::fuzz_rehearsal;
pub use load_text::{load_markdown, load_text};
pub(crate) use lockout_text::refused_in_no_column;
pub use markdown::markdown_summary;
pub(crate) use narrative::{Line, Narrative, ellipsis, version_name};
pub(crate) use rare_words::{rare_grid, rare_legend, unreliable};
pub use run_charts::{RunChart, run_charts};
pub(crate) use run_comparison::{
    changed, compared_label, figure_difference, finding_word, legend, letter, missing, percent,
    run_names,
};
pub use run_comparison_csv::comparison_csv;
pub use run_comparison_markdown::comparison_markdown;
pub use run_comparison_text::comparison_report;
pub use suite_annotations::{Checkout, suite_annotations};
pub use suite_junit::suite_junit;
pub use suite_markdown::{
    GITHUB_COMMENT_LIMIT, GITLAB_NOTE_LIMIT, STEP_SUMMARY_LIMIT, suite_markdown,
};
pub use suite_text::suite_text;
pub use sweep_charts::{SWEEP_CHARTS, sweep_charts};
pub use sweep_csv::{sweep_cells_csv, sweep_runs_csv};
pub use sweep_markdown::sweep_markdown;
#[cfg(feature = "parquet")]
pub use sweep_parquet::{sweep_cells_parquet, sweep_runs_parquet};
pub use sweep_text::sweep_text;
pub(crate) use sweep_words::{
    SweepHeadline, cell_label, chances_grid, differences_grid, harm_grid, judged, short_names,
    sweep_legend, times_grid, trigger_sentences,
};
pub use table_csv::table_csv;
pub use terminal::{Style, terminal_report};
pub(crate) use text_table::text_table;
pub use trace_stats_charts::trace_stats_charts;
pub use trace_stats_csv::trace_stats_csv;
pub use trace_stats_markdown::trace_stats_markdown;
pub use trace_stats_text::trace_stats_text;
pub use tune_chart::tune_charts;
pub use tune_markdown::tune_markdown;
pub use tune_text::tune_text;
pub(crate) use tune_words::{
    TuneHeadline, combination_label, faults_grid, normal_sentence, rounds_sentence, sets_grid,
    shortfall_sentences, shown, tune_legend,
};
pub use twin_charts::twin_charts;
pub use twin_text::twin_text;
pub(crate) use verdict::{Headline, verdict_word};
pub(crate) use visible::{push_visible, visible};
