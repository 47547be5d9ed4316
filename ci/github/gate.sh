#!/usr/bin/env bash
# The action's main step: runs the gate and notes how it ended, but does not end as it did: what it
# wrote is uploaded first. The verdict and the counts are outputs that the gate writes itself.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

# output NAME VALUE: a value of several lines stays one, whatever they say.
output() {
    local mark="end-of-$1-$RANDOM$RANDOM$RANDOM"
    printf '%s<<%s\n%s\n%s\n' "$1" "$mark" "$2" "$mark" >>"$GITHUB_OUTPUT"
}

# As seen from the workspace, where the next steps run: a file that the gate named from its folder.
seen() {
    case "$1" in
        "" | /* | [A-Za-z]:*) printf '%s' "$1" ;;
        *) printf '%s' "${COALMINE_WORKING_DIRECTORY:-.}/$1" ;;
    esac
}

code=0
bash "$here/../gate.sh" --github || code=$?
if ! grep -q '^verdict=' "$GITHUB_OUTPUT" 2>/dev/null; then
    # It came to no verdict: a command line that makes no sense, a full disk, a cancelled job.
    output verdict error
    for count in scenarios passed failed inconclusive; do output "$count" 0; done
fi
output exit-code "$code"
output junit "$(seen "${COALMINE_JUNIT:-}")"
output summary "$(seen "${COALMINE_SUMMARY:-}")"
output report "$(seen "${COALMINE_OUT:-}")"
