//! `coalmine admin`: a gateway that serves, administered over its HTTP interface.

use super::admin_arguments::{AdminArguments, AdminCommands};
use super::admin_client::Client;
use super::admin_connection::{Connection, ConnectionArguments};
use super::admin_deploy::{Deployment, deploy};
use super::admin_evaluate::evaluate;
use super::admin_events::events;
use super::admin_history::history;
use super::admin_rules::rules;
use super::admin_status::status;
use super::admin_versions::{register, tag, versions};
use super::exit::Exit;
use super::terminal::Failure;

pub(super) fn admin(arguments: &AdminArguments) -> Result<Exit, Failure> {
    let format = arguments.connection.format;
    // What makes no sense by itself is told before a key is missed.
    let deployment = Deployment::of(&arguments.command)?;
    ask(&arguments.connection, async |client| match &arguments.command {
        AdminCommands::Status(arguments) => status(client, arguments, format).await,
        AdminCommands::Versions(arguments) => versions(client, arguments, format).await,
        AdminCommands::Register(arguments) => register(client, arguments, format).await,
        AdminCommands::Tag(arguments) => tag(client, arguments, format).await,
        AdminCommands::Evaluate(arguments) => evaluate(client, arguments, format).await,
        AdminCommands::Rules(arguments) => rules(client, arguments, format).await,
        AdminCommands::History(arguments) => history(client, arguments, format).await,
        AdminCommands::Events(arguments) => events(client, arguments, format).await,
        AdminCommands::Split(_)
        | AdminCommands::Rollout(_)
        | AdminCommands::Promote(_)
        | AdminCommands::Pause(_)
        | AdminCommands::Resume(_)
        | AdminCommands::Abort(_)
        | AdminCommands::Rollback(_) => {
            let deployment = deployment.as_ref().expect("these are the deployments");
            deploy(client, deployment, format).await
        }
    })
}

/// Has a gateway asked.
pub(super) fn ask(
    connection: &ConnectionArguments,
    how: impl AsyncFnOnce(&Client) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let client = Client::new(Connection::of(connection)?)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::internal)?;
    runtime.block_on(how(&client))
}
