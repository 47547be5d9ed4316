#!/usr/bin/env bash
# Puts coalmine on this machine and prints the path of the program, alone on stdout: the release's
# archive, verified, or a build. Told by variables, so that no value is ever read as a command:
#
#   COALMINE_BINARY    auto (the release, or a build where it has nothing for this platform),
#                      release, build, or the path of a program that is there
#   COALMINE_VERSION   of the release, such as 0.1.0
#   COALMINE_SHA256    of the archive, one a line where several platforms share a pipeline; without
#                      it the archive is held against the release's own SHA256SUMS
#   COALMINE_RELEASES  the URL below which each version has a folder of archives
#   COALMINE_SOURCE    a checkout to build from; else the tag of the version is built
#
# Runs on Linux, macOS (bash 3.2) and Windows (the bash of Git).
set -euo pipefail

# The repository, in the one place of the shell parts that names it.
repository="coalmine-dev/coalmine"

binary="${COALMINE_BINARY:-auto}"
version="${COALMINE_VERSION:-}"
version="${version#v}"
wanted="${COALMINE_SHA256:-}"
releases="${COALMINE_RELEASES:-https://github.com/$repository/releases/download}"
releases="${releases%/}"

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "error: $*"
    exit 1
}

# The target whose program runs here; nothing where no release has one.
platform() {
    case "$(uname -s)/$(uname -m)" in
        Linux/x86_64) echo x86_64-unknown-linux-musl ;;
        Linux/aarch64 | Linux/arm64) echo aarch64-unknown-linux-gnu ;;
        Darwin/x86_64) echo x86_64-apple-darwin ;;
        Darwin/arm64) echo aarch64-apple-darwin ;;
        MINGW*/x86_64 | MSYS*/x86_64 | CYGWIN*/x86_64) echo x86_64-pc-windows-msvc ;;
    esac
}

# download URL FILE: prints `there` or `missing`; any other outcome ends the script.
download() {
    local scheme="${1%%://*}" code status=0
    code="$(curl --fail --silent --show-error --location --proto "=$scheme" --proto-redir =https \
        --retry 3 --retry-connrefused --connect-timeout 20 --max-time 600 \
        --output "$2" --write-out '%{http_code}' "$1")" || status=$?
    # 37: a file:// URL that leads to no file.
    if ((status == 0)); then
        echo there
    elif [[ "$code" == 404 ]] || ((status == 37)); then
        echo missing
    else
        fail "cannot download $1 (curl ended with $status, HTTP status $code)"
    fi
}

digest() {
    if command -v sha256sum >/dev/null; then
        sha256sum <"$1" | cut -d ' ' -f 1
    else
        shasum -a 256 <"$1" | cut -d ' ' -f 1
    fi
}

# The digests that the archive may have: those given, or that of the release's file.
allowed() {
    if [[ -n "$wanted" ]]; then
        printf '%s\n' "$wanted" | tr -d ' \t\r' | tr 'A-F' 'a-f'
        return
    fi
    local sums="$folder/SHA256SUMS" found
    found="$(download "$releases/v$version/SHA256SUMS" "$sums")"
    [[ "$found" == there ]] || fail "the release has no SHA256SUMS: give the archive's SHA-256"
    awk -v name="$archive" '$2 == name || $2 == "*" name { print $1 }' "$sums"
}

# A wrong archive is never unpacked, whatever lies in it.
verify() {
    local actual expected
    actual="$(digest "$folder/$archive")"
    expected="$(allowed)"
    [[ -n "$expected" ]] || fail "no SHA-256 is known of $archive: SHA256SUMS does not list it"
    grep -q -x -F -e "$actual" <<<"$expected" ||
        fail "$archive has the SHA-256 $actual, allowed is ${expected//$'\n'/ or }"
}

# Takes the program out of the archive by its name: nothing else is written, whatever lies there.
unpack() {
    local inside="${archive%.tar.gz}/$program" names
    names="$(cd "$folder" && tar -tzf "$archive")" || fail "$archive cannot be read"
    if grep -q -E -e '^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)' <<<"$names"; then
        fail "$archive names files outside its own folder"
    fi
    grep -q -x -F -e "$inside" <<<"$names" || fail "$archive has no $inside"
    (cd "$folder" && tar -xzOf "$archive" "$inside" >"$program" && chmod +x "$program")
    [[ -s "$folder/$program" ]] || fail "$inside of $archive is no file, or an empty one"
}

build() {
    command -v cargo >/dev/null || fail "cannot build coalmine: there is no cargo here;" \
        "install Rust before, or name a release or a program"
    local -a from=(--git "https://github.com/$repository" --tag "v$version" coalmine)
    if [[ -n "${COALMINE_SOURCE:-}" ]]; then
        from=(--path "$COALMINE_SOURCE" --target-dir "$folder/target")
    fi
    say "building coalmine $version, which takes minutes"
    cargo install --locked --root "$folder" "${from[@]}" >&2
    mv "$folder/bin/$program" "$folder/$program"
}

# release_or_build MAY_BUILD: where there is no archive for this platform, build if that may be.
release_or_build() {
    local url found=missing
    case "$releases" in
        https://* | file://*) ;;
        http://*) [[ -n "$wanted" ]] || fail "over http:// an archive needs its SHA-256 given" ;;
        *) fail "the releases' URL is \"$releases\": allowed are https://, http:// and file://" ;;
    esac
    url="$releases/v$version/$archive"
    [[ -z "$target" ]] || found="$(download "$url" "$folder/$archive")"
    if [[ "$found" == there ]]; then
        verify
        unpack
    elif [[ -n "$wanted" ]]; then
        fail "there is no $url: a build would not have the SHA-256 that is asked for"
    elif [[ "$1" == yes ]]; then
        say "there is no $url"
        build
    else
        fail "there is no $url: check the version, or set the binary to auto or build"
    fi
}

case "$binary" in
    auto | release | build) ;;
    *)
        [[ -f "$binary" && -x "$binary" ]] ||
            fail "the binary is \"$binary\": allowed are auto, release, build, the path of a program"
        case "$binary" in
            /* | [A-Za-z]:*) printf '%s\n' "$binary" ;;
            *) printf '%s\n' "$PWD/$binary" ;;
        esac
        exit 0
        ;;
esac
[[ "$version" =~ ^[0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.+-]*$ ]] ||
    fail "the version is \"$version\": it must be one of a release, such as 0.1.0"
target="$(platform)"
archive="coalmine-$version-${target:-$(uname -s)-$(uname -m)}.tar.gz"
program=coalmine
case "$target" in *-windows-*) program=coalmine.exe ;; esac
folder="$(mktemp -d)"
case "$binary" in
    auto) release_or_build yes ;;
    release) release_or_build no ;;
    build) build ;;
esac
said="$("$folder/$program" --version)" || fail "the program of coalmine $version does not run here"
[[ "$said" == "coalmine $version" ]] || fail "wanted is coalmine $version, this is \"$said\""
say "coalmine $version: $folder/$program"
printf '%s\n' "$folder/$program"
