/* SPDX-License-Identifier: GPL-3.0-or-later
 * One point in InfluxDB's line protocol. */
#ifndef AGENT_INFLUX_LINE_H
#define AGENT_INFLUX_LINE_H

#include "common/buf.h"

#include <stdint.h>

struct influx_point {
    const char *agent; /* the tag */
    const char *phase; /* the fields: phase, and result unless it is negative */
    int result;
    int64_t time_us;
};

/* Adds the line with its end; on failure nothing was added. */
int influx_add_line(struct buf *b, const struct influx_point *point);

#endif
