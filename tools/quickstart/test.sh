# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The test run: each suite writes its output to a log and its results to a file, and one summary at
# the end counts them all (tests/lib/summary.py).

RESULTS=$BUILD/test-results

test_options() {
    KIND=address LONG=no
    while [ $# -gt 0 ]; do
        case $1 in
        --thread) KIND=thread ;;
        --valgrind) KIND=valgrind ;;
        --fuzz) KIND=fuzz ;;
        --long) LONG=yes ;;
        *) wrong_usage "test does not know $1" ;;
        esac
        shift
    done
}

test_main() {
    test_options "$@"
    prepare_run
    install_packages "${PACKAGES_BUILD[@]}" "${PACKAGES_RUN[@]}" "${PACKAGES_TEST[@]}"
    [ $LONG = no ] || install_packages "${PACKAGES_LONG[@]}"
    mkdir -p "$BUILD"
    rm -rf "$RESULTS"
    mkdir -p "$RESULTS"
    export PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
    export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
    export TSAN_OPTIONS=halt_on_error=1
    "test_$KIND"
    summary
}

test_address() {
    build_tree asan --enable-werror --enable-sanitizers CFLAGS="-O1 -g"
    export BUILDDIR=$BUILD/asan
    unit_suite
    suite style tap "$ROOT/tests/style/run"
    TF_PROVE=--verbose suite sql tap "$ROOT/tests/sql/run"
    pytest_suite sql-pytest tests/sql
    pytest_suite api tests/api
    pytest_suite agent tests/agent
    pytest_suite connector tests/connector
    pytest_suite e2e tests/e2e
    pytest_suite faults tests/faults
    fuzz_suite 5
}

# What has threads: the server's units, its API and what breaks it.
test_thread() {
    build_tree tsan --enable-werror --enable-sanitizers=thread CFLAGS="-O1 -g"
    export BUILDDIR=$BUILD/tsan
    unit_suite
    pytest_suite api tests/api
    pytest_suite e2e tests/e2e
    pytest_suite faults tests/faults
}

# The agent and the device connector, and all units.
test_valgrind() {
    install_packages "${PACKAGES_VALGRIND[@]}"
    build_tree valgrind CFLAGS="-O1 -g" # warnings differ from those of CI
    export BUILDDIR=$BUILD/valgrind
    export UNDER="valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite"
    export TESTFLINGER_AGENT_WRAPPER="$UNDER --trace-children=no"
    export TESTFLINGER_CONNECTOR_WRAPPER=$TESTFLINGER_AGENT_WRAPPER
    unit_suite
    pytest_suite agent tests/agent
    pytest_suite connector tests/connector
}

test_fuzz() {
    fuzz_suite 60
}

# fuzz_suite SECONDS: every fuzz target for so long
fuzz_suite() {
    install_packages "${PACKAGES_FUZZ[@]}"
    build_tree fuzz --enable-fuzzing CC=clang-14 CFLAGS="-O1 -g"
    waited make -s -C "$BUILD/fuzz" -j"$(nproc)" fuzz >"$RESULTS/fuzz-build.log" 2>&1 || {
        tail -n 30 "$RESULTS/fuzz-build.log" >&2
        die "could not build the fuzz targets; the whole output is in $RESULTS/fuzz-build.log"
    }
    suite fuzz tap "$ROOT/tests/fuzz/run" "$BUILD/fuzz" "$1"
}

# note NAME FORMAT STATUS: one line for the summary
note() {
    printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$RESULTS/$1.$2" "$RESULTS/$1.log" "$3" >>"$RESULTS/index"
}

# suite NAME tap COMMAND...: the command's standard output is TAP
suite() {
    local name=$1 format=$2 status=0

    shift 2
    [ -x "$1" ] || return 0
    say "suite $name"
    waited "$@" >"$RESULTS/$name.$format" 2>"$RESULTS/$name.log" || status=$?
    cat "$RESULTS/$name.$format" >>"$RESULTS/$name.log"
    note "$name" "$format" $status
}

# pytest_suite NAME DIRECTORY
pytest_suite() {
    local name=$1 dir=$ROOT/$2 status=0 marks='not long'

    compgen -G "$dir/test_*.py" >/dev/null || return 0
    say "suite $name"
    [ $LONG = no ] || marks=''
    waited /usr/bin/python3 -m pytest -c "$ROOT/tests/pytest.ini" --rootdir "$ROOT/tests" -m "$marks" \
        -ra --durations=10 --basetemp="$RUN/pytest" --junit-xml="$RESULTS/$name.xml" "$dir" \
        >"$RESULTS/$name.log" 2>&1 || status=$?
    note "$name" xml $status
}

# Every cmocka program; one that dies is a failure of its own.
unit_suite() {
    local program name status

    say "suite unit"
    waited make -s -C "$BUILDDIR" -j"$(nproc)" check-programs >"$RESULTS/unit-build.log" 2>&1 || {
        tail -n 30 "$RESULTS/unit-build.log" >&2
        die "could not build the unit tests; the whole output is in $RESULTS/unit-build.log"
    }
    # a few of them talk to PostgreSQL
    BIN=$BUILDDIR
    cluster_start "$RUN/unit-postgresql" fsync=off
    while read -r program; do
        name=unit-${program#"$BUILDDIR"/tests/unit/}
        name=${name//\//-}
        status=0
        # shellcheck disable=SC2086 # UNDER is a command with its options
        waited env -C "$BUILDDIR" srcdir="$ROOT" TESTFLINGER_TEST_DB="$SUPERUSER" \
            CMOCKA_MESSAGE_OUTPUT=TAP timeout 600 ${UNDER:-} "$program" \
            >"$RESULTS/$name.tap" 2>"$RESULTS/$name.log" || status=$?
        cat "$RESULTS/$name.tap" >>"$RESULTS/$name.log"
        note "$name" tap $status
    done < <(find "$BUILDDIR/tests/unit" -type f -name 'test_*' -perm -u+x ! -name '*.*' | sort)
}

summary() {
    local status=0

    /usr/bin/python3 "$ROOT/tests/lib/summary.py" "$RESULTS/index" || status=$?
    exit $status
}
