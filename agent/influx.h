/* SPDX-License-Identifier: GPL-3.0-or-later
 * Points for an InfluxDB (HTTP API of version 1): they wait in memory, bounded, and go out
 * together, one request at a time.  Nobody waits for them; what cannot be brought there is logged
 * and, in the end, dropped. */
#ifndef AGENT_INFLUX_H
#define AGENT_INFLUX_H

#include "agent/reactor.h"
#include "common/err.h"

#include <stdint.h>

#define INFLUX_DATABASE  "agent_jobs"
#define INFLUX_NO_RESULT (-1)

struct influx;

/* Copied. */
struct influx_config {
    const char *host;
    int64_t port;
    const char *user; /* NULL: none is asked for */
    const char *password;
    const char *agent;
};

struct influx *influx_new(struct reactor *reactor, const struct influx_config *config,
                          struct err *err);
/* Points that are not there yet are lost; NULL is fine. */
void influx_free(struct influx *influx);

/* "phase result", now; result is an exit status or INFLUX_NO_RESULT. */
void influx_add(struct influx *influx, const char *phase, int result);

#endif
