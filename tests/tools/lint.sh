#!/bin/sh
# SPDX-License-Identifier: MIT
# All lints: source, binary, clang-tidy. Usage: lint.sh [--no-tidy] [BUILD_DIR]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
tidy=1
[ "${1:-}" = --no-tidy ] && { tidy=0; shift; }
build=${1:-$root/build-lint}
"$root/tests/tools/deps.sh" build test
[ -f "$build/build.ninja" ] || meson setup "$build" "$root" >/dev/null
ninja -C "$build" >/dev/null

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
python3 "$root/tests/tools/lint_source.py" | sed '$d' | tee -a "$log"
python3 "$root/tests/tools/lint_binary.py" "$build" | sed '$d' | tee -a "$log"
if [ "$tidy" = 1 ]; then
    cd "$root"
    if git ls-files 'lib/*.c' 'examples/*.c' |
        xargs -P "$(nproc)" -n 6 clang-tidy -p "$build" --quiet --warnings-as-errors='*' >"$log.tidy" 2>/dev/null; then
        echo 'ok   lint/clang-tidy' | tee -a "$log"
    else
        echo 'FAIL lint/clang-tidy' | tee -a "$log"
        grep -E 'error:|warning:' "$log.tidy" | head -40 || :
    fi
    rm -f "$log.tidy"
fi
passed=$(grep -c '^ok ' "$log" || :)
failed=$(grep -c '^FAIL ' "$log" || :)
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ] || status=1
exit $status
