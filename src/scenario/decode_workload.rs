//! The workload: arrivals, token counts, users, patience.

use std::num::NonZeroU32;

use crate::chance::Distribution;
use crate::units::{ModelId, Ratio};
use crate::upstream::Limits;
use crate::workload::{Replay, Workload};

use super::check::mistyped;
use super::decode_arrivals;
use super::decode_distribution;
use super::decode_split::check_sum;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::files::Folder;
use super::names::Names;
use super::plan::Traffic;
use super::read::{self, Quantity};
use super::shapes_workload::WORKLOAD;
use super::tree::{Entry, Node};

/// What it takes to decode the parts of a workload.
struct Decoding<'a> {
    /// The workload.
    entry: &'a Entry,
    names: &'a Names,
    folder: &'a Folder,
    diagnostics: &'a mut Diagnostics,
}

/// Where requests come from.
pub(crate) fn decode(
    entry: &Entry,
    names: &Names,
    folder: &Folder,
    diagnostics: &mut Diagnostics,
) -> Option<Traffic> {
    let chosen = entry.node.get("arrivals")?.entries().first()?;
    let mut decoding = Decoding { entry, names, folder, diagnostics };
    if chosen.key == "trace" { decoding.trace(chosen) } else { decoding.generated(chosen) }
}

impl Decoding<'_> {
    fn trace(&mut self, chosen: &Entry) -> Option<Traffic> {
        let node = &self.entry.node;
        if let Some(tokens) = node.entry("tokens") {
            let message = "the trace brings the token counts: `tokens` has no part in it";
            let diagnostic = Diagnostic::new(tokens.place, message)
                .note(chosen.place, "the trace")
                .help("remove `tokens`");
            self.diagnostics.report(diagnostic);
        }
        let path = self.folder.resolve(chosen.node.text()?, chosen.node.place, self.diagnostics);
        // What a trace does not say is drawn; without shares it is the first model.
        let shares = match node.entry("models") {
            Some(entry) => shares(entry, self.names, self.diagnostics),
            None => Some(only_first(self.names)),
        };
        let ids: Option<Vec<_>> = self.names.models().map(|id| ModelId::new(id).ok()).collect();
        let models = ids?.into_iter().zip(shares?).collect();
        let (requests, stream) = (read::integer(node, "requests"), read::ratio(node, "stream")?);
        let replay = Replay { requests, models, users: users(node)?, stream };
        Some(Traffic::Trace { path: path?, replay })
    }

    fn generated(&mut self, chosen: &Entry) -> Option<Traffic> {
        let node = &self.entry.node;
        let arrivals = decode_arrivals::decode(chosen, self.diagnostics);
        let shares = self.shares();
        let tokens = self.tokens();
        let users = users(node);
        if let (Some(arrivals), Some(users)) = (&arrivals, users)
            && !arrivals.is_closed()
        {
            check_users(users, arrivals.closed_users(), node, self.diagnostics);
        }
        let (input, output) = tokens?;
        Some(Traffic::Generated(Workload {
            arrivals: arrivals?,
            requests: read::integer(node, "requests"),
            input,
            output,
            users: users?,
            stream: read::ratio(node, "stream")?,
            models: shares?,
        }))
    }

    /// The shares of the models, which several models need.
    fn shares(&mut self) -> Option<Vec<Ratio>> {
        let Entry { place, node, .. } = self.entry;
        if let Some(entry) = node.entry("models") {
            return shares(entry, self.names, self.diagnostics);
        }
        if self.names.models().count() <= 1 {
            return Some(only_first(self.names));
        }
        if !mistyped(node.entries(), WORKLOAD.fields, "models") {
            let message = "workload has no \"models\": nothing says which model requests ask for";
            let mut ids = self.names.models();
            let [first, second] = [ids.next(), ids.next()].map(Option::unwrap_or_default);
            let help = format!("write `models: {{{first}: 50%, {second}: 50%}}`, a share for each");
            self.diagnostics.report(Diagnostic::new(*place, message).help(help));
        }
        None
    }

    /// Tokens of prompts and of answers.
    fn tokens(&mut self) -> Option<(Distribution, Distribution)> {
        let Entry { place, node, .. } = self.entry;
        let Some(tokens) = node.get("tokens") else {
            if !mistyped(node.entries(), WORKLOAD.fields, "tokens") {
                let message = "workload has no \"tokens\": token counts per request";
                let help =
                    "write `tokens: {input: ..., output: ...}`, each a number or a distribution";
                self.diagnostics.report(Diagnostic::new(*place, message).help(help));
            }
            return None;
        };
        let mut size = |key: &str| {
            decode_distribution::decode(tokens.get(key)?, Quantity::Tokens, self.diagnostics)
        };
        let (input, output) = (size("input"), size("output"));
        Some((input?, output?))
    }
}

fn users(node: &Node) -> Option<NonZeroU32> {
    read::integer(node, "users").and_then(|users| u32::try_from(users).ok()?.try_into().ok())
}

/// Users of closed arrivals are numbered after the others.
fn check_users(users: NonZeroU32, closed: u64, node: &Node, diagnostics: &mut Diagnostics) {
    let most = u64::from(u32::MAX) - closed;
    if let Some(place) = node.get("users").map(|node| node.place)
        && u64::from(users.get()) > most
    {
        let message = format!(
            "{users} users beside the {closed} of closed arrivals are too many: allowed are {most}"
        );
        diagnostics.report(Diagnostic::new(place, message));
    }
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
