//! What the status of a gateway says.

use serde_json::Value;

use crate::units::ModelId;

/// What a status says of a model.
pub(super) fn of_model<'a>(status: &'a Value, model: &ModelId) -> Option<&'a Value> {
    let mut models = status["models"].as_array().into_iter().flatten();
    models.find(|state| state["model"] == model.as_str())
}

/// In what state the rollout of a model is, in a word.
pub(super) fn rollout_state<'a>(status: &'a Value, model: &ModelId) -> Option<&'a str> {
    of_model(status, model)?["rollout"]["state"].as_str()
}
