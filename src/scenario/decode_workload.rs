//! The workload: arrivals, token counts, users, patience.

use std::num::NonZeroU32;

use crate::units::{ModelId, Rate, Ratio};
use crate::upstream::Limits;
use crate::workload::{Arrivals, Piecewise, PiecewiseError, Replay, Workload};

use super::check::mistyped;
use super::decode_distribution;
use super::decode_split::check_sum;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::files::Folder;
use super::names::Names;
use super::plan::Traffic;
use super::read::{self, Quantity};
use super::shapes::WORKLOAD;
use super::tree::{Entry, Node};

/// Where requests come from.
pub(crate) fn decode(
    entry: &Entry,
    names: &Names,
    folder: &Folder,
    diagnostics: &mut Diagnostics,
) -> Option<Traffic> {
    let node = &entry.node;
    let requests = read::integer(node, "requests");
    let users = read::integer(node, "users").and_then(|users| u32::try_from(users).ok());
    let users = users.and_then(NonZeroU32::new);
    let stream = read::ratio(node, "stream");
    let tokens = node.entry("tokens");
    let chosen = node.get("arrivals")?.entries().first()?;
    if chosen.key == "trace" {
        if let Some(tokens) = tokens {
            let message = "the trace brings the token counts: `tokens` has no part in it";
            let diagnostic = Diagnostic::new(tokens.place, message)
                .note(chosen.place, "the trace")
                .help("remove `tokens`");
            diagnostics.report(diagnostic);
        }
        let path = folder.resolve(chosen.node.text()?, chosen.node.place, diagnostics);
        // What a trace does not say is drawn; without shares it is the first model.
        let shares = match node.entry("models") {
            Some(entry) => shares(entry, names, diagnostics),
            None => Some(only_first(names)),
        };
        let ids: Option<Vec<_>> = names.models().map(|id| ModelId::new(id).ok()).collect();
        let models = ids?.into_iter().zip(shares?).collect();
        let replay = Replay { requests, models, users: users?, stream: stream? };
        return Some(Traffic::Trace { path: path?, replay });
    }
    let arrivals = arrivals(chosen, diagnostics);
    let shares = match node.entry("models") {
        Some(entry) => shares(entry, names, diagnostics),
        None if names.models().count() <= 1 => Some(only_first(names)),
        None if mistyped(node.entries(), WORKLOAD.fields, "models") => None,
        None => {
            let message = "workload has no \"models\": nothing says which model requests ask for";
            let mut ids = names.models();
            let [first, second] = [ids.next(), ids.next()].map(Option::unwrap_or_default);
            let help = format!("write `models: {{{first}: 50%, {second}: 50%}}`, a share for each");
            diagnostics.report(Diagnostic::new(entry.place, message).help(help));
            None
        }
    };
    let Some(tokens) = tokens else {
        if mistyped(node.entries(), WORKLOAD.fields, "tokens") {
            return None;
        }
        let message = "workload has no \"tokens\": token counts per request";
        let help = "write `tokens: {input: ..., output: ...}`, each a number or a distribution";
        diagnostics.report(Diagnostic::new(entry.place, message).help(help));
        return None;
    };
    let mut size = |key: &str| {
        decode_distribution::decode(tokens.node.get(key)?, Quantity::Tokens, diagnostics)
    };
    let (input, output) = (size("input"), size("output"));
    Some(Traffic::Generated(Workload {
        arrivals: arrivals?,
        requests,
        input: input?,
        output: output?,
        users: users?,
        stream: stream?,
        models: shares?,
    }))
}

/// The shares of the models that `entry` gives, in the order of the models; 0 for those that it
/// does not name.
fn shares(entry: &Entry, names: &Names, diagnostics: &mut Diagnostics) -> Option<Vec<Ratio>> {
    let mut shares = vec![Ratio::ZERO; names.models().count()];
    let mut complete = entry.node.text().is_none();
    for named in entry.node.entries() {
        let model = names.resolve_model(&named.key, named.place, diagnostics);
        let share = named.node.text().and_then(|text| Ratio::parse(text).ok());
        match (model, share) {
            (Some(model), Some(share)) => shares[usize::from(model.0)] = share,
            _ => complete = false,
        }
    }
    if complete {
        let sum = shares.iter().map(|share| share.get()).sum();
        check_sum("shares", "the models", sum, entry.place, diagnostics);
    }
    complete.then_some(shares)
}

fn only_first(names: &Names) -> Vec<Ratio> {
    let mut shares = vec![Ratio::ZERO; names.models().count()];
    if let Some(first) = shares.first_mut() {
        *first = Ratio::ONE;
    }
    shares
}

/// How long clients and gateway wait.
pub(crate) fn limits(node: &Node, diagnostics: &mut Diagnostics) -> Option<Limits> {
    let mut positive = |key: &str| {
        let duration = read::duration(node, key)?;
        if duration.is_zero() {
            let place = node.get(key)?.place;
            let message = format!("`{key}` is 0s: nothing could be answered in no time");
            diagnostics.report(Diagnostic::new(place, message).help("write more than 0s"));
        }
        Some(duration)
    };
    let (client, upstream) = (positive("client_timeout"), positive("upstream_timeout"));
    Some(Limits { client: client?, upstream: upstream? })
}

fn arrivals(chosen: &Entry, diagnostics: &mut Diagnostics) -> Option<Arrivals> {
    let node = &chosen.node;
    match chosen.key.as_str() {
        "constant" => steady(node, diagnostics).map(Arrivals::Constant),
        "poisson" => steady(node, diagnostics).map(Arrivals::Poisson),
        "piecewise" => piecewise(node, diagnostics).map(Arrivals::Piecewise),
        _ => None,
    }
}

fn steady(node: &Node, diagnostics: &mut Diagnostics) -> Option<Rate> {
    let rate = Rate::parse(node.text()?).ok()?;
    if rate == Rate::ZERO {
        let message = "at a rate of 0 nothing ever arrives: allowed is more than 0/s";
        diagnostics.report(Diagnostic::new(node.place, message));
    }
    Some(rate)
}

fn piecewise(node: &Node, diagnostics: &mut Diagnostics) -> Option<Piecewise> {
    let every = read::duration(node, "every")?;
    let list = node.get("rates")?;
    if list.text().is_some() {
        return None;
    }
    let rates: Option<Vec<_>> = list
        .items()
        .iter()
        .map(|item| item.text().and_then(|text| Rate::parse(text).ok()))
        .collect();
    let rates = rates?;
    if !rates.is_empty() && rates.iter().all(|rate| *rate == Rate::ZERO) {
        let message = "all rates are 0: nothing ever arrives";
        diagnostics.report(Diagnostic::new(list.place, message));
        return None;
    }
    match Piecewise::new(every, rates) {
        Ok(piecewise) => Some(piecewise),
        Err(error) => {
            let at_every = matches!(error, PiecewiseError::NoTime);
            let place = if at_every { node.get("every")?.place } else { list.place };
            diagnostics.report(Diagnostic::new(place, error.to_string()));
            None
        }
    }
}
