//! The page of a running gateway: how every model stands as it happens, and the commands of an
//! emergency.
//!
//! One text that needs nothing beside itself, made at the first request of the files that lie here
//! and of the style that reports have. It holds no figure: its script asks the gateway for them
//! with the key that the reader types. Knows no gateway and no sockets.

mod served_page;

pub use served_page::{ServedPage, served_page};
