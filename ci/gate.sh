#!/usr/bin/env bash
# Runs `coalmine gate` as a pipeline's variables say, and ends with its exit code. Every value is
# one argument, whole, and never read as a command: quotes, blanks and `$(...)` are but letters.
#
#   COALMINE_PROGRAM            the program
#   COALMINE_WORKING_DIRECTORY  where it runs, and what other paths are relative to
#   COALMINE_PATHS              scenarios, or folders of them, one a line
#   COALMINE_ONLY, _ARGS        names of scenarios; further arguments; one a line
#   COALMINE_SEEDS, _FAIL_ON, _BASELINE, _SAVE_BASELINE, _OUT, _JUNIT, _SUMMARY
#                               the options of these names; empty: not given
#
# The script's own arguments come first.
set -euo pipefail
unset CDPATH

arguments=(gate "$@")

# option NAME VALUE
option() { [[ -z "$2" ]] || arguments+=("--$1=$2"); }

# lines PREFIX TEXT: an argument for each line that is not empty.
lines() {
    local line
    while IFS= read -r line || [[ -n "$line" ]]; do
        line="${line%$'\r'}"
        [[ -z "$line" ]] || arguments+=("$1$line")
    done <<<"$2"
}

cd -- "${COALMINE_WORKING_DIRECTORY:-.}"
baseline="${COALMINE_BASELINE:-}"
if [[ -n "$baseline" && ! -e "$baseline" ]]; then
    # The first run of a pipeline has none, and lines that need one say so.
    printf 'no baseline yet: %s is not there\n' "$baseline" >&2
    baseline=""
fi
lines --only= "${COALMINE_ONLY:-}"
option seeds "${COALMINE_SEEDS:-}"
option fail-on "${COALMINE_FAIL_ON:-}"
option baseline "$baseline"
option save-baseline "${COALMINE_SAVE_BASELINE:-}"
option out "${COALMINE_OUT:-}"
option junit "${COALMINE_JUNIT:-}"
option summary "${COALMINE_SUMMARY:-}"
lines "" "${COALMINE_ARGS:-}"
arguments+=(--)
lines "" "${COALMINE_PATHS:-scenarios}"
exec "${COALMINE_PROGRAM:-coalmine}" "${arguments[@]}"
