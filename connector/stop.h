/* SPDX-License-Identifier: GPL-3.0-or-later
 * The wish that the stage ends: SIGTERM from the agent when a job is cancelled or a time-out is
 * over, SIGINT and SIGHUP from a terminal.  It stays once it came. */
#ifndef CONNECTOR_STOP_H
#define CONNECTOR_STOP_H

#include "common/err.h"

#include <stdbool.h>
#include <stdint.h>

struct stop {
    int fd;     /* readable once a signal came; for poll() only */
    int number; /* of the signal; 0: none was taken yet */
};

/* Blocks the signals from here on. */
int stop_init(struct stop *stop, struct err *err);
void stop_done(struct stop *stop);

/* Looks without waiting.  stop may be NULL here and below: never asked. */
bool stop_asked(struct stop *stop);

/* Waits; true if it ended early since the stage is to end. */
bool stop_wait(struct stop *stop, int64_t ms);

/* Fills *err with what the caller's wait ended for; returns -1. */
int stop_error(const struct stop *stop, struct err *err);

#endif
