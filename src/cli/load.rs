//! `coalmine load`: sends a workload over HTTP and tells what came of it.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration as Wait;

use super::apart::{Role, check_apart};
use super::exit::Exit;
use super::interrupt::Interrupt;
use super::load_arguments::{LoadArguments, LoadFormat};
use super::load_plan::{Forced, LoadPlan};
use super::load_progress::LoadProgress;
use super::load_raw::{LoadObserver, RawLog};
use super::open_files;
use super::output::{check_folder, style, write_files};
use super::terminal::{Failure, complain, print};
use crate::clock::{TimeScale, WallClock};
use crate::load::{
    Control, Http, Limits, Load, LoadError, LoadFacts, LoadMeter, LoadReport, LoadSettings,
    Message, MessageError, MessageParts, Pacing, Patience, Target, generate,
};
use crate::notify::WebTls;
use crate::report::{load_markdown, load_text};
use crate::units::format_counted;

pub(super) fn load(arguments: &LoadArguments) -> Result<Exit, Failure> {
    check_files(arguments)?;
    let target = target(arguments)?;
    let plan = LoadPlan::of(arguments)?;
    let message = message(arguments, &plan)?;
    let stream = stream(arguments, &message)?;
    let raw = arguments.raw.as_ref().map(|path| RawLog::new(path, arguments.force)).transpose()?;
    let interrupt = Interrupt::notice()?;
    // Each request in flight has a socket.
    open_files::allow_all();
    let facts = LoadFacts {
        target: target.to_string(),
        http: target.http().number(),
        workload: plan.words.clone(),
        concurrency: arguments.concurrency.map(|count| count.get() as u64),
        is_cut_short: false,
        lag_limit: arguments.lag_limit,
    };
    let settings = LoadSettings {
        target,
        message,
        clock: WallClock::new(TimeScale::REAL),
        start: None,
        pacing: match arguments.concurrency {
            Some(concurrency) => Pacing::Closed { concurrency },
            None => Pacing::Open,
        },
        most_in_flight: arguments.max_in_flight,
        until: plan.until,
        patience: Patience {
            connect: arguments.connect_timeout,
            idle: arguments.idle_timeout,
            total: arguments.timeout,
        },
    };
    let (load, is_cut_short) = send(arguments, settings, plan, stream, raw.as_ref(), &interrupt)?;
    let mut meter = LoadMeter::new(limits(arguments));
    load.observers.iter().for_each(|observer| meter.merge(&observer.meter));
    let report = LoadReport::new(LoadFacts { is_cut_short, ..facts }, &load, &meter);
    drop(load);
    tell(arguments, &report, raw)?;
    Ok(match (is_cut_short, report.is_valid) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Pass,
        (false, false) => Exit::InvalidRun,
    })
}

/// Generates the load, shows how it goes and heeds signals; whether one has cut it short.
fn send(
    arguments: &LoadArguments,
    settings: LoadSettings,
    plan: LoadPlan,
    stream: Option<bool>,
    raw: Option<&RawLog>,
    interrupt: &Interrupt,
) -> Result<(Load<LoadObserver>, bool), Failure> {
    let LoadPlan { source, expected, models, broken, .. } = plan;
    let limits = limits(arguments);
    let observers: Vec<LoadObserver> = (0..threads(arguments))
        .map(|_| LoadObserver::new(LoadMeter::new(limits.clone()), raw, &models))
        .collect();
    let recent = observers.iter().map(|observer| observer.meter.recent()).collect();
    let mut progress = LoadProgress::new(settings.clock, recent, expected, arguments.progress);
    let control = Control::default();
    let (done, generated) = channel();
    let sending = control.clone();
    let schedule = Forced { source, stream };
    thread::Builder::new()
        .name("load".to_owned())
        .spawn(move || {
            // Who waits for it lives longer.
            let _ = done.send(generate(settings, schedule, observers, &sending));
        })
        .map_err(Failure::internal)?;
    let ended = loop {
        match generated.recv_timeout(TICK) {
            Ok(ended) => break ended,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break Err(LoadError::Bug),
        }
        if interrupt.is_asked() && !control.is_stopped() {
            control.stop();
        }
        progress.show(&control);
    };
    progress.clear();
    let load = ended.map_err(|error| match error {
        LoadError::Schedule(error) => broken(&error),
        other => Failure::internal(format!("error: {other}")),
    })?;
    Ok((load, control.is_stopped()))
}

