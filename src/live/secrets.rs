//! The secrets of the clients' access keys: which is the newest of each, and when its client takes
//! it.

use serde_json::Value;

use super::error::LiveError;
use crate::units::{KeyId, Timestamp};

/// What clients present, and will.
#[derive(Debug)]
pub(super) struct Secrets {
    clients: Vec<(KeyId, String)>,
    coming: Vec<Coming>,
}

/// A secret that a client will take.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Coming {
    at: Timestamp,
    /// A place in the list of clients.
    pub(super) client: u16,
    pub(super) secret: String,
}

impl Secrets {
    /// The first ones.
    pub(super) fn new(clients: Vec<(KeyId, String)>) -> Self {
        Self { clients, coming: Vec::new() }
    }

    /// The secret that a key got last.
    pub(super) fn newest(&self, key: &KeyId) -> Option<&str> {
        self.clients.iter().find(|(known, _)| known == key).map(|(_, secret)| secret.as_str())
    }

    /// A key has got another secret, which its client takes `at` this time.
    pub(super) fn made(&mut self, key: &KeyId, secret: String, at: Timestamp) {
        let Some(place) = self.clients.iter().position(|(known, _)| known == key) else { return };
        let client = place as u16;
        self.clients[place].1.clone_from(&secret);
        // Nobody goes back to a secret that was made earlier.
        self.coming.retain(|coming| coming.client != client || coming.at < at);
        self.coming.push(Coming { at, client, secret });
        self.coming.sort_by_key(|coming| coming.at);
    }

    /// When the next is taken.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.coming.first().map(|coming| coming.at)
    }

    /// Those that are taken by `now`.
    pub(super) fn due(&mut self, now: Timestamp) -> Vec<Coming> {
        let due = self.coming.partition_point(|coming| coming.at <= now);
        self.coming.drain(..due).collect()
    }
}

/// The secret that a gateway shows as it makes a key, or another secret for it.
///
/// # Errors
/// It shows none.
pub(super) fn shown(answer: &Value, key: &KeyId) -> Result<String, LiveError> {
    let shown = answer["api_key"].as_str().filter(|secret| !secret.is_empty());
    shown.map(str::to_owned).ok_or_else(|| {
        LiveError::Interface(format!("it made a secret of the access key {key} and shows none"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_without_a_secret_is_no_key() {
        let key = KeyId::new("team").unwrap();
        let with = |secret| shown(&serde_json::json!({"api_key": secret}), &key);
        assert_eq!(with(Some("team.x")).unwrap(), "team.x");
        for none in [None, Some("")] {
            assert!(with(none).unwrap_err().to_string().contains("key team and shows none"));
        }
    }

    #[test]
    fn a_secret_is_taken_in_its_time_and_nobody_goes_back() {
        let key = KeyId::new("team").unwrap();
        let at = Timestamp::from_second;
        let mut secrets = Secrets::new(vec![(key.clone(), "first".to_owned())]);
        secrets.made(&key, "late".to_owned(), at(50));
        secrets.made(&key, "soon".to_owned(), at(20));
        assert_eq!(secrets.newest(&key), Some("soon"));
        assert_eq!(secrets.next_at(), Some(at(20)));
        assert_eq!(secrets.due(at(19)), []);
        let due: Vec<_> = secrets.due(at(90)).into_iter().map(|it| it.secret).collect();
        assert_eq!(due, ["soon"], "the one that was made before it is forgotten");
    }
}
