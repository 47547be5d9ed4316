#!/usr/bin/env bash
# Shows the gate's summary as a note on the merge request; the next pipeline renews that note. It
# needs COALMINE_NOTE_TOKEN, a project access token of scope `api`, which pipelines of forks do not
# see: then it does nothing. A note decides nothing, so what goes wrong here is told, and no more.
set -euo pipefail

summary="$CI_PROJECT_DIR/coalmine-gate/summary.md"
token="${COALMINE_NOTE_TOKEN:-}"
if [[ -z "$token" || -z "${CI_MERGE_REQUEST_IID:-}" || ! -f "$summary" ]]; then
    echo "no note: that takes a merge request, a summary and COALMINE_NOTE_TOKEN"
    exit 0
fi
url="$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes"
name="${CI_JOB_NAME//[^A-Za-z0-9_]/-}"
body="$(mktemp)"
trap 'rm -f "$body"' EXIT
{
    printf '<!-- coalmine gate of %s -->\n' "$name"
    cat "$summary"
} >"$body"

# The token goes by a file descriptor: arguments are seen by every process of the machine.
ask() {
    local -a trust=()
    [[ -z "${CI_SERVER_TLS_CA_FILE:-}" ]] || trust=(--cacert "$CI_SERVER_TLS_CA_FILE")
    curl --fail --silent --show-error --max-time 60 ${trust[@]+"${trust[@]}"} \
        --config <(printf 'header = "PRIVATE-TOKEN: %s"\n' "$token") "$@"
}

# The number of the note that begins with this job's mark. In JSON a quote inside a text has a
# backslash before it, so no text of a note can look like the fields that are sought.
earlier() {
    local mark="(<|\\\\u003c)!-- coalmine gate of $name --(>|\\\\u003e)"
    ask "$url?per_page=100&sort=desc&order_by=updated_at" |
        grep -o -E "\"id\":[0-9]+,(\"type\":(null|\"[A-Za-z]*\"),)?\"body\":\"$mark" |
        head -n 1 | cut -d : -f 2 | cut -d , -f 1
}

number="$(earlier || true)"
if [[ -n "$number" ]] &&
    ask --request PUT --data-urlencode "body@$body" --output /dev/null "$url/$number"; then
    echo "note $number of the merge request has the new summary"
elif ask --request POST --data-urlencode "body@$body" --output /dev/null "$url"; then
    echo "the merge request has a note with the summary"
else
    echo "no note: the merge request could not be reached with COALMINE_NOTE_TOKEN" >&2
fi
