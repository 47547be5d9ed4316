//! Names of models, versions and tags.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What is wrong with a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name:?} is no valid name: allowed are 1 to 128 characters of A-Z a-z 0-9 . _ : -{extra}, \
     the first a letter or digit"
)]
pub struct NameError {
    name: String,
    extra: &'static str,
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, slash: $slash:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// `name`, checked.
            ///
            /// # Errors
            /// Empty, longer than 128 bytes, or with a character that is not allowed.
            pub fn new(name: &str) -> Result<Self, NameError> {
                check(name, $slash)?;
                Ok(Self(name.into()))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(name: String) -> Result<Self, NameError> {
                Self::new(&name)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

name_type! {
    /// The public name that clients ask for, such as `gpt-4`; may contain `/`.
    ModelId, slash: true
}
name_type! {
    /// The name of an immutable version of a model, such as `gpt-4-turbo-v2`.
    VersionId, slash: false
}
name_type! {
    /// A movable name for a version of one model, such as `stable`.
    TagName, slash: false
}

name_type! {
    /// The public part of a client's access key, such as `team-search`.
    KeyId, slash: false
}

/// The pattern `[A-Za-z0-9][A-Za-z0-9._:-]{0,127}`, with `/` too where `slash` says so.
fn check(name: &str, slash: bool) -> Result<(), NameError> {
    let allowed = |byte: &u8| {
        byte.is_ascii_alphanumeric() || b"._:-".contains(byte) || (slash && *byte == b'/')
    };
    let valid = name.len() <= 128
        && name.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
        && name.as_bytes().iter().all(allowed);
    if valid {
        Ok(())
    } else {
        let name = name.chars().take(140).collect();
        Err(NameError { name, extra: if slash { " /" } else { "" } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_pattern() {
        for good in ["a", "stable-v2024.03.15", "gpt-4", "7b:q4_0", &"x".repeat(128)] {
            assert!(VersionId::new(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", ".a", "a b", "a/b", "ü", &"x".repeat(129)] {
            assert!(VersionId::new(bad).is_err(), "{bad}");
        }
        assert!(ModelId::new("meta/llama-3").is_ok());
    }
}
