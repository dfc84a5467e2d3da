#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares the ABI of the shared libraries with the baseline in tests/abi. Usage:
#   abi.sh [BUILD_DIR]            exit 1 when something changed that breaks callers
#   abi.sh --update [BUILD_DIR]   writes the baseline (only when a new one is meant)
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
update=0
[ "${1:-}" = --update ] && { update=1; shift; }
build=${1:-$root/build-lint}
"$root/tests/tools/deps.sh" build test
[ -f "$build/build.ninja" ] || meson setup "$build" "$root" >/dev/null
ninja -C "$build" >/dev/null

passed=0 failed=0
for lib in libl2tpvoip libl2tpvoip-uv config/libl2tpvoip-config; do
    so=$build/lib/$lib.so
    name=$(basename "$lib")
    base=$root/tests/abi/$name.abi
    [ -e "$so" ] || continue
    dump=$(mktemp)
    abidw --headers-dir "$root/include" --drop-private-types --no-show-locs --no-corpus-path \
        --no-comp-dir-path --out-file "$dump" "$so"
    # Where it was built is nobody's business.
    sed -i "s#path='[^']*/\(lib\|include\)/#path='\1/#" "$dump"
    if [ "$update" = 1 ]; then
        cp "$dump" "$base"
        chmod 644 "$base"
    fi
    # Exit bits of abidiff: 4 = changed, 8 = changed incompatibly. Additions alone are fine.
    rc=0
    abidiff --no-added-syms "$base" "$dump" >"$dump.txt" || rc=$?
    if [ $((rc & 8)) = 0 ] && [ $((rc & 3)) = 0 ]; then
        echo "ok   abi/$name"
        passed=$((passed + 1))
    else
        echo "FAIL abi/$name"
        cat "$dump.txt"
        failed=$((failed + 1))
    fi
    rm -f "$dump" "$dump.txt"
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
