/* SPDX-License-Identifier: GPL-3.0-or-later
 * A loop thread: one libmicrohttpd daemon, its connections and their requests.  Only this thread
 * calls libmicrohttpd; workers hand requests back through a mailbox. */
#ifndef SERVER_HTTP_LOOP_H
#define SERVER_HTTP_LOOP_H

#include "common/err.h"
#include "server/app.h"
#include "server/http/router.h"
#include "server/work.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;

struct loop_options {
    struct app app; /* for handlers of LANE_LOOP; .db is NULL */
    struct router router;
    struct work_queue *queue;
    struct park *park;   /* of all loops; NULL: nothing can wait */
    struct quota *quota; /* likewise; NULL: who waits is not counted */
    int listen_fd;       /* stays the caller's: the loop listens on a copy */
    int connections_max;
    int64_t header_timeout_ms;    /* for a whole header */
    int64_t body_timeout_ms;      /* for a whole body, and a second more for each 64 KiB */
    int64_t keepalive_timeout_ms; /* silence between requests, or anywhere else */
    int64_t token_leeway_s;
    uint64_t upload_max_bytes;
};

/* Starts the thread. */
struct loop *loop_new(const struct loop_options *options, struct err *err);

/* Stops listening, lets what is under way end, closes idle connections.  After timeout_ms only
 * requests that a worker holds are waited for.  Returns at once. */
void loop_drain(struct loop *loop, int64_t timeout_ms);
/* True once the thread is about to end (after loop_drain). */
bool loop_ended(const struct loop *loop);
/* When the loop last went round (monotonic), at least once a second: for the watchdog. */
int64_t loop_seen_ms(const struct loop *loop);
/* Joins the thread: loop_ended() first.  The queue's threads must still be running. */
void loop_free(struct loop *loop);

#endif
