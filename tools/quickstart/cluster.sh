# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A PostgreSQL of our own: below a directory of ours, reached by a Unix socket there and nothing else.

run_as_postgres() {
    if [ "$(id -u)" -eq 0 ]; then
        (cd / && setpriv --reuid=postgres --regid=postgres --init-groups -- "$@")
    else
        "$@"
    fi
}

# cluster_start DIR [SETTING...]: DIR is made where it is missing; sets SUPERUSER and LOGIN, two
# conninfos
cluster_start() {
    local dir=$1 socket=$RUN/socket setting settings=()

    shift
    for setting in listen_addresses= unix_socket_permissions=0700 max_connections=200 "$@"; do
        settings+=(-c "$setting")
    done
    mkdir -p "$dir" "$socket"
    chmod 700 "$dir" "$socket"
    if [ "$(id -u)" -eq 0 ]; then
        chown postgres: "$dir" "$socket"
        run_as_postgres test -x "$dir" ||
            die "the user postgres cannot get to $dir: choose a directory that others may pass through to"
    fi
    if [ ! -e "$dir/PG_VERSION" ]; then
        run_as_postgres "$PG_BIN/initdb" -D "$dir" -U postgres -A trust -N --encoding=UTF8 \
            --locale=C.UTF-8 >"$RUN/logs/initdb.log" 2>&1 ||
            { cat "$RUN/logs/initdb.log" >&2; die "could not make a PostgreSQL cluster in $dir"; }
    fi
    start_as_postgres postgresql INT "$PG_BIN/postgres" -D "$dir" -k "$socket" "${settings[@]}"
    wait_until 60 "PostgreSQL" cluster_ready "$PID" "$socket"
    SUPERUSER="host=$socket user=postgres dbname=testflinger"
    LOGIN="host=$socket user=testflinger dbname=testflinger"
    cluster_database "$socket"
}

cluster_ready() {
    check_alive "$1" postgresql
    "$PG_BIN/pg_isready" -q -h "$2"
}

# The database and the servers' login, where they are missing, and our schema.
cluster_database() {
    local psql=("$PG_BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$1" -U postgres -d postgres)

    if [ "$("${psql[@]}" -c "SELECT count(*) FROM pg_database WHERE datname = 'testflinger'")" = 0 ]; then
        "${psql[@]}" -c 'CREATE ROLE testflinger LOGIN' -c 'CREATE DATABASE testflinger'
    fi
    dbadmin migrate --migrations "$ROOT/migrations" --sql "$ROOT/sql" \
        --server-role-login testflinger >"$RUN/logs/migrate.log" 2>&1 ||
        { cat "$RUN/logs/migrate.log" >&2; die "could not bring the database to this release"; }
}

dbadmin() {
    TESTFLINGER_DATABASE=$SUPERUSER "$BIN/testflinger-dbadmin" "$@"
}

# client_add ID SECRET OPTION...: makes the client, or gives it this secret
client_add() {
    local id=$1 secret=$2

    shift 2
    (umask 077 && printf '%s\n' "$secret" >"$RUN/secrets/$id")
    if dbadmin client list | grep -q "^$id\b"; then
        dbadmin client set-secret "$id" --secret-file "$RUN/secrets/$id" >/dev/null
    else
        dbadmin client add "$id" --secret-file "$RUN/secrets/$id" "$@" >/dev/null
    fi
}
