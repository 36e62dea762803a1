/* SPDX-License-Identifier: GPL-3.0-or-later
 * Serves one text over HTTP (GET / and /metrics) from the agent's poll loop, without a thread. */
#ifndef AGENT_METRICS_LISTEN_H
#define AGENT_METRICS_LISTEN_H

#include "agent/reactor.h"
#include "common/buf.h"
#include "common/err.h"

struct metrics_listener;

struct metrics_page {
    void (*write)(void *arg, struct buf *out); /* called for every request */
    void *arg;
};

/* address: IPv4 or IPv6, "*" for all.  The page is copied. */
struct metrics_listener *metrics_listen(struct reactor *reactor, const char *address, uint16_t port,
                                        const struct metrics_page *page, struct err *err);
void metrics_listener_free(struct metrics_listener *listener);

#endif
