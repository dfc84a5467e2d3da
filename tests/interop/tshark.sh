# SPDX-License-Identifier: MIT
# tshark with our key log: every packet that we sent decrypts, its ICV holds, none is malformed.
# shellcheck shell=bash

# shark WHOSE-KEYS FILTER: how many frames of the capture match
shark() {
    WIRESHARK_CONFIG_DIR=$dir/$1-keys tshark -o esp.enable_encryption_decode:TRUE \
        -o esp.enable_authentication_check:TRUE -r "$dir/line.pcap" -Y "$2" 2>>"$dir/tshark.err" | wc -l
}
none() { # WHOSE-KEYS FILTER WHAT
    local n
    n=$(shark "$1" "$2")
    [ "$n" = 0 ] || fail "$n frames of the $1 $3"
}
judge() { # WHOSE-KEYS ADDRESS: what it sent
    local name=$1 sent="ip.src == $2" n
    none "$name" "$sent && esp && !l2tp" "do not decrypt"
    none "$name" "$sent && esp && !(esp.icv_good == 1)" "have a wrong ICV"
    none "$name" "$sent && isakmp.flag_e == 1 && !isakmp.hash" "hide their IKE payloads"
    none "$name" "$sent && _ws.malformed" "are malformed"
    none "$name" "$sent && _ws.expert.severity == error" "have errors"
    n=$(shark "$name" "$sent && l2tp")
    [ "$n" -ge 400 ] || fail "only $n L2TP packets of the $name in the capture"
    total=$((${total:-0} + n))
}
# On the line between NAT and server: there UDP segmentation offload is undone, each datagram is one.
capture() {
    in_ns nat tcpdump -q -U -s0 -i link0 -w "$dir/line.pcap" 2>"$dir/tcpdump.err" &
    wait_until 10 grep -q 'listening on' "$dir/tcpdump.err" || fail "tcpdump does not start"
}
tshark_suite() { # IKE ESP
    for n in client server; do
        mkdir "$dir/$n-keys" && chown $user_id "$dir/$n-keys"
    done
    capture
    server_config server $ours_ip "ike_proposals: [$1]" "esp_proposals: [$2]" "allow_sha1: true"
    serve server --keylog "$dir/server-keys/"
    client_config client $ours_ip "ike_proposals: [$1]" "esp_proposals: [$2]" "allow_sha1: true" \
        "esp_lifetime_bytes: 70000"
    dial client client --call peer:7 --seconds 8 --keylog "$dir/client-keys/" ||
        fail "exit $?: $(tail -n 1 "$dir/client.err")"
    sleep 1
    judge client 198.51.100.2
    judge server $ours_ip
    note "$total packets of L2TP read, $(value client .counters.rekeys_child) rekeys"
}

group_tshark() {
    run_case tshark/gcm-ecp256 60 tshark_suite aes256-sha256-ecp256 aes256gcm16
    run_case tshark/cbc-sha256 60 tshark_suite aes256-sha256-modp2048 aes256-sha256
    run_case tshark/cbc-sha1 60 tshark_suite aes128-sha1-modp2048 aes128-sha1
}
