#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the example client against the example server over loopback. Usage: pair.sh CLIENT SERVER
set -eu
port=$((20000 + $$ % 20000))
out=$(mktemp)
trap 'rm -f "$out"' EXIT
"$2" 127.0.0.1 example-psk alice wonderland $port $((port + 1)) >"$out" &
server=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    grep -q listening "$out" && break
    sleep 0.1
done
status=0
"$1" 127.0.0.1 example-psk alice wonderland $port $((port + 1)) || status=$?
[ $status = 0 ] || kill $server
wait $server || status=1
exit $status
