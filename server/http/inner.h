/* SPDX-License-Identifier: GPL-3.0-or-later
 * The structures of a loop thread, shared by the files that implement it and nobody else.
 *
 * A conn is a client's connection, an exchange one request on it and its answer.  Both belong to
 * the loop thread; an exchange in state WORKING belongs to the worker that has it, and its
 * connection is suspended meanwhile, which also means that libmicrohttpd leaves both alone. */
#ifndef SERVER_HTTP_INNER_H
#define SERVER_HTTP_INNER_H

#include "server/http/auth.h"
#include "server/http/loop.h"
#include "server/http/pace.h"
#include "server/http/slow.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include <microhttpd.h>

/* A request that crosses our decision to stop is still served. */
#define IDLE_GRACE_MS 1000

struct exchange;

/* First member of what sits in the loop's own epoll set. */
struct watched {
    void (*ready)(struct watched *watched);
};

enum conn_phase {
    CONN_IDLE,   /* between requests */
    CONN_HEADER, /* a new connection, or a header under way */
    CONN_BODY,
    CONN_WORK, /* suspended: a worker has the request */
    CONN_SEND,
};

struct conn {
    struct watched watched;
    LIST_ENTRY(conn) link;
    struct loop *loop;
    int fd;
    char peer[INET6_ADDRSTRLEN];
    enum conn_phase phase;
    int64_t deadline_ms; /* 0: none */
    bool watching;       /* in the epoll set; it fires once in a life, when the client has gone */
    bool gone;
    uint64_t gone_mark; /* how far it was at the last sweep after that */
    bool expired;       /* was told that its time is up */
    bool linger;        /* answered before all was read: drain the socket before it is closed */
    struct exchange *exchange;
};

struct loop {
    struct loop_options options;
    const struct clock *clock;
    struct MHD_Daemon *daemon;
    struct auth *auth;
    struct slow_list slow;
    struct pace pace;
    pthread_t thread;
    int mhd_fd; /* libmicrohttpd's epoll set */
    int own_fd; /* ours: clients that leave, sockets that linger */
    LIST_HEAD(, conn) conns;
    LIST_HEAD(, lingerer) lingering;
    int linger_count;
    size_t exchanges;        /* alive */
    struct exchange *blanks; /* blocks of those that are over, for requests to come */
    size_t blank_count;
    int64_t next_sweep_ms;
    bool draining;
    int64_t drain_until_ms;
    uint64_t id_base; /* request ids: random base, then a counter */
    uint64_t id_count;
    atomic_int_fast64_t seen_ms;
    atomic_bool ended;
    atomic_int_fast64_t drain_ms; /* -1: not asked for */
    /* the mailbox */
    int mail_fd;
    pthread_mutex_t mail_lock;
    struct exchange *mail;
    struct exchange **mail_last;
};

/* conn.c */
void conn_notify(void *cls, struct MHD_Connection *connection, void **context,
                 enum MHD_ConnectionNotificationCode code);
void conn_enter(struct conn *conn, enum conn_phase phase, int64_t timeout_ms);
/* Once a second: ends a connection whose time is up or whose client has left in mid-request. */
void conn_sweep(struct conn *conn, int64_t now_ms);
/* Makes libmicrohttpd see the end of the connection. */
void conn_shut(struct conn *conn);

/* linger.c */
void linger_add(struct loop *loop, int fd);
void linger_sweep(struct loop *loop, int64_t now_ms);
void linger_end(struct loop *loop);

/* loop.c: from any thread */
void loop_post(struct loop *loop, struct exchange *ex);

#endif
