/* SPDX-License-Identifier: GPL-3.0-or-later
 * Logs: fragments in, and out again piece by piece in constant memory. */
#ifndef SERVER_STORE_LOG_H
#define SERVER_STORE_LOG_H

#include "common/err.h"
#include "common/names.h"
#include "common/parse.h"
#include "server/db/db.h"
#include "server/store/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_TYPE_SIZE 16

struct log_fragment {
    const char *type; /* "output" or "serial" */
    const char *phase;
    int64_t number;
    const char *at; /* RFC 3339 */
    const char *data;
    size_t len;
};

int log_store_post(struct db *db, const char *id, const struct poster *by,
                   const struct log_fragment *fragment, struct err *err);

/* One of many. */
struct log_post {
    const char *id;
    struct poster by;
    struct log_fragment fragment;
    struct err *err; /* ERR_NONE at first, and if it is kept */
    bool alone;      /* the answer: nothing was done, log_store_post() knows more */
};

/* A few calls, each one transaction; what fails for one of them does not fail the others. */
void log_store_post_all(struct db *db, struct log_post *posts, size_t count);

/* The last fragment number of each phase that logged; -1: none. */
struct log_phases {
    int64_t last[PHASE_COUNT];
    int64_t attempt; /* whose these are; in: the one that is meant, or ATTEMPT_NEWEST */
};
int log_store_phases(struct db *db, const char *id, const char *type, struct log_phases *phases,
                     struct err *err);

/* Reads the log of one phase.  Keeps what one statement returned, about 256 KiB or one fragment,
 * between calls, and no connection. */
struct log_cursor {
    char id[UUID_TEXT_SIZE];
    char type[LOG_TYPE_SIZE];
    const char *phase;     /* a constant */
    const char *from_time; /* RFC 3339 or NULL; kept by the caller */
    int64_t from_number;
    int64_t attempt;     /* or ATTEMPT_NEWEST */
    int64_t number, seq; /* of the last fragment begun; number is -1 before the first */
    struct db_rows rows;
    int row;
    size_t offset;  /* into the data of that row */
    bool open;      /* rows are there */
    bool exhausted; /* and nothing behind them */
};

void log_cursor_init(struct log_cursor *cursor, const char *id, const char *type,
                     const char *phase);
/* Hands out the next at most max bytes, whole characters if max is at least 4; valid until the next
 * call.  Returns 1, or 0 at the end. */
int log_cursor_next(struct log_cursor *cursor, struct db *db, size_t max, const char **ret_text,
                    size_t *ret_len, struct err *err);
void log_cursor_done(struct log_cursor *cursor);

#endif
