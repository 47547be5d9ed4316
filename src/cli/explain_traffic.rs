//! What a scenario's traffic means: when requests come, how large they are, who sends them.

use std::path::PathBuf;

use crate::scenario::{Scenario, Traffic};
use crate::units::{Ratio, format_count, format_counted, format_significant};
use crate::workload::{
    Client, Part, PlaybackOptions, Population, Replay, Tenant, TokenSizes, Window, Workload,
};

/// The lines about the traffic of `scenario`.
pub(super) fn traffic_lines(scenario: &Scenario) -> Vec<String> {
    let (sent, population) = match &scenario.traffic {
        Traffic::Replayed { files, replay } => {
            (replayed(files, replay, scenario), &replay.population)
        }
        Traffic::Generated(workload) => (generated(workload, scenario), &workload.population),
    };
    let mut lines = vec![format!("  traffic: {sent}{}", shares(scenario, population))];
    if scenario.closed_users() > 0 {
        lines.push(
            "    users who wait send less while answers are slow: what they would have sent \
             otherwise is missing"
                .to_owned(),
        );
    }
    lines.push(format!("    {}", streamed(&scenario.traffic, population.stream)));
    lines.extend(senders(scenario, population).map(|line| format!("    {line}")));
    lines
}

/// Which answers are streamed.
fn streamed(traffic: &Traffic, share: Ratio) -> String {
    let answers = match share {
        Ratio::ZERO => "no answers are streamed".to_owned(),
        Ratio::ONE => "all answers are streamed".to_owned(),
        share => format!("{share} of the answers are streamed"),
    };
    match traffic {
        Traffic::Generated(_) => answers,
        Traffic::Replayed { .. } => format!("{answers} where no trace says it"),
    }
}

/// What is done with a trace, as far as it is anything.
fn playback(options: &PlaybackOptions) -> String {
    let PlaybackOptions { dequantize, window, sample, speed, repeat, limit } = options;
    let spread = dequantize.map(|over| format!("times of one value spread over {over}"));
    let window = window.map(|Window { from, length }| format!("{length} of it from {from} on"));
    let sample = (*sample < Ratio::ONE).then(|| format!("a sample of {sample}"));
    let speed = (*speed != 1.0).then(|| format!("{} times as fast", format_significant(*speed, 4)));
    let again = repeat.then(|| "again and again".to_owned());
    let limit = limit.map(|limit| format!("{} requests of it at most", format_count(limit)));
    let all = [spread, window, sample, speed, again, limit].into_iter().flatten();
    all.map(|option| format!(", {option}")).collect()
}

fn generated(workload: &Workload, scenario: &Scenario) -> String {
    let (arrivals, sizes) = (&workload.arrivals, sizes(&workload.sizes, scenario));
    format!("{arrivals}{}; {sizes}", limit(workload.requests))
}

/// The parts, in their order.
fn replayed(files: &[PathBuf], replay: &Replay, scenario: &Scenario) -> String {
    let mut files = files.iter().map(|file| file.display().to_string());
    let part = |part: &Part| match part {
        Part::Generated(arrivals) => arrivals.to_string(),
        Part::Recorded(options) => {
            format!("replays {}{}", files.next().unwrap_or_default(), playback(options))
        }
    };
    let parts: Vec<_> = replay.parts.iter().map(part).collect();
    let sizes = match replay.sizes.as_slice() {
        [] => String::new(),
        given => {
            let is_generated = replay.parts.iter().any(|part| matches!(part, Part::Generated(_)));
            let which = if is_generated { "generated ones, and " } else { "" };
            let sizes = sizes(given, scenario);
            format!("; {which}requests of which a trace does not say it have {sizes}")
        }
    };
    format!("{}{}{sizes}", parts.join(" + "), limit(replay.requests))
}

fn limit(requests: Option<u64>) -> String {
    requests.map_or_else(String::new, |n| format!(", {n} requests"))
}

