/* SPDX-License-Identifier: GPL-3.0-or-later
 * Periodic work: one thread with a database connection of its own.  Every server has it; for each
 * task the database lets one of them at a time do it (docs/adr/0010). */
#ifndef SERVER_TASKS_TASKS_H
#define SERVER_TASKS_TASKS_H

#include "common/err.h"
#include "server/app.h"

#include <stdbool.h>

struct db_options;
struct tasks;

/* Starts the thread.  A database that cannot be reached is waited for.  What app and db point to
 * must outlive it. */
struct tasks *tasks_start(const struct app *app, const struct db_options *db, struct err *err);

/* No new work is begun from now on. */
void tasks_stop(struct tasks *tasks);
/* True once the thread has nothing under way any more. */
bool tasks_ended(const struct tasks *tasks);
/* Stops it, waits for what is under way, which the database bounds, and frees. */
void tasks_free(struct tasks *tasks);

#endif
