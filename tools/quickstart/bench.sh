# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The benchmark: a release build and everything that it can be compared with.

bench_main() {
    install_packages "${PACKAGES_BUILD[@]}" "${PACKAGES_RUN[@]}" "${PACKAGES_BENCH[@]}"
    build_release
    waited make -s -C "$BIN" -j"$(nproc)" tests/bench/load/load tests/bench/bare/bare
    waited "$ROOT/tests/bench/run" --build "$BIN" "$@"
}
