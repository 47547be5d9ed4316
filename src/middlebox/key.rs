//! By what a cache tells requests apart.

use crate::exchange::Request;

/// A part of a request by which a cache can tell it from others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyPart {
    /// The model that is asked for.
    Model,
    /// The prompt; a request whose prompt is like no other then never meets another's answer.
    Prompt,
    /// The user who sends it.
    User,
    /// The session that it belongs to.
    Session,
    /// The client whose access key it carries: what `Vary: Authorization` asks for.
    Client,
    /// Whether the answer is streamed.
    Stream,
}

/// The parts of requests that a cache looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct KeyParts(u8);

/// What a cache knows of a request; equal for those that get the same answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CacheKey {
    model: Option<u16>,
    prompt: Option<u32>,
    user: Option<u32>,
    session: Option<u32>,
    client: Option<u16>,
    stream: Option<bool>,
}

impl KeyPart {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Model, Self::Prompt, Self::User, Self::Session, Self::Client, Self::Stream];

    /// Its name in scenario files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Prompt => "prompt",
            Self::User => "user",
            Self::Session => "session",
            Self::Client => "client",
            Self::Stream => "stream",
        }
    }

    /// The part of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }
}

impl KeyParts {
    /// These parts.
    pub fn new(parts: impl IntoIterator<Item = KeyPart>) -> Self {
        Self(parts.into_iter().fold(0, |bits, part| bits | 1 << part as u8))
    }

    /// Whether `part` is one of them.
    pub const fn contains(self, part: KeyPart) -> bool {
        self.0 & 1 << part as u8 != 0
    }

    /// The key of `request`; `None` where it is told from every other.
    pub fn key(self, request: &Request) -> Option<CacheKey> {
        let prompt = match (self.contains(KeyPart::Prompt), request.prompt) {
            (false, _) => None,
            (true, Some(prompt)) => Some(prompt.get()),
            (true, None) => return None,
        };
        Some(CacheKey {
            model: self.contains(KeyPart::Model).then_some(request.model.0),
            prompt,
            user: self.contains(KeyPart::User).then_some(request.user),
            session: self.contains(KeyPart::Session).then_some(request.session),
            client: self.contains(KeyPart::Client).then_some(request.client),
            stream: self.contains(KeyPart::Stream).then_some(request.stream),
        })
    }
}
