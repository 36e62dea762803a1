/* SPDX-License-Identifier: GPL-3.0-or-later
 * What libmicrohttpd can do at best: every request is answered 204, and nothing else happens. Waits
 * as the server's loop does (server/http/loop.c): poll() on libmicrohttpd's epoll set, then
 * MHD_run(), with the same flags and memory for each connection.  Prints its port, ends with
 * SIGTERM. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <microhttpd.h>

#define CONNECTIONS_MAX 20000
#define CONN_MEMORY     ((size_t)128 << 10)

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

static enum MHD_Result answer(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *data_size, void **context)
{
    struct MHD_Response *response = cls;

    (void)url, (void)method, (void)version, (void)data;
    if (!*context) { /* an answer to the header alone would end the connection */
        *context = response;
        return MHD_YES;
    }
    if (*data_size > 0) {
        *data_size = 0;
        return MHD_YES;
    }
    return MHD_queue_response(connection, MHD_HTTP_NO_CONTENT, response);
}

static int serve(struct MHD_Daemon *daemon)
{
    const union MHD_DaemonInfo *epoll = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
    const union MHD_DaemonInfo *port = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    MHD_UNSIGNED_LONG_LONG ms;

    if (!epoll || !port)
        return -1;
    printf("%d\n", port->port);
    (void)fflush(stdout);
    while (!stopped) {
        struct pollfd fd = {.fd = epoll->epoll_fd, .events = POLLIN};
        int timeout = MHD_get_timeout(daemon, &ms) == MHD_YES && ms < 1000 ? (int)ms : 1000;

        (void)poll(&fd, 1, timeout);
        (void)MHD_run(daemon);
    }
    return 0;
}

int main(void)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    struct MHD_Daemon *daemon;
    int rc = EXIT_FAILURE;

    (void)signal(SIGTERM, stop);
    (void)signal(SIGPIPE, SIG_IGN);
    daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, answer,
                              response, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                              MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONN_MEMORY, MHD_OPTION_END);
    if (response && daemon)
        rc = serve(daemon) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    if (daemon)
        MHD_stop_daemon(daemon);
    if (response)
        MHD_destroy_response(response);
    return rc;
}
