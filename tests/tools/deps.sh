#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the Debian packages of a purpose that are missing. Usage: deps.sh PURPOSE…
#   build    the library and the command         test   what tests/run.sh needs besides
#   interop  capture and decryption checks
set -eu

packages() {
    case $1 in
    build) echo gcc libc6-dev meson ninja-build pkg-config libssl-dev libuv1-dev libyaml-dev ;;
    test) echo check clang clang-tidy llvm libclang-rt-14-dev abigail-tools python3 git ca-certificates \
        g++ binutils ;;
    interop) echo iproute2 nftables tshark tcpdump conntrack iputils-ping procps xl2tpd util-linux python3 jq ;;
    *) echo "deps.sh: unknown purpose $1" >&2; exit 1 ;;
    esac
}

missing=
for purpose in "$@"; do
    for p in $(packages "$purpose"); do
        dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
    done
done
[ -n "$missing" ] || exit 0

root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "missing packages:$missing; run as root, or install sudo" >&2; exit 1; }
    root=sudo
fi
echo "installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
$root apt-get update -qq >/dev/null
# shellcheck disable=SC2086
$root apt-get install -y -qq --no-install-recommends $missing >/dev/null
