#!/bin/sh
# SPDX-License-Identifier: MIT
# Simulated network: tests/sim/run.sh [--seeds N] [--seed S] [--scenario NAME]
# Builds with sanitizers; ends with "N passed, N failed, N skipped".
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$root/build-sim}
"$root/tests/tools/deps.sh" build test
[ -f "$build/build.ninja" ] ||
    meson setup "$build" "$root" -Dpools=false -Db_sanitize=address,undefined -Db_lundef=false \
        -Dbuildtype=debugoptimized -Dthread_check=true >/dev/null
ninja -C "$build" tests/sim/sim tests/oom/oom >/dev/null
case " $* " in
*" --scenario "* | *" --list "*) ;;
*) "$build/tests/oom/oom" --quick ;;
esac
exec "$build/tests/sim/sim" --jobs "$(nproc)" "$@"
