/* SPDX-License-Identifier: GPL-3.0-or-later
 * The life of the agent: is the server there, what is left from before, what do people want of the
 * agent, is there a job; over and over.  loop.c has the table of states. */
#ifndef AGENT_LOOP_H
#define AGENT_LOOP_H

#include "agent/context.h"
#include "common/err.h"

struct loop;

struct loop *loop_new(struct context *context, struct err *err);
void loop_free(struct loop *loop);

/* Runs until a signal or a wish ends it; returns the exit status of the program, -1 on failure.
 * SIGTERM, SIGINT: stop the job, clean up, report, 0.  SIGUSR1: restart when idle (status 1).
 * SIGHUP: open the log file anew.  All of them must be blocked. */
int loop_run(struct loop *loop, struct err *err);

#endif
