//! A version as the interface shows it, and as a client states a new one.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::engine::{Evaluation, Status, Version, VersionStatus};
use crate::units::{ModelId, Money, Price, Ratio, Timestamp, VersionId};
use crate::wire::ApiError;

/// A version with all that is to be said of it now.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Version")]
pub(super) struct VersionView {
    id: String,
    model: String,
    /// The tag of it that was set last; null: it has none.
    tag: Option<String>,
    /// All its tags, the one that was set last at the end.
    tags: Vec<String>,
    /// When it was registered, in RFC 3339.
    created_at: String,
    status: StatusWord,
    /// Its share of the traffic, 0 to 1.
    weight: f64,
    /// What is put into the bodies of its requests.
    parameters: Map<String, Value>,
    /// What it charges; null: that is not known.
    price: Option<PriceView>,
    /// The name of what answers its requests.
    upstream: String,
    /// Whether the configuration has that: if not the version can get no traffic.
    reachable: bool,
    /// Results of runs, oldest first.
    evaluations: Vec<EvaluationView>,
    /// What its author says of it.
    notes: String,
}

/// A version that is to be registered.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewVersion {
    #[schemars(with = "String", regex(pattern = "^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$"))]
    pub(super) id: VersionId,
    /// The name of what is to answer its requests, as the configuration has it.
    upstream: String,
    /// What is put into the bodies of its requests.
    #[serde(default)]
    parameters: Map<String, Value>,
    #[serde(default)]
    price: Option<NewPrice>,
    /// What its author says of it.
    #[serde(default)]
    notes: String,
}

/// What a version charges, in USD for 1,000 tokens: one figure, or one each for input and output.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewPrice {
    #[serde(default)]
    per_1k: Option<f64>,
    #[serde(default)]
    input_per_1k: Option<f64>,
    #[serde(default)]
    output_per_1k: Option<f64>,
}

/// What a version charges, in USD for 1,000 tokens.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Price")]
struct PriceView {
    input_per_1k: f64,
    output_per_1k: f64,
}

/// What a run said of a version.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Evaluation")]
struct EvaluationView {
    scenario: String,
    seed: u64,
    /// `pass`, `inconclusive`, `fail` or `invalid`.
    verdict: String,
    /// By name, in seconds, shares, dollars or counts.
    metrics: BTreeMap<String, f64>,
}

/// How a version stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum StatusWord {
    /// The tag `stable` names it.
    Stable,
    /// It gets traffic and is not the stable.
    Canary,
    /// It gets none.
    Idle,
    /// A rollback took its traffic and it has not been deployed again.
    RolledBack,
}

impl VersionView {
    pub(super) fn of(model: &ModelId, status: &VersionStatus<'_>) -> Self {
        Self {
            tags: status.tags.iter().map(ToString::to_string).collect(),
            tag: status.tags.last().map(ToString::to_string),
            status: status.status.into(),
            weight: status.weight.get(),
            reachable: status.is_reachable,
            evaluations: status.evaluations.iter().map(EvaluationView::from).collect(),
            ..Self::new(model, status.version)
        }
    }

    /// A version that has just been registered.
    pub(super) fn new(model: &ModelId, version: &Version) -> Self {
        Self {
            id: version.id.to_string(),
            model: model.to_string(),
            tag: None,
            tags: Vec::new(),
            created_at: version.created_at.to_string(),
            status: StatusWord::Idle,
            weight: Ratio::ZERO.get(),
            parameters: version.parameters.clone(),
            price: version.price.map(PriceView::from),
            upstream: version.upstream.clone(),
            reachable: true,
            evaluations: Vec::new(),
            notes: version.notes.clone(),
        }
    }
}

impl NewVersion {
    /// The version, registered at `created_at`.
    ///
    /// # Errors
    /// Its price is none.
    pub(super) fn into_version(self, created_at: Timestamp) -> Result<Version, ApiError> {
        let Self { id, upstream, parameters, price, notes } = self;
        let price = price.map(NewPrice::price).transpose()?;
        Ok(Version { parameters, price, notes, ..Version::new(id, &upstream, created_at) })
    }
}

impl NewPrice {
    fn price(self) -> Result<Price, ApiError> {
        match (self.per_1k, self.input_per_1k, self.output_per_1k) {
            (Some(all), None, None) => Ok(Price::blended(money("price.per_1k", all)?)),
            (None, Some(input), Some(output)) => Ok(Price {
                input_per_1k: money("price.input_per_1k", input)?,
                output_per_1k: money("price.output_per_1k", output)?,
            }),
            _ => {
                let words = "price: allowed are per_1k alone, or input_per_1k with output_per_1k";
                Err(ApiError::invalid("price", words))
            }
        }
    }
}

impl From<Price> for PriceView {
    fn from(price: Price) -> Self {
        Self {
            input_per_1k: price.input_per_1k.as_usd(),
            output_per_1k: price.output_per_1k.as_usd(),
        }
    }
}

impl From<&Evaluation> for EvaluationView {
    fn from(evaluation: &Evaluation) -> Self {
        let Evaluation { scenario, seed, verdict, metrics } = evaluation;
        let (scenario, verdict) = (scenario.clone(), verdict.name().to_owned());
        Self { scenario, seed: *seed, verdict, metrics: metrics.clone() }
    }
}

impl From<Status> for StatusWord {
    fn from(status: Status) -> Self {
        match status {
            Status::Stable => Self::Stable,
            Status::Canary => Self::Canary,
            Status::Idle => Self::Idle,
            Status::RolledBack => Self::RolledBack,
        }
    }
}

fn money(field: &'static str, usd: f64) -> Result<Money, ApiError> {
    if !(0.0..=MOST_USD).contains(&usd) {
        let words = format!("{field}: {usd} USD is out of range; allowed are 0 to {MOST_USD} USD");
        return Err(ApiError::invalid(field, words));
    }
    Ok(Money::from_pico_usd((usd * 1e12).round() as u128))
}

/// As literals of money allow it.
const MOST_USD: f64 = 1e6;

#[cfg(test)]
mod tests {
    use super::*;

    fn price(text: &str) -> Result<Price, ApiError> {
        serde_json::from_str::<NewPrice>(text).unwrap().price()
    }

    #[test]
    fn a_price_is_one_figure_or_two_and_exact_to_the_pico_dollar() {
        let blended = Price::blended(Money::from_pico_usd(8_000_000_000));
        assert_eq!(price(r#"{"per_1k": 0.008}"#).unwrap(), blended);
        let two = price(r#"{"input_per_1k": 0, "output_per_1k": 0.03}"#).unwrap();
        assert_eq!(two.input_per_1k, Money::ZERO);
        assert_eq!(two.output_per_1k.as_pico_usd(), 30_000_000_000);
        for wrong in [
            "{}",
            r#"{"input_per_1k": 1}"#,
            r#"{"per_1k": 1, "output_per_1k": 1}"#,
            r#"{"per_1k": -0.1}"#,
            r#"{"per_1k": 1e300}"#,
        ] {
            assert_eq!(price(wrong).unwrap_err().status, 400, "{wrong}");
        }
    }
}
