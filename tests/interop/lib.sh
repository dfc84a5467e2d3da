# SPDX-License-Identifier: MIT
# What the interop groups share; sourced by run.sh. Needs: root (repository), lab (its folder).
# shellcheck shell=bash

export LAB_WORK=${L2V_LAB_WORK:-${TMPDIR:-/tmp}/l2v-interop} LAB_TAG=${L2V_LAB_TAG:-l2vt}
work=$LAB_WORK/cases
user_id=65534 # nobody: clients and servers hold no privilege at all
passed=0 failed=0 skipped=0

server_ip=203.0.113.10  # namespace server: SoftEther
ours_ip=203.0.113.11    # namespace ours: our own server
vm_srv_ip=203.0.113.20  # virtual machine vm1, on the server's side
vm_lan_ip=192.168.77.20 # virtual machine vm2, behind the NAT

natnet() { "$lab/natnet" "$@" >>"$LAB_WORK/log/natnet.log" 2>&1 9>&-; }
in_ns() { local n=$1; shift; ip netns exec "$LAB_TAG-$n" "$@"; }
as_nobody() { # NS COMMAND…
    local n=$1
    shift
    in_ns "$n" setpriv --reuid=$user_id --regid=$user_id --clear-groups --bounding-set=-all \
        --no-new-privs env LD_LIBRARY_PATH="$LAB_WORK/bin" "$@"
}
# A host of the network besides client and server; low ports need no privilege in it.
host() { # NAME lan|srv ADDRESS…
    natnet host "$@"
    low_ports "$1"
}
low_ports() { in_ns "$1" sysctl -qw net.ipv4.ip_unprivileged_port_start=0; }

wait_until() { # SECONDS COMMAND…
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.2
    done
}

# --- the network ---------------------------------------------------------------------------------

network_up() {
    mkdir -p "$LAB_WORK"/{run,log,cap} "$work"
    # An image that the lab has built at its own place is used again.
    local built=${TMPDIR:-/tmp}/labwork d
    for d in img pki dl; do
        [ -e "$LAB_WORK/$d" ] || [ ! -d "$built/$d" ] || ln -s "$built/$d" "$LAB_WORK/$d"
    done
    exec 9>"$LAB_WORK/lock"
    flock -n 9 || { echo "another run uses $LAB_WORK" >&2; return 1; }
    if [ -n "${L2V_KEEP:-}" ] && ip netns list | grep -q "^$LAB_TAG-ours"; then
        return 0
    fi
    natnet down # what a run left that was cut off
    natnet up || return 1
    low_ports client
    host ours srv $ours_ip/24 2001:db8:203::11/64
}
network_reset() {
    natnet emu ""
    natnet nat masquerade
}
network_down() { [ -n "${L2V_KEEP:-}" ] || natnet down; }

# --- virtual machines -------------------------------------------------------------------------------

vm_up() { # NAME lan|srv ADDRESS
    [ -f "$LAB_WORK/img/rootfs.ext4" ] || "$lab/linuxvm" build >>"$LAB_WORK/log/build.log" 2>&1 9>&- ||
        return 1
    "$lab/linuxvm" up "$1" "$2" "$3/24" >>"$LAB_WORK/log/vm.log" 2>&1 9>&- || return 1
    # On a busy machine the first control line is deaf after its boot-time questions.
    rm -f "$LAB_WORK/run/vm-$1/ctl0"
}
vm() { # NAME SECONDS COMMAND
    "$lab/linuxvm" exec "$1" -t "$2" "$3"
}

# --- our command -----------------------------------------------------------------------------------

# Configurations come from standard input; they carry test secrets, so only nobody may read them.
config() { # NAME
    cat >"$dir/$1.yaml"
    chmod 600 "$dir/$1.yaml"
    chown $user_id "$dir/$1.yaml"
}
# client_config NAME SERVER [IPSEC-LINE…]: the usual client; lines are added to ipsec.
client_config() {
    local name=$1 server=$2 line
    shift 2
    {
        printf 'client:\n  server: "%s"\n  ppp:\n    user: alice\n' "$server"
        printf '    password: %s\n' "${password:-wonderland}"
        [ -z "${ppp:-}" ] || printf '    %s\n' "$ppp"
        [ -z "${local_addr:-}" ] || printf '  local: "%s"\n' "$local_addr"
        [ -z "${l2tp:-}" ] || printf '  l2tp: %s\n' "$l2tp"
        printf '  ipsec:\n    psk: %s\n' "${psk:-lab-psk}"
        for line in "$@"; do printf '    %s\n' "$line"; done
    } | config "$name"
}
# server_config NAME ADDRESS [IPSEC-LINE…]
server_config() {
    local name=$1 listen=$2 line
    shift 2
    {
        printf 'cli:\n  control: %s/%s.sock\n  echo_port: 7\n' "$dir" "$name"
        printf 'server:\n  listen: "%s"\n  gateway: 10.55.0.1\n  pool_first: 10.55.0.10\n' "$listen"
        printf '  pool_size: 32\n  users:\n    - name: alice\n      password: wonderland\n'
        [ -z "${ppp:-}" ] || printf '  ppp:\n    %s\n' "$ppp"
        [ -z "${l2tp:-}" ] || printf '  l2tp: %s\n' "$l2tp"
        printf '  ipsec:\n    profile: compatible\n    psk: lab-psk\n'
        for line in "$@"; do printf '    %s\n' "$line"; done
    } | config "$name"
}
# serve NAME [OPTION…]: our server in namespace ours, until the case ends.
serve() {
    local name=$1
    shift
    as_nobody ours "$command" serve "$dir/$name.yaml" -vv "$@" >"$dir/$name.out" 2>"$dir/$name.err" &
    wait_until 20 grep -q echo "$dir/$name.out" || fail "our server does not start"
}
remote() { as_nobody ours "$command" "$@" --control "$dir/server.sock"; }
# dial NAME NS [OPTION…]: our client; its result is $dir/NAME.json, its exit code is returned.
dial() {
    local name=$1 ns=$2
    shift 2
    as_nobody "$ns" "$command" connect "$dir/$name.yaml" --json -v "$@" \
        --control "$dir/$name.sock" >"$dir/$name.json" 2>"$dir/$name.err"
}
# value NAME JQ-EXPRESSION
value() { jq -r "$2" "$dir/$1.json" 2>/dev/null; }

