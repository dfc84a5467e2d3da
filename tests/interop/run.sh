#!/bin/bash
# SPDX-License-Identifier: MIT
# Our command against peers that others wrote, in the lab's network namespaces.
# Usage: tests/interop/run.sh [GROUP | GROUP/CASE]… | list
#   own        our client and our server        softether  SoftEther as server
#   nat        NATs, rebinding, loss, MTU       xl2tpd     control plane, without IPsec
#   vm         strongSwan, libreswan, xl2tpd and pppd on a real Linux kernel, as client and as server
#   tshark     decrypts what we sent with our key log
# Environment: L2V_LAB (the lab's folder), L2V_LAB_WORK, L2V_LAB_TAG, BUILD (a build folder),
# L2V_PATIENCE (multiplies the bounds of time on a slow machine), L2V_KEEP (leave the network and
# the virtual machines up for the next run). Needs root.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/interop
groups="own nat softether xl2tpd tshark vm"
[ "${1:-}" != list ] || { printf '%s\n' $groups; exit 0; }
for g in "$@"; do
    case " $groups " in *" ${g%%/*} "*) ;; *) sed -n '3,11p' "$0" >&2; exit 1 ;; esac
done
only=$*
wanted=$(printf '%s\n' ${*:-$groups} | sed 's|/.*||' | awk '!seen[$0]++')
lab=${L2V_LAB:-$root/../shared/lab}
. "$here/lib.sh"

finish() {
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    [ "$failed" = 0 ]
    exit
}
skip_all() {
    for g in $wanted; do skip_case "$g" "$1"; done
    finish
}
[ -x "$lab/natnet" ] || skip_all "no lab at $lab"
[ "$(id -u)" = 0 ] || skip_all "needs root for network namespaces"
"$root/tests/tools/deps.sh" build interop || exit 1
unshare -n true 2>/dev/null || skip_all "no network namespaces here"

build=${BUILD:-$root/build-gcc}
[ -f "$build/build.ninja" ] || meson setup "$build" "$root" -Dwerror=true >/dev/null || exit 1
ninja -C "$build" examples/cli/l2tpvoip >/dev/null || exit 1
mkdir -p "$LAB_WORK"
# nobody must be able to run it, wherever the checkout lies
mkdir -p "$LAB_WORK/bin"
install -m 755 "$build/examples/cli/l2tpvoip" "$LAB_WORK/bin/l2tpvoip"
cp -a "$build"/lib/*.so* "$build"/lib/config/*.so* "$LAB_WORK/bin/" 2>/dev/null
rm -rf "$LAB_WORK"/bin/*.p
command=$LAB_WORK/bin/l2tpvoip

trap network_down EXIT
network_up || skip_all "the network cannot be set up here"
for g in $wanted; do
    . "$here/$g.sh"
    network_reset
    "group_$g"
done
finish
