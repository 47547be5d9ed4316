//! Requests that were refused for their access key, in words: whose, why, how many and when.

use std::collections::BTreeMap;

use crate::record::{KeyFault, KeyRejections, Record};
use crate::summary::Table;
use crate::units::{Duration, KeyId, format_count, format_counted, format_elapsed};

/// A stretch of refused requests of a client, in a sentence; `until` is after the start, and absent
/// where it lasted to the end of the run.
pub(super) fn lockout(
    record: &Record,
    client: u16,
    reason: KeyFault,
    (requests, until): (u64, Option<Duration>),
) -> String {
    let client = client_name(record, client);
    let requests = format_counted(requests, "request", "requests");
    let until = match until {
        Some(until) => format!("until +{}", format_elapsed(until)),
        None => "to the end of the run".to_owned(),
    };
    let why = match reason {
        KeyFault::Unknown => "its key was revoked",
        KeyFault::WrongSecret => "the secret that it presents is not that of its key",
        KeyFault::Replaced => "the secret that it presents was replaced",
        KeyFault::RolledBack => "its key was made for a version that was rolled back",
    };
    format!("client {client} is locked out because {why}: {requests} refused {until}")
}

/// The clients whose requests were refused, with why, and how many in which phases.
pub(super) fn refused_clients(record: &Record) -> impl Iterator<Item = String> {
    let mut clients: BTreeMap<_, BTreeMap<u16, u64>> = BTreeMap::new();
    for rejections in &record.key_rejections {
        let KeyRejections { phase, client, reason, count, .. } = *rejections;
        *clients.entry((client, reason)).or_default().entry(phase).or_default() += count;
    }
    clients.into_iter().map(|((client, reason), phases)| {
        let all = format_counted(phases.values().sum(), "request", "requests");
        let name = |phase: &u16| {
            let phase = record.phases.get(usize::from(*phase)).map_or("", |phase| &phase.name);
            format!("in phase \"{phase}\"")
        };
        let several = phases.len() > 1;
        let phases = phases.iter().map(|(phase, count)| match several {
            true => format!("{} {}", format_count(*count), name(phase)),
            false => format!("all of them {}", name(phase)),
        });
        let whose = client.map_or_else(
            || "Clients were".to_owned(),
            |client| format!("Client {} was", client_name(record, client)),
        );
        format!(
            "{whose} refused {all} {}: {}. No version saw them: of the error rates only \
             final_error_rate has them, where no version and no arm is selected",
            because(reason),
            phases.collect::<Vec<_>>().join(", "),
        )
    })
}

/// How many requests were refused, for below a table of endings that has them in no column: those
/// of versions have none. `None` where there were none, or a column has some.
pub(crate) fn refused_in_no_column(record: &Record, table: &Table) -> Option<String> {
    let refused = record.refused_for_keys();
    let is_told = table.columns.iter().any(|column| column.endings.key_refused > 0);
    (refused > 0 && !is_told).then(|| {
        format!(
            "Refused for their key: {} of {}, in no column, for no version saw them",
            format_count(refused),
            format_counted(record.requests(), "request", "requests"),
        )
    })
}

/// Why requests were refused.
const fn because(reason: Option<KeyFault>) -> &'static str {
    match reason {
        Some(KeyFault::Unknown) => "for a key that was revoked",
        Some(KeyFault::WrongSecret) => "for a secret that is not that of the key",
        Some(KeyFault::Replaced) => "for a secret that had been replaced",
        Some(KeyFault::RolledBack) => "for a key that was made for a version that was rolled back",
        None => "for their access key",
    }
}

/// A client's name.
pub(super) fn client_name(record: &Record, client: u16) -> &str {
    record.clients.get(usize::from(client)).map_or("", KeyId::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::example::{eventful, without_gate};

    #[test]
    fn a_lockout_says_whose_why_how_many_and_until_when() {
        let record = eventful();
        let told = |reason| lockout(&record, 1, reason, (1, None));
        assert_eq!(
            lockout(&record, 0, KeyFault::Replaced, (1_200, Some(Duration::from_secs(690)))),
            "client web is locked out because the secret that it presents was replaced: 1,200 \
             requests refused until +11m 30s"
        );
        for (reason, why) in [
            (KeyFault::Unknown, "its key was revoked"),
            (KeyFault::WrongSecret, "the secret that it presents is not that of its key"),
            (KeyFault::RolledBack, "its key was made for a version that was rolled back"),
        ] {
            let end = "1 request refused to the end of the run";
            assert_eq!(told(reason), format!("client batch is locked out because {why}: {end}"));
        }
    }

    #[test]
    fn refusals_that_no_column_has_are_told_below_the_table() {
        let (mut record, mut table) = (eventful(), without_gate().table);
        record.key_rejections.truncate(1);
        record.key_rejections[0].count = 3_766;
        let all = format_count(record.requests());
        assert_eq!(
            refused_in_no_column(&record, &table).unwrap(),
            format!(
                "Refused for their key: 3,766 of {all} requests, in no column, for no version saw \
                 them"
            )
        );
        table.columns[0].endings.key_refused = 1;
        assert_eq!(refused_in_no_column(&record, &table), None, "a row tells it");
        table.columns[0].endings.key_refused = 0;
        record.key_rejections.clear();
        assert_eq!(refused_in_no_column(&record, &table), None);
    }

    #[test]
    fn refusals_of_a_client_are_summed_over_models_and_told_by_phase() {
        let mut record = eventful();
        let first = record.key_rejections[0];
        let others = [
            KeyRejections { phase: 2, count: 4_000, ..first },
            KeyRejections { count: 2, ..first },
            KeyRejections { client: None, reason: None, ..first },
        ];
        record.key_rejections.extend(others);
        let told: Vec<_> = refused_clients(&record).collect();
        assert_eq!(told.len(), 3);
        let all = "Clients were refused 3 requests for their access key: all of them in phase";
        assert!(told[0].starts_with(all));
        assert_eq!(
            told[1],
            "Client web was refused 4,005 requests for a secret that had been replaced: 5 in phase \
             \"canary at 10 %\", 4,000 in phase \"degraded\". No version saw them: of the error \
             rates only final_error_rate has them, where no version and no arm is selected"
        );
        assert!(
            told[2].starts_with("Client batch was refused 1 request for a key that was revoked")
        );
    }
}
