#!/usr/bin/env bash
# package.sh PROGRAM TARGET FOLDER: writes the archive of a release as `install.sh` reads it, and
# its line of SHA256SUMS, into FOLDER. One call for each target; then the folder is uploaded whole.
set -euo pipefail

program="$1" target="$2" folder="$3"
version="$("$program" --version)"
name="coalmine-${version#coalmine }-$target"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/$name" "$folder"
cp "$program" "$scratch/$name/"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
for paper in README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT; do
    cp "$here/$paper" "$scratch/$name/"
done
(cd "$scratch" && tar -czf "$name.tar.gz" "$name")
cp "$scratch/$name.tar.gz" "$folder/"
cd "$folder"
if command -v sha256sum >/dev/null; then
    sha256sum "$name.tar.gz" >>SHA256SUMS
else
    shasum -a 256 "$name.tar.gz" >>SHA256SUMS
fi
