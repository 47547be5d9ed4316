//! How many files and sockets the process may have open at once.

/// Lets it have as many as the system allows without asking anybody: what shells start with, often
/// 1,024, is the least that a server needs, not the most. Where it cannot be changed it stays.
#[cfg(unix)]
pub(super) fn allow_all() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}

/// Other systems have no such limit.
#[cfg(not(unix))]
pub(super) const fn allow_all() {}

#[cfg(all(test, unix))]
mod tests {
    use rustix::process::{Resource, getrlimit};

    #[test]
    fn the_limit_is_as_high_as_it_may_be() {
        super::allow_all();
        let limit = getrlimit(Resource::Nofile);
        // Some systems have a lower one of their own beside it.
        assert!(limit.current == limit.maximum || cfg!(not(target_os = "linux")));
    }
}
