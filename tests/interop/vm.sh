# SPDX-License-Identifier: MIT
# A real Linux kernel in a virtual machine: strongSwan or libreswan, xl2tpd and pppd, as client of
# our server (vm2, behind the NAT) and as server for our client (vm1).
# shellcheck shell=bash

vm_run() { # NAME COMMAND: fails with its last line
    vm "$1" $((60 * ${L2V_PATIENCE:-1})) "$2" >>"$dir/vm.log" 2>&1 || fail "$1: $(tr -d '\0' <"$dir/vm.log" | tail -n 1)"
}
vm_clean() { vm "$1" 40 'labvm l2tp stop; labvm ipsec stop' >>"$dir/vm.log" 2>&1; }

# --- the machine is the client --------------------------------------------------------------------

# vm_dials DAEMON [IPSEC-WORDS [L2TP-WORDS]]
vm_dials() {
    vm_clean vm2
    vm_run vm2 "labvm ipsec $1 role=initiator peer=$ours_ip ${2:-} && labvm l2tp role=lac peer=$ours_ip ${3:-}"
}
# The server's operator calls the machine's echo: the voice crosses both ways.
vm_call() { # SECONDS
    local try
    for try in 1 2 3; do # see call: only jitter is forgiven, never a loss
        remote call 10.55.0.10:5004 --seconds "$1" --json >"$dir/call.json" || fail "no call"
        [ "$(value call .call.lost)" = 0 ] && [ $try != 3 ] &&
            [ "$(value call '.call.mos_cq < 4.3')" = true ] || break
    done
    good_call call
}
vm_pings() {
    vm_run vm2 'ping -c 3 -i 0.2 -W 2 10.55.0.1 && ping -c 2 -i 0.3 -W 2 -s 2000 10.55.0.1'
    vm_run vm2 'test "$(echo hello | socat -T 2 - UDP:10.55.0.1:7)" = hello'
}
vm_gone() { remote status | grep -q ' 0 sessions'; }
vm_hangs_up() {
    vm_run vm2 'labvm l2tp stop'
    wait_until 20 vm_gone || fail "the session outlives its client"
    vm_clean vm2
}
vm_client_strongswan() {
    server_config server $ours_ip
    serve server
    vm_dials strongswan
    vm_pings
    vm_call 5
    vm_hangs_up
}
vm_client_rekeys() {
    server_config server $ours_ip
    serve server
    vm_dials strongswan
    vm vm2 60 'sleep 1; labvm ipsec rekey-child; sleep 1; labvm ipsec rekey-ike; sleep 1; labvm ipsec rekey-child' \
        >>"$dir/vm.log" 2>&1 &
    local rekeys=$!
    vm_call 15
    wait $rekeys || fail "a rekey failed: $(tail -n 1 "$dir/vm.log")"
    [ "$(grep -c 'IPsec SA .* is in use' "$dir/server.err")" -ge 3 ] || fail "no new SA"
    note "phase 2, phase 1, phase 2 again: $(value call .call.lost) packets lost"
    vm_hangs_up
}
vm_client_libreswan() {
    server_config server $ours_ip
    serve server
    vm_dials libreswan
    vm_pings
    vm_call 4
    vm_hangs_up
}
# Without a NAT our server claims one: ESP outside UDP needs privileges that we do not have.
vm_client_no_nat() {
    natnet nat off
    trap 'natnet nat masquerade' EXIT
    server_config server $ours_ip
    serve server
    vm_dials strongswan
    vm_run vm2 'ip xfrm state | grep -q espinudp'
    vm_pings
    vm_hangs_up
}
vm_client_auth() { # METHOD
    ppp="auth: [$1]" server_config server $ours_ip "security: none"
    serve server
    vm_clean vm2
    vm_run vm2 "labvm l2tp role=lac peer=$ours_ip"
    vm_pings
    vm_hangs_up
}
vm_client_secret() {
    l2tp='{secret: open-sesame}' server_config server $ours_ip "security: none"
    serve server
    vm_clean vm2
    vm_run vm2 "labvm l2tp role=lac peer=$ours_ip secret=open-sesame"
    vm_pings
    vm_hangs_up
}

# --- the machine is the server ----------------------------------------------------------------------

# vm_server DAEMON LNS-WORDS [IPSEC-LINE…]
vm_server() {
    vm_clean vm1
    if [ "$1" = none ]; then vm_run vm1 "labvm l2tp role=lns $2"
    else
        vm_run vm1 "labvm ipsec $1 role=responder && labvm l2tp role=lns $2"
        # pluto reads its configuration before it listens
        vm_run vm1 'for i in $(seq 100); do ss -lunH | grep -q ":500 " && exit; sleep 0.2; done; exit 1'
    fi
    shift 2
    client_config client $vm_srv_ip "$@"
    # The first ping takes what is lost while pppd configures its interface.
    call client client 10.77.0.1:5004 5 --ping 10.77.0.1 --count 3
    pings client
}
# Without IPsec our client takes no PAP unless it is told to.
vm_server_auth() { # PPPD-WORD METHOD
    ppp="auth: [$2]" vm_server none "auth=$1" "security: none"
}
vm_server_wrong() { # EXIT ERROR
    local rc=0
    vm_clean vm1
    vm_run vm1 "labvm ipsec strongswan role=responder && labvm l2tp role=lns"
    client_config client $vm_srv_ip "profile: strongswan"
    dial client client --ping 10.77.0.1 || rc=$?
    ends client $rc "$1" "$2"
}
vm_server_wrong_psk() { psk=another-key vm_server_wrong 5 AUTH_IKE; }
vm_server_wrong_password() { password=rabbit vm_server_wrong 6 AUTH_PPP; }

group_vm() {
    local a b
    vm_up vm1 srv $vm_srv_ip & a=$!
    vm_up vm2 lan $vm_lan_ip & b=$!
    if ! wait $a || ! wait $b; then
        wait
        skip_case vm "no virtual machine starts here"
        return
    fi
    run_case vm/server-strongswan 90 vm_server strongswan auth=mschapv2 "profile: strongswan"
    run_case vm/server-libreswan 90 vm_server libreswan auth=mschapv2 "profile: libreswan"
    run_case vm/server-chap 90 vm_server_auth chap chap-md5
    run_case vm/server-pap 90 vm_server_auth pap pap
    run_case vm/server-wrong-psk 90 vm_server_wrong_psk
    run_case vm/server-wrong-password 90 vm_server_wrong_password
    run_case vm/client-strongswan 90 vm_client_strongswan
    run_case vm/client-rekeys 90 vm_client_rekeys
    run_case vm/client-libreswan 90 vm_client_libreswan
    run_case vm/client-no-nat 90 vm_client_no_nat
    run_case vm/client-pap 90 vm_client_auth pap
    run_case vm/client-chap 90 vm_client_auth chap-md5
    run_case vm/client-secret 90 vm_client_secret
    [ -n "${L2V_KEEP:-}" ] || "$lab/linuxvm" down all >>"$LAB_WORK/log/vm.log" 2>&1
}
