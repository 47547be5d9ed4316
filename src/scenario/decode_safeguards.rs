//! Safeguards: those of the scenario, and what a model says otherwise.

use crate::engine::Safeguards;

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
