# SPDX-License-Identifier: MIT
# tshark with our key log: every packet that we sent decrypts, its ICV holds, none is malformed.
# shellcheck shell=bash

# judge WHOSE-KEYS ADDRESS: what it sent, read in one pass
judge() {
    local key value
    WIRESHARK_CONFIG_DIR=$dir/$1-keys tshark -o esp.enable_encryption_decode:TRUE \
        -o esp.enable_authentication_check:TRUE -r "$dir/line.pcap" -Y "ip.src == $2" -T fields \
        -E separator=';' -e frame.protocols -e esp.icv_good -e isakmp.flag_e -e isakmp.hash \
        -e _ws.malformed -e _ws.expert.severity >"$dir/$1.fields" 2>>"$dir/tshark.err"
    # 8388608 is tshark's severity "error"
    awk -F ';' '
        {esp = $1 ~ /:esp/; l2tp = $1 ~ /:l2tp/; n += l2tp}
        esp && !l2tp {closed++}
        esp && $2 != "1" && $2 != "True" {icv++}
        $3 ~ /^(1|True)/ && $4 == "" {hidden++}
        $5 != "" {malformed++}
        $6 ~ /8388608/ {error++}
        END {print "l2tp", n + 0; print "undecrypted", closed + 0; print "bad_icv", icv + 0
             print "hidden_ike", hidden + 0; print "malformed", malformed + 0; print "errors", error + 0}
    ' "$dir/$1.fields" >"$dir/$1.sums"
    while read -r key value; do
        if [ "$key" = l2tp ]; then
            [ "$value" -ge 400 ] || fail "only $value L2TP packets of the $1 in the capture"
            total=$((${total:-0} + value))
        else
            [ "$value" = 0 ] || fail "$value frames of the $1: $key"
        fi
    done <"$dir/$1.sums"
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
    judge client 198.51.100.0/24
    judge server $ours_ip
    note "$total packets of L2TP read, $(value client .counters.rekeys_child) rekeys"
}

group_tshark() {
    run_case tshark/gcm-ecp256 60 tshark_suite aes256-sha256-ecp256 aes256gcm16
    run_case tshark/cbc-sha256 60 tshark_suite aes256-sha256-modp2048 aes256-sha256
    run_case tshark/cbc-sha1 60 tshark_suite aes128-sha1-modp2048 aes128-sha1
}
