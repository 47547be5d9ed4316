//! The command line of `coalmine tune`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::shared_arguments::{ScenarioArguments, seed};
use crate::study::Variation;
use crate::units::Ratio;

#[derive(Clone, Debug, Args)]
pub(super) struct TuneArguments {
    /// The scenario file: its canary, without its faults, is the healthy release
    pub(super) scenario: PathBuf,
    /// Files that list what may be wrong with a release
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    pub(super) against: Vec<PathBuf>,
    /// The probability that a healthy release is rolled back, at most
    #[arg(long, value_name = "SHARE", default_value = "1e-4", value_parser = limit)]
    pub(super) false_rollback: Ratio,
    /// How many runs each fault gets in the last round of the search; the check takes as many
    /// others
    #[arg(
        long, value_name = "N", default_value_t = 40,
        value_parser = clap::value_parser!(u64).range(4..=MOST_SEEDS)
    )]
    pub(super) seeds: u64,
    /// The first seed; the others follow it [default: the scenario's]
    #[arg(long, value_name = "FIRST", allow_negative_numbers = true, value_parser = seed)]
    pub(super) seed: Option<u64>,
    /// How many runs of the healthy release the search makes, and the check once more [default: as
    /// many as prove the limit with one false rollback among them: some 6 divided by it]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MOST_RUNS))]
    pub(super) healthy: Option<u64>,
    /// The model whose rules are sought, where there are several
    #[arg(long, value_name = "MODEL")]
    pub(super) model: Option<String>,
    /// A file of rules whose triggers are tried beside the present ones, instead of the library's
    #[arg(long, value_name = "FILE")]
    pub(super) triggers: Option<PathBuf>,
    /// A path as --set takes it and the values that it is to take, such as the canary's weights:
    /// rules are sought for every combination; may be repeated
    #[arg(long, value_name = "PATH=A,B,C | PATH=A..B:N", value_parser = variation)]
    pub(super) vary: Vec<Variation>,
    #[command(flatten)]
    pub(super) reading: ScenarioArguments,
    /// Where tune.json, rules.json, summary.md, tune.html and the chart go [default: nowhere]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Do not draw the chart
    #[arg(long)]
    pub(super) no_charts: bool,
    /// How many runs are made at once [default: one for each processor]
    #[arg(long, value_name = "N")]
    pub(super) jobs: Option<NonZeroUsize>,
    /// What is printed on stdout
    #[arg(long, value_enum, default_value_t = TuneFormat::Text)]
    pub(super) format: TuneFormat,
}

/// What is printed on stdout.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum TuneFormat {
    /// For people.
    Text,
    /// The JSON file that is written, for machines.
    Json,
    /// The Markdown file that is written.
    Markdown,
    /// The recommended rules alone, as a gateway takes them.
    Rules,
}

fn limit(text: &str) -> Result<Ratio, String> {
    // 1e-4 is how such a number is written; of a scenario's literals it is none.
    let plain = text.parse().ok().and_then(|number| Ratio::new(number).ok());
    let ratio = plain
        .or_else(|| Ratio::parse(text).ok())
        .filter(|limit| (LEAST_LIMIT..=GREATEST_LIMIT).contains(&limit.get()));
    ratio.ok_or_else(|| {
        "allowed is a probability from 1e-6 to 0.5, such as 1e-4 or 0.01%".to_owned()
    })
}

fn variation(text: &str) -> Result<Variation, String> {
    Variation::parse(text).map_err(|error| error.to_string())
}

/// Chosen: six million runs prove it.
const LEAST_LIMIT: f64 = 1e-6;
/// Beyond it a rule set is no better than a coin.
const GREATEST_LIMIT: f64 = 0.5;
/// Chosen: means of more runs tell nothing more that anybody would act on.
const MOST_SEEDS: u64 = 100_000;
/// Chosen: what the least limit needs, and some more.
const MOST_RUNS: u64 = 10_000_000;

pub(super) const TUNE_HELP: &str = "\
Examples:
  coalmine tune scenarios/which-rules.yaml --against scenarios/faults/*.yaml
  coalmine tune scenarios/which-rules.yaml --against scenarios/faults/*.yaml \\
    --false-rollback 1e-3 --set 'workload.arrivals={poisson: 2.8/s}' --out reports/tune
  coalmine tune scenarios/which-rules.yaml --against scenarios/faults/errors.yaml \\
    --vary 'phases.canary.split={v1: 95%, v2: 5%},{v1: 50%, v2: 50%}' --format rules > rules.json

The scenario's phases, traffic and weights are taken as they are, what is wrong with its canary is
left out, and its rules are the present ones. Each fault of the lists is put on the canary from its
first traffic on. Triggers that may not act are watched in the runs, so that one run tells of all of
them; the best sets are then tried in force, beside the present rules, with seeds and faults that
the search has not used. The exit code is 0 if rules were found that keep the limit, 5 if none were
proved to.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_small_probability_however_it_is_written() {
        for text in ["1e-4", "0.0001", "0.01%"] {
            assert!((limit(text).unwrap().get() - 1e-4).abs() < 1e-12, "{text}");
        }
        for text in ["0", "1e-9", "60%", "-1", "NaN", "few"] {
            assert!(limit(text).unwrap_err().contains("1e-6 to 0.5"), "{text}");
        }
    }
}
