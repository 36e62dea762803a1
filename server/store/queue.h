/* SPDX-License-Identifier: GPL-3.0-or-later
 * Queues: advertised ones, and who and what is on them. */
#ifndef SERVER_STORE_QUEUE_H
#define SERVER_STORE_QUEUE_H

#include "common/buf.h"
#include "common/err.h"

struct db;

/* queues: JSON object {queue: description}. */
int queue_store_advertise(struct db *db, const char *queues, struct err *err);

/* Each appends JSON text. */
int queue_store_list_advertised(struct db *db, struct buf *ret_body, struct err *err);
/* ERR_NOT_FOUND if no agent serves the queue. */
int queue_store_agents(struct db *db, const char *queue, struct buf *ret_body, struct err *err);
/* queues: JSON list of names, NULL for all. */
int queue_store_wait_times(struct db *db, const char *queues, struct buf *ret_body,
                           struct err *err);

/* images: JSON object {queue: {image: text}}. */
int queue_store_set_images(struct db *db, const char *images, struct err *err);
/* Appends the images of one queue. */
int queue_store_images(struct db *db, const char *queue, struct buf *ret_body, struct err *err);

#endif
