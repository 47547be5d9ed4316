//! Commands about the access keys of the workload's clients.

use crate::engine::{CommandKind, Target};
use crate::units::KeyId;

use super::command_plan::Instruction;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::read;
use super::shape::quote;
use super::suggest::{listing, nearest};
use super::tree::Node;

/// The keys that commands can name: those of the workload's clients.
pub(crate) struct ClientKeys<'a>(Vec<&'a str>);

impl<'a> ClientKeys<'a> {
    /// Those of the clients of `workload`.
    pub(crate) fn of(workload: Option<&'a Node>) -> Self {
        let clients = workload.and_then(|workload| workload.get("clients"));
        let clients = clients.map_or(&[][..], Node::items).iter();
        Self(clients.filter_map(|client| read::text(client, "key")).collect())
    }

    /// The key that `node` names; reported where no client has it.
    fn resolve(&self, node: &Node, diagnostics: &mut Diagnostics) -> Option<KeyId> {
        let name = node.text()?;
        let key = KeyId::new(name).ok()?;
        if self.0.contains(&name) {
            return Some(key);
        }
        let message = format!("{} is the key of no client of the workload", quote(name));
        let diagnostic = Diagnostic::new(node.place, message);
        diagnostics.report(match (nearest(name, self.0.iter().copied()), self.0.as_slice()) {
            (Some(meant), _) => diagnostic.suggest(Some(meant)),
            (None, []) => diagnostic.help("give the workload `clients`, each with its key"),
            (None, known) => {
                diagnostic.help(format!("known keys: {}", listing(known.iter().copied())))
            }
        });
        None
    }

    /// The command to give a key another secret; `version` is the one that `node` names, if it
    /// names one.
    pub(crate) fn regenerate(
        &self,
        node: &Node,
        version: Option<Target>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Instruction> {
        let key = node.get("key").and_then(|key| self.resolve(key, diagnostics));
        let (grace, adopted_after) =
            (read::duration(node, "grace"), read::duration(node, "adopted_after"));
        let (key, grace, adopted_after) = (key?, grace?, adopted_after?);
        if adopted_after > grace
            && let Some(at) = node.get("adopted_after")
        {
            let locked_out = adopted_after.saturating_sub(grace);
            let message = format!(
                "the client goes on with the old secret for {adopted_after}, which is valid for \
                 {grace} alone: it is refused for {locked_out}"
            );
            let help = "raise `grace`, or leave it so if these refusals are what is rehearsed";
            diagnostics.warn(Diagnostic::new(at.place, message).help(help));
        }
        Some(Instruction::NewSecret { key, grace, adopted_after, version })
    }

    /// The command to revoke the key that `node` names.
    pub(crate) fn revoke(&self, node: &Node, diagnostics: &mut Diagnostics) -> Option<Instruction> {
        let key = self.resolve(node, diagnostics)?;
        Some(Instruction::Engine(CommandKind::RevokeKey(key)))
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::fixture::load_text;

    /// What is warned of a command to regenerate a key.
    fn warned(more: &str) -> String {
        let text = format!(
            "schema: 1
name: keys
workload: {{arrivals: {{poisson: 10/s}}, tokens: {{input: 10, output: 10}}, \
             clients: [{{key: web, share: 100%}}]}}
models: {{m: {{versions: {{v1: {{upstream: {{latency: 1s}}}}}}}}}}
phases:
  - {{name: one, for: 10m, commands: [{{regenerate_key: {{key: web{more}}}}}]}}
"
        );
        load_text(&text).unwrap_or_else(|error| panic!("{error}")).warnings.to_string()
    }

    #[test]
    fn a_client_that_is_later_than_the_grace_is_told_with_how_long_it_is_locked_out() {
        let warning = warned(", grace: 60s, adopted_after: 90s");
        assert!(warning.contains("it is refused for 30 s\n"), "{warning}");
        assert!(warning.contains("adopted_after: 90s"), "the place: {warning}");
        assert_eq!(warned(", grace: 60s, adopted_after: 60s"), "");
    }
}
