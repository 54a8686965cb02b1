#!/bin/sh
# Installs Tegata @VERSION@ for you alone, into ~/.local:
#
#   sh install.sh                     PREFIX=/somewhere installs there instead
#   sh install.sh --uninstall         takes out what it has installed, and nothing else
#
# The archive comes from TEGATA_URL (https, or a directory as file:///…) and is compared with the checksum below before it is
# opened, so a mirror need not be trusted: only this file.
set -eu

version='@VERSION@'
url=${TEGATA_URL:-https://github.com/tegata/tegata/releases/download/v$version}
checksums='@CHECKSUMS@'

say() { printf 'tegata: %s\n' "$*"; }
fail() { printf 'tegata: %s\n' "$*" >&2; exit 1; }

# Everything is in functions, so that half a download does nothing.
main() {
    [ -n "${PREFIX:-}" ] || [ -n "${HOME:-}" ] || fail "neither PREFIX nor HOME is set"
    prefix=${PREFIX:-$HOME/.local}
    installed=$prefix/share/tegata/installed
    case $prefix in
    /*) ;;
    *) fail "PREFIX is not an absolute path: $prefix" ;;
    esac
    # It goes into a unit file, where more than these would mean something.
    case $prefix in
    *[!A-Za-z0-9/._+@-]*) fail "PREFIX may hold letters, digits and /._+@- only: $prefix" ;;
    esac
    case ${1:-} in
    '') install_release ;;
    --uninstall) uninstall ;;
    *) printf 'usage: sh install.sh [--uninstall]\n' >&2; exit 2 ;;
    esac
}

install_release() {
    archive=$(archive_for_this_machine)
    wanted=$(printf '%s\n' "$checksums" | awk -v name="$archive" '$2 == name { print $1 }')
    [ -n "$wanted" ] || fail "this release has no $archive; see docs/install.md for other ways"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' HUP INT TERM
    fetch "$url/$archive" "$work/$archive"
    found=$(checksum "$work/$archive")
    [ "$found" = "$wanted" ] || fail "$url/$archive is not what it should be: its SHA-256 is $found, not $wanted; nothing was installed"
    tar -xzf "$work/$archive" -C "$work"
    put_in_place "$work/${archive%.tar.gz}"
    say "installed $version in $prefix"
    case :${PATH:-}: in
    *:"$prefix/bin":*) say "next: tegata setup" ;;
    *) say "$prefix/bin is not on your PATH; next: $prefix/bin/tegata setup" ;;
    esac
}

archive_for_this_machine() {
    system=$(uname -s | tr '[:upper:]' '[:lower:]')
    printf 'tegata-%s-%s-%s.tar.gz\n' "$version" "$(uname -m)" "$system"
}

fetch() {
    case $1 in
    file://*) cp "${1#file://}" "$2" || fail "cannot read $1" ;;
    https://* | http://127.0.0.1:*) download "$1" "$2" || fail "cannot download $1" ;;
    *) fail "TEGATA_URL is neither https:// nor file://: $1" ;;
    esac
}

download() {
    if command -v curl >/dev/null; then
        curl --fail --silent --show-error --location --proto-redir =https --output "$2" "$1"
    elif command -v wget >/dev/null; then
        wget --quiet --output-document="$2" "$1"
    else
        fail "curl or wget is needed"
    fi
}

checksum() {
    if command -v sha256sum >/dev/null; then
        sha256sum "$1" | cut -d ' ' -f 1
    elif command -v shasum >/dev/null; then
        shasum -a 256 "$1" | cut -d ' ' -f 1
    else
        fail "sha256sum or shasum is needed: what cannot be checked is not installed"
    fi
}

# Each file appears whole: a daemon that runs notices its new program and makes way.
put_in_place() {
    (cd "$1" && find . -type f | sed 's|^\./||' | sort) >"$work/files"
    echo share/tegata/installed >>"$work/files"
    sed "s|^ExecStart=.*|ExecStart=$prefix/bin/tegatad|" "$1/share/systemd/user/tegatad.service" >"$work/service"
    mv "$work/service" "$1/share/systemd/user/tegatad.service"
    cp "$work/files" "$1/share/tegata/installed"
    forget_what_is_no_longer_there
    while read -r file; do
        mkdir -p "$prefix/$(dirname "$file")"
        cp "$1/$file" "$prefix/$file.new"
        case $file in
        bin/*) chmod 755 "$prefix/$file.new" ;;
        *) chmod 644 "$prefix/$file.new" ;;
        esac
        mv -f "$prefix/$file.new" "$prefix/$file"
    done <"$work/files"
}

forget_what_is_no_longer_there() {
    [ -f "$installed" ] || return 0
    while read -r file; do
        grep -qxF "$file" "$work/files" || remove "$file"
    done <"$installed"
}

uninstall() {
    [ -f "$installed" ] || fail "nothing is installed in $prefix by this script"
    "$prefix/bin/tegata" daemon stop >/dev/null 2>&1 || true
    while read -r file; do
        remove "$file"
    done <"$installed"
    rmdir "$prefix/share/doc/tegata" "$prefix/share/tegata" 2>/dev/null || true
    say "removed from $prefix"
    say "AWS profiles with \`credential_process = $prefix/bin/tegata …\` in ~/.aws/config fail from now on; with tegata installed, \`tegata setup --undo\` restores what was there before"
}

# Only what lies below the prefix, whatever the list says.
remove() {
    case /$1/ in
    */../*) fail "$installed names $1" ;;
    *) rm -f "$prefix/$1" ;;
    esac
}

main "$@"
