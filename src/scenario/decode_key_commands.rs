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

    /// The command to give a key another secret, in words too; `version` is the one that `node`
    /// names, if it names one.
    pub(crate) fn regenerate(
        &self,
        node: &Node,
        version: Option<Target>,
        diagnostics: &mut Diagnostics,
    ) -> Option<(Instruction, String)> {
        let key = node.get("key").and_then(|key| self.resolve(key, diagnostics));
        let (grace, adopted_after) =
            (read::duration(node, "grace"), read::duration(node, "adopted_after"));
        let (key, grace, adopted_after) = (key?, grace?, adopted_after?);
        let adopted = if adopted_after.is_zero() {
            "its client takes it at once".to_owned()
        } else {
            format!("its client takes it after {adopted_after}")
        };
        let what = format!(
            "give the key {key} another secret: the old one is valid for {grace}, {adopted}"
        );
        Some((Instruction::NewSecret { key, grace, adopted_after, version }, what))
    }

    /// The command to revoke the key that `node` names, in words too.
    pub(crate) fn revoke(
        &self,
        node: &Node,
        diagnostics: &mut Diagnostics,
    ) -> Option<(Instruction, String)> {
        let key = self.resolve(node, diagnostics)?;
        let what = format!("revoke the key {key}");
        Some((Instruction::Engine(CommandKind::RevokeKey(key)), what))
    }
}
