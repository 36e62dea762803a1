/* SPDX-License-Identifier: GPL-3.0-or-later
 * Why a phase may have to end before its command does: its time is over, it is silent for too
 * long, the job was cancelled, the agent is asked to end.  The first reason counts. */
#ifndef AGENT_STOP_H
#define AGENT_STOP_H

#include "agent/reactor.h"
#include "common/names.h"

#include <stdbool.h>
#include <stdint.h>

enum stop_reason {
    STOP_NONE,
    STOP_GLOBAL_TIMEOUT,
    STOP_OUTPUT_TIMEOUT,
    STOP_CANCELLED,
    STOP_SHUTDOWN,
    STOP_LOST,    /* the job is another agent's */
    STOP_SILENCE, /* the server was not heard of for too long */
    STOP_REASON_COUNT
};

struct stop {
    struct reactor *reactor;
    struct timer global;
    struct timer silence;
    int64_t silence_ms; /* 0: not watched */
    enum phase phase;
    enum stop_reason reason;
    void (*stop)(void *arg, enum stop_reason reason); /* called at most once for each arming */
    void *arg;
};

/* The smaller of both, where 0 or less means "not given" and the default then counts. */
int64_t stop_limit_s(int64_t job_s, int64_t agent_s, int64_t default_s);

/* Watches a phase from now on; a limit that does not apply to the phase is left out. */
void stop_arm(struct stop *stop, enum phase phase, int64_t global_s, int64_t output_s);
void stop_disarm(struct stop *stop);
/* The command printed something. */
void stop_touch(struct stop *stop);
/* The phase should end for this reason; false if the reason does not apply to it or it is ending
 * already. */
bool stop_ask(struct stop *stop, enum stop_reason reason);

/* For events: "global_timeout"; for the log: a sentence about what happened. */
const char *stop_event(enum stop_reason reason);
const char *stop_text(enum stop_reason reason);

#endif
