/* SPDX-License-Identifier: GPL-3.0-or-later
 * Counters of one server process, for /metrics (Prometheus text).  Everything may be called from
 * every thread; nothing blocks. */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include "common/buf.h"
#include "common/clock.h"
#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

enum metric {
#define METRIC(name, kind, text, labels, help) METRIC_##name,
#include "server/metrics.def"
#undef METRIC
    METRIC_COUNT
};

/* Names a route for the labels of its series. */
struct metrics_route {
    const char *method;
    const char *path;
};

struct metrics;

struct metrics *metrics_new(size_t routes, const struct clock *clock, struct err *err);
void metrics_free(struct metrics *m);

void metrics_add(struct metrics *m, enum metric which, int64_t n);
void metrics_set(struct metrics *m, enum metric which, int64_t value);
int64_t metrics_get(const struct metrics *m, enum metric which);

/* One answered request.  route is its position in the table, or the number of routes for a request
 * that met none. */
void metrics_request(struct metrics *m, size_t route, int status, int64_t elapsed_us);

/* Adds all of it as Prometheus text.  route_of gives the labels for a position. */
void metrics_write(const struct metrics *m, struct metrics_route (*route_of)(size_t route),
                   struct buf *out);

#endif
