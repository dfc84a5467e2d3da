#!/bin/bash
# SPDX-License-Identifier: MIT
# The l2tpvoip command against itself over loopback, without privileges: verbs, results, exit codes.
# Usage: selftest.sh L2TPVOIP
set -u
command=$1
work=$(mktemp -d)
export XDG_RUNTIME_DIR=$work TEST_PASSWORD=wonderland
umask 077
port=$((20000 + $$ % 20000))
passed=0 failed=0 server=

finish() {
    [ -z "$server" ] || { kill -TERM "$server"; wait "$server"; } 2>/dev/null
    rm -rf "$work"
    echo "$passed passed, $failed failed, 0 skipped"
    [ "$failed" = 0 ] || exit 1
}
trap finish EXIT

# check NAME WANTED_CODE PATTERN COMMAND…: exit code, and a pattern in what it prints. With TRIES set, a
# result that a busy machine spoils (the jitter of a call) may be tried again.
check() {
    local name=$1 wanted=$2 pattern=$3 code try
    shift 3
    for try in $(seq "${TRIES:-1}"); do
        "$@" >"$work/out" 2>"$work/err"
        code=$?
        if [ "$code" = "$wanted" ] && { [ -z "$pattern" ] || cat "$work/out" "$work/err" | grep -Eq -- "$pattern"; }; then
            passed=$((passed + 1))
            echo "ok   $name (try $try)"
            return
        fi
    done
    failed=$((failed + 1))
    echo "FAIL $name: exit $code, wanted $wanted and $pattern"
    sed 's/^/     /' "$work/out" "$work/err"
}

await() { # WORD FILE: until it is there
    for _ in $(seq 100); do
        grep -q "$1" "$2" 2>/dev/null && return
        sleep 0.1
    done
}

client() { # NAME SED_SCRIPT: a configuration
    sed "$2" >"$work/$1.yaml" <<YAML
client:
  server: 127.0.0.1
  ipsec:
    profile: modern
    psk_file: psk
    ike_port: $port
    natt_port: $((port + 1))
    retransmit_ms: 200
    retransmit_tries: 2
  ppp:
    user: alice
    password_env: TEST_PASSWORD
YAML
}

echo secret >"$work/psk"
echo wrong >"$work/bad"
cat >"$work/server.yaml" <<YAML
server:
  listen: 127.0.0.1
  gateway: 10.78.0.1
  pool_first: 10.78.0.2
  pool_size: 8
  ipsec: {profile: modern, psk_file: psk, ike_port: $port, natt_port: $((port + 1))}
  users: [{name: alice, password_env: TEST_PASSWORD}]
YAML
client good ''
client bad_psk 's/psk_file: psk/psk_file: bad/'
client bad_user 's/alice/mallory/'
client absent "s/ike_port: $port/ike_port: $((port + 2))/"
client refused 's/profile: modern/profile: compatible\n    ike_proposals: aes256-sha1-modp1024\n    allow_sha1: true\n    allow_modp1024: true/'
client typo 's/profile:/profil:/'
client unresolved 's/127.0.0.1/nosuch.invalid/'

check usage 1 'unknown verb' "$command" nosuch
check option 1 'unknown option' "$command" demo --nosuch
check help 0 'Exit codes' "$command" demo --help
check config 0 'client of 127.0.0.1 as alice' "$command" config check "$work/good.yaml"
check config_typo 2 'typo.yaml:4:5: client.ipsec.profil: unknown key; allowed: profile' \
    "$command" config check "$work/typo.yaml"
chmod 644 "$work/psk"
check config_mode 2 'next step: chmod 600' "$command" connect "$work/good.yaml"
chmod 600 "$work/psk"
check demo 0 '"sent":50,"received":50,"lost":0' "$command" demo --seconds 1 --json
TRIES=3 check demo_quality 10 'quality' "$command" demo --seconds 1 --min-mos 4.6
check nobody 3 'no running tunnel' "$command" status

"$command" serve "$work/server.yaml" >"$work/serve.out" 2>"$work/serve.err" &
server=$!
await echo "$work/serve.out"
TRIES=3 check one_shot_call 0 '"lost":0,.*"mos_cq":4\.[3-9]' \
    "$command" connect "$work/good.yaml" --call peer:7 --seconds 1 --json
check one_shot_ping 0 '"sent":1,"received":1' \
    "$command" connect "$work/good.yaml" --ping 10.78.0.1 --count 1 --json
check wrong_psk 5 'AUTH_IKE.*|most likely' "$command" connect "$work/bad_psk.yaml" --ping peer
check wrong_user 6 'next step: Check user name' "$command" connect "$work/bad_user.yaml" --ping peer
check refused 7 'NO_PROPOSAL' "$command" connect "$work/refused.yaml" --ping peer
check absent 3 'UNREACHABLE' "$command" connect "$work/absent.yaml" --ping peer
check unresolved 3 'RESOLVE' "$command" connect "$work/unresolved.yaml" --ping peer

"$command" connect "$work/good.yaml" --keylog "$work/keys/" --pcapng "$work/all.pcapng" \
    >"$work/connect.out" 2>"$work/connect.err" &
client=$!
await address "$work/connect.out"
control=(--control "$work/l2tpvoip/client.sock")
check status 0 'state +up' "$command" status "${control[@]}"
check status_json 0 '"schema":1,"role":"client","state":"up"' "$command" status --json "${control[@]}"
check status_server 0 'listening, 1 sessions' "$command" status --control "$work/l2tpvoip/server.sock"
check ping 0 '1 sent, 1 answered' "$command" ping peer --count 1
check ping_back 0 '1 sent, 1 answered' "$command" ping 10.78.0.2 --count 1 --control "$work/l2tpvoip/server.sock"
check call 0 '50 sent, 50 received' "$command" call peer:7 --seconds 1
check call_nowhere 1 'next step' "$command" call nowhere
check call_nobody 4 '0 received' "$command" call peer:9 --seconds 1
check down 0 '' "$command" down
wait "$client"
check down_code 0 '' test $? = 0
check keylog 0 'esp_sa' ls "$work/keys"
check pcapng 0 '' test -s "$work/all.pcapng"
