//! A gateway that runs elsewhere and serves a run in place of the harness's own: where it is, and
//! why it may not do.

use std::fmt;
use std::net::SocketAddr;

/// A gateway of coalmine's that runs elsewhere, and how it reaches the mock of the upstreams.
#[derive(Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// Where it is, such as `http://gateway.internal:8080`; a path is that below which its
    /// interface lies.
    pub url: String,
    /// An access key of scope admin for all of its models.
    pub key: String,
    /// Where the mock listens: its configuration must have an upstream whose URL leads there.
    pub mock: SocketAddr,
    /// What its configuration calls that upstream.
    pub upstream: String,
}

impl Elsewhere {
    /// The URL by which its configuration must name the mock. One that listens at all addresses of
    /// this machine is reached by any of them.
    pub fn mock_url(&self) -> String {
        let port = self.mock.port();
        match self.mock.ip().is_unspecified() {
            true => format!("http://<an address of this machine>:{port}/v1"),
            false => format!("http://{}/v1", self.mock),
        }
    }
}

/// Why a gateway cannot serve a run.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ElsewhereError {
    /// Nothing answers there.
    #[error("it does not answer: {0}")]
    Unreachable(String),
    /// It does not permit what a run asks of it.
    #[error("it refuses the access key: {0} (needed is one of scope admin for all models)")]
    Key(String),
    /// Something else is there.
    #[error(
        "it answers {status}, and not as a gateway of coalmine does, which alone can be \
         commanded: to any other server `coalmine load URL --scenario` sends the same requests"
    )]
    Other {
        /// The status of its answer.
        status: u16,
    },
    /// It is not as the scenario needs it.
    #[error("{}", .0.join("; "))]
    Unfit(Vec<String>),
}

impl fmt::Debug for Elsewhere {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, mock, upstream, .. } = self;
        let mut shown = f.debug_struct("Elsewhere");
        shown.field("url", url).field("mock", mock).field("upstream", upstream);
        shown.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elsewhere(mock: [u8; 4]) -> Elsewhere {
        Elsewhere {
            url: "http://host".to_owned(),
            key: "admin.secret".to_owned(),
            mock: (mock, 9_000).into(),
            upstream: "mock".to_owned(),
        }
    }

    #[test]
    fn a_mock_that_listens_everywhere_is_reached_by_an_address() {
        assert_eq!(elsewhere([10, 0, 0, 7]).mock_url(), "http://10.0.0.7:9000/v1");
        let everywhere = elsewhere([0, 0, 0, 0]).mock_url();
        assert_eq!(everywhere, "http://<an address of this machine>:9000/v1");
    }

    #[test]
    fn its_key_is_not_shown() {
        let elsewhere = elsewhere([127, 0, 0, 1]);
        let shown = format!("{elsewhere:?}");
        assert!(shown.contains("127.0.0.1:9000") && !shown.contains("secret"), "{shown}");
    }
}
