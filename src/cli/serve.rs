//! `coalmine serve`: the gateway, from its configuration to its end by a signal.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use super::exit::Exit;
use super::open_files;
use super::open_gateway::{read_gateway, read_secret};
use super::server_log::start_log;
use super::shared_arguments::ScenarioArguments;
use super::signals::Signals;
use super::terminal::{Failure, complain, print};
use crate::clock::{TimeScale, WallClock};
use crate::gateway::{Gateway, StartError};
use crate::scenario::{GatewayPlan, LogFormat, StatePlan};
use crate::units::Duration;

#[derive(Clone, Debug, Args)]
pub(super) struct ServeArguments {
    /// The gateway's configuration
    pub(super) config: PathBuf,
    /// Check the configuration and the secrets that it names, and end
    #[arg(long)]
    pub(super) check: bool,
    /// How many threads serve [default: as many as there are cores]
    #[arg(long, value_name = "N")]
    pub(super) threads: Option<NonZeroUsize>,
    #[command(flatten)]
    pub(super) reading: ScenarioArguments,
}

pub(super) const SERVE_HELP: &str = "\
The configuration says where to listen, which upstreams there are, and which versions of which \
models they answer for; the journal that it names keeps everything that was changed since. The \
first start prints an access key, once. SIGTERM ends it when the requests under way have ended: \
`/readyz` says so at once, and requests are taken for as long as `drain_delay` says. SIGHUP reads \
the configuration again.

Examples:
  coalmine serve gateway.yaml --check
  coalmine serve gateway.yaml
  coalmine serve gateway.yaml --set listen=0.0.0.0:8080 --set state=/var/lib/coalmine/journal.db";

pub(super) fn serve(arguments: &ServeArguments) -> Result<Exit, Failure> {
    let plan = read_gateway(&arguments.config, &arguments.reading)?;
    if arguments.check {
        return check(arguments, &plan);
    }
    start_log(plan.log)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::internal)?;
    // Before anything is to be said, so that none is missed.
    let mut signals = Signals::notice(&runtime)?;
    open_files::allow_all();
    let threads = arguments
        .threads
        .unwrap_or_else(|| std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN));
    let clock = WallClock::new(TimeScale::REAL);
    let mut show = |key: &str| {
        print(&format!("Access key with scope admin, shown this once: {key}\n"))
            .map_err(|failure| io::Error::other(failure.message))
    };
    let gateway = Gateway::start(&plan, clock, &read_secret, threads, &mut show)
        .map_err(|error| not_started(arguments, &error))?;
    let addresses: Vec<String> = gateway.addresses().iter().map(SocketAddr::to_string).collect();
    tell(&plan, &format!("serving on {}", addresses.join(", ")));
    signals.follow(&runtime, || reload(arguments, &gateway));
    tell(&plan, &stopping_words(&plan));
    let stopping = runtime.spawn_blocking(|| gateway.stop());
    let stopped = runtime.block_on(async {
        tokio::select! {
            stopped = stopping => Some(stopped),
            () = signals.end() => None,
        }
    });
    match stopped {
        Some(Ok(stopped)) => {
            stopped.map_err(|error| Failure::internal(format!("error: {error}")))?;
            Ok(Exit::Pass)
        }
        Some(Err(error)) => Err(Failure::internal(format!("error: {error}"))),
        None => {
            tell(&plan, "stopped at once, by a second signal: requests under way are cut off");
            // The thread that waits for them would be waited for.
            runtime.shutdown_background();
            Ok(Exit::Interrupted)
        }
    }
}

/// What is said at the first signal to end.
fn stopping_words(plan: &GatewayPlan) -> String {
    let waiting = "waiting for requests under way";
    if plan.drain_delay == Duration::ZERO {
        return format!("stopping: {waiting}");
    }
    let delay = plan.drain_delay;
    format!("stopping: not ready from now on, taking requests for {delay} still, then {waiting}")
}

/// Says something to whoever started it: as a line of the log, where others read that.
fn tell(plan: &GatewayPlan, words: &str) {
    match plan.log.format {
        LogFormat::Json => tracing::info!("{words}"),
        LogFormat::Text => complain(words),
    }
}

/// What `--check` says.
fn check(arguments: &ServeArguments, plan: &GatewayPlan) -> Result<Exit, Failure> {
    let shown = arguments.config.display();
    Gateway::check(plan, &read_secret)
        .map_err(|error| Failure::input(format!("error: {shown}: {error}")))?;
    let models: Vec<String> = plan.models.iter().map(|model| model.id.to_string()).collect();
    let listen: Vec<String> = plan.listen.iter().map(SocketAddr::to_string).collect();
    let state = match &plan.state {
        StatePlan::Memory => "kept in memory".to_owned(),
        StatePlan::File(path) => path.display().to_string(),
    };
    print(&format!(
        "ok  {shown}\n    listens at  {}\n    models      {}\n    upstreams   {}\n    journal     \
         {state}\n",
        listen.join(", "),
        models.join(", "),
        plan.upstreams.iter().map(|u| u.name.as_str()).collect::<Vec<_>>().join(", "),
    ))?;
    Ok(Exit::Pass)
}

fn reload(arguments: &ServeArguments, gateway: &Gateway) {
    let taken = match read_gateway(&arguments.config, &arguments.reading) {
        Ok(plan) => gateway.reload(&plan, &read_secret).map_err(|error| format!("error: {error}")),
        Err(failure) => {
            gateway.reload_failed();
            Err(failure.message)
        }
    };
    match taken {
        Ok(()) => tracing::info!("the configuration was read again and is in force"),
        Err(message) => tracing::error!(message, "the new configuration is not taken"),
    }
}

fn not_started(arguments: &ServeArguments, error: &StartError) -> Failure {
    let message = format!("error: {}: {error}", arguments.config.display());
    match error {
        StartError::Upstream(_)
        | StartError::Route(_)
        | StartError::Refused { .. }
        | StartError::Store(_)
        | StartError::Open(_)
        | StartError::Notify(_) => Failure::input(message),
        _ => Failure::internal(message),
    }
}
