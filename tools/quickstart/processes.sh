# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What was started, and that it ends: each process in a session of its own, ended in reverse order
# when the script ends for whatever reason.  Should the script itself be killed, the kernel tells its
# children (setpriv --pdeathsig).

RUN=                   # directory of this run, for sockets, secrets and logs
declare -a STARTED=()  # "pid signal name"
declare -a CRITICAL=() # pids that must not end by themselves
stopping=no

prepare_run() {
    local base=/var/tmp

    [ -w $base ] || base=/tmp
    sweep_runs "$base"
    RUN=$(mktemp -d "$base/testflinger.XXXXXX")
    echo $$ >"$RUN/pid"
    chmod 711 "$RUN" # PostgreSQL's user passes through
    mkdir -m 700 "$RUN/secrets" "$RUN/logs"
    trap 'on_exit' EXIT
    trap 'on_signal 129' HUP
    trap 'on_signal 130' INT
    trap 'on_signal 143' TERM
}

# What a run that was killed could not remove itself.
sweep_runs() {
    local dir

    for dir in "$1"/testflinger.??????; do
        if [ -O "$dir" ] && [ -s "$dir/pid" ] && ended "$(cat "$dir/pid")"; then
            rm -rf "$dir"
        fi
    done
}

# Being stopped is how demo and serve end; before they are up it is a failure.
UP=no
on_signal() {
    if [ $UP = yes ]; then
        exit 0
    fi
    exit "$1"
}

on_exit() {
    local status=$?

    trap '' HUP INT TERM
    trap - EXIT
    set +e
    stopping=yes
    stop_unfinished
    stop_all
    allow_services
    [ -z "${STATE_FILE:-}" ] || rm -f "$STATE_FILE"
    [ -z "$RUN" ] || rm -rf "$RUN"
    exit $status
}

# What else may run: a build, an installation or tests that were interrupted.  Not the processes that
# have their turn in stop_all.
stop_unfinished() {
    local pid told=()

    for pid in $(jobs -p); do
        if [[ " ${CRITICAL[*]} " != *" $pid "* ]]; then
            kill "$pid" 2>/dev/null
            told+=("$pid")
        fi
    done
    [ ${#told[@]} -eq 0 ] || wait "${told[@]}" 2>/dev/null
}

# start NAME SIGNAL COMMAND...: sets PID; output goes to the run's logs
start() {
    local name=$1 signal=$2

    shift 2
    setsid setpriv --pdeathsig "$signal" -- "$@" >"$RUN/logs/$name.log" 2>&1 </dev/null 7>&- &
    PID=$!
    STARTED+=("$PID $signal $name")
    CRITICAL+=("$PID")
}

# As start, as the user postgres when this is root.
start_as_postgres() {
    local name=$1 signal=$2

    shift 2
    if [ "$(id -u)" -eq 0 ]; then
        start "$name" "$signal" setpriv --reuid=postgres --regid=postgres --init-groups \
            --pdeathsig "$signal" -- "$@"
    else
        start "$name" "$signal" "$@"
    fi
}

alive() {
    kill -0 "$1" 2>/dev/null
}

ended() {
    ! alive "$1"
}

stop_one() {
    local pid=$1 signal=$2 deadline=$((SECONDS + 40))

    kill -s "$signal" "$pid" 2>/dev/null
    while alive "$pid" && [ $SECONDS -lt $deadline ]; do
        sleep 0.05
    done
    kill -s KILL -- "-$pid" 2>/dev/null # its session, should something be left
    wait "$pid" 2>/dev/null
}

stop_all() {
    local i pid signal name

    for ((i = ${#STARTED[@]} - 1; i >= 0; i--)); do
        read -r pid signal name <<<"${STARTED[i]}"
        stop_one "$pid" "$signal"
    done
    STARTED=()
}

# Waits for ever, or until something that is needed has ended.
stay_up() {
    local entry pid signal name

    UP=yes
    wait -n "${CRITICAL[@]}" || true
    for entry in "${STARTED[@]}"; do
        read -r pid signal name <<<"$entry"
        if ended "$pid"; then
            tail -n 20 "$RUN/logs/$name.log" >&2
            UP=no
            die "$name has ended by itself"
        fi
    done
}

# Fails with the end of its log if the process of that name has ended.
check_alive() {
    if ended "$1"; then
        tail -n 20 "$RUN/logs/$2.log" >&2
        die "$2 has ended at its start"
    fi
}

random_text() {
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}
