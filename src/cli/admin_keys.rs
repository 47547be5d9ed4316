//! `coalmine keys`: the access keys of a gateway. A secret goes to stdout, alone, so that a shell
//! can take it; what is said of it goes to stderr.

use std::io;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::admin::ask;
use super::admin_arguments::{RepeatArguments, model};
use super::admin_ask::{Ask, segment};
use super::admin_client::Client;
use super::admin_connection::ConnectionArguments;
use super::exit::Exit;
use super::shared_arguments::OutputFormat;
use super::shared_arguments::time;
use super::terminal::{Failure, complain, print, width};
use crate::clock::{TimeScale, WallClock};
use crate::gateway::{RecoverError, recover_key};
use crate::report::{Grid, text_table, visible};
use crate::store::{OpenError, OpenFault};
use crate::units::{Duration, KeyId, ModelId};

#[derive(Clone, Debug, Args)]
pub(super) struct KeysArguments {
    #[command(flatten)]
    connection: ConnectionArguments,
    #[command(subcommand)]
    command: KeysCommands,
}

#[derive(Clone, Debug, Subcommand)]
enum KeysCommands {
    /// Make an access key; its secret is printed, once
    #[command(after_help = CREATE_HELP)]
    Create(CreateArguments),
    /// The access keys, without their secrets
    #[command(after_help = "Examples:\n  coalmine keys list")]
    List,
    /// Revoke an access key, at once
    #[command(after_help = REVOKE_HELP)]
    Revoke(RevokeArguments),
    /// Make a new secret for an access key; it is printed, once
    #[command(after_help = REGENERATE_HELP)]
    Regenerate(RegenerateArguments),
    /// Make an access key with scope admin in the journal of a gateway that does not run, where all
    /// of them are lost; its secret is printed, once
    #[command(after_help = RECOVER_HELP)]
    Recover(RecoverArguments),
}

#[derive(Clone, Debug, Args)]
struct CreateArguments {
    /// Its name, which is no secret
    #[arg(value_parser = key)]
    key: KeyId,
    /// What it permits
    #[arg(long, value_enum, default_value_t = ScopeWord::Inference)]
    scope: ScopeWord,
    /// For which model; may be repeated [default: for all]
    #[arg(long = "model", value_name = "MODEL", value_parser = model)]
    models: Vec<ModelId>,
}

#[derive(Clone, Debug, Args)]
struct RevokeArguments {
    /// Which key
    #[arg(value_parser = key)]
    key: KeyId,
    #[command(flatten)]
    repeat: RepeatArguments,
}

#[derive(Clone, Debug, Args)]
struct RegenerateArguments {
    /// Which key [default: the one that the command is given with]
    #[arg(value_parser = key)]
    key: Option<KeyId>,
    /// How long the old secret stays valid, 0: it ends at once [default: as the gateway's
    /// configuration has it]
    #[arg(long, value_name = "DURATION", value_parser = time, requires = "key")]
    grace: Option<Duration>,
}

#[derive(Clone, Debug, Args)]
struct RecoverArguments {
    /// Its name, which is no secret [default: recovered, or the next such name that is free]
    #[arg(value_parser = key)]
    key: Option<KeyId>,
    /// The journal: what `state` of the gateway's configuration names
    #[arg(long, value_name = "PATH")]
    state: PathBuf,
}

/// What a key permits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum ScopeWord {
    /// To send requests, and to read what is deployed
    Inference,
    /// To change it as well
    Admin,
}

