//! `coalmine admin versions`, `register` and `tag`.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::admin_arguments::{RegisterArguments, TagArguments, VersionsArguments};
use super::admin_ask::{Ask, model_path, segment};
use super::admin_client::Client;
use super::exit::Exit;
use super::shared_arguments::OutputFormat;
use super::terminal::{Failure, width};
use crate::report::{Grid, text_table};
use crate::units::{format_money, format_set_share};

/// A version, as far as it is shown.
#[derive(Deserialize)]
struct Version {
    id: String,
    model: String,
    tags: Vec<String>,
    created_at: String,
    status: String,
    weight: f64,
    parameters: Map<String, Value>,
    price: Option<Price>,
    upstream: String,
    #[serde(default = "yes")]
    reachable: bool,
    evaluations: Vec<Evaluation>,
    notes: String,
}

#[derive(Clone, Copy, Deserialize)]
struct Price {
    input_per_1k: f64,
    output_per_1k: f64,
}

#[derive(Deserialize)]
struct Evaluation {
    scenario: String,
    seed: u64,
    verdict: String,
}

#[derive(Deserialize)]
struct Tagged {
    model: String,
    tag: String,
    version_id: String,
    previous_version_id: Option<String>,
}

/// `coalmine admin versions`
pub(super) async fn versions(
    client: &Client,
    arguments: &VersionsArguments,
    format: OutputFormat,
) -> Result<Exit, Failure> {
    let model = arguments.model.as_str();
    match &arguments.version {
        None => {
            let answer = client.call(&Ask::read(model_path(model, "versions"))).await?;
            answer.show(format, |versions: Vec<Version>| table(&versions))
        }
        Some(version) => {
            let part = format!("versions/{}", segment(version.as_str()));
            let answer = client.call(&Ask::read(model_path(model, &part))).await?;
            answer.show(format, |version| description(&version))
        }
    }
}

/// `coalmine admin register`
pub(super) async fn register(
    client: &Client,
    arguments: &RegisterArguments,
    format: OutputFormat,
) -> Result<Exit, Failure> {
    let price = match (arguments.per_1k, arguments.input_per_1k, arguments.output_per_1k) {
        (Some(all), ..) => json!({"per_1k": all}),
        (_, Some(input), Some(output)) => json!({"input_per_1k": input, "output_per_1k": output}),
        _ => Value::Null,
    };
    let body = json!({
        "id": arguments.version,
        "upstream": arguments.upstream,
        "parameters": arguments.parameters.clone().unwrap_or_default(),
        "price": price,
        "notes": arguments.notes.as_deref().unwrap_or_default(),
    });
    let path = model_path(arguments.model.as_str(), "versions");
    let body = Some(body.to_string().into_bytes());
    let ask = Ask::command(Method::POST, path, body, arguments.repeat.key())?;
    let answer = client.call(&ask).await?;
    let is_new = answer.status == CREATED;
    answer.show(format, |version: Version| {
        let Version { id, model, upstream, .. } = &version;
        if is_new {
            format!("{model}: version {id} registered, upstream {upstream}\n")
        } else {
            format!("{model}: version {id} was registered already, with the same content\n")
        }
    })
}

/// `coalmine admin tag`
pub(super) async fn tag(
    client: &Client,
    arguments: &TagArguments,
    format: OutputFormat,
) -> Result<Exit, Failure> {
    let body = json!({
        "version_id": arguments.version.as_str(),
        "tag": arguments.tag,
        "preserve_previous": !arguments.forget_previous,
    });
    let path = model_path(arguments.model.as_str(), "versions/tag");
    let body = Some(body.to_string().into_bytes());
    let ask = Ask::command(Method::POST, path, body, arguments.repeat.key())?;
    client.call(&ask).await?.show(format, |tagged: Tagged| {
        let Tagged { model, tag, version_id, previous_version_id } = &tagged;
        let before = match previous_version_id {
            Some(before) if before == version_id => ", as before".to_owned(),
            Some(before) => format!(", before on {before}"),
            None => String::new(),
        };
        format!("{model}: tag {tag} set on {version_id}{before}\n")
    })
}

fn table(versions: &[Version]) -> String {
    let header = ["Version", "Status", "Weight", "Tags", "Upstream", "Price per 1K", "Registered"];
    let rows = versions.iter().map(|version| {
        vec![
            version.id.clone(),
            status_text(&version.status, version.reachable),
            format_set_share(version.weight),
            version.tags.join(", "),
            version.upstream.clone(),
            version.price.map_or_else(|| "–".to_owned(), price_text),
            to_the_second(&version.created_at),
        ]
    });
    let header = header.map(str::to_owned).to_vec();
    text_table(&Grid { header, rows: rows.collect(), names: None }, width())
}

/// How a version stands, in words.
pub(super) fn status_text(status: &str, is_reachable: bool) -> String {
    let status = status.replace('_', " ");
    if is_reachable { status } else { format!("{status}, upstream gone") }
}

/// What an older gateway means that does not say whether a version can be reached.
pub(super) const fn yes() -> bool {
    true
}

/// A time in RFC 3339 without its fraction: in a table nine more digits tell nothing.
fn to_the_second(time: &str) -> String {
    time.split_once('.').map_or_else(|| time.to_owned(), |(seconds, _)| format!("{seconds}Z"))
}

fn description(version: &Version) -> String {
    let none = || "none".to_owned();
    let listed = |list: &[String]| if list.is_empty() { none() } else { list.join(", ") };
    let evaluation = |run: &Evaluation| {
        let Evaluation { scenario, seed, verdict } = run;
        format!("{verdict} in {scenario}, seed {seed}")
    };
    let evaluations: Vec<String> = version.evaluations.iter().map(evaluation).collect();
    let mut lines = vec![
        ("model", version.model.clone()),
        ("status", status_text(&version.status, version.reachable)),
        ("weight", format_set_share(version.weight)),
        ("tags", listed(&version.tags)),
        ("upstream", version.upstream.clone()),
        ("parameters", json!(version.parameters).to_string()),
        ("price", version.price.map_or_else(|| "not known".to_owned(), priced)),
        ("registered", version.created_at.clone()),
        ("evaluations", listed(&evaluations)),
    ];
    if !version.notes.is_empty() {
        lines.push(("notes", version.notes.clone()));
    }
    let lines = lines.iter().map(|(name, value)| format!("  {name:<11}  {value}\n"));
    format!("{}\n{}", version.id, lines.collect::<String>())
}

fn price_text(price: Price) -> String {
    if price.input_per_1k == price.output_per_1k {
        return format_money(price.input_per_1k);
    }
    format!("{} / {}", format_money(price.input_per_1k), format_money(price.output_per_1k))
}

fn priced(price: Price) -> String {
    let (input, output) = (format_money(price.input_per_1k), format_money(price.output_per_1k));
    if input == output {
        return format!("{input} per 1K tokens");
    }
    format!("{input} per 1K tokens of input, {output} of output")
}

/// The HTTP status of what was made by the request.
const CREATED: u16 = 201;
