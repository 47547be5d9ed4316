//! Records for the tests of this module.

use proptest::prelude::*;

use super::accounting::Accounting;
use super::format::TraceFormat;
use super::packed_layout::Provenance;
use super::record::{Failure, Prefix, TraceRecord};
use crate::units::{Duration, ModelId, Money, Tokens, VersionId};

/// Any record.
pub(super) fn arb_record() -> impl Strategy<Value = TraceRecord> {
    let time = || (0..=i64::MAX as u64).prop_map(Duration::from_nanos);
    let tokens = || prop::option::of(any::<u32>().prop_map(Tokens::new));
    let identity = (
        prop::option::of("[a-zA-Z0-9][a-zA-Z0-9._:/-]{0,20}"),
        prop::option::of("[a-zA-Z0-9][a-zA-Z0-9._:-]{0,20}"),
        any::<Option<u64>>(),
        any::<Option<u64>>(),
        any::<Option<u64>>(),
    );
    let prefix = (1..=u32::MAX, prop::collection::vec(any::<u64>(), 0..4));
    let prefix = prefix.prop_map(|(block, hashes)| Prefix { block, hashes });
    let content = (time(), tokens(), tokens(), any::<Option<bool>>(), prop::option::of(prefix));
    let observed = (
        prop::option::of(100..600_u16),
        prop::option::of(prop::sample::select(Failure::ALL.to_vec())),
        prop::option::of(time()),
        prop::option::of(time()),
        any::<Option<u64>>(),
    );
    (identity, content, observed).prop_map(|(identity, content, observed)| TraceRecord {
        at: content.0,
        model: identity.0.map(|name| ModelId::new(&name).unwrap()),
        version: identity.1.map(|name| VersionId::new(&name).unwrap()),
        user: identity.2,
        session: identity.3,
        parent: identity.4,
        input: content.1,
        output: content.2,
        stream: content.3,
        prefix: content.4,
        status: observed.0,
        failure: observed.1,
        first_token: observed.2.map(|time| time.min(observed.3.unwrap_or(Duration::MAX))),
        duration: observed.3,
        cost: observed.4.map(|pico| Money::from_pico_usd(u128::from(pico))),
    })
}

impl Provenance {
    /// Of a made-up source.
    pub(super) fn example() -> Self {
        Self {
            accounting: Accounting::new(TraceFormat::Azure, "date and time in UTC"),
            source_sha256: Some("ba7816bf".to_owned()),
        }
    }
}
