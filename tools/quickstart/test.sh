# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The test run: each suite writes its output to a log and its results to a file, and one summary at
# the end counts them all (tests/lib/summary.py).  Suites wait far more than they compute: two run
# beside each other, and each of pytest's has several workers.

RESULTS=$BUILD/test-results
AT_ONCE=2
WORKERS=$(($(nproc) * 2))
declare -A RUNNING=() # by pid: "name format"

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
    await_room 1
    summary
}

test_address() {
    build_tree asan --enable-werror --enable-sanitizers CFLAGS="-O1 -g"
    export BUILDDIR=$BUILD/asan
    unit_suite
    begin style tap "$ROOT/tests/style/run"
    begin sql tap env TF_PROVE=--verbose "$ROOT/tests/sql/run"
    pytest_suite agent tests/agent --dist load -n $((WORKERS * 2)) # hardly computes at all
    fuzz_suite 5
    pytest_suite faults tests/faults
    pytest_suite e2e tests/e2e
    pytest_suite sql-pytest tests/sql
    pytest_suite api tests/api
    pytest_suite connector tests/connector --dist load
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

# The agent and the device connector, all units, and the agent on a real server.
test_valgrind() {
    install_packages "${PACKAGES_VALGRIND[@]}"
    build_tree valgrind CFLAGS="-O1 -g" # warnings differ from those of CI
    export BUILDDIR=$BUILD/valgrind
    export UNDER="valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite"
    export TESTFLINGER_AGENT_WRAPPER="$UNDER --trace-children=no"
    export TESTFLINGER_CONNECTOR_WRAPPER=$TESTFLINGER_AGENT_WRAPPER
    export TESTFLINGER_TEST_PATIENCE=5 # they take so many times as long, or less
    unit_suite
    pytest_suite agent tests/agent --dist load
    pytest_suite connector tests/connector --dist load
    pytest_suite matrix tests/e2e/test_matrix.py
    pytest_suite multi tests/e2e/test_multi.py
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
    begin fuzz tap "$ROOT/tests/fuzz/run" "$BUILD/fuzz" "$1"
}

# note NAME FORMAT STATUS: one line for the summary
note() {
    printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$RESULTS/$1.$2" "$RESULTS/$1.log" "$3" >>"$RESULTS/index"
}

# begin NAME FORMAT COMMAND...: runs it beside what runs already, as soon as there is room.  Its
# standard output is TAP where that is the format.
begin() {
    local name=$1 format=$2 log=$RESULTS/$1.log out=$RESULTS/$1.log

    shift 2
    [ "$format" != tap ] || out=$RESULTS/$name.tap
    await_room $AT_ONCE
    [[ $name == unit-* ]] || say "suite $name"
    setpriv --pdeathsig TERM -- "$@" >>"$out" 2>>"$log" </dev/null 7>&- 9>&- &
    RUNNING[$!]="$name $format"
}

# await_room NUMBER: until fewer than that many run
await_room() {
    local pid

    while [ ${#RUNNING[@]} -ge "$1" ]; do
        sleep 0.05
        for pid in "${!RUNNING[@]}"; do
            if ended "$pid"; then
                finish "$pid"
            fi
        done
    done
}

finish() {
    local name format status=0

    read -r name format <<<"${RUNNING[$1]}"
    unset "RUNNING[$1]"
    wait "$1" || status=$?
    [ "$format" != tap ] || cat "$RESULTS/$name.tap" >>"$RESULTS/$name.log"
    note "$name" "$format" $status
}

# pytest_suite NAME DIRECTORY [OPTION...]: files go to the workers whole, as the fixtures of a file cost
# more than its tests; with "--dist load" each test goes to the next worker that is free
pytest_suite() {
    local name=$1 dir=$ROOT/$2 marks='not long'

    shift 2
    [ $LONG = no ] || marks=''
    begin "$name" xml /usr/bin/python3 -m pytest -c "$ROOT/tests/pytest.ini" --rootdir "$ROOT/tests" \
        -m "$marks" -n "$WORKERS" --dist loadfile -ra --durations=10 --basetemp="$RUN/$name" \
        --junit-xml="$RESULTS/$name.xml" "$@" "$dir"
}

# Every cmocka program; one that dies is a failure of its own.
unit_suite() {
    local program name

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
        # shellcheck disable=SC2086 # UNDER is a command with its options
        begin "$name" tap env -C "$BUILDDIR" srcdir="$ROOT" TESTFLINGER_TEST_DB="$SUPERUSER" \
            CMOCKA_MESSAGE_OUTPUT=TAP timeout 600 ${UNDER:-} "$program"
    done < <(find "$BUILDDIR/tests/unit" -type f -name 'test_*' -perm -u+x ! -name '*.*' | sort)
}

summary() {
    local status=0

    /usr/bin/python3 "$ROOT/tests/lib/summary.py" "$RESULTS/index" || status=$?
    exit $status
}
