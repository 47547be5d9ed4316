//! Upstreams by name: how known models and servers answer, as parts of a scenario.
//!
//! They are a starting point, not a measurement of yours: each says where its figures are from and
//! what is assumed. Whatever a scenario states itself stands in place of the preset's.

use super::diagnostic::Diagnostics;
use super::parse::parse_file;
use super::place::Sources;
use super::shapes_distribution::DURATION_FAMILIES;
use super::tree::{Entry, Node, Scalar, Value};

/// The names of the presets.
pub(crate) static PRESETS: [&str; 7] = [
    "gpt-4",
    "gpt-4-turbo",
    "claude-sonnet",
    "gemini-flash",
    "deepseek-v3",
    "vllm-8b-h100",
    "vllm-70b-tp8",
];

/// Puts into every upstream what its preset says and it does not, and says which share of a latency
/// given as a whole passes until the first token. An upstream that is none is left to the check.
pub(crate) fn expand(root: &mut Node, sources: &mut Sources, diagnostics: &mut Diagnostics) {
    for model in entries(root, "models") {
        for version in entries(&mut model.node, "versions") {
            let Some(upstream) = child(&mut version.node, "upstream") else { continue };
            let preset = upstream.get("preset").and_then(Node::text);
            if let Some(preset) = preset.and_then(|name| parsed(name, sources, diagnostics)) {
                merge(upstream, preset);
            }
            add_first_token(upstream);
        }
    }
}

/// The upstream that a preset stands for.
fn parsed(name: &str, sources: &mut Sources, diagnostics: &mut Diagnostics) -> Option<Node> {
    let index = PRESETS.iter().position(|known| *known == name)?;
    parse_file(&format!("preset {name}"), TEXTS[index].as_bytes(), sources, diagnostics)
}

/// Adds what stands in `preset` and not in `node`, key by key and one level down.
fn merge(node: &mut Node, preset: Node) {
    let (Value::Map(own), Value::Map(others)) = (&mut node.value, preset.value) else { return };
    for other in others {
        match own.iter_mut().find(|entry| entry.key == other.key) {
            None => own.push(other),
            // A latency as a whole takes the place of the parts.
            Some(entry) if entry.node.entries().iter().any(is_family) => (),
            Some(entry) => {
                let (Value::Map(own), Value::Map(others)) =
                    (&mut entry.node.value, other.node.value)
                else {
                    continue;
                };
                let missing =
                    |other: &Entry| !own.iter().any(|entry: &Entry| entry.key == other.key);
                let missing: Vec<_> = others.into_iter().filter(missing).collect();
                own.extend(missing);
            }
        }
    }
}

/// Writes out the default of `first_token`, where the latency is given as a whole.
fn add_first_token(node: &mut Node) {
    let place = node.place;
    let Some(latency) = node.get("latency") else { return };
    let whole = latency.text().is_some() || latency.entries().iter().any(is_family);
    if whole
        && node.get("first_token").is_none()
        && let Value::Map(entries) = &mut node.value
    {
        let value = Value::Scalar(Scalar { text: FIRST_TOKEN.to_owned(), quoted: false });
        entries.push(Entry { place, key: "first_token".to_owned(), node: Node { place, value } });
    }
}

fn is_family(entry: &Entry) -> bool {
    DURATION_FAMILIES.iter().any(|family| family.name == entry.key)
}

fn child<'a>(node: &'a mut Node, key: &str) -> Option<&'a mut Node> {
    let Value::Map(entries) = &mut node.value else { return None };
    entries.iter_mut().find(|entry| entry.key == key).map(|entry| &mut entry.node)
}

fn entries<'a>(node: &'a mut Node, key: &str) -> &'a mut [Entry] {
    match child(node, key) {
        Some(Node { value: Value::Map(entries), .. }) => entries,
        _ => &mut [],
    }
}

