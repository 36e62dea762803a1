/* SPDX-License-Identifier: GPL-3.0-or-later
 * What an agent counts, and its Prometheus text.  The four series without a prefix have the names
 * that dashboards of labs know. */
#ifndef AGENT_METRICS_H
#define AGENT_METRICS_H

#include "common/buf.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/names.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define METRICS_TEXT_MAX     ((size_t)1 << 20)
#define METRICS_RELEASES_MAX 32 /* told apart; a device could invent names without end */
#define METRICS_RELEASE_SIZE 48

struct metrics;

/* What the labels say of the agent; borrowed. */
struct metrics_agent {
    const char *agent_id;
    const char *identifier; /* or NULL */
    const char *version;
};

/* What is not counted but looked at when somebody asks. */
struct metrics_now {
    bool job_running;
    bool out_of_service; /* offline or in maintenance */
    int64_t silence_ms;  /* since the server last answered */
    size_t outcomes_waiting;
};

struct metrics *metrics_new(const struct metrics_agent *agent, const struct clock *clock,
                            struct err *err);
void metrics_free(struct metrics *metrics);

void metrics_count_job(struct metrics *metrics);
void metrics_count_failure(struct metrics *metrics, enum phase phase);
void metrics_count_recovery_failure(struct metrics *metrics);
/* A phase took so long on a device with this release of its system. */
void metrics_observe(struct metrics *metrics, enum phase phase, const char *release, int64_t ms);

void metrics_write(const struct metrics *metrics, const struct metrics_now *now, struct buf *out);

#endif
