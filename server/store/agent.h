/* SPDX-License-Identifier: GPL-3.0-or-later
 * Agents: what they report and how it reads back. */
#ifndef SERVER_STORE_AGENT_H
#define SERVER_STORE_AGENT_H

#include "common/buf.h"
#include "common/err.h"
#include "server/store/page.h"

#include <stdbool.h>
#include <stdint.h>

struct db;

/* data: JSON object of the fields reported; by: client id of who reports, NULL if it has none. */
int agent_store_post(struct db *db, const char *name, const char *data, const char *by,
                     struct err *err);

/* How provisioning ended.  detail may be NULL.  ERR_NOT_FOUND: no such agent. */
struct provision_log {
    const char *job_id;
    int64_t exit_code;
    const char *detail;
};
int agent_store_provision_log(struct db *db, const char *name, const struct provision_log *log,
                              struct err *err);

/* Appends a JSON list, and to *ret_next where the next page begins, if there is one. */
int agent_store_list(struct db *db, const struct store_page *page, struct buf *ret_body,
                     struct buf *ret_next, struct err *err);
int agent_store_get(struct db *db, const char *name, struct buf *ret_body, bool *ret_found,
                    struct err *err);

#endif