#[derive(Deserialize)]
struct Created {
    api_key: String,
    key_id: String,
    scope: String,
    models: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Regenerated {
    api_key: String,
    key_id: String,
    previous_valid_until: Option<String>,
}

#[derive(Deserialize)]
struct Key {
    id: String,
    scope: String,
    models: Option<Vec<String>>,
    previous_valid_until: Option<String>,
}

pub(super) const KEYS_HELP: &str = "\
Keys are made, listed and revoked with the key of an administrator of all models: COALMINE_KEY \
holds it, or the file that --key-file names. Where all such keys are lost, `coalmine keys recover` \
makes one while the gateway does not run.

Examples:
  coalmine keys list
  KEY=$(coalmine keys create team-search --scope inference)";

const CREATE_HELP: &str = "\
Only the secret goes to stdout. It is kept nowhere: the command is not repeated where its answer \
is lost, and `coalmine keys regenerate` makes another secret.

Examples:
  KEY=$(coalmine keys create team-search)
  coalmine keys create deployer --scope admin --model gpt-4 --model org/name > deployer.key";

const REVOKE_HELP: &str = "\
No key revokes itself.

Examples:
  coalmine keys revoke team-search";

const REGENERATE_HELP: &str = "\
Only the secret goes to stdout. The old one stays valid for a while, so that whoever has it can \
change over.

Examples:
  KEY=$(coalmine keys regenerate team-search)
  coalmine keys regenerate team-search --grace 0s
  COALMINE_KEY=$(coalmine keys regenerate)";

const RECOVER_HELP: &str = "\
The gateway must not run: it would not see the key. No gateway is asked and no key is needed; \
whoever may write the journal may do this. Only the secret goes to stdout. The journal says that \
the key was made by `recovery`; other keys stay as they are: `coalmine keys revoke` ends those \
that are lost.

Examples:
  COALMINE_KEY=$(coalmine keys recover --state /var/lib/coalmine/journal.db)
  coalmine keys recover me --state coalmine.db > me.key";

pub(super) fn keys(arguments: &KeysArguments) -> Result<Exit, Failure> {
    let format = arguments.connection.format;
    if let KeysCommands::Recover(arguments) = &arguments.command {
        return recover(arguments);
    }
    ask(&arguments.connection, async |client| match &arguments.command {
        KeysCommands::Create(arguments) => create(client, arguments, format).await,
        KeysCommands::List => list(client, format).await,
        KeysCommands::Revoke(arguments) => revoke(client, arguments, format).await,
        KeysCommands::Regenerate(arguments) => regenerate(client, arguments, format).await,
        KeysCommands::Recover(arguments) => recover(arguments),
    })
}

async fn create(
    client: &Client,
    arguments: &CreateArguments,
    format: OutputFormat,
) -> Result<Exit, Failure> {
    let scope = match arguments.scope {
        ScopeWord::Inference => "inference",
        ScopeWord::Admin => "admin",
    };
    let models = (!arguments.models.is_empty()).then_some(&arguments.models);
    let body = json!({"id": arguments.key, "scope": scope, "models": models});
    let answer = client.call(&Ask::for_secret(KEYS.to_owned(), &body)).await?;
    answer.show(format, |created: Created| {
        let Created { api_key, key_id, scope, models } = created;
        let models = models_text(models.as_deref());
        let words = format!(
            "access key {key_id} created, scope {scope}, for {models}; its secret is shown \
             this once"
        );
        complain(&visible(&words));
        api_key + "\n"
    })
}

async fn list(client: &Client, format: OutputFormat) -> Result<Exit, Failure> {
    let answer = client.call(&Ask::read(KEYS.to_owned())).await?;
    answer.show(format, |keys: Vec<Key>| {
        let header = ["Key", "Scope", "Models", "Old secret valid until"];
        let rows = keys.into_iter().map(|key| {
            let models = models_text(key.models.as_deref());
            let until = key.previous_valid_until.unwrap_or_else(|| "–".to_owned());
            vec![key.id, key.scope, models, until]
        });
        let header = header.map(str::to_owned).to_vec();
        text_table(&Grid { header, rows: rows.collect(), names: None }, width())
    })
}

async fn revoke(
    client: &Client,
    arguments: &RevokeArguments,
    format: OutputFormat,
) -> Result<Exit, Failure> {
    let path = format!("{KEYS}/{}", segment(arguments.key.as_str()));
    let ask = Ask::command(Method::DELETE, path, None, arguments.repeat.key())?;
    let answer = client.call(&ask).await?;
    answer.show(format, |_: Value| format!("access key {} revoked\n", arguments.key))
}

async fn regenerate(
    client: &Client,
    arguments: &RegenerateArguments,
    format: OutputFormat,
) -> Result<Exit, Failure> {
    let (path, body) = match &arguments.key {
        None => ("/v1/auth/regenerate-key".to_owned(), json!({})),
        Some(key) => {
            let grace = arguments.grace.map(Duration::to_literal);
            let path = format!("{KEYS}/{}/regenerate", segment(key.as_str()));
            (path, json!({"grace_seconds": grace}))
        }
    };
    let answer = client.call(&Ask::for_secret(path, &body)).await?;
    answer.show(format, |regenerated: Regenerated| {
        let Regenerated { api_key, key_id, previous_valid_until } = regenerated;
        let old = match previous_valid_until {
            Some(until) => format!("the old secret is valid until {until}"),
            None => "the old secret is no longer valid".to_owned(),
        };
        complain(&visible(&format!(
            "access key {key_id} has a new secret, which is shown this once; {old}"
        )));
        api_key + "\n"
    })
}

fn recover(arguments: &RecoverArguments) -> Result<Exit, Failure> {
    let now = WallClock::new(TimeScale::REAL).now();
    let mut show =
        |key: &str| print(&format!("{key}\n")).map_err(|failure| io::Error::other(failure.message));
    let path = &arguments.state;
    let made = recover_key(path, arguments.key.clone(), now, &mut show).map_err(|error| {
        let words = format!("error: {error}");
        match error {
            RecoverError::Open(OpenError { fault: OpenFault::InUse, .. }) => Failure::input(
                format!("{words}\n  help: stop the gateway first; it would not see the key"),
            ),
            RecoverError::Open(_) | RecoverError::Store(_) => Failure::input(words),
            RecoverError::Refused(_) => Failure::usage(words),
            _ => Failure::internal(words),
        }
    })?;
    complain(&format!(
        "access key {made} created, scope admin, for all models; its secret is shown this once"
    ));
    Ok(Exit::Pass)
}

fn models_text(models: Option<&[String]>) -> String {
    models.map_or_else(|| "all models".to_owned(), |models| models.join(", "))
}

fn key(text: &str) -> Result<KeyId, String> {
    KeyId::new(text).map_err(|error| error.to_string())
}

const KEYS: &str = "/v1/auth/keys";
