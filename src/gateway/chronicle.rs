//! What the journal says of rollbacks, read as far as it goes whenever somebody asks: a restart
//! loses nothing of it.

use std::collections::BTreeMap;

use tokio::sync::Mutex;

use super::entry_view::RollbackView;
use super::front::Front;
use super::journal_page::read_page;
use crate::units::ModelId;

/// What has been read of the journal.
#[derive(Debug, Default)]
pub(super) struct Chronicle(Mutex<Read>);

#[derive(Debug, Default)]
struct Read {
    /// The last entry that was read.
    after: u64,
    /// The last rollback of each model.
    rollbacks: BTreeMap<ModelId, RollbackView>,
}

impl Chronicle {
    /// The last rollback of each model, and the meters of the journal brought up to date. Where the
    /// journal cannot be read it is what was read before: who asks how things stand is answered
    /// most of all when something is broken.
    pub(super) async fn rollbacks(&self, front: &Front) -> BTreeMap<ModelId, RollbackView> {
        // One reads and the others wait for it.
        let mut read = self.0.lock().await;
        let meters = &front.house.meters;
        while let Ok(page) = read_page(front, read.after).await {
            let Some(last) = page.last() else { break };
            read.after = last.entry().number;
            for sealed in &page {
                let rollback = RollbackView::of(sealed);
                let model = sealed.entry().model.as_ref();
                meters.journalled(model.filter(|_| rollback.is_some()));
                if let (Some(rollback), Some(model)) = (rollback, model) {
                    read.rollbacks.insert(model.clone(), rollback);
                }
            }
        }
        read.rollbacks.clone()
    }
}
