/* SPDX-License-Identifier: GPL-3.0-or-later
 * The structures of a loop thread, shared by the files that implement it and nobody else.
 *
 * A conn is a client's connection, an exchange one request on it and its answer.  Both belong to
 * the loop thread; an exchange in state WORKING belongs to the worker that has it, and its
 * connection is suspended meanwhile, which also means that libmicrohttpd leaves both alone. */
#ifndef SERVER_HTTP_INNER_H
#define SERVER_HTTP_INNER_H

#include "server/http/auth.h"
#include "server/http/headers.h"
#include "server/http/loop.h"
#include "server/http/target.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include <microhttpd.h>

/* Bodies that nobody wants are read up to this size, so that the connection can go on. */
#define SWALLOW_MAX_BYTES ((uint64_t)1 << 20)

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
    bool expired; /* was told that its time is up */
    bool linger;  /* answered before all was read: drain the socket before it is closed */
    struct exchange *exchange;
};

enum exchange_state {
    EXCHANGE_TARGET,  /* the request line is there */
    EXCHANGE_BODY,    /* header read and judged, the body is coming in */
    EXCHANGE_WORKING, /* a worker's; .next_state says how it goes on */
    EXCHANGE_ANSWER,  /* res is to be queued */
    EXCHANGE_DROPPED, /* the client has gone, nothing was done */
    EXCHANGE_SENDING,
};

struct exchange {
    struct work work;
    struct exchange *next_mail;
    struct loop *loop;
    struct conn *conn; /* NULL: the connection is closed, a worker does what is left */
    struct MHD_Connection *connection;
    enum exchange_state state;
    enum exchange_state next_state;
    struct err err; /* .code set: the answer is this error, the body is only swallowed */
    struct target target;
    struct headers headers;
    struct route_match match;
    struct request req;
    struct response res;
    char agent_name[NAME_MAX_BYTES + 1];
    int64_t length; /* of the body; -1: chunked */
    uint64_t received_bytes;
    int64_t started_us;
    int64_t answered_us;
    int64_t queued_ms;
    int status; /* 0: not answered */
    uint64_t sent_bytes;
    atomic_bool gone;
    struct upload *upload;
    struct outflow *outflow;
};

struct loop {
    struct loop_options options;
    const struct clock *clock;
    struct MHD_Daemon *daemon;
    struct auth *auth;
    pthread_t thread;
    int mhd_fd; /* libmicrohttpd's epoll set */
    int own_fd; /* ours: clients that leave, sockets that linger */
    LIST_HEAD(, conn) conns;
    LIST_HEAD(, lingerer) lingering;
    int linger_count;
    size_t exchanges; /* alive */
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
/* Asks the kernel to tell when the client goes. */
void conn_watch(struct conn *conn);
/* Ends a connection whose time is up. */
void conn_expire(struct conn *conn);
/* Makes libmicrohttpd see the end of the connection. */
void conn_shut(struct conn *conn);

/* linger.c */
void linger_add(struct loop *loop, int fd);
void linger_sweep(struct loop *loop, int64_t now_ms);
void linger_end(struct loop *loop);

/* exchange.c */
void *exchange_start(void *cls, const char *target, struct MHD_Connection *connection);
enum MHD_Result exchange_step(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *data_size, void **context);
void exchange_completed(void *cls, struct MHD_Connection *connection, void **context,
                        enum MHD_RequestTerminationCode code);
/* Gives the exchange to the workers and suspends its connection; run is called there.  -1: the
 * queue is full. */
int exchange_hand_over(struct exchange *ex, void (*run)(struct work *work, struct app *app),
                       enum exchange_state next_state, bool always);
/* A worker has handed it back. */
void exchange_returned(struct exchange *ex);

/* exchange_head.c: everything that can be said once the header is there */
void exchange_judge(struct exchange *ex, const char *method);

/* exchange_run.c: what happens on workers (and for LANE_LOOP on the loop) */
void exchange_run(struct work *work, struct app *app);

/* exchange_send.c */
enum MHD_Result exchange_send(struct exchange *ex);
/* Answers in mid-body, where libmicrohttpd cannot: writes the error to the socket.  The connection
 * is to be closed then. */
void exchange_refuse(struct exchange *ex);
void exchange_log(const struct exchange *ex, bool complete);
void exchange_log_failure(const struct exchange *ex, const struct err *err);

/* loop.c: from any thread */
void loop_post(struct loop *loop, struct exchange *ex);

#endif