/// How large generated requests are.
fn sizes(sizes: &[TokenSizes], scenario: &Scenario) -> String {
    let correlated = |sizes: &TokenSizes| match sizes.rank_correlation.get() {
        0.0 => String::new(),
        rho => format!(" (rank correlation {})", format_significant(rho, 3)),
    };
    let mean = |sizes: &TokenSizes| format!("{sizes}{}", correlated(sizes));
    match sizes {
        [all] => format!("{} on average", mean(all)),
        several => {
            let models = scenario.models.iter().zip(several);
            let sizes = models.map(|(model, sizes)| format!("{} for {}", mean(sizes), model.id));
            format!("on average {}", sizes.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Which share of the requests asks for which model, where there are several.
fn shares(scenario: &Scenario, population: &Population) -> String {
    let clients = &population.clients;
    let all_say = !clients.is_empty() && clients.iter().all(|client| client.model.is_some());
    if population.models.len() <= 1 || all_say {
        return String::new();
    }
    let said = match &scenario.traffic {
        Traffic::Generated(_) => "asking for",
        Traffic::Replayed { .. } => "where a trace names no model asking for",
    };
    let models = scenario.models.iter().zip(&population.models);
    let models = models.filter(|(_, share)| share.get() > 0.0);
    let models: Vec<_> = models.map(|(model, share)| format!("{} {share}", model.id)).collect();
    format!("; {said} {}", models.join(", "))
}

/// Which parts of the arrivals have senders of their own.
fn tenants(population: &Population) -> Option<String> {
    let tenant = |(number, tenant): (usize, &Tenant)| {
        let client = tenant.client.and_then(|place| population.clients.get(usize::from(place)));
        let client = client.map(|client| format!("by the key {}", client.key));
        let users = tenant.own_users();
        let users = (users > 0)
            .then(|| format!("from {} of its own", format_counted(users, "user", "users")));
        let said: Vec<_> = client.into_iter().chain(users).collect();
        (!said.is_empty()).then(|| format!("part {number} {}", said.join(" ")))
    };
    let said: Vec<_> = (1..).zip(&population.tenants).filter_map(tenant).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// Who sends, as far as it is more than a number of users who are all alike.
fn senders(scenario: &Scenario, population: &Population) -> impl Iterator<Item = String> {
    let Population { users, sessions, clients, prompts, .. } = population;
    let uneven = |exponent: f64| {
        if exponent == 0.0 {
            return "all equally frequent".to_owned();
        }
        let exponent = format_significant(exponent, 3);
        format!("the k-th most frequent in proportion to k^-{exponent}")
    };
    let users = (users.exponent() > 0.0).then(|| {
        let count = format_counted(users.count().get().into(), "user", "users");
        format!("{count}, {}", uneven(users.exponent()))
    });
    let sessions = sessions.as_ref().map(|sessions| {
        let requests = format_significant(sessions.requests.mean(), 3);
        let gap = sessions.gap;
        format!("sessions of {requests} requests on average; a pause of more than {gap} ends one")
    });
    let client = |client: &Client| {
        let made_for = client.made_for.map_or_else(String::new, |version| {
            format!(" (made for {})", scenario.version(version).id)
        });
        let pin = client
            .pin
            .as_ref()
            .map_or_else(String::new, |pin| format!(" (asking for {})", pin.version.as_str()));
        let model = client.model.map_or_else(String::new, |model| {
            format!(" for {}", scenario.models[usize::from(model.0)].id)
        });
        format!("{} {}{model}{made_for}{pin}", client.key, client.share)
    };
    let shares: Vec<_> = clients.iter().map(client).collect();
    let clients = (!shares.is_empty()).then(|| format!("by the keys {}", shares.join(", ")));
    let prompts = prompts.as_ref().map(|prompts| {
        let count =
            format_counted(prompts.count().get().into(), "different prompt", "different prompts");
        format!("{count}, {}", uneven(prompts.exponent()))
    });
    [users, sessions, clients, tenants(population), prompts].into_iter().flatten()
}
