/* SPDX-License-Identifier: GPL-3.0-or-later
 * Brings outcomes that could not be sent to the server, one after the other, while jobs run or the
 * agent waits for one.  It has a lane of its own and never waits for the loop, nor the loop for it.
 * An outcome that cannot be brought stays where it is, and the next one is tried after a pause
 * that doubles from server_pause_min to server_pause_max. */
#ifndef AGENT_COURIER_H
#define AGENT_COURIER_H

#include "agent/context.h"

#include <stdbool.h>

struct courier;

struct courier *courier_new(struct context *context);
/* What is under way is given up; it lies in the spool. */
void courier_free(struct courier *courier);

/* A job that is claimed anew is not to be delivered as it was before. */
void courier_forget(struct courier *courier, const char *job_id);

/* There may be something to bring.  is_back: the server was away and answers again, so nothing is
 * to be waited for. */
void courier_kick(struct courier *courier, bool is_back);

#endif
