# SPDX-License-Identifier: MIT
# Our client and our server, over real sockets and a NAT.
# shellcheck shell=bash

own_call() { # IPSEC-LINE…
    server_config server $ours_ip "$@"
    serve server
    client_config client $ours_ip "profile: compatible" "$@"
    call client client peer:7 4
}
own_nat() {
    own_call
    [ "$(value client .ipsec.nat.local)" = true ] || fail "the NAT was not seen"
}
own_no_nat() {
    natnet nat off
    own_call
    natnet nat masquerade
    # A server that forces UDP claims that the client is behind a NAT, never that it is itself: Windows
    # would refuse it then.
    [ "$(value client .ipsec.nat.remote)" = false ] || fail "the server looks as if behind a NAT"
    [ "$(value client .ipsec.nat.udp_encapsulation)" = true ] || fail "ESP is not in UDP"
}
own_plain() {
    own_call "security: none"
    [ "$(value client .ipsec.esp)" = none ] || fail "ESP in plain L2TP"
}
own_ipv6() {
    server_config server 2001:db8:203::11
    serve server
    client_config client 2001:db8:203::11
    call client client peer:7 4
}
own_secret() {
    local l2tp='{secret: tunnel-secret-of-the-test, hide_avps: true}'
    own_call
}
own_secret_wrong() {
    local l2tp='{secret: tunnel-secret-of-the-test}' rc=0
    server_config server $ours_ip
    serve server
    l2tp='{secret: another-secret}' client_config client $ours_ip
    dial client client --ping peer || rc=$?
    ends client $rc 5 AUTH_L2TP
}
own_suite() { # IKE ESP
    own_call "ike_proposals: [$1]" "esp_proposals: [$2]"
    note "$(value client '.ipsec | .ike + ", " + .esp')"
}
own_auth() { # METHOD
    local ppp="auth: [$1]"
    server_config server $ours_ip
    serve server
    client_config client $ours_ip
    dial client client --ping peer --count 1 || fail "exit $?: $(tail -n 1 "$dir/client.err")"
    pings client
}
own_volume() {
    server_config server $ours_ip
    serve server
    client_config client $ours_ip "esp_lifetime_bytes: 70000"
    call client client peer:7 12
    [ "$(value client .counters.rekeys_child)" -ge 1 ] || fail "no rekey by volume"
    note "$(value client .counters.rekeys_child) rekeys, nothing lost"
}
own_wrong_psk() {
    local rc=0
    server_config server $ours_ip
    serve server
    psk=another-key client_config client $ours_ip
    dial client client --ping peer || rc=$?
    ends client $rc 5 AUTH_IKE
}
own_wrong_password() {
    local rc=0
    server_config server $ours_ip
    serve server
    password=rabbit client_config client $ours_ip
    dial client client --ping peer || rc=$?
    ends client $rc 6 AUTH_PPP
}
own_refused() {
    local rc=0
    server_config server $ours_ip "ike_proposals: [aes256-sha256-ecp256]"
    serve server
    client_config client $ours_ip "ike_proposals: [aes128-sha1-modp2048]" "allow_sha1: true"
    dial client client --ping peer || rc=$?
    ends client $rc 7 NO_PROPOSAL
}
own_nobody_there() {
    local rc=0
    client_config client 203.0.113.99
    dial client client --ping peer || rc=$?
    [ $rc = 3 ] || [ $rc = 4 ] || fail "exit $rc"
    ends client $rc $rc 'UNREACHABLE|TIMEOUT'
}
own_server_down() {
    server_config server $ours_ip
    serve server
    client_config client $ours_ip
    local rc=0 pid
    dial client client &
    pid=$!
    wait_until 20 one_session || fail "not up"
    remote down >/dev/null || fail "down does not work"
    wait $pid || rc=$?
    [ $rc = 8 ] || fail "exit $rc, not 8"
}
one_session() { remote status | grep -q ' 1 sessions'; }

group_own() {
    local m
    run_case own/nat 30 own_nat
    run_case own/no-nat 30 own_no_nat
    run_case own/plain 30 own_plain
    run_case own/ipv6 30 own_ipv6
    run_case own/secret 30 own_secret
    run_case own/secret-wrong 30 own_secret_wrong
    run_case own/gcm-ecp256 30 own_suite aes256-sha256-ecp256 aes256gcm16
    run_case own/cbc-modp2048 30 own_suite aes128-sha256-modp2048 aes128-sha256
    for m in pap chap-md5 mschapv2 eap-md5 eap-mschapv2; do
        run_case own/auth-$m 30 own_auth $m
    done
    run_case own/volume-rekey 40 own_volume
    run_case own/wrong-psk 60 own_wrong_psk
    run_case own/wrong-password 30 own_wrong_password
    run_case own/refused 60 own_refused
    run_case own/nobody-there 60 own_nobody_there
    run_case own/server-down 40 own_server_down
}
