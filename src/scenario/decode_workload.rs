//! The workload: arrivals, token counts, users, patience.

use crate::arrivals::Arrivals;
use crate::units::{ModelId, Ratio};
use crate::upstream::Limits;
use crate::workload::{Part, RankCorrelation, Replay, Tenant, TokenSizes, Workload};

use super::check::mistyped;
use super::decode_arrivals::{self, Around, Piece};
use super::decode_distribution;
use super::decode_population;
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
    sticks_by_session: bool,
    diagnostics: &'a mut Diagnostics,
}

/// How many requests at most, where that is said; `None` where what is said is no number, which is
/// told: then whether the requests end is not known.
fn limit(node: &Node) -> Option<Option<u64>> {
    match node.get("requests") {
        Some(_) => read::integer(node, "requests").map(Some),
        None => Some(None),
    }
}

/// Where requests come from; some may stick to a version by their session.
pub(crate) fn decode(
    entry: &Entry,
    names: &Names,
    folder: &Folder,
    sticks_by_session: bool,
    diagnostics: &mut Diagnostics,
) -> Option<Traffic> {
    let chosen = entry.node.get("arrivals")?.entries().first()?;
    let mut decoding = Decoding { entry, names, folder, sticks_by_session, diagnostics };
    decoding.traffic(chosen)
}

