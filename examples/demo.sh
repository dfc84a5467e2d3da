#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs what is missing (apt), builds, and runs `l2tpvoip demo`: a server and a phone in one
# process, IPsec and all, over real UDP on loopback. Words are passed on (--json, --seconds N).
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=$root/build-demo
"$root/tests/tools/deps.sh" build
[ -f "$build/build.ninja" ] || meson setup "$build" "$root" -Dtests=false -Dbuildtype=release >&2
ninja -C "$build" >&2
exec "$build/examples/cli/l2tpvoip" demo "$@"
