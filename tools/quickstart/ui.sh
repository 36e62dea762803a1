# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Messages: everything but a command's own output goes to standard error.

exec 7>&2 # where they go even while a step's output goes to a log

say() {
    printf '%s\n' "quickstart: $*" >&7 || true
}

die() {
    say "$*"
    exit 1
}

wrong_usage() {
    say "$* (see ./quickstart --help)"
    exit 2
}

# wait_until SECONDS WHAT COMMAND...: looks again and again, until the deadline
wait_until() {
    local deadline=$((SECONDS + $1)) what=$2

    shift 2
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || die "$what: not within the time allowed"
        sleep 0.05
    done
}
