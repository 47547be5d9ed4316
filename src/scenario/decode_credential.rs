//! Where a secret is found.

use super::files::Folder;
use super::gateway_plan::Credential;
use super::shape::Literal;
use super::tree::Node;

/// The place that `node` says, by one of `env` and `file`.
pub(crate) fn decode(node: &Node, folder: &Folder) -> Option<Credential> {
    if let Some(name) = node.get("env") {
        let legal = Literal::Environment.check(name.scalar()?).is_ok();
        return name.text().filter(|_| legal).map(|name| Credential::Env(name.to_owned()));
    }
    let path = node.get("file")?;
    Some(Credential::File(folder.lead(path.text()?, path.place)))
}
