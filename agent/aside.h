/* SPDX-License-Identifier: GPL-3.0-or-later
 * A small command beside what the runner runs: it has a time limit, its output is kept in memory,
 * and nobody waits for it.  It dies with the agent. */
#ifndef AGENT_ASIDE_H
#define AGENT_ASIDE_H

#include "agent/reactor.h"
#include "agent/runner.h"
#include "common/buf.h"
#include "common/err.h"

#include <stddef.h>
#include <stdint.h>

#define ASIDE_OUTPUT_MAX ((size_t)64 << 10)

struct aside;

struct aside_command {
    char *const *argv; /* looked for in $PATH; only read while it is started */
    int64_t limit_ms;
    /* Called once from the loop with what it printed (standard output alone), or with NULL if it
     * did not end in time or printed too much.  The aside is gone then. */
    void (*done)(void *arg, const struct buf *output);
    void *arg;
};

/* One at a time. */
struct aside *aside_start(struct reactor *reactor, struct runner *runner,
                          const struct aside_command *command, struct err *err);
/* Ends it without calling done; NULL is fine. */
void aside_stop(struct aside *aside);

#endif
