#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds the fuzz targets with clang and runs each. Usage: tests/fuzz/run.sh [--seconds N] [--jobs N] [TARGET…]
# A finding is kept in build-fuzz/crashes; replay it with build-fuzz/tests/fuzz/fuzz_TARGET FILE.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$root/build-fuzz
seconds=60 jobs=$(nproc)
[ "${1:-}" != --seconds ] || { seconds=$2; shift 2; }
[ "${1:-}" != --jobs ] || { jobs=$2; shift 2; }
vectors=${L2V_VECTORS:-$root/../shared/vectors}
"$root/tests/tools/deps.sh" build test || exit 1
[ -f "$build/build.ninja" ] || CC=clang meson setup "$build" "$root" -Dfuzz=true -Dpools=false \
    -Db_sanitize=address,undefined -Db_lundef=false -Duv=disabled -Dcli=disabled \
    -Dc_args='-fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined -g -O1' >/dev/null || exit 1
ninja -C "$build" fuzz >"$build/ninja.log" || { tail -n 30 "$build/ninja.log"; exit 1; }
mkdir -p "$build/crashes" "$build/corpus"
if [ $# -gt 0 ]; then
    targets=("$@")
else
    mapfile -t targets < <(find "$build/tests/fuzz" -maxdepth 1 -name 'fuzz_*' -type f -perm -u+x -printf '%f\n' |
        sed 's/^fuzz_//' | sort)
fi

fuzz_one() {
    local name=$1 slow='' seeds=() folder log=$build/corpus/$1.log
    mkdir -p "$build/corpus/$name"
    for folder in $(sed -n "s/^$name //p" "$root/tests/fuzz/seeds.txt") "data/fuzz/$name"; do
        case $folder in data/*) folder=$root/tests/$folder ;; *) folder=$vectors/$folder ;; esac
        [ ! -d "$folder" ] || seeds+=("$folder")
    done
    [ "$name" != pair ] || slow=-entropic=0 # each input is long; the book-keeping would be longer
    if "$build/tests/fuzz/fuzz_$name" $slow -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 \
        -artifact_prefix="$build/crashes/$name-" -print_final_stats=1 "$build/corpus/$name" "${seeds[@]}" \
        >"$log" 2>&1; then
        printf 'ok   fuzz/%s: %s runs\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
    else
        printf 'FAIL fuzz/%s: %s\n' "$name" "$(grep -aE 'SUMMARY|ERROR' "$log" | tail -n 1)"
        tail -n 40 "$log" | sed 's/^/     /'
    fi
}
# AddressSanitizer fills and keeps what is freed; less of that is several times faster.
export ASAN_OPTIONS=max_malloc_fill_size=64:quarantine_size_mb=16:${ASAN_OPTIONS:-}
export -f fuzz_one
export root build vectors seconds
out=$(mktemp)
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I{} bash -c 'fuzz_one {}' | tee "$out"
passed=$(grep -c '^ok ' "$out") failed=$(grep -c '^FAIL ' "$out")
rm -f "$out"
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
