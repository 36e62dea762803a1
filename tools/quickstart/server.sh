# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The servers: one, or several behind haproxy; the commands serve and reset.

ADMIN_ID=testflinger-admin
STATE_DIR=$BUILD/running
STATE_FILE=

# server_start NAME PORT: sets URL.  JWT_KEY, WEBHOOK_URL, WEBHOOK_TOKEN, SECRETS_STORE tell the rest.
server_start() {
    local name=$1 port=$2 conf=$RUN/$1.conf port_file=$RUN/$1.port

    server_config "$port" "$port_file" >"$conf"
    start "$name" TERM "$BIN/testflinger-server" -c "$conf"
    wait_until 60 "$name" server_listens "$PID" "$name" "$port_file"
    URL=http://127.0.0.1:$(cat "$port_file")
    wait_until 60 "$name" server_ready "${URL##*:}"
}

server_config() {
    printf 'listen = "127.0.0.1:%s";\nport_file = "%s";\ndatabase = "%s";\njwt_key_file = "%s";\n' \
        "$1" "$2" "$LOGIN" "$RUN/secrets/jwt-key"
    server_option webhook_base_url "$WEBHOOK_URL"
    if [ -n "$WEBHOOK_TOKEN" ]; then
        (umask 077 && printf '%s\n' "$WEBHOOK_TOKEN" >"$RUN/secrets/webhook-token")
        server_option webhook_token_file "$RUN/secrets/webhook-token"
    fi
    if [ "$SECRETS_STORE" = yes ]; then
        [ -e "$RUN/secrets/seal-key" ] || (umask 077 && seal_key >"$RUN/secrets/seal-key")
        server_option secrets_key_file "$RUN/secrets/seal-key"
    fi
}

# An id and 32 bytes.
seal_key() {
    printf 'key-1 %s\n' "$(head -c 32 /dev/urandom | base64)"
}

# Releases differ in what they can: an option the server does not have is left out.
server_option() {
    [ -n "$2" ] || return 0
    if grep -q "^ *$1 = " <<<"$SERVER_HELP"; then
        printf '%s = "%s";\n' "$1" "$2"
    fi
}

server_listens() {
    check_alive "$1" "$2"
    [ -s "$3" ]
}

# In a subshell: a refused connection would end the script.
server_ready() {
    (
        exec 8<>"/dev/tcp/127.0.0.1/$1"
        printf 'GET /readyz HTTP/1.0\r\n\r\n' >&8
        read -r -t 10 _ status _ <&8
        [ "$status" = 200 ]
    ) 2>/dev/null
}

write_jwt_key() {
    (umask 077 && printf '%s\n' "$1" >"$RUN/secrets/jwt-key")
    SERVER_HELP=$("$BIN/testflinger-server" --help)
}

# replicas_start COUNT PORT: COUNT servers, and haproxy before them; sets URL
replicas_start() {
    local count=$1 port=$2 i conf=$RUN/haproxy.cfg backends=

    for ((i = 1; i <= count; i++)); do
        server_start "server-$i" 0
        printf 'replica %s\n' "$URL"
        backends+="    server replica-$i ${URL#http://} check"$'\n'
    done
    for ((i = 0; i < 20; i++)); do
        haproxy_config "$port" "$backends" >"$conf"
        if haproxy_start "$conf"; then
            URL=http://127.0.0.1:$HAPROXY_PORT
            wait_until 60 haproxy server_ready "$HAPROXY_PORT"
            return 0
        fi
        [ "$port" = 0 ] || break
    done
    cat "$RUN/logs/haproxy.log" >&2
    die "haproxy could not start"
}

# Long polls last 300 s.  abortonclose: a client that went away must not be handed a job.
haproxy_config() {
    HAPROXY_PORT=$1
    [ "$HAPROXY_PORT" != 0 ] || HAPROXY_PORT=$((20000 + RANDOM % 12000))
    cat <<TEXT
global
    maxconn 8000
defaults
    mode http
    option abortonclose
    option redispatch
    option httpchk GET /readyz
    http-check expect status 200
    default-server inter 500ms fall 2 rise 1
    balance roundrobin
    retries 2
    timeout connect 5s
    timeout queue 30s
    timeout client 330s
    timeout server 330s
    timeout http-request 30s
    timeout http-keep-alive 75s
listen testflinger
    bind 127.0.0.1:$HAPROXY_PORT
$2
TEXT
}

# Fails if the port is taken: haproxy ends at once then.
haproxy_start() {
    start haproxy TERM haproxy -db -f "$1"
    local pid=$PID deadline=$((SECONDS + 20))

    while alive "$pid" && [ $SECONDS -lt $deadline ]; do
        ! grep -qs 'Loading success\|started' "$RUN/logs/haproxy.log" || return 0
        ! (exec 8<>"/dev/tcp/127.0.0.1/$HAPROXY_PORT") 2>/dev/null || { alive "$pid" && return 0; }
        sleep 0.05
    done
    unset 'STARTED[-1]' 'CRITICAL[-1]'
    return 1
}

# --- serve ----------------------------------------------------------------------------

