//! An event of a gateway elsewhere, as it comes.

use crate::wire::ServerEvent;

/// Something that a gateway tells.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct FeedEvent {
    /// The number of the journal entry, where it is one.
    pub(super) entry: Option<u64>,
    /// What it is, in a word.
    pub(super) name: String,
    /// JSON.
    pub(super) data: String,
}

impl From<ServerEvent<'_>> for FeedEvent {
    fn from(event: ServerEvent<'_>) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let entry = text(event.id).parse().ok();
        Self { entry, name: text(event.name), data: text(event.data) }
    }
}