/// Writes and prints what came of it.
fn tell(
    arguments: &LoadArguments,
    report: &LoadReport,
    raw: Option<RawLog>,
) -> Result<(), Failure> {
    // First what cannot be had again if the disk is full.
    print(&match arguments.format {
        LoadFormat::Text => load_text(report, style(false)),
        LoadFormat::Json => report.to_json(),
        LoadFormat::Markdown => load_markdown(report),
    })?;
    let written = raw.map(RawLog::finish).transpose()?;
    if let Some(out) = &arguments.out {
        let texts = [("load.json", report.to_json()), ("load.md", load_markdown(report))];
        let files = texts.map(|(name, text)| (name.to_owned(), text.into_bytes()));
        write_files(out, files.into())?;
    }
    if let (Some(rows), Some(path)) = (written, &arguments.raw) {
        complain(&format!("{}: {}", path.display(), format_counted(rows, "row", "rows")));
    }
    if let Some(out) = &arguments.out {
        complain(&format!("Load files: {}", out.display()));
    }
    Ok(())
}

/// What cannot be written is told before anything is sent.
fn check_files(arguments: &LoadArguments) -> Result<(), Failure> {
    if let Some(out) = &arguments.out {
        check_folder(out, "--out")?;
    }
    let Some(raw) = &arguments.raw else { return Ok(()) };
    let read = [
        ("the scenario", arguments.scenario.as_deref()),
        ("the trace", arguments.trace.as_deref()),
        ("the body", arguments.body.as_deref()),
        ("the file of the key", arguments.key_file.as_deref()),
    ];
    let read: Vec<Role<'_>> =
        read.into_iter().filter_map(|(what, path)| Some((what, path?))).collect();
    check_apart(("--raw", raw), &read)
}

fn target(arguments: &LoadArguments) -> Result<Target, Failure> {
    // clap has made sure of one.
    let url = arguments.url.as_ref().or(arguments.target.as_ref());
    let target = Target::new(url.map_or("", String::as_str))
        .map_err(|error| Failure::usage(format!("error: {error}")))?;
    let target = target.over(if arguments.http2 { Http::Two } else { Http::One });
    if !target.is_secure() {
        return Ok(target);
    }
    let tls = WebTls::of_machine()
        .map_err(|error| Failure::internal(format!("error: TLS cannot be set up: {error}")))?;
    if !tls.has_roots {
        return Err(Failure::internal(
            "error: the system has no certificates to know the server by: install its package of \
             CA certificates, or set SSL_CERT_FILE",
        ));
    }
    Ok(target.with_tls(tls.config))
}

fn message(arguments: &LoadArguments, plan: &LoadPlan) -> Result<Message, Failure> {
    let body = arguments.body.as_ref().map(|path| {
        std::fs::read_to_string(path).map_err(|error| {
            Failure::input(format!("error: cannot read the body {}: {error}", path.display()))
        })
    });
    let parts = MessageParts {
        headers: arguments.headers.clone(),
        body: body.transpose()?,
        keys: key(arguments)?.into_iter().collect(),
        ..plan.names()
    };
    Message::new(&parts).map_err(|error| match (&error, &arguments.body) {
        (MessageError::Body { .. }, Some(path)) => {
            Failure::input(format!("error: {}: {error}", path.display()))
        }
        _ => Failure::usage(format!("error: {error}")),
    })
}

/// The bearer key, which no message shows.
fn key(arguments: &LoadArguments) -> Result<Option<String>, Failure> {
    let (key, source) = match (&arguments.key_env, &arguments.key_file) {
        (Some(name), _) => {
            let value = std::env::var_os(name).and_then(|value| value.into_string().ok());
            let key = value.ok_or_else(|| {
                Failure::usage(format!(
                    "error: --key-env: the variable {name} is not set, or is no text"
                ))
            })?;
            (key, format!("the variable {name}"))
        }
        (None, Some(path)) => (read_key(path)?, format!("the file {}", path.display())),
        (None, None) => return Ok(None),
    };
    let key = key.trim();
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::usage(format!(
            "error: {source} holds no key: allowed is one word of visible ASCII characters"
        )));
    }
    Ok(Some(key.to_owned()))
}

fn read_key(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| {
        Failure::input(format!("error: cannot read the key {}: {error}", path.display()))
    })
}

/// Whether all answers are streamed, or none is; `None`: as the workload says.
fn stream(arguments: &LoadArguments, message: &Message) -> Result<Option<bool>, Failure> {
    match message.fixed_stream() {
        Some(false) if arguments.stream => Err(Failure::usage(
            "error: --stream: the body of --body does not ask for a stream: write \
             \"stream\": {stream} into it",
        )),
        None if arguments.stream => Ok(Some(true)),
        fixed => Ok(fixed),
    }
}

fn limits(arguments: &LoadArguments) -> Limits {
    let each = arguments.limits.iter();
    each.fold(Limits::default(), |limits, (limit, most)| limits.with(*limit, *most))
}

/// Half of the processors: the rest is for what is measured, which often runs on the same machine.
fn threads(arguments: &LoadArguments) -> usize {
    let half = || thread::available_parallelism().map_or(1, |all| all.get().div_ceil(2));
    arguments.threads.map_or_else(half, NonZeroUsize::get)
}

/// Chosen: a signal is noticed within a twentieth of a second, and waiting costs nothing.
const TICK: Wait = Wait::from_millis(50);
