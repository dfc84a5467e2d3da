#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds for speed and runs the benchmarks. Usage: tests/bench/run.sh [--json] [NAME…]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$root/build-bench
"$root/tests/tools/deps.sh" build test
[ -f "$build/build.ninja" ] || meson setup "$build" "$root" -Dbuildtype=release -Db_lto=true >/dev/null
ninja -C "$build" tests/bench/bench >/dev/null
exec "$build/tests/bench/bench" "$@"
