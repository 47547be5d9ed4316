//! What the journal says of each model's past, read as far as it goes whenever somebody asks: a
//! restart loses nothing of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::Mutex;

use super::entry_view::{RefusalView, RollbackView};
use super::front::Front;
use super::journal_page::read_page;
use super::meters::Meters;
use crate::engine::{Cause, Change, Entry, Sealed};
use crate::units::{ModelId, VersionId};

/// What has been read of the journal.
#[derive(Debug, Default)]
pub(super) struct Chronicle(Mutex<Read>);

/// What the journal says of all models.
pub(super) type Pasts = BTreeMap<ModelId, Arc<Past>>;

#[derive(Debug, Default)]
struct Read {
    /// The last entry that was read.
    after: u64,
    pasts: Pasts,
}

/// What the journal says of a model.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    pub(super) last_rollback: Option<RollbackView>,
    /// The last rollback that had nowhere to go.
    pub(super) last_refusal: Option<RefusalView>,
    /// Whether traffic and tags are as they were then.
    refusal_stands: bool,
    /// Versions that the split has given traffic.
    deployed: BTreeSet<VersionId>,
}

impl Chronicle {
    /// The past of each model, and the meters of the journal brought up to date. Where the journal
    /// cannot be read it is what was read before: who asks how things stand is answered most of all
    /// when something is broken.
    pub(super) async fn pasts(&self, front: &Front) -> Pasts {
        // One reads and the others wait for it.
        let mut read = self.0.lock().await;
        let meters = &front.house.meters;
        while let Ok(page) = read_page(front, read.after).await {
            let Some(last) = page.last() else { break };
            read.after = last.entry().number;
            for sealed in &page {
                meters.journalled();
                if let Some(model) = &sealed.entry().model {
                    let past = read.pasts.entry(model.clone()).or_default();
                    Arc::make_mut(past).follow(model, sealed, meters);
                }
            }
        }
        read.pasts.clone()
    }
}

impl Past {
    /// The last rollback that had nowhere to go, unless somebody has seen to it since: moved
    /// traffic, or a tag.
    pub(super) fn standing_refusal(&self) -> Option<&RefusalView> {
        self.last_refusal.as_ref().filter(|_| self.refusal_stands)
    }

    /// Whether a version has had no traffic; not before the first split, when none has had any, nor
    /// where the journal cannot be read.
    pub(super) fn has_never_deployed(&self, version: &VersionId) -> bool {
        !self.deployed.is_empty() && !self.deployed.contains(version)
    }

    fn follow(&mut self, model: &ModelId, sealed: &Sealed, meters: &Meters) {
        let Entry { cause, change, .. } = sealed.entry();
        if let Some(rollback) = RollbackView::of(sealed) {
            meters.rolled_back(model, matches!(cause, Cause::Trigger(_)));
            self.last_rollback = Some(rollback);
        }
        if change.shift().is_some() || matches!(change, Change::Tagged { .. }) {
            self.refusal_stands = false;
        }
        if let Some(refusal) = RefusalView::of(sealed) {
            meters.rollback_refused(model);
            (self.last_refusal, self.refusal_stands) = (Some(refusal), true);
        }
        let split = change.shift().map_or(&[][..], |shift| &shift.split);
        let given = split.iter().filter(|(_, weight)| weight.get() > 0.0);
        self.deployed.extend(given.map(|(version, _)| version.clone()));
    }
}