# --- what is judged -----------------------------------------------------------------------------------

fail() {
    printf '%s\n' "$*" >"$dir/reason"
    exit 1
}
note() { printf '%s' "$*" >"$dir/note"; }
pings() { # NAME
    [ "$(value "$1" '.ping.received')" -ge 1 ] 2>/dev/null || fail "no ping answered: $(tail -n 1 "$dir/$1.err")"
}
# A call that nobody disturbed: nothing lost, MOS at least 4.3.
good_call() { # NAME
    local lost mos
    lost=$(value "$1" '.call.lost') mos=$(value "$1" '.call.mos_cq')
    [ -n "$lost" ] && [ "$lost" != null ] || fail "no call: $(tail -n 1 "$dir/$1.err")"
    note "call: $(value "$1" '"\(.call.received) of \(.call.sent), MOS \(.call.mos_cq)"')"
    [ "$lost" = 0 ] || fail "$lost of $(value "$1" .call.sent) packets lost"
    jq -e '.call.mos_cq >= 4.3' "$dir/$1.json" >/dev/null || fail "MOS $mos"
}
# call NAME NS TARGET SECONDS [OPTION…]: connects and calls. A machine that has no time for us
# spoils the jitter, so a call that lost nothing may be repeated twice for its MOS; no loss is forgiven.
call() {
    local name=$1 ns=$2 target=$3 seconds=$4 try rc
    shift 4
    for try in 1 2 3; do
        rc=0
        dial "$name" "$ns" --call "$target" --seconds "$seconds" "$@" || rc=$?
        [ $rc = 0 ] || fail "exit $rc: $(tail -n 1 "$dir/$name.err")"
        [ "$(value "$name" .call.lost)" = 0 ] && [ $try != 3 ] &&
            [ "$(value "$name" '.call.mos_cq < 4.3')" = true ] || break
    done
    good_call "$name"
}
# ends NAME CODE EXIT ERROR: a connection that must fail says why, and what to do.
ends() {
    local name=$1 rc=$2 want=$3 code=$4
    [ "$rc" = "$want" ] || fail "exit $rc, not $want: $(tail -n 1 "$dir/$name.err")"
    [[ "$(value "$name" .error.code)" =~ ^($code)$ ]] || fail "error $(value "$name" .error.code), not $code"
    [ -n "$(value "$name" '.error.message // empty')" ] || fail "no message"
    [ -n "$(value "$name" '.error.next_step // empty')" ] || fail "no next step"
    note "exit $rc: $(value "$name" .error.message)"
}

# --- cases ---------------------------------------------------------------------------------------------

# run_case GROUP/NAME SECONDS FUNCTION [WORD…]: in a process group of its own; what it started
# ends with it.
run_case() {
    local name=$1 limit=$2 began=$SECONDS pid f rc=0
    case " ${only:-$name} " in *" $name "* | *" ${name%%/*} "*) ;; *) return ;; esac
    shift 2
    dir=$work/${name//\//-}
    rm -rf "$dir"
    mkdir -p "$dir"
    chown $user_id "$dir"
    set -m
    (
        set +m
        "$@"
    ) >"$dir/log" 2>&1 9>&- &
    pid=$!
    set +m
    wait_until $((limit * ${L2V_PATIENCE:-1})) not_alive $pid || printf 'not done in %d s\n' "$limit" >"$dir/reason"
    kill -TERM -- -$pid 2>/dev/null
    wait $pid 2>/dev/null || rc=$?
    sleep 0.1
    kill -KILL -- -$pid 2>/dev/null
    # A daemon that left the group wrote its pid; its port must be free for the next case.
    for f in "$dir"/*.pid; do
        [ ! -f "$f" ] || kill "$(cat "$f")" 2>/dev/null
    done
    if [ "$rc" = 0 ] && [ ! -s "$dir/reason" ]; then
        passed=$((passed + 1))
        printf 'ok   interop/%-34s %3d s  %s\n' "$name" $((SECONDS - began)) "$(cat "$dir/note" 2>/dev/null)"
    else
        failed=$((failed + 1))
        [ -s "$dir/reason" ] || tail -n 1 "$dir/log" >"$dir/reason"
        printf 'FAIL interop/%s: %s\n' "$name" "$(head -c 200 "$dir/reason" | tr '\n' ' ')"
        printf '     see %s\n' "$dir"
    fi
}
not_alive() { ! kill -0 "$1" 2>/dev/null || [ "$(awk '{print $3}' "/proc/$1/stat" 2>/dev/null)" = Z ]; }
skip_case() { # GROUP/NAME REASON
    skipped=$((skipped + 1))
    printf 'skip interop/%s: %s\n' "$1" "$2"
}
