/* SPDX-License-Identifier: GPL-3.0-or-later
 * Restricted queues and the clients that own them. */
#ifndef SERVER_STORE_RESTRICTION_H
#define SERVER_STORE_RESTRICTION_H

#include "common/buf.h"
#include "common/err.h"
#include "server/store/page.h"

struct db;

/* Appends a JSON list, and to *ret_next where the next page begins, if there is one. */
int restriction_store_list(struct db *db, const struct store_page *page, struct buf *ret_body,
                           struct buf *ret_next, struct err *err);
/* ERR_NOT_FOUND: the queue is not restricted. */
int restriction_store_get(struct db *db, const char *queue, struct buf *ret_body, struct err *err);

/* ERR_BAD_REQUEST: the name of the client is empty.  ERR_NOT_FOUND: no such client, no agent serves
 * the queue; to remove: the queue is not restricted or the client no owner. */
int restriction_store_add(struct db *db, const char *queue, const char *client_id, struct err *err);
int restriction_store_remove(struct db *db, const char *queue, const char *client_id,
                             struct err *err);

#endif
