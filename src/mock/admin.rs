//! A mock's administration: how it behaves, and what became of its requests.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use http::Method;
use serde_json::{Map, Value, json};

use super::DescribedBehaviour;
use super::described_fault::DescribedFault;
use super::desk::{Desk, no_such_path};
use super::reply::{self, Reply};
use super::version::Version;
use crate::clock::Pacer;
use crate::wire::ApiError;

impl Desk {
    /// Answers a request for administration.
    pub(super) async fn administer(
        &self,
        method: &Method,
        path: &str,
        body: &[u8],
        pacer: &Arc<Pacer>,
    ) -> Reply {
        let is_put = method == Method::PUT;
        let answered = match path {
            "/admin/behaviour" if is_put => self.change(body).map(|()| self.behaviours()),
            "/admin/faults" if is_put => self.set_faults(body, pacer).map(|()| self.faults()),
            "/admin/behaviour" if method == Method::GET => Ok(self.behaviours()),
            "/admin/faults" if method == Method::GET => Ok(self.faults()),
            "/admin/stats" if method == Method::GET => Ok(self.stats()),
            "/admin/behaviour" | "/admin/faults" => {
                Err(ApiError::method_not_allowed(method.as_str(), "GET, PUT"))
            }
            "/admin/stats" => Err(ApiError::method_not_allowed(method.as_str(), "GET")),
            _ => return no_such_path(),
        };
        self.settle_doors().await;
        match answered {
            Ok(value) => reply::json(&value),
            Err(error) => reply::error(&error),
        }
    }

    fn behaviours(&self) -> Value {
        let described = self.versions.iter().map(|it| (it.name().to_owned(), it.description()));
        Value::Object(described.collect())
    }

    /// Puts behaviours in force, all that `body` describes or, where one is wrong, none.
    fn change(&self, body: &[u8]) -> Result<(), ApiError> {
        let mut changes = Vec::new();
        for (name, upstream) in read(body, "an upstream")? {
            let versions = self.named(&name)?;
            let behaviour = DescribedBehaviour::read(&upstream)
                .map_err(|error| ApiError::invalid(&*name, error.to_string()))?;
            changes.extend(versions.map(|version| (version, behaviour.clone())));
        }
        for (version, behaviour) in changes {
            version.behave(&behaviour);
        }
        self.refuses.send_if_modified(|now| {
            // Here, so that of two changes at once the later one decides.
            let refuses = self.versions.iter().all(Version::refuses_all);
            std::mem::replace(now, refuses) != refuses
        });
        Ok(())
    }

    fn faults(&self) -> Value {
        let now = self.clock.now();
        let on = self.versions.iter().map(|it| (it.name().to_owned(), it.faults(now)));
        Value::Object(on.collect())
    }

    /// Puts faults on the versions that `body` names, in place of those that are on them, timed
    /// from now: all or, where one is wrong, none.
    fn set_faults(&self, body: &[u8], pacer: &Arc<Pacer>) -> Result<(), ApiError> {
        let mut changes = Vec::new();
        for (name, list) in read(body, "a list of faults")? {
            for version in self.named(&name)? {
                let faults = DescribedFault::read_all(&list, &version.description())
                    .map_err(|error| ApiError::invalid(&*name, error.to_string()))?;
                changes.push((version, faults));
            }
        }
        let now = self.clock.now();
        for (version, faults) in changes {
            for at in version.set_faults(faults, now) {
                // A capacity that grows, or is lifted, has room for those who wait.
                let (lane, pacer) = (Arc::downgrade(&version.lane()), Arc::clone(pacer));
                tokio::spawn(async move {
                    pacer.sleep_until(at).await;
                    if let Some(lane) = lane.upgrade() {
                        lane.admit(pacer.clock().now());
                    }
                });
            }
        }
        Ok(())
    }

    /// The versions that a name means.
    fn named<'a>(
        &'a self,
        name: &str,
    ) -> Result<impl Iterator<Item = &'a Version> + use<'a>, ApiError> {
        let place = self.versions.iter().position(|version| version.answers_to(name));
        let named = match place {
            Some(place) => &self.versions[place..=place],
            None if name == ALL => &self.versions[..],
            None => {
                let names: Vec<_> = self.versions.iter().map(Version::name).collect();
                let names = names.join(", ");
                let message =
                    format!("there is no {name:?} here: allowed are {names}, and {ALL:?} for all");
                return Err(ApiError::not_found(message).with_code("model_not_found"));
            }
        };
        Ok(named.iter())
    }

    fn stats(&self) -> Value {
        let versions: Map<_, _> =
            self.versions.iter().map(|it| (it.name().to_owned(), it.counts())).collect();
        json!({"versions": versions, "lateness": self.lateness().to_json()})
    }

    /// Waits until the ports are open or closed as they are to be: whoever is told that all is
    /// refused will find it so.
    async fn settle_doors(&self) {
        let doors = self.doors.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for mut door in doors {
            // A door that is gone is closed for good.
            let _ = door.wait_for(|is_open| *is_open != *self.refuses.borrow()).await;
        }
    }
}

/// What stands for each name.
fn read(body: &[u8], what: &str) -> Result<BTreeMap<String, Value>, ApiError> {
    serde_json::from_slice(body).map_err(|error| {
        let message =
            format!("read the body: {error}: allowed is an object with {what} for each name");
        ApiError::malformed(message)
    })
}

/// Means all versions, where none has this name.
const ALL: &str = "*";
