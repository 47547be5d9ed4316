#!/usr/bin/env bash
# The job of `coalmine.gitlab-ci.yml`, after its variables: gets the program, gates, keeps the
# baseline of the default branch, and ends as the gate did.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
out="$CI_PROJECT_DIR/coalmine-gate"
kept="$CI_PROJECT_DIR/coalmine-baseline"
export COALMINE_OUT="$out/reports" COALMINE_JUNIT="$out/junit.xml" COALMINE_SUMMARY="$out/summary.md"

# A baseline that the project names is its own affair; else the cached one is used.
fresh=""
if [[ -z "${COALMINE_BASELINE:-}" ]]; then
    export COALMINE_BASELINE="$kept"
    if [[ "${CI_COMMIT_BRANCH:-}" == "${CI_DEFAULT_BRANCH:-main}" &&
        -z "${COALMINE_SAVE_BASELINE:-}" ]]; then
        fresh="$here/baseline"
        export COALMINE_SAVE_BASELINE="$fresh"
    fi
fi

COALMINE_PROGRAM="$(bash "$here/install.sh")"
export COALMINE_PROGRAM
code=0
bash "$here/gate.sh" || code=$?

# The program stores only what the next change may be held against; what it does not store anew
# stays as it was.
if [[ -n "$fresh" && -d "$fresh" ]]; then
    mkdir -p "$kept"
    cp -R "$fresh"/. "$kept"/
fi
if ((code != 0)); then
    printf 'coalmine gate ended with exit code %d\n' "$code" >&2
fi
exit "$code"
