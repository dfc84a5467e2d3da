#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs what is missing, builds, and runs every test. Usage: tests/run.sh [--quick]
#   --quick   under five minutes: no fuzzing, few seeds, no interop with real peers, no bench
# Output: one line a case, a line a suite, and a closing "N passed, N failed, N skipped".
# Skips that are not listed in tests/expected_skips.txt count as failures.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root" || exit 1
quick=0
for word in "$@"; do
    case $word in
    --quick) quick=1 ;;
    *) sed -n '3,6p' "$0" >&2; exit 1 ;;
    esac
done
tests/tools/deps.sh build test || exit 1
logs=$root/build-logs
rm -rf "$logs"
mkdir -p "$logs"
passed=0 failed=0 skipped=0

# suite NAME COMMAND…: runs it, shows its output, adds up its closing line.
suite() {
    local name=$1 rc=0 began=$SECONDS
    shift
    printf '\n== %s\n' "$name"
    "$@" >"$logs/$name.log" 2>&1 </dev/null || rc=$?
    grep -aE '^ *(ok|FAIL|skip) |^[0-9]+/[0-9]+ |^     |^bench ' "$logs/$name.log"
    # A suite may have parts, each with a closing line.
    local p f s
    read -r p f s < <(grep -aE '^([a-z]+: )?[0-9]+ passed, [0-9]+ failed' "$logs/$name.log" |
        sed -E 's/.*\b([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?.*/\1 \2 \4/' |
        awk '{p += $1; f += $2; s += $3} END {print p + 0, f + 0, s + 0}')
    [ $((p + f + s)) != 0 ] || f=1
    [ "$rc" = 0 ] || [ "$f" != 0 ] || f=1
    [ "$f" = 0 ] || tail -n 60 "$logs/$name.log"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    printf -- '-- %s: %d passed, %d failed, %d skipped, %d s\n' "$name" "$p" "$f" "$s" $((SECONDS - began))
}

# meson_suite DIR OPTIONS…: configures, builds, tests; closing line in our form.
meson_suite() {
    local dir=$1 log rc=0
    shift
    log=$(mktemp)
    [ -f "$dir/build.ninja" ] || meson setup "$dir" "$root" -Dwerror=true "$@" || return 1
    ninja -C "$dir" || return 1
    # One process a binary: a fork for each of 2,000 checks takes minutes under sanitizers.
    CK_FORK=no MESON_TESTTHREADS=2 meson test -C "$dir" --no-rebuild --print-errorlogs | tee "$log" || rc=$?
    awk '/^Ok:/ {ok=$2} /^Expected Fail:/ {ok+=$3} /^(Fail|Timeout|Unexpected Pass):/ {bad+=$NF}
         /^Skipped:/ {skip=$2} END {printf "%d passed, %d failed, %d skipped\n", ok, bad, skip}' "$log"
    rm -f "$log"
    return $rc
}

suite gcc meson_suite build-gcc
CC=clang suite clang-sanitizers meson_suite build-clang-san -Db_sanitize=address,undefined -Db_lundef=false \
    -Dpools=false -Dthread_check=true
if [ $quick = 1 ]; then
    suite lint tests/tools/lint.sh --no-tidy build-gcc
else
    suite lint tests/tools/lint.sh build-gcc
fi
suite abi tests/tools/abi.sh build-gcc
if [ $quick = 1 ]; then
    suite sim env BUILD="$root/build-clang-san" tests/sim/run.sh --seeds 10
else
    suite sim env BUILD="$root/build-clang-san" tests/sim/run.sh --seeds 60
    suite sim-lossy env BUILD="$root/build-clang-san" tests/sim/run.sh --scenario connect-lossy --seeds 1000
    suite fuzz tests/fuzz/run.sh --seconds 60
    suite interop tests/interop/run.sh
    suite bench tests/bench/run.sh
fi

# A skip must be known and wanted.
while read -r name; do
    if ! grep -qxF -- "$name" <(sed 's/[[:space:]]*#.*//' tests/expected_skips.txt); then
        echo "FAIL unexpected skip: $name"
        failed=$((failed + 1))
    fi
done < <(grep -ahoE '^skip +[^ :]+' "$logs"/*.log | awk '{print $2}' | sort -u)

printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
