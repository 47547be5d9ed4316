//! The command line of `coalmine load`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};

use super::shared_arguments::{ScenarioArguments, duration, seed, told};
use super::trace_rows::window;
use crate::load::Limit;
use crate::units::{Duration, Rate, parse_requests};
use crate::workload::Window;

#[derive(Clone, Debug, Args)]
#[command(group(ArgGroup::new("where").required(true).args(["url", "target"])))]
#[command(group(ArgGroup::new("how-much").required(true)
    .args(["rate", "concurrency", "scenario", "trace"]).multiple(true)))]
pub(super) struct LoadArguments {
    /// Where requests go: without a path, or with one that ends in /v1, to its chat completions
    pub(super) url: Option<String>,
    /// The same, for those who prefer an option
    #[arg(long, value_name = "URL")]
    pub(super) target: Option<String>,

    /// Send so many requests a second, whether or not any has been answered
    #[arg(
        long,
        help_heading = SENT,
        conflicts_with_all = ["scenario", "trace", "concurrency"],
        value_parser = rate,
    )]
    pub(super) rate: Option<Rate>,
    /// How requests of --rate come: at equal distances, or independently of each other
    #[arg(
        long,
        help_heading = SENT,
        value_enum,
        default_value_t = ArrivalKind::Constant,
        requires = "rate",
    )]
    pub(super) arrivals: ArrivalKind,
    /// Send what a scenario's workload says, at its times
    #[arg(
        long,
        help_heading = SENT,
        value_name = "FILE",
        conflicts_with_all = ["trace", "tokens", "users"],
    )]
    pub(super) scenario: Option<PathBuf>,
    /// Send what a trace has recorded, at its times, in any format that is read; `-` reads stdin
    #[arg(long, help_heading = SENT, value_name = "FILE")]
    pub(super) trace: Option<PathBuf>,
    /// Only this stretch of the trace: 10m..30m
    #[arg(
        long,
        help_heading = SENT,
        value_name = "FROM..TO",
        requires = "trace",
        value_parser = window,
    )]
    pub(super) window: Option<Window>,
    /// How many times as fast as it was recorded
    #[arg(long, help_heading = SENT, value_name = "N", requires = "trace", value_parser = speed)]
    pub(super) speed: Option<f64>,
    /// Closed loop: so many requests are under way at all times, each sent when one was answered.
    /// With --scenario or --trace their times are passed over
    #[arg(long, help_heading = SENT, value_name = "N")]
    pub(super) concurrency: Option<NonZeroUsize>,
    /// Send nothing more after this time [default: 10s with --rate and --concurrency alone, unless
    /// --requests is given]
    #[arg(long = "for", help_heading = SENT, value_name = "TIME", value_parser = duration)]
    pub(super) length: Option<Duration>,
    /// Send so many requests at most
    #[arg(long, help_heading = SENT, value_name = "N", value_parser = requests)]
    pub(super) requests: Option<u64>,
    /// Tokens of each prompt and answer [default: 600,200; with --trace those of its rows]
    #[arg(long, help_heading = SENT, value_name = "INPUT,OUTPUT", value_parser = tokens)]
    pub(super) tokens: Option<[u32; 2]>,
    /// How many users send
    #[arg(
        long,
        help_heading = SENT,
        value_name = "N",
        default_value = "1000",
        value_parser = clap::value_parser!(u32).range(1..=10_000_000),
    )]
    pub(super) users: u32,
    /// Ask for streams
    #[arg(long, help_heading = SENT)]
    pub(super) stream: bool,
    /// Seed of all draws [default: the scenario's, else 1]
    #[arg(long, help_heading = SENT, allow_negative_numbers = true, value_parser = seed)]
    pub(super) seed: Option<u64>,
    #[command(flatten)]
    pub(super) reading: ScenarioArguments,

    /// The model that is asked for [default: those of the scenario or trace]
    #[arg(long, help_heading = ASKED, value_name = "NAME")]
    pub(super) model: Option<String>,
    /// A header of every request, as 'Name: value', in which places such as {user} are filled in;
    /// may be repeated
    #[arg(long = "header", help_heading = ASKED, value_name = "HEADER")]
    pub(super) headers: Vec<String>,
    /// The body of every request: a JSON file in which places such as {prompt} are filled in
    /// [default: a chat completion]
    #[arg(long, help_heading = ASKED, value_name = "FILE")]
    pub(super) body: Option<PathBuf>,
    /// The variable of the environment that holds the bearer key
    #[arg(
        long,
        help_heading = ASKED,
        value_name = "NAME",
        conflicts_with = "key_file"
    )]
    pub(super) key_env: Option<String>,
    /// The file that holds the bearer key
    #[arg(long, help_heading = ASKED, value_name = "PATH")]
    pub(super) key_file: Option<PathBuf>,
    /// HTTP/2: agreed on by TLS, or else spoken from the beginning
    #[arg(long, help_heading = ASKED)]
    pub(super) http2: bool,
    /// How long an answer may take
    #[arg(
        long,
        help_heading = ASKED,
        value_name = "TIME",
        default_value = "5m",
        value_parser = duration,
    )]
    pub(super) timeout: Duration,
    /// How long a connection may take to stand
    #[arg(
        long,
        help_heading = ASKED,
        value_name = "TIME",
        default_value = "10s",
        value_parser = duration,
    )]
    pub(super) connect_timeout: Duration,
    /// How long nothing may come of an answer that has begun [default: as long as --timeout]
    #[arg(long, help_heading = ASKED, value_name = "TIME", value_parser = duration)]
    pub(super) idle_timeout: Option<Duration>,
    /// How many requests may be under way; what is due beyond them waits, and counts as late
    #[arg(
        long,
        help_heading = ASKED,
        value_name = "N",
        default_value = "10000",
        conflicts_with = "concurrency"
    )]
    pub(super) max_in_flight: NonZeroUsize,
    /// How many threads send [default: one for each two processors]
    #[arg(long, help_heading = ASKED, value_name = "N")]
    pub(super) threads: Option<NonZeroUsize>,

    /// What a success must keep to for goodput: latency, ttft, tpot or gap; may be repeated
    #[arg(long = "limit", help_heading = TOLD, value_name = "WHAT=TIME", value_parser = limit)]
    pub(super) limits: Vec<(Limit, Duration)>,
    /// The figures are invalid where the P99 of the dispatch lag is longer
    #[arg(
        long,
        help_heading = TOLD,
        value_name = "TIME",
        default_value = "10ms",
        value_parser = duration,
    )]
    pub(super) lag_limit: Duration,
    /// What is printed on stdout
    #[arg(long, help_heading = TOLD, value_enum, default_value_t = LoadFormat::Text)]
    pub(super) format: LoadFormat,
    /// Where load.json and load.md go [default: nowhere]
    #[arg(long, help_heading = TOLD, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Write every request that ended into this file, as a trace that `trace stats`, `backtest` and
    /// scenarios read
    #[arg(long, help_heading = TOLD, value_name = "FILE")]
    pub(super) raw: Option<PathBuf>,
    /// Replace the file of --raw if it is there
    #[arg(long, help_heading = TOLD, requires = "raw")]
    pub(super) force: bool,
    /// Say each second on stderr how it goes, also where that is no terminal
    #[arg(long, help_heading = TOLD)]
    pub(super) progress: bool,
}

