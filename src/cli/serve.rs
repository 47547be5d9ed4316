//! `coalmine serve`: the gateway, from its configuration to its end by a signal.

use std::fs::File;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

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
use crate::scenario::{GatewayPlan, LogFormat, RecordPlan, StatePlan};
use crate::units::Duration;

#[derive(Clone, Debug, Args)]
pub(super) struct ServeArguments {
    /// The gateway's configuration
    pub(super) config: PathBuf,
    /// Check the configuration and the secrets that it names, and end
    #[arg(long)]
    pub(super) check: bool,
    /// Write the first access key into this file, which must not be there yet and is readable for
    /// its owner alone, and not to stdout
    #[arg(long, value_name = "FILE")]
    pub(super) admin_key_file: Option<PathBuf>,
    /// Record requests and their outcomes into this file, as a trace, without prompts and answers:
    /// `record` of the configuration says how large it becomes
    #[arg(long, value_name = "FILE")]
    pub(super) record: Option<PathBuf>,
    /// How many threads serve [default: as many as there are cores]
    #[arg(long, value_name = "N")]
    pub(super) threads: Option<NonZeroUsize>,
    #[command(flatten)]
    pub(super) reading: ScenarioArguments,
}

pub(super) const SERVE_HELP: &str = "\
The configuration says where to listen, which upstreams there are, and which versions of which \
models they answer for; the journal that it names keeps everything that was changed since. The \
first start prints an access key, once, or writes it into --admin-key-file. SIGTERM ends it when \
the requests under way have ended: `/readyz` says so at once, and requests are taken for as long \
as `drain_delay` says. SIGHUP reads the configuration again.

Examples:
  coalmine serve gateway.yaml --check
  coalmine serve gateway.yaml --admin-key-file admin.key
  coalmine serve gateway.yaml --record traffic.jsonl
  coalmine serve gateway.yaml --set listen=0.0.0.0:8080 --set state=/var/lib/coalmine/journal.db";

pub(super) fn serve(arguments: &ServeArguments) -> Result<Exit, Failure> {
    let plan = read_plan(arguments)?;
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
    let gateway = start(arguments, &plan)?;
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

/// The plan of the configuration, with what the command line says.
fn read_plan(arguments: &ServeArguments) -> Result<GatewayPlan, Failure> {
    let mut plan = read_gateway(&arguments.config, &arguments.reading)?;
    if let Some(file) = &arguments.record {
        let record = plan.record.take().unwrap_or_else(|| RecordPlan::new(file.clone()));
        plan.record = Some(RecordPlan { file: file.clone(), ..record });
    }
    Ok(plan)
}

/// Hands out the first access key, which nobody can ask for again.
fn show_key(file: Option<&Path>, key: &str) -> io::Result<()> {
    let Some(path) = file else {
        return print(&format!("Access key with scope admin, shown this once: {key}\n"))
            .map_err(|failure| io::Error::other(failure.message));
    };
    let of = |error: io::Error| {
        let help = match error.kind() {
            io::ErrorKind::AlreadyExists => ": name a file that is not there yet",
            _ => "",
        };
        let words = format!("--admin-key-file {}: {error}{help}", path.display());
        io::Error::new(error.kind(), words)
    };
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(of)?;
    let written = file.write_all(format!("{key}\n").as_bytes()).and_then(|()| file.sync_all());
    if let Err(error) = written {
        let _ = std::fs::remove_file(path);
        return Err(of(error));
    }
    complain(&format!("the access key with scope admin is in {}", path.display()));
    Ok(())
}

fn start(arguments: &ServeArguments, plan: &GatewayPlan) -> Result<Gateway, Failure> {
    let threads = arguments
        .threads
        .unwrap_or_else(|| std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN));
    let clock = WallClock::new(TimeScale::REAL);
    let file = arguments.admin_key_file.as_deref();
    let mut is_shown = false;
    let mut show = |key: &str| {
        show_key(file, key)?;
        is_shown = true;
        Ok(())
    };
    let started = Gateway::start(plan, clock, &read_secret, threads, &mut show);
    match (&started, file) {
        (Ok(_), Some(path)) if !is_shown => {
            let path = path.display();
            tell(plan, &format!("no key is made for {path}: the journal has keys already"));
        }
        // The key in it is valid nowhere, and the next start makes another.
        (Err(_), Some(path)) if is_shown => drop(std::fs::remove_file(path)),
        _ => {}
    }
    started.map_err(|error| not_started(arguments, &error))
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
    let taken = match read_plan(arguments) {
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
