//! What came of a load, in words and grids: what text and Markdown share.

use super::comparison::Grid;
use crate::load::{LoadReport, Spread};
use crate::units::{
    format_count, format_counted, format_duration, format_percent, format_significant,
};

/// Where it went, and whether its figures can be trusted.
pub(super) fn headline(report: &LoadReport) -> String {
    let verdict = if report.is_valid { "VALID" } else { "INVALID" };
    let kind = match (report.is_closed, report.concurrency) {
        (false, _) => "open loop".to_owned(),
        (true, Some(count)) => format!("closed loop of {count}"),
        (true, None) => "closed loop".to_owned(),
    };
    let cut = if report.is_cut_short { ", cut short" } else { "" };
    let LoadReport { target, http, .. } = report;
    format!("{verdict}  {target}, HTTP/{http}, {kind}{cut}")
}

/// What was sent, and for how long.
pub(super) fn course(report: &LoadReport) -> String {
    format!("{}; {}", report.workload, format_duration(report.duration))
}

/// What must be known to read the figures right.
pub(super) fn warnings(report: &LoadReport) -> Vec<String> {
    let mut lines: Vec<String> =
        report.reasons.iter().map(|reason| format!("not valid: {reason}")).collect();
    if report.is_closed {
        lines.push(
            "closed loop: who would have come while the server was slow is left out, so that \
             latencies look better than users would find them"
                .to_owned(),
        );
    }
    lines
}

/// What became of the requests, a line for each fact.
pub(super) fn facts(report: &LoadReport) -> Vec<String> {
    let requests = &report.requests;
    let share = |count: u64| match requests.ended {
        0 => "-".to_owned(),
        ended => format_percent(count as f64 / ended as f64),
    };
    let mut lines = vec![format!(
        "{} sent, {} succeeded ({})",
        format_counted(requests.sent, "request", "requests"),
        format_count(requests.succeeded),
        share(requests.succeeded),
    )];
    if requests.unfinished > 0 {
        lines.push(format!("{} were cut off", format_count(requests.unfinished)));
    }
    for (ending, count) in requests.endings.iter().filter(|(ending, _)| *ending != "success") {
        let cause = requests.causes.get(ending);
        let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
        let (count, share) = (format_count(*count), share(*count));
        lines.push(format!("{count} ended with {ending} ({share}){cause}"));
    }
    let rate = |rate: f64| format!("{}/s", format_significant(rate, 4));
    let rates = &report.rates;
    let offered = rates.offered.filter(|_| report.concurrency.is_none());
    let offered =
        offered.map_or_else(String::new, |offered| format!("{} offered, ", rate(offered)));
    lines.push(format!(
        "{offered}{} ended, {} succeeded",
        rate(rates.ended),
        rate(rates.succeeded)
    ));
    if !report.limits.is_empty() {
        let limits = report.limits.iter();
        let limits = limits.map(|(name, most)| format!("{name} <= {}", format_duration(*most)));
        lines.push(format!(
            "goodput {} ({}) within {}",
            rate(rates.good),
            share(requests.good),
            limits.collect::<Vec<_>>().join(", "),
        ));
    }
    lines.extend(tokens(report));
    lines.push(format!(
        "{}, {} sent and {} received in bodies",
        format_counted(requests.connections, "new connection", "new connections"),
        bytes(requests.bytes_sent),
        bytes(requests.bytes_received),
    ));
    lines
}

fn tokens(report: &LoadReport) -> Vec<String> {
    let (tokens, rates) = (&report.tokens, &report.rates);
    if tokens.input + tokens.output == 0 {
        return Vec::new();
    }
    let speed = |speed: f64| format_significant(speed, 3);
    let mut line = format!(
        "{} output tokens/s and {} input tokens/s in all",
        speed(rates.output_tokens),
        speed(rates.input_tokens),
    );
    if let (Some(p50), Some(p1)) = (tokens.per_second_of_stream_p50, tokens.per_second_of_stream_p1)
    {
        let (p50, p1) = (speed(p50), speed(p1));
        line.push_str(&format!("; {p50} tokens/s per stream (median), 99 % at least {p1}"));
    }
    let uncounted = (tokens.uncounted > 0).then(|| {
        let count = format_counted(tokens.uncounted, "success", "successes");
        format!("{count} without usage: their output is estimated")
    });
    std::iter::once(line).chain(uncounted).collect()
}

fn bytes(count: u64) -> String {
    let (size, unit) = match count {
        0..1_000 => return format_counted(count, "byte", "bytes"),
        1_000..1_000_000 => (1e3, "kB"),
        1_000_000..1_000_000_000 => (1e6, "MB"),
        _ => (1e9, "GB"),
    };
    format!("{} {unit}", format_significant(count as f64 / size, 3))
}

/// How long requests took.
pub(super) fn times_grid(report: &LoadReport) -> Option<Grid> {
    let times = &report.times;
    let apart = |times: Option<Spread>| times.filter(|_| report.concurrency.is_none());
    let failed = report.requests.ended > report.requests.succeeded;
    let rows = [
        ("latency", times.latency),
        ("latency from send", apart(times.latency_from_send)),
        ("latency of all, failures too", times.latency_all.filter(|_| failed)),
        ("time to first token (TTFT)", times.ttft),
        ("TTFT from send", apart(times.ttft_from_send)),
        ("between tokens (ITL)", times.itl),
        ("per output token (TPOT)", times.tpot),
        ("connecting", times.connect),
        ("dispatch lag", apart(times.lag)),
    ];
    let rows: Vec<Vec<String>> =
        rows.iter().filter_map(|(name, times)| Some(row(name, times.as_ref()?))).collect();
    (!rows.is_empty()).then(|| grid("Times", rows))
}

/// By the version that answered.
pub(super) fn versions_grid(report: &LoadReport) -> Option<Grid> {
    if report.versions.is_empty() {
        return None;
    }
    let head = ["Version", "requests", "succeeded", "P50", "P99", "TTFT P50", "TTFT P99"];
    let header = head.map(str::to_owned).to_vec();
    let time = |of: Option<Spread>, quantile: fn(&Spread) -> _| {
        of.map_or_else(|| "-".to_owned(), |times| format_duration(quantile(&times)))
    };
    let row = |version: &crate::load::LoadVersion| {
        let share = version.succeeded as f64 / version.requests.max(1) as f64;
        vec![
            version.version.clone().unwrap_or_else(|| "others".to_owned()),
            format_count(version.requests),
            format_percent(share),
            time(version.latency, |times| times.p50),
            time(version.latency, |times| times.p99),
            time(version.ttft, |times| times.p50),
            time(version.ttft, |times| times.p99),
        ]
    };
    Some(Grid { header, rows: report.versions.iter().map(row).collect(), names: None })
}

fn grid(name: &str, rows: Vec<Vec<String>>) -> Grid {
    let head = [name, "count", "mean", "P50", "P90", "P95", "P99", "P99.9", "max"];
    Grid { header: head.map(str::to_owned).to_vec(), rows, names: None }
}

fn row(name: &str, times: &Spread) -> Vec<String> {
    let Spread { count, mean, p50, p90, p95, p99, p999, max, .. } = times;
    let times = [mean, p50, p90, p95, p99, p999, max].map(|time| format_duration(*time));
    [name.to_owned(), format_count(*count)].into_iter().chain(times).collect()
}
