# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Debian packages: asked for first, so that a second start costs nothing, and installed without the
# services that come with them being started.

POLICY=/usr/sbin/policy-rc.d
CLUSTER_POLICY=/etc/postgresql-common/createcluster.d/testflinger-quickstart.conf
policy_made=no
cluster_policy_made=no

missing_packages() {
    local name installed

    # it fails when it does not even know one of them
    installed=" $({ dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true; } |
        sed -n 's/^installed //p' | tr '\n' ' ')"
    for name in "$@"; do
        [[ $installed == *" $name "* ]] || printf '%s\n' "$name"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "packages are to be installed and there is no sudo; as root: apt-get install ${missing[*]}"
    fi
}

# Neither a cluster of the system nor any other service is to appear because we need a program.
forbid_services() {
    if [ ! -e "$POLICY" ]; then
        policy_made=yes
        as_root sh -c "printf '#!/bin/sh\nexit 101\n' >'$POLICY' && chmod 755 '$POLICY'"
    fi
    if [ ! -e "$CLUSTER_POLICY" ]; then
        cluster_policy_made=yes
        as_root sh -c "mkdir -p '${CLUSTER_POLICY%/*}' && echo 'create_main_cluster = false' >'$CLUSTER_POLICY'"
    fi
}

allow_services() {
    [ $policy_made = no ] || as_root rm -f "$POLICY"
    [ $cluster_policy_made = no ] || as_root rm -f "$CLUSTER_POLICY"
    policy_made=no
    cluster_policy_made=no
}

apt() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 \
        -o DPkg::Lock::Timeout=300 "$@" >>"$BUILD/apt.log" 2>&1
}

# install_packages NAME...
install_packages() {
    local missing

    command -v dpkg-query >/dev/null || die "this is no Debian: install the packages named in quickstart by hand"
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${#missing[@]} packages: ${missing[*]}"
    mkdir -p "$BUILD"
    : >"$BUILD/apt.log"
    forbid_services
    apt-cache show "${missing[@]}" >/dev/null 2>&1 || apt update || true
    if ! apt install --no-install-recommends "${missing[@]}" &&
        ! { apt update && apt install --no-install-recommends "${missing[@]}"; }; then
        tail -n 20 "$BUILD/apt.log" >&2
        die "could not install packages; the whole output is in $BUILD/apt.log"
    fi
    allow_services
}