/// What options are about.
const SENT: &str = "What is sent";
const ASKED: &str = "How it is asked";
const TOLD: &str = "What is told";

/// How requests come at a rate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum ArrivalKind {
    /// At equal distances
    Constant,
    /// Independently of each other
    Poisson,
}

/// How it is told what came of a load.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum LoadFormat {
    /// For people
    Text,
    /// For machines: `coalmine schema load` prints the schema
    Json,
    /// For a pull request or a CI job's page
    Markdown,
}

fn rate(text: &str) -> Result<Rate, String> {
    let rate = Rate::parse(text).map_err(|error| told(&error))?;
    if rate == Rate::ZERO { Err("allowed is more than 0/s".to_owned()) } else { Ok(rate) }
}

fn requests(text: &str) -> Result<u64, String> {
    let requests = parse_requests(text).map_err(|error| told(&error))?;
    if requests == 0 { Err("allowed is at least 1".to_owned()) } else { Ok(requests) }
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok().filter(|speed| (0.001..=10_000.0).contains(speed));
    speed.ok_or_else(|| "allowed are numbers from 0.001 to 10000".to_owned())
}

fn tokens(text: &str) -> Result<[u32; 2], String> {
    let counts = text.split_once(',').and_then(|(input, output)| {
        Some([input.trim().parse().ok()?, output.trim().parse().ok()?])
    });
    let allowed = |counts: &[u32; 2]| counts.iter().all(|count| (1..=MOST_TOKENS).contains(count));
    counts.filter(allowed).ok_or_else(|| {
        format!("these are two whole numbers from 1 to {MOST_TOKENS}, such as 600,200")
    })
}

