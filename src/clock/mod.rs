//! The clock of live runs: engine time at the pace of the wall, or so many times as fast.
//!
//! The only module that asks the operating system for the time. A [`WallClock`] tells it as the
//! engine's [`Timestamp`](crate::units::Timestamp)s and waits for them more precisely than the
//! runtime's own timers do, a [`Pacer`] for the many waits of one thread; what a wait was late by
//! goes into a [`Lag`]. Knows nothing of requests, engines or what is waited for.

mod allowance;
mod lag;
mod os_time;
mod pacer;
mod sleepers;
mod time_scale;
mod timer;
mod wall_clock;

pub use lag::Lag;
pub use pacer::Pacer;
pub use time_scale::{ScaleError, TimeScale};
pub use wall_clock::WallClock;
