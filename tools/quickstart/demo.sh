# shellcheck shell=bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The demonstration: a server, an agent, a job from its submission to its artifacts.

DEMO_AGENT=demo-agent

demo_main() {
    local once=no status=0

    while [ $# -gt 0 ]; do
        case $1 in
        --once) once=yes ;;
        *) wrong_usage "demo does not know $1" ;;
        esac
        shift
    done
    prepare_run
    install_packages "${PACKAGES_BUILD[@]}" "${PACKAGES_RUN[@]}"
    build_release
    demo_start
    demo_job || status=$?
    say "the server is $URL; its files and logs are in $RUN"
    [ $once = no ] || exit $status
    say "try: TESTFLINGER_SERVER=$URL build/release/testflinger submit --poll examples/hello.yaml"
    say "Ctrl-C ends it all"
    stay_up
}

demo_start() {
    # shellcheck disable=SC2034 # read by server_config
    WEBHOOK_URL='' WEBHOOK_TOKEN='' SECRETS_STORE=yes
    say "starting PostgreSQL, the server and an agent"
    cluster_start "$RUN/postgresql" fsync=off # thrown away at the end
    client_add "$ADMIN_ID" "$(random_text)" --role admin &
    client_add "$DEMO_AGENT" "$(random_text)" --role agent
    wait $!
    (umask 077 && dbadmin client refresh-token "$DEMO_AGENT" >"$RUN/secrets/$DEMO_AGENT.token")
    write_jwt_key "$(random_text)"
    server_start server 0
    demo_agent
}

# The example of an agent, with this server's address and directories of this run.
demo_agent() {
    sed -e "s|^server_address = .*|server_address = \"$URL\";|" \
        -e "s|^execution_basedir = .*|execution_basedir = \"$RUN/agent/run\";|" \
        -e "s|^logging_basedir = .*|logging_basedir = \"$RUN/agent/logs\";|" \
        -e "s|^results_basedir = .*|results_basedir = \"$RUN/agent/results\";|" \
        -e "s|@EXAMPLES@|$ROOT/examples|g" "$ROOT/examples/agent.conf" >"$RUN/agent.conf"
    mkdir -p "$RUN/agent"
    # what its commands run is not installed either
    start agent TERM env PATH="$BIN:$PATH" "$BIN/testflinger-agent" -c "$RUN/agent.conf" \
        --token-file "$RUN/secrets/$DEMO_AGENT.token"
    check_alive "$PID" agent
}

demo_client() {
    TESTFLINGER_SERVER=$URL waited "$BIN/testflinger" "$@"
}

demo_job() {
    local id status=0

    say "submitting examples/hello.yaml"
    id=$(demo_client submit --quiet "$ROOT/examples/hello.yaml")
    say "following job $id"
    demo_client poll "$id" || status=$?
    say "its results:"
    demo_client results "$id" | jq 'with_entries(select(.key | endswith("_output") | not))'
    say "its artifacts:"
    demo_client artifacts "$id" --filename "$RUN/artifacts.tgz"
    tar -tzvf "$RUN/artifacts.tgz"
    return $status
}
