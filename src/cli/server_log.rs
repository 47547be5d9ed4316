//! The log of a server: lines on stderr, for people or for machines.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::terminal::Failure;
use crate::scenario::{LogFormat, LogLevel, LogPlan};

/// Begins the log of this process.
pub(super) fn start_log(plan: LogPlan) -> Result<(), Failure> {
    let level = match plan.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let lines = fmt::layer().with_writer(std::io::stderr);
    // At most what was asked for, of the libraries below as well.
    let all = tracing_subscriber::registry().with(level);
    let begun = match plan.format {
        LogFormat::Text => all.with(lines.with_ansi(false)).try_init(),
        LogFormat::Json => all.with(lines.json().flatten_event(true)).try_init(),
    };
    begun.map_err(|error| Failure::internal(format!("error: the log cannot begin: {error}")))
}
