//! Safeguards: those of the scenario, and what a model says otherwise.

use crate::engine::Safeguards;
use crate::workload::Client;

use super::diagnostic::{Diagnostic, Diagnostics};
use super::plan::Scenario;
use super::read;
use super::tree::Node;

/// The safeguards of a model: all on, but for what the scenario switches off, but for what the
/// model does.
pub(crate) fn decode(of_all: Option<&Node>, of_model: Option<&Node>) -> Safeguards {
    let on = |name: &str| {
        let said = [of_model, of_all].into_iter().flatten();
        said.filter_map(|node| read::boolean(node, name)).next().unwrap_or(true)
    };
    Safeguards {
        keys_survive_rollback: on("keys_survive_rollback"),
        keep_tags: on("keep_tags"),
        no_store: on("no_store"),
        refuse_long_interval: on("refuse_long_interval"),
    }
}

/// Reports clients that ask for a version by a tag which may come to name none.
pub(crate) fn check_pins(root: &Node, scenario: &Scenario, diagnostics: &mut Diagnostics) {
    let items = root.get("workload").and_then(|workload| workload.get("clients"));
    let items = items.map_or(&[][..], Node::items);
    for (item, Client { pin, .. }) in items.iter().zip(&scenario.population().clients) {
        let Some((pin, node)) = pin.as_ref().zip(item.get("pin")) else { continue };
        let model = &scenario.models[usize::from(pin.model.0)];
        let by_id =
            model.versions.iter().any(|version| version.id.as_str() == pin.version.as_str());
        if !by_id && !model.safeguards.keep_tags {
            let message = "a tag can be lost where the safeguard `keep_tags` is off: its client \
                           would ask for a version that nobody knows";
            let help = "write the version, or leave the safeguard on";
            diagnostics.report(Diagnostic::new(node.place, message).help(help));
        }
    }
}
