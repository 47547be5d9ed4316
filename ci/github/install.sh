#!/usr/bin/env bash
# The action's first step: gets the program that belongs to this checkout of the action, unless
# another version is asked for, and tells the next step where it is.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
if [[ -z "${COALMINE_VERSION:-}" ]]; then
    COALMINE_VERSION="$(sed -n 's/^version = "\(.*\)"$/\1/p' "$here/Cargo.toml" | head -n 1)"
fi
export COALMINE_VERSION COALMINE_SOURCE="$here"
program="$(bash "$here/ci/install.sh")"
printf 'program=%s\n' "$program" >>"$GITHUB_OUTPUT"
