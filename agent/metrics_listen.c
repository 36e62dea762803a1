/* SPDX-License-Identifier: GPL-3.0-or-later
 * libmicrohttpd's epoll set is one more descriptor of the reactor.  What it has left to do without
 * an event it tells by MHD_get_timeout(), which has to be obeyed. */
#include "agent/metrics_listen.h"

#include "agent/metrics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_MAX 16
#define IDLE_S          10
#define MEMORY          ((size_t)16 << 10)

struct metrics_listener {
    struct reactor *reactor;
    struct metrics_page page;
    struct MHD_Daemon *daemon;
    struct watch watch;
    struct timer timer;
};

/* --- requests -------------------------------------------------------------------------- */

static enum MHD_Result send_text(struct MHD_Connection *connection, unsigned status,
                                 const struct buf *text)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        text->len, (void *)(uintptr_t)buf_text(text), MHD_RESPMEM_MUST_COPY);
    enum MHD_Result rc = MHD_NO;

    if (response &&
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                "text/plain; version=0.0.4; charset=utf-8") == MHD_YES &&
        (status != MHD_HTTP_METHOD_NOT_ALLOWED ||
         MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD") == MHD_YES))
        rc = MHD_queue_response(connection, status, response);
    if (response)
        MHD_destroy_response(response);
    return rc;
}

static enum MHD_Result answer(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *data_len, void **seen)
{
    struct metrics_listener *l = cls;
    struct buf text = BUF_INIT(METRICS_TEXT_MAX);
    unsigned status = MHD_HTTP_OK;
    enum MHD_Result rc;

    (void)version;
    (void)data;
    if (!*seen || *data_len > 0) { /* headers alone, or a body that nobody wants */
        *seen = l;
        *data_len = 0;
        return MHD_YES;
    }
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        status = MHD_HTTP_METHOD_NOT_ALLOWED;
    else if (strcmp(url, "/metrics") != 0 && strcmp(url, "/") != 0)
        status = MHD_HTTP_NOT_FOUND;
    if (status == MHD_HTTP_OK)
        l->page.write(l->page.arg, &text);
    else
        (void)buf_adds(&text, "the metrics are at /metrics\n");
    if (buf_failed(&text)) {
        status = MHD_HTTP_INTERNAL_SERVER_ERROR;
        buf_clear(&text);
    }
    rc = send_text(connection, status, &text);
    buf_done(&text);
    return rc;
}

/* --- the loop -------------------------------------------------------------------------- */

static unsigned connections(const struct metrics_listener *l)
{
    return MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections;
}

static void on_ready(void *arg)
{
    struct metrics_listener *l = arg;
    MHD_UNSIGNED_LONG_LONG ms;
    unsigned before;

    do { /* where the limit was reached, it listens again at the beginning of the next run only */
        before = connections(l);
        (void)MHD_run(l->daemon);
    } while (connections(l) < before);
    if (MHD_get_timeout(l->daemon, &ms) == MHD_YES)
        reactor_after(l->reactor, &l->timer, ms > IDLE_S * 1000 ? IDLE_S * 1000 : (int64_t)ms);
    else
        reactor_disarm(l->reactor, &l->timer);
}

/* --- beginning ------------------------------------------------------------------------- */

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static int parse_address(const char *text, uint16_t port, union address *ret, struct err *err)
{
    memset(ret, 0, sizeof(*ret));
    if (inet_pton(AF_INET, text, &ret->v4.sin_addr) == 1) {
        ret->v4.sin_family = AF_INET;
        ret->v4.sin_port = htons(port);
        return 0;
    }
    memset(ret, 0, sizeof(*ret));
    if (inet_pton(AF_INET6, strcmp(text, "*") == 0 ? "::" : text, &ret->v6.sin6_addr) == 1) {
        ret->v6.sin6_family = AF_INET6;
        ret->v6.sin6_port = htons(port);
        return 0;
    }
    return err_set(err, ERR_INVALID, "\"%s\" is neither an address nor \"*\"", text);
}

static struct MHD_Daemon *start(struct metrics_listener *l, const union address *address,
                                uint16_t port)
{
    unsigned flags = MHD_USE_EPOLL;

    if (address->any.sa_family == AF_INET6)
        flags |= MHD_USE_DUAL_STACK; /* :: takes IPv4 as well */
    return MHD_start_daemon(flags, port, NULL, NULL, answer, l, MHD_OPTION_SOCK_ADDR, &address->any,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, MEMORY, MHD_OPTION_END);
}

static int set_up(struct metrics_listener *l, const char *address, uint16_t port, struct err *err)
{
    const union MHD_DaemonInfo *info;
    union address where;

    if (parse_address(address, port, &where, err) < 0)
        return -1;
    errno = 0;
    l->daemon = start(l, &where, port);
    /* "*" on a machine without IPv6 */
    if (!l->daemon && errno == EAFNOSUPPORT && strcmp(address, "*") == 0 &&
        parse_address("0.0.0.0", port, &where, err) == 0)
        l->daemon = start(l, &where, port);
    if (!l->daemon)
        return err_set_errno(err, errno, "could not serve metrics on \"%s\" port %u", address,
                             (unsigned)port);
    info = MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info || info->epoll_fd < 0)
        return err_set(err, ERR_INTERNAL, "libmicrohttpd has no epoll");
    l->watch = (struct watch){info->epoll_fd, on_ready, l};
    l->timer = (struct timer){.fire = on_ready, .arg = l};
    reactor_watch(l->reactor, &l->watch);
    on_ready(l);
    return 0;
}

struct metrics_listener *metrics_listen(struct reactor *reactor, const char *address, uint16_t port,
                                        const struct metrics_page *page, struct err *err)
{
    struct metrics_listener *l = calloc(1, sizeof(*l));

    if (!l) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    l->reactor = reactor;
    l->page = *page;
    if (set_up(l, address, port, err) < 0) {
        metrics_listener_free(l);
        return NULL;
    }
    return l;
}

void metrics_listener_free(struct metrics_listener *l)
{
    if (!l)
        return;
    reactor_unwatch(l->reactor, &l->watch);
    reactor_disarm(l->reactor, &l->timer);
    if (l->daemon)
        MHD_stop_daemon(l->daemon);
    free(l);
}
