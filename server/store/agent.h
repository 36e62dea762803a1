/* SPDX-License-Identifier: GPL-3.0-or-later
 * Agents: what they report and how it reads back. */
#ifndef SERVER_STORE_AGENT_H
#define SERVER_STORE_AGENT_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>

struct db;

/* data: JSON object of the fields reported; by: client id of who reports, NULL if it has none. */
int agent_store_post(struct db *db, const char *name, const char *data, const char *by,
                     struct err *err);

/* Appends a JSON list. */
int agent_store_list(struct db *db, struct buf *ret_body, struct err *err);
int agent_store_get(struct db *db, const char *name, struct buf *ret_body, bool *ret_found,
                    struct err *err);

#endif
