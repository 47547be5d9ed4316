//! The command line of `coalmine backtest`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::shared_arguments::time;
use crate::backtest::{RolledBackBy, SaidEnd, SaidSplit};
use crate::units::{Duration, LiteralError, ModelId, Ratio, TagName, VersionId};

#[derive(Clone, Debug, Args)]
pub(super) struct BacktestArguments {
    /// A trace with versions, durations and statuses, in any format that has them
    pub(super) trace: PathBuf,
    /// A file of rollback rules, JSON or YAML; the first is that of the day, further ones are what
    /// could have been in its place; may be repeated
    #[arg(long, required = true, value_name = "FILE")]
    pub(super) rules: Vec<PathBuf>,
    /// The model whose requests are looked at [default: the only one]
    #[arg(long, value_name = "MODEL", value_parser = ModelId::new)]
    pub(super) model: Option<ModelId>,
    /// The version that was the stable [default: the one that was there before any other]
    #[arg(long, value_name = "VERSION", value_parser = VersionId::new)]
    pub(super) stable: Option<VersionId>,
    /// A tag that rules name, and the version that had it; may be repeated
    #[arg(long, value_name = "TAG=VERSION", value_parser = tag)]
    pub(super) tag: Vec<(TagName, VersionId)>,
    /// Weights that were in force from an instant on, such as 20m=v1:80%,v2:20%; may be repeated,
    /// in the order of time [default: the shares that were recorded]
    #[arg(long, value_name = "TIME=WEIGHTS", value_parser = split)]
    pub(super) split: Vec<SaidSplit>,
    /// When canaries lost their traffic, such as 52m, or never [default: after their last request,
    /// where chance does not explain that they get none]
    #[arg(long, value_name = "TIME", value_parser = end)]
    pub(super) rolled_back: Option<SaidEnd>,
    /// Who took it: then the rules of the day must have fired [default: not known]
    #[arg(long, value_enum, value_name = "WHO")]
    pub(super) rolled_back_by: Option<By>,
    /// When the canary was bad, such as 37m..52m, or 37m to its end: firings at other times are
    /// false alarms, and the time to detect counts from there
    #[arg(long, value_name = "FROM[..TO]", value_parser = incident)]
    pub(super) incident: Option<(Duration, Option<Duration>)>,
    /// What must hold of each rule set but that of the day, such as "time_to_rollback <= 3m"; may
    /// be repeated
    #[arg(long, value_name = "LINE")]
    pub(super) require: Vec<String>,
    /// Where backtest.json, backtest.md and the chart go [default: nowhere]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// What is printed on stdout
    #[arg(long, value_enum, default_value_t = BacktestFormat::Text)]
    pub(super) format: BacktestFormat,
}

/// Who took a canary's traffic.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum By {
    /// Somebody, by a command
    Hand,
    /// The rules of the day
    Rules,
}

/// What is printed of a backtest on stdout.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum BacktestFormat {
    /// For people
    Text,
    /// For machines: `coalmine schema backtest` prints the schema
    Json,
    /// For a pull request or the page of an incident
    Markdown,
}

impl From<By> for RolledBackBy {
    fn from(by: By) -> Self {
        match by {
            By::Hand => Self::Hand,
            By::Rules => Self::Rules,
        }
    }
}

fn told(error: &LiteralError) -> String {
    let meant = error.suggestion().map(|meant| format!("; did you mean {meant}?"));
    format!("{error}{}", meant.unwrap_or_default())
}

fn version(text: &str) -> Result<VersionId, String> {
    VersionId::new(text).map_err(|error| error.to_string())
}

fn tag(text: &str) -> Result<(TagName, VersionId), String> {
    let (tag, of) = text.split_once('=').ok_or("write TAG=VERSION, such as beta=v2")?;
    Ok((TagName::new(tag).map_err(|error| error.to_string())?, version(of)?))
}

fn split(text: &str) -> Result<SaidSplit, String> {
    let form = "write TIME=VERSION:WEIGHT,VERSION:WEIGHT, such as 20m=v1:80%,v2:20%";
    let (from, weights) = text.split_once('=').ok_or(form)?;
    let share = |share: &str| {
        // The name of a version may hold colons itself.
        let (id, weight) = share.rsplit_once(':').ok_or(form)?;
        Ok((version(id)?, Ratio::parse(weight).map_err(|error| told(&error))?))
    };
    let shares = weights.split(',').map(share).collect::<Result<_, String>>()?;
    Ok(SaidSplit { from: time(from)?, shares })
}

fn end(text: &str) -> Result<SaidEnd, String> {
    if text == "never" { Ok(SaidEnd::Never) } else { time(text).map(SaidEnd::At) }
}

fn incident(text: &str) -> Result<(Duration, Option<Duration>), String> {
    let (from, to) = match text.split_once("..") {
        Some((from, to)) => (time(from)?, Some(time(to)?)),
        None => (time(text)?, None),
    };
    match to.filter(|to| *to <= from) {
        Some(_) => Err("it ends before it begins: write FROM..TO, such as 37m..52m".to_owned()),
        None => Ok((from, to)),
    }
}

pub(super) const BACKTEST_HELP: &str = "\
Examples:
  coalmine backtest incident.jsonl.gz --rules rules.json
  coalmine backtest incident.jsonl.gz --rules rules.json --rules tighter.json --incident 37m..52m
  coalmine backtest incident.jsonl.gz --rules rules.json --rules judge.json --incident 37m \\
    --require 'time_to_rollback <= 3m' --require 'false_rollbacks == 0'
  coalmine backtest incident.jsonl.gz --rules rules.json --split 20m=v1:80%,v2:20%
  coalmine backtest incident.jsonl.gz --rules rules.json --rules tighter.json --out reports/incident

Times count from the beginning of the trace. The first rules must come to what the recording shows:
where they would have fired earlier, the replay is not what happened, and the exit code is 6. Known
to --require are rollbacks, blast_radius.failed and blast_radius.requests, and with --incident
false_rollbacks, time_to_rollback and time_to_detect; baseline(...) is that of the first rules.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_read_with_their_time_and_names_with_colons() {
        let said = split("20m=v1:80%,team:v2:0.2").unwrap();
        assert_eq!(said.from, Duration::from_secs(1_200));
        let told: Vec<(&str, f64)> =
            said.shares.iter().map(|(id, weight)| (id.as_str(), weight.get())).collect();
        assert_eq!(told, [("v1", 0.8), ("team:v2", 0.2)]);
        for wrong in ["20m", "20m=v1", "20=v1:80%", "20m=v1:80 percent", "20m=:80%"] {
            assert!(split(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_incident_has_a_beginning_and_maybe_an_end() {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        assert_eq!(incident("37m"), Ok((minutes(37), None)));
        assert_eq!(incident("0s..52m"), Ok((Duration::ZERO, Some(minutes(52)))));
        for wrong in ["52m..37m", "37", "37m..", "37m..37m"] {
            assert!(incident(wrong).is_err(), "{wrong}");
        }
        assert_eq!(end("never"), Ok(SaidEnd::Never));
        assert_eq!(end("52m"), Ok(SaidEnd::At(minutes(52))));
        assert!(end("soon").is_err());
    }
}
