//! What stands between clients and the gateway: a cache that keeps answers.
//!
//! A cache that keeps an answer gives it to whoever asks alike, and the gateway never hears of
//! them: whatever the split says, they all get the version that answered first. Pure state: time
//! and requests in, answers out. Knows no engine, no upstream and no driver.

mod cache;
mod key;

pub use cache::{Answer, Cache, CacheSettings};
pub use key::{CacheKey, KeyPart, KeyParts};
