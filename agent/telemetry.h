/* SPDX-License-Identifier: GPL-3.0-or-later
 * Everything that people who watch over agents are told: metrics, points for an InfluxDB, the
 * status that the service manager shows.  The agent says what happens; who hears of it is decided
 * here.
 *
 * Nothing in it fails or delays a job.  struct telemetry * may be NULL: then nobody hears. */
#ifndef AGENT_TELEMETRY_H
#define AGENT_TELEMETRY_H

#include "agent/context.h"
#include "agent/stop.h"
#include "common/err.h"

#include <stdint.h>

struct job;
struct telemetry;

/* The context is borrowed and may not be complete yet.  Fails if the metrics cannot be served or
 * the environment (INFLUX_…) makes no sense. */
struct telemetry *telemetry_new(struct context *context, struct err *err);
void telemetry_free(struct telemetry *telemetry);

/* The loop begins to turn; the agent is asked to end and has so many seconds. */
void telemetry_ready(struct telemetry *telemetry);
void telemetry_stopping(struct telemetry *telemetry, int64_t within_s);

/* The agent posts this state; job_id is "" without a job. */
void telemetry_state(struct telemetry *telemetry, const char *state, const char *job_id);
/* The server does not answer, or it does again. */
void telemetry_server(struct telemetry *telemetry, bool answers);

void telemetry_job_begins(struct telemetry *telemetry);
/* job->phase has ended with this status and took so long. */
void telemetry_phase_ended(struct telemetry *telemetry, const struct job *job, int status,
                           enum stop_reason stopped);

#endif
