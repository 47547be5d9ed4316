//! What a line says before its figures have units: a tree that knows where its parts stand.

use super::expression::{Comparison, Operation};
use super::reading::Reading;

/// A part of a line, and between which bytes it stands.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    /// Its first byte.
    pub(super) at: usize,
    /// The byte behind its last.
    pub(super) end: usize,
    /// What it says.
    pub(super) part: Part<'a>,
}

/// What a part of a line says.
#[derive(Clone, Debug)]
pub(super) enum Part<'a> {
    Read(Reading),
    Literal(&'a str),
    Computed {
        operation: Operation,
        operation_at: usize,
        left: Box<Node<'a>>,
        right: Box<Node<'a>>,
    },
}

/// A line.
#[derive(Clone, Debug)]
pub(super) struct Line<'a> {
    pub(super) left: Node<'a>,
    /// Where the operator stands.
    pub(super) claim_at: usize,
    pub(super) claim: Claimed<'a>,
}

/// What a line claims.
#[derive(Clone, Debug)]
pub(super) enum Claimed<'a> {
    Compared { operator: Comparison, right: Node<'a> },
    Within { low: Node<'a>, high: Node<'a> },
    Near { value: Node<'a>, tolerance: Node<'a> },
}

impl<'a> Node<'a> {
    /// The first of its parts that reads results.
    pub(super) fn first_reading(&self) -> Option<&Self> {
        match &self.part {
            Part::Read(_) => Some(self),
            Part::Literal(_) => None,
            Part::Computed { left, right, .. } => {
                left.first_reading().or_else(|| right.first_reading())
            }
        }
    }

    /// Its text.
    pub(super) fn text(&self, line: &'a str) -> &'a str {
        &line[self.at..self.end]
    }
}

impl<'a> Line<'a> {
    /// Its expressions, from left to right.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &Node<'a>> {
        let (second, third) = match &self.claim {
            Claimed::Compared { right, .. } => (right, None),
            Claimed::Within { low, high } => (low, Some(high)),
            Claimed::Near { value, .. } => (value, None),
        };
        [&self.left, second].into_iter().chain(third)
    }
}
