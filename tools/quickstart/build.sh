# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds out of tree under build/, each kind in a directory of its own, and only what has changed.

# build_tree NAME CONFIGURE-ARGUMENT...: makes build/NAME
build_tree() {
    local dir=$BUILD/$1 log=$BUILD/$1.log

    shift
    mkdir -p "$dir"
    exec 9>"$BUILD/lock"
    flock 9 # another quickstart may be building
    if ! build_steps "$dir" "$@" >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        die "could not build; the whole output is in $log"
    fi
    exec 9>&-
}

build_steps() {
    local dir=$1 wanted

    shift
    wanted="$*"
    if [ ! -x "$ROOT/configure" ] || [ "$ROOT/configure.ac" -nt "$ROOT/configure" ]; then
        say "preparing the build"
        waited env -C "$ROOT" autoreconf -fi || return 1
    fi
    if [ ! -f "$dir/config.status" ] || [ "$(cat "$dir/configured-with" 2>/dev/null)" != "$wanted" ]; then
        say "configuring build/${dir##*/}"
        waited env -C "$dir" "$ROOT/configure" -q "$@" || return 1
        printf '%s' "$wanted" >"$dir/configured-with"
    fi
    say "building build/${dir##*/}"
    waited make -s -C "$dir" -j"$(nproc)" all || return 1
}

# Runs a program so that a signal ends this script, and with it the program, at once.  Not to be used
# in a subshell, whose children this script does not know.
waited() {
    "$@" 9>&- &
    wait $!
}

build_release() {
    build_tree release CFLAGS="-O2 -g"
    BIN=$BUILD/release
}
