/* SPDX-License-Identifier: GPL-3.0-or-later
 * Queues: advertised ones, and who and what is on them. */
#ifndef SERVER_STORE_QUEUE_H
#define SERVER_STORE_QUEUE_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>

struct db;

/* queues: JSON object {queue: description}. */
int queue_store_advertise(struct db *db, const char *queues, struct err *err);

/* Each appends JSON text. */
int queue_store_list_advertised(struct db *db, struct buf *ret_body, struct err *err);
/* ERR_NOT_FOUND if no agent serves the queue. */
int queue_store_agents(struct db *db, const char *queue, struct buf *ret_body, struct err *err);
/* *ret_found is false if the queue has no jobs. */
int queue_store_jobs(struct db *db, const char *queue, struct buf *ret_body, bool *ret_found,
                     struct err *err);

#endif
