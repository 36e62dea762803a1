/* SPDX-License-Identifier: GPL-3.0-or-later
 * Connections: their deadlines, and noticing that the client has gone while libmicrohttpd does not
 * look (it watches neither time nor socket of a suspended connection). */
#include "server/http/exchange.h"

#include "server/metrics.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LAST_WORDS_MS 2000 /* for a late client to read why */

static void name_peer(struct conn *conn, const struct sockaddr *addr)
{
    const void *bytes = NULL;

    if (addr->sa_family == AF_INET)
        bytes = &((const struct sockaddr_in *)(const void *)addr)->sin_addr;
    else if (addr->sa_family == AF_INET6)
        bytes = &((const struct sockaddr_in6 *)(const void *)addr)->sin6_addr;
    if (!bytes || !inet_ntop(addr->sa_family, bytes, conn->peer, sizeof(conn->peer)))
        memcpy(conn->peer, "-", 2);
}

/* The end of a stream is final, so one event in the life of a connection is all there can be. */
static void client_gone(struct watched *watched)
{
    struct conn *conn = (struct conn *)watched;

    conn->gone = true;
    if (conn->exchange) {
        atomic_store(&conn->exchange->gone, true);
        exchange_leave(conn->exchange);
    }
}

static void watch(struct conn *conn)
{
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLONESHOT, .data.ptr = conn};

    if (epoll_ctl(conn->loop->own_fd, EPOLL_CTL_ADD, conn->fd, &event) == 0)
        conn->watching = true;
}

static void start(struct loop *loop, struct MHD_Connection *connection, void **context)
{
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *addr =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct conn *conn = calloc(1, sizeof(*conn));

    *context = conn;
    if (!conn) /* requests on it are refused */
        return;
    conn->watched.ready = client_gone;
    conn->loop = loop;
    conn->fd = fd ? fd->connect_fd : -1;
    if (addr)
        name_peer(conn, addr->client_addr);
    LIST_INSERT_HEAD(&loop->conns, conn, link);
    metrics_add(loop->options.app.metrics, METRIC_CONNECTIONS, 1);
    watch(conn);
    conn_enter(conn, CONN_HEADER, loop->options.header_timeout_ms);
}

static void stop(struct conn *conn)
{
    struct loop *loop = conn->loop;

    if (conn->watching)
        (void)epoll_ctl(loop->own_fd, EPOLL_CTL_DEL, conn->fd, NULL);
    exchange_retire(conn);
    if (conn->linger)
        linger_add(loop, conn->fd);
    LIST_REMOVE(conn, link);
    metrics_add(loop->options.app.metrics, METRIC_CONNECTIONS, -1);
    free(conn);
}

void conn_notify(void *cls, struct MHD_Connection *connection, void **context,
                 enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        start(cls, connection, context);
    else if (*context)
        stop(*context);
}

void conn_enter(struct conn *conn, enum conn_phase phase, int64_t timeout_ms)
{
    conn->phase = phase;
    conn->deadline_ms = timeout_ms ? clock_ms(conn->loop->clock) + timeout_ms : 0;
}

void conn_shut(struct conn *conn)
{
    (void)shutdown(conn->fd, SHUT_RDWR);
}

static void expire(struct conn *conn)
{
    static const char late[] = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n"
                               "Content-Length: 0\r\n\r\n";

    if (conn->expired || (conn->phase != CONN_BODY && conn->phase != CONN_HEADER)) {
        conn->deadline_ms = 0;
        conn_shut(conn);
        return;
    }
    if (conn->phase == CONN_BODY && conn->exchange) {
        (void)err_set(&conn->exchange->err, ERR_TIMEOUT, "the body did not arrive in time");
        exchange_refuse(conn->exchange);
    } else {
        /* nothing was sent yet, so these bytes are a complete answer */
        (void)send(conn->fd, late, sizeof(late) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    /* not both directions: a reset could overtake the answer */
    (void)shutdown(conn->fd, SHUT_WR);
    conn->expired = true;
    conn->deadline_ms = clock_ms(conn->loop->clock) + LAST_WORDS_MS;
}

/* libmicrohttpd takes a short read for an empty socket and waits for the next edge, so it misses an
 * end that was already there.  A client that has gone, and nothing moved for a second, is over. */
static void end_if_over(struct conn *conn)
{
    uint64_t received = conn->exchange ? conn->exchange->received_bytes : 0;
    uint64_t mark = received * 8 + (uint64_t)conn->phase + 1;

    if (conn->phase == CONN_WORK || conn->phase == CONN_SEND)
        return;
    if (mark == conn->gone_mark)
        conn_shut(conn);
    conn->gone_mark = mark;
}

void conn_sweep(struct conn *conn, int64_t now_ms)
{
    if (conn->deadline_ms && conn->deadline_ms <= now_ms)
        expire(conn);
    else if (conn->gone)
        end_if_over(conn);
}
