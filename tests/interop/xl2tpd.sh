# SPDX-License-Identifier: MIT
# xl2tpd of this machine, plain L2TP: the control connection and the call, both roles, with and
# without a tunnel secret. Its pppd may find no PPP in this kernel; that is the vm group's part.
# shellcheck shell=bash

xl2tpd_start() { # NS, configuration on standard input
    local ns=$1
    cat >"$dir/xl2tpd.conf"
    printf '* * %s\n' "${secret:-unused-secret}" >"$dir/l2tp-secrets"
    chmod 600 "$dir/l2tp-secrets"
    printf 'noauth\nname alice\npassword wonderland\nnodetach\n' >"$dir/ppp-options"
    in_ns "$ns" xl2tpd -D -c "$dir/xl2tpd.conf" -p "$dir/xl2tpd.pid" -C "$dir/xl2tpd.control" \
        >"$dir/xl2tpd.log" 2>&1 &
    wait_until 15 grep -q 'Listening on' "$dir/xl2tpd.log" || fail "xl2tpd does not start"
}
xl2tpd_global() {
    printf '[global]\nport = 1701\nauth file = %s/l2tp-secrets\nforce userspace = yes\n' "$dir"
    printf 'debug tunnel = yes\ndebug state = yes\ndebug avp = yes\n'
}
xl2tpd_dials() {
    { xl2tpd_global
      printf '[lac ours]\nlns = %s\nname = alice\nredial = no\npppoptfile = %s/ppp-options\n' $ours_ip "$dir"
      printf 'challenge = %s\n' "$([ -n "${secret:-}" ] && echo yes || echo no)"
    } | xl2tpd_start client
    echo "c ours" >"$dir/xl2tpd.control"
}
xl2tpd_as_lac() { # [L2TP-OPTIONS]
    l2tp=${1:-} server_config server $ours_ip "security: none"
    serve server
    xl2tpd_dials
    wait_until 15 grep -q 'l2tp: call .* is established' "$dir/server.err" ||
        fail "no call: $(tail -n 1 "$dir/server.err")"
    grep -q 'Connection established to' "$dir/xl2tpd.log" || fail "xl2tpd sees no connection"
    wait_until 10 grep -q 'Call established with' "$dir/xl2tpd.log" || fail "xl2tpd sees no call"
    echo "d ours" >"$dir/xl2tpd.control"
    wait_until 15 grep -q 'l2tp: tunnel .* is down' "$dir/server.err" || fail "StopCCN was not taken"
}
xl2tpd_as_lac_secret() { secret=open-sesame xl2tpd_as_lac '{secret: open-sesame}'; }
xl2tpd_as_lac_wrong_secret() {
    l2tp='{secret: open-sesame}' server_config server $ours_ip "security: none"
    serve server
    secret=wrong-secret xl2tpd_dials
    sleep 4
    ! grep -q 'l2tp: tunnel .* is established' "$dir/server.err" || fail "let in with a wrong secret"
    grep -qi 'l2tp' "$dir/server.err" || fail "the server is silent about it"
}
xl2tpd_answers() {
    { xl2tpd_global
      printf '[lns default]\nip range = 10.66.0.10-10.66.0.20\nlocal ip = 10.66.0.1\n'
      printf 'require authentication = no\npppoptfile = %s/ppp-options\n' "$dir"
      printf 'challenge = %s\n' "$([ -n "${secret:-}" ] && echo yes || echo no)"
    } | xl2tpd_start ours
}
xl2tpd_as_lns() { # [L2TP-OPTIONS]
    xl2tpd_answers
    l2tp=${1:-} client_config client $ours_ip "security: none"
    dial client client --ping peer &
    wait_until 15 grep -q 'Call established with' "$dir/xl2tpd.log" ||
        fail "no call: $(tail -n 1 "$dir/client.err")"
}
xl2tpd_as_lns_secret() { secret=open-sesame xl2tpd_as_lns '{secret: open-sesame}'; }
xl2tpd_as_lns_wrong_secret() {
    local rc=0
    secret=wrong-secret xl2tpd_answers
    l2tp='{secret: open-sesame}' client_config client $ours_ip "security: none"
    dial client client --ping peer || rc=$?
    ends client $rc 5 AUTH_L2TP
}

group_xl2tpd() {
    run_case xl2tpd/as-lac 40 xl2tpd_as_lac
    run_case xl2tpd/as-lac-secret 40 xl2tpd_as_lac_secret
    run_case xl2tpd/as-lac-wrong-secret 40 xl2tpd_as_lac_wrong_secret
    run_case xl2tpd/as-lns 40 xl2tpd_as_lns
    run_case xl2tpd/as-lns-secret 40 xl2tpd_as_lns_secret
    run_case xl2tpd/as-lns-wrong-secret 40 xl2tpd_as_lns_wrong_secret
}
