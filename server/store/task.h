/* SPDX-License-Identifier: GPL-3.0-or-later
 * api.run_task. */
#ifndef SERVER_STORE_TASK_H
#define SERVER_STORE_TASK_H

#include "common/err.h"

#include <stdbool.h>
#include <stdint.h>

struct db;

struct task_run {
    const char *task;
    int64_t every_ms; /* not if any server did it within this time */
    /* Called for each kind of thing that was done. */
    void (*count)(void *cls, const char *what, int64_t count);
    /* Called for each job and queue that has changed: kind is "job" or "queue"; and for what an
     * operator should know: "warning", name is a text. */
    void (*told)(void *cls, const char *kind, const char *name);
    void *cls;
};

/* Does one batch of a task.  *ret_ran is false if another server is at it or did it lately;
 * *ret_more: call again, without waiting for the period. */
int task_store_run(struct db *db, const struct task_run *run, bool *ret_ran, bool *ret_more,
                   struct err *err);

#endif
