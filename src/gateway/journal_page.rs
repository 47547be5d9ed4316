//! Pages of the journal, from the one thread that has it.

use std::num::NonZeroU16;

use tokio::sync::oneshot;

use super::admin_error::{journal_failed, stopping};
use super::front::Front;
use super::job::Job;
use crate::engine::Sealed;
use crate::units::ModelId;
use crate::wire::ApiError;

/// Journal entries after number `after`, oldest first; none: there are no more.
pub(super) async fn read_page(front: &Front, after: u64) -> Result<Vec<Sealed>, ApiError> {
    read(front, None, after, PAGE).await
}

/// At most `limit` journal entries of a model after number `after`, oldest first; none: there are
/// no more.
pub(super) async fn read_page_of(
    front: &Front,
    model: &ModelId,
    after: u64,
    limit: NonZeroU16,
) -> Result<Vec<Sealed>, ApiError> {
    read(front, Some(model.clone()), after, limit.min(PAGE)).await
}

async fn read(
    front: &Front,
    model: Option<ModelId>,
    after: u64,
    limit: NonZeroU16,
) -> Result<Vec<Sealed>, ApiError> {
    let (reply, read) = oneshot::channel();
    front.ask(Job::Read { model, after, limit, reply }).map_err(|_| stopping())?;
    let page = read.await.map_err(|_| stopping())?;
    page.map_err(|error| journal_failed(&error))
}

/// Chosen: the keeper writes nothing while it reads a page, some ten microseconds an entry.
const PAGE: NonZeroU16 = NonZeroU16::new(500).expect("it is above 0");
