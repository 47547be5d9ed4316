#!/usr/bin/env bash
# The action's last step: ends as the gate did.
set -euo pipefail

code="${COALMINE_EXIT_CODE:-}"
[[ "$code" =~ ^[0-9]+$ ]] || code=1
if ((code != 0)); then
    printf 'coalmine gate ended with exit code %d\n' "$code" >&2
fi
exit "$code"