fn limit(text: &str) -> Result<(Limit, Duration), String> {
    let names = || Limit::ALL.map(Limit::name).join(", ");
    let Some((name, most)) = text.split_once('=') else {
        return Err(format!(
            "a limit is WHAT=TIME, such as ttft=500ms; what is limited is one of {}",
            names()
        ));
    };
    let limit = Limit::by_name(name.trim());
    let limit = limit.ok_or_else(|| format!("nothing is called {name}: there are {}", names()))?;
    Ok((limit, duration(most.trim())?))
}

/// Chosen: a prompt of so many words takes some 60 MB.
const MOST_TOKENS: u32 = 10_000_000;

pub(super) const LOAD_HELP: &str = "\
A request is sent at its time, whether or not those before it have been answered, and its latency \
counts from that time: a server that stands still shows. How late requests were sent is told apart \
(dispatch lag); a run in which it is above --lag-limit is invalid. With --concurrency the next \
request waits for an answer, which hides what users would have waited; the result says so.

Places of headers and bodies: {prompt} {model} {max_tokens} {input_tokens} {stream} {user} \
{session} {client} {number} {request}. Ctrl-C ends it with the result so far, a second one at once.

Exit codes:
  0 valid   1 internal error   2 usage   3 invalid file   6 invalid: sent too late, or not for want
  of something on this machine, or none has ended   130 cut short by a signal

Examples:
  coalmine load http://127.0.0.1:8080/v1 --rate 200/s --for 30s --model gpt-4 --stream
  coalmine load http://127.0.0.1:8081 --concurrency 64 --requests 100000 --model gpt-4-v1
  coalmine load --scenario scenarios/ten-thousand.yaml --target http://127.0.0.1:8080 --key-env KEY
  coalmine load https://gateway.internal/v1 --trace week.trace --speed 10 --raw replayed.trace
  coalmine load http://127.0.0.1:8080 --rate 50/s --model gpt-4 --stream --limit ttft=500ms \
--limit tpot=50ms --header 'X-User: user-{user}' --format json";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_named_and_have_a_time() {
        assert_eq!(limit("ttft=500ms"), Ok((Limit::Ttft, Duration::from_millis(500))));
        assert_eq!(limit("latency = 5s"), Ok((Limit::Latency, Duration::from_secs(5))));
        for (wrong, part) in [
            ("ttft", "such as ttft=500ms"),
            ("p99=1s", "nothing is called p99: there are latency, ttft, tpot, gap"),
            ("ttft=5", "did you mean 5s?"),
            ("ttft=0s", "more than 0s"),
        ] {
            let why = limit(wrong).unwrap_err();
            assert!(why.contains(part), "{wrong}: {why}");
        }
    }

    #[test]
    fn numbers_have_their_ranges() {
        assert_eq!(tokens("600, 200"), Ok([600, 200]));
        for wrong in ["600", "600,0", "0,1", "a,b", "10000001,1", "-1,5"] {
            assert!(tokens(wrong).is_err(), "{wrong}");
        }
        assert_eq!(speed("0.5"), Ok(0.5));
        for wrong in ["0", "-1", "NaN", "inf", "x", "10001"] {
            assert!(speed(wrong).is_err(), "{wrong}");
        }
        assert!(rate("0/s").is_err() && requests("0").is_err());
    }
}
