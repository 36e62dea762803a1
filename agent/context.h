/* SPDX-License-Identifier: GPL-3.0-or-later
 * What every part of the agent works with; made in main.c, borrowed by all. */
#ifndef AGENT_CONTEXT_H
#define AGENT_CONTEXT_H

#include "common/parse.h"

#include <stdbool.h>
#include <stdint.h>

struct api;
struct config;
struct reactor;
struct runner;
struct spool;
struct telemetry;

/* What people want of the agent, noted whenever it is seen and acted on between jobs. */
struct wishes {
    const char *offline; /* "offline" or "maintenance": wins over a restart; NULL: not wanted */
    bool restart;
    char comment[256]; /* why the agent took itself offline; "" if it did not */
};

struct context {
    const struct config *config;
    struct reactor *reactor;
    struct api *api;
    struct runner *runner;
    struct spool *spool;
    struct telemetry *telemetry;
    struct wishes wishes;
    char boot[UUID_TEXT_SIZE]; /* another one at each start */
    int64_t accept_wait_s;     /* how long the server lets requests wait; 0: it does not */
};

#endif