impl Decoding<'_> {
    fn traffic(&mut self, chosen: &Entry) -> Option<Traffic> {
        let node = &self.entry.node;
        let keys = node.get("clients").map_or(&[][..], Node::items).iter();
        let clients: Vec<_> = keys.filter_map(|client| client.get("key")?.text()).collect();
        let around = Around { clients: &clients, folder: self.folder };
        let (pieces, mut tenants) =
            decode_arrivals::decode_with_tenants(chosen, &around, self.diagnostics);
        if tenants.iter().all(|tenant| *tenant == Tenant::default()) {
            tenants.clear();
        }
        let (shares, sizes) = if decode_arrivals::is_recorded(chosen) {
            let shares = self.shares_of_traces();
            let sizes =
                if self.says_sizes() { self.sizes(shares.as_deref()) } else { Some(Vec::new()) };
            (shares, sizes)
        } else {
            let shares = self.shares();
            let sizes = self.sizes(shares.as_deref());
            (shares, sizes)
        };
        let beside = pieces.as_deref().map_or(0, users_beside);
        let population =
            decode_population::decode(node, shares, tenants, self.names, beside, self.diagnostics);
        let (requests, sizes, population) = (limit(node)?, sizes?, population?);
        let (mut files, mut parts) = (Vec::new(), Vec::new());
        for piece in pieces? {
            let part = match (piece, parts.last_mut()) {
                (Piece::Recorded(file, options), _) => {
                    files.push(file);
                    Part::Recorded(options)
                }
                // One after the other they are of one part.
                (Piece::Generated(more), Some(Part::Generated(arrivals))) => {
                    *arrivals = Arrivals::sum(vec![arrivals.clone(), more]).ok()?;
                    continue;
                }
                (Piece::Generated(arrivals), _) => Part::Generated(arrivals),
            };
            parts.push(part);
        }
        if let [Part::Generated(arrivals)] = parts.as_slice() {
            let arrivals = arrivals.clone();
            return Some(Traffic::Generated(Workload { arrivals, requests, sizes, population }));
        }
        let models: Option<Vec<_>> = self.names.models().map(|id| ModelId::new(id).ok()).collect();
        let needs_sessions = self.sticks_by_session && population.sessions.is_none();
        // Which versions answer as recorded is known once the versions are.
        let (models, recorded) = (models?, Vec::new());
        let replay =
            Replay { parts, requests, sizes, models, recorded, needs_sessions, population };
        Some(Traffic::Replayed { files, replay })
    }

    /// The shares of the models where all requests are recorded. What a trace does not say is
    /// drawn; without shares it is the first model.
    fn shares_of_traces(&mut self) -> Option<Vec<Ratio>> {
        match self.entry.node.entry("models") {
            Some(entry) => shares(entry, self.names, self.diagnostics),
            None => Some(only_first(self.names)),
        }
    }

    /// Whether it says how large requests are: of a trace, those whose rows do not.
    fn says_sizes(&self) -> bool {
        let node = &self.entry.node;
        let models = node.entry("models").map_or(&[][..], |models| models.node.entries());
        let mut owners = std::iter::once(node).chain(models.iter().map(|model| &model.node));
        owners.any(|owner| owner.get("tokens").is_some())
    }

    /// The shares of the models, which several models need.
    fn shares(&mut self) -> Option<Vec<Ratio>> {
        let Entry { place, node, .. } = self.entry;
        if let Some(entry) = node.entry("models") {
            return shares(entry, self.names, self.diagnostics);
        }
        let clients = node.get("clients").map_or(&[][..], Node::items);
        let all_say = !clients.is_empty() && clients.iter().all(|c| c.get("model").is_some());
        if self.names.models().count() <= 1 || all_say {
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

    /// Token counts, by model where one has its own.
    fn sizes(&mut self, shares: Option<&[Ratio]>) -> Option<Vec<TokenSizes>> {
        let Entry { place, node, .. } = self.entry;
        let mut own: Vec<Option<TokenSizes>> = vec![None; self.names.models().count()];
        let mut is_complete = true;
        for model in node.get("models").map_or(&[][..], Node::entries) {
            let Some(tokens) = model.node.get("tokens") else { continue };
            let sizes = token_sizes(tokens, self.diagnostics);
            is_complete &= sizes.is_some();
            if let Some(index) = self.names.models().position(|id| id == model.key) {
                own[index] = sizes;
            }
        }
        let Some(tokens) = node.get("tokens") else {
            let of_clients = |model: &str| {
                let clients = node.get("clients").map_or(&[][..], Node::items).iter();
                clients.filter_map(|client| client.get("model")?.text()).any(|own| own == model)
            };
            let lacks = |((own, share), id): ((&Option<TokenSizes>, &Ratio), &str)| {
                own.is_none() && (*share > Ratio::ZERO || of_clients(id))
            };
            let ids = self.names.models();
            let needed = shares.is_none_or(|shares| own.iter().zip(shares).zip(ids).any(lacks));
            if needed && is_complete && !mistyped(node.entries(), WORKLOAD.fields, "tokens") {
                let message = "workload has no \"tokens\": token counts per request";
                let help =
                    "write `tokens: {input: ..., output: ...}`, each a number or a distribution";
                self.diagnostics.report(Diagnostic::new(*place, message).help(help));
            }
            // A model without a share is never asked for, whatever its requests would have.
            let any = own.iter().flatten().next().cloned();
            return own.into_iter().map(|sizes| sizes.or_else(|| any.clone())).collect();
        };
        let all = token_sizes(tokens, self.diagnostics)?;
        if own.iter().all(Option::is_none) {
            return is_complete.then(|| vec![all]);
        }
        let sizes = own.into_iter().map(|sizes| sizes.unwrap_or_else(|| all.clone()));
        is_complete.then(|| sizes.collect())
    }
}

/// How many users wait for answers beside those that the workload describes: where all requests
/// come from such users, it describes none.
fn users_beside(pieces: &[Piece]) -> u64 {
    let generated = pieces.iter().filter_map(|piece| match piece {
        Piece::Generated(arrivals) => Some(arrivals),
        Piece::Recorded(..) => None,
    });
    let waiting = generated.clone().filter(|arrivals| arrivals.is_closed()).count();
    if waiting == pieces.len() { 0 } else { generated.map(Arrivals::closed_users).sum() }
}

/// The token counts that `tokens` describes.
pub(crate) fn token_sizes(tokens: &Node, diagnostics: &mut Diagnostics) -> Option<TokenSizes> {
    let mut size =
        |key: &str| decode_distribution::decode(tokens.get(key)?, Quantity::Tokens, diagnostics);
    let (input, output) = (size("input"), size("output"));
    let rank_correlation = match tokens.get("rank_correlation") {
        Some(_) => RankCorrelation::new(read::number(tokens, "rank_correlation")?)?,
        None => RankCorrelation::NONE,
    };
    Some(TokenSizes { input: input?, output: output?, rank_correlation })
}

/// The shares of the models that `entry` gives, in the order of the models; 0 for those that it
/// does not name.
fn shares(entry: &Entry, names: &Names, diagnostics: &mut Diagnostics) -> Option<Vec<Ratio>> {
    let mut shares = vec![Ratio::ZERO; names.models().count()];
    let mut complete = entry.node.text().is_none();
    for named in entry.node.entries() {
        let model = names.resolve_model(&named.key, named.place, diagnostics);
        let share = read::ratio(&named.node, "share");
        match (model, share) {
            (Some(model), Some(share)) => shares[usize::from(model.0)] = share,
            _ => complete = false,
        }
    }
    if complete {
        let sum = shares.iter().map(|share| share.get()).sum();
        check_sum("shares", "the models", sum, entry, diagnostics);
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
