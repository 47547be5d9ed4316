//! What is counted of the gateway itself, beside what it serves: the journal, notifications, and
//! readings of the configuration. Knows not who asks for it.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::engine::Channel;
use crate::notify::{Delivery, Notifier, Outcome};
use crate::units::Timestamp;

/// What is counted of the gateway itself.
#[derive(Debug, Default)]
pub(super) struct OperationMeters {
    journal_writable: Gauge,
    entries_waiting: Gauge,
    written: Counter,
    notifications: Family<OfEnd, Counter>,
    queued: Family<OfChannel, Gauge>,
    recorded: Family<OfResult, Counter>,
    reloads: Family<OfResult, Counter>,
    last_reload_successful: Gauge,
    last_success: Gauge<f64, AtomicU64>,
    /// Who knows how many messages wait.
    notifier: OnceLock<Arc<Notifier>>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct BuildInfo {
    version: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct OfEnd {
    channel: &'static str,
    outcome: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct OfChannel {
    channel: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct OfResult {
    result: &'static str,
}

impl OperationMeters {
    /// These, in `registry`. All of their series are there from the start, at 0: an alert on the
    /// first failure needs something that it rose from.
    pub(super) fn new(registry: &mut Registry) -> Self {
        let meters = Self::default();
        for channel in Channel::ALL.map(Channel::name) {
            for outcome in Outcome::NAMES {
                drop(meters.notifications.get_or_create(&OfEnd { channel, outcome }));
            }
            drop(meters.queued.get_or_create(&OfChannel { channel }));
        }
        for result in [WRITTEN, LOST] {
            drop(meters.recorded.get_or_create(&OfResult { result }));
        }
        for result in [OK, FAILED] {
            drop(meters.reloads.get_or_create(&OfResult { result }));
        }
        registry.register(
            "coalmine_recorded_requests",
            "Requests that were to be recorded, by whether they were",
            meters.recorded.clone(),
        );
        let build = BuildInfo { version: env!("CARGO_PKG_VERSION") };
        registry.register("coalmine_build", "Which coalmine this is", Info::new(build));
        meters.register_journal(registry);
        meters.register_notifications(registry);
        meters.register_reloads(registry);
        meters
    }

    fn register_journal(&self, registry: &mut Registry) {
        registry.register(
            "coalmine_journal_writable",
            "Whether the journal could be written the last time: 1, or 0 while commands get 503",
            self.journal_writable.clone(),
        );
        registry.register(
            "coalmine_journal_entries_waiting",
            "Entries that the engine has made and the journal does not have yet",
            self.entries_waiting.clone(),
        );
        registry.register(
            "coalmine_journal_entries_written",
            "Entries that were written since the gateway started",
            self.written.clone(),
        );
    }

    fn register_notifications(&self, registry: &mut Registry) {
        registry.register(
            "coalmine_notifications",
            "Messages whose sending has ended, by channel and by how it did",
            self.notifications.clone(),
        );
        registry.register(
            "coalmine_notifications_queued",
            "Messages that wait or are being sent, by channel",
            self.queued.clone(),
        );
    }

    fn register_reloads(&self, registry: &mut Registry) {
        registry.register(
            "coalmine_config_reloads",
            "Readings of the configuration since the start, by whether it was taken",
            self.reloads.clone(),
        );
        registry.register(
            "coalmine_config_last_reload_successful",
            "Whether the configuration that was read last is in force: 1 or 0",
            self.last_reload_successful.clone(),
        );
        registry.register_with_unit(
            "coalmine_config_last_reload_success_timestamp",
            "When the configuration that is in force was read, in Unix time",
            Unit::Seconds,
            self.last_success.clone(),
        );
    }

    /// How the journal fares.
    pub(super) fn journal(&self, is_writable: bool, waiting: u64) {
        self.journal_writable.set(is_writable.into());
        self.entries_waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }

    /// So many entries were written.
    pub(super) fn written(&self, entries: usize) {
        self.written.inc_by(entries as u64);
    }

    /// So many requests were recorded.
    pub(super) fn recorded(&self, requests: u64) {
        self.recorded.get_or_create(&OfResult { result: WRITTEN }).inc_by(requests);
    }

    /// So many requests were to be recorded, and are lost.
    pub(super) fn not_recorded(&self, requests: u64) {
        self.recorded.get_or_create(&OfResult { result: LOST }).inc_by(requests);
    }

    /// A message has ended.
    pub(super) fn notified(&self, delivery: &Delivery) {
        let (channel, outcome) = (delivery.channel.name(), delivery.outcome.name());
        self.notifications.get_or_create(&OfEnd { channel, outcome }).inc();
    }

    /// Whose messages wait.
    pub(super) fn watch(&self, notifier: &Arc<Notifier>) {
        // There is one for each gateway.
        let _ = self.notifier.set(Arc::clone(notifier));
    }

    /// How many messages wait now.
    pub(super) fn count_queued(&self) {
        let Some(notifier) = self.notifier.get() else { return };
        for channel in Channel::ALL {
            let queued = i64::try_from(notifier.queued(channel)).unwrap_or(i64::MAX);
            self.queued.get_or_create(&OfChannel { channel: channel.name() }).set(queued);
        }
    }

    /// The configuration was read at `at` as the gateway started, and is in force.
    pub(super) fn configured(&self, at: Timestamp) {
        self.last_reload_successful.set(1);
        self.last_success.set(at.as_nanos() as f64 / 1e9);
    }

    /// The configuration was read again at `at`; whether it was taken.
    pub(super) fn reloaded(&self, at: Timestamp, is_taken: bool) {
        let result = if is_taken { OK } else { FAILED };
        self.reloads.get_or_create(&OfResult { result }).inc();
        if is_taken {
            self.configured(at);
        } else {
            self.last_reload_successful.set(0);
        }
    }
}

const WRITTEN: &str = "written";
const LOST: &str = "lost";
const OK: &str = "ok";
const FAILED: &str = "failed";
