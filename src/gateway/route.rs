//! A route of the administrative interface as its table states it: what it takes, who may use it,
//! and every status that it can answer. Handles nothing.

use schemars::{Schema, SchemaGenerator};

use super::route_path::RoutePath;
use crate::engine::Scope;

/// A route: what it takes and what it answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    pub(super) verb: Verb,
    pub(super) path: RoutePath,
    pub(super) operation: Operation,
    pub(super) access: Access,
    pub(super) summary: &'static str,
    /// The form of the body; `None`: it takes none.
    pub(super) body: Option<SchemaOf>,
    /// Whether a body that is not there counts as an empty object.
    pub(super) body_is_optional: bool,
    /// Parameters beside those of the path.
    pub(super) parameters: &'static [Parameter],
    /// What it answers where all is well.
    pub(super) answers: &'static [Answer],
    /// Statuses that follow from nothing else that the table says.
    pub(super) more_statuses: &'static [u16],
}

/// Where a form comes from.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// A method.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verb {
    Get,
    Post,
    Put,
    Delete,
}

/// Who may use a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Access {
    /// Anybody.
    Open,
    /// Whoever has an access key.
    Key,
    /// Whose key permits this with the model of the path.
    Model(Scope),
    /// Whose key permits this with the models that the request is about: the handler asks.
    Asked,
}

/// A parameter of the query or a header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) is_header: bool,
    pub(super) about: &'static str,
    pub(super) schema: SchemaOf,
}

/// An answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) about: &'static str,
    /// The content types of its body.
    pub(super) kinds: &'static [&'static str],
    pub(super) schema: SchemaOf,
}

/// What there is to do: each is the operation of one route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operation {
    ListModels,
    ShowModel,
    ListVersions,
    RegisterVersion,
    ShowVersion,
    TagVersion,
    Evaluate,
    Deploy,
    History,
    ShowRules,
    ApplyRules,
    ReplaceRules,
    FollowRules,
    RegenerateOwnKey,
    ListKeys,
    CreateKey,
    RevokeKey,
    RegenerateKey,
    Status,
    Events,
    Healthz,
    Readyz,
    Metrics,
    OpenApi,
    Dashboard,
}

impl Verb {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

impl Route {
    pub(super) const fn new(
        (verb, path): (Verb, &'static str),
        operation: Operation,
        access: Access,
        summary: &'static str,
        answers: &'static [Answer],
    ) -> Self {
        let path = RoutePath(path);
        let (body, body_is_optional, parameters, more_statuses) = (None, false, NONE, &[]);
        Self {
            verb,
            path,
            operation,
            access,
            summary,
            body,
            body_is_optional,
            parameters,
            answers,
            more_statuses,
        }
    }

    pub(super) const fn takes(mut self, body: SchemaOf) -> Self {
        self.body = Some(body);
        self
    }

    pub(super) const fn or_nothing(mut self) -> Self {
        self.body_is_optional = true;
        self
    }

    pub(super) const fn with(mut self, parameters: &'static [Parameter]) -> Self {
        self.parameters = parameters;
        self
    }

    pub(super) const fn also(mut self, statuses: &'static [u16]) -> Self {
        self.more_statuses = statuses;
        self
    }

    /// Whether it changes something: then the journal and the engine have their say.
    pub(super) fn changes(&self) -> bool {
        self.verb != Verb::Get
    }

    /// Every status of an error that it can answer, in rising order.
    pub(super) fn error_statuses(&self) -> Vec<u16> {
        let mut statuses = self.more_statuses.to_vec();
        if self.access != Access::Open {
            statuses.extend([400, 401]);
        }
        if matches!(self.access, Access::Model(_) | Access::Asked) {
            statuses.push(403);
        }
        if self.path.places().next().is_some() {
            statuses.push(404);
        }
        if self.body.is_some() {
            statuses.extend([400, 408, 413, 415]);
        }
        if !self.parameters.is_empty() {
            statuses.push(400);
        }
        if self.changes() {
            statuses.extend([400, 404, 409, 422, 503]);
        }
        statuses.sort_unstable();
        statuses.dedup();
        statuses
    }
}

const NONE: &[Parameter] = &[];
