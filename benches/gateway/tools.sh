# What benchmarks over HTTP are run with, installed under target/: sourced by their `run`, in the
# repository's folder. Sets `installed` and `programs`, which is emptied.
# shellcheck shell=bash
installed="$PWD/target/gateway-peers"
programs="$installed/programs"
oha_version=1.16.0
mkdir -p "$installed"
rm -rf "$programs"
mkdir "$programs"

# missing NAME WHY: the table says so.
missing() {
    echo "$1: $2" >&2
    echo "$2" >"$programs/$1.missing"
}

# Debian's packages are unpacked under target/, not installed: that needs no root, and starts no
# server of theirs. What the system has already is used as it is where there is no apt-get.
debian_packages=(
    nginx libnginx-mod-http-echo haproxy wrk libluajit-5.1-2 liblua5.3-0
    libopentracing-c-wrapper0 libopentracing1
)
unpack_debian() {
    local scratch
    scratch="$(mktemp -d)"
    if (cd "$scratch" && apt-get download --quiet "${debian_packages[@]}" >apt.log 2>&1); then
        rm -rf "$installed/debian"
        local package
        for package in "$scratch"/*.deb; do
            dpkg-deb --extract "$package" "$installed/debian"
        done
        echo "${debian_packages[*]}" >"$installed/debian.txt"
    else
        echo "apt-get download failed, perhaps for want of 'apt-get update':" >&2
        tail -n 3 "$scratch/apt.log" >&2
    fi
    rm -rf "$scratch"
}

# debian_programs NAME...: links them into `programs`.
debian_programs() {
    local name found unpacked="$installed/debian/usr"
    if command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null &&
        [[ "$(cat "$installed/debian.txt" 2>/dev/null)" != "${debian_packages[*]}" ]]; then
        echo "unpacking Debian's packages" >&2
        unpack_debian
    fi
    for name in "$@"; do
        found="$(PATH="$unpacked/sbin:$unpacked/bin:$PATH:/usr/sbin" command -v "$name" || true)"
        if [[ -n "$found" ]]; then
            ln -s "$found" "$programs/$name"
        else
            missing "$name" "Debian's package could not be had, and there is no $name on the PATH"
        fi
    done
}

# rust_programs: oha, and coalmine itself unless COALMINE names a program.
rust_programs() {
    if ! "$installed/oha/bin/oha" --version 2>/dev/null | grep -qx "oha $oha_version"; then
        echo "building oha" >&2
        cargo install --quiet --locked --root "$installed/oha" "oha@$oha_version"
    fi
    ln -s "$installed/oha/bin/oha" "$programs/oha"

    if [[ -n "${COALMINE:-}" ]]; then
        ln -s "$(realpath "$COALMINE")" "$programs/coalmine"
    else
        echo "building coalmine" >&2
        cargo build --locked --release --quiet
        ln -s "$PWD/target/release/coalmine" "$programs/coalmine"
    fi
}
