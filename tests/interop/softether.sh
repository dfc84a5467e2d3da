# SPDX-License-Identifier: MIT
# SoftEther VPN server: L2TP/IPsec across a NAT, plain L2TP, and each way to be turned away.
# shellcheck shell=bash

softether_config() { client_config client $server_ip "profile: softether" "$@"; }
# The echo stands on the server's host; SecureNAT leads there.
softether_call() {
    in_ns server python3 "$here/echo.py" $server_ip 5004 &
    softether_config "$@"
    call client client $server_ip:5004 6 --ping 10.99.0.1 --count 3
}
softether_nat() {
    softether_call
    [ "$(value client .ipsec.nat.local)" = true ] || fail "the NAT was not seen"
    [[ "$(value client .session.inner_address)" = 10.99.0.* ]] || fail "no inner address"
}
softether_suite() {
    softether_call "ike_proposals: [$1]" "esp_proposals: [$2]" "allow_sha1: true" "allow_modp1024: true"
}
softether_plain() { softether_call "security: none"; }
softether_refusal() { # EXIT ERROR [IPSEC-LINE…]
    local rc=0 want=$1 code=$2
    shift 2
    softether_config "$@"
    dial client client --ping 10.99.0.1 || rc=$?
    ends client $rc "$want" "$code"
}
softether_wrong_psk() { psk=another-key softether_refusal 5 AUTH_IKE; }
softether_wrong_password() { password=rabbit softether_refusal 6 AUTH_PPP; }
softether_plain_wrong_password() { password=rabbit softether_refusal 6 AUTH_PPP "security: none"; }
softether_refused() { softether_refusal 7 NO_PROPOSAL "ike_proposals: [aes256-sha512-ecp521]"; }
softether_refused_esp() { softether_refusal 7 NO_PROPOSAL "esp_proposals: [aes256gcm16]"; }
softether_blocked() {
    natnet block udp500 on
    natnet block udp4500 on
    trap 'natnet block udp500 off; natnet block udp4500 off' EXIT
    softether_refusal 4 TIMEOUT
}

group_softether() {
    if ! "$lab/softether" up >>"$LAB_WORK/log/softether-up.log" 2>&1 9>&-; then
        skip_case softether "SoftEther does not start"
        return
    fi
    run_case softether/nat 60 softether_nat
    run_case softether/aes128-modp1024 60 softether_suite aes128-sha1-modp1024 aes128-sha1
    run_case softether/plain 60 softether_plain
    run_case softether/wrong-psk 60 softether_wrong_psk
    run_case softether/wrong-password 60 softether_wrong_password
    run_case softether/plain-wrong-password 60 softether_plain_wrong_password
    run_case softether/refused 60 softether_refused
    run_case softether/refused-esp 60 softether_refused_esp
    run_case softether/blocked 60 softether_blocked
    "$lab/softether" down >>"$LAB_WORK/log/softether-up.log" 2>&1 9>&-
}