serve_options() {
    PORT=0 REPLICAS=0 ADMIN_SECRET='' JWT_KEY='' WEBHOOK_URL='' WEBHOOK_TOKEN='' SECRETS_STORE=yes DATA=''
    while [ $# -gt 0 ]; do
        case $1 in
        --no-secrets-store) SECRETS_STORE=no ;;
        --port | --replicas | --admin-secret | --jwt-key | --webhook-url | --webhook-token | --data)
            [ $# -gt 1 ] || wrong_usage "$1 needs a value"
            serve_value "$1" "$2"
            shift
            ;;
        *) wrong_usage "serve does not know $1" ;;
        esac
        shift
    done
}

serve_value() {
    case $1 in
    --port) PORT=$(checked_number "$1" "$2" 65535) ;;
    --replicas) REPLICAS=$(checked_number "$1" "$2" 16) ;;
    --admin-secret) ADMIN_SECRET=$2 ;;
    --jwt-key) JWT_KEY=$2 ;;
    --webhook-url) WEBHOOK_URL=$2 ;;
    --webhook-token) WEBHOOK_TOKEN=$2 ;;
    --data) DATA=$2 ;;
    esac
}

checked_number() {
    if ! [[ $2 =~ ^[0-9]{1,5}$ ]] || [ "$2" -gt "$3" ]; then
        wrong_usage "$1 takes a number up to $3, not $2"
    fi
    printf '%d' "$((10#$2))"
}

# What belongs together with kept data: without it tokens and sealed secrets would be lost.
keep_secrets() {
    local name

    [ -n "$DATA" ] || return 0
    mkdir -p "$DATA/secrets"
    chmod 700 "$DATA/secrets"
    for name in jwt-key seal-key; do
        if [ -e "$DATA/secrets/$name" ] && [ ! -e "$RUN/secrets/$name" ]; then
            cp -p "$DATA/secrets/$name" "$RUN/secrets/$name"
        elif [ -e "$RUN/secrets/$name" ]; then
            cp -p "$RUN/secrets/$name" "$DATA/secrets/$name"
        fi
    done
}

serve_main() {
    serve_options "$@"
    prepare_run
    install_packages "${PACKAGES_BUILD[@]}" "${PACKAGES_RUN[@]}"
    [ "$REPLICAS" = 0 ] || install_packages "${PACKAGES_REPLICAS[@]}"
    build_release
    if [ -n "$DATA" ]; then
        mkdir -p "$DATA"
        DATA=$(cd "$DATA" && pwd -P)
    fi
    cluster_start "${DATA:-$RUN}/postgresql"
    [ -z "$JWT_KEY" ] || write_jwt_key "$JWT_KEY"
    keep_secrets
    [ -e "$RUN/secrets/jwt-key" ] || write_jwt_key "$(random_text)"
    SERVER_HELP=$("$BIN/testflinger-server" --help)
    serve_admin
    if [ "$REPLICAS" = 0 ]; then
        server_start server "$PORT"
    else
        replicas_start "$REPLICAS" "$PORT"
    fi
    keep_secrets
    write_state
    printf 'ready %s\n' "$URL"
    stay_up
}

# Kept data has its admin already; a new secret is given only when one was named.
serve_admin() {
    local made=

    if [ -z "$ADMIN_SECRET" ]; then
        ! dbadmin client list | grep -q "^$ADMIN_ID\b" || return 0
        made=yes
        ADMIN_SECRET=$(random_text)
    fi
    client_add "$ADMIN_ID" "$ADMIN_SECRET" --role admin
    [ -z "$made" ] || say "the secret of $ADMIN_ID is in $RUN/secrets/$ADMIN_ID"
}

# --- reset ----------------------------------------------------------------------------

write_state() {
    mkdir -p "$STATE_DIR"
    STATE_FILE=$STATE_DIR/$$
    printf '%s\n' "${URL##*:}" "$BIN" "$SUPERUSER" >"$STATE_FILE"
}

# Sets STATE to the file of the running serve, which is one, or the one on this port.
find_state() {
    local file port found=()

    for file in "$STATE_DIR"/*; do
        [ -e "$file" ] || continue
        if ended "${file##*/}"; then
            rm -f "$file"
            continue
        fi
        read -r port <"$file"
        if [ -z "$1" ] || [ "$1" = "$port" ]; then
            found+=("$file")
        fi
    done
    [ ${#found[@]} -gt 0 ] || die "no ./quickstart serve is running${1:+ on port $1}"
    [ ${#found[@]} -eq 1 ] || die "several are running: choose one by --port"
    STATE=${found[0]}
}

reset_main() {
    local port='' lines

    while [ $# -gt 0 ]; do
        case $1 in
        --port)
            [ $# -gt 1 ] || wrong_usage "$1 needs a value"
            port=$2
            shift
            ;;
        *) wrong_usage "reset does not know $1" ;;
        esac
        shift
    done
    find_state "$port"
    mapfile -t lines <"$STATE"
    BIN=${lines[1]}
    SUPERUSER=${lines[2]}
    dbadmin reset --yes >/dev/null
}
