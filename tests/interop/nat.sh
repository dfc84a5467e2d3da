# SPDX-License-Identifier: MIT
# What NATs and bad links do to our client and our server.
# shellcheck shell=bash

nat_server() {
    server_config server $ours_ip "$@"
    serve server
}
# Two clients behind one NAT, each from ports 4500 (or 500) and 1701, at once.
nat_two() { # PORT
    nat_server
    local_addr=192.168.77.10:$1 client_config one $ours_ip
    local_addr=192.168.77.11:$1 client_config two $ours_ip
    local a b ra=0 rb=0
    dial one client --call peer:7 --seconds 6 & a=$!
    dial two client2 --call peer:7 --seconds 6 & b=$!
    wait $a || ra=$?
    wait $b || rb=$?
    [ $ra = 0 ] && [ $rb = 0 ] || fail "exits $ra and $rb: $(tail -qn 1 "$dir/one.err" "$dir/two.err")"
    [ "$(value one .session.inner_address)" != "$(value two .session.inner_address)" ] || fail "one address for both"
    both_calls
}
both_calls() {
    local n
    for n in one two; do
        [ "$(value $n .call.lost)" = 0 ] || fail "$n lost $(value $n .call.lost)"
        jq -e '.call.mos_cq >= 4.0' "$dir/$n.json" >/dev/null || fail "$n: MOS $(value $n .call.mos_cq)"
    done
    note "MOS $(value one .call.mos_cq) and $(value two .call.mos_cq) from one address"
}
nat_two_plain() {
    nat_server "security: none"
    local_addr=192.168.77.10:1701 client_config one $ours_ip "security: none"
    local_addr=192.168.77.11:1701 client_config two $ours_ip "security: none"
    local a b ra=0 rb=0
    dial one client --call peer:7 --seconds 4 & a=$!
    dial two client2 --call peer:7 --seconds 4 & b=$!
    wait $a || ra=$?
    wait $b || rb=$?
    [ $ra = 0 ] && [ $rb = 0 ] || fail "exits $ra and $rb: $(tail -qn 1 "$dir/one.err" "$dir/two.err")"
    both_calls
}
# A NAT that maps every port at random.
nat_random() {
    natnet nat random
    trap 'natnet nat masquerade' EXIT
    nat_server
    client_config client $ours_ip
    call client client peer:7 4
}
# In mid-call the NAT maps to another port, or to another address: the server follows, and
# what is lost is only what was on its way.
nat_rebind() { # port|addr
    nat_server
    client_config client $ours_ip
    # back to the first address and to ports as they are
    trap "[ $1 = port ] || natnet rebind addr; natnet nat masquerade" EXIT
    local pid rc=0
    dial client client --call peer:7 --seconds 10 & pid=$!
    wait_until 15 remote_one_session || fail "not up: $(tail -n 1 "$dir/client.err")"
    sleep 3
    natnet rebind "$1"
    wait $pid || rc=$?
    [ $rc = 0 ] || fail "exit $rc: $(tail -n 1 "$dir/client.err")"
    [ "$(value client .call.lost)" -le 10 ] || fail "$(value client .call.lost) packets lost"
    note "$(value client .call.lost) packets lost"
}
remote_one_session() { remote status | grep -q ' 1 sessions'; }
# Loss and jitter: the connection comes up, the call has about what the link takes, MOS says so.
nat_loss() {
    natnet emu "delay=30 jitter=10 loss=3 seed=7"
    trap 'natnet emu ""' EXIT
    nat_server
    client_config client $ours_ip
    local rc=0 lost
    dial client client --call peer:7 --seconds 10 || rc=$?
    [ $rc = 0 ] || fail "exit $rc: $(tail -n 1 "$dir/client.err")"
    lost=$(value client .call.lost)
    { [ "$lost" -ge 5 ] && [ "$lost" -le 75 ]; } || fail "$lost of 500 lost at 3 % each way"
    [ "$(value client '.call.mos_cq < 4.4')" = true ] || fail "MOS does not show it"
    note "$lost of 500 lost, jitter $(value client .call.jitter_ms) ms, MOS $(value client .call.mos_cq)"
}
nat_mtu() {
    natnet mtu link 1280
    trap 'natnet mtu link 1500' EXIT
    nat_server
    client_config client $ours_ip
    call client client peer:7 4
}
# The NAT forgets idle mappings after 5 s: keepalives every 2 s hold them.
nat_keepalive() {
    natnet timeout 5
    trap 'natnet timeout 120' EXIT
    nat_server
    client_config client $ours_ip "natt_keepalive_s: 2"
    dial client client &
    wait_until 20 remote_one_session || fail "not up"
    sleep 9
    remote ping 10.55.0.10 --count 2 --json >"$dir/ping.json" || true
    [ "$(value ping '.ping.received')" -ge 1 ] 2>/dev/null || fail "the server cannot reach the client"
}

group_nat() {
    host client2 lan 192.168.77.11/24
    run_case nat/two-clients-4500 60 nat_two 4500
    run_case nat/two-clients-500 60 nat_two 500
    run_case nat/two-clients-plain 60 nat_two_plain
    run_case nat/random-ports 30 nat_random
    run_case nat/rebind-port 40 nat_rebind port
    run_case nat/rebind-address 40 nat_rebind addr
    run_case nat/loss-jitter 60 nat_loss
    run_case nat/mtu-1280 30 nat_mtu
    run_case nat/keepalive 40 nat_keepalive
}