/// The share of a latency given as a whole that passes until the first token, unless stated.
pub(crate) const FIRST_TOKEN: &str = "20%";

/// The presets, in the order of their names.
///
/// Of hosted models the medians are measured where a source is named. Assumed throughout: that
/// first tokens spread as a log-normal with sigma 0.35 (the 99th percentile is then 2.3 times the
/// median), the pace of a request with a cv of 0.1 to 0.2, and 0.1 ms for a token of the prompt.
const TEXTS: [&str; 7] = [
    // 24 tokens/s: Artificial Analysis, February 2024, as quoted at
    // <https://therightstack.com/cloud-developer-and-cloud-security-surveys/comparison-of-ai-models-across-quality-performance-price-artificial-analysis>.
    // Assumed: 700 ms to the first token.
    r"
latency:
  first_token: {lognormal: {median: 700ms, sigma: 0.35}}
  per_input_token: 100us
  per_output_token: {lognormal: {mean: 41.7ms, cv: 0.15}}
",
    // 35.7 tokens/s, standard deviation 3.3, over 8 answers of gpt-4-turbo-2024-04-09:
    // <https://community.openai.com/t/gpt-4o-tokens-per-second-comparable-to-gpt-3-5-turbo-data-and-analysis/768559>.
    // Assumed: 600 ms to the first token.
    r"
latency:
  first_token: {lognormal: {median: 600ms, sigma: 0.35}}
  per_input_token: 100us
  per_output_token: {lognormal: {mean: 28ms, cv: 0.1}}
",
    // 2,120 ms and 44.3 tokens/s, medians of 17 probes of claude-sonnet-4.6 over OpenRouter, whose
    // hop is part of the first token:
    // <https://www.jonathanwrede.de/en/blog/ttft-varies-13x-across-llm-providers/>. Others measured
    // alike: 1,641 ms for the same model with OpenRouter's 337 ms taken off
    // <https://krabarena.org/claims/557140f7-a2c3-47eb-9c49-27ec59caf675>, and 1.80 s for
    // claude-sonnet-4.5, Artificial Analysis as quoted at
    // <https://lattice.uptownhr.com/claude-opus-4-5/speed-analysis>.
    r"
latency:
  first_token: {lognormal: {median: 2120ms, sigma: 0.35}}
  per_input_token: 100us
  per_output_token: {lognormal: {median: 22.6ms, sigma: 0.2}}
",
    // 412 ms and 235.6 tokens/s, medians of 17 probes of gemini-2.5-flash, same source.
    r"
latency:
  first_token: {lognormal: {median: 412ms, sigma: 0.35}}
  per_input_token: 100us
  per_output_token: {lognormal: {median: 4.24ms, sigma: 0.2}}
",
    // 1,734 ms and 24.7 tokens/s, medians of 17 probes of deepseek-v3.2, same source.
    r"
latency:
  first_token: {lognormal: {median: 1734ms, sigma: 0.35}}
  per_input_token: 100us
  per_output_token: {lognormal: {median: 40.5ms, sigma: 0.2}}
",
    // A model of 8 billion parameters on one H100: 60 to 120 ms to the first token and 10 to 15 ms
    // for each further one, taken as the 1st and the 99th percentile. 256 sequences at once are
    // vLLM's default (`max_num_seqs`), and its queue has no bound. Assumed: 50 us for a token of
    // the prompt.
    r"
latency:
  first_token: {lognormal: {median: 85ms, sigma: 0.149}}
  per_input_token: 50us
  per_output_token: {lognormal: {median: 12.2ms, sigma: 0.0872}}
capacity: {concurrency: 256, on_full: wait}
",
    // A model of 70 billion parameters over 8 of them: 150 to 250 ms and 18 to 28 ms, taken as
    // above. Assumed: 120 us for a token of the prompt.
    r"
latency:
  first_token: {lognormal: {median: 194ms, sigma: 0.11}}
  per_input_token: 120us
  per_output_token: {lognormal: {median: 22.4ms, sigma: 0.095}}
capacity: {concurrency: 256, on_full: wait}
",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::UpstreamPlan;
    use crate::scenario::check::check;
    use crate::scenario::decode_upstream;
    use crate::scenario::shape::Shape;
    use crate::scenario::shapes_upstream::UPSTREAM;
    use crate::upstream::{Behaviour, Latency};

    /// The behaviour of an upstream written as `text`.
    fn behaviour(text: &str) -> Behaviour {
        let (mut sources, mut diagnostics) = (Sources::default(), Diagnostics::default());
        let text = format!("models: {{m: {{versions: {{v: {{upstream: {text}}}}}}}}}");
        let mut root = parse_file("a", text.as_bytes(), &mut sources, &mut diagnostics).unwrap();
        expand(&mut root, &mut sources, &mut diagnostics);
        let model = &mut entries(&mut root, "models")[0];
        let version = &mut entries(&mut model.node, "versions")[0];
        crate::scenario::fill::fill(
            child(&mut version.node, "upstream").unwrap(),
            Shape::Record(&UPSTREAM),
        );
        let entry = version.node.entry("upstream").unwrap();
        check(&entry.node, Shape::Record(&UPSTREAM), &mut diagnostics);
        let made = decode_upstream::decode(entry, &mut diagnostics);
        let (problems, _) = diagnostics.into_sorted();
        assert!(problems.is_empty(), "{problems:?}");
        let Some(UpstreamPlan::Behaves(behaviour)) = made else { panic!("{made:?}") };
        behaviour
    }

    fn first_token_secs(behaviour: &Behaviour) -> f64 {
        let Latency::Parts(parts) = &behaviour.latency else { panic!("a total") };
        parts.first_token.quantile(0.5)
    }

    #[test]
    fn every_preset_is_an_upstream() {
        let medians = PRESETS.map(|name| {
            let made = behaviour(&format!("{{preset: {name}}}"));
            assert!(made.failures.is_empty(), "{name}");
            (first_token_secs(&made) * 1e3).round() as u64
        });
        assert_eq!(medians, [700, 600, 2_120, 412, 1_734, 85, 194]);
        // The ranges of the vLLM presets are their 1st and 99th percentiles.
        let Latency::Parts(parts) = behaviour("{preset: vllm-8b-h100}").latency else {
            panic!("a total")
        };
        let near = |found: f64, millis: f64| (found * 1e3 / millis - 1.0).abs() < 0.02;
        assert!(near(parts.first_token.quantile(0.01), 60.0));
        assert!(near(parts.first_token.p99(), 120.0));
        assert!(near(parts.per_output_token.quantile(0.01), 10.0));
        assert!(near(parts.per_output_token.p99(), 15.0));
    }

    #[test]
    fn what_an_upstream_states_stands_in_place_of_its_presets_part() {
        let made = behaviour(
            "{preset: vllm-8b-h100, latency: {per_output_token: 20ms}, failures: {\"503\": 1%}, \
             capacity: {concurrency: 8}}",
        );
        assert_eq!((first_token_secs(&made) * 1e3).round() as u64, 85);
        let Latency::Parts(parts) = &made.latency else { panic!("a total") };
        assert_eq!(parts.per_output_token.mean(), 0.02);
        let capacity = made.capacity.unwrap();
        assert_eq!((capacity.concurrency, capacity.queue), (8, None));
        assert_eq!(made.failures.len(), 1);
    }

    #[test]
    fn a_latency_as_a_whole_takes_the_place_of_all_parts() {
        for whole in ["900ms", "{exponential: {mean: 900ms}}"] {
            let made = behaviour(&format!("{{preset: gpt-4, latency: {whole}}}"));
            let Latency::Total { total, first_token } = made.latency else { panic!("parts") };
            assert_eq!((total.mean(), first_token.get()), (0.9, 0.2));
        }
    }
}
