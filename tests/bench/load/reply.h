/* SPDX-License-Identifier: GPL-3.0-or-later
 * One answer at a time, as it comes in pieces: status, length, and what a later request needs of
 * it. No more of HTTP than the server under test speaks. */
#ifndef TESTS_BENCH_LOAD_REPLY_H
#define TESTS_BENCH_LOAD_REPLY_H

#include "common/err.h"
#include "common/parse.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPLY_HEAD_MAX 2048
#define REPLY_SEEN     512 /* of the body's beginning, and of its end */

enum reply_part {
    REPLY_HEAD,
    REPLY_BODY,
    REPLY_CHUNK_LINE,
    REPLY_CHUNK,
    REPLY_TRAILER,
    REPLY_DONE
};

struct reply {
    enum reply_part part;
    int status;
    bool closes;         /* the server ends the connection behind it */
    uint64_t left;       /* of the body or chunk, its end included */
    uint64_t body_bytes; /* so far */
    size_t line_len;     /* of the header, or of a chunk's line */
    size_t begin_len;
    char begin[REPLY_SEEN + 1], tail[REPLY_SEEN + 1];
    char line[REPLY_HEAD_MAX + 1];
};

void reply_begin(struct reply *reply);
/* Takes len bytes; part is REPLY_DONE when it was the last piece.  Bytes behind that are an error.
 */
int reply_take(struct reply *reply, const char *data, size_t len, struct err *err);

/* The job_id that the body names; false if none. */
bool reply_job(const struct reply *reply, char ret_job[static UUID_TEXT_SIZE]);
/* Its last last_fragment_number; false if none. */
bool reply_fragment(const struct reply *reply, int64_t *ret_number);

#endif
