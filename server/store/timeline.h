/* SPDX-License-Identifier: GPL-3.0-or-later
 * The story of a job. */
#ifndef SERVER_STORE_TIMELINE_H
#define SERVER_STORE_TIMELINE_H

#include "common/err.h"
#include "server/db/db.h"

#include <stdbool.h>
#include <stdint.h>

/* Longest id of an entry, with its NUL: three numbers with dots between. */
#define TIMELINE_ID_SIZE 64

struct timeline_query {
    const char *job;
    const char *after; /* id of the last entry that is known, or NULL; timeline_id_valid() */
    const char *waits; /* the reason to wait that was told already, or NULL */
    int64_t limit;
};

/* The texts are valid until timeline_row_done(). */
struct timeline_row {
    struct db_rows rows;
    bool found;          /* else the job is unknown */
    const char *lines;   /* each: an id, a blank, a JSON object; no newline at the end; may be "" */
    const char *last_id; /* NULL: no lines */
    bool more;           /* others follow now */
    bool ended;          /* nothing is left to tell */
    const char *waits;   /* why it waits at this moment; NULL: it does not */
};

/* Whether a text a client sent can be the id of an entry. */
bool timeline_id_valid(const char *text);

int timeline_store_read(struct db *db, const struct timeline_query *query,
                        struct timeline_row *ret_row, struct err *err);
void timeline_row_done(struct timeline_row *row);

#endif
