//! Which gateway elsewhere serves a run, by the command line. Knows nothing of the run.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::Args;

use super::admin_connection::{KEY_VARIABLE, read_key, read_url};
use super::quoting::shell_word;
use super::terminal::{Failure, complain};
use crate::clock::TimeScale;
use crate::live::{Elsewhere, ElsewhereError};

#[derive(Clone, Debug, Args)]
pub(super) struct TargetArguments {
    /// Let this gateway of coalmine's serve, which runs elsewhere: it needs an upstream that leads
    /// to --mock-listen, and no traffic but that of the run
    #[arg(
        long,
        help_heading = ELSEWHERE,
        value_name = "URL",
        requires_all = ["over_http", "mock_listen"],
    )]
    pub(super) target: Option<String>,
    /// Where the mock of the upstreams listens here: an address of this machine that the gateway
    /// reaches, or 0.0.0.0 for all of them, and a port
    #[arg(long, help_heading = ELSEWHERE, value_name = "ADDRESS", requires = "target")]
    pub(super) mock_listen: Option<SocketAddr>,
    /// What the gateway's configuration calls the upstream that leads there; versions that are
    /// missing are registered with it
    #[arg(
        long,
        help_heading = ELSEWHERE,
        value_name = "NAME",
        default_value = UPSTREAM,
        requires = "target",
    )]
    pub(super) mock_upstream: String,
    /// The file that holds its access key of scope admin [default: it is what COALMINE_KEY says]
    #[arg(long, help_heading = ELSEWHERE, value_name = "PATH", requires = "target")]
    pub(super) key_file: Option<PathBuf>,
}

/// A gateway elsewhere, and where its access key came from.
pub(super) struct Chosen {
    pub(super) gateway: Elsewhere,
    key_source: String,
}

impl TargetArguments {
    /// The gateway that is named; `None`: none is, and the run has one of its own.
    pub(super) fn chosen(&self, speed: Option<TimeScale>) -> Result<Option<Chosen>, Failure> {
        let Some((url, mock)) = self.target.as_ref().zip(self.mock_listen) else {
            return Ok(None);
        };
        if let Some(speed) = speed.filter(|speed| *speed != TimeScale::REAL) {
            return Err(Failure::usage(format!(
                "error: --speed {} with --target: the gateway's own clock runs as fast as the \
                 wall's, and nothing makes it faster; leave --speed out",
                speed.times()
            )));
        }
        if mock.port() == 0 {
            return Err(Failure::usage(format!(
                "error: --mock-listen is {mock}: the gateway's configuration must name its port, \
                 so it cannot be any free one"
            )));
        }
        let url = read_url(url).and_then(|url| {
            let path = url.path();
            let is_of_models = path.ends_with("/v1") || path.contains("/v1/");
            let meant = path.split("/v1").next().unwrap_or_default();
            let (origin, meant) = (url.origin().ascii_serialization(), meant.trim_end_matches('/'));
            let why = format!(
                "that is where models are asked; the gateway itself is meant: {origin}{meant}"
            );
            if is_of_models { Err(why) } else { Ok(url.as_str().trim_end_matches('/').to_owned()) }
        });
        let url = url.map_err(|why| {
            let given = self.target.as_deref().unwrap_or_default();
            Failure::usage(format!("error: --target is {given:?}: {why}"))
        })?;
        if !is_safe(&url) {
            complain(&format!(
                "--target {url} is not encrypted: whoever stands on the way there can read the \
                 access key of scope admin; https:// hides it"
            ));
        }
        let (key, key_source) = read_key(self.key_file.as_deref())?;
        let gateway = Elsewhere { url, key, mock, upstream: self.mock_upstream.clone() };
        Ok(Some(Chosen { gateway, key_source }))
    }

    /// As they would be given again.
    pub(super) fn as_given(&self) -> String {
        let Some((target, mock)) = self.target.as_ref().zip(self.mock_listen) else {
            return String::new();
        };
        let mut given = format!(" --target {} --mock-listen {mock}", shell_word(target));
        if self.mock_upstream != UPSTREAM {
            given.push_str(&format!(" --mock-upstream {}", shell_word(&self.mock_upstream)));
        }
        if let Some(path) = &self.key_file {
            given.push_str(&format!(" --key-file {}", shell_word(&path.display().to_string())));
        }
        given
    }
}

impl Chosen {
    /// What is told of a gateway that cannot serve the run.
    pub(super) fn failure(&self, why: &ElsewhereError) -> Failure {
        let url = &self.gateway.url;
        let (mock, upstream) = (self.gateway.mock_url(), &self.gateway.upstream);
        match why {
            ElsewhereError::Unreachable(why) => Failure::internal(format!(
                "error: no gateway answers at {url}: {why}\n  help: `coalmine serve CONFIG` starts \
                 one; --target says where it is"
            )),
            ElsewhereError::Key(_) => Failure::usage(format!(
                "error: the gateway at {url} cannot serve the run: {why}\n  help: the access key \
                 came from {}; the first start of a gateway prints one, --key-file or \
                 {KEY_VARIABLE} says it",
                self.key_source
            )),
            ElsewhereError::Other { .. } => Failure::usage(format!("error: {url}: {why}")),
            ElsewhereError::Unfit(problems) => Failure::input(format!(
                "error: the gateway at {url} cannot serve the run:\n  {}\n  help: its \
                 configuration needs `upstreams: {{{upstream}: {{url: {mock}}}}}` and \
                 each model of the scenario; docs/live.md has one",
                problems.join("\n  ")
            )),
        }
    }
}

/// Whether nobody can listen on the way to this URL: it is encrypted or stays on this machine.
fn is_safe(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return true };
    let host = rest.split('/').next().unwrap_or_default();
    let is_here = |ip: IpAddr| ip.is_loopback();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name).trim_matches(['[', ']']);
    name == "localhost" || name.parse().is_ok_and(is_here) || host == "[::1]"
}

const ELSEWHERE: &str = "Over HTTP, through a gateway elsewhere";
const UPSTREAM: &str = "mock";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_safe_on_this_machine_and_over_tls() {
        for url in [
            "https://gateway.internal",
            "http://127.0.0.1:8080",
            "http://localhost",
            "http://localhost:80/below",
            "http://[::1]",
            "http://[::1]:8080/v1",
        ] {
            assert!(is_safe(url), "{url}");
        }
        for url in ["http://10.0.0.7:8080", "http://localhost.example/", "http://[2001:db8::1]"] {
            assert!(!is_safe(url), "{url}");
        }
    }
}
